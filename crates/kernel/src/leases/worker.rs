//! Does what is due: ends leases and tokens, and retries what could not be ended.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use coffer_engine::Fault;
use coffer_wire::Timestamp;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt, stream};
use tokio_util::sync::CancellationToken;

use super::parked::CONCURRENT_PER_TARGET;
use super::revoke::{LONGEST_REVOCATION, end_when_due, park, undo};
use super::told;
use super::waiting::{put_aside, waits};
use crate::core::Core;
use crate::due::{Ending, Entry};
use crate::namespaces::id_of;
use crate::tokens;

/// How many endings run at the same time, over all targets.
const CONCURRENT_ENDINGS: usize = 256;
/// How many due entries are read at once.
const PAGE: usize = 1_024;
/// How many parked leases of one target are tried per probe: untried ones, and others in turn.
const PROBES_UNTRIED: usize = 2;
const PROBES_IN_TURN: usize = 4;
/// How long a probe may take; whatever takes longer is given more time beside the probes.
const PROBE_DEADLINE: Duration = Duration::from_secs(5);
/// How many leases of one target are given more time at once.
const PATIENT_PER_TARGET: usize = 2;
/// The longest sleep, so that a clock that is set forward is noticed.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);
/// The pause after storage failed.
const PAUSE_AFTER_FAULT: Duration = Duration::from_secs(1);
/// The pause before the first probe, and between probes of a target that has just answered.
const SHORT_PAUSE: Duration = Duration::from_secs(1);

/// Runs until stopped.
pub async fn run(core: Arc<Core>, stop: CancellationToken) {
    let work = async {
        tokio::join!(end_what_is_due(&core), retry_what_is_parked(&core));
    };
    tokio::select! {
        () = stop.cancelled() => {}
        () = work => {}
    }
}

async fn end_what_is_due(core: &Arc<Core>) {
    loop {
        if let Err(fault) = one_pass(core).await {
            tracing::error!(%fault, "the due index could not be worked on; it is tried again");
            tokio::time::sleep(PAUSE_AFTER_FAULT).await;
        }
    }
}

/// Ends everything that is due now, page by page, or sleeps until something is. What fails does not keep
/// what is behind it from its turn; what came before the page meanwhile is found by the next pass.
async fn one_pass(core: &Arc<Core>) -> Result<(), Fault> {
    let due = &core.leases.due;
    let mut after: Option<Entry> = None;
    let mut result = Ok(());
    loop {
        let from_the_start = after.is_none();
        due.begin_reading();
        let page = due.after(after.as_ref(), PAGE).await?;
        let now = core.clock.now();
        let next = page
            .iter()
            .find(|entry| entry.at > now)
            .map(|entry| entry.at);
        let last = page
            .into_iter()
            .take_while(|entry| entry.at <= now)
            .collect::<Vec<_>>();
        after = last.last().cloned();
        let (idle, whole) = (last.is_empty(), last.len() >= PAGE);
        result = result.and(end_all(core, last).await);
        if whole {
            continue;
        }
        if result.is_ok() && idle && from_the_start {
            let longest = now.plus(LONGEST_SLEEP);
            due.wait_until(next.map_or(longest, |next| next.min(longest)), now)
                .await;
        }
        return result;
    }
}

async fn end_all(core: &Arc<Core>, due: Vec<Entry>) -> Result<(), Fault> {
    let endings = due
        .into_iter()
        .map(|entry| async move { end(core, &entry).await });
    let results = stream::iter(endings).buffer_unordered(CONCURRENT_ENDINGS);
    results
        .fold(Ok(()), |first: Result<(), Fault>, result| {
            std::future::ready(first.and(result))
        })
        .await
}

/// Ends one thing, or moves its entry to where it belongs after a renewal. Entries that are not where
/// their record says lead nowhere.
async fn end(core: &Arc<Core>, entry: &Entry) -> Result<(), Fault> {
    if put_aside(core, entry).await? {
        return Ok(());
    }
    match end_now(core, entry).await {
        // Made while its namespace was being deleted: nobody can read it any more, nor use it.
        Err(_) if core.namespaces.is_gone(id_of(entry.what.name())).await? => {
            drop_entry(core, entry).await
        }
        ended => ended,
    }
}

