//! `cert`: clients that show a certificate in the TLS handshake.
//!
//! The listener has seen that the client holds the key of its certificate, and nothing else. Whether anybody vouches for
//! that certificate is decided here, by what a role trusts: an authority, from which a path of signatures leads to what the
//! client showed, or the very certificate, byte for byte.
//!
//! Records: `config` the settings; `cert/<name>` a role; `crl/<name>` what is known of a list of revoked certificates, and
//! `crl-list/<name>` the list itself.

mod anchors;
mod certificate;
mod config;
mod constraints;
mod crl;
mod crls;
mod login;
mod ocsp;
mod role;
mod role_write;
mod signature;
mod trust;

use std::time::Duration;

use coffer_engine::{Ctx, Engine, Fault, MountInfo, Routes};
use tokio::sync::Semaphore;

/// The cert method.
pub struct Cert {
    /// What roles trust, read.
    anchors: anchors::Cache,
    /// Lists of revoked certificates that were read.
    lists: crl::Cache,
    /// What responders of OCSP said.
    answers: ocsp::Cache,
    /// Who may check signatures now: strangers must not take all of the machine.
    turns: Semaphore,
}

impl Engine for Cert {
    const NAME: &'static str = "cert";
    const HELP: &'static str =
        "Logs machines in by the certificate that they show in the TLS handshake.";
    const TICK: Option<Duration> = Some(Duration::from_secs(60));

    fn new(_: &MountInfo) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            anchors: anchors::Cache::default(),
            lists: crl::Cache::default(),
            answers: ocsp::Cache::default(),
            turns: Semaphore::new(cores),
        }
    }

    fn routes() -> Routes<Self> {
        Routes::merge([
            login::routes(),
            role::routes(),
            crls::routes(),
            config::routes(),
        ])
    }

    async fn count(&self, cx: &Ctx) -> Result<Option<u64>, Fault> {
        coffer_engine::keys::count(&cx.view, role::FOLDER)
            .await
            .map(Some)
    }

    async fn tick(&self, cx: &Ctx) -> Result<(), Fault> {
        crls::refresh(cx).await
    }
}
