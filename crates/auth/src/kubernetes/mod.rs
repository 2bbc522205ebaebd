//! `kubernetes`: pods, by the tokens of their service accounts.
//!
//! A token says whose it is, and nobody believes it: either the cluster's API server vouches for it in a review, as it is
//! at that moment, or it is verified by the cluster's keys, which knows nothing of accounts that were deleted since. Only
//! then is its bearer told anything about a role. Whom this server asks is said by the configuration alone.
//!
//! Records: `config` where the cluster is; `role/<name>` a role.

mod cluster;
mod config;
mod login;
mod pod;
mod role;
mod selector;
mod service_account;
mod yaml;

use coffer_engine::{Ctx, Engine, Fault, MountInfo, Routes};

use pod::Pod;

use crate::issuer::Issuers;

/// The kubernetes method.
pub struct Kubernetes {
    pod: Pod,
    issuers: Issuers,
}

impl Engine for Kubernetes {
    const NAME: &'static str = "kubernetes";
    const HELP: &'static str = "Logs pods in by the tokens of their service accounts.";

    fn new(_: &MountInfo) -> Self {
        Self {
            pod: Pod::default(),
            issuers: Issuers::default(),
        }
    }

    fn routes() -> Routes<Self> {
        Routes::merge([config::routes(), role::routes(), login::routes()])
    }

    async fn count(&self, cx: &Ctx) -> Result<Option<u64>, Fault> {
        coffer_engine::keys::count(&cx.view, role::FOLDER)
            .await
            .map(Some)
    }
}
