#!/usr/bin/env python3
"""What the parts around a request cost: namespaces at unseal, quotas, metrics, deletion of a role, snapshots.

    benches/system.py --server target/release/coffer --peer bao [--only namespaces,quotas,metrics,deletion,snapshot]

Side by side in one run, on servers of its own with durable storage; CPU is the server process's, from /proc. The client is
slow and the same for both, so look at CPU for each request, not at the time.
"""
import argparse
import http.client
import json
import os
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "compat"))

from servers import Server  # noqa: E402

THREADS = 8
TICKS = os.sysconf("SC_CLK_TCK")


class Side:
    """One server, initialised and open."""

    def __init__(self, binary, folder):
        self.binary, self.folder, self.is_peer = binary, folder, os.path.basename(binary) in ("bao", "vault")
        os.makedirs(folder)
        self.server = Server.sealed(binary, folder)
        made = self.ask("PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1})
        self.key, self.token = made["keys"][0], made["root_token"]
        self.unseal()

    def unseal(self):
        self.ask("PUT", "sys/unseal", {"key": self.key})
        while self.status("GET", "sys/health") != 200:
            time.sleep(0.01)

    def status(self, method, path, body=None, token=None, connection=None):
        return self.send(method, path, body, token, connection)[0]

    def ask(self, method, path, body=None, token=None):
        status, text = self.send(method, path, body, token)
        assert status < 300, f"{method} {path}: {status} {text[:300]}"
        return json.loads(text) if text else None

    def send(self, method, path, body=None, token=None, connection=None):
        connection = connection or http.client.HTTPConnection(self.server.addr[7:], timeout=600)
        headers = {"X-Vault-Token": token if token is not None else getattr(self, "token", "")}
        connection.request(method, f"/v1/{path}", None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        return answer.status, answer.read()

    def cpu(self):
        with open(f"/proc/{self.server.process.pid}/stat", encoding="ascii") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def memory(self):
        with open(f"/proc/{self.server.process.pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) / 1024

    def many(self, count, request):
        """Sends `request(n)` for each n over some connections; CPU of the server in µs for each."""
        failed, before = [], self.cpu()

        def work(first):
            connection = http.client.HTTPConnection(self.server.addr[7:], timeout=600)
            for n in range(first, count, THREADS):
                method, path, *more = request(n)
                status = self.status(method, path, *more, connection=connection)
                if status >= 300 and status != 404:
                    failed.append((method, path, status))

        threads = [threading.Thread(target=work, args=(first,)) for first in range(THREADS)]
        began = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not failed, f"{len(failed)} failed, such as {failed[0]}"
        self.seconds = time.monotonic() - began
        return (self.cpu() - before) / count * 1e6

    def reopened(self):
        """Starts it anew over the same storage: seconds from its first word to its first answer with a token."""
        self.server.process.kill()
        self.server.process.wait()
        self.server = Server([self.binary, "server", f"-config={self.folder}/server.hcl"], int(self.server.addr.rsplit(":", 1)[1]), self.folder)
        began = time.monotonic()
        self.unseal()
        self.ask("GET", "auth/token/lookup-self")
        return time.monotonic() - began


def namespaces(side, count):
    if side.is_peer:
        count = min(count, 2_000)
    empty = side.reopened()
    memory = side.memory()
    cpu = side.many(count, lambda n: ("POST", f"sys/namespaces/n{n}", {}))
    rate, full = count / side.seconds, side.reopened()
    row(side, f"namespaces made: {count}", f"{cpu:.0f} µs CPU each, {rate:.0f}/s")
    row(side, "unsealed and answering with none", f"{empty * 1e3:.0f} ms, {memory:.0f} MiB")
    row(side, f"unsealed and answering with {count}", f"{full * 1e3:.0f} ms, {side.memory():.0f} MiB")


def quotas(side, reads):
    side.ask("POST", "sys/mounts/q", {"type": "kv"})
    side.ask("POST", "q/a", {"x": "y"})
    read = lambda _: ("GET", "q/a")  # noqa: E731
    side.many(reads // 4, read)
    for rules in (0, 1, 100):
        for n in range(rules):
            path = "q" if n == 0 else f"q/nosuch{n}"
            side.ask("POST", f"sys/quotas/rate-limit/r{n}", {"rate": 1e6, "path": path})
        row(side, f"a read under {rules} rate limits", f"{side.many(reads, read):.1f} µs CPU")


def metrics(side, _):
    row(side, "one read of sys/metrics", f"{side.many(200, lambda n: ('GET', 'sys/metrics')):.0f} µs CPU")


def deletion(side, count):
    """A role with many secret ids goes away; what the slowest login of another role took until all of it was removed."""
    side.ask("POST", "sys/auth/approle", {"type": "approle"})
    ids = {}
    for name in ("large", "small"):
        side.ask("POST", f"auth/approle/role/{name}", {"token_type": "batch", "token_ttl": "1h"})
        role = side.ask("GET", f"auth/approle/role/{name}/role-id")["data"]["role_id"]
        ids[name] = {"role_id": role, "secret_id": side.ask("POST", f"auth/approle/role/{name}/secret-id", {})["data"]["secret_id"]}
    cpu = side.many(count, lambda n: ("POST", "auth/approle/role/large/secret-id", {}))
    row(side, f"secret ids made: {count}", f"{cpu:.0f} µs CPU each")
    # The background work of both servers comes within the minute.
    stop, slowest, done = time.monotonic() + 75, [0.0], []

    def log_in():
        connection = http.client.HTTPConnection(side.server.addr[7:], timeout=600)
        while time.monotonic() < stop:
            began = time.monotonic()
            assert side.status("POST", "auth/approle/login", ids["small"], "", connection) == 200
            slowest[0] = max(slowest[0], time.monotonic() - began)
            done.append(1)
            time.sleep(0.002)

    thread = threading.Thread(target=log_in)
    thread.start()
    began = time.monotonic()
    side.ask("DELETE", "auth/approle/role/large")
    took = time.monotonic() - began
    assert side.status("POST", "auth/approle/login", ids["large"], "") == 400
    thread.join()
    row(side, f"deleting a role with {count} secret ids", f"{took * 1e3:.0f} ms; of {len(done)} logins meanwhile the slowest {slowest[0] * 1e3:.0f} ms")


def snapshot(side, count):
    side.ask("POST", "sys/mounts/s", {"type": "kv"})
    side.many(count, lambda n: ("POST", f"s/k{n}", {"x": "y" * 1000}))
    before, began = side.cpu(), time.monotonic()
    status, saved = side.send("GET", "sys/storage/raft/snapshot")
    assert status == 200, status
    seconds = time.monotonic() - began
    row(side, f"a snapshot with {count} secrets of 1 kB", f"{seconds:.2f} s, {side.cpu() - before:.2f} s CPU, {len(saved) / 1e6:.0f} MB")


def row(side, what, figure):
    print(f"| {what} | {'OpenBao' if side.is_peer else 'Coffer'} | {figure} |", flush=True)


PARTS = {"namespaces": (namespaces, 100_000), "quotas": (quotas, 20_000), "metrics": (metrics, 0), "deletion": (deletion, 25_000), "snapshot": (snapshot, 20_000)}


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--server", default="target/release/coffer", help="binary under test")
    options.add_argument("--peer", default="bao", help="binary to compare with; none leaves it out")
    options.add_argument("--only", default=",".join(PARTS), help="comma list of parts")
    options.add_argument("--scale", type=float, default=1.0, help="multiplies every count")
    options = options.parse_args()
    print("| what | server | figure |\n|---|---|---|")
    for part in options.only.split(","):
        measure, count = PARTS[part]
        for binary in (options.server, options.peer):
            if binary == "none":
                continue
            with tempfile.TemporaryDirectory(prefix="coffer-bench-") as folder:
                side = Side(binary, os.path.join(folder, "one"))
                try:
                    measure(side, int(count * options.scale))
                finally:
                    side.server.process.kill()
                    side.server.process.wait()


if __name__ == "__main__":
    main()
