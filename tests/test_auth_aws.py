"""Logins by signed requests of AWS: boto3, hvac and our command line as clients; moto, and an STS that verifies signatures, as AWS."""
import base64
import json
import os
import shutil
import socket
import subprocess
import time

import hvac
import hvac.exceptions
import pytest

from coffer_server import Server, binary, is_reference

boto3 = pytest.importorskip("boto3")
pytest.importorskip("moto")

from aws import ACCOUNT, ADMIN, BODY, OTHER_ACCOUNT, Credentials, Host, Moto, Sts, encoded, identity, signed, with_headers  # noqa: E402

pytestmark = pytest.mark.skipif(is_reference(), reason="the reference has no such method")
SERVER_ID = "vault.example.com"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    moto = Moto(tmp_path_factory.mktemp("moto"))
    yield moto
    moto.stop()


@pytest.fixture
def sts():
    host = Sts()
    yield host
    host.stop()


@pytest.fixture
def root(server):
    client = hvac.Client(url=server.addr, token=server.token)
    client.sys.enable_auth_method("aws")
    return client


@pytest.fixture
def moto(root, cloud):
    """moto as the AWS of this server."""
    cloud.reset()
    root.auth.aws.configure(access_key=ADMIN.access_key, secret_key=ADMIN.secret_key, endpoint=cloud.url, iam_endpoint=cloud.url,
                            sts_endpoint=cloud.url)
    return cloud


def login(server, role, request, path="aws"):
    return server.call("POST", f"auth/{path}/login", {"role": role, **request}, token="")


def accepted(server, role, request):
    answer = login(server, role, request)
    assert answer.status == 200, answer
    return answer["auth"]


def refused(server, role, request, text="does not belong to the role"):
    answer = login(server, role, request)
    assert answer.status == 400 and text in answer["errors"][0], answer


def test_a_user_through_hvac(root, server, moto):
    user, key = moto.user("ann", "/team/")
    aws = root.auth.aws
    aws.create_role("Dev", auth_type="iam", bound_iam_principal_arn=[user["Arn"]], policies=["app"], ttl="1h", max_ttl="2h")
    assert aws.list_roles()["keys"] == ["dev"]
    role = aws.read_role("dev")
    assert role["bound_iam_principal_id"] == [user["UserId"]] and role["resolve_aws_unique_ids"] and role["auth_type"] == "iam"
    assert role["policies"] == role["token_policies"] == ["app"] and role["bound_ami_id"] == []
    client = hvac.Client(url=server.addr)
    auth = client.auth.aws.iam_login(key.access_key, key.secret_key, role="dev")["auth"]
    assert auth["policies"] == ["app", "default"] and auth["lease_duration"] == 3600
    assert auth["metadata"] == {"account_id": ACCOUNT, "auth_type": "iam", "role_id": role["role_id"]}
    assert client.is_authenticated()
    assert client.auth.token.lookup_self()["data"]["display_name"] == "aws-ann"
    client.auth.token.renew_self()
    # The role that is called like the user needs no name.
    aws.create_role("ann", auth_type="iam", bound_iam_principal_arn=[user["Arn"]])
    assert client.auth.aws.iam_login(key.access_key, key.secret_key)["auth"]["client_token"]
    _, eve = moto.user("eve")
    for name, who in (("dev", eve), ("nosuch", key), ("nosuch", eve)):
        with pytest.raises(hvac.exceptions.InvalidRequest, match="does not belong to the role, or there is no such role"):
            hvac.Client(url=server.addr).auth.aws.iam_login(who.access_key, who.secret_key, role=name)
    config = aws.read_config()
    assert config["access_key"] == ADMIN.access_key and "secret_key" not in config and config["max_retries"] == -1
    aws.delete_role("ann")
    with pytest.raises(hvac.exceptions.VaultError):
        client.auth.token.renew_self()


