//! Keeping the root key: Shamir's shares of an unseal key that wraps it.
//!
//! Rekeying replaces the unseal key and re-wraps the 32 bytes of the root key; no data moves.

use coffer_crypto::{Aes256Key, Random, Zeroizing, shamir};
use coffer_storage::{Batch, Store};
use serde::{Deserialize, Serialize};

use crate::Error;

/// Where the wrapped root key is kept.
pub(crate) const ROOT_KEY_PATH: &str = "core/root-key";
/// Where the seal's configuration is kept, readable while sealed: it holds no secret.
pub(crate) const CONFIG_PATH: &str = "core/seal-config";
/// Associated data of the root key's wrapping.
const ROOT_KEY_DOMAIN: &[u8] = b"coffer.root-key.v1";
/// Most shares: x coordinates are the non-zero bytes.
const MAX_SHARES: u8 = 255;

/// How the unseal key is split.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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

    /// The configuration in force, or none before the first initialisation.
    pub async fn load(store: &dyn Store) -> Result<Option<Self>, Error> {
        let bytes = store.get(CONFIG_PATH).await?;
        let parsed = bytes
            .map(|bytes| serde_json::from_slice(&bytes))
            .transpose();
        parsed.map_err(|e| Error::Damaged {
            path: CONFIG_PATH.to_owned(),
            what: e.to_string(),
        })
    }
}

/// The shares of an unseal key, each wiped when dropped.
pub type Shares = Vec<Zeroizing<Vec<u8>>>;

/// Shares of a fresh unseal key, and the writes that make it the one that opens `root`.
pub fn wrap(
    root: &Aes256Key,
    config: SealConfig,
    random: &Random,
) -> Result<(Shares, Batch), Error> {
    let unseal = Aes256Key::generate(random)?;
    let wrapped = unseal.seal(random, ROOT_KEY_DOMAIN, root.expose_bytes())?;
    let described = serde_json::to_vec(&config).map_err(|e| Error::Shares(e.to_string()))?;
    let shares = match config.secret_shares {
        1 => vec![Zeroizing::new(unseal.expose_bytes().to_vec())],
        _ => shamir::split(
            random,
            unseal.expose_bytes(),
            config.secret_shares,
            config.secret_threshold,
        )?,
    };
    Ok((
        shares,
        Batch::new()
            .put(ROOT_KEY_PATH, wrapped)
            .put(CONFIG_PATH, described),
    ))
}

/// The root key, from enough shares of the unseal key.
pub async fn unwrap(
    store: &dyn Store,
    config: SealConfig,
    shares: &[Zeroizing<Vec<u8>>],
) -> Result<Aes256Key, Error> {
    let unseal = match (config.secret_shares, shares) {
        (1, [only]) => only.clone(),
        _ => shamir::combine(shares).map_err(|_| Error::WrongKey)?,
    };
    let unseal = Aes256Key::from_slice(&unseal).map_err(|_| Error::WrongKey)?;
    let wrapped = store
        .get(ROOT_KEY_PATH)
        .await?
        .ok_or(Error::Uninitialised)?;
    let root = unseal
        .open(ROOT_KEY_DOMAIN, &wrapped)
        .map_err(|_| Error::WrongKey)?;
    Ok(Aes256Key::from_slice(&root)?)
}
