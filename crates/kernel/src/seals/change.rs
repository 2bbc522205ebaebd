//! Changing who keeps the root key while the server is open, and replacing the root key itself.

use std::sync::Arc;

use coffer_barrier::{Error, RootCopy};
use coffer_crypto::Aes256Key;
use coffer_engine::Fault;
use coffer_storage::Batch;

use super::keeping::Keeping;
use super::situation::{Situation, is_of};
use super::stanza::SealStanza;

/// How often the last step starts again when other changes of the key ring are faster.
const STORE_TRIES: usize = 16;

/// What became of wrapping the root key anew.
#[derive(Debug, Default)]
pub(crate) struct Rewrapped {
    /// The seals with a new copy.
    pub(crate) done: Vec<String>,
    /// The seals that keep their old copy, and why.
    pub(crate) failed: Vec<(String, String)>,
}

impl Keeping<'_> {
    /// Refuses where shares of an unseal key protect the store.
    pub(crate) async fn refuse_shares(&self) -> Result<Situation, Fault> {
        match self.situation().await? {
            Situation::New | Situation::Shares(_) | Situation::ToKeepers(_) => Err(Fault::invalid(
                "key shares protect this server; move it to a seal first: configure the seal, restart, and hand in the shares with `unseal -migrate`",
            )),
            other => Ok(other),
        }
    }

    /// Gives a configured seal a copy of the root key, or a new one by its keeper's present key.
    pub(crate) async fn add(&self, name: &str) -> Result<RootCopy, Fault> {
        let _turn = self.settings.seals.turn().await?;
        self.refuse_shares().await?;
        let stanza = self.stanza(name)?;
        if stanza.disabled {
            return Err(Fault::Invalid(format!(
                "the seal {name:?} is disabled in the configuration"
            )));
        }
        let there = self.copies().await?;
        if there
            .iter()
            .any(|copy| copy.name == name && !is_of(copy, &stanza))
        {
            return Err(Fault::Invalid(format!(
                "there is a copy of the root key by another seal of the name {name:?}; give this one another name, or remove that copy first"
            )));
        }
        let others = there.iter().filter(|copy| copy.name != name).count();
        if others >= coffer_barrier::auto::COPIES_MAX {
            return Err(Fault::Invalid(format!(
                "{} seals have a copy of the root key already; remove one first",
                coffer_barrier::auto::COPIES_MAX
            )));
        }
        let copy = self.copy(&stanza, &self.barrier.root()?).await?;
        self.barrier
            .commit_keys(copy.kept(self.barrier.at())?)
            .await?;
        tracing::info!(
            seal = name,
            kind = stanza.kind(),
            "the seal has a copy of the root key"
        );
        Ok(copy)
    }

    /// Whether a seal's copy opens the store, and its keeper wraps.
    pub(crate) async fn verify(&self, name: &str) -> Result<(), Fault> {
        let stanza = self.stanza(name)?;
        let copies = self.copies().await?;
        let copy = copies.iter().find(|copy| is_of(copy, &stanza));
        let copy = copy.ok_or_else(|| {
            Fault::Invalid(format!(
                "the seal {name:?} has no copy of the root key; add it first"
            ))
        })?;
        self.probe(&stanza).await?;
        self.verified(&stanza, copy).await
    }

    async fn verified(&self, stanza: &SealStanza, copy: &RootCopy) -> Result<(), Fault> {
        let root = self.open(stanza, copy).await?;
        match self.barrier.is_root(&root)? {
            true => Ok(()),
            false => Err(Fault::Unavailable(format!(
                "the copy of seal {:?} is of another root key; add it anew",
                stanza.name
            ))),
        }
    }

    /// Takes a seal's copy away, after another one was seen to open the store.
    pub(crate) async fn remove(&self, name: &str) -> Result<(), Fault> {
        let _turn = self.settings.seals.turn().await?;
        self.refuse_shares().await?;
        if !self.copies().await?.iter().any(|copy| copy.name == name) {
            return Err(Fault::NotFound);
        }
        let Situation::Kept { by, .. } = self.situation().await? else {
            return Err(last(name));
        };
        let mut why = Vec::new();
        for (stanza, copy) in by.iter().filter(|(stanza, _)| stanza.name != name) {
            match self.verified(stanza, copy).await {
                Err(fault) => why.push(fault.to_string()),
                Ok(()) => {
                    let removed = self.barrier.without_copy(name);
                    self.barrier.commit_keys(removed).await?;
                    tracing::warn!(seal = name, "the seal's copy of the root key was removed");
                    return Ok(());
                }
            }
        }
        match why.is_empty() {
            true => Err(last(name)),
            false => Err(Fault::Unavailable(format!(
                "no other seal opens the storage at the moment, so this one stays: {}",
                why.join("; ")
            ))),
        }
    }

    /// Wraps the root key anew by the present keys of all keepers that have it. Who fails keeps the old copy.
    pub(crate) async fn rewrap(&self) -> Result<Rewrapped, Fault> {
        let _turn = self.settings.seals.turn().await?;
        self.refuse_shares().await?;
        let Situation::Kept { by, .. } = self.situation().await? else {
            return Err(Fault::invalid("no seal in use has a copy of the root key"));
        };
        let root = self.barrier.root()?;
        let (mut batch, mut outcome) = (Batch::new(), Rewrapped::default());
        for (stanza, _) in by {
            match self.copy(&stanza, &root).await {
                Ok(copy) => {
                    batch = batch.and(copy.kept(self.barrier.at())?);
                    outcome.done.push(stanza.name.clone());
                }
                Err(fault) => outcome
                    .failed
                    .push((stanza.name.clone(), fault.to_string())),
            }
        }
        if !outcome.done.is_empty() {
            self.barrier.commit_keys(batch).await?;
        }
        tracing::info!(
            done = outcome.done.join(", "),
            failed = outcome.failed.len(),
            "the root key was wrapped anew"
        );
        Ok(outcome)
    }

    /// Puts a new root key in the place of the present one. All seals in use must answer; copies of others are of no use
    /// from then on and go. Recovery keys and break-glass shares stay good.
    pub(crate) async fn change_root(&self) -> Result<(), Fault> {
        let _turn = self.settings.seals.turn().await?;
        let Situation::Kept { by, .. } = self.refuse_shares().await? else {
            return Err(Fault::invalid("no seal in use has a copy of the root key"));
        };
        let (old, new) = (
            self.barrier.root()?,
            Aes256Key::generate(self.barrier.random())?,
        );
        let stanzas: Vec<_> = by.into_iter().map(|(stanza, _)| stanza).collect();
        let (copies, gone) = self.copies_for(&stanzas, &new).await?;
        let batch = copies.and(self.barrier.following(&old, &new).await?);
        for _ in 0..STORE_TRIES {
            let root = Aes256Key::from_slice(new.expose_bytes())?;
            match self.barrier.change_root(root, batch.clone()).await {
                Err(Error::Conflict) => tokio::task::yield_now().await,
                other => {
                    other?;
                    tracing::info!(removed = gone.join(", "), "a new root key is in use");
                    return Ok(());
                }
            }
        }
        Err(Error::Conflict.into())
    }

    /// The writes that make copies of `root` for these seals the only ones, and the names of those that go.
    pub(super) async fn copies_for(
        &self,
        stanzas: &[Arc<SealStanza>],
        root: &Aes256Key,
    ) -> Result<(Batch, Vec<String>), Fault> {
        let mut batch = Batch::new();
        let stays = |name: &str| stanzas.iter().any(|stanza| stanza.name == name);
        let mut gone = Vec::new();
        for copy in self.copies().await? {
            if !stays(&copy.name) {
                batch = batch.and(self.barrier.without_copy(&copy.name));
                gone.push(copy.name);
            }
        }
        for stanza in stanzas {
            let copy = self.copy(stanza, root).await?;
            batch = batch.and(copy.kept(self.barrier.at())?);
        }
        Ok((batch, gone))
    }

    fn stanza(&self, name: &str) -> Result<Arc<SealStanza>, Fault> {
        let stanza = self.settings.seals.named(name);
        stanza.ok_or_else(|| {
            Fault::Invalid(format!(
                "no seal {name:?} is configured; write its stanza, then send SIGHUP to the server or restart it"
            ))
        })
    }
}

fn last(name: &str) -> Fault {
    Fault::Invalid(format!(
        "{name:?} is the only seal that opens this server; add another one first"
    ))
}
