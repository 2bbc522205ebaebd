//! Making the keys, the first mounts and the first root token.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use coffer_barrier::seal::{self, SealConfig};
use coffer_barrier::{Barrier, Error, Stored};
use coffer_crypto::{Aes256Key, Secret, Zeroizing};
use coffer_engine::{Ctx, Fault, Handle, Reply, Routes, path};
use coffer_storage::{Batch, Memory, Store};
use coffer_wire::{CommaList, Int};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::core::Core;
use crate::kernel::{Kernel, State};
use crate::mounts;
use crate::open::Open;
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

/// What initialising hands to the operator, once.
pub struct Initialised {
    /// The shares of the unseal key.
    pub shares: Vec<Zeroizing<Vec<u8>>>,
    /// The first root token.
    pub root_token: Secret<String>,
}

pub(super) fn routes() -> Routes<Kernel> {
    Routes::new([
        path("init", "Whether the server is initialised; initialises it.")
            .unauthenticated()
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
    /// Public keys to encrypt the shares to.
    #[serde(default)]
    pgp_keys: CommaList,
    /// A public key to encrypt the root token to.
    #[serde(default)]
    root_token_pgp_key: String,
    /// Shares kept by an auto-unseal device; without effect here.
    #[serde(default, rename = "stored_shares")]
    _stored_shares: Int,
    /// Recovery shares exist only with an auto-unseal device.
    #[serde(default, rename = "recovery_shares")]
    _recovery_shares: Int,
    /// Recovery shares exist only with an auto-unseal device.
    #[serde(default, rename = "recovery_threshold")]
    _recovery_threshold: Int,
    /// Recovery shares exist only with an auto-unseal device.
    #[serde(default)]
    recovery_pgp_keys: CommaList,
}

impl Handle<Kernel> for Init {
    type Reply = Reply;

    async fn handle(self, kernel: &Kernel, _: &Ctx) -> Result<Reply, Fault> {
        let encrypted = !self.pgp_keys.0.is_empty()
            || !self.recovery_pgp_keys.0.is_empty()
            || !self.root_token_pgp_key.is_empty();
        if encrypted {
            return Err(Fault::invalid(
                "encrypting shares to PGP keys is not supported by this server; leave pgp_keys and root_token_pgp_key out",
            ));
        }
        let config = SealConfig::new(self.secret_shares.0, self.secret_threshold.0)
            .map_err(operators_fault)?;
        let done = kernel.initialise(config).await?;
        let hex: Vec<_> = done
            .shares
            .iter()
            .map(|share| Zeroizing::new(hex::encode(share)))
            .collect();
        let base64: Vec<_> = done
            .shares
            .iter()
            .map(|share| Zeroizing::new(STANDARD.encode(share)))
            .collect();
        let hex: Vec<&str> = hex.iter().map(|key| key.as_str()).collect();
        let base64: Vec<&str> = base64.iter().map(|key| key.as_str()).collect();
        Reply::bare(
            &json!({ "keys": hex, "keys_base64": base64, "root_token": done.root_token.expose() }),
        )
    }
}

/// Counts and keys that an operator gave are the operator's to mend.
pub(super) fn operators_fault(error: Error) -> Fault {
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
    pub async fn initialise(&self, config: SealConfig) -> Result<Initialised, Fault> {
        if self.barrier.is_initialised().await? {
            return Err(operators_fault(Error::Initialised));
        }
        let random = self.barrier.random();
        let scratch: Arc<dyn Store> = Arc::new(Memory::new());
        let barrier = Arc::new(Barrier::new(Arc::clone(&scratch), random.clone()));
        let root = Aes256Key::generate(random)?;
        let (shares, wrapped) = seal::wrap(&root, config, random)?;
        barrier
            .initialise(&root, self.clock.now().secs(), wrapped)
            .await?;
        barrier.unseal(root).await?;
        let root_token = self.furnish(&barrier).await?;
        self.barrier
            .adopt(everything(scratch.as_ref()).await?)
            .await
            .map_err(operators_fault)?;
        self.initialised();
        tracing::info!(
            shares = config.secret_shares,
            threshold = config.secret_threshold,
            "initialised"
        );
        Ok(Initialised { shares, root_token })
    }

    /// The first mounts, the cluster's name and the first root token.
    async fn furnish(&self, barrier: &Arc<Barrier>) -> Result<Secret<String>, Fault> {
        let core = Core::load(
            Arc::clone(&self.settings),
            Arc::clone(barrier),
            self.clock.clone(),
            Arc::default(),
        )
        .await?;
        let open = core.root();
        let id = open.random.uuid_v4();
        let short = id.get(..8).unwrap_or_default();
        let name = match self.settings.cluster_name.as_str() {
            "" => format!("vault-cluster-{short}"),
            name => name.to_owned(),
        };
        barrier
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
            display_name: "root".into(),
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
