"""The database engine against a real PostgreSQL."""

NEEDS_POSTGRES = True
URL = "postgresql://{{username}}:{{password}}@127.0.0.1:$pg_port/postgres?sslmode=disable"
CONFIG = {"plugin_name": "postgresql-database-plugin", "connection_url": URL, "allowed_roles": ["app", "short", "st*", "bad*", "drop", "uname", "nostmt"],
          "username": "coffer_admin", "password": "$pg_password"}
CREATE = "CREATE ROLE \"{{name}}\" WITH LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}'; GRANT SELECT ON ALL TABLES IN SCHEMA public TO \"{{name}}\";"


def steps(step):
    return configuration(step) + roles(step) + credentials(step) + static_roles(step) + ends(step)


def configuration(step):
    return [
        step("enable", "POST sys/mounts/database", {"type": "database"}),
        step("list none", "LIST database/config"),
        step("read none", "GET database/config/nosuch"),
        step("config", "POST database/config/pg", CONFIG),
        step("config read", "GET database/config/pg"),
        step("config list", "LIST database/config"),
        step("config no plugin", "POST database/config/bad", {"connection_url": URL}),
        step("config unknown plugin", "POST database/config/bad", {"plugin_name": "nosuch-plugin", "connection_url": URL}),
        step("config no url", "POST database/config/bad", {"plugin_name": "postgresql-database-plugin"}),
        step("config wrong password", "POST database/config/bad", {**CONFIG, "password": "wrong"}),
        step("config dead port", "POST database/config/bad", {**CONFIG, "connection_url": "postgresql://{{username}}:{{password}}@127.0.0.1:1/postgres?sslmode=disable"}),
        step("config unverified", "POST database/config/later", {**CONFIG, "password": "wrong", "verify_connection": False, "max_open_connections": 3, "max_idle_connections": 2,
             "max_connection_lifetime": "5s", "username_template": "{{.RoleName}}-{{unix_time}}", "root_rotation_statements": ["ALTER USER x"], "password_policy": "none"}),
        step("config unverified read", "GET database/config/later"),
        step("config bad url", "POST database/config/bad", {**CONFIG, "connection_url": "::nonsense"}),
        step("config bad template", "POST database/config/bad", {**CONFIG, "username_template": "{{.Nope"}),
        step("config wrong types", "POST database/config/bad", {**CONFIG, "max_open_connections": "x"}),
        step("config unknown field", "POST database/config/pg", {**CONFIG, "colour": "red"}),
        step("config password in url", "POST database/config/inurl", {"plugin_name": "postgresql-database-plugin", "allowed_roles": "*",
             "connection_url": "postgresql://coffer_admin:$pg_password@127.0.0.1:$pg_port/postgres?sslmode=disable"}),
        step("config password in url read", "GET database/config/inurl"),
        step("config delete", "DELETE database/config/later"),
        step("config delete unknown", "DELETE database/config/later"),
        step("reset", "POST database/reset/pg"),
        step("reset unknown", "POST database/reset/nosuch"),
        step("reload", "POST database/reload/postgresql-database-plugin"),
    ]


def roles(step):
    return [
        step("role list none", "LIST database/roles"),
        step("role read none", "GET database/roles/nosuch"),
        step("role", "POST database/roles/app", {"db_name": "pg", "creation_statements": [CREATE], "default_ttl": "2m", "max_ttl": "5m"}),
        step("role read", "GET database/roles/app"),
        step("role text statement", "POST database/roles/short", {"db_name": "pg", "creation_statements": CREATE, "default_ttl": 30, "max_ttl": "1m",
             "renew_statements": ["ALTER ROLE \"{{name}}\" VALID UNTIL '{{expiration}}';"], "rollback_statements": [], "revocation_statements": ["DROP ROLE \"{{name}}\";"]}),
        step("role read text", "GET database/roles/short"),
        step("role no db", "POST database/roles/bad", {"creation_statements": [CREATE]}),
        step("role no statements", "POST database/roles/nostmt", {"db_name": "pg"}),
        step("role ttl above max", "POST database/roles/bad", {"db_name": "pg", "creation_statements": [CREATE], "default_ttl": "9m", "max_ttl": "5m"}),
        step("role bad ttl", "POST database/roles/bad", {"db_name": "pg", "creation_statements": [CREATE], "default_ttl": "x"}),
        step("role unknown db", "POST database/roles/badconf", {"db_name": "nosuch", "creation_statements": [CREATE]}),
        step("role bad sql", "POST database/roles/badsql", {"db_name": "pg", "creation_statements": ["CREATE NONSENSE"]}),
        step("role half sql", "POST database/roles/badhalf", {"db_name": "pg", "creation_statements": [CREATE, "SELECT * FROM nosuch_table"]}),
        step("role bad credential type", "POST database/roles/bad", {"db_name": "pg", "creation_statements": [CREATE], "credential_type": "odd"}),
        step("role not allowed", "POST database/roles/other", {"db_name": "pg", "creation_statements": [CREATE]}),
        step("role list", "LIST database/roles"),
        step("role patch", "PATCH database/roles/app", {"default_ttl": "90s"}, headers={"Content-Type": "application/merge-patch+json"}),
        step("role update part", "POST database/roles/app", {"default_ttl": "100s"}),
        step("role after part", "GET database/roles/app"),
    ]


