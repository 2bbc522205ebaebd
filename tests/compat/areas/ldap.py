"""People of a directory: its configuration, users and groups here, logins. Beside a recording of the last release of the reference that had this method."""

import urllib.parse

NEEDS_LDAP = True
AT = "auth/ldap"
PEOPLE, GROUPS = "ou=people,dc=example,dc=org", "ou=groups,dc=example,dc=org"
CONFIG = {"url": "ldap://127.0.0.1:$ldap_port", "userdn": PEOPLE, "userattr": "uid", "groupdn": GROUPS, "binddn": "cn=service,dc=example,dc=org", "bindpass": "service-word"}
USUAL = {"url": "ldap://127.0.0.1", "userdn": "", "binddn": "", "bindpass": "", "userattr": "cn", "userfilter": "({{.UserAttr}}={{.Username}})", "groupdn": "",
         "groupfilter": "(|(memberUid={{.Username}})(member={{.UserDN}})(uniqueMember={{.UserDN}}))", "groupattr": "cn", "upndomain": "", "certificate": "",
         "tls_min_version": "tls12", "tls_max_version": "tls12", "insecure_tls": False, "starttls": False, "discoverdn": False, "deny_null_bind": True,
         "dereference_aliases": "never", "request_timeout": 90, "connection_timeout": 30, "max_page_size": 0, "case_sensitive_names": False, "use_token_groups": False,
         "username_as_alias": False, "anonymous_group_search": False, "use_pre111_group_cn_behavior": False,
         "token_ttl": 0, "token_max_ttl": 0, "token_policies": "", "token_bound_cidrs": "", "token_type": "default"}


def steps(step):
    return configuration(step) + records(step, "users") + records(step, "groups") + logins(step) + renewals(step) + ways(step) + encrypted(step) + ends(step)


def configuration(step):
    config = f"{AT}/config"
    return [
        step("enable", "POST sys/auth/ldap", {"type": "ldap"}),
        step("read none", f"GET {config}"),
        step("delete", f"DELETE {config}"),
        step("write nothing", f"POST {config}", {}),
        *[step(f"field {field} {value!r}", f"POST {config}", {field: value}) for field, value in FIELDS],
        step("read odd", f"GET {config}"),
        step("client certificate without key", f"POST {config}", {"client_tls_cert": "x"}),
        step("client key without certificate", f"POST {config}", {"client_tls_key": "x"}),
        step("usual", f"POST {config}", USUAL),
        step("configure", f"POST {config}", CONFIG),
        step("read back", f"GET {config}"),
        step("config without token", f"GET {config}", token=""),
        step("config without rights", f"GET {config}", token="$powerless"),
        step("write config without rights", f"POST {config}", {}, token="$powerless"),
        step("write config without token", f"POST {config}", {}, token=""),
    ]


FIELDS = [
    ("url", ["ldap://a", "ldap://b"]), ("url", "http://x"), ("url", "ldap://"), ("url", "nonsense"), ("url", "ldap://a:99999"), ("url", "ldapi:///x"), ("url", ""),
    ("url", "LDAP://A.example,ldaps://b"), ("userdn", "nonsense"), ("userattr", "a=b"), ("userattr", ""), ("userattr", "sAMAccountName"), ("userfilter", "((("),
    ("userfilter", "({{.Nosuch}}={{.Username}})"), ("userfilter", "({{.UserAttr}}={{.Username"), ("userfilter", "({{.UserAttr}}={{.Username | printf \"%s\"}})"),
    ("userfilter", "(uid={{.Username}})"), ("userfilter", ""), ("groupfilter", "((("), ("groupfilter", "{{"), ("groupfilter", "({{.UserAttr}}=x)"), ("groupfilter", ""),
    ("groupattr", ""), ("groupattr", "memberOf"), ("upndomain", "example.org"), ("certificate", "nonsense"), ("certificate", ""), ("tls_min_version", "tls13"),
    ("tls_min_version", "tls10"), ("tls_max_version", "tls11"), ("tls_max_version", "tls13"), ("tls_max_version", ""), ("tls_min_version", "odd"), ("insecure_tls", "maybe"),
    ("starttls", 1), ("dereference_aliases", "odd"), ("dereference_aliases", "always"), ("dereference_aliases", ""), ("request_timeout", "10s"), ("request_timeout", -1),
    ("request_timeout", 0), ("connection_timeout", "x"), ("connection_timeout", ""), ("max_page_size", -1), ("max_page_size", "x"), ("max_page_size", 1000),
    ("deny_null_bind", False), ("token_type", "odd"), ("token_type", "default-batch"), ("token_ttl", "x"), ("token_ttl", "100h"), ("token_bound_cidrs", "x"),
    ("token_num_uses", -1), ("binddn", "x"), ("bindpass", "p"), ("nosuch", 1), ("username_as_alias", "x"), ("use_token_groups", True), ("anonymous_group_search", True),
    ("use_pre111_group_cn_behavior", True), ("case_sensitive_names", "x"), ("token_policies", "B,a, a"), ("token_period", "x"), ("discoverdn", True),
]


