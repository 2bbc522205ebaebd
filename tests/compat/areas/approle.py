"""Machines with a role id and a secret id: roles, their settings one by one, secret ids, logins."""

AT = "auth/approle"


def steps(step):
    return [
        *roles(step),
        *settings(step),
        *secret_ids(step),
        *logins(step),
        *[step(f"clean {name}", f"DELETE {AT}/role/{name}") for name in ["web", "other", "local", "kind", "a.b", "set", "ids"]],
        step("clean entity", "DELETE identity/entity/id/$entity"),
    ]


def roles(step):
    role = f"{AT}/role/web"
    return [
        step("list none", f"LIST {AT}/role"),
        step("read unknown", f"GET {role}"),
        step("make", f"POST {AT}/role/Web", {}),
        step("read", f"GET {role}"),
        step("read in capitals", f"GET {AT}/role/WEB"),
        step("list", f"LIST {AT}/role"),
        step("role id", f"GET {role}/role-id"),
        step("role id without", f"POST {role}/role-id", {}),
        step("role id chosen", f"POST {role}/role-id", {"role_id": "my-role"}),
        step("role id then", f"GET {role}/role-id"),
        step("role id of unknown", f"GET {AT}/role/nosuch/role-id"),
        step("role id for unknown", f"POST {AT}/role/nosuch/role-id", {"role_id": "x"}),
        step("role id taken", f"POST {AT}/role/other", {"role_id": "my-role"}),
        step("role id empty", f"POST {AT}/role/other", {"role_id": ""}),
        step("without any bound", f"POST {AT}/role/other", {"bind_secret_id": False}),
        step("bound by addresses", f"POST {AT}/role/other", {"bind_secret_id": False, "secret_id_bound_cidrs": "127.0.0.1/32", "token_ttl": "1h", "period": "10m"}),
        step("read bound", f"GET {AT}/role/other"),
        step("all fields", f"POST {role}", {"secret_id_num_uses": 5, "secret_id_ttl": "1h", "token_ttl": 600, "token_max_ttl": 1200, "token_explicit_max_ttl": 900,
                                           "token_no_default_policy": True, "token_num_uses": 9, "token_type": "service", "policies": "q,P,q", "bound_cidr_list": "127.0.0.0/8"}),
        step("read all fields", f"GET {role}"),
        *[step(f"field {field} {value!r}", f"POST {role}", {field: value}) for field, value in WRONG],
        step("local", f"POST {AT}/role/local", {"local_secret_ids": True}),
        step("local read", f"GET {AT}/role/local/local-secret-ids"),
        step("not local later", f"POST {AT}/role/local", {"local_secret_ids": False}),
        step("default-service", f"POST {AT}/role/kind", {"token_type": "default-service"}),
        step("default-batch", f"POST {AT}/role/kind", {"token_type": "default-batch"}),
        step("long", f"POST {AT}/role/long", {"token_max_ttl": "100000h"}),
        *[step(f"name {name}", f"POST {AT}/role/{name}", {}) for name in ["a%20b", "-ab", "ab-", "a.b", "a/b"]],
        step("list page", f"GET {AT}/role?list=true&limit=2&after=kind"),
        step("delete", f"DELETE {AT}/role/long"),
        step("delete again", f"DELETE {AT}/role/long"),
    ]


def settings(step):
    asked = [step("one for the settings", f"POST {AT}/role/set", {})]
    for name, value, wrong in SETTINGS:
        at, field = f"{AT}/role/set/{name}", name.replace("-", "_")
        asked += [
            step(f"{name}: read", f"GET {at}"),
            step(f"{name}: of unknown", f"GET {AT}/role/nosuch/{name}"),
            step(f"{name}: write nothing", f"POST {at}", {}),
            step(f"{name}: write to unknown", f"POST {AT}/role/nosuch/{name}", {field: value}),
            step(f"{name}: write", f"POST {at}", {field: value}),
            step(f"{name}: read then", f"GET {at}"),
            step(f"{name}: wrong", f"POST {at}", {field: wrong}),
            step(f"{name}: clear", f"DELETE {at}"),
            step(f"{name}: read cleared", f"GET {at}"),
            step(f"{name}: clear of unknown", f"DELETE {AT}/role/nosuch/{name}"),
        ]
    return [*asked, step("settings in the end", f"GET {AT}/role/set")]


