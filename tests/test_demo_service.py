"""The demo's service against a real Coffer and a real PostgreSQL: nobody who asks it notices when its database user changes."""
import json

import pytest

from coffer_server import is_reference, until
from conftest import database_role
from demo_service import Asker, Service

TTL_S, MAX_S = 3, 7
# The reference ends sessions of a revoked user late, and waits before it tries again.
PATIENCE_S = 60 if is_reference() else 15

POLICY = """
path "secret/data/app/*" { capabilities = ["read", "subscribe"] }
path "secret/metadata/app/*" { capabilities = ["subscribe"] }
path "database/creds/app-role" { capabilities = ["read", "subscribe"] }
path "sys/leases/renew" { capabilities = ["update"] }
path "sys/leases/revoke" { capabilities = ["update"] }
path "sys/events/subscribe/*" { capabilities = ["read"] }
"""
if is_reference():
    POLICY = POLICY.replace(', "subscribe"', "").replace('"subscribe"', '"read"')


@pytest.fixture
def service(story, postgres, folder):
    """It runs and has answered its first query. Credentials live for seconds."""
    postgres.admin("alter table orders add column if not exists cups int not null default 2")
    story.ok("POST", "database/roles/app-role", database_role(default_ttl=f"{TTL_S}s", max_ttl=f"{MAX_S}s"))
    story.ok("PUT", "sys/policies/acl/app", {"policy": POLICY})
    story.ok("POST", "secret/data/app/config", {"data": {"api_key": "the-first-value"}})
    running = Service(folder, story, postgres, story.app_token).start()
    try:
        yield running.wait_until_running()
    finally:
        running.process.kill()
        running.process.wait()


def test_no_request_fails_while_database_users_come_and_go(service, story, postgres):
    with Asker(service) as asker:
        until(lambda: len(asker.users) >= 3, 4 * MAX_S, "two change-overs")
        assert not asker.failures, asker.failures[:3]
        first, second = asker.users[:2]
        until(lambda: not postgres.has_role(first), MAX_S + PATIENCE_S, "the first user is gone")
        until(lambda: not postgres.has_role(second), MAX_S + PATIENCE_S, "the second user is gone")

        before = len(asker.users)
        story.ok("PUT", "sys/leases/revoke-prefix/database/creds/app-role")
        until(lambda: len(asker.users) > before, PATIENCE_S, "another user takes the place of the revoked one")
        until(lambda: asker.count > 1000 or len(asker.users) > before + 1, 2 * MAX_S, "it goes on")
    assert not asker.failures, asker.failures[:3]
    status = service.status()
    assert status["renewals"] >= 2 and status["credentials"] >= 4 and status["errors"] == 0, status
    assert status["cups_ordered"] == 4
    for line in ("new credential: v-", "renewed v-", "handed back v-"):
        assert line in service.log()


def test_old_users_are_handed_back_not_left_to_expire(service, story, postgres):
    until(lambda: service.status()["handed_back"] >= 1, 4 * MAX_S, "a user is handed back")
    leases = story.ok("GET", "sys/leases/lookup/database/creds/app-role?list=true")["data"]["keys"]
    assert len(leases) <= 2


def test_a_new_value_is_taken_up_without_a_deployment(service, story):
    before = until(lambda: service.status()["secret"] if service.status()["secret"]["version"] else None, 10, "the first version is seen")
    story.ok("POST", "secret/data/app/config", {"data": {"api_key": "the-second-value"}})
    until(lambda: service.status()["secret"]["version"] == before["version"] + 1, 10, "the next version is seen")
    after = service.status()["secret"]
    assert after["fingerprint"] != before["fingerprint"]
    shown = service.get("/status.json")[2] + service.get("/")[2] + service.log()
    assert "the-first-value" not in shown and "the-second-value" not in shown
    story.ok("DELETE", "secret/metadata/app/config")
    until(lambda: service.status()["secret"]["fingerprint"] is None, 10, "its end is seen")


def test_it_goes_on_while_coffer_is_away_and_recovers(service, story):
    with Asker(service) as asker:
        until(lambda: asker.users, 10, "it answers")
        story.kill()
        until(lambda: service.status()["trouble"], 3 * TTL_S, "it notices")
        until(lambda: service.status()["lease_ends_in_s"] == 0, 3 * TTL_S, "its user's time is over")
        count = asker.count
        until(lambda: asker.count > count + 200, 20, "it answers all the same")
        assert len(asker.users) <= 2
        before = asker.users[-1]
        story.start().unseal()
        until(lambda: asker.users[-1] != before, PATIENCE_S, "it has another user")
        until(lambda: service.status()["trouble"] is None, PATIENCE_S, "all is well")
    assert not asker.failures, asker.failures[:3]
    assert "Coffer answers again" in service.log()


def test_coffer_away_at_the_start_is_waited_for(story, postgres, folder):
    story.ok("PUT", "sys/policies/acl/app", {"policy": POLICY})
    story.kill()
    service = Service(folder, story, postgres, story.app_token).start()
    try:
        until(lambda: service.status()["trouble"], 10, "it says what is missing")
        assert service.get("/healthz")[0] == 503
        story.start()
        assert service.status()["queries"] == 0, "a sealed server gives nothing"
        story.unseal()
        service.wait_until_running()
        assert service.get("/healthz")[0] == 200
    finally:
        service.process.kill()
        service.process.wait()


def test_a_token_that_ends_is_replaced_by_the_next_in_the_file(service, story):
    made = story.ok("POST", "auth/token/create", {"policies": ["app"], "ttl": "1h"})
    with Asker(service) as asker:
        until(lambda: asker.users, 10, "it answers")
        before = asker.users[-1]
        service.set_token(made["auth"]["client_token"])
        story.ok("POST", "auth/token/revoke", {"token": story.app_token})
        until(lambda: asker.users[-1] != before, PATIENCE_S, "another user, by the other token")
    assert not asker.failures, asker.failures[:3]


def test_a_stop_leaves_no_database_user_behind(service, postgres):
    with Asker(service) as asker:
        until(lambda: len(asker.users) >= 2, 3 * MAX_S, "a change-over")
    assert service.stop() == 0
    assert not asker.failures, asker.failures[:3]
    left = [user for user in asker.users if postgres.has_role(user)]
    assert not left, service.log()
    assert f"handed back {asker.users[-1]}" in service.log()


def test_the_page_is_closed_to_others(service):
    status, headers, page = service.get("/")
    assert status == 200 and "Live queries" in page
    assert "default-src 'none'" in headers["content-security-policy"] and "unsafe" not in headers["content-security-policy"]
    assert service.get("/", "POST")[0] == 405
    assert service.get("/../settings.rs")[0] == 404
    assert service.get("/status.json", headers={"Host": "evil.example:80"})[0] == 421
    password = json.dumps(service.status())
    assert "password" not in password
