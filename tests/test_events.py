"""The event stream from outside: WebSocket and Server-Sent Events, rights, resuming, and those who mean harm."""
import base64
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import threading
import time

import pytest
import requests
from websockets.exceptions import ConnectionClosed, InvalidStatus

from coffer_server import Server, binary, until
from event_streams import SECONDS, Sse, WebSocket, address, kind, path

WATCHER = """
path "sys/events/subscribe/*" { capabilities = ["read"] }
path "secret/data/app/*" { capabilities = ["read", "subscribe"] }
path "secret/metadata/app/*" { capabilities = ["read", "subscribe"] }
"""
WRITES = "kv-v2/data-write"


@pytest.fixture
def kv(server):
    """KV version 2 at secret/."""
    server.ok("POST", "sys/mounts/secret", {"type": "kv", "options": {"version": "2"}})
    until(lambda: server.call("POST", "secret/data/ready", {"data": {}}).status == 200, 10, "the engine is there")
    return server


def put(server, name, value="v", token=None):
    return server.ok("POST", f"secret/data/{name}", {"data": {"value": value}}, token=token)


def watcher(server, policy=WATCHER):
    server.ok("PUT", "sys/policies/acl/watcher", {"policy": policy})
    return server.ok("POST", "auth/token/create", {"policies": ["watcher"], "ttl": "1h"})["auth"]["client_token"]


def as_the_secrets_operator_reads(message, namespace, wanted):
    """Whether its controller would sync the secret at `wanted`: it looks at these fields and no others."""
    metadata = message["data"]["event"]["metadata"]
    assert isinstance(metadata["modified"], str) and isinstance(message["data"]["namespace"], str)
    if metadata["modified"] != "true":
        return False
    return message["data"]["namespace"].strip("/") == namespace and metadata["path"] == wanted


def test_writes_come_in_order_over_a_websocket(kv):
    with WebSocket(kv, "kv*") as stream:
        for number in range(30):
            put(kv, f"app/{number % 3}", str(number))
        seen = stream.take(30)
    assert [path(event) for event in seen] == [f"secret/data/app/{number % 3}" for number in range(30)]
    assert len({event["id"] for event in seen}) == 30 and [event["id"] for event in seen] == sorted(event["id"] for event in seen)
    first = seen[0]
    assert set(first) >= {"id", "source", "specversion", "data", "datacontentype", "time"} and first["specversion"] == "1.0"
    assert first["source"].startswith("coffer://") and kind(first) == WRITES
    assert first["data"]["plugin_info"]["mount_path"] == "secret/" and first["data"]["plugin_info"]["plugin"] == "kv"
    assert as_the_secrets_operator_reads(first, "", "secret/data/app/0")
    assert not as_the_secrets_operator_reads(first, "", "secret/data/app/1")
    assert "hunter2" not in json.dumps(seen)


def test_the_same_as_server_sent_events(kv):
    with Sse(kv, "kv*") as stream:
        assert stream.answer.headers["Content-Type"] == "text/event-stream"
        assert stream.answer.headers["Cache-Control"] == "no-store" and stream.answer.headers["X-Accel-Buffering"] == "no"
        for number in range(10):
            put(kv, f"app/{number}")
        seen = [stream.event() for _ in range(10)]
    assert [path(event) for event in seen] == [f"secret/data/app/{number}" for number in range(10)]
    with Sse(kv, "kv*", headers={"Last-Event-ID": seen[3]["id"]}, since=seen[0]["id"]) as again:
        assert [again.event() for _ in range(6)] == seen[4:], "a browser's own word wins over the address it came with"
    with WebSocket(kv, "kv*", since=seen[7]["id"]) as again:
        assert again.take(2) == seen[8:]


def test_no_value_is_ever_in_an_event(kv):
    with WebSocket(kv) as stream:
        put(kv, "app/a", "hunter2")
        kv.ok("POST", "auth/token/create", {"ttl": "1h"})
        kv.ok("PATCH", "secret/data/app/a", {"data": {"value": "hunter2!"}}, headers={"Content-Type": "application/merge-patch+json"})
        seen = [stream.next() for _ in range(3)]
    text = json.dumps(seen)
    assert "hunter2" not in text and "hvs." not in text and kv.token not in text


