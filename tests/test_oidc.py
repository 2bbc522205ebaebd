"""The OpenID provider through a relying party's library, and identity tokens through two libraries for JOSE: all of them strangers to this server."""
import json
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
import pytest
from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session
from joserfc import jws
from joserfc import jwt as other_jwt
from joserfc.jwk import KeySet

BACK = "https://app.example.com/back"
ALGORITHMS = ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "EdDSA"]
POLICY = """
path "identity/oidc/token/*" { capabilities = ["read"] }
"""


@pytest.fixture
def provider(server):
    return Provider(server)


class Provider:
    """A server with somebody who may sign in, and what a test adds. No auth method is there yet, so people get their tokens by a token role."""

    def __init__(self, server):
        self.server = server
        self.write("sys/policies/acl/person", {"policy": POLICY})
        accessor = server.call("GET", "sys/auth").body["data"]["token/"]["accessor"]
        self.entity = self.write("identity/entity", {"name": "ann \"the\" äx", "metadata": {"team": "blue"}}).body["data"]["id"]
        self.write("identity/entity-alias", {"name": "ann", "canonical_id": self.entity, "mount_accessor": accessor})
        self.write("auth/token/roles/people", {"allowed_entity_aliases": "ann", "allowed_policies": "person,default"})
        made = self.write("auth/token/create/people", {"entity_alias": "ann", "policies": ["person", "default"]})
        self.person = made.body["auth"]["client_token"]
        self.put("key/sign", {"algorithm": "ES256", "allowed_client_ids": "*"})
        self.put("scope/profile", {"template": "{\"name\": {{identity.entity.name}}, \"team\": {{identity.entity.metadata.team}}}"})

    def write(self, path, body, token=None):
        return self.server.call("POST", path, body, token=token)

    def put(self, path, body):
        answer = self.write(f"identity/oidc/{path}", body)
        assert answer.status in (200, 204), answer

    def client(self, **more):
        self.put("client/app", {"key": "sign", "redirect_uris": BACK, "assignments": "allow_all", **more})
        made = self.server.call("GET", "identity/oidc/client/app").body["data"]
        self.put("provider/shop", {"allowed_client_ids": made["client_id"], "scopes_supported": "profile"})
        return made

    def facts(self, path="provider/shop/"):
        return self.server.call("GET", f"identity/oidc/{path}.well-known/openid-configuration", token="").body

    def keys(self, uri):
        return self.server.call("GET", urlsplit(uri).path.removeprefix("/v1/"), token="").body

    def browser(self, url):
        """What a login page does with the address that an application sends people to: asks for a code, and sends them back with it."""
        place = urlsplit(url)
        asked = {name: values[0] for name, values in parse_qs(place.query).items()}
        answer = self.server.call("GET", f"{place.path.removeprefix('/v1/')}?{urlencode(asked)}", token=self.person)
        assert answer.status == 200, answer
        return f"{asked['redirect_uri']}?{urlencode(answer.body)}"


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post", "none"])
def test_an_application_signs_somebody_in(provider, method):
    made = provider.client(client_type="public" if method == "none" else "confidential")
    facts = provider.facts()
    assert method in facts["token_endpoint_auth_methods_supported"]
    verifier = generate_token(48)
    app = OAuth2Session(made["client_id"], made.get("client_secret"), scope="openid profile", redirect_uri=BACK,
                        code_challenge_method="S256", token_endpoint_auth_method=method)
    url, state = app.create_authorization_url(facts["authorization_endpoint"], code_verifier=verifier, nonce="n-1")
    back = provider.browser(url)
    token = app.fetch_token(facts["token_endpoint"], authorization_response=back, state=state, code_verifier=verifier)
    claims = verified(token["id_token"], provider.keys(facts["jwks_uri"]), facts["issuer"], made["client_id"])
    assert claims["nonce"] == "n-1" and claims["sub"] == provider.entity
    assert (claims["name"], claims["team"]) == ("ann \"the\" äx", "blue")
    told = app.get(facts["userinfo_endpoint"])
    assert told.json() == {"sub": provider.entity, "name": "ann \"the\" äx", "team": "blue"}

    with pytest.raises(Exception, match="invalid_grant"):
        app.fetch_token(facts["token_endpoint"], authorization_response=back, state=state, code_verifier=verifier)


