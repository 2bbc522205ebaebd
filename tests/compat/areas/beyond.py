"""What Vault has and the reference lacks. `published` is the answer that Vault's documentation shows: status, keys and types are compared with it.

Where nothing is published that could be compared (an answer that depends on the edition), `published` is None and only its being there is told.
"""

COMMUNITY, ENTERPRISE = "Vault Community", "Vault Enterprise"
LEASE_COUNT = "sys/quotas/lease-count"
# The operations, and in which edition Vault has them.
OPERATIONS = {
    "GET sys/quotas/lease-count/{name}": ENTERPRISE,
    "LIST sys/quotas/lease-count": ENTERPRISE,
    "POST sys/quotas/lease-count/{name}": ENTERPRISE,
    "DELETE sys/quotas/lease-count/{name}": ENTERPRISE,
    "GET sys/config/group-policy-application": ENTERPRISE,
    "POST sys/config/group-policy-application": ENTERPRISE,
    "GET sys/internal/counters/activity": COMMUNITY,
    "GET sys/internal/counters/activity/monthly": COMMUNITY,
    "GET sys/internal/counters/activity/export": COMMUNITY,
    "GET sys/internal/counters/config": COMMUNITY,
    "POST sys/internal/counters/config": COMMUNITY,
    "GET sys/internal/ui/feature-flags": COMMUNITY,
    "GET sys/internal/ui/version": COMMUNITY,
    "GET sys/experiments": COMMUNITY,
    "GET sys/seal-backend-status": COMMUNITY,
    "GET sys/replication/status": COMMUNITY,
    "GET sys/plugins/pins": COMMUNITY,
    "GET sys/plugins/pins/{type}/{name}": COMMUNITY,
    "POST sys/plugins/pins/{type}/{name}": COMMUNITY,
    "LIST sys/plugins/runtimes/catalog": COMMUNITY,
    "POST sys/plugins/reload/{type}/{name}": COMMUNITY,
    "GET sys/well-known": COMMUNITY,
    "GET sys/events/subscribe/{event}": ENTERPRISE,
    "GET sys/license/status": ENTERPRISE,
    "GET sys/rekey-recovery-key/init": COMMUNITY,
    "POST sys/storage/raft/join": COMMUNITY,
    **dict.fromkeys(["GET auth/gcp/config", "POST auth/gcp/config", "DELETE auth/gcp/config", "LIST auth/gcp/roles", "GET auth/gcp/role/{name}", "POST auth/gcp/role/{name}", "DELETE auth/gcp/role/{name}",
                     "POST auth/gcp/role/{name}/service-accounts", "POST auth/gcp/role/{name}/labels", "POST auth/gcp/login"], COMMUNITY),
}
CONFIGURATION = {"enabled": "", "retention_months": 0, "default_report_months": 0, "queries_available": False, "reporting_enabled": False, "billing_start_timestamp": ""}
COUNTS = dict.fromkeys(["clients", "entity_clients", "non_entity_clients", "distinct_entities", "non_entity_tokens", "acme_clients", "secret_syncs"], 0)
NAMESPACE = {"namespace_id": "", "namespace_path": "", "counts": COUNTS, "mounts": [{"mount_path": "", "mount_type": "", "counts": COUNTS}]}
DATA = {"request_id": "", "lease_id": "", "renewable": False, "lease_duration": 0, "wrap_info": None, "warnings": None, "auth": None}


