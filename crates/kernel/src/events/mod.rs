//! What happens, told to those who subscribe to it; see `docs/decisions/0020-events.md`.
//!
//! | file | what it holds |
//! |---|---|
//! | `catalogue` | the kinds of events that the kernel itself publishes |
//! | `form`, `id` | how an event is sent, and what it is called |
//! | `published` | an event with its place in the log |
//! | `ring` | the newest events, in memory |
//! | `log`, `writer` | the events in storage, and who puts them there |
//! | `wish`, `pattern`, `filter` | what a subscriber wants |
//! | `rights` | what they may see |
//! | `subscription`, `cut`, `seats` | reading, why that ends, and how many may do it |
//! | `settings` | what the operator says |
//!
//! Publishing gives an event the next number and puts it into the ring, as the text that is sent. That is all it costs whoever
//! publishes. Subscribers hold a position; they are woken together, a few milliseconds after something came at the latest.

pub mod catalogue;
mod cut;
mod filter;
mod form;
mod id;
mod log;
mod pattern;
mod published;
mod rights;
mod ring;
mod seats;
mod settings;
mod subscription;
mod wish;
mod writer;

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use coffer_barrier::Barrier;
use coffer_engine::{Caller, Class, Event, Fault};
use parking_lot::RwLock;
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

pub use cut::Cut;
pub use id::{EventId, Mark, NotAnId};
pub use log::kept_for;
pub(crate) use log::{forget_all, is_of_log};
pub(crate) use pattern::{Pattern, matches};
pub use published::Published;
pub use settings::EventSettings;
pub use subscription::{Asks, Subscription};
pub use wish::Wish;
pub(crate) use writer::run;

use form::{Form, Plugin, Said};
use log::{Log, Page, Start};
use published::Facts;
use ring::{Look, Ring};
use seats::{Seat, Seats};
use wish::Wanted;

use crate::clock::Clock;
use crate::lifecycle::Cluster;
use crate::mounts::Mount;
use crate::namespaces::Space;
use crate::observe::EventMeters;
use crate::settings::Settings;

/// The longest event, in bytes of its text. Of a longer one only [`KEPT`] is told.
const EVENT_BYTES_MAX: usize = 64 << 10;
/// What is told of an event that would be too long; paths have a limit of their own.
const KEPT: [&str; 4] = ["data_path", "modified", "operation", "path"];
/// What in the metadata is a path below the mount.
const PATHS: [&str; 2] = ["path", "data_path"];

/// Where something happened.
#[derive(Clone, Copy)]
pub struct Origin<'a> {
    /// The namespace.
    pub space: &'a Space,
    /// The mount, below which the paths of the event lie; none for the kernel itself, whose paths begin in the namespace.
    pub mount: Option<&'a Mount>,
}

/// What has happened, and who is told.
pub struct Events {
    form: Form,
    clock: Clock,
    settings: EventSettings,
    meters: EventMeters,
    ring: RwLock<Ring>,
    log: Option<Log>,
    seats: Arc<Seats>,
    /// Rung when something was published.
    bell: Notify,
    /// Rung for all subscribers together.
    news: Notify,
    /// Rung when there is something to store.
    work: Notify,
    /// Held by whoever stores.
    turn: tokio::sync::Mutex<()>,
    /// Counts what may change somebody's rights.
    changes: AtomicU64,
}

impl Events {
    /// Opens the log, or begins one. Where something was `missed` by this server before it was sealed, that is told.
    pub async fn load(
        barrier: &Arc<Barrier>,
        settings: &Settings,
        clock: &Clock,
        missed: bool,
    ) -> Result<Self, Fault> {
        let cluster = barrier.view("core/").get::<Cluster>("cluster").await?;
        let random = barrier.random();
        let own = settings.events.clone();
        let (log, start) = match own.stores() {
            true => Log::open(barrier, random)
                .await
                .map(|(log, start)| (Some(log), start))?,
            false => (None, Start::new(random)),
        };
        let ring = Ring::new(&start, own.memory_bytes);
        let events = Self {
            form: Form::new(&cluster.unwrap_or_default().name),
            clock: clock.clone(),
            meters: settings.meters.events.clone(),
            ring: RwLock::new(ring),
            log,
            seats: Seats::new(own.max_subscribers, own.max_subscribers_per_client),
            bell: Notify::new(),
            news: Notify::new(),
            work: Notify::new(),
            turn: tokio::sync::Mutex::default(),
            changes: AtomicU64::new(0),
            settings: own,
        };
        if start.broken {
            events.tell_gap("crash");
        } else if missed && events.log.is_some() {
            events.tell_gap("seal");
        }
        Ok(events)
    }

