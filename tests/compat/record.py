#!/usr/bin/env python3
"""Records what a server that speaks this API answers, so that two servers can be compared request by request.

    record.py                                  starts `bao` (dev mode, and a sealed one) and prints JSON lines
    record.py --binary target/debug/coffer     the same with another binary
    record.py --addr URL --token T             asks a server that already runs (the `seal` area is left out)
    record.py --against FILE                   prints the differences to an earlier recording instead
    record.py --only kv2,tokens                only these areas

One line per request: area, name, method, path, the body sent, and the answer's status and JSON body. Values that
differ from run to run (ids, tokens, times, user names) become placeholders such as `<uuid>`.
"""
import argparse
import http.client
import importlib
import json
import os
import re
import shutil
import socket
import string
import subprocess
import sys
import tempfile
import time
import urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

AREAS = ["seal", "health", "mounts", "auth", "policies", "tokens", "token_roles", "leases", "kv1", "kv2", "cubbyhole",
         "database", "audit", "wrapping", "help", "protocol", "quotas"]

PLACEHOLDERS = [
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "<uuid>"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)"), "<time>"),
    (re.compile(r"\b(hv)?[sbr]\.[A-Za-z0-9_-]{20,}(\.[A-Za-z0-9]+)?"), "<token>"),
    (re.compile(r"\bv-[A-Za-z0-9_-]+-[A-Za-z0-9]{20}-\d{10}"), "<db-user>"),
    (re.compile(r"hmac-sha256:[0-9a-f]{64}"), "<hmac>"),
    (re.compile(r"\b((?:auth_)?[a-z0-9-]+)_[0-9a-f]{8}\b"), r"\1_<hex8>"),
    (re.compile(r"\b[0-9a-f]{64,66}\b"), "<hex-key>"),
    (re.compile(r"\b[A-Za-z0-9]{24}\b(?=$|\")"), "<id24>"),
    (re.compile(r"127\.0\.0\.1:\d+"), "127.0.0.1:<port>"),
    (re.compile(r"/tmp/coffer-record-[a-z0-9_]+"), "<dir>"),
]


def main():
    options = parse_arguments()
    earlier = read_earlier(options.against) if options.against else None
    answers = []
    chosen = options.only.split(",") if options.only else AREAS
    if options.addr:
        chosen = [area for area in chosen if area != "seal"]
        session = Session(options.addr, options.token, postgres=None)
        for area in chosen:
            answers += run_area(session, area)
    else:
        answers = record_with_own_servers(options, chosen)
    if earlier is None:
        for answer in answers:
            print(json.dumps(answer))
        return 0
    from diff import print_differences
    return print_differences(earlier, answers, texts=options.texts)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=os.environ.get("COFFER_BIN", "bao"), help="server binary to start")
    parser.add_argument("--addr", help="ask this server instead of starting one")
    parser.add_argument("--token", default="root", help="root token for --addr")
    parser.add_argument("--against", help="recording to compare with")
    parser.add_argument("--texts", action="store_true", help="with --against: compare error texts as well")
    parser.add_argument("--only", help="comma list of areas: " + ",".join(AREAS))
    return parser.parse_args()


def read_earlier(path):
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.strip()]


def record_with_own_servers(options, chosen):
    answers = []
    folder = tempfile.mkdtemp(prefix="coffer-record-")
    # PostgreSQL runs as another user when this runs as root and must be able to enter.
    os.chmod(folder, 0o755)
    postgres = start_postgres(folder) if "database" in chosen or "leases" in chosen else None
    try:
        if "seal" in chosen:
            with Server.sealed(options.binary, folder) as server:
                answers += run_area(Session(server.addr, "", None, folder), "seal")
        others = [area for area in chosen if area != "seal"]
        if others:
            with Server.dev(options.binary, folder) as server:
                session = Session(server.addr, "root", postgres, folder)
                for area in others:
                    answers += run_area(session, area)
    finally:
        if postgres:
            subprocess.run([POSTGRES, "remove", os.path.join(folder, "pg")], check=False)
        shutil.rmtree(folder, ignore_errors=True)
    return answers