def steps(step):
    def ask(name, line, status, data=None, sent=None, body=None, **more):
        published = None if status is None else (status, {**DATA, "data": data} if data is not None else body)
        return step(name, line, sent, published=published, shape_only=True, **more)

    nothing = {"errors": []}
    quota = {"counter": 0, "inheritable": True, "max_leases": 0, "name": "", "path": "", "role": "", "type": "lease-count"}
    refused = {"errors": ["<text>"]}
    return [
        ask("lease counts none", f"LIST {LEASE_COUNT}", 404, body=nothing),
        ask("lease count", f"POST {LEASE_COUNT}/few", 204, sent={"max_leases": 500, "path": "secret/"}),
        ask("lease count read", f"GET {LEASE_COUNT}/few", 200, quota),
        ask("lease counts", f"LIST {LEASE_COUNT}", 200, {"keys": ["<text>"]}),
        ask("lease count without maximum", f"POST {LEASE_COUNT}/bad", 400, sent={}, body=refused),
        ask("lease count below zero", f"POST {LEASE_COUNT}/bad", 400, sent={"max_leases": -1}, body=refused),
        ask("lease count of an unknown mount", f"POST {LEASE_COUNT}/bad", 400, sent={"max_leases": 1, "path": "nosuch/"}, body=refused),
        ask("lease count unknown", f"GET {LEASE_COUNT}/nosuch", 404, body=nothing),
        ask("lease count deleted", f"DELETE {LEASE_COUNT}/few", 204),
        ask("lease counts without token", f"LIST {LEASE_COUNT}", 403, body=refused, token=""),
        ask("lease counts without rights", f"LIST {LEASE_COUNT}", 403, body=refused, token="$powerless"),
        ask("group policies", "GET sys/config/group-policy-application", 200, {"group_policy_application_mode": ""}),
        ask("group policies everywhere", "POST sys/config/group-policy-application", 204, sent={"group_policy_application_mode": "any"}),
        ask("group policies odd", "POST sys/config/group-policy-application", 400, sent={"group_policy_application_mode": "odd"}, body=refused),
        ask("group policies back", "POST sys/config/group-policy-application", 204, sent={"group_policy_application_mode": "within_namespace_hierarchy"}),
        ask("group policies without token", "GET sys/config/group-policy-application", 403, body=refused, token=""),
        ask("counters' configuration", "GET sys/internal/counters/config", 200, CONFIGURATION),
        ask("counters configured", "POST sys/internal/counters/config", 204, sent={"retention_months": 48, "default_report_months": 1}),
        ask("counters configured oddly", "POST sys/internal/counters/config", 400, sent={"retention_months": 61}, body=refused),
        ask("somebody", "POST auth/token/create", None, sent={"policies": ["counted"]}, save={"somebody": "auth.client_token"}),
        ask("somebody is there", "GET auth/token/lookup-self", None, token="$somebody"),
        ask("activity", "GET sys/internal/counters/activity", 200, {
            "start_time": "", "end_time": "", "total": COUNTS, "by_namespace": [NAMESPACE],
            "months": [{"timestamp": "", "counts": COUNTS, "namespaces": [NAMESPACE], "new_clients": {"counts": COUNTS, "namespaces": [NAMESPACE]}}]}),
        ask("activity of this month", "GET sys/internal/counters/activity/monthly", 200, {**COUNTS, "by_namespace": [NAMESPACE],
            "months": [{"timestamp": "", "counts": COUNTS, "namespaces": [NAMESPACE], "new_clients": {"counts": COUNTS, "namespaces": [NAMESPACE]}}]}),
        ask("activity for export", "GET sys/internal/counters/activity/export", None),
        ask("activity without token", "GET sys/internal/counters/activity", 403, body=refused, token=""),
        ask("activity without rights", "GET sys/internal/counters/activity/export", 403, body=refused, token="$powerless"),
        ask("feature flags", "GET sys/internal/ui/feature-flags", 200, body={"feature_flags": []}, token=""),
        ask("version for user interfaces", "GET sys/internal/ui/version", None),
        ask("experiments", "GET sys/experiments", None),
        ask("seal backend", "GET sys/seal-backend-status", None),
        ask("replication", "GET sys/replication/status", None),
        ask("pinned plugins", "GET sys/plugins/pins", 200, {"pinned_versions": []}),
        ask("pinned plugin", "GET sys/plugins/pins/secret/kv", 404, body=nothing),
        ask("plugin pinned", "POST sys/plugins/pins/secret/kv", 400, sent={"version": "v1.0.0"}, body=refused),
        ask("plugin runtimes", "LIST sys/plugins/runtimes/catalog", 200, {"runtimes": []}),
        ask("plugin reload by type", "POST sys/plugins/reload/secret/kv", None),
        ask("well-known", "GET sys/well-known", None),
        ask("events without a stream", "GET sys/events/subscribe/kv*", 400, body=refused),
        ask("events without token", "GET sys/events/subscribe/kv*", 403, body=refused, token=""),
        ask("events without rights", "GET sys/events/subscribe/kv*", 403, body=refused, token="$powerless"),
        ask("policy of events", "POST sys/policies/acl/hears", 204, sent={"policy": 'path "secret/*" { capabilities = ["list", "subscribe"] subscribe_event_types = ["kv*"] }'}),
        ask("policy of events gone", "DELETE sys/policies/acl/hears", 204),
        ask("license", "GET sys/license/status", None),
        ask("recovery keys", "GET sys/rekey-recovery-key/init", None),
        ask("join a cluster", "POST sys/storage/raft/join", None, sent={}, token=""),
        *google(ask, nothing, refused),
    ]


