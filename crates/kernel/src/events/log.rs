//! The events in storage.
//!
//! Below `sys/events/`:
//!
//! | path | holds |
//! |---|---|
//! | `state` | the mark of the log, the number of the next event, and whether a server is running |
//! | `log/<last>-<time>-<bytes>` | a record of many events: named by the number of the last, the time in milliseconds, its size |
//! | `of/<namespace>/<the same name>` | those of the record that happened in a namespace with a seal of its own, or within one |
//!
//! What is in `of/` is encrypted by the keys of that seal, like everything else of such a namespace, so while it is sealed
//! nobody reads it; whoever reads the record then finds the other events of it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use coffer_barrier::{Barrier, Error, Stored, View};
use coffer_crypto::Random;
use coffer_engine::Fault;
use coffer_wire::Timestamp;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio::sync::Semaphore;

use super::id::{EventId, Mark, NUMBER_MAX};
use super::published::Published;

/// Where the log is.
pub(super) const VIEW: &str = "sys/events/";
const STATE: &str = "state";
const RECORDS: &str = "log/";
const PARTS: &str = "of/";

/// How many numbers are left out after a server that was not stopped in order: more than it can have given to events that it
/// did not store.
pub(super) const JUMP: u64 = 1 << 32;
/// How many records there are at most; each costs a few bytes of memory.
const RECORDS_MAX: usize = 200_000;
/// How many records are removed at once.
const REMOVED_AT_ONCE: usize = 256;
/// What a record takes beside its events, and each event beside its text, in bytes; a guess.
const RECORD_OVERHEAD: usize = 128;
const EVENT_OVERHEAD: usize = 64;
/// How many records that were read are kept for the next readers.
const PAGES_MAX: usize = 32;
/// How many read from storage at the same time.
const READERS_MAX: usize = 4;

/// What the paths in the storage begin with that hold events of a namespace with a seal of its own, and of those in it, whose
/// ids begin with its id.
pub fn kept_for(id: &str) -> String {
    format!("{VIEW}{PARTS}{id}")
}

/// Whether a path of the storage belongs to the log. What is restored from a snapshot goes without one: the events of the
/// server that was are not those of the server that is.
pub(crate) fn is_of_log(path: &str) -> bool {
    path.starts_with(VIEW)
}

/// Removes the log from a storage, so that the next server begins another one.
pub(crate) async fn forget_all(barrier: &Arc<Barrier>) -> Result<(), Fault> {
    Ok(barrier.view(VIEW).clear("").await?)
}

/// The log.
pub(super) struct Log {
    barrier: Arc<Barrier>,
    view: View,
    kept: Mutex<Kept>,
    pages: Mutex<VecDeque<Arc<Page>>>,
    /// How many times the pages were forgotten.
    forgotten: AtomicU64,
    readers: Semaphore,
}

/// Where a log goes on.
#[derive(Debug)]
pub(super) struct Start {
    /// Its mark.
    pub mark: Mark,
    /// The number of the next event.
    pub next: u64,
    /// The number of the last event that is in it.
    pub stored: u64,
    /// Whether the server that wrote it was not stopped in order.
    pub broken: bool,
}

/// A record as it was read.
#[derive(Debug)]
pub(super) struct Page {
    /// The number of the last event before it.
    pub after: u64,
    /// The number of its last event.
    pub last: u64,
    /// Its events, without those of sealed namespaces.
    pub events: Vec<Arc<Published>>,
}

#[derive(Serialize, Deserialize)]
struct State {
    mark: u64,
    /// The number of the next event.
    next: u64,
    /// That of the last one that is stored.
    stored: u64,
    /// Whether there may be events that are not.
    running: bool,
}

impl Stored for State {}

#[derive(Default, Serialize, Deserialize)]
struct Record {
    #[serde(default)]
    after: u64,
    events: Vec<Entry>,
    /// The namespaces that have events of this record elsewhere.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    parts: Vec<String>,
}

impl Stored for Record {}

#[derive(Serialize, Deserialize)]
struct Entry {
    number: u64,
    namespace: String,
    event: Box<RawValue>,
}

/// What is known of the records without reading them.
#[derive(Default)]
struct Kept {
    records: VecDeque<Known>,
    bytes: u64,
    /// Whether those of earlier servers are among them.
    whole: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Known {
    last: u64,
    millis: u64,
    bytes: u32,
}

impl Start {
    /// Of a log that is nowhere but in memory.
    pub fn new(random: &Random) -> Self {
        Self {
            mark: Mark::new(random),
            next: 1,
            stored: 0,
            broken: false,
        }
    }
}

impl Log {
    /// Opens the log and says where it goes on; one that is not there begins.
    pub async fn open(barrier: &Arc<Barrier>, random: &Random) -> Result<(Self, Start), Fault> {
        let view = barrier.view(VIEW);
        let start = match view.get::<State>(STATE).await? {
            Some(state) if state.next < NUMBER_MAX / 2 => Start {
                mark: Mark::from_bits(state.mark),
                next: state.next + if state.running { JUMP } else { 0 },
                stored: state.stored,
                broken: state.running,
            },
            _ => Start::new(random),
        };
        let log = Self {
            barrier: Arc::clone(barrier),
            view,
            kept: Mutex::default(),
            pages: Mutex::default(),
            forgotten: AtomicU64::default(),
            readers: Semaphore::new(READERS_MAX),
        };
        log.view
            .put(
                STATE,
                &State::of(start.mark, start.next, start.stored, true),
            )
            .await?;
        Ok((log, start))
    }

