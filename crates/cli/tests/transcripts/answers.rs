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

const TEAM: &str = r#"{"request_id":"r1","data":{"custom_metadata":{"owner":"ann"},"id":"x89DoS","locked":false,"path":"team/","tainted":false,"uuid":"b7ef2c4c"}}"#;
const SHARES: &str = r#"{"request_id":"r1","data":{"custom_metadata":{},"id":"ICClP6","key_shares":["aa01","bb02"],"key_threshold":2,"locked":false,"path":"vault/","tainted":false,"uuid":"a6c80f61"}}"#;
const SEALED_1_OF_2: &str = r#"{"type":"shamir","initialized":true,"sealed":true,"t":2,"n":2,"progress":1,"nonce":"7d02","version":"","build_date":""}"#;
const BELOW: &str = r#"{"request_id":"r1","data":{"keys":["team/","ops/"],"key_info":{"team/":{"custom_metadata":{"owner":"ann"},"id":"x89DoS","locked":false,"path":"team/","tainted":false,"uuid":"b7ef2c4c"},"ops/":{"custom_metadata":{},"id":"K9mgme","locked":true,"path":"ops/","tainted":false,"uuid":"d960797f"}}}}"#;

/// A server with the namespaces `team/`, `ops/`, and `vault/` with a seal of its own.
pub const NAMESPACES: &[Answer] = &[
    ("PUT /v1/sys/namespaces/team", 200, TEAM),
    ("PUT /v1/sys/namespaces/vault", 200, SHARES),
    ("PUT /v1/sys/namespaces/unsealable", 200, TEAM),
    (
        "GET /v1/sys/namespaces/unsealable/seal-status",
        400,
        r#"{"errors":["namespace is not sealable"]}"#,
    ),
    ("GET /v1/sys/namespaces/team", 200, TEAM),
    ("PATCH /v1/sys/namespaces/team", 200, TEAM),
    ("GET /v1/sys/namespaces?list=true", 200, BELOW),
    (
        "GET /v1/sys/namespaces?scan=true",
        200,
        r#"{"request_id":"r1","data":{}}"#,
    ),
    (
        "PUT /v1/sys/namespaces/api-lock/lock/team/app",
        200,
        r#"{"request_id":"r1","data":{"unlock_key":"6rcuSABa"}}"#,
    ),
    ("PUT /v1/sys/namespaces/api-lock/unlock", 204, ""),
    ("PUT /v1/sys/namespaces/vault/seal", 204, ""),
    (
        "GET /v1/sys/namespaces/vault/seal-status",
        200,
        SEALED_1_OF_2,
    ),
    ("PUT /v1/sys/namespaces/vault/unseal", 200, SEALED_1_OF_2),
    ("DELETE /v1/sys/namespaces/team", 204, ""),
    (
        "DELETE /v1/sys/namespaces/vault/delete-sealed?force=true",
        204,
        "",
    ),
];