def test_only_what_a_token_may_see(kv):
    token = watcher(kv)
    with WebSocket(kv, "kv*", token=token) as stream:
        for name in ("other", "app/one", "application", "app/two"):
            put(kv, name)
        assert [path(event) for event in stream.take(2)] == ["secret/data/app/one", "secret/data/app/two"]
        kv.ok("PUT", "sys/policies/acl/watcher", {"policy": WATCHER.replace("app/*", "other")})
        until(lambda: _sees(kv, stream, "other"), 20, "changed policies take effect")
    nobody = watcher(kv, 'path "secret/*" { capabilities = ["read", "subscribe"] }')
    for refused, status in ((nobody, 403), ("", 403), ("hvs.none", 403)):
        with pytest.raises(InvalidStatus) as answer:
            WebSocket(kv, token=refused)
        assert answer.value.response.status_code == status
        assert Sse(kv, token=refused).answer.status_code == status
    with pytest.raises(InvalidStatus) as answer:
        WebSocket(kv, token=watcher(kv, 'path "sys/events/subscribe/kv*" { capabilities = ["read"] }'), pattern="database/*")
    assert answer.value.response.status_code == 403, "a pattern outside the token's paths"


def _sees(server, stream, name):
    put(server, name)
    try:
        return path(stream.next(0.2)) == f"secret/data/{name}"
    except TimeoutError:
        return False


def test_what_happens_without_the_right_words(kv):
    plain = requests.get(address(kv, "*"), headers={"X-Vault-Token": kv.token}, timeout=SECONDS)
    assert plain.status_code == 400 and "text/event-stream" in plain.text and "WebSocket" in plain.text
    with pytest.raises(InvalidStatus) as answer:
        WebSocket(kv, json="false")
    assert answer.value.response.status_code == 400 and b"json=true" in answer.value.response.body
    for wrong in ({"filter": "path =="}, {"since": "yesterday"}):
        assert Sse(kv, **wrong).answer.status_code == 400
    # A secret may have a path that looks like the stream's.
    put(kv, "sys/events/subscribe/x")
    assert kv.ok("GET", "secret/data/sys/events/subscribe/x")["data"]["data"] == {"value": "v"}


def test_a_bearer_and_a_namespace(kv):
    kv.ok("PUT", "sys/namespaces/team", {})
    kv.ok("POST", "team/sys/mounts/secret", {"type": "kv", "options": {"version": "2"}})
    until(lambda: kv.call("POST", "team/secret/data/ready", {"data": {}}).status == 200, 10, "the engine is there")
    bearer = {"Authorization": f"Bearer {kv.token}"}
    with WebSocket(kv, "kv*", token="", headers={**bearer, "X-Vault-Namespace": "team"}) as own, \
            WebSocket(kv, "kv*", path="team/") as by_path, \
            WebSocket(kv, "kv*", namespaces=["te*"]) as above, WebSocket(kv, "kv*") as root:
        kv.ok("POST", "team/secret/data/app", {"data": {"a": "1"}})
        put(kv, "root")
        seen = [own.next(), by_path.next(), above.next()]
        assert all(as_the_secrets_operator_reads(event, "team", "secret/data/app") for event in seen), seen
        assert path(above.next()) == "secret/data/root" and path(root.next()) == "secret/data/root"


class Writer(threading.Thread):
    """Writes secrets one after the other, and knows which were acknowledged."""

    def __init__(self, server, count):
        super().__init__()
        self.server, self.count, self.written = server, count, []

    def run(self):
        for number in range(self.count):
            put(self.server, f"app/{number}")
            self.written.append(f"secret/data/app/{number}")


@pytest.mark.parametrize("Stream", [WebSocket, Sse])
def test_cut_connections_lose_nothing_and_double_nothing(kv, Stream):
    dice, seen, last = random.Random(7), [], {}
    with Stream(kv, "kv*") as stream:
        writer = Writer(kv, 300)
        writer.start()
        seen.append(stream.next() if Stream is WebSocket else stream.event())
    cuts = 0
    while len(seen) < 300:
        last = {"since": seen[-1]["id"]}
        with Stream(kv, "kv*", **last) as stream:
            for _ in range(min(dice.randrange(1, 40), 300 - len(seen))):
                seen.append(stream.next() if Stream is WebSocket else stream.event())
        cuts += 1
    writer.join()
    assert [path(event) for event in seen] == writer.written and cuts > 5


