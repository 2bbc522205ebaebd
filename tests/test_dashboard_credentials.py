"""The dashboard's dynamic credentials, in a real browser, with the real PostgreSQL."""
from browser import needs_browser, tell
from conftest import database_config, database_role

MARKUP = "%3Cimg%20src=q%20onerror=document.title=1%3E"
ISSUER = 'path "database/creds/app" { capabilities = ["read"] }'
VERIFIER = ISSUER + '\npath "database/verify-login/pg" { capabilities = ["update"] }'


@needs_browser
def test_the_life_of_a_credential(story, postgres):
    furnish(story, postgres)
    told = tell("credentials", story, seconds=600)
    for login in told["ended"]:
        assert not postgres.accepts(login["username"], login["password"])


@needs_browser
def test_who_may_little_sees_what_they_may(story, postgres):
    story.ok("POST", "database/roles/app", database_role(default_ttl="2m", max_ttl="10m"))
    tokens = {name: token(story, name, policy) for name, policy in (("issuer", ISSUER), ("verifier", VERIFIER), ("nobody", ""))}
    tell("credentials_rights", story, seconds=300, **tokens)


def furnish(server, postgres):
    """Roles of every kind, and users of their own for what changes passwords."""
    server.ok("POST", "database/roles/app", database_role(default_ttl="2m", max_ttl="10m"))
    server.ok("POST", "database/roles/short", database_role(default_ttl="20s", max_ttl="60s"))
    server.ok("POST", "database/roles/stuck", database_role(default_ttl="5m", max_ttl="10m", revocation_statements=["DROP ROLE nobody_of_this_name"]))
    server.ok("POST", f"database/roles/{MARKUP}", database_role(default_ttl="2m", max_ttl="10m"))
    for user in ("reporting", "hasty"):
        postgres.admin(f"drop role if exists {user}; create role {user} login password 'first'")
    server.ok("POST", "database/static-roles/reporting", {"db_name": "pg", "username": "reporting", "rotation_period": "1h"})
    server.ok("POST", "database/static-roles/hasty", {"db_name": "pg", "username": "hasty", "rotation_period": "5s"})
    postgres.admin("drop role if exists kept; create role kept login createrole password 'first'")
    server.ok("POST", "database/config/kept", database_config(postgres) | {"username": "kept", "password": "first"})
    server.ok("POST", "database/config/dead", database_config(postgres) | {"connection_url": "postgresql://{{username}}:{{password}}@127.0.0.1:1/postgres", "verify_connection": False})
    server.ok("POST", "sys/namespaces/team")


def token(server, name, policy):
    """A token of the default policy and one of its own."""
    if policy:
        server.ok("PUT", f"sys/policies/acl/{name}", {"policy": policy})
    return server.ok("POST", "auth/token/create", {"policies": [name] if policy else [], "no_parent": True, **({} if policy else {"policies": ["default"]})})["auth"]["client_token"]