def test_somebody_else_of_the_same_name_is_not_meant(root, server, moto):
    role = moto.role("app")
    root.auth.aws.create_role("dev", auth_type="iam", bound_iam_principal_arn=[role["Arn"]])
    first = moto.assume(role["Arn"])
    token = accepted(server, "dev", signed(first))["client_token"]
    iam = moto.client("iam")
    iam.delete_role(RoleName="app")
    again = moto.role("app")
    assert again["RoleId"] != role["RoleId"]
    refused(server, "dev", signed(moto.assume(again["Arn"])))
    # In another account there is a role of this name, too.
    there = moto.assume(f"arn:aws:iam::{OTHER_ACCOUNT}:role/admin")
    moto.role("app", credentials=there)
    refused(server, "dev", signed(moto.assume(f"arn:aws:iam::{OTHER_ACCOUNT}:role/app")))
    # An operator who binds the name again means the new one, and the old one no more.
    root.auth.aws.create_role("dev", auth_type="iam", bound_iam_principal_arn=[role["Arn"]])
    accepted(server, "dev", signed(moto.assume(again["Arn"])))
    assert server.call("POST", "auth/token/renew-self", {}, token=token).status == 400


def test_names_that_begin_alike(root, server, moto):
    app, evil = moto.role("app", "/team/"), moto.role("app-x", "/evil/")
    for name, bound in (("team", "role/team/*"), ("app", "role/app*"), ("roles", "role/*"), ("all", "*"), ("users", "user/*")):
        root.auth.aws.create_role(name, auth_type="iam", bound_iam_principal_arn=[f"arn:aws:iam::{ACCOUNT}:{bound}"])
    session, other = moto.assume(app["Arn"]), moto.assume(evil["Arn"])
    for name, fine, fine_other in (("team", True, False), ("app", False, False), ("roles", True, True), ("all", True, True), ("users", False, False)):
        for key, expected in ((session, fine), (other, fine_other)):
            (accepted if expected else refused)(server, name, signed(key))
    _, key = moto.user("ann", "/team/")
    accepted(server, "users", signed(key))
    # A role of another account that is called like one of ours.
    moto.role("app", "/team/", moto.assume(f"arn:aws:iam::{OTHER_ACCOUNT}:role/admin"))
    foreign = moto.assume(f"arn:aws:iam::{OTHER_ACCOUNT}:role/team/app")
    for name in ("team", "roles", "all"):
        refused(server, name, signed(foreign))


def test_names_alone(root, server, moto):
    role = moto.role("app", "/team/")
    arn = f"arn:aws:iam::{ACCOUNT}:role/app"
    answer = server.call("POST", "auth/aws/role/dev", {"bound_iam_principal_arn": role["Arn"], "resolve_aws_unique_ids": False})
    assert answer.status == 400 and arn in answer["errors"][0]
    root.auth.aws.create_role("dev", auth_type="iam", bound_iam_principal_arn=[arn], resolve_aws_unique_ids=False)
    accepted(server, "dev", signed(moto.assume(role["Arn"])))
    answer = server.call("POST", "auth/aws/role/dev", {"resolve_aws_unique_ids": True})
    assert answer.status == 400 and "unable to resolve ARN" in answer["errors"][0], "the name has a path that is not said"
    server.ok("POST", "auth/aws/role/dev", {"bound_iam_principal_arn": role["Arn"], "resolve_aws_unique_ids": True})
    assert server.call("POST", "auth/aws/role/dev", {"resolve_aws_unique_ids": False}).status == 400
    accepted(server, "dev", signed(moto.assume(role["Arn"])))
    for wrong in (f"arn:aws:iam::{ACCOUNT}:role/nosuch", f"arn:aws:iam::{OTHER_ACCOUNT}:role/team/app", "arn:aws:iam::*", "nonsense"):
        assert server.call("POST", "auth/aws/role/other", {"bound_iam_principal_arn": wrong}).status == 400


