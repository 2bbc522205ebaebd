"""Takes the pictures of docs/images, or measures how fast the page opens or how far it is behind, against a real server with a little life in it.

    python tests/browser_pictures.py              # docs/images/*.png
    python tests/browser_pictures.py first_paint  # prints JSON
    python tests/browser_pictures.py lag          # prints JSON
"""
import json
import os
import shutil
import sys
import tempfile
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from browser import HERE, tell, why_not  # noqa: E402
from coffer_server import Server  # noqa: E402
from conftest import database_config, database_role  # noqa: E402
from postgres import Postgres  # noqa: E402


def main(story="screenshots"):
    assert not why_not(), f"not here: {why_not()}"
    folder = tempfile.mkdtemp(prefix="coffer-pictures-")
    os.chmod(folder, 0o755)
    postgres, server = Postgres(os.path.join(folder, "pg")), Server(folder, 'cluster_name = "coffer-demo"\n')
    done, life = threading.Event(), None
    try:
        postgres.start()
        server.start().initialise(5, 3)
        server.unseal()
        furnish(server, postgres, folder)
        life = threading.Thread(target=live, args=(server, done), daemon=True)
        life.start()
        print(json.dumps(tell(story, server, folder=os.path.join(HERE, "..", "docs", "images"))))
    finally:
        done.set()
        if life:
            life.join(10)
        server.kill()
        postgres.remove()
        shutil.rmtree(folder, ignore_errors=True)


def furnish(server, postgres, folder):
    server.ok("PUT", "sys/audit/file", {"type": "file", "options": {"file_path": os.path.join(folder, "audit.log")}})
    server.ok("POST", "sys/mounts/secret", {"type": "kv", "options": {"version": "2"}, "description": "configuration of applications"})
    server.ok("POST", "sys/mounts/database", {"type": "database", "description": "PostgreSQL of the shop"})
    server.ok("POST", "sys/mounts/transit", {"type": "transit", "description": "encryption as a service"})
    server.ok("POST", "transit/keys/orders", {})
    server.ok("POST", "sys/mounts/kms", {"type": "kms", "description": "keys of keys"})
    key = server.ok("POST", "kms/keys", {"description": "for the files of the shop"})["data"]["key_id"]
    server.ok("POST", "kms/aliases/app", {"target_key_id": key})
    server.ok("POST", f"kms/keys/{key}/tags", {"tags": {"owner": "shop"}})
    server.ok("POST", f"kms/keys/{key}/rotation", {"enabled": True, "rotation_period_in_days": 365})
    server.ok("POST", "sys/auth/userpass", {"type": "userpass", "config": {"listing_visibility": "unauth"}, "description": "people"})
    server.ok("POST", "database/config/shop", database_config(postgres))
    for role in ("app-role", "report-role"):
        server.ok("POST", f"database/roles/{role}", database_role() | {"db_name": "shop", "default_ttl": "10m", "max_ttl": "1h"})


def live(server, done):
    """What applications would do meanwhile: tokens, credentials, some of them given back."""
    number = 0
    while not done.wait(0.15):
        number += 1
        server.call("GET", "secret/data/app")
        if number % 4 == 0:
            server.call("POST", "auth/token/create", {"ttl": "1h", "policies": ["default"]})
        if number % 3 == 0:
            made = server.call("GET", f"database/creds/{('app-role', 'report-role')[number % 2]}")
            if number % 2 == 0 and made.status == 200:
                server.call("PUT", "sys/leases/revoke", {"lease_id": made["lease_id"]})


if __name__ == "__main__":
    main(*sys.argv[1:])
