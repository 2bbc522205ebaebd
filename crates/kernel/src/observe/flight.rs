//! The requests that are being answered.

use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwapOption;
use coffer_engine::{Caller, Fault, Reply};
use coffer_wire::Timestamp;
use serde_json::{Map, Value, json};

use crate::activity::client_id;
use crate::grant::Asked;
use crate::mounts::Mount;
use crate::open::Open;

/// How many requests can be shown; more are counted and not shown.
const SLOTS: usize = 4_096;
/// How many slots a request looks at for a free one.
const TRIES: usize = 64;
/// How much of a path is kept, in bytes.
const PATH_BYTES_MAX: usize = 1_024;

/// All requests in flight. Entering and leaving takes no lock, so a listing never holds up a request.
#[derive(Debug)]
pub struct InFlight {
    slots: Box<[Slot]>,
    next: AtomicUsize,
    running: AtomicUsize,
}

#[derive(Debug, Default)]
struct Slot {
    taken: AtomicBool,
    flight: ArcSwapOption<Flight>,
}

/// One request in flight.
#[derive(Debug)]
pub struct Flight {
    /// The request's id.
    pub id: String,
    /// When it came.
    pub began: Timestamp,
    /// Where it came from; absent for Unix sockets.
    pub client: Option<SocketAddr>,
    /// The method, in the edge's words.
    pub method: String,
    /// The path as it was asked, without its query.
    pub path: String,
    noted: OnceLock<Noted>,
}

/// What became known about a request on its way.
#[derive(Clone, Default)]
pub struct Noted {
    mount: Option<Arc<Mount>>,
    caller: Option<Arc<Caller>>,
    /// The pattern of the path below the mount, which has names of variables in place of their values; empty where
    /// there is no such path.
    pub route: &'static str,
    /// The namespace, `root` for the root.
    pub namespace: String,
}

/// A request is in flight as long as this lives.
#[derive(Debug)]
pub struct Running {
    table: Arc<InFlight>,
    slot: Option<usize>,
    /// The request.
    pub flight: Arc<Flight>,
}

impl Default for InFlight {
    fn default() -> Self {
        Self {
            slots: (0..SLOTS).map(|_| Slot::default()).collect(),
            next: AtomicUsize::new(0),
            running: AtomicUsize::new(0),
        }
    }
}

impl InFlight {
    /// Enters a request.
    pub fn enter(self: &Arc<Self>, flight: Flight) -> Running {
        self.running.fetch_add(1, Ordering::Relaxed);
        let flight = Arc::new(flight);
        let slot = self.free_slot();
        if let Some(slot) = slot.and_then(|at| self.slots.get(at)) {
            slot.flight.store(Some(Arc::clone(&flight)));
        }
        Running {
            table: Arc::clone(self),
            slot,
            flight,
        }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.running.load(Ordering::Relaxed)
    }

    /// Those that can be shown, the oldest first.
    pub fn all(&self) -> Vec<Arc<Flight>> {
        let taken = self
            .slots
            .iter()
            .filter(|slot| slot.taken.load(Ordering::Acquire));
        let mut all: Vec<_> = taken.filter_map(|slot| slot.flight.load_full()).collect();
        all.sort_by(|a, b| a.began.cmp(&b.began).then_with(|| a.id.cmp(&b.id)));
        all
    }

    /// As `sys/in-flight-req` answers it.
    pub fn reply(&self) -> Result<Reply, Fault> {
        let shown = self.all().into_iter().map(|flight| {
            let client = flight.client.map(|client| client.to_string());
            let about = json!({
                "start_time": flight.began,
                "client_remote_address": client.unwrap_or_default(),
                "request_path": flight.path,
                "request_method": flight.method,
                "client_id": flight.noted().map(Noted::client_id).unwrap_or_default(),
            });
            (flight.id.clone(), about)
        });
        Reply::bare(&shown.collect::<Map<String, Value>>())
    }