def google(ask, nothing, refused):
    """The auth method for Google Cloud, as far as it asks nobody."""
    role, account = "auth/gcp/role", "dev-1@project-123456.iam.gserviceaccount.com"
    iam = {"type": "iam", "bound_service_accounts": [account], "policies": ["prod"], "ttl": "30m", "max_ttl": "24h", "max_jwt_exp": "5m"}
    gce = {"type": "gce", "bound_projects": ["project-123456"], "bound_zones": ["us-east1-b"]}
    return [
        ask("google", "POST sys/auth/gcp", 204, sent={"type": "gcp"}),
        ask("google unconfigured", "GET auth/gcp/config", 404, body=nothing),
        ask("google configured", "POST auth/gcp/config", 204, sent={"iam_alias": "unique_id", "gce_alias": "instance_id", "iam_metadata": ["role"], "gce_metadata": "default", "custom_endpoint": {"iam": "https://iam.example"}}),
        ask("google configuration", "GET auth/gcp/config", None),
        ask("google configured oddly", "POST auth/gcp/config", 400, sent={"credentials": "nonsense"}, body=refused),
        ask("google aliases", "POST auth/gcp/config", 400, sent={"iam_alias": "nonsense"}, body=refused),
        ask("google forgotten", "DELETE auth/gcp/config", 204),
        ask("google no roles", "LIST auth/gcp/roles", 404, body=nothing),
        ask("google role of accounts", f"POST {role}/dev", 204, sent=iam),
        ask("google role of machines", f"POST {role}/vm", 204, sent=gce),
        ask("google role", f"GET {role}/dev", None),
        ask("google roles", "LIST auth/gcp/roles", 200, {"keys": ["<text>"]}),
        *[ask(f"google role {name}", f"POST {role}/odd", 400, sent=sent, body=refused) for name, sent in [
            ("without type", {}), ("of no type", {"type": "x"}), ("of accounts without any", {"type": "iam"}), ("of accounts with zones", {**iam, "bound_zones": "z"}), ("of machines with a lifetime of tokens", {**gce, "max_jwt_exp": 5}),
            ("of a group of nowhere", {"type": "gce", "bound_projects": "p", "bound_instance_groups": "g"}), ("of long tokens", {**iam, "max_jwt_exp": "2h"})]],
        ask("google accounts", f"POST {role}/dev/service-accounts", 204, sent={"add": ["123456789"], "remove": [account]}),
        ask("google accounts of machines", f"POST {role}/vm/service-accounts", 400, sent={"add": [account]}, body=refused),
        ask("google labels", f"POST {role}/vm/labels", 204, sent={"add": ["foo:bar"], "remove": ["key1"]}),
        ask("google labels of accounts", f"POST {role}/dev/labels", 400, sent={"add": ["foo:bar"]}, body=refused),
        ask("google login without role", "POST auth/gcp/login", 400, sent={}, body=refused, token=""),
        ask("google login without token", "POST auth/gcp/login", 400, sent={"role": "dev"}, body=refused, token=""),
        ask("google login with nonsense", "POST auth/gcp/login", 403, sent={"role": "dev", "jwt": "x"}, body=refused, token=""),
        ask("google role deleted", f"DELETE {role}/dev", 204),
        ask("google roles without token", "LIST auth/gcp/roles", 403, body=refused, token=""),
        ask("google roles without rights", "LIST auth/gcp/roles", 403, body=refused, token="$powerless"),
        ask("google away", "DELETE sys/auth/gcp", 204),
    ]
