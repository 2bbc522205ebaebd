"""Integrated storage on one node: its configuration, autopilot, snapshots."""
from areas.every_operation import strangers

NONE = ""
AT = "sys/storage/raft"


def steps(step):
    return [
        step("before init", f"GET {AT}/configuration", token=NONE),
        step("init", "PUT sys/init", {"secret_shares": 1, "secret_threshold": 1}, token=NONE, save={"key": "keys.0", "root": "root_token"}),
        step("unseal", "PUT sys/unseal", {"key": "$key"}, token=NONE),
        step("active", "GET sys/health", token=NONE, repeat_until=lambda status, _: status == 200),
        step("nobody's token", "POST auth/token/create", {"policies": ["may-do-nothing"], "no_default_policy": True, "ttl": "1h"}, save={"powerless": "auth.client_token"}),
        step("configuration", f"GET {AT}/configuration"),
        step("autopilot state", f"GET {AT}/autopilot/state"),
        step("autopilot configuration", f"GET {AT}/autopilot/configuration"),
        step("autopilot configured", f"POST {AT}/autopilot/configuration", {"cleanup_dead_servers": False, "last_contact_threshold": "20s", "dead_server_last_contact_threshold": "48h", "max_trailing_logs": 500, "min_quorum": 3, "server_stabilization_time": "20s"}),
        step("autopilot configuration changed", f"GET {AT}/autopilot/configuration"),
        step("autopilot wrong", f"POST {AT}/autopilot/configuration", {"max_trailing_logs": "many"}),
        step("remove unknown", f"POST {AT}/remove-peer", {"server_id": "nosuch"}),
        step("remove nothing", f"POST {AT}/remove-peer", {}),
        step("promote nothing", f"POST {AT}/promote", {}),
        step("demote nothing", f"POST {AT}/demote", {}),
        step("promote unknown", f"POST {AT}/promote", {"server_id": "nosuch"}),
        step("demote unknown", f"POST {AT}/demote", {"server_id": "nosuch"}),
        step("join", f"POST {AT}/join", {"leader_api_addr": "http://127.0.0.1:1"}, token=NONE),
        step("challenge", f"POST {AT}/bootstrap/challenge", {}, token=NONE),
        step("answer", f"POST {AT}/bootstrap/answer", {}, token=NONE),
        step("snapshot", f"GET {AT}/snapshot", skip_body=True),
        step("restore nonsense", f"POST {AT}/snapshot", raw=b"nonsense"),
        step("restore nothing", f"POST {AT}/snapshot"),
        step("restore nonsense by force", f"POST {AT}/snapshot-force", raw=b"nonsense"),
        *strangers(step, AT + "/"),
    ]
