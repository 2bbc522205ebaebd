//! `sys/`: the server's own affairs, one file a topic.

mod audit;
mod capabilities;
mod leases;
mod mounts;
mod policies;
mod rotation;
mod seal;
mod snapshot;

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use audit::{AuditChain, AuditChainKey, AuditDevice, AuditEnable, AuditState};
pub use leases::{Lease, RevokePrefix};
pub use mounts::{Mount, MountConfig, MountEnable, MountPreflight, Remount};
pub use rotation::{Attempt, KeyStatus, Keys, NewShares, RekeyAnswer, RekeyState, RootAttempt};
pub use seal::{BreakGlass, Health, Init, InitAnswer, Leader, Member, SealStatus};

use crate::{Client, Error, Method, Request};

/// Calls below `sys/`.
#[derive(Clone, Copy)]
pub struct Sys<'a> {
    client: &'a Client,
}

impl<'a> Sys<'a> {
    pub(crate) fn new(client: &'a Client) -> Self {
        Self { client }
    }

    /// A plain GET whose body itself is the answer.
    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Error> {
        self.client
            .send(Request::new(Method::Get, path))
            .await?
            .ok()?
            .json()
    }

    /// A GET whose answer is the envelope's `data`.
    async fn get_data<T: DeserializeOwned>(&self, path: &str) -> Result<T, Error> {
        self.client
            .send(Request::new(Method::Get, path))
            .await?
            .ok()?
            .data()
    }

    /// A PUT whose body itself is the answer.
    async fn put<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, Error> {
        self.client
            .send(Request::new(Method::Put, path).json(body)?)
            .await?
            .ok()?
            .json()
    }

    /// A request whose answer says nothing but that it is done.
    async fn done(&self, method: Method, path: &str, body: &impl Serialize) -> Result<(), Error> {
        self.client
            .send(Request::new(method, path).json(body)?)
            .await?
            .ok()
            .map(drop)
    }

    async fn delete(&self, path: &str) -> Result<(), Error> {
        self.client
            .send(Request::new(Method::Delete, path))
            .await?
            .ok()
            .map(drop)
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde's skip_serializing_if hands out a reference"
)]
fn is_false(flag: &bool) -> bool {
    !flag
}
