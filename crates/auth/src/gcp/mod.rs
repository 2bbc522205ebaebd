//! `gcp`: service accounts and machines of Google Cloud, by tokens that they or Google have signed.
//!
//! A service account signs a token for a role with a key of its own, and the keys come from where Google publishes those
//! of each account. A machine's token is signed by Google and says which machine it is, and by which service account it
//! runs. What tokens do not say (labels, groups, the folders of a project) is asked of Google, by the credentials of the
//! configuration or, on Google's own machines, by those of the machine. Every address is of the configuration: of what a
//! stranger sends only the name of a service account comes to stand in one, and only if a role could be for it.
//!
//! Records: `config`; `role/<name>` a role.

mod bearer;
mod config;
mod credentials;
mod edits;
mod google;
mod identity;
mod login;
mod metadata;
mod role;

use coffer_engine::{Ctx, Engine, Fault, MountInfo, Routes};

use bearer::Bearers;

use crate::issuer::Issuers;

/// The gcp method.
pub struct Gcp {
    issuers: Issuers,
    bearers: Bearers,
}

impl Engine for Gcp {
    const NAME: &'static str = "gcp";
    const HELP: &'static str = "Logs service accounts and machines of Google Cloud in.";

    fn new(_: &MountInfo) -> Self {
        Self {
            issuers: Issuers::default(),
            bearers: Bearers::default(),
        }
    }

    fn routes() -> Routes<Self> {
        Routes::merge([
            config::routes(),
            role::routes(),
            edits::routes(),
            login::routes(),
        ])
    }

    async fn count(&self, cx: &Ctx) -> Result<Option<u64>, Fault> {
        coffer_engine::keys::count(&cx.view, role::FOLDER)
            .await
            .map(Some)
    }
}
