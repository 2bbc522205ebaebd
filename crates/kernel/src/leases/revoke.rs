//! Ending a lease.

use std::time::Duration;

use coffer_engine::Fault;
use futures_util::{StreamExt, stream};

use super::record::{LeaseRecord, LeaseState};
use crate::open::Open;

/// How many leases one request revokes at the same time.
const CONCURRENT_REVOCATIONS: usize = 32;
/// How many leases are read at once.
const PAGE: usize = 512;
/// After so many failures a lease is shown as irrevocable.
pub(super) const ATTEMPTS_BEFORE_IRREVOCABLE: u32 = 6;

/// How long an ending may hold up others before its lease goes into the queue of its target.
const INLINE_DEADLINE: Duration = Duration::from_secs(2);

/// What happens when the engine can not undo the secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Force {
    /// The lease stays, says why, and is retried.
    No,
    /// The lease is forgotten; an operator takes care of what is left outside.
    Yes,
}

/// Undoes a lease's secret, then forgets the lease. Unknown leases are fine: they are gone.
///
/// When the engine fails the lease is parked for retries and the error tells so, unless forced.
pub async fn revoke(open: &Open, id: &str, force: Force) -> Result<(), Fault> {
    let Some(record) = open.leases.get(id).await? else {
        return Ok(());
    };
    match undo(open, &record).await {
        Err(fault) if force == Force::No => {
            let text = park(open, id, record, &fault).await?;
            Err(Fault::Upstream(text))
        }
        _ => open.leases.forget(id, &record).await,
    }
}

/// Revokes every lease below a prefix; goes on past failures and then reports them.
pub async fn revoke_prefix(open: &Open, prefix: &str, force: Force) -> Result<(), Fault> {
    let mut after: Option<String> = None;
    let mut failures = Vec::new();
    loop {
        let page = open.leases.ids(prefix, after.as_deref(), PAGE).await?;
        let Some(last) = page.last().cloned() else {
            break;
        };
        let each = page
            .into_iter()
            .map(|id| async move { revoke(open, &id, force).await.err() });
        let failed = stream::iter(each)
            .buffer_unordered(CONCURRENT_REVOCATIONS)
            .filter_map(std::future::ready);
        failures.extend(failed.collect::<Vec<_>>().await);
        after = Some(last);
    }
    match failures.first() {
        None => Ok(()),
        Some(first) => Err(Fault::Upstream(format!(
            "{} leases could not be revoked and are being retried; the first: {first}",
            failures.len()
        ))),
    }
}

/// Ends a lease because its token ends. It leaves the token's list in any case.
pub async fn end_of_token(open: &Open, id: &str, accessor: &str) -> Result<(), Fault> {
    if let Some(record) = open.leases.get(id).await?.filter(|record| !record.parked) {
        end(open, id, record).await?;
    }
    open.leases.detach(id, accessor).await
}

/// Ends a lease whose time has come, without letting one slow target hold up the others: a target
/// that already failed, or does not answer soon, gets the lease into its queue.
pub(super) async fn end(open: &Open, id: &str, record: LeaseRecord) -> Result<(), Fault> {
    let target = record.parking();
    if open.parked.holds(&target) {
        return queue(open, id, record).await;
    }
    match tokio::time::timeout(INLINE_DEADLINE, undo(open, &record)).await {
        Ok(Ok(())) => open.leases.forget(id, &record).await,
        Ok(Err(fault)) => park(open, id, record, &fault).await.map(drop),
        Err(_) if open.parked.holds(&target) => queue(open, id, record).await,
        Err(_) => {
            let fault = Fault::upstream("the target did not answer in time");
            park(open, id, record, &fault).await.map(drop)
        }
    }
}

/// Asks the engine to undo the secret. A mount that is gone has nothing left to undo with.
pub(super) async fn undo(open: &Open, record: &LeaseRecord) -> Result<(), Fault> {
    let Some(mount) = open.mounts.by_accessor(&record.mount) else {
        return Ok(());
    };
    let permit = open.targets.enter(&record.parking()).await;
    let cx = open.background(&mount);
    let undone = mount.engine()?.revoke(&cx, record.lease.clone()).await;
    drop(permit);
    undone
}

/// Puts a lease into the queue of its failing target, untried.
async fn queue(open: &Open, id: &str, mut record: LeaseRecord) -> Result<(), Fault> {
    record.parked = true;
    if record.state != LeaseState::Irrevocable {
        record.state = LeaseState::Revoking;
    }
    open.leases.park(id, &record).await?;
    open.parked.add(record.parking());
    Ok(())
}

/// Puts a lease aside for retries; answers what to tell the client.
pub(super) async fn park(
    open: &Open,
    id: &str,
    mut record: LeaseRecord,
    fault: &Fault,
) -> Result<String, Fault> {
    record.attempts = record.attempts.saturating_add(1);
    record.last_error = match fault {
        Fault::Internal(source) => {
            tracing::error!(lease = id, %source, "a lease could not be revoked");
            "an internal error; see the server's log".to_owned()
        }
        other => other.to_string(),
    };
    let attempts = record.attempts;
    if attempts >= ATTEMPTS_BEFORE_IRREVOCABLE {
        record.state = LeaseState::Irrevocable;
    }
    let text = format!(
        "the lease {id:?} could not be revoked and will be retried: {}",
        record.last_error
    );
    tracing::warn!(lease = id, attempts, error = %record.last_error, "revocation failed and will be retried");
    queue(open, id, record).await?;
    Ok(text)
}
