//! The keys that Vault or OpenBao know and that change nothing here, each with the reason its warning gives.

/// Keys with one reason to have no effect.
pub(super) struct Ignored {
    /// Why, as the end of "`key` has no effect: …".
    pub reason: &'static str,
    /// The keys.
    pub keys: &'static [&'static str],
}

const PLUGINS: &str = "engines are built in, no plugin process is started";
const CLUSTER: &str = "this server runs as a single node";
const OPEN: &str = "every feature is in the one edition, nothing is licensed or reported";

/// At the top level.
pub(super) const AT_TOP: &[Ignored] = &[
    Ignored {
        reason: "secrets are wiped from memory instead of locking all of it; disable swap",
        keys: &["disable_mlock"],
    },
    Ignored {
        reason: "caches here are bounded and never serve stale data",
        keys: &["disable_cache", "cache_size"],
    },
    Ignored {
        reason: PLUGINS,
        keys: &[
            "plugin",
            "plugin_directory",
            "plugin_tmpdir",
            "plugin_file_uid",
            "plugin_file_permissions",
            "plugin_auto_download",
            "plugin_auto_register",
            "plugin_download_behavior",
            "plugin_download_max_size",
        ],
    },
    Ignored {
        reason: CLUSTER,
        keys: &[
            "ha_storage",
            "ha_backend",
            "disable_clustering",
            "cluster_cipher_suites",
            "disable_performance_standby",
            "disable_standby_reads",
            "disable_ssct_tokens",
            "enable_response_header_raft_node_id",
            "replication",
            "service_registration",
        ],
    },
    Ignored {
        reason: OPEN,
        keys: &[
            "license",
            "license_path",
            "reporting",
            "reporting_scan_directory",
            "census",
            "cloud",
            "sentinel",
            "disable_sentinel_trace",
            "administrative_namespace_path",
            "experiments",
            "feature_flags",
        ],
    },
    Ignored {
        reason: "several seals are always possible, and everything is encrypted by the root key's ring",
        keys: &["disable_sealwrap", "enable_multiseal"],
    },
    Ignored {
        reason: "the library of an HSM is named in its seal's stanza (`lib`)",
        keys: &["kms_library"],
    },
    Ignored {
        reason: "the system's random source is the only entropy, and no engine uses keys of other systems",
        keys: &["entropy", "external_keys"],
    },
    Ignored {
        reason: "it inspects the internals of another implementation",
        keys: &[
            "detect_deadlocks",
            "enable_post_unseal_trace",
            "post_unseal_trace_directory",
            "observations",
            "imprecise_lease_role_tracking",
            "disable_indexing",
        ],
    },
    Ignored {
        reason: "load is bounded by fixed limits",
        keys: &["request_limiter", "adaptive_overload_protection"],
    },
    Ignored {
        reason: "rotate the log file from outside and send SIGHUP",
        keys: &[
            "log_rotate_bytes",
            "log_rotate_duration",
            "log_rotate_max_files",
        ],
    },
    Ignored {
        reason: "write workflows to sys/workflows/manage",
        keys: &["workflow"],
    },
    Ignored {
        reason: "identities never cross namespaces",
        keys: &["unsafe_cross_namespace_identity"],
    },
    Ignored {
        reason: "names are always checked",
        keys: &["disable_printable_check"],
    },
    Ignored {
        reason: "irrevocable leases stay until they are revoked",
        keys: &["remove_irrevocable_lease_after"],
    },
];

/// In a listener of either kind.
pub(super) const IN_LISTENER: &[Ignored] = &[
    Ignored {
        reason: CLUSTER,
        keys: &["cluster_address", "disable_replication_status_endpoints"],
    },
    Ignored {
        reason: "it belongs to agents and proxies",
        keys: &[
            "role",
            "purpose",
            "agent_api",
            "proxy_api",
            "require_request_header",
        ],
    },
    Ignored {
        reason: "load is bounded by fixed limits",
        keys: &["disable_request_limiter"],
    },
    Ignored {
        reason: "the shape of JSON bodies is bounded by fixed limits",
        keys: &[
            "max_json_token",
            "max_json_token_count",
            "max_token_header_size",
        ],
    },
    Ignored {
        reason: "namespaces are not served on this listener; every client sees the root",
        keys: &["chroot_namespace"],
    },
    Ignored {
        reason: "CORS is set through sys/config/cors",
        keys: &["cors_enabled", "cors_allowed_origins"],
    },
    Ignored {
        reason: "profiling endpoints of another implementation do not exist",
        keys: &["profiling"],
    },
    Ignored {
        reason: "PROXY protocol is not spoken; use x_forwarded_for_authorized_addrs",
        keys: &["proxy_protocol_behavior", "proxy_protocol_authorized_addrs"],
    },
    Ignored {
        reason: "a certificate in a header field is believed from an authorized proxy that says for whom it asks, and from nobody else",
        keys: &[
            "x_forwarded_for_client_cert_keep_not_forwarded",
            "x_forwarded_for_client_cert_keep_unauthorized",
        ],
    },
    Ignored {
        reason: "the server always chooses",
        keys: &["tls_prefer_server_cipher_suites"],
    },
    Ignored {
        reason: "hybrid post-quantum key exchange is preferred always",
        keys: &["tls_key_exchange_preferences"],
    },
    Ignored {
        reason: "certificates are reloaded on SIGHUP",
        keys: &["tls_auto_reload", "tls_auto_reload_interval"],
    },
    Ignored {
        reason: "certificates come from files; set tls_cert_file and tls_key_file",
        keys: &[
            "tls_acme_alpn_challenge_port",
            "tls_acme_ca_directory",
            "tls_acme_ca_root",
            "tls_acme_cache_path",
            "tls_acme_challenge_host",
            "tls_acme_disable_alpn_challenge",
            "tls_acme_disable_http_challenge",
            "tls_acme_domains",
            "tls_acme_eab_key_id",
            "tls_acme_eab_mac_key",
            "tls_acme_email",
            "tls_acme_http_challenge_port",
            "tls_acme_key_type",
            "tls_acme_test_ca_directory",
        ],
    },
];

