//! Answers as a server of this API gives them.

use crate::harness::Answer;

const MOUNT_2: &str =
    r#"{"request_id":"r","data":{"path":"secret/","type":"kv","options":{"version":"2"}}}"#;
const MOUNT_1: &str = r#"{"request_id":"r","data":{"path":"old/","type":"kv","options":null}}"#;
const VERSION_3: &str = r#"{"request_id":"r1","lease_id":"","renewable":false,"lease_duration":0,"data":{"created_time":"2026-01-02T03:04:05.6Z","custom_metadata":null,"deletion_time":"","destroyed":false,"version":3},"warnings":null}"#;
const APP: &str = r#"{"request_id":"r1","lease_id":"","renewable":false,"lease_duration":0,"data":{"data":{"password":"p: #w","list":[1,{"a":null}],"n":1.50,"empty":"","pem":"-----BEGIN\nxyz\n"},"metadata":{"created_time":"2026-01-02T03:04:05.6Z","custom_metadata":{"team":"a","owner":"b"},"deletion_time":"","destroyed":false,"version":3}},"warnings":null,"mount_type":"kv"}"#;
const METADATA: &str = r#"{"request_id":"r1","data":{"cas_required":false,"current_version":2,"max_versions":0,"delete_version_after":"0s","versions":{"1":{"created_time":"t1","deletion_time":"","destroyed":false},"2":{"created_time":"t2","deletion_time":"t3","destroyed":true}}}}"#;

/// A key-value store with versions at `secret/` and one without at `old/`.
pub const KEY_VALUE: &[Answer] = &[
    ("GET /v1/sys/internal/ui/mounts/secret/app", 200, MOUNT_2),
    (
        "GET /v1/sys/internal/ui/mounts/secret/deleted",
        200,
        MOUNT_2,
    ),
    ("GET /v1/sys/internal/ui/mounts/secret/none", 200, MOUNT_2),
    ("GET /v1/sys/internal/ui/mounts/secret/stale", 200, MOUNT_2),
    ("GET /v1/sys/internal/ui/mounts/secret/", 200, MOUNT_2),
    ("GET /v1/sys/internal/ui/mounts/secret", 200, MOUNT_2),
    ("GET /v1/sys/internal/ui/mounts/old/app", 200, MOUNT_1),
    ("GET /v1/secret/data/app", 200, APP),
    ("GET /v1/secret/data/app?version=1", 200, APP),
    ("GET /v1/secret/metadata/app", 200, METADATA),
    (
        "GET /v1/secret/data/deleted",
        404,
        r#"{"request_id":"r1","data":{"data":null,"metadata":{"deletion_time":"2026-01-02T03:04:05Z","destroyed":false,"version":1}}}"#,
    ),
    (
        "GET /v1/old/app",
        200,
        r#"{"request_id":"r1","lease_duration":2764800,"data":{"a":"1"}}"#,
    ),
    (
        "GET /v1/secret/metadata?list=true",
        200,
        r#"{"request_id":"r1","data":{"keys":["app","team/"]}}"#,
    ),
    ("PUT /v1/secret/data/app", 200, VERSION_3),
    ("PUT /v1/old/app", 204, ""),
    (
        "PUT /v1/secret/data/stale",
        400,
        r#"{"errors":["check-and-set parameter did not match the current version"]}"#,
    ),
    ("DELETE /v1/secret/data/app", 204, ""),
    ("PUT /v1/secret/destroy/app", 204, ""),
];

