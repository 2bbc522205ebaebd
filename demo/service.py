#!/usr/bin/env python3
"""A small service as one would write it: it has no database password. It asks Coffer for a credential, renews it when
70 % of its life is over, takes a new one when renewal no longer helps, and hands it back on a stop signal.

Environment: COFFER_ADDR, COFFER_TOKEN_FILE, PGHOST, PGPORT, PGDATABASE, SERVICE_STATUS (a JSON file it keeps current).
"""
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

ROLE = "database/creds/app-role"
RENEW_AT = 0.7
QUERY_EVERY_S = 2
stopping = threading.Event()


def main():
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    service = Service()
    while not stopping.is_set():
        try:
            service.turn()
        except (OSError, ValueError) as trouble:
            service.failed(trouble)
        stopping.wait(QUERY_EVERY_S)
    service.hand_back()


class Service:
    def __init__(self):
        self.credential = None
        self.status = {"state": "starting", "queries": 0, "renewals": 0, "credentials": 0, "errors": 0, "last_error": None}
        self.token_renewal_due = 0.0

    def turn(self):
        """One round: a good credential, then one query with it."""
        self.keep_token()
        if self.credential is None:
            self.credential = Credential.issue()
            self.status["credentials"] += 1
            say(f"new credential: {self.credential.user}, {self.credential.ttl_s} s")
        elif self.credential.is_due():
            self.renew_or_replace()
        orders = self.credential.query("select sum(cups) from orders")
        self.status.update(state="running", user=self.credential.user, lease_ends_in_s=round(self.credential.left_s()),
                           cups_ordered=int(orders), queries=self.status["queries"] + 1, last_error=None)
        self.write_status()

    def renew_or_replace(self):
        """Near the maximum a renewal gives less than asked: time for another user, before the old one dies."""
        whole = self.credential.ttl_s
        if self.credential.renew() >= whole:
            self.status["renewals"] += 1
            say(f"renewed {self.credential.user} for {self.credential.ttl_s} s")
        else:
            old, self.credential = self.credential, Credential.issue()
            self.status["credentials"] += 1
            say(f"new credential: {self.credential.user}, {self.credential.ttl_s} s")
            old.revoke()

    def keep_token(self):
        if time.monotonic() >= self.token_renewal_due:
            lease_s = call("POST", "auth/token/renew-self", {})["auth"]["lease_duration"]
            self.token_renewal_due = time.monotonic() + lease_s * RENEW_AT

    def failed(self, trouble):
        """Says what is wrong and tries again with a fresh credential."""
        self.credential = None
        self.status.update(state="waiting", errors=self.status["errors"] + 1, last_error=str(trouble))
        say(f"trouble: {trouble}")
        self.write_status()

    def hand_back(self):
        if self.credential:
            try:
                self.credential.revoke()
                say(f"handed back {self.credential.user}")
            except OSError as trouble:
                say(f"could not hand back the credential, it will expire: {trouble}")
        self.status["state"] = "stopped"
        self.write_status()

    def write_status(self):
        path = os.environ["SERVICE_STATUS"]
        with open(path + ".new", "w", encoding="utf-8") as file:
            json.dump(self.status, file)
        os.replace(path + ".new", path)


class Credential:
    @classmethod
    def issue(cls):
        answer = call("GET", ROLE)
        self = cls()
        self.lease = answer["lease_id"]
        self.user, self.password = answer["data"]["username"], answer["data"]["password"]
        self.start(answer["lease_duration"])
        return self

    def start(self, ttl_s):
        self.ttl_s, self.since = ttl_s, time.monotonic()

    def left_s(self):
        return self.since + self.ttl_s - time.monotonic()

    def is_due(self):
        return time.monotonic() >= self.since + self.ttl_s * RENEW_AT

    def renew(self):
        answer = call("POST", "sys/leases/renew", {"lease_id": self.lease, "increment": self.ttl_s})
        self.start(answer["lease_duration"])
        return self.ttl_s

    def revoke(self):
        call("POST", "sys/leases/revoke", {"lease_id": self.lease})

    def query(self, sql):
        command = ["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-U", self.user, "-c", sql]
        done = subprocess.run(command, env={**os.environ, "PGPASSWORD": self.password, "PGCONNECT_TIMEOUT": "5"}, text=True, capture_output=True, check=False)
        if done.returncode != 0:
            raise OSError("PostgreSQL: " + done.stderr.strip())
        return done.stdout.strip()


def call(method, path, body=None):
    with open(os.environ["COFFER_TOKEN_FILE"], encoding="utf-8") as file:
        token = file.read().strip()
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{os.environ['COFFER_ADDR']}/v1/{path}", data, {"X-Vault-Token": token}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            text = answer.read()
    except urllib.error.HTTPError as refusal:
        raise OSError(f"{path}: {refusal.code} {refusal.read().decode('utf-8', 'replace').strip()}") from refusal
    return json.loads(text) if text else None


def say(text):
    print(time.strftime("%H:%M:%S"), text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
