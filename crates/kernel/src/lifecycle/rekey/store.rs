//! The last step: what was made is in force.

use coffer_barrier::{Barrier, BreakGlass, Error};
use coffer_crypto::Aes256Key;
use coffer_engine::Fault;
use coffer_storage::Batch;

use super::{Made, Terms, none_under_way};
use crate::open::Open;
use crate::seals::Keeping;

/// How often the last step starts again when other changes of the key ring are faster.
const STORE_TRIES: usize = 16;

/// Makes a new key the one in force, in one step.
pub(super) async fn store(
    open: &Open,
    nonce: &str,
    made: &Made,
    terms: &Terms,
) -> Result<(), Fault> {
    let keys = open.keys()?;
    match made {
        Made::RootKey => Keeping::of_open(open).change_root().await,
        Made::UnsealKey { root, wrapped } => {
            let _turn = open.settings.seals.turn().await?;
            change_root(&keys, root, wrapped).await
        }
        Made::RecoveryKey { key, kept } => {
            let _turn = open.settings.seals.turn().await?;
            let batch = key.kept(&keys, &keys.root()?)?.and(kept.clone());
            Ok(keys.commit_keys(batch).await?)
        }
        Made::BreakGlass { key } => {
            let _turn = open.settings.seals.turn().await?;
            let ceremonies = open.ceremonies()?;
            if ceremonies.keys(terms.subject).lock().named(nonce).is_none() {
                return Err(none_under_way()); // They were made worthless meanwhile.
            }
            let now = open.clock.now().secs();
            let made = BreakGlass::of(key, terms.config, &keys.root()?, now, &keys)?;
            keys.commit_keys(made.kept(&keys)?).await?;
            tracing::warn!(
                "there are break-glass shares from now on: who has enough of them and a copy of the storage has everything in it"
            );
            Ok(())
        }
    }
}

async fn change_root(keys: &Barrier, root: &Aes256Key, wrapped: &Batch) -> Result<(), Fault> {
    for _ in 0..STORE_TRIES {
        let root = Aes256Key::from_slice(root.expose_bytes())?;
        match keys.change_root(root, wrapped.clone()).await {
            Err(Error::Conflict) => tokio::task::yield_now().await,
            other => return Ok(other?),
        }
    }
    Err(Error::Conflict.into())
}
