//! `config`: who vouches for those who log in.

use std::collections::BTreeMap;

use coffer_crypto::Secret;
use coffer_crypto::sign::Algorithm;
use coffer_engine::{Ctx, Fault, Handle, Reply, Routes, Stored, path, plaintext};
use coffer_wire::{CommaList, Flag, Text};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Jwt;
use crate::issuer::{Place, Source};

const PLACE: &str = "config";

pub(super) fn routes() -> Routes<Jwt> {
    Routes::new([path("config", "Who vouches for those who log in.")
        .read::<ReadConfig>()
        .write::<WriteConfig>()
        .tells("jwt/config-write")])
}

/// The stored configuration.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Config {
    pub(super) bound_issuer: String,
    pub(super) default_role: String,
    jwks_ca_pem: String,
    jwks_url: String,
    jwt_supported_algs: Vec<String>,
    jwt_validation_pubkeys: Vec<String>,
    pub(super) namespace_in_state: bool,
    pub(super) oidc_client_id: String,
    #[serde(serialize_with = "plaintext::maybe")]
    pub(super) oidc_client_secret: Option<Secret<String>>,
    oidc_discovery_ca_pem: String,
    pub(super) oidc_discovery_url: String,
    oidc_response_mode: String,
    oidc_response_types: Vec<String>,
}

impl Stored for Config {
    const MAX_BYTES: usize = 256 * 1024;
}

impl Config {
    /// The configuration, without which nobody logs in.
    pub(super) async fn of(cx: &Ctx) -> Result<Self, Fault> {
        let config = cx.view.get(PLACE).await?;
        config.ok_or_else(|| Fault::invalid("could not load configuration"))
    }

    /// Where the keys come from.
    pub(super) fn source(&self) -> Source {
        let place = |url: &str, roots: &str| Place {
            url: url.to_owned(),
            roots: roots.to_owned(),
            bearer: None,
        };
        if !self.oidc_discovery_url.is_empty() {
            let place = place(&self.oidc_discovery_url, &self.oidc_discovery_ca_pem);
            return Source::Discovery(place);
        }
        match self.jwks_url.is_empty() {
            false => Source::Jwks(place(&self.jwks_url, &self.jwks_ca_pem)),
            true => Source::Pem(self.jwt_validation_pubkeys.clone()),
        }
    }

    /// The certificates that the provider's must come from.
    pub(super) fn roots(&self) -> &str {
        &self.oidc_discovery_ca_pem
    }

    /// What tokens may be signed by: what is configured, else whatever the keys are for.
    pub(super) fn algorithms(&self) -> Vec<Algorithm> {
        let named = self.jwt_supported_algs.iter();
        let named: Vec<_> = named.filter_map(|name| Algorithm::parse(name)).collect();
        match self.jwt_supported_algs.is_empty() {
            true => Algorithm::PUBLIC.to_vec(),
            false => named,
        }
    }

    /// Who must have issued a token. An issuer that was found by discovery speaks for itself alone: providers with many
    /// customers sign for all of them with the same keys.
    pub(super) fn issuer(&self) -> &str {
        match self.bound_issuer.is_empty() {
            true => &self.oidc_discovery_url,
            false => &self.bound_issuer,
        }
    }

    /// Whether people can sign in with a browser.
    pub(super) fn signs_in(&self) -> bool {
        self.oidc_client_secret.is_some() && !self.oidc_client_id.is_empty()
    }

    /// Whether the provider sends its answers as a form rather than in the address.
    pub(super) fn by_form(&self) -> bool {
        self.oidc_response_mode == "form_post"
    }

    /// Whether the provider shall answer with a token at once, rather than with a code that is changed for one.
    pub(super) fn without_code(&self) -> bool {
        self.oidc_response_types
            .iter()
            .any(|kind| kind == "id_token")
    }

