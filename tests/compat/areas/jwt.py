"""Logins by tokens of others: configuration, roles, tokens good and bad, and what strangers may ask about sign-ins."""
import http.server
import json
import threading

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

AT = "auth/jwt"
# The same at every recording, so that tokens are, too.
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
LONG_AGO, LONG_AFTER = 1_600_000_000, 4_000_000_000
FULL = {"role_type": "oidc", "user_claim": "/x", "user_claim_json_pointer": True, "bound_audiences": "a,b", "bound_subject": "s", "bound_claims": {"c": "*", "n": ["5"]},
        "bound_claims_type": "glob", "claim_mappings": {"a": "b", "/c/d": "e"}, "groups_claim": "g", "allowed_redirect_uris": "http://localhost/x,http://localhost/y",
        "oidc_scopes": "q,r", "max_age": "5m", "clock_skew_leeway": "5s", "expiration_leeway": -6, "not_before_leeway": 7, "callback_mode": "direct", "poll_interval": 4,
        "oidc_disable_confirmation": True, "token_policies": "p", "token_ttl": "9m", "token_max_ttl": "1h", "token_type": "service"}


def pem(key):
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def token(key=KEY, **more):
    claims = {"iss": "https://ci", "sub": "me", "aud": "a", "iat": LONG_AGO, "exp": LONG_AFTER, **more}
    return jwt.api_jws.encode(json.dumps({name: value for name, value in claims.items() if value is not None}).encode(), key, algorithm="EdDSA", headers={"typ": "JWT"})


def steps(step):
    provider = Provider()
    return [*configuration(step), *roles(step), *logins(step), *renewals(step), *sign_ins(step, provider.url), *clean(step)]


def configuration(step):
    keys = {"jwt_validation_pubkeys": [pem(KEY)]}
    return [
        step("config none", f"GET {AT}/config"),
        step("login unconfigured", f"POST {AT}/login", {"role": "r", "jwt": "x"}, token=""),
        *[step(f"config {name}", f"POST {AT}/config", body) for name, body in {
            "empty": {}, "nothing": {"jwt_validation_pubkeys": []}, "nonsense": {"jwt_validation_pubkeys": ["x"]}, "two": {**keys, "jwks_url": "http://127.0.0.1:1/"},
            "unreachable keys": {"jwks_url": "http://127.0.0.1:1/"}, "unreachable issuer": {"oidc_discovery_url": "http://127.0.0.1:1"}, "no address": {"jwks_url": "nonsense"},
            "unknown algorithm": {**keys, "jwt_supported_algs": "RS256,nope"}, "hmac": {**keys, "jwt_supported_algs": "HS256"}, "none alg": {**keys, "jwt_supported_algs": "none"},
            "client alone": {**keys, "oidc_client_id": "x"}, "secret alone": {**keys, "oidc_client_secret": "x"}, "client without issuer": {**keys, "oidc_client_id": "x", "oidc_client_secret": "y"},
            "response mode": {**keys, "oidc_response_mode": "x"}, "response types": {**keys, "oidc_response_types": "x"}, "token by query": {**keys, "oidc_response_types": "id_token"},
            "unknown provider": {**keys, "provider_config": {"provider": "nope"}}, "provider without name": {**keys, "provider_config": {"x": "y"}}, "unknown field": {**keys, "nosuch": 1},
            "skipped": {"jwks_url": "http://127.0.0.1:1/", "skip_jwks_validation": True},
        }.items()],
        step("login without keys", f"POST {AT}/login", {"role": "r", "jwt": "x"}, token=""),
        step("config", f"POST {AT}/config", {**keys, "default_role": "R", "oidc_response_mode": "form_post", "oidc_response_types": "code,id_token", "namespace_in_state": False}),
        step("config read", f"GET {AT}/config"),
        step("config again", f"POST {AT}/config", {**keys, "bound_issuer": "https://ci", "jwt_supported_algs": "EdDSA"}),
        step("config is set anew", f"GET {AT}/config"),
        step("config delete", f"DELETE {AT}/config"),
    ]


