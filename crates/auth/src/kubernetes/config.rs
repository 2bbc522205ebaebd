//! `config`: where the cluster is, and who vouches for its tokens.

use coffer_crypto::Secret;
use coffer_engine::{Ctx, Empty, Exists, Fault, Handle, Routes, Stored, path, plaintext};
use coffer_wire::{CommaList, Flag, Text};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use webpki::anchor_from_trusted_cert;

use super::Kubernetes;
use crate::address;
use crate::issuer::Source;

/// Where it is kept.
const PLACE: &str = "config";

pub(super) fn routes() -> Routes<Kubernetes> {
    Routes::new([path(
        "config",
        "Where the cluster is, and who vouches for its tokens.",
    )
    .exists::<ReadConfig>()
    .read::<ReadConfig>()
    .write::<WriteConfig>()
    .tells("kubernetes/config-write")])
}

/// The stored configuration.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(super) struct Config {
    /// The API server, as it was written.
    pub(super) host: String,
    /// The certificates that the API server's must come from, in PEM; empty for those of this server's own pod.
    pub(super) ca: String,
    /// The token that reviews are asked with; empty for that of this server's own pod or, without one, the token that
    /// is reviewed.
    #[serde(serialize_with = "plaintext::text")]
    pub(super) reviewer: Secret<String>,
    /// The cluster's keys, in PEM.
    pub(super) keys: Vec<String>,
    /// The issuer that tokens must name.
    pub(super) issuer: String,
    /// Any issuer is as good.
    pub(super) any_issuer: bool,
    /// What this server's own pod has is not used.
    pub(super) not_as_a_pod: bool,
    /// Tokens are verified by the cluster's keys alone.
    #[serde(default)]
    pub(super) without_review: bool,
}

impl Stored for Config {
    const MAX_BYTES: usize = 512 * 1024;
}

impl Config {
    /// The configuration, if there is one.
    pub(super) async fn find(cx: &Ctx) -> Result<Option<Self>, Fault> {
        Ok(cx.view.get(PLACE).await?)
    }
}

/// Shows the configuration, without the reviewer's token.
#[derive(Deserialize, JsonSchema)]
struct ReadConfig {}

impl Exists<Kubernetes> for ReadConfig {
    async fn exists(self, _: &Kubernetes, cx: &Ctx) -> Result<bool, Fault> {
        Ok(Config::find(cx).await?.is_some())
    }
}

/// The configuration as clients see it.
#[derive(Serialize, JsonSchema)]
struct ConfigView {
    /// Whether tokens of any issuer are taken.
    disable_iss_validation: bool,
    /// Whether what this server's own pod has is left unused.
    disable_local_ca_jwt: bool,
    /// Whether tokens are verified by the cluster's keys alone.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    disable_token_review: bool,
    /// The issuer that tokens must name.
    issuer: String,
    /// The certificates that the API server's must come from, in PEM.
    kubernetes_ca_cert: String,
    /// The API server.
    kubernetes_host: String,
    /// The cluster's keys, in PEM.
    pem_keys: Vec<String>,
    /// Whether there is a token to ask reviews with.
    token_reviewer_jwt_set: bool,
}

impl Handle<Kubernetes> for ReadConfig {
    type Reply = ConfigView;

    async fn handle(self, _: &Kubernetes, cx: &Ctx) -> Result<ConfigView, Fault> {
        let config = Config::find(cx).await?.ok_or(Fault::NotFound)?;
        Ok(ConfigView {
            disable_iss_validation: config.any_issuer,
            disable_local_ca_jwt: config.not_as_a_pod,
            disable_token_review: config.without_review,
            issuer: config.issuer,
            kubernetes_ca_cert: config.ca,
            kubernetes_host: config.host,
            pem_keys: config.keys,
            token_reviewer_jwt_set: !config.reviewer.expose().is_empty(),
        })
    }
}

