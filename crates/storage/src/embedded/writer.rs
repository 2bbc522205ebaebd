//! The queue in front of the one thread that writes.

use std::sync::Arc;
use std::thread::JoinHandle;

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use super::work::Work;
use crate::{Batch, Error};

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
pub(super) enum Order {
    /// Make a batch durable.
    Commit(Job),
    /// The disk failed under a reader: open the file again.
    Recover,
    /// Let the replacement take the place of the database, after what came before.
    Replace(oneshot::Sender<Result<(), Error>>),
    /// Close the database after what came before.
    Close(oneshot::Sender<()>),
}

/// What is to be done after a group.
enum After {
    Replace(oneshot::Sender<Result<(), Error>>),
    Close(oneshot::Sender<()>),
}

/// A batch and who waits for it.
pub(super) struct Job {
    pub(super) batch: Batch,
    bytes: usize,
    answer: oneshot::Sender<Result<(), Error>>,
    /// Gives the room in the queue back once the job is answered.
    _room: OwnedSemaphorePermit,
}

impl Job {
    pub(super) fn answer(self, verdict: Result<(), Error>) {
        // Whoever no longer waits does not need the answer.
        let _ = self.answer.send(verdict);
    }
}

impl Writer {
    /// Starts the thread, which does `work` from here on.
    pub(super) fn start(
        queue: mpsc::UnboundedSender<Order>,
        orders: mpsc::UnboundedReceiver<Order>,
        work: Work,
    ) -> Result<Self, Error> {
        let thread = std::thread::Builder::new()
            .name("storage-writer".to_owned())
            .spawn(move || run(orders, work))
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

    /// Where orders go that wait for what is queued already.
    pub(super) fn orders(&self) -> mpsc::UnboundedSender<Order> {
        self.queue.clone()
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

/// The thread: takes what waits as one group, again and again.
fn run(mut orders: mpsc::UnboundedReceiver<Order>, mut work: Work) {
    while let Some(first) = orders.blocking_recv() {
        let (jobs, after) = gather(first, &mut orders);
        if jobs.is_empty() {
            work.recover();
        } else {
            work.settle(jobs);
        }
        match after {
            None => {}
            Some(After::Replace(answer)) => {
                let _ = answer.send(work.replace());
            }
            Some(After::Close(done)) => {
                work.close();
                // Gone before the answer, so that nobody queues what would never be answered.
                drop(orders);
                let _ = done.send(());
                return;
            }
        }
    }
}

/// Takes everything that waits, up to the limits of a group or the order to close.
fn gather(first: Order, orders: &mut mpsc::UnboundedReceiver<Order>) -> (Vec<Job>, Option<After>) {
    let mut jobs = Vec::new();
    let mut bytes = 0;
    let mut next = Some(first);
    while let Some(order) = next {
        match order {
            Order::Close(done) => return (jobs, Some(After::Close(done))),
            Order::Replace(answer) => return (jobs, Some(After::Replace(answer))),
            // A group recovers by itself when it finds the engine refusing.
            Order::Recover => {}
            Order::Commit(job) => {
                bytes += job.bytes;
                jobs.push(job);
            }
        }
        if jobs.len() >= GROUP_BATCHES || bytes >= GROUP_BYTES {
            break;
        }
        next = orders.try_recv().ok();
    }
    (jobs, None)
}
