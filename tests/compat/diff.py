#!/usr/bin/env python3
"""Compares two recordings of record.py: statuses, keys and types of every answer (values only with --texts).

    diff.py BAO.jsonl COFFER.jsonl [--texts] [--write-open]

A line per difference; exit code 1 when there is one. Two lists beside this file hold what is known:
`wanted.json`  differences that are meant: the status we answer instead, and why;
`open.json`    differences nobody has judged yet. It only shrinks: an entry that no longer differs must go.
--write-open makes `open.json` anew from what differs now.
"""
import argparse
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("reference")
    parser.add_argument("candidate")
    parser.add_argument("--texts", action="store_true", help="compare error texts as well")
    parser.add_argument("--write-open", action="store_true", help="take what differs now as the list of open differences")
    options = parser.parse_args()
    reference, candidate = read(options.reference), read(options.candidate)
    if options.write_open:
        found = sorted(differences(reference, candidate, texts=False))
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
    found = differences(reference, candidate, texts)
    still_open = known("open.json", [])
    asked = {f"{answer['area']}/{answer['name']}" for answer in candidate}
    settled = [key for key in still_open if key in asked and key not in found]
    new = {key: lines for key, lines in found.items() if key not in still_open}
    for key, lines in found.items() if texts else new.items():
        print(key, *lines, sep="\n    ")
    for key in settled:
        print(f"{key}\n    no longer differs: take it out of open.json")
    print(f"{len(candidate)} requests, {len(found)} answered differently, {len(found) - len(new)} of them known and open", file=sys.stderr)
    return 1 if new or settled else 0


def differences(reference, candidate, texts):
    """What differs and is not wanted: `area/name` to a list of lines."""
    wanted = known("wanted.json", {})
    by_name = {(answer["area"], answer["name"]): answer for answer in reference}
    found = {}
    for answer in candidate:
        key = f"{answer['area']}/{answer['name']}"
        other = by_name.get((answer["area"], answer["name"]))
        lines = ["is not in the reference"] if other is None else list(compare(other, answer, texts))
        if lines and wanted.get(key, {}).get("status") != answer["status"]:
            found[key] = [f"{answer['method']} {answer['path']}", *lines]
    return found


def compare(one, two, texts):
    if one["status"] != two["status"]:
        yield f"status {one['status']} -> {two['status']}: {shorten(one['body'])} -> {shorten(two['body'])}"
        return
    if one.get("location") != two.get("location"):
        yield f"location {one.get('location')} -> {two.get('location')}"
    yield from shapes(one["body"], two["body"], "body", texts)


def shapes(one, two, where, texts):
    if kind(one) != kind(two):
        yield f"{where}: {kind(one)} -> {kind(two)}: {shorten(one)} -> {shorten(two)}"
    elif isinstance(one, dict):
        for key in sorted(one.keys() - two.keys()):
            yield f"{where}.{key} is missing (was {shorten(one[key])})"
        for key in sorted(two.keys() - one.keys()):
            yield f"{where}.{key} is new ({shorten(two[key])})"
        for key in sorted(one.keys() & two.keys()):
            yield from shapes(one[key], two[key], f"{where}.{key}", texts)
    elif isinstance(one, list):
        if where.endswith(".errors") or where.endswith(".warnings"):
            if texts and one != two:
                yield f"{where}: {shorten(one)} -> {shorten(two)}"
            elif len(one) != len(two):
                yield f"{where}: {len(one)} -> {len(two)} entries: {shorten(one)} -> {shorten(two)}"
        elif len(one) != len(two):
            yield f"{where}: {shorten(one)} -> {shorten(two)}"
        else:
            for place, (left, right) in enumerate(zip(one, two)):
                yield from shapes(left, right, f"{where}[{place}]", texts)
    elif texts and one != two:
        yield f"{where}: {shorten(one)} -> {shorten(two)}"
    elif isinstance(one, bool) and one != two:
        yield f"{where}: {one} -> {two}"


def kind(value):
    names = {dict: "object", list: "list", str: "text", bool: "bool", int: "number", float: "number", type(None): "null"}
    return names[type(value)]


def shorten(value):
    text = json.dumps(value)
    return text if len(text) <= 160 else text[:157] + "..."


if __name__ == "__main__":
    sys.exit(main())
