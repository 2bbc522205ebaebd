"""`coffer kms` as people and scripts use it: the real binary, a real server, and openssl beside it."""
import base64
import hmac
import json
import os
import pty
import re
import subprocess

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, keywrap, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

from coffer_server import Server, binary, is_reference

pytestmark = pytest.mark.skipif(is_reference(), reason="the reference has no kms engine")
EVERY_BYTE = bytes(range(256)) * 15 + b"\n"
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    running = Server(tmp_path_factory.mktemp("kms")).start()
    try:
        running.initialise()
        running.unseal()
        running.ok("POST", "sys/mounts/kms", {"type": "kms"})
        yield running
    finally:
        running.kill()


def runner(server, folder, token):
    """Runs `coffer kms …` in a folder; answers its result, which has to end with the expected code."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "COFFER_ADDR": server.addr, "COFFER_TOKEN": token}

    def run(*words, stdin=None, code=0):
        done = subprocess.run([binary(), "kms", *words], cwd=folder, env=environment, input=stdin, capture_output=True, timeout=120)
        assert done.returncode == code, (words, done.returncode, done.stdout[:500], done.stderr)
        return done
    run.environment = environment
    return run


@pytest.fixture
def kms(tmp_path, server):
    return runner(server, tmp_path, server.token)


def openssl(*words, folder, code=0, stdin=None):
    done = subprocess.run(["openssl", *words], cwd=folder, capture_output=True, input=stdin, timeout=60)
    assert done.returncode == code, (words, done.stdout, done.stderr)
    return done.stdout


def create(kms, *words):
    """A key; answers its id."""
    made = kms("create", "-field=key_id", *words).stdout.decode()
    assert UUID.fullmatch(made), made
    return made


def test_any_bytes_come_back_as_they_were(kms, tmp_path):
    create(kms, "-alias=alias/bytes")
    key = "-key=alias/bytes"
    (tmp_path / "in").write_bytes(EVERY_BYTE)
    from_pipe = kms("encrypt", key, "-", stdin=EVERY_BYTE).stdout
    from_file = kms("encrypt", key, "in").stdout
    as_elsewhere = kms("encrypt", key, "@in").stdout
    raw = kms("encrypt", key, "-output=-", "in").stdout
    for ciphertext in (from_pipe, from_file, as_elsewhere, raw, base64.encodebytes(base64.b64decode(from_pipe))):
        assert kms("decrypt", key, "-", stdin=ciphertext).stdout == EVERY_BYTE
    # What is printed is a line of base64; with -output it is the bytes that it stands for.
    assert base64.b64decode(from_pipe, validate=False)[0] == raw[0] == 1 and from_pipe.endswith(b"\n")
    told = kms("encrypt", key, "-output=enc", "in")
    assert b"enc" in told.stdout and (tmp_path / "enc").read_bytes()[0] == 1
    kms("decrypt", key, "-output=out", "enc")
    assert (tmp_path / "out").read_bytes() == EVERY_BYTE and oct((tmp_path / "out").stat().st_mode & 0o777) == "0o600"
    assert b"-force" in kms("decrypt", key, "-output=out", "enc", code=1).stderr
    kms("decrypt", key, "-output=out", "-force", "enc")
    assert sorted(name for name in os.listdir(tmp_path) if "partial" in name) == []
    with open("/dev/full", "wb") as full:
        lost = subprocess.run([binary(), "kms", "decrypt", key, "enc"], cwd=tmp_path, stdout=full, stderr=subprocess.PIPE, env=kms.environment)
    assert lost.returncode == 1 and b"standard output" in lost.stderr
    assert b"empty" in kms("encrypt", key, "-", stdin=b"", code=2).stderr
    assert b"coffer envelope encrypt" in kms("encrypt", key, "-", stdin=b"x" * 4_097, code=2).stderr
    assert b"coffer envelope encrypt" in kms("encrypt", key, "-", stdin=b"x" * 100_000, code=1).stderr
    assert kms("decrypt", key, "-", stdin=kms("encrypt", key, "-", stdin=b"x" * 4_096).stdout).stdout == b"x" * 4_096
    for garbage in (b"garbage!", b"AAAA", raw[:-1], raw[:20] + bytes([raw[20] ^ 1]) + raw[21:]):
        assert b"InvalidCiphertextException" in kms("decrypt", key, "-", stdin=garbage, code=2).stderr


def test_a_terminal_is_not_steered(kms):
    create(kms, "-alias=alias/shown")

    def on_terminal(content):
        ciphertext = kms("encrypt", "-key=alias/shown", "-", stdin=content).stdout
        ours, theirs = pty.openpty()
        done = subprocess.run([binary(), "kms", "decrypt", "-key=alias/shown"], stdout=theirs, stderr=subprocess.PIPE, input=ciphertext, env=kms.environment, timeout=60)
        os.close(theirs)
        try:
            return done, os.read(ours, 4096)
        except OSError:
            return done, b""
        finally:
            os.close(ours)
    done, seen = on_terminal(b"a\x1b[2J")
    assert done.returncode == 0 and b"\x1b" not in seen and seen.startswith(b"a")
    done, seen = on_terminal(b"\xff\0")
    assert done.returncode == 1 and not seen and b"-output=FILE" in done.stderr


def test_a_ciphertext_is_bound_to_its_context_and_key(kms):
    create(kms, "-alias=alias/bound")
    create(kms, "-alias=alias/other")
    sealed = kms("encrypt", "-key=alias/bound", "-context=order=17", "-context=shop=a=b", "-", stdin=b"text").stdout
    assert kms("decrypt", "-key=alias/bound", "-context=shop=a=b", "-context=order=17", "-", stdin=sealed).stdout == b"text"
    for words in ((), ("-context=order=17",), ("-context=order=18", "-context=shop=a=b")):
        refused = kms("decrypt", "-key=alias/bound", *words, "-", stdin=sealed, code=2)
        assert b"InvalidCiphertextException" in refused.stderr and b"-context" in refused.stderr and not refused.stdout
    assert b"IncorrectKeyException" in kms("decrypt", "-key=alias/other", "-", stdin=sealed, code=2).stderr
    assert b"twice" in kms("encrypt", "-key=alias/bound", "-context=a=1", "-context=a=2", "-", stdin=b"x", code=1).stderr
    # Moved to the other key, and to another context; the plaintext is not shown.
    moved = kms("re-encrypt", "-from=alias/bound", "-to=alias/other", "-from-context=order=17", "-from-context=shop=a=b", "-to-context=order=18", "-", stdin=sealed)
    assert kms("decrypt", "-key=alias/other", "-context=order=18", "-", stdin=moved.stdout).stdout == b"text"
    assert b"InvalidCiphertextException" in kms("re-encrypt", "-from=alias/bound", "-to=alias/other", "-", stdin=sealed, code=2).stderr


def test_old_ciphertexts_outlive_rotation(kms):
    create(kms, "-alias=alias/turned")
    key = "-key=alias/turned"
    made = []
    for count in range(4):
        made.append(kms("encrypt", key, "-", stdin=b"%d" % count).stdout)
        kms("rotate", key)
    versions = [int.from_bytes(base64.b64decode(blob)[17:21], "big") for blob in made]
    assert versions == [1, 2, 3, 4]
    for count, blob in enumerate(made):
        assert kms("decrypt", key, "-", stdin=blob).stdout == b"%d" % count
    fresh = kms("re-encrypt", "-from=alias/turned", "-to=alias/turned", "-", stdin=made[0]).stdout
    assert base64.b64decode(fresh)[20] == 5 and kms("decrypt", key, "-", stdin=fresh).stdout == b"0"
    listed = json.loads(kms("rotations", key, "-format=json").stdout)
    assert [entry["key_material_state"] for entry in listed] == ["NON_CURRENT"] * 4 + ["CURRENT"]
    assert b"ON_DEMAND" in kms("rotations", key).stdout
    kms("rotate", key, "-every=90")
    shown = json.loads(kms("rotation", key, "-format=json").stdout)["data"]
    assert shown["key_rotation_enabled"] and shown["rotation_period_in_days"] == 90 and shown["next_rotation_date"]
    assert b"90 to 2560" in kms("rotate", key, "-every=89", code=2).stderr
    kms("rotate", key, "-never")
    assert kms("rotation", key, "-field=key_rotation_enabled").stdout == b"false"


def test_keys_that_must_not_be_used_are_not(kms):
    identity = create(kms, "-alias=alias/off")
    key = "-key=alias/off"
    sealed = kms("encrypt", key, "-", stdin=b"kept").stdout
    uses = [("encrypt", key, "-"), ("decrypt", key, "-"), ("data-key", key), ("re-encrypt", "-from=alias/off", "-to=alias/off", "-"),
            ("data-key-pair", key, "-spec=ECC_NIST_P256")]

    def all_refused(name, step):
        for words in uses:
            refused = kms(*words, stdin=sealed, code=2)
            assert name in refused.stderr and step in refused.stderr and not refused.stdout, (words, refused)
    kms("disable", key)
    all_refused(b"DisabledException", b"coffer kms enable")
    assert kms("describe", key, "-field=key_state").stdout == b"Disabled"
    kms("enable", key)
    assert kms("decrypt", key, "-", stdin=sealed).stdout == b"kept"
    told = kms("schedule-deletion", key, "-days=7").stdout
    assert identity.encode() in told and b"cancel-deletion" in told
    all_refused(b"KMSInvalidStateException", b"coffer kms cancel-deletion")
    for words in (("enable", key), ("rotate", key), ("update", key, "-description=x"), ("tag", key, "a=b"), ("schedule-deletion", key)):
        assert b"pending deletion" in kms(*words, code=2).stderr, words
    assert "PendingDeletion" in kms("list").stdout.decode()
    kms("cancel-deletion", key)
    all_refused(b"DisabledException", b"coffer kms enable")
    kms("enable", key)
    assert kms("decrypt", key, "-", stdin=sealed).stdout == b"kept"
    assert b"7 to 30" in kms("schedule-deletion", key, "-days=6", code=2).stderr


def test_names_notes_and_tags(kms):
    first, second = create(kms, "-description=the first", "-tag=team=a", "-tag=stage=test"), create(kms)
    kms("alias", "create", f"-key={first}", "alias/team/app")
    sealed = kms("encrypt", "-key=alias/team/app", "-", stdin=b"x").stdout
    assert b"AlreadyExistsException" in kms("alias", "create", f"-key={second}", "alias/team/app", code=2).stderr
    assert b"NotFoundException" in kms("alias", "update", f"-key={second}", "alias/team/none", code=2).stderr
    kms("alias", "update", f"-key={second}", "alias/team/app")
    # The alias means another key now, and a ciphertext names its own.
    assert b"IncorrectKeyException" in kms("decrypt", "-key=alias/team/app", "-", stdin=sealed, code=2).stderr
    assert kms("decrypt", f"-key={first}", "-", stdin=sealed).stdout == b"x"
    listed = json.loads(kms("alias", "list", f"-key={second}", "-format=json").stdout)
    assert [(entry["alias_name"], entry["target_key_id"]) for entry in listed] == [("alias/team/app", second)]
    assert b"alias/team/app" in kms("alias", "list").stdout and b"alias/team/app" in kms("list").stdout
    kms("alias", "delete", "alias/team/app")
    gone = kms("encrypt", "-key=alias/team/app", "-", stdin=b"x", code=2)
    assert b"NotFoundException" in gone.stderr and b"coffer kms alias list" in gone.stderr
    for wrong in ("app", "alias/"):
        assert kms("alias", "create", f"-key={first}", wrong, code=1).stderr
    assert b"InvalidAliasNameException" in kms("alias", "create", f"-key={first}", "alias/aws/x", code=2).stderr
    assert b"coffer kms list" in kms("describe", "-key=nothing", code=2).stderr
    kms("update", f"-key={first}", "-description=other")
    assert kms("describe", f"-key={first}", "-field=description").stdout == b"other"
    kms("tag", f"-key={first}", "team=b", "more=1")
    kms("tag", f"-key={first}", "-remove=stage")
    tags = json.loads(kms("tag", f"-key={first}", "-format=json").stdout)
    assert {tag["tag_key"]: tag["tag_value"] for tag in tags} == {"team": "b", "more": "1"}


def test_data_keys(kms, tmp_path):
    create(kms, "-alias=alias/data")
    key = "-key=alias/data"
    sealed = kms("data-key", key, "-output=plain", "-context=a=b").stdout
    plain = (tmp_path / "plain").read_bytes()
    assert len(plain) == 32 and oct((tmp_path / "plain").stat().st_mode & 0o777) == "0o600"
    assert base64.b64encode(plain) not in sealed
    assert kms("decrypt", key, "-context=a=b", "-", stdin=sealed).stdout == plain
    answer = json.loads(kms("data-key", key, "-bytes=64", "-format=json").stdout)["data"]
    assert len(base64.b64decode(answer["plaintext"])) == 64
    hidden = json.loads(kms("data-key", key, "-without-plaintext", "-format=json").stdout)["data"]
    assert "plaintext" not in hidden and hidden["ciphertext_blob"]
    assert b"leave out" in kms("data-key", key, "-without-plaintext", "-output=x", code=1).stderr
    assert len(base64.b64decode(kms("random", "48").stdout)) == 48
    assert len(kms("random", "-output=-", "1024").stdout) == 1_024
    assert b"1 to 1024" in kms("random", "1025", code=2).stderr
    # A pair: the file is a private key that openssl reads, and the encrypted half is the same one.
    told = json.loads(kms("data-key-pair", key, "-spec=ECC_NIST_P256", "-output=private.pem", "-format=json").stdout)["data"]
    assert "private_key_plaintext" not in told
    public = openssl("pkey", "-in", "private.pem", "-pubout", "-outform", "DER", folder=tmp_path)
    assert base64.b64decode(told["public_key"]) == public
    document = kms("decrypt", key, "-", stdin=told["private_key_ciphertext_blob"].encode()).stdout
    assert openssl("pkey", "-inform", "DER", "-pubout", "-outform", "DER", folder=tmp_path, stdin=document) == public
    hidden = json.loads(kms("data-key-pair", key, "-spec=ECC_NIST_EDWARDS25519", "-without-plaintext", "-format=json").stdout)["data"]
    assert "private_key_plaintext" not in hidden


@pytest.mark.parametrize("spec,algorithm,digest", [
    ("ECC_NIST_P256", "ECDSA_SHA_256", "sha256"), ("ECC_NIST_P384", "ECDSA_SHA_384", "sha384"), ("ECC_NIST_P521", "ECDSA_SHA_512", "sha512"),
    ("RSA_2048", "RSASSA_PKCS1_V1_5_SHA_256", "sha256")])
def test_openssl_verifies_what_was_signed(kms, tmp_path, spec, algorithm, digest):
    create(kms, f"-spec={spec}", "-usage=SIGN_VERIFY", f"-alias=alias/{digest}-{spec}")
    words = (f"-key=alias/{digest}-{spec}", f"-algorithm={algorithm}")
    (tmp_path / "notes").write_bytes(EVERY_BYTE)
    (tmp_path / "public.pem").write_bytes(kms("public-key", words[0]).stdout)
    kms("sign", *words, "-output=notes.sig", "notes")
    verify = ("dgst", f"-{digest}", "-verify", "public.pem", "-signature", "notes.sig", "notes")
    assert b"Verified OK" in openssl(*verify, folder=tmp_path)
    # Raw bytes and base64 are both signatures, a digest stands for the file, and what openssl hashed is the same.
    hashed = openssl("dgst", f"-{digest}", "-binary", "notes", folder=tmp_path)
    by_digest = kms("sign", *words, "-digest", "-", stdin=hashed).stdout
    (tmp_path / "digest.sig").write_bytes(by_digest)
    for signature in ("notes.sig", "digest.sig"):
        assert b"is valid" in kms("verify", *words, f"-signature={signature}", "notes").stdout
    assert b"is valid" in kms("verify", *words, "-signature=notes.sig", "-digest", "-", stdin=hashed).stdout
    (tmp_path / "notes").write_bytes(EVERY_BYTE + b"x")
    openssl(*verify, folder=tmp_path, code=1)
    refused = kms("verify", *words, "-signature=notes.sig", "notes", code=3)
    assert b"NOT valid" in refused.stderr and not refused.stdout
    # What could not be checked has another code than what is not valid.
    assert b"compat" in kms("verify", words[0], "-algorithm=ED25519_SHA_512", "-signature=notes.sig", "notes", code=2).stderr
    kms("verify", *words, "-signature=none.sig", "notes", code=1)
    assert kms("public-key", words[0], "-der", "-output=-").stdout == openssl("pkey", "-pubin", "-in", "public.pem", "-pubout", "-outform", "DER", folder=tmp_path)


def test_codes(kms, tmp_path):
    identity = create(kms, "-spec=HMAC_384", "-usage=GENERATE_VERIFY_MAC", "-origin=EXTERNAL")
    words = (f"-key={identity}", "-algorithm=HMAC_SHA_384")
    material = os.urandom(48)
    kms("import", words[0], "-", stdin=material)
    made = kms("mac", *words, "-output=-", "-", stdin=b"message").stdout
    assert made == hmac.digest(material, b"message", "sha384")
    (tmp_path / "code").write_bytes(base64.b64encode(made))
    assert b"is valid" in kms("mac", *words, "-verify=code", "-", stdin=b"message").stdout
    refused = kms("mac", *words, "-verify=code", "-", stdin=b"massage", code=3)
    assert b"NOT valid" in refused.stderr and not refused.stdout


def test_rsa_keys_decrypt_what_others_encrypted(kms, tmp_path):
    create(kms, "-spec=RSA_2048", "-usage=ENCRYPT_DECRYPT", "-alias=alias/mail")
    words = ("-key=alias/mail", "-algorithm=RSAES_OAEP_SHA_256")
    (tmp_path / "public.pem").write_bytes(kms("public-key", words[0]).stdout)
    oaep = ("-pkeyopt", "rsa_padding_mode:oaep", "-pkeyopt", "rsa_oaep_md:sha256", "-pkeyopt", "rsa_mgf1_md:sha256")
    sealed = openssl("pkeyutl", "-encrypt", "-pubin", "-inkey", "public.pem", *oaep, folder=tmp_path, stdin=b"from outside")
    assert kms("decrypt", *words, "-", stdin=sealed).stdout == b"from outside"
    assert kms("decrypt", *words, "-", stdin=kms("encrypt", *words, "-", stdin=b"\0\xff").stdout).stdout == b"\0\xff"
    assert b"the limit is 190" in kms("encrypt", *words, "-", stdin=b"x" * 191, code=2).stderr
    assert b"describe" in kms("encrypt", words[0], "-", stdin=b"x", code=2).stderr


def test_material_is_imported(kms, tmp_path):
    identity = create(kms, "-origin=EXTERNAL", "-alias=alias/ours")
    key = "-key=alias/ours"
    waiting = kms("encrypt", key, "-", stdin=b"x", code=2)
    assert b"pending import" in waiting.stderr and b"coffer kms import" in waiting.stderr
    first, second = os.urandom(32), os.urandom(32)
    (tmp_path / "first.bin").write_bytes(first)
    kms("import", key, "first.bin")
    sealed = kms("encrypt", key, "-output=-", "-context=a=b", "-", stdin=b"text").stdout
    assert opened(first, sealed, [("a", "b")]) == b"text"
    # Deleted, the key refuses; other material is refused, the same is taken.
    kms("delete-material", key)
    assert b"pending import" in kms("decrypt", key, "-context=a=b", "-", stdin=sealed, code=2).stderr
    other = kms("import", key, "-", stdin=second, code=2)
    assert b"IncorrectKeyMaterialException" in other.stderr and b"-new" in other.stderr
    kms("import", key, "first.bin")
    assert kms("decrypt", key, "-context=a=b", "-", stdin=sealed).stdout == b"text"
    # The next waits for its rotation; the old decrypts on.
    assert b"import -new" in kms("rotate", key, code=2).stderr
    kms("import", key, "-new", "-description=of May", "-", stdin=second)
    kms("rotate", key)
    assert opened(second, kms("encrypt", key, "-output=-", "-", stdin=b"new").stdout, []) == b"new"
    assert kms("decrypt", key, "-context=a=b", "-", stdin=sealed).stdout == b"text"
    assert b"32 bytes" in kms("import", key, "-new", "-", stdin=first.hex().encode(), code=2).stderr
    assert b"in the past" in kms("import", key, "-expires=2001-01-01T00:00:00Z", "first.bin", code=2).stderr
    # A key whose material the server made takes none.
    create(kms, "-alias=alias/theirs")
    assert b"EXTERNAL" in kms("import", "-key=alias/theirs", "first.bin", code=2).stderr
    assert identity in kms("list").stdout.decode()


def opened(material, blob, context):
    """Decrypts by the written format alone: SP 800-108 in counter mode with HMAC-SHA-256, then AES-256-GCM."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    header, nonce, sealed = blob[:37], blob[37:49], blob[49:]
    fixed = b"\0\0\0\x01" + b"coffer kms message key" + b"\0" + header[21:37] + b"\0\0\x01\0"
    pairs = b"".join(len(text.encode()).to_bytes(4, "big") + text.encode() for pair in sorted(context) for text in pair)
    bound = b"coffer kms ciphertext" + header + len(context).to_bytes(4, "big") + pairs
    return AESGCM(hmac.digest(material, fixed, "sha256")).decrypt(nonce, sealed, bound)


