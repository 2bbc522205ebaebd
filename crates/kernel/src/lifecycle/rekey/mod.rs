//! Changing the unseal keys: enough of the present shares make new ones, and a new root key with them.
//!
//! The attempt lives in memory and ends with the server or its sealing. Nothing is stored before the
//! last step; that step writes the new wrapping of the new root key and the key ring encrypted by it
//! in one batch, so at any moment exactly one set of shares opens the seal.

mod api;
mod backup;
mod recovery;
mod verify;

use coffer_barrier::seal::SealConfig;
use coffer_barrier::{Barrier, Error};
use coffer_crypto::pgp::Recipient;
use coffer_crypto::{Aes256Key, Random, Zeroizing};
use coffer_engine::Fault;
use coffer_storage::Batch;
use parking_lot::Mutex;
use std::sync::Arc;

use super::pgp;
use super::quorum::{Quorum, authenticate, present_seal, wrong_nonce};
use super::under_way::{Attempt, UnderWay};
use crate::open::Open;
pub(crate) use api::routes;

/// How often the last step starts again when other changes of the key ring are faster.
const STORE_TRIES: usize = 16;

/// The attempts under way. The one that changes the keys ends the others, whose shares are void then.
pub(crate) type Slot = Mutex<UnderWay<Rekey>>;

/// An attempt to change the unseal keys.
pub(crate) struct Rekey {
    terms: Terms,
    /// Shares of the present key.
    quorum: Quorum,
    /// The new shares are out and wait to be handed back.
    pending: Option<Pending>,
}

/// How an attempt was started.
#[derive(Clone)]
struct Terms {
    /// How the new key shall be split.
    config: SealConfig,
    /// Whether the new shares hold only once they were handed back.
    verify: bool,
    /// Whose keys the new shares are encrypted to, one for each share; empty for none.
    people: Arc<[Recipient]>,
    /// Whether the encrypted shares are kept here, too.
    backup: bool,
}

/// New shares that wait to be handed back.
struct Pending {
    quorum: Quorum,
    made: Arc<Made>,
}

/// A new root key, and the writes that make new shares open it, with the copy of those that shall be kept.
struct Made {
    root: Aes256Key,
    wrapped: Batch,
}

/// What a share led to.
enum Outcome {
    /// More are needed.
    Progress,
    /// The new shares, or the messages they were put into.
    Done(New),
}

/// New shares on their way to the operators.
struct New {
    /// The shares, or the messages they were put into.
    shares: Vec<Zeroizing<Vec<u8>>>,
    terms: Terms,
    /// The nonce of their verification, where they wait for it.
    verification_nonce: String,
}

impl Attempt for Rekey {
    fn quorum(&self) -> &Quorum {
        &self.quorum
    }

    fn is_proved(&self) -> bool {
        self.pending.is_some()
    }
}

impl Rekey {
    fn new(terms: Terms, random: &Random) -> Self {
        Self {
            terms,
            quorum: Quorum::named(random.uuid_v4()),
            pending: None,
        }
    }

    /// Whether this is the nonce of the attempt or of its verification.
    fn is_named(&self, nonce: &str) -> bool {
        let pending = self.pending.as_ref();
        self.quorum.is_named(nonce) || pending.is_some_and(|new| new.quorum.is_named(nonce))
    }

    /// Refuses everybody while a request is completing it or its verification.
    fn idle(&self) -> Result<(), Fault> {
        self.quorum.idle("rekey operation")?;
        let pending = self.pending.as_ref();
        pending.map_or(Ok(()), |new| new.quorum.idle("verify operation"))
    }
}

/// Hands in one share of the present key.
async fn update(open: &Open, nonce: &str, share: Zeroizing<Vec<u8>>) -> Result<Outcome, Fault> {
    let present = present_seal(open).await?;
    let (shares, terms) = {
        let ceremonies = open.ceremonies()?;
        let mut slot = ceremonies.rekey.lock();
        if slot.is_empty() {
            return Err(none_under_way());
        }
        let rekey = slot.named(nonce);
        let rekey = rekey.ok_or_else(|| wrong_nonce("rekey operation"))?;
        rekey.quorum.admit(nonce, "rekey operation")?;
        if rekey.pending.is_some() {
            return Err(Fault::invalid(
                "the new keys are made and wait to be verified; hand them in at the verify path",
            ));
        }
        match rekey.quorum.add(share, present.secret_threshold)? {
            None => return Ok(Outcome::Progress),
            Some(shares) => (shares, rekey.terms.clone()),
        }
    };
    let completed = complete(open, nonce, present, &shares, terms).await;
    if completed.is_err() {
        let ceremonies = open.ceremonies()?;
        let mut slot = ceremonies.rekey.lock();
        if let Some(rekey) = slot.named(nonce) {
            rekey.quorum.begin_again();
        }
    }
    completed
}

/// Makes the new shares, after the present ones proved to be right.
async fn complete(
    open: &Open,
    nonce: &str,
    present: SealConfig,
    shares: &[Zeroizing<Vec<u8>>],
    terms: Terms,
) -> Result<Outcome, Fault> {
    authenticate(open, present, shares).await?;
    let root = Aes256Key::generate(&open.random)?;
    let (shares, wrapped) = open.keys()?.wrap(&root, terms.config)?;
    let shares = pgp::handed_out(shares, &terms.people, &open.random)?;
    let kept = backup::kept(open, nonce, &terms, &shares)?;
    let made = Made {
        root,
        wrapped: wrapped.and(kept),
    };
    let mut new = New {
        shares,
        verification_nonce: String::new(),
        terms,
    };
    if !new.terms.verify {
        close(open, nonce, &made, new.terms.config).await?;
        return Ok(Outcome::Done(new));
    }
    new.verification_nonce = open.random.uuid_v4();
    let pending = Pending {
        quorum: Quorum::named(new.verification_nonce.clone()),
        made: Arc::new(made),
    };
    let ceremonies = open.ceremonies()?;
    let mut slot = ceremonies.rekey.lock();
    let rekey = slot.named(nonce).ok_or_else(none_under_way)?;
    rekey.quorum.begin_again();
    rekey.pending = Some(pending);
    Ok(Outcome::Done(new))
}

/// Makes the new key of the attempt of this nonce the one in force, and ends all attempts: what they
/// have are shares of the former key.
async fn close(open: &Open, nonce: &str, made: &Made, config: SealConfig) -> Result<(), Fault> {
    let (ceremonies, keys) = (open.ceremonies()?, open.keys()?);
    let slot = &ceremonies.rekey;
    slot.lock().close(nonce, "rekey operation")?;
    let stored = store(&keys, made).await;
    match &stored {
        Ok(()) => slot.lock().clear(),
        Err(_) => slot.lock().reopen(),
    }
    stored?;
    tracing::info!(
        shares = config.secret_shares,
        threshold = config.secret_threshold,
        "the unseal keys were changed"
    );
    Ok(())
}

/// Makes the new root key and its wrapping the ones in force, in one step.
async fn store(barrier: &Barrier, made: &Made) -> Result<(), Fault> {
    for _ in 0..STORE_TRIES {
        let root = Aes256Key::from_slice(made.root.expose_bytes())?;
        match barrier.change_root(root, made.wrapped.clone()).await {
            Err(Error::Conflict) => tokio::task::yield_now().await,
            other => return Ok(other?),
        }
    }
    Err(Error::Conflict.into())
}

fn none_under_way() -> Fault {
    Fault::invalid("no barrier rekey in progress; start one first")
}