    fn free_slot(&self) -> Option<usize> {
        let from = self.next.fetch_add(1, Ordering::Relaxed);
        (from..from.wrapping_add(TRIES))
            .map(|at| at % SLOTS)
            .find(|at| {
                let slot = self.slots.get(*at);
                slot.is_some_and(|slot| !slot.taken.swap(true, Ordering::AcqRel))
            })
    }
}

impl Flight {
    /// A request that has just come.
    pub fn new(
        id: String,
        began: Timestamp,
        client: Option<SocketAddr>,
        method: &str,
        path: &str,
    ) -> Self {
        let end = path.floor_char_boundary(PATH_BYTES_MAX);
        Self {
            id,
            began,
            client,
            method: method.to_owned(),
            path: path.get(..end).unwrap_or_default().to_owned(),
            noted: OnceLock::new(),
        }
    }

    /// Notes what was found out about it; the first note counts.
    pub fn note(&self, noted: Noted) {
        let _ = self.noted.set(noted);
    }

    /// What was found out about it so far.
    pub fn noted(&self) -> Option<&Noted> {
        self.noted.get()
    }
}

impl Noted {
    /// The mount that answers, with its trailing slash, or nothing.
    pub fn mount(&self) -> &str {
        self.mount.as_ref().map_or("", |mount| &mount.record.path)
    }

    /// The type of that mount.
    pub fn mount_type(&self) -> &str {
        self.mount
            .as_ref()
            .map_or("", |mount| mount.record.engine())
    }

    /// Whom the request counts as, without being a token: an entity, or what tokens without one have in common.
    pub fn client_id(&self) -> String {
        let caller = self.caller.as_deref();
        caller.map(client_id).unwrap_or_default()
    }
}

impl fmt::Debug for Noted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Noted({}{})", self.mount(), self.route)
    }
}

/// Notes what the pipeline knows about a request once it knows who asks, if somebody watches.
pub(crate) fn note(open: &Open, asked: &Asked) {
    if let Some(flight) = &asked.request.flight {
        flight.note(Noted {
            mount: asked.mount.clone(),
            caller: asked.caller.clone(),
            route: asked.found.as_ref().map_or("", |found| found.pattern),
            namespace: open.space.shown().to_owned(),
        });
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(slot) = self.slot.and_then(|at| self.table.slots.get(at)) {
            slot.flight.store(None);
            slot.taken.store(false, Ordering::Release);
        }
        self.table.running.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flight(id: usize) -> Flight {
        let began = Timestamp::from_secs(u64::try_from(id).unwrap());
        Flight::new(format!("id-{id}"), began, None, "GET", "/v1/secret/a")
    }

    #[test]
    fn a_request_is_there_until_it_ends() {
        let table = Arc::<InFlight>::default();
        let second = table.enter(flight(2));
        let first = table.enter(flight(1));
        let ids = || -> Vec<String> { table.all().iter().map(|one| one.id.clone()).collect() };
        assert_eq!(ids(), ["id-1", "id-2"]);
        drop(second);
        assert_eq!((ids(), table.count()), (vec!["id-1".to_owned()], 1));
        drop(first);
        assert_eq!((ids().len(), table.count()), (0, 0));
    }

    #[test]
    fn more_than_can_be_shown_are_counted() {
        let table = Arc::<InFlight>::default();
        let running: Vec<_> = (0..SLOTS + 10).map(|id| table.enter(flight(id))).collect();
        assert_eq!((table.all().len(), table.count()), (SLOTS, SLOTS + 10));
        drop(running);
        assert_eq!((table.all().len(), table.count()), (0, 0));
        let again: Vec<_> = (0..100).map(|id| table.enter(flight(id))).collect();
        assert_eq!((again.len(), table.all().len()), (100, 100));
    }

    #[test]
    fn long_paths_are_cut() {
        let path = format!("/v1/{}", "ü".repeat(PATH_BYTES_MAX));
        let flight = Flight::new(String::new(), Timestamp::EPOCH, None, "GET", &path);
        assert!(flight.path.len() <= PATH_BYTES_MAX && path.starts_with(&flight.path));
    }
}
