"""A server in development mode with a TLS listener beside the plain one; Coffer and the reference start alike."""
import json
import os
import pathlib
import ssl
import subprocess
import time

import requests
import urllib3

from certificates import make
from coffer_server import free_port
from cryptography.x509.oid import ExtendedKeyUsageOID

urllib3.disable_warnings()


class TlsServer:
    """Asked as root over the plain listener (`ok`, `call`), and by clients with certificates over the other (`show`)."""

    def __init__(self, binary, folder, listener=""):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.made = 0
        authority = make("Servers", is_ca=True)
        own = make("localhost", authority, dns=["localhost"], addresses=["127.0.0.1"], usage=[ExtendedKeyUsageOID.SERVER_AUTH])
        certificate, key = own.files(self.folder, "server")
        self.ca = str(self.folder / "ca.pem")
        pathlib.Path(self.ca).write_text(authority.pem)
        self.port, self.tls_port = free_port(), free_port()
        self.addr, self.tls_addr = f"http://127.0.0.1:{self.port}", f"https://127.0.0.1:{self.tls_port}"
        (self.folder / "server.hcl").write_text(
            f'listener "tcp" {{\n  address = "127.0.0.1:{self.tls_port}"\n  tls_cert_file = "{certificate}"\n  tls_key_file = "{key}"\n{listener}}}\n'
            f'api_addr = "{self.tls_addr}"\n')
        self.log = open(self.folder / "server.log", "wb")
        self.process = subprocess.Popen(
            [binary, "server", "-dev", "-dev-root-token-id=root", "-dev-no-store-token", f"-dev-listen-address=127.0.0.1:{self.port}", f"-config={self.folder}/server.hcl"],
            stdout=self.log, stderr=self.log, env={**os.environ, "HOME": str(self.folder)})
        deadline = time.monotonic() + 30
        while not self.answers():
            assert self.process.poll() is None and time.monotonic() < deadline, (self.folder / "server.log").read_text()[-2000:]
            time.sleep(0.05)

    def answers(self):
        try:
            return requests.get(f"{self.addr}/v1/sys/health", timeout=5).status_code == 200
        except OSError:
            return False

    def call(self, method, path, body=None, token="root"):
        answer = requests.request(method, f"{self.addr}/v1/{path}", json=body, headers={"X-Vault-Token": token} if token else {}, timeout=60)
        return answer.status_code, answer.json() if answer.text else None

    def ok(self, method, path, body=None, token="root"):
        status, answer = self.call(method, path, body, token)
        assert 200 <= status < 300, f"{method} {path}: {status} {answer}"
        return answer

    def files(self, made, *chain):
        self.made += 1
        return made.files(self.folder, f"client-{self.made}", *chain)

    def show(self, made, *chain, path="auth/cert/login", body=None, token=None, method="POST"):
        """A request over TLS by a client that shows these certificates; none for none."""
        certificate = self.files(made, *chain) if made else None
        answer = requests.request(method, f"{self.tls_addr}/v1/{path}", json=body or {}, cert=certificate, verify=self.ca, timeout=60,
                                  headers={"X-Vault-Token": token} if token else {})
        return answer.status_code, json.loads(answer.text) if answer.text else None

    def context(self, made, *chain):
        """What any TLS client needs to show these certificates."""
        context = ssl.create_default_context(cafile=self.ca)
        context.load_cert_chain(*self.files(made, *chain))
        return context

    def close(self):
        self.process.kill()
        self.process.wait()
        self.log.close()
