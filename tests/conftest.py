"""Fixtures of the black-box suites: the real binary, a real PostgreSQL."""
import os
import shutil
import sys
import tempfile

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from coffer_server import Server  # noqa: E402
from postgres import ADMIN, Postgres  # noqa: E402

CREATE = ["CREATE ROLE \"{{name}}\" WITH LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}'",
          "GRANT SELECT ON ALL TABLES IN SCHEMA public TO \"{{name}}\""]
RENEW = ["ALTER ROLE \"{{name}}\" VALID UNTIL '{{expiration}}'"]
# Leases short enough to see them die within a test.
SHORT_S, SHORT_MAX_S = 4, 30

APP_POLICY = """
path "secret/data/app/*" { capabilities = ["read"] }
path "database/creds/app-role" { capabilities = ["read"] }
path "sys/leases/renew" { capabilities = ["update"] }
path "sys/leases/revoke" { capabilities = ["update"] }
path "sys/leases/revoke/*" { capabilities = ["update"] }
"""


@pytest.fixture
def folder():
    """A directory that PostgreSQL's own user may enter, which pytest's are not."""
    path = tempfile.mkdtemp(prefix="coffer-test-")
    os.chmod(path, 0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres():
    """A PostgreSQL for the whole run, with one table to ask."""
    path = tempfile.mkdtemp(prefix="coffer-test-pg-")
    os.chmod(path, 0o755)
    cluster = Postgres(os.path.join(path, "pg"))
    try:
        cluster.start()
        cluster.admin("create table orders (id int primary key, item text); insert into orders values (1, 'coffee'), (2, 'tea')")
        yield cluster
    finally:
        cluster.remove()
        shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def fresh(folder):
    """A started server that nobody has initialised."""
    server = Server(folder).start()
    yield server
    server.kill()


@pytest.fixture
def server(fresh):
    """An unsealed server; `server.token` is the root token."""
    fresh.initialise()
    return fresh.unseal()


@pytest.fixture
def story(server, postgres):
    """KV v2 at secret/, the database engine at database/ with short roles, and an application's token."""
    server.ok("POST", "sys/mounts/secret", {"type": "kv", "options": {"version": "2"}})
    server.ok("POST", "sys/mounts/database", {"type": "database"})
    server.ok("POST", "database/config/pg", database_config(postgres))
    server.ok("POST", "database/roles/app-role", database_role())
    server.ok("PUT", "sys/policies/acl/app", {"policy": APP_POLICY})
    made = server.ok("POST", "auth/token/create", {"policies": ["app"], "ttl": "1h"})
    server.app_token = made["auth"]["client_token"]
    return server


def database_config(postgres, roles="*"):
    return {"plugin_name": "postgresql-database-plugin", "connection_url": postgres.connection_url,
            "allowed_roles": roles, "username": ADMIN, "password": postgres.password}


def database_role(**changes):
    return {"db_name": "pg", "creation_statements": CREATE, "renew_statements": RENEW,
            "default_ttl": f"{SHORT_S}s", "max_ttl": f"{SHORT_MAX_S}s", **changes}