def records(step, kind):
    at = f"{AT}/{kind}"
    return [
        step(f"{kind} list none", f"LIST {at}"),
        step(f"{kind} read unknown", f"GET {at}/cat"),
        step(f"{kind} write nothing", f"POST {at}/Cat", {}),
        step(f"{kind} read nothing", f"GET {at}/cat"),
        step(f"{kind} read in capitals", f"GET {at}/CAT"),
        step(f"{kind} write", f"POST {at}/cat", {"policies": "B, a,a", "groups": "X, y,X"}),
        step(f"{kind} read", f"GET {at}/cat"),
        step(f"{kind} write root", f"POST {at}/cat", {"policies": "B,root"}),
        step(f"{kind} read root", f"GET {at}/cat"),
        step(f"{kind} write without policies", f"POST {at}/cat", {"groups": "z"}),
        step(f"{kind} read without policies", f"GET {at}/cat"),
        step(f"{kind} write list", f"POST {at}/cat", {"policies": ["p", "", " q "], "groups": ["g", ""]}),
        step(f"{kind} read list", f"GET {at}/cat"),
        step(f"{kind} wrong policies", f"POST {at}/cat", {"policies": {"a": 1}}),
        step(f"{kind} unknown field", f"POST {at}/cat", {"nosuch": 1}),
        *[step(f"{kind} name {name}", f"POST {at}/{name}", {"policies": "x"}) for name in NAMES],
        step(f"{kind} list", f"LIST {at}"),
        step(f"{kind} read with slash", f"GET {at}/a/b"),
        step(f"{kind} read by GET", f"GET {at}"),
        step(f"{kind} write to none", f"POST {at}/", {}),
        step(f"{kind} delete", f"DELETE {at}/cat"),
        step(f"{kind} delete again", f"DELETE {at}/cat"),
        *[step(f"{kind} clean {name}", f"DELETE {at}/{name}") for name in NAMES],
        step(f"{kind} list after all", f"LIST {at}"),
        *[step(f"{kind} {method} without token", f"{method} {at}/cat", {} if method == "POST" else None, token="") for method in ("GET", "POST", "DELETE")],
        *[step(f"{kind} {method} without rights", f"{method} {at}/cat", {} if method == "POST" else None, token="$powerless") for method in ("GET", "POST", "DELETE")],
        step(f"{kind} list without token", f"LIST {at}", token=""),
        step(f"{kind} list without rights", f"LIST {at}", token="$powerless"),
    ]


NAMES = ["a%20b", "-ab", "a.b", "a@b", "%C3%A4", "a,b", "cn=x", "a%5Cb", "*", "a(b", "a+b", "a%00b", "a/b"]


GROUP_NAMES = ["first", "b", "unit", "second", "multi", "q", "plain text", "upper", "two, parts", "none", "spaced", "p1", "p2", "weird", "ou=none,dc=z", "notadn,cn=weird",
               "uid=q+cn=multi,dc=z", "cn = spaced , dc=x", "cn=first,ou=b,dc=x", "CN=UPPER,dc=x"]


def login(step, name, user, password, **more):
    return step(name, f"POST {AT}/login/{user}", {"password": password}, token="", **more)


def set_(step, name, **fields):
    return step(name, f"POST {AT}/config", fields)


