#!/usr/bin/env python3
"""Compares two recordings of record.py: statuses, keys, types and values of every answer (words of people only with --texts).

    diff.py BAO.jsonl COFFER.jsonl [--texts] [--write-open]

A line per difference; exit code 1 when there is one. Two lists beside this file hold what is known:
`wanted.json`  differences that are meant, and why: the status we answer instead, or the lines that may differ.
               A `*` in a request's name or in a line stands for anything. An entry that explains nothing must go.
`open.json`    differences nobody has judged yet. It only shrinks: an entry that no longer differs must go.
--write-open makes `open.json` anew from what differs now.
"""
import argparse
import json
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
# Words for people and names of the product: that they are there, and their types, are compared.
WORDS = {"errors", "warnings", "description", "help", "see_also", "error_description", "version", "running_plugin_version", "plugin_version",
         "builtin_version", "build_date", "commit_date", "previous_version", "hostname", "<text>"}
# Documents of their own kind: that they are there is compared.
OPAQUE = {"openapi"}
# The area of what the reference does not have.
BEYOND = "beyond"
# What runs while we look.
CLOCKS = {"ttl", "expires_in", "lease_duration"}
MAX_CLOCK_SKEW_S = 3


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("reference")
    parser.add_argument("candidate")
    parser.add_argument("--texts", action="store_true", help="compare words as well")
    parser.add_argument("--write-open", action="store_true", help="take what differs now as the list of open differences")
    options = parser.parse_args()
    reference, candidate = read(options.reference), read(options.candidate)
    if options.write_open:
        found = sorted(differences(reference, candidate)[0])
        with open(os.path.join(HERE, "open.json"), "w", encoding="utf-8") as file:
            file.write(json.dumps(found, indent=1) + "\n")
    return print_differences(reference, candidate, options.texts)


def read(path):
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.strip()]


def known(name, otherwise):
    path = os.path.join(HERE, name)
    if not os.path.exists(path):
        return otherwise
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def print_differences(reference, candidate, texts=False):
    found, _, idle = differences(reference, candidate, texts)
    still_open = set(known("open.json", []))
    asked = {key_of(answer) for answer in candidate}
    settled = sorted(key for key in still_open if key in asked and key not in found)
    gone = sorted(still_open - asked) if asked_everything(candidate) else []
    new = {key: lines for key, lines in found.items() if key not in still_open}
    for key, lines in found.items() if texts else new.items():
        print(key, *lines, sep="\n    ")
    for key in settled:
        print(f"{key}\n    no longer differs: take it out of open.json")
    for key in gone:
        print(f"{key}\n    is not asked any more: take it out of open.json")
    for key in idle:
        print(f"{key}\n    explains nothing: take it out of wanted.json")
    print(f"{len(candidate)} requests, {len(found)} answered differently, {len(found) - len(new)} of them known and open", file=sys.stderr)
    return 1 if new or settled or gone or idle else 0


def asked_everything(candidate):
    files = os.listdir(os.path.join(HERE, "areas"))
    areas = {name.removesuffix(".py") for name in files if name.endswith(".py") and not name.startswith("__")}
    return areas - set(recorded_areas()) == {answer["area"] for answer in candidate}


def recorded_areas():
    """Areas that the reference has no more; recordings of an older one stand in for it."""
    return sorted(name.removesuffix(".jsonl") for name in os.listdir(os.path.join(HERE, "recorded")))


def differences(reference, candidate, texts=False):
    """What differs and is not wanted, what differs and is (each `area/name` to a list of lines), and the entries that explain nothing."""
    wanted = Wanted(known("wanted.json", {}))
    by_name = {key_of(answer): answer for answer in reference}
    found, meant = {}, {}
    for answer in candidate:
        key = key_of(answer)
        other = answer.get("published") or by_name.get(key)
        if answer["area"] == BEYOND and not answer.get("published"):
            other = None if answer["status"] in (404, 405) else answer
        lines = ["is not in the reference"] if other is None else list(compare(other, answer, texts))
        if not lines:
            continue
        reasons, rest = wanted.sort_out(key, answer["status"], lines)
        if reasons:
            meant[key] = reasons
        if rest:
            found[key] = [f"{answer['method']} {answer['path']}", *rest]
    return found, meant, wanted.idle({answer["area"] for answer in candidate}, asked_everything(candidate))


def key_of(answer):
    return f"{answer['area']}/{answer['name']}"


class Wanted:
    """The differences that are meant."""

    def __init__(self, entries):
        self.entries = [(key, pattern(key), entry) for key, entry in entries.items()]
        self.used = set()

    def sort_out(self, key, status, lines):
        """Reasons for the lines that are meant, and the other lines."""
        reasons = []
        for name, matches, entry in self.entries:
            if not matches(key) or entry.get("status", status) != status:
                continue
            kept = [] if "status" in entry else [line for line in lines if not any(pattern(each)(line) for each in entry["lines"])]
            if len(kept) < len(lines):
                self.used.add(name)
                reasons.append(entry["why"])
                lines = kept
        return reasons, lines

    def idle(self, areas, is_all):
        return [name for name, _, _ in self.entries if name not in self.used and (is_all and name.startswith("*") or name.split("/", 1)[0] in areas)]


def pattern(text):
    return re.compile(".*".join(re.escape(part) for part in text.split("*")), re.DOTALL).fullmatch


def compare(one, two, texts):
    if one["status"] != two["status"]:
        yield f"status {one['status']} -> {two['status']}: {shorten(one['body'])} -> {shorten(two['body'])}"
        return
    for name in ("location", "content_type", "headers_shown"):
        if one.get(name) != two.get(name):
            yield f"{name}: {shorten(one.get(name))} -> {shorten(two.get(name))}"
    yield from shapes(one["body"], two["body"], "body", texts)


def shapes(one, two, where, texts, is_words=False, is_clock=False):
    if kind(one) != kind(two):
        yield f"{where}: {kind(one)} -> {kind(two)}: {shorten(one)} -> {shorten(two)}"
    elif isinstance(one, dict):
        for key in sorted(one.keys() - two.keys()):
            yield f"{where}.{key} is missing (was {shorten(one[key])})"
        for key in sorted(two.keys() - one.keys()):
            yield f"{where}.{key} is new ({shorten(two[key])})"
        for key in sorted((one.keys() & two.keys()) - OPAQUE):
            yield from shapes(one[key], two[key], f"{where}.{key}", texts, is_words or key in WORDS, key in CLOCKS)
    elif isinstance(one, list):
        if len(one) != len(two):
            yield f"{where}: {len(one)} -> {len(two)} entries: {shorten(one)} -> {shorten(two)}"
        else:
            for place, (left, right) in enumerate(zip(one, two)):
                yield from shapes(left, right, f"{where}[{place}]", texts, is_words)
    elif one != two and (texts or not is_words) and not (is_clock and abs(one - two) <= MAX_CLOCK_SKEW_S):
        yield f"{where}: {shorten(one)} -> {shorten(two)}"


def kind(value):
    names = {dict: "object", list: "list", str: "text", bool: "bool", int: "number", float: "number", type(None): "null"}
    return names[type(value)]


def shorten(value):
    text = json.dumps(value)
    return text if len(text) <= 160 else text[:157] + "..."


if __name__ == "__main__":
    sys.exit(main())
