#!/usr/bin/env python3
"""Compares two recordings of record.py: statuses, keys and types of every answer (values only with --texts).

    diff.py BAO.jsonl COFFER.jsonl [--texts]

A line per difference; exit code 1 when there is one. Differences that are wanted live in `wanted.json`
({"area/name": "why"}) and are counted, not shown.
"""
import argparse
import json
import os
import sys

WANTED = os.path.join(os.path.dirname(os.path.abspath(__file__)), "wanted.json")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("reference")
    parser.add_argument("candidate")
    parser.add_argument("--texts", action="store_true", help="compare error texts as well")
    options = parser.parse_args()
    return print_differences(read(options.reference), read(options.candidate), options.texts)


def read(path):
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.strip()]


def print_differences(reference, candidate, texts=False):
    wanted = {}
    if os.path.exists(WANTED):
        with open(WANTED, encoding="utf-8") as file:
            wanted = json.load(file)
    known = {(answer["area"], answer["name"]): answer for answer in reference}
    different, expected = 0, 0
    for answer in candidate:
        key = f"{answer['area']}/{answer['name']}"
        other = known.get((answer["area"], answer["name"]))
        found = ["is not in the reference"] if other is None else list(compare(other, answer, texts))
        if not found:
            continue
        if key in wanted:
            expected += 1
            continue
        different += 1
        print(f"{key}: {answer['method']} {answer['path']}")
        for line in found:
            print(f"    {line}")
    print(f"{len(candidate)} requests, {different} answered differently, {expected} differences wanted", file=sys.stderr)
    return 1 if different else 0


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
