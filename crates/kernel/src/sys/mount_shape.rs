//! How mounts look to clients, and what clients may tune.

use std::collections::BTreeMap;
use std::time::Duration;

use coffer_engine::{Class, Fault};
use coffer_wire::{CommaList, Flag, Int, KvPairs, Text, Ttl, parse_duration};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::mounts::{Mount, MountRecord, Tuning, UserLockout};
use crate::settings::{BUILT_IN_VERSION, Settings};

/// Types that the kernel mounts itself and of which only what audit hides can be tuned.
const UNTUNABLE: [&str; 3] = ["system", "cubbyhole", "identity"];

/// A mount as lists and reads show it.
#[derive(Serialize)]
pub(super) struct Shown<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    description: &'a str,
    accessor: &'a str,
    uuid: &'a str,
    config: Map<String, Value>,
    options: Option<&'a BTreeMap<String, String>>,
    local: bool,
    seal_wrap: bool,
    external_entropy_access: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    deprecation_status: Option<&'static str>,
    plugin_version: &'static str,
    running_plugin_version: &'static str,
    running_sha256: &'static str,
}

impl<'a> Shown<'a> {
    pub(super) fn of(mount: &'a Mount) -> Self {
        let record = &mount.record;
        let built_in = mount.is_kernels_own() || mount.per_token();
        let mut config = config(
            record,
            record.tuning.default_lease_ttl,
            record.tuning.max_lease_ttl,
        );
        if let Some(of) = record.tuning.user_lockout {
            config.insert("user_lockout_config".into(), lockout(of).into());
        }
        Self {
            kind: &record.kind,
            description: &record.description,
            accessor: &record.accessor,
            uuid: &record.uuid,
            config,
            options: (!built_in).then_some(&record.options),
            local: record.local,
            seal_wrap: record.seal_wrap,
            external_entropy_access: record.external_entropy_access,
            deprecation_status: (!built_in).then_some("supported"),
            plugin_version: "",
            running_plugin_version: BUILT_IN_VERSION,
            running_sha256: "",
        }
    }
}

/// The tunable settings as `tune` shows them: the TTLs in force, the description and the options.
pub(super) fn tuning_of(mount: &Mount) -> Map<String, Value> {
    let record = &mount.record;
    let mut shown = config(
        record,
        mount.info.default_lease_ttl,
        mount.info.max_lease_ttl,
    );
    shown.insert("description".into(), record.description.clone().into());
    if !record.options.is_empty() {
        shown.insert("options".into(), json!(record.options));
    }
    shown.extend(record.tuning.user_lockout.map(lockout).unwrap_or_default());
    shown
}

fn lockout(of: UserLockout) -> Map<String, Value> {
    let fields = [
        ("user_lockout_threshold", json!(of.threshold)),
        ("user_lockout_duration", json!(of.duration.as_secs())),
        (
            "user_lockout_counter_reset_duration",
            json!(of.counter_reset.as_secs()),
        ),
        ("user_lockout_disable", json!(of.disabled)),
    ];
    let named = fields.into_iter().map(|(name, value)| (name.into(), value));
    named.collect()
}

fn config(record: &MountRecord, default_ttl: Duration, max_ttl: Duration) -> Map<String, Value> {
    let tuning = &record.tuning;
    let mut shown = Map::new();
    shown.insert("default_lease_ttl".into(), default_ttl.as_secs().into());
    shown.insert("max_lease_ttl".into(), max_ttl.as_secs().into());
    shown.insert("force_no_cache".into(), tuning.force_no_cache.into());
    if record.class() == Class::Auth {
        let token_type = if tuning.token_type.is_empty() {
            "default-service"
        } else {
            &tuning.token_type
        };
        shown.insert("token_type".into(), token_type.into());
    }
    if !tuning.listing_visibility.is_empty() {
        shown.insert(
            "listing_visibility".into(),
            tuning.listing_visibility.clone().into(),
        );
    }
    for (name, list) in [
        (
            "audit_non_hmac_request_keys",
            &tuning.audit_non_hmac_request_keys,
        ),
        (
            "audit_non_hmac_response_keys",
            &tuning.audit_non_hmac_response_keys,
        ),
        (
            "passthrough_request_headers",
            &tuning.passthrough_request_headers,
        ),
        ("allowed_response_headers", &tuning.allowed_response_headers),
    ] {
        if !list.is_empty() {
            shown.insert(name.into(), json!(list));
        }
    }
    shown
}

