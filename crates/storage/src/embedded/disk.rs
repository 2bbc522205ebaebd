//! The engine's door to the disk, and what is known about the disk's health.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use redb::StorageBackend;
use redb::backends::FileBackend;
use tokio::sync::{Notify, mpsc};

use super::writer::Order;

/// Bytes kept back on the disk so that deletions still find room when it is full.
const SPARE_BYTES: usize = 1024 * 1024;

/// The database file. It reports failures to [`Health`] before the engine hears of them, so that
/// readers, who then get errors from the engine, know to wait for the file to be opened again.
#[derive(Debug)]
pub(super) struct Disk {
    file: FileBackend,
    health: Arc<Health>,
}

impl Disk {
    pub(super) fn new(file: File, health: Arc<Health>) -> Result<Self, redb::Error> {
        Ok(Self {
            file: FileBackend::new(file)?,
            health,
        })
    }

    fn failing<T>(&self, result: io::Result<T>) -> io::Result<T> {
        if result.is_err() {
            self.health.failed();
        }
        result
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        self.failing(self.file.len())
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.failing(self.file.read(offset, out))
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        #[cfg(test)]
        self.health.faults.record_len(len);
        self.failing(self.file.set_len(len))
    }

    fn sync_data(&self) -> io::Result<()> {
        #[cfg(test)]
        if self.health.faults.sync_fails.load(Ordering::SeqCst) {
            self.health.broken();
            return Err(io::Error::other("injected failure of a sync"));
        }
        let result = self.file.sync_data();
        #[cfg(test)]
        self.health.faults.record_sync();
        match result {
            Ok(()) => self.health.flushed(),
            Err(_) => self.health.broken(),
        }
        result
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        #[cfg(test)]
        self.failing(self.health.faults.write(offset, data))?;
        self.failing(self.file.write(offset, data))?;
        if offset == 0 {
            self.health.header_written.store(true, Ordering::SeqCst);
        }
        Ok(())
    }

    fn close(&self) -> io::Result<()> {
        self.file.close()
    }
}

/// What is known about the disk, shared by the engine's door, the readers and the writer.
#[derive(Debug)]
pub(super) struct Health {
    state: AtomicU8,
    changed: Notify,
    orders: mpsc::UnboundedSender<Order>,
    /// Whether the engine's header, which holds the commit slots, was written since the last flush.
    header_written: AtomicBool,
    /// Flushes of the header since the transaction began.
    header_flushes: AtomicU8,
    #[cfg(test)]
    pub(super) faults: super::faults::Faults,
}

const FINE: u8 = 0;
const FAILED: u8 = 1;
const BROKEN: u8 = 2;

impl Health {
    /// A disk that has not failed yet. When it does, the writer behind `orders` is called.
    pub(super) fn new(orders: mpsc::UnboundedSender<Order>) -> Arc<Self> {
        Arc::new(Self {
            state: AtomicU8::new(FINE),
            changed: Notify::new(),
            orders,
            header_written: AtomicBool::new(false),
            header_flushes: AtomicU8::new(0),
            #[cfg(test)]
            faults: super::faults::Faults::default(),
        })
    }

    /// An operation failed: the engine now refuses everything until the file is opened again.
    fn failed(&self) {
        if self
            .state
            .compare_exchange(FINE, FAILED, Ordering::SeqCst, Ordering::SeqCst)
            .is_ok()
        {
            let _ = self.orders.send(Order::Recover);
        }
    }

    /// The file is about to be closed and opened again: readers shall wait.
    pub(super) fn reopening(&self) {
        let _ = self
            .state
            .compare_exchange(FINE, FAILED, Ordering::SeqCst, Ordering::SeqCst);
    }

    /// The disk did not confirm a flush. The kernel may have dropped what it could not write and
    /// still shows it, so nothing that this process reads proves anything any more.
    fn broken(&self) {
        self.state.store(BROKEN, Ordering::SeqCst);
    }