async fn end_now(core: &Arc<Core>, entry: &Entry) -> Result<(), Fault> {
    let now = core.clock.now();
    let here = |due: Timestamp| due.millis() == entry.at.millis();
    match &entry.what {
        Ending::Lease(id) => match core.leases.get(id).await? {
            Some(record) if here(record.due) && !record.parked => end_when_due(core, id).await,
            _ => drop_entry(core, entry).await,
        },
        Ending::Token(accessor) => match core.tokens.by_accessor(accessor).await? {
            Some(record) if !here(record.due) => drop_entry(core, entry).await,
            Some(record) if record.is_alive(now) => core.tokens.move_due(accessor).await,
            Some(record) => {
                core.settings
                    .meters
                    .ended(record.expires.unwrap_or(now), now);
                tokens::revoke_tree(core, accessor).await
            }
            None => drop_entry(core, entry).await,
        },
    }
}

async fn drop_entry(core: &Arc<Core>, entry: &Entry) -> Result<(), Fault> {
    let due = &core.leases.due;
    Ok(due
        .remove(due.changes(), entry.at, &entry.what)
        .commit()
        .await?)
}

/// One loop per failing target: probes it, and drains it once a probe succeeds.
async fn retry_what_is_parked(core: &Arc<Core>) {
    loop {
        match core.leases.parked_targets().await {
            Ok(targets) => break targets.iter().for_each(|target| core.parked.add(target)),
            Err(fault) => {
                tracing::error!(%fault, "parked leases could not be read; it is tried again")
            }
        }
        tokio::time::sleep(PAUSE_AFTER_FAULT).await;
    }
    let mut busy: HashSet<String> = HashSet::new();
    let mut drains = FuturesUnordered::new();
    loop {
        for target in core.parked.all() {
            if busy.insert(target.clone()) {
                drains.push(drain(core, target));
            }
        }
        tokio::select! {
            () = core.parked.rung() => {}
            Some(target) = drains.next(), if !drains.is_empty() => drop(busy.remove(&target)),
        }
    }
}

/// Probes a target until a parked lease of it can be ended, then tries all of them; answers the target
/// once none is left.
async fn drain(core: &Arc<Core>, target: String) -> String {
    let mut after: Option<String> = None;
    let mut patient = FuturesUnordered::new();
    let mut wait = SHORT_PAUSE;
    loop {
        let mut healed = 0;
        tokio::select! {
            () = tokio::time::sleep(jittered(core, wait)) => {}
            Some(outcome) = patient.next(), if !patient.is_empty() => healed += usize::from(outcome == Outcome::Healed),
        }
        let arrivals = core.parked.arrivals(&target);
        if is_behind_a_seal(core, &target).await && core.parked.remove(&target, arrivals) {
            return target.clone(); // Unsealing its namespace brings it back.
        }
        let tried = match probe(core, &target, after.as_deref()).await {
            Ok(tried) => tried,
            Err(fault) => {
                tracing::error!(%fault, "parked leases could not be read; it is tried again");
                wait = core.parked.slower(&target);
                continue;
            }
        };
        if tried.last.is_none() && after.is_none() && core.parked.remove(&target, arrivals) {
            return target.clone();
        }
        after = tried.last;
        for id in tried.silent {
            if patient.len() < PATIENT_PER_TARGET {
                patient
                    .push(retry(core, &target, id, LONGEST_REVOCATION).map(|(_, outcome)| outcome));
            }
        }
        healed += tried.healed;
        if healed + tried.ended == 0 {
            wait = core.parked.slower(&target);
            continue;
        }
        wait = SHORT_PAUSE;
        if core.parked.answered(&target) || healed > 0 {
            sweep(core, &target).await;
        }
    }
}

