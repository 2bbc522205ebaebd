"""The API server of a cluster, as far as logins ask it: reviews of tokens, and namespaces with labels. It speaks TLS by a CA of its own, and signs its tokens with real keys."""
import base64
import datetime
import http.server
import ipaddress
import json
import os
import ssl
import tempfile
import threading
import time

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID

ISSUER = "https://kubernetes.default.svc.cluster.local"
REVIEW = "/apis/authentication.k8s.io/v1/tokenreviews"


class Cluster:
    """`reviews` and `asked` hold what was asked; `answers` is a function from the token of a review to a status other than a cluster's, or none."""

    def __init__(self, with_tls=True):
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.reviews, self.asked, self.namespaces, self.deleted = [], [], {}, set()
        self.answers = self.raw = None
        self.reviewers = None
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler(self))
        self.ca = ""
        if with_tls:
            self.ca = secure(self.server)
        self.host = f"{'https' if with_tls else 'http'}://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    @property
    def public_key(self):
        return self.key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()

    def claims(self, name="app", namespace="shop", uid="11111111-2222-3333-4444-555555555555", audience=(ISSUER,), lives_s=3600, **more):
        now = int(time.time())
        return {"iss": ISSUER, "sub": f"system:serviceaccount:{namespace}:{name}", "aud": list(audience), "iat": now, "nbf": now, "exp": now + lives_s,
                "kubernetes.io": {"namespace": namespace, "pod": {"name": "app-0", "uid": "99999999-2222-3333-4444-555555555555"}, "serviceaccount": {"name": name, "uid": uid}}, **more}

    def token(self, *parts, key=None, **named):
        """The token of a service account, as pods have it."""
        return self.sign(self.claims(*parts, **named), key)

    def old_token(self, name="app", namespace="shop", uid="11111111-2222-3333-4444-555555555555", secret="app-token-x", **more):
        """The token of a service account as it is kept in a secret: without an end."""
        at = "kubernetes.io/serviceaccount"
        return self.sign({"iss": at, f"{at}/namespace": namespace, f"{at}/secret.name": secret, f"{at}/service-account.name": name, f"{at}/service-account.uid": uid,
                          "sub": f"system:serviceaccount:{namespace}:{name}", **more})

    def sign(self, claims, key=None, algorithm="RS256"):
        return jwt.encode(claims, key or self.key, algorithm=algorithm, headers={"kid": "cluster-1"})

    def sign_raw(self, claims):
        """Signs claims that the library would refuse to write."""
        part = lambda value: base64.urlsafe_b64encode(value).rstrip(b"=")  # noqa: E731
        signed = part(json.dumps({"alg": "RS256", "kid": "cluster-1"}).encode()) + b"." + part(json.dumps(claims).encode())
        return (signed + b"." + part(self.key.sign(signed, padding.PKCS1v15(), hashes.SHA256()))).decode()

    def review(self, token, audiences):
        """The status of a review, as a cluster answers."""
        instead = self.answers and self.answers(token)
        if instead is not None:
            return instead
        try:
            claims = jwt.decode(token, self.key.public_key(), algorithms=["RS256"], options={"verify_aud": False})
        except jwt.InvalidTokenError as error:
            return {"user": {}, "error": f"[invalid bearer token, {error}]"}
        meant = [audience for audience in audiences or [ISSUER] if audience in claims.get("aud", [ISSUER])]
        if not meant:
            return {"user": {}, "error": "[invalid bearer token, token audiences are invalid for the target audiences]"}
        inner = claims.get("kubernetes.io", {}).get("serviceaccount", {})
        uid = inner.get("uid") or claims.get("kubernetes.io/serviceaccount/service-account.uid")
        if uid in self.deleted:
            return {"user": {}, "error": "[invalid bearer token, service account is gone]"}
        status = {"authenticated": True, "user": {"username": claims.get("sub", ""), "uid": uid, "groups": ["system:serviceaccounts", "system:authenticated"]}}
        return {**status, "audiences": meant} if audiences else status


def handler(cluster):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            bearer = self.headers.get("Authorization", "").removeprefix("Bearer ")
            cluster.asked.append(self.path)
            cluster.reviews.append({"bearer": bearer, "body": body, "path": self.path, "headers": dict(self.headers)})
            if cluster.raw:
                return cluster.raw(self)
            if cluster.reviewers is not None and bearer not in cluster.reviewers:
                return self.refuse(401, "Unauthorized")
            spec = body["spec"]
            answer = {"kind": "TokenReview", "apiVersion": "authentication.k8s.io/v1", "metadata": {}, "spec": spec, "status": cluster.review(spec["token"], spec.get("audiences"))}
            return self.answer(201, answer)

        def do_GET(self):
            cluster.asked.append(self.path)
            if cluster.raw:
                return cluster.raw(self)
            if self.path == "/openid/v1/jwks":
                return self.answer(200, {"keys": [{**json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(cluster.key.public_key())), "kid": "cluster-1", "use": "sig", "alg": "RS256"}]})
            name = self.path.removeprefix("/api/v1/namespaces/")
            if name in cluster.namespaces:
                return self.answer(200, {"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": name, "labels": cluster.namespaces[name]}})
            return self.refuse(404, "NotFound")

        def refuse(self, status, reason):
            self.answer(status, {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": f"it is {reason}", "reason": reason, "code": status})

        def answer(self, status, body, kind="application/json"):
            text = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_):
            pass

    return Handler


def secure(server):
    """Lets the server speak TLS; returns its CA in PEM."""
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca = certificate("kube-ca", ca_key, "kube-ca", ca_key, [x509.BasicConstraints(ca=True, path_length=None)])
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("localhost")])
    own = certificate("kube-apiserver", key, "kube-ca", ca_key, [names])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "both.pem")
        with open(path, "wb") as file:
            file.write(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
            file.write(own.public_bytes(serialization.Encoding.PEM))
        context.load_cert_chain(path)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    return ca.public_bytes(serialization.Encoding.PEM).decode()


def certificate(subject, key, issuer, issuer_key, extensions):
    now = datetime.datetime.now(datetime.timezone.utc)
    named = lambda name: x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])  # noqa: E731
    builder = (x509.CertificateBuilder().subject_name(named(subject)).issuer_name(named(issuer)).public_key(key.public_key())
               .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(hours=1)).not_valid_after(now + datetime.timedelta(hours=24)))
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(issuer_key, hashes.SHA256())
