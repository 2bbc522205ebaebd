//! `jwt`, also known as `oidc`: people and machines whom somebody else vouches for with a signed token.
//!
//! Two ways in. At `login` somebody brings a token that they have (a CI job, a pod). By `oidc/…` they are sent to a
//! provider with a browser and come back with a code, which is changed here for a token. Both end in the same place: a
//! role says what the claims must be, and who somebody is by them.
//!
//! Records: `config`, and `role/<name>`. Sign-ins that are under way are in memory alone; they end after a few minutes.

mod acceptance;
mod authorization;
mod bound_claims;
mod callback;
mod config;
mod device;
mod exchange;
mod flows;
mod leeway;
mod login;
mod page;
mod pointer;
mod policies;
mod poll;
mod redirect;
mod role;

use coffer_engine::{Ctx, Engine, Fault, MountInfo, Routes};

use crate::issuer::Issuers;
use flows::Flows;

/// The jwt method.
pub struct Jwt {
    issuers: Issuers,
    flows: Flows,
}

impl Engine for Jwt {
    const NAME: &'static str = "jwt";
    const HELP: &'static str =
        "Logs in by tokens that others have signed, and people by their OpenID Connect provider.";

    fn new(_: &MountInfo) -> Self {
        Self {
            issuers: Issuers::default(),
            flows: Flows::default(),
        }
    }

    fn routes() -> Routes<Self> {
        Routes::merge([
            login::routes(),
            authorization::routes(),
            callback::routes(),
            poll::routes(),
            role::routes(),
            config::routes(),
        ])
    }

    async fn count(&self, cx: &Ctx) -> Result<Option<u64>, Fault> {
        coffer_engine::keys::count(&cx.view, role::FOLDER)
            .await
            .map(Some)
    }
}