/// What can be tuned; what is absent stays as it is.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct Tunable {
    /// TTL of leases that ask for none; `system` for the server's default.
    default_lease_ttl: Option<Text>,
    /// Longest TTL; `system` for the server's default.
    max_lease_ttl: Option<Text>,
    /// Words for people.
    description: Option<Text>,
    /// Asks for uncached reads.
    force_no_cache: Option<Flag>,
    /// `unauth` shows the mount to everyone, `hidden` or empty does not.
    listing_visibility: Option<Text>,
    /// Request fields that audit writes in the clear.
    audit_non_hmac_request_keys: Option<CommaList>,
    /// Answer fields that audit writes in the clear.
    audit_non_hmac_response_keys: Option<CommaList>,
    /// Request headers handed to the engine.
    passthrough_request_headers: Option<CommaList>,
    /// Headers the engine may answer.
    allowed_response_headers: Option<CommaList>,
    /// The type of tokens an auth method issues.
    token_type: Option<Text>,
    /// The engine's own options; `version` upgrades the engine.
    options: Option<KvPairs>,
    /// The version of an external plugin; there are none.
    plugin_version: Option<Text>,
    /// When names are locked out after wrong passwords; for userpass, ldap and approle.
    user_lockout_config: Option<LockoutWish>,
}

/// When names are locked out; what is absent stays as it is.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
struct LockoutWish {
    /// After how many wrong passwords.
    lockout_threshold: Option<Int>,
    /// For how long.
    lockout_duration: Option<Ttl>,
    /// After how long without a wrong password the count begins anew.
    lockout_counter_reset_duration: Option<Ttl>,
    /// Locks nobody out.
    lockout_disable: Option<Flag>,
}

/// What can be tuned when a mount is enabled, and what nobody knows.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct EnableConfig {
    /// Tunable settings.
    #[serde(flatten)]
    pub(super) tunable: Tunable,
    /// Settings that have no effect here.
    #[serde(flatten)]
    unknown: BTreeMap<String, Value>,
}

impl EnableConfig {
    /// A remark about settings that have no effect, if there are any.
    pub(super) fn remark(&self) -> Option<String> {
        let names: Vec<_> = self.unknown.keys().map(String::as_str).collect();
        (!names.is_empty()).then(|| {
            format!(
                "Endpoint ignored these unrecognized parameters of config: [{}]",
                names.join(" ")
            )
        })
    }
}

impl Tunable {
    /// Changes a record; nothing is changed where something is wrong.
    pub(super) fn apply(&self, record: &mut MountRecord, settings: &Settings) -> Result<(), Fault> {
        self.refuse_for_built_in(record)?;
        let mut tuning = record.tuning.clone();
        self.lock_out(&mut tuning, record, settings)?;
        ttl(
            &self.default_lease_ttl,
            "default",
            &mut tuning.default_lease_ttl,
        )?;
        ttl(&self.max_lease_ttl, "max", &mut tuning.max_lease_ttl)?;
        if !tuning.max_lease_ttl.is_zero() && tuning.default_lease_ttl > tuning.max_lease_ttl {
            return Err(Fault::invalid(
                "given default lease TTL greater than given max lease TTL",
            ));
        }
        self.words(&mut tuning, record.class())?;
        let lists = [
            (
                &self.audit_non_hmac_request_keys,
                &mut tuning.audit_non_hmac_request_keys,
            ),
            (
                &self.audit_non_hmac_response_keys,
                &mut tuning.audit_non_hmac_response_keys,
            ),
            (
                &self.passthrough_request_headers,
                &mut tuning.passthrough_request_headers,
            ),
            (
                &self.allowed_response_headers,
                &mut tuning.allowed_response_headers,
            ),
        ];
        for (asked, kept) in lists {
            if let Some(asked) = asked {
                *kept = asked.0.clone();
            }
        }
        if let Some(flag) = self.force_no_cache {
            tuning.force_no_cache = flag.0;
        }
        if self
            .plugin_version
            .as_ref()
            .is_some_and(|version| !version.0.is_empty())
        {
            return Err(Fault::invalid(
                "plugin_version names an external plugin; every engine here is built in, so leave it out",
            ));
        }
        if let Some(options) = &self.options {
            merge_options(record, &options.0)?;
        }
        if let Some(description) = &self.description {
            record.description = description.0.clone();
        }
        record.tuning = tuning;
        Ok(())
    }

