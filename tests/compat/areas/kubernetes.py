"""Pods, by the tokens of their service accounts: where the cluster is, roles, logins. Both servers ask the same API server."""
import atexit
import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", ".."))

AT = "auth/kubernetes"
CONFIG, ROLE, LOGIN = f"{AT}/config", f"{AT}/role/web", f"{AT}/login"
UID = "11111111-2222-3333-4444-555555555555"


def known(name):
    with open(os.path.join(HERE, "..", "..", "..", "crates", "crypto", "testdata", name), encoding="utf-8") as file:
        return file.read()


CA, KEY = known("p256-certificate.pem"), known("p256-public.pem")


def steps(step):
    from token_review import Cluster
    cluster = Cluster(with_tls=False)
    atexit.register(cluster.close)
    cluster.namespaces = {"shop": {"team": "red", "n": "5"}}
    return [*config(step, cluster), *roles(step), *bindings(step, cluster), *logins(step, cluster), *answers(step, cluster), *renewals(step, cluster), *keys(step, cluster)]


def config(step, cluster):
    fine = {"kubernetes_host": cluster.host, "kubernetes_ca_cert": CA}
    elsewhere = [("host", {"kubernetes_host": "h"}), ("no local certificates", {"kubernetes_host": "h", "disable_local_ca_jwt": True})]
    wrong = [("disable_iss_validation", "x"), ("disable_local_ca_jwt", "perhaps"), ("pem_keys", 5), ("pem_keys", ["x"]), ("pem_keys", {"a": 1}), ("issuer", 5), ("issuer", ["x"]),
             ("kubernetes_ca_cert", "nonsense"), ("kubernetes_host", ["h"]), ("nosuch", 1), ("token_reviewer_jwt", 5), ("token_reviewer_jwt", {"a": 1}), ("pem_keys", ""), ("pem_keys", [])]
    hosts = ["ftp://h", "://", "https://u:p@h", "https://h?x=1", "a b", "h:1", "https://h/", "https://h/base", ""]
    return [
        step("config none", f"GET {CONFIG}"),
        step("config empty", f"POST {CONFIG}", {}),
        *[step(f"config {name}", f"POST {CONFIG}", body) for name, body in elsewhere],
        step("config", f"POST {CONFIG}", fine),
        step("config read", f"GET {CONFIG}"),
        step("config all", f"POST {CONFIG}", {**fine, "token_reviewer_jwt": "reviewer", "pem_keys": [KEY, CA], "issuer": "me", "disable_iss_validation": False, "disable_local_ca_jwt": True}),
        step("config read all", f"GET {CONFIG}"),
        step("config again", f"POST {CONFIG}", fine),
        step("config read again", f"GET {CONFIG}"),
        *[step(f"config {field} {str(value):.20}", f"POST {CONFIG}", {**fine, field: value}) for field, value in wrong],
        *[step(f"config host {host}", f"POST {CONFIG}", {**fine, "kubernetes_host": host}) for host in hosts],
        step("config delete", f"DELETE {CONFIG}"),
        step("config list", f"LIST {CONFIG}"),
        step("config without token", f"GET {CONFIG}", token=""),
        step("config without rights", f"POST {CONFIG}", fine, token="$powerless"),
        step("config in the end", f"POST {CONFIG}", fine),
    ]


NAMED = {"bound_service_account_names": "app", "bound_service_account_namespaces": "shop"}
WRONG = [("token_type", "nonsense"), ("token_type", "default-batch"), ("token_type", "batch"), ("token_bound_cidrs", "nonsense"), ("token_ttl", "nonsense"), ("token_ttl", "-1"), ("token_ttl", "100h"),
         ("token_max_ttl", "9999h"), ("max_ttl", "9999h"), ("ttl", "-1"), ("period", "x"), ("num_uses", -1), ("token_num_uses", -1), ("token_explicit_max_ttl", -1), ("token_period", "x"),
         ("token_no_default_policy", "perhaps"), ("token_policies", {"a": 1}), ("nosuch", 1), ("bound_service_account_names", {"a": 1}), ("bound_service_account_namespaces", {"a": 1}), ("audience", ["x"]), ("audience", 5),
         ("alias_name_source", "serviceaccount_name"), ("alias_name_source", "x"), ("alias_name_source", ""), ("alias_name_source", 5), ("bound_service_account_names", "*,a"), ("bound_service_account_namespaces", "*,n"),
         ("bound_service_account_names", ""), ("bound_service_account_namespaces", ""), ("bound_service_account_names", []), ("bound_service_account_names", " , a,a,")]
