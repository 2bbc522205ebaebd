"""Keys that live elsewhere: their configurations, and which mounts may use them. Nothing elsewhere answers here."""

AT = "sys/external-keys/configs"


def steps(step):
    transit = {"plugin": "transit", "address": "http://127.0.0.1:1", "token": "secret-word", "verify": False}
    merge = {"Content-Type": "application/merge-patch+json"}
    return [
        step("list none", f"LIST {AT}"),
        step("read unknown", f"GET {AT}/one"),
        step("without plugin", f"POST {AT}/one", {}),
        step("unknown plugin", f"POST {AT}/one", {"plugin": "nosuch"}),
        step("without token", f"POST {AT}/one", {"plugin": "transit", "address": "http://127.0.0.1:1"}),
        step("not to be reached", f"POST {AT}/one", {**transit, "verify": True}),
        step("unverified", f"POST {AT}/one", transit),
        step("read", f"GET {AT}/one"),
        step("list", f"LIST {AT}"),
        step("patch", f"PATCH {AT}/one", {"address": "http://127.0.0.1:2", "verify": False}, headers=merge),
        step("patched", f"GET {AT}/one"),
        step("patch unknown", f"PATCH {AT}/nosuch", {"address": "x"}, headers=merge),
        step("odd name", f"POST {AT}/a%20b", transit),
        step("keys none", f"LIST {AT}/one/keys"),
        step("key of unknown", f"POST {AT}/nosuch/keys/k", {}),
        step("key without fields", f"POST {AT}/one/keys/bad", {"verify": False}),
        step("key", f"POST {AT}/one/keys/k", {"key_name": "theirs", "mount_path": "transit", "verify": False}),
        step("key read", f"GET {AT}/one/keys/k"),
        step("key verified", f"POST {AT}/one/keys/v", {"key_name": "theirs", "mount_path": "transit"}),
        step("key patch", f"PATCH {AT}/one/keys/k", {"key_name": "others", "verify": False}, headers=merge),
        step("key patched", f"GET {AT}/one/keys/k"),
        step("key unknown", f"GET {AT}/one/keys/nosuch"),
        step("keys", f"LIST {AT}/one/keys"),
        step("grants none", f"LIST {AT}/one/keys/k/grants"),
        step("grant", f"POST {AT}/one/keys/k/grants/secret"),
        step("grant to an unknown mount", f"POST {AT}/one/keys/k/grants/nosuch"),
        step("grant of an unknown key", f"POST {AT}/one/keys/nosuch/grants/secret"),
        step("grants", f"LIST {AT}/one/keys/k/grants"),
        step("grant taken back", f"DELETE {AT}/one/keys/k/grants/secret"),
        step("grant taken back again", f"DELETE {AT}/one/keys/k/grants/secret"),
        step("delete with keys", f"DELETE {AT}/one"),
        step("delete key", f"DELETE {AT}/one/keys/k"),
        step("delete key bad", f"DELETE {AT}/one/keys/bad"),
        step("delete key unknown", f"DELETE {AT}/one/keys/nosuch"),
        step("delete", f"DELETE {AT}/one"),
        step("delete unknown", f"DELETE {AT}/one"),
    ]
