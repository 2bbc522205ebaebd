//! Ending a lease.

use std::sync::Arc;
use std::time::Duration;

use coffer_engine::Fault;
use futures_util::{StreamExt, stream};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

use super::book::Which;
use super::record::{LeaseRecord, LeaseState};
use super::told;
use crate::core::Core;
use crate::events::catalogue;

/// How many leases one request revokes at the same time.
const CONCURRENT_REVOCATIONS: usize = 32;
/// How many leases are read at once.
const PAGE: usize = 512;
/// After so many failures a lease is shown as irrevocable.
pub(super) const ATTEMPTS_BEFORE_IRREVOCABLE: u32 = 6;

/// How long an ending may hold up others, at the door of its target and inside, before its lease goes
/// into the queue of that target.
const DOOR_DEADLINE: Duration = Duration::from_secs(1);
const INLINE_DEADLINE: Duration = Duration::from_secs(2);
/// The longest that one revocation may take. It may do nothing for ever while a connection hangs.
pub(super) const LONGEST_REVOCATION: Duration = Duration::from_secs(60);
/// How long the worker leaves a lease to the request that revokes it.
const FINISH_GRACE: Duration = Duration::from_secs(10);

/// What happens when the engine can not undo the secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Force {
    /// The lease stays, says why, and is retried.
    No,
    /// The lease is forgotten; an operator takes care of what is left outside.
    Yes,
}

/// How the end of a lease begins.
enum Begun {
    /// There is no such lease (any more).
    Gone,
    /// Its request is still making the secret; it is undone when that ends.
    BeingMade,
    /// It can not be renewed from here on, and is to be undone.
    Yes(Box<LeaseRecord>),
}

/// Undoes a lease's secret, then forgets the lease. Unknown leases are fine: they are gone.
///
/// When the engine fails the lease is parked for retries and the error tells so, unless forced.
pub async fn revoke(core: &Arc<Core>, id: &str, force: Force) -> Result<(), Fault> {
    let _timed = core.settings.meters.leases.revoke.timed();
    let record = match begin(core, id).await? {
        Begun::Gone => return Ok(()),
        Begun::BeingMade if force == Force::Yes => return Ok(()),
        Begun::BeingMade => {
            return Err(Fault::Unavailable(
                "a request is still making this secret; it is undone as soon as that request ends"
                    .into(),
            ));
        }
        Begun::Yes(record) => record,
    };
    let place = core.targets.enter(&record.parking()).await;
    match undo(core, id, &record, place, LONGEST_REVOCATION).await {
        Err(fault) if force == Force::No => match park(core, id, &fault).await? {
            Some(text) => Err(Fault::Upstream(text)),
            None => Ok(()),
        },
        _ => {
            core.leases.forget(id).await?;
            told::ended(core, id, &record).await;
            Ok(())
        }
    }
}

/// Revokes many leases; goes on past failures and then reports them.
pub async fn revoke_all(core: &Arc<Core>, of: Which<'_>, force: Force) -> Result<(), Fault> {
    let mut after: Option<String> = None;
    let mut first: Option<Fault> = None;
    let mut failed = 0_usize;
    loop {
        let page = core.leases.ids(of, after.as_deref(), PAGE).await?;
        let Some(last) = page.last().cloned() else {
            break;
        };
        let each = page
            .into_iter()
            .map(|id| async move { revoke(core, &id, force).await.err() });
        let mut faults = stream::iter(each)
            .buffer_unordered(CONCURRENT_REVOCATIONS)
            .filter_map(std::future::ready);
        while let Some(fault) = faults.next().await {
            failed += 1;
            first.get_or_insert(fault);
        }
        after = Some(last);
    }
    match first {
        None => Ok(()),
        Some(Fault::Internal(source)) => Err(Fault::Internal(source)),
        Some(first) => Err(Fault::Upstream(format!(
            "{failed} leases could not be revoked and are being retried; the first: {first}"
        ))),
    }
}

