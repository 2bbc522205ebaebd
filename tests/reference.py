"""The reference server in development mode, as somebody else's server."""
import contextlib
import os
import shutil
import subprocess
import sys

import requests

from coffer_server import free_port, until


def program():
    """The reference's binary: of the same packages as these tests, or the one on the path."""
    beside = os.path.join(os.path.dirname(sys.executable), "bao")
    return beside if os.path.exists(beside) else shutil.which("bao")


class Reference:
    """The reference server as somebody else's, for its transit."""

    def __init__(self, folder):
        self.url = f"http://127.0.0.1:{free_port()}"
        words = [program(), "server", "-dev", "-dev-no-store-token", "-dev-root-token-id=root", f"-dev-listen-address={self.url[7:]}"]
        with open(os.path.join(folder, "bao.log"), "ab") as log:
            self.process = subprocess.Popen(words, stdout=log, stderr=log, env={**os.environ, "HOME": str(folder)})
        until(self._listens, 60, "the reference listens")
        self.ask("sys/mounts/transit", type="transit")

    def _listens(self):
        with contextlib.suppress(requests.ConnectionError):
            return requests.get(f"{self.url}/v1/sys/health", timeout=5).status_code == 200

    def ask(self, path, **body):
        answer = requests.post(f"{self.url}/v1/{path}", json=body, headers={"X-Vault-Token": "root"}, timeout=30)
        assert answer.ok, answer.text
        return answer.json().get("data") if answer.content else None

    def stop(self):
        self.process.kill()
        self.process.wait()
