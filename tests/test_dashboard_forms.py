"""What the dashboard's forms make of a description: the part that needs no browser, under Node's own test runner."""
import os
import shutil
import subprocess

import pytest

DASHBOARD = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "dashboard")


@pytest.mark.skipif(not shutil.which("node") or not os.path.isdir(os.path.join(DASHBOARD, "node_modules", "vite")), reason="not here: node, or the dashboard's packages; dashboard/build.sh installs them")
def test_forms():
    done = subprocess.run(["node", "scripts/test.mjs"], cwd=DASHBOARD, text=True, capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
