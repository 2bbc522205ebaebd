//! A number of leases that is stored in the very step that stores or removes one of them.
//!
//! The number is kept in several parts, because a step must not wait for another one: each step takes a part for
//! itself, writes what it will hold, and gives it back. The sum is in memory, so that two steps at once do not both
//! take the last place; what a step will add is in it from the start.

use std::sync::Arc;

use coffer_barrier::{Changes, Stored, View};
use coffer_engine::Fault;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

/// How many parts there are. If all are taken, steps share one, and the one that comes second is done once more.
const MAX_PARTS: u32 = 64;

/// One number.
pub(super) struct Tally {
    view: View,
    state: Mutex<State>,
}

struct State {
    total: i64,
    /// The parts that nobody has, the one given back last at the end.
    free: Vec<u32>,
    /// How many parts were given out so far.
    known: u32,
}

/// A part, as stored. Parts may be negative: what came with one goes with another.
#[derive(Default, Serialize, Deserialize)]
struct Part {
    count: i64,
}

impl Stored for Part {}

/// What a step adds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// One more.
    Up,
    /// One less.
    Down,
}

/// A step that is not done yet. Dropped, it has not happened.
pub(super) struct Draft {
    tally: Arc<Tally>,
    part: Option<u32>,
    way: Way,
    done: bool,
}

impl Tally {
    /// The number whose parts are in this view, which holds nothing else.
    pub async fn load(view: View) -> Result<Arc<Self>, Fault> {
        let (mut total, mut known) = (0_i64, 0);
        let mut pages = view.pages::<Part>("");
        while let Some(page) = pages.next().await? {
            for (name, part) in &page {
                total = total.saturating_add(part.count);
                known = known.max(
                    name.parse::<u32>()
                        .map_or(0, |number| number.saturating_add(1)),
                );
            }
        }
        let state = State {
            total,
            free: (0..known.min(MAX_PARTS)).collect(),
            known,
        };
        Ok(Arc::new(Self {
            view,
            state: Mutex::new(state),
        }))
    }

    /// How many there are.
    pub fn total(&self) -> u64 {
        u64::try_from(self.state.lock().total).unwrap_or_default()
    }

    /// Begins a step; none if there are `most` already and this would be one more.
    pub fn begin(self: &Arc<Self>, way: Way, most: u64) -> Option<Draft> {
        let mut state = self.state.lock();
        if way == Way::Up {
            if u64::try_from(state.total).unwrap_or_default() >= most {
                return None;
            }
            state.total = state.total.saturating_add(1);
        }
        let part = state.free.pop().or_else(|| {
            let fresh = (state.known < MAX_PARTS).then_some(state.known)?;
            state.known += 1;
            Some(fresh)
        });
        Some(Draft {
            tally: Arc::clone(self),
            part,
            way,
            done: false,
        })
    }
}

impl Draft {
    /// The changes of the step with what the number becomes by it. They conflict if somebody else has the part.
    pub async fn written(&self, changes: Changes) -> Result<Changes, Fault> {
        let view = &self.tally.view;
        let path = format!("{:03}", self.part.unwrap_or_default());
        let (part, seen) = view.get_seen::<Part>(&path).await?;
        let mut part = part.unwrap_or_default();
        part.count = match self.way {
            Way::Up => part.count.saturating_add(1),
            Way::Down => part.count.saturating_sub(1),
        };
        Ok(changes.put(view, &path, &part)?.expect(view, &path, seen))
    }

    /// The step was stored.
    pub fn done(mut self) {
        self.done = true;
    }

    /// Nobody knows whether the step was stored: until the server opens again, the number is rather too high than
    /// too low.
    pub fn unsure(mut self) {
        self.done = self.way == Way::Up;
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        let mut state = self.tally.state.lock();
        if self.done == (self.way == Way::Down) {
            state.total = state.total.saturating_sub(1);
        }
        state.free.extend(self.part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use coffer_barrier::Barrier;
    use coffer_crypto::{Aes256Key, Random};
    use coffer_storage::{Batch, Memory};

    async fn view() -> View {
        let barrier = Arc::new(Barrier::new(Arc::new(Memory::new()), Random::system()));
        let root = Aes256Key::generate(barrier.random()).unwrap();
        barrier.initialise(&root, 1, Batch::new()).await.unwrap();
        barrier.unseal(root).await.unwrap();
        barrier.view("sys/quotas/tally/")
    }

    async fn step(tally: &Arc<Tally>, way: Way, most: u64) -> bool {
        loop {
            let Some(draft) = tally.begin(way, most) else {
                return false;
            };
            let changes = draft.written(tally.view.changes()).await.unwrap();
            match changes.commit().await {
                Ok(()) => {
                    draft.done();
                    return true;
                }
                Err(coffer_barrier::Error::Conflict) => {}
                Err(other) => panic!("{other}"),
            }
        }
    }

    #[tokio::test]
    async fn steps_at_once_never_pass_the_limit_and_what_is_stored_is_exact() {
        let view = view().await;
        let tally = Tally::load(view.clone()).await.unwrap();
        let up = (0..400).map(|_| step(&tally, Way::Up, 250));
        let taken = futures_util::future::join_all(up).await;
        assert_eq!(taken.iter().filter(|up| **up).count(), 250);
        let down = (0..90).map(|_| step(&tally, Way::Down, 0));
        futures_util::future::join_all(down).await;
        assert_eq!(tally.total(), 160);
        assert_eq!(Tally::load(view.clone()).await.unwrap().total(), 160);
        let parts = view.scan_paths("", None, 1_000).await.unwrap().len();
        assert!(parts <= MAX_PARTS as usize, "{parts} parts");
    }

    #[tokio::test]
    async fn a_step_that_was_not_done_leaves_nothing() {
        let tally = Tally::load(view().await).await.unwrap();
        assert!(step(&tally, Way::Up, 2).await);
        drop(tally.begin(Way::Up, 2).unwrap());
        drop(tally.begin(Way::Down, 0).unwrap());
        assert_eq!(tally.total(), 1);
        let last = tally.begin(Way::Up, 2).unwrap();
        assert!(
            tally.begin(Way::Up, 2).is_none(),
            "the place is taken already"
        );
        drop(last);
        assert!(step(&tally, Way::Up, 2).await);
    }
}