def test_private_keys_are_imported(kms, tmp_path):
    pairs = {
        "ECC_NIST_P256": ec.generate_private_key(ec.SECP256R1()), "ECC_NIST_P521": ec.generate_private_key(ec.SECP521R1()),
        "ECC_NIST_EDWARDS25519": ed25519.Ed25519PrivateKey.generate(), "RSA_2048": rsa.generate_private_key(65_537, 2_048)}
    algorithms = {"ECC_NIST_P256": "ECDSA_SHA_256", "ECC_NIST_P521": "ECDSA_SHA_512", "ECC_NIST_EDWARDS25519": "ED25519_SHA_512", "RSA_2048": "RSASSA_PSS_SHA_256"}
    for spec, private in pairs.items():
        identity = create(kms, f"-spec={spec}", "-usage=SIGN_VERIFY", "-origin=EXTERNAL")
        encoding = serialization.Encoding.DER if spec == "ECC_NIST_P521" else serialization.Encoding.PEM
        document = private.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        kms("import", f"-key={identity}", "-", stdin=document)
        signature = kms("sign", f"-key={identity}", f"-algorithm={algorithms[spec]}", "-output=-", "-", stdin=b"message").stdout
        rest = {"ECC_NIST_P256": (ec.ECDSA(hashes.SHA256()),), "ECC_NIST_P521": (ec.ECDSA(hashes.SHA512()),), "ECC_NIST_EDWARDS25519": (),
                "RSA_2048": (padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())}[spec]
        private.public_key().verify(signature, b"message", *rest)
        with pytest.raises(InvalidSignature):
            private.public_key().verify(signature, b"massage", *rest)
    identity = create(kms, "-spec=ECC_NIST_P256", "-usage=SIGN_VERIFY", "-origin=EXTERNAL")
    old = pairs["ECC_NIST_P256"].private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption())
    assert b"openssl pkcs8" in kms("import", f"-key={identity}", "-", stdin=old, code=1).stderr
    assert b"IncorrectKeyMaterial" in kms("import", f"-key={identity}", "-", stdin=b"no key at all", code=2).stderr


