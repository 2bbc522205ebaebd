//! What quotas count, changed in the step that changes what is counted.

use std::collections::HashMap;
use std::sync::Arc;

use coffer_barrier::{Changes, Error, Stored, View};
use coffer_engine::Fault;
use parking_lot::RwLock;
use serde::{Deserialize, Serialize};

use super::tally::{Draft, Tally, Way};

/// The numbers of all quotas that count.
pub struct Counts {
    view: View,
    tallies: RwLock<HashMap<String, Arc<Tally>>>,
}

/// What a step of the storage adds to counts. Dropped, it has added nothing.
#[must_use = "say with `settle` what became of the step"]
pub struct Step<'a> {
    counts: &'a Counts,
    drafts: Vec<Draft>,
}

/// How many tokens an identity has, as stored.
#[derive(Serialize, Deserialize)]
struct Held {
    tokens: u64,
}

impl Stored for Held {}

impl Counts {
    /// Reads the numbers of these quotas; a few records each, however many leases there are.
    pub(super) async fn load(view: View, ids: impl Iterator<Item = &str>) -> Result<Self, Fault> {
        let counts = Self {
            view,
            tallies: RwLock::default(),
        };
        for id in ids {
            counts.open(id).await?;
        }
        Ok(counts)
    }

    /// From here on leases are counted for this quota.
    pub(super) async fn open(&self, id: &str) -> Result<(), Fault> {
        if self.tallies.read().contains_key(id) {
            return Ok(());
        }
        let tally = Tally::load(self.view.sub(&format!("tally/{id}/"))).await?;
        self.tallies.write().entry(id.to_owned()).or_insert(tally);
        Ok(())
    }

    /// Forgets what was counted for a quota that is gone.
    pub(super) async fn close(&self, id: &str) -> Result<(), Fault> {
        self.tallies.write().remove(id);
        self.view.clear(&format!("tally/{id}/")).await?;
        Ok(self.view.clear(&format!("holder/{id}/")).await?)
    }

    /// How many leases a quota counts.
    pub(super) fn leases(&self, id: &str) -> u64 {
        self.tally(id).map_or(0, |tally| tally.total())
    }

    /// Nothing to add yet.
    pub fn step(&self) -> Step<'_> {
        Step {
            counts: self,
            drafts: Vec::new(),
        }
    }

    fn tally(&self, id: &str) -> Option<Arc<Tally>> {
        self.tallies.read().get(id).cloned()
    }
}

impl Step<'_> {
    /// One more lease of a quota, if there are fewer than `most`; else none, and the step is not to be done.
    pub async fn lease_comes(
        &mut self,
        changes: Changes,
        id: &str,
        most: u64,
    ) -> Result<Option<Changes>, Fault> {
        let Some(tally) = self.counts.tally(id) else {
            return Ok(Some(changes)); // The quota is gone.
        };
        let Some(draft) = tally.begin(Way::Up, most) else {
            return Ok(None);
        };
        self.written(changes, draft).await.map(Some)
    }

    /// One lease less of a quota.
    pub async fn lease_goes(&mut self, changes: Changes, id: &str) -> Result<Changes, Fault> {
        let tally = if id.is_empty() {
            None
        } else {
            self.counts.tally(id)
        };
        match tally.and_then(|tally| tally.begin(Way::Down, 0)) {
            Some(draft) => self.written(changes, draft).await,
            None => Ok(changes),
        }
    }

    /// One more token of a holder (a quota's id and an identity), if it has fewer than `most`; else none.
    pub async fn token_comes(
        &self,
        changes: Changes,
        holder: &str,
        most: u64,
    ) -> Result<Option<Changes>, Fault> {
        self.held(changes, holder, |tokens| {
            (tokens < most).then(|| tokens.saturating_add(1))
        })
        .await
    }

    /// One token less of a holder.
    pub async fn token_goes(&self, changes: Changes, holder: &str) -> Result<Changes, Fault> {
        let less = |tokens: u64| Some(tokens.saturating_sub(1));
        let gone = self.held(changes, holder, less).await?;
        gone.ok_or_else(|| Fault::internal("a token less is never too many"))
    }

    /// Says what became of the step.
    pub fn settle(self, outcome: &Result<(), Error>) {
        match outcome {
            Ok(()) => self.drafts.into_iter().for_each(Draft::done),
            Err(Error::Storage(coffer_storage::Error::Io { .. })) => {
                self.drafts.into_iter().for_each(Draft::unsure);
            }
            Err(_) => {} // Nothing was written.
        }
    }

    async fn held(
        &self,
        changes: Changes,
        holder: &str,
        then: impl Fn(u64) -> Option<u64> + Send,
    ) -> Result<Option<Changes>, Fault> {
        if holder.is_empty() {
            return Ok(Some(changes));
        }
        let view = &self.counts.view;
        let path = format!("holder/{holder}");
        let (held, seen) = view.get_seen::<Held>(&path).await?;
        let Some(tokens) = then(held.map_or(0, |held| held.tokens)) else {
            return Ok(None);
        };
        let changes = match tokens {
            0 => changes.delete(view, &path),
            tokens => changes.put(view, &path, &Held { tokens })?,
        };
        Ok(Some(changes.expect(view, &path, seen)))
    }

    async fn written(&mut self, changes: Changes, draft: Draft) -> Result<Changes, Fault> {
        let changes = draft.written(changes).await?;
        self.drafts.push(draft);
        Ok(changes)
    }
}
