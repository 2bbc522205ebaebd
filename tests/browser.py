"""Stories in a real browser: Debian's chromium, driven by playwright-core, against the real server."""
import http.client
import json
import os
import shutil
import subprocess

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
# test.sh puts the packages there.
MODULES = os.environ.get("COFFER_NODE_MODULES", os.path.expanduser("~/.cache/coffer-tests/node/node_modules"))
CHROMIUM = os.environ.get("COFFER_CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"


def why_not():
    """What is missing for stories in a browser; nothing if all is there."""
    wanted = [("node", shutil.which("node")), ("chromium", os.path.exists(CHROMIUM)), ("playwright-core", os.path.isdir(os.path.join(MODULES, "playwright-core")))]
    return ", ".join(name for name, there in wanted if not there)


needs_browser = pytest.mark.skipif(bool(why_not()), reason=f"not here: {why_not()}; test.sh installs it")


def tell(story, server, seconds=180, **given):
    """Runs tests/browser/STORY.mjs against a server; what the story hands back."""
    assert has_dashboard(server), "the binary was built without the dashboard: (cd dashboard && npm ci && npm run build), then cargo build -p coffer-cli"
    handed = json.dumps({"addr": server.addr, "token": server.token, **given})
    environment = {**os.environ, "COFFER_NODE_MODULES": MODULES, "COFFER_CHROMIUM": CHROMIUM}
    done = subprocess.run(["node", os.path.join(HERE, "browser", story + ".mjs"), handed], env=environment, text=True, capture_output=True, timeout=seconds, check=False)
    assert done.returncode == 0, f"{story}:\n{done.stderr}\n{done.stdout}"
    return json.loads(done.stdout.splitlines()[-1])


def has_dashboard(server):
    """Whether the binary was built with the dashboard."""
    return b'id="app"' in get(server, "/ui/")[2]


def get(server, path, method="GET", **headers):
    """One request as it is, redirects and encodings untouched: status, headers in lower case, bytes."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response.status, {name.lower(): value for name, value in response.getheaders()}, body
