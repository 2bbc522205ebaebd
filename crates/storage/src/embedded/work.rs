//! What the writing thread does: group commit, and going on after the disk failed.

use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use redb::{Database, ReadableTable, StorageError, Table};

use super::disk::{Health, Spare};
use super::files::{ENTRIES, Extent, Place};
use super::reader::{Published, Snapshot, damaged};
use super::record::{self, CHECKSUM_BYTES};
use super::writer::Job;
use crate::{Batch, Error, Write};

/// From this size of the file on, every commit also saves the engine's free-page state, so that
/// opening after a crash does not have to walk the whole file. Below it the walk takes less time
/// (about half a millisecond per MiB) than the second flush would cost every single commit.
const QUICK_REPAIR_BYTES: u64 = 32 * 1024 * 1024;

/// A batch that deletes counts as one that frees space if its puts hold at most so many bytes:
/// a revocation may have to note something while it removes.
const FREEING_PUT_BYTES: usize = 4 * 1024;

/// Pages that a small commit may touch, in bytes: what a put is reckoned to cost beside its data
/// while the disk is full.
const COMMIT_BYTES: usize = 64 * 1024;

const UNCONFIRMED: &str = "a flush of the disk under the store; writing is refused from now on: \
    check the disk, then restart. The flush";

type Entries<'a> = Table<'a, &'static [u8], &'static [u8]>;

/// The database while the writing thread owns it.
pub(super) struct Work {
    place: Place,
    /// `None` while the file could not be opened again after a failure.
    database: Option<Database>,
    published: Arc<Published>,
    health: Arc<Health>,
    spare: Spare,
    /// How often everything was replaced.
    generation: Arc<AtomicU64>,
    /// Whether the last that was heard of the disk is that it is full.
    full: bool,
    /// Bytes that deletions gave back while it is: what puts may use inside the file.
    credit: usize,
    /// Bytes that deletions gave back since the end of the file was last cut off.
    untrimmed: usize,
}

/// What one transaction did.
#[derive(Default)]
struct Done {
    verdicts: Vec<Result<(), Error>>,
    freed: usize,
}

impl Work {
    pub(super) fn new(
        place: &Place,
        database: Database,
        published: Arc<Published>,
        health: Arc<Health>,
        generation: Arc<AtomicU64>,
    ) -> Self {
        Self {
            spare: Spare::take(place.dir(), &health),
            place: place.clone(),
            database: Some(database),
            published,
            health,
            generation,
            full: false,
            credit: 0,
            untrimmed: 0,
        }
    }

    /// Commits a group and answers everybody in it.
    pub(super) fn settle(&mut self, jobs: Vec<Job>) {
        if self.full {
            return self.settle_one_by_one(jobs);
        }
        match self.commit(&jobs) {
            Ok(verdicts) => answer(jobs, verdicts),
            // Somebody in the group needs more room than there is; the others need not suffer.
            Err(Error::Full) => {
                self.filled_up();
                self.settle_one_by_one(jobs);
            }
            Err(error) => {
                for job in jobs {
                    job.answer(Err(error.clone()));
                }
            }
        }
    }

    /// With the disk full: deletions use the spare space, puts only what there is beside it.
    fn settle_one_by_one(&mut self, jobs: Vec<Job>) {
        for job in jobs {
            let verdict = self.commit_frugally(&job);
            job.answer(verdict);
        }
    }

    fn commit_frugally(&mut self, job: &Job) -> Result<(), Error> {
        let frees = frees(&job.batch);
        if !frees && !self.has_room(job.batch.bytes()) {
            return Err(Error::Full);
        }
        match self.commit_one(job) {
            Err(Error::Full) if frees && self.spare.is_held() => {
                self.spare.release();
                self.commit_one(job)
            }
            Err(Error::Full) => {
                self.filled_up();
                Err(Error::Full)
            }
            verdict => verdict,
        }
    }