SELECTORS = ['{"matchLabels":{"a":"b"', "x", '{"a":1}', "{}", "[]", "null", "5", '"x"', "matchLabels:\n  a: b\n", '{"matchLabels":{"a":1}}', '{"matchLabels":{"a b":"x"}}', '{"matchLabels":{"a":"x y"}}', '{"MATCHLABELS":{"a":"b"}}',
             '{"matchLabels":{"a":"b"},"extra":1}', '{"matchExpressions":[{"key":"a","operator":"In","values":["x"]}]}', '{"matchExpressions":[{"key":"a","operator":"Foo"}]}', '{"matchExpressions":[{}]}', '{"matchExpressions":null}', ""]


def roles(step):
    return [
        step("roles none", f"LIST {AT}/role"),
        step("role unknown", f"GET {ROLE}"),
        step("role empty", f"POST {ROLE}", {}),
        step("role without namespaces", f"POST {ROLE}", {"bound_service_account_names": "a"}),
        step("role without names", f"POST {ROLE}", {"bound_service_account_namespaces": "a"}),
        step("role", f"POST {ROLE}", {"bound_service_account_names": "a,b", "bound_service_account_namespaces": ["n", "m"]}),
        step("role read", f"GET {ROLE}"),
        step("role read in capitals", f"GET {AT}/role/WEB"),
        step("role of stars", f"POST {AT}/role/stars", {"bound_service_account_names": "*", "bound_service_account_namespaces": "*"}),
        step("role of stars read", f"GET {AT}/role/stars"),
        step("roles list", f"LIST {AT}/role"),
        step("roles page", f"GET {AT}/role?list=true&limit=1&after=stars"),
        step("role in part", f"POST {ROLE}", {"audience": "aud", "alias_name_source": "serviceaccount_name"}),
        step("role read in part", f"GET {ROLE}"),
        step("role old names", f"POST {ROLE}", {"policies": "x,Y", "ttl": "1m", "max_ttl": "2m", "num_uses": 3, "bound_cidrs": "127.0.0.1/32", "period": 5}),
        step("role read old names", f"GET {ROLE}"),
        step("role new names", f"POST {ROLE}", {"token_policies": "z", "token_ttl": 60, "token_max_ttl": 120, "token_explicit_max_ttl": 90, "token_no_default_policy": True, "token_num_uses": 9, "token_period": 0,
                                               "token_type": "service", "token_bound_cidrs": ["127.0.0.1", "10.0.0.0/8"]}),
        step("role read new names", f"GET {ROLE}"),
        *[request for number, (field, value) in enumerate(WRONG) for request in [
            step(f"role field {field} {value!r}", f"POST {AT}/role/f{number}", {**NAMED, field: value}), step(f"role read field {field} {value!r}", f"GET {AT}/role/f{number}"),
            step(f"role clean field {field} {value!r}", f"DELETE {AT}/role/f{number}")]],
        *[step(f"role selector {selector!r}", f"POST {AT}/role/selected", {"bound_service_account_names": "a", "bound_service_account_namespace_selector": selector}) for selector in SELECTORS],
        step("role selector", f"POST {AT}/role/selected", {"bound_service_account_names": "a", "bound_service_account_namespace_selector": '{"matchLabels":{"a":"b"}}'}),
        step("role read selector", f"GET {AT}/role/selected"),
        step("role selector of an object", f"POST {AT}/role/selected", {"bound_service_account_namespace_selector": {"matchLabels": {"a": "b"}}}),
        *[step(f"role name {name}", f"POST {AT}/role/{name}", NAMED) for name in ["a%20b", "-ab", "ab-", "a.b", "a_b"]],
        step("role delete", f"DELETE {ROLE}"),
        step("role delete again", f"DELETE {ROLE}"),
        step("role without token", f"GET {AT}/role/stars", token=""),
        step("role without rights", f"GET {AT}/role/stars", token="$powerless"),
        *[step(f"role clean {name}", f"DELETE {AT}/role/{name}") for name in ["stars", "selected", "a.b", "a_b"]],
    ]


