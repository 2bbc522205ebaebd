//! Locking the API of a namespace and of those within it.

use std::sync::Arc;

use coffer_crypto::{Secret, constant_time_eq, sha256};
use coffer_engine::Fault;

use super::change::change;
use super::space::Space;
use crate::open::Open;

/// Characters of an unlock key, from 62: 142 bits.
const KEY_CHARS: usize = 24;

/// Locks a namespace and answers the key that unlocks it. Only its hash is kept.
pub async fn lock(open: &Open, space: &Arc<Space>) -> Result<Secret<String>, Fault> {
    if space.record().lock.is_some() {
        return Err(Fault::Invalid(format!(
            "cannot lock namespace {:?}: is already locked",
            space.path
        )));
    }
    if let Some(around) = space
        .line()
        .skip(1)
        .find(|space| space.record().lock.is_some())
    {
        return Err(Fault::Invalid(format!(
            "cannot lock namespace {:?}: ancestor namespace {:?} is already locked",
            space.path, around.path
        )));
    }
    let key = Secret::new(open.random.base62(KEY_CHARS).to_string());
    let hash = hex::encode(sha256(key.expose().as_bytes()));
    change(open, &space.path, |record| record.lock = Some(hash.clone())).await?;
    Ok(key)
}

/// Unlocks a namespace with its key; without one by who has root's rights (`force`).
pub async fn unlock(open: &Open, space: &Arc<Space>, key: &str, force: bool) -> Result<(), Fault> {
    let record = space.record();
    let Some(hash) = &record.lock else {
        return Err(Fault::Invalid(format!(
            "cannot unlock namespace {:?}: is not locked",
            space.path
        )));
    };
    let given = hex::encode(sha256(key.as_bytes()));
    if !force && !constant_time_eq(given.as_bytes(), hash.as_bytes()) {
        return Err(Fault::invalid("incorrect unlock key"));
    }
    change(open, &space.path, |record| record.lock = None).await?;
    Ok(())
}

impl Space {
    /// Refuses requests while this namespace, or one it lies in, is locked.
    pub fn refuse_if_locked(self: &Arc<Self>) -> Result<(), Fault> {
        match self.line().find(|space| space.record().lock.is_some()) {
            None => Ok(()),
            Some(space) => Err(Fault::Unavailable(format!(
                "API access to this namespace has been locked by an administrator - {:?} must be unlocked to gain access.",
                space.path
            ))),
        }
    }
}
