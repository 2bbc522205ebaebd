"""Identity through hvac, the Python client, unchanged."""
import hvac
import hvac.exceptions
import pytest

POLICY = """
path "secret/data/{{identity.entity.name}}/*" { capabilities = ["create", "read", "update"] }
path "secret/data/teams/{{identity.entity.metadata.team}}" { capabilities = ["read"] }
"""


@pytest.fixture
def root(fresh):
    client = hvac.Client(url=fresh.addr)
    made = client.sys.initialize(secret_shares=1, secret_threshold=1)
    client.sys.submit_unseal_key(made["keys"][0])
    fresh.wait_until_active()
    client.token = made["root_token"]
    client.sys.enable_secrets_engine("kv", path="secret", options={"version": "2"})
    return client


@pytest.fixture
def accessor(root):
    return root.sys.list_auth_methods()["data"]["token/"]["accessor"]


def test_entities(root, accessor):
    identity = root.secrets.identity
    made = identity.create_or_update_entity(name="Bob", policies=["reader"], metadata={"team": "red"})["data"]
    assert identity.read_entity(made["id"])["data"]["policies"] == ["reader"]
    assert identity.read_entity_by_name("bob")["data"]["id"] == made["id"]
    identity.update_entity(entity_id=made["id"], name="bob2", disabled=True)
    assert identity.read_entity_by_name("bob2")["data"]["disabled"]
    identity.create_or_update_entity_by_name(name="ann", policies=["writer"])
    assert identity.list_entities_by_name()["data"]["keys"] == ["ann", "bob2"]
    assert made["id"] in identity.list_entities()["data"]["keys"]

    alias = identity.create_or_update_entity_alias(name="bob", canonical_id=made["id"], mount_accessor=accessor)["data"]
    assert identity.read_entity_alias(alias["id"])["data"]["canonical_id"] == made["id"]
    assert identity.lookup_entity(alias_name="BOB", alias_mount_accessor=accessor)["data"]["id"] == made["id"]
    assert identity.list_entity_aliases()["data"]["keys"] == [alias["id"]]
    identity.update_entity_alias(alias["id"], name="bobby", canonical_id=made["id"], mount_accessor=accessor)

    ann = identity.read_entity_by_name("ann")["data"]["id"]
    identity.merge_entities(from_entity_ids=[made["id"]], to_entity_id=ann)
    assert identity.read_entity(ann)["data"]["merged_entity_ids"] == [made["id"]]
    assert identity.lookup_entity(alias_id=alias["id"])["data"]["id"] == ann
    with pytest.raises(hvac.exceptions.InvalidPath):
        identity.read_entity(made["id"])
    identity.delete_entity_alias(alias["id"])
    identity.delete_entity_by_name("ann")
    with pytest.raises(hvac.exceptions.InvalidPath):
        identity.list_entities()


def test_groups(root, accessor):
    identity = root.secrets.identity
    bob = identity.create_or_update_entity(name="bob")["data"]["id"]
    ops = identity.create_or_update_group(name="Ops", policies=["p"], member_entity_ids=[bob])["data"]["id"]
    top = identity.create_or_update_group_by_name(name="top", member_group_ids=[ops])["data"]["id"]
    assert identity.read_group(ops)["data"]["parent_group_ids"] == [top]
    assert identity.read_group_by_name("ops")["data"]["member_entity_ids"] == [bob]
    assert identity.read_entity(bob)["data"]["group_ids"] == [ops, top]
    with pytest.raises(hvac.exceptions.InvalidRequest, match="cyclic"):
        identity.update_group(group_id=ops, name="Ops", member_group_ids=[top])
    assert sorted(identity.list_groups()["data"]["keys"]) == sorted([ops, top])
    assert identity.list_groups_by_name()["data"]["keys"] == ["Ops", "top"]

    outside = identity.create_or_update_group(name="outside", group_type="external")["data"]["id"]
    alias = identity.create_or_update_group_alias(name="theirs", canonical_id=outside, mount_accessor=accessor)["data"]["id"]
    assert identity.read_group_alias(alias)["data"]["canonical_id"] == outside
    assert identity.lookup_group(alias_name="theirs", alias_mount_accessor=accessor)["data"]["id"] == outside
    assert identity.list_group_aliases()["data"]["keys"] == [alias]
    identity.delete_group_alias(alias)
    identity.delete_group(ops)
    identity.delete_group_by_name("top")
    assert identity.read_entity(bob)["data"]["group_ids"] == []


def test_a_token_speaks_for_its_entity(root, fresh):
    identity = root.secrets.identity
    root.sys.create_or_update_policy("people", POLICY)
    root.auth.token.create_or_update_role("web", allowed_entity_aliases="web-*", allowed_policies="default")
    made = root.write_data("auth/token/create/web", data={"entity_alias": "web-1"})["auth"]
    web = hvac.Client(url=fresh.addr, token=made["client_token"])
    identity.update_entity(entity_id=made["entity_id"], name="web", policies=["people"], metadata={"team": "red"})
    seen = web.auth.token.lookup_self()["data"]
    assert (seen["entity_id"], seen["policies"], seen["identity_policies"]) == (made["entity_id"], ["default"], ["people"])

    kv = web.secrets.kv.v2
    kv.create_or_update_secret("web/own", secret={"a": "b"})
    assert kv.read_secret_version("web/own", raise_on_deleted_version=True)["data"]["data"] == {"a": "b"}
    with pytest.raises(hvac.exceptions.Forbidden):
        kv.read_secret_version("other/own", raise_on_deleted_version=True)
    root.secrets.kv.v2.create_or_update_secret("teams/red", secret={"team": "red"})
    assert kv.read_secret_version("teams/red", raise_on_deleted_version=True)["data"]["data"] == {"team": "red"}
    assert web.sys.get_capabilities("secret/data/teams/red")["data"]["capabilities"] == ["read"]

    identity.update_entity(entity_id=made["entity_id"], metadata={"team": "blue"})
    with pytest.raises(hvac.exceptions.Forbidden):
        kv.read_secret_version("teams/red", raise_on_deleted_version=True)
    identity.update_entity(entity_id=made["entity_id"], disabled=True)
    with pytest.raises(hvac.exceptions.Forbidden):
        web.auth.token.lookup_self()
    identity.update_entity(entity_id=made["entity_id"], disabled=False)
    assert web.auth.token.renew_self()["auth"]["identity_policies"] == ["people"]
    identity.delete_entity(made["entity_id"])
    with pytest.raises(hvac.exceptions.Forbidden):
        web.auth.token.lookup_self()
