//! What all namespaces of an open server share.

use std::sync::Arc;
use std::time::Duration;

use coffer_barrier::Barrier;
use coffer_crypto::Random;
use coffer_engine::{Event, Fault};
use coffer_wire::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::activity::{self, Activity};
use crate::audit::{AuditedHeaders, Devices};
use crate::clock::Clock;
use crate::cors::Cors;
use crate::due::Due;
use crate::events::{self, Events, Origin, catalogue};
use crate::group_policies::GroupPolicies;
use crate::identity;
use crate::leases::{Leases, Parked, Targets, Waiting, worker};
use crate::lifecycle::Ceremonies;
use crate::mounts;
use crate::namespaces::{Namespaces, id_of, resume_removals};
use crate::observe::census;
use crate::open::Open;
use crate::quotas::{Quotas, recount};
use crate::settings::Settings;
use crate::signals::Signals;
use crate::sys::{self, Moves};
use crate::tokens::Tokens;
use crate::ui_headers::UiHeaders;

/// How often the key ring's use is written down and engines are asked for periodic work.
const HOUSEKEEPING: Duration = Duration::from_secs(60);
/// How often the heads of audit chains are stored.
const BETWEEN_HEADS: Duration = Duration::from_secs(1);
/// How long after its last lease a mount that is being disabled may still be there.
const BETWEEN_RESUMPTIONS: Duration = Duration::from_secs(5);

/// The parts of an open server that belong to no single namespace. Those of one namespace are in a
/// [`crate::namespaces::Space`]; an [`Open`] is the pair of both.
pub struct Core {
    /// What the operator configured.
    pub settings: Arc<Settings>,
    /// The barrier.
    pub barrier: Arc<Barrier>,
    /// The time.
    pub clock: Clock,
    /// Randomness.
    pub random: Random,
    /// The namespaces.
    pub namespaces: Namespaces,
    /// Tokens.
    pub tokens: Tokens,
    /// Leases.
    pub leases: Arc<Leases>,
    /// Bounds of concurrent work per outside target.
    pub targets: Targets,
    /// Targets whose revocations are being retried.
    pub parked: Parked,
    /// Audit devices.
    pub audit: Devices,
    /// The headers that audit records.
    pub audited_headers: AuditedHeaders,
    /// Which pages of other origins may come.
    pub cors: Cors,
    /// Headers of the user interface's answers.
    pub ui_headers: UiHeaders,
    /// How far policies of groups reach.
    pub group_policies: GroupPolicies,
    /// Who used the server.
    pub activity: Activity,
    /// What happens, for those who subscribe to it.
    pub events: Events,
    /// What waits until a namespace is unsealed.
    pub waiting: Waiting,
    /// Operators' attempts to change the unseal keys of the server and to make a root token.
    pub(crate) server_ceremonies: Arc<Ceremonies>,
    /// Moves of mounts, for those who ask how they went.
    pub(crate) moves: Moves,
    /// Quotas, and what they count.
    pub quotas: Arc<Quotas>,
    /// What handlers ask of the server as a whole (to seal).
    pub signals: Arc<Signals>,
    stop: CancellationToken,
}

impl Core {
    /// Reads what must be in memory; its cost does not grow with tokens, leases or namespaces.
    pub async fn load(
        settings: Arc<Settings>,
        barrier: Arc<Barrier>,
        clock: Clock,
        signals: Arc<Signals>,
    ) -> Result<Arc<Self>, Fault> {
        let random = barrier.random().clone();
        let due = Arc::new(Due::new(&barrier));
        let audit = Devices::load(
            barrier.view("sys/audit/"),
            random.clone(),
            settings.audit_allow.clone(),
            clock.now(),
        )
        .await?
        .measured(Arc::clone(&settings.meters));
        let quotas = Quotas::load(&barrier).await?;
        let counts = Arc::clone(&quotas.counts);
        let meters = Arc::clone(&settings.meters);
        Ok(Arc::new(Self {
            namespaces: Namespaces::load(&barrier, &settings).await?,
            tokens: Tokens::load(
                &barrier,
                Arc::clone(&due),
                Arc::clone(&counts),
                Arc::clone(&meters),
            )
            .await?,
            leases: Arc::new(Leases::new(&barrier, due, counts, meters)),
            quotas: Arc::new(quotas),
            targets: Targets::default(),
            parked: Parked::default(),
            audited_headers: AuditedHeaders::load(barrier.view("sys/audited-headers/")).await?,
            cors: Cors::load(barrier.view("core/")).await?,
            ui_headers: UiHeaders::load(barrier.view("core/")).await?,
            group_policies: GroupPolicies::load(barrier.view("core/")).await?,
            activity: Activity::open(barrier.view("sys/activity/")).await?,
            events: Events::load(&barrier, &settings, &clock, signals.take_events_missed()).await?,
            waiting: Waiting::new(&barrier),
            server_ceremonies: Arc::default(),
            moves: Moves::default(),
            stop: CancellationToken::new(),
            settings,
            barrier,
            clock,
            random,
            audit,
            signals,
        }))
    }

