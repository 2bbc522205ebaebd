//! Does what is due: ends leases and tokens, and retries what could not be ended.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use coffer_engine::Fault;
use futures_util::{StreamExt, stream};
use tokio_util::sync::CancellationToken;

use super::revoke::{end as end_lease, park, undo};
use crate::due::{Ending, Entry};
use crate::open::Open;
use crate::tokens;

/// How many endings run at the same time, over all targets.
const CONCURRENT_ENDINGS: usize = 256;
/// How many due entries are read at once.
const PAGE: usize = 1_024;
/// How many parked leases of one target are tried per probe while it fails.
const PROBES: usize = 4;
/// The longest sleep, so that a clock that is set forward is noticed.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);
/// The pause after storage failed.
const PAUSE_AFTER_FAULT: Duration = Duration::from_secs(1);
/// The pause between probes of a target that has just answered.
const PROBE_AFTER_SUCCESS: Duration = Duration::from_secs(1);

/// Runs until stopped.
pub async fn run(open: Arc<Open>, stop: CancellationToken) {
    let work = async {
        match open.leases.parked_targets().await {
            Ok(targets) => targets
                .into_iter()
                .for_each(|target| open.parked.add(target)),
            Err(fault) => tracing::error!(%fault, "parked leases could not be read"),
        }
        tokio::join!(end_what_is_due(&open), retry_what_is_parked(&open));
    };
    tokio::select! {
        () = stop.cancelled() => {}
        () = work => {}
    }
}

async fn end_what_is_due(open: &Arc<Open>) {
    loop {
        if let Err(fault) = one_round(open).await {
            tracing::error!(%fault, "the due index could not be worked on");
            tokio::time::sleep(PAUSE_AFTER_FAULT).await;
        }
    }
}

/// Ends everything that is due now, or sleeps until something is.
async fn one_round(open: &Arc<Open>) -> Result<(), Fault> {
    let entries = open.leases.due.first(PAGE).await?;
    let now = open.clock.now();
    let next = entries
        .iter()
        .find(|entry| entry.at > now)
        .map(|entry| entry.at);
    let due: Vec<Entry> = entries
        .into_iter()
        .filter(|entry| entry.at <= now)
        .collect();
    if due.is_empty() {
        let longest = now.plus(LONGEST_SLEEP);
        open.leases
            .due
            .wait_until(next.map_or(longest, |next| next.min(longest)), now)
            .await;
        return Ok(());
    }
    let endings = due.into_iter().map(|entry| {
        let open = Arc::clone(open);
        async move { end(&open, entry).await }
    });
    let mut results = stream::iter(endings).buffer_unordered(CONCURRENT_ENDINGS);
    let mut first_fault = Ok(());
    while let Some(result) = results.next().await {
        first_fault = first_fault.and(result);
    }
    first_fault
}

/// Ends one thing, or moves its entry to where it belongs after a renewal.
async fn end(open: &Open, entry: Entry) -> Result<(), Fault> {
    let now = open.clock.now();
    match &entry.what {
        Ending::Lease(id) => match open.leases.get(id).await? {
            Some(record) if record.due.millis() > entry.at.millis() => {
                drop_entry(open, &entry).await
            }
            Some(record)
                if record.state == super::LeaseState::Live
                    && record.expires.millis() > now.millis() =>
            {
                open.leases
                    .update(id, |record| {
                        record.due = record.expires;
                        Ok(())
                    })
                    .await
                    .map(drop)
            }
            Some(record) => end_lease(open, id, record).await,
            None => drop_entry(open, &entry).await,
        },
        Ending::Token(accessor) => match open.tokens.by_accessor(accessor).await? {
            Some(record) if record.due.millis() > entry.at.millis() => {
                drop_entry(open, &entry).await
            }
            Some(record) if record.is_alive(now) => open.tokens.move_due(accessor).await,
            Some(_) => tokens::revoke_tree(open, accessor).await,
            None => drop_entry(open, &entry).await,
        },
    }
}

async fn drop_entry(open: &Open, entry: &Entry) -> Result<(), Fault> {
    let due = &open.leases.due;
    Ok(due
        .remove(due.changes(), entry.at, &entry.what)
        .commit()
        .await?)
}

/// One task per failing target: probes it, and drains it once a probe succeeds.
async fn retry_what_is_parked(open: &Arc<Open>) {
    let mut busy: HashSet<String> = HashSet::new();
    let mut tasks = stream::FuturesUnordered::new();
    loop {
        for (target, wait) in open.parked.all() {
            if busy.insert(target.clone()) {
                tasks.push(drain(Arc::clone(open), target, wait));
            }
        }
        tokio::select! {
            () = open.parked.rung() => {}
            Some(target) = tasks.next(), if !tasks.is_empty() => drop(busy.remove(&target)),
        }
    }
}

/// Probes a target until a parked lease of it can be ended, then ends all of them; answers the target
/// once none is left.
async fn drain(open: Arc<Open>, target: String, mut wait: Duration) -> String {
    let mut after: Option<String> = None;
    loop {
        tokio::time::sleep(jittered(&open, wait)).await;
        let probed = try_page(&open, &target, after.as_deref(), PROBES).await;
        match probed {
            Ok(Tried { last: None, .. }) if after.is_none() => {
                open.parked.remove(&target);
                return target;
            }
            Ok(Tried { ended: 1.., .. }) => {
                wait = PROBE_AFTER_SUCCESS;
                after = None;
                sweep(&open, &target).await;
            }
            Ok(Tried { last, .. }) => {
                after = last;
                wait = open.parked.slower(&target);
            }
            Err(fault) => {
                tracing::error!(%fault, "parked leases could not be read");
                wait = open.parked.slower(&target);
            }
        }
    }
}

/// Tries every parked lease of a target once.
async fn sweep(open: &Open, target: &str) {
    let mut after: Option<String> = None;
    while let Ok(Tried {
        last: Some(last), ..
    }) = try_page(open, target, after.as_deref(), PAGE).await
    {
        after = Some(last);
    }
}

/// What came of trying some parked leases.
struct Tried {
    last: Option<String>,
    ended: usize,
}

async fn try_page(
    open: &Open,
    target: &str,
    after: Option<&str>,
    limit: usize,
) -> Result<Tried, Fault> {
    let page = open.leases.parked_at(target, after, limit).await?;
    let last = page.last().cloned();
    let tried = stream::iter(page.into_iter().map(|id| retry(open, id)))
        .buffer_unordered(CONCURRENT_ENDINGS);
    let ended = tried
        .filter(|success| std::future::ready(*success))
        .count()
        .await;
    Ok(Tried { last, ended })
}

/// Tries one parked lease again; whether it is gone now.
async fn retry(open: &Open, id: String) -> bool {
    let outcome = async {
        let Some(record) = open.leases.get(&id).await? else {
            return Ok(true);
        };
        match undo(open, &record).await {
            Ok(()) => open.leases.forget(&id, &record).await.map(|()| true),
            Err(fault) => park(open, &id, record, &fault).await.map(|_| false),
        }
    };
    outcome.await.unwrap_or_else(|fault: Fault| {
        tracing::error!(%fault, lease = id, "a parked lease could not be retried");
        false
    })
}

/// The wait, give or take a quarter, so that many targets do not probe in step.
fn jittered(open: &Open, wait: Duration) -> Duration {
    let millis = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
    Duration::from_millis(millis * 3 / 4 + open.random.uniform(millis / 2 + 1))
}
