"""The server under test: the real binary, on a free port, with a store of its own."""
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import time

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")


def binary():
    """COFFER_BIN, or what cargo built last."""
    named = os.environ.get("COFFER_BIN")
    if named:
        return shutil.which(named) or named
    target = os.environ.get("CARGO_TARGET_DIR", os.path.join(ROOT, "target"))
    built = [os.path.join(target, profile, "coffer") for profile in ("debug", "release")]
    built = [path for path in built if os.path.exists(path)]
    if not built:
        raise RuntimeError("no coffer binary: run `cargo build -p coffer-cli` or set COFFER_BIN")
    return max(built, key=os.path.getmtime)


def is_reference():
    """True when the suites run against the reference server, to prove the tests themselves."""
    return os.path.basename(binary()) in ("bao", "vault")


def until(condition, seconds, what):
    """Polls `condition` and returns its first true value; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.05)


class Answer:
    def __init__(self, status, body, headers):
        self.status, self.body, self.headers = status, body, headers

    def __repr__(self):
        return f"{self.status} {json.dumps(self.body)}"

    def __getitem__(self, key):
        return self.body[key]


class Server:
    """Starts, kills and restarts one server; speaks to it with `call` and friends."""

    storage = os.environ.get("COFFER_TEST_STORAGE", "file")

    def __init__(self, folder, extra_config=""):
        self.folder = str(folder)
        self.port, self.cluster_port = free_port(), free_port()
        self.addr = f"http://127.0.0.1:{self.port}"
        self.token, self.keys, self.process = "", [], None
        self._write_config(extra_config)

    def start(self):
        with open(os.path.join(self.folder, "server.log"), "ab") as log:
            self.process = subprocess.Popen([binary(), "server", f"-config={self.folder}/server.hcl"], stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        until(self._listens, 30, "the server listens; its log says:\n" + self.log())
        return self

    def initialise(self, shares=1, threshold=1):
        answer = self.call("PUT", "sys/init", {"secret_shares": shares, "secret_threshold": threshold}, token="")
        assert answer.status == 200, answer
        self.keys, self.token = answer["keys"][:threshold], answer["root_token"]
        return answer

    def unseal(self):
        for key in self.keys:
            answer = self.call("PUT", "sys/unseal", {"key": key}, token="")
            assert answer.status == 200, answer
        self.wait_until_active()
        return self

    def wait_until_active(self):
        until(lambda: self.call("GET", "sys/health", token="").status == 200, 30, "the server is active")

    def kill(self):
        """As a power cut would: SIGKILL."""
        self.process.kill()
        self.process.wait()

    def stop(self, seconds=20):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.kill()
                raise AssertionError(f"the server did not stop within {seconds} s of SIGTERM") from None

    def call(self, method, path, body=None, token=None, headers=None):
        """One request below /v1/; the answer whatever its status."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        sent = {"X-Vault-Token": self.token if token is None else token, **(headers or {})}
        sent = {name: value for name, value in sent.items() if value}
        data = None if body is None else json.dumps(body)
        connection.request(method, "/v1/" + path, data, sent)
        response = connection.getresponse()
        text = response.read()
        connection.close()
        return Answer(response.status, json.loads(text) if text else None, dict(response.getheaders()))

    def ok(self, method, path, body=None, token=None, headers=None):
        """One request that must succeed."""
        answer = self.call(method, path, body, token, headers)
        assert 200 <= answer.status < 300, f"{method} {path}: {answer}"
        return answer

    def log(self):
        path = os.path.join(self.folder, "server.log")
        if not os.path.exists(path):
            return ""
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()[-3000:]

    def _listens(self):
        assert self.process.poll() is None, "the server ended:\n" + self.log()
        try:
            return self.call("GET", "sys/health", token="").status in (200, 429, 501, 503)
        except OSError:
            return False

    def _write_config(self, extra):
        data = os.path.join(self.folder, "data")
        os.makedirs(data, exist_ok=True)
        kind = "raft" if is_reference() else self.storage
        node = '  node_id = "one"\n' if kind == "raft" else ""
        with open(os.path.join(self.folder, "server.hcl"), "w", encoding="utf-8") as file:
            file.write(f'storage "{kind}" {{\n  path = "{data}"\n{node}}}\n'
                       f'listener "tcp" {{\n  address = "127.0.0.1:{self.port}"\n  tls_disable = true\n}}\n'
                       f'api_addr = "{self.addr}"\ncluster_addr = "http://127.0.0.1:{self.cluster_port}"\n'
                       f'unsafe_allow_api_audit_creation = true\n{extra}')


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
