"""Every engine by the forms that the server's description makes, in a real browser, against a real PostgreSQL."""
from browser import needs_browser, tell
from conftest import CREATE
from postgres import ADMIN


@needs_browser
def test_every_engine_has_forms(server, postgres):
    for name, options in [("database", {}), ("transit", {}), ("kms", {}), ("kv1", {"type": "kv", "options": {"version": "1"}}), ("kv2", {"type": "kv", "options": {"version": "2"}})]:
        server.ok("POST", f"sys/mounts/{name}", {"type": name, **options})
    database = {"url": postgres.connection_url, "user": ADMIN, "password": postgres.password, "create": CREATE}
    tell("engines", server, seconds=420, postgres=database)


@needs_browser
def test_every_path_opens_as_a_form(server):
    catalog = server.ok("GET", "sys/plugins/catalog")["data"]
    for name in catalog["secret"]:
        server.ok("POST", f"sys/mounts/{name}", {"type": name})
    for name in catalog["auth"]:
        server.ok("POST", f"sys/auth/{name}", {"type": name})
    mounts = ["sys", "identity", "cubbyhole", *catalog["secret"], *(f"auth/{name}" for name in catalog["auth"])]
    told = tell("engines_all", server, seconds=420, mounts=mounts)
    assert told["paths"] > 300