/// Begins the end of those leases that are not being retried already, and answers how many are left.
pub async fn end_all(core: &Arc<Core>, of: Which<'_>) -> Result<usize, Fault> {
    let mut after: Option<String> = None;
    let mut left = 0;
    loop {
        let page = core.leases.ids(of, after.as_deref(), PAGE).await?;
        let Some(last) = page.last().cloned() else {
            return Ok(left);
        };
        for id in &page {
            end_unless_parked(core, id).await?;
            left += usize::from(core.leases.get(id).await?.is_some());
        }
        after = Some(last);
    }
}

/// Ends a lease because its token ends. It leaves the token's list in any case.
pub async fn end_of_token(core: &Arc<Core>, id: &str, accessor: &str) -> Result<(), Fault> {
    end_unless_parked(core, id).await?;
    core.leases.detach(id, accessor).await
}

/// Leaves a lease to the worker, which ends it at once: nobody got it.
pub async fn end_soon(core: &Arc<Core>, id: &str) -> Result<(), Fault> {
    let now = core.clock.now();
    let begin = |record: &mut LeaseRecord| {
        if matches!(record.state, LeaseState::Intent | LeaseState::Live) {
            record.state = LeaseState::Revoking;
        }
        record.due = record.due.min(now);
        Ok(())
    };
    match core.leases.update(id, begin).await {
        Ok(_) | Err(Fault::NotFound) => Ok(()),
        Err(other) => Err(other),
    }
}

/// Ends a lease whose time has come, unless that was put off meanwhile.
pub(super) async fn end_when_due(core: &Arc<Core>, id: &str) -> Result<(), Fault> {
    let now = core.clock.now();
    let begin = |record: &mut LeaseRecord| {
        if record.state == LeaseState::Live && record.expires.millis() > now.millis() {
            record.due = record.expires;
            return Ok(false);
        }
        if core.leases.is_being_made(id, record) {
            record.due = now.plus(FINISH_GRACE);
            return Ok(false);
        }
        if record.state == LeaseState::Live {
            record.state = LeaseState::Revoking;
        }
        Ok(true)
    };
    match core.leases.update(id, begin).await {
        Ok((record, true)) => {
            core.settings.meters.ended(record.expires, now);
            finish(core, id, &record).await
        }
        Ok((_, false)) | Err(Fault::NotFound) => Ok(()),
        Err(other) => Err(other),
    }
}

/// Asks the engine to undo the secret, at most for a while. A mount that is gone has nothing left to
/// undo with.
pub(super) async fn undo(
    core: &Arc<Core>,
    id: &str,
    record: &LeaseRecord,
    place: Option<OwnedSemaphorePermit>,
    at_most: Duration,
) -> Result<(), Fault> {
    let Some(open) = core.home_of(id).await? else {
        return Ok(());
    };
    let Some(mount) = open.space.mounts.by_accessor(&record.mount) else {
        return Ok(());
    };
    let _timed = core.settings.meters.leases.revoke_common.timed();
    let cx = open.background(&mount);
    let undoing = mount.engine()?.revoke(&cx, record.lease.clone());
    let undone = timeout(at_most, undoing).await;
    drop(place);
    undone.unwrap_or_else(|_| {
        Err(Fault::Unavailable(format!(
            "the target did not answer within {} s",
            at_most.as_secs()
        )))
    })
}

