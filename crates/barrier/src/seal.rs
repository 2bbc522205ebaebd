//! What keeps the root key: Shamir's shares of an unseal key that wraps it, or keepers outside ([`crate::RootCopy`]).
//!
//! Rekeying replaces the unseal key and re-wraps the 32 bytes of the root key; no data moves.

use coffer_crypto::{Aes256Key, Random, Zeroizing, shamir};
use coffer_storage::{Batch, Store};
use serde::{Deserialize, Serialize};

use crate::Error;

/// Where the key material of the whole store is kept.
pub const SERVER: &str = "core/";
/// The wrapped root key's name below the place of the key material.
pub(crate) const ROOT_KEY: &str = "root-key";
/// The name of the seal's configuration, which is readable while sealed: it holds no secret.
pub(crate) const CONFIG: &str = "seal-config";
/// Where the wrapped root key of the whole store is kept.
pub(crate) const ROOT_KEY_PATH: &str = "core/root-key";
/// Where the configuration of the whole store's seal is kept.
pub(crate) const CONFIG_PATH: &str = "core/seal-config";
/// Associated data of the root key's wrapping.
const ROOT_KEY_DOMAIN: &[u8] = b"coffer.root-key.v1";
/// Most shares: x coordinates are the non-zero bytes.
const MAX_SHARES: u8 = 255;

/// How a key is split.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealConfig {
    /// How many shares there are.
    pub secret_shares: u8,
    /// How many of them open the seal.
    pub secret_threshold: u8,
}

impl SealConfig {
    /// Checks the counts as an operator gave them.
    pub fn new(shares: i64, threshold: i64) -> Result<Self, Error> {
        let refuse = |text: &str| Err(Error::Shares(text.to_owned()));
        let (Ok(secret_shares @ 1..=MAX_SHARES), Ok(secret_threshold)) =
            (u8::try_from(shares), u8::try_from(threshold.max(0)))
        else {
            return refuse("secret_shares must be between 1 and 255");
        };
        if secret_threshold == 0 || secret_threshold > secret_shares {
            return refuse("secret_threshold must be between 1 and secret_shares");
        }
        if secret_shares > 1 && secret_threshold == 1 {
            return refuse(
                "secret_threshold must be greater than one when there are several secret_shares; with 1 any single share would open the seal",
            );
        }
        Ok(Self {
            secret_shares,
            secret_threshold,
        })
    }

    /// Whether there are any shares.
    pub fn is_none(self) -> bool {
        self.secret_shares == 0
    }
}

/// What keeps the root key while the server is sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    /// Shares of an unseal key, which people hold.
    Shares(SealConfig),
    /// Keepers outside of the store. The counts are those of the recovery keys, 0 where there are none: these allow, and
    /// open nothing.
    Keepers(SealConfig),
}

/// The words of the kinds in the stored configuration. Before there were keepers none was written.
#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    #[default]
    Shamir,
    Auto,
}

impl Kind {
    fn is_shamir(&self) -> bool {
        *self == Self::Shamir
    }
}

/// [`Protection`] as it is stored.
#[derive(Serialize, Deserialize)]
struct Described {
    #[serde(rename = "type", default, skip_serializing_if = "Kind::is_shamir")]
    kind: Kind,
    secret_shares: u8,
    secret_threshold: u8,
}

impl Protection {
    /// How the key is split that people hold.
    pub fn counts(self) -> SealConfig {
        match self {
            Self::Shares(counts) | Self::Keepers(counts) => counts,
        }
    }

    /// The one in force at a place of key material, or none before the first initialisation.
    pub async fn load(store: &dyn Store, at: &str) -> Result<Option<Self>, Error> {
        let path = format!("{at}{CONFIG}");
        let bytes = store.get(&path).await?;
        let parsed = bytes.map(|bytes| Self::read(&bytes)).transpose();
        parsed.map_err(|what| Error::Damaged { path, what })
    }

