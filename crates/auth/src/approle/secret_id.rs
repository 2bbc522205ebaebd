//! One secret id: what is stored about it, and how it is found, made, spent and removed.

use std::collections::BTreeMap;

use coffer_engine::{Ctx, Fault, Seen, Stored};
use coffer_wire::{Timestamp, Ttl};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::AppRole;
use super::role::Role;
use super::salt::MAX_ID_BYTES;

/// How often a change is tried anew that others came before.
const TRIES: usize = 64;

/// A stored secret id, without itself.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct SecretId {
    /// Names it to people who may manage it and not use it.
    pub(super) accessor: String,
    /// When it was made.
    pub(super) created: Timestamp,
    /// When it was last written.
    pub(super) updated: Timestamp,
    /// When it ends; never where there is none.
    pub(super) expires: Option<Timestamp>,
    /// How long it was to live.
    pub(super) ttl: Ttl,
    /// How many logins it is good for yet; 0 for no limit.
    pub(super) num_uses: u64,
    /// Noted with each login.
    pub(super) metadata: BTreeMap<String, String>,
    /// Where logins may come from; empty for anywhere.
    pub(super) cidrs: Vec<IpNet>,
    /// Where tokens may come from; empty for what the role says.
    pub(super) token_cidrs: Vec<IpNet>,
}

impl Stored for SecretId {
    const MAX_BYTES: usize = 64 * 1024;
}

/// Where the secret id with an accessor is.
#[derive(Serialize, Deserialize)]
struct Pointer {
    code: String,
}

impl Stored for Pointer {}

/// A secret id that was found.
pub(super) struct Found {
    pub(super) record: SecretId,
    role: String,
    code: String,
    seen: Seen,
}

/// Where all secret ids of a role are.
pub(super) fn folder(role: &str) -> String {
    format!("secret/{role}/")
}

/// Where all accessors of a role are.
pub(super) fn accessors(role: &str) -> String {
    format!("accessor/{role}/")
}

impl SecretId {
    /// Whether it ended by now.
    pub(super) fn has_ended(&self, now: Timestamp) -> bool {
        self.expires.is_some_and(|end| end <= now)
    }
}

/// Stores a new secret id of a role.
pub(super) async fn put(
    engine: &AppRole,
    cx: &Ctx,
    role: &Role,
    id: &str,
    record: &SecretId,
) -> Result<(), Fault> {
    let code = engine.salt.code(cx, id).await?;
    let place = format!("{}{code}", folder(&role.key));
    let (old, seen) = cx.view.get_seen::<SecretId>(&place).await?;
    let mut changes = cx.view.changes().expect(&cx.view, &place, seen);
    match old {
        Some(old) if old.has_ended(cx.now) => {
            let ended = format!("{}{}", accessors(&role.key), old.accessor);
            changes = changes.delete(&cx.view, &ended);
        }
        Some(_) => return Err(taken()),
        None => {}
    }
    let pointer = format!("{}{}", accessors(&role.key), record.accessor);
    let changes = changes.put(&cx.view, &place, record)?;
    let changes = changes.put(&cx.view, &pointer, &Pointer { code })?;
    match changes.commit().await.map_err(Fault::from) {
        Err(Fault::Conflict(_)) => Err(taken()),
        done => done,
    }
}

fn taken() -> Fault {
    Fault::invalid("the role has this secret_id already")
}

/// The living secret id of a role.
pub(super) async fn by_id(
    engine: &AppRole,
    cx: &Ctx,
    role: &Role,
    id: &str,
) -> Result<Option<Found>, Fault> {
    if id.len() > MAX_ID_BYTES {
        return Ok(None);
    }
    let code = engine.salt.code(cx, id).await?;
    by_code(cx, &role.key, code).await
}

/// The living secret id of a role with an accessor.
pub(super) async fn by_accessor(
    cx: &Ctx,
    role: &Role,
    accessor: &str,
) -> Result<Option<Found>, Fault> {
    if accessor.is_empty() || accessor.len() > 256 || accessor.contains('/') {
        return Ok(None);
    }
    let pointer = format!("{}{accessor}", accessors(&role.key));
    let pointer: Option<Pointer> = cx.view.get(&pointer).await?;
    match pointer {
        Some(Pointer { code }) => by_code(cx, &role.key, code).await,
        None => Ok(None),
    }
}

async fn by_code(cx: &Ctx, role: &str, code: String) -> Result<Option<Found>, Fault> {
    let place = format!("{}{code}", folder(role));
    let (record, seen) = cx.view.get_seen::<SecretId>(&place).await?;
    let record = record.filter(|record| !record.has_ended(cx.now));
    Ok(record.map(|record| Found {
        record,
        role: role.to_owned(),
        code,
        seen,
    }))
}

impl Found {
    /// Spends one login, durably; with the last one it is gone. False where others spent it first.
    pub(super) async fn spend(mut self, cx: &Ctx) -> Result<bool, Fault> {
        if self.record.num_uses == 0 {
            return Ok(true);
        }
        for _ in 0..TRIES {
            let spent = match self.record.num_uses {
                1 => self.remove_seen(cx).await,
                _ => self.count_down(cx).await,
            };
            match spent {
                Err(Fault::Conflict(_)) => {}
                done => return done.map(|()| true),
            }
            match by_code(cx, &self.role, self.code).await? {
                Some(found) => self = found,
                None => return Ok(false),
            }
        }
        Err(Fault::Unavailable(
            "too many logins with the same secret id at once; try again".into(),
        ))
    }

    async fn count_down(&self, cx: &Ctx) -> Result<(), Fault> {
        let place = format!("{}{}", folder(&self.role), self.code);
        let record = SecretId {
            num_uses: self.record.num_uses.saturating_sub(1),
            updated: cx.now,
            ..self.record.clone()
        };
        let changes = cx
            .view
            .changes()
            .expect(&cx.view, &place, self.seen.clone());
        Ok(changes.put(&cx.view, &place, &record)?.commit().await?)
    }

    async fn remove_seen(&self, cx: &Ctx) -> Result<(), Fault> {
        let place = format!("{}{}", folder(&self.role), self.code);
        let pointer = format!("{}{}", accessors(&self.role), self.record.accessor);
        let changes = cx
            .view
            .changes()
            .expect(&cx.view, &place, self.seen.clone());
        let changes = changes.delete(&cx.view, &place).delete(&cx.view, &pointer);
        Ok(changes.commit().await?)
    }

    /// Removes it.
    pub(super) async fn remove(self, cx: &Ctx) -> Result<(), Fault> {
        let place = format!("{}{}", folder(&self.role), self.code);
        let pointer = format!("{}{}", accessors(&self.role), self.record.accessor);
        let changes = cx.view.changes().delete(&cx.view, &place);
        Ok(changes.delete(&cx.view, &pointer).commit().await?)
    }
}
