//! Those who follow a device's lines while they are recorded.
//!
//! The worker hands each line to them after it is recorded, without waiting: a reader that is too slow is cut off, which costs
//! the reader its place and nobody else anything.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use arc_swap::ArcSwap;
use coffer_engine::Fault;
use tokio::sync::mpsc;

/// How many may follow one device at once.
const READERS_MAX: usize = 8;
/// How many lines wait for a reader that is slow.
const WAITING_LINES_MAX: usize = 1_024;
/// How many bytes of them. A longer line waits alone.
const WAITING_BYTES_MAX: usize = 1 << 20;

/// The readers of one device.
#[derive(Debug, Default)]
pub(super) struct Tail {
    readers: ArcSwap<Vec<Arc<Reader>>>,
}

/// A reader, as the device sees it.
#[derive(Debug)]
struct Reader {
    lines: mpsc::Sender<Vec<u8>>,
    waits: Arc<Waits>,
}

/// What a reader and the device tell each other.
#[derive(Debug, Default)]
struct Waits {
    bytes: AtomicUsize,
    cut: AtomicBool,
}

/// A device's lines from now on, as they are recorded, each with its line break.
#[derive(Debug)]
pub struct Followed {
    lines: mpsc::Receiver<Vec<u8>>,
    waits: Arc<Waits>,
}

impl Tail {
    /// One more reader; refused where there are too many.
    pub fn follow(&self) -> Result<Followed, Fault> {
        let (lines, received) = mpsc::channel(WAITING_LINES_MAX);
        let waits = Arc::<Waits>::default();
        let reader = Arc::new(Reader {
            lines,
            waits: Arc::clone(&waits),
        });
        self.readers.rcu(|readers| {
            let mut readers = here(readers);
            if readers.len() < READERS_MAX {
                readers.push(Arc::clone(&reader));
            }
            readers
        });
        let taken = self.readers.load();
        if !taken.iter().any(|known| Arc::ptr_eq(known, &reader)) {
            return Err(Fault::TooMany(format!(
                "{READERS_MAX} clients follow this audit device already, which is the limit; end one of them first"
            )));
        }
        Ok(Followed {
            lines: received,
            waits,
        })
    }

    /// Whether anybody follows.
    pub fn is_followed(&self) -> bool {
        !self.readers.load().is_empty()
    }

    /// Hands out a line that is recorded.
    pub fn hand_out(&self, line: &[u8]) {
        let readers = self.readers.load();
        if readers.is_empty() {
            return;
        }
        let stay: usize = readers
            .iter()
            .map(|reader| usize::from(reader.give(line)))
            .sum();
        if stay < readers.len() {
            self.readers.rcu(|readers| here(readers));
        }
    }
}

/// The readers that were neither cut off nor have gone.
fn here(readers: &[Arc<Reader>]) -> Vec<Arc<Reader>> {
    let stay = readers.iter().filter(|reader| reader.is_here());
    stay.cloned().collect()
}

impl Reader {
    fn is_here(&self) -> bool {
        !self.lines.is_closed() && !self.waits.cut.load(Ordering::Relaxed)
    }

    /// Gives a line, or cuts the reader off where there is no room; whether it stays.
    fn give(&self, line: &[u8]) -> bool {
        let waiting = self.waits.bytes.load(Ordering::Relaxed);
        let fits = waiting == 0 || waiting.saturating_add(line.len()) <= WAITING_BYTES_MAX;
        if fits && self.is_here() {
            self.waits.bytes.fetch_add(line.len(), Ordering::Relaxed);
            if self.lines.try_send(line.to_vec()).is_ok() {
                return true;
            }
        }
        self.waits.cut.store(true, Ordering::Relaxed);
        false
    }
}

impl Followed {
    /// The next line; none when the device is disabled or the reader was cut off.
    pub async fn next(&mut self) -> Option<Vec<u8>> {
        let line = self.lines.recv().await?;
        self.waits.bytes.fetch_sub(line.len(), Ordering::Relaxed);
        Some(line)
    }

    /// Whether lines are missing behind the last one, because this reader was too slow.
    pub fn was_cut(&self) -> bool {
        self.waits.cut.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_reader_gets_each_line() {
        let tail = Tail::default();
        tail.hand_out(b"before\n");
        let (mut one, mut other) = (tail.follow().unwrap(), tail.follow().unwrap());
        tail.hand_out(b"a\n");
        drop(tail.follow().unwrap());
        tail.hand_out(b"b\n");
        for reader in [&mut one, &mut other] {
            assert_eq!(reader.next().await.unwrap(), b"a\n");
            assert_eq!(reader.next().await.unwrap(), b"b\n");
        }
        drop(tail);
        assert!(one.next().await.is_none() && !one.was_cut());
    }

    #[tokio::test]
    async fn a_slow_reader_is_cut_off_and_what_waits_is_bounded() {
        let tail = Tail::default();
        let (mut slow, mut quick) = (tail.follow().unwrap(), tail.follow().unwrap());
        let line = vec![b'x'; 100_000];
        for _ in 0..20 {
            tail.hand_out(&line);
            assert!(quick.next().await.is_some());
        }
        let mut had = 0;
        while let Some(line) = slow.next().await {
            had += line.len();
        }
        assert!(slow.was_cut() && had <= WAITING_BYTES_MAX, "{had}");
        assert!(!quick.was_cut());
        let mut many = tail.follow().unwrap();
        for _ in 0..=WAITING_LINES_MAX {
            tail.hand_out(b"\n");
        }
        let mut lines = 0;
        while many.next().await.is_some() {
            lines += 1;
        }
        assert!(many.was_cut() && lines == WAITING_LINES_MAX, "{lines}");
    }

    #[tokio::test]
    async fn a_line_that_is_longer_than_the_room_waits_alone() {
        let tail = Tail::default();
        let mut reader = tail.follow().unwrap();
        let long = vec![b'x'; 2 * WAITING_BYTES_MAX];
        tail.hand_out(&long);
        assert_eq!(reader.next().await.unwrap().len(), long.len());
        tail.hand_out(&long);
        tail.hand_out(b"y\n");
        assert_eq!(reader.next().await.unwrap().len(), long.len());
        assert!(reader.next().await.is_none() && reader.was_cut());
    }

    #[test]
    fn there_is_room_for_so_many() {
        let tail = Tail::default();
        let mut readers: Vec<_> = (0..READERS_MAX).map(|_| tail.follow().unwrap()).collect();
        assert!(matches!(tail.follow(), Err(Fault::TooMany(_))));
        readers.pop();
        assert!(tail.follow().is_ok() && tail.is_followed());
        readers.clear();
        tail.hand_out(b"nobody\n");
        assert!(!tail.is_followed());
    }
}