POSTGRES = os.path.join(HERE, "..", "..", "demo", "postgres.sh")


def start_postgres(folder):
    where = os.path.join(folder, "pg")
    subprocess.run([POSTGRES, "install"], check=True, stdout=sys.stderr)
    subprocess.run([POSTGRES, "start", where], check=True, env={**os.environ, "COFFER_PG_FSYNC": "off"})
    with open(os.path.join(where, "port")) as port, open(os.path.join(where, "password")) as password:
        return {"pg_port": port.read().strip(), "pg_password": password.read().strip()}


class Server:
    """A server process of our own on a free port; stopped on leaving the `with` block."""

    def __init__(self, arguments, port, folder):
        self.addr = f"http://127.0.0.1:{port}"
        self.log = open(os.path.join(folder, f"server-{port}.log"), "wb")
        environment = {**os.environ, "HOME": folder}
        self.process = subprocess.Popen(arguments, stdout=self.log, stderr=self.log, env=environment)
        self.wait_until_it_answers(port)

    @classmethod
    def dev(cls, binary, folder):
        port = free_port()
        config = os.path.join(folder, "dev.hcl")
        with open(config, "w", encoding="utf-8") as file:
            file.write("unsafe_allow_api_audit_creation = true\n")
        return cls([binary, "server", "-dev", "-dev-root-token-id=root", "-dev-no-store-token",
                    f"-dev-listen-address=127.0.0.1:{port}", f"-config={config}"], port, folder)

    @classmethod
    def sealed(cls, binary, folder):
        port = free_port()
        data = os.path.join(folder, "data")
        os.makedirs(data, exist_ok=True)
        config = os.path.join(folder, "sealed.hcl")
        with open(config, "w", encoding="utf-8") as file:
            # Every server of this kind takes raft storage, and with one node it needs no peer.
            file.write(f'storage "raft" {{\n  path = "{data}"\n  node_id = "one"\n}}\n'
                       f'listener "tcp" {{\n  address = "127.0.0.1:{port}"\n  tls_disable = true\n'
                       f'  disable_unauthed_rekey_endpoints = false\n  disable_unauthed_generate_root_endpoints = false\n}}\n'
                       f'api_addr = "http://127.0.0.1:{port}"\ncluster_addr = "http://127.0.0.1:{free_port()}"\n')
        return cls([binary, "server", f"-config={config}"], port, folder)

    def wait_until_it_answers(self, port):
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            try:
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
                connection.request("GET", "/v1/sys/health")
                status = connection.getresponse().status
                if status in (200, 501) or (status == 503 and "-dev" not in self.process.args):
                    return
            except OSError:
                pass
            time.sleep(0.05)
        self.log.flush()
        with open(self.log.name, encoding="utf-8", errors="replace") as log:
            sys.exit("the server did not start:\n" + log.read()[-3000:])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Session:
    """Sends requests to one server and keeps what later requests refer to as `$name`."""

    def __init__(self, addr, token, postgres, folder="/tmp"):
        url = urllib.parse.urlsplit(addr)
        self.host, self.port, self.tls = url.hostname, url.port, url.scheme == "https"
        self.values = {"root": token, "folder": folder, **(postgres or {})}
        self.has_postgres = postgres is not None

    def fill(self, value):
        if isinstance(value, str):
            return string.Template(value).safe_substitute(self.values)
        if isinstance(value, list):
            return [self.fill(item) for item in value]
        if isinstance(value, dict):
            return {key: self.fill(item) for key, item in value.items()}
        return value

    def send(self, step):
        kind = http.client.HTTPSConnection if self.tls else http.client.HTTPConnection
        connection = kind(self.host, self.port, timeout=60)
        headers = {**self.fill(step.headers)}
        token = self.fill(step.token)
        if token:
            headers.setdefault("X-Vault-Token", token)
        body = None
        if step.raw is not None:
            body = step.raw
        elif step.body is not None:
            body = json.dumps(self.fill(step.body)).encode()
            headers.setdefault("Content-Type", "application/json")
        connection.putrequest(step.method, self.fill(step.path), skip_accept_encoding=True)
        if body is not None:
            headers["Content-Length"] = str(len(body))
        elif step.method in ("POST", "PUT", "PATCH"):
            headers["Content-Length"] = "0"
        for key, value in headers.items():
            connection.putheader(key, value)
        try:
            connection.endheaders(body)
        except (BrokenPipeError, ConnectionResetError):
            pass  # An early refusal of a large body: the answer is still there to be read.
        response = connection.getresponse()
        text = response.read()
        return response, text