def test_a_restart_in_order_loses_nothing(kv):
    with WebSocket(kv, "kv*") as stream:
        for number in range(10):
            put(kv, f"app/{number}")
        last = stream.take(4)[-1]["id"]
    kv.stop()
    kv.start()
    kv.unseal()
    with WebSocket(kv, "kv*", since=last) as stream:
        put(kv, "app/after")
        seen = stream.take(7)
    assert [path(event) for event in seen] == [f"secret/data/app/{number}" for number in range(4, 10)] + ["secret/data/app/after"]


def test_a_crash_doubles_nothing_and_says_what_may_be_missing(kv):
    with WebSocket(kv, "kv*") as stream:
        for number in range(40):
            put(kv, f"app/{number}")
        seen = stream.take(25)
        kv.kill()
    kv.start()
    kv.unseal()
    with WebSocket(kv, "kv*", since=seen[-1]["id"]) as stream:
        put(kv, "app/after")
        after = []
        while not after or path(after[-1]) != "secret/data/app/after":
            after.append(stream.next())
    assert "sys/events-gap" in [kind(event) for event in after]
    told = [path(event) for event in seen + after if kind(event) == WRITES]
    assert len(told) == len(set(told)), "no event twice"
    assert told[:25] == [f"secret/data/app/{number}" for number in range(25)]
    stored = told[25:-1]
    assert stored == [f"secret/data/app/{number}" for number in range(25, 25 + len(stored))], "a beginning without holes"
    ids = [event["id"] for event in seen + after]
    assert ids == sorted(ids), "positions only go on"


def subscribers(server):
    told = requests.get(f"{server.addr}/v1/sys/metrics?format=prometheus", headers={"X-Vault-Token": server.token}, timeout=30).text
    return next(int(float(line.split()[-1])) for line in told.splitlines() if line.startswith("vault_events_subscribers"))


def rss(server):
    with open(f"/proc/{server.process.pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS")) / 1024


def write_many(server, count, threads=16):
    def write(part):
        session = requests.Session()
        for number in range(part, count, threads):
            # Long names make long events: more than the system's own buffers hold for a connection.
            answer = session.post(f"{server.addr}/v1/many/{number % 50}{'x' * 600}", json={"v": "x"}, headers={"X-Vault-Token": server.token}, timeout=60)
            assert answer.status_code == 204, answer.text

    workers = [threading.Thread(target=write, args=(part,)) for part in range(threads)]
    for worker in workers:
        worker.start()
    return workers


def test_who_does_not_read_is_cut_off_and_slows_nobody(kv):
    count = int(os.environ.get("COFFER_TEST_EVENTS", "4000"))
    kv.ok("POST", "sys/mounts/many", {"type": "kv", "options": {"version": "1"}})
    lazy = [raw_websocket(kv, "kv-v1/write") for _ in range(20)]
    with WebSocket(kv, "kv-v1/write") as stream:
        before = rss(kv)
        workers = write_many(kv, count)
        seen = [stream.next(60) for _ in range(count)]
        for worker in workers:
            worker.join()
        assert len({event["id"] for event in seen}) == count
        assert rss(kv) - before < 120, f"{before} MiB before, {rss(kv)} after"
        until(lambda: subscribers(kv) == 1, 150, "only the one that reads is left")
    got = ids_in(lazy[0])
    assert 0 < len(got) < count, "it was cut off, and has what was sent until then"
    place = seen.index(next(event for event in seen if event["id"] == got[-1]))
    with WebSocket(kv, "kv-v1/write", since=seen[place]["id"]) as again:
        rest = min(500, count - place - 1)
        assert again.take(rest) == seen[place + 1:place + 1 + rest]
    for one in lazy:
        one.close()


