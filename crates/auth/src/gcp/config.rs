//! `config`: how Google is asked, and what is told of whom it vouches for.

use std::collections::BTreeMap;

use coffer_crypto::Secret;
use coffer_engine::{Ctx, Empty, Exists, Fault, Handle, Routes, Stored, path};
use coffer_wire::{CommaList, KvPairs, Text};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use super::Gcp;
use super::credentials::Credentials;
use super::metadata::Chosen;
use crate::address;

/// Where it is kept.
const PLACE: &str = "config";
/// Parts of Google that can be elsewhere, and where they are otherwise.
pub(super) const ENDPOINTS: [(&str, &str); 5] = [
    ("api", "https://www.googleapis.com"),
    ("iam", "https://iam.googleapis.com"),
    ("crm", "https://cloudresourcemanager.googleapis.com"),
    ("compute", "https://compute.googleapis.com"),
    ("metadata", "http://metadata.google.internal"),
];
/// Where the keys of Google's own tokens are published.
const CERTS: &str = "https://www.googleapis.com/oauth2/v3/certs";
/// What can be told of a service account.
pub(super) const OF_ACCOUNTS: [&str; 4] = [
    "project_id",
    "role",
    "service_account_id",
    "service_account_email",
];
/// What can be told of a machine.
pub(super) const OF_INSTANCES: [&str; 9] = [
    "instance_creation_timestamp",
    "instance_id",
    "instance_name",
    "project_id",
    "project_number",
    "role",
    "service_account_id",
    "service_account_email",
    "zone",
];

pub(super) fn routes() -> Routes<Gcp> {
    Routes::new([path(
        "config",
        "How Google is asked, and what is told of whom it vouches for.",
    )
    .exists::<ReadConfig>()
    .read::<ReadConfig>()
    .write::<WriteConfig>()
    .tells("gcp/config-write")
    .delete::<DeleteConfig>()
    .tells("gcp/config-delete")])
}

/// The stored configuration; without one, everything is as the default is.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Config {
    pub(super) credentials: Option<Credentials>,
    /// Whether service accounts are called by their ids, and not by their role's.
    pub(super) alias_by_account: bool,
    pub(super) of_accounts: Chosen,
    /// Whether machines are called by their ids, and not by their role's.
    pub(super) alias_by_instance: bool,
    pub(super) of_instances: Chosen,
    /// Parts of Google that are elsewhere, as they were written.
    pub(super) endpoints: BTreeMap<String, String>,
    /// Where the keys of Google's own tokens are; empty for where they are published.
    pub(super) certs: String,
}

impl Stored for Config {
    const MAX_BYTES: usize = 64 * 1024;
}

impl Config {
    /// The configuration.
    pub(super) async fn read(cx: &Ctx) -> Result<Self, Fault> {
        Ok(cx.view.get(PLACE).await?.unwrap_or_default())
    }

    /// Where a part of Google is.
    pub(super) fn endpoint(&self, part: &str) -> Result<Url, Fault> {
        let usual = ENDPOINTS.iter().find(|(name, _)| *name == part);
        let usual = usual.map_or("", |(_, usual)| usual);
        let said = self.endpoints.get(part).map(String::as_str);
        match said {
            Some(said) => endpoint("custom_endpoint", said),
            None => address::base("custom_endpoint", usual),
        }
    }
}

/// An address that secrets are sent to, or keys come from: in the clear on this machine alone.
pub(super) fn endpoint(field: &str, text: &str) -> Result<Url, Fault> {
    let url = address::base(field, text)?;
    match url.scheme() == "https" || address::is_here(&url) {
        true => Ok(url),
        false => Err(Fault::Invalid(format!("{field}: only https is taken"))),
    }
}

/// Shows the configuration, without the private key.
#[derive(Deserialize, JsonSchema)]
struct ReadConfig {}

impl Exists<Gcp> for ReadConfig {
    async fn exists(self, _: &Gcp, cx: &Ctx) -> Result<bool, Fault> {
        Ok(cx.view.get::<Config>(PLACE).await?.is_some())
    }
}

/// The configuration as clients see it.
#[derive(Serialize, JsonSchema)]
struct ConfigView {
    /// The service account that Google is asked by.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<String>,
    /// Parts of Google that are elsewhere.
    custom_endpoint: BTreeMap<String, String>,
    /// What machines are called by: `role_id` or `instance_id`.
    gce_alias: &'static str,
    /// What is told of machines.
    gce_metadata: Vec<String>,
    /// Where the keys of Google's own tokens are, if elsewhere.
    #[serde(skip_serializing_if = "String::is_empty")]
    google_certs_endpoint: String,
    /// What service accounts are called by: `role_id` or `unique_id`.
    iam_alias: &'static str,
    /// What is told of service accounts.
    iam_metadata: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    private_key_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    project_id: Option<String>,
}

impl Handle<Gcp> for ReadConfig {
    type Reply = ConfigView;

