//! Extending a lease.

use std::time::Duration;

use coffer_engine::{Fault, Renewal};

use super::record::{LeaseRecord, LeaseState};
use super::told;
use crate::events::catalogue;
use crate::open::Open;

/// Extends a lease, outside first, and answers its new record.
pub async fn renew(
    open: &Open,
    id: &str,
    increment: Option<Duration>,
) -> Result<LeaseRecord, Fault> {
    let _timed = open.settings.meters.leases.renew.timed();
    let now = open.clock.now();
    let record = open
        .leases
        .known(id)
        .await?
        .ok_or_else(|| Fault::invalid("lease not found"))?;
    if record.state != LeaseState::Live || record.expires <= now {
        return Err(Fault::invalid("lease expired"));
    }
    if !record.renewable {
        return Err(Fault::invalid("lease is not renewable"));
    }
    let mount = open
        .space
        .mounts
        .by_accessor(&record.mount)
        .ok_or_else(|| Fault::invalid("the mount of this lease is gone"))?;
    let info = &mount.info;
    let ask = Renewal {
        increment,
        issued: record.issued,
        now,
        default_ttl: info.default_lease_ttl,
        max_ttl: info.max_lease_ttl,
    };
    let cx = open.background(&mount);
    let until = mount
        .engine()?
        .renew(&cx, record.lease.clone(), &ask)
        .await?;
    let until = record.ends_by.map_or(until, |bound| until.min(bound));
    if until.millis() <= now.millis() {
        return Err(Fault::invalid(
            "the lease has reached its max TTL and cannot be renewed; ask for a new secret",
        ));
    }
    let change = |record: &mut LeaseRecord| {
        if record.state != LeaseState::Live || record.expires <= open.clock.now() {
            return Err(Fault::invalid("lease expired"));
        }
        record.expires = until;
        record.due = record.due.min(until);
        record.last_renewal = Some(now);
        Ok(())
    };
    match open.leases.update(id, change).await {
        Ok((record, ())) => {
            told::lives(open, catalogue::LEASE_RENEW, id, &record);
            Ok(record)
        }
        Err(Fault::NotFound) => Err(Fault::invalid("lease not found")),
        Err(other) => Err(other),
    }
}