def raw_websocket(server, pattern):
    """A WebSocket that nobody reads, with little room for what it is sent."""
    stream = socket.socket()
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
    stream.settimeout(30)
    stream.connect(("127.0.0.1", server.port))
    stream.sendall(handshake(server, f"sys/events/subscribe/{pattern}?json=true"))
    head = b""
    while b"\r\n\r\n" not in head:
        head += stream.recv(1)
    assert head.startswith(b"HTTP/1.1 101"), head
    return stream


def ids_in(stream):
    """Reads what is left of a connection that was cut off: the ids of the whole events in it."""
    received = b""
    try:
        while piece := stream.recv(65536):
            received += piece
    except ConnectionResetError:
        pass
    ids, rest = [], received
    while len(rest) > 4:
        length, start = rest[1] & 127, 2
        if length == 126:
            length, start = int.from_bytes(rest[2:4], "big"), 4
        if len(rest) < start + length:
            break
        if rest[0] & 15 == 1:
            ids.append(json.loads(rest[start:start + length])["id"])
        rest = rest[start + length:]
    return ids


def test_a_token_that_ends_ends_its_streams(kv):
    token = watcher(kv)
    with WebSocket(kv, "kv*", token=token) as stream, Sse(kv, "kv*", token=token) as page:
        put(kv, "app/a")
        last = stream.next()["id"]
        assert page.event()["id"] == last
        kv.ok("POST", "auth/token/revoke", {"token": token})
        code, reason = stream.end()
        assert code == 1008 and "token" in reason and "since=" in reason, (code, reason)
        ending = page.end()
        assert ending["code"] == 1008 and "token" in ending["reason"] and ending["since"] >= last
    with pytest.raises(InvalidStatus):
        WebSocket(kv, "kv*", token=token)


def test_sealing_and_stopping_end_streams(kv):
    with WebSocket(kv) as stream, Sse(kv) as page:
        kv.ok("PUT", "sys/seal")
        code, reason = stream.end()
        assert code == 1001 and "sealed" in reason, (code, reason)
        assert page.end()["code"] == 1001
    with pytest.raises(InvalidStatus) as answer:
        WebSocket(kv)
    assert answer.value.response.status_code == 503
    kv.unseal()
    idle = raw_websocket(kv, "*")
    with WebSocket(kv) as stream, Sse(kv) as page:
        begun = time.monotonic()
        kv.process.send_signal(signal.SIGTERM)
        code, _ = stream.end()
        assert code == 1001 and page.end()["code"] == 1001
        kv.process.wait(15)
        assert time.monotonic() - begun < 10, "streams do not hold a server up that stops"
    idle.close()


def test_what_was_acknowledged_before_a_namespace_was_sealed_is_told_or_said_to_be_missing(server):
    seal = 'seal "shamir" { shares = 1 threshold = 1 }'
    keys = server.ok("PUT", "sys/namespaces/vault", {"seal": seal})["data"]["key_shares"]
    opened = {"key": keys[0] if isinstance(keys, list) else next(iter(keys.values()))[0]}
    server.ok("PUT", "sys/namespaces/vault/unseal", opened)
    server.ok("POST", "vault/sys/mounts/secret", {"type": "kv", "options": {"version": "1"}})
    written, stop = [], threading.Event()

    def write(worker):
        session = requests.Session()
        for number in range(10_000):
            place = f"secret/{worker}/{number}"
            answer = session.put(f"{server.addr}/v1/vault/{place}", json={"v": "x"}, headers={"X-Vault-Token": server.token}, timeout=60)
            if answer.status_code == 204:
                written.append(place)
            elif stop.is_set():
                return

    for _ in range(3):
        stop.clear()
        before = len(written)
        workers = [threading.Thread(target=write, args=(f"{before}-{each}",)) for each in range(6)]
        for worker in workers:
            worker.start()
        until(lambda: len(written) > before + 100, 30, "there is much going on")
        stop.set()
        server.ok("PUT", "sys/namespaces/vault/seal")
        for worker in workers:
            worker.join()
        server.ok("PUT", "sys/namespaces/vault/unseal", opened)
    server.ok("PUT", "vault/secret/last", {"v": "x"})
    # The same for somebody who comes back at once, and for one who comes after a restart.
    for _ in range(2):
        told, gaps = [], 0
        with WebSocket(server, "*", headers={"X-Vault-Namespace": "vault"}, since="oldest") as stream:
            while "secret/last" not in told:
                event = stream.next()
                gaps += kind(event) == "sys/events-gap"
                told += [path(event)] if kind(event) == "kv-v1/write" else []
        missing = set(written) - set(told)
        assert len(told) == len(set(told)) and (gaps > 0 or not missing), (gaps, sorted(missing)[:5])
        server.stop()
        server.start()
        server.unseal()
        server.ok("PUT", "sys/namespaces/vault/unseal", opened)