def logins(step):
    return [
        login(step, "login", "ann", "ann-word", save={"ann": "auth.client_token", "entity": "auth.entity_id"}),
        step("who am i", "GET auth/token/lookup-self", token="$ann"),
        step("entity", "GET identity/entity/id/$entity"),
        login(step, "login in capitals", "ANN", "ann-word"),
        login(step, "login with a blank", "ann%20", "ann-word"),
        login(step, "wrong password", "ann", "wrong"),
        login(step, "nobody", "nosuch", "ann-word"),
        login(step, "empty password", "ann", ""),
        step("no password", f"POST {AT}/login/ann", {}, token=""),
        step("a number", f"POST {AT}/login/ann", {"password": 1}, token=""),
        step("by reading", f"GET {AT}/login/ann", token=""),
        step("name in the body", f"POST {AT}/login", {"username": "ann", "password": "ann-word"}, token=""),
        step("more fields", f"POST {AT}/login/ann", {"password": "ann-word", "odd": 1}, token=""),
        login(step, "no groups", "twin1", "twin-word"),
        *[login(step, f"odd name {name}", name, "ann-word") for name in ODD],
        step("group", f"POST {AT}/groups/engineers", {"policies": "eng"}),
        step("group in capitals", f"POST {AT}/groups/Everybody", {"policies": "every"}),
        step("user", f"POST {AT}/users/Ann", {"policies": "annp", "groups": "extra"}),
        step("group of here", f"POST {AT}/groups/extra", {"policies": "extrap"}),
        set_(step, "policies for all", token_policies="tp", token_ttl="30m", token_max_ttl="1h"),
        login(step, "login with policies", "ann", "ann-word", save={"ann": "auth.client_token"}),
        set_(step, "batch", token_type="batch"),
        login(step, "login for a batch token", "ann", "ann-word"),
        set_(step, "usual tokens", token_type="default", token_policies="", token_ttl=0, token_max_ttl=0),
        set_(step, "bound", token_bound_cidrs="10.0.0.0/8"),
        login(step, "login from elsewhere", "ann", "ann-word"),
        login(step, "wrong password from elsewhere", "ann", "wrong"),
        set_(step, "not bound", token_bound_cidrs=""),
        step("root", f"POST {AT}/groups/extra", {"policies": "root"}),
        login(step, "login as root", "ann", "ann-word"),
        step("no root", f"POST {AT}/groups/extra", {"policies": "extrap"}),
        set_(step, "by case", case_sensitive_names=True),
        login(step, "login by case", "ann", "ann-word"),
        login(step, "login by other case", "Ann", "ann-word"),
        set_(step, "not by case", case_sensitive_names=False),
        set_(step, "one filter, two users", userfilter="(employeeType=twin)"),
        login(step, "one of two", "twin1", "twin-word"),
        set_(step, "filter by mail", userfilter="(|(uid={{.Username}})(mail={{.Username}}))"),
        login(step, "login by mail", "ann@example.org", "ann-word"),
        set_(step, "alias by mail", userattr="mail"),
        login(step, "login for another alias", "ann", "ann-word", save={"other": "auth.entity_id"}),
        step("entity by mail", "GET identity/entity/id/$other"),
        set_(step, "alias by name", username_as_alias=True),
        login(step, "login for an alias by name", "ANN", "ann-word", save={"third": "auth.entity_id"}),
        step("entity by name", "GET identity/entity/id/$third"),
        set_(step, "usual users", userattr="uid", userfilter="", username_as_alias=False),
        login(step, "empty filter", "ann", "ann-word"),
    ]


ODD = ["*", "a*", "ann)(uid=*", "an%5Cn", "ann,ou=people", "%C3%A4nn", "a/n", "%23ann", "a+b", "ann%3D", "a%22b", "ann%00"]


def renewals(step):
    renew = "POST auth/token/renew-self"
    return [
        set_(step, "short tokens", token_ttl=600),
        login(step, "login to renew", "ann", "ann-word", save={"ann": "auth.client_token"}),
        step("renew", renew, {}, token="$ann"),
        step("renew shorter", renew, {"increment": "2h"}, token="$ann"),
        step("other policies", f"POST {AT}/groups/extra", {"policies": "other"}),
        step("renew under other policies", renew, {}, token="$ann"),
        step("policies as before", f"POST {AT}/groups/extra", {"policies": "extrap"}),
        step("renew again", renew, {}, token="$ann"),
    ]


