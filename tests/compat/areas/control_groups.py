"""Control groups: a request that others must authorize first."""

ANY_ORDER = True
POLICY = """
path "secret/data/controlled" {
  capabilities = ["read"]
  control_group = {
    ttl = "1h"
    factor "ops" {
      controlled_capabilities = ["read"]
      identity { group_names = ["approvers"] approvals = 1 }
    }
  }
}
path "sys/control-group/request" { capabilities = ["update"] }
"""
APPROVER = 'path "sys/control-group/*" { capabilities = ["create", "update"] }'


def steps(step):
    asker, approver = "$asker", "$approver"
    return [
        step("without factor", "PUT sys/policies/acl/controlled", {"policy": 'path "a" { capabilities = ["read"] control_group = { } }'}),
        step("without capabilities", "PUT sys/policies/acl/controlled", {"policy": 'path "a" { capabilities = ["read"] control_group = { factor "f" { identity { group_names = ["g"] approvals = 1 } } } }'}),
        step("policy", "PUT sys/policies/acl/controlled", {"policy": POLICY}),
        step("approver's policy", "PUT sys/policies/acl/approver", {"policy": APPROVER}),
        step("secret", "POST secret/data/controlled", {"data": {"a": "b"}}),
        step("auth mounts", "GET sys/auth", save={"tokens": "data.token/.accessor"}),
        step("entity", "POST identity/entity", {"name": "approver"}, save={"who": "data.id"}),
        step("alias", "POST identity/entity-alias", {"name": "approver-alias", "canonical_id": "$who", "mount_accessor": "$tokens"}),
        step("group", "POST identity/group", {"name": "approvers", "member_entity_ids": ["$who"]}, save={"g": "data.id"}),
        step("asker", "POST identity/entity", {"name": "asker"}, save={"who2": "data.id"}),
        step("asker's alias", "POST identity/entity-alias", {"name": "asker-alias", "canonical_id": "$who2", "mount_accessor": "$tokens"}),
        step("token role", "POST auth/token/roles/people", {"allowed_entity_aliases": ["approver-alias", "asker-alias"]}),
        step("approver's token", "POST auth/token/create/people", {"entity_alias": "approver-alias", "policies": ["approver"], "ttl": "5m"}, save={"approver": "auth.client_token"}),
        step("asker's token", "POST auth/token/create/people", {"entity_alias": "asker-alias", "policies": ["controlled"], "ttl": "5m"}, save={"asker": "auth.client_token"}),
        step("ask", "GET secret/data/controlled", token=asker, save={"wrapped": "wrap_info.token", "accessor": "wrap_info.accessor"}),
        step("unwrap too early", "POST sys/wrapping/unwrap", {"token": "$wrapped"}, token=asker),
        step("state", "POST sys/control-group/request", {"accessor": "$accessor"}, token=asker),
        step("authorize by nobody", "POST sys/control-group/authorize", {"accessor": "$accessor"}, token="$powerless"),
        step("authorize by root", "POST sys/control-group/authorize", {"accessor": "$accessor"}),
        step("authorize", "POST sys/control-group/authorize", {"accessor": "$accessor"}, token=approver),
        step("authorize again", "POST sys/control-group/authorize", {"accessor": "$accessor"}, token=approver),
        step("state authorized", "POST sys/control-group/request", {"accessor": "$accessor"}, token=approver),
        step("unwrap", "POST sys/wrapping/unwrap", {"token": "$wrapped"}, token=asker),
        step("request of an unknown accessor", "POST sys/control-group/request", {"accessor": "nosuch"}),
        step("authorize an unknown accessor", "POST sys/control-group/authorize", {"accessor": "nosuch"}),
        step("clean policy", "DELETE sys/policies/acl/controlled"),
        step("clean approver", "DELETE sys/policies/acl/approver"),
        step("clean role", "DELETE auth/token/roles/people"),
        step("clean group", "DELETE identity/group/id/$g"),
        step("clean entities", "POST identity/entity/batch-delete", {"entity_ids": ["$who", "$who2"]}),
    ]
