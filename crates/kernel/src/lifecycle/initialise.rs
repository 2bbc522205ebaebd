//! Making everything that a new server has: in memory first, stored in one step.

use std::sync::Arc;

use coffer_barrier::seal::SealConfig;
use coffer_barrier::{Barrier, BreakGlass, Error, RecoveryKey};
use coffer_crypto::{Aes256Key, Secret};
use coffer_engine::Fault;
use coffer_storage::{Batch, Memory, Store};

use super::init::{Cluster, Initialised, Keys, Plan, Wish, operators_fault};
use super::pgp;
use crate::core::Core;
use crate::events;
use crate::kernel::Kernel;
use crate::mounts;
use crate::open::Open;
use crate::seals::Keeping;
use crate::tokens::NewToken;

/// How many entries are copied at once.
const PAGE: usize = 1_000;

impl Kernel {
    /// Makes everything in memory first and stores it in one atomic step: there is no half
    /// initialised server whose shares nobody ever saw.
    pub async fn initialise(&self, counts: SealConfig) -> Result<Initialised, Fault> {
        let wish = Wish {
            counts,
            people: Vec::new(),
        };
        let keys = Keys::Shares(wish);
        self.initialise_for(&Plan { keys, person: None }).await
    }

    /// As [`Kernel::initialise`], with shares and token encrypted to people's keys. Nothing is stored before that is done:
    /// no server is left behind whose shares nobody can read. Where seals have the root key, the server is open afterwards.
    pub(super) async fn initialise_for(&self, plan: &Plan) -> Result<Initialised, Fault> {
        if self.barrier.is_initialised().await? {
            return Err(operators_fault(Error::Initialised));
        }
        let alone = self.alone_if_it_initialises_itself(plan.person.as_ref())?;
        if alone.is_some() && self.barrier.is_initialised().await? {
            return Err(operators_fault(Error::Initialised)); // By whoever held the permit until now.
        }
        let random = self.barrier.random();
        let scratch: Arc<dyn Store> = Arc::new(Memory::new());
        let barrier = Arc::new(Barrier::new(Arc::clone(&scratch), random.clone()));
        let root = Aes256Key::generate(random)?;
        let mut done = Initialised::default();
        let wrapped = self.wrapped(plan, &barrier, &root, &mut done).await?;
        barrier
            .initialise(&root, self.clock.now().secs(), wrapped)
            .await?;
        barrier.unseal(root).await?;
        let core = Core::load(
            Arc::clone(&self.settings),
            Arc::clone(&barrier),
            self.clock.clone(),
            Arc::default(),
        );
        let core = core.await?;
        let root_token = self.furnish(&core).await?;
        done.root_token = self.initialise_itself(&core, root_token).await?;
        if let Some(person) = &plan.person {
            let token = pgp::handed_out_token(done.root_token.expose(), person, random)?;
            done.root_token = Secret::new(token);
        }
        // Nobody could hear what happened until here: the log begins when the server opens.
        events::forget_all(&core.barrier).await?;
        self.barrier
            .adopt(everything(scratch.as_ref()).await?)
            .await
            .map_err(operators_fault)?;
        self.initialised();
        plan.say();
        if matches!(plan.keys, Keys::Keepers { .. })
            && let Err(fault) = self.open_with(barrier.root()?).await
        {
            tracing::error!(%fault, "initialised, and could not be opened; it is tried again");
        }
        Ok(done)
    }

    /// The keys of the plan, and the writes that make them open `root`.
    async fn wrapped(
        &self,
        plan: &Plan,
        barrier: &Barrier,
        root: &Aes256Key,
        done: &mut Initialised,
    ) -> Result<Batch, Fault> {
        let random = barrier.random();
        let (wish, break_glass) = match &plan.keys {
            Keys::Shares(wish) => {
                let (shares, wrapped) = barrier.wrap(root, wish.counts)?;
                done.shares = pgp::handed_out(shares, &wish.people, random)?;
                return Ok(wrapped);
            }
            Keys::Keepers {
                recovery,
                break_glass,
            } => (recovery, break_glass),
        };
        let mut recovery = RecoveryKey::none();
        if !wish.counts.is_none() {
            let (shares, key) = RecoveryKey::generate(wish.counts, barrier)?;
            done.recovery = pgp::handed_out(shares, &wish.people, random)?;
            recovery = key;
        }
        let keeping = Keeping::of(self).over(barrier);
        let mut batch = keeping.kept_by_keepers(root, &recovery).await?;
        if let Some(wish) = break_glass {
            let (key, shares) = BreakGlass::generate(wish.counts, barrier)?;
            done.break_glass = pgp::handed_out(shares, &wish.people, random)?;
            let now = self.clock.now().secs();
            let made = BreakGlass::of(&key, wish.counts, root, now, barrier)?;
            batch = batch.and(made.kept(barrier)?);
        }
        Ok(batch)
    }

    /// The first mounts, the cluster's name and the first root token.
    async fn furnish(&self, core: &Arc<Core>) -> Result<Secret<String>, Fault> {
        let open = core.root();
        let id = open.random.uuid_v4();
        let short = id.get(..8).unwrap_or_default();
        let name = match self.settings.cluster_name.as_str() {
            "" => format!("vault-cluster-{short}"),
            name => name.to_owned(),
        };
        core.barrier
            .view("core/")
            .put("cluster", &Cluster { name, id })
            .await?;
        mounts::install_missing(&open).await?;
        open.new_root_token("auth/token/root").await
    }
}

impl Open {
    /// Makes a root token without an end.
    pub(crate) async fn new_root_token(&self, path: &str) -> Result<Secret<String>, Fault> {
        let mount = self
            .space
            .mounts
            .exactly("auth/token/")
            .ok_or_else(|| Fault::internal("there is no token mount"))?;
        let new = NewToken {
            policies: vec!["root".into()],
            path: path.into(),
            display_name: match self.space.is_root() {
                true => "root".to_owned(),
                false => format!("{}_root", self.space.id),
            },
            ..NewToken::default()
        };
        let (auth, ..) = self.issue_token(new, &mount, self.clock.now()).await?;
        Ok(Secret::new(auth.client_token))
    }
}

async fn everything(store: &dyn Store) -> Result<Batch, Fault> {
    let mut batch = Batch::new();
    let mut after: Option<String> = None;
    loop {
        let page = store
            .scan("", after.as_deref(), PAGE)
            .await
            .map_err(Error::from)?;
        let Some((last, _)) = page.last() else {
            return Ok(batch);
        };
        after = Some(last.clone());
        for (path, value) in page {
            batch = batch.put(path, value);
        }
    }
}