def secret_ids(step):
    at = f"{AT}/role/ids"
    return [
        step("role for secret ids", f"POST {at}", {}),
        step("none", f"LIST {at}/secret-id"),
        step("of unknown", f"LIST {AT}/role/nosuch/secret-id"),
        step("for unknown", f"POST {AT}/role/nosuch/secret-id", {}),
        step("secret id", f"POST {at}/secret-id", {}, save={"accessor": "data.secret_id_accessor"}),
        step("listed", f"LIST {at}/secret-id"),
        step("secret id with all", f"POST {at}/secret-id", {"metadata": '{"a":"b"}', "cidr_list": "127.0.0.1/32", "token_bound_cidrs": "127.0.0.1/32", "ttl": "1h", "num_uses": 3},
             save={"full": "data.secret_id", "full_accessor": "data.secret_id_accessor"}),
        step("look up", f"POST {at}/secret-id/lookup", {"secret_id": "$full"}),
        step("look up by accessor", f"POST {at}/secret-id-accessor/lookup", {"secret_id_accessor": "$full_accessor"}),
        step("look up nothing", f"POST {at}/secret-id/lookup", {}),
        step("look up unknown", f"POST {at}/secret-id/lookup", {"secret_id": "nosuch"}),
        step("look up in unknown", f"POST {AT}/role/nosuch/secret-id/lookup", {"secret_id": "x"}),
        step("look up no accessor", f"POST {at}/secret-id-accessor/lookup", {}),
        step("look up unknown accessor", f"POST {at}/secret-id-accessor/lookup", {"secret_id_accessor": "nosuch"}),
        step("look up accessor in another", f"POST {AT}/role/web/secret-id-accessor/lookup", {"secret_id_accessor": "$accessor"}),
        *[step(f"secret id {field} {value!r}", f"POST {at}/secret-id", {field: value}) for field, value in
          [("metadata", "nonsense"), ("metadata", {"a": "b"}), ("num_uses", -1), ("ttl", -1), ("cidr_list", "bad"), ("token_bound_cidrs", "bad"), ("ttl", "x")]],
        step("chosen", f"POST {at}/custom-secret-id", {"secret_id": "mine", "num_uses": 2, "ttl": "10m"}),
        step("chosen again", f"POST {at}/custom-secret-id", {"secret_id": "mine"}),
        step("chosen none", f"POST {at}/custom-secret-id", {}),
        step("chosen too long", f"POST {at}/custom-secret-id", {"secret_id": "x" * 5000}),
        step("wrapped", f"POST {at}/secret-id", {}, headers={"X-Vault-Wrap-TTL": "60s"}),
        step("bounds", f"POST {at}", {"secret_id_num_uses": 5, "secret_id_ttl": "1h", "secret_id_bound_cidrs": "10.0.0.0/8", "token_bound_cidrs": "10.0.0.0/8"}),
        *[step(f"beyond {field} {value!r}", f"POST {at}/secret-id", {field: value}) for field, value in
          [("num_uses", 10), ("num_uses", 0), ("ttl", "2h"), ("ttl", 0), ("cidr_list", "11.0.0.0/8"), ("token_bound_cidrs", "11.0.0.0/8")]],
        step("not wanted", f"POST {AT}/role/other/secret-id", {}),
        step("destroy nothing", f"POST {at}/secret-id/destroy", {}),
        step("destroy unknown", f"POST {at}/secret-id/destroy", {"secret_id": "nosuch"}),
        step("destroy in unknown", f"POST {AT}/role/nosuch/secret-id/destroy", {"secret_id": "x"}),
        step("destroy", f"POST {at}/secret-id/destroy", {"secret_id": "$full"}),
        step("destroy no accessor", f"POST {at}/secret-id-accessor/destroy", {}),
        step("destroy unknown accessor", f"POST {at}/secret-id-accessor/destroy", {"secret_id_accessor": "nosuch"}),
        step("destroy by accessor", f"POST {at}/secret-id-accessor/destroy", {"secret_id_accessor": "$accessor"}),
        step("tidy", f"POST {AT}/tidy/secret-id", {}),
    ]