    /// What a stored configuration says.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, String> {
        let read: Described = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        let counts = SealConfig {
            secret_shares: read.secret_shares,
            secret_threshold: read.secret_threshold,
        };
        Ok(match read.kind {
            Kind::Shamir => Self::Shares(counts),
            Kind::Auto => Self::Keepers(counts),
        })
    }

    /// The write that makes it the one in force.
    pub(crate) fn described(self, at: &str) -> Result<Batch, Error> {
        let kind = match self {
            Self::Shares(_) => Kind::Shamir,
            Self::Keepers(_) => Kind::Auto,
        };
        let text = serde_json::to_vec(&Described {
            kind,
            secret_shares: self.counts().secret_shares,
            secret_threshold: self.counts().secret_threshold,
        });
        let text = text.map_err(|error| Error::Shares(error.to_string()))?;
        Ok(Batch::new().put(format!("{at}{CONFIG}"), text))
    }
}

/// The shares of an unseal key, each wiped when dropped.
pub type Shares = Vec<Zeroizing<Vec<u8>>>;

/// What binds key material to its place, so that none is put in the place of another's.
pub(crate) fn domain(of: &[u8], at: &str) -> Vec<u8> {
    match at {
        SERVER => of.to_vec(),
        at => [of, b"\0", at.as_bytes()].concat(),
    }
}

/// Shares of a fresh unseal key, and the writes that make it the one that opens `root` at a place of key material.
pub fn wrap(
    root: &Aes256Key,
    config: SealConfig,
    at: &str,
    random: &Random,
) -> Result<(Shares, Batch), Error> {
    let unseal = Aes256Key::generate(random)?;
    let shares = split(&unseal, config, random)?;
    Ok((shares, wrap_by(root, &unseal, config, at, random)?))
}

/// The writes that make a key, which people have shares of, the one that opens `root` at a place of key material.
pub(crate) fn wrap_by(
    root: &Aes256Key,
    unseal: &Aes256Key,
    config: SealConfig,
    at: &str,
    random: &Random,
) -> Result<Batch, Error> {
    let wrapped = unseal.seal(random, &domain(ROOT_KEY_DOMAIN, at), root.expose_bytes())?;
    let described = Protection::Shares(config).described(at)?;
    Ok(Batch::new()
        .put(format!("{at}{ROOT_KEY}"), wrapped)
        .and(described))
}

/// Shares of a key. A single one is the key itself.
pub fn split(key: &Aes256Key, config: SealConfig, random: &Random) -> Result<Shares, Error> {
    Ok(match config.secret_shares {
        1 => vec![Zeroizing::new(key.expose_bytes().to_vec())],
        _ => shamir::split(
            random,
            key.expose_bytes(),
            config.secret_shares,
            config.secret_threshold,
        )?,
    })
}

/// The key that shares are of. Of too few, or wrong ones, it is some other key.
pub fn combine(config: SealConfig, shares: &[Zeroizing<Vec<u8>>]) -> Result<Aes256Key, Error> {
    let key = match (config.secret_shares, shares) {
        (1, [only]) => only.clone(),
        _ => shamir::combine(shares).map_err(|_| Error::WrongKey)?,
    };
    Aes256Key::from_slice(&key).map_err(|_| Error::WrongKey)
}

/// The root key, from enough shares of the unseal key.
pub async fn unwrap(
    store: &dyn Store,
    at: &str,
    config: SealConfig,
    shares: &[Zeroizing<Vec<u8>>],
) -> Result<Aes256Key, Error> {
    unwrap_by(store, at, &combine(config, shares)?).await
}

/// The root key, from the unseal key.
pub(crate) async fn unwrap_by(
    store: &dyn Store,
    at: &str,
    unseal: &Aes256Key,
) -> Result<Aes256Key, Error> {
    let wrapped = store
        .get(&format!("{at}{ROOT_KEY}"))
        .await?
        .ok_or(Error::Uninitialised)?;
    let root = unseal
        .open(&domain(ROOT_KEY_DOMAIN, at), &wrapped)
        .map_err(|_| Error::WrongKey)?;
    Ok(Aes256Key::from_slice(&root)?)
}
