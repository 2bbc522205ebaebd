#!/usr/bin/env python3
"""Writes down what a run of both servers finds: the page of operations, the line about it in compatibility.md, and open.json where it shrinks.

    coverage.py [BAO.jsonl COFFER.jsonl]     without recordings it makes them: needs `bao` and a built coffer
"""
import argparse
import json
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..", "..")
PAGE = os.path.join(ROOT, "docs", "compatibility-operations.md")
GENERAL = os.path.join(ROOT, "docs", "compatibility.md")
# The line of compatibility.md that names the totals begins so.
TOTALS = "[Operation by operation](compatibility-operations.md): "
STILL_OPEN = os.path.join(HERE, "open.json")
# What Coffer itself says it serves.
OWN_DOCUMENT = os.path.join(ROOT, "crates", "server", "tests", "enumeration", "openapi.json")
sys.path.insert(0, HERE)

import diff  # noqa: E402
import operations  # noqa: E402
from areas.beyond import OPERATIONS as BEYOND  # noqa: E402

EQUAL, MEANT, OPEN, ABSENT, UNASKED = "equal", "differs on purpose", "differs", "not there", "not asked"
# Sections of the page, by the beginning of an operation's path; the longest wins.
SECTIONS = {
    "auth/token/": "Tokens", "auth/userpass/": "userpass", "auth/approle/": "approle", "auth/jwt/": "JWT and OIDC", "auth/kubernetes/": "kubernetes", "auth/cert/": "cert",
    "cubbyhole/": "Cubbyhole", "transit/": "Transit",
    "identity/entity": "Entities and their aliases", "identity/alias": "Entities and their aliases", "identity/persona": "Entities and their aliases",
    "identity/group": "Groups", "identity/lookup": "Look-up", "identity/mfa": "MFA", "identity/oidc": "Identity tokens", "sys/mfa": "MFA",
    **dict.fromkeys([f"identity/oidc/{part}" for part in ("assignment", "client", "scope", "provider")], "OIDC provider"),
    "sys/": "Other parts of sys", "sys/audit": "Audit", "sys/config/auditing": "Audit", "sys/auth": "Mounts", "sys/mounts": "Mounts", "sys/remount": "Mounts",
    "sys/polic": "Policies", "sys/capabilities": "Policies", "sys/leases": "Leases", "sys/namespaces": "Namespaces", "sys/quotas": "Quotas",
    "sys/plugins": "Plugins", "sys/wrapping": "Wrapping", "sys/internal": "Inside", "sys/config": "Configuration", "sys/loggers": "Watching",
    **dict.fromkeys([f"sys/{part}" for part in ("host-info", "in-flight-req", "metrics", "monitor", "pprof", "version-history", "ha-status", "locked-users")], "Watching"),
    **dict.fromkeys([f"sys/{part}" for part in ("init", "unseal", "seal", "health", "leader", "step-down")], "Start and seal"),
    **dict.fromkeys([f"sys/{part}" for part in ("rekey", "rotate", "generate-root", "key-status", "decode-token")], "Keys"),
    "sys/storage/raft": "Integrated storage", "sys/raw": "Raw storage", "sys/tools": "Tools", "sys/external-keys": "External keys", "sys/workflows": "Workflows",
    "sys/control-group": "Control groups",
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recordings", nargs="*")
    options = parser.parse_args()
    if options.recordings:
        recordings = [diff.read(path) for path in options.recordings]
    else:
        from record import record_both
        recordings = record_both(os.environ.get("BAO_CLI", "bao"))
    for path, text in contents(*recordings).items():
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)


def stale(reference, candidate):
    """The files that do not hold what the run finds."""
    return [os.path.basename(path) for path, text in contents(reference, candidate).items() if text != read(path)]


def contents(reference, candidate):
    found, meant, _ = diff.differences(reference, candidate)
    table = Table(listed() + list(BEYOND), candidate, found, meant)
    still_open = [key for key in diff.known("open.json", []) if key in found]
    totals = f"{TOTALS}{counted(tally(table, listed()))}."
    general = "".join(totals + "\n" if line.startswith(TOTALS) else line for line in read(GENERAL).splitlines(keepends=True))
    return {PAGE: page(table), GENERAL: general, STILL_OPEN: json.dumps(still_open, indent=1) + "\n"}


def listed():
    return [f"{operation['method']} {operation['path']}" for operation in operations.recorded()]


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def page(table):
    names = listed()
    return "".join(line + "\n" for line in [*head(table, names), *sections(table, names), *beyond(table, names)])


class Table:
    """What was asked of each operation and what came of it."""

    def __init__(self, names, candidate, found, meant):
        self.rows = {name: {"asked": 0, "differ": [], "meant": []} for name in names}
        self.elsewhere = 0
        index = Index(names)
        for answer in candidate:
            row = self.rows.get(index.operation(answer))
            if row is None:
                self.elsewhere += 1
                continue
            key = diff.key_of(answer)
            row["asked"] += 1
            if key in found:
                row["differ"].append((answer, found[key][1:]))
            elif key in meant:
                row["meant"] += [reason for reason in meant[key] if reason not in row["meant"]]

    def state(self, name):
        row = self.rows[name]
        if row["differ"]:
            # A refusal looks alike everywhere, so what is not there shows in what differs.
            return ABSENT if all(answer["status"] in (404, 405) for answer, _ in row["differ"]) and self.is_unserved(row) else OPEN
        if not row["asked"]:
            return UNASKED
        return MEANT if row["meant"] else EQUAL

    @staticmethod
    def is_unserved(row):
        texts = [json.dumps(answer["body"]) for answer, _ in row["differ"]]
        return all("unsupported path" in text or "unsupported operation" in text or "no handler for route" in text or text in ("null", '{"errors": ["<text>"]}') for text in texts)

    def words(self, name):
        """The last column: reasons, or what differs first."""
        row, state = self.rows[name], self.state(name)
        if state == OPEN:
            answer, lines = row["differ"][0]
            return f"{len(row['differ'])} of {row['asked']}, such as `{diff.key_of(answer)}`: `{shortened(lines[0])}`"
        return "; ".join(row["meant"]) if state == MEANT else ""