def test_an_account_that_is_not_ours(root, server, moto):
    there = moto.assume(f"arn:aws:iam::{OTHER_ACCOUNT}:role/admin")
    role = moto.role("app", credentials=there)
    assert role["Arn"].startswith(f"arn:aws:iam::{OTHER_ACCOUNT}:")
    asked = {"bound_iam_principal_arn": role["Arn"]}
    assert server.call("POST", "auth/aws/role/dev", asked).status == 400, "we can not see it"
    root.auth.aws.create_sts_role(OTHER_ACCOUNT, f"arn:aws:iam::{OTHER_ACCOUNT}:role/reader")
    assert root.auth.aws.read_sts_role(OTHER_ACCOUNT) == {"sts_role": f"arn:aws:iam::{OTHER_ACCOUNT}:role/reader", "external_id": ""}
    assert root.auth.aws.list_sts_roles()["keys"] == [OTHER_ACCOUNT]
    server.ok("POST", "auth/aws/role/dev", asked)
    auth = accepted(server, "dev", signed(moto.assume(role["Arn"])))
    assert auth["metadata"]["account_id"] == OTHER_ACCOUNT
    root.auth.aws.delete_sts_role(OTHER_ACCOUNT)
    assert server.call("GET", f"auth/aws/config/sts/{OTHER_ACCOUNT}").status == 404


def test_an_instance_is_inferred(root, server, moto):
    role = moto.role("web")
    iam, ec2 = moto.client("iam"), moto.client("ec2")
    profile = iam.create_instance_profile(InstanceProfileName="web")["InstanceProfile"]
    iam.add_role_to_instance_profile(InstanceProfileName="web", RoleName="web")
    made = ec2.run_instances(ImageId="ami-12c6146b", MinCount=1, MaxCount=1, IamInstanceProfile={"Name": "web"})["Instances"][0]
    base = {"auth_type": "iam", "inferred_entity_type": "ec2_instance", "inferred_aws_region": "us-east-1"}
    bounds = {"bound_ami_id": made["ImageId"], "bound_vpc_id": made["VpcId"], "bound_subnet_id": made["SubnetId"], "bound_account_id": ACCOUNT,
              "bound_region": "us-east-1", "bound_ec2_instance_id": made["InstanceId"], "bound_iam_role_arn": role["Arn"],
              "bound_iam_instance_profile_arn": profile["Arn"]}
    server.ok("POST", "auth/aws/config/identity", {"iam_alias": "full_arn", "iam_metadata": ["default"]})
    server.ok("POST", "auth/aws/config/identity", {"iam_metadata": ["inferred_entity_id", "inferred_entity_type", "inferred_aws_region", "client_arn"]})
    server.ok("POST", "auth/aws/role/web", {**base, **bounds, "bound_iam_principal_arn": role["Arn"]})
    session = moto.assume(role["Arn"], made["InstanceId"])
    auth = accepted(server, "web", signed(session))
    arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/web/{made['InstanceId']}"
    assert auth["metadata"]["inferred_entity_id"] == made["InstanceId"] and auth["metadata"]["client_arn"] == arn
    aliases = server.ok("GET", f"identity/entity/id/{auth['entity_id']}")["data"]["aliases"]
    assert [alias["name"] for alias in aliases] == [arn]
    refused(server, "web", signed(moto.assume(role["Arn"], "somebody")))
    refused(server, "web", signed(moto.assume(role["Arn"], "i-0123456789abcdef0")))
    for name, wrong in (("bound_ami_id", "ami-0"), ("bound_vpc_id", "vpc-0"), ("bound_subnet_id", "subnet-0"), ("bound_account_id", OTHER_ACCOUNT),
                        ("bound_region", "us-east-2"), ("bound_ec2_instance_id", "i-0123456789abcdef0"),
                        ("bound_iam_role_arn", f"arn:aws:iam::{ACCOUNT}:role/other*"),
                        ("bound_iam_instance_profile_arn", f"arn:aws:iam::{ACCOUNT}:instance-profile/other")):
        server.ok("POST", f"auth/aws/role/{name}", {**base, **bounds, name: wrong})
        refused(server, name, signed(session))
        assert server.call("POST", "auth/aws/role/plain", {"bound_iam_principal_arn": role["Arn"], name: bounds[name]}).status == 400
    server.ok("POST", "auth/token/renew-self", {}, token=auth["client_token"])
    ec2.terminate_instances(InstanceIds=[made["InstanceId"]])
    refused(server, "web", signed(session))
    assert server.call("POST", "auth/token/renew-self", {}, token=auth["client_token"]).status >= 400