    /// Whether a put of `bytes` may be tried: the disk has enough beside the spare space (then it
    /// is no longer full), or deletions have given so much back inside the file. That is a guess;
    /// where it is wrong, the engine runs into the end of the disk and the credit is gone.
    fn has_room(&mut self, bytes: usize) -> bool {
        let cost = 2 * bytes + COMMIT_BYTES;
        let mut room = self.spare.restore() && self.spare.has_room_for(cost);
        if !room && self.untrimmed >= COMMIT_BYTES {
            self.trim();
            room = self.spare.restore() && self.spare.has_room_for(cost);
        }
        if room {
            self.full = false;
            self.credit = 0;
            self.untrimmed = 0;
            return true;
        }
        let enough = self.credit >= bytes;
        if enough {
            self.credit -= bytes;
        }
        enough
    }

    /// Notes that the disk is full. The file may now have holes at its end, whose pages cannot be
    /// written although the engine thinks them free, so that its end is cut off.
    fn filled_up(&mut self) {
        self.full = true;
        self.credit = 0;
        self.trim();
    }

    /// Gives free space at the end of the file back to the disk: the engine does it when it closes.
    fn trim(&mut self) {
        self.untrimmed = 0;
        self.health.reopening();
        // The snapshot would hold on to the pages that the last deletions gave back.
        self.published.publish(None);
        if let Some(Err(error)) = self.database.take().map(Database::close) {
            tracing::warn!(%error, "the database file could not be shortened");
        }
        if let Err(error) = self.reopen() {
            tracing::warn!(%error, "the store could not be opened again");
        }
    }

    fn commit_one(&mut self, job: &Job) -> Result<(), Error> {
        self.commit(std::slice::from_ref(job))?
            .pop()
            .unwrap_or(Err(Error::Closed))
    }

    /// One durable transaction for the group: a verdict for each job, or the failure of them all.
    fn commit(&mut self, jobs: &[Job]) -> Result<Vec<Result<(), Error>>, Error> {
        if self.health.has_failed() || self.database.is_none() {
            self.reopen()?;
        }
        let database = self.database.as_ref().ok_or(Error::Closed)?;
        let before = self.place.extent();
        let quick_repair = before
            .as_ref()
            .is_none_or(|b| b.bytes >= QUICK_REPAIR_BYTES);
        #[cfg(test)]
        let quick_repair = quick_repair || self.health.faults.two_phase.load(Ordering::SeqCst);
        self.health.begin();
        let mut done = Done::default();
        let generation = self.generation.load(Ordering::SeqCst);
        let change =
            AssertUnwindSafe(|| transact(database, jobs, generation, quick_repair, &mut done));
        let result = catch_unwind(change)
            .unwrap_or_else(|_| Err(redb::Error::Corrupted("unexpected page".to_owned())));
        match result {
            Ok(()) => self.published.publish(Some(Snapshot::take(database)?)),
            Err(error) => self.pick_up(error, before, quick_repair)?,
        }
        if self.full {
            self.credit = self.credit.saturating_add(done.freed);
            self.untrimmed = self.untrimmed.saturating_add(done.freed);
        }
        Ok(done.verdicts)
    }

    /// Makes the store usable after a failed transaction. `Ok` if it is durable nevertheless.
    fn pick_up(
        &mut self,
        error: redb::Error,
        before: Option<Extent>,
        two_phase: bool,
    ) -> Result<(), Error> {
        let landed = self.health.has_landed(two_phase);
        if self.health.is_broken() {
            return Err(Error::io(UNCONFIRMED, error));
        }
        let error = write_error(error);
        drop(self.database.take());
        if let (Error::Full, Some(before)) = (&error, before) {
            self.place.cut_back(&before, &self.health);
        }
        // Tried at once, as readers wait for it; if it fails the next group tries again.
        let reopened = self.reopen();
        if landed { reopened } else { Err(error) }
    }

    /// Opens the file again if the engine refuses to go on after a failure of the disk.
    pub(super) fn recover(&mut self) {
        if self.health.has_failed() && self.reopen().is_err() {
            tracing::warn!("the store could not be opened again after its disk failed");
        }
    }

    /// Lets the replacement take the place of the database. Where that fails the old one goes on.
    pub(super) fn replace(&mut self) -> Result<(), Error> {
        self.health.reopening();
        self.published.publish(None);
        if let Some(Err(error)) = self.database.take().map(Database::close) {
            tracing::warn!(%error, "the replaced database file was not closed cleanly");
        }
        let generation = &self.generation;
        let taken = self.place.take_replacement(|| {
            generation.fetch_add(1, Ordering::SeqCst);
        });
        self.full = false;
        taken.and(self.reopen())
    }