def test_material_is_wrapped_elsewhere(kms, tmp_path):
    """As an HSM would: openssl wraps for the public key, and the token goes with it."""
    create(kms, "-origin=EXTERNAL", "-alias=alias/hsm")
    key, material = "-key=alias/hsm", os.urandom(32)
    given = json.loads(kms("import-parameters", key, "-wrapping-key-spec=RSA_2048", "-format=json").stdout)["data"]
    (tmp_path / "wrapping.der").write_bytes(base64.b64decode(given["public_key"]))
    (tmp_path / "token").write_text(given["import_token"] + "\n")
    (tmp_path / "material.bin").write_bytes(material)
    openssl("pkeyutl", "-encrypt", "-in", "material.bin", "-out", "wrapped.bin", "-pubin", "-inkey", "wrapping.der", "-keyform", "DER",
            "-pkeyopt", "rsa_padding_mode:oaep", "-pkeyopt", "rsa_oaep_md:sha256", "-pkeyopt", "rsa_mgf1_md:sha256", folder=tmp_path)
    assert kms("import", key, "-wrapped", "wrapped.bin", code=1).stderr
    (tmp_path / "damaged.bin").write_bytes(bytes(256))
    assert b"InvalidCiphertextException" in kms("import", key, "-wrapped", "-import-token=token", "damaged.bin", code=2).stderr
    kms("import", key, "-wrapped", "-import-token=token", "wrapped.bin")
    assert opened(material, kms("encrypt", key, "-output=-", "-", stdin=b"text").stdout, []) == b"text"
    # An EC key by RSA_AES_KEY_WRAP, wrapped with another library.
    private = ec.generate_private_key(ec.SECP384R1())
    identity = create(kms, "-spec=ECC_NIST_P384", "-usage=SIGN_VERIFY", "-origin=EXTERNAL")
    given = json.loads(kms("import-parameters", f"-key={identity}", "-wrapping-algorithm=RSA_AES_KEY_WRAP_SHA_256", "-format=json").stdout)["data"]
    public, between = serialization.load_der_public_key(base64.b64decode(given["public_key"])), os.urandom(32)
    document = private.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    wrapped = public.encrypt(between, padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)) + keywrap.aes_key_wrap_with_padding(between, document)
    (tmp_path / "token").write_text(given["import_token"])
    kms("import", f"-key={identity}", "-wrapped", "-import-token=token", "-", stdin=wrapped)
    signature = kms("sign", f"-key={identity}", "-algorithm=ECDSA_SHA_384", "-output=-", "-", stdin=b"message").stdout
    private.public_key().verify(signature, b"message", ec.ECDSA(hashes.SHA384()))