    fn refuse(&self) -> Result<(), Fault> {
        let has_secret = self.oidc_client_secret.is_some();
        if has_secret == self.oidc_client_id.is_empty() {
            return Err(Fault::invalid(
                "both 'oidc_client_id' and 'oidc_client_secret' must be set for OIDC",
            ));
        }
        if has_secret && self.oidc_discovery_url.is_empty() {
            return Err(Fault::invalid("'oidc_discovery_url' must be set for OIDC"));
        }
        let mode = self.oidc_response_mode.as_str();
        if !matches!(mode, "" | "query" | "form_post") {
            return Err(Fault::Invalid(format!("invalid response_mode: {mode:?}")));
        }
        let kinds = &self.oidc_response_types;
        let is_kind = |kind: &String| matches!(kind.as_str(), "code" | "id_token");
        if !kinds.iter().all(is_kind) {
            let kinds = kinds.join(" ");
            return Err(Fault::Invalid(format!(
                "invalid response_types [{kinds}]. 'code' and 'id_token' are allowed"
            )));
        }
        if self.without_code() && !self.by_form() {
            return Err(Fault::invalid(
                "query response_mode may not be used with an id_token response_type",
            ));
        }
        let known = |name: &&String| {
            Algorithm::parse(name).is_some_and(|known| Algorithm::PUBLIC.contains(&known))
        };
        match self.jwt_supported_algs.iter().find(|name| !known(name)) {
            Some(name) => Err(Fault::Invalid(format!(
                "invalid jwt_supported_algs: unsupported signing algorithm {name:?}"
            ))),
            None => Ok(()),
        }
    }
}

/// Shows the configuration, without the client's secret.
#[derive(Deserialize, JsonSchema)]
struct ReadConfig {}

/// The configuration as clients see it.
#[derive(Serialize, JsonSchema)]
struct ConfigView {
    bound_issuer: String,
    default_role: String,
    jwks_ca_pem: String,
    jwks_url: String,
    jwt_supported_algs: Vec<String>,
    jwt_validation_pubkeys: Vec<String>,
    namespace_in_state: bool,
    oidc_client_id: String,
    oidc_discovery_ca_pem: String,
    oidc_discovery_url: String,
    oidc_response_mode: String,
    oidc_response_types: Vec<String>,
    override_allowed_server_names: Vec<String>,
    provider_config: BTreeMap<String, String>,
    /// Whether there are keys to verify tokens by: `valid` or `invalid`.
    status: &'static str,
}

impl Handle<Jwt> for ReadConfig {
    type Reply = Reply;

    async fn handle(self, engine: &Jwt, cx: &Ctx) -> Result<Reply, Fault> {
        let config: Config = cx.view.get(PLACE).await?.ok_or(Fault::NotFound)?;
        let keys = engine.issuers.facts(cx, &config.source()).await;
        let view = ConfigView {
            bound_issuer: config.bound_issuer,
            default_role: config.default_role,
            jwks_ca_pem: config.jwks_ca_pem,
            jwks_url: config.jwks_url,
            jwt_supported_algs: config.jwt_supported_algs,
            jwt_validation_pubkeys: config.jwt_validation_pubkeys,
            namespace_in_state: config.namespace_in_state,
            oidc_client_id: config.oidc_client_id,
            oidc_discovery_ca_pem: config.oidc_discovery_ca_pem,
            oidc_discovery_url: config.oidc_discovery_url,
            oidc_response_mode: config.oidc_response_mode,
            oidc_response_types: config.oidc_response_types,
            override_allowed_server_names: Vec::new(),
            provider_config: BTreeMap::new(),
            status: if keys.is_ok() { "valid" } else { "invalid" },
        };
        let reply = Reply::data(&view)?;
        Ok(match keys {
            Ok(_) => reply,
            Err(why) => reply.warn(format!("the keys cannot be read: {}", why.0)),
        })
    }
}