def test_our_own_key_is_rotated(root, server, moto):
    user, key = moto.user("coffer")
    bound = [user["Arn"]]
    root.auth.aws.configure(access_key=key.access_key, secret_key=key.secret_key)
    answer = server.ok("POST", "auth/aws/config/rotate-root")
    new = answer["data"]["access_key"]
    assert new != key.access_key and root.auth.aws.read_config()["access_key"] == new
    kept = moto.client("iam").list_access_keys(UserName="coffer")["AccessKeyMetadata"]
    assert [one["AccessKeyId"] for one in kept] == [new] and not answer["warnings"]
    root.auth.aws.create_role("dev", auth_type="iam", bound_iam_principal_arn=bound)
    root.auth.aws.delete_config()
    assert server.call("POST", "auth/aws/config/rotate-root").status == 400
    assert server.call("GET", "auth/aws/config/client").status == 404


def test_our_own_key_is_that_of_the_environment(folder, cloud, monkeypatch):
    cloud.reset()
    user, key = cloud.user("ann")
    server = Server(folder)
    client = hvac.Client(url=server.addr)
    for given in ({}, {"AWS_ACCESS_KEY_ID": ADMIN.access_key, "AWS_SECRET_ACCESS_KEY": ADMIN.secret_key}):
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY", "AWS_SECRET_KEY", "AWS_SESSION_TOKEN"):
            monkeypatch.delenv(name, raising=False)
        for name, value in given.items():
            monkeypatch.setenv(name, value)
        server.start()
        if not server.token:
            server.initialise()
        server.unseal()
        client.token = server.token
        if not given:
            client.sys.enable_auth_method("aws")
            client.auth.aws.configure(sts_endpoint=cloud.url, iam_endpoint=cloud.url)
        answer = server.call("POST", "auth/aws/role/dev", {"bound_iam_principal_arn": user["Arn"]})
        assert answer.status == (204 if given else 400), answer
        assert given or "there is no access key" in answer["errors"][0]
        server.stop()
    server.start()
    server.unseal()
    accepted(server, "dev", signed(key))
    server.stop()


def test_identities_through_hvac(root, server, moto):
    user, key = moto.user("ann")
    aws = root.auth.aws
    aws.create_role("one", auth_type="iam", bound_iam_principal_arn=[user["Arn"]])
    aws.create_role("two", auth_type="iam", bound_iam_principal_arn=[user["Arn"]])
    entities = {accepted(server, name, signed(key))["entity_id"] for name in ("one", "two")}
    assert len(entities) == 2, "each role is somebody else"
    aws.configure_identity_integration(iam_alias="unique_id", iam_metadata=["client_arn"])
    assert aws.read_identity_integration()["iam_alias"] == "unique_id"
    logins = [accepted(server, name, signed(key)) for name in ("one", "two")]
    assert len({login["entity_id"] for login in logins}) == 1, "a user is one and the same"
    assert logins[0]["metadata"]["client_arn"] == user["Arn"]
    aliases = server.ok("GET", f"identity/entity/id/{logins[0]['entity_id']}")["data"]["aliases"]
    assert aliases[0]["name"] == user["UserId"] and aliases[0]["metadata"] == {"client_arn": user["Arn"]}


# From here on STS verifies signatures.

@pytest.fixture
def strict(root, server, sts):
    """An STS that verifies signatures as the server's, a key that it knows, and a role for its user."""
    sts.key = sts.add("AKIAANN0000000000000", "ann-secret", f"arn:aws:iam::{ACCOUNT}:user/ann", "AIDAANN")
    root.auth.aws.configure(sts_endpoint=sts.url)
    server.ok("POST", "auth/aws/role/dev", {"bound_iam_principal_arn": f"arn:aws:iam::{ACCOUNT}:user/ann", "resolve_aws_unique_ids": False})
    return sts


