"""The catalogue of plugins. No plugin runs here: what is built in is what there is."""

SUM = "0" * 64


def steps(step):
    return [
        step("all", "GET sys/plugins/catalog", shape_only=True),
        step("list all", "LIST sys/plugins/catalog"),
        *[step(f"list {kind}", f"LIST sys/plugins/catalog/{kind}") for kind in ("auth", "secret", "database", "kms", "odd")],
        step("read built in", "GET sys/plugins/catalog/secret/kv"),
        step("read built in database", "GET sys/plugins/catalog/database/postgresql-database-plugin"),
        step("read unknown", "GET sys/plugins/catalog/secret/nosuch"),
        step("read unknown type", "GET sys/plugins/catalog/odd/kv"),
        step("read old path", "GET sys/plugins/catalog/kv"),
        step("register without command", "POST sys/plugins/catalog/secret/own", {"sha256": SUM}),
        step("register without sum", "POST sys/plugins/catalog/secret/own", {"command": "own"}),
        step("register missing file", "POST sys/plugins/catalog/secret/own", {"sha256": SUM, "command": "own"}),
        step("register outside", "POST sys/plugins/catalog/secret/own", {"sha256": SUM, "command": "../own"}),
        step("register bad sum", "POST sys/plugins/catalog/secret/own", {"sha256": "zz", "command": "own"}),
        step("register bad version", "POST sys/plugins/catalog/secret/own", {"sha256": SUM, "command": "own", "version": "odd"}),
        step("register unknown type", "POST sys/plugins/catalog/odd/own", {"sha256": SUM, "command": "own"}),
        step("register old path", "POST sys/plugins/catalog/own", {"sha256": SUM, "command": "own"}),
        step("delete unknown", "DELETE sys/plugins/catalog/secret/nosuch"),
        step("delete unknown type", "DELETE sys/plugins/catalog/odd/nosuch"),
        step("delete built in", "DELETE sys/plugins/catalog/secret/kv"),
        step("delete old path", "DELETE sys/plugins/catalog/own"),
        step("reload nothing", "POST sys/plugins/reload/backend", {}),
        step("reload both", "POST sys/plugins/reload/backend", {"plugin": "kv", "mounts": ["secret/"]}),
        step("reload plugin", "POST sys/plugins/reload/backend", {"plugin": "kv"}, skip_body=True),
        step("reload unknown plugin", "POST sys/plugins/reload/backend", {"plugin": "nosuch"}, skip_body=True),
        step("reload mounts", "POST sys/plugins/reload/backend", {"mounts": ["secret/"]}, skip_body=True),
        step("reload unknown mount", "POST sys/plugins/reload/backend", {"mounts": ["nosuch/"]}),
        step("reload bad scope", "POST sys/plugins/reload/backend", {"plugin": "kv", "scope": "odd"}),
        step("reload by PUT", "PUT sys/plugins/reload/backend", {"plugin": "kv"}, skip_body=True),
        step("without token", "GET sys/plugins/catalog", token=""),
        step("without rights", "GET sys/plugins/catalog", token="$powerless"),
    ]