def test_goodbye_is_answered(kv):
    with WebSocket(kv, "kv*") as stream:
        stream.socket.close(1000)
        assert stream.end() == (1000, "")


def test_pages_of_others_open_no_websocket(kv):
    own = f"http://127.0.0.1:{kv.port}"
    for origin in ("https://evil.example", "null", f"http://127.0.0.1:{kv.port}.evil.example", f"http://localhost:{kv.port}"):
        with pytest.raises(InvalidStatus) as answer:
            WebSocket(kv, headers={"Origin": origin})
        assert answer.value.response.status_code == 403, origin
    WebSocket(kv, headers={"Origin": own}).cut()
    kv.ok("POST", "sys/config/cors", {"allowed_origins": "https://good.example", "enabled": True})
    WebSocket(kv, headers={"Origin": "https://good.example"}).cut()
    WebSocket(kv, headers={"Origin": own}).cut()
    for origin in ("https://evil.example", "null"):
        with pytest.raises(InvalidStatus) as answer:
            WebSocket(kv, headers={"Origin": origin})
        assert answer.value.response.status_code == 403
        assert Sse(kv, headers={"Origin": origin}).answer.status_code == 403
    page = Sse(kv, headers={"Origin": "https://good.example"}).answer
    assert page.headers["Access-Control-Allow-Origin"] == "https://good.example"


def test_a_flood_of_subscribers_is_refused(folder):
    server = Server(folder, "events {\n  max_subscribers_per_client = 5\n}\n").start()
    try:
        server.initialise()
        server.unseal()
        streams = [WebSocket(server) for _ in range(5)]
        with pytest.raises(InvalidStatus) as answer:
            WebSocket(server)
        assert answer.value.response.status_code == 429 and b"subscri" in answer.value.response.body
        assert Sse(server).answer.status_code == 429
        streams.pop().cut()
        until(lambda: Sse(server).answer.status_code == 200, 10, "a place is given back")
        for stream in streams:
            stream.cut()
    finally:
        server.kill()


def test_who_floods_the_server_is_cut_off(kv):
    for text, times in (("x", 200), ("x" * 100_000, 1)):
        with WebSocket(kv) as stream:
            try:
                for _ in range(times):
                    stream.socket.send(text)
            except ConnectionClosed:
                pass
            code, _ = stream.end()
            assert code in (1008, 1006, None), code
    assert kv.call("GET", "sys/health", token="").status == 200


def handshake(server, target, **changes):
    fields = {"Host": f"127.0.0.1:{server.port}", "Upgrade": "websocket", "Connection": "Upgrade",
              "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(), "Sec-WebSocket-Version": "13",
              "X-Vault-Token": server.token, **changes}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items() if value is not None)
    return f"GET /v1/{target} HTTP/1.1\r\n{lines}\r\n".encode()


