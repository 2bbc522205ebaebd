"""One request after another to one server: what is sent, what is kept for later requests, what is written down."""
import http.client
import json
import re
import string
import time
import urllib.parse

PLACEHOLDERS = [
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "<uuid>"),
    (re.compile(r"(?<=<uuid>)\.[A-Za-z0-9]{6}\b"), ".<ns>"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)"), "<time>"),
    (re.compile(r"\beyJ[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+"), "<jwt>"),
    (re.compile(r"\b(hv)?[sbr]\.[A-Za-z0-9_-]{20,}(\.[A-Za-z0-9]+)?"), "<token>"),
    (re.compile(r"\b[A-Za-z0-9]{24}\.[A-Za-z0-9]{6}\b"), "<id24>.<ns>"),
    (re.compile(r"\bv-[A-Za-z0-9_-]+-[A-Za-z0-9]{20}-\d{10}"), "<db-user>"),
    (re.compile(r"hmac-sha256:[0-9a-f]{64}"), "<hmac>"),
    (re.compile(r"\b((?:auth_)?[a-z0-9-]+|entity|group)_[0-9a-f]{8}\b"), r"\1_<hex8>"),
    (re.compile(r"(?<=_<hex8>)\.[A-Za-z0-9]{6}\b"), ".<ns>"),
    (re.compile(r"\bh?[0-9a-f]{64,66}\b"), "<hex-key>"),
    (re.compile(r"\b[0-9a-f]{40}\b"), "<hex40>"),
    (re.compile(r"\b[A-Za-z0-9]{24}\b(?=$|\")"), "<id24>"),
    (re.compile(r"secret=[A-Z2-7]{16,}"), "secret=<base32>"),
    (re.compile(r"^[A-Za-z0-9]{6}_root$"), "<ns>_root"),
    (re.compile(r"127\.0\.0\.1:\d+"), "127.0.0.1:<port>"),
    (re.compile(r"/tmp/coffer-record-[a-z0-9_]+"), "<dir>"),
]


# What is random under a name of its own: its length is compared.
RANDOM = {
    **dict.fromkeys(["keys_base64", "recovery_keys_base64", "root_token", "otp", "encoded_token", "encoded_root_token", "random_bytes", "x", "y", "n", "code", "unlock_key"], r"[^ <]{4,}"),
    "password": r"[^ <]{12}|[^ <]{20}",
    **dict.fromkeys(["client_id", "allowed_client_ids"], r"[A-Za-z0-9]{26,36}"),
    "client_secret": r"hv[ob]_secret_[A-Za-z0-9]+",
    "cluster_name": r"vault-cluster-[0-9a-f]+",
    **dict.fromkeys(["ciphertext", "hmac"], r"vault:v\d+:[A-Za-z0-9+/=]+"),
    "signature": r"vault:v\d+:[A-Za-z0-9+/=_-]+",
    "csr": r"-----BEGIN CERTIFICATE REQUEST-----[^-]+-----END CERTIFICATE REQUEST-----\n",
    **dict.fromkeys(["public_key", "publickey"], r"-----BEGIN PUBLIC KEY-----[^-]+-----END PUBLIC KEY-----\n|[A-Za-z0-9+/]{43}=|[A-Za-z0-9+/]{1750,3456}={0,2}"),
    **dict.fromkeys(["id", "namespace_id"], r"[A-Za-z0-9]{6}"),
}


class Step:
    """One request: `line` is "METHOD path below /v1/" (or an absolute path).

    `save`         names for parts of the answer, which later requests write as `$name` (`fill:$other` keeps what is there already)
    `ns`           the namespace header
    `show`         response headers to compare
    `repeat_until` ask again until this is true of status and text (at most MAX_WAIT_S)
    `skip_body`    status and content type are compared, the body is not
    `shape_only`   keys and types are compared, values and lengths of lists are not
    `stream`       the answer has no end: its head is compared
    `published`    status and body to compare with instead of the reference's
    """

    def __init__(self, name, line, body=None, token="$root", headers=None, raw=None, save=None, repeat_until=None, sent=None, keep_text=False,
                 ns=None, show=(), skip_body=False, shape_only=False, stream=False, published=None):
        self.name = name
        self.method, path = line.split(" ", 1)
        self.path = path if path.startswith("/") else "/v1/" + path
        self.body, self.token, self.headers, self.raw = body, token, dict(headers or {}), raw
        if ns is not None:
            self.headers["X-Vault-Namespace"] = ns
        self.save, self.repeat_until, self.sent, self.keep_text = save or {}, repeat_until, sent, keep_text
        self.show, self.skip_body, self.shape_only, self.stream, self.published = show, skip_body, shape_only, stream, published


