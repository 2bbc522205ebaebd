//! The thread that appends lines to one file.
//!
//! Requests hand over whole lines and wait. The thread takes all that are waiting and appends them
//! with one call, so that many requests share it. A thread of its own, because a file can block (a
//! full pipe, a lost network drive) and must not take the server's workers with it.

use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use coffer_crypto::{WipingBuffer, Zeroizing};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::options::Target;
use super::place::Allow;

/// How long a line may take until the device counts as failed.
pub(super) const WRITE_DEADLINE: Duration = Duration::from_secs(5);
/// How many lines may wait; later ones wait to wait.
const QUEUE_LINES_MAX: usize = 1_024;
/// Lines are appended together up to about this many bytes.
const BATCH_BYTES_MAX: usize = 1 << 20;

/// Appends lines; dropping it ends the thread when all lines that wait are written.
#[derive(Debug)]
pub(super) struct Writer {
    orders: mpsc::Sender<Order>,
    pulse: Arc<Pulse>,
    deadline: Duration,
}

enum Order {
    Append(Zeroizing<Vec<u8>>, oneshot::Sender<Outcome>),
    Reopen(oneshot::Sender<Outcome>),
}

/// Whether it was done, or why not.
type Outcome = Result<(), String>;

/// Since when the thread is inside a system call.
#[derive(Debug)]
struct Pulse {
    start: Instant,
    /// Milliseconds after `start`, plus one; 0 while it is not.
    busy_since: AtomicU64,
}

impl Writer {
    /// Starts the thread. The file is opened by the first line.
    pub fn start(
        target: Target,
        mode: Option<u32>,
        allow: Allow,
        deadline: Duration,
    ) -> io::Result<Self> {
        let (orders, queue) = mpsc::channel(QUEUE_LINES_MAX);
        let pulse = Arc::new(Pulse {
            start: Instant::now(),
            busy_since: AtomicU64::new(0),
        });
        let sink = Sink {
            target,
            mode,
            allow,
            file: None,
            torn: false,
        };
        let (at_work, name) = (Arc::clone(&pulse), "audit-file".to_owned());
        thread::Builder::new()
            .name(name)
            .spawn(move || work(queue, sink, &at_work))?;
        Ok(Self {
            orders,
            pulse,
            deadline,
        })
    }

    /// Appends a line; done when the system has taken it. Whoever gets an error must not count on
    /// the line being absent: it may still be written when a blocked file moves on.
    pub async fn append(&self, line: Zeroizing<Vec<u8>>) -> Outcome {
        self.order(|done| Order::Append(line, done)).await
    }

    /// Opens the file anew, after all lines that wait now: what a rotation calls for.
    pub async fn reopen(&self) -> Outcome {
        self.order(Order::Reopen).await
    }

    async fn order(&self, order: impl FnOnce(oneshot::Sender<Outcome>) -> Order) -> Outcome {
        if self.pulse.busy() > self.deadline {
            return Err(self.blocked());
        }
        let (done, outcome) = oneshot::channel();
        let ordered = async {
            let sent = self.orders.send(order(done)).await;
            sent.map_err(|_| "its thread has ended".to_owned())?;
            outcome
                .await
                .map_err(|_| "its thread has ended".to_owned())?
        };
        match timeout(self.deadline, ordered).await {
            Ok(outcome) => outcome,
            Err(_) => Err(self.blocked()),
        }
    }

    fn blocked(&self) -> String {
        format!("writing has been blocked for {:?} or longer", self.deadline)
    }
}

impl Pulse {
    fn busy(&self) -> Duration {
        match self.busy_since.load(Ordering::Relaxed) {
            0 => Duration::ZERO,
            since => self
                .start
                .elapsed()
                .saturating_sub(Duration::from_millis(since - 1)),
        }
    }

    /// Runs a system call that may block.
    fn during<T>(&self, call: impl FnOnce() -> T) -> T {
        let now = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX - 1);
        self.busy_since.store(now + 1, Ordering::Relaxed);
        let result = call();
        self.busy_since.store(0, Ordering::Relaxed);
        result
    }
}

