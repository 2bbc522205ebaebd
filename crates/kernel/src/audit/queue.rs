//! The bounded queue before a device's worker.
//!
//! Requests hand over whole lines. Whether they wait until a line is recorded is for `deliver` to decide; the queue never
//! makes them: a line that does not fit is given back.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use coffer_crypto::Zeroizing;
use coffer_wire::Timestamp;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::time::timeout;

use super::chain::Head;
use super::health::Health;

/// How many lines may wait.
pub(super) const QUEUE_LINES_MAX: usize = 1_024;
/// How many bytes of lines may wait, counted in [`UNIT_BYTES`]. A longer line waits alone.
const QUEUE_BYTES_MAX: usize = 16 << 20;
const UNIT_BYTES: usize = 1_024;

/// The way to a device's worker; dropping it ends the worker when all lines that wait are done.
#[derive(Debug)]
pub(super) struct Queue {
    orders: mpsc::Sender<Order>,
    room: Arc<Semaphore>,
    pub health: Arc<Health>,
    /// How long a line may take until the device counts as blocked.
    pub deadline: Duration,
}

/// What the worker is to do, in this order.
pub(super) enum Order {
    Append(Line),
    /// To open anew.
    Reopen(oneshot::Sender<Outcome>),
    /// To tell the head of its chain, so that it can be stored.
    Keep(oneshot::Sender<Kept>),
}

/// A line on its way.
pub(super) struct Line {
    /// The line with its line break.
    pub text: Zeroizing<Vec<u8>>,
    /// Of the request or the answer.
    pub time: Timestamp,
    done: oneshot::Sender<Outcome>,
    _room: OwnedSemaphorePermit,
    queued: Queued,
}

/// The head of a chain, and the file that must be on the disk before the head is stored.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub head: Option<Head>,
    pub file: Option<std::fs::File>,
}

/// Whether it was done, or why not.
pub(super) type Outcome = Result<(), String>;

/// A line that was handed over.
pub(super) struct Ticket(oneshot::Receiver<Outcome>);

/// Counts itself.
struct Queued(Arc<Health>);

impl Queue {
    /// A queue, and the end for its worker.
    pub fn new(health: Arc<Health>, deadline: Duration) -> (Self, mpsc::Receiver<Order>) {
        let (orders, receiver) = mpsc::channel(QUEUE_LINES_MAX);
        let queue = Self {
            orders,
            room: Arc::new(Semaphore::new(QUEUE_BYTES_MAX / UNIT_BYTES)),
            health,
            deadline,
        };
        (queue, receiver)
    }

    /// Hands a line over, or gives it back where there is no room.
    pub fn offer(
        &self,
        text: Zeroizing<Vec<u8>>,
        time: Timestamp,
    ) -> Result<Ticket, Zeroizing<Vec<u8>>> {
        self.note_block(time);
        let Ok(room) = Arc::clone(&self.room).try_acquire_many_owned(units(&text)) else {
            return Err(text);
        };
        let (line, ticket) = self.line(text, time, room);
        match self.orders.try_send(Order::Append(line)) {
            Ok(()) => Ok(ticket),
            Err(TrySendError::Full(order) | TrySendError::Closed(order)) => match order {
                Order::Append(line) => Err(line.text),
                Order::Reopen(_) | Order::Keep(_) => Err(Zeroizing::default()),
            },
        }
    }

    /// Hands a line over as soon as there is room, and waits until it is recorded; at most until the deadline. Whoever
    /// gets an error must not count on the line being absent: it may still be written when a blocked device moves on.
    pub async fn append(&self, text: Zeroizing<Vec<u8>>, time: Timestamp) -> Outcome {
        let units = units(&text);
        let recorded = async {
            let room = Arc::clone(&self.room).acquire_many_owned(units).await;
            let (line, ticket) = self.line(text, time, room.map_err(|_| ended())?);
            let sent = self.orders.send(Order::Append(line)).await;
            sent.map_err(|_| ended())?;
            ticket.outcome().await
        };
        self.within_deadline(recorded, time).await
    }

    /// Waits until a line that was handed over is recorded; at most until the deadline.
    pub async fn wait(&self, ticket: Ticket, time: Timestamp) -> Outcome {
        self.within_deadline(ticket.outcome(), time).await
    }

    /// Opens the device anew, after all lines that wait now: what a rotation calls for.
    pub async fn reopen(&self, now: Timestamp) -> Outcome {
        let (done, outcome) = oneshot::channel();
        let reopened = async {
            let sent = self.orders.send(Order::Reopen(done)).await;
            sent.map_err(|_| ended())?;
            outcome.await.map_err(|_| ended())?
        };
        let outcome = self.within_deadline(reopened, now).await;
        if let Err(why) = &outcome {
            self.health.fails(why, now);
        }
        outcome
    }

    /// The head of the device's chain, if its worker tells it soon.
    pub async fn kept(&self, patience: Duration) -> Option<Kept> {
        let (done, kept) = oneshot::channel();
        self.orders.try_send(Order::Keep(done)).ok()?;
        timeout(patience, kept).await.ok()?.ok()
    }

    /// Whether it is not worth waiting for it when others have the line.
    pub fn is_behind(&self, grace: Duration) -> bool {
        self.health.is_failing() || self.health.busy_for() > grace
    }

    fn line(
        &self,
        text: Zeroizing<Vec<u8>>,
        time: Timestamp,
        room: OwnedSemaphorePermit,
    ) -> (Line, Ticket) {
        let (done, outcome) = oneshot::channel();
        let line = Line {
            text,
            time,
            done,
            _room: room,
            queued: Queued::new(Arc::clone(&self.health)),
        };
        (line, Ticket(outcome))
    }

    async fn within_deadline(
        &self,
        work: impl Future<Output = Outcome>,
        now: Timestamp,
    ) -> Outcome {
        // A worker that has been inside one call for so long will not leave it for us.
        let deadline = match self.health.busy_for() > self.deadline {
            true => Duration::ZERO,
            false => self.deadline,
        };
        timeout(deadline, work).await.unwrap_or_else(|_| {
            let why = self.blocked();
            self.health.fails(&why, now);
            Err(why)
        })
    }

    fn note_block(&self, now: Timestamp) {
        if self.health.busy_for() > self.deadline && !self.health.is_failing() {
            self.health.fails(&self.blocked(), now);
        }
    }

    fn blocked(&self) -> String {
        format!("writing has been blocked for {:?} or longer", self.deadline)
    }
}

impl Line {
    /// Tells who waits how it went. The asker may have gone; the line is recorded all the same.
    pub fn finish(self, outcome: Outcome) {
        drop(self.queued);
        let _ = self.done.send(outcome);
    }
}

impl Ticket {
    async fn outcome(self) -> Outcome {
        self.0.await.map_err(|_| ended())?
    }
}

impl Queued {
    fn new(health: Arc<Health>) -> Self {
        health.queued.fetch_add(1, Ordering::Relaxed);
        Self(health)
    }
}

impl Drop for Queued {
    fn drop(&mut self) {
        self.0.queued.fetch_sub(1, Ordering::Relaxed);
    }
}

fn units(text: &[u8]) -> u32 {
    let units = text
        .len()
        .div_ceil(UNIT_BYTES)
        .clamp(1, QUEUE_BYTES_MAX / UNIT_BYTES);
    u32::try_from(units).unwrap_or(1)
}

fn ended() -> String {
    "its worker has ended".to_owned()
}
