//! Where leases are kept.

use std::sync::Arc;

use coffer_barrier::{Barrier, Changes, View};
use coffer_engine::Fault;
use coffer_wire::Timestamp;

use super::record::{LeaseRecord, LeaseState};
use crate::due::{Due, Ending, Mark};

/// The lease book.
pub struct Leases {
    view: View,
    /// The due index, shared with tokens.
    pub due: Arc<Due>,
}

impl Leases {
    /// The book of this barrier.
    pub fn new(barrier: &Arc<Barrier>, due: Arc<Due>) -> Self {
        Self {
            view: barrier.view("sys/lease/"),
            due,
        }
    }

    /// The record of a lease.
    pub async fn get(&self, id: &str) -> Result<Option<LeaseRecord>, Fault> {
        Ok(self.view.get(&by_id(id)).await?)
    }

    /// The record of a lease that clients may know of: not an intent.
    pub async fn known(&self, id: &str) -> Result<Option<LeaseRecord>, Fault> {
        Ok(self
            .get(id)
            .await?
            .filter(|record| record.state != LeaseState::Intent))
    }

    /// Writes a new record with its due entry, durably.
    pub async fn announce(&self, id: &str, record: &LeaseRecord) -> Result<(), Fault> {
        let changes = self.view.changes().put(&self.view, &by_id(id), record)?;
        let changes = self
            .due
            .add(changes, record.due, &Ending::Lease(id.to_owned()))?;
        changes.commit().await?;
        self.due.announce(record.due);
        Ok(())
    }

    /// Makes an intent a lease of its token.
    pub async fn issue(
        &self,
        id: &str,
        old_due: Timestamp,
        record: &LeaseRecord,
    ) -> Result<(), Fault> {
        let mut changes = self.view.changes().put(&self.view, &by_id(id), record)?;
        if record.due != old_due {
            let what = Ending::Lease(id.to_owned());
            changes = self.due.remove(changes, old_due, &what);
            changes = self.due.add(changes, record.due, &what)?;
        }
        if !record.token.is_empty() {
            changes = changes.put(&self.view, &by_token(&record.token, id), &Mark)?;
        }
        changes.commit().await?;
        self.due.announce(record.due);
        Ok(())
    }

    /// Changes a record. `change` answers whether the due entry must move to `record.due`.
    pub async fn update<R>(
        &self,
        id: &str,
        change: impl Fn(&mut LeaseRecord) -> Result<R, Fault> + Send,
    ) -> Result<(LeaseRecord, R), Fault> {
        loop {
            let (record, seen) = self.view.get_seen::<LeaseRecord>(&by_id(id)).await?;
            let Some(mut record) = record else {
                return Err(Fault::NotFound);
            };
            let old_due = record.due;
            let result = change(&mut record)?;
            let mut changes = self
                .view
                .changes()
                .expect(&self.view, &by_id(id), seen)
                .put(&self.view, &by_id(id), &record)?;
            if record.due != old_due {
                let what = Ending::Lease(id.to_owned());
                changes = self.due.remove(changes, old_due, &what);
                changes = self.due.add(changes, record.due, &what)?;
            }
            match changes.commit().await {
                Ok(()) => {
                    self.due.announce(record.due);
                    return Ok((record, result));
                }
                Err(coffer_barrier::Error::Conflict) => {}
                Err(other) => return Err(other.into()),
            }
        }
    }

    /// Forgets a lease and all its index entries.
    pub async fn forget(&self, id: &str, record: &LeaseRecord) -> Result<(), Fault> {
        let changes = self.view.changes().delete(&self.view, &by_id(id));
        let changes = self
            .due
            .remove(changes, record.due, &Ending::Lease(id.to_owned()));
        let changes = self.unindexed(changes, id, record);
        Ok(changes.commit().await?)
    }

