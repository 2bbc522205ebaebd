"""Every operation of the reference's list: on what is not there, with an empty body, without a token, and with a token that may do nothing."""
import operations

ANY_ORDER = True
VALUES = {"type": "secret", "tag": "root", "urlalgorithm": "sha2-256", "urlbytes": "8", "source": "platform", "header": "X-Nosuch", "method_id": "00000000-0000-0000-0000-000000000000"}
# What ends the server or the token that asks, or has no end of its own.
NEVER_AS_ROOT = ["POST sys/seal", "POST sys/step-down", "POST auth/token/revoke-self", "GET sys/monitor", "POST sys/rotate/root"]
# Bodies that differ by nature: they are compared where they are asked for on purpose.
SKIP_BODY = ["GET sys/metrics", "GET sys/host-info", "GET sys/internal/counters/tokens", "GET sys/internal/specs/openapi", "POST sys/internal/specs/openapi", "GET sys/plugins/catalog", "POST sys/plugins/catalog/{name}"]
# These have an area of their own, with a server that allows them.
ELSEWHERE = ("sys/storage/raft/", "sys/rekey/", "sys/generate-root/", "sys/generate-root", "sys/pprof")
# There strangers are asked for as well.
STRANGERS_THERE = ("sys/storage/raft/", "sys/rekey/", "sys/generate-root/")
ORDER = ["GET", "LIST", "SCAN", "POST", "PATCH", "GET again", "DELETE"]


def steps(step):
    return [request for path, methods in by_path().items() if not path.startswith(STRANGERS_THERE)
            for request in [*refused(step, path, methods), *of_path(step, path, methods)]]


def strangers(step, *prefixes):
    """What `steps` asks without a token and without rights, of the paths that have an area of their own."""
    return [request for path, methods in by_path().items() if path.startswith(prefixes) for request in refused(step, path, methods)]


def by_path():
    found = {}
    for operation in operations.recorded():
        found.setdefault(operation["path"], []).append(operation["method"])
    return found


def refused(step, path, methods):
    filled = fill(path)
    for method in methods:
        yield step(f"{method} {path} without token", f"{method} {filled}", token="", **body_of(method, path))
        yield step(f"{method} {path} without rights", f"{method} {filled}", token="$powerless", **body_of(method, path))


def of_path(step, path, methods):
    filled = fill(path)
    for turn in [] if path.startswith(ELSEWHERE) else ORDER:
        method = turn.split()[0]
        if method not in methods or turn == "GET again" and "POST" not in methods or f"{method} {path}" in NEVER_AS_ROOT:
            continue
        yield step(f"{turn} {path}", f"{method} {filled}", **body_of(method, path))


def fill(path):
    # The namespace `nosuch` is made and deleted beside these, and its end takes a while.
    path = path.replace("sys/namespaces/{path}/", "sys/namespaces/unknown/")
    return "/".join(VALUES.get(part[1:-1], "nosuch") if part.startswith("{") else part for part in path.split("/"))


def body_of(method, path):
    more = {"skip_body": True} if f"{method} {path}" in SKIP_BODY or path.startswith("sys/pprof") else {}
    if method == "PATCH":
        return {"body": {}, "headers": {"Content-Type": "application/merge-patch+json"}, **more}
    return {"body": {}, **more} if method == "POST" else more
