//! Putting events into storage, many at a time, and waking subscribers.

use std::sync::Arc;
use std::time::Duration;

use coffer_engine::Fault;
use tokio_util::sync::CancellationToken;

use super::Events;
use super::log::Log;
use crate::core::Core;

/// How long events gather before they are stored together.
const GATHERING: Duration = Duration::from_millis(50);
/// How many bytes of events are in one record, unless one alone is longer.
const RECORD_BYTES_MAX: usize = 64 << 10;
/// How often subscribers are woken at most.
const BETWEEN_NEWS: Duration = Duration::from_millis(10);
/// How often old records are looked for.
const BETWEEN_SWEEPS: Duration = Duration::from_secs(60);
/// The pause after storage failed.
const PAUSE_AFTER_FAULT: Duration = Duration::from_secs(1);
/// How often it is tried to store what came while the last was stored, before the server stops.
const LAST_TRIES: usize = 8;

/// Stores events and wakes subscribers, until stopped.
pub(crate) async fn run(core: Arc<Core>, stop: CancellationToken) {
    let work = async {
        tokio::join!(core.events.ring_for_all(), core.events.keep());
    };
    tokio::select! {
        () = stop.cancelled() => {}
        () = work => {}
    }
}

impl Events {
    /// Stores what is not stored yet, and that the server stops in order. Nothing is published from then on.
    pub(crate) async fn close(&self) -> Result<(), Fault> {
        let Some(log) = &self.log else { return Ok(()) };
        for _ in 0..LAST_TRIES {
            self.store().await?;
            let _turn = self.turn.lock().await;
            let end = {
                let mut ring = self.ring.write();
                let stored = ring.waiting() == 0 && !ring.closed;
                ring.closed |= stored;
                stored.then(|| (ring.next_id(), ring.settled()))
            };
            if let Some((next, stored)) = end {
                let closed = log.close(next, stored).await;
                self.ring.write().closed = closed.is_ok();
                return closed;
            }
        }
        Ok(()) // Much is still going on: the next server will say that something may be missing.
    }

    /// Stores what is not stored yet.
    pub(crate) async fn store(&self) -> Result<(), Fault> {
        let Some(log) = &self.log else { return Ok(()) };
        let _turn = self.turn.lock().await;
        loop {
            let unstored = self.ring.read().unstored(RECORD_BYTES_MAX);
            let mut events = unstored.events;
            let (Some(first), Some(last)) = (events.first(), events.last()) else {
                return Ok(());
            };
            let (first, last) = (first.id.number(), last.id.number());
            let before = first.saturating_sub(1);
            if before > unstored.after && first > unstored.began {
                tracing::warn!("events were lost because the storage did not take them in time");
                self.meters
                    .lost
                    .add(before.saturating_sub(unstored.after.max(unstored.began - 1)));
                events.splice(0..0, self.gap_at(before));
            }
            let now = self.clock.now();
            if !log.append(unstored.after, &events, now).await? {
                // The keys went before it was stored by them.
                match self.forget(|event| log.is_closed(event.namespace_id())) {
                    0 => return Err(Fault::Unavailable("a namespace is being sealed".into())),
                    _ => continue,
                }
            }
            self.ring.write().settle(last);
            if !unstored.more {
                return Ok(());
            }
        }
    }

    async fn ring_for_all(&self) {
        loop {
            self.bell.notified().await;
            self.news.notify_waiters();
            tokio::time::sleep(BETWEEN_NEWS).await;
        }
    }

    async fn keep(&self) {
        let Some(log) = &self.log else { return };
        let mut failing = false;
        loop {
            let kept = self.store_and_shorten(log).await;
            if let (Err(fault), false) = (&kept, failing) {
                tracing::warn!(%fault, "events can not be stored; it is tried again");
            }
            failing = kept.is_err();
            if failing {
                tokio::time::sleep(PAUSE_AFTER_FAULT).await;
                continue;
            }
            let _ = tokio::time::timeout(BETWEEN_SWEEPS, self.work.notified()).await;
            tokio::time::sleep(GATHERING).await;
        }
    }

    async fn store_and_shorten(&self, log: &Log) -> Result<(), Fault> {
        log.take_stock().await?;
        self.store().await?;
        let (retention, bytes_max) = (self.settings.retention, self.settings.max_bytes);
        while log.shorten(retention, bytes_max, self.clock.now()).await? {}
        Ok(())
    }
}