def test_signatures_count(root, server, strict):
    key = strict.key
    accepted(server, "dev", signed(key))
    accepted(server, "dev", signed(key, url=strict.url + "/"))
    accepted(server, "dev", signed(key, url="https://sts.eu-west-1.amazonaws.com/", region="eu-west-1"))
    assert hvac.Client(url=server.addr).auth.aws.iam_login(key.access_key, key.secret_key, role="dev")["auth"]["client_token"]
    headers = json.loads(base64.b64decode(signed(key)["iam_request_headers"]))
    plain = {**signed(key), "iam_request_headers": {name: value[0] for name, value in headers.items()}}
    accepted(server, "dev", plain)
    refused(server, "dev", signed(Credentials(key.access_key, "wrong")), "AWS STS refused the signed request: SignatureDoesNotMatch")
    refused(server, "dev", signed(Credentials("AKIANOBODY", "wrong")), "InvalidClientTokenId")
    session = strict.add("ASIAAPP", "app-secret", f"arn:aws:sts::{ACCOUNT}:assumed-role/app/one", "AROAAPP:one", token="session-token")
    server.ok("POST", "auth/aws/role/app", {"bound_iam_principal_arn": f"arn:aws:iam::{ACCOUNT}:role/app", "resolve_aws_unique_ids": False})
    accepted(server, "app", signed(session))
    refused(server, "app", signed(Credentials("ASIAAPP", "app-secret", "other-token")), "SignatureDoesNotMatch")
    for path, sent, body in strict.asked:
        assert path == "/" and body == BODY.encode()
        assert len(sent) == len({name.lower() for name, _ in sent}), "no field twice"


def test_what_was_signed_for_another_server_is_of_no_use(root, server, strict):
    root.auth.aws.configure(iam_server_id_header_value=SERVER_ID)
    header = {"X-Vault-AWS-IAM-Server-ID": SERVER_ID}
    accepted(server, "dev", signed(strict.key, headers=header))
    client = hvac.Client(url=server.addr)
    key = strict.key
    assert client.auth.aws.iam_login(key.access_key, key.secret_key, role="dev", header_value=SERVER_ID)["auth"]["client_token"]
    before = len(strict.asked)
    refused(server, "dev", signed(strict.key), "missing header")
    refused(server, "dev", signed(strict.key, headers={"X-Vault-AWS-IAM-Server-ID": "dev.example.com"}), "another server")
    unsigned = with_headers(signed(strict.key), lambda headers: headers.update(header))
    refused(server, "dev", unsigned, "wasn't signed")
    twice = with_headers(signed(strict.key, headers={"X-Vault-AWS-IAM-Server-ID": "dev.example.com"}),
                         lambda headers: headers.update({"x-vault-aws-iam-server-id": SERVER_ID}))
    refused(server, "dev", twice, "twice")
    both = with_headers(signed(strict.key, headers={"X-Vault-AWS-IAM-Server-ID": "dev.example.com"}),
                        lambda headers: headers.update({"X-Vault-AWS-IAM-Server-ID": f"dev.example.com,{SERVER_ID}"}))
    refused(server, "dev", both, "another server")
    assert len(strict.asked) == before, "none of them was sent"