/// In a TCP listener: what only sockets of the file system have.
pub(super) const IN_TCP: &[Ignored] = &[Ignored {
    reason: "it belongs to unix listeners",
    keys: &["socket_mode", "socket_user", "socket_group"],
}];

/// In a Unix listener: what only TCP has. Access is by the socket's permissions.
pub(super) const IN_UNIX: &[Ignored] = &[Ignored {
    reason: "a unix listener speaks no TLS and has no client addresses",
    keys: &[
        "tls_disable",
        "tls_cert_file",
        "tls_key_file",
        "tls_client_ca_file",
        "tls_min_version",
        "tls_max_version",
        "tls_cipher_suites",
        "tls_require_and_verify_client_cert",
        "tls_disable_client_certs",
        "x_forwarded_for_authorized_addrs",
        "x_forwarded_for_hop_skips",
        "x_forwarded_for_reject_not_present",
        "x_forwarded_for_reject_not_authorized",
        "x_forwarded_for_client_cert_header",
        "x_forwarded_for_client_cert_header_decoders",
        "x_forwarded_for_client_cert_decoders",
    ],
}];

/// In a storage that becomes the embedded store.
pub(super) const IN_STORAGE: &[Ignored] = &[
    Ignored {
        reason: "set it at the top level of the configuration",
        keys: &[
            "api_addr",
            "cluster_addr",
            "advertise_addr",
            "redirect_addr",
            "disable_clustering",
        ],
    },
    Ignored {
        reason: CLUSTER,
        keys: &[
            "autopilot",
            "retry_join",
            "retry_join_as_non_voter",
            "autopilot_reconcile_interval",
            "autopilot_update_interval",
            "autopilot_upgrade_version",
            "autopilot_redundancy_zone",
            "ha_enabled",
            "performance_multiplier",
        ],
    },
    Ignored {
        reason: "the embedded store keeps one file and no log of its own",
        keys: &[
            "trailing_logs",
            "snapshot_threshold",
            "snapshot_interval",
            "snapshot_delay",
            "max_entry_size",
            "max_transaction_size",
            "max_mount_and_namespace_table_entry_size",
            "raft_wal",
            "raft_log_verifier_enabled",
            "raft_log_verification_interval",
            "max_batch_entries",
            "max_batch_size",
            "max_parallel",
        ],
    },
];

/// In `telemetry`.
pub(super) const IN_TELEMETRY: &[Ignored] = &[
    Ignored {
        reason: "metrics are read from /v1/sys/metrics, none are pushed",
        keys: &[
            "statsite_address",
            "statsd_address",
            "dogstatsd_addr",
            "dogstatsd_tags",
            "circonus_api_token",
            "circonus_api_app",
            "circonus_api_url",
            "circonus_submission_interval",
            "circonus_submission_url",
            "circonus_check_id",
            "circonus_check_force_metric_activation",
            "circonus_check_instance_id",
            "circonus_check_search_tag",
            "circonus_check_display_name",
            "circonus_check_tags",
            "circonus_broker_id",
            "circonus_broker_select_tag",
            "stackdriver_project_id",
            "stackdriver_location",
            "stackdriver_namespace",
            "stackdriver_debug_logs",
        ],
    },
    Ignored {
        reason: "metrics carry no host name; the scraper knows its target",
        keys: &["enable_hostname_label"],
    },
    Ignored {
        reason: "filter where the metrics are collected",
        keys: &["filter_default", "prefix_filter"],
    },
    Ignored {
        reason: "leases are broken down by their expiry alone",
        keys: &["add_lease_metrics_namespace_labels"],
    },
    Ignored {
        reason: "mounts have timings by verb, and no others",
        keys: &[
            "add_mount_point_rollback_metrics",
            "add_mount_point_database_metrics",
        ],
    },
];