/// Says where the cluster is, all of it anew: what is not named is as if it had never been said.
#[derive(Deserialize, JsonSchema)]
struct WriteConfig {
    /// The API server: a host, a host and a port, or an address of https or http.
    #[serde(default)]
    kubernetes_host: Text,
    /// The certificates that the API server's must come from, in PEM; those of this server's own pod if it runs in one.
    #[serde(default)]
    kubernetes_ca_cert: Text,
    /// The token that reviews are asked with. Without one that of this server's own pod is used or, if it runs in none,
    /// the token that is reviewed.
    #[serde(default)]
    token_reviewer_jwt: Text,
    /// The cluster's public keys, or certificates with them, in PEM: tokens must be signed by one, too.
    #[serde(default)]
    pem_keys: CommaList,
    /// The issuer that tokens must name, where that is looked at.
    #[serde(default)]
    issuer: Text,
    /// Takes tokens of any issuer, as is the rule: who signed them is known.
    #[serde(default)]
    disable_iss_validation: Option<Flag>,
    /// Does not use the token and the certificates of this server's own pod.
    #[serde(default)]
    disable_local_ca_jwt: Flag,
    /// Verifies tokens by the cluster's keys alone (`pem_keys` or, without, those that it publishes) and asks for no
    /// review. The token of an account that is gone is then good until it ends.
    #[serde(default)]
    disable_token_review: Flag,
}

impl Handle<Kubernetes> for WriteConfig {
    type Reply = Empty;

    async fn handle(self, engine: &Kubernetes, cx: &Ctx) -> Result<Empty, Fault> {
        let host = self.kubernetes_host.0;
        if host.is_empty() {
            return Err(Fault::invalid("no host provided"));
        }
        address::base("kubernetes_host", &host)?;
        let ca = self.kubernetes_ca_cert.0;
        match (ca.is_empty(), self.disable_local_ca_jwt.0) {
            (true, true) => {
                return Err(Fault::invalid(
                    "kubernetes_ca_cert must be given when disable_local_ca_jwt is true",
                ));
            }
            (true, false) => {
                let own = engine.pod.ca().await.map_err(Fault::invalid)?;
                refuse_certificates(&own)?;
            }
            (false, _) => refuse_certificates(&ca)?,
        }
        let reviewer = Secret::new(self.token_reviewer_jwt.0.trim().to_owned());
        if !reviewer.expose().chars().all(|c| c.is_ascii_graphic()) {
            return Err(Fault::invalid("token_reviewer_jwt is no token"));
        }
        refuse_keys(engine, cx, &self.pem_keys.0).await?;
        let config = Config {
            host,
            ca,
            reviewer,
            keys: self.pem_keys.0,
            issuer: self.issuer.0,
            any_issuer: self.disable_iss_validation.is_none_or(|flag| flag.0),
            not_as_a_pod: self.disable_local_ca_jwt.0,
            without_review: self.disable_token_review.0,
        };
        cx.view.put(PLACE, &config).await?;
        Ok(Empty)
    }
}

async fn refuse_keys(engine: &Kubernetes, cx: &Ctx, keys: &[String]) -> Result<(), Fault> {
    if keys.is_empty() {
        return Ok(());
    }
    let source = Source::Pem(keys.to_vec());
    let read = engine.issuers.check(cx, &source).await;
    read.map_err(|why| Fault::Invalid(format!("pem_keys: {}", why.0)))
}

/// A text without a certificate would let no API server be trusted.
fn refuse_certificates(pem: &str) -> Result<(), Fault> {
    let read = CertificateDer::pem_slice_iter(pem.as_bytes()).collect::<Result<Vec<_>, _>>();
    let read = read.ok().filter(|read| !read.is_empty());
    let fine =
        read.is_some_and(|read| read.iter().all(|one| anchor_from_trusted_cert(one).is_ok()));
    match fine {
        true => Ok(()),
        false => Err(Fault::invalid(
            "kubernetes_ca_cert holds something else than certificates in PEM, or none",
        )),
    }
}
