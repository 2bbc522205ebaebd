"""`coffer transit` as people and scripts use it, against the reference's engine and against Coffer's own."""
import base64
import hashlib
import hmac
import json
import os
import pty
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests
from cryptography.hazmat.primitives import hashes, keywrap, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from coffer_server import ROOT, Server, binary, is_reference
from reference import Reference

pytestmark = pytest.mark.skipif(is_reference(), reason="the reference's command line has no such commands")
EVERY_BYTE = bytes(range(256)) * 17 + b"\n"


class Own:
    """Coffer's own server."""

    def __init__(self, folder):
        self.server = Server(folder).start()
        self.server.initialise()
        self.server.unseal()
        self.url, self.token = self.server.addr, self.server.token
        self.server.ok("POST", "sys/mounts/transit", {"type": "transit"})

    def stop(self):
        self.server.kill()


@pytest.fixture(scope="module", params=["reference", "own"])
def server(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "own":
        running = Own(folder)
    else:
        running = Reference(folder)
        running.token = "root"
    yield running
    running.stop()


@pytest.fixture
def transit(tmp_path, server):
    """Runs `coffer transit …` in a folder of its own; answers its result, which has to be the expected one."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "COFFER_ADDR": server.url, "COFFER_TOKEN": server.token}

    def run(*words, stdin=None, code=0):
        done = subprocess.run([binary(), "transit", *words], cwd=tmp_path, env=environment, input=stdin, capture_output=True, timeout=120)
        assert done.returncode == code, (words, done.returncode, done.stdout[:500], done.stderr)
        return done
    run.environment = environment
    return run


def out(done):
    return done.stdout.decode().removesuffix("\n")


def ask(server, path, **body):
    answer = requests.post(f"{server.url}/v1/{path}", json=body, headers={"X-Vault-Token": server.token}, timeout=30)
    assert answer.ok, answer.text


def rows(lines):
    return [json.loads(line) for line in lines.decode().splitlines()]


def test_any_bytes_come_back_as_they_were(transit, tmp_path):
    transit("keys", "create", "bytes")
    (tmp_path / "in").write_bytes(EVERY_BYTE)
    from_pipe = transit("encrypt", "bytes", "-", stdin=EVERY_BYTE).stdout
    from_file = transit("encrypt", "bytes", "@in").stdout
    (tmp_path / "@odd").write_bytes(EVERY_BYTE)
    from_flag = transit("encrypt", "-file=@odd", "bytes").stdout
    for ciphertext in (from_pipe, from_file, from_flag):
        assert ciphertext.startswith(b"vault:v1:") and ciphertext.endswith(b"\n")
        assert transit("decrypt", "bytes", "-", stdin=ciphertext).stdout == EVERY_BYTE
    (tmp_path / "enc").write_bytes(from_pipe)
    told = transit("decrypt", "-output=out", "bytes", "@enc")
    assert told.stdout == b"Success! Written: out\n"
    assert (tmp_path / "out").read_bytes() == EVERY_BYTE and oct((tmp_path / "out").stat().st_mode & 0o777) == "0o600"
    refused = transit("decrypt", "-output=out", "bytes", "@enc", code=1)
    assert b"-force" in refused.stderr
    transit("decrypt", "-output=out", "-force", "bytes", "@enc")
    assert transit("decrypt", "-output=-", "bytes", from_pipe.decode().strip()).stdout == EVERY_BYTE
    with open("/dev/full", "wb") as full:
        lost = subprocess.run([binary(), "transit", "decrypt", "bytes", from_pipe.decode().strip()], stdout=full, stderr=subprocess.PIPE, env=transit.environment)
        assert lost.returncode == 1 and b"standard output" in lost.stderr
        lost = subprocess.run([binary(), "transit", "encrypt", "bytes", "text"], stdout=full, stderr=subprocess.PIPE, env=transit.environment)
        assert lost.returncode == 1
    with open(tmp_path / "large", "wb") as large:
        large.truncate(24 << 20)
    assert b"coffer envelope encrypt" in transit("encrypt", "bytes", "@large", code=1).stderr
    for empty in (b"", b"\n"):
        ciphertext = transit("encrypt", "bytes", "-", stdin=empty).stdout
        assert transit("decrypt", "bytes", "-", stdin=ciphertext).stdout == empty


def test_a_terminal_is_not_steered(transit):
    transit("keys", "create", "shown")

    def on_terminal(*words):
        ours, theirs = pty.openpty()
        done = subprocess.run([binary(), "transit", *words], stdout=theirs, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, env=transit.environment, timeout=60)
        os.close(theirs)
        try:
            return done, os.read(ours, 4096)
        except OSError:
            return done, b""
        finally:
            os.close(ours)
    for content, shown in ((b"text", b"text\r\n"), (b"a\x1b[2J", b"a\\u{1b}[2J\r\n")):
        ciphertext = out(transit("encrypt", "shown", "-", stdin=content))
        done, seen = on_terminal("decrypt", "shown", ciphertext)
        assert (done.returncode, seen) == (0, shown)
    done, seen = on_terminal("decrypt", "shown", out(transit("encrypt", "shown", "-", stdin=b"\xff\0")))
    assert done.returncode == 1 and not seen and b"-output=FILE" in done.stderr


def test_scripts_get_fields_and_json(transit):
    transit("keys", "create", "script")
    ciphertext = transit("encrypt", "-field=ciphertext", "script", "text").stdout.decode()
    assert ciphertext.startswith("vault:v1:") and not ciphertext.endswith("\n")
    answer = json.loads(transit("decrypt", "-format=json", "script", ciphertext).stdout)
    assert base64.b64decode(answer["data"]["plaintext"]) == b"text"
    assert transit("decrypt", "-field=plaintext", "script", ciphertext).stdout == base64.b64encode(b"text")
    assert transit("keys", "read", "-field=latest_version", "script").stdout == b"1"
    assert "script" in json.loads(transit("keys", "list", "-format=json").stdout)
    # Again is no error, but another kind under the same name is.
    transit("keys", "create", "script")
    transit("keys", "create", "-type=aes256-gcm96", "script")
    assert b"type is aes256-gcm96" in transit("keys", "create", "-type=ed25519", "script", code=2).stderr
    # The mount may stand in front, as in the paths of the API.
    for name in ("transit/script", "transit/keys/script"):
        assert transit("decrypt", name, ciphertext).stdout == b"text"
    assert transit("decrypt", "-mount=transit/", "script", ciphertext).stdout == b"text"


def test_what_a_ciphertext_is_bound_to(transit):
    transit("keys", "create", "-derived", "bound")
    missing = transit("encrypt", "bound", "text", code=2)
    assert b"-context=" in missing.stderr
    ciphertext = out(transit("encrypt", "-context=a", "-associated-data=b", "bound", "text"))
    assert transit("decrypt", "-context=a", "-associated-data=b", "bound", ciphertext).stdout == b"text"
    for other in (["-context=x", "-associated-data=b"], ["-context=a", "-associated-data=x"], ["-context=a"]):
        wrong = transit("decrypt", *other, "bound", ciphertext, code=2)
        assert not wrong.stdout and b"-associated-data" in wrong.stderr
    transit("keys", "create", "-derived", "-convergent", "same")
    once, again, other = (out(transit("encrypt", f"-context={who}", "same", "text")) for who in ("a", "a", "b"))
    assert once == again != other
    twice = transit("encrypt", "-context=-", "bound", "-", stdin=b"x", code=1)
    assert b"read once" in twice.stderr
    many = transit("encrypt", "-context=-", "-batch=-", "bound", stdin=b"x", code=1)
    assert b"read once" in many.stderr


def test_rotate_rewrap_trim_delete(transit):
    transit("keys", "create", "old")
    first = out(transit("encrypt", "old", "text"))
    table = out(transit("keys", "rotate", "old"))
    assert table.startswith("Success! Rotated: transit/keys/old\n") and "latest_version" in table and "\n2    " in table
    second = out(transit("rewrap", "old", first))
    assert second.startswith("vault:v2:") and transit("decrypt", "old", second).stdout == b"text"
    transit("keys", "config", "-min-encryption-version=1", "old")
    assert out(transit("encrypt", "-key-version=1", "old", "text")).startswith("vault:v1:")
    transit("keys", "config", "-min-decryption-version=2", "-min-encryption-version=2", "old")
    refused = transit("decrypt", "old", first, code=2)
    assert b"min_decryption_version" in refused.stderr
    transit("keys", "trim", "-min-available-version=2", "old")
    assert transit("keys", "read", "-field=min_available_version", "old").stdout == b"2"
    guarded = transit("keys", "delete", "old", code=2)
    assert b"-deletion-allowed" in guarded.stderr
    transit("keys", "soft-delete", "old")
    idle = transit("decrypt", "old", second, code=2)
    assert b"keys undelete" in idle.stderr
    transit("keys", "undelete", "old")
    transit("keys", "config", "-deletion-allowed", "old")
    transit("keys", "delete", "old")
    gone = transit("decrypt", "old", second, code=2)
    assert b"keys list" in gone.stderr
    assert transit("keys", "read", "old", code=2).stderr.startswith(b"No value found")


def test_data_keys(transit, tmp_path):
    transit("keys", "create", "data")
    wrapped = transit("datakey", "-output=data.key", "-bits=512", "data").stdout
    plain = (tmp_path / "data.key").read_bytes()
    assert len(plain) == 64 and wrapped.startswith(b"vault:v1:") and oct((tmp_path / "data.key").stat().st_mode & 0o777) == "0o600"
    assert transit("decrypt", "data", "-", stdin=wrapped).stdout == plain
    only = transit("datakey", "-output=second.key", "-format=json", "data").stdout
    assert b"plaintext" not in only and b"ciphertext" in only
    assert transit("datakey", "-wrapped", "data").stdout.startswith(b"vault:v1:")
    assert b"plaintext" in transit("datakey", "data").stdout
    transit("datakey", "-wrapped", "-output=x", "data", code=1)


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa-p256", "ecdsa-p384", "rsa-2048", "mldsa-65"])
def test_signatures_and_their_exit_codes(transit, tmp_path, kind):
    transit("keys", "create", f"-type={kind}", kind)
    (tmp_path / "file").write_bytes(EVERY_BYTE)
    (tmp_path / "sig").write_bytes(transit("sign", kind, "@file").stdout)
    assert transit("verify", "-signature=@sig", kind, "@file").stdout == b"Success! The signature is valid.\n"
    wrong = transit("verify", "-signature=@sig", kind, "-", stdin=EVERY_BYTE[:-1], code=3)
    assert b"NOT valid" in wrong.stderr and not wrong.stdout
    told = transit("verify", "-signature=@sig", "-format=json", kind, "other", code=3)
    assert json.loads(told.stdout)["data"]["valid"] is False
    assert transit("verify", "-signature=@sig", "-field=valid", kind, "@file").stdout == b"true"
    unreadable = transit("verify", "-signature=nonsense", kind, "@file", code=2)
    assert b"vault:v" in unreadable.stderr
    transit("verify", kind, "@file", code=1)


def test_signatures_for_other_programs(transit, tmp_path):
    digest = hashlib.sha256(EVERY_BYTE).digest()
    (tmp_path / "file").write_bytes(EVERY_BYTE)
    for kind in ("ecdsa-p256", "rsa-2048"):
        name = f"other-{kind}"
        transit("keys", "create", f"-type={kind}", name)
        public = serialization.load_pem_public_key(transit("export", "-type=public-key", "-version=latest", name).stdout)
        flags = ["-signature-algorithm=pkcs1v15"] if kind.startswith("rsa") else []
        transit("sign", "-output=whole", *flags, name, "@file")
        hashed = transit("sign", "-output=-", "-prehashed", "-hash-algorithm=sha2-256", *flags, name, "-", stdin=digest).stdout
        for signature in ((tmp_path / "whole").read_bytes(), hashed):
            if kind.startswith("rsa"):
                public.verify(signature, EVERY_BYTE, padding.PKCS1v15(), hashes.SHA256())
            else:
                public.verify(signature, EVERY_BYTE, ec.ECDSA(hashes.SHA256()))
        (tmp_path / "whole").unlink()
    jws = transit("sign", "-marshaling-algorithm=jws", "-output=-", "other-ecdsa-p256", "@file").stdout
    assert len(jws) == 64


def test_hmac_hash_random(transit, tmp_path):
    transit("keys", "create", "-type=hmac", "-key-size=32", "-exportable", "mac")
    transit("export", "-type=hmac-key", "-version=latest", "-output=mac.key", "mac")
    key = (tmp_path / "mac.key").read_bytes()
    made = out(transit("hmac", "-algorithm=sha2-512", "mac", "-", stdin=EVERY_BYTE))
    assert base64.b64decode(made.split(":")[2]) == hmac.digest(key, EVERY_BYTE, "sha512")
    right = transit("verify-hmac", f"-hmac={made}", "-algorithm=sha2-512", "mac", "-", stdin=EVERY_BYTE)
    assert right.stdout == b"Success! The HMAC is valid.\n"
    transit("verify-hmac", f"-hmac={made}", "-algorithm=sha2-512", "mac", "-", stdin=b"", code=3)
    transit("verify-hmac", f"-hmac={made}", "mac", "-", stdin=EVERY_BYTE, code=3)
    assert out(transit("hash", "-", stdin=EVERY_BYTE)) == hashlib.sha256(EVERY_BYTE).hexdigest()
    digest = out(transit("hash", "-algorithm=sha3-512", "-encoding=base64", "-", stdin=EVERY_BYTE))
    assert base64.b64decode(digest) == hashlib.sha3_512(EVERY_BYTE).digest()
    assert len(base64.b64decode(out(transit("random")))) == 32
    assert len(bytes.fromhex(out(transit("random", "-encoding=hex", "16")))) == 16
    assert len(transit("random", "-output=-", "7").stdout) == 7


def test_export_backup_restore(transit, tmp_path):
    transit("keys", "create", "home")
    refused = transit("export", "-type=encryption-key", "home", code=2)
    assert b"-exportable" in refused.stderr
    transit("keys", "config", "-exportable", "-allow-plaintext-backup", "home")
    transit("keys", "rotate", "home")
    ciphertext = out(transit("encrypt", "home", "text"))
    shown = out(transit("export", "-type=encryption-key", "home"))
    assert shown.index("== Version 1 ==") < shown.index("== Version 2 ==")
    several = transit("export", "-type=encryption-key", "-output=k", "home", code=1)
    assert b"-version" in several.stderr and not (tmp_path / "k").exists()
    transit("export", "-type=encryption-key", "-version=2", "-output=k", "home")
    assert len((tmp_path / "k").read_bytes()) == 32
    transit("backup", "-output=home.backup", "home")
    assert oct((tmp_path / "home.backup").stat().st_mode & 0o777) == "0o600"
    transit("restore", "-name=moved", "@home.backup")
    assert transit("decrypt", "moved", ciphertext).stdout == b"text"
    text = (tmp_path / "home.backup").read_text()
    shown = transit("restore", text, code=1)
    assert text[:20].encode() not in shown.stderr
    transit("restore", "-", stdin=text.encode(), code=2)
    transit("restore", "-force", "-", stdin=text.encode())


def test_a_key_is_exported_for_another_key_alone(transit, server, tmp_path):
    theirs = rsa.generate_private_key(65537, 2048)
    public = theirs.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    ask(server, "transit/keys/other/import", public_key=public.decode(), type="rsa-2048")
    transit("keys", "create", "-exportable", "carried")
    transit("export", "-type=encryption-key", "-version=latest", "-output=plain", "carried")
    transit("export", "-to=other", "-version=1", "-output=wrapped", "carried")
    wrapped = (tmp_path / "wrapped").read_bytes()
    between = theirs.decrypt(wrapped[:256], padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None))
    assert keywrap.aes_key_unwrap_with_padding(between, wrapped[256:]) == (tmp_path / "plain").read_bytes()
    transit("export", "-to=other", "-type=encryption-key", "carried", code=1)


def test_another_mount(transit, server):
    ask(server, "sys/mounts/team/keys", type="transit")
    transit("keys", "create", "-mount=team/keys", "here")
    ciphertext = out(transit("encrypt", "-mount=/team/keys/", "here", "text"))
    assert transit("decrypt", "team/keys/keys/here", ciphertext).stdout == b"text"
    assert out(transit("keys", "list", "-mount=team/keys", "-format=yaml")) == "- here"
    transit("decrypt", "here", ciphertext, code=2)


def test_lines_in_and_out_in_the_same_order(transit, tmp_path):
    transit("keys", "create", "lines")
    texts = [f"text {number}".encode() for number in range(2500)] + ["é".encode(), b"", b"\xff\0", b"last"]
    (tmp_path / "texts").write_bytes(b"\n".join(texts))
    encrypted = transit("encrypt", "-batch=@texts", "lines").stdout
    assert encrypted.count(b"\n") == len(texts) and all(line.startswith(b"vault:v1:") for line in encrypted.splitlines())
    assert transit("decrypt", "-batch=-", "lines", stdin=encrypted).stdout == b"\n".join(texts) + b"\n"
    transit("keys", "rotate", "lines")
    (tmp_path / "enc").write_bytes(encrypted)
    again = transit("rewrap", "-batch=@enc", "lines").stdout
    assert all(line.startswith(b"vault:v2:") for line in again.splitlines())
    assert transit("decrypt", "-batch=-", "lines", stdin=again).stdout == b"\n".join(texts) + b"\n"
    document = json.loads(transit("decrypt", "-batch=@enc", "-format=json", "lines").stdout)
    assert [base64.b64decode(item["plaintext"]) for item in document] == texts


def test_items_that_fail_are_told_of_and_the_others_done(transit, tmp_path):
    transit("keys", "create", "some")
    good = out(transit("encrypt", "some", "good"))
    broken = out(transit("encrypt", "some", "two\nlines"))
    lines = f"{good}\nnonsense\n{good}\n{broken}\n".encode()
    some = transit("decrypt", "-batch=-", "some", stdin=lines, code=2)
    assert some.stdout == b"good\n\ngood\n\n"
    assert b"line 2: " in some.stderr and b"line 4: " in some.stderr and b"-json-lines" in some.stderr and b"2 of 4 items failed" in some.stderr
    nothing = transit("decrypt", "-batch=-", "some", stdin=b"")
    assert not nothing.stdout
    absent = transit("decrypt", "-batch=-", "absent", stdin=lines, code=2)
    assert not absent.stdout and b"keys list" in absent.stderr
    forgotten = transit("encrypt", "-batch=texts", "some", code=1)
    assert b"-batch=@FILE" in forgotten.stderr


class OneRound(BaseHTTPRequestHandler):
    """A server that answers one request for many items and refuses the next."""
    asked = 0

    def do_PUT(self):
        items = json.loads(self.rfile.read(int(self.headers["content-length"])))["batch_input"]
        OneRound.asked += 1
        if OneRound.asked == 1:
            OneRound.first = len(items)
            self.answer(200, {"data": {"batch_results": [{"ciphertext": "vault:v1:x"}] * len(items)}})
        else:
            self.answer(403, {"errors": ["permission denied"]})

    def answer(self, status, body):
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


def test_a_batch_that_is_interrupted_says_how_far_it_came(tmp_path):
    server = ThreadingHTTPServer(("127.0.0.1", 0), OneRound)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "COFFER_ADDR": f"http://127.0.0.1:{server.server_port}", "COFFER_TOKEN": "t"}
    done = subprocess.run([binary(), "transit", "encrypt", "-batch=-", "a"], input=b"text\n" * 1000, env=environment, capture_output=True, timeout=60)
    server.shutdown()
    server.server_close()
    assert done.returncode == 2 and done.stdout == b"vault:v1:x\n" * OneRound.first
    assert b"permission denied" in done.stderr and f"{OneRound.first} items were answered before that".encode() in done.stderr


def test_the_longest_come_back(transit, tmp_path):
    transit("keys", "create", "long")
    # Its ciphertext is longer than what may be encrypted.
    largest = os.urandom(18 << 20)
    encrypted = transit("encrypt", "long", "-", stdin=largest).stdout
    assert len(encrypted) > 23 << 20 and transit("decrypt", "long", "-", stdin=encrypted).stdout == largest
    (tmp_path / "long").write_bytes(b"a" * (17 << 20))
    assert b"longer than 16 MiB" in transit("encrypt", "-batch=@long", "long", code=1).stderr


def test_json_lines_carry_bytes_contexts_and_references(transit):
    transit("keys", "create", "-derived", "json")
    items = [{"text": "two\nlines", "context": "a", "reference": "r1"}, {"base64": "/wA=", "context": "b"},
             {"text": "typo", "contxt": "c"}, {"text": "no context", "reference": "r4"}]
    stdin = "\n".join(json.dumps(item) for item in items).encode() + b"\n\nnot json\n"
    done = transit("encrypt", "-json-lines", "-batch=-", "json", stdin=stdin, code=2)
    first, second, third, fourth, fifth = rows(done.stdout)
    assert first["ciphertext"].startswith("vault:v1:") and first["reference"] == "r1" and "reference" not in second
    assert "contxt" in third["error"] and "error" in fourth and fourth["reference"] == "r4" and "not JSON" in fifth["error"]
    assert b"3 of 5 items failed" in done.stderr and b"(\"r4\")" in done.stderr
    # What came out goes in again, with the contexts beside it.
    back = [{**first, "context": "a"}, {**second, "context": "b"}]
    stdin = "\n".join(json.dumps(item) for item in back).encode()
    opened = rows(transit("decrypt", "-json-lines", "-batch=-", "json", stdin=stdin).stdout)
    assert opened == [{"text": "two\nlines", "reference": "r1"}, {"base64": "/wA="}]


def test_json_lines_are_signed_and_checked(transit):
    transit("keys", "create", "-type=ed25519", "signer")
    items = b'{"text": "a", "reference": "1"}\n{"base64": "/wA="}\n'
    for make, check in (("sign", "verify"), ("hmac", "verify-hmac")):
        signed = transit(make, "-json-lines", "-batch=-", "signer", stdin=items).stdout
        assert rows(signed)[1]["base64"] == "/wA="
        checked = transit(check, "-json-lines", "-batch=-", "signer", stdin=signed)
        assert [row["valid"] for row in rows(checked.stdout)] == [True, True]
        forged = signed.replace(b'"a"', b'"b"')
        refused = transit(check, "-json-lines", "-batch=-", "signer", stdin=forged, code=3)
        assert [row["valid"] for row in rows(refused.stdout)] == [False, True]
        assert b"line 1 (\"1\"): NOT valid" in refused.stderr
        assert b"-json-lines" in transit(check, "-batch=-", "signer", stdin=b"x", code=1).stderr


def test_certificates_of_a_key(transit, tmp_path):
    transit("keys", "create", "-type=ecdsa-p256", "named")
    request = transit("keys", "csr", "named").stdout
    assert request.startswith(b"-----BEGIN CERTIFICATE REQUEST-----")
    (tmp_path / "r.csr").write_bytes(request)
    checked = subprocess.run(["openssl", "req", "-in", tmp_path / "r.csr", "-verify", "-noout"], capture_output=True, timeout=60)
    assert checked.returncode == 0, checked.stderr


def test_a_mount_that_is_not_there(transit):
    absent = transit("encrypt", "-mount=elsewhere", "a", "text", code=2)
    assert b"coffer secrets enable transit" in absent.stderr
    transit("encrypt", "-mount=elsewhere", "a/b", "text", code=1)
    assert b"there is no input" in transit("encrypt", "a", code=1).stderr


def test_an_answer_can_be_wrapped(transit, tmp_path):
    transit("keys", "create", "wrapped")
    for words in (["datakey", "wrapped"], ["encrypt", "wrapped", "text"], ["datakey", "-output=k", "wrapped"]):
        told = transit("-wrap-ttl=1m", *words).stdout
        assert b"wrapping_token:" in told and not (tmp_path / "k").exists()
    assert b"-wrap-ttl" in transit("-wrap-ttl=1m", "encrypt", "-batch=-", "wrapped", stdin=b"a", code=1).stderr


def test_the_commands_of_the_page_work(transit, tmp_path):
    """All of docs/howto/transit-from-the-shell.md, one after the other, in a shell that stops at the first failure."""
    with open(os.path.join(ROOT, "docs", "howto", "transit-from-the-shell.md"), encoding="utf-8") as page:
        lines = [line.strip() for line in page if line.startswith("    ")]
    items = [line for line in lines if line.startswith("{")]
    commands = [line for line in lines if not line.startswith("{") and "secrets enable" not in line]
    assert len(items) == 2 and len(commands) > 30
    (tmp_path / "items.jsonl").write_text("\n".join(items))
    (tmp_path / "cards.txt").write_text("4111\n4222\n")
    for name in ("invoice.pdf", "note.txt", "app.tar.gz", "backup.tar"):
        (tmp_path / name).write_bytes(EVERY_BYTE)
    (tmp_path / "coffer").symlink_to(os.path.abspath(binary()))
    script = "set -e\n" + "\n".join(commands)
    environment = {**transit.environment, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run(["sh", "-x", "-c", script], cwd=tmp_path, env=environment, capture_output=True, timeout=300)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    assert (tmp_path / "copy.pdf").read_bytes() == EVERY_BYTE
    assert b"4111\n4222\n" in done.stdout and b"Verified OK" in done.stdout


def test_names_are_names(transit):
    for name in ("a b", "a?b", "a%2Fb", "a#b", "?list=true"):
        transit("keys", "read", name, code=2)
    assert b"dot segment" in transit("keys", "read", "..", code=1).stderr
    for name in ("", "/"):
        assert b"name of the key is empty" in transit("keys", "read", name, code=1).stderr
