"""The real binary, opened by each keeper there is."""
import os
import subprocess

import pytest
import requests

from coffer_server import Server, binary, is_reference, until

pytest.importorskip("moto")

from aws import Moto  # noqa: E402
from key_services import AwsKms, AzureVault, GoogleKms, SoftHsm  # noqa: E402
from reference import Reference  # noqa: E402

pytestmark = pytest.mark.skipif(is_reference(), reason="the reference has these keepers as plugins")


class MotoKms:
    """AWS KMS as moto has it."""

    def __init__(self, folder):
        self.moto = Moto(folder)
        self.key = self.moto.client("kms").create_key()["KeyMetadata"]["Arn"]

    def stanza(self):
        return f'seal "awskms" {{\n kms_key_id = "{self.key}"\n endpoint = "{self.moto.url}"\n}}\n'

    def environment(self):
        return {"AWS_ACCESS_KEY_ID": "AKSEAL", "AWS_SECRET_ACCESS_KEY": "secret"}

    def stop(self):
        self.moto.stop()


class Transit(Reference):
    """The transit engine of the reference server."""

    policy = '\n'.join(f'path "transit/{verb}/coffer" {{ capabilities = ["update"] }}' for verb in ("encrypt", "decrypt"))

    def __init__(self, folder):
        super().__init__(folder)
        self.ask("transit/keys/coffer")
        self.ask("sys/policies/acl/seal", policy=self.policy)
        wish = {"policies": ["seal"], "period": "1h", "no_parent": True}
        made = requests.post(f"{self.url}/v1/auth/token/create", json=wish, headers={"X-Vault-Token": "root"}, timeout=30)
        self.token = made.json()["auth"]["client_token"]

    def stanza(self):
        return 'seal "transit" {\n key_name = "coffer"\n mount_path = "transit/"\n}\n'

    def environment(self):
        return {"VAULT_ADDR": self.url, "VAULT_TOKEN": self.token}

    def refuse(self):
        self.ask("sys/policies/acl/seal", policy='path "x" { capabilities = ["read"] }')
        return "may not decrypt by this key"

    def mend(self):
        self.ask("sys/policies/acl/seal", policy=self.policy)


class Own:
    """Another server of ours, with an engine at a path of the same name."""

    def __init__(self, folder, engine):
        self.server = Server(folder).start()
        self.server.initialise()
        self.server.unseal()
        self.server.ok("POST", f"sys/mounts/{engine}", {"type": engine})

    def policy(self, text):
        self.server.ok("PUT", "sys/policies/acl/seal", {"policy": text})

    def mend(self):
        self.policy(self.allowed)

    def stop(self):
        self.server.stop()


class OwnTransit(Own):
    """Our own transit engine."""

    allowed = Transit.policy

    def __init__(self, folder):
        super().__init__(folder, "transit")
        self.server.ok("POST", "transit/keys/coffer")
        self.mend()
        made = self.server.ok("POST", "auth/token/create", {"policies": ["seal"], "period": "1h", "no_parent": True})
        self.token = made["auth"]["client_token"]

    def stanza(self):
        return 'seal "transit" {\n key_name = "coffer"\n mount_path = "transit/"\n}\n'

    def environment(self):
        return {"VAULT_ADDR": self.server.addr, "VAULT_TOKEN": self.token}

    def refuse(self):
        self.policy('path "x" { capabilities = ["read"] }')
        return "may not decrypt by this key"


class OwnKms(Own):
    """Our own master keys, by the protocol of AWS."""

    allowed = 'path "kms/*" { capabilities = ["read", "update"] }'

    def __init__(self, folder):
        super().__init__(folder, "kms")
        self.key = self.server.ok("POST", "kms/keys", {})["data"]["key_id"]
        self.mend()
        self.access = self.server.ok("POST", "auth/token/access-keys", {"policies": ["seal"], "ttl": "1h"})["data"]

    def stanza(self):
        return f'seal "awskms" {{\n kms_key_id = "{self.key}"\n endpoint = "{self.server.addr}/v1/kms/aws"\n}}\n'

    def environment(self):
        return {"AWS_ACCESS_KEY_ID": self.access["access_key_id"], "AWS_SECRET_ACCESS_KEY": self.access["secret_access_key"]}

    def refuse(self):
        self.server.ok("POST", f"kms/keys/{self.key}/disable")
        return "DisabledException"

    def mend(self):
        super().mend()
        self.server.ok("POST", f"kms/keys/{self.key}/enable")


KEEPERS = {
    "awskms": lambda folder: AwsKms(),
    "awskms-moto": MotoKms,
    "awskms-own": OwnKms,
    "azurekeyvault": lambda folder: AzureVault(),
    "gcpckms": lambda folder: GoogleKms(),
    "pkcs11": SoftHsm,
    "transit": Transit,
    "transit-own": OwnTransit,
}


@pytest.fixture(params=sorted(KEEPERS))
def keeper(request, tmp_path_factory, monkeypatch):
    keeper = KEEPERS[request.param](tmp_path_factory.mktemp("keeper"))
    for name in list(os.environ):
        if name.startswith(("AWS_", "AZURE_", "GOOGLE_", "VAULT_", "BAO_")):
            monkeypatch.delenv(name)
    for name, value in keeper.environment().items():
        monkeypatch.setenv(name, value)
    yield keeper
    keeper.stop()


def initialised(folder, keeper):
    server = Server(folder, keeper.stanza()).start()
    answer = server.call("PUT", "sys/init", {"recovery_shares": 1, "recovery_threshold": 1}, token="")
    assert answer.status == 200, (answer, server.log())
    server.token = answer["root_token"]
    server.wait_until_active()
    server.ok("PUT", "cubbyhole/a", {"is": "there"})
    return server


def test_a_server_opens_by_its_keeper_and_waits_for_one_that_refuses(folder, keeper):
    server = initialised(folder, keeper)
    try:
        server.kill()
        server.start()
        server.wait_until_active()
        assert server.ok("GET", "cubbyhole/a")["data"] == {"is": "there"}
        if not hasattr(keeper, "refuse"):
            return
        server.kill()
        word = keeper.refuse()
        server.start()
        until(lambda: word in server.log(), 60, f"the log says {word!r}")
        assert server.call("GET", "sys/health", token="").status == 503
        assert "hunter2" not in server.log()
        keeper.mend()
        server.wait_until_active()
        assert server.ok("GET", "cubbyhole/a")["data"] == {"is": "there"}
    finally:
        server.stop()


def test_diagnose_asks_the_keeper(folder, keeper):
    def diagnosed():
        done = subprocess.run([binary(), "operator", "diagnose", f"-config={folder}/server.hcl"], capture_output=True, text=True, timeout=120)
        return done.stdout + done.stderr
    Server(folder, keeper.stanza())
    kind = keeper.stanza().split('"')[1]
    assert f"[ ok ] Seal {kind}" in diagnosed()
    if hasattr(keeper, "refuse"):
        keeper.refuse()
        told = diagnosed()
        assert f"Seal {kind}" in told and f"[ ok ] Seal {kind}" not in told and "hunter2" not in told, told


def test_a_token_and_a_pin_are_in_no_log_and_no_answer(folder, keeper):
    server = initialised(folder, keeper)
    try:
        said = [server.log(), repr(server.ok("GET", "sys/config/state/sanitized")), repr(server.call("GET", "sys/seal-backend-status"))]
        for name, value in keeper.environment().items():
            if any(word in name for word in ("SECRET", "TOKEN", "PIN", "CREDENTIALS")):
                assert not any(value in text for text in said), name
    finally:
        server.stop()
