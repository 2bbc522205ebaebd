//! Making the keys, the first mounts and the first root token.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use coffer_barrier::seal::{SealConfig, Shares};
use coffer_barrier::{Barrier, BreakGlass, Error, RecoveryKey, Stored};
use coffer_crypto::pgp::Recipient;
use coffer_crypto::{Aes256Key, Secret, Zeroizing};
use coffer_engine::{Ctx, Fault, Handle, Reply, Routes, path};
use coffer_storage::{Batch, Memory, Store};
use coffer_wire::{CommaList, Int, Text};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::dialect::Shown;
use super::pgp;
use crate::core::Core;
use crate::kernel::{Kernel, State};
use crate::mounts;
use crate::open::Open;
use crate::seals::Keeping;
use crate::tokens::NewToken;

/// How many entries are copied at once.
const PAGE: usize = 1_000;

/// Who this cluster is, as stored under `core/cluster`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Cluster {
    /// The operator's name for it, or a made-up one.
    pub name: String,
    /// Names it for ever.
    pub id: String,
}

impl Stored for Cluster {}

/// What initialising hands to the operator, once. Shares may be the messages that they were put into.
pub struct Initialised {
    /// The shares of the unseal key; none where seals open the server.
    pub shares: Shares,
    /// The shares of the recovery key.
    pub recovery: Shares,
    /// The break-glass shares.
    pub break_glass: Shares,
    /// The first root token, or the message it was put into. Empty where the configuration says how access begins.
    pub root_token: Secret<String>,
}

impl Default for Initialised {
    fn default() -> Self {
        Self {
            shares: Vec::new(),
            recovery: Vec::new(),
            break_glass: Vec::new(),
            root_token: Secret::new(String::new()),
        }
    }
}

impl Plan {
    fn say(&self) {
        match &self.keys {
            Keys::Shares(wish) => tracing::info!(
                shares = wish.counts.secret_shares,
                threshold = wish.counts.secret_threshold,
                "initialised"
            ),
            Keys::Keepers {
                recovery,
                break_glass,
            } => tracing::info!(
                recovery_shares = recovery.counts.secret_shares,
                recovery_threshold = recovery.counts.secret_threshold,
                break_glass = break_glass.is_some(),
                "initialised; the configured seals open the server"
            ),
        }
    }
}

pub(super) fn routes() -> Routes<Kernel> {
    Routes::new([
        path("init", "Whether the server is initialised; initialises it.")
            .unauthenticated()
            .root_only()
            .read::<ReadInit>()
            .write::<Init>(),
    ])
}

/// Answers whether the server is initialised.
#[derive(Deserialize, JsonSchema)]
struct ReadInit {}

impl Handle<Kernel> for ReadInit {
    type Reply = Reply;

    async fn handle(self, kernel: &Kernel, _: &Ctx) -> Result<Reply, Fault> {
        Reply::bare(&json!({ "initialized": !matches!(&*kernel.state(), State::Uninitialised) }))
    }
}

/// Initialises a new server and answers the key shares and the root token, this once.
#[derive(Deserialize, JsonSchema)]
struct Init {
    /// How many shares the unseal key is split into.
    #[serde(default)]
    secret_shares: Int,
    /// How many shares are needed to unseal.
    #[serde(default)]
    secret_threshold: Int,
    /// OpenPGP public keys to encrypt the shares to, one for each share.
    #[serde(default)]
    pgp_keys: CommaList,
    /// An OpenPGP public key to encrypt the root token to.
    #[serde(default)]
    root_token_pgp_key: Text,
    /// Shares kept by an auto-unseal device; without effect here.
    #[serde(default, rename = "stored_shares")]
    _stored_shares: Int,
    /// With an auto-unseal seal: how many shares the recovery key is split into; 0 for no recovery key.
    #[serde(default)]
    recovery_shares: Int,
    /// With an auto-unseal seal: how many shares of the recovery key are needed.
    #[serde(default)]
    recovery_threshold: Int,
    /// With an auto-unseal seal: OpenPGP public keys to encrypt the shares of the recovery key to, one for each.
    #[serde(default)]
    recovery_pgp_keys: CommaList,
    /// With an auto-unseal seal: how many break-glass shares there are, which open the server without it; 0 for none.
    #[serde(default)]
    break_glass_shares: Int,
    /// How many break-glass shares are needed.
    #[serde(default)]
    break_glass_threshold: Int,
    /// OpenPGP public keys to encrypt the break-glass shares to, one for each.
    #[serde(default)]
    break_glass_pgp_keys: CommaList,
}

