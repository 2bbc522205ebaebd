"""Envelopes by the command line: transit of the reference and KMS of moto as keepers, and a reader of the format of the test's own."""
import base64
import hashlib
import hmac
import json
import os
import signal
import subprocess

import pytest
import requests
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from coffer_server import binary, is_reference, until

pytest.importorskip("moto")

from aws import Moto  # noqa: E402
from reference import Reference  # noqa: E402

pytestmark = pytest.mark.skipif(is_reference(), reason="the reference has no envelopes")
CHUNK = 1 << 16


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    moto = Moto(tmp_path_factory.mktemp("moto"))
    yield moto
    moto.stop()


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    server = Reference(tmp_path_factory.mktemp("bao"))
    yield server
    server.stop()


@pytest.fixture
def run(tmp_path, reference, cloud):
    """Runs a command in a folder of its own; answers its result."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "COFFER_ADDR": reference.url, "COFFER_TOKEN": "root",
                   "AWS_ENDPOINT_URL": cloud.url, "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "AKIAADMIN00000000000",
                   "AWS_SECRET_ACCESS_KEY": "admin-secret"}

    def run(*words, stdin=None, ok=True):
        done = subprocess.run([binary(), "envelope", *words], cwd=tmp_path, env=environment, input=stdin, capture_output=True, timeout=120)
        assert not ok or done.returncode == 0, done.stderr
        return done
    return run


def key(reference, name):
    reference.ask(f"transit/keys/{name}")
    return f"transit:{name}"


def read(envelope, data_key):
    """The content of an envelope, by what docs/envelope-format.md says and nothing else."""
    assert envelope[:7] == b"coffenv" and envelope[7] == 1 and envelope[8] == 1
    chunk, room = 1 << envelope[9], int.from_bytes(envelope[12:16], "big")
    salt, commitment = envelope[16:48], envelope[48:80]
    keys = wrapped(envelope)
    pairs = b"".join(len(part).to_bytes(8, "big") + part for name in sorted(keys["context"], key=str.encode)
                     for part in (name.encode(), keys["context"][name].encode()))

    def derive(word):
        info = b"coffer envelope " + word + b"\0" + envelope[:12] + hashlib.sha256(pairs).digest()
        extracted = hmac.digest(salt, data_key, "sha256")
        return hmac.digest(extracted, info + b"\x01", "sha256")
    assert derive(b"commitment") == commitment
    cipher, rest, content, number = AESGCM(derive(b"payload")), envelope[80 + 2 * room:], b"", 0
    while True:
        piece, rest = rest[:chunk + 16], rest[chunk + 16:]
        nonce = bytes(3) + number.to_bytes(8, "big") + (b"\0" if rest else b"\1")
        content += cipher.decrypt(nonce, piece, None)
        number += 1
        if not rest:
            return content


def wrapped(envelope):
    """The newer copy of the wrapped keys."""
    room = int.from_bytes(envelope[12:16], "big")
    found = []
    for at in (80, 80 + room):
        slot = envelope[at:at + room]
        text = slot[28:28 + int.from_bytes(slot[8:12], "big")]
        if hashlib.sha256(slot[:8] + text).digest()[:16] == slot[12:28]:
            found.append((slot[:8], json.loads(text)))
    return max(found, key=lambda one: one[0])[1]


@pytest.mark.parametrize("length", [0, 1, CHUNK, CHUNK + 1, 3 * CHUNK + 17])
def test_the_format_is_what_its_page_says(run, tmp_path, reference, length):
    master = key(reference, "page")
    content = os.urandom(length)
    (tmp_path / "file").write_bytes(content)
    run("encrypt", f"-key={master}", "-context=db=shop", "-context=b=é", "file")
    envelope = (tmp_path / "file.coffer").read_bytes()
    recipient = wrapped(envelope)["recipients"][0]
    assert (recipient["keeper"], recipient["mount"], recipient["key"]) == ("transit", "transit", "page")
    data_key = base64.b64decode(reference.ask("transit/decrypt/page", ciphertext=recipient["wrapped"])["plaintext"])
    assert read(envelope, data_key) == content
    with pytest.raises((InvalidTag, AssertionError)):
        read(envelope, os.urandom(32))
    (tmp_path / "file").unlink()
    run("decrypt", "file.coffer")
    assert (tmp_path / "file").read_bytes() == content
    assert oct((tmp_path / "file").stat().st_mode & 0o777) == "0o600"


def test_pipes_and_context(run, reference):
    master = key(reference, "pipe")
    content = os.urandom(5 * CHUNK)
    envelope = run("encrypt", f"-key={master}", "-context=db=shop", "-", stdin=content).stdout
    assert run("decrypt", "-", stdin=envelope).stdout == content
    assert run("decrypt", "-context=db=shop", "-", stdin=envelope).stdout == content
    refused = run("decrypt", "-context=db=stock", "-", stdin=envelope, ok=False)
    assert refused.returncode == 1 and b"does not belong to db=stock" in refused.stderr and not refused.stdout
    # Somebody says that it belongs elsewhere.
    moved = envelope.replace(b'"db":"shop"', b'"db":"shoq"')
    room = int.from_bytes(moved[12:16], "big")
    for at in (80, 80 + room):
        text = moved[at + 28:at + 28 + int.from_bytes(moved[at + 8:at + 12], "big")]
        moved = moved[:at + 12] + hashlib.sha256(moved[at:at + 8] + text).digest()[:16] + moved[at + 28:]
    refused = run("decrypt", "-", stdin=moved, ok=False)
    assert refused.returncode == 2 and b"context was altered" in refused.stderr and not refused.stdout


def test_a_cut_file_leaves_nothing_behind(run, tmp_path, reference):
    master = key(reference, "cut")
    (tmp_path / "file").write_bytes(os.urandom(3 * CHUNK))
    run("encrypt", f"-key={master}", "-output=whole", "file")
    whole = (tmp_path / "whole").read_bytes()
    for cut in (len(whole) - 1, len(whole) - CHUNK - 16, 90, 40, 3):
        (tmp_path / "cut").write_bytes(whole[:cut])
        refused = run("decrypt", "-output=out", "cut", ok=False)
        assert refused.returncode == 1, cut
    assert sorted(os.listdir(tmp_path)) == ["cut", "file", "whole"]
    refused = run("decrypt", "-output=file", "whole", ok=False)
    assert b"exists already" in refused.stderr
    run("decrypt", "-force", "-output=file", "whole")


def test_rewrapping_touches_the_front_alone(run, tmp_path, reference):
    master = key(reference, "turn")
    content = os.urandom(4 * CHUNK)
    (tmp_path / "file").write_bytes(content)
    run("encrypt", f"-key={master}", "file")
    before = (tmp_path / "file.coffer").read_bytes()
    old = wrapped(before)["recipients"][0]["wrapped"]
    reference.ask("transit/keys/turn/rotate")
    run("rewrap", "file.coffer")
    after = (tmp_path / "file.coffer").read_bytes()
    payload = 80 + 2 * int.from_bytes(before[12:16], "big")
    assert before[payload:] == after[payload:] and before[:80] == after[:80]
    assert wrapped(after)["recipients"][0]["wrapped"].startswith("vault:v2:")
    assert old.encode() not in after
    reference.ask("transit/keys/turn/config", min_decryption_version=2)
    run("decrypt", "-output=again", "file.coffer")
    assert (tmp_path / "again").read_bytes() == content
    (tmp_path / "old").write_bytes(before)
    refused = run("decrypt", "-output=never", "old", ok=False)
    assert refused.returncode == 2 and b"transit turn" in refused.stderr


def test_each_of_several_recipients_opens_it_alone(run, tmp_path, reference, cloud):
    kms = cloud.client("kms")
    arn = kms.create_key()["KeyMetadata"]["Arn"]
    kms.create_alias(AliasName="alias/backups", TargetKeyId=arn)
    first, second = key(reference, "first"), key(reference, "second")
    content = os.urandom(1000)
    (tmp_path / "file").write_bytes(content)
    run("encrypt", f"-key={first}", "-key=aws-kms:alias/backups", "-context=a=b", "file")
    told = json.loads(run("inspect", "-format=json", "file.coffer").stdout)
    assert told["content_bytes"] == 1000 and told["context"] == {"a": "b"}
    assert [(one["keeper"], one["key"]) for one in told["recipients"]] == [("transit", "first"), ("aws-kms", arn)]
    table = run("inspect", "file.coffer").stdout.decode()
    assert "AES-256-GCM in chunks of 64.0 KiB" in table and "alias/backups" in table
    # Without the first keeper the second does, and the other way round.
    reference.ask("transit/keys/first/config", deletion_allowed=True)
    requests.delete(f"{reference.url}/v1/transit/keys/first", headers={"X-Vault-Token": "root"}, timeout=30)
    run("decrypt", "-output=by-aws", "file.coffer")
    run("rewrap", f"-add={second}", "-remove=transit:first", "file.coffer")
    kms.disable_key(KeyId=arn.rsplit("/", 1)[1])
    run("decrypt", "-output=by-second", "file.coffer")
    assert (tmp_path / "by-aws").read_bytes() == (tmp_path / "by-second").read_bytes() == content
    refused = run("rewrap", f"-remove={second}", "-remove=aws-kms:alias/backups", "file.coffer", ok=False)
    assert refused.returncode == 1 and b"nobody could open" in refused.stderr
    refused = run("rewrap", "-remove=transit:other", "file.coffer", ok=False)
    assert b"is not wrapped by transit:other" in refused.stderr
    # Many recipients need a longer front: the file is written anew.
    many = [key(reference, f"many-{number}") for number in range(12)]
    kms.enable_key(KeyId=arn.rsplit("/", 1)[1])
    run("rewrap", *[f"-add={one}" for one in many], "file.coffer")
    assert len(wrapped((tmp_path / "file.coffer").read_bytes())["recipients"]) == 14
    run("decrypt", "-output=by-many", "file.coffer")
    assert (tmp_path / "by-many").read_bytes() == content


def test_what_can_not_be_done_is_said(run, tmp_path, reference):
    (tmp_path / "text").write_text("no envelope")
    (tmp_path / "folder").mkdir()
    for words, told in [
        (("decrypt", "text"), b"-output"),
        (("decrypt", "-output=x", "text"), b"text: this is not an envelope"),
        (("inspect", "text"), b"not an envelope"),
        (("inspect", "gone"), b"cannot read gone"),
        (("encrypt", "-key=transit:x", "folder"), b"is a folder"),
        (("encrypt", "-key=gpg:me", "text"), b"names no master key"),
        (("encrypt", "text"), b"--key"),
        (("encrypt", "-key=aws-kms:alias/none", "text"), b"NotFoundException"),
    ]:
        refused = run(*words, ok=False)
        assert refused.returncode != 0 and told in refused.stderr, refused
    assert sorted(os.listdir(tmp_path)) == ["folder", "text"]


def with_keys(envelope, keys):
    """The envelope with these wrapped keys in both places, as anybody can write it."""
    room, text = int.from_bytes(envelope[12:16], "big"), json.dumps(keys).encode()
    slots = [generation.to_bytes(8, "big") for generation in (1, 0)]
    slots = [slot + len(text).to_bytes(4, "big") + hashlib.sha256(slot + text).digest()[:16] + text for slot in slots]
    return envelope[:80] + b"".join(slot.ljust(room, b"\0") for slot in slots) + envelope[80 + 2 * room:]


def test_a_hostile_file_sends_nobody_elsewhere(run, tmp_path, reference):
    """Where to ask stands in the file; who opens it has rights that who wrote it has not."""
    master = key(reference, "hostile")
    requests.post(f"{reference.url}/v1/sys/mounts/plain", json={"type": "kv"}, headers={"X-Vault-Token": "root"}, timeout=30)
    reference.ask("plain/decrypt/app", value="untouched")
    envelope = run("encrypt", f"-key={master}", "-", stdin=b"x").stdout
    for keeper, mount, name in [
        ("transit", "plain", "app"), ("transit", "sys", ".\t./seal"), ("transit", "transit/..", "hostile"), ("transit", "", "hostile"),
        ("transit", "transit?x=", "hostile"), ("transit", "transit/", "hostile"), ("transit", "transit", "../../plain/decrypt/app"),
        ("kms", "plain", "app"), ("kms", "sys", ".\t./seal"), ("kms", "transit", "hostile"), ("other", "transit", "hostile"),
    ]:
        hostile = {"recipients": [{"keeper": keeper, "mount": mount, "key": name, "wrapped": "vault:v1:AAAA"}]}
        (tmp_path / "hostile").write_bytes(with_keys(envelope, hostile))
        for words in (("decrypt", "-output=out"), ("rewrap",)):
            refused = run(*words, "hostile", ok=False)
            assert refused.returncode == 2, (mount, name, refused)
    health = requests.get(f"{reference.url}/v1/sys/health", timeout=30)
    kept = requests.get(f"{reference.url}/v1/plain/decrypt/app", headers={"X-Vault-Token": "root"}, timeout=30).json()
    assert health.status_code == 200 and kept["data"] == {"value": "untouched"}
    # Nothing in it makes a line of its own.
    forged = {"recipients": [{"keeper": "transit", "mount": "transit", "key": "x\nSuccess! Decrypted: all\u202e", "wrapped": "x"}]}
    (tmp_path / "hostile").write_bytes(with_keys(envelope, forged))
    told = [run("inspect", "hostile").stdout, run("decrypt", "-output=out", "hostile", ok=False).stderr]
    assert all(b"\nSuccess" not in text and "\u202e".encode() not in text for text in told)


def test_a_key_of_another_object_is_not_taken_for_its_own(run, tmp_path, reference):
    first, second = key(reference, "own"), key(reference, "foreign")
    envelope = run("encrypt", f"-key={first}", "-", stdin=b"content").stdout
    other = wrapped(run("encrypt", f"-key={second}", "-", stdin=b"other").stdout)["recipients"][0]
    mixed = {"recipients": [other, *wrapped(envelope)["recipients"]]}
    (tmp_path / "mixed").write_bytes(with_keys(envelope, mixed))
    run("decrypt", "-output=out", "mixed")
    third = key(reference, "third")
    run("rewrap", f"-add={third}", f"-remove={first}", f"-remove={second}", "mixed")
    run("decrypt", "-output=again", "mixed")
    assert (tmp_path / "out").read_bytes() == (tmp_path / "again").read_bytes() == b"content"
    (tmp_path / "mixed").write_bytes(with_keys(envelope, {"recipients": [other]}))
    refused = run("rewrap", f"-add={third}", "mixed", ok=False)
    assert refused.returncode == 2 and b"another object" in refused.stderr


def test_writing_anew_keeps_links_owner_and_mode(run, tmp_path, reference):
    master = key(reference, "links")
    run("encrypt", f"-key={master}", "-output=real", "-", stdin=b"content")
    (tmp_path / "real").chmod(0o640)
    (tmp_path / "link").symlink_to("real")
    many = [f"-add={key(reference, f'links-{number}')}" for number in range(12)]
    run("rewrap", *many, "link")
    assert (tmp_path / "link").is_symlink() and oct((tmp_path / "real").stat().st_mode & 0o777) == "0o640"
    assert len(wrapped((tmp_path / "real").read_bytes())["recipients"]) == 13
    os.link(tmp_path / "real", tmp_path / "second")
    more = [f"-add={key(reference, f'more-{number}')}" for number in range(30)]
    refused = run("rewrap", *more, "real", ok=False)
    assert refused.returncode == 1 and b"several names" in refused.stderr
    run("decrypt", "-output=out", "second")


def test_what_is_told_to_end_leaves_no_plaintext(run, tmp_path, reference):
    master = key(reference, "ending")
    envelope = run("encrypt", f"-key={master}", "-", stdin=bytes(4 * CHUNK)).stdout
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "COFFER_ADDR": reference.url, "COFFER_TOKEN": "root"}
    for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)):
        process = subprocess.Popen([binary(), "envelope", "decrypt", "-output=plain", "-"], cwd=tmp_path, env=environment,
                                   stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        process.stdin.write(envelope[:-100])
        process.stdin.flush()
        until(lambda: any(path.stat().st_size for path in tmp_path.glob("plain.partial-*")), 60, "plaintext was written")
        process.send_signal(number)
        process.stdin.close()
        process.stderr.read()
        assert process.wait() in (code, 1)
        assert not list(tmp_path.glob("plain*"))
