//! Shares that operators have handed in so far.

use std::mem;

use coffer_crypto::{Random, Zeroizing, constant_time_eq};
use parking_lot::Mutex;

/// The attempts under way, one of each sort.
#[derive(Default)]
pub(crate) struct Attempts {
    /// Unsealing, or moving to another seal.
    pub(crate) unseal: Mutex<Progress>,
    /// Unsealing by break-glass shares.
    pub(crate) break_glass: Mutex<Progress>,
}

impl Attempts {
    /// Forgets every share.
    pub(crate) fn clear(&self) {
        self.unseal.lock().reset();
        self.break_glass.lock().reset();
    }
}

/// Distinct shares of one attempt, and the nonce that names it.
#[derive(Default)]
pub(crate) struct Progress {
    shares: Vec<Zeroizing<Vec<u8>>>,
    nonce: String,
}

impl Progress {
    /// How many distinct shares there are.
    pub(crate) fn count(&self) -> usize {
        self.shares.len()
    }

    /// The attempt's name; empty before the first share.
    pub(crate) fn nonce(&self) -> &str {
        &self.nonce
    }

    /// Forgets the shares.
    pub(crate) fn reset(&mut self) {
        *self = Self::default();
    }

    /// Adds a share; one that is there already does not advance. With `threshold` shares together
    /// they are handed over, and the attempt begins anew.
    pub(crate) fn add(
        &mut self,
        share: Zeroizing<Vec<u8>>,
        threshold: usize,
        random: &Random,
    ) -> Option<Vec<Zeroizing<Vec<u8>>>> {
        if self.nonce.is_empty() {
            self.nonce = random.uuid_v4();
        }
        if !self
            .shares
            .iter()
            .any(|known| constant_time_eq(known, &share))
        {
            self.shares.push(share);
        }
        if self.shares.len() < threshold {
            return None;
        }
        self.nonce.clear();
        Some(mem::take(&mut self.shares))
    }
}