def login(step, name, role, token, **more):
    return step(f"login {name}", f"POST {LOGIN}", {"role": role, "jwt": token}, token="", **more)


def bindings(step, cluster):
    """Which names and namespaces a role is for."""
    named = [("app*", "shop"), ("*pp", "shop"), ("a*p*p", "shop"), ("a?p", "shop"), ("APP", "shop"), ("app", "SHOP"), ("app", "sh*"), ("x,app", "q,shop"), ("[a]pp", "shop"), ("**", "**"), ("a*z", "*")]
    requests = []
    for names, namespaces in named:
        requests += [step(f"bind {names} in {namespaces}", f"POST {AT}/role/bind", {"bound_service_account_names": names, "bound_service_account_namespaces": namespaces}),
                     login(step, f"bound to {names} in {namespaces}", "bind", cluster.token(), shape_only=True)]
    requests.append(step("reviewer", f"POST {CONFIG}", {"kubernetes_host": cluster.host, "kubernetes_ca_cert": CA, "token_reviewer_jwt": "reviewer"}))
    for selector in ['{"matchLabels":{"team":"red"}}', '{"matchLabels":{"team":"blue"}}', "matchLabels:\n  team: red\n  n: \"5\"\n", "{}"]:
        requests += [step(f"bind {selector}", f"POST {AT}/role/bind", {"bound_service_account_names": "app", "bound_service_account_namespaces": "", "bound_service_account_namespace_selector": selector}),
                     login(step, f"bound to {selector}", "bind", cluster.token(), shape_only=True)]
    return [*requests, login(step, "from a namespace that is not there", "bind", cluster.token("app", "nosuch")), login(step, "from a namespace of odd letters", "bind", cluster.token("app", "../x?y#z")),
            step("bind clean", f"DELETE {AT}/role/bind"), step("no reviewer", f"POST {CONFIG}", {"kubernetes_host": cluster.host, "kubernetes_ca_cert": CA})]


def logins(step, cluster):
    now, claims = int(time.time()), cluster.claims()
    without = lambda name: cluster.sign({key: value for key, value in claims.items() if key != name})  # noqa: E731
    wrong = [("garbage", "x.y.z"), ("a word", "nonsense"), ("unsigned", "eyJhbGciOiJub25lIn0.e30."), ("of another key", cluster.token(key=other_key())), ("expired", cluster.token(lives_s=-3600)),
             ("just expired", cluster.token(lives_s=-62)), ("not yet valid", cluster.token(nbf=now + 1000)), ("of the future", cluster.token(iat=now + 1000)), ("of another account", cluster.token("other")),
             ("of another namespace", cluster.token("app", "other")), ("of a person", cluster.sign({**claims, "sub": "alice"})), ("without claims", without("kubernetes.io")), ("without subject", without("sub")),
             ("with another subject", cluster.sign({**claims, "sub": "system:serviceaccount:shop:root"})), ("without issuer", without("iss")), ("without audience", without("aud")), ("without end", without("exp")),
             ("with an end in words", cluster.sign_raw({**claims, "exp": "soon"})), ("with one audience", cluster.sign({**claims, "aud": "https://kubernetes.default.svc.cluster.local"})), ("kept in a secret", cluster.old_token()),
             ("without uid", cluster.token(uid="")), ("of a name with a colon", cluster.token("app:x"))]
    return [
        step("web", f"POST {ROLE}", {**NAMED, "token_policies": "p", "token_ttl": "1h"}),
        login(step, "", "web", cluster.token(), save={"pod": "auth.client_token", "entity": "auth.entity_id"}),
        step("who am i", "GET auth/token/lookup-self", token="$pod"),
        step("entity", "GET identity/entity/id/$entity"),
        login(step, "in capitals", "WEB", cluster.token()),
        login(step, "without a role", "", cluster.token()),
        login(step, "without a token", "web", ""),
        step("login with nothing", f"POST {LOGIN}", {}, token=""),
        step("login with a number", f"POST {LOGIN}", {"role": "web", "jwt": 5}, token=""),
        step("login by reading", f"GET {LOGIN}", token=""),
        *[login(step, f"by the role {role}", role, cluster.token()) for role in ["nosuch", "../web", "a b", "web/"]],
        *[login(step, f"with a token {name}", "web", token, shape_only=True) for name, token in wrong],
        step("audience", f"POST {ROLE}", {"audience": "vault"}),
        *[login(step, f"for {audience}", "web", cluster.token(audience=audience), shape_only=True) for audience in [["vault"], ["x", "vault"], ["Vault"], []]],
        step("no audience", f"POST {ROLE}", {"audience": ""}),
        step("by name", f"POST {ROLE}", {"alias_name_source": "serviceaccount_name"}),
        login(step, "by name", "web", cluster.token(), save={"entity": "auth.entity_id"}),
        step("entity by name", "GET identity/entity/id/$entity"),
        step("bound elsewhere", f"POST {ROLE}", {"token_bound_cidrs": "10.0.0.0/8"}),
        login(step, "from elsewhere", "web", cluster.token()),
        step("bound nowhere", f"POST {ROLE}", {"token_bound_cidrs": "", "token_type": "batch"}),
        login(step, "for a batch token", "web", cluster.token()),
        step("service", f"POST {ROLE}", {"token_type": "default"}),
    ]


