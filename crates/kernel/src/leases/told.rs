//! Telling what becomes of leases.

use std::sync::Arc;

use coffer_engine::Event;

use super::record::LeaseRecord;
use crate::core::Core;
use crate::events::{Origin, catalogue};
use crate::open::Open;

/// Tells that a lease was issued or extended.
pub(super) fn lives(open: &Open, kind: &'static str, id: &str, record: &LeaseRecord) {
    tell(open, kind, id, record, |event| {
        event
            .with("expire_time", record.expires)
            .with("renewable", record.renewable)
    });
}

/// Tells that a lease has ended.
pub(super) async fn ended(core: &Arc<Core>, id: &str, record: &LeaseRecord) {
    let kind = match record.expires <= core.clock.now() {
        true => catalogue::LEASE_EXPIRE,
        false => catalogue::LEASE_REVOKE,
    };
    if let Some(open) = home(core, id).await {
        tell(&open, kind, id, record, |event| event);
    }
}

/// Tells that a lease could not be ended. Why may quote what nobody but operators should read, so it is not told.
pub(super) async fn failed(core: &Arc<Core>, kind: &'static str, id: &str, record: &LeaseRecord) {
    if let Some(open) = home(core, id).await {
        tell(&open, kind, id, record, |event| {
            event.with("attempts", record.attempts)
        });
    }
}

/// What has happened has happened, whether it can be told or not.
async fn home(core: &Arc<Core>, id: &str) -> Option<Open> {
    match core.home_of(id).await {
        Ok(open) => open,
        Err(fault) => {
            tracing::warn!(%fault, lease = id, "what became of a lease could not be told");
            None
        }
    }
}

/// The path is that of the request that made the lease: who may subscribe to it is told of its leases.
fn tell(
    open: &Open,
    kind: &'static str,
    id: &str,
    record: &LeaseRecord,
    add: impl FnOnce(Event) -> Event,
) {
    let path = id.rsplit_once('/').map_or(id, |(path, _)| path);
    let mount = open.space.mounts.by_accessor(&record.mount);
    let below = |path: &str| {
        let mount = mount.as_deref()?;
        path.strip_prefix(&mount.record.path).map(str::to_owned)
    };
    let (mount, path) = match below(path) {
        Some(below) => (mount.as_deref(), below),
        None => (None, path.to_owned()), // The mount is gone, or elsewhere now.
    };
    let origin = Origin {
        space: &open.space,
        mount,
    };
    let event = Event::new(kind, path).with("lease_id", id);
    open.events.publish(origin, add(event));
}
