"""`database/verify-login`: anybody who may can see that a credential works, and that a revoked one is refused in that moment."""
import os
import re

from conftest import database_role

VERIFIER = 'path "database/verify-login/pg" { capabilities = ["update"] }'


def test_a_login_is_shown_to_work_until_it_is_revoked(story, postgres):
    lease, login = issue(story)
    token = verifier(story)
    for _ in range(2):
        assert verify(story, login, token)["data"] == {"accepted": True, "message": "the database accepts this login"}
    assert postgres.accepts(login["username"], login["password"])
    story.ok("PUT", "sys/leases/revoke", {"lease_id": lease, "sync": True})
    said = verify(story, login, token)["data"]
    assert said["accepted"] is False and "SQLSTATE 28P01" in said["message"]
    assert not postgres.accepts(login["username"], login["password"])


def test_it_has_a_right_of_its_own(story):
    _, login = issue(story)
    assert story.call("POST", "database/verify-login/pg", login, token=story.app_token).status == 403
    assert story.call("POST", "database/verify-login/pg", login, token="").status == 403
    assert story.call("GET", "database/creds/app-role", token=verifier(story)).status == 403


def test_neither_values_nor_what_is_inside_are_told(story, postgres):
    log = os.path.join(story.folder, "audit.log")
    story.ok("PUT", "sys/audit/file", {"type": "file", "options": {"file_path": log}})
    lease, login = issue(story)
    verify(story, login)
    story.ok("PUT", "sys/leases/revoke", {"lease_id": lease, "sync": True})
    wrong = {**login, "password": "wrong-" + login["password"]}
    said = str(verify(story, wrong).body)
    with open(log, encoding="utf-8") as file:
        recorded = file.read()
    assert "verify-login" in recorded
    for text in (said, recorded, story.log()):
        assert login["password"] not in text
        assert postgres.password not in text
    assert not re.search(rf"\b{postgres.port}\b", said) and "127.0.0.1" not in said


def test_guesses_end_soon_and_the_admin_is_not_guessed_at_all(story, postgres):
    admin = {"username": "coffer_admin", "password": postgres.password}
    answer = story.call("POST", "database/verify-login/pg", admin)
    assert answer.status == 400 and "neither the configured user" in answer["errors"][0], answer
    _, login = issue(story)
    statuses = [story.call("POST", "database/verify-login/pg", {**login, "password": f"guess-{n}"}).status for n in range(12)]
    # The one above counts, too.
    assert statuses == [200] * 9 + [429] * 3
    assert story.call("POST", "database/verify-login/pg", login).status == 429


def issue(story):
    """A credential that lives for a minute."""
    story.ok("POST", "database/roles/app-role", database_role(default_ttl="1m", max_ttl="2m"))
    made = story.ok("GET", "database/creds/app-role")
    return made["lease_id"], made["data"]


def verify(story, login, token=None):
    return story.ok("POST", "database/verify-login/pg", login, token=token)


def verifier(story):
    """A token that may do that and nothing else."""
    story.ok("PUT", "sys/policies/acl/verifier", {"policy": VERIFIER})
    made = story.ok("POST", "auth/token/create", {"policies": ["verifier"], "ttl": "1h"})
    return made["auth"]["client_token"]
