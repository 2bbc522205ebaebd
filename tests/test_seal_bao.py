"""The reference server, opened by our transit engine: nobody's shares, and nothing of ours in it."""
import os
import subprocess

import pytest

from coffer_server import Server, is_reference, until
from reference import program

pytestmark = pytest.mark.skipif(is_reference(), reason="it is our transit that is asked")
POLICY = '\n'.join(f'path "transit/{verb}/autounseal" {{ capabilities = ["update"] }}' for verb in ("encrypt", "decrypt"))


@pytest.fixture
def keeper(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("keeper")).start()
    server.initialise()
    server.unseal()
    server.ok("POST", "sys/mounts/transit", {"type": "transit"})
    server.ok("POST", "transit/keys/autounseal")
    server.ok("PUT", "sys/policies/acl/autounseal", {"policy": POLICY})
    yield server
    server.stop()


class Bao(Server):
    """The reference with a store of its own and our transit as its seal."""

    storage = "raft"

    def __init__(self, folder, keeper):
        made = keeper.ok("POST", "auth/token/create", {"policies": ["autounseal"], "period": "1h", "no_parent": True})
        super().__init__(folder, 'seal "transit" {\n'
                                 f' address = "{keeper.addr}"\n token = "{made["auth"]["client_token"]}"\n'
                                 ' key_name = "autounseal"\n mount_path = "transit/"\n}\n')

    def start(self):
        self.launch()
        until(self._listens, 60, "the reference listens; its log says:\n" + self.log())
        return self

    def launch(self):
        words = [program(), "server", f"-config={self.folder}/server.hcl"]
        with open(os.path.join(self.folder, "server.log"), "ab") as log:
            self.process = subprocess.Popen(words, stdout=log, stderr=log, stdin=subprocess.DEVNULL)


@pytest.fixture
def bao(tmp_path, keeper):
    server = Bao(tmp_path, keeper).start()
    made = server.ok("PUT", "sys/init", {"recovery_shares": 1, "recovery_threshold": 1}, token="")
    server.token, server.recovery = made["root_token"], made["recovery_keys"]
    server.wait_until_active()
    server.ok("PUT", "cubbyhole/a", {"is": "there"})
    yield server
    server.stop()


def test_it_opens_by_itself_after_every_start(keeper, bao):
    for _ in range(2):
        bao.kill()
        bao.start()
        bao.wait_until_active()
        assert bao.ok("GET", "cubbyhole/a")["data"] == {"is": "there"}


def test_a_rotated_key_still_opens_it(keeper, bao):
    keeper.ok("POST", "transit/keys/autounseal/rotate")
    bao.kill()
    bao.start()
    bao.wait_until_active()
    shown = bao.ok("GET", "sys/seal-status", token="")
    assert (shown["type"], shown["sealed"], shown["recovery_seal"]) == ("transit", False, True)


def test_it_does_not_open_while_the_right_is_gone(keeper, bao):
    keeper.ok("PUT", "sys/policies/acl/autounseal", {"policy": 'path "x" { capabilities = ["read"] }'})
    bao.kill()
    bao.launch()
    assert bao.process.wait(60) != 0, "it ends, since its seal can not be asked"
    assert "permission denied" in bao.log()
    keeper.ok("PUT", "sys/policies/acl/autounseal", {"policy": POLICY})
    bao.start()
    bao.wait_until_active()
    assert bao.ok("GET", "cubbyhole/a")["data"] == {"is": "there"}
