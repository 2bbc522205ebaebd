//! `sys/init`: what an operator may wish of a new server, and is answered.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use coffer_barrier::seal::{SealConfig, Shares};
use coffer_barrier::{Error, Stored};
use coffer_crypto::pgp::Recipient;
use coffer_crypto::{Secret, Zeroizing};
use coffer_engine::{Ctx, Fault, Handle, Reply, Routes, path};
use coffer_wire::{CommaList, Int, Text};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::dialect::Shown;
use super::pgp;
use crate::kernel::{Kernel, State};

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
    pub(super) fn say(&self) {
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
pub(super) struct Plan {
    pub(super) keys: Keys,
    /// Whom the root token is encrypted to.
    pub(super) person: Option<Recipient>,
}

/// Which keys to make.
pub(super) enum Keys {
    /// People open the server.
    Shares(Wish),
    /// The configured seals do.
    Keepers {
        recovery: Wish,
        break_glass: Option<Wish>,
    },
}

/// Shares, and whom they are encrypted to.
pub(super) struct Wish {
    pub(super) counts: SealConfig,
    pub(super) people: Vec<Recipient>,
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