/// The keys and the token, as they are answered.
#[derive(Serialize)]
struct Answer {
    keys: Vec<Shown>,
    keys_base64: Vec<Shown>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    recovery_keys: Vec<Shown>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    recovery_keys_base64: Vec<Shown>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    break_glass_keys: Vec<Shown>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    break_glass_keys_base64: Vec<Shown>,
    root_token: Shown,
}

impl Handle<Kernel> for Init {
    type Reply = Reply;

    async fn handle(self, kernel: &Kernel, cx: &Ctx) -> Result<Reply, Fault> {
        let plan = self.plan(kernel, cx)?;
        let done = kernel.initialise_for(&plan).await?;
        Reply::bare(&Answer {
            keys: hex(&done.shares),
            keys_base64: base64(&done.shares),
            recovery_keys: hex(&done.recovery),
            recovery_keys_base64: base64(&done.recovery),
            break_glass_keys: hex(&done.break_glass),
            break_glass_keys_base64: base64(&done.break_glass),
            root_token: Shown(Zeroizing::new(done.root_token.expose().clone())),
        })
    }
}

impl Init {
    fn plan(&self, kernel: &Kernel, cx: &Ctx) -> Result<Plan, Fault> {
        let seals = kernel.settings.seals.enabled();
        let person = match self.root_token_pgp_key.0.as_str() {
            "" => None,
            key => Some(pgp::recipient(key, cx.now)?),
        };
        let keys = match seals.first() {
            None => {
                refuse("shamir", &self.of_seals())?;
                let counts = SealConfig::new(self.secret_shares.0, self.secret_threshold.0);
                Keys::Shares(Wish::of(
                    counts.map_err(operators_fault)?,
                    &self.pgp_keys,
                    cx,
                )?)
            }
            Some(first) => {
                refuse(first.kind(), &self.of_shares())?;
                let counts = recovery_counts(self.recovery_shares.0, self.recovery_threshold.0);
                Keys::Keepers {
                    recovery: Wish::of(counts?, &self.recovery_pgp_keys, cx)?,
                    break_glass: self.break_glass(cx)?,
                }
            }
        };
        Ok(Plan { keys, person })
    }

    fn break_glass(&self, cx: &Ctx) -> Result<Option<Wish>, Fault> {
        let (shares, threshold) = (self.break_glass_shares.0, self.break_glass_threshold.0);
        if shares == 0 && threshold == 0 && self.break_glass_pgp_keys.0.is_empty() {
            return Ok(None);
        }
        let counts = break_glass_counts(shares, threshold)?;
        Wish::of(counts, &self.break_glass_pgp_keys, cx).map(Some)
    }