/// What a server tells of itself.
pub const SYSTEM: &[Answer] = &[
    (
        "GET /v1/sys/version-history?list=true",
        200,
        r#"{"request_id":"r1","data":{"keys":["1.0.0","1.1.0"],"key_info":{"1.0.0":{"commit_date":null,"previous_version":null,"timestamp_installed":"2026-01-02T03:04:05Z"},"1.1.0":{"commit_date":"2026-02-01T00:00:00Z","previous_version":"1.0.0","timestamp_installed":"2026-02-02T03:04:05Z"}}}}"#,
    ),
    (
        "GET /v1/sys/plugins/catalog",
        200,
        r#"{"request_id":"r1","data":{"auth":["userpass"],"secret":["kv"],"detailed":[{"builtin":true,"deprecation_status":"supported","name":"userpass","type":"auth","version":"v1"},{"builtin":true,"deprecation_status":"supported","name":"kv","type":"secret","version":"v1"}]}}"#,
    ),
    (
        "GET /v1/sys/plugins/catalog/secret/kv",
        200,
        r#"{"request_id":"r1","data":{"args":null,"builtin":true,"command":"","deprecation_status":"supported","name":"kv","sha256":"","version":"v1"}}"#,
    ),
    (
        "PUT /v1/sys/plugins/catalog/auth/mine",
        400,
        r#"{"errors":["could not set plugin: this server runs no programs of others"]}"#,
    ),
    ("DELETE /v1/sys/plugins/catalog/auth/mine", 204, ""),
    (
        "PUT /v1/sys/plugins/reload/backend",
        200,
        r#"{"request_id":"r1","data":{"reload_id":"7e0a"}}"#,
    ),
    (
        "GET /v1/secret/metadata?scan=true&after=a&limit=2",
        200,
        r#"{"request_id":"r1","data":{"keys":["b/c","b/d"]}}"#,
    ),
    (
        "GET /v1/sys/leases/owners?by=token&limit=10",
        200,
        r#"{"request_id":"r1","data":{"owners":[{"accessor":"2bXYZ","display_name":"token-app","entity_id":"","namespace":"","leases":1200},{"from_above":true,"leases":3}]}}"#,
    ),
    (
        "GET /v1/sys/leases/owners?by=namespace&limit=2",
        200,
        r#"{"request_id":"r1","data":{"owners":[{"namespace":"team/","leases":5},{"namespace":"","leases":2}]}}"#,
    ),
    (
        "PUT /v1/sys/policies/explain",
        200,
        r#"{"request_id":"r1","data":{"allowed":false,"asked_about":"secret/data/app","decided_by":{"capabilities":["read"],"kind":"exact","path":"secret/data/app","policies":[{"capabilities":["read"],"line":3,"name":"app"}]},"missing":[{"kind":"capability","name":"update","text":"the rule does not grant update"}],"namespace":"","needed":["update"],"notes":["writes to this path always ask for update, never for create"],"operation":"update","other_rules":[{"capabilities":["read","update"],"does_not_decide_because":"another rule is more specific","kind":"prefix","path":"secret/*","policies":[{"capabilities":["read","update"],"line":1,"name":"all"}]}],"other_rules_total":1,"path":"secret/data/app","reason":"the rule does not grant update","subject":{"accessor":"2bXYZ","display_name":"token-app","entity_id":"","identity_policies":[],"policies":["all","app"],"token_policies":["all","app"]},"sudo_path":false}}"#,
    ),
    (
        "GET /v1/sys/rotate/root/backup",
        400,
        r#"{"errors":["no backed-up keys found"]}"#,
    ),
];

const UNFINISHED: &str = r#"{"request_id":"r1","data":null,"auth":{"client_token":"","accessor":"","policies":null,"token_policies":null,"identity_policies":null,"metadata":null,"orphan":false,"entity_id":"","lease_duration":0,"renewable":false,"mfa_requirement":{"mfa_request_id":"6aec","mfa_constraints":{"people":{"any":[{"type":"totp","id":"85ca","uses_passcode":true}]}}}}}"#;
const WRAPPED_LOGIN: &str = r#"{"request_id":"","data":null,"wrap_info":{"token":"hvs.wrap","accessor":"acc","ttl":60,"creation_time":"2026-01-02T03:04:05.6Z","creation_path":"auth/approle/login"},"auth":null}"#;

/// Logins that are not over with the first answer.
pub const LOGINS: &[Answer] = &[
    ("PUT /v1/auth/userpass/login/joe", 200, UNFINISHED),
    ("PUT /v1/auth/approle/login", 200, WRAPPED_LOGIN),
    ("PUT /v1/sys/wrapping/unwrap", 200, LOGIN),
];

const KEY: &str = r#"{"request_id":"r1","lease_id":"","renewable":false,"lease_duration":0,"data":{"allow_plaintext_backup":false,"auto_rotate_period":2592000,"deletion_allowed":false,"derived":false,"exportable":false,"keys":{"1":1767323045,"2":1767323046},"latest_version":2,"min_decryption_version":1,"name":"orders","type":"aes256-gcm96"},"warnings":null}"#;
const NOT_VALID: &str = r#"{"request_id":"r1","lease_id":"","renewable":false,"lease_duration":0,"data":{"valid":false},"warnings":null}"#;

