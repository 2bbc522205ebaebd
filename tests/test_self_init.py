"""A server that its configuration sets up, and four eyes, with the real binary."""
import os
import subprocess

import pytest

from coffer_server import Server, binary, is_reference

pytestmark = pytest.mark.skipif(is_reference(), reason="the reference needs a seal that opens by itself for it")

DECLARED = """
initialize "access" {
  request "policy" {
    operation = "update"
    path = "sys/policies/acl/admin"
    data = { policy = { eval_source = "file" eval_type = "string" path = "%(folder)s/admin.hcl" } }
  }
  request "token" {
    operation = "update"
    path = "auth/token/create"
    data = {
      id = { eval_source = "env" eval_type = "string" env_var = "FIRST_TOKEN" require_present = true }
      policies = ["admin"]
      no_parent = true
    }
  }
}
initialize "secrets" {
  request "kv" { operation = "update" path = "sys/mounts/kv" data = { type = "kv" } }
  request "first" { operation = "update" path = "kv/first" data = { is = "there" } }
}
"""
ADMIN = 'path "kv/*" { capabilities = ["read", "list"] } path "auth/token/lookup-self" { capabilities = ["read"] }'


def made(folder, monkeypatch, text=DECLARED, token="the-first-token"):
    with open(os.path.join(folder, "admin.hcl"), "w", encoding="utf-8") as file:
        file.write(ADMIN)
    monkeypatch.setenv("FIRST_TOKEN", token)
    return Server(folder, text % {"folder": folder})


def test_what_is_declared_is_there_and_stays(folder, monkeypatch):
    server = made(folder, monkeypatch).start()
    try:
        assert server.initialise()["root_token"] == ""
        server.unseal()
        server.token = "the-first-token"
        assert server.ok("GET", "kv/first")["data"] == {"is": "there"}
        assert server.call("GET", "sys/mounts").status == 403
        monkeypatch.delenv("FIRST_TOKEN")
        server.kill()
        server.start()
        server.unseal()
        assert server.ok("GET", "kv/first")["data"] == {"is": "there"}
    finally:
        server.kill()


def test_a_failure_is_named_and_can_be_repeated(folder, monkeypatch):
    server = made(folder, monkeypatch, DECLARED.replace('type = "kv"', 'type = "kw"')).start()
    try:
        for _ in range(2):
            refused = server.call("PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1}, token="")
            assert refused.status == 400, refused
            text = refused["errors"][0]
            assert 'initialize "secrets", request "kv"' in text and "server.hcl:" in text
            assert server.call("GET", "sys/init", token="")["initialized"] is False
        assert "could not initialise itself" in server.log()
        server.kill()
        server = made(folder, monkeypatch).start()
        server.initialise()
        server.unseal()
        assert server.ok("GET", "kv/first", token="the-first-token")["data"] == {"is": "there"}
    finally:
        server.kill()


def test_what_can_be_seen_before_keeps_it_from_starting(folder, monkeypatch):
    server = made(folder, monkeypatch, DECLARED.replace('operation = "update" path = "kv/first"', 'operation = "brew" path = "kv/first"'))
    done = subprocess.run([binary(), "server", f"-config={folder}/server.hcl"], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode != 0
    assert "server.hcl:" in done.stderr + done.stdout and "brew" in done.stderr + done.stdout
    assert server.process is None