class Session:
    """Sends requests to one server and keeps what later requests refer to as `$name`."""

    def __init__(self, addr, token, postgres, folder="/tmp"):
        url = urllib.parse.urlsplit(addr)
        self.host, self.port, self.tls = url.hostname, url.port, url.scheme == "https"
        self.values = {"root": token, "folder": folder, **(postgres or {})}
        self.has_postgres = postgres is not None

    def enable_methods(self, names):
        for name in names:
            self.send(Step("enable", f"POST sys/auth/{name}", {"type": name}))

    def enable_engines(self, names):
        for name in names:
            self.send(Step("enable", f"POST sys/mounts/{name}", {"type": name}))

    def make_powerless(self):
        """`$powerless` is a token that may do nothing at all."""
        step = Step("powerless", "POST auth/token/create", {"policies": ["may-do-nothing"], "no_default_policy": True, "ttl": "1h"})
        _, text = self.send(step)
        self.values["powerless"] = find(parse(text), "auth.client_token")

    def fill(self, value):
        if isinstance(value, str):
            return string.Template(value).safe_substitute(self.values)
        if isinstance(value, list):
            return [self.fill(item) for item in value]
        if isinstance(value, dict):
            return {self.fill(key): self.fill(item) for key, item in value.items()}
        return value

    def send(self, step):
        kind = http.client.HTTPSConnection if self.tls else http.client.HTTPConnection
        connection = kind(self.host, self.port, timeout=60)
        headers = self.fill(step.headers)
        token = self.fill(step.token)
        if token:
            headers.setdefault("X-Vault-Token", token)
        body = None
        if step.raw is not None:
            body = step.raw
        elif step.body is not None:
            body = json.dumps(self.fill(step.body)).encode()
            headers.setdefault("Content-Type", "application/json")
        connection.putrequest(step.method, self.fill(step.path), skip_accept_encoding=True)
        if body is not None:
            headers["Content-Length"] = str(len(body))
        elif step.method in ("POST", "PUT", "PATCH"):
            headers["Content-Length"] = "0"
        for key, value in headers.items():
            connection.putheader(key, value)
        try:
            connection.endheaders(body)
        except (BrokenPipeError, ConnectionResetError):
            pass  # An early refusal of a large body: the answer is still there to be read.
        try:
            response = connection.getresponse()
        except http.client.RemoteDisconnected:
            return NoAnswer(), b""
        is_endless = step.stream and response.status == 200
        text = b"" if is_endless else response.read()
        connection.close()
        return response, text

    def record(self, area, step, any_order=False):
        """Sends a request and returns what is written down of it and of its answer; `any_order` where lists come in no order of their own."""
        response, text = self.send(step)
        deadline = time.monotonic() + MAX_WAIT_S
        while step.repeat_until and not step.repeat_until(response.status, text) and time.monotonic() < deadline:
            time.sleep(0.05)
            response, text = self.send(step)
        body = parse(text)
        for name, where in step.save.items():
            self.values[name] = self.fill(where[5:]) if where.startswith("fill:") else find(body, where)
        answer = answered(step, response, body, text)
        if any_order:
            answer["body"] = in_order(answer["body"])
        return {**described(area, step), **answer}


MAX_WAIT_S = 5


class NoAnswer:
    """What stands for the answer of a server that hangs up instead."""
    status = 0

    @staticmethod
    def getheader(_):
        return None


def described(area, step):
    request = {"area": area, "name": step.name, "method": step.method, "path": step.path}
    if step.headers:
        request["headers"] = step.headers
    if step.token != "$root":
        request["token"] = step.token
    if step.body is not None:
        request["sent"] = step.body
    elif step.raw is not None:
        request["sent_raw"] = step.sent or step.raw.decode("utf-8", "replace")[:200]
    if step.published:
        request["published"] = {"status": step.published[0], "body": shape(step.published[1])}
    return request


def answered(step, response, body, text):
    answer = {"status": response.status}
    if response.getheader("Location"):
        answer["location"] = normalise(response.getheader("Location"))
    kind = response.getheader("Content-Type")
    if kind and kind != "application/json":
        answer["content_type"] = kind
    for name in step.show:
        answer.setdefault("headers_shown", {})[name] = response.getheader(name)
    if step.skip_body:
        answer["body"] = "<not compared>" if text else None
    elif step.shape_only:
        answer["body"] = shape(body)
    else:
        answer["body"] = normalise(body)
    if step.keep_text:
        answer["text"] = normalise(text.decode("utf-8", "replace"))
    return answer


def parse(text):
    if not text:
        return None
    try:
        return json.loads(text)
    except ValueError:
        return {"<text>": text.decode("utf-8", "replace")[:2000]}


def find(body, where):
    for part in where.split("."):
        if isinstance(body, list) and part.isdigit() and int(part) < len(body):
            body = body[int(part)]
        elif isinstance(body, dict) and part in body:
            body = body[part]
        else:
            return f"missing-{where}"
    return body


def with_names(pairs):
    """An object of these pairs; names that became alike are numbered, in the order of their values."""
    named, seen = {}, {}
    for name, item in pairs:
        seen[name] = seen.get(name, 0) + 1
        named[name if seen[name] == 1 else f"{name}#{seen[name]}"] = item
    return named


def in_order(value):
    """The value with every list sorted."""
    if isinstance(value, dict):
        return {name: in_order(item) for name, item in value.items()}
    if isinstance(value, list):
        return sorted((in_order(item) for item in value), key=json.dumps)
    return value


def shape(value):
    if isinstance(value, dict):
        return {normalise(name): shape(item) for name, item in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return value if value is None else {"bool": False, "str": "<text>"}.get(type(value).__name__, 0)


def normalise(value, key=""):
    """The value with all that differs from run to run made alike. Lists of random names have no order."""
    if isinstance(value, dict):
        return with_names(sorted(((normalise(name), normalise(item, name)) for name, item in value.items()), key=json.dumps))
    if isinstance(value, list):
        items = [normalise(item, key) for item in value]
        return in_order(items) if any("<" in item for item in items if isinstance(item, str)) else items
    if isinstance(value, str):
        if key == "barcode":
            return "<png>"
        by_key = RANDOM.get(key)
        if by_key and re.fullmatch(by_key, value):
            return f"<{key}:{len(value)}>"
        for pattern, placeholder in PLACEHOLDERS:
            value = pattern.sub(placeholder, value)
        return value
    if key == "remote_port":
        return 0
    if key in ("creation_time", "last_renewal_time", "server_time_utc", "build_date", "sum") and isinstance(value, int) and value > 10**9:
        return 1700000000
    if key.isdigit() and isinstance(value, int) and value > 10**9:
        return 1700000000  # When a version of a key was made.
    return value
