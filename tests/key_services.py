"""Services that keep keys, on this machine: AWS KMS with signatures verified, Google Cloud KMS, Azure Key Vault, a token of SoftHSM2.

Those of Google and Microsoft are the tests' own: they follow the documented exchange, and nobody has compared them with the real ones here.
"""
import base64
import json
import os
import subprocess
import urllib.parse

import jwt
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from aws import Host, canonical

PIN, OFFICER = "hsm-pin-4321", "officer-1234"


def answer(status, body):
    return status, {"Content-Type": "application/json"}, json.dumps(body).encode()


class Keeping(Host):
    """A host that can be told to refuse its key, not its tokens."""

    def __init__(self):
        self.trouble = None
        self.cipher = AESGCM(AESGCM.generate_key(256))
        super().__init__(lambda method, path, *rest: "/token" not in path and self.trouble or self.answer(method, path, *rest))

    def seal(self, plaintext, about):
        nonce = os.urandom(12)
        return nonce + self.cipher.encrypt(nonce, plaintext, about)

    def open(self, blob, about):
        return self.cipher.decrypt(blob[:12], blob[12:], about)


class AwsKms(Keeping):
    """One key. Signatures are verified by botocore's own rules."""

    key = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"
    credentials = Credentials("AKSEAL", "the/secret+key", "the-session")
    is_disabled = False

    def stanza(self):
        return f'seal "awskms" {{\n kms_key_id = "alias/coffer"\n region = "eu-west-1"\n endpoint = "{self.url}"\n}}\n'

    def environment(self):
        return {"AWS_ACCESS_KEY_ID": self.credentials.access_key, "AWS_SECRET_ACCESS_KEY": self.credentials.secret_key,
                "AWS_SESSION_TOKEN": self.credentials.token}

    def refuse(self):
        self.is_disabled = True
        return "DisabledException"

    def mend(self):
        self.trouble, self.is_disabled = None, False

    def answer(self, method, path, headers, body):
        if not self._is_signed(method, path, headers, body):
            return answer(400, {"__type": "InvalidSignatureException"})
        asked = json.loads(body)
        if asked["KeyId"] not in (self.key, "alias/coffer"):
            return answer(400, {"__type": "NotFoundException"})
        operation = headers["X-Amz-Target"]
        if operation == "TrentService.DescribeKey":
            return answer(200, {"KeyMetadata": {"Arn": self.key}})
        if self.is_disabled:
            return answer(400, {"__type": "DisabledException", "message": "the key is disabled"})
        about = json.dumps(asked["EncryptionContext"], sort_keys=True).encode()
        if operation == "TrentService.Encrypt":
            blob = self.seal(base64.b64decode(asked["Plaintext"]), about)
            return answer(200, {"CiphertextBlob": base64.b64encode(blob).decode(), "KeyId": self.key})
        try:
            plaintext = self.open(base64.b64decode(asked["CiphertextBlob"]), about)
        except InvalidTag:
            return answer(400, {"__type": "InvalidCiphertextException"})
        return answer(200, {"Plaintext": base64.b64encode(plaintext).decode(), "KeyId": self.key})

    def _is_signed(self, method, path, headers, body):
        seal = headers.get("Authorization", "")
        parts = dict(part.strip().split("=", 1) for part in seal.split(" ", 1)[-1].split(",") if "=" in part)
        scope = parts.get("Credential", "").split("/")
        signed = parts.get("SignedHeaders", "").split(";")
        if scope[:1] != [self.credentials.access_key] or scope[2:4] != ["eu-west-1", "kms"] or path != "/":
            return False
        if not {"host", "x-amz-date", "x-amz-target", "x-amz-security-token"} <= set(signed):
            return False
        request = AWSRequest(method, f"http://{headers['Host']}/", data=body)
        for name in signed:
            request.headers[name] = headers[name]
        request.context["timestamp"] = headers["X-Amz-Date"]
        signer = SigV4Auth(self.credentials, "kms", "eu-west-1")
        text = signer.string_to_sign(request, canonical(request, parts["SignedHeaders"], body))
        return signer.signature(text, request) == parts["Signature"]


class GoogleKms(Keeping):
    """One key, and who grants tokens for a service account's assertion."""

    name = "projects/shop/locations/global/keyRings/coffer/cryptoKeys/unseal"

    def __init__(self):
        self.pair = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        super().__init__()

    def stanza(self):
        return ('seal "gcpckms" {\n project = "shop"\n region = "global"\n key_ring = "coffer"\n crypto_key = "unseal"\n'
                f' endpoint = "{self.url}"\n}}\n')

    def environment(self):
        pem = self.pair.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        return {"GOOGLE_CREDENTIALS": json.dumps({
            "type": "service_account", "client_email": "coffer@shop.iam.gserviceaccount.com", "private_key_id": "one",
            "private_key": pem.decode(), "token_uri": self.url + "/token"})}

    def refuse(self):
        self.trouble = answer(403, {"error": {"code": 403, "status": "PERMISSION_DENIED", "message": "hunter2"}})
        return "PERMISSION_DENIED"

    def mend(self):
        self.trouble = None

    def answer(self, method, path, headers, body):
        if path == "/token":
            form = urllib.parse.parse_qs(body.decode())
            claims = jwt.decode(form["assertion"][0], self.pair.public_key(), ["RS256"], audience=self.url + "/token")
            assert claims["iss"] == "coffer@shop.iam.gserviceaccount.com", claims
            return answer(200, {"access_token": "granted", "expires_in": 3599, "token_type": "Bearer"})
        if headers.get("Authorization") != "Bearer granted":
            return answer(401, {"error": {"status": "UNAUTHENTICATED"}})
        asked = json.loads(body)
        about = base64.b64decode(asked["additionalAuthenticatedData"])
        if path == f"/v1/{self.name}:encrypt":
            plaintext = base64.b64decode(asked["plaintext"])
            blob = self.seal(plaintext, about)
            return answer(200, {"name": self.name + "/cryptoKeyVersions/1", "ciphertext": base64.b64encode(blob).decode(),
                                "ciphertextCrc32c": str(crc32c(blob)),
                                "verifiedPlaintextCrc32c": asked["plaintextCrc32c"] == str(crc32c(plaintext)),
                                "verifiedAdditionalAuthenticatedDataCrc32c": asked["additionalAuthenticatedDataCrc32c"] == str(crc32c(about))})
        if path == f"/v1/{self.name}:decrypt":
            blob = base64.b64decode(asked["ciphertext"])
            if asked["ciphertextCrc32c"] != str(crc32c(blob)):
                return answer(400, {"error": {"status": "INVALID_ARGUMENT"}})
            plaintext = self.open(blob, about)
            return answer(200, {"plaintext": base64.b64encode(plaintext).decode(), "plaintextCrc32c": str(crc32c(plaintext))})
        return answer(404, {"error": {"status": "NOT_FOUND"}})


