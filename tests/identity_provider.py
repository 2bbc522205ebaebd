"""An OpenID Connect provider that is a stranger to this server: authlib behind Flask, on loopback, with keys that a test turns."""
import threading
import time

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import ClientMixin, grants
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core import OpenIDCode, UserInfo
from flask import Flask, jsonify, request
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OKPKey, RSAKey
from werkzeug.serving import make_server

SECRET = "s3cret/with+odd=signs"


class Client(ClientMixin):
    """The one client that it knows."""

    def __init__(self, secret=SECRET, method="client_secret_basic"):
        self.secret, self.method = secret, method

    def get_client_id(self):
        return "coffer"

    def get_default_redirect_uri(self):
        return None

    def get_allowed_scope(self, scope):
        return scope

    def check_redirect_uri(self, uri):
        return True

    def check_client_secret(self, secret):
        return secret == self.secret

    def check_endpoint_auth_method(self, method, endpoint):
        return method == self.method

    def check_response_type(self, kind):
        return kind == "code"

    def check_grant_type(self, kind):
        return kind == "authorization_code"


class Code:
    """A code that was given out, as authlib wants to see one."""

    def __init__(self, code, asked, person):
        data = asked.payload.data
        self.code, self.client_id, self.person = code, "coffer", person
        self.redirect_uri, self.scope, self.nonce = data.get("redirect_uri"), data.get("scope"), data.get("nonce")
        self.code_challenge, self.code_challenge_method = data.get("code_challenge"), data.get("code_challenge_method")
        self.auth_time = int(time.time())

    def get_redirect_uri(self):
        return self.redirect_uri

    def get_scope(self):
        return self.scope

    def get_nonce(self):
        return self.nonce

    def get_auth_time(self):
        return self.auth_time

    def get_acr(self):
        return None

    def get_amr(self):
        return None


class Provider:
    """Signs everybody in as `self.person`. `asked` counts what it was asked."""

    def __init__(self, tls=None):
        self.person = {"sub": "ann-1", "email": "ann@example.com", "groups": ["engineers", "on-call"], "team": "blue"}
        self.codes, self.tokens, self.asked = {}, {}, {}
        self.client, self.keys, self.facts_change, self.id_token_change, self.number = Client(), [], {}, {}, 0
        self.turn_keys("RS256")
        self.server = make_server("127.0.0.1", 0, self._app(), threaded=True, ssl_context=tls)
        self.issuer = f"{'https' if tls else 'http'}://127.0.0.1:{self.server.port}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def turn_keys(self, algorithm, keep=False):
        """A new key of this algorithm instead of the old ones, or beside them."""
        self.number += 1
        facts = {"kid": f"key-{self.number}", "alg": algorithm, "use": "sig"}
        kinds = {"RS": lambda: RSAKey.generate_key(2048, facts), "PS": lambda: RSAKey.generate_key(2048, facts),
                 "ES": lambda: ECKey.generate_key({"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}[algorithm], facts),
                 "Ed": lambda: OKPKey.generate_key("Ed25519", facts)}
        self.keys = (self.keys if keep else []) + [kinds[algorithm[:2]]()]

    def sign(self, claims=None, key=None, header=None):
        """A token of this issuer for the audience `coffer`."""
        key, now = key or self.keys[-1], int(time.time())
        usual = {"iss": self.issuer, "sub": "job-1", "aud": "coffer", "iat": now, "exp": now + 300}
        claims = {name: value for name, value in {**usual, **(claims or {})}.items() if value is not None}
        algorithm = key.get("alg")
        return jwt.encode({"alg": algorithm, "kid": key.kid, **(header or {})}, claims, key, algorithms=[algorithm])

    def _app(self):
        provider, app = self, Flask("provider")
        server = AuthorizationServer(app, query_client=lambda name: provider.client if name == "coffer" else None,
                                     save_token=lambda token, asked: provider.tokens.update({token["access_token"]: asked.user}))

        class CodeGrant(grants.AuthorizationCodeGrant):
            TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_basic", "client_secret_post"]

            def save_authorization_code(self, code, asked):
                provider.codes[code] = Code(code, asked, asked.user)

            def query_authorization_code(self, code, client):
                return provider.codes.get(code)

            def delete_authorization_code(self, code):
                provider.codes.pop(code.code, None)

            def authenticate_user(self, code):
                return code.person

        class IdentityToken(OpenIDCode):
            def exists_nonce(self, nonce, asked):
                return False

            def get_jwt_config(self, grant, client=None):
                key = provider.keys[-1]
                return {"key": key, "alg": key.get("alg"), "kid": key.kid, "iss": provider.issuer, "exp": 300}

            def generate_user_info(self, user, scope):
                return UserInfo(sub=user["sub"], team=user["team"], **provider.id_token_change)

        server.register_grant(CodeGrant, [CodeChallenge(required=True), IdentityToken(require_nonce=True)])

        @app.before_request
        def count():
            provider.asked[request.path] = provider.asked.get(request.path, 0) + 1

        @app.get("/.well-known/openid-configuration")
        def facts():
            at = provider.issuer
            return jsonify({"issuer": at, "authorization_endpoint": f"{at}/authorize", "token_endpoint": f"{at}/token", "userinfo_endpoint": f"{at}/userinfo",
                            "jwks_uri": f"{at}/keys", "token_endpoint_auth_methods_supported": [provider.client.method], **provider.facts_change})

        @app.get("/keys")
        def keys():
            return jsonify(KeySet(provider.keys).as_dict(private=False))

        @app.get("/authorize")
        def authorize():
            return server.create_authorization_response(grant_user=dict(provider.person), grant=server.get_consent_grant(end_user=provider.person))

        @app.post("/token")
        def token():
            return server.create_token_response()

        @app.get("/userinfo")
        def userinfo():
            person = provider.tokens.get(request.headers.get("Authorization", "").removeprefix("Bearer "))
            return (jsonify(person), 200) if person else ("", 401)

        return app
