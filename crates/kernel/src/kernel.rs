//! The server's state, and who may look into it.

use std::sync::Arc;

use arc_swap::ArcSwap;
use coffer_barrier::Barrier;
use coffer_crypto::{Aes256Key, Random};
use coffer_engine::{Event, Fault, Reply};
use coffer_storage::Store;
use coffer_wire::Verb;
use tokio::sync::Semaphore;

use crate::clock::Clock;
use crate::core::Core;
use crate::events::catalogue;
use crate::lifecycle::Attempts;
use crate::mounts;
use crate::observe;
use crate::settings::Settings;
use crate::signals::Signals;
use crate::sys;

/// The kernel: one per server.
pub struct Kernel {
    /// What the operator configured.
    pub settings: Arc<Settings>,
    /// The barrier.
    pub barrier: Arc<Barrier>,
    /// The time.
    pub clock: Clock,
    /// The operators' attempts to unseal, rekey, make a root token.
    pub(crate) attempts: Attempts,
    /// Held by whoever initialises a server that has something to do meanwhile.
    pub(crate) initialising: Semaphore,
    signals: Arc<Signals>,
    state: ArcSwap<State>,
}

/// What the server can do now.
#[derive(Clone)]
pub enum State {
    /// Nothing is stored yet.
    Uninitialised,
    /// The key ring is not in memory.
    Sealed,
    /// The root key is known; mounts are being read.
    Unsealing,
    /// Everything works.
    Active(Arc<Core>),
}

impl Kernel {
    /// A kernel over a store, sealed or not yet initialised.
    pub async fn new(
        settings: Settings,
        store: Arc<dyn Store>,
        random: Random,
        clock: Clock,
    ) -> Result<Arc<Self>, Fault> {
        let barrier = Barrier::new(store, random).measured(settings.meters.barrier.clone());
        let barrier = Arc::new(barrier);
        let state = if barrier.is_initialised().await? {
            State::Sealed
        } else {
            State::Uninitialised
        };
        Ok(Arc::new(Self {
            settings: Arc::new(settings),
            barrier,
            clock,
            attempts: Attempts::default(),
            initialising: Semaphore::new(1),
            signals: Arc::default(),
            state: ArcSwap::from_pointee(state),
        }))
    }

    /// The state at this moment.
    pub fn state(&self) -> Arc<State> {
        self.state.load_full()
    }

    /// The open parts, or why there are none.
    pub fn core(&self) -> Result<Arc<Core>, Fault> {
        match &**self.state.load() {
            State::Active(core) => Ok(Arc::clone(core)),
            State::Uninitialised | State::Sealed | State::Unsealing => Err(Fault::Sealed),
        }
    }

    /// Something is stored now, for the first time or in the place of something else; the state is sealed.
    pub(crate) fn initialised(&self) {
        self.state.store(Arc::new(State::Sealed));
        self.settings.seals.hold(false);
        self.settings.seals.tell();
    }

    /// Opens everything with the root key. Of several who try at once one does it; for the others it
    /// is done, or being done.
    pub(crate) async fn open_with(&self, root: Aes256Key) -> Result<(), Fault> {
        let sealed = self.state.load_full();
        if !matches!(&*sealed, State::Sealed) {
            return Ok(());
        }
        let before = self
            .state
            .compare_and_swap(&sealed, Arc::new(State::Unsealing));
        if !Arc::ptr_eq(&before, &sealed) {
            return Ok(());
        }
        let meters = &self.settings.meters;
        let _timed = meters.core.unseal.timed();
        match self.load(root).await {
            Ok(open) => {
                let _timed = meters.core.post_unseal.timed();
                open.start();
                self.state.store(Arc::new(State::Active(open)));
                self.attempts.clear();
                self.settings.seals.hold(false);
                let cluster = self.cluster().await.map(|cluster| cluster.name);
                meters.unsealed(&cluster.unwrap_or_default());
                tracing::info!("unsealed");
                Ok(())
            }
            Err(fault) => {
                self.barrier.seal();
                self.state.store(Arc::new(State::Sealed));
                Err(fault)
            }
        }
    }

    async fn load(&self, root: Aes256Key) -> Result<Arc<Core>, Fault> {
        self.barrier.unseal(root).await?;
        let (settings, barrier) = (Arc::clone(&self.settings), Arc::clone(&self.barrier));
        let (clock, signals) = (self.clock.clone(), Arc::clone(&self.signals));
        let open = Core::load(settings, barrier, clock, signals).await?;
        mounts::install_missing(&open.root()).await?;
        self.enable_declared_audit(&open).await?;
        Ok(open)
    }

