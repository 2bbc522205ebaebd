//! A second database file that takes the place of the first.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use redb::Database;
use tokio::sync::{mpsc, oneshot};

use super::files::{ENTRIES, Place};
use super::record::{self, CHECKSUM_BYTES};
use super::work::write_error;
use super::writer::Order;
use crate::batch::valid_entry;
use crate::{Answer, Entries, Error, Replacement};

/// How much is added in one transaction, in bytes: what the engine notes about a transaction's pages
/// stays in memory until its end.
const COMMIT_BYTES: usize = 16 * 1024 * 1024;

/// At most one replacement of a store is under way.
#[derive(Clone, Default)]
pub(super) struct Turn(Arc<AtomicBool>);

/// Whose turn it is; gives it back when dropped.
struct Taken(Turn);

/// The file beside the store's own, until it takes its place or is dropped.
pub(super) struct Beside {
    place: Place,
    orders: mpsc::UnboundedSender<Order>,
    /// `None` once it is complete.
    database: Option<Database>,
    waiting: Entries,
    waiting_bytes: usize,
    _file: Remains,
    _turn: Taken,
}

/// A file that is removed with its owner, unless it was moved away.
struct Remains(PathBuf);

impl Beside {
    /// Creates the file.
    pub(super) fn begin(
        place: &Place,
        orders: mpsc::UnboundedSender<Order>,
        turn: &Turn,
    ) -> Result<Self, Error> {
        let turn = turn.take()?;
        let database = place.create_replacement()?;
        Ok(Self {
            _file: Remains(place.replacement()),
            place: place.clone(),
            orders,
            database: Some(database),
            waiting: Vec::new(),
            waiting_bytes: 0,
            _turn: turn,
        })
    }

    fn commit(&mut self) -> Result<(), Error> {
        let database = self.database.as_ref().ok_or(Error::Incomplete)?;
        let entries = std::mem::take(&mut self.waiting);
        self.waiting_bytes = 0;
        write(database, entries).map_err(write_error)
    }
}

impl Replacement for Beside {
    fn add(&mut self, entries: Entries) -> Result<(), Error> {
        for (path, value) in &entries {
            valid_entry(path, value)?;
            self.waiting_bytes += path.len() + value.len();
        }
        self.waiting.extend(entries);
        if self.waiting_bytes < COMMIT_BYTES {
            return Ok(());
        }
        self.commit()
    }

    fn complete(&mut self) -> Result<(), Error> {
        self.commit()?;
        let Some(database) = self.database.take() else {
            return Err(Error::Incomplete);
        };
        database
            .close()
            .map_err(|e| write_error(redb::Error::from(e)))?;
        self.place.check_replacement()
    }

    fn take_place(self: Box<Self>) -> Answer<'static, ()> {
        Box::pin(async move {
            if self.database.is_some() {
                return Err(Error::Incomplete);
            }
            let (answer, answered) = oneshot::channel();
            self.orders
                .send(Order::Replace(answer))
                .map_err(|_| Error::Closed)?;
            answered.await.unwrap_or(Err(Error::Closed))
        })
    }
}

impl Turn {
    fn take(&self) -> Result<Taken, Error> {
        match self.0.swap(true, Ordering::SeqCst) {
            false => Ok(Taken(self.clone())),
            true => Err(Error::Busy),
        }
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.0.0.store(false, Ordering::SeqCst);
    }
}

impl Drop for Remains {
    fn drop(&mut self) {
        // Where it took its place it is no longer there under this name.
        let _ = fs::remove_file(&self.0);
    }
}

fn write(database: &Database, entries: Entries) -> Result<(), redb::Error> {
    let mut change = database.begin_write()?;
    // So that the store opens quickly, however large it is.
    change.set_quick_repair(true);
    {
        let mut table = change.open_table(ENTRIES)?;
        for (path, value) in entries {
            let path = path.as_bytes();
            let mut room = table.insert_reserve(path, value.len() + CHECKSUM_BYTES)?;
            record::fill(room.as_mut(), path, &value);
        }
    }
    Ok(change.commit()?)
}
