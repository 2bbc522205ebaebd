//! The policies that are there from the start.

/// Name of the policy that may do everything. It has no text and is never stored.
pub const ROOT: &str = "root";

/// Name of the policy that every token has unless its creator says otherwise.
pub const DEFAULT: &str = "default";

/// Name of the policy of a wrapping token. Not listed, never stored.
pub const RESPONSE_WRAPPING: &str = "response-wrapping";

/// What `default` grants until an operator writes another.
pub const DEFAULT_TEXT: &str = r#"# The rights of every token over itself. Change them with `policy write default`.

# What am I, how long do I live, and the end of it.
path "auth/token/lookup-self" { capabilities = ["read"] }
path "auth/token/renew-self"  { capabilities = ["update"] }
path "auth/token/revoke-self" { capabilities = ["update"] }

# What may I do.
path "sys/capabilities-self"         { capabilities = ["update"] }
path "sys/policies/explain"          { capabilities = ["update"] }
path "sys/internal/ui/resultant-acl" { capabilities = ["read"] }

# The entity that I act for.
path "identity/entity/id/{{identity.entity.id}}"     { capabilities = ["read"] }
path "identity/entity/name/{{identity.entity.name}}" { capabilities = ["read"] }

# Leases whose id I hold: knowing the id is the right to keep it alive.
path "sys/leases/lookup" { capabilities = ["update"] }
path "sys/leases/renew"  { capabilities = ["update"] }

# A store that nobody but me can see.
path "cubbyhole/*" { capabilities = ["create", "read", "update", "delete", "list"] }

# Handing values over inside single-use tokens.
path "sys/wrapping/wrap"   { capabilities = ["update"] }
path "sys/wrapping/lookup" { capabilities = ["update"] }
path "sys/wrapping/unwrap" { capabilities = ["update"] }

# Digests of what I send.
path "sys/tools/hash"   { capabilities = ["update"] }
path "sys/tools/hash/*" { capabilities = ["update"] }

# Signing in to applications that use this server as their OpenID provider.
path "identity/oidc/provider/+/authorize" { capabilities = ["read", "update"] }
"#;

/// What a wrapping token may do: give out its content once, and end itself.
pub const RESPONSE_WRAPPING_TEXT: &str = r#"path "cubbyhole/response"     { capabilities = ["create", "read"] }
path "sys/wrapping/unwrap"    { capabilities = ["update"] }
path "auth/token/revoke-self" { capabilities = ["update"] }
"#;

/// The text of a policy that exists without being stored.
pub fn text(name: &str) -> Option<&'static str> {
    match name {
        ROOT => Some(""),
        DEFAULT => Some(DEFAULT_TEXT),
        RESPONSE_WRAPPING => Some(RESPONSE_WRAPPING_TEXT),
        _ => None,
    }
}

/// Its version until somebody writes another: the text of this server counts as the first.
pub fn version(name: &str) -> u64 {
    u64::from(matches!(name, DEFAULT | RESPONSE_WRAPPING))
}

/// Whether nobody may write a policy of that name.
pub fn is_fixed(name: &str) -> bool {
    matches!(name, ROOT | RESPONSE_WRAPPING)
}