    /// A server whose configuration demands an audit device does not open without it.
    pub(crate) async fn enable_declared_audit(&self, open: &Core) -> Result<(), Fault> {
        let known = open.audit.list();
        for (path, device) in &self.settings.declared_audit {
            let enabled = known.get(&format!("{}/", path.trim_end_matches('/')));
            if enabled
                .is_some_and(|known| known.kind != device.kind || known.options != device.options)
            {
                tracing::warn!(
                    path,
                    "the audit device is enabled with other options than the configuration declares; disable it to take those over"
                );
            }
        }
        let is_new = |path: &str| !known.contains_key(&format!("{}/", path.trim_end_matches('/')));
        let declared = self.settings.declared_audit.iter();
        for (path, device) in declared.filter(|(path, _)| is_new(path)) {
            let enabled = open.audit.enable(path, device.clone(), self.clock.now());
            enabled.await.map_err(|fault| {
                tracing::error!(path, %fault, "a declared audit device can not be enabled, so the server stays sealed");
                Fault::Unavailable(format!("the declared audit device {path:?} can not be enabled; see the server's log"))
            })?;
        }
        Ok(())
    }

    /// Stores all that waits in memory to be stored. Worth calling before the server is sealed. `all_ended` as for
    /// [`Kernel::keep_events`].
    pub async fn keep_what_waits(&self, all_ended: bool) {
        self.keep_audit_heads().await;
        self.keep_activity().await;
        self.keep_events(all_ended).await;
    }

    /// Stores where audit's chains end, for when the server opens again. Worth calling before the server is sealed; without
    /// it, what was recorded in the last second is not missed if somebody cuts it off meanwhile.
    async fn keep_audit_heads(&self) {
        if let Ok(open) = self.core()
            && let Err(fault) = open.audit.keep_heads().await
        {
            tracing::warn!(%fault, "the heads of audit chains were not stored");
        }
    }

    /// Stores who was met for the first time this month. Worth calling before the server is sealed; without it, who came in
    /// the last seconds is counted when they come again.
    async fn keep_activity(&self) {
        if let Ok(open) = self.core()
            && let Err(fault) = open.activity.store().await
        {
            tracing::warn!(%fault, "new clients were not stored");
        }
    }

    /// Tells subscribers that the server is about to be sealed, and stores what has happened. Worth calling before that; without
    /// it, the next server says that events may be missing; and so it does unless `all_ended`: a request that still runs when
    /// the process ends may change something that nobody tells.
    pub async fn keep_events(&self, all_ended: bool) {
        if let Ok(open) = self.core() {
            open.tell_root(Event::new(catalogue::SEAL, "sys/seal-status"));
            let kept = match all_ended {
                true => open.events.close().await,
                false => open.events.store().await,
            };
            if let Err(fault) = kept {
                tracing::warn!(%fault, "the last events were not stored");
            }
        }
    }

    /// What `sys/metrics` answers, in any state: for edges that show it to everyone.
    pub fn scrape(&self, format: &str) -> Result<Reply, Fault> {
        match self.core() {
            Ok(core) => observe::refresh(&core),
            Err(_) => observe::of_any_state(&self.settings),
        }
        self.settings.meters.scrape(format, self.clock.now())
    }

    /// Forgets the keys. Requests that are running end with what they have or with "sealed"; nothing
    /// they acknowledged is lost, see `docs/decisions/0003-sealing.md`.
    pub fn seal(&self) {
        let old = self.state.load_full();
        if let State::Active(open) = &*old {
            open.stop();
            self.state.store(Arc::new(State::Sealed));
            self.signals.set_events_missed(open.events.has_missed());
            self.barrier.seal();
            self.attempts.clear();
            self.settings.meters.sealed();
            tracing::info!("sealed");
        }
    }

    /// What handlers ask of the server as a whole.
    pub(crate) fn signals(&self) -> &Signals {
        &self.signals
    }

    /// Whether a request's body and answer may be of any length and take any time; its body is given as
    /// [`crate::Request::upload`] then.
    pub fn is_streamed(&self, verb: Verb, path: &str) -> bool {
        sys::is_streamed(verb, path)
    }

    /// Forgets the keys, because other entries are about to take the place of all that is known. Until
    /// [`Kernel::initialised`] nobody opens. Answers the root key.
    pub(crate) fn close_for_replacement(&self) -> Result<Aes256Key, Fault> {
        let active = self.state.load_full();
        let State::Active(open) = &*active else {
            return Err(Fault::Sealed);
        };
        let root = self.barrier.root()?;
        let closed = Arc::new(State::Unsealing);
        if !Arc::ptr_eq(&self.state.compare_and_swap(&active, closed), &active) {
            return Err(Fault::Sealed);
        }
        open.stop();
        self.barrier.seal();
        self.attempts.clear();
        Ok(root)
    }

    /// Seals if a handler asked for it. The wish is forgotten only when it is done, so whoever finds
    /// none after its own request may tell the client that the server is sealed.
    pub(crate) async fn seal_if_asked(&self) {
        if self.signals.seal_is_asked() {
            // What requests do from here on is told when this server opens again.
            self.keep_what_waits(true).await;
            self.settings.seals.hold(true);
            self.seal();
            self.signals.sealed();
        }
    }
}
