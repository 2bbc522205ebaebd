"""What this reference adds to policies: expiry, check-and-set, patches, detailed lists."""


def steps(step):
    text = 'path "secret/x" { capabilities = ["read"] }'
    acl = "sys/policies/acl"
    merge = {"Content-Type": "application/merge-patch+json"}
    return [
        step("write with ttl", f"POST {acl}/short", {"policy": text, "ttl": "1h"}),
        step("read with ttl", f"GET {acl}/short"),
        step("write with expiration", f"POST {acl}/dated", {"policy": text, "expiration": "2099-01-01T00:00:00Z"}),
        step("read with expiration", f"GET {acl}/dated"),
        step("expiration in the past", f"POST {acl}/past", {"policy": text, "expiration": "2001-01-01T00:00:00Z"}),
        step("expiration wrong", f"POST {acl}/past", {"policy": text, "expiration": "soon"}),
        step("ttl and expiration", f"POST {acl}/both", {"policy": text, "ttl": "1h", "expiration": "2099-01-01T00:00:00Z"}),
        step("negative ttl", f"POST {acl}/both", {"policy": text, "ttl": "-1h"}),
        step("cas required", f"POST {acl}/checked", {"policy": text, "cas_required": True, "cas": -1}),
        step("cas read", f"GET {acl}/checked"),
        step("cas missing", f"POST {acl}/checked", {"policy": text}),
        step("cas wrong", f"POST {acl}/checked", {"policy": text, "cas": 9}),
        step("cas right", f"POST {acl}/checked", {"policy": text, "cas": 1}),
        step("cas read after", f"GET {acl}/checked"),
        step("cas for a new one", f"POST {acl}/checked2", {"policy": text, "cas": 5}),
        step("wildcards in templates", f"POST {acl}/wild", {"policy": text, "allow_wildcards_in_identity_templates": True, "allow_slashes_in_identity_templates": True}),
        step("wildcards read", f"GET {acl}/wild"),
        step("patch", f"PATCH {acl}/wild", {"policy": 'path "secret/y" { capabilities = ["read"] }'}, headers=merge),
        step("patched", f"GET {acl}/wild"),
        step("patch ttl", f"PATCH {acl}/wild", {"ttl": "2h"}, headers=merge),
        step("patch bad text", f"PATCH {acl}/wild", {"policy": "nonsense {"}, headers=merge),
        step("patch unknown", f"PATCH {acl}/nosuch", {"policy": text}, headers=merge),
        step("patch root", f"PATCH {acl}/root", {"policy": text}, headers=merge),
        step("patch nothing", f"PATCH {acl}/wild", {}, headers=merge),
        step("detailed list", "LIST sys/policies/detailed/acl"),
        step("detailed list limit", "LIST sys/policies/detailed/acl?limit=1"),
        step("detailed below", "LIST sys/policies/detailed/acl/team"),
        step("name with slash", f"POST {acl}/team/inner", {"policy": text}),
        step("name with slash read", f"GET {acl}/team/inner"),
        step("list below", f"LIST {acl}/team"),
        step("detailed list below", "LIST sys/policies/detailed/acl/team"),
        step("old list below", "LIST sys/policy/team"),
        step("list limit", f"LIST {acl}?limit=1"),
        step("list after", f"LIST {acl}?after=dated"),
        *[step(f"clean {name}", f"DELETE {acl}/{name}") for name in ("short", "dated", "past", "both", "checked", "checked2", "wild", "team/inner")],
        step("without token", f"PATCH {acl}/wild", {"policy": text}, headers=merge, token=""),
        step("without rights", f"PATCH {acl}/wild", {"policy": text}, headers=merge, token="$powerless"),
    ]
