"""`coffer diff` and `coffer apply` on the real binary: the example of the how-to, drift, and what is refused."""
import json
import os
import subprocess

from coffer_server import ROOT, binary

EXAMPLE = os.path.join(ROOT, "docs", "howto", "apply-example")


def run(server, *words, code=0):
    environment = {**os.environ, "COFFER_ADDR": server.addr, "COFFER_TOKEN": server.token}
    done = subprocess.run([binary(), *words], env=environment, text=True, capture_output=True, check=False, stdin=subprocess.DEVNULL)
    assert done.returncode == code, f"{words}: exit {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


def test_the_example_is_applied_once_and_drift_is_seen(server):
    plan = run(server, "diff", EXAMPLE, code=2)
    assert "+ mount shared/" in plan and "+ namespace team" in plan
    assert server.call("GET", "sys/mounts/shared").status == 400, "a diff changes nothing"
    run(server, "apply", EXAMPLE, code=1)  # Nobody is there to say yes.
    run(server, "apply", "-auto-approve", EXAMPLE)
    assert "as declared" in run(server, "diff", EXAMPLE)
    assert server.ok("GET", "team/sys/policies/acl/reader")["data"]["name"] == "reader"
    assert server.ok("GET", "shared/config")["data"]["max_versions"] == 5

    server.ok("POST", "sys/mounts/shared/tune", {"description": "changed by hand"})
    drift = json.loads(run(server, "diff", "-format=json", EXAMPLE, code=2))
    assert [(one["kind"], one["name"], one["action"]) for one in drift["changes"]] == [("mount", "shared/", "change")]
    run(server, "apply", "-auto-approve", EXAMPLE)
    run(server, "diff", EXAMPLE)


def test_nothing_is_removed_unless_it_is_asked_for_and_owned(server):
    run(server, "apply", "-auto-approve", EXAMPLE)
    for name in ("app-old", "other"):
        server.ok("PUT", f"sys/policies/acl/{name}", {"policy": 'path "x" { capabilities = ["read"] }'})
    run(server, "apply", "-auto-approve", EXAMPLE)
    assert server.call("GET", "sys/policies/acl/app-old").status == 200
    run(server, "apply", "-auto-approve", "-prune", EXAMPLE)
    assert server.call("GET", "sys/policies/acl/app-old").status == 404
    assert server.call("GET", "sys/policies/acl/other").status == 200, "not owned by these files"


def test_mistakes_in_files_are_named_with_their_place(server, tmp_path):
    (tmp_path / "a.hcl").write_text('mount "x/" {\n  typ = "kv"\n  password = "env:NOT_SET_ANYWHERE"\n}\n')
    done = subprocess.run([binary(), "diff", str(tmp_path)], env={**os.environ, "COFFER_ADDR": server.addr, "COFFER_TOKEN": server.token},
                          text=True, capture_output=True, check=False)
    assert done.returncode == 1 and "a.hcl: line 3" in done.stderr, done.stderr
