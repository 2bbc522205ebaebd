//! `sys/leases`: what was issued, and ending it.

use std::collections::BTreeMap;
use std::sync::Arc;

use coffer_engine::{Ctx, Empty, Fault, Handle, Renewed, Reply, Routes, path};
use coffer_wire::{Flag, Text, Timestamp, Ttl};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::keys;
use crate::leases::{self, Force, LeaseState, Which};
use crate::namespaces::id_of;
use crate::open::Open;

/// How many irrevocable leases one answer shows.
const MAX_SHOWN_LEASES: usize = 10_000;

pub(super) fn routes() -> Routes<Open> {
    Routes::new([
        path("leases", "Counts or shows leases that can not be revoked.")
            .sudo()
            .read::<ListIrrevocable>(),
        path("leases/count", "Counts leases.").read::<CountLeases>(),
        path("leases/lookup", "Shows one lease.").write::<LookupLease>(),
        path("leases/lookup/{prefix*}", "Lists leases below a prefix.")
            .sudo()
            .list::<ListLeases>(),
        path("leases/renew", "Extends a lease.").write::<RenewLease>(),
        path("leases/renew/{url_lease_id*}", "Extends a lease.").write::<RenewLeaseByPath>(),
        path("leases/revoke", "Ends a lease now.").write::<RevokeLease>(),
        path("leases/revoke/{url_lease_id*}", "Ends a lease now.").write::<RevokeLeaseByPath>(),
        path(
            "leases/revoke-prefix/{prefix*}",
            "Ends every lease below a prefix.",
        )
        .sudo()
        .write::<RevokePrefix>(),
        path(
            "leases/revoke-force/{prefix*}",
            "Forgets every lease below a prefix, even where its secret can not be undone.",
        )
        .sudo()
        .write::<RevokeForce>(),
        path("leases/tidy", "Removes index entries that lead nowhere.").write::<TidyLeases>(),
        path("renew", "Extends a lease (the old path).").write::<RenewLease>(),
        path("renew/{url_lease_id*}", "Extends a lease (the old path).")
            .write::<RenewLeaseByPath>(),
        path("revoke", "Ends a lease now (the old path).").write::<RevokeLease>(),
        path("revoke/{url_lease_id*}", "Ends a lease now (the old path).")
            .write::<RevokeLeaseByPath>(),
        path(
            "revoke-prefix/{prefix*}",
            "Ends every lease below a prefix (the old path).",
        )
        .sudo()
        .write::<RevokePrefix>(),
        path(
            "revoke-force/{prefix*}",
            "Forgets every lease below a prefix (the old path).",
        )
        .sudo()
        .write::<RevokeForce>(),
    ])
}

/// Shows one lease.
#[derive(Deserialize, JsonSchema)]
struct LookupLease {
    /// The lease.
    #[serde(default)]
    lease_id: Text,
}

/// A lease as lookups answer it.
#[derive(Serialize, JsonSchema)]
struct ShownLease {
    id: String,
    path: String,
    issue_time: Timestamp,
    expire_time: Timestamp,
    last_renewal: Option<Timestamp>,
    renewable: bool,
    ttl: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    revocation_error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revocation_attempts: Option<u32>,
}

impl Handle<Open> for LookupLease {
    type Reply = ShownLease;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<ShownLease, Fault> {
        let id = given(self.lease_id)?;
        let home = open.within(&id).await?;
        let record = match home {
            Some(home) => home.leases.known(&id).await?,
            None => None,
        };
        let record = record.ok_or_else(|| Fault::invalid("invalid lease"))?;
        let path = id
            .rsplit_once('/')
            .map_or(id.as_str(), |(path, _)| path)
            .to_owned();
        Ok(ShownLease {
            path,
            issue_time: record.issued,
            expire_time: record.expires,
            last_renewal: record.last_renewal,
            renewable: record.renewable && record.state == LeaseState::Live,
            ttl: record.expires.since(cx.now).as_secs(),
            revocation_error: (record.attempts > 0).then_some(record.last_error),
            revocation_attempts: (record.attempts > 0).then_some(record.attempts),
            id,
        })
    }
}

/// Lists leases below a prefix.
#[derive(Deserialize, JsonSchema)]
struct ListLeases {
    /// The beginning of their ids.
    prefix: String,
}

impl Handle<Open> for ListLeases {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        let (space, prefix) = open
            .namespaces
            .descend(Arc::clone(&open.space), &self.prefix)
            .await?;
        keys(open.leases.list(&space.id, prefix).await?)
    }
}

