//! Handing a line to all devices, and how long to wait for which of them.
//!
//! One device that has the line is enough. Those that are well are all waited for; one that fails or is blocked is not, once
//! another has the line: its lines wait in its own queue. Only where no other device has the line, the request waits for it,
//! too, until its deadline.

use std::time::Duration;

use coffer_wire::Timestamp;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::time::{Instant, timeout_at};

use super::device::{Device, Offered};
use super::queue::Outcome;
use crate::observe::{AuditMeters, Recorded};

/// How long a device may take when another one has the line already.
const GRACE: Duration = Duration::from_millis(500);

/// Where it is written down how long devices take.
#[derive(Clone, Copy)]
pub(super) struct Measured<'a> {
    pub meters: &'a AuditMeters,
    pub what: Recorded,
}

impl Measured<'_> {
    async fn wait(self, device: &Device, offered: Offered, time: Timestamp) -> Outcome {
        let meters = self.meters.device(device.path());
        let (took, failures) = meters.of(self.what);
        let _timed = took.timed();
        let outcome = device.wait(offered, time).await;
        failures.add(outcome.is_err().into());
        outcome
    }
}

/// Waits until one device has the line, and for the others a little. The error says of each why it has not.
pub(super) async fn deliver(
    offered: Vec<(&Device, Offered)>,
    time: Timestamp,
    measured: Measured<'_>,
) -> Result<(), Vec<String>> {
    let mut behind = Vec::new();
    let mut prompt = FuturesUnordered::new();
    for (device, offered) in offered {
        match &offered {
            Offered::Full(_) => behind.push((device, offered)),
            Offered::Under(_) if device.is_behind(GRACE) => behind.push((device, offered)),
            Offered::Under(_) | Offered::Done(_) => {
                prompt.push(measured.wait(device, offered, time))
            }
        }
    }
    let mut reasons = Vec::new();
    let mut patience = None;
    loop {
        let next = match patience {
            None => prompt.next().await,
            Some(until) => timeout_at(until, prompt.next()).await.ok().flatten(),
        };
        match next {
            Some(Ok(())) => {
                patience.get_or_insert_with(|| Instant::now() + GRACE);
            }
            Some(Err(why)) => reasons.push(why),
            None => break,
        }
    }
    if patience.is_some() {
        let full = behind
            .iter()
            .filter(|(_, offered)| matches!(offered, Offered::Full(_)));
        full.for_each(|(device, _)| device.give_up(time));
        return Ok(());
    }
    let mut rest: FuturesUnordered<_> = behind
        .into_iter()
        .map(|(device, offered)| measured.wait(device, offered, time))
        .collect();
    while let Some(outcome) = rest.next().await {
        match outcome {
            Ok(()) => return Ok(()),
            Err(why) => reasons.push(why),
        }
    }
    Err(reasons)
}