/// A server that has one of two unseal keys.
pub const SEALED: &[Answer] = &[
    ("GET /v1/sys/seal-status", 200, SEAL_1_OF_2),
    ("PUT /v1/sys/unseal", 200, SEAL_1_OF_2),
    (
        "GET /v1/sys/leader",
        503,
        r#"{"errors":["Vault is sealed"]}"#,
    ),
    ("GET /v1/secret/x", 503, r#"{"errors":["Vault is sealed"]}"#),
];

const SEAL_1_OF_2: &str = r#"{"type":"shamir","initialized":true,"sealed":true,"t":2,"n":3,"progress":1,"nonce":"d9a2","version":"1.21.0+coffer.0.1.0","build_date":"","migration":false,"recovery_seal":false,"storage_type":"file"}"#;

/// An unsealed server that can lead others.
pub const UNSEALED: &[Answer] = &[
    (
        "GET /v1/sys/seal-status",
        200,
        r#"{"type":"shamir","initialized":true,"sealed":false,"t":2,"n":3,"progress":0,"nonce":"","version":"1.21.0+coffer.0.1.0","build_date":"2026-01-01T00:00:00Z","migration":false,"cluster_name":"c","cluster_id":"i","recovery_seal":false,"storage_type":"raft"}"#,
    ),
    (
        "GET /v1/sys/leader",
        200,
        r#"{"ha_enabled":true,"is_self":true,"active_time":"2026-01-02T00:00:00Z","leader_address":"http://a","leader_cluster_address":"https://b","raft_committed_index":29,"raft_applied_index":28}"#,
    ),
    ("GET /v1/sys/init", 200, r#"{"initialized":true}"#),
];

const LOGIN: &str = r#"{"request_id":"r1","lease_id":"","renewable":false,"lease_duration":0,"data":null,"wrap_info":null,"warnings":null,"auth":{"client_token":"hvs.new","accessor":"acc","policies":["app","default"],"token_policies":["app","default"],"metadata":{"username":"joe"},"lease_duration":3600,"renewable":true,"entity_id":"e","token_type":"service","orphan":true,"mfa_requirement":null,"num_uses":0}}"#;

/// Credentials, tokens, wrapped answers.
pub const ISSUED: &[Answer] = &[
    (
        "GET /v1/database/creds/app",
        200,
        r#"{"request_id":"r1","lease_id":"database/creds/app/L","renewable":true,"lease_duration":120,"data":{"username":"v-root-app","password":"A-b"},"warnings":["TTL of \"1h\" is larger than 2m"]}"#,
    ),
    ("POST /v1/auth/token/create", 200, LOGIN),
    ("PUT /v1/auth/userpass/login/joe", 200, LOGIN),
    (
        "GET /v1/auth/token/lookup-self",
        200,
        r#"{"request_id":"r1","data":{"accessor":"acc","creation_ttl":0,"expire_time":null,"id":"hvs.test","meta":null,"num_uses":0,"orphan":true,"policies":["root"],"renewable":false,"ttl":3598,"type":"service","entity_id":"","period":60}}"#,
    ),
    (
        "PUT /v1/sys/wrapping/wrap",
        200,
        r#"{"request_id":"","lease_id":"","data":null,"wrap_info":{"token":"hvs.wrap","accessor":"acc","ttl":300,"creation_time":"2026-01-02T03:04:05.6Z","creation_path":"sys/wrapping/wrap"},"warnings":null,"auth":null}"#,
    ),
    (
        "GET /v1/auth/userpass/users?list=true",
        200,
        r#"{"request_id":"r1","data":{"keys":["joe"]}}"#,
    ),
    (
        "GET /v1/sys/mounts",
        200,
        r#"{"request_id":"r1","data":{"secret/":{"type":"kv","accessor":"kv_1","description":"","options":{"version":"2"},"config":{"default_lease_ttl":0,"max_lease_ttl":0,"force_no_cache":false}},"sys/":{"type":"system","accessor":"system_1","description":"the server itself","options":null,"config":{"default_lease_ttl":0,"max_lease_ttl":0,"force_no_cache":false}}}}"#,
    ),
    ("GET /v1/sys/audit", 200, r#"{"request_id":"r1","data":{}}"#),
    (
        "DELETE /v1/nomount/x",
        404,
        r#"{"errors":["no handler for route \"nomount/x\". route entry not found."]}"#,
    ),
];
