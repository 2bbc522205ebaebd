"""The page of the demo's service, in a real browser."""
import json
import os
import subprocess

import pytest

from test_demo_service import service  # noqa: F401: a fixture

browser = pytest.importorskip("browser")


@browser.needs_browser
def test_the_page_shows_what_happens(service, story):
    given = json.dumps({"addr": f"http://{service.host}", "coffer": story.addr, "token": story.token})
    environment = {**os.environ, "COFFER_NODE_MODULES": browser.MODULES, "COFFER_CHROMIUM": browser.CHROMIUM}
    done = subprocess.run(["node", os.path.join(browser.HERE, "browser", "demo_service.mjs"), given], env=environment, text=True, capture_output=True, timeout=180, check=False)
    assert done.returncode == 0, f"{done.stderr}\n{done.stdout}"