def test_nothing_odd_is_sent(root, server, strict):
    key = strict.key
    fine = signed(key)
    for url in ("http://sts.amazonaws.com/", "https://sts.amazonaws.com/?Action=AssumeRole", "https://sts.amazonaws.com//", "https://sts.amazonaws.com/x",
                "https://sts.amazonaws.com/#", "https://sts.amazonaws.com/%2e", "https://sts.amazonaws.com@evil.example/", "https://u:p@sts.amazonaws.com/",
                "https://sts.amazonaws.com:444/", "https://sts.amazonaws.com.evil.example/", "https://evil.example/", "https://sts.s3.amazonaws.com/",
                "https://STS.amazonaws.com/", "HTTPS://sts.amazonaws.com/", "https://sts.amazonaws.com\\@evil.example/", "https://sts.amazonaws.com/\r\nX: y",
                " https://sts.amazonaws.com/", "https:/sts.amazonaws.com/", "sts.amazonaws.com", f"{strict.url}/x", f"{strict.url}@evil.example/",
                "https://169.254.169.254/", "file:///etc/passwd", ""):
        refused(server, "dev", {**fine, "iam_request_url": encoded(url)}, "iam_request_url")
    for body in ("", "Action=GetCallerIdentity", f"{BODY}&Action=AssumeRole", f"Action=AssumeRole&{BODY}", f"{BODY}&", f"{BODY}&RoleArn=x", "Action=GetSessionToken&Version=2011-06-15",
                 "Action=GetCallerIdentity&Version=2011-06-15\n", "action=GetCallerIdentity&Version=2011-06-15", "Action=GetCallerIdentity&Version=2011-06-15;Action=AssumeRole",
                 "Action=%47etCallerIdentity&Version=2011-06-15", "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&WebIdentityToken=x", "x" * 100_000):
        refused(server, "dev", {**fine, "iam_request_body": encoded(body)}, "iam_request_body")
        refused(server, "dev", signed(key, body=body), "iam_request_body")
    for method in ("GET", "post", "PUT", "", "POST / HTTP/1.1\r\nX: y"):
        refused(server, "dev", {**fine, "iam_http_request_method": method}, "iam_http_request_method")
    assert not strict.asked


def test_no_odd_header_is_sent(root, server, strict):
    key = strict.key
    fine = signed(key)
    for name, value in {"Host": "evil.example", "host": "sts.amazonaws.com", "HOST ": "x", "X-Amz-Target": "x", "X-Amz-Credential": "x", "X-Amz-Security-Token": "x",
                        "User-Agent": "a\r\nX-Evil: b", "X-Evil\r\nX-More": "a", "Content-Length": "1", "Content-Type": "application/json", "X-Amz-Date": "x",
                        "authorization": "x", "Cookie": "\u0000"}.items():
        refused(server, "dev", with_headers(fine, lambda headers: headers.update({name: value})), "header")
    for name in ("Accept", "Cookie", "X-Forwarded-For", "X-Amz-Target"):
        refused(server, "dev", signed(key, headers={name: "application/json"}), "is not allowed")
    seal = json.loads(base64.b64decode(fine["iam_request_headers"]))["Authorization"][0]
    for wrong in ("", "Basic x", seal.replace("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1"), seal.replace("/sts/", "/iam/"), seal.replace("aws4_request", "x"), seal + ", Signature=" + "0" * 64,
                  seal.replace("host;", ""), seal.replace("content-type;host", "host;content-type"), seal.replace("host;", "host;host;"), seal[:-1], seal + "0", seal.replace(", ", ",,"),
                  seal.replace("us-east-1", "us-east-1.evil.example"), seal.replace("us-east-1", "../x")):
        refused(server, "dev", with_headers(fine, lambda headers: headers.update({"Authorization": wrong})), "header")
    for wrong in ("", "!", encoded("[]"), encoded("{}"), encoded('{"Host": {}}'), encoded('{"Host": ["a", "b"]}'), encoded("x" * 200_000), [], 7):
        answer = login(server, "dev", {**fine, "iam_request_headers": wrong})
        assert answer.status == 400 and "header" in answer["errors"][0], answer
    assert not strict.asked
    # What is brought and not signed is left out.
    accepted(server, "dev", with_headers(fine, lambda headers: headers.update({"Accept": "application/json", "Connection": "close", "X-Forwarded-For": "1"})))
    sent = {name.lower() for name, _ in strict.asked[0][1]}
    assert not sent & {"x-forwarded-for", "connection"}
    assert dict(strict.asked[0][1]).get("Accept", dict(strict.asked[0][1]).get("accept")) != "application/json"
    root.auth.aws.configure()
    server.ok("POST", "auth/aws/config/client", {"allowed_sts_header_values": "X-Custom"})
    accepted(server, "dev", signed(key, headers={"X-Custom": "a"}))