def test_errors_have_the_protocols_form(provider):
    made = provider.client()
    app = OAuth2Session(made["client_id"], "wrong", redirect_uri=BACK, token_endpoint_auth_method="client_secret_basic")
    import requests
    answer = requests.post(provider.facts()["token_endpoint"], auth=(made["client_id"], "wrong"),
                           data={"grant_type": "authorization_code", "code": "x", "redirect_uri": BACK}, timeout=10)
    assert answer.status_code == 401 and answer.json()["error"] == "invalid_client"
    assert answer.headers["www-authenticate"] == "Basic" and "no-store" in answer.headers["cache-control"] and answer.headers["pragma"] == "no-cache"
    with pytest.raises(Exception, match="invalid_client"):
        app.fetch_token(provider.facts()["token_endpoint"], code="x")
    answer = requests.get(provider.facts()["userinfo_endpoint"], headers={"Authorization": "Bearer x"}, timeout=10)
    assert answer.status_code == 401 and answer.headers["www-authenticate"].startswith('Bearer error="invalid_token"')


def test_a_code_is_spent_over_a_restart(provider):
    made = provider.client()
    path = "identity/oidc/provider/shop"
    ask = {"client_id": made["client_id"], "redirect_uri": BACK, "response_type": "code", "scope": "openid"}
    codes = [provider.write(f"{path}/authorize", ask, token=provider.person).body["code"] for _ in range(2)]
    give = {"grant_type": "authorization_code", "redirect_uri": BACK, "client_id": made["client_id"], "client_secret": made["client_secret"]}
    assert provider.write(f"{path}/token", {**give, "code": codes[0]}, token="").status == 200
    provider.server.kill()
    provider.server.start()
    provider.server.unseal()
    assert provider.write(f"{path}/token", {**give, "code": codes[0]}, token="").body["error"] == "invalid_grant"
    assert provider.write(f"{path}/token", {**give, "code": codes[1]}, token="").status == 200


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_libraries_of_others_verify_what_we_sign(provider, algorithm):
    provider.put("key/k", {"algorithm": algorithm, "allowed_client_ids": "*"})
    provider.put("role/r", {"key": "k", "client_id": "audience", "ttl": "10m"})
    token = provider.server.call("GET", "identity/oidc/token/r", token=provider.person).body["data"]["token"]
    facts = provider.facts("")
    claims = verified(token, provider.keys(facts["jwks_uri"]), facts["issuer"], "audience")
    assert claims["sub"] == provider.entity and claims["exp"] - claims["iat"] == 600
    provider.put("key/k/rotate", {})
    verified(token, provider.keys(facts["jwks_uri"]), facts["issuer"], "audience")


def test_what_libraries_of_others_forge_is_refused(provider):
    provider.put("key/k", {"algorithm": "RS256", "allowed_client_ids": "*"})
    provider.put("role/r", {"key": "k", "client_id": "audience", "ttl": "10m"})
    token = provider.server.call("GET", "identity/oidc/token/r", token=provider.person).body["data"]["token"]
    assert provider.write("identity/oidc/introspect", {"token": token}).body == {"active": True}
    claims = jwt.decode(token, options={"verify_signature": False})
    kid = jwt.get_unverified_header(token)["kid"]
    forged = [jwt.encode(claims, None, algorithm="none", headers={"kid": kid}), jwt.encode(claims, "x" * 64, algorithm="HS256", headers={"kid": kid})]
    for each in forged:
        assert provider.write("identity/oidc/introspect", {"token": each}).body["active"] is False


def verified(token, keys, issuer, audience):
    """The claims, as two libraries read them that know nothing of each other."""
    kid = jwt.get_unverified_header(token)["kid"]
    key = next(key for key in keys["keys"] if key["kid"] == kid)
    claims = jwt.decode(token, jwt.PyJWK(key).key, algorithms=[key["alg"]], issuer=issuer, audience=audience)
    again = other_jwt.decode(token, KeySet.import_key_set(keys), algorithms=[key["alg"], "Ed25519"])
    assert again.claims == claims and json.loads(jws.extract_compact(token.encode()).payload) == claims
    return claims
