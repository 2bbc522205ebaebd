//! Leases that end before their time, as the server's events tell.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::sleep;

use super::Credential;
use super::lessor::ClientLessor;
use crate::events::{Delivery, Event};

/// How long to wait before events are asked for again that the server refused.
const AGAIN: Duration = Duration::from_secs(30);
/// All that happens to leases.
const KINDS: &str = "lease/*";
/// What ends one.
const ENDINGS: [&str; 2] = ["lease/revoke", "lease/expire"];

/// Reports leases that end, until the keeper is done.
pub(super) async fn listen(
    lessor: Arc<ClientLessor>,
    reports: mpsc::Sender<String>,
    mut current: watch::Receiver<Option<Credential>>,
) {
    // Before that there is nothing to hear of, and perhaps no server.
    if current.wait_for(Option::is_some).await.is_err() {
        return;
    }
    let done = async { while current.changed().await.is_ok() {} };
    tokio::select! {
        () = done => {}
        () = report(&lessor, &reports) => {}
    }
}

async fn report(lessor: &ClientLessor, reports: &mpsc::Sender<String>) {
    loop {
        // The client of now: its token may be another than before.
        let mut stream = lessor.client().events().subscribe(KINDS).start();
        while let Ok(delivery) = stream.next().await {
            if let Delivery::Event(event) = delivery
                && let Some(lease_id) = ended(&event)
            {
                // Full of reports that nobody has read yet: a failed renewal will tell.
                let _ = reports.try_send(lease_id.to_owned());
            }
        }
        sleep(AGAIN).await;
    }
}

/// The lease that an event says has ended.
fn ended(event: &Event) -> Option<&str> {
    let ends = ENDINGS.contains(&event.kind.as_str());
    let lease_id = event.metadata.get("lease_id").filter(|_| ends)?;
    Some(lease_id)
}