def credentials(step):
    return [
        step("creds", "GET database/creds/app", save={"lease": "lease_id"}),
        step("creds second", "GET database/creds/app", save={"second": "lease_id"}),
        step("creds unknown", "GET database/creds/nosuch"),
        step("creds not allowed", "GET database/creds/other"),
        step("creds no config", "GET database/creds/badconf"),
        step("creds bad sql", "GET database/creds/badsql"),
        step("creds half sql", "GET database/creds/badhalf"),
        step("creds no statements", "GET database/creds/nostmt"),
        step("creds post", "POST database/creds/app", {}),
        step("creds no token", "GET database/creds/app", token=""),
        step("lease lookup", "PUT sys/leases/lookup", {"lease_id": "$lease"}),
        step("lease renew", "PUT sys/leases/renew", {"lease_id": "$lease", "increment": 3600}),
        step("lease renew increment", "PUT sys/leases/renew", {"lease_id": "$lease", "increment": "10s"}),
        step("lease revoke", "PUT sys/leases/revoke", {"lease_id": "$lease"}),
        step("lease lookup gone", "PUT sys/leases/lookup", {"lease_id": "$lease"}),
        step("drop role", "POST database/roles/drop", {"db_name": "pg", "creation_statements": [CREATE, "GRANT CONNECT ON DATABASE postgres TO \"{{name}}\""], "default_ttl": "1m",
             "revocation_statements": ["DROP ROLE \"{{name}}\""]}),
        step("drop creds", "GET database/creds/drop", save={"stuck": "lease_id"}),
        step("drop refused", "PUT sys/leases/revoke", {"lease_id": "$stuck", "sync": True}),
        step("drop lease stays", "PUT sys/leases/lookup", {"lease_id": "$stuck"}),
        step("drop forced", "PUT sys/leases/revoke-force/database/creds/drop"),
        step("named config", "POST database/config/pg", {**CONFIG, "username_template": "{{ .RoleName | truncate 3 | uppercase }}_{{ random 6 }}_{{ unix_time }}"}),
        step("creds wrapped", "GET database/creds/app", headers={"X-Vault-Wrap-TTL": "60s"}),
    ]


def static_roles(step):
    return [
        step("static list none", "LIST database/static-roles"),
        step("static unknown user", "POST database/static-roles/st1", {"db_name": "pg", "username": "no_such_user", "rotation_period": "1h"}),
        step("static period too short", "POST database/static-roles/st1", {"db_name": "pg", "username": "coffer_admin", "rotation_period": "1s"}),
        step("static no user", "POST database/static-roles/st1", {"db_name": "pg", "rotation_period": "1h"}),
        step("static read none", "GET database/static-roles/nosuch"),
        step("static creds none", "GET database/static-creds/nosuch"),
        step("rotate role unknown", "POST database/rotate-role/nosuch"),
        step("rotate root unknown", "POST database/rotate-root/nosuch"),
    ]


def ends(step):
    return [
        step("leases", "LIST sys/leases/lookup/database/creds/app"),
        step("revoke prefix", "PUT sys/leases/revoke-prefix/database/creds/app"),
        step("leases after", "LIST sys/leases/lookup/database/creds/app"),
        step("role delete", "DELETE database/roles/app"),
        step("role delete unknown", "DELETE database/roles/app"),
        step("unknown path", "GET database/nosuch"),
        step("root path", "GET database/"),
        step("disable", "DELETE sys/mounts/database"),
    ]
