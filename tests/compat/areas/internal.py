"""What user interfaces and tools ask: mounts, namespaces, policies in force, counters, the router's insides."""

ANY_ORDER = True


def steps(step):
    mine = "$mine"
    return [
        step("policy", "PUT sys/policies/acl/ui", {"policy": 'path "secret/data/a" { capabilities = ["read"] }\npath "secret/metadata/*" { capabilities = ["list"] }\npath "sys/internal/ui/resultant-acl" { capabilities = ["read"] }'}),
        step("token", "POST auth/token/create", {"policies": ["ui"], "no_default_policy": True, "ttl": "10m"}, save={"mine": "auth.client_token"}),
        step("mounts", "GET sys/internal/ui/mounts"),
        step("mounts of a token", "GET sys/internal/ui/mounts", token=mine),
        step("mounts without token", "GET sys/internal/ui/mounts", token=""),
        step("mount", "GET sys/internal/ui/mounts/secret/data/a"),
        step("mount of a token", "GET sys/internal/ui/mounts/secret/data/a", token=mine),
        step("mount not of a token", "GET sys/internal/ui/mounts/sys/raw", token=mine),
        step("mount of auth", "GET sys/internal/ui/mounts/auth/token/create"),
        step("mount of cubbyhole", "GET sys/internal/ui/mounts/cubbyhole/x", token=mine),
        step("namespaces", "GET sys/internal/ui/namespaces"),
        step("namespaces of a token", "GET sys/internal/ui/namespaces", token=mine),
        step("namespaces without token", "GET sys/internal/ui/namespaces", token=""),
        step("resultant acl", "GET sys/internal/ui/resultant-acl"),
        step("resultant acl of a token", "GET sys/internal/ui/resultant-acl", token=mine),
        step("resultant acl without token", "GET sys/internal/ui/resultant-acl", token=""),
        step("resultant acl without rights", "GET sys/internal/ui/resultant-acl", token="$powerless"),
        step("feature flags", "GET sys/internal/ui/feature-flags", token=""),
        step("counters of tokens", "GET sys/internal/counters/tokens", shape_only=True),
        step("counters of entities", "GET sys/internal/counters/entities", shape_only=True),
        step("counters of requests", "GET sys/internal/counters/requests"),
        step("counters of activity", "GET sys/internal/counters/activity"),
        step("counters of this month", "GET sys/internal/counters/activity/monthly"),
        step("counters' configuration", "GET sys/internal/counters/config"),
        step("counters unknown", "GET sys/internal/counters/nosuch"),
        step("counters without token", "GET sys/internal/counters/tokens", token=""),
        step("counters without rights", "GET sys/internal/counters/tokens", token="$powerless"),
        *[step(f"router {tag}", f"GET sys/internal/inspect/router/{tag}") for tag in ("root", "uuid", "accessor", "storage", "odd")],
        step("router without rights", "GET sys/internal/inspect/router/root", token=mine),
        step("request", "GET sys/internal/inspect/request"),
        step("request of a token", "GET sys/internal/inspect/request", token=mine),
        step("openapi", "GET sys/internal/specs/openapi", skip_body=True),
        step("openapi by POST", "POST sys/internal/specs/openapi", {"context": "x"}, skip_body=True),
        step("openapi generic", "GET sys/internal/specs/openapi?generic_mount_paths=true", skip_body=True),
        step("openapi without token", "GET sys/internal/specs/openapi", token="", skip_body=True),
        step("clean policy", "DELETE sys/policies/acl/ui"),
    ]
