"""What a newcomer does first: `setup.sh`, the commands of the README, `setup.sh` again, `cleanup.sh`."""
import http.client
import json
import os
import re
import subprocess
from urllib.parse import urlsplit

import pytest

import demo_service
from coffer_server import ROOT, binary, is_reference

pytestmark = pytest.mark.skipif(is_reference(), reason="the README is ours")


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The demo in a folder of its own: runs a command line beside it and answers what that printed."""
    folder = tmp_path_factory.mktemp("demo") / "state"
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("COFFER_", "VAULT_", "BAO_"))}
    environment |= {"COFFER_BIN": binary(), "COFFER_DEMO_SERVICE": demo_service.binary(), "COFFER_DEMO_DIR": str(folder)}

    def run(line, code=0):
        line = line.replace(".demo/", f"{folder}/")
        done = subprocess.run(["bash", "-c", line], cwd=ROOT, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=300)
        assert done.returncode == code, (line, done.returncode, done.stdout[-3000:], done.stderr[-3000:])
        return done.stdout
    run.folder = folder
    yield run
    run("bash cleanup.sh")
    assert not folder.exists()


@pytest.fixture(scope="module")
def told(demo):
    return demo("bash setup.sh")


def test_the_story_is_told_to_its_end(told):
    assert "refused" in told and "It stays up" in told
    for of_the_story in ("A secret has versions", "A database user made for this moment", "It dies on time", "A new value without a deployment"):
        assert of_the_story in told


def test_the_commands_of_the_readme_do_what_it_says(demo, told):
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as readme:
        block = re.search(r"test_newcomer.py.*?```sh\n(.*?)```", readme.read(), re.S)[1]
    lines = [line.split("   #")[0].strip() for line in block.splitlines()]
    assert len(lines) == 5, "five commands"
    load, encrypt, rewrap, read, revoke = lines
    demo(f"{load}; {encrypt}")
    sealed = (demo.folder / "README.coffer").read_bytes()
    demo(f"{load}; {rewrap}")
    again = (demo.folder / "README.coffer").read_bytes()
    assert len(again) == len(sealed) and again != sealed
    assert demo(f"{load}; coffer envelope decrypt -output=- .demo/README.coffer") == demo("cat README.md")
    assert "readonly" in demo(f"{load}; {read}")
    # 124: `timeout` ended `tail`, as it should.
    assert re.search("new credential: v-", demo(f"{load}; {revoke}", code=124))


def test_it_ends_with_an_address_and_a_way_in(demo, told):
    last = told[told.index("Open in a browser"):]
    address, password = re.search(r"(http://\S+)/ui/", last)[1], re.search(r"password (\S+)", last)[1]
    status, answer = ask(address, "PUT", "/v1/auth/userpass/login/demo", {"password": password})
    assert status == 200 and "demo" in answer["auth"]["policies"], answer
    headers = {"X-Vault-Token": answer["auth"]["client_token"]}
    assert ask(address, "GET", "/v1/database/creds/readonly-role", headers=headers)[0] == 200
    assert ask(address, "GET", "/v1/sys/policies/acl/app", headers=headers)[0] == 200
    assert ask(address, "PUT", "/v1/sys/seal", headers=headers)[0] == 403, "it would end the demo for others"
    page = re.search(r"revoke its user: (http://\S+)", last)[1]
    assert ask(page, "GET", "/orders")[1]["user"].startswith("v-")


def test_a_new_value_is_one_command(demo, told):
    assert "the service has it, learnt by events" in demo("bash demo/rotate.sh")


def test_setting_up_again_changes_nothing(demo, told):
    again = demo("bash setup.sh --no-story")
    assert "the server runs already" in again and "is there already" in again


def ask(address, method, path, body=None, headers=None):
    """One request: the status, and the answer's JSON."""
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=20)
    connection.request(method, path, json.dumps(body) if body else None, headers or {})
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    return answer.status, json.loads(text) if text else None
