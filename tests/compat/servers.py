"""The servers that are compared: each on a free port, in a folder of its own."""
import base64
import http.client
import os
import socket
import subprocess
import sys
import time

# With all that is off by default and can be compared.
DEV = """
unsafe_allow_api_audit_creation = true
raw_storage_endpoint = true
introspection_endpoint = true
"""
# Every server of this kind takes raft storage, and with one node it needs no peer.
SEALED = """
raw_storage_endpoint = true
introspection_endpoint = true
storage "raft" {{
  path = "{data}"
  node_id = "one"
  performance_multiplier = 1
}}
listener "tcp" {{
  address = "127.0.0.1:{port}"
  tls_disable = true
  disable_unauthed_rekey_endpoints = false
  disable_unauthed_generate_root_endpoints = false
}}
api_addr = "http://127.0.0.1:{port}"
cluster_addr = "http://127.0.0.1:{cluster}"
"""
# A key beside the configuration: the server opens by itself.
AUTO = """
seal "static" {{
  current_key_id = "one"
  current_key = "{key}"
}}
"""


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
        port, config = free_port(), os.path.join(folder, "dev.hcl")
        write(config, DEV)
        return cls([binary, "server", "-dev", "-dev-root-token-id=root", "-dev-no-store-token",
                    f"-dev-listen-address=127.0.0.1:{port}", f"-config={config}"], port, folder)

    @classmethod
    def sealed(cls, binary, folder, opens_itself=False):
        port, config, data = free_port(), os.path.join(folder, "server.hcl"), os.path.join(folder, "data")
        os.makedirs(data)
        text = SEALED.format(data=data, port=port, cluster=free_port())
        if opens_itself:
            text += AUTO.format(key=base64.b64encode(os.urandom(32)).decode())
        write(config, text)
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
        self.log.close()


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
