//! Opening the seal of a namespace with shares of its own, and closing it.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use coffer_crypto::{Aes256Key, Random, Zeroizing};
use coffer_engine::Fault;

use super::seals::{Seal, is_sealed};
use crate::core::Core;
use crate::leases::waiting;
use crate::lifecycle::{operators_fault, refuse_length};
use crate::mounts;
use crate::open::Open;

/// Takes one share; opens the namespace with the last one needed.
pub async fn hand_in(
    open: &Open,
    seal: &Arc<Seal>,
    share: Zeroizing<Vec<u8>>,
    random: &Random,
) -> Result<(), Fault> {
    if seal.is_open() {
        return Ok(());
    }
    refuse_length(&share)?;
    let config = seal.keys.seal_config().await?.ok_or_else(is_gone)?;
    let threshold = usize::from(config.secret_threshold);
    let shares = seal.attempt.lock().add(share, threshold, random);
    let Some(shares) = shares else { return Ok(()) };
    let root = seal.keys.unwrap(config, &shares).await;
    open_with(open, seal, root.map_err(operators_fault)?).await
}

/// Opens the namespace. Requests come in when nothing is usable any more that ended while it was sealed.
async fn open_with(core: &Arc<Core>, seal: &Arc<Seal>, root: Aes256Key) -> Result<(), Fault> {
    let _turn = seal.turn().await;
    if seal.is_open() {
        return Ok(());
    }
    if seal.gone.load(Ordering::SeqCst) {
        return Err(is_gone());
    }
    seal.keys.unseal(root).await?;
    core.events.look_anew(); // Whoever comes in finds what happened before it was sealed.
    let entered = async {
        waiting::end_what_waits(core, seal).await?;
        seal.entered.store(true, Ordering::SeqCst);
        waiting::end_what_waits(core, seal).await?; // What came while the first round ended.
        let space = core.namespaces.by_id(&seal.id).await?;
        let space = space.ok_or_else(is_gone)?;
        mounts::install_missing(&Open::new(core, space)).await?;
        core.quotas.count_anew(&seal.id).await?;
        waiting::go_on(core, seal).await
    };
    match entered.await {
        Ok(()) => {
            core.events.look_anew();
            tracing::info!(namespace = seal.path, "a namespace was unsealed");
            Ok(())
        }
        Err(fault) => {
            shut(core, seal);
            Err(fault)
        }
    }
}

/// Seals a namespace, and with it those in it that have seals of their own. Requests that are running end with what they
/// have or with "sealed"; nothing they acknowledged is lost.
pub async fn close(core: &Core, seal: &Seal) {
    let all = core.namespaces.seals.with_inner(&seal.id);
    let mut turns = Vec::new();
    for seal in &all {
        turns.push(seal.turn().await);
        if seal.refuse() {
            tracing::info!(namespace = seal.path, "a namespace was sealed");
        }
    }
    // What happened in it is stored by its keys. Nobody begins anything there any more.
    if let Err(fault) = core.events.store().await {
        tracing::warn!(%fault, "the last events of a namespace could not be stored before it was sealed");
    }
    for seal in &all {
        shut(core, seal);
    }
}

fn shut(core: &Core, seal: &Seal) {
    seal.close();
    core.namespaces.forget_within(&seal.path);
    core.events.forget_sealed(&seal.id);
}

fn is_gone() -> Fault {
    Fault::invalid("namespace doesn't exist")
}

impl Open {
    /// The keys of the namespace at hand.
    ///
    /// # Errors
    /// If it has none of its own.
    pub fn keys(&self) -> Result<Arc<coffer_barrier::Barrier>, Fault> {
        match self.space.is_root() {
            true => Ok(Arc::clone(&self.barrier)),
            false => Ok(Arc::clone(&self.own_seal()?.keys)),
        }
    }

    /// The attempts under way to change the unseal keys of the namespace at hand and to make a root token of it.
    pub(crate) fn ceremonies(&self) -> Result<Arc<crate::lifecycle::Ceremonies>, Fault> {
        match self.space.is_root() {
            true => Ok(Arc::clone(&self.server_ceremonies)),
            false => Ok(Arc::clone(&self.own_seal()?.ceremonies)),
        }
    }

    fn own_seal(&self) -> Result<Arc<Seal>, Fault> {
        let seal = self.namespaces.seals.own(&self.space.id);
        let seal = seal.ok_or_else(|| Fault::invalid("namespace is not sealable"))?;
        match seal.is_open() {
            true => Ok(seal),
            false => Err(is_sealed()),
        }
    }
}
