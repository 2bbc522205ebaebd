//! Who used the server: every client once a month.
//!
//! A client is an entity, or what tokens without one have in common: their policies and their namespace. A request
//! that was granted costs a look into a set in memory; a client that is met for the first time in a month waits there
//! until a batch is stored, some seconds later. What a crash takes with it comes back with the client's next request.
//!
//! Below `sys/activity/month/<month>/` clients are in 16 parts by the hash of their ids, so that a report over years
//! holds the ids of one part at a time.

mod client;
mod config;
pub(crate) mod export;
mod log;
mod month;
mod report;

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

pub(crate) use client::client_id;
pub use client::{Client, Key};
pub use config::{Config, MONTHS_MAX, Switch};
pub use log::Activity;
pub use month::{Month, Period};
pub use report::{Counts, Groups, MonthReport, Report};
pub(crate) use report::{Sight, sum};

use crate::core::Core;
use crate::grant::Asked;

/// How often new clients are stored.
const BETWEEN_BATCHES: Duration = Duration::from_secs(10);
/// After how many batches old months are looked for.
const BATCHES_BETWEEN_SWEEPS: u32 = 360;

/// Notes who sent a request that was granted and run.
pub(crate) fn note(core: &Core, asked: &Asked) {
    let (Some(token), Some(caller)) = (&asked.token, &asked.caller) else {
        return;
    };
    // Operators' root tokens and tokens that hand over one answer are nobody in particular.
    if asked.flags().unauthenticated || token.is_root() || token.is_wrapping() {
        return;
    }
    let client = Client::of(caller, &token.mount, asked.now);
    core.activity.note(client, asked.now);
}

/// Stores new clients and forgets old months, until stopped.
pub(crate) async fn run(core: Arc<Core>, stop: CancellationToken) {
    let kept = async {
        if let Err(fault) = core.activity.load(core.clock.now()).await {
            tracing::warn!(%fault, "the clients of this month could not be read; some are stored twice and counted once");
        }
        let mut batches: u32 = 0;
        loop {
            if let Err(fault) = core.activity.store().await {
                tracing::warn!(%fault, "new clients could not be stored; it is tried again");
            }
            if batches.is_multiple_of(BATCHES_BETWEEN_SWEEPS)
                && let Err(fault) = core.activity.sweep(core.clock.now()).await
            {
                tracing::warn!(%fault, "old counts of clients could not be removed; it is tried again");
            }
            batches = batches.wrapping_add(1);
            tokio::time::sleep(BETWEEN_BATCHES).await;
        }
    };
    tokio::select! {
        () = stop.cancelled() => {}
        () = kept => {}
    }
}