fn work(mut queue: mpsc::Receiver<Order>, mut sink: Sink, pulse: &Pulse) {
    let mut next = queue.blocking_recv();
    while let Some(order) = next.take() {
        match order {
            Order::Reopen(done) => {
                // The asker may have gone; the file is open all the same.
                let _ = done.send(pulse.during(|| sink.reopen()));
            }
            Order::Append(line, done) => {
                let mut waiting = vec![done];
                let mut batch = Batch::One(line);
                while batch.len() < BATCH_BYTES_MAX {
                    match queue.try_recv() {
                        Ok(Order::Append(line, done)) => {
                            batch = batch.with(&line);
                            waiting.push(done);
                        }
                        Ok(reopen) => {
                            next = Some(reopen);
                            break;
                        }
                        Err(_) => break,
                    }
                }
                let outcome = pulse.during(|| sink.append(batch.bytes()));
                for done in waiting {
                    let _ = done.send(outcome.clone());
                }
            }
        }
        next = next.or_else(|| queue.blocking_recv());
    }
}

/// Lines that are appended together; a single one is not copied.
enum Batch {
    One(Zeroizing<Vec<u8>>),
    Many(WipingBuffer),
}

impl Batch {
    fn with(self, line: &[u8]) -> Self {
        let mut many = match self {
            Self::Many(many) => many,
            Self::One(first) => {
                let mut many = WipingBuffer::with_capacity((first.len() + line.len()) * 4);
                many.extend(&first);
                many
            }
        };
        many.extend(line);
        Self::Many(many)
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Self::One(line) => line,
            Self::Many(many) => many.as_slice(),
        }
    }

    fn len(&self) -> usize {
        self.bytes().len()
    }
}

struct Sink {
    target: Target,
    mode: Option<u32>,
    allow: Allow,
    file: Option<File>,
    /// The last write stopped within a line; the next one starts a new line.
    torn: bool,
}

impl Sink {
    fn append(&mut self, bytes: &[u8]) -> Outcome {
        let torn = self.torn;
        let path = match &self.target {
            Target::File(path) => path.clone(),
            Target::Stdout => return to_stdout(bytes),
            Target::Discard => return Ok(()),
        };
        let file = self.opened(&path)?;
        let (mended, mut error) = append_all(file, if torn { b"\n" } else { b"" });
        let mut written = 0;
        if error.is_none() {
            (written, error) = append_all(file, bytes);
        }
        let last = written.checked_sub(1).and_then(|last| bytes.get(last));
        self.torn = match last {
            Some(byte) => *byte != b'\n',
            None => torn && mended == 0,
        };
        match error {
            None => Ok(()),
            Some(error) => Err(format!("can not write to {}: {error}", path.display())),
        }
    }

    /// The old file is given up even if the new one can not be opened: then lines are refused, not
    /// hidden in a file that somebody took away.
    fn reopen(&mut self) -> Outcome {
        let Target::File(path) = self.target.clone() else {
            return Ok(());
        };
        self.file = None;
        self.torn = false;
        self.opened(&path).map(drop)
    }

    fn opened(&mut self, path: &Path) -> Result<&mut File, String> {
        match &mut self.file {
            Some(file) => Ok(file),
            none => Ok(none.insert(self.allow.open(path, self.mode)?)),
        }
    }
}

/// How many bytes were appended, and what stopped it.
fn append_all(file: &mut File, mut bytes: &[u8]) -> (usize, Option<io::Error>) {
    let mut written = 0;
    while !bytes.is_empty() {
        match file.write(bytes) {
            Ok(0) => return (written, Some(ErrorKind::WriteZero.into())),
            Ok(count) => {
                written += count;
                bytes = bytes.get(count..).unwrap_or_default();
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return (written, Some(error)),
        }
    }
    (written, None)
}

fn to_stdout(bytes: &[u8]) -> Outcome {
    let mut out = io::stdout().lock();
    let written = out.write_all(bytes).and_then(|()| out.flush());
    written.map_err(|error| format!("can not write to stdout: {error}"))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_torn_line_is_ended_before_the_next_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.log");
        fs::write(&path, "{\"hal").unwrap();
        let mut sink = Sink {
            target: Target::File(path.clone()),
            mode: None,
            allow: Allow::paths(|_| true),
            file: None,
            torn: true,
        };
        sink.append(b"{}\n").unwrap();
        sink.append(b"{}\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "{\"hal\n{}\n{}\n");
    }

    #[test]
    fn a_full_device_is_an_error_and_no_torn_line() {
        let mut sink = Sink {
            target: Target::File("/dev/full".into()),
            mode: None,
            allow: Allow::paths(|_| true),
            file: None,
            torn: false,
        };
        assert!(sink.append(b"{}\n").unwrap_err().contains("/dev/full"));
        assert!(!sink.torn);
    }
}
