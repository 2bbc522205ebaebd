"""Servers that their seals open, with the real binary: starts, moves from seal to seal, seals that are added and removed."""
import base64
import json
import os
import signal
import subprocess

import pytest

from coffer_server import Server, binary, is_reference, until

pytestmark = pytest.mark.skipif(is_reference(), reason="several seals at once, and break-glass shares, are ours")


def stanza(folder, name, more=""):
    """A seal by a key in a file of its own."""
    path = os.path.join(str(folder), f"{name}.key")
    if not os.path.exists(path):
        with open(path, "wb") as file:
            file.write(base64.b64encode(os.urandom(32)))
    return f'seal "static" {{\n  name = "{name}"\n  current_key_id = "{name}"\n  current_key = "file://{path}"\n  {more}\n}}\n'


def started(folder, *stanzas):
    return Server(folder, "".join(stanzas)).start()


def initialised(folder, *stanzas, **how):
    server = started(folder, *stanzas)
    made = server.ok("PUT", "sys/init", {"recovery_shares": 3, "recovery_threshold": 2, **how}, token="")
    server.token, server.keys = made["root_token"], made.body.get("recovery_keys", [])
    server.ok("POST", "sys/mounts/kv", {"type": "kv"})
    server.ok("PUT", "kv/kept", {"is": "there"})
    server.made = made.body
    return server


def restarted(server, *stanzas):
    """As after a power cut, with other seals."""
    server.kill()
    server._write_config("".join(stanzas))
    return server.start()


def is_whole(server):
    server.wait_until_active()
    assert server.ok("GET", "kv/kept")["data"] == {"is": "there"}
    return True