/// Says who vouches for those who log in. All of it but `namespace_in_state` is set anew: what is not named is as if it
/// had never been.
#[derive(Deserialize, JsonSchema)]
struct WriteConfig {
    /// What the claim `iss` must be; the issuer itself where it is found by discovery and this is empty.
    #[serde(default)]
    bound_issuer: Text,
    /// The role of logins that name none.
    #[serde(default)]
    default_role: Text,
    /// Certificates in PEM, one of which that of the JWKS URL must come from; those of the system if empty.
    #[serde(default)]
    jwks_ca_pem: Text,
    /// Where the keys are, as a JWK set. Instead of discovery or public keys.
    #[serde(default)]
    jwks_url: Text,
    /// Signature algorithms that are accepted (RS256, ES256, EdDSA …); all that the keys are for if empty.
    #[serde(default)]
    jwt_supported_algs: CommaList,
    /// Public keys or certificates in PEM. Instead of discovery or a JWKS URL.
    #[serde(default)]
    jwt_validation_pubkeys: CommaList,
    /// Carries the namespace of a sign-in in its state rather than in the address to come back to.
    #[serde(default)]
    namespace_in_state: Option<Flag>,
    /// The name that the provider knows this server by.
    #[serde(default)]
    oidc_client_id: Text,
    /// The secret that goes with the name; never shown.
    #[serde(default)]
    oidc_client_secret: Text,
    /// Certificates in PEM, one of which the provider's must come from; those of the system if empty.
    #[serde(default)]
    oidc_discovery_ca_pem: Text,
    /// The issuer, exactly as it names itself, without `.well-known/openid-configuration`.
    #[serde(default)]
    oidc_discovery_url: Text,
    /// How the provider answers: `query` or `form_post`.
    #[serde(default)]
    oidc_response_mode: Text,
    /// What it answers: `code` or `id_token`.
    #[serde(default)]
    oidc_response_types: CommaList,
    /// Not supported: certificates are always compared with the name in the address.
    #[serde(default)]
    override_allowed_server_names: CommaList,
    /// Not supported: what only one provider needs.
    #[serde(default)]
    provider_config: Map<String, Value>,
    /// Takes the configuration although its provider does not answer, with a warning.
    #[serde(default)]
    skip_jwks_validation: Flag,
}

impl Handle<Jwt> for WriteConfig {
    type Reply = Reply;

    async fn handle(self, engine: &Jwt, cx: &Ctx) -> Result<Reply, Fault> {
        let skips = self.skip_jwks_validation.0;
        let old: Option<Config> = cx.view.get(PLACE).await?;
        let config = self.config(old.is_none_or(|old| old.namespace_in_state))?;
        let checked = engine.issuers.check(cx, &config.source()).await;
        let mut reply = Reply::default();
        if let Err(why) = checked {
            let (what, may_skip) = match config.source() {
                Source::Discovery(_) => ("error checking oidc discovery URL", true),
                Source::Pem(_) => ("error parsing public key", false),
                _ => ("error checking jwks URL", true),
            };
            let why = format!("{what}: {}", why.0);
            match skips && may_skip {
                true => reply = reply.warn(why),
                false => return Err(Fault::Invalid(why)),
            }
        }
        cx.view.put(PLACE, &config).await?;
        Ok(reply)
    }
}

impl WriteConfig {
    fn config(self, namespace_in_state: bool) -> Result<Config, Fault> {
        let sources = [
            !self.jwt_validation_pubkeys.0.is_empty(),
            !self.jwks_url.0.is_empty(),
            !self.oidc_discovery_url.0.is_empty(),
        ];
        if sources.into_iter().filter(|is_set| *is_set).count() != 1 {
            return Err(Fault::invalid(
                "exactly one of 'jwt_validation_pubkeys', 'jwks_url' or 'oidc_discovery_url' must be set",
            ));
        }
        if !self.override_allowed_server_names.0.is_empty() {
            return Err(Fault::invalid(
                "override_allowed_server_names is not supported: certificates are always compared with the name in the address; let the provider have one for its name",
            ));
        }
        if !self.provider_config.is_empty() {
            return Err(Fault::invalid(
                "invalid provider_config: no provider needs one here, and none is supported; leave it out",
            ));
        }
        let secret = Some(self.oidc_client_secret.0).filter(|secret| !secret.is_empty());
        let config = Config {
            bound_issuer: self.bound_issuer.0,
            default_role: self.default_role.0.to_lowercase(),
            jwks_ca_pem: self.jwks_ca_pem.0,
            jwks_url: self.jwks_url.0,
            jwt_supported_algs: self.jwt_supported_algs.0,
            jwt_validation_pubkeys: self.jwt_validation_pubkeys.0,
            namespace_in_state: self
                .namespace_in_state
                .map_or(namespace_in_state, |flag| flag.0),
            oidc_client_id: self.oidc_client_id.0,
            oidc_client_secret: secret.map(Secret::new),
            oidc_discovery_ca_pem: self.oidc_discovery_ca_pem.0,
            oidc_discovery_url: self.oidc_discovery_url.0,
            oidc_response_mode: self.oidc_response_mode.0,
            oidc_response_types: self.oidc_response_types.0,
        };
        config.refuse()?;
        Ok(config)
    }
}