    fn reopen(&mut self) -> Result<(), Error> {
        if self.health.is_broken() {
            return Err(Error::io(UNCONFIRMED, "was not confirmed"));
        }
        // The old handle must let go of the file before it is opened again.
        drop(self.database.take());
        let opened = self
            .place
            .reopen(&self.health, false)
            .and_then(|database| Ok((Snapshot::take(&database)?, database)));
        let result = opened.map(|(snapshot, database)| {
            self.published.publish(Some(snapshot));
            self.database = Some(database);
        });
        self.health.settled();
        result
    }

    pub(super) fn close(&mut self) {
        self.published.publish(None);
        if let Some(Err(error)) = self.database.take().map(Database::close) {
            // Nothing acknowledged depends on this: it only makes the next opening quicker.
            tracing::warn!(%error, "the store was not closed cleanly");
        }
        self.health.settled();
    }
}

fn answer(jobs: Vec<Job>, verdicts: Vec<Result<(), Error>>) {
    for (job, verdict) in jobs.into_iter().zip(verdicts) {
        job.answer(verdict);
    }
}

/// Whether the batch removes something and adds next to nothing.
fn frees(batch: &Batch) -> bool {
    let added = batch.writes().iter().filter_map(|w| w.value.as_ref());
    batch.writes().iter().any(|w| w.value.is_none())
        && added.map(Vec::len).sum::<usize>() <= FREEING_PUT_BYTES
}

/// Applies the jobs in their order inside one transaction and makes it durable.
fn transact(
    database: &Database,
    jobs: &[Job],
    generation: u64,
    quick_repair: bool,
    done: &mut Done,
) -> Result<(), redb::Error> {
    let mut change = database.begin_write()?;
    change.set_quick_repair(quick_repair);
    {
        let mut entries = change.open_table(ENTRIES)?;
        for job in jobs {
            let stale = job
                .batch
                .generation()
                .is_some_and(|made| made != generation);
            let verdict = match stale {
                true => Err(Error::Replaced),
                false => apply(&mut entries, &job.batch, &mut done.freed)?,
            };
            done.verdicts.push(verdict);
        }
    }
    change.commit()?;
    Ok(())
}

/// Applies one batch. Its checks come before its writes, so a refused batch leaves no trace.
fn apply(
    entries: &mut Entries<'_>,
    batch: &Batch,
    freed: &mut usize,
) -> Result<Result<(), Error>, StorageError> {
    for check in batch.checks() {
        let path = check.path.as_bytes();
        let found = entries.get(path)?;
        let found = match found
            .as_ref()
            .map(|f| record::split(path, f.value()))
            .transpose()
        {
            Ok(found) => found,
            Err(damage) => return Ok(Err(damage)),
        };
        if found != check.value.as_deref() {
            let path = check.path.clone();
            return Ok(Err(Error::Conflict { path }));
        }
    }
    for write in batch.writes() {
        *freed += change(entries, write)?;
    }
    Ok(Ok(()))
}

/// Makes one change. How many bytes it removed, for a deletion.
fn change(entries: &mut Entries<'_>, write: &Write) -> Result<usize, StorageError> {
    let path = write.path.as_bytes();
    match &write.value {
        Some(value) => {
            let mut room = entries.insert_reserve(path, value.len() + CHECKSUM_BYTES)?;
            record::fill(room.as_mut(), path, value);
            Ok(0)
        }
        None => {
            let removed = entries.remove(path)?;
            Ok(removed.map_or(0, |old| path.len() + old.value().len()))
        }
    }
}

/// A failure of the engine while writing, with a full disk told apart.
pub(super) fn write_error(error: redb::Error) -> Error {
    match error {
        redb::Error::Io(e) => disk_error("writing the store", e),
        redb::Error::Corrupted(why) => damaged(&why),
        other => Error::io("writing the store", other),
    }
}

/// A failure of the disk, with a full one told apart.
pub(super) fn disk_error(doing: &'static str, error: std::io::Error) -> Error {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Error::Full,
        _ => Error::io(doing, error),
    }
}