/// A transit engine with the keys `orders` and `release`. The second item for `many` fails.
pub const TRANSIT: &[Answer] = &[
    ("PUT /v1/transit/keys/orders", 200, KEY),
    ("GET /v1/transit/keys/orders", 200, KEY),
    ("POST /v1/transit/keys/orders/rotate", 200, KEY),
    ("PUT /v1/transit/keys/orders/config", 204, ""),
    (
        "GET /v1/transit/keys?list=true",
        200,
        r#"{"request_id":"r1","data":{"keys":["orders","release"]}}"#,
    ),
    (
        "DELETE /v1/transit/keys/orders",
        400,
        r#"{"errors":["error deleting policy orders: deletion is not allowed for this key"]}"#,
    ),
    (
        "PUT /v1/transit/encrypt/orders",
        200,
        r#"{"request_id":"r1","data":{"ciphertext":"vault:v2:abc","key_version":2},"warnings":null}"#,
    ),
    (
        "PUT /v1/transit/encrypt/many",
        400,
        r#"{"request_id":"r1","data":{"batch_results":[{"ciphertext":"vault:v2:abc","key_version":2,"reference":""},{"error":"something is wrong with it","reference":""}]},"warnings":null}"#,
    ),
    (
        "PUT /v1/transit/decrypt/orders",
        200,
        r#"{"request_id":"r1","data":{"plaintext":"NDExMSAxMTEx"},"warnings":null}"#,
    ),
    (
        "PUT /v1/transit/decrypt/spoilt",
        400,
        r#"{"errors":["cipher: message authentication failed"]}"#,
    ),
    (
        "PUT /v1/transit/datakey/plaintext/orders",
        200,
        r#"{"request_id":"r1","data":{"ciphertext":"vault:v2:key","key_version":2,"plaintext":"AAECAw=="},"warnings":null}"#,
    ),
    (
        "PUT /v1/transit/sign/release",
        200,
        r#"{"request_id":"r1","data":{"signature":"vault:v1:c2ln","key_version":1},"warnings":null}"#,
    ),
    ("PUT /v1/transit/verify/release", 200, NOT_VALID),
    (
        "GET /v1/transit/export/public-key/release",
        200,
        r#"{"request_id":"r1","data":{"keys":{"1":"-----BEGIN PUBLIC KEY-----\nMA==\n-----END PUBLIC KEY-----","10":"x","2":"-----BEGIN PUBLIC KEY-----\nMQ==\n-----END PUBLIC KEY-----"},"name":"release","type":"ecdsa-p256"},"warnings":null}"#,
    ),
    (
        "PUT /v1/transit/random",
        200,
        r#"{"request_id":"r1","data":{"random_bytes":"00ff10aa"},"warnings":null}"#,
    ),
];

const MASTER_KEY: &str = r#"{"request_id":"r","data":{"key_id":"1234abcd-12ab-34cd-56ef-1234567890ab","creation_date":"2026-01-02T03:04:05Z","enabled":true,"description":"","key_usage":"ENCRYPT_DECRYPT","key_state":"Enabled","origin":"AWS_KMS","key_manager":"CUSTOMER","key_spec":"SYMMETRIC_DEFAULT","encryption_algorithms":["SYMMETRIC_DEFAULT"],"multi_region":false}}"#;

