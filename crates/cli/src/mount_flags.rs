use std::collections::BTreeMap;

use clap::Args;
use coffer_client::sys::Mount;
use serde_json::{Map, Value};

use crate::context::Context;
use crate::failure::{Outcome, While};
use crate::input;
use crate::output::{columns, human_secs, print};

/// Settings that secrets engines and auth methods share. Only what is given is sent.
#[derive(Debug, Args)]
#[command(next_help_heading = "Settings")]
pub(crate) struct MountFlags {
    /// What it is for
    #[arg(long, value_name = "TEXT")]
    pub(crate) description: Option<String>,
    /// Time of a lease or token where nobody asks for another
    #[arg(long, value_name = "DURATION", value_parser = input::duration, allow_hyphen_values = true)]
    default_lease_ttl: Option<String>,
    /// The longest time of a lease or token
    #[arg(long, value_name = "DURATION", value_parser = input::duration, allow_hyphen_values = true)]
    max_lease_ttl: Option<String>,
    /// Option of the engine itself, repeatable
    #[arg(long, value_name = "KEY=VALUE", value_parser = input::pair)]
    options: Vec<(String, String)>,
    /// Version of the engine, as `kv` has two
    #[arg(long, value_name = "NUMBER")]
    version: Option<u32>,
    /// Request field that the audit log shows in the clear, repeatable
    #[arg(long, value_name = "KEY", value_delimiter = ',')]
    audit_non_hmac_request_keys: Vec<String>,
    /// Answer field that the audit log shows in the clear, repeatable
    #[arg(long, value_name = "KEY", value_delimiter = ',')]
    audit_non_hmac_response_keys: Vec<String>,
    /// `unauth` shows it before login, `hidden` does not
    #[arg(long, value_name = "WHO")]
    listing_visibility: Option<String>,
    /// Request header handed to the engine, repeatable
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    passthrough_request_headers: Vec<String>,
    /// Answer header the engine may set, repeatable
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    allowed_response_headers: Vec<String>,
    /// Version of an external plugin
    #[arg(long, value_name = "VERSION")]
    plugin_version: Option<String>,
}

impl MountFlags {
    /// The `config` of a mount to be enabled, or the body of a change of it.
    pub(crate) fn config(&self) -> Map<String, Value> {
        let texts = [
            ("default_lease_ttl", &self.default_lease_ttl),
            ("max_lease_ttl", &self.max_lease_ttl),
            ("listing_visibility", &self.listing_visibility),
            ("plugin_version", &self.plugin_version),
        ];
        let lists = [
            (
                "audit_non_hmac_request_keys",
                &self.audit_non_hmac_request_keys,
            ),
            (
                "audit_non_hmac_response_keys",
                &self.audit_non_hmac_response_keys,
            ),
            (
                "passthrough_request_headers",
                &self.passthrough_request_headers,
            ),
            ("allowed_response_headers", &self.allowed_response_headers),
        ];
        let texts = texts
            .into_iter()
            .filter_map(|(key, text)| Some((key.to_owned(), Value::from(text.clone()?))));
        let lists = lists.into_iter().filter(|(_, list)| !list.is_empty());
        texts
            .chain(lists.map(|(key, list)| (key.to_owned(), Value::from(list.clone()))))
            .collect()
    }

    /// The engine's own options.
    pub(crate) fn options(&self) -> BTreeMap<String, String> {
        let version = self
            .version
            .map(|version| ("version".to_owned(), version.to_string()));
        self.options.iter().cloned().chain(version).collect()
    }

    /// The body of a change of a mount.
    pub(crate) fn tuning(&self) -> Map<String, Value> {
        let mut fields = self.config();
        if let Some(description) = &self.description {
            fields.insert("description".to_owned(), description.clone().into());
        }
        let options = self.options();
        if !options.is_empty() {
            fields.insert(
                "options".to_owned(),
                options
                    .into_iter()
                    .map(|(key, value)| (key, Value::from(value)))
                    .collect(),
            );
        }
        fields
    }
}

