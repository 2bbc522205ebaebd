//! The thread that puts lines where a device wants them.
//!
//! It takes all that are waiting and puts them there with one call, so that many requests share it. A thread of its own,
//! because a file can block (a full pipe, a lost network drive), as can a socket, and must not take the server's workers
//! with it.

use std::io;
use std::sync::Arc;
use std::thread;

use coffer_crypto::WipingBuffer;
use coffer_wire::Timestamp;
use tokio::sync::mpsc;

use super::chain::{Chain, Ending, Mark};
use super::health::Health;
use super::queue::{Kept, Line, Order, Outcome};
use super::tail::Tail;

/// Lines are put together up to about this many bytes.
const BATCH_BYTES_MAX: usize = 1 << 20;

/// Where lines go. Calls may block.
pub(super) trait Sink: Send + 'static {
    /// Makes sure that it is open. If it was opened just now and has an end to go on from, says where.
    fn ready(&mut self, chain: Option<&Chain>) -> Result<Option<Ending>, String>;

    /// Puts lines there, in order.
    fn put(&mut self, batch: &Batch) -> Put;

    /// Gives up what is open, so that it is opened anew.
    fn close(&mut self);

    /// Whether opening belongs to reopening, or is left to the next line.
    fn opens_at_once(&self) -> bool {
        false
    }

    /// The file that holds what was put.
    fn file(&self) -> Option<std::fs::File> {
        None
    }
}

/// Lines that are put together.
#[derive(Default)]
pub(super) struct Batch {
    text: WipingBuffer,
    /// Where each line ends, line break included.
    ends: Vec<usize>,
    /// The time of each.
    times: Vec<Timestamp>,
}

/// What came of putting a batch.
#[derive(Debug, Default)]
pub(super) struct Put {
    /// How many lines are there, from the first on.
    pub recorded: usize,
    /// What stopped it.
    pub stop: Option<Stop>,
    /// A part of the next line is there.
    pub torn: bool,
}

/// Why the next line is not there.
#[derive(Debug)]
pub(super) enum Stop {
    /// It can not be put there; others can.
    Line(String),
    /// Nothing can.
    Sink(String),
}

/// Starts the thread. The sink is opened by the first line.
pub(super) fn start(
    queue: mpsc::Receiver<Order>,
    sink: impl Sink,
    chain: Option<Chain>,
    health: Arc<Health>,
) -> io::Result<()> {
    health.set_head(chain.as_ref().and_then(Chain::head));
    let mut writer = Writer {
        sink,
        chain,
        health,
    };
    let thread = thread::Builder::new().name("audit".to_owned());
    thread.spawn(move || writer.work(queue)).map(drop)
}

struct Writer<S> {
    sink: S,
    chain: Option<Chain>,
    health: Arc<Health>,
}

impl<S: Sink> Writer<S> {
    fn work(&mut self, mut queue: mpsc::Receiver<Order>) {
        let mut next = queue.blocking_recv();
        while let Some(order) = next.take() {
            match order {
                Order::Reopen(done) => {
                    // The asker may have gone; it is open all the same.
                    let _ = done.send(self.reopen());
                }
                Order::Keep(done) => {
                    let head = self.chain.as_ref().and_then(Chain::head);
                    let file = self.sink.file();
                    let _ = done.send(Kept { head, file });
                }
                Order::Append(line) => {
                    let mut bytes = line.text.len();
                    let mut lines = vec![line];
                    while bytes < BATCH_BYTES_MAX {
                        match queue.try_recv() {
                            Ok(Order::Append(line)) => {
                                bytes += line.text.len();
                                lines.push(line);
                            }
                            Ok(other) => {
                                next = Some(other);
                                break;
                            }
                            Err(_) => break,
                        }
                    }
                    self.append(lines);
                }
            }
            next = next.or_else(|| queue.blocking_recv());
        }
    }

    /// Puts lines there; where one can not be put, the others are tried without it.
    fn append(&mut self, mut lines: Vec<Line>) {
        while !lines.is_empty() {
            if let Err(why) = self.open() {
                if let Some(chain) = &mut self.chain {
                    chain.lose(u64::try_from(lines.len()).unwrap_or_default());
                }
                return self.fail(lines, &why);
            }
            let (batch, marks) = self.batch(&lines);
            let health = Arc::clone(&self.health);
            let put = health.during(|| self.sink.put(&batch));
            if let Some(chain) = &mut self.chain {
                let tried = match put.stop {
                    Some(Stop::Line(_)) => put.recorded + 1,
                    Some(Stop::Sink(_)) | None => marks.len(),
                };
                let marks = marks.get(..tried).unwrap_or(&marks);
                chain.tried(marks, put.recorded, put.torn);
                self.health.set_head(chain.head());
            }
            let rest = lines.split_off(put.recorded.min(lines.len()));
            if !lines.is_empty() {
                self.health.recorded(lines.len());
            }
            for line in lines {
                line.finish(Ok(()));
            }
            // Whoever follows is behind those who wait.
            batch.tell(put.recorded, &self.health.tail);
            lines = rest;
            match put.stop {
                None => return,
                Some(Stop::Sink(why)) => return self.fail(lines, &why),
                Some(Stop::Line(why)) => {
                    let rest = lines.split_off(1.min(lines.len()));
                    self.health.unfit(lines.len(), &why);
                    refuse(lines, &why);
                    lines = rest;
                }
            }
        }
    }