/// Whether the leases of a target can not be read now. They are all of one mount.
async fn is_behind_a_seal(core: &Arc<Core>, target: &str) -> bool {
    let first = core.leases.parked_at(target, None, 1).await;
    first.is_ok_and(|first| first.iter().any(|id| waits(core, id)))
}

/// Tries some parked leases: such as were never tried, and the next in turn.
async fn probe(core: &Arc<Core>, target: &str, after: Option<&str>) -> Result<Tried, Fault> {
    let page = core.leases.parked_at(target, after, PROBES_IN_TURN).await?;
    let last = page.last().cloned();
    let mut ids = core.parked.take_untried(target, PROBES_UNTRIED);
    ids.extend(page);
    ids.sort();
    ids.dedup();
    Ok(Tried {
        last,
        ..try_all(core, target, ids).await
    })
}

/// Tries every parked lease of a target once, unless it goes silent again.
async fn sweep(core: &Arc<Core>, target: &str) {
    core.parked.sweeps(target);
    let mut after: Option<String> = None;
    while let Ok(page) = core.leases.parked_at(target, after.as_deref(), PAGE).await {
        after = page.last().cloned();
        let tried = try_all(core, target, page).await;
        if after.is_none() || (tried.ended == 0 && !tried.silent.is_empty()) {
            return;
        }
    }
}

/// What came of trying some parked leases.
#[derive(Default)]
struct Tried {
    last: Option<String>,
    ended: usize,
    /// Of those, how many had failed before.
    healed: usize,
    /// Those that got no answer in time.
    silent: Vec<String>,
}

/// What came of trying one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// It had never been tried: the target answers.
    Ended,
    /// It had failed before: so may others have that end now.
    Healed,
    Refused,
    Silent,
}

async fn try_all(core: &Arc<Core>, target: &str, ids: Vec<String>) -> Tried {
    let mut tries = stream::iter(
        ids.into_iter()
            .map(|id| retry(core, target, id, PROBE_DEADLINE)),
    )
    .buffer_unordered(CONCURRENT_PER_TARGET);
    let mut tried = Tried::default();
    while let Some((id, outcome)) = tries.next().await {
        match outcome {
            Outcome::Ended => tried.ended += 1,
            Outcome::Healed => {
                tried.ended += 1;
                tried.healed += 1;
            }
            Outcome::Refused => {}
            Outcome::Silent => tried.silent.push(id),
        }
    }
    tried
}

/// Tries one parked lease again.
async fn retry(core: &Arc<Core>, target: &str, id: String, at_most: Duration) -> (String, Outcome) {
    let outcome = retried(core, target, &id, at_most)
        .await
        .unwrap_or_else(|fault: Fault| {
            tracing::error!(%fault, lease = id, "a parked lease could not be retried");
            Outcome::Refused
        });
    (id, outcome)
}

async fn retried(
    core: &Arc<Core>,
    target: &str,
    id: &str,
    at_most: Duration,
) -> Result<Outcome, Fault> {
    let record = match core.leases.get(id).await? {
        Some(record) if record.parked && record.parking() == target => record,
        _ => {
            core.leases.unpark(target, id).await?;
            return Ok(Outcome::Refused);
        }
    };
    let place = core.targets.enter(target).await;
    let began = tokio::time::Instant::now();
    match undo(core, id, &record, place, at_most).await {
        Ok(()) => {
            core.leases.forget(id).await?;
            told::ended(core, id, &record).await;
            Ok(if record.attempts == 0 {
                Outcome::Ended
            } else {
                Outcome::Healed
            })
        }
        Err(fault) => {
            park(core, id, &fault).await?;
            let silent = began.elapsed() >= at_most;
            Ok(if silent {
                Outcome::Silent
            } else {
                Outcome::Refused
            })
        }
    }
}

/// The wait, give or take a quarter, so that many targets do not probe in step.
fn jittered(core: &Arc<Core>, wait: Duration) -> Duration {
    let millis = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
    Duration::from_millis(millis * 3 / 4 + core.random.uniform(millis / 2 + 1))
}
