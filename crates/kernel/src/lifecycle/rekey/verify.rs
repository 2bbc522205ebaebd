//! Handing new shares back before they hold.

use std::sync::Arc;

use coffer_barrier::Error;
use coffer_barrier::seal::{self, SealConfig};
use coffer_crypto::{Aes256Key, Zeroizing, constant_time_eq};
use coffer_engine::Fault;
use coffer_storage::{Memory, Store};

use super::{Made, Pending, Rekey, Terms, close};
use crate::lifecycle::dialect::Subject;
use crate::lifecycle::quorum::wrong_nonce;
use crate::lifecycle::under_way::UnderWay;
use crate::open::Open;

/// Hands in one of the new shares; with enough of them they hold, and the present ones end. Answers
/// whether they do.
pub(super) async fn update(
    open: &Open,
    subject: Subject,
    nonce: &str,
    share: Zeroizing<Vec<u8>>,
) -> Result<bool, Fault> {
    let (shares, terms, made, attempt) = {
        let ceremonies = open.ceremonies()?;
        let mut slot = ceremonies.keys(subject).lock();
        let (verified, pending) = waiting(&mut slot, Some(nonce))?;
        pending.quorum.admit(nonce, "verify operation")?;
        match pending
            .quorum
            .add(share, verified.terms.config.secret_threshold)?
        {
            None => return Ok(false),
            Some(shares) => (
                shares,
                verified.terms,
                Arc::clone(&pending.made),
                verified.attempt,
            ),
        }
    };
    let at = open.keys()?.at().to_owned();
    let outcome = match check(&made, &at, terms.config, &shares).await {
        Ok(()) => close(open, &attempt, &made, &terms).await,
        Err(fault) => Err(fault),
    };
    if outcome.is_err() {
        let ceremonies = open.ceremonies()?;
        let mut slot = ceremonies.keys(subject).lock();
        if let Ok((_, pending)) = waiting(&mut slot, Some(nonce)) {
            pending.quorum.begin_again();
        }
    }
    outcome.map(|()| true)
}

/// What is verified, beside the shares.
pub(super) struct Verified {
    pub(super) attempt: String,
    pub(super) terms: Terms,
}

/// The parts of the attempt whose new shares wait under this nonce; without one, of any that has some.
pub(super) fn waiting<'a>(
    slot: &'a mut UnderWay<Rekey>,
    nonce: Option<&str>,
) -> Result<(Verified, &'a mut Pending), Fault> {
    if slot.is_empty() {
        return Err(Fault::invalid("no rekey in progress; start one first"));
    }
    let none_waits = !slot.iter().any(|rekey| rekey.pending.is_some());
    let is_meant = |rekey: &Rekey| {
        let pending = rekey.pending.as_ref();
        pending.is_some_and(|pending| nonce.is_none_or(|nonce| pending.quorum.is_named(nonce)))
    };
    let rekey = slot.find(is_meant).ok_or_else(|| match none_waits {
        true => none_is_out(),
        false => wrong_nonce("verify operation"),
    })?;
    let verified = Verified {
        attempt: rekey.quorum.nonce().to_owned(),
        terms: rekey.terms.clone(),
    };
    let pending = rekey.pending.as_mut().ok_or_else(none_is_out)?;
    Ok((verified, pending))
}

fn none_is_out() -> Fault {
    Fault::invalid("no new keys wait to be verified; hand in the present ones first")
}

/// Whether the new shares open what was made with them.
async fn check(
    made: &Made,
    at: &str,
    config: SealConfig,
    shares: &[Zeroizing<Vec<u8>>],
) -> Result<(), Fault> {
    let right = match made {
        Made::UnsealKey { root, wrapped } => {
            let scratch = Memory::new();
            let written = scratch.commit(wrapped.clone()).await;
            written.map_err(Error::from)?;
            let again = seal::unwrap(&scratch, at, config, shares).await;
            again.is_ok_and(|again| is_same(&again, root))
        }
        Made::RecoveryKey { key, .. } => key.is_of(shares),
        Made::BreakGlass { key } => {
            seal::combine(config, shares).is_ok_and(|again| is_same(&again, key))
        }
        Made::RootKey => false,
    };
    right.then_some(()).ok_or_else(|| {
        Fault::invalid(
            "rekey verification failed; incorrect key shares supplied, hand in all of them again",
        )
    })
}

fn is_same(one: &Aes256Key, other: &Aes256Key) -> bool {
    constant_time_eq(one.expose_bytes(), other.expose_bytes())
}