def roles(step):
    role = {"role_type": "jwt", "user_claim": "sub", "bound_audiences": "a"}
    wrong = [("role_type", "x"), ("role_type", "oidc"), ("user_claim", ""), ("bound_audiences", ""), ("bound_claims_type", "x"), ("callback_mode", "x"), ("max_age", -1), ("clock_skew_leeway", "x"),
             ("claim_mappings", {"a": "role"}), ("claim_mappings", {"a": "x", "b": "x"}), ("bound_claims", "x"), ("token_ttl", "x"), ("token_type", "x"), ("nosuch", 1), ("token_max_ttl", "100000h")]
    return [
        step("list none", f"LIST {AT}/role"),
        step("role unknown", f"GET {AT}/role/r"),
        step("role empty", f"POST {AT}/role/r", {}),
        *[step(f"role {field} {value!r}", f"POST {AT}/role/wrong", {**role, field: value}) for field, value in wrong],
        step("role globs of numbers", f"POST {AT}/role/wrong", {**role, "bound_claims_type": "glob", "bound_claims": {"a": ["x", 5]}}),
        step("role full", f"POST {AT}/role/full", FULL),
        step("role full read", f"GET {AT}/role/full"),
        step("role changed", f"POST {AT}/role/FULL", {"token_ttl": "8m", "poll_interval": 0}),
        step("role changed read", f"GET {AT}/role/full"),
        step("role old names", f"POST {AT}/role/old", {**role, "policies": "x,Y", "ttl": 5, "max_ttl": 10, "period": 3, "num_uses": 4, "bound_cidrs": "10.0.0.0/8"}),
        step("role old names read", f"GET {AT}/role/old"),
        step("role", f"POST {AT}/role/r", {**role, "claim_mappings": {"team": "team"}, "groups_claim": "/org/groups", "bound_claims": {"env": ["prod", "test"]}, "token_policies": "p", "token_ttl": "1h"}),
        step("role read", f"GET {AT}/role/r"),
        *[step(f"role name {name}", f"POST {AT}/role/{name}", role) for name in ["-a", "a-", "a%20b", "A.b"]],
        step("list", f"LIST {AT}/role"),
        step("list page", f"GET {AT}/role?list=true&after=a.b&limit=1"),
        step("role logging", f"POST {AT}/role/logging", {**role, "verbose_oidc_logging": True}),
    ]


def logins(step):
    fine = {"env": "prod", "team": "t", "org": {"groups": ["g"]}}
    login = lambda name, **claims: step(f"login {name}", f"POST {AT}/login", {"role": "r", "jwt": token(**{**fine, **claims})}, token="")
    plain = {"role_type": "jwt", "user_claim": "sub", "bound_audiences": "a"}
    return [
        step("login", f"POST {AT}/login", {"role": "R", "jwt": token(**fine)}, token="", save={"me": "auth.client_token", "entity": "auth.entity_id"}),
        step("who am i", "GET auth/token/lookup-self", token="$me"),
        step("entity", "GET identity/entity/id/$entity"),
        login("issuer", iss="https://other"), login("no issuer", iss=None), login("odd issuer", iss=5), login("audience", aud="x"), login("audiences", aud=["x", "a"]), login("no audience", aud=None),
        login("audience number", aud=5), login("audience object", aud={"a": 1}), login("audiences nested", aud=[["a"]]), login("no audiences", aud=[]),
        login("expired", exp=LONG_AGO), login("expires as text", exp="5"), login("expires never", exp=None), login("no times", exp=None, iat=None), login("future", nbf=LONG_AFTER),
        login("issued in future", iat=LONG_AFTER, nbf=LONG_AGO), login("whole second and a half", iat=LONG_AGO + 0.5),
        login("claim", env="dev"), login("claim list", env=["dev", "test"]), login("claim missing", env=None), login("claim object", env={"prod": 1}),
        login("note number", team=5), login("note missing", team=None), login("group", org={"groups": "g"}), login("no groups", org={}), login("odd groups", org={"groups": [5]}),
        login("subject", sub=None), login("subject number", sub=5), login("subject empty", sub=""), login("another key", key=OTHER),
        *[step(f"login {name}", f"POST {AT}/login", body, token="") for name, body in {
            "nonsense": {"role": "r", "jwt": "x"}, "no token": {"role": "r"}, "no role": {"jwt": token(**fine)}, "unknown role": {"role": "nosuch", "jwt": token(**fine)},
            "role for browsers": {"role": "full", "jwt": token(**fine)}, "unsigned": {"role": "r", "jwt": token(**fine).rsplit(".", 1)[0] + "."}, "four parts": {"role": "r", "jwt": "a.b.c.d"}}.items()],
        step("login by reading", f"GET {AT}/login", token=""),
        step("role without audiences", f"POST {AT}/role/subject", {**plain, "bound_audiences": "", "bound_subject": "me"}),
        step("login unexpected audience", f"POST {AT}/login", {"role": "subject", "jwt": token()}, token=""),
        step("login without audience", f"POST {AT}/login", {"role": "subject", "jwt": token(aud=None)}, token=""),
        step("role of templates", f"POST {AT}/role/templates", {**plain, "token_policies": ["Team-{{.Team}}", "p"], "token_policies_template_claims": True}),
        step("role of templates read", f"GET {AT}/role/templates"),
        step("login templates", f"POST {AT}/login", {"role": "templates", "jwt": token(Team="Blue")}, token=""),
        step("login templates missing", f"POST {AT}/login", {"role": "templates", "jwt": token()}, token=""),
        step("login templates root", f"POST {AT}/login", {"role": "templates", "jwt": token(Team="x", sub="root")}, token=""),
        step("role of open template", f"POST {AT}/role/open", {**plain, "token_policies": "{{.x", "token_policies_template_claims": True}),
        step("role elsewhere", f"POST {AT}/role/elsewhere", {**plain, "token_bound_cidrs": "10.0.0.0/8"}),
        step("login elsewhere", f"POST {AT}/login", {"role": "elsewhere", "jwt": token()}, token=""),
        step("role batch", f"POST {AT}/role/batch", {**plain, "token_type": "batch"}),
        step("login batch", f"POST {AT}/login", {"role": "batch", "jwt": token()}, token=""),
        step("role of root", f"POST {AT}/role/admin", {**plain, "token_policies": "root"}),
        step("login as root", f"POST {AT}/login", {"role": "admin", "jwt": token()}, token=""),
    ]