def ways(step):
    return [
        set_(step, "groups by member uid", groupfilter="(memberUid={{.Username}})"),
        step("posix group", f"POST {AT}/groups/posix", {"policies": "posixp"}),
        login(step, "login by member uid", "ann", "ann-word"),
        set_(step, "no group filter", groupfilter=""),
        login(step, "login without a group filter", "ann", "ann-word"),
        set_(step, "groups by the user's entry", groupfilter="(uid={{.Username}})", groupdn=PEOPLE, groupattr="memberOf"),
        login(step, "login by the user's entry", "ann", "ann-word"),
        *[step(f"group {name}", f"POST {AT}/groups/{urllib.parse.quote(name, safe='')}", {"policies": f"p{number}"}) for number, name in enumerate(GROUP_NAMES)],
        set_(step, "groups by odd names", groupattr="description"),
        login(step, "login by odd names", "bob", "bob-word"),
        set_(step, "groups by odd names as before 1.1.1", use_pre111_group_cn_behavior=True),
        login(step, "login by odd names as before 1.1.1", "bob", "bob-word"),
        set_(step, "groups by member", groupfilter="(member={{.UserDN}})", groupdn=GROUPS, groupattr="cn", use_pre111_group_cn_behavior=True),
        login(step, "login as before 1.1.1", "ann", "ann-word"),
        set_(step, "groups by nobody", use_pre111_group_cn_behavior=False, anonymous_group_search=True),
        login(step, "login with groups by nobody", "ann", "ann-word"),
        set_(step, "token groups", anonymous_group_search=False, use_token_groups=True),
        login(step, "login with token groups that there are none of", "bob", "bob-word"),
        set_(step, "no groups there", use_token_groups=False, groupdn="ou=nosuch,dc=example,dc=org"),
        login(step, "login with groups nowhere", "ann", "ann-word"),
        set_(step, "no groups asked for", groupdn=""),
        login(step, "login without groups", "ann", "ann-word"),
        set_(step, "pages", groupdn=GROUPS, max_page_size=1),
        login(step, "login with pages", "ann", "ann-word"),
        set_(step, "aliases", max_page_size=0, dereference_aliases="always"),
        login(step, "login with aliases", "ann", "ann-word"),
        set_(step, "no users there", userdn="ou=nosuch,dc=example,dc=org"),
        login(step, "login with users nowhere", "ann", "ann-word"),
        set_(step, "users there", userdn=PEOPLE, bindpass="wrong"),
        login(step, "login with a wrong account", "ann", "ann-word"),
        set_(step, "direct", binddn="", bindpass=""),
        login(step, "direct login", "ann", "ann-word", save={"ann": "auth.client_token"}),
        step("renew a direct login", "POST auth/token/renew-self", {}, token="$ann"),
        login(step, "direct login in capitals", "ANN", "ann-word"),
        login(step, "direct wrong password", "ann", "wrong"),
        login(step, "direct nobody", "nosuch", "ann-word"),
        login(step, "direct odd name", "ann,ou=people", "ann-word"),
        set_(step, "discover", discoverdn=True),
        login(step, "discovered login", "ann", "ann-word"),
        login(step, "discovered nobody", "nosuch", "ann-word"),
        set_(step, "domain", discoverdn=False, upndomain="example.org"),
        login(step, "login in a domain that this directory has not", "ann", "ann-word"),
        set_(step, "account again", upndomain="", binddn="cn=service,dc=example,dc=org", bindpass="service-word"),
        set_(step, "empty passwords", deny_null_bind=False),
        login(step, "login with an empty password", "ann", ""),
        set_(step, "no empty passwords", deny_null_bind=True),
    ]


def encrypted(step):
    return [
        set_(step, "another server for the same password", url="ldap://127.0.0.1:2"),
        set_(step, "dead server", url="ldap://127.0.0.1:1", bindpass="service-word"),
        login(step, "login at a dead server", "ann", "ann-word"),
        set_(step, "dead server first", url="ldap://127.0.0.1:1,ldap://127.0.0.1:$ldap_port", bindpass="service-word"),
        login(step, "login at the second", "ann", "ann-word"),
        set_(step, "encrypted", url="ldaps://127.0.0.1:$ldaps_port", bindpass="service-word"),
        login(step, "login with an unknown issuer", "ann", "ann-word"),
        set_(step, "issuer", certificate="$ldap_ca", bindpass="service-word"),
        login(step, "login encrypted", "ann", "ann-word"),
        set_(step, "stranger", certificate="$ldap_stranger", bindpass="service-word"),
        login(step, "login with a stranger's certificate", "ann", "ann-word"),
        set_(step, "insecure", insecure_tls=True, bindpass="service-word"),
        login(step, "login whatever the certificate", "ann", "ann-word"),
        set_(step, "encrypted later", insecure_tls=False, starttls=True, url="ldap://127.0.0.1:$ldap_port", bindpass="service-word"),
        login(step, "login encrypted later by a stranger", "ann", "ann-word"),
        set_(step, "issuer again", certificate="$ldap_ca", tls_max_version="tls13", bindpass="service-word"),
        login(step, "login encrypted later", "ann", "ann-word"),
    ]


def ends(step):
    return [
        step("disable", "DELETE sys/auth/ldap"),
        step("login after the end", f"POST {AT}/login/ann", {"password": "ann-word"}, token=""),
        *[step(f"clean {name}", f"DELETE identity/entity/id/${name}") for name in ("entity", "other", "third")],
    ]
