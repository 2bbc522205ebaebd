//! Moving from one seal to another, as the server is unsealed: shares of people and keepers, in every direction.
//!
//! Each move is one write. Before it the old seal opens the store, after it the new one does.

use std::mem;

use coffer_barrier::seal::{SealConfig, combine};
use coffer_barrier::{Error, RecoveryKey};
use coffer_crypto::{Aes256Key, Zeroizing};
use coffer_engine::Fault;
use coffer_storage::Batch;
use tokio::sync::SemaphorePermit;

use super::keeping::Keeping;
use super::situation::{Copies, Situation};

impl Keeping<'_> {
    /// The root key, from shares that people handed in: of the unseal key, or of the recovery key, in which case keepers
    /// are asked for it. Where a move is wanted it is made.
    pub(crate) async fn root_by_people(
        &self,
        situation: &Situation,
        shares: &[Zeroizing<Vec<u8>>],
    ) -> Result<Aes256Key, Fault> {
        let counts = situation.counts().unwrap_or_default();
        let key = combine(counts, shares).map_err(|_| wrong_keys())?;
        match situation {
            Situation::New => Err(Fault::Sealed),
            Situation::Shares(_) => self.barrier.unwrap_by(&key).await.map_err(wrong),
            Situation::Kept { by, .. } => self.authenticated(by, shares).await,
            Situation::ToKeepers(counts) => {
                let root = self.barrier.unwrap_by(&key).await.map_err(wrong)?;
                let _turn = self.turn_in(situation).await?;
                self.move_to_keepers(&root, &key, *counts).await?;
                Ok(root)
            }
            Situation::ToShares { by, recovery } => {
                let root = self.authenticated(by, shares).await?;
                let _turn = self.turn_in(situation).await?;
                let people = self.barrier.kept_by_people(&root, &key, *recovery);
                self.barrier.commit_keys(people.await?).await?;
                tracing::warn!("moved to key shares: the recovery keys are the unseal keys from now on, and no seal opens this server");
                Ok(root)
            }
            Situation::ToOthers { by, .. } => {
                let root = self.authenticated(by, shares).await?;
                let _turn = self.turn_in(situation).await?;
                let (copies, gone) = self.copies_for(&self.settings.seals.enabled(), &root).await?;
                self.barrier.commit_keys(copies).await?;
                tracing::warn!(from = gone.join(", "), "moved to the configured seals");
                Ok(root)
            }
            Situation::Lost { .. } => Err(Fault::Unavailable(
                "no configured seal has a copy of the root key, and recovery keys alone open nothing; see the server's log".into(),
            )),
        }
    }

    /// The root key, which keepers give, for who handed in the recovery key. No turn is held before that is certain.
    async fn authenticated(
        &self,
        by: &Copies,
        shares: &[Zeroizing<Vec<u8>>],
    ) -> Result<Aes256Key, Fault> {
        let root = self.open_for_people(by).await?;
        self.authenticate(&root, shares).await?;
        Ok(Aes256Key::from_slice(root.expose_bytes())?)
    }

    /// The turn to move, unless somebody else has moved meanwhile.
    async fn turn_in(&self, situation: &Situation) -> Result<SemaphorePermit<'_>, Fault> {
        let turn = self.settings.seals.turn().await?;
        let now = self.situation().await?;
        match mem::discriminant(&now) == mem::discriminant(situation) {
            true => Ok(turn),
            false => Err(Fault::Conflict(
                "another request has moved the server to its seal meanwhile; see its status".into(),
            )),
        }
    }

    /// Whether shares are of the recovery key.
    pub(crate) async fn authenticate(
        &self,
        root: &Aes256Key,
        shares: &[Zeroizing<Vec<u8>>],
    ) -> Result<(), Fault> {
        let key = self.barrier.recovery_key(root).await?;
        match key.is_some_and(|key| key.is_of(shares)) {
            true => Ok(()),
            false => Err(wrong_recovery_keys()),
        }
    }

    /// The writes that make keepers have `root`, with this recovery key.
    pub(crate) async fn kept_by_keepers(
        &self,
        root: &Aes256Key,
        recovery: &RecoveryKey,
    ) -> Result<Batch, Fault> {
        let stanzas = self.settings.seals.enabled();
        let (copies, _) = self.copies_for(&stanzas, root).await?;
        Ok(copies.and(self.barrier.kept_by_keepers(root, recovery)?))
    }

    /// The unseal keys become recovery keys.
    async fn move_to_keepers(
        &self,
        root: &Aes256Key,
        key: &Aes256Key,
        counts: SealConfig,
    ) -> Result<(), Fault> {
        let recovery = RecoveryKey::of(key, counts);
        let batch = self.kept_by_keepers(root, &recovery).await?;
        self.barrier.commit_keys(batch).await?;
        let names: Vec<_> = self.settings.seals.enabled();
        let names: Vec<_> = names.iter().map(|stanza| stanza.name.as_str()).collect();
        tracing::warn!(
            to = names.join(", "),
            "moved to the configured seals: the unseal keys are recovery keys from now on, and open nothing alone"
        );
        Ok(())
    }
}

fn wrong(error: Error) -> Fault {
    match error {
        Error::WrongKey => wrong_keys(),
        other => other.into(),
    }
}

fn wrong_keys() -> Fault {
    Fault::invalid("the key shares do not open the seal; hand all of them in again")
}

/// What is said of recovery keys that are none.
pub(crate) fn wrong_recovery_keys() -> Fault {
    Fault::invalid(
        "recovery key verification failed: recovery key does not match submitted values; all of them have to be handed in again",
    )
}