def test_a_policy_names_who_may_use_which_key(kms, server, tmp_path):
    identity, other = create(kms, "-alias=alias/app"), create(kms, "-alias=alias/app2")
    server.ok("PUT", "sys/policies/acl/writer", {"policy": 'path "kms/encrypt/alias:app" { capabilities = ["update"] }'})
    token = server.ok("POST", "auth/token/create", {"policies": ["writer"]})["auth"]["client_token"]
    writer = runner(server, tmp_path, token)
    sealed = writer("encrypt", "-key=alias/app", "-", stdin=b"text").stdout
    assert kms("decrypt", "-key=alias/app", "-", stdin=sealed).stdout == b"text"
    denied = [("decrypt", "-key=alias/app", "-"), ("encrypt", "-key=alias/app2", "-"), ("encrypt", f"-key={identity}", "-"), ("encrypt", f"-key={other}", "-"),
              ("data-key", "-key=alias/app"), ("re-encrypt", "-from=alias/app", "-to=alias/app2", "-"), ("list",), ("describe", "-key=alias/app"),
              ("alias", "update", f"-key={other}", "alias/app"), ("schedule-deletion", "-key=alias/app"), ("import-parameters", "-key=alias/app"),
              ("encrypt", "-key=ALIAS/app", "-"), ("encrypt", "-key=alias/App", "-"), ("encrypt", f"-key={identity.upper()}", "-")]
    for words in denied:
        refused = writer(*words, stdin=sealed, code=2)
        assert b"permission denied" in refused.stderr and not refused.stdout, (words, refused)


def test_programs_get_json_and_fields(kms):
    identity = create(kms, "-alias=alias/program")
    described = json.loads(kms("describe", "-key=alias/program", "-format=json").stdout)["data"]
    assert described["key_id"] == identity and described["key_state"] == "Enabled" and described["encryption_algorithms"] == ["SYMMETRIC_DEFAULT"]
    sealed = kms("encrypt", "-key=alias/program", "-field=ciphertext_blob", "-", stdin=b"x").stdout
    assert not sealed.endswith(b"\n")
    answer = json.loads(kms("decrypt", "-key=alias/program", "-format=json", "-", stdin=sealed).stdout)["data"]
    assert base64.b64decode(answer["plaintext"]) == b"x" and answer["key_id"] == identity
    listed = json.loads(kms("list", "-format=json").stdout)
    assert listed[identity]["aliases"] == ["alias/program"]
    nowhere = kms("list", "-mount=nowhere", code=2)
    assert b"coffer secrets enable kms" in nowhere.stderr
