"""What engines tell, as a subscriber sees it: each change, and no value of any of them."""
import base64
import http.client
import json
import socket
import threading

import pytest
from conftest import database_role
from coffer_server import until

MARK = "s3cr3t-7f2c"


class Listener:
    """Reads the stream of all events beside the test, whatever frames them."""

    def __init__(self, server, pattern="*"):
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        headers = {"X-Vault-Token": server.token, "Accept": "text/event-stream"}
        self.connection.request("GET", f"/v1/sys/events/subscribe/{pattern}", headers=headers)
        self.socket = self.connection.sock
        self.response = self.connection.getresponse()
        assert self.response.status == 200, self.response.read()
        self.text = ""
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        try:
            while chunk := self.response.read1(65536):
                self.text += chunk.decode()
        except (OSError, ValueError, http.client.HTTPException):
            pass  # The test is over.

    def events(self):
        found, rest = [], self.text
        while (at := rest.find('{"')) >= 0:
            try:
                event, end = json.JSONDecoder().raw_decode(rest[at:])
            except ValueError:
                break
            found.append(event["data"])
            rest = rest[at + end:]
        return found

    def kinds(self):
        return [event["event_type"] for event in self.events()]

    def wait_for(self, kind):
        until(lambda: kind in self.kinds(), 10, f"{kind} is told")
        return next(event for event in self.events() if event["event_type"] == kind)

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.reader.join()


@pytest.fixture
def heard(story):
    listener = Listener(story)
    yield listener
    listener.close()


def test_a_new_version_is_told_as_controllers_expect_it(story, heard):
    story.ok("POST", "secret/data/team/app", {"data": {"password": MARK}})
    event = heard.wait_for("kv-v2/data-write")
    metadata = event["event"]["metadata"]
    assert metadata == {"path": "secret/data/team/app", "data_path": "secret/data/team/app", "operation": "data-write",
                        "modified": "true", "current_version": "1", "oldest_version": "0"}
    assert event["plugin_info"]["mount_path"] == "secret/" and event["plugin_info"]["plugin"] == "kv"


def test_no_value_of_any_engine_is_in_the_stream(story, heard, postgres):
    marks = [MARK, base64.b64encode(MARK.encode()).decode(), postgres.password]
    for path, body in [
        ("secret/data/app", {"data": {MARK: MARK}}),
        ("secret/metadata/app", {"custom_metadata": {"owner": MARK}}),
        ("secret/destroy/app", {"versions": [1]}),
        ("sys/mounts/transit", {"type": "transit"}),
        ("sys/mounts/kms", {"type": "kms"}),
        ("sys/auth/userpass", {"type": "userpass"}),
        ("auth/userpass/users/alice", {"password": MARK}),
        ("transit/encrypt/app", {"plaintext": base64.b64encode(MARK.encode()).decode()}),
        ("transit/keys/app/rotate", {}),
        ("kms/keys", {"description": MARK, "tags": {"a": MARK}}),
    ]:
        story.ok("POST", path, body)
    story.ok("POST", "database/roles/app-role", database_role(default_ttl="1m", max_ttl="2m"))
    for _ in range(2):
        made = story.ok("GET", "database/creds/app-role")
        marks.append(made["data"]["password"])
        story.ok("POST", "database/verify-login/pg", made["data"])
        story.ok("PUT", "sys/leases/revoke", {"lease_id": made["lease_id"], "sync": True})
    for kind in ["kv-v2/metadata-write", "kv-v2/destroy", "userpass/user-write", "transit/key-create", "transit/key-rotate",
                 "kms/key-create", "database/role-update", "database/creds-create", "database/creds-revoke"]:
        heard.wait_for(kind)
    for mark in marks:
        assert mark not in heard.text


def test_what_fails_is_told_only_where_the_database_is_the_cause(story, heard, postgres):
    assert story.call("POST", "secret/data/app", {"data": {"a": MARK}, "options": {"cas": 7}}).status == 400
    assert story.call("POST", "database/roles/other", {}).status == 400
    story.ok("POST", "database/config/pg", {"root_rotation_statements": ["select * from nosuch"]})
    assert story.call("POST", "database/rotate-root/pg").status >= 400
    failed = heard.wait_for("database/root-rotate-fail")
    assert failed["event"]["metadata"] == {"path": "database/rotate-root/pg", "operation": "root-rotate-fail", "modified": "false", "name": "pg"}
    kinds = heard.kinds()
    assert "database/root-rotate-start" in kinds
    assert not {"kv-v2/data-write", "database/role-create", "database/root-rotate"} & set(kinds)
