"""Health and other questions about a running server."""


def steps(step):
    none = ""
    return [
        step("health", "GET sys/health", token=none),
        step("health head", "HEAD sys/health", token=none),
        step("health activecode", "GET sys/health?activecode=299", token=none),
        step("health bad code", "GET sys/health?activecode=abc", token=none),
        step("health standbyok", "GET sys/health?standbyok=true&perfstandbyok=true", token=none),
        step("health misspelt code", "GET sys/health?haunhealhty=200&haunhealthycode=200&removedcode=200", token=none),
        step("seal status", "GET sys/seal-status", token=none),
        step("leader", "GET sys/leader", token=none),
        step("init", "GET sys/init", token=none),
        step("init done", "PUT sys/init", {"secret_shares": 1, "secret_threshold": 1}, token=none),
        step("unseal", "PUT sys/unseal", {"key": "abcd"}, token=none),
        step("key status", "GET sys/key-status"),
        step("ha status", "GET sys/ha-status"),
        step("version history", "LIST sys/version-history"),
        step("version history get", "GET sys/version-history?list=true"),
        step("host info", "GET sys/host-info", token="bogus"),
        step("sanitized config", "GET sys/config/state/sanitized"),
        step("config ui headers", "LIST sys/config/ui/headers"),
        step("cors", "GET sys/config/cors"),
        step("auditing headers", "GET sys/config/auditing/request-headers"),
        step("plugins catalog", "GET sys/plugins/catalog/secret"),
        step("loggers", "GET sys/loggers"),
        step("in-flight", "GET sys/in-flight-req"),
        step("sys without slash", "GET /v1/sys"),
        step("sys itself", "GET sys/"),
        step("license", "GET sys/license/status"),
        step("replication", "GET sys/replication/status", token=none),
        step("namespaces", "LIST sys/namespaces"),
        step("experiments", "GET sys/experiments"),
        step("internal counters", "GET sys/internal/counters/tokens"),
        step("root path", "GET /"),
        step("unknown prefix", "GET /v2/sys/health"),
    ]