def other_key():
    from cryptography.hazmat.primitives.asymmetric import rsa
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def answers(step, cluster):
    """What an API server may say of a token that is in order."""
    user = {"username": "system:serviceaccount:shop:app", "uid": UID, "groups": ["system:serviceaccounts"]}
    fine = {"authenticated": True, "audiences": ["https://kubernetes.default.svc.cluster.local"], "user": user}
    changed = {"nothing": {}, "no": {"authenticated": False}, "an error": {"error": "boom"}, "no audience": {"audiences": []}, "other audiences": {"audiences": ["x"]}, "no user": {"user": {}},
               **{f"the name {name}": {"user": {**user, "username": name}} for name in ["system:serviceaccount:shop:root", "system:serviceaccount:kube:app", "alice", "system:node:shop:app", "system:serviceaccount:shop:app:x"]},
               "another uid": {"user": {**user, "uid": "x"}}, "no groups": {"user": {**user, "groups": []}}}
    tokens = {cluster.token(n=number): {**fine, **change} for number, change in enumerate(changed.values())}
    cluster.answers = tokens.get
    return [login(step, f"and the answer changes {name}", "web", token, shape_only=True) for name, token in zip(changed, tokens)]


def renewals(step, cluster):
    renew = lambda name: step(f"renew {name}", "POST auth/token/renew-self", {}, token="$pod")  # noqa: E731
    return [
        login(step, "to renew", "web", cluster.token(), save={"pod": "auth.client_token"}),
        renew(""),
        step("shorter", f"POST {ROLE}", {"token_ttl": 300, "token_policies": "q"}),
        renew("shorter"),
        step("for others", f"POST {ROLE}", {"bound_service_account_names": "other"}),
        renew("as another"),
        step("for it again", f"POST {ROLE}", {"bound_service_account_names": "app", "audience": "other"}),
        renew("for another audience"),
        step("without a role", f"DELETE {ROLE}"),
        renew("without a role"),
    ]


def keys(step, cluster):
    fine = {"kubernetes_host": cluster.host, "kubernetes_ca_cert": CA}
    return [
        step("web again", f"POST {ROLE}", NAMED),
        step("keys", f"POST {CONFIG}", {**fine, "pem_keys": [cluster.public_key]}),
        login(step, "with keys", "web", cluster.token(), shape_only=True),
        login(step, "with keys of others", "web", cluster.token(key=other_key())),
        step("issuer", f"POST {CONFIG}", {**fine, "issuer": "me", "disable_iss_validation": False}),
        login(step, "of another issuer", "web", cluster.token()),
        step("issuer not looked at", f"POST {CONFIG}", {**fine, "issuer": "me"}),
        login(step, "of any issuer", "web", cluster.token(), shape_only=True),
        step("nobody there", f"POST {CONFIG}", {**fine, "kubernetes_host": "http://127.0.0.1:1"}),
        login(step, "with nobody there", "web", cluster.token()),
        step("clean", f"DELETE {ROLE}"),
    ]
