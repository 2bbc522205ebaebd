//! Where leases are kept.

use std::collections::HashSet;
use std::sync::Arc;

use coffer_barrier::{Barrier, Changes, Pages, Paths, Seen, View};
use coffer_engine::Fault;
use coffer_storage::MAX_PATH_BYTES;
use coffer_wire::Timestamp;
use parking_lot::Mutex;

use super::record::{LeaseRecord, LeaseState};
use crate::due::{Due, Ending, Mark};
use crate::namespaces::id_of;
use crate::observe::Meters;
use crate::quotas::Counts;

/// What the paths of the other index entries have beside the lease id, at most.
const INDEX_BYTES_MAX: usize = 128;
/// Where the book is in the barrier.
const VIEW: &str = "sys/lease/";

/// The lease book. Each change of a record goes together with the index entries that follow from it, and
/// only if nobody else changed the record meanwhile: the indexes never disagree with the records.
pub struct Leases {
    view: View,
    /// The due index, shared with tokens.
    pub due: Arc<Due>,
    counts: Arc<Counts>,
    /// The intents whose requests are running: nobody undoes what is just being made.
    in_flight: Mutex<HashSet<String>>,
    meters: Arc<Meters>,
}

/// Which leases are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which<'a> {
    /// Those of a namespace (its id, empty for the root) whose ids begin so.
    Below {
        /// The namespace's id.
        namespace: &'a str,
        /// What their ids begin with.
        prefix: &'a str,
    },
    /// Those of the mount with this accessor, also if it was at another path when they were issued.
    Mount(&'a str),
}

/// The index entries that belong to a record.
#[derive(Default)]
struct Places {
    due: Option<Timestamp>,
    paths: Vec<String>,
}