    fn flushed(&self) {
        if self.header_written.swap(false, Ordering::SeqCst) {
            self.header_flushes.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// A transaction begins: what is flushed from here on is its own.
    pub(super) fn begin(&self) {
        self.header_written.store(false, Ordering::SeqCst);
        self.header_flushes.store(0, Ordering::SeqCst);
    }

    /// Whether the transaction is on the disk although the engine reports a failure: it goes on
    /// tidying after the flush that decides. A two-phase commit flushes its header twice.
    pub(super) fn has_landed(&self, two_phase: bool) -> bool {
        self.header_flushes.load(Ordering::SeqCst) >= if two_phase { 2 } else { 1 }
    }

    /// The file was opened again, or that failed: whoever waits may try.
    pub(super) fn settled(&self) {
        let _ = self
            .state
            .compare_exchange(FAILED, FINE, Ordering::SeqCst, Ordering::SeqCst);
        self.changed.notify_waiters();
    }

    /// The file is about to be cut to `len` bytes behind the engine's back.
    pub(super) fn cut(&self, len: u64) {
        #[cfg(test)]
        self.faults.record_len(len);
        let _ = (self, len);
    }

    pub(super) fn has_failed(&self) -> bool {
        self.state.load(Ordering::SeqCst) != FINE
    }

    pub(super) fn is_reopening(&self) -> bool {
        self.state.load(Ordering::SeqCst) == FAILED
    }

    pub(super) fn is_broken(&self) -> bool {
        self.state.load(Ordering::SeqCst) == BROKEN
    }

    /// Waits until the writer has opened the file again or given up.
    pub(super) async fn wait(&self) {
        let changed = self.changed.notified();
        if self.state.load(Ordering::SeqCst) == FAILED {
            changed.await;
        }
    }
}

/// A file of [`SPARE_BYTES`] that is given up when the disk is full.
pub(super) struct Spare {
    path: PathBuf,
    held: bool,
    #[cfg(test)]
    health: Arc<Health>,
}

impl Spare {
    /// Takes the space if there is some; a full disk is no reason not to open a store.
    pub(super) fn take(dir: &Path, health: &Arc<Health>) -> Self {
        #[cfg(not(test))]
        let _ = health;
        let mut spare = Self {
            path: dir.join("SPARE"),
            held: false,
            #[cfg(test)]
            health: Arc::clone(health),
        };
        spare.held = fs::metadata(&spare.path).is_ok_and(|found| found.len() == SPARE_BYTES as u64);
        spare.restore();
        spare
    }

    pub(super) fn is_held(&self) -> bool {
        self.held
    }

    /// Gives the space back to the disk.
    pub(super) fn release(&mut self) {
        if !self.held {
            return;
        }
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                tracing::warn!(%error, "could not give up the store's spare space");
            }
            _ => {
                self.held = false;
                #[cfg(test)]
                self.health.faults.give_back(SPARE_BYTES);
            }
        }
    }

    /// Tries to take the space again. Whether it is held afterwards.
    pub(super) fn restore(&mut self) -> bool {
        if !self.held {
            self.held = self.fill(&self.path, SPARE_BYTES).is_ok();
            if !self.held {
                let _ = fs::remove_file(&self.path);
            }
        }
        self.held
    }

    /// Whether the disk has room for `bytes` beside the spare space. It is found out by writing,
    /// because an engine that runs into the end of the disk has to be opened again.
    pub(super) fn has_room_for(&self, bytes: usize) -> bool {
        let probe = self.path.with_extension("probe");
        let fits = self.fill(&probe, bytes).is_ok();
        let _ = fs::remove_file(&probe);
        #[cfg(test)]
        if fits {
            self.health.faults.give_back(bytes);
        }
        fits
    }

    /// Writes zeros rather than setting a length: a file of holes would reserve nothing. It is not
    /// flushed, as file systems account for the space at the write.
    fn fill(&self, path: &Path, bytes: usize) -> io::Result<()> {
        #[cfg(test)]
        self.health.faults.take_bytes(bytes)?;
        let mut file = super::files::create(path)?;
        let zeros = vec![0; bytes.min(64 * 1024)];
        let mut left = bytes;
        while left > 0 {
            let piece = zeros.get(..left.min(zeros.len())).unwrap_or(&zeros);
            file.write_all(piece)?;
            left -= piece.len();
        }
        Ok(())
    }
}