    /// Tells what has happened. Never waits and never fails.
    pub fn publish(&self, origin: Origin<'_>, event: Event) {
        let Event {
            kind, mut metadata, ..
        } = event;
        if let Some(mount) = origin.mount {
            for name in PATHS {
                if let Some(path) = metadata.get_mut(name) {
                    path.insert_str(0, &mount.record.path);
                }
            }
        }
        let mut said = Said {
            kind,
            metadata: &metadata,
            plugin: origin.mount.map(plugin),
            namespace: &origin.space.path,
            time: self.clock.now(),
        };
        let mut draft = self.form.draft(&said);
        let mut short = None;
        if draft
            .as_ref()
            .is_ok_and(|draft| draft.len() > EVENT_BYTES_MAX)
        {
            let kept = metadata.clone().into_iter();
            let short = short.insert(kept.filter(|(name, _)| KEPT.contains(name)).collect());
            said.metadata = short;
            draft = self.form.draft(&said);
        }
        let draft = match draft {
            Ok(draft) if draft.len() <= EVENT_BYTES_MAX => draft,
            _ => return tracing::warn!(kind, "an event is too long to be told"),
        };
        let metadata = short.unwrap_or(metadata).into_iter();
        let facts = Facts {
            kind: Cow::Borrowed(kind),
            namespace_id: origin.space.id.clone(),
            namespace: origin.space.path.clone(),
            mount_path: origin
                .mount
                .map(|mount| mount.record.path.clone())
                .unwrap_or_default(),
            metadata: metadata
                .map(|(name, value)| (Cow::Borrowed(name), value))
                .collect(),
        };
        self.add(draft, facts);
        if catalogue::changes_rights(kind) {
            self.changes.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn add(&self, draft: form::Draft, facts: Facts) {
        {
            let mut ring = self.ring.write();
            if ring.closed {
                ring.missed = true;
                return self.meters.lost.one();
            }
            let id = ring.next_id();
            ring.push(Arc::new(Published::new(
                id,
                self.form.named(draft, id),
                facts,
            )));
        }
        self.meters.published.one();
        self.bell.notify_one();
        self.work.notify_one();
    }

    /// Tells that events may be missing.
    fn tell_gap(&self, reason: &str) {
        if let Some((draft, facts)) = self.gap(reason) {
            self.add(draft, facts);
        }
    }

    fn gap(&self, reason: &str) -> Option<(form::Draft, Facts)> {
        let event = Event::new(catalogue::EVENTS_GAP, catalogue::EVENTS_GAP).with("reason", reason);
        let said = Said {
            kind: event.kind,
            metadata: &event.metadata,
            plugin: None,
            namespace: "",
            time: self.clock.now(),
        };
        let draft = self.form.draft(&said).ok()?;
        let metadata = event.metadata.into_iter();
        let facts = Facts {
            kind: Cow::Borrowed(event.kind),
            namespace_id: String::new(),
            namespace: String::new(),
            mount_path: String::new(),
            metadata: metadata
                .map(|(name, value)| (Cow::Borrowed(name), value))
                .collect(),
        };
        Some((draft, facts))
    }

    /// Whether something has happened after the log was closed.
    pub(crate) fn has_missed(&self) -> bool {
        self.ring.read().missed
    }

    /// An event in the place of others that were lost, of which the last had this number.
    fn gap_at(&self, number: u64) -> Option<Arc<Published>> {
        let (draft, facts) = self.gap("storage")?;
        let id = self.id(number);
        Some(Arc::new(Published::new(
            id,
            self.form.named(draft, id),
            facts,
        )))
    }

    /// The id of the last event there was.
    pub fn last(&self) -> EventId {
        self.ring.read().last()
    }

    /// The id that the event with a number has.
    fn id(&self, number: u64) -> EventId {
        EventId::new(self.ring.read().mark, number)
    }

    /// Counts what may change somebody's rights.
    fn changes(&self) -> u64 {
        self.changes.load(Ordering::Relaxed)
    }

    fn seat(&self, caller: &Caller) -> Result<Seat, Fault> {
        self.seats.take(caller)
    }

    /// Rung a few milliseconds after something came at the latest.
    fn news(&self) -> Notified<'_> {
        self.news.notified()
    }

    fn look(
        &self,
        after: u64,
        wanted: impl Fn(&Published) -> bool,
        taken: &mut VecDeque<Arc<Published>>,
    ) -> Look {
        self.ring.read().look(after, wanted, taken)
    }

    /// The number after which the oldest event comes.
    async fn before_oldest(&self) -> Result<u64, Fault> {
        let page = match &self.log {
            Some(log) => log.page(0).await?,
            None => None,
        };
        let in_memory = self.ring.read().first().saturating_sub(1);
        Ok(page.map_or(in_memory, |page| page.after.min(in_memory)))
    }

    /// The number of an event after which somebody wants to go on.
    ///
    /// # Errors
    /// If it is not one of ours, or what follows is not there any more.
    async fn after(&self, id: EventId) -> Result<u64, Fault> {
        let last = self.last();
        if id.mark() != last.mark() || id.number() > last.number() {
            return Err(Fault::invalid(
                "`since` is the id of an event of another log (of another server, or from before a snapshot was restored); read again what you keep a copy of, and subscribe without `since`, or with `since=oldest`",
            ));
        }
        let after = id.number();
        if after.saturating_add(1) >= self.ring.read().first() {
            return Ok(after);
        }
        let page = self.page(after).await?;
        let follows = match &page {
            Some(page) => page.after <= after,
            None => self.is_unstored(after),
        };
        match follows {
            true => Ok(after),
            false => Err(self.too_far_behind().await.fault()),
        }
    }

    /// The stored events after a number; none where there are none, also of those that are being stored just now.
    async fn page(&self, after: u64) -> Result<Option<Arc<Page>>, Fault> {
        let Some(log) = &self.log else {
            return Ok(None);
        };
        match log.page(after).await? {
            None => {
                drop(self.turn.lock().await);
                log.page(after).await
            }
            page => Ok(page),
        }
    }

    /// Whether what comes after a number was never stored. It is in memory, or lost.
    fn is_unstored(&self, after: u64) -> bool {
        self.log.is_some() && after >= self.ring.read().settled()
    }

    async fn too_far_behind(&self) -> Cut {
        let oldest = self.before_oldest().await.ok();
        Cut::TooFarBehind {
            oldest: oldest.map(|before| self.id(before.saturating_add(1))),
        }
    }

    /// Takes events that are not in memory any more. Answers up to which number.
    async fn read_stored(
        &self,
        after: u64,
        wanted: &Wanted,
        taken: &mut VecDeque<Arc<Published>>,
    ) -> Result<u64, Cut> {
        let page = self.page(after).await.map_err(|fault| match fault {
            Fault::Sealed => Cut::ServerSealed,
            _ => Cut::Unavailable,
        })?;
        let Some(page) = page else {
            if !self.is_unstored(after) {
                return Err(self.too_far_behind().await);
            }
            let lost = self.ring.read().first().saturating_sub(1).max(after);
            let told = lost >= self.ring.read().began(); // What a crash took is told already.
            taken.extend(self.gap_at(lost).filter(|_| told && lost > after));
            return Ok(lost);
        };
        if page.after > after {
            return Err(self.too_far_behind().await);
        }
        let behind = page.events.iter().filter(|event| event.id.number() > after);
        for event in behind.filter(|event| wanted.takes(event)) {
            taken.push_back(Arc::clone(event));
            if taken.len() >= ring::TAKEN_AT_ONCE {
                return Ok(event.id.number());
            }
        }
        Ok(page.last)
    }

    /// Forgets in memory what happened in a namespace that is sealed now, and in those in it, whose ids begin with its id.
    pub(crate) fn forget_sealed(&self, id: &str) {
        self.forget(|event| event.namespace_id().starts_with(id));
        self.look_anew();
    }

    /// Forgets events in memory, and tells that some are missing if that was the only place where they were. Answers how many.
    fn forget(&self, which: impl Fn(&Published) -> bool) -> u64 {
        let lost = self.ring.write().forget(which);
        if lost > 0 {
            self.meters.lost.add(lost);
            self.tell_gap("seal");
        }
        lost
    }

    /// Other namespaces can be looked into than before.
    pub(crate) fn look_anew(&self) {
        self.changes.fetch_add(1, Ordering::Relaxed);
        if let Some(log) = &self.log {
            log.forget_pages();
        }
    }

    /// Removes what is stored of a namespace whose keys go.
    pub(crate) async fn forget_namespace(&self, id: &str) -> Result<(), Fault> {
        match &self.log {
            Some(log) => log.forget_namespace(id).await,
            None => Ok(()),
        }
    }

    /// Brings the gauges up to date.
    pub(crate) fn measure(&self) {
        let (bytes, records) = self.log.as_ref().map(Log::size).unwrap_or_default();
        self.meters.log_bytes.set_whole(bytes);
        self.meters
            .log_records
            .set_whole(u64::try_from(records).unwrap_or(u64::MAX));
        self.meters
            .subscribers
            .set_whole(u64::try_from(self.seats.taken()).unwrap_or(u64::MAX));
        let waiting = if self.log.is_some() {
            self.ring.read().waiting()
        } else {
            0
        };
        self.meters.waiting.set_whole(waiting);
    }
}

fn plugin(mount: &Mount) -> Plugin<'_> {
    Plugin {
        mount_class: match mount.record.class() {
            Class::Auth => "auth",
            Class::Secret => "secret",
        },
        mount_accessor: &mount.record.accessor,
        mount_path: &mount.record.path,
        plugin: mount.record.engine(),
    }
}