impl Leases {
    /// The book of this barrier.
    pub fn new(
        barrier: &Arc<Barrier>,
        due: Arc<Due>,
        counts: Arc<Counts>,
        meters: Arc<Meters>,
    ) -> Self {
        Self {
            view: barrier.view(VIEW),
            due,
            counts,
            in_flight: Mutex::default(),
            meters,
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

    /// Writes an intent with its due entry, durably; refused once its mount is being taken away. Answers whether its
    /// quota, which allows `most`, had room for it.
    pub async fn announce(&self, id: &str, record: &LeaseRecord, most: u64) -> Result<bool, Fault> {
        let longest = parked(&record.parking(), id)
            .len()
            .max(INDEX_BYTES_MAX + id.len())
            + VIEW.len();
        if longest > MAX_PATH_BYTES {
            return Err(Fault::Invalid(format!(
                "the path is too long to issue a lease at: its records need {longest} bytes, at most {MAX_PATH_BYTES} are allowed; use shorter names"
            )));
        }
        loop {
            let mut step = self.counts.step();
            let changes = self
                .view
                .changes()
                .expect(&self.view, &closed(&record.mount), Seen::NOTHING)
                .expect(&self.view, &by_id(id), Seen::NOTHING);
            let changes = self.moved(changes, id, None, Some(record))?;
            let Some(changes) = step.lease_comes(changes, &record.quota, most).await? else {
                return Ok(false);
            };
            let outcome = changes.commit().await;
            step.settle(&outcome);
            match outcome {
                Ok(()) => {
                    self.due.announce(record.due);
                    return Ok(true);
                }
                Err(coffer_barrier::Error::Conflict) => {
                    self.refuse_if_closed(&record.mount).await?
                }
                Err(other) => return Err(other.into()),
            }
        }
    }

    async fn refuse_if_closed(&self, mount: &str) -> Result<(), Fault> {
        match self.view.get::<Mark>(&closed(mount)).await? {
            None => Ok(()),
            Some(_) => Err(Fault::Unavailable(
                "this mount is being taken away; nothing is issued here any more".into(),
            )),
        }
    }

    /// From here on nothing is announced for a mount, so that its leases come to an end.
    pub async fn close(&self, mount: &str) -> Result<(), Fault> {
        Ok(self.view.put(&closed(mount), &Mark).await?)
    }

    /// Removes what [`Leases::close`] wrote, together with the mount itself.
    pub fn unclosed(&self, changes: Changes, mount: &str) -> Changes {
        changes.delete(&self.view, &closed(mount))
    }

    /// Changes a record, with all its index entries.
    pub async fn update<R>(
        &self,
        id: &str,
        change: impl Fn(&mut LeaseRecord) -> Result<R, Fault> + Send,
    ) -> Result<(LeaseRecord, R), Fault> {
        loop {
            let (old, seen) = self.view.get_seen::<LeaseRecord>(&by_id(id)).await?;
            let old = old.ok_or(Fault::NotFound)?;
            let mut record = old.clone();
            let result = change(&mut record)?;
            let changes = self.view.changes().expect(&self.view, &by_id(id), seen);
            let changes = self.moved(changes, id, Some(&old), Some(&record))?;
            match changes.commit().await {
                Ok(()) => {
                    let (from, to) = (Some(old.state), Some(record.state));
                    self.meters.lease_moved(&record.mount, from, to);
                    if !record.parked {
                        self.due.announce(record.due);
                    }
                    return Ok((record, result));
                }
                Err(coffer_barrier::Error::Conflict) => {}
                Err(other) => return Err(other.into()),
            }
        }
    }

    /// Forgets a lease and all its index entries.
    pub async fn forget(&self, id: &str) -> Result<(), Fault> {
        loop {
            let (record, seen) = self.view.get_seen::<LeaseRecord>(&by_id(id)).await?;
            let Some(record) = record else { return Ok(()) };
            let changes = self.view.changes().expect(&self.view, &by_id(id), seen);
            let changes = self.moved(changes, id, Some(&record), None)?;
            let mut step = self.counts.step();
            let changes = step.lease_goes(changes, &record.quota).await?;
            let outcome = changes.commit().await;
            step.settle(&outcome);
            match outcome {
                Ok(()) => {
                    let from = Some(record.state);
                    self.meters.lease_moved(&record.mount, from, None);
                    return Ok(());
                }
                Err(coffer_barrier::Error::Conflict) => {}
                Err(other) => return Err(other.into()),
            }
        }
    }

    /// Lets a lease be counted by the quota that `placed` says.
    pub async fn recount(
        &self,
        id: &str,
        placed: impl Fn(&LeaseRecord) -> String + Send,
    ) -> Result<(), Fault> {
        loop {
            let (record, seen) = self.view.get_seen::<LeaseRecord>(&by_id(id)).await?;
            let Some(mut record) = record else {
                return Ok(());
            };
            let quota = placed(&record);
            if quota == record.quota {
                return Ok(());
            }
            let mut step = self.counts.step();
            let changes = self.view.changes().expect(&self.view, &by_id(id), seen);
            let changes = step.lease_goes(changes, &record.quota).await?;
            let changes = step.lease_comes(changes, &quota, u64::MAX).await?;
            let changes = changes.ok_or_else(|| Fault::internal("a count is at its end"))?;
            record.quota = quota;
            let changes = changes.put(&self.view, &by_id(id), &record)?;
            let outcome = changes.commit().await;
            step.settle(&outcome);
            match outcome {
                Err(coffer_barrier::Error::Conflict) => {}
                done => return Ok(done?),
            }
        }
    }

    /// Removes a parking entry that leads nowhere.
    pub async fn unpark(&self, target: &str, id: &str) -> Result<(), Fault> {
        Ok(self.view.delete(&parked(target, id)).await?)
    }

    /// The request of this intent is running.
    pub(super) fn takes_off(&self, id: &str) {
        self.in_flight.lock().insert(id.to_owned());
    }

    /// The request of this intent has ended.
    pub(super) fn lands(&self, id: &str) {
        self.in_flight.lock().remove(id);
    }

    /// Whether the secret may just be being made: its request runs and has not come to its lease.
    pub(super) fn is_being_made(&self, id: &str, record: &LeaseRecord) -> bool {
        record.state != LeaseState::Live && self.in_flight.lock().contains(id)
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

    /// Ids in order, after one of them, at most `limit`.
    pub async fn ids(
        &self,
        of: Which<'_>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<String>, Fault> {
        let (folder, prefix) = match of {
            Which::Below { namespace, prefix } => {
                let folder = all_of(namespace);
                let prefix = format!("{folder}{prefix}");
                (folder, prefix)
            }
            Which::Mount(accessor) => (by_mount(accessor, ""), by_mount(accessor, "")),
        };
        let after = after.map(|id| format!("{folder}{id}"));
        let paths = self
            .view
            .scan_paths(&prefix, after.as_deref(), limit)
            .await?;
        Ok(paths
            .into_iter()
            .filter_map(|path| Some(path.strip_prefix(&folder)?.to_owned()))
            .collect())
    }

    /// All records in order of their paths.
    pub fn records(&self) -> Pages<'_, LeaseRecord> {
        self.view.pages(&by_id(""))
    }

    /// The paths of all leases, intents included: those of the root, then those of each other namespace.
    pub fn everywhere(&self) -> [Pages<'_, Paths>; 2] {
        let folders = [by_id(""), "in/".to_owned()];
        folders.map(|folder| self.view.path_pages(&folder))
    }

    /// The paths of the token index (`token/<accessor>/<lease id>`), in order.
    pub fn token_index(&self) -> Pages<'_, Paths> {
        self.view.path_pages("token/")
    }

    /// The next segments below a prefix in a namespace, folders with a trailing slash.
    pub async fn list(&self, namespace: &str, prefix: &str) -> Result<Vec<String>, Fault> {
        let slash = if prefix.is_empty() || prefix.ends_with('/') {
            ""
        } else {
            "/"
        };
        let folder = format!("{}{prefix}{slash}", all_of(namespace));
        Ok(self.view.list_all(&folder).await?)
    }

    /// Takes a lease out of its token's list. Its record, which can not be read now, says that later.
    pub async fn unlist(&self, id: &str, accessor: &str) -> Result<(), Fault> {
        Ok(self.view.delete(&by_token(accessor, id)).await?)
    }

    /// Takes a lease off its token, so that the token can go while the lease is retried.
    pub async fn detach(&self, id: &str, accessor: &str) -> Result<(), Fault> {
        let leave = |record: &mut LeaseRecord| {
            if record.token == accessor {
                record.token.clear();
            }
            Ok(())
        };
        match self.update(id, leave).await {
            Ok(_) | Err(Fault::NotFound) => {}
            Err(other) => return Err(other),
        }
        Ok(self.view.delete(&by_token(accessor, id)).await?)
    }

    /// The changes that put a new record and its index entries in the place of an old one's.
    fn moved(
        &self,
        changes: Changes,
        id: &str,
        old: Option<&LeaseRecord>,
        new: Option<&LeaseRecord>,
    ) -> Result<Changes, Fault> {
        let before = old.map(|record| places(id, record)).unwrap_or_default();
        let after = new.map(|record| places(id, record)).unwrap_or_default();
        let mut changes = match new {
            Some(record) => changes.put(&self.view, &by_id(id), record)?,
            None => changes.delete(&self.view, &by_id(id)),
        };
        for path in before
            .paths
            .iter()
            .filter(|path| !after.paths.contains(path))
        {
            changes = changes.delete(&self.view, path);
        }
        for path in after
            .paths
            .iter()
            .filter(|path| !before.paths.contains(path))
        {
            changes = changes.put(&self.view, path, &Mark)?;
        }
        if before.due == after.due {
            return Ok(changes);
        }
        let what = Ending::Lease(id.to_owned());
        if let Some(at) = before.due {
            changes = self.due.remove(changes, at, &what);
        }
        match after.due {
            Some(at) => self.due.add(changes, at, &what),
            None => Ok(changes),
        }
    }
}

fn places(id: &str, record: &LeaseRecord) -> Places {
    let mut paths = vec![by_mount(&record.mount, id)];
    if !record.token.is_empty() && record.state != LeaseState::Intent {
        paths.push(by_token(&record.token, id));
    }
    if record.parked {
        paths.push(parked(&record.parking(), id));
    }
    let due = (!record.parked).then_some(record.due);
    Places { due, paths }
}

impl LeaseRecord {
    /// Where it is parked when its revocation fails: its mount and its target there, as one segment.
    pub fn parking(&self) -> String {
        format!("{}-{}", self.mount, hex::encode(&self.lease.target))
    }
}

/// What the paths in the storage begin with that hold leases of a namespace with a seal of its own, and of those in it,
/// whose ids begin with its id.
pub fn kept_for(id: &str) -> String {
    format!("{VIEW}in/{id}")
}

/// The folder of a namespace's leases.
fn all_of(namespace: &str) -> String {
    match namespace {
        "" => "id/".to_owned(),
        id => format!("in/{id}/"),
    }
}

fn by_id(id: &str) -> String {
    format!("{}{id}", all_of(id_of(id)))
}

fn by_token(accessor: &str, id: &str) -> String {
    format!("token/{accessor}/{id}")
}

fn by_mount(accessor: &str, id: &str) -> String {
    format!("mount/{accessor}/{id}")
}

fn parked(target: &str, id: &str) -> String {
    format!("parked/{target}/{id}")
}

fn closed(mount: &str) -> String {
    format!("closed/{mount}")
}
