//! Changing the keys that people hold: enough of the present shares make new ones. Of unseal keys, and a new root key with
//! them; where seals have the root key, of recovery keys or break-glass shares, or a new root key alone.
//!
//! The attempt lives in memory and ends with the server or its sealing. Nothing is stored before the
//! last step; that step is one batch. For unseal keys it writes the new wrapping of the new root key and the key ring
//! encrypted by it, so at any moment exactly one set of shares opens the seal.

mod api;
mod applicable;
mod backup;
mod routes;
mod store;
mod verify;

use coffer_barrier::seal::{SealConfig, Shares};
use coffer_barrier::{BreakGlass, RecoveryKey};
use coffer_crypto::pgp::Recipient;
use coffer_crypto::{Aes256Key, Random, Zeroizing};
use coffer_engine::{Event, Fault};
use coffer_storage::Batch;
use parking_lot::Mutex;
use std::sync::Arc;

use super::dialect::Subject;
use super::pgp;
use super::quorum::{Quorum, authenticate, is_kept_by_keepers, present_seal, wrong_nonce};
use super::under_way::{Attempt, UnderWay};
use crate::events::catalogue;
use crate::open::Open;
pub(crate) use routes::routes;

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
    /// What it makes.
    subject: Subject,
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

/// What new shares are of, before it is in force.
enum Made {
    /// An unseal key: a new root key, and the writes that make the shares open it, with the copy of those that shall be kept.
    UnsealKey { root: Aes256Key, wrapped: Batch },
    /// A recovery key.
    RecoveryKey { key: RecoveryKey, kept: Batch },
    /// A key that opens the server without its seals.
    BreakGlass { key: Aes256Key },
    /// A new root key alone, which is made in the last step.
    RootKey,
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
    shares: Shares,
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
async fn update(
    open: &Open,
    subject: Subject,
    nonce: &str,
    share: Zeroizing<Vec<u8>>,
) -> Result<Outcome, Fault> {
    let present = present_seal(open).await?;
    let (shares, terms) = {
        let ceremonies = open.ceremonies()?;
        let mut slot = ceremonies.keys(subject).lock();
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
        if present.is_none() {
            return Err(Fault::invalid(
                "there are no recovery keys to hand in; make some with a token that may write sys/rotate/recovery/init",
            ));
        }
        match rekey.quorum.add(share, present.secret_threshold)? {
            None => return Ok(Outcome::Progress),
            Some(shares) => (shares, rekey.terms.clone()),
        }
    };
    let completed = match authenticate(open, present, &shares).await {
        Ok(()) => complete(open, nonce, terms).await,
        Err(fault) => Err(fault),
    };
    if completed.is_err() {
        let ceremonies = open.ceremonies()?;
        let mut slot = ceremonies.keys(subject).lock();
        if let Some(rekey) = slot.named(nonce) {
            rekey.quorum.begin_again();
        }
    }
    completed
}

/// Makes the new shares, after who asked for them proved to be right.
async fn complete(open: &Open, nonce: &str, terms: Terms) -> Result<Outcome, Fault> {
    let (shares, made) = make(open, nonce, &terms).await?;
    let subject = terms.subject;
    let mut new = New {
        shares,
        verification_nonce: String::new(),
        terms,
    };
    if !new.terms.verify {
        close(open, nonce, &made, &new.terms).await?;
        return Ok(Outcome::Done(new));
    }
    new.verification_nonce = open.random.uuid_v4();
    let pending = Pending {
        quorum: Quorum::named(new.verification_nonce.clone()),
        made: Arc::new(made),
    };
    let ceremonies = open.ceremonies()?;
    let mut slot = ceremonies.keys(subject).lock();
    let rekey = slot.named(nonce).ok_or_else(none_under_way)?;
    rekey.quorum.begin_again();
    rekey.pending = Some(pending);
    Ok(Outcome::Done(new))
}

/// New shares, or the messages they are put into, and what they are of.
async fn make(open: &Open, nonce: &str, terms: &Terms) -> Result<(Shares, Made), Fault> {
    let keys = open.keys()?;
    let handed_out = |shares| pgp::handed_out(shares, &terms.people, &open.random);
    Ok(match terms.subject {
        Subject::RecoveryKeys => {
            let (shares, key) = RecoveryKey::generate(terms.config, &keys)?;
            let shares = handed_out(shares)?;
            let kept = backup::kept(open, nonce, terms, &shares)?;
            (shares, Made::RecoveryKey { key, kept })
        }
        Subject::BreakGlass => {
            let (key, shares) = BreakGlass::generate(terms.config, &keys)?;
            (handed_out(shares)?, Made::BreakGlass { key })
        }
        _ if is_kept_by_keepers(open).await? => (Vec::new(), Made::RootKey),
        _ => {
            let root = Aes256Key::generate(&open.random)?;
            let (shares, wrapped) = keys.wrap(&root, terms.config)?;
            let shares = handed_out(shares)?;
            let kept = backup::kept(open, nonce, terms, &shares)?;
            let wrapped = wrapped.and(kept);
            (shares, Made::UnsealKey { root, wrapped })
        }
    })
}

/// Makes the new key of the attempt of this nonce the one in force, and ends all attempts: what they
/// have are shares of the former key.
async fn close(open: &Open, nonce: &str, made: &Made, terms: &Terms) -> Result<(), Fault> {
    let ceremonies = open.ceremonies()?;
    let slot = ceremonies.keys(terms.subject);
    slot.lock().close(nonce, "rekey operation")?;
    let stored = store::store(open, nonce, made, terms).await;
    match &stored {
        Ok(()) => slot.lock().clear(),
        Err(_) => slot.lock().reopen(),
    }
    stored?;
    tracing::info!(
        what = terms.subject.shown(),
        shares = terms.config.secret_shares,
        threshold = terms.config.secret_threshold,
        "keys were changed"
    );
    open.tell(Event::new(catalogue::REKEY, "sys/rekey").with("key", terms.subject.shown()));
    Ok(())
}

fn none_under_way() -> Fault {
    Fault::invalid("no barrier rekey in progress; start one first")
}
