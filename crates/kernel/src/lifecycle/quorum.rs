//! Shares of the present unseal key that operators hand in for one attempt, and who may touch it.

use std::mem;
use std::ops::RangeInclusive;

use coffer_barrier::Error;
use coffer_barrier::seal::{Protection, SealConfig};
use coffer_crypto::{Secret, Zeroizing, constant_time_eq};
use coffer_engine::Fault;

use super::unseal::decoded;
use crate::open::Open;
use crate::seals::Keeping;

/// The shortest and longest share, in bytes.
const SHARE_BYTES: RangeInclusive<usize> = 16..=33;

/// Distinct shares of one attempt, and the nonce that names it.
///
/// The nonce is the attempt's key: only who started it knows it, so that a stranger can neither hand
/// in shares, nor reset, nor cancel what the operators are doing.
pub(super) struct Quorum {
    nonce: String,
    shares: Vec<Zeroizing<Vec<u8>>>,
    /// A request has all shares and is completing the attempt.
    completing: bool,
}

impl Quorum {
    pub(super) fn named(nonce: String) -> Self {
        Self {
            nonce,
            shares: Vec::new(),
            completing: false,
        }
    }

    pub(super) fn nonce(&self) -> &str {
        &self.nonce
    }

    pub(super) fn progress(&self) -> usize {
        self.shares.len()
    }

    /// Whether a request is completing the attempt.
    pub(super) fn is_completing(&self) -> bool {
        self.completing
    }

    /// Whether this is the attempt's nonce.
    pub(super) fn is_named(&self, nonce: &str) -> bool {
        constant_time_eq(self.nonce.as_bytes(), nonce.as_bytes())
    }

    /// Refuses who does not know the nonce, and everybody while the attempt is being completed.
    pub(super) fn admit(&self, nonce: &str, what: &str) -> Result<(), Fault> {
        if !self.is_named(nonce) {
            return Err(wrong_nonce(what));
        }
        self.idle(what)
    }

    /// Refuses everybody while the attempt is being completed.
    pub(super) fn idle(&self, what: &str) -> Result<(), Fault> {
        if !self.completing {
            return Ok(());
        }
        Err(Fault::Conflict(format!(
            "this {what} is being completed by another request; ask for its status"
        )))
    }

    /// Adds a share. With `threshold` of them they are handed over, once.
    pub(super) fn add(
        &mut self,
        share: Zeroizing<Vec<u8>>,
        threshold: u8,
    ) -> Result<Option<Vec<Zeroizing<Vec<u8>>>>, Fault> {
        let known = self
            .shares
            .iter()
            .any(|known| constant_time_eq(known, &share));
        if known {
            return Err(Fault::invalid(
                "given key has already been provided during this generation operation",
            ));
        }
        self.shares.push(share);
        if self.shares.len() < usize::from(threshold) {
            return Ok(None);
        }
        self.completing = true;
        Ok(Some(mem::take(&mut self.shares)))
    }

    /// Lets the attempt begin anew, under the same nonce.
    pub(super) fn begin_again(&mut self) {
        self.shares.clear();
        self.completing = false;
    }
}

/// Refuses who names no attempt.
pub(super) fn wrong_nonce(what: &str) -> Fault {
    Fault::Invalid(format!(
        "incorrect nonce supplied; give the nonce that was answered when this {what} was started"
    ))
}

/// A share as a client sends it.
pub(super) fn share(key: Option<&Secret<String>>) -> Result<Zeroizing<Vec<u8>>, Fault> {
    let text = key.map(|key| key.expose().as_str()).unwrap_or_default();
    if text.is_empty() {
        return Err(Fault::invalid(
            "'key' must be specified in request body as JSON",
        ));
    }
    let share = decoded(text)?;
    if share.len() < *SHARE_BYTES.start() {
        return Err(Fault::invalid("key is shorter than minimum 16 bytes"));
    }
    if share.len() > *SHARE_BYTES.end() {
        return Err(Fault::invalid("key is longer than maximum 33 bytes"));
    }
    Ok(share)
}

/// Whether shares are of the key that people hold here: of the unseal key that the server, or the namespace at hand, was
/// unsealed with, or of the recovery key.
pub(super) async fn authenticate(
    open: &Open,
    config: SealConfig,
    shares: &[Zeroizing<Vec<u8>>],
) -> Result<(), Fault> {
    let keys = open.keys()?;
    if let Some(Protection::Keepers(_)) = keys.protection().await? {
        return Keeping::of_open(open)
            .authenticate(&keys.root()?, shares)
            .await;
    }
    let wrong = || {
        Fault::invalid(
            "the key shares do not open the seal; all of them have to be handed in again",
        )
    };
    match keys.unwrap(config, shares).await {
        Ok(root) if keys.is_root(&root)? => Ok(()),
        Ok(_) | Err(Error::WrongKey | Error::Shares(_) | Error::Crypto(_)) => Err(wrong()),
        Err(other) => Err(other.into()),
    }
}

/// How the key is split that people hold: the unseal key, or the recovery key. Counts of 0 for none.
pub(super) async fn present_seal(open: &Open) -> Result<SealConfig, Fault> {
    let config = open.keys()?.seal_config().await?;
    config.ok_or_else(|| Fault::internal("the seal's configuration is missing"))
}

/// Whether keepers have the root key, and it is certain that nobody was ever given a recovery key.
pub(super) async fn nobody_holds_keys(open: &Open) -> Result<bool, Fault> {
    if !is_kept_by_keepers(open).await? || !present_seal(open).await?.is_none() {
        return Ok(false);
    }
    let keys = open.keys()?;
    let said = keys.recovery_key(&keys.root()?).await?;
    Ok(said.is_some_and(|key| key.is_none()))
}

/// Whether keepers have the root key of the server, or the namespace, at hand.
pub(super) async fn is_kept_by_keepers(open: &Open) -> Result<bool, Fault> {
    let protection = open.keys()?.protection().await?;
    Ok(matches!(protection, Some(Protection::Keepers(_))))
}