    /// The server as seen from the root namespace.
    pub fn root(self: &Arc<Self>) -> Open {
        Open::new(self, self.namespaces.root())
    }

    /// The server as seen from the namespace that a token, an accessor or a lease id belongs to; none if that is gone.
    pub async fn home_of(self: &Arc<Self>, name: &str) -> Result<Option<Open>, Fault> {
        let space = self.namespaces.by_id(id_of(name)).await?;
        Ok(space.map(|space| Open::new(self, space)))
    }

    /// Starts the background work of the active node.
    pub fn start(self: &Arc<Self>) {
        self.tell_root(Event::new(catalogue::UNSEAL, "sys/seal-status"));
        tokio::spawn(worker::run(Arc::clone(self), self.stop.clone()));
        tokio::spawn(sys::run_moves(Arc::clone(self), self.stop.clone()));
        tokio::spawn(recount::run(Arc::clone(self), self.stop.clone()));
        tokio::spawn(identity::upkeep::run(Arc::clone(self), self.stop.clone()));
        tokio::spawn(activity::run(Arc::clone(self), self.stop.clone()));
        tokio::spawn(events::run(Arc::clone(self), self.stop.clone()));
        tokio::spawn(Arc::clone(self).keep_house());
        tokio::spawn(census::run(Arc::clone(self), self.stop.clone()));
        tokio::spawn(Arc::clone(self).go_on_disabling());
        tokio::spawn(Arc::clone(self).keep_audit_heads());
    }

    /// Waits until the background work ends, because the server is sealed.
    pub(crate) fn stopped(&self) -> impl Future<Output = ()> + Send + 'static {
        self.stop.clone().cancelled_owned()
    }

    /// Cancelled when the background work ends, because the server is sealed.
    pub(crate) fn stopping(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Tells what the kernel itself has done to the server; `path` begins in the root namespace.
    pub(crate) fn tell_root(&self, event: Event) {
        let origin = Origin {
            space: &self.namespaces.root(),
            mount: None,
        };
        self.events.publish(origin, event);
    }

    /// Ends the background work.
    pub fn stop(&self) {
        self.stop.cancel();
    }

    /// Costs a look at the mounts in memory, unless one of them is waiting to go.
    async fn go_on_disabling(self: Arc<Self>) {
        loop {
            let resumed = async {
                if let Err(fault) = resume_removals(&self).await {
                    tracing::error!(%fault, "deleting a namespace could not be resumed; it is tried again");
                }
                if let Err(fault) = mounts::resume_disabling(&self).await {
                    tracing::error!(%fault, "disabling a mount could not be resumed; it is tried again");
                }
                tokio::time::sleep(BETWEEN_RESUMPTIONS).await;
            };
            tokio::select! {
                () = self.stop.cancelled() => return,
                () = resumed => {}
            }
        }
    }

    async fn sweep_lockouts(&self) {
        for space in self.namespaces.in_memory() {
            if let Err(fault) = space.lockout.sweep(self.clock.now()).await {
                tracing::warn!(%fault, "old counts of wrong passwords could not be removed");
            }
        }
    }

    /// Costs a look at the devices in memory, unless something was recorded.
    async fn keep_audit_heads(self: Arc<Self>) {
        let mut failing = false;
        loop {
            let kept = async {
                tokio::time::sleep(BETWEEN_HEADS).await;
                self.audit.keep_heads().await
            };
            tokio::select! {
                () = self.stop.cancelled() => return,
                kept = kept => {
                    if let (Err(fault), false) = (&kept, failing) {
                        tracing::warn!(%fault, "the heads of audit chains can not be stored; it is tried again");
                    }
                    failing = kept.is_err();
                }
            }
        }
    }

    /// Looks after the keys of the server, and of the namespaces with a seal of their own that are open.
    async fn keep_keys_fresh(self: &Arc<Self>, now: Timestamp) {
        let seals = self.namespaces.seals.open();
        let ids = std::iter::once(String::new()).chain(seals.iter().map(|seal| seal.id.clone()));
        for id in ids {
            let kept = async {
                match self.namespaces.by_id(&id).await? {
                    Some(space) => sys::keep_keys_fresh(&Open::new(self, space), now).await,
                    None => Ok(()),
                }
            };
            if let Err(fault) = kept.await {
                tracing::warn!(%fault, namespace = id, "the use of the encryption key could not be written down");
            }
        }
    }

    async fn keep_house(self: Arc<Self>) {
        let mut ticks = crate::ticks::Ticks::default();
        let root = self.root();
        if let Err(fault) = sys::note_version(&root).await {
            tracing::warn!(%fault, "the version that runs could not be written down");
        }
        let mut keys_kept = self.clock.now();
        loop {
            let pause = ticks.run(&self).await.min(HOUSEKEEPING);
            self.quotas.purge(self.clock.now());
            if self.clock.now().since(keys_kept) >= HOUSEKEEPING {
                keys_kept = self.clock.now();
                self.sweep_lockouts().await;
                self.keep_keys_fresh(keys_kept).await;
            }
            tokio::select! {
                () = self.stop.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }
}