    fn of_shares(&self) -> [(bool, &'static str); 3] {
        [
            (self.secret_shares.0 != 0, "secret_shares"),
            (self.secret_threshold.0 != 0, "secret_threshold"),
            (!self.pgp_keys.0.is_empty(), "pgp_keys"),
        ]
    }

    fn of_seals(&self) -> [(bool, &'static str); 6] {
        [
            (self.recovery_shares.0 != 0, "recovery_shares"),
            (self.recovery_threshold.0 != 0, "recovery_threshold"),
            (!self.recovery_pgp_keys.0.is_empty(), "recovery_pgp_keys"),
            (self.break_glass_shares.0 != 0, "break_glass_shares"),
            (self.break_glass_threshold.0 != 0, "break_glass_threshold"),
            (
                !self.break_glass_pgp_keys.0.is_empty(),
                "break_glass_pgp_keys",
            ),
        ]
    }
}

/// Whoever asks for keys that this seal does not have would wait for them in vain.
fn refuse(kind: &str, asked: &[(bool, &'static str)]) -> Result<(), Fault> {
    let asked = asked.iter().filter(|(asked, _)| *asked);
    let names: Vec<_> = asked.map(|(_, name)| *name).collect();
    match names.is_empty() {
        true => Ok(()),
        false => Err(Fault::Invalid(format!(
            "parameters {} not applicable to seal type {kind}",
            names.join(",")
        ))),
    }
}

/// Checks the counts of recovery keys as an operator gave them; none at all is a choice.
pub(super) fn recovery_counts(shares: i64, threshold: i64) -> Result<SealConfig, Fault> {
    if shares == 0 && threshold == 0 {
        return Ok(SealConfig::default());
    }
    counts(shares, threshold)
        .map_err(|what| Fault::Invalid(format!("invalid recovery configuration: {what}")))
}

/// Checks the counts of break-glass shares as an operator gave them.
pub(super) fn break_glass_counts(shares: i64, threshold: i64) -> Result<SealConfig, Fault> {
    counts(shares, threshold)
        .map_err(|what| Fault::Invalid(format!("invalid break-glass configuration: {what}")))
}

fn counts(shares: i64, threshold: i64) -> Result<SealConfig, &'static str> {
    let what = match (shares, threshold) {
        (_, threshold) if threshold > shares => "threshold cannot be larger than shares",
        (shares, _) if shares < 1 => "shares must be at least one",
        (_, threshold) if threshold < 1 => "threshold must be at least one",
        (shares, 1) if shares > 1 => "threshold must be greater than one for multiple shares",
        (shares, _) if shares > 255 => "shares must be at most 255",
        _ => return SealConfig::new(shares, threshold).map_err(|_| "counts do not fit"),
    };
    Err(what)
}

fn hex(shares: &Shares) -> Vec<Shown> {
    let each = shares.iter().map(hex::encode);
    each.map(|text| Shown(Zeroizing::new(text))).collect()
}

fn base64(shares: &Shares) -> Vec<Shown> {
    let each = shares.iter().map(|share| STANDARD.encode(share));
    each.map(|text| Shown(Zeroizing::new(text))).collect()
}

/// What to initialise.
struct Plan {
    keys: Keys,
    /// Whom the root token is encrypted to.
    person: Option<Recipient>,
}

/// Which keys to make.
enum Keys {
    /// People open the server.
    Shares(Wish),
    /// The configured seals do.
    Keepers {
        recovery: Wish,
        break_glass: Option<Wish>,
    },
}

/// Shares, and whom they are encrypted to.
struct Wish {
    counts: SealConfig,
    people: Vec<Recipient>,
}

impl Wish {
    fn of(counts: SealConfig, keys: &CommaList, cx: &Ctx) -> Result<Self, Fault> {
        let people = pgp::recipients(&keys.0, counts.secret_shares, cx.now)?;
        Ok(Self { counts, people })
    }
}

/// Counts and keys that an operator gave are the operator's to mend.
pub(crate) fn operators_fault(error: Error) -> Fault {
    match error {
        Error::Shares(text) => Fault::Invalid(text),
        Error::Initialised => Fault::invalid("Vault is already initialized"),
        Error::WrongKey => {
            Fault::invalid("the key shares do not open the seal; hand all of them in again")
        }
        other => other.into(),
    }
}

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
    async fn initialise_for(&self, plan: &Plan) -> Result<Initialised, Fault> {
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
        let mut recovery = None;
        if !wish.counts.is_none() {
            let (shares, key) = RecoveryKey::generate(wish.counts, barrier)?;
            done.recovery = pgp::handed_out(shares, &wish.people, random)?;
            recovery = Some(key);
        }
        let keeping = Keeping::of(self).over(barrier);
        let mut batch = keeping.kept_by_keepers(root, recovery.as_ref()).await?;
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
