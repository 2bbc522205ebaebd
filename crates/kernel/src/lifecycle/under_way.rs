//! The attempts of one ceremony that are under way at the same time.
//!
//! The doors that ask for no token let everybody start an attempt. So an attempt keeps nobody from
//! starting another one: each goes on by its own nonce. Whoever starts with a token is not put out by
//! strangers, however many attempts they start.

use coffer_engine::Fault;

use super::dialect::Standing;
use super::quorum::Quorum;

/// How many attempts of one ceremony there are at the same time.
const ATTEMPTS_MAX: usize = 8;

/// An attempt that is named by a nonce.
pub(super) trait Attempt {
    /// The shares handed in so far.
    fn quorum(&self) -> &Quorum;

    /// Whether shares that proved to be right brought it on.
    fn is_proved(&self) -> bool {
        false
    }
}

/// Attempts, the oldest first.
pub(crate) struct UnderWay<A> {
    all: Vec<(Standing, A)>,
    /// One of them is being made the last.
    closing: bool,
}

impl<A> Default for UnderWay<A> {
    fn default() -> Self {
        Self {
            all: Vec::new(),
            closing: false,
        }
    }
}

impl<A: Attempt> UnderWay<A> {
    /// Adds an attempt. Where there is no room, the oldest without any share makes it, else the oldest.
    pub(super) fn begin(&mut self, by: Standing, attempt: A) -> Result<(), Fault> {
        if self.all.len() >= ATTEMPTS_MAX {
            let may_go = |(_, (whose, attempt)): &(usize, &(Standing, A))| {
                !attempt.quorum().is_completing()
                    && (by == Standing::Granted || *whose == Standing::Stranger)
            };
            let old = self.all.iter().enumerate().filter(may_go);
            let old = old.min_by_key(|(_, (whose, attempt))| {
                let has_shares = attempt.quorum().progress() > 0;
                (*whose == Standing::Granted, attempt.is_proved(), has_shares)
            });
            let (old, _) = old.ok_or_else(|| {
                Fault::Conflict(format!(
                    "{ATTEMPTS_MAX} attempts of operators are under way; finish or cancel one of them"
                ))
            })?;
            self.all.remove(old);
        }
        self.all.push((by, attempt));
        Ok(())
    }

    /// The attempt of this nonce.
    pub(super) fn named(&mut self, nonce: &str) -> Option<&mut A> {
        self.find(|attempt| attempt.quorum().is_named(nonce))
    }

    /// The first attempt that is meant.
    pub(super) fn find(&mut self, is_meant: impl Fn(&A) -> bool) -> Option<&mut A> {
        let mut all = self.all.iter_mut().map(|(_, attempt)| attempt);
        all.find(|attempt| is_meant(attempt))
    }

    /// The attempt that is furthest, for those who name none: an operator's rather than a stranger's.
    pub(super) fn furthest(&self) -> Option<&A> {
        let order = |(whose, attempt): &&(Standing, A)| {
            let granted = *whose == Standing::Granted;
            (attempt.is_proved(), granted, attempt.quorum().progress())
        };
        self.all
            .iter()
            .max_by_key(order)
            .map(|(_, attempt)| attempt)
    }

    /// Ends the attempt of this nonce.
    pub(super) fn take(&mut self, nonce: &str) -> Option<A> {
        let is_named = |(_, attempt): &(Standing, A)| attempt.quorum().is_named(nonce);
        let at = self.all.iter().position(is_named)?;
        Some(self.all.remove(at).1)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The attempts.
    pub(super) fn iter(&self) -> impl Iterator<Item = &A> {
        self.all.iter().map(|(_, attempt)| attempt)
    }

    /// Lets the attempt of this nonce be the one that ends all; of several at once, one.
    pub(super) fn close(&mut self, nonce: &str, what: &str) -> Result<(), Fault> {
        if self.named(nonce).is_none() {
            return Err(Fault::Invalid(format!(
                "this {what} is no longer under way"
            )));
        }
        if self.closing {
            return Err(Fault::Conflict(format!(
                "another {what} is being completed; ask for the status"
            )));
        }
        self.closing = true;
        Ok(())
    }

    /// What was closed did not come about: the attempts go on.
    pub(super) fn reopen(&mut self) {
        self.closing = false;
    }

    /// Ends all attempts.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}
