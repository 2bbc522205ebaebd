//! The newest events, in memory.

use std::collections::VecDeque;
use std::sync::Arc;

use super::id::{EventId, Mark};
use super::log::Start;
use super::published::Published;

/// How many events are in memory.
const EVENTS_MAX: usize = 16_384;
/// How many are looked at, and how many taken, while nobody else may publish.
const LOOKED_AT_ONCE: usize = 2_048;
pub(super) const TAKEN_AT_ONCE: usize = 32;

/// The newest events. Their numbers have no gaps.
#[derive(Debug)]
pub(super) struct Ring {
    events: VecDeque<Arc<Published>>,
    /// The mark of the log.
    pub mark: Mark,
    /// The number that the next event gets.
    next: u64,
    /// The number of the first event of this server.
    began: u64,
    /// The number of the last event that needs not be stored any more.
    settled: u64,
    bytes: usize,
    bytes_max: usize,
    /// Whether the log was closed: what happens from then on gets no number, so that the next server gives none twice.
    pub closed: bool,
    /// Whether something has happened since.
    pub missed: bool,
}

/// What a reader finds in the ring.
#[derive(Debug)]
pub(super) enum Look {
    /// It goes on after this number; what was wanted before it was taken.
    Read(u64),
    /// Nothing new.
    Nothing,
    /// What comes next is not in memory any more.
    Behind,
}

/// Events that are to be stored.
#[derive(Debug, Default)]
pub(super) struct Unstored {
    /// The last event before these that is in storage, or that nobody has to store.
    pub after: u64,
    /// The first event of this server: those between that and the last before it a crash took.
    pub began: u64,
    /// The events, whose numbers have no gaps. If the first is not `after` and one, those between are lost.
    pub events: Vec<Arc<Published>>,
    /// Whether there are more.
    pub more: bool,
}

impl Ring {
    /// A ring that goes on where the log ends.
    pub fn new(start: &Start, bytes_max: usize) -> Self {
        Self {
            events: VecDeque::new(),
            mark: start.mark,
            next: start.next,
            began: start.next,
            settled: start.stored,
            bytes: 0,
            bytes_max,
            closed: false,
            missed: false,
        }
    }

    /// The number of the first event of this server.
    pub fn began(&self) -> u64 {
        self.began
    }

    /// The number of the last event that needs not be stored any more.
    pub fn settled(&self) -> u64 {
        self.settled
    }

    /// The id of the last event there was.
    pub fn last(&self) -> EventId {
        EventId::new(self.mark, self.next.saturating_sub(1))
    }

    /// The id that the next event gets.
    pub fn next_id(&self) -> EventId {
        EventId::new(self.mark, self.next)
    }

    /// The number of the first event in memory; that of the next one if there is none.
    pub fn first(&self) -> u64 {
        let count = u64::try_from(self.events.len()).unwrap_or_default();
        self.next.saturating_sub(count)
    }

    /// Adds the event with the next number. What no longer has room is forgotten, whether it is stored or not.
    pub fn push(&mut self, event: Arc<Published>) {
        self.bytes += event.weight();
        self.events.push_back(event);
        self.next += 1;
        while self.events.len() > EVENTS_MAX
            || (self.bytes > self.bytes_max && self.events.len() > 1)
        {
            if let Some(old) = self.events.pop_front() {
                self.bytes = self.bytes.saturating_sub(old.weight());
            }
        }
    }

    /// Takes some of the events after a number that are wanted.
    pub fn look(
        &self,
        after: u64,
        wanted: impl Fn(&Published) -> bool,
        taken: &mut VecDeque<Arc<Published>>,
    ) -> Look {
        if after.saturating_add(1) >= self.next {
            return Look::Nothing;
        }
        let first = self.first();
        let Some(skipped) = after.saturating_add(1).checked_sub(first) else {
            return Look::Behind;
        };
        let skipped = usize::try_from(skipped).unwrap_or(usize::MAX);
        let mut reached = after;
        let before = taken.len();
        for event in self.events.iter().skip(skipped).take(LOOKED_AT_ONCE) {
            reached = event.id.number();
            if wanted(event) {
                taken.push_back(Arc::clone(event));
                if taken.len() - before >= TAKEN_AT_ONCE {
                    break;
                }
            }
        }
        Look::Read(reached)
    }

    /// The oldest events that are to be stored, at most so many bytes of them.
    pub fn unstored(&self, bytes_max: usize) -> Unstored {
        let first = self.first();
        let from = (self.settled + 1).max(first);
        let skipped = usize::try_from(from.saturating_sub(first)).unwrap_or(usize::MAX);
        let mut bytes = 0;
        let mut events = Vec::new();
        let mut more = false;
        for event in self.events.iter().skip(skipped) {
            bytes += event.json.len();
            if bytes > bytes_max && !events.is_empty() {
                more = true;
                break;
            }
            events.push(Arc::clone(event));
        }
        Unstored {
            after: self.settled,
            began: self.began,
            events,
            more,
        }
    }

    /// How many events are not stored yet.
    pub fn waiting(&self) -> u64 {
        let settled = self.settled.max(self.began.saturating_sub(1));
        self.next.saturating_sub(1).saturating_sub(settled)
    }

    /// Everything up to this number is stored.
    pub fn settle(&mut self, number: u64) {
        self.settled = self.settled.max(number);
    }

    /// Forgets what happened in these events, and all that is in storage, so that it is read there from now on. Answers how
    /// many are nowhere any more.
    pub fn forget(&mut self, which: impl Fn(&Published) -> bool) -> u64 {
        while let Some(old) = self.events.front()
            && old.id.number() <= self.settled
        {
            self.bytes = self.bytes.saturating_sub(old.weight());
            self.events.pop_front();
        }
        let mut lost = 0;
        for event in &mut self.events {
            if !event.is_blank() && which(event) {
                let blank = event.blanked();
                self.bytes = self.bytes.saturating_sub(event.weight()) + blank.weight();
                *event = Arc::new(blank);
                lost += 1;
            }
        }
        lost
    }
}