def coffer(server, *words, code=0):
    environment = {**os.environ, "VAULT_ADDR": server.addr, "VAULT_TOKEN": server.token, "HOME": server.folder}
    done = subprocess.run([binary(), *words], env=environment, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    assert done.returncode == code, done
    return done.stdout + done.stderr


@pytest.fixture
def servers():
    """Servers that are killed in the end."""
    made = []
    yield made
    for server in made:
        server.kill()


def test_a_server_opens_by_itself_after_every_start(folder, servers):
    one = stanza(folder, "one")
    server = initialised(folder, one)
    servers.append(server)
    for _ in range(3):
        restarted(server, one)
        is_whole(server)
    server.ok("PUT", "sys/seal")
    assert server.call("GET", "sys/health", token="").status == 503
    for key in server.keys[:2]:
        server.ok("PUT", "sys/unseal", {"key": key}, token="")
    is_whole(server)
    status = server.ok("GET", "sys/seal-status", token="")
    assert (status["type"], status["recovery_seal"], status["t"], status["n"]) == ("static", True, 2, 3)


def test_the_wrong_key_opens_nothing_and_the_right_one_does_later(folder, servers):
    server = initialised(folder, stanza(folder, "one"))
    servers.append(server)
    path = os.path.join(folder, "one.key")
    os.rename(path, path + ".kept")
    restarted(server, stanza(folder, "one"))
    until(lambda: "could not open itself" in server.log(), 20, "the log says what is wrong")
    assert server.call("GET", "sys/health", token="").status == 503
    os.replace(path + ".kept", path)
    server.process.send_signal(signal.SIGHUP)
    is_whole(server)


def test_moves_between_shares_and_seals_keep_everything(folder, servers):
    server = started(folder)
    servers.append(server)
    server.initialise(3, 2)
    server.unseal()
    server.ok("POST", "sys/mounts/kv", {"type": "kv"})
    server.ok("PUT", "kv/kept", {"is": "there"})
    one, two = stanza(folder, "one"), stanza(folder, "two")
    moves = [(one,), (stanza(folder, "one", 'disabled = "true"'), two), (stanza(folder, "two", 'disabled = "true"'),)]
    ends = [(one,), (two,), ()]
    for move, end in zip(moves, ends):
        restarted(server, *move)
        status = server.ok("GET", "sys/seal-status", token="")
        assert status["migration"] and status["sealed"]
        assert server.call("PUT", "sys/unseal", {"key": server.keys[0]}, token="").status == 400
        coffer(server, "operator", "unseal", "-migrate", server.keys[0])
        assert "Unseal Progress" in coffer(server, "status", code=2)
        coffer(server, "operator", "seal-migrate", server.keys[1])
        is_whole(server)
        restarted(server, *end)
        if not end:
            server.unseal()
        is_whole(server)
    assert server.ok("GET", "sys/seal-status", token="")["type"] == "shamir"


def test_seals_are_added_verified_and_removed_without_a_stop(folder, servers):
    one, two = stanza(folder, "one"), stanza(folder, "two", "priority = 2")
    server = initialised(folder, one)
    servers.append(server)
    assert "no seal \"two\" is configured" in coffer(server, "operator", "seals", "add", "two", code=2)
    server._write_config(one + two)
    server.process.send_signal(signal.SIGHUP)
    until(lambda: "two" in server.ok("GET", "sys/seals")["data"]["keys"], 10, "the new seal is known")
    backends = server.ok("GET", "sys/seal-backend-status", token="")
    assert backends["healthy"] and not backends["fully_wrapped"]
    assert "has no copy" in coffer(server, "operator", "seals", "verify", "two", code=2)
    coffer(server, "operator", "seals", "add", "two")
    coffer(server, "operator", "seals", "verify", "two")
    coffer(server, "operator", "seals", "rewrap")
    coffer(server, "operator", "seals", "remove", "one")
    shown = coffer(server, "operator", "seals", "list")
    assert "static" in shown and "two" in shown
    restarted(server, two)
    is_whole(server)
    restarted(server, one)
    until(lambda: "no configured seal has a copy" in server.log(), 20, "the log names what is missing")
    assert server.call("GET", "sys/health", token="").status == 503


def test_break_glass_shares_open_a_server_whose_seals_are_gone(folder, servers):
    server = initialised(folder, stanza(folder, "one"), break_glass_shares=3, break_glass_threshold=2)
    servers.append(server)
    assert "Break-Glass Shares" in coffer(server, "status")
    shares = server.made["break_glass_keys"]
    restarted(server)
    assert server.call("PUT", "sys/unseal", {"key": server.keys[0]}, token="").status in (200, 503)
    for share in shares[1:]:
        coffer(server, "operator", "unseal", "-break-glass", share, code=0)
    is_whole(server)


def test_the_seals_are_measured_and_looked_at(folder, servers):
    server = initialised(folder, stanza(folder, "one"))
    servers.append(server)
    def healthy():
        shown = subprocess.run(["curl", "-s", "-H", f"X-Vault-Token: {server.token}", f"{server.addr}/v1/sys/metrics?format=prometheus"], capture_output=True, text=True, check=True).stdout
        return 'vault_seal_healthy{kind="static",name="one"} 1' in shown or 'vault_seal_healthy{name="one",kind="static"} 1' in shown
    until(healthy, 10, "the metric of the seal")
    config = os.path.join(server.folder, "server.hcl")
    looked = subprocess.run([binary(), "operator", "diagnose", f"-config={config}", "-skip=listener", "-skip=storage", "-format=json"], capture_output=True, text=True, timeout=60)
    checks = {check["name"]: check for check in json.loads(looked.stdout)}
    assert "unwraps" in json.dumps(checks["Seal one"]), looked


def test_a_configuration_with_a_bad_seal_does_not_start(folder):
    for text, words in (
        ('seal "ocikms" {}', "is not supported"),
        ('seal "static" {}', "missing"),
        ('seal "static" { current_key_id = "a" current_key = "short" }', "current_key"),
        (stanza(folder, "one") * 2, "a name of its own"),
    ):
        server = Server(folder, text)
        done = subprocess.run([binary(), "server", f"-config={server.folder}/server.hcl"], capture_output=True, text=True, timeout=30)
        assert done.returncode != 0 and words in done.stderr, (text, done)
        assert "short" not in done.stderr


def test_snapshots_open_with_the_seals_they_were_made_with(folder, servers):
    server = initialised(folder, stanza(folder, "one"))
    servers.append(server)
    snapshot = os.path.join(folder, "before.snap")
    coffer(server, "operator", "snapshot", "save", snapshot)
    server.ok("PUT", "kv/kept", {"is": "changed"})
    coffer(server, "operator", "snapshot", "restore", snapshot)
    is_whole(server)
    restarted(server, stanza(folder, "one"))
    is_whole(server)


def test_an_open_server_whose_seal_is_gone_says_so_in_time(folder, servers):
    one, two = stanza(folder, "one"), stanza(folder, "two")
    server = initialised(folder, one)
    servers.append(server)
    server._write_config("")
    server.process.send_signal(signal.SIGHUP)
    until(lambda: not server.ok("GET", "sys/seal-backend-status", token="")["healthy"], 10, "it is unhealthy")
    until(lambda: "will not open by itself after its next start" in server.log(), 10, "the log says so")
    backends = server.ok("GET", "sys/seal-backend-status", token="")["backends"]
    assert [(seal["name"], seal["type"], seal["configured"], seal["healthy"]) for seal in backends] == [("one", "static", False, False)]
    assert server.ok("GET", "sys/seal-status", token="")["type"] == "static"
    server._write_config(two)
    server.process.send_signal(signal.SIGHUP)
    until(lambda: "coffer operator seals add two" in server.log(), 10, "the log names the command")
    shown = coffer(server, "operator", "seals", "list")
    assert "<nil>" not in shown and "two" in shown
    coffer(server, "operator", "seals", "add", "two")
    assert server.ok("GET", "sys/seal-backend-status", token="")["healthy"]
    restarted(server, two)
    is_whole(server)


def test_a_snapshot_from_before_a_change_of_seals_is_no_trap(folder, servers):
    one, two = stanza(folder, "one"), stanza(folder, "two", "priority = 2")
    server = initialised(folder, one)
    servers.append(server)
    snapshot = os.path.join(folder, "before.snap")
    coffer(server, "operator", "snapshot", "save", snapshot)
    server._write_config(one + two)
    server.process.send_signal(signal.SIGHUP)
    until(lambda: "two" in server.ok("GET", "sys/seals")["data"]["keys"], 10, "the new seal is known")
    coffer(server, "operator", "seals", "add", "two")
    coffer(server, "operator", "seals", "remove", "one")
    restarted(server, two)
    is_whole(server)
    said = coffer(server, "operator", "snapshot", "restore", snapshot)
    assert "coffer operator seals remove one" in said, said
    is_whole(server)
    restarted(server, two)
    is_whole(server)


def test_the_first_recovery_keys_take_sudo_and_the_hint_names_what_to_verify(folder, servers):
    server = initialised(folder, stanza(folder, "one"), recovery_shares=0, recovery_threshold=0)
    servers.append(server)
    for name, more in (("weak", ""), ("strong", ', "sudo"')):
        server.ok("PUT", f"sys/policies/acl/{name}", {"policy": f'path "sys/rotate/*" {{ capabilities = ["update"{more}] }}'})
    root = server.token
    weak, strong = (server.ok("POST", "auth/token/create", {"policies": [name]}, token=root)["auth"]["client_token"] for name in ("weak", "strong"))
    server.token = weak
    words = ["operator", "rekey", "-init", "-target=recovery", "-key-shares=1", "-key-threshold=1", "-verify"]
    assert "sudo" in coffer(server, *words, code=2)
    server.token = strong
    said = coffer(server, *words)
    assert "coffer operator rekey -target=recovery -verify -nonce=" in said, said


def test_a_dev_server_takes_a_seal_too(folder, servers):
    with open(os.path.join(folder, "seal.hcl"), "w", encoding="utf-8") as file:
        file.write(stanza(folder, "one"))
    server = Server(folder)
    servers.append(server)
    words = [binary(), "server", "-dev", "-dev-no-store-token", "-dev-root-token-id=root", f"-dev-listen-address=127.0.0.1:{server.port}", f"-config={folder}/seal.hcl"]
    with open(os.path.join(folder, "server.log"), "ab") as log:
        server.process = subprocess.Popen(words, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    until(server._listens, 30, "it listens")
    server.token = "root"
    assert server.ok("GET", "sys/seals")["data"]["protected_by"] == "seals"