/// Extends a lease.
#[derive(Deserialize, JsonSchema)]
struct RenewLease {
    /// The lease.
    #[serde(default)]
    lease_id: Text,
    /// How much longer, from now.
    #[serde(default)]
    increment: Option<Ttl>,
}

/// Extends a lease.
#[derive(Deserialize, JsonSchema)]
struct RenewLeaseByPath {
    /// The lease.
    url_lease_id: String,
    /// How much longer, from now.
    #[serde(default)]
    increment: Option<Ttl>,
}

impl Handle<Open> for RenewLease {
    type Reply = Reply;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        renew(open, cx, &given(self.lease_id)?, self.increment).await
    }
}

impl Handle<Open> for RenewLeaseByPath {
    type Reply = Reply;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        renew(open, cx, &self.url_lease_id, self.increment).await
    }
}

async fn renew(open: &Open, cx: &Ctx, id: &str, increment: Option<Ttl>) -> Result<Reply, Fault> {
    let asked = increment.filter(|ttl| !ttl.is_zero()).map(|ttl| ttl.0);
    let home = open.within(id).await?;
    let home = home.ok_or_else(|| Fault::invalid("lease not found"))?;
    let record = leases::renew(&home, id, asked).await?;
    let ttl = record.expires.since(cx.now);
    let mut reply = Reply {
        renewed: Some(Renewed {
            lease_id: id.to_owned(),
            ttl,
            renewable: record.renewable,
        }),
        ..Reply::default()
    };
    if let Some(asked) = asked.filter(|asked| asked.as_secs() > ttl.as_secs()) {
        let (asked, got) = (
            coffer_wire::format_duration(asked),
            coffer_wire::format_duration(ttl),
        );
        reply = reply.warn(format!(
            "TTL of {asked:?} exceeded the effective max_ttl; it was capped to {got:?}"
        ));
    }
    Ok(reply)
}

/// Ends a lease now.
#[derive(Deserialize, JsonSchema)]
struct RevokeLease {
    /// The lease.
    #[serde(default)]
    lease_id: Text,
    /// Revocations here are always done before the answer.
    #[serde(default, rename = "sync")]
    _sync: Flag,
}

/// Ends a lease now.
#[derive(Deserialize, JsonSchema)]
struct RevokeLeaseByPath {
    /// The lease.
    url_lease_id: String,
    /// The same lease again, if anything: policy was asked about the one in the path.
    #[serde(default)]
    lease_id: Option<Text>,
    /// Revocations here are always done before the answer.
    #[serde(default, rename = "sync")]
    _sync: Flag,
}

impl Handle<Open> for RevokeLease {
    type Reply = Empty;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Empty, Fault> {
        revoke(open, &given(self.lease_id)?).await
    }
}

impl Handle<Open> for RevokeLeaseByPath {
    type Reply = Empty;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Empty, Fault> {
        let named = self.lease_id.map(|id| id.0).unwrap_or_default();
        if !named.is_empty() && named != self.url_lease_id {
            return Err(Fault::invalid(
                "the lease_id is not the lease of the path; name one lease, in one place",
            ));
        }
        revoke(open, &self.url_lease_id).await
    }
}

/// Ends a lease of the namespace at hand or of one within it; others are as good as gone.
async fn revoke(open: &Open, id: &str) -> Result<Empty, Fault> {
    if let Some(home) = open.within(id).await? {
        leases::revoke(&home, id, Force::No).await.map_err(kept)?;
    }
    Ok(Empty)
}

/// A lease that its target does not let go stays: the reference answers that with 400.
fn kept(fault: Fault) -> Fault {
    match fault {
        Fault::Upstream(text) => Fault::Invalid(text),
        other => other,
    }
}

/// Ends every lease below a prefix.
#[derive(Deserialize, JsonSchema)]
struct RevokePrefix {
    /// The beginning of their ids.
    prefix: String,
    /// Revocations here are always done before the answer.
    #[serde(default, rename = "sync")]
    _sync: Flag,
}

/// Forgets every lease below a prefix, even where its secret can not be undone.
#[derive(Deserialize, JsonSchema)]
struct RevokeForce {
    /// The beginning of their ids.
    prefix: String,
}

impl Handle<Open> for RevokePrefix {
    type Reply = Empty;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Empty, Fault> {
        let _timed = open.settings.meters.leases.revoke_prefix.timed();
        revoke_below(open, &self.prefix, Force::No)
            .await
            .map_err(kept)
    }
}

