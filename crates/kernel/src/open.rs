//! Everything that is there while the barrier is open on the active node.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use coffer_barrier::Barrier;
use coffer_crypto::Random;
use coffer_engine::{Ctx, Fault, RequestInfo};
use coffer_wire::Verb;
use tokio_util::sync::CancellationToken;

use crate::audit::{AuditedHeaders, Devices};
use crate::clock::Clock;
use crate::due::Due;
use crate::leases::{Desk, Leases, Parked, Targets, worker};
use crate::lifecycle::Ceremonies;
use crate::mounts::{self, Mount, Mounts};
use crate::password_book::Passwords;
use crate::policy::Policies;
use crate::settings::Settings;
use crate::signals::Signals;
use crate::sys::{self, Moves};
use crate::tokens::Tokens;

/// How often the key ring's use is written down and engines are asked for periodic work.
const HOUSEKEEPING: Duration = Duration::from_secs(60);
/// How long after its last lease a mount that is being disabled may still be there.
const BETWEEN_RESUMPTIONS: Duration = Duration::from_secs(5);

/// The parts of an open server. There are no back-pointers: handlers of the kernel's own paths get
/// this as their engine.
pub struct Open {
    /// What the operator configured.
    pub settings: Arc<Settings>,
    /// The barrier.
    pub barrier: Arc<Barrier>,
    /// The time.
    pub clock: Clock,
    /// Randomness.
    pub random: Random,
    /// Mounts.
    pub mounts: Mounts,
    /// Tokens.
    pub tokens: Tokens,
    /// Policies.
    pub policies: Policies,
    /// Password policies.
    pub passwords: Arc<Passwords>,
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
    /// Operators' attempts to change the unseal keys and to make a root token.
    pub(crate) ceremonies: Ceremonies,
    /// Moves of mounts, for those who ask how they went.
    pub(crate) moves: Moves,
    /// What handlers ask of the server as a whole (to seal).
    pub signals: Arc<Signals>,
    stop: CancellationToken,
}

impl Open {
    /// Reads what must be in memory; its cost does not grow with tokens or leases.
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
        )
        .await?;
        let open = Arc::new(Self {
            mounts: Mounts::load(&barrier, &settings).await?,
            tokens: Tokens::load(&barrier, Arc::clone(&due)).await?,
            policies: Policies::new(barrier.view("sys/policy/")),
            passwords: Arc::new(Passwords::new(barrier.view("sys/password-policy/"))),
            leases: Arc::new(Leases::new(&barrier, due)),
            targets: Targets::default(),
            parked: Parked::default(),
            audited_headers: AuditedHeaders::load(barrier.view("sys/audited-headers/")).await?,
            ceremonies: Ceremonies::default(),
            moves: Moves::default(),
            stop: CancellationToken::new(),
            settings,
            barrier,
            clock,
            random,
            audit,
            signals,
        });
        Ok(open)
    }

    /// Starts the background work of the active node.
    pub fn start(self: &Arc<Self>) {
        tokio::spawn(worker::run(Arc::clone(self), self.stop.clone()));
        tokio::spawn(sys::run_moves(Arc::clone(self), self.stop.clone()));
        tokio::spawn(Arc::clone(self).keep_house());
        tokio::spawn(Arc::clone(self).go_on_disabling());
    }

    /// Ends the background work.
    pub fn stop(&self) {
        self.stop.cancel();
    }

    /// The context of work that no request asked for.
    pub fn background(&self, mount: &Arc<Mount>) -> Ctx {
        let id = self.random.uuid_v4();
        let request = RequestInfo {
            id,
            verb: Verb::Write,
            path: mount.record.path.clone(),
            client: None,
            headers: BTreeMap::new(),
        };
        let desk = Desk::new(
            Arc::clone(&self.leases),
            Arc::clone(&self.passwords),
            self.random.clone(),
            String::new(),
        );
        Ctx {
            view: mount.view.clone(),
            now: self.clock.now(),
            random: self.random.clone(),
            request: Arc::new(request),
            caller: None,
            token: None,
            mount: Arc::clone(&mount.info),
            services: Arc::new(desk),
        }
    }

    /// Costs a look at the mounts in memory, unless one of them is waiting to go.
    async fn go_on_disabling(self: Arc<Self>) {
        loop {
            let resumed = async {
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

    async fn keep_house(self: Arc<Self>) {
        let mut ticks = crate::ticks::Ticks::default();
        if let Err(fault) = sys::note_version(&self).await {
            tracing::warn!(%fault, "the version that runs could not be written down");
        }
        let mut keys_kept = self.clock.now();
        loop {
            let pause = ticks.run(&self).await.min(HOUSEKEEPING);
            if self.clock.now().since(keys_kept) >= HOUSEKEEPING {
                keys_kept = self.clock.now();
                if let Err(fault) = sys::keep_keys_fresh(&self, keys_kept).await {
                    tracing::warn!(%fault, "the use of the encryption key could not be written down");
                }
            }
            tokio::select! {
                () = self.stop.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }
}