    async fn handle(self, _: &Gcp, cx: &Ctx) -> Result<ConfigView, Fault> {
        let config: Option<Config> = cx.view.get(PLACE).await?;
        let config = config.ok_or(Fault::NotFound)?;
        let credentials = config.credentials.as_ref();
        let told = |of: fn(&Credentials) -> &String| credentials.map(|told| of(told).clone());
        Ok(ConfigView {
            client_email: told(|told| &told.client_email),
            client_id: told(|told| &told.client_id),
            private_key_id: told(|told| &told.private_key_id),
            project_id: told(|told| &told.project_id),
            gce_alias: match config.alias_by_instance {
                true => "instance_id",
                false => "role_id",
            },
            gce_metadata: config.of_instances.names(&OF_INSTANCES),
            iam_alias: match config.alias_by_account {
                true => "unique_id",
                false => "role_id",
            },
            iam_metadata: config.of_accounts.names(&OF_ACCOUNTS),
            custom_endpoint: config.endpoints,
            google_certs_endpoint: config.certs,
        })
    }
}

/// Says how Google is asked; what is not named stays as it is.
#[derive(Deserialize, JsonSchema)]
struct WriteConfig {
    /// The JSON of a service account's key. Without one, Google is asked by the service account of the machine that
    /// this server runs on, and only where a role needs it.
    #[serde(default)]
    credentials: Option<Text>,
    /// What service accounts are called by in the identity store: `role_id`, or `unique_id` for the account's own id.
    #[serde(default)]
    iam_alias: Option<Text>,
    /// What is told of a service account with its token: `default` for all of it.
    #[serde(default)]
    iam_metadata: Option<CommaList>,
    /// What machines are called by in the identity store: `role_id`, or `instance_id` for the machine's own id.
    #[serde(default)]
    gce_alias: Option<Text>,
    /// What is told of a machine with its token: `default` for all of it.
    #[serde(default)]
    gce_metadata: Option<CommaList>,
    /// Parts of Google that are elsewhere: `api`, `iam`, `crm`, `compute`, `metadata`.
    #[serde(default)]
    custom_endpoint: Option<KvPairs>,
    /// Where the keys of Google's own tokens are, as a set of keys in JSON.
    #[serde(default)]
    google_certs_endpoint: Option<Text>,
    /// Not supported: there is no workload identity federation.
    #[serde(default)]
    identity_token_audience: Option<Text>,
    /// Not supported: there is no workload identity federation.
    #[serde(default)]
    service_account_email: Option<Text>,
}

impl Handle<Gcp> for WriteConfig {
    type Reply = Empty;

    async fn handle(mut self, _: &Gcp, cx: &Ctx) -> Result<Empty, Fault> {
        let said = |text: &Option<Text>| text.as_ref().is_some_and(|text| !text.0.is_empty());
        if said(&self.identity_token_audience) || said(&self.service_account_email) {
            return Err(Fault::invalid(
                "workload identity federation is not supported: give credentials",
            ));
        }
        let given = self.credentials.take().map(|text| Secret::new(text.0));
        let credentials = match given.as_ref().map(|text| text.expose().as_str()) {
            None => None,
            Some("") => Some(None),
            Some(text) => Some(Some(Credentials::read(text)?)),
        };
        let decide = |kept: Option<Config>| {
            let mut config = kept.unwrap_or_default();
            if let Some(credentials) = &credentials {
                config.credentials.clone_from(credentials);
            }
            self.apply(&mut config)?;
            Ok::<_, Fault>((Some(config), ()))
        };
        cx.view.update(PLACE, decide).await?;
        Ok(Empty)
    }
}

impl WriteConfig {
    fn apply(&self, config: &mut Config) -> Result<(), Fault> {
        if let Some(word) = &self.iam_alias {
            config.alias_by_account = alias("iam_alias", &word.0, "unique_id")?;
        }
        if let Some(word) = &self.gce_alias {
            config.alias_by_instance = alias("gce_alias", &word.0, "instance_id")?;
        }
        if let Some(list) = &self.iam_metadata {
            config.of_accounts = Chosen::read("iam_metadata", list, &OF_ACCOUNTS)?;
        }
        if let Some(list) = &self.gce_metadata {
            config.of_instances = Chosen::read("gce_metadata", list, &OF_INSTANCES)?;
        }
        if let Some(pairs) = &self.custom_endpoint {
            for (part, text) in &pairs.0 {
                if !ENDPOINTS.iter().any(|(name, _)| name == part) {
                    return Err(Fault::Invalid(format!(
                        "custom_endpoint: \"{part:.100}\" is none of api, iam, crm, compute, metadata"
                    )));
                }
                endpoint("custom_endpoint", text)?;
            }
            config.endpoints.clone_from(&pairs.0);
        }
        if let Some(text) = &self.google_certs_endpoint {
            if !text.0.is_empty() {
                endpoint("google_certs_endpoint", &text.0)?;
            }
            // Some clients always send where they are usually.
            config.certs = match text.0.as_str() {
                CERTS => String::new(),
                elsewhere => elsewhere.to_owned(),
            };
        }
        Ok(())
    }
}

fn alias(field: &str, word: &str, own: &str) -> Result<bool, Fault> {
    match word {
        "" | "role_id" => Ok(false),
        word if word == own => Ok(true),
        _ => Err(Fault::Invalid(format!("{field} is to be role_id or {own}"))),
    }
}

/// Forgets the configuration.
#[derive(Deserialize, JsonSchema)]
struct DeleteConfig {}

impl Handle<Gcp> for DeleteConfig {
    type Reply = Empty;

    async fn handle(self, _: &Gcp, cx: &Ctx) -> Result<Empty, Fault> {
        cx.view.delete(PLACE).await?;
        Ok(Empty)
    }
}
