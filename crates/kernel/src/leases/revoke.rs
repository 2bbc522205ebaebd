//! Ending a lease.

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
    record.state = if record.attempts >= ATTEMPTS_BEFORE_IRREVOCABLE {
        LeaseState::Irrevocable
    } else {
        LeaseState::Revoking
    };
    open.leases.park(id, &record).await?;
    open.parked.add(record.parking());
    tracing::warn!(lease = id, attempts = record.attempts, error = %record.last_error, "revocation failed and will be retried");
    Ok(format!(
        "the lease {id:?} could not be revoked and will be retried: {}",
        record.last_error
    ))
}
