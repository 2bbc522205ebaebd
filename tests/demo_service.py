"""The demo's service as a process, and a client that asks it without a pause."""
import http.client
import json
import os
import signal
import subprocess
import threading
import time
from urllib.parse import urlsplit

from coffer_server import ROOT, until


def binary():
    """COFFER_DEMO_SERVICE, or what cargo built last."""
    named = os.environ.get("COFFER_DEMO_SERVICE")
    if named:
        return named
    target = os.environ.get("CARGO_TARGET_DIR", os.path.join(ROOT, "target"))
    built = [os.path.join(target, profile, "demo-service") for profile in ("debug", "release")]
    built = [path for path in built if os.path.exists(path)]
    if not built:
        raise RuntimeError("no demo-service binary: run `cargo build -p coffer-demo-service`")
    return max(built, key=os.path.getmtime)


class Service:
    """Starts and stops it; `status` is what it says of itself."""

    def __init__(self, folder, server, postgres, token):
        self.folder, self.process = str(folder), None
        self.token_file, self.address_file = (os.path.join(self.folder, name) for name in ("app-token", "address"))
        self.set_token(token)
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("COFFER_", "VAULT_", "BAO_", "PG"))}
        self.environment = {**inherited, "COFFER_ADDR": server.addr, "COFFER_TOKEN_FILE": self.token_file, "SERVICE_ADDRESS_FILE": self.address_file,
                            "PGHOST": "127.0.0.1", "PGPORT": str(postgres.port), "PGDATABASE": "postgres"}

    def set_token(self, token):
        with open(self.token_file, "w", encoding="utf-8") as file:
            file.write(token)

    def start(self):
        with open(os.path.join(self.folder, "service.log"), "ab") as log:
            self.process = subprocess.Popen([binary()], env=self.environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        until(lambda: os.path.exists(self.address_file) and os.path.getsize(self.address_file), 20, "the service listens")
        with open(self.address_file, encoding="utf-8") as file:
            self.host = urlsplit(file.read().strip()).netloc
        return self

    def wait_until_running(self):
        until(lambda: self.status()["state"] == "running", 20, "the service answers queries; it says:\n" + self.log())
        return self

    def stop(self):
        """As an operator does; answers the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)

    def get(self, path, method="GET", headers=None):
        connection = http.client.HTTPConnection(self.host, timeout=20)
        connection.request(method, path, headers=headers or {})
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, dict(answer.getheaders()), text

    def status(self):
        return json.loads(self.get("/status.json")[2])

    def log(self):
        with open(os.path.join(self.folder, "service.log"), encoding="utf-8") as file:
            return file.read()


class Asker:
    """Asks for the orders again and again in threads of its own; remembers by whom they were asked of the database, and what went wrong."""

    def __init__(self, service, threads=3):
        self.service, self.users, self.failures, self.count = service, [], [], 0
        self.slowest_s = 0.0
        self._over, self._lock = threading.Event(), threading.Lock()
        self._threads = [threading.Thread(target=self._ask) for _ in range(threads)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _ask(self):
        connection = http.client.HTTPConnection(self.service.host, timeout=20)
        while not self._over.is_set():
            begin = time.monotonic()
            try:
                connection.request("GET", "/orders")
                answer = connection.getresponse()
                self._note(answer.status, json.loads(answer.read()), time.monotonic() - begin)
            except (OSError, http.client.HTTPException) as trouble:
                connection.close()
                with self._lock:
                    self.failures.append(repr(trouble))
            self._over.wait(0.005)

    def _note(self, status, body, took_s):
        with self._lock:
            self.count += 1
            self.slowest_s = max(self.slowest_s, took_s)
            if status != 200 or len(body["orders"]) != 2:
                self.failures.append((status, body))
            elif body["user"] not in self.users:
                self.users.append(body["user"])
