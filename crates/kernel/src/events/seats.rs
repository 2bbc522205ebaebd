//! How many subscribers there are.

use std::collections::HashMap;
use std::sync::Arc;

use coffer_engine::{Caller, Fault};
use parking_lot::Mutex;

/// The places of subscribers, of which there are so many.
#[derive(Debug)]
pub(super) struct Seats {
    total_max: usize,
    each_max: usize,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    total: usize,
    each: HashMap<String, usize>,
}

/// A place, until it is dropped.
#[derive(Debug)]
pub(super) struct Seat {
    seats: Arc<Seats>,
    holder: String,
}

impl Seats {
    pub fn new(total_max: usize, each_max: usize) -> Arc<Self> {
        Arc::new(Self {
            total_max,
            each_max,
            taken: Mutex::default(),
        })
    }

    /// A place for somebody.
    pub fn take(self: &Arc<Self>, caller: &Caller) -> Result<Seat, Fault> {
        let holder = holder(caller);
        let mut taken = self.taken.lock();
        if taken.total >= self.total_max {
            return Err(Fault::TooMany(format!(
                "the server has all the {} subscribers to events that it may have (events.max_subscribers)",
                self.total_max
            )));
        }
        let own = taken.each.entry(holder.clone()).or_default();
        if *own >= self.each_max {
            return Err(Fault::TooMany(format!(
                "this client has all the {} subscriptions to events that it may have (events.max_subscribers_per_client); use one for several kinds",
                self.each_max
            )));
        }
        *own += 1;
        taken.total += 1;
        Ok(Seat {
            seats: Arc::clone(self),
            holder,
        })
    }

    /// How many are taken.
    pub fn taken(&self) -> usize {
        self.taken.lock().total
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.taken.lock();
        taken.total = taken.total.saturating_sub(1);
        if let Some(own) = taken.each.get_mut(&self.holder) {
            *own = own.saturating_sub(1);
            if *own == 0 {
                taken.each.remove(&self.holder);
            }
        }
    }
}

/// Who counts as one: an entity, a token, or batch tokens of one name.
fn holder(caller: &Caller) -> String {
    let parts = [&caller.entity_id, &caller.accessor, &caller.display_name];
    let found = parts.iter().position(|part| !part.is_empty());
    let own = found.and_then(|at| parts.get(at)).map_or("", |part| part);
    format!("{}/{own}@{}", found.unwrap_or_default(), caller.namespace)
}
