//! `sys/quotas/lease-count`: how many leases may live.

use coffer_engine::{Ctx, Empty, Fault, Handle, Reply, Routes, path};
use coffer_wire::{Flag, Int, Text};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::{keys, positive, told, wish};
use crate::events::catalogue;
use crate::open::Open;
use crate::quotas::{Kind, Limit, Shown};

pub(super) fn routes() -> Routes<Open> {
    Routes::new([
        path("quotas/lease-count", "Lists the quotas of leases.").list::<ListLeases>(),
        path("quotas/lease-count/{name}", "How many leases may live.")
            .read::<ReadLeases>()
            .write::<WriteLeases>()
            .delete::<DeleteLeases>(),
    ])
}

/// Lists the quotas of leases.
#[derive(Deserialize, JsonSchema)]
struct ListLeases {}

impl Handle<Open> for ListLeases {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        keys(open.quotas.names(Kind::Leases))
    }
}

/// Shows a quota of leases.
#[derive(Deserialize, JsonSchema)]
struct ReadLeases {
    /// The name of the quota.
    name: String,
}

impl Handle<Open> for ReadLeases {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        let found = open.quotas.read(open, Kind::Leases, &self.name).await?;
        shown(&found.ok_or(Fault::NotFound)?)
    }
}

/// Removes a quota of leases.
#[derive(Deserialize, JsonSchema)]
struct DeleteLeases {
    /// The name of the quota.
    name: String,
}

impl Handle<Open> for DeleteLeases {
    type Reply = Empty;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Empty, Fault> {
        open.quotas.delete(Kind::Leases, &self.name).await?;
        told(open, catalogue::QUOTA_DELETE, "lease-count", &self.name);
        Ok(Empty)
    }
}

/// Sets how many leases may live; what is not given is reset.
#[derive(Deserialize, JsonSchema)]
struct WriteLeases {
    /// The name of the quota.
    name: String,
    /// Its kind, which the path says.
    #[serde(default, rename = "type")]
    _type: Text,
    /// The mount, the path below it (a `*` at the end for all that begin so) or the namespace; empty for everything.
    #[serde(default)]
    path: Text,
    /// The role whose logins it is for; `path` is then an auth mount.
    #[serde(default)]
    role: Text,
    /// How many leases, those of tokens included, there may be.
    #[serde(default)]
    max_leases: Int,
    /// Namespaces within share it where they have none. True if it is for everything, else false.
    #[serde(default)]
    inheritable: Option<Flag>,
}

impl Handle<Open> for WriteLeases {
    type Reply = Empty;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Empty, Fault> {
        let most = positive(self.max_leases, "max_leases")?;
        let limit = Limit::Leases { most };
        let wish = wish(self.name, self.path, self.role, self.inheritable, limit)?;
        let name = wish.name.clone();
        open.quotas.put(open, wish).await?;
        told(open, catalogue::QUOTA_WRITE, "lease-count", &name);
        Ok(Empty)
    }
}

fn shown(found: &Shown) -> Result<Reply, Fault> {
    let Limit::Leases { most } = found.quota.limit else {
        return Err(Fault::NotFound);
    };
    super::shown(
        found,
        json!({ "max_leases": most, "counter": found.leases }),
    )
}