    fn batch(&mut self, lines: &[Line]) -> (Batch, Vec<Mark>) {
        let bytes = lines.iter().map(|line| line.text.len() + 256).sum();
        let mut batch = Batch {
            text: WipingBuffer::with_capacity(bytes),
            ends: Vec::with_capacity(lines.len()),
            times: lines.iter().map(|line| line.time).collect(),
        };
        let mut marks = Vec::new();
        let untold = self.health.take_untold();
        if let Some(chain) = &mut self.chain {
            chain.lose(untold);
        }
        for line in lines {
            match &mut self.chain {
                Some(chain) => marks.push(chain.link(&line.text, line.time, &mut batch.text)),
                None => batch.text.extend(&line.text),
            }
            batch.ends.push(batch.text.len());
        }
        (batch, marks)
    }

    /// The old one is given up even if the new one can not be opened: then lines are refused, not hidden in a file that
    /// somebody took away.
    fn reopen(&mut self) -> Outcome {
        self.sink.close();
        match self.sink.opens_at_once() {
            true => self.open(),
            false => Ok(()),
        }
    }

    fn open(&mut self) -> Outcome {
        let health = Arc::clone(&self.health);
        let ending = health.during(|| self.sink.ready(self.chain.as_ref()))?;
        if let (Some(ending), Some(chain)) = (ending, &mut self.chain) {
            if !chain.opened(&ending) {
                tracing::error!(
                    head = chain.head().map(|head| head.to_string()),
                    "the audit file does not hold the last line that was written to it; \"coffer audit verify\" tells what is missing"
                );
            }
            self.health.set_head(chain.head());
        }
        Ok(())
    }

    fn fail(&self, lines: Vec<Line>, why: &str) {
        let Some(last) = lines.last() else { return };
        self.health.dropped(lines.len(), why, last.time);
        refuse(lines, why);
    }
}

fn refuse(lines: Vec<Line>, why: &str) {
    for line in lines {
        line.finish(Err(why.to_owned()));
    }
}

impl Put {
    /// Everything is there.
    pub fn all(batch: &Batch) -> Self {
        Self {
            recorded: batch.ends.len(),
            ..Self::default()
        }
    }

    /// Nothing is there.
    pub fn stopped(why: String) -> Self {
        Self {
            stop: Some(Stop::Sink(why)),
            ..Self::default()
        }
    }
}

impl Batch {
    /// All lines together.
    pub fn text(&self) -> &[u8] {
        self.text.as_slice()
    }

    /// Each line, with its line break.
    pub fn lines(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        let text = self.text.as_slice();
        starts
            .zip(&self.ends)
            .map(move |(start, end)| text.get(start..*end).unwrap_or_default())
    }

    /// Hands the first lines to those who follow.
    fn tell(&self, recorded: usize, tail: &Tail) {
        if tail.is_followed() {
            self.lines()
                .take(recorded)
                .for_each(|line| tail.hand_out(line));
        }
    }

    /// A batch of the same lines with something before each, which is made from the line's time.
    pub fn prefixed(&self, prefix: impl Fn(Timestamp) -> String) -> Self {
        let mut out = Self {
            text: WipingBuffer::with_capacity(self.text.len() + 64 * self.ends.len()),
            ends: Vec::with_capacity(self.ends.len()),
            times: self.times.clone(),
        };
        for (line, time) in self.lines().zip(&self.times) {
            out.text.extend(prefix(*time).as_bytes());
            out.text.extend(line);
            out.ends.push(out.text.len());
        }
        out
    }

    /// How many lines are within the first `bytes`, and how many bytes they have.
    pub fn whole(&self, bytes: usize) -> (usize, usize) {
        let lines = self.ends.partition_point(|end| *end <= bytes);
        let end = lines.checked_sub(1).and_then(|last| self.ends.get(last));
        (lines, end.copied().unwrap_or_default())
    }

    #[cfg(test)]
    pub fn of(lines: &[&[u8]]) -> Self {
        let mut batch = Self::default();
        for line in lines {
            batch.text.extend(line);
            batch.ends.push(batch.text.len());
            batch.times.push(Timestamp::EPOCH);
        }
        batch
    }
}
