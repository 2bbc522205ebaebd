//! The chain of a device's lines: each holds the hash of the line before it and a code under a key of the device's own.
//!
//! Who edits, deletes, inserts or reorders lines breaks it; who has the key, or the head as it was later, can prove that
//! nothing of the sort happened. The reasons are in `docs/decisions/0011-audit-chain.md`.
//!
//! | file | what it holds |
//! |---|---|
//! | `link` | how a link is spelt; places, heads, keys |
//! | here | the chain while a device writes it |
//! | `ending` | where a file that is opened again ends |
//! | `lines` | the lines of a file, however long, without keeping them |
//! | `verify`, `report` | checking files, and what is said about them |

mod ending;
mod lines;
mod link;
mod report;
mod verify;

use coffer_crypto::{Sha256, WipingBuffer};
use coffer_wire::Timestamp;

pub(super) use ending::Ending;
pub use link::{ChainId, ChainKey, Head, Mark, Misspelt, Place};
pub use report::{ChainReport, Problem, ProblemKind, Report};
pub use verify::{Beginning, Verifier};

use link::{CLOSE, Link};

/// The chain of one device as it grows.
///
/// Lines get their links in batches: [`Chain::link`] for each, then [`Chain::tried`] once it is known how many of them
/// are there. What did not get there is counted in the next line that does.
#[derive(Debug)]
pub(super) struct Chain {
    key: ChainKey,
    /// The last line that is certainly there.
    last: Option<Mark>,
    /// What this run calls itself; none before its first line.
    run: Option<u64>,
    /// Lines of this run that were tried.
    seq: u64,
    /// Whether a line of this run is certainly there.
    begun: bool,
    /// The last line of the batch that is being made.
    tip: Option<Mark>,
    first: bool,
    torn: u64,
    lost: u64,
}

impl Chain {
    /// A new run. `last` is the last line that is known of earlier ones.
    pub fn new(key: ChainKey, last: Option<Mark>) -> Self {
        Self {
            key,
            last,
            run: None,
            seq: 0,
            begun: false,
            tip: None,
            first: false,
            torn: 0,
            lost: 0,
        }
    }

    pub fn key(&self) -> &ChainKey {
        &self.key
    }

    /// The last line that is certainly there.
    pub fn head(&self) -> Option<Head> {
        let chain = self.key.chain();
        self.last.map(|mark| Head { chain, mark })
    }

    /// Takes note of where a file ends that was opened just now. False if lines are missing there that were written.
    pub fn opened(&mut self, ending: &Ending) -> bool {
        self.first = ending.empty;
        self.torn += u64::from(ending.torn);
        let (Some(found), known) = (ending.last, self.last) else {
            return ending.empty || self.last.is_none();
        };
        match known {
            Some(known) if found.place < known.place => false,
            // A run that was killed did not have its last lines written down.
            _ if !self.begun => {
                self.last = Some(found);
                true
            }
            _ => true,
        }
    }

    /// Counts lines that were given up without being tried.
    pub fn lose(&mut self, lines: u64) {
        self.lost += lines;
    }

    /// Appends a line, which ends in `}` and a line break, with its link. `time` names the run if it is its first.
    pub fn link(&mut self, line: &[u8], time: Timestamp, out: &mut WipingBuffer) -> Mark {
        let run = *self.run.get_or_insert_with(|| {
            let before = self.last.map_or(0, |last| last.place.run);
            time.millis().max(before.saturating_add(1))
        });
        self.seq += 1;
        let place = Place { run, seq: self.seq };
        // What came before is told by the first line of a batch: if that one is not there, the others are not either.
        let told = self.tip.is_none();
        let before = self.tip.or(self.last);
        let link = Link {
            chain: self.key.chain(),
            place,
            prev: before.map_or([0; 32], |mark| mark.hash),
            after: self
                .last
                .filter(|_| told && !self.begun)
                .map(|mark| mark.place),
            first: told && self.first,
            torn: if told { self.torn } else { 0 },
            lost: if told { self.lost } else { 0 },
        };
        let body = line.strip_suffix(b"}\n").unwrap_or(line);
        let open = link.open();
        let mut hash = Sha256::new();
        for part in [body, open.as_bytes()] {
            hash.update(part);
            out.extend(part);
        }
        let code = hex::encode(self.key.code(&hash.clone().finish()));
        for part in [code.as_bytes(), CLOSE] {
            hash.update(part);
            out.extend(part);
        }
        out.extend(b"\n");
        let mark = Mark {
            place,
            hash: hash.finish(),
        };
        self.tip = Some(mark);
        mark
    }

    /// Ends a batch of `marks`, of which the first `recorded` are there. `torn` if a part of the next one is.
    pub fn tried(&mut self, marks: &[Mark], recorded: usize, torn: bool) {
        self.tip = None;
        if let Some(last) = marks.last() {
            self.seq = last.place.seq;
        }
        if let Some(last) = recorded.checked_sub(1).and_then(|last| marks.get(last)) {
            self.last = Some(*last);
            (self.begun, self.first) = (true, false);
            (self.torn, self.lost) = (0, 0);
        }
        self.lost += u64::try_from(marks.len().saturating_sub(recorded)).unwrap_or_default();
        if torn {
            self.torn += 1;
            self.first = false;
        }
    }
}