/// Puts a lease aside for retries; answers what to tell the client, or nothing where the lease is gone.
pub(super) async fn park(
    core: &Arc<Core>,
    id: &str,
    fault: &Fault,
) -> Result<Option<String>, Fault> {
    let error = match fault {
        Fault::Internal(source) => {
            tracing::error!(lease = id, %source, "a lease could not be revoked");
            "an internal error; see the server's log".to_owned()
        }
        other => other.to_string(),
    };
    core.settings.meters.leases.expiration_error.one();
    let text = format!("the lease {id:?} could not be revoked and will be retried: {error}");
    let known = core.leases.get(id).await?;
    if known.is_some_and(|old| {
        old.parked && old.state == LeaseState::Irrevocable && old.last_error == error
    }) {
        return Ok(Some(text)); // Nothing new is known, so a lease that is retried for ever costs no writes.
    }
    let failed = |record: &mut LeaseRecord| {
        record.attempts = record.attempts.saturating_add(1);
        record.last_error = error.clone();
        record.parked = true;
        record.state = if record.attempts >= ATTEMPTS_BEFORE_IRREVOCABLE {
            LeaseState::Irrevocable
        } else {
            LeaseState::Revoking
        };
        Ok(())
    };
    let record = match core.leases.update(id, failed).await {
        Ok((record, ())) => record,
        Err(Fault::NotFound) => return Ok(None),
        Err(other) => return Err(other),
    };
    tracing::warn!(lease = id, attempts = record.attempts, %error, "revocation failed and will be retried");
    told::failed(core, catalogue::LEASE_REVOKE_FAIL, id, &record).await;
    if record.attempts == ATTEMPTS_BEFORE_IRREVOCABLE {
        told::failed(core, catalogue::LEASE_IRREVOCABLE, id, &record).await;
    }
    core.parked.add(&record.parking());
    Ok(Some(text))
}

/// From here on the lease can not be renewed; a due entry makes the worker finish if this process does
/// not.
async fn begin(core: &Arc<Core>, id: &str) -> Result<Begun, Fault> {
    let finish_by = core.clock.now().plus(FINISH_GRACE);
    let begin = |record: &mut LeaseRecord| {
        let being_made = core.leases.is_being_made(id, record);
        if matches!(record.state, LeaseState::Intent | LeaseState::Live) {
            record.state = LeaseState::Revoking;
        }
        if !being_made {
            record.due = record.due.min(finish_by);
        }
        Ok(being_made)
    };
    match core.leases.update(id, begin).await {
        Ok((_, true)) => Ok(Begun::BeingMade),
        Ok((record, false)) => Ok(Begun::Yes(Box::new(record))),
        Err(Fault::NotFound) => Ok(Begun::Gone),
        Err(other) => Err(other),
    }
}

async fn end_unless_parked(core: &Arc<Core>, id: &str) -> Result<(), Fault> {
    match core.leases.get(id).await? {
        Some(record) if !record.parked => {}
        _ => return Ok(()),
    }
    match begin(core, id).await? {
        Begun::Yes(record) => finish(core, id, &record).await,
        Begun::Gone | Begun::BeingMade => Ok(()),
    }
}

/// Undoes and forgets a lease without letting one slow target hold up the others: a target that fails
/// already, is full, or does not answer soon, gets the lease into its queue.
async fn finish(core: &Arc<Core>, id: &str, record: &LeaseRecord) -> Result<(), Fault> {
    let target = record.parking();
    if core.parked.is_failing(&target) {
        return queue(core, id).await;
    }
    let Ok(place) = timeout(DOOR_DEADLINE, core.targets.enter(&target)).await else {
        return queue(core, id).await;
    };
    match undo(core, id, record, place, INLINE_DEADLINE).await {
        Ok(()) => {
            core.parked.answered(&target);
            core.leases.forget(id).await?;
            told::ended(core, id, record).await;
            Ok(())
        }
        Err(fault) => {
            park(core, id, &fault).await?;
            core.parked.failed(&target);
            Ok(())
        }
    }
}

/// Puts a lease into the queue of its target, untried.
async fn queue(core: &Arc<Core>, id: &str) -> Result<(), Fault> {
    let wait = |record: &mut LeaseRecord| {
        record.parked = true;
        if record.state != LeaseState::Irrevocable {
            record.state = LeaseState::Revoking;
        }
        Ok(())
    };
    match core.leases.update(id, wait).await {
        Ok((record, ())) => core.parked.add_untried(&record.parking(), id),
        Err(Fault::NotFound) => {}
        Err(other) => return Err(other),
    }
    Ok(())
}