def shortened(line):
    """What differs, without the values."""
    return re.match(r"[^:(]*", line)[0].strip()


class Index:
    """Finds the operation that a request is: the template with the most literal text."""

    ANYTHING = ("path", "prefix", "url_lease_id", "event")
    IN_A_NAMESPACE = re.compile(r"^(?:[a-z-]+/)+?(?=(?:sys|identity|cubbyhole|auth)/)")

    def __init__(self, names):
        self.templates = [(name, name.split(" ", 1)[0], self.regex(name.split(" ", 1)[1]), len(re.sub(r"\{[^}]*\}", "", name))) for name in names]

    def regex(self, template):
        parts = re.split(r"(\{[^}]*\})", template)
        several = template.startswith("sys/polic")
        return re.compile("".join((".+" if part[1:-1] in self.ANYTHING or several else "[0-9]+" if part == "{urlbytes}" else "[^/]+") if part.startswith("{") else re.escape(part) for part in parts)).fullmatch

    def operation(self, answer):
        method, path = answer["method"], answer["path"]
        path, _, query = path.removeprefix("/v1/").partition("?")
        if not path.startswith(operations.AREAS + ("auth/",)):
            path = self.IN_A_NAMESPACE.sub("", path)
        if re.search(r"(^|&)list=true", query, re.IGNORECASE):
            method = "LIST"
        method = {"PUT": "POST", "HEAD": "GET"}.get(method, method)
        for tried in (path, path.rstrip("/")):
            fitting = [(weight, name) for name, verb, matches, weight in self.templates if verb == method and matches(tried)]
            if fitting:
                return max(fitting)[1]
        return None


def head(table, names):
    asked = sum(row["asked"] for row in table.rows.values())
    counts = tally(table, names)
    yield "# Operations, one by one"
    yield ""
    yield "This page is generated by `tests/compat/coverage.py` and checked by a test. It lists every operation that the reference's own OpenAPI document"
    yield "holds under `sys/`, `identity/`, `cubbyhole/` and those auth methods that are there, and what came of sending the same requests to both"
    yield "servers: status, envelope, keys, types and values are compared, words for people are not. What is different on purpose is told here with"
    yield "its reason, and in general in [compatibility.md](compatibility.md)."
    yield ""
    yield f"{len(names)} operations, {asked} requests: {counted(counts)}."


def tally(table, names):
    counts = dict.fromkeys([EQUAL, MEANT, OPEN, ABSENT, UNASKED], 0)
    for name in names:
        counts[table.state(name)] += 1
    return counts


def counted(counts):
    return ", ".join(f"{number} {state}" for state, number in counts.items() if number)


def sections(table, all_names):
    grouped = {}
    for name in all_names:
        grouped.setdefault(section(name), []).append(name)
    for title in sorted(grouped, key=lambda title: (list(SECTIONS.values()).index(title))):
        names = grouped[title]
        yield ""
        yield f"## {title}"
        yield ""
        yield f"{len(names)}: {counted(tally(table, names))}."
        yield ""
        yield "| operation | state | requests | |"
        yield "|---|---|---|---|"
        for name in names:
            yield row(table, name)


def section(name):
    path = name.split(" ", 1)[1]
    return SECTIONS[max((prefix for prefix in SECTIONS if path.startswith(prefix)), key=len)]


def row(table, name):
    return f"| `{name}` | {table.state(name)} | {table.rows[name]['asked']} | {table.words(name).replace('|', '/')} |".replace("|  |", "| |")


def beyond(table, names):
    yield ""
    yield "## Beyond the reference"
    yield ""
    yield "Operations of Vault that the reference lacks, compared with what Vault's documentation shows, paths of older clients that Coffer serves as well, and what is its own."
    yield ""
    yield "| operation | where | state |"
    yield "|---|---|---|"
    for name, edition in BEYOND.items():
        state = table.state(name)
        yield f"| `{name}` | {edition} | {'as published' if state == EQUAL else state} |"
    for name in own_operations(names):
        yield f"| `{name}` | Coffer's own, or of older clients | served |"


def own_operations(names):
    """What Coffer's own document holds and neither list does."""
    with open(OWN_DOCUMENT, encoding="utf-8") as file:
        own = operations.from_document(json.load(file))
    known = {shape(name) for name in [*names, *BEYOND]}
    served = [f"{operation['method']} {operation['path']}" for operation in own]
    return [name for name in served if shape(name) not in known]


def shape(name):
    return re.sub(r"\{[^}]*\}", "{}", name).rstrip("/")


if __name__ == "__main__":
    sys.exit(main())