    /// Moves a lease whose revocation failed from the due index to the parking place of its target.
    pub async fn park(&self, id: &str, record: &LeaseRecord) -> Result<(), Fault> {
        let changes = self.view.changes().put(&self.view, &by_id(id), record)?;
        let changes = changes.put(&self.view, &parked(&record.parking(), id), &Mark)?;
        let changes = self
            .due
            .remove(changes, record.due, &Ending::Lease(id.to_owned()));
        Ok(changes.commit().await?)
    }

    /// The targets with parked leases.
    pub async fn parked_targets(&self) -> Result<Vec<String>, Fault> {
        let folders = self.view.list_all("parked/").await?;
        Ok(folders
            .into_iter()
            .map(|folder| folder.trim_end_matches('/').to_owned())
            .collect())
    }

    /// Ids of leases parked at a target, after one of them, at most `limit`.
    pub async fn parked_at(
        &self,
        target: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<String>, Fault> {
        let folder = parked(target, "");
        let after = after.map(|id| parked(target, id));
        let paths = self
            .view
            .scan_paths(&folder, after.as_deref(), limit)
            .await?;
        Ok(paths
            .into_iter()
            .filter_map(|path| Some(path.strip_prefix(&folder)?.to_owned()))
            .collect())
    }

    /// Ids of a token's leases, at most `limit`.
    pub async fn of_token(&self, accessor: &str, limit: usize) -> Result<Vec<String>, Fault> {
        let folder = by_token(accessor, "");
        let paths = self.view.scan_paths(&folder, None, limit).await?;
        Ok(paths
            .into_iter()
            .filter_map(|path| Some(path.strip_prefix(&folder)?.to_owned()))
            .collect())
    }

    /// Entries of the token index (accessor, lease id) in order, after one of them, at most `limit`.
    pub async fn token_entries(
        &self,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, String)>, Fault> {
        let after = after.map(|entry| format!("token/{entry}"));
        let paths = self
            .view
            .scan_paths("token/", after.as_deref(), limit)
            .await?;
        let split = |path: String| {
            let (accessor, id) = path.strip_prefix("token/")?.split_once('/')?;
            Some((accessor.to_owned(), id.to_owned()))
        };
        Ok(paths.into_iter().filter_map(split).collect())
    }

    /// Ids below a prefix in order, after one of them, at most `limit`.
    pub async fn ids(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<String>, Fault> {
        let after = after.map(by_id);
        let paths = self
            .view
            .scan_paths(&by_id(prefix), after.as_deref(), limit)
            .await?;
        Ok(paths
            .into_iter()
            .filter_map(|path| Some(path.strip_prefix("id/")?.to_owned()))
            .collect())
    }

    /// The next segments below a prefix, folders with a trailing slash.
    pub async fn list(&self, prefix: &str) -> Result<Vec<String>, Fault> {
        let slash = if prefix.is_empty() || prefix.ends_with('/') {
            ""
        } else {
            "/"
        };
        Ok(self.view.list_all(&format!("id/{prefix}{slash}")).await?)
    }

    /// Takes a lease off its token, so that the token can go while the lease is retried.
    pub async fn detach(&self, id: &str, accessor: &str) -> Result<(), Fault> {
        Ok(self.view.delete(&by_token(accessor, id)).await?)
    }

    fn unindexed(&self, changes: Changes, id: &str, record: &LeaseRecord) -> Changes {
        let mut changes = changes;
        if !record.token.is_empty() {
            changes = changes.delete(&self.view, &by_token(&record.token, id));
        }
        if record.parked {
            changes = changes.delete(&self.view, &parked(&record.parking(), id));
        }
        changes
    }
}

impl LeaseRecord {
    /// Where it is parked when its revocation fails: its mount and its target there, as one segment.
    pub fn parking(&self) -> String {
        format!("{}-{}", self.mount, hex::encode(&self.lease.target))
    }
}

fn by_id(id: &str) -> String {
    format!("id/{id}")
}

fn by_token(accessor: &str, id: &str) -> String {
    format!("token/{accessor}/{id}")
}

fn parked(target: &str, id: &str) -> String {
    format!("parked/{target}/{id}")
}
