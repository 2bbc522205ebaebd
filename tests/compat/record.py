#!/usr/bin/env python3
"""Records what a server that speaks this API answers, so that two servers can be compared request by request.

    record.py                                  starts `bao` (dev mode, and a sealed one) and prints JSON lines
    record.py --binary target/debug/coffer     the same with another binary
    record.py --addr URL --token T             asks a server that already runs (areas that begin with none are left out)
    record.py --against FILE                   prints the differences to an earlier recording instead
    record.py --only kv2,tokens                only these areas

What the reference has no more is compared with a recording of its last release that had it, in `recorded/`:

    record.py --binary OLDER-BAO --only ldap > recorded/ldap.jsonl

One line per request: area, name, method, path, the body sent, and the answer's status and JSON body. Values that
differ from run to run (ids, tokens, times, user names) become placeholders such as `<uuid>`.
"""
import argparse
import importlib
import json
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

from operations import ENGINES, METHODS_OF_LOGIN  # noqa: E402
from servers import Server  # noqa: E402
from session import Session, Step  # noqa: E402

AREAS = ["seal", "seals", "ceremonies", "raft", "health", "mounts", "tuning", "remount", "auth", "policies", "policy_fields", "tokens", "token_roles", "leases", "kv1", "kv2", "cubbyhole",
         "database", "audit", "audit_devices", "wrapping", "help", "protocol", "config", "tools", "internal", "watching", "plugins", "raw",
         "identity_entities", "identity_aliases", "identity_groups", "identity_lookup", "identity_merge", "identity_oidc", "identity_provider",
         "identity_mfa", "identity_login", "userpass", "approle", "jwt", "kubernetes", "cert", "namespaces", "namespaces_inside", "namespace_seals", "control_groups", "workflows", "external_keys", "transit", "transit_asymmetric", "every_operation", "every_field", "quotas", "beyond"]
# These begin with a server that nobody has initialised.
FROM_NOTHING = ["seal", "seals", "ceremonies", "raft"]
# These with a seal that opens the server.
OPEN_THEMSELVES = ["seals"]


def main():
    options = parse_arguments()
    earlier = read_earlier(options.against) if options.against else None
    answers = []
    chosen = options.only.split(",") if options.only else AREAS
    if options.addr:
        session = Session(options.addr, options.token, postgres=None)
        answers = run_areas(session, [area for area in chosen if area not in FROM_NOTHING])
    else:
        answers = record_with_own_servers(options.binary, chosen)
    if earlier is None:
        for answer in answers:
            print(json.dumps(answer))
        return 0
    from diff import print_differences
    return print_differences(earlier, answers, texts=options.texts)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=os.environ.get("COFFER_BIN", "bao"), help="server binary to start")
    parser.add_argument("--addr", help="ask this server instead of starting one")
    parser.add_argument("--token", default="root", help="root token for --addr")
    parser.add_argument("--against", help="recording to compare with")
    parser.add_argument("--texts", action="store_true", help="with --against: compare error texts as well")
    parser.add_argument("--only", help="comma list of areas: " + ",".join(AREAS))
    return parser.parse_args()


def read_earlier(path):
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.strip()]


def record_with_own_servers(binary, chosen):
    """The answers of servers that are started for it, in the order of the areas."""
    answers = []
    folder = tempfile.mkdtemp(prefix="coffer-record-")
    # PostgreSQL runs as another user when this runs as root and must be able to enter.
    os.chmod(folder, 0o755)
    postgres = start_postgres(folder) if "database" in chosen or "leases" in chosen else None
    directory = start_directory(folder) if needs_directory(chosen) else None
    try:
        for area in FROM_NOTHING:
            if area in chosen:
                with Server.sealed(binary, os.path.join(folder, area), area in OPEN_THEMSELVES) as server:
                    answers += run_area(Session(server.addr, "", None, folder), area)
        others = [area for area in chosen if area not in FROM_NOTHING]
        if others:
            with Server.dev(binary, folder) as server:
                session = Session(server.addr, "root", postgres, folder)
                session.values.update(directory_values(directory) if directory else {})
                answers += run_areas(session, others)
    finally:
        if directory:
            directory.stop()
        if postgres:
            subprocess.run([POSTGRES, "remove", os.path.join(folder, "pg")], check=False)
        shutil.rmtree(folder, ignore_errors=True)
    return answers


POSTGRES = os.path.join(HERE, "..", "..", "demo", "postgres.sh")


def start_postgres(folder):
    where = os.path.join(folder, "pg")
    subprocess.run([POSTGRES, "install"], check=True, stdout=sys.stderr)
    subprocess.run([POSTGRES, "start", where], check=True, env={**os.environ, "COFFER_PG_FSYNC": "off"})
    with open(os.path.join(where, "port")) as port, open(os.path.join(where, "password")) as password:
        return {"pg_port": port.read().strip(), "pg_password": password.read().strip()}


def needs_directory(chosen):
    return any(getattr(module_of(area), "NEEDS_LDAP", False) for area in chosen)


def start_directory(folder):
    sys.path.insert(0, os.path.join(HERE, ".."))
    from ldap_directory import Directory
    where = os.path.join(folder, "ldap")
    os.mkdir(where)
    return Directory(where).start().fill()


def directory_values(directory):
    return {"ldap_port": str(directory.port), "ldaps_port": str(directory.tls_port), "ldap_ca": directory.read("ca.pem"), "ldap_stranger": directory.read("stranger.pem")}


def record_both(reference):
    """The recordings of the reference and of Coffer, made at the same time."""
    sys.path.insert(0, os.path.join(HERE, ".."))
    from coffer_server import binary
    running = [subprocess.Popen([sys.executable, os.path.abspath(__file__), "--binary", each], stdout=subprocess.PIPE, text=True)
               for each in (reference, binary())]
    recordings = [[json.loads(line) for line in process.communicate()[0].splitlines()] for process in running]
    assert all(process.returncode == 0 for process in running), "a recording failed"
    return recordings


def run_areas(session, areas):
    session.make_powerless()
    session.enable_methods(METHODS_OF_LOGIN)
    session.enable_engines(ENGINES)
    return [answer for area in areas for answer in run_area(session, area)]


def run_area(session, area):
    module = module_of(area)
    if getattr(module, "NEEDS_POSTGRES", False) and not session.has_postgres:
        print(f"{area}: left out, it needs a PostgreSQL of its own", file=sys.stderr)
        return []
    any_order = getattr(module, "ANY_ORDER", False)
    return [session.record(area, step, any_order) for step in steps_of(area)]


def steps_of(area):
    return module_of(area).steps(Step)


def module_of(area):
    return importlib.import_module(f"areas.{area}")


if __name__ == "__main__":
    sys.exit(main())