@pytest.fixture
def hosts():
    made = []

    def host(answer):
        made.append(Host(lambda *_: answer))
        return made[-1]

    yield host
    for one in made:
        one.stop()


def test_answers_of_sts_are_not_believed_blindly(root, server, hosts):
    arn = f"arn:aws:iam::{ACCOUNT}:user/ann"
    server.ok("POST", "auth/aws/role/dev", {"bound_iam_principal_arn": arn, "resolve_aws_unique_ids": False})
    right = identity(arn, "AIDAANN", ACCOUNT)
    other = identity("arn:aws:iam::999999999999:user/eve", "AIDAEVE", "999999999999")
    elsewhere = hosts((200, {}, right))
    for answer in [
        (201, {}, right), (302, {"Location": elsewhere.url}, b""), (200, {"Content-Type": "application/json"}, right),
        (200, {"Content-Type": "application/json"}, json.dumps({"GetCallerIdentityResponse": {"GetCallerIdentityResult": {"Arn": arn, "UserId": "AIDAANN", "Account": ACCOUNT}}}).encode()),
        (200, {}, b"prefix" + right), (200, {}, right + right), (200, {}, right.replace(b"GetCallerIdentityResponse", b"AssumeRoleResponse")),
        (200, {}, right.replace(b"https://sts.amazonaws.com", b"https://evil.example")), (200, {}, b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>' + right),
        (200, {}, right.replace(b"AIDAANN", b"<!-- x -->AIDAANN")), (200, {}, right.replace(ACCOUNT.encode() + b"</Account>", b"999999999999</Account>")),
        (200, {}, other.replace(b"AIDAEVE", f"AIDAEVE</UserId><Arn>{arn}</Arn><UserId>AIDAANN".encode())), (200, {}, right + b" " * 400_000), (200, {}, b""),
        (500, {}, right), (429, {}, right),
    ]:
        host = hosts(answer)
        root.auth.aws.configure(sts_endpoint=host.url, max_retries=0)
        reply = login(server, "dev", signed(Credentials("AKIAX", "x")))
        assert reply.status != 200 and "client_token" not in repr(reply), (answer, reply)
        assert len(host.asked) == 1
    assert not elsewhere.asked, "no redirect is followed"
    refusing = hosts((403, {}, right))
    root.auth.aws.configure(sts_endpoint=refusing.url)
    refused(server, "dev", signed(Credentials("AKIAX", "x")), "AWS STS refused the signed request")
    believed = hosts((200, {}, right))
    root.auth.aws.configure(sts_endpoint=believed.url)
    accepted(server, "dev", signed(Credentials("AKIAX", "x")))


def test_an_sts_that_says_nothing_costs_a_bounded_time_and_no_other_mount(root, server, strict):
    silent = socket.create_server(("127.0.0.1", 0))
    root.sys.enable_auth_method("aws", path="slow")
    url = f"http://127.0.0.1:{silent.getsockname()[1]}"
    server.ok("POST", "auth/slow/config/client", {"sts_endpoint": url, "max_retries": 0})
    begun = time.monotonic()
    answer = login(server, "dev", signed(strict.key), path="slow")
    assert answer.status >= 400 and "in time" in repr(answer) and time.monotonic() - begun < 20
    accepted(server, "dev", signed(strict.key))
    silent.close()


class Cli:
    def __init__(self, server, home):
        os.makedirs(home)
        self.environment = {"HOME": home, "PATH": os.environ["PATH"], "VAULT_ADDR": server.addr, "COFFER_ADDR": server.addr}

    def __call__(self, *words, code=0, **environment):
        ran = subprocess.run([binary(), *words], env={**self.environment, **environment}, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
        assert ran.returncode == code, ran.stdout + ran.stderr
        return ran.stdout.strip() or ran.stderr


def test_logins_through_our_command_line(root, server, strict, folder):
    cli = Cli(server, os.path.join(folder, "home"))
    key = {"AWS_ACCESS_KEY_ID": strict.key.access_key, "AWS_SECRET_ACCESS_KEY": strict.key.secret_key}
    token = cli("login", "-token-only", "-method=aws", "role=dev", **key)
    assert hvac.Client(url=server.addr, token=token).is_authenticated()
    words = [f"aws_access_key_id={strict.key.access_key}", f"aws_secret_access_key={strict.key.secret_key}"]
    cli("login", "-method=aws", "role=dev", *words)
    cli("login", "-method=aws", "role=dev", "region=eu-west-1", **key)
    assert ("host", "sts.eu-west-1.amazonaws.com") in [(name.lower(), value) for name, value in strict.asked[-1][1]]
    strict.add("ASIAANN", "s", f"arn:aws:iam::{ACCOUNT}:user/ann", "AIDAANN", token="t")
    cli("login", "-method=aws", "role=dev", "aws_access_key_id=ASIAANN", "aws_secret_access_key=s", "aws_security_token=t")
    cli("login", "-method=aws", "role=dev", AWS_ACCESS_KEY_ID="ASIAANN", AWS_SECRET_ACCESS_KEY="s", AWS_SESSION_TOKEN="t")
    root.auth.aws.configure(iam_server_id_header_value=SERVER_ID)
    cli("login", "-method=aws", "role=dev", code=2, **key)
    cli("login", "-method=aws", "role=dev", f"header_value={SERVER_ID}", **key)
    assert "AWS_ACCESS_KEY_ID" in cli("login", "-method=aws", "role=dev", code=1)
    root.sys.enable_auth_method("aws", path="cloud")
    server.ok("POST", "auth/cloud/config/client", {"sts_endpoint": strict.url})
    server.ok("POST", "auth/cloud/role/dev", {"bound_iam_principal_arn": f"arn:aws:iam::{ACCOUNT}:user/ann", "resolve_aws_unique_ids": False})
    cli("login", "-method=aws", "-path=cloud", "role=dev", **key)
    said = cli("login", "-method=aws", "role=dev", "region=evil.example/", code=1, **key)
    assert "region" in said


@pytest.mark.skipif(not shutil.which("bao"), reason="the bao command line is not here")
def test_a_signed_request_through_bao_write(root, server, strict):
    """Its `login` does not know the method; `write` takes what was signed."""
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "BAO_ADDR": server.addr}
    fields = [f"{name}={value}" for name, value in signed(strict.key).items()]
    ran = subprocess.run(["bao", "write", "-field=token", "auth/aws/login", "role=dev", *fields], env=environment, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0 and ran.stdout, ran.stderr


def test_no_field_brings_the_server_down(root, server, strict):
    document = server.ok("GET", "sys/internal/specs/openapi").body
    paths = {path: item for path, item in document["paths"].items() if path.strip("/").startswith("auth/aws/")}
    assert len(paths) >= 9, list(document["paths"])
    odd = [None, "", "x", "x" * 100_000, -1, 2 ** 70, 1.5, True, [], [[]], ["", None], {}, {"a": {"b": []}}, "\u0000", "arn:aws:iam::123456789012:" + "*" * 50]
    asked = 0
    for path, item in paths.items():
        schema = item.get("post", {}).get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
        fields = schema.get("properties") or document.get("components", {}).get("schemas", {}).get(schema.get("$ref", "").split("/")[-1], {}).get("properties", {})
        at = path.strip("/").replace("{role}", "odd").replace("{account_id}", OTHER_ACCOUNT)
        for field in fields:
            for value in odd:
                base = {"role": "dev", **signed(strict.key)} if at.endswith("/login") else {}
                answer = server.call("POST", at, {**base, field: value}, token="" if base else None)
                assert answer.status < 500, (at, field, str(value)[:50], answer)
                asked += 1
        for method in ("GET", "LIST", "DELETE"):
            assert server.call(method, at).status < 500, (method, at)
        root.auth.aws.configure(sts_endpoint=strict.url)
    assert asked > 500