    /// Writes down that the server stops in order, with everything before `next` stored.
    pub async fn close(&self, next: EventId, stored: u64) -> Result<(), Fault> {
        let state = State::of(next.mark(), next.number(), stored, false);
        Ok(self.view.put(STATE, &state).await?)
    }

    /// Adds a record of events, `after` being the number of the last one before them. Answers false, and adds none, if one is of
    /// a namespace that is sealed: it is stored by keys that are not there.
    pub async fn append(
        &self,
        after: u64,
        events: &[Arc<Published>],
        now: Timestamp,
    ) -> Result<bool, Fault> {
        let Some(last) = events.last() else {
            return Ok(true);
        };
        let (mark, last) = (last.id.mark(), last.id.number());
        let events = || events.iter().filter(|event| !event.is_blank());
        let bytes: usize = events()
            .map(|event| event.json.len() + EVENT_OVERHEAD)
            .sum();
        let known = Known {
            last,
            millis: now.millis(),
            bytes: u32::try_from(bytes + RECORD_OVERHEAD).unwrap_or(u32::MAX),
        };
        let name = known.name();
        let mut record = Record {
            after,
            ..Record::default()
        };
        let mut apart: BTreeMap<&str, Vec<Entry>> = BTreeMap::new();
        for event in events() {
            let entry = Entry::of(event).map_err(Fault::internal)?;
            match self.is_apart(event.namespace_id()) {
                true => apart.entry(event.namespace_id()).or_default().push(entry),
                false => record.events.push(entry),
            }
        }
        let mut changes = self.view.changes();
        for (namespace, events) in apart {
            let part = Record {
                events,
                ..Record::default()
            };
            let step = self.view.changes();
            match step.put(&self.view, &part_path(namespace, &name), &part) {
                Ok(step) => changes = changes.and(step.into_batch()),
                Err(Error::PartSealed) => return Ok(false),
                Err(other) => return Err(other.into()),
            }
            record.parts.push(namespace.to_owned());
        }
        let changes = changes
            .put(&self.view, &format!("{RECORDS}{name}"), &record)?
            .put(&self.view, STATE, &State::of(mark, last + 1, last, true))?;
        match changes.commit().await {
            Err(Error::PartSealed) => return Ok(false),
            committed => committed?,
        };
        self.kept.lock().add(known);
        Ok(true)
    }

    /// The record that holds the event after this number, or the first one behind it; none at the end of the log.
    pub async fn page(&self, after: u64) -> Result<Option<Arc<Page>>, Fault> {
        let read = |page: &Arc<Page>| page.after <= after && after < page.last;
        let known = || self.pages.lock().iter().find(|page| read(page)).cloned();
        if let Some(page) = known() {
            return Ok(Some(page));
        }
        let Ok(_turn) = self.readers.acquire().await else {
            return Ok(None); // Nobody closes it.
        };
        if let Some(page) = known() {
            return Ok(Some(page));
        }
        let behind = format!("{RECORDS}{after:016x}~"); // Behind all records that end there.
        let found = self.view.scan::<Record>(RECORDS, Some(&behind), 1).await?;
        let Some((path, record)) = found.into_iter().next() else {
            return Ok(None);
        };
        let since = self.forgotten.load(Ordering::SeqCst);
        let page = Arc::new(self.read(&path, record).await?);
        let mut pages = self.pages.lock();
        // It may be without what could be read a moment later.
        if self.forgotten.load(Ordering::SeqCst) == since {
            pages.push_front(Arc::clone(&page));
            pages.truncate(PAGES_MAX);
        }
        Ok(Some(page))
    }

    async fn read(&self, path: &str, record: Record) -> Result<Page, Fault> {
        let name = path.strip_prefix(RECORDS).unwrap_or(path);
        let known =
            Known::named(name).ok_or_else(|| Fault::internal("a strange name in the log"))?;
        let mut entries = record.events;
        for namespace in &record.parts {
            match self.view.get::<Record>(&part_path(namespace, name)).await {
                Ok(part) => entries.extend(part.into_iter().flat_map(|part| part.events)),
                Err(Error::PartSealed) => {}
                Err(other) => return Err(other.into()),
            }
        }
        entries.sort_by_key(|entry| entry.number);
        let events = entries.into_iter();
        let events = events.filter_map(|entry| {
            let event = Published::stored(entry.namespace, entry.event.get());
            event.map(Arc::new)
        });
        Ok(Page {
            after: record.after,
            last: known.last,
            events: events.collect(),
        })
    }

    /// Forgets what was read: other namespaces can be looked into than before.
    pub fn forget_pages(&self) {
        let mut pages = self.pages.lock();
        self.forgotten.fetch_add(1, Ordering::SeqCst);
        pages.clear();
    }

