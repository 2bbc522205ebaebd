"""The main story: a secret with versions, and a PostgreSQL credential that dies on time, whatever happens in between."""
import time

from coffer_server import is_reference, until
from conftest import SHORT_S, database_role

# The reference waits for the next step of a long back-off where we must be done within seconds.
PATIENCE_S = 90 if is_reference() else 12


def test_a_secret_keeps_its_versions(story):
    first = story.ok("POST", "secret/data/app/config", {"data": {"url": "one"}})
    assert first["data"]["version"] == 1
    story.ok("POST", "secret/data/app/config", {"data": {"url": "two"}})
    now = story.ok("GET", "secret/data/app/config", token=story.app_token)
    old = story.ok("GET", "secret/data/app/config?version=1", token=story.app_token)
    assert now["data"]["data"] == {"url": "two"}
    assert old["data"]["data"] == {"url": "one"}
    assert story.call("POST", "secret/data/app/config", {"data": {}}, token=story.app_token).status == 403


def test_a_credential_works_and_its_login_is_refused_after_expiry(story, postgres):
    begin = time.monotonic()
    user, password, lease = issue(story)
    done = postgres.run_as(user, password, "select item from orders order by id")
    assert done.stdout.split() == ["coffee", "tea"]
    looked_up = story.ok("PUT", "sys/leases/lookup", {"lease_id": lease})
    assert 0 <= looked_up["data"]["ttl"] <= SHORT_S
    until(lambda: not postgres.accepts(user, password), SHORT_S + PATIENCE_S, "the login is refused")
    assert time.monotonic() - begin > SHORT_S - 1, "refused before its time"
    until(lambda: not postgres.has_role(user), PATIENCE_S, "the role is dropped")
    assert story.call("PUT", "sys/leases/lookup", {"lease_id": lease}).status == 400


def test_a_revoked_credential_is_refused_at_once(story, postgres):
    user, password, lease = issue(story)
    assert postgres.accepts(user, password)
    story.ok("PUT", "sys/leases/revoke", {"lease_id": lease, "sync": True})
    assert not postgres.accepts(user, password)
    assert not postgres.has_role(user)


def test_revoking_the_token_drops_what_it_was_given(story, postgres):
    user, password, _ = issue(story)
    story.ok("POST", "auth/token/revoke", {"token": story.app_token})
    until(lambda: not postgres.has_role(user), PATIENCE_S, "the role is dropped")
    assert story.call("GET", "database/creds/app-role", token=story.app_token).status == 403


def test_renewal_extends_what_postgresql_believes(story, postgres):
    user, password, lease = issue(story)
    before = postgres.valid_until(user)
    renewed = story.ok("PUT", "sys/leases/renew", {"lease_id": lease, "increment": 20}, token=story.app_token)
    assert renewed["lease_duration"] in (19, 20)
    assert postgres.valid_until(user) >= before + 10
    past = time.monotonic() + SHORT_S + 2
    until(lambda: time.monotonic() > past, SHORT_S + 5, "the first term is over")
    assert postgres.accepts(user, password), "a renewed credential must outlive its first term"


def test_renewal_stops_at_the_maximum(story):
    _, _, lease = issue(story)
    renewed = story.ok("PUT", "sys/leases/renew", {"lease_id": lease, "increment": "1h"})
    assert renewed["lease_duration"] <= 30
    assert renewed["warnings"]


def test_postgresql_away_at_expiry_is_made_up_for_when_it_is_back(story, postgres):
    user, password, lease = issue(story)
    postgres.stop()
    try:
        over = time.monotonic() + SHORT_S + 1
        until(lambda: time.monotonic() > over, SHORT_S + 5, "the lease is due")
        assert story.call("PUT", "sys/leases/lookup", {"lease_id": lease}).status == 200, "a lease that could not be revoked must stay"
    finally:
        postgres.start()
    until(lambda: not postgres.has_role(user), PATIENCE_S, "the role is dropped after the outage")
    assert not postgres.accepts(user, password)
    until(lambda: story.call("PUT", "sys/leases/lookup", {"lease_id": lease}).status == 400, PATIENCE_S, "the lease is gone")


def test_kill_and_restart_between_creation_and_expiry(story, postgres):
    user, password, _ = issue(story)
    story.ok("POST", "secret/data/app/kept", {"data": {"a": "b"}})
    story.kill()
    assert postgres.accepts(user, password)
    story.start().unseal()
    assert story.ok("GET", "secret/data/app/kept")["data"]["data"] == {"a": "b"}
    until(lambda: not postgres.has_role(user), SHORT_S + PATIENCE_S, "the role is dropped after the restart")


def test_expiry_while_the_server_is_down(story, postgres):
    user, _, _ = issue(story)
    story.kill()
    over = time.monotonic() + SHORT_S + 1
    until(lambda: time.monotonic() > over, SHORT_S + 5, "the lease is due")
    story.start().unseal()
    until(lambda: not postgres.has_role(user), PATIENCE_S, "the role is dropped after the restart")


def test_a_refused_revocation_statement_keeps_the_lease(story, postgres):
    grants = database_role()["creation_statements"] + ['GRANT CONNECT ON DATABASE postgres TO "{{name}}"']
    story.ok("POST", "database/roles/stuck", database_role(creation_statements=grants, revocation_statements=['DROP ROLE "{{name}}"'], default_ttl="1m", max_ttl="2m"))
    user, _, lease = issue(story, role="stuck", token=story.token)
    answer = story.call("PUT", "sys/leases/revoke", {"lease_id": lease, "sync": True})
    assert answer.status == 400 and "cannot be dropped" in answer["errors"][0], answer
    assert story.ok("PUT", "sys/leases/lookup", {"lease_id": lease})
    assert postgres.has_role(user)
    postgres.admin(f'revoke connect on database postgres from "{user}"; drop owned by "{user}"; drop role "{user}"')
    story.ok("PUT", "sys/leases/revoke-force/database/creds/stuck")


def test_the_default_revocation_drops_a_role_with_many_rights(story, postgres):
    grants = database_role()["creation_statements"] + ['GRANT CONNECT ON DATABASE postgres TO "{{name}}"', 'GRANT USAGE ON SCHEMA public TO "{{name}}"']
    story.ok("POST", "database/roles/rich", database_role(creation_statements=grants, default_ttl="1m", max_ttl="2m"))
    user, _, lease = issue(story, role="rich", token=story.token)
    story.ok("PUT", "sys/leases/revoke", {"lease_id": lease, "sync": True})
    assert not postgres.has_role(user)


def test_a_creation_that_fails_half_way_leaves_no_role(story, postgres):
    broken = database_role()["creation_statements"] + ["SELECT * FROM no_such_table"]
    story.ok("POST", "database/roles/broken", database_role(creation_statements=broken))
    before = postgres.admin("select count(*) from pg_roles")
    answer = story.call("GET", "database/creds/broken")
    assert answer.status >= 400 and "no_such_table" in answer["errors"][0], answer
    assert postgres.admin("select count(*) from pg_roles") == before


def test_disabling_the_engine_drops_every_role(story, postgres):
    users = [issue(story)[0] for _ in range(3)]
    story.ok("DELETE", "sys/mounts/database")
    until(lambda: not any(postgres.has_role(user) for user in users), PATIENCE_S, "every role is dropped")


def issue(server, role="app-role", token=None):
    """A credential for the application: user, password, lease id."""
    answer = server.ok("GET", f"database/creds/{role}", token=token or server.app_token)
    assert answer["renewable"] and answer["lease_duration"] > 0
    return answer["data"]["username"], answer["data"]["password"], answer["lease_id"]