/// Follows a move of a mount to its end.
pub(crate) async fn follow_move(cx: &Context, kind: &str, from: &str, to: &str) -> Outcome {
    const POLL: std::time::Duration = std::time::Duration::from_millis(500);
    let client = cx.client()?;
    let (from, to) = (
        format!("{}/", from.trim_matches('/')),
        format!("{}/", to.trim_matches('/')),
    );
    let doing = format!("moving {kind} {from} to {to}");
    let id = client
        .sys()
        .remount(&from, &to)
        .await
        .or_failed(&doing)?
        .migration_id;
    cx.ui.line(&format!(
        "Started moving {kind} {from} to {to}, with migration ID {id}"
    ));
    loop {
        match client
            .sys()
            .remount_status(&id)
            .await
            .or_failed(&doing)?
            .as_str()
        {
            "success" => {
                cx.ui.line(&format!(
                    "Success! Finished moving {kind} {from} to {to}, with migration ID {id}"
                ));
                return Ok(());
            }
            "failure" => {
                let text = format!(
                    "Error {doing}: it failed; the server's log says why (migration ID {id})"
                );
                return Err(crate::failure::Failure { code: 2, text });
            }
            _ => tokio::time::sleep(POLL).await,
        }
    }
}

/// Prints mounts with their settings.
pub(crate) fn print_detailed(
    cx: &Context,
    mounts: &BTreeMap<String, Mount>,
    tokens: bool,
) -> Outcome {
    let rows: Vec<[String; 16]> = mounts
        .iter()
        .map(|(path, mount)| detailed(path, mount))
        .collect();
    let heading = [
        "Path",
        "Plugin",
        "Accessor",
        "Default TTL",
        "Max TTL",
        if tokens {
            "Token Type"
        } else {
            "Force No Cache"
        },
        "Replication",
        "Seal Wrap",
        "External Entropy Access",
        "Options",
        "Description",
        "UUID",
        "Version",
        "Running Version",
        "Running SHA256",
        "Deprecation Status",
    ];
    print(cx, mounts, || columns(heading, &rows))
}

fn detailed(path: &str, mount: &Mount) -> [String; 16] {
    // These two have no leases, so a lease time would mean nothing.
    let leases = !matches!(
        mount.r#type.as_str(),
        "system" | "ns_system" | "cubbyhole" | "ns_cubbyhole"
    );
    let ttl = |secs: u64| match (leases, secs) {
        (false, _) => String::new(),
        (true, 0) => "system".to_owned(),
        (true, secs) => human_secs(secs),
    };
    let options: Vec<String> = mount
        .options
        .iter()
        .map(|(key, value)| format!("{key}:{value}"))
        .collect();
    [
        path.to_owned(),
        mount.r#type.clone(),
        mount.accessor.clone(),
        ttl(mount.config.default_lease_ttl),
        ttl(mount.config.max_lease_ttl),
        match mount.config.token_type.as_str() {
            "" => mount.config.force_no_cache.to_string(),
            kind => kind.to_owned(),
        },
        if mount.local { "local" } else { "replicated" }.to_owned(),
        mount.seal_wrap.to_string(),
        mount.external_entropy_access.to_string(),
        format!("map[{}]", options.join(" ")),
        mount.description.clone(),
        mount.uuid.clone(),
        mount.plugin_version.clone(),
        mount.running_plugin_version.clone(),
        mount.running_sha256.clone(),
        mount.deprecation_status.clone(),
    ]
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use serde_json::json;

    use super::*;

    #[derive(Parser)]
    struct Words {
        #[command(flatten)]
        flags: MountFlags,
    }

    #[test]
    fn only_what_is_given_is_sent() {
        let empty = Words::parse_from(["x"]).flags;
        assert!(empty.tuning().is_empty());
        let flags = Words::parse_from([
            "x",
            "--default-lease-ttl=1h",
            "--version=2",
            "--options=a=b",
            "--audit-non-hmac-request-keys=x,y",
            "--description=",
        ])
        .flags;
        let wanted = json!({
            "default_lease_ttl": "1h", "options": {"a": "b", "version": "2"},
            "audit_non_hmac_request_keys": ["x", "y"], "description": "",
        });
        assert_eq!(Value::Object(flags.tuning()), wanted);
    }
}
