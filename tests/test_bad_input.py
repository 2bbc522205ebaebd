"""Broken, hostile and clumsy requests: each has its answer, and the server goes on with its data intact."""
import http.client
import json
import socket
import subprocess
import time

import pytest

from coffer_server import Server, binary, is_reference, until

MAX_BODY = 32 * 1024 * 1024
KEPT = {"kept": "through it all"}
# Where the reference guesses, hangs, answers 500 or ends the connection without a word; numbers it can not hold are kept here.
OURS_ALONE = {
    "test_bodies_that_are_no_object": ("two objects",), "test_odd_bodies_keep_their_meaning": ("huge exponent", "many digits"), "test_an_announced_body_is_not_believed": (),
    "test_bad_heads": ("1 MiB token",), "test_paths_in_many_spellings": ("encoded slash", "encoded slash, upper case", "overlong dot", "not UTF-8", "far too long", "100k segments"),
    "test_old_and_strange_versions": (), "test_chunks_that_are_none": (), "test_form_bodies": (), "test_bad_policies": ("100k lists",),
}
FORM = "application/x-www-form-urlencoded"


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """One server for all bad requests: what one of them spoils, the next ones see."""
    server = Server(tmp_path_factory.mktemp("bad-input")).start()
    server.initialise(shares=3, threshold=2)
    server.unseal()
    server.ok("POST", "sys/mounts/secret", {"type": "kv", "options": {"version": "2"}})
    until(lambda: server.call("POST", "secret/data/kept", {"data": KEPT}).status == 200, 10, "the mount is ready")
    yield server
    server.stop()


@pytest.fixture(autouse=True)
def goes_on(request):
    """After each test the server is the same process, unsealed, and has its data."""
    name = request.node.originalname
    if is_reference() and name in OURS_ALONE and (not OURS_ALONE[name] or request.node.callspec.id in OURS_ALONE[name]):
        pytest.skip("the reference does otherwise")
    yield
    if "shared" not in request.fixturenames:
        return
    server = request.getfixturevalue("shared")
    assert server.process.poll() is None, server.log()
    assert server.ok("GET", "secret/data/kept")["data"]["data"] == KEPT
    assert "panicked" not in server.log()


