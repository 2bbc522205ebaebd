"""The whole story through node-vault, the JavaScript client, unchanged."""
import json
import os
import shutil
import subprocess

import pytest

from coffer_server import until
from conftest import APP_POLICY, SHORT_S, database_config, database_role

# test.sh puts the package there.
MODULES = os.environ.get("COFFER_NODE_MODULES", os.path.expanduser("~/.cache/coffer-tests/node/node_modules"))
STORY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "node", "story.js")


@pytest.mark.skipif(not shutil.which("node") or not os.path.isdir(os.path.join(MODULES, "node-vault")), reason="node or node-vault is not here; test.sh installs it")
def test_the_story_through_node_vault(fresh, postgres):
    given = json.dumps({"config": database_config(postgres), "role": database_role(), "policy": APP_POLICY})
    done = subprocess.run(["node", STORY, fresh.addr, given], env={**os.environ, "NODE_PATH": MODULES}, text=True, capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout.splitlines()[-1])
    assert not postgres.accepts(made["revoked"]["username"], made["revoked"]["password"])
    user, password = made["expiring"]["username"], made["expiring"]["password"]
    until(lambda: not postgres.accepts(user, password), SHORT_S + 10, "the login is refused after expiry")