    /// Of what the kernel mounts itself, little can be tuned.
    fn refuse_for_built_in(&self, record: &MountRecord) -> Result<(), Fault> {
        let kind = record.engine();
        if kind == "token" && self.token_type.is_some() {
            return Err(Fault::invalid(
                "'token_type' cannot be set for 'token' or 'ns_token' auth mounts",
            ));
        }
        if !UNTUNABLE.contains(&kind) {
            return Ok(());
        }
        let asked = [
            (self.default_lease_ttl.is_some(), "default_lease_ttl"),
            (self.max_lease_ttl.is_some(), "max_lease_ttl"),
            (self.description.is_some(), "description"),
            (self.listing_visibility.is_some(), "listing_visibility"),
            (
                self.passthrough_request_headers.is_some(),
                "passthrough_request_headers",
            ),
            (
                self.allowed_response_headers.is_some(),
                "allowed_response_headers",
            ),
            (self.token_type.is_some(), "token_type"),
            (self.options.is_some(), "options"),
            (self.plugin_version.is_some(), "plugin_version"),
            (self.user_lockout_config.is_some(), "user_lockout_config"),
        ];
        match asked.iter().find(|(asked, _)| *asked) {
            Some((_, name)) => Err(Fault::Invalid(format!(
                "cannot tune parameter {name} of {}",
                record.path
            ))),
            None => Ok(()),
        }
    }

    fn lock_out(
        &self,
        tuning: &mut Tuning,
        record: &MountRecord,
        settings: &Settings,
    ) -> Result<(), Fault> {
        let Some(wish) = &self.user_lockout_config else {
            return Ok(());
        };
        let kind = settings.kind(record.class(), record.engine());
        if !kind.is_some_and(|kind| kind.locks_out) {
            return Err(Fault::Invalid(format!(
                "tuning of user lockout configuration for auth type {:?} not allowed",
                record.kind
            )));
        }
        let mut lockout = tuning.user_lockout.unwrap_or_default();
        if let Some(threshold) = wish.lockout_threshold {
            lockout.threshold = u64::try_from(threshold.0).map_err(|_| {
                Fault::invalid("unable to parse user lockout threshold: it cannot be negative")
            })?;
        }
        if let Some(duration) = wish.lockout_duration {
            lockout.duration = duration.0;
        }
        if let Some(duration) = wish.lockout_counter_reset_duration {
            lockout.counter_reset = duration.0;
        }
        if let Some(flag) = wish.lockout_disable {
            lockout.disabled = flag.0;
        }
        tuning.user_lockout = Some(lockout);
        Ok(())
    }

    fn words(&self, tuning: &mut Tuning, class: Class) -> Result<(), Fault> {
        if let Some(Text(word)) = &self.listing_visibility {
            if !matches!(word.as_str(), "" | "hidden" | "unauth") {
                return Err(Fault::Invalid(format!(
                    "invalid listing_visibility {word}; use unauth, hidden or nothing"
                )));
            }
            tuning.listing_visibility = word.clone();
        }
        if let Some(Text(word)) = &self.token_type {
            if class != Class::Auth
                || !matches!(
                    word.as_str(),
                    "" | "default-service" | "default-batch" | "service" | "batch"
                )
            {
                return Err(Fault::invalid(
                    "invalid value for 'token_type'; use default-service, default-batch, service or batch, on an auth method",
                ));
            }
            tuning.token_type = word.clone();
        }
        Ok(())
    }
}

/// An option with an empty value is taken out.
fn merge_options(record: &mut MountRecord, asked: &BTreeMap<String, String>) -> Result<(), Fault> {
    let number = |options: &BTreeMap<String, String>| {
        options
            .get("version")
            .and_then(|version| version.parse::<u32>().ok())
    };
    if let (Some(old), Some(new)) = (number(&record.options), number(asked))
        && new < old
    {
        return Err(Fault::Invalid(format!(
            "cannot downgrade mount from version {old}"
        )));
    }
    record.options.extend(
        asked
            .iter()
            .map(|(key, value)| (key.clone(), value.clone())),
    );
    record.options.retain(|_, value| !value.is_empty());
    Ok(())
}

fn ttl(asked: &Option<Text>, which: &str, kept: &mut Duration) -> Result<(), Fault> {
    let Some(Text(text)) = asked else {
        return Ok(());
    };
    *kept = match text.as_str() {
        "" => return Ok(()),
        "system" => Duration::ZERO,
        text => parse_duration(text).map_err(|error| {
            Fault::Invalid(format!("unable to parse {which} TTL of {text}: {error}"))
        })?,
    };
    Ok(())
}