def test_hostile_handshakes(kv):
    target = "sys/events/subscribe/*?json=true"
    for changes, wanted in [
        ({}, 101),
        ({"Sec-WebSocket-Version": "8"}, 426),
        ({"Sec-WebSocket-Version": None}, 426),
        ({"Sec-WebSocket-Key": "short"}, 400),
        ({"Sec-WebSocket-Key": None}, 400),
        ({"Sec-WebSocket-Key": "A" * 5000}, 400),
        ({"Connection": "close"}, 400),
        ({"Content-Length": "5"}, 400),
        ({"Transfer-Encoding": "chunked"}, 400),
        ({"Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits=999"}, 101),
        ({"X-Vault-Token": "hvs.forged"}, 403),
        ({"Upgrade": "h2c"}, 400),
    ]:
        with socket.create_connection(("127.0.0.1", kv.port), timeout=10) as stream:
            stream.sendall(handshake(kv, target, **changes))
            head = stream.recv(4096).decode()
            assert int(head.split(" ")[1]) == wanted, (changes, head)
            if wanted == 101:
                assert "extensions" not in head.lower(), "nothing was agreed on"
                # Neither frames without a mask nor reserved bits nor half a frame are taken.
                stream.sendall(b"\x81\x05hello" + b"\xff" * 64)
                while stream.recv(4096):
                    pass
    # An unfinished handshake ends by itself, and a stream needs a method that reads.
    with socket.create_connection(("127.0.0.1", kv.port), timeout=30) as stream:
        stream.sendall(handshake(kv, target)[:-2])
        assert stream.recv(4096) == b""
    assert kv.call("POST", "sys/events/subscribe/*").status in (404, 405)
    assert kv.call("GET", "sys/health", token="").status == 200


def test_over_http_2(folder):
    curl = shutil.which("curl")
    assert curl and "HTTP2" in subprocess.check_output([curl, "-V"], text=True)
    from coffer_server import free_port
    port = free_port()
    server = subprocess.Popen([binary(), "server", "-dev-tls", "-dev-root-token-id=root", f"-dev-listen-address=127.0.0.1:{port}", f"-dev-tls-cert-dir={folder}"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, "HOME": folder})
    stream = None
    try:
        base = [curl, "-sSk", "--http2", "-H", "X-Vault-Token: root"]
        there = lambda: subprocess.run([*base, f"https://127.0.0.1:{port}/v1/sys/health"], capture_output=True).returncode == 0  # noqa: E731
        until(there, 30, "the server listens")
        url = f"https://127.0.0.1:{port}/v1/sys/events/subscribe/kv*"
        stream = subprocess.Popen([*base, "-N", "-i", "-H", "Accept: text/event-stream", url], stdout=subprocess.PIPE, text=True)
        assert stream.stdout.readline().startswith("HTTP/2 200")
        while "retry:" not in stream.stdout.readline():
            pass
        subprocess.run([*base, "-X", "POST", "-d", '{"data":{"a":"1"}}', f"https://127.0.0.1:{port}/v1/secret/data/app"], check=True, stdout=subprocess.DEVNULL)
        while not (line := stream.stdout.readline()).startswith("event:"):
            pass
        assert line.strip() == f"event: {WRITES}"
    finally:
        for process in (stream, server):
            if process:
                process.kill()
                process.wait()


def test_the_command_line_goes_on_across_restarts(kv):
    env = {**os.environ, "COFFER_ADDR": kv.addr, "COFFER_TOKEN": kv.token}
    command = [binary(), "events", "subscribe", "-format=json", "kv*"]
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        until(lambda: _subscribers(kv) == 1, 20, "it subscribes")
        put(kv, "app/before")
        first = json.loads(process.stdout.readline())
        assert path(first) == "secret/data/app/before"
        kv.stop()
        kv.start()
        kv.unseal()
        put(kv, "app/meanwhile")
        put(kv, "app/after")
        assert [path(json.loads(process.stdout.readline())) for _ in range(2)] == ["secret/data/app/meanwhile", "secret/data/app/after"]
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0
        assert process.stderr.read().count("Connection lost") == 1
    shown = subprocess.run([binary(), "events", "subscribe", "-timeout=5s", f"-since={first['id']}", "kv*"], env=env, capture_output=True, text=True, timeout=20)
    lines = shown.stdout.splitlines()
    assert shown.returncode == 0 and len(lines) == 2, shown
    assert lines[0].split()[1:4] == [WRITES, "root", "secret/data/app/meanwhile"]
    denied = subprocess.run([binary(), "events", "subscribe"], env={**env, "COFFER_TOKEN": "hvs.none"}, capture_output=True, text=True, timeout=20)
    assert denied.returncode == 2 and "permission denied" in denied.stderr


def _subscribers(server):
    requests_in_flight = server.call("GET", "sys/in-flight-req")
    return sum("events/subscribe" in json.dumps(one) for one in (requests_in_flight.body or {}).values())
