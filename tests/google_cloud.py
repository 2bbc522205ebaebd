"""Google Cloud, as far as logins ask it: the keys of service accounts and its own, accounts, machines, groups, projects, and the metadata of a machine."""
import datetime
import http.server
import json
import threading
import time
import urllib.parse

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

EMAIL, ID = "web@shop.iam.gserviceaccount.com", "111111111111111111111"
BEARER = "ya29.by-the-key"


class Google:
    """`asked` holds what was asked: method, path, and the token that asked."""

    def __init__(self):
        self.own, self.account, self.operator = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(3))
        self.asked, self.disabled, self.labels, self.groups = [], False, {"env": "prod"}, {"front": []}
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler(self))
        self.host = f"127.0.0.1:{self.server.server_address[1]}"
        self.url = f"http://{self.host}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    @property
    def endpoints(self):
        return {part: self.url for part in ("api", "iam", "crm", "compute", "metadata")}

    def credentials(self, key=None, email="coffer@ops.iam.gserviceaccount.com", key_id="operator-1"):
        pem = (key or self.operator).private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()
        return json.dumps({"type": "service_account", "project_id": "ops", "private_key_id": key_id, "private_key": pem, "client_email": email, "client_id": "9", "token_uri": self.url + "/token"})

    def by_account(self, role, key=None, lives_s=600, **more):
        """The token that a service account signs for a role."""
        claims = {"sub": EMAIL, "aud": f"vault/{role}", "exp": int(time.time()) + lives_s, **more}
        return jwt.encode({name: value for name, value in claims.items() if value is not None}, key or self.account, algorithm="RS256", headers={"kid": "account-1"})

    def by_machine(self, role, key=None, **more):
        """The token that Google signs for a machine."""
        now = int(time.time())
        machine = {"project_id": "shop", "project_number": 42, "zone": "us-east1-b", "instance_id": "7777777777777777777", "instance_name": "vm", "instance_creation_timestamp": 1700000000}
        claims = {"iss": "https://accounts.google.com", "sub": ID, "azp": ID, "email": EMAIL, "email_verified": True, "aud": f"http://vault/{role}", "iat": now, "exp": now + 3600,
                  "google": {"compute_engine": {**machine, **more.pop("machine", {})}}, **more}
        return jwt.encode(claims, key or self.own, algorithm="RS256", headers={"kid": "google-1"})

    def answer(self, method, path, query, body, bearer):
        """What is at a path, or none."""
        if path.startswith("/service_accounts/v1/metadata/x509/"):
            return {"account-1": certificate(self.account)} if path.endswith(("/" + EMAIL, "/" + ID)) else None
        if path == "/oauth2/v3/certs":
            return {"keys": [{**json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.own.public_key())), "kid": "google-1", "use": "sig", "alg": "RS256"}]}
        if path == "/token":
            claims = jwt.decode(urllib.parse.parse_qs(body)["assertion"][0], self.operator.public_key(), algorithms=["RS256"], audience=self.url + "/token")
            return {"access_token": BEARER, "expires_in": 3599} if claims["iss"].startswith("coffer@") and "cloud-platform" in claims["scope"] else None
        if path.startswith("/computeMetadata/v1/instance/service-accounts/default/"):
            if path.endswith("/token"):
                return {"access_token": BEARER, "expires_in": 3599}
            return self.by_machine(query["audience"][0].removeprefix("http://vault/")) if query["format"] == ["full"] else None
        return self.asked_by_name(path) if bearer == BEARER else None

    def asked_by_name(self, path):
        at = "/compute/v1/projects/shop/zones/us-east1-b"
        link = f"https://www.googleapis.com{at}/instances/vm"
        if path in (f"/v1/projects/-/serviceAccounts/{EMAIL}", f"/v1/projects/-/serviceAccounts/{ID}"):
            return {"email": EMAIL, "uniqueId": ID, "projectId": "shop", "disabled": self.disabled}
        if path == f"{at}/instances/vm":
            return {"id": "7777777777777777777", "selfLink": link, "labels": self.labels}
        if path.startswith(f"{at}/instanceGroups/"):
            names = self.groups.get(path.split("/")[-2])
            return None if names is None else {"items": [{"instance": link.replace("/vm", "/" + name)} for name in names]}
        if path == "/v1/projects/shop:getAncestry":
            return {"ancestor": [{"resourceId": {"type": kind, "id": name}} for kind, name in (("project", "shop"), ("folder", "5"), ("organization", "6"))]}
        return None


def handler(google):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            url = urllib.parse.urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            bearer = self.headers.get("Authorization", "").removeprefix("Bearer ")
            google.asked.append((self.command, url.path, bearer))
            is_machines = not url.path.startswith("/computeMetadata") or self.headers.get("Metadata-Flavor") == "Google"
            found = google.answer(self.command, url.path, urllib.parse.parse_qs(url.query), body, bearer) if is_machines else None
            text = (found if isinstance(found, str) else json.dumps(found)).encode()
            self.send_response(404 if found is None else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_POST = do_GET

        def log_message(self, *_):
            pass

    return Handler


def certificate(key):
    now, name = datetime.datetime.now(datetime.timezone.utc), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, EMAIL[:60])])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(x509.random_serial_number())
    made = builder.not_valid_before(now - datetime.timedelta(hours=1)).not_valid_after(now + datetime.timedelta(hours=24)).sign(key, hashes.SHA256())
    return made.public_bytes(serialization.Encoding.PEM).decode()
