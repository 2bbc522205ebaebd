//! The one thread that writes: it commits everything that waits as one durable transaction.

use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;

use parking_lot::Mutex;
use redb::{Database, ReadableTable, StorageError, Table};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use super::files::{ENTRIES, Place};
use super::reader::{Published, Snapshot};
use crate::{Batch, Check, Error};

/// Room in the queue, in units of [`UNIT_BYTES`]: at most so many batches wait, and together they
/// hold at most 128 MiB (one larger batch is let through alone).
const QUEUE_UNITS: u32 = 8 * 1024;

/// Bytes of a batch for which it takes one more unit of the queue.
const UNIT_BYTES: usize = 16 * 1024;

/// Most batches in one transaction. More would make the first wait long for the last.
const GROUP_BATCHES: usize = 1024;

/// A transaction takes no further batch once it holds so many bytes. Half of the engine's cache
/// may hold unwritten pages; what is beyond that is written before the commit.
const GROUP_BYTES: usize = 4 * 1024 * 1024;

/// The senders' side of the queue, and the thread behind it.
pub(super) struct Writer {
    room: Arc<Semaphore>,
    queue: mpsc::UnboundedSender<Order>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// What the thread can be asked for.
enum Order {
    Commit(Job),
    Close(oneshot::Sender<()>),
}

/// A batch and who waits for it.
struct Job {
    batch: Batch,
    bytes: usize,
    answer: oneshot::Sender<Result<(), Error>>,
    /// Gives the room in the queue back once the job is answered.
    _room: OwnedSemaphorePermit,
}

impl Writer {
    /// Starts the thread, which owns the database from here on.
    pub(super) fn start(
        place: Place,
        database: Database,
        published: Arc<Published>,
    ) -> Result<Self, Error> {
        let (queue, orders) = mpsc::unbounded_channel();
        let thread = std::thread::Builder::new()
            .name("storage-writer".to_owned())
            .spawn(move || {
                Work {
                    place,
                    database: Some(database),
                    published,
                    orders,
                }
                .run();
            })
            .map_err(|e| Error::io("starting the thread that writes the store", e))?;
        Ok(Self {
            room: Arc::new(Semaphore::new(QUEUE_UNITS as usize)),
            queue,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Queues a valid batch and waits until it is durable or refused.
    pub(super) async fn commit(&self, batch: Batch) -> Result<(), Error> {
        let bytes = batch.bytes();
        let units = u32::try_from(1 + bytes / UNIT_BYTES).unwrap_or(QUEUE_UNITS);
        let room = Arc::clone(&self.room)
            .acquire_many_owned(units.min(QUEUE_UNITS))
            .await
            .map_err(|_| Error::Closed)?;
        let (answer, answered) = oneshot::channel();
        let job = Job {
            batch,
            bytes,
            answer,
            _room: room,
        };
        self.queue
            .send(Order::Commit(job))
            .map_err(|_| Error::Closed)?;
        answered.await.unwrap_or(Err(Error::Closed))
    }

    /// Closes the database after what is queued already. Returns at once if it is closed.
    pub(super) async fn close(&self) {
        let (done, closed) = oneshot::channel();
        if self.queue.send(Order::Close(done)).is_ok() {
            // An error means that the thread is gone, and the database with it.
            let _ = closed.await;
        }
    }

    /// Closes the database and waits for the thread.
    pub(super) fn join(&self) {
        let (done, _) = oneshot::channel();
        let _ = self.queue.send(Order::Close(done));
        if let Some(thread) = self.thread.lock().take() {
            let _ = thread.join();
        }
    }
}

/// The thread's own side.
struct Work {
    place: Place,
    /// `None` after a failure from which the file could not be opened again yet.
    database: Option<Database>,
    published: Arc<Published>,
    orders: mpsc::UnboundedReceiver<Order>,
}

impl Work {
    fn run(mut self) {
        while let Some(first) = self.orders.blocking_recv() {
            let (jobs, close) = self.gather(first);
            if !jobs.is_empty() {
                self.settle(jobs);
            }
            if let Some(done) = close {
                self.close();
                let _ = done.send(());
                return;
            }
        }
        self.close();
    }

    /// Takes everything that waits, up to the limits of a group or the order to close.
    fn gather(&mut self, first: Order) -> (Vec<Job>, Option<oneshot::Sender<()>>) {
        let mut jobs = Vec::new();
        let mut bytes = 0;
        let mut next = Some(first);
        while let Some(order) = next {
            match order {
                Order::Close(done) => return (jobs, Some(done)),
                Order::Commit(job) => {
                    bytes += job.bytes;
                    jobs.push(job);
                }
            }
            if jobs.len() >= GROUP_BATCHES || bytes >= GROUP_BYTES {
                break;
            }
            next = self.orders.try_recv().ok();
        }
        (jobs, None)
    }

    /// Commits a group and answers everybody in it.
    fn settle(&mut self, jobs: Vec<Job>) {
        match self.commit(&jobs) {
            Ok(verdicts) => {
                for (job, verdict) in jobs.into_iter().zip(verdicts) {
                    // Whoever no longer waits does not need the answer.
                    let _ = job.answer.send(verdict);
                }
            }
            Err(error) => {
                for job in jobs {
                    let _ = job.answer.send(Err(error.clone()));
                }
            }
        }
    }

    /// One durable transaction for the group: a verdict for each job, or the failure of them all.
    fn commit(&mut self, jobs: &[Job]) -> Result<Vec<Result<(), Error>>, Error> {
        let database = self.database.as_ref().ok_or(Error::Closed)?;
        let verdicts = catch_unwind(AssertUnwindSafe(|| transact(database, jobs)))
            .unwrap_or_else(|_| Err(StorageError::Corrupted("unexpected page".to_owned()).into()))
            .map_err(write_error)?;
        self.published.publish(Some(Snapshot::take(database)?));
        Ok(verdicts)
    }

    fn close(&mut self) {
        self.published.publish(None);
        if let Some(Err(error)) = self.database.take().map(Database::close) {
            // Nothing acknowledged depends on this: it only makes the next opening quicker.
            tracing::warn!(%error, "the store was not closed cleanly");
        }
    }
}

/// Applies the jobs in their order inside one transaction and makes it durable.
fn transact(database: &Database, jobs: &[Job]) -> Result<Vec<Result<(), Error>>, redb::Error> {
    let mut change = database.begin_write()?;
    change.set_quick_repair(quick_repair());
    let mut verdicts = Vec::with_capacity(jobs.len());
    {
        let mut entries = change.open_table(ENTRIES)?;
        for job in jobs {
            verdicts.push(apply(&mut entries, &job.batch)?);
        }
    }
    change.commit()?;
    Ok(verdicts)
}

fn quick_repair() -> bool {
    std::env::var_os("QR").is_some()
}

/// Applies one batch. Its checks come before its writes, so a refused batch leaves no trace.
fn apply(
    entries: &mut Table<'_, &'static [u8], &'static [u8]>,
    batch: &Batch,
) -> Result<Result<(), Error>, StorageError> {
    for check in batch.checks() {
        if !holds(entries, check)? {
            let path = check.path.clone();
            return Ok(Err(Error::Conflict { path }));
        }
    }
    for write in batch.writes() {
        match &write.value {
            Some(value) => entries.insert(write.path.as_bytes(), value.as_slice())?,
            None => entries.remove(write.path.as_bytes())?,
        };
    }
    Ok(Ok(()))
}

fn holds(
    entries: &Table<'_, &'static [u8], &'static [u8]>,
    check: &Check,
) -> Result<bool, StorageError> {
    let found = entries.get(check.path.as_bytes())?;
    Ok(found.as_ref().map(|value| value.value()) == check.value.as_deref())
}

fn write_error(error: redb::Error) -> Error {
    match error {
        redb::Error::Io(e) => disk_error("writing the store", e),
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