def renewals(step):
    return [
        step("renew", "POST auth/token/renew-self", {}, token="$me"),
        step("role shorter", f"POST {AT}/role/r", {"role_type": "jwt", "token_ttl": 300}),
        step("renew shorter", "POST auth/token/renew-self", {}, token="$me"),
        step("role stricter", f"POST {AT}/role/r", {"role_type": "jwt", "bound_claims": {"env": "test"}}),
        step("renew under a stricter role", "POST auth/token/renew-self", {}, token="$me"),
        step("role gone", f"DELETE {AT}/role/r"),
        step("role gone again", f"DELETE {AT}/role/r"),
        step("renew without a role", "POST auth/token/renew-self", {}, token="$me"),
    ]


def sign_ins(step, issuer):
    client = {"oidc_discovery_url": issuer, "oidc_client_id": "app", "oidc_client_secret": "hidden-word", "default_role": "full"}
    url = f"POST {AT}/oidc/auth_url"
    back = {"redirect_uri": "http://localhost/x"}
    role = {"user_claim": "sub", "allowed_redirect_uris": "http://localhost/x"}
    return [
        step("auth_url unconfigured", url, back, token=""),
        step("config other issuer", f"POST {AT}/config", {**client, "oidc_discovery_url": issuer + "/"}),
        step("config client", f"POST {AT}/config", client),
        step("config client read", f"GET {AT}/config"),
        step("role for people", f"POST {AT}/role/people", role),
        step("role direct", f"POST {AT}/role/direct", {**role, "callback_mode": "direct"}),
        step("auth_url", url, {**back, "role": "people"}, token="", shape_only=True),
        step("auth_url any port", url, {"redirect_uri": "http://localhost:1234/x", "role": "people"}, token="", shape_only=True),
        *[step(f"auth_url {name}", url, body, token="") for name, body in {
            "nothing": {"role": "people"}, "elsewhere": {"role": "people", "redirect_uri": "http://evil/"}, "another path": {"role": "people", "redirect_uri": "http://localhost/z"},
            "unknown role": {**back, "role": "nosuch"}, "direct without nonce": {**back, "role": "direct"}}.items()],
        step("auth_url direct", url, {**back, "role": "direct", "client_nonce": "n"}, token="", shape_only=True, save={"state": "data.state"}),
        step("poll", f"POST {AT}/oidc/poll", {"state": "$state", "client_nonce": "n"}, token=""),
        step("poll another nonce", f"POST {AT}/oidc/poll", {"state": "$state", "client_nonce": "x"}, token=""),
        step("poll after that", f"POST {AT}/oidc/poll", {"state": "$state", "client_nonce": "n"}, token=""),
        step("poll nothing", f"POST {AT}/oidc/poll", {}, token=""),
        *[step(f"callback {name}", f"GET {AT}/oidc/callback{query}", token="") for name, query in {
            "nothing": "", "unknown state": "?state=x&code=y", "error": "?error=access_denied&state=x"}.items()],
        step("callback without a form", f"POST {AT}/oidc/callback", {"state": "x"}, token="", skip_body=True),
        step("auth_url by reading", f"GET {AT}/oidc/auth_url", token=""),
        step("poll by reading", f"GET {AT}/oidc/poll", token=""),
    ]


def clean(step):
    names = ["full", "old", "a.b", "logging", "subject", "templates", "elsewhere", "batch", "admin", "people", "direct", "wrong"]
    return [*[step(f"clean {name}", f"DELETE {AT}/role/{name}") for name in names], step("list in the end", f"LIST {AT}/role"),
            step("without token", f"GET {AT}/role/r", token=""), step("without rights", f"GET {AT}/config", token="$powerless"), step("clean entity", "DELETE identity/entity/id/$entity")]


class Provider:
    """Says where an issuer's things are, and no more."""

    def __init__(self):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                at = f"http://127.0.0.1:{self.server.server_port}"
                facts = {"issuer": at, "authorization_endpoint": f"{at}/auth", "token_endpoint": f"{at}/token", "jwks_uri": f"{at}/keys", "response_types_supported": ["code"],
                         "subject_types_supported": ["public"], "id_token_signing_alg_values_supported": ["RS256"]}
                body = json.dumps({"keys": []} if self.path == "/keys" else facts).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{server.server_port}"
