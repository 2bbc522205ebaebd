//! Asking the keepers from time to time, so that one that is gone is known before it is needed.

use std::time::Duration;

use coffer_wire::Timestamp;
use futures_util::future::join_all;

use super::keeping::Keeping;
use super::stanza::SealStanza;
use crate::kernel::Kernel;

/// How long after its last answer a keeper is asked again.
const WHILE_HEALTHY: Duration = Duration::from_secs(600);
/// The same while it fails.
const WHILE_FAILING: Duration = Duration::from_secs(60);
/// The shortest pause between two looks.
const PAUSE: Duration = Duration::from_secs(30);

/// Asks those whose time has come, until it is dropped.
pub(super) async fn run(kernel: &Kernel) {
    let book = &kernel.settings.seals;
    let mut looked: Option<Timestamp> = None;
    loop {
        let news = book.news();
        tokio::pin!(news);
        news.as_mut().enable();
        let (keeping, now) = (Keeping::of(kernel), kernel.clock.now());
        if looked.is_none_or(|looked| now.since(looked) >= WHILE_HEALTHY) {
            kernel.look_at_seals().await;
            looked = Some(now);
        }
        let all = book.enabled();
        let due = all.iter().filter(|stanza| is_due(kernel, stanza, now));
        join_all(due.map(|stanza| keeping.probe(stanza))).await;
        if tokio::time::timeout(PAUSE, news).await.is_ok() {
            looked = None;
        }
    }
}

fn is_due(kernel: &Kernel, stanza: &SealStanza, now: Timestamp) -> bool {
    let health = kernel.settings.seals.health(&stanza.name);
    let pause = match health.is_healthy() {
        true => WHILE_HEALTHY,
        false => WHILE_FAILING,
    };
    health.asked.is_none_or(|asked| now.since(asked) >= pause)
}
