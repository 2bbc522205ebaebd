"""Auth mounts: enable, tune, disable."""


def steps(step):
    return [
        step("list", "GET sys/auth"),
        step("enable", "POST sys/auth/people", {"type": "userpass", "description": "people"}),
        step("enable with config", "POST sys/auth/apps", {"type": "approle", "config": {"default_lease_ttl": "1h", "max_lease_ttl": "2h", "token_type": "batch", "listing_visibility": "unauth"}}),
        step("enable twice", "POST sys/auth/people", {"type": "userpass"}),
        step("enable unknown", "POST sys/auth/x", {"type": "nosuch"}),
        step("enable no type", "POST sys/auth/x", {}),
        step("enable token again", "POST sys/auth/x", {"type": "token"}),
        step("enable bad token type", "POST sys/auth/x", {"type": "approle", "config": {"token_type": "odd"}}),
        step("list after", "GET sys/auth"),
        step("read one", "GET sys/auth/people"),
        step("read unknown", "GET sys/auth/nosuch"),
        step("tune read", "GET sys/auth/apps/tune"),
        step("tune write", "POST sys/auth/apps/tune", {"default_lease_ttl": "90m", "token_type": "default-service", "description": "apps"}),
        step("tune after", "GET sys/auth/apps/tune"),
        step("tune unknown", "GET sys/auth/nosuch/tune"),
        step("tune write unknown", "POST sys/auth/nosuch/tune", {"default_lease_ttl": "1h"}),
        step("token tune", "GET sys/auth/token/tune"),
        step("tune through mounts", "GET sys/mounts/auth/apps/tune"),
        step("remount auth", "POST sys/remount", {"from": "auth/people", "to": "auth/folk"}, save={"migration": "migration_id"}),
        step("remount status", "GET sys/remount/status/$migration", repeat_until=lambda _, text: b"success" in text or b"failure" in text),
        step("remount auth to secret", "POST sys/remount", {"from": "auth/folk", "to": "folk"}),
        step("disable", "DELETE sys/auth/folk"),
        step("disable again", "DELETE sys/auth/folk"),
        step("disable apps", "DELETE sys/auth/apps"),
        step("disable token", "DELETE sys/auth/token"),
    ]