/// Master keys at `kms/`.
pub const MASTER_KEYS: &[Answer] = &[
    ("POST /v1/kms/keys", 200, MASTER_KEY),
    ("PUT /v1/kms/aliases/team:app", 204, ""),
    (
        "PUT /v1/kms/aliases/taken",
        400,
        r#"{"errors":["AlreadyExistsException: alias/taken already exists"]}"#,
    ),
    ("DELETE /v1/kms/aliases/team:app", 204, ""),
    (
        "GET /v1/kms/aliases?list=true",
        200,
        r#"{"request_id":"r","data":{"keys":["team:app"],"aliases":[{"alias_name":"alias/team/app","target_key_id":"1234abcd-12ab-34cd-56ef-1234567890ab"}],"truncated":false}}"#,
    ),
    ("GET /v1/kms/keys/alias:team:app", 200, MASTER_KEY),
    (
        "GET /v1/kms/keys?list=true",
        200,
        r#"{"request_id":"r","data":{"keys":["1"],"key_info":{"1":{"description":"first","key_spec":"HMAC_256","key_usage":"GENERATE_VERIFY_MAC","key_state":"Disabled","aliases":["alias/a","alias/b"]}},"truncated":true,"next_marker":"MQ"}}"#,
    ),
    (
        "GET /v1/kms/keys?list=true&marker=MQ",
        200,
        r#"{"request_id":"r","data":{"keys":["2"],"key_info":{"2":{"description":"","key_spec":"RSA_2048","key_usage":"SIGN_VERIFY","key_state":"Enabled","aliases":[]}},"truncated":false}}"#,
    ),
    ("PUT /v1/kms/keys/alias:team:app/disable", 204, ""),
    (
        "PUT /v1/kms/keys/alias:team:app/schedule-deletion",
        200,
        r#"{"request_id":"r","data":{"key_id":"1","deletion_date":"2026-02-02T03:04:05Z","key_state":"PendingDeletion","pending_window_in_days":7}}"#,
    ),
    ("PUT /v1/kms/keys/alias:team:app/rotation", 204, ""),
    (
        "POST /v1/kms/keys/alias:team:app/rotate",
        200,
        r#"{"request_id":"r","data":{"key_id":"1"}}"#,
    ),
    (
        "GET /v1/kms/keys/alias:team:app/rotations?include_key_material=ALL_KEY_MATERIAL&limit=1000",
        200,
        r#"{"request_id":"r","data":{"rotations":[{"key_id":"1","key_material_id":"aa","key_material_state":"NON_CURRENT"},{"key_id":"1","key_material_id":"bb","key_material_state":"CURRENT","rotation_type":"ON_DEMAND","rotation_date":"2026-01-02T03:04:05Z"}],"truncated":false}}"#,
    ),
    ("PUT /v1/kms/keys/alias:team:app/tags", 204, ""),
    (
        "DELETE /v1/kms/keys/alias:team:app/tags?tag_keys=y",
        204,
        "",
    ),
    (
        "GET /v1/kms/keys/alias:team:app/tags",
        200,
        r#"{"request_id":"r","data":{"tags":[{"tag_key":"team","tag_value":"a"},{"tag_key":"x","tag_value":""}],"truncated":false}}"#,
    ),
    (
        "PUT /v1/kms/encrypt/alias:team:app",
        200,
        r#"{"request_id":"r","data":{"ciphertext_blob":"AQID","key_id":"1","encryption_algorithm":"SYMMETRIC_DEFAULT"}}"#,
    ),
    (
        "PUT /v1/kms/decrypt/alias:team:app",
        200,
        r#"{"request_id":"r","data":{"plaintext":"aGVsbG8=","key_id":"1","encryption_algorithm":"SYMMETRIC_DEFAULT"}}"#,
    ),
    (
        "PUT /v1/kms/decrypt/alias:off",
        400,
        r#"{"errors":["DisabledException: key 1 is disabled"]}"#,
    ),
    (
        "PUT /v1/kms/re-encrypt/alias:team:app/2",
        200,
        r#"{"request_id":"r","data":{"ciphertext_blob":"BAUG","source_key_id":"1","key_id":"2"}}"#,
    ),
    (
        "PUT /v1/kms/data-key/alias:team:app",
        200,
        r#"{"request_id":"r","data":{"ciphertext_blob":"AQID","plaintext":"aGVsbG8=","key_id":"1"}}"#,
    ),
    (
        "PUT /v1/kms/sign/alias:team:app",
        200,
        r#"{"request_id":"r","data":{"signature":"AQID","key_id":"1","signing_algorithm":"ECDSA_SHA_256"}}"#,
    ),
    (
        "PUT /v1/kms/verify/alias:team:app",
        400,
        r#"{"errors":["KMSInvalidSignatureException: the signature is not valid"]}"#,
    ),
    (
        "PUT /v1/kms/mac/alias:team:app",
        200,
        r#"{"request_id":"r","data":{"mac":"AQID","key_id":"1","mac_algorithm":"HMAC_SHA_256"}}"#,
    ),
    (
        "PUT /v1/kms/verify-mac/alias:team:app",
        200,
        r#"{"request_id":"r","data":{"mac_valid":true,"key_id":"1","mac_algorithm":"HMAC_SHA_256"}}"#,
    ),
    (
        "GET /v1/kms/keys/alias:team:app/public-key",
        200,
        r#"{"request_id":"r","data":{"key_id":"1","public_key":"MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=","key_spec":"ECC_NIST_EDWARDS25519"}}"#,
    ),
];