    /// Finds out which records there are; to be done once, before any is removed.
    pub async fn take_stock(&self) -> Result<(), Fault> {
        if self.kept.lock().whole {
            return Ok(());
        }
        let mut found = VecDeque::new();
        let mut pages = self.view.path_pages(RECORDS);
        while let Some(page) = pages.next().await? {
            let names = page.iter().filter_map(|path| path.strip_prefix(RECORDS));
            found.extend(names.filter_map(Known::named));
        }
        let mut kept = self.kept.lock();
        let newest = found.back().map_or(0, |known| known.last);
        let mut newer = std::mem::take(&mut kept.records);
        newer.retain(|known| known.last > newest);
        *kept = Kept {
            whole: true,
            ..Kept::default()
        };
        found
            .into_iter()
            .chain(newer)
            .for_each(|known| kept.add(known));
        Ok(())
    }

    /// Removes the oldest records, as far as they are not to be kept. Answers whether some may be left.
    pub async fn shorten(
        &self,
        retention: Duration,
        bytes_max: u64,
        now: Timestamp,
    ) -> Result<bool, Fault> {
        let old = self.kept.lock().old(retention, bytes_max, now);
        if old.is_empty() {
            return Ok(false);
        }
        let parts = self.view.list_all(PARTS).await?;
        let mut changes = self.view.changes();
        for known in &old {
            let name = known.name();
            changes = changes.delete(&self.view, &format!("{RECORDS}{name}"));
            for part in &parts {
                let namespace = part.trim_end_matches('/');
                changes = changes.delete(&self.view, &part_path(namespace, &name));
            }
        }
        changes.commit().await?;
        self.kept.lock().remove(&old);
        self.pages
            .lock()
            .retain(|page| !old.iter().any(|known| known.last == page.last));
        Ok(old.len() >= REMOVED_AT_ONCE)
    }

    /// How many bytes it has, and in how many records.
    pub fn size(&self) -> (u64, usize) {
        let kept = self.kept.lock();
        (kept.bytes, kept.records.len())
    }

    /// Removes what it holds of a namespace whose keys are gone or going.
    pub async fn forget_namespace(&self, id: &str) -> Result<(), Fault> {
        self.forget_pages();
        Ok(self.view.clear(&format!("{PARTS}{id}/")).await?)
    }

    /// Whether a namespace is sealed by a seal of its own, or of one that it lies in.
    pub fn is_closed(&self, namespace: &str) -> bool {
        self.part(namespace).is_some_and(|part| !part.is_open())
    }

    /// Whether a namespace has a seal of its own, or lies in one that has.
    fn is_apart(&self, namespace: &str) -> bool {
        self.part(namespace).is_some()
    }

    fn part(&self, namespace: &str) -> Option<Arc<Barrier>> {
        match namespace {
            "" => None, // The root has the keys of the whole.
            inner => self.barrier.part_of(&kept_for(inner)),
        }
    }
}

impl State {
    fn of(mark: Mark, next: u64, stored: u64, running: bool) -> Self {
        Self {
            mark: mark.bits(),
            next,
            stored,
            running,
        }
    }
}

impl Entry {
    fn of(event: &Published) -> Result<Self, serde_json::Error> {
        Ok(Self {
            number: event.id.number(),
            namespace: event.namespace_id().to_owned(),
            event: RawValue::from_string(event.json.to_string())?,
        })
    }
}

impl Known {
    fn name(&self) -> String {
        format!("{:016x}-{:011x}-{:08x}", self.last, self.millis, self.bytes)
    }

    fn named(name: &str) -> Option<Self> {
        let mut parts = name.split('-');
        let known = Self {
            last: u64::from_str_radix(parts.next()?, 16).ok()?,
            millis: u64::from_str_radix(parts.next()?, 16).ok()?,
            bytes: u32::from_str_radix(parts.next()?, 16).ok()?,
        };
        (known.name() == name).then_some(known)
    }
}

impl Kept {
    fn add(&mut self, known: Known) {
        self.bytes += u64::from(known.bytes);
        self.records.push_back(known);
    }

    /// The oldest records that are too old or too much, or too many.
    fn old(&self, retention: Duration, bytes_max: u64, now: Timestamp) -> Vec<Known> {
        let kept_for = u64::try_from(retention.as_millis()).unwrap_or(u64::MAX);
        let mut bytes = self.bytes;
        let mut count = self.records.len();
        let mut old = Vec::new();
        for known in self.records.iter().take(REMOVED_AT_ONCE) {
            let age = now.millis().saturating_sub(known.millis);
            if age <= kept_for && bytes <= bytes_max && count <= RECORDS_MAX {
                break;
            }
            bytes = bytes.saturating_sub(u64::from(known.bytes));
            count -= 1;
            old.push(known.clone());
        }
        old
    }

    fn remove(&mut self, old: &[Known]) {
        for known in old {
            if self.records.front() == Some(known) {
                self.records.pop_front();
                self.bytes = self.bytes.saturating_sub(u64::from(known.bytes));
            }
        }
    }
}

fn part_path(namespace: &str, name: &str) -> String {
    format!("{PARTS}{namespace}/{name}")
}