impl Handle<Open> for RevokeForce {
    type Reply = Empty;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Empty, Fault> {
        let _timed = open.settings.meters.leases.revoke_force.timed();
        revoke_below(open, &self.prefix, Force::Yes).await
    }
}

async fn revoke_below(open: &Open, prefix: &str, force: Force) -> Result<Empty, Fault> {
    // From above, the path of a namespace comes first: also of one that is closed and waits for its leases.
    let (space, prefix) = open
        .namespaces
        .descend(Arc::clone(&open.space), prefix)
        .await?;
    let which = Which::Below {
        namespace: &space.id,
        prefix: &whole_segments(prefix),
    };
    leases::revoke_all(open, which, force).await.map(|()| Empty)
}

/// A prefix ends with a segment: `database/creds/app` does not mean `database/creds/application`.
fn whole_segments(prefix: &str) -> String {
    match prefix.trim_end_matches('/') {
        "" => String::new(),
        prefix => format!("{prefix}/"),
    }
}

/// Counts leases.
#[derive(Deserialize, JsonSchema)]
struct CountLeases {
    /// `irrevocable`.
    #[serde(default, rename = "type")]
    kind: Text,
    /// Counts those of child namespaces, too.
    #[serde(default)]
    include_child_namespaces: Flag,
}

impl Handle<Open> for CountLeases {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        if self.kind.0 != "irrevocable" {
            return Err(Fault::NotFound);
        }
        let found = irrevocable(open, self.include_child_namespaces.0, usize::MAX).await?;
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for (id, _) in &found {
            let mount = open
                .space
                .mounts
                .at(id)
                .map(|mount| mount.record.path.clone())
                .unwrap_or_default();
            *counts.entry(mount).or_default() += 1;
        }
        Reply::data(&json!({ "lease_count": found.len(), "counts": counts }))
    }
}

/// Shows leases that can not be revoked.
#[derive(Deserialize, JsonSchema)]
struct ListIrrevocable {
    /// `irrevocable`.
    #[serde(default, rename = "type")]
    kind: Text,
    /// At most so many; `none` for the most there can be.
    #[serde(default)]
    limit: Text,
    /// Shows those of child namespaces, too.
    #[serde(default)]
    include_child_namespaces: Flag,
}

impl Handle<Open> for ListIrrevocable {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        if self.kind.0 != "irrevocable" {
            return Err(Fault::NotFound);
        }
        let limit = match self.limit.0.as_str() {
            "" | "none" => MAX_SHOWN_LEASES,
            text => text
                .parse()
                .map_err(|_| Fault::invalid("limit must be a number or none"))?,
        };
        let children = self.include_child_namespaces.0;
        let found = irrevocable(open, children, limit.min(MAX_SHOWN_LEASES)).await?;
        let shown: Vec<_> = found
            .iter()
            .map(|(id, error)| json!({ "lease_id": id, "error": error }))
            .collect();
        Reply::data(&json!({ "lease_count": shown.len(), "leases": shown }))
    }
}

async fn irrevocable(
    open: &Open,
    children: bool,
    limit: usize,
) -> Result<Vec<(String, String)>, Fault> {
    let mut found = Vec::new();
    for target in open.leases.parked_targets().await? {
        let mut after: Option<String> = None;
        loop {
            let page = open
                .leases
                .parked_at(&target, after.as_deref(), 1_000)
                .await?;
            let Some(last) = page.last().cloned() else {
                break;
            };
            for id in page {
                let here = id_of(&id) == open.space.id;
                let readable = children && !leases::waiting::waits(open, &id);
                let asked_for = here || (readable && open.within(&id).await?.is_some());
                if !asked_for {
                    continue;
                }
                let record = open.leases.get(&id).await?;
                if let Some(record) =
                    record.filter(|record| record.state == LeaseState::Irrevocable)
                {
                    found.push((id, record.last_error));
                }
                if found.len() >= limit {
                    return Ok(found);
                }
            }
            after = Some(last);
        }
    }
    Ok(found)
}

/// Removes index entries that lead nowhere.
#[derive(Deserialize, JsonSchema)]
struct TidyLeases {}

impl Handle<Open> for TidyLeases {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        let removed = leases::tidy(open).await?;
        tracing::info!(removed, "tidied leases");
        Ok(Reply::default().status(202).warn(format!(
            "Tidy has run; {removed} stale index entries were removed."
        )))
    }
}

fn given(lease_id: Text) -> Result<String, Fault> {
    if lease_id.0.is_empty() {
        Err(Fault::invalid("lease_id must be specified"))
    } else {
        Ok(lease_id.0)
    }
}
