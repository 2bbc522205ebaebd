//! Extending a token.

use std::sync::Arc;
use std::time::Duration;

use coffer_engine::{Ctx, Fault, RequestInfo, Stay, TokenKind};
use coffer_wire::Timestamp;
use serde_json::Value;

use super::lifetime::{Terms, shortest};
use super::record::TokenRecord;
use super::told;
use crate::identity::Standing;
use crate::mounts::{Backend, Mount};
use crate::open::Open;

/// A token after its renewal.
pub struct Renewed {
    /// Its record.
    pub record: TokenRecord,
    /// The entity behind it, if there is one.
    pub standing: Option<Arc<Standing>>,
    /// What was cut short.
    pub warnings: Vec<String>,
}

/// Extends a token, because of a request, by what was wished for (zero: as long as last time), within its bounds, and
/// answers its new record with remarks and the standing of the entity behind it. One small write, and one more where
/// the auth method says something new of who logged in; the due index is left to the worker. A token whose entity is
/// disabled or gone is refused.
pub async fn renew(
    open: &Open,
    accessor: &str,
    increment: Duration,
    because: &Ctx,
) -> Result<Renewed, Fault> {
    let now = because.now;
    let _timed = open.settings.meters.leases.renew_token.timed();
    let record = open.tokens.living(accessor, now).await?.ok_or_else(gone)?;
    let standing = open.standing_of(&record.namespace, &record.entity_id);
    let entity = standing.await?.map(|standing| standing.entity.id.clone());
    let (home, mount) = origin(open, &record).await?;
    let stay = stay(&home, &mount, &record.payload, &because.request).await?;
    let terms = bounds(open, &record, &mount, &stay).await?;
    if let Some(entity) = entity {
        home.retell(&mount, entity, stay, now).await?;
    }
    // Anew: its groups may be others now.
    let standing = open
        .standing_of(&record.namespace, &record.entity_id)
        .await?;
    let extend = |record: &mut TokenRecord| {
        if !record.is_alive(now) {
            return Err(gone());
        }
        let mut warnings = Vec::new();
        record.extend(&terms, increment, now, &mut warnings)?;
        Ok(warnings)
    };
    match open.tokens.update(accessor, extend).await {
        Ok((record, warnings)) => {
            told::renewed(&home, &record);
            Ok(Renewed {
                record,
                standing,
                warnings,
            })
        }
        Err(Fault::NotFound) => Err(gone()),
        Err(other) => Err(other),
    }
}

/// The namespace and the mount that a token is of.
async fn origin(open: &Open, record: &TokenRecord) -> Result<(Open, Arc<Mount>), Fault> {
    if record.kind == TokenKind::Batch {
        return Err(Fault::invalid("batch tokens cannot be renewed"));
    }
    if !record.renewable {
        return Err(Fault::invalid("lease is not renewable"));
    }
    let home = open.namespaces.by_id(&record.namespace).await?;
    let found = home.and_then(|home| Some((home.mounts.by_accessor(&record.mount)?, home)));
    let (mount, home) = found.ok_or_else(|| {
        Fault::invalid(
            "the auth method of this token is gone, so it can not be renewed; log in elsewhere",
        )
    })?;
    Ok((Open::new(open, home), mount))
}

/// What the auth method says now of who logged in, because of a request of theirs.
pub(crate) async fn stay(
    home: &Open,
    mount: &Arc<Mount>,
    payload: &Value,
    because: &RequestInfo,
) -> Result<Stay, Fault> {
    let Backend::Engine(engine) = &mount.backend else {
        return Ok(Stay::default());
    };
    if payload.is_null() {
        return Ok(Stay::default());
    }
    match engine.stay(&home.asking(mount, because), payload.clone()) {
        Some(stay) => stay.await,
        None => Ok(Stay::default()),
    }
}

/// What bounds a renewal: the mount as it is now, what its auth method says and, for a token of a role, the role as it
/// is now.
async fn bounds(
    open: &Open,
    record: &TokenRecord,
    mount: &Mount,
    stay: &Stay,
) -> Result<Terms, Fault> {
    let mount_ttl = mount.info.default_lease_ttl;
    let mut terms = Terms {
        ttl: match stay.ttl {
            Some(Duration::ZERO) => mount_ttl,
            ttl => ttl.unwrap_or_default(),
        },
        period: stay.period.unwrap_or(record.period),
        explicit_max_ttl: record.explicit_max_ttl,
        max_ttl: stay.max_ttl.unwrap_or(record.max_ttl),
        mount_ttl,
        mount_max_ttl: mount.info.max_lease_ttl,
    };
    if !record.role.is_empty() {
        let role = open
            .tokens
            .role(&record.namespace, &record.role)
            .await?
            .ok_or_else(|| {
                Fault::invalid(format_args!(
                    "original token role {:?} could not be found, not renewing",
                    record.role
                ))
            })?;
        terms.period = shortest([terms.period, role.token_period]);
        terms.explicit_max_ttl = shortest([terms.explicit_max_ttl, role.token_explicit_max_ttl]);
    }
    Ok(terms)
}

impl TokenRecord {
    /// Sets the new end. An end that comes earlier moves the due entry; a later one leaves it.
    fn extend(
        &mut self,
        terms: &Terms,
        increment: Duration,
        now: Timestamp,
        warnings: &mut Vec<String>,
    ) -> Result<(), Fault> {
        let said = [increment, terms.ttl]
            .into_iter()
            .find(|ttl| !ttl.is_zero());
        let ttl = said.unwrap_or_else(|| self.last_ttl());
        let end = Terms { ttl, ..*terms }.until(self.created, now, warnings);
        if end <= now {
            return Err(Fault::invalid("past the max TTL, cannot renew"));
        }
        self.expires = Some(end);
        self.due = self.due.min(end);
        self.last_renewal = Some(now);
        Ok(())
    }
}

fn gone() -> Fault {
    Fault::invalid("token not found")
}
