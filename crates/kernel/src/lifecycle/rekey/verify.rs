//! Handing new shares back before they hold.

use std::sync::Arc;

use coffer_barrier::Error;
use coffer_barrier::seal::{self, SealConfig};
use coffer_crypto::{Zeroizing, constant_time_eq};
use coffer_engine::Fault;
use coffer_storage::{Memory, Store};

use super::{Made, Pending, Rekey, close, store};
use crate::open::Open;

/// Hands in one of the new shares; with enough of them they hold, and the present ones end. Answers
/// whether they do.
pub(super) async fn update(
    open: &Open,
    nonce: &str,
    share: Zeroizing<Vec<u8>>,
) -> Result<bool, Fault> {
    let (shares, config, made, attempt) = {
        let mut slot = open.ceremonies.rekey.lock();
        let (verified, pending) = waiting(slot.as_mut())?;
        pending.quorum.admit(nonce, "verify operation")?;
        match pending
            .quorum
            .add(share, verified.config.secret_threshold)?
        {
            None => return Ok(false),
            Some(shares) => (
                shares,
                verified.config,
                Arc::clone(&pending.made),
                verified.attempt,
            ),
        }
    };
    let outcome = match check(&made, config, &shares).await {
        Ok(()) => store(&open.barrier, &made).await,
        Err(fault) => Err(fault),
    };
    match outcome {
        Ok(()) => {
            close(open, &attempt);
            tracing::info!(
                shares = config.secret_shares,
                threshold = config.secret_threshold,
                "the unseal keys were changed"
            );
            Ok(true)
        }
        Err(fault) => {
            let mut slot = open.ceremonies.rekey.lock();
            if let Ok((_, pending)) = waiting(slot.as_mut())
                && pending.quorum.is_named(nonce)
            {
                pending.quorum.begin_again();
            }
            Err(fault)
        }
    }
}

/// What is verified, beside the shares.
pub(super) struct Verified {
    pub(super) attempt: String,
    pub(super) config: SealConfig,
}

/// The parts of an attempt whose new shares are out.
pub(super) fn waiting(rekey: Option<&mut Rekey>) -> Result<(Verified, &mut Pending), Fault> {
    let rekey = rekey.ok_or_else(|| Fault::invalid("no rekey in progress; start one first"))?;
    let verified = Verified {
        attempt: rekey.quorum.nonce().to_owned(),
        config: rekey.config,
    };
    let pending = rekey.pending.as_mut().ok_or_else(|| {
        Fault::invalid("no new keys wait to be verified; hand in the present ones first")
    })?;
    Ok((verified, pending))
}

/// Whether the new shares open what was made with them.
async fn check(
    made: &Made,
    config: SealConfig,
    shares: &[Zeroizing<Vec<u8>>],
) -> Result<(), Fault> {
    let scratch = Memory::new();
    let written = scratch.commit(made.wrapped.clone()).await;
    written.map_err(Error::from)?;
    let root = seal::unwrap(&scratch, config, shares).await;
    let right =
        root.is_ok_and(|root| constant_time_eq(root.expose_bytes(), made.root.expose_bytes()));
    right.then_some(()).ok_or_else(|| {
        Fault::invalid(
            "rekey verification failed; incorrect key shares supplied, hand in all of them again",
        )
    })
}
