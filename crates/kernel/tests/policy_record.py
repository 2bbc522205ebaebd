#!/usr/bin/env python3
"""Asks a reference server what policies allow, and writes tests/policy_recorded.json.

    bao server -dev -dev-root-token-id=root -dev-listen-address=127.0.0.1:8377
    python3 policy_record.py http://127.0.0.1:8377 [SEED [CASES]] > policy_recorded.json

Random rules over few short segments, so that they collide often, then rules with conditions, tried by real requests.
"""
import json
import random
import sys
import urllib.error
import urllib.request

SERVER = sys.argv[1]
SEED = int(sys.argv[2]) if len(sys.argv) > 2 else 1
CASES = int(sys.argv[3]) if len(sys.argv) > 3 else 150
CAPABILITIES = ["create", "read", "update", "delete", "list", "scan", "patch", "sudo"]


def call(method, path, body=None, token="root", wrap=None):
    headers = {"X-Vault-Token": token, "Content-Type": "application/json"}
    if wrap:
        headers["X-Vault-Wrap-TTL"] = f"{wrap}s"
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{SERVER}/v1/{path}", data, headers, method=method)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as error:
        return error.code, None


def token_for(policies):
    names = []
    for number, text in enumerate(policies):
        status, _ = call("PUT", f"sys/policies/acl/p{number}", {"policy": text})
        assert status == 204, text
        names.append(f"p{number}")
    _, answer = call("POST", "auth/token/create", {"policies": names, "no_default_policy": True})
    return answer["auth"]["client_token"]


def random_path(rng, pattern):
    words = ["a", "b", "ab", "abc"] + (["+", "+", "+", "*", "+a", "a+", "a*b"] if pattern else ["+a", "a+", "*", "x"])
    path = "/".join(rng.choice(words) for _ in range(rng.randint(1, 4)))
    if pattern and rng.random() < 0.45 and not path.endswith("+"):
        path += rng.choice(["*", "/*", "*"])
    elif rng.random() < 0.25:
        path += "/" + ("*" if pattern and rng.random() < 0.5 else "")
    return path


def random_policy(rng):
    rules = {}
    for _ in range(rng.randint(1, 7)):
        held = ["deny"] if rng.random() < 0.08 else rng.sample(CAPABILITIES, rng.randint(0, 3))
        rules[random_path(rng, True)] = {"capabilities": held}
    return json.dumps({"path": rules})


def capability_cases(rng):
    for _ in range(CASES):
        policies = [random_policy(rng) for _ in range(rng.randint(1, 3))]
        paths = sorted({random_path(rng, False) for _ in range(25)})
        _, answer = call("POST", "sys/capabilities", {"token": token_for(policies), "paths": paths})
        yield {"policies": policies, "capabilities": {path: answer["data"][path] for path in paths}}


REQUESTS = (
    [("PUT", "k/x", {"foo": value}, None) for value in ["a", "abc", "b", True, ["a"], None, ""]]
    + [("PUT", "k/x", body, None) for body in [{"FOO": "a"}, {"bar": "a"}, {"foo": "a", "bar": "b"}, {"a": 1, "b": 2}]]
    + [("GET", "k/x", None, wrap) for wrap in [None, 4, 5, 10, 20, 25, 30]]
    + [("LIST", f"k/?limit={limit}", None, None) for limit in [-1, 0, 3, 4, 5, 6, "abc"]]
    + [("LIST", "k/", None, 10), ("SCAN", "k/?limit=9", None, None), ("SCAN", "k/d", None, None)]
    + [("GET", "k/x?foo=a", None, None), ("GET", "k/x?a=1&b=2", None, None), ("DELETE", "k/y?bar=1", None, 10)]
    + [("PUT", "k/new", {"foo": "a"}, None)]
)
CONDITIONS = [
    'allowed_parameters = { "Foo" = ["a*"] }',
    'allowed_parameters = { "foo" = [] }',
    'allowed_parameters = { "foo" = ["b", true, ["a"]] "*" = ["x"] }',
    "allowed_parameters = {}",
    'denied_parameters = { "foo" = ["a*", ""] }',
    'denied_parameters = { "FOO" = [] }',
    'denied_parameters = { "*" = ["a"] }',
    'required_parameters = ["A"]',
    'required_parameters = ["b", "a"]',
    'min_wrapping_ttl = "10s" max_wrapping_ttl = 20',
    "min_wrapping_ttl = 5",
    'max_wrapping_ttl = "30s"',
    "pagination_limit = 5",
    "pagination_limit = 3",
    "",
]


def request_cases(rng):
    call("POST", "sys/mounts/k", {"type": "kv"})
    held = json.dumps(CAPABILITIES)
    rules = [f'path "k/*" {{ capabilities = {held} {condition} }}' for condition in CONDITIONS]
    cases = [[rule] for rule in rules] + [rng.sample(rules, 2) for _ in range(40)]
    cases += [['path "k/*" { capabilities = ["%s"] }' % capability] for capability in CAPABILITIES]
    for policies in cases:
        token = token_for(policies)
        asked = []
        for method, path, body, wrap in REQUESTS:
            call("POST", "k/x", {"kept": 1})
            call("POST", "k/y", {"kept": 1})
            call("POST", "k/d/x", {"kept": 1})
            call("DELETE", "k/new")
            status, _ = call(method, path, body, token, wrap)
            asked.append([method, path, body, wrap, status != 403])
        yield {"policies": policies, "requests": asked}


def main():
    rng = random.Random(SEED)
    cases = list(capability_cases(rng)) + list(request_cases(rng))
    print("[\n" + ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases) + "\n]")


main()