class Step:
    """One request: `line` is "METHOD path below /v1/" (or an absolute path)."""

    def __init__(self, name, line, body=None, token="$root", headers=None, raw=None, save=None, repeat_until=None, sent=None, keep_text=False):
        self.name = name
        self.method, path = line.split(" ", 1)
        self.path = path if path.startswith("/") else "/v1/" + path
        self.body, self.token, self.headers, self.raw = body, token, headers or {}, raw
        self.save, self.repeat_until, self.sent, self.keep_text = save or {}, repeat_until, sent, keep_text


def run_area(session, area):
    module = importlib.import_module(f"areas.{area}")
    if getattr(module, "NEEDS_POSTGRES", False) and not session.has_postgres:
        print(f"{area}: left out, it needs a PostgreSQL of its own", file=sys.stderr)
        return []
    return [record(session, area, step) for step in module.steps(Step)]


def record(session, area, step):
    response, text = session.send(step)
    deadline = time.monotonic() + 15
    while step.repeat_until and not step.repeat_until(response.status, text) and time.monotonic() < deadline:
        time.sleep(0.2)
        response, text = session.send(step)
    body = parse(text)
    for name, where in step.save.items():
        session.values[name] = find(body, where)
    answer = {"area": area, "name": step.name, "method": step.method, "path": step.path}
    if step.headers:
        answer["headers"] = step.headers
    if step.token != "$root":
        answer["token"] = step.token
    if step.body is not None:
        answer["sent"] = step.body
    elif step.raw is not None:
        answer["sent_raw"] = step.sent or step.raw.decode("utf-8", "replace")[:200]
    answer["status"] = response.status
    if response.getheader("Location"):
        answer["location"] = normalise(response.getheader("Location"))
    kind = response.getheader("Content-Type")
    if kind and kind != "application/json":
        answer["content_type"] = kind
    answer["body"] = normalise(body)
    if step.keep_text:
        answer["text"] = normalise(text.decode("utf-8", "replace"))
    return answer


def parse(text):
    if not text:
        return None
    try:
        return json.loads(text)
    except ValueError:
        return {"<text>": text.decode("utf-8", "replace")[:2000]}


def find(body, where):
    for part in where.split("."):
        if isinstance(body, list) and part.isdigit() and int(part) < len(body):
            body = body[int(part)]
        elif isinstance(body, dict) and part in body:
            body = body[part]
        else:
            return f"missing-{where}"
    return body


def normalise(value, key=""):
    if isinstance(value, dict):
        return {normalise(name): normalise(item, name) for name, item in value.items()}
    if isinstance(value, list):
        return [normalise(item, key) for item in value]
    if isinstance(value, str):
        for pattern, placeholder in PLACEHOLDERS:
            value = pattern.sub(placeholder, value)
        if key in ("keys_base64", "root_token", "otp", "encoded_token", "encoded_root_token"):
            return f"<{key}:{len(value)}>"
        if key == "password" and len(value) == 20:
            return "<password20>"
        return value
    if key in ("creation_time", "last_renewal_time", "server_time_utc", "build_date", "sum") and isinstance(value, int) and value > 10**9:
        return 1700000000
    return value


if __name__ == "__main__":
    sys.exit(main())
