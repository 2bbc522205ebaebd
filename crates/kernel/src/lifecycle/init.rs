//! Making the keys, the first mounts and the first root token.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use coffer_barrier::seal::SealConfig;
use coffer_barrier::{Barrier, Error, Stored};
use coffer_crypto::pgp::Recipient;
use coffer_crypto::{Aes256Key, Secret, Zeroizing};
use coffer_engine::{Ctx, Fault, Handle, Reply, Routes, path};
use coffer_storage::{Batch, Memory, Store};
use coffer_wire::{CommaList, Int, Text};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::pgp;
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
    /// The shares of the unseal key, or the messages they were put into.
    pub shares: Vec<Zeroizing<Vec<u8>>>,
    /// The first root token, or the message it was put into. Empty where the configuration says how access begins.
    pub root_token: Secret<String>,
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
    /// Recovery shares exist only with an auto-unseal device.
    #[serde(default)]
    recovery_shares: Int,
    /// Recovery shares exist only with an auto-unseal device.
    #[serde(default)]
    recovery_threshold: Int,
    /// Recovery shares exist only with an auto-unseal device.
    #[serde(default)]
    recovery_pgp_keys: CommaList,
}

impl Handle<Kernel> for Init {
    type Reply = Reply;

    async fn handle(self, kernel: &Kernel, cx: &Ctx) -> Result<Reply, Fault> {
        self.refuse_recovery()?;
        let config = SealConfig::new(self.secret_shares.0, self.secret_threshold.0)
            .map_err(operators_fault)?;
        let people = pgp::recipients(&self.pgp_keys.0, config.secret_shares, cx.now)?;
        let person = match self.root_token_pgp_key.0.as_str() {
            "" => None,
            key => Some(pgp::recipient(key, cx.now)?),
        };
        let done = kernel.initialise_for(config, &people, person.as_ref());
        let done = done.await?;
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

impl Init {
    /// Whoever asks for recovery keys would wait for them in vain.
    fn refuse_recovery(&self) -> Result<(), Fault> {
        let asked = [
            (self.recovery_shares.0 != 0, "recovery_shares"),
            (self.recovery_threshold.0 != 0, "recovery_threshold"),
            (!self.recovery_pgp_keys.0.is_empty(), "recovery_pgp_keys"),
        ];
        let asked: Vec<_> = asked.iter().filter(|(asked, _)| *asked).collect();
        if asked.is_empty() {
            return Ok(());
        }
        let names: Vec<_> = asked.iter().map(|(_, name)| *name).collect();
        Err(Fault::Invalid(format!(
            "parameters {} not applicable to seal type shamir",
            names.join(",")
        )))
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
    pub async fn initialise(&self, config: SealConfig) -> Result<Initialised, Fault> {
        self.initialise_for(config, &[], None).await
    }

    /// As [`Kernel::initialise`], with shares and token encrypted to people's keys. Nothing is stored before that is done:
    /// no server is left behind whose shares nobody can read.
    async fn initialise_for(
        &self,
        config: SealConfig,
        people: &[Recipient],
        person: Option<&Recipient>,
    ) -> Result<Initialised, Fault> {
        if self.barrier.is_initialised().await? {
            return Err(operators_fault(Error::Initialised));
        }
        let alone = self.alone_if_it_initialises_itself(person)?;
        if alone.is_some() && self.barrier.is_initialised().await? {
            return Err(operators_fault(Error::Initialised)); // By whoever held the permit until now.
        }
        let random = self.barrier.random();
        let scratch: Arc<dyn Store> = Arc::new(Memory::new());
        let barrier = Arc::new(Barrier::new(Arc::clone(&scratch), random.clone()));
        let root = Aes256Key::generate(random)?;
        let (shares, wrapped) = barrier.wrap(&root, config)?;
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
        let mut root_token = self.initialise_itself(&core, root_token).await?;
        let shares = pgp::handed_out(shares, people, random)?;
        if let Some(person) = person {
            let token = pgp::handed_out_token(root_token.expose(), person, random)?;
            root_token = Secret::new(token);
        }
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
