"""Response wrapping."""


def steps(step):
    wrap = {"X-Vault-Wrap-TTL": "5m"}
    return [
        step("wrap", "POST sys/wrapping/wrap", {"a": "b"}, headers=wrap, save={"w": "wrap_info.token"}),
        step("wrap without ttl", "POST sys/wrapping/wrap", {"a": "b"}),
        step("lookup", "POST sys/wrapping/lookup", {"token": "$w"}),
        step("lookup no token", "POST sys/wrapping/lookup", {"token": "$w"}, token=""),
        step("lookup unknown", "POST sys/wrapping/lookup", {"token": "nosuch"}),
        step("lookup none", "POST sys/wrapping/lookup", {}),
        step("rewrap", "POST sys/wrapping/rewrap", {"token": "$w"}, save={"w2": "wrap_info.token"}),
        step("unwrap spent", "POST sys/wrapping/unwrap", {"token": "$w"}),
        step("unwrap", "POST sys/wrapping/unwrap", {"token": "$w2"}),
        step("unwrap again", "POST sys/wrapping/unwrap", {"token": "$w2"}),
        step("unwrap none", "POST sys/wrapping/unwrap", {}),
        step("unwrap own", "POST sys/wrapping/wrap", {"c": "d"}, headers=wrap, save={"w3": "wrap_info.token"}),
        step("unwrap with itself", "POST sys/wrapping/unwrap", token="$w3"),
        step("unwrap with itself again", "POST sys/wrapping/unwrap", token="$w3"),
        step("wrap read", "GET auth/token/lookup-self", headers=wrap, save={"w4": "wrap_info.token"}),
        step("unwrap read", "POST sys/wrapping/unwrap", {"token": "$w4"}),
        step("wrap missing", "GET secret/data/nosuch", headers=wrap),
        step("wrap no content", "PUT sys/policies/acl/w", {"policy": "path \"a\" { capabilities = [\"read\"] }"}, headers=wrap),
        step("wrap token create", "POST auth/token/create", {"policies": ["default"], "ttl": "5m"}, headers=wrap, save={"w5": "wrap_info.token", "wa": "wrap_info.wrapped_accessor"}),
        step("unwrap token create", "POST sys/wrapping/unwrap", {"token": "$w5"}),
        step("wrap list", "LIST sys/policies/acl", headers=wrap),
        step("wrap bad ttl", "GET auth/token/lookup-self", headers={"X-Vault-Wrap-TTL": "soon"}),
        step("wrap negative ttl", "GET auth/token/lookup-self", headers={"X-Vault-Wrap-TTL": "-5"}),
        step("wrap zero ttl", "GET auth/token/lookup-self", headers={"X-Vault-Wrap-TTL": "0"}),
        step("wrap jwt", "GET auth/token/lookup-self", headers={"X-Vault-Wrap-TTL": "5m", "X-Vault-Wrap-Format": "jwt"}),
        step("wrap health", "GET sys/health", headers=wrap),
        step("random", "POST sys/tools/random/16", {"format": "hex"}),
        step("hash", "POST sys/tools/hash", {"input": "aGVsbG8="}),
    ]