def logins(step):
    at = f"{AT}/role/in"
    return [
        step("role to log in with", f"POST {at}", {"role_id": "way-in", "token_policies": "p", "token_ttl": 600}),
        step("secret id to log in with", f"POST {at}/custom-secret-id", {"secret_id": "twice", "num_uses": 2, "metadata": '{"k":"v"}'}),
        step("login", f"POST {AT}/login", {"role_id": "way-in", "secret_id": "twice"}, token="", save={"in": "auth.client_token", "entity": "auth.entity_id"}),
        step("who am i", "GET auth/token/lookup-self", token="$in"),
        step("entity", "GET identity/entity/id/$entity"),
        step("used once", f"POST {at}/secret-id/lookup", {"secret_id": "twice"}),
        step("login again", f"POST {AT}/login", {"role_id": "way-in", "secret_id": "twice"}, token=""),
        step("used up", f"POST {AT}/login", {"role_id": "way-in", "secret_id": "twice"}, token=""),
        step("used up looked up", f"POST {at}/secret-id/lookup", {"secret_id": "twice"}),
        step("without secret id", f"POST {AT}/login", {"role_id": "way-in"}, token=""),
        step("without role id", f"POST {AT}/login", {"secret_id": "twice"}, token=""),
        step("with nothing", f"POST {AT}/login", {}, token=""),
        step("unknown role", f"POST {AT}/login", {"role_id": "nosuch", "secret_id": "x"}, token=""),
        step("no secret id wanted", f"POST {AT}/role/other/role-id", {"role_id": "other"}),
        step("login without one", f"POST {AT}/login", {"role_id": "other"}, token=""),
        step("login with needless one", f"POST {AT}/login", {"role_id": "other", "secret_id": "x"}, token=""),
        step("renew", "POST auth/token/renew-self", {}, token="$in"),
        step("shorter", f"POST {at}", {"token_ttl": 300}),
        step("renew shorter", "POST auth/token/renew-self", {}, token="$in"),
        step("other policies", f"POST {at}", {"token_policies": "q"}),
        step("renew under other policies", "POST auth/token/renew-self", {}, token="$in"),
        step("elsewhere", f"POST {at}/custom-secret-id", {"secret_id": "elsewhere", "cidr_list": "10.0.0.0/8"}),
        step("login from elsewhere", f"POST {AT}/login", {"role_id": "way-in", "secret_id": "elsewhere"}, token=""),
        step("delete role", f"DELETE {at}"),
        step("renew without role", "POST auth/token/renew-self", {}, token="$in"),
        step("login by reading", f"GET {AT}/login", token=""),
        step("without token", f"GET {AT}/role/web", token=""),
        step("without rights", f"GET {AT}/role/web", token="$powerless"),
    ]


WRONG = [
    ("token_type", "nonsense"), ("token_bound_cidrs", "nonsense"), ("token_ttl", "nonsense"), ("token_ttl", "100h"), ("secret_id_num_uses", -1), ("secret_id_ttl", -1),
    ("secret_id_bound_cidrs", "nonsense"), ("secret_id_bound_cidrs", "127.0.0.1"), ("bind_secret_id", "perhaps"), ("local_secret_ids", True), ("token_num_uses", -1), ("nosuch", 1),
]
SETTINGS = [
    ("bind-secret-id", True, "perhaps"), ("bound-cidr-list", "127.0.0.1/32", "nonsense"), ("period", "1m", "x"), ("policies", "b,A", {"a": 1}),
    ("secret-id-bound-cidrs", "127.0.0.1/32", "127.0.0.1"), ("secret-id-num-uses", "3", -1), ("secret-id-ttl", "1h", "x"), ("token-bound-cidrs", "127.0.0.1", "nonsense"),
    ("token-max-ttl", "2h", "x"), ("token-num-uses", 4, -1), ("token-ttl", "1h", "x"),
]
