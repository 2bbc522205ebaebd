"""ACL policies, password policies and the capabilities calls."""

FINE = """
path "secret/data/app/*" { capabilities = ["create", "read", "update", "patch", "delete", "list"] }
path "secret/data/app/closed" { capabilities = ["deny"] }
path "secret/+/team" { capabilities = ["read"] }
path "secret/data/limited" {
  capabilities = ["create", "update"]
  allowed_parameters = { "data" = [] }
  denied_parameters = { "options" = [] }
  required_parameters = ["data"]
}
path "secret/metadata/*" { policy = "read" }
path "sys/policies/acl/*" { capabilities = ["read", "sudo"] min_wrapping_ttl = "1s" max_wrapping_ttl = "90s" }
"""


OWN = ("auth/token/lookup-self", "auth/token/renew-self", "auth/token/revoke-self", "sys/capabilities-self", "sys/leases/lookup", "sys/leases/renew", "sys/wrapping/*", "cubbyhole/*")
DEFAULT = "\n".join(f'path "{path}" {{ capabilities = ["create", "read", "update", "delete", "list"] }}' for path in OWN)


def steps(step):
    mine = "$mine"
    return [
        step("list", "LIST sys/policies/acl"),
        step("list get", "GET sys/policies/acl?list=true"),
        step("list old", "GET sys/policy"),
        step("list old LIST", "LIST sys/policy"),
        step("write", "POST sys/policies/acl/fine", {"policy": FINE}),
        step("read", "GET sys/policies/acl/fine"),
        step("read old", "GET sys/policy/fine"),
        step("read other case", "GET sys/policies/acl/FINE"),
        step("write old with rules", "PUT sys/policy/old", {"rules": "path \"a\" { capabilities = [\"read\"] }"}),
        step("write json", "PUT sys/policies/acl/json", {"policy": "{\"path\":{\"secret/*\":{\"capabilities\":[\"read\"]}}}"}),
        step("write base64", "PUT sys/policies/acl/b64", {"policy": "cGF0aCAiYSIgeyBjYXBhYmlsaXRpZXMgPSBbInJlYWQiXSB9"}),
        step("read base64", "GET sys/policies/acl/b64"),
        step("write empty", "PUT sys/policies/acl/empty", {"policy": ""}),
        step("write nothing", "PUT sys/policies/acl/empty", {}),
        step("write bad hcl", "PUT sys/policies/acl/bad", {"policy": "path \"a\" { capabilities = [\"read\" }"}),
        step("write bad capability", "PUT sys/policies/acl/bad", {"policy": "path \"a\" { capabilities = [\"fly\"] }"}),
        step("write unknown key", "PUT sys/policies/acl/bad", {"policy": "path \"a\" { colour = \"red\" }"}),
        step("write unknown top key", "PUT sys/policies/acl/bad", {"policy": "road \"a\" { capabilities = [\"read\"] }"}),
        step("write bad wrap bounds", "PUT sys/policies/acl/bad", {"policy": "path \"a\" { capabilities = [\"read\"] min_wrapping_ttl = \"9s\" max_wrapping_ttl = \"3s\" }"}),
        step("write plus star", "PUT sys/policies/acl/bad", {"policy": "path \"a/+*\" { capabilities = [\"read\"] }"}),
        step("write root", "PUT sys/policies/acl/root", {"policy": FINE}),
        step("delete root", "DELETE sys/policies/acl/root"),
        step("delete default", "DELETE sys/policies/acl/default"),
        step("read root", "GET sys/policies/acl/root"),
        step("read unknown", "GET sys/policies/acl/nosuch"),
        step("read unknown old", "GET sys/policy/nosuch"),
        step("delete unknown", "DELETE sys/policies/acl/nosuch"),
        step("token of the policy", "POST auth/token/create", {"policies": ["fine"], "ttl": "1h"}, save={"mine": "auth.client_token", "mineacc": "auth.accessor"}),
        step("capabilities", "POST sys/capabilities", {"token": "$mine", "paths": ["secret/data/app/x", "secret/data/app/closed", "nowhere"]}),
        step("capabilities one", "POST sys/capabilities", {"token": "$mine", "paths": "secret/data/app/x"}),
        step("capabilities path", "POST sys/capabilities", {"token": "$mine", "path": "secret/data/team"}),
        step("capabilities bogus token", "POST sys/capabilities", {"token": "bogus", "paths": ["a"]}),
        step("capabilities no token", "POST sys/capabilities", {"paths": ["a"]}),
        step("capabilities self", "POST sys/capabilities-self", {"paths": ["secret/data/limited", "sys/policies/acl/x", "secret/metadata/", "auth/token/lookup-self"]}, token=mine),
        step("capabilities self none", "POST sys/capabilities-self", {}, token=mine),
        step("capabilities root", "POST sys/capabilities-self", {"paths": ["a", "b"]}),
        step("capabilities accessor", "POST sys/capabilities-accessor", {"accessor": "$mineacc", "paths": ["secret/data/app/x"]}),
        step("capabilities accessor bogus", "POST sys/capabilities-accessor", {"accessor": "bogus", "paths": ["a"]}),
        step("allowed write", "POST secret/data/app/x", {"data": {"a": 1}}, token=mine),
        step("allowed read", "GET secret/data/app/x", token=mine),
        step("denied read", "GET secret/data/app/closed", token=mine),
        step("denied other", "GET secret/data/other", token=mine),
        step("plus read", "GET secret/data/team", token=mine),
        step("limited with option", "POST secret/data/limited", {"data": {}, "options": {"cas": 0}}, token=mine),
        step("limited with Option case", "POST secret/data/limited", {"data": {}, "OPTIONS": {"cas": 0}}, token=mine),
        step("limited without data", "POST secret/data/limited", {"x": 1}, token=mine),
        step("limited right", "POST secret/data/limited", {"data": {"k": "v"}}, token=mine),
        step("list metadata", "LIST secret/metadata/app", token=mine),
        step("delete not granted", "DELETE secret/metadata/app/x", token=mine),
        step("wrap bounds missing", "GET sys/policies/acl/fine", token=mine),
        step("wrap bounds held", "GET sys/policies/acl/fine", token=mine, headers={"X-Vault-Wrap-TTL": "60"}),
        step("wrap bounds exceeded", "GET sys/policies/acl/fine", token=mine, headers={"X-Vault-Wrap-TTL": "600"}),
        step("write default policy", "PUT sys/policies/acl/default", {"policy": "path \"auth/token/lookup-self\" { capabilities = [\"read\"] }"}),
        # Areas that follow renew and revoke tokens by it.
        step("default policy back", "PUT sys/policies/acl/default", {"policy": DEFAULT}),
        step("password policy write", "PUT sys/policies/password/short", {"policy": "length = 12\nrule \"charset\" { charset = \"abcdefgh\" }\nrule \"charset\" { charset = \"0123456789\" min-chars = 2 }"}),
        step("password policy read", "GET sys/policies/password/short"),
        step("password policy list", "LIST sys/policies/password"),
        step("password policy generate", "GET sys/policies/password/short/generate"),
        step("password policy too short", "PUT sys/policies/password/bad", {"policy": "length = 2\nrule \"charset\" { charset = \"ab\" }"}),
        step("password policy no rule", "PUT sys/policies/password/bad", {"policy": "length = 20"}),
        step("password policy broken", "PUT sys/policies/password/bad", {"policy": "length = "}),
        step("password policy impossible", "PUT sys/policies/password/bad", {"policy": "length = 8\nrule \"charset\" { charset = \"ab\" min-chars = 9 }"}),
        step("password policy unknown", "GET sys/policies/password/nosuch"),
        step("password policy generate unknown", "GET sys/policies/password/nosuch/generate"),
        step("password policy delete", "DELETE sys/policies/password/short"),
        step("password policy list empty", "LIST sys/policies/password"),
    ]