BODIES = {
    "broken": b'{"data":', "cut in a text": b'{"data":{"a":"', "trailing garbage": b'{"data":{"a":1}} x', "two objects": b'{"data":{}}{"data":{}}',
    "array": b"[1]", "text": b'"x"', "number": b"5", "true": b"true", "single quotes": b"{'data':{}}", "comment": b'{"data":{} /* x */}',
    "trailing comma": b'{"data":{"a":1,}}', "NaN": b'{"data":{"a":NaN}}', "Infinity": b'{"data":{"a":-Infinity}}', "hex": b'{"data":{"a":0x10}}',
    "leading zero": b'{"data":{"a":01}}', "lone minus": b'{"data":{"a":-}}', "raw control byte": b'{"data":{"a":"\x01"}}', "raw nul": b'{"data":\x00{}}',
    "BOM": b'\xef\xbb\xbf{"data":{}}', "UTF-16": '{"data":{}}'.encode("utf-16"), "bad escape": b'{"data":{"a":"\\x41"}}',
    "100k arrays": b'{"data":{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}}", "100k arrays, open": b'{"data":' + b"[" * 100_000,
    "100k objects": b'{"data":' + b'{"a":' * 100_000 + b"1" + b"}" * 100_001, "100k objects with an exponent": b'{"data":' + b'{"a":' * 100_000 + b"1e3" + b"}" * 100_001,
    "parser's word": b'{"data":{"$serde_json::private::RawValue":"[[["}}', "parser's number": b'{"data":{"$serde_json::private::Number":"1"}}',
}


@pytest.mark.parametrize("name", BODIES)
def test_bodies_that_are_no_object(shared, name):
    if is_reference() and name.startswith("parser's"):
        pytest.skip("a word of our parser")
    answer = send(shared, body(BODIES[name]))
    assert answer.status == 400, answer
    assert answer["errors"] and "secret" not in answer["errors"][0]


ODD_BUT_TAKEN = {
    "duplicate keys": (b'{"data":{"a":"first"},"data":{"a":"last"}}', {"a": "last"}),
    "huge exponent": (b'{"data":{"a":1e999999999}}', None), "many digits": (b'{"data":{"a":' + b"9" * 4_000 + b"}}", {"a": 10**4_000 - 1}),
    "escaped nul": (b'{"data":{"a":"\\u0000"}}', {"a": "\0"}), "surrogate pair": (b'{"data":{"a":"\\ud83d\\ude00"}}', {"a": "\U0001f600"}),
    "white space": (b' \r\n\t{ "data" : { "a" : "b" } }\n', {"a": "b"}), "empty key": (b'{"data":{"":"b"}}', {"": "b"}),
}


@pytest.mark.parametrize("name", ODD_BUT_TAKEN)
def test_odd_bodies_keep_their_meaning(shared, name):
    sent, kept = ODD_BUT_TAKEN[name]
    answer = send(shared, body(sent))
    assert answer.status == 200, answer
    raw = send(shared, head("GET", "/v1/secret/data/p", shared.token))
    assert raw.status == 200
    if kept is not None:
        assert raw["data"]["data"] == kept


@pytest.mark.parametrize("name,text", [("lone surrogate", b'{"data":{"a":"\\ud800"}}'), ("low surrogate first", b'{"data":{"a":"\\udc00\\ud800"}}'), ("invalid UTF-8", b'{"data":{"a":"\xff\xfe"}}')])
def test_texts_that_are_no_unicode_are_refused_or_replaced(shared, name, text):
    """The reference puts U+FFFD in; silently changing a secret is worse than refusing it."""
    answer = send(shared, body(text))
    assert answer.status == (200 if is_reference() else 400), (name, answer)


def test_the_body_limit_is_exact(shared):
    frame = len(b'{"data":{"a":""}}')
    assert send(shared, body(b'{"data":{"a":"' + b"x" * (MAX_BODY + 1 - frame) + b'"}}')).status == 413
    connection = http.client.HTTPConnection("127.0.0.1", shared.port, timeout=60)
    pieces = (b"x" * 65536 for _ in range(MAX_BODY // 65536 + 1))
    try:
        connection.request("POST", "/v1/secret/data/p", pieces, {"X-Vault-Token": shared.token}, encode_chunked=True)
        assert connection.getresponse().status == 413
    except (BrokenPipeError, ConnectionResetError):
        pass  # ended while we were still sending
    connection.close()


def test_an_announced_body_is_not_believed(shared):
    """A length beyond the limit is refused without a byte of the body; one within it takes no memory until it comes."""
    assert send(shared, head("POST", "/v1/secret/data/p", shared.token, [f"Content-Length: {MAX_BODY + 1}"])).status == 413
    assert send(shared, head("POST", "/v1/secret/data/p", shared.token, ["Content-Length: 18446744073709551616"])).status in (400, 413)
    assert send(shared, head("POST", "/v1/secret/data/p", shared.token, ["Content-Length: -1"])).status == 400
    before = memory_kib(shared)
    waiting = [connect(shared) for _ in range(64)]
    for connection in waiting:
        connection.sendall(head("POST", "/v1/secret/data/p", shared.token, [f"Content-Length: {MAX_BODY}"]))
    assert shared.call("GET", "secret/data/kept").status == 200
    assert memory_kib(shared) - before < 256 * 1024
    for connection in waiting:
        connection.close()


HEADS = {
    "1 MiB header": (["X-Big: " + "x" * 1024 * 1024], (400, 431)), "100k header lines": ([f"X-{i}: y" for i in range(100_000)], (400, 431)),
    "1 MiB token": (["X-Vault-Token: " + "x" * 1024 * 1024], (400, 431)), "two lengths": (["Content-Length: 2", "Content-Length: 3"], (400,)),
    "length and chunks": (["Content-Length: 4", "Transfer-Encoding: chunked"], (400, 200, 501)), "unknown coding": (["Transfer-Encoding: xchunked"], (400, 501)),
    "chunked twice": (["Transfer-Encoding: chunked, chunked"], (400, 501)), "header with a nul": (["X-A: a\0b"], (400,)), "space before colon": (["X-A : b"], (400,)),
    "no colon": (["nonsense"], (400,)), "length with a sign": (["Content-Length: +2"], (400,)), "bad namespace": (["X-Vault-Namespace: ../../x"], (404, 400, 403)),
    "bad wrap": (["X-Vault-Wrap-TTL: -5s"], (400,)), "huge wrap": (["X-Vault-Wrap-TTL: 99999999999h"], (400,)),
}


@pytest.mark.parametrize("name", HEADS)
def test_bad_heads(shared, name):
    lines, statuses = HEADS[name]
    token = "" if "token" in name else shared.token
    rest = b"0\r\n\r\n" if "chunk" in name else b""
    answer = send(shared, head("GET" if "wrap" in name else "POST", "/v1/secret/data/kept" if "wrap" in name else "/v1/secret/data/p", token, lines) + rest)
    assert answer.status in statuses, answer


def test_a_length_beside_chunks_smuggles_nothing(shared):
    """Whichever of the two is believed, what comes after is no second request."""
    if is_reference():
        pytest.skip("the reference takes the chunks and goes on")
    smuggled = head("DELETE", "/v1/sys/mounts/secret", shared.token)
    for lines in (["Content-Length: 4", "Transfer-Encoding: chunked"], ["Transfer-Encoding: chunked", "Content-Length: 4"]):
        text = send_raw(shared, head("POST", "/v1/secret/data/p", shared.token, lines) + b"0\r\n\r\n" + smuggled)
        assert text.count(b"HTTP/1.1 ") == 1 and b" 400 " in text.splitlines()[0], text


TARGETS = {
    "dot": ("/v1/secret/./data/kept", 307), "dot dot": ("/v1/secret/data/../data/kept", 307), "double slash": ("/v1//secret/data/kept", 307),
    "encoded dot dot": ("/v1/secret/data/%2e%2e/x", 400), "mixed dot dot": ("/v1/secret/data/.%2E/x", 400), "encoded dot dot slash": ("/v1/secret/data/%2e%2e%2fx", 400),
    "encoded dot": ("/v1/secret/data/%2e/x", 400), "encoded slash": ("/v1/secret/data%2fkept", 400), "encoded slash, upper case": ("/v1/secret/data%2Fkept", 400),
    "twice encoded": ("/v1/secret/data/%252e%252e%252fkept", 404), "encoded nul": ("/v1/secret/data/%00", 400), "encoded newline": ("/v1/secret/data/a%0d%0ab", 400), "bad escape": ("/v1/secret/data/%zz", 400),
    "cut escape": ("/v1/secret/data/%2", 400), "overlong dot": ("/v1/secret/data/%c0%ae%c0%ae/x", 400), "not UTF-8": ("/v1/secret/data/%ff", 400), "backslash": ("/v1/secret/data/..\\kept", (400, 404)),
    "encoded backslash": ("/v1/secret/data/..%5ckept", (400, 404)), "above the root": ("/v1/../../etc/passwd", (307, 404)), "outside": ("/etc/passwd", 404), "long": ("/v1/secret/data/" + "x" * 4000, 404),
    "far too long": ("/v1/secret/data/" + "x" * 1024 * 1024, (400, 414, 431)), "100k segments": ("/v1/secret/data/" + "a/" * 100_000 + "b", (400, 414, 431)), "absolute": ("http://other/v1/secret/data/kept", 200),
    "no slash": ("v1/secret/data/kept", 400), "star": ("*", (400, 404, 405)), "long query": ("/v1/secret/data/kept?a=" + "x" * 30_000, 200), "many fields": ("/v1/secret/data/kept?" + "a&" * 10_000, 200),
    "bad query": ("/v1/secret/data/kept?version=%zz", (200, 400)), "semicolon": ("/v1/secret/data/kept;x=1", 404), "fragment": ("/v1/secret/data/kept#x", (200, 400, 404)),
}


@pytest.mark.parametrize("name", TARGETS)
def test_paths_in_many_spellings(shared, name):
    target, statuses = TARGETS[name]
    statuses = statuses if isinstance(statuses, tuple) else (statuses,)
    answer = send(shared, head("GET", target, shared.token))
    assert answer.status in statuses, answer


def test_no_spelling_passes_a_policy(shared):
    """A token that may read only its own path gets at nothing else, however that is written."""
    shared.ok("PUT", "sys/policies/acl/own", {"policy": 'path "secret/data/own/*" { capabilities = ["read"] }'})
    token = shared.ok("POST", "auth/token/create", {"policies": ["own"], "no_default_policy": True})["auth"]["client_token"]
    up = ["..", "%2e%2e", ".%2e", "%2E.", "%252e%252e", "..;", "..%00", "%c0%ae%c0%ae", "..\\", "%uff0e%uff0e", ". ."]
    joints = ["/", "%2f", "%2F", "//", "/./", "%5c", "\\"]
    for step in up:
        for joint in joints:
            answer = send(shared, head("GET", f"/v1/secret/data/own/{step}{joint}kept", token))
            assert answer.status in (307, 400, 403, 404), (step, joint, answer)
            assert "through it all" not in json.dumps(answer.body)


def test_methods(shared):
    for method in ("BREW", "OPTIONS", "TRACE", "PROPFIND", "get", "X" * 100, "A-B"):
        assert send(shared, head(method, "/v1/secret/data/kept", shared.token)).status in (400, 404, 405), method
    for method in ("X" * 100_000, "G\0T", "GET GET", "", "\x16\x03\x01"):
        text = send_raw(shared, head(method, "/v1/secret/data/kept", shared.token))
        assert text == b"" or int(text.split(b" ")[1]) in (400, 404, 405, 414, 431), (method[:20], text)
    assert send(shared, b"CONNECT example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n").status in (400, 404, 405, 503)


def test_old_and_strange_versions(shared):
    old = send(shared, f"GET /v1/secret/data/kept HTTP/1.0\r\nX-Vault-Token: {shared.token}\r\n\r\n".encode())
    assert old.status == 200 and old["data"]["data"] == KEPT
    for line in ("GET /v1/sys/health HTTP/9.9", "GET /v1/sys/health", "GET /v1/sys/health HTTP/1.1.1", "GET  /v1/sys/health HTTP/1.1", "\r\n\r\n\r\n"):
        text = send_raw(shared, line.encode() + b"\r\nHost: x\r\n\r\n")
        assert text == b"" or text.split(b" ")[1] in (b"400", b"505"), (line, text)
    assert send(shared, b"PRI * HTTP/2.0\r\n\r\nnonsense\r\n\r\n").status in (400, 0)


def test_pipelined_requests_are_answered_in_order(shared):
    line = head("GET", "/v1/secret/data/kept", shared.token)
    bad = head("GET", "/v1/nosuch/x", shared.token)
    last = head("GET", "/v1/sys/health", "", ["Connection: close"])
    text = send_raw(shared, (line + bad) * 20 + last, silence_s=10)
    statuses = [part.split(b" ")[0] for part in text.split(b"HTTP/1.1 ")[1:]]
    assert statuses == [b"200", b"404"] * 20 + [b"200"]


def test_slow_and_broken_connections_hold_nobody_up(shared):
    line = head("POST", "/v1/secret/data/p", shared.token, ["Content-Length: 100"])
    slow = [connect(shared) for _ in range(200)]
    for index, connection in enumerate(slow):
        connection.sendall([line[:10], line, line + b'{"data"', b"", b"\x16\x03\x01\x02\x00\x01"][index % 5])
    begin = time.monotonic()
    for _ in range(20):
        assert shared.call("GET", "secret/data/kept").status == 200
    assert time.monotonic() - begin < 10
    for connection in slow:
        connection.close()


def test_chunks_that_are_none(shared):
    line = head("POST", "/v1/secret/data/p", shared.token, ["Transfer-Encoding: chunked"])
    for rest in (b"zz\r\n{}\r\n0\r\n\r\n", b"-1\r\n{}\r\n0\r\n\r\n", b"ffffffffffffffffff\r\n{}\r\n0\r\n\r\n", b"2\r\n{}xx0\r\n\r\n", b"2" + b";x" * 100_000 + b"\r\n{}\r\n0\r\n\r\n"):
        text = send_raw(shared, line + rest)
        assert text == b"" or text.split(b" ")[1] in (b"400", b"413"), (rest[:20], text)


def test_form_bodies(shared):
    for text, status in ((b"ttl=5m", 200), (b"ttl=soon", 400), (b"ttl=5m&" + b"a=b&" * 10_000, 200), (b"%zz=%zz", (200, 400)), (b"=&=&&&", (200, 400)), (b"\xff\xfe", (200, 400))):
        answer = send(shared, head("POST", "/v1/auth/token/create", shared.token, [f"Content-Type: {FORM}", f"Content-Length: {len(text)}"]) + text)
        assert answer.status in (status if isinstance(status, tuple) else (status,)), (text[:20], answer)


POLICIES = {
    "unclosed": 'path "a" {', "no capability": 'path "a" { capabilities = ["fly"] }', "not HCL": "}}}}", "number": "5", "unclosed text": 'path "a', "unknown block": 'road "a" { }',
    "unknown key": 'path "a" { colour = "red" }', "list of lists": 'path "a" { capabilities = [["read"]] }', "100k braces": "{" * 100_000, "100k lists": 'path "a" { capabilities = ' + "[" * 100_000,
    "100k blocks in blocks": 'path "a" {' * 100_000, "nul": 'path "a\0" { capabilities = ["read"] }\0}', "heredoc without end": 'path "a" { capabilities = <<X\nread', "interpolation": 'path "${file("/etc/passwd")}" { capabilities = ["', "not base64": "!!!",
    "wrap over its maximum": 'path "a" { capabilities = ["read"] min_wrapping_ttl = "2h" max_wrapping_ttl = "1h" }', "bad time": 'path "a" { capabilities = ["read"] max_wrapping_ttl = "soon" }',
}


@pytest.mark.parametrize("name", POLICIES)
def test_bad_policies(shared, name):
    shared.ok("PUT", "sys/policies/acl/steady", {"policy": 'path "a" { capabilities = ["read"] }'})
    answer = shared.call("PUT", "sys/policies/acl/steady", {"policy": POLICIES[name]})
    assert answer.status == 400 and answer["errors"], answer
    kept = shared.ok("GET", "sys/policies/acl/steady")["data"]["policy"]
    assert kept == 'path "a" { capabilities = ["read"] }', "a refused policy must leave the old one"


PASSWORD_POLICIES = {"empty": "", "no rule": "length = 20", "negative": 'length = -1\nrule "charset" { charset = "abc" }', "huge": 'length = 99999999999999999999\nrule "charset" { charset = "abc" }',
                     "million": 'length = 1000000\nrule "charset" { charset = "abc" }', "no letters": 'length = 20\nrule "charset" { charset = "" }', "too many wanted": 'length = 5\nrule "charset" { charset = "abc" min-chars = 6 }', "unknown rule": 'length = 20\nrule "x" { }', "deep": "rule " * 10_000 + "{" * 100_000}


@pytest.mark.parametrize("name", PASSWORD_POLICIES)
def test_bad_password_policies(shared, name):
    answer = shared.call("PUT", "sys/policies/password/p", {"policy": PASSWORD_POLICIES[name]})
    assert answer.status == 400, answer


def test_wrong_keys_at_unseal(fresh):
    fresh.initialise(shares=3, threshold=2)
    right = list(fresh.keys)
    for key in ("", "x", "zz" * 33, "00" * 33, "ff" * 33, "00", right[0] + "00", right[0][:-2], "x" * 1024 * 1024, None, 5, ["a"], {"a": 1}):
        answer = fresh.call("PUT", "sys/unseal", {"key": key}, token="")
        assert answer.status in (200, 400), (str(key)[:20], answer)
        assert fresh.call("GET", "sys/seal-status", token="")["sealed"]
        fresh.call("PUT", "sys/unseal", {"reset": True}, token="")
    wrong = right[0][:-4] + ("0000" if right[0][-4:] != "0000" else "1111")
    fresh.call("PUT", "sys/unseal", {"key": wrong}, token="")
    assert fresh.call("PUT", "sys/unseal", {"key": right[1]}, token="").status in (400, 500)
    assert fresh.call("GET", "sys/seal-status", token="")["progress"] == 0
    fresh.unseal()
    assert fresh.call("GET", "sys/mounts").status == 200


def test_the_same_share_twice_is_one_share(fresh):
    fresh.initialise(shares=3, threshold=2)
    for _ in range(3):
        assert fresh.call("PUT", "sys/unseal", {"key": fresh.keys[0]}, token="")["progress"] == 1
    fresh.unseal()


def test_bad_initialisations(fresh):
    wrong = [(0, 0), (-1, -1), (1, 2), (3, 1), (256, 2), (255, 256), (10**30, 2), ("x", "y"), (None, None), (1.5, 1), ([], {})]
    for shares, threshold in wrong:
        answer = fresh.call("PUT", "sys/init", {"secret_shares": shares, "secret_threshold": threshold}, token="")
        assert answer.status == 400, (shares, threshold, answer)
        assert fresh.call("GET", "sys/init", token="")["initialized"] is False
    fresh.initialise()
    fresh.unseal()
    assert fresh.call("PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1}, token="").status == 400


def test_a_database_that_is_not_there(shared):
    shared.ok("POST", "sys/mounts/database", {"type": "database"})
    nowhere = {"plugin_name": "postgresql-database-plugin", "allowed_roles": "*", "username": "u", "password": "s3cret-pass"}
    for url in ("postgresql://{{username}}:{{password}}@127.0.0.1:1/x", "postgresql://{{username}}:{{password}}@nosuch.invalid:5432/x", "nonsense", "", "postgresql://", "postgresql://a b c", "x" * 100_000, "file:///etc/passwd", "host=/nosuch user={{username}} password={{password}}", "postgresql://{{username}}:{{password}}@[::1]:99999/x"):
        answer = shared.call("POST", "database/config/gone", {**nowhere, "connection_url": url})
        assert answer.status in (400, 500), (url[:60], answer)
        assert "s3cret-pass" not in json.dumps(answer.body) and "internal error" not in json.dumps(answer.body), (url[:60], answer)
    assert shared.call("GET", "database/config/gone").status == 404, "a configuration that was refused is not kept"
    shared.ok("POST", "database/config/gone", {**nowhere, "connection_url": "postgresql://{{username}}:{{password}}@127.0.0.1:1/x", "verify_connection": False})
    shared.ok("POST", "database/roles/r", {"db_name": "gone", "creation_statements": "select 1"})
    answer = shared.call("GET", "database/creds/r")
    assert answer.status == 500 and "s3cret-pass" not in json.dumps(answer.body), answer
    assert not shared.call("LIST", "sys/leases/lookup/database/creds/r").body.get("data"), "no lease for what was never made"
    shared.ok("DELETE", "sys/mounts/database")


@pytest.mark.skipif(is_reference(), reason="its own messages")
@pytest.mark.parametrize("text", ["", "storage", 'storage "nosuch" {}', 'listener "tcp" { address = "127.0.0.1:0"', "{" * 100_000, "[" * 100_000, "\0", "\xff", 'storage "file" { path = 5 }', 'storage "inmem" {}\nlistener "tcp" { address = "nonsense" }'])
def test_bad_configurations_are_named(tmp_path, text):
    file = tmp_path / "server.hcl"
    file.write_bytes(text.encode("latin-1"))
    done = subprocess.run([binary(), "server", f"-config={file}"], capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 1 and done.stderr.strip(), done
    assert "panicked" not in done.stderr


class Reply:
    """Status and JSON of a raw answer; status 0 where the connection ended without one."""

    def __init__(self, text):
        line = text.split(b"\r\n", 1)[0].split(b" ")
        self.status = int(line[1]) if len(line) > 1 else 0
        text = text.partition(b"\r\n\r\n")[2]
        try:
            self.body = json.loads(text) if text else None
        except ValueError:
            self.body = text.decode("utf-8", "replace")

    def __repr__(self):
        return f"{self.status} {str(self.body)[:300]}"

    def __getitem__(self, key):
        return self.body[key]


def head(method, target, token, lines=()):
    """A request's head, not checked by any library."""
    own = ["Host: x"] + ([f"X-Vault-Token: {token}"] if token else [])
    return "\r\n".join([f"{method} {target} HTTP/1.1", *own, *lines, "", ""]).encode("latin-1")


def body(text):
    """A write to secret/data/p with this body; `send` puts the token in."""
    return b"POST /v1/secret/data/p HTTP/1.1\r\nHost: x\r\nX-Vault-Token: TOKEN\r\nContent-Length: %d\r\n\r\n" % len(text) + text


def connect(server):
    return socket.create_connection(("127.0.0.1", server.port), timeout=30)


def send(server, request):
    """Sends the bytes as they are, and reads one answer."""
    return Reply(send_raw(server, request, None))


def send_raw(server, request, silence_s=0.5):
    """Sends the bytes as they are, and reads until the server ends the connection or has had nothing to say for a while."""
    with connect(server) as connection:
        try:
            connection.sendall(request.replace(b"X-Vault-Token: TOKEN", b"X-Vault-Token: " + server.token.encode(), 1))
        except (BrokenPipeError, ConnectionResetError):
            pass  # refused before the end; the answer is there all the same
        text = b""
        while silence_s or not is_complete(text):
            connection.settimeout(silence_s if is_complete(text) else 30)
            try:
                part = connection.recv(1 << 20)
            except (TimeoutError, ConnectionResetError):
                return text
            if not part:
                return text
            text += part
        return text


def is_complete(text):
    """Whether an answer is there in full; another may follow."""
    first, separator, rest = text.partition(b"\r\n\r\n")
    if not separator:
        return False
    length = [line.split(b":")[1] for line in first.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    return len(rest) >= int(length[0]) if length else b"chunked" not in first.lower() or rest.endswith(b"0\r\n\r\n")


def memory_kib(server):
    with open(f"/proc/{server.process.pid}/status", encoding="ascii") as file:
        return int(next(line for line in file if line.startswith("VmRSS")).split()[1])