/// Master keys at `kms/`, where bytes go to files and checks fail.
pub const MASTER_KEYS_AND_FILES: &[Answer] = &[
    ("PUT /v1/kms/keys/alias:app", 204, ""),
    (
        "GET /v1/kms/keys/alias:app/rotation",
        200,
        r#"{"request_id":"r","data":{"key_id":"1","key_rotation_enabled":true,"rotation_period_in_days":90,"next_rotation_date":"2026-03-04T05:06:07Z"}}"#,
    ),
    (
        "PUT /v1/kms/encrypt/alias:app",
        200,
        r#"{"request_id":"r","data":{"ciphertext_blob":"AQID","key_id":"1","encryption_algorithm":"SYMMETRIC_DEFAULT"}}"#,
    ),
    (
        "PUT /v1/kms/decrypt/alias:app",
        200,
        r#"{"request_id":"r","data":{"plaintext":"aGVsbG8=","key_id":"1","encryption_algorithm":"SYMMETRIC_DEFAULT"}}"#,
    ),
    (
        "PUT /v1/kms/decrypt/alias:off",
        400,
        r#"{"errors":["DisabledException: key 1 is disabled"]}"#,
    ),
    (
        "PUT /v1/kms/decrypt/alias:leaving",
        400,
        r#"{"errors":["KMSInvalidStateException: key 1 is pending deletion"]}"#,
    ),
    (
        "PUT /v1/kms/decrypt/none",
        404,
        r#"{"errors":["NotFoundException: key \"none\" does not exist"]}"#,
    ),
    (
        "PUT /v1/kms/data-key/alias:app",
        200,
        r#"{"request_id":"r","data":{"ciphertext_blob":"AQID","plaintext":"aGVsbG8=","key_id":"1"}}"#,
    ),
    (
        "PUT /v1/kms/data-key-pair/alias:app",
        200,
        r#"{"request_id":"r","data":{"private_key_ciphertext_blob":"AQID","private_key_plaintext":"aGVsbG8=","public_key":"BAUG","key_id":"1","key_pair_spec":"ECC_NIST_P256"}}"#,
    ),
    (
        "PUT /v1/kms/verify/alias:app",
        400,
        r#"{"errors":["KMSInvalidSignatureException: the signature is not valid"]}"#,
    ),
    (
        "PUT /v1/kms/verify-mac/alias:app",
        400,
        r#"{"errors":["KMSInvalidMacException: the code is not valid"]}"#,
    ),
    (
        "PUT /v1/kms/random",
        200,
        r#"{"request_id":"r","data":{"plaintext":"aGVsbG8="}}"#,
    ),
    (
        "POST /v1/kms/keys/alias:app/import-parameters",
        200,
        r#"{"request_id":"r","data":{"key_id":"1","import_token":"AQID","public_key":"BAUG","parameters_valid_to":"2026-01-03T03:04:05Z"}}"#,
    ),
    (
        "PUT /v1/kms/keys/alias:app/material",
        200,
        r#"{"request_id":"r","data":{"key_id":"1","key_material_id":"aa"}}"#,
    ),
    (
        "DELETE /v1/kms/keys/alias:app/material?key_material_id=aa",
        200,
        r#"{"request_id":"r","data":{"key_id":"1","key_material_id":"aa"}}"#,
    ),
    (
        "PUT /v1/kms/keys/alias:app/enable",
        400,
        r#"{"errors":["KMSInvalidStateException: key 1 is pending import"]}"#,
    ),
];

const EVENT: &str = "retry: 2000\nid: i0\n\nid: i1\nevent: kv-v2/data-write\ndata: {\"id\":\"i1\",\"source\":\"coffer://c\",\"specversion\":\"1.0\",\"type\":\"*\",\"data\":{\"event\":{\"id\":\"i1\",\"metadata\":{\"current_version\":\"3\",\"data_path\":\"secret/data/app\",\"modified\":\"true\",\"operation\":\"data-write\",\"path\":\"secret/data/app\"}},\"event_type\":\"kv-v2/data-write\",\"plugin_info\":{\"mount_path\":\"secret/\"},\"namespace\":\"team/\"},\"time\":\"2026-01-02T03:04:05.6Z\"}\n\nevent: end\ndata: {\"code\":1008,\"reason\":\"the token has ended\",\"since\":\"i1\"}\n\n";
const TOKEN_ENDED: &str = r#"{"errors":["permission denied"]}"#;

/// A stream of one event, whose token ends then.
pub const EVENTS: &[Answer] = &[
    ("GET /v1/sys/events/subscribe/kv*?json=true", 200, EVENT),
    (
        "GET /v1/sys/events/subscribe/kv*?json=true&filter=operation%3D%3Ddata-write&since=i0",
        200,
        EVENT,
    ),
    (
        "GET /v1/sys/events/subscribe/kv*?json=true&filter=operation%3D%3Ddata-write&since=i1",
        403,
        TOKEN_ENDED,
    ),
    (
        "GET /v1/sys/events/subscribe/kv*?json=true&since=i1",
        403,
        TOKEN_ENDED,
    ),
    (
        "GET /v1/sys/events/subscribe/kv*?json=true&since=i7",
        410,
        r#"{"errors":["the events that follow are gone"]}"#,
    ),
    (
        "GET /v1/sys/events/subscribe/no-rights?json=true&namespaces=a&namespaces=b*&namespaces=c",
        403,
        TOKEN_ENDED,
    ),
];