class AzureVault(Keeping):
    """One RSA key, and who grants tokens for an application's secret."""

    oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)

    def __init__(self):
        self.pair = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        super().__init__()

    def stanza(self):
        return f'seal "azurekeyvault" {{\n vault_name = "shop"\n key_name = "unseal"\n endpoint = "{self.url}"\n}}\n'

    def environment(self):
        return {"AZURE_TENANT_ID": "tenant", "AZURE_CLIENT_ID": "client", "AZURE_CLIENT_SECRET": "the secret & more",
                "AZURE_AUTHORITY_HOST": self.url}

    def refuse(self):
        self.trouble = answer(403, {"error": {"code": "Forbidden", "message": "hunter2", "innererror": {"code": "KeyDisabled"}}})
        return "KeyDisabled"

    def mend(self):
        self.trouble = None

    def answer(self, method, path, headers, body):
        if path == "/tenant/oauth2/v2.0/token":
            form = {name: value[0] for name, value in urllib.parse.parse_qs(body.decode()).items()}
            assert form == {"grant_type": "client_credentials", "client_id": "client", "client_secret": "the secret & more",
                            "scope": "https://vault.azure.net/.default"}, form
            return answer(200, {"access_token": "granted", "expires_in": 3599, "token_type": "Bearer"})
        if headers.get("Authorization") != "Bearer granted":
            return answer(401, {"error": {"code": "Unauthorized"}})
        kid = f"{self.url}/keys/unseal/0123abcd"
        path, query = path.split("?")
        assert query == "api-version=7.4", query
        if (method, path) == ("GET", "/keys/unseal"):
            return answer(200, {"key": {"kid": kid, "kty": "RSA", "key_ops": ["wrapKey", "unwrapKey"]}})
        asked = json.loads(body)
        assert asked["alg"] == "RSA-OAEP-256", asked
        value = base64.urlsafe_b64decode(asked["value"] + "==")
        if path == "/keys/unseal/0123abcd/wrapkey":
            made = self.pair.public_key().encrypt(value, self.oaep)
        elif path == "/keys/unseal/0123abcd/unwrapkey":
            made = self.pair.decrypt(value, self.oaep)
        else:
            return answer(404, {"error": {"code": "KeyNotFound"}})
        return answer(200, {"kid": kid, "value": base64.urlsafe_b64encode(made).decode().rstrip("=")})


class SoftHsm:
    """A token of SoftHSM2 in a folder, with an AES key."""

    def __init__(self, folder):
        self.folder, self.tokens = str(folder), os.path.join(str(folder), "tokens")
        os.mkdir(self.tokens)
        self.conf = os.path.join(self.folder, "softhsm2.conf")
        with open(self.conf, "w", encoding="utf-8") as file:
            file.write(f"directories.tokendir = {self.tokens}\nobjectstore.backend = file\nlog.level = ERROR\n")
        self._run("softhsm2-util", "--init-token", "--free", "--label", "coffer", "--so-pin", OFFICER, "--pin", PIN)
        places = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/softhsm/libsofthsm2.so")
        self.library = next(place for place in places if os.path.exists(place))
        self._run("pkcs11-tool", "--module", self.library, "--token-label", "coffer", "--login", "--pin", PIN,
                  "--keygen", "--key-type", "aes:32", "--label", "root", "--id", "01")

    def stanza(self):
        return f'seal "pkcs11" {{\n lib = "{self.library}"\n token_label = "coffer"\n key_label = "root"\n}}\n'

    def environment(self):
        return {"SOFTHSM2_CONF": self.conf, "BAO_HSM_PIN": PIN}

    def refuse(self):
        """The token is gone, as when a card is pulled."""
        os.rename(self.tokens, self.tokens + "-away")
        os.mkdir(self.tokens)
        return "there is no token"

    def mend(self):
        os.rmdir(self.tokens)
        os.rename(self.tokens + "-away", self.tokens)

    def stop(self):
        pass

    def _run(self, *words):
        subprocess.run(words, env={**os.environ, "SOFTHSM2_CONF": self.conf}, check=True, capture_output=True)


def crc32c(data):
    """RFC 3720, appendix B.4."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF
