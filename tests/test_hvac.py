"""The whole story through hvac, the Python client, unchanged."""
import hvac
import hvac.exceptions
import pytest

from coffer_server import until
from conftest import APP_POLICY, SHORT_S, database_config, database_role


def test_the_story_through_hvac(fresh, postgres):
    client = hvac.Client(url=fresh.addr)
    assert not client.sys.is_initialized()
    made = client.sys.initialize(secret_shares=5, secret_threshold=3)
    assert client.sys.is_initialized() and client.sys.is_sealed()
    client.sys.submit_unseal_keys(made["keys"][:3])
    fresh.wait_until_active()
    assert not client.sys.is_sealed()
    client.token = made["root_token"]
    assert client.is_authenticated()

    client.sys.enable_secrets_engine("kv", path="secret", options={"version": "2"})
    client.sys.enable_secrets_engine("database", path="database")
    client.sys.create_or_update_policy("app", APP_POLICY)
    versions(client)
    child = client.auth.token.create(policies=["app"], ttl="1h")
    app = hvac.Client(url=fresh.addr, token=child["auth"]["client_token"])
    credentials(client, app, postgres)
    tokens(client)


def versions(client):
    kv = client.secrets.kv.v2
    kv.create_or_update_secret("app/config", secret={"url": "one"})
    kv.create_or_update_secret("app/config", secret={"url": "two"})
    assert kv.read_secret_version("app/config", raise_on_deleted_version=True)["data"]["data"] == {"url": "two"}
    assert kv.read_secret_version("app/config", version=1, raise_on_deleted_version=True)["data"]["data"] == {"url": "one"}
    kv.patch("app/config", secret={"port": 1})
    assert kv.read_secret_version("app/config", raise_on_deleted_version=True)["data"]["data"] == {"url": "two", "port": 1}
    with pytest.raises(hvac.exceptions.InvalidRequest):
        kv.create_or_update_secret("app/config", secret={}, cas=1)
    assert kv.list_secrets("app")["data"]["keys"] == ["config"]
    kv.delete_secret_versions("app/config", versions=[1])
    with pytest.raises(hvac.exceptions.InvalidPath):
        kv.read_secret_version("app/config", version=1, raise_on_deleted_version=True)
    kv.undelete_secret_versions("app/config", versions=[1])
    kv.destroy_secret_versions("app/config", versions=[1])
    metadata = kv.read_secret_metadata("app/config")["data"]
    assert metadata["versions"]["1"]["destroyed"] and metadata["current_version"] == 3
    kv.update_metadata("app/config", max_versions=2, custom_metadata={"owner": "ann"})
    assert kv.read_secret_metadata("app/config")["data"]["custom_metadata"] == {"owner": "ann"}
    with pytest.raises(hvac.exceptions.InvalidPath):
        kv.read_secret_version("app/none", raise_on_deleted_version=True)


def credentials(client, app, postgres):
    config = database_config(postgres)
    client.secrets.database.configure(name="pg", **config)
    role = database_role()
    client.secrets.database.create_role(name="app-role", **role)
    assert client.secrets.database.list_roles()["data"]["keys"] == ["app-role"]
    made = app.secrets.database.generate_credentials("app-role")
    user, password = made["data"]["username"], made["data"]["password"]
    assert postgres.accepts(user, password)
    renewed = app.sys.renew_lease(made["lease_id"], increment=10)
    assert renewed["lease_duration"] in (9, 10)
    app.sys.revoke_lease(made["lease_id"])
    until(lambda: not postgres.accepts(user, password), 5, "the revoked login is refused")
    made = app.secrets.database.generate_credentials("app-role")
    user, password = made["data"]["username"], made["data"]["password"]
    assert client.sys.read_lease(made["lease_id"])["data"]["ttl"] <= SHORT_S
    until(lambda: not postgres.accepts(user, password), SHORT_S + 10, "the login is refused after expiry")
    with pytest.raises(hvac.exceptions.Forbidden):
        app.secrets.database.list_roles()


def tokens(client):
    made = client.auth.token.create(policies=["app"], ttl="5m", meta={"team": "a"}, num_uses=0)
    token, accessor = made["auth"]["client_token"], made["auth"]["accessor"]
    assert client.auth.token.lookup(token)["data"]["meta"] == {"team": "a"}
    assert client.auth.token.lookup_accessor(accessor)["data"]["ttl"] <= 300
    assert client.auth.token.renew(token, increment="10m")["auth"]["lease_duration"] <= 600
    client.auth.token.revoke_accessor(accessor)
    with pytest.raises(hvac.exceptions.Forbidden):
        hvac.Client(url=client.url, token=token).auth.token.lookup_self()
    wrapped = client.sys.wrap({"a": "b"}, ttl=60)
    assert client.sys.unwrap(wrapped["wrap_info"]["token"])["data"] == {"a": "b"}
