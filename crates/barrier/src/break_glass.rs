//! Break-glass shares: the root key wrapped for people, too, although keepers have it. Off unless somebody asked for it.

use coffer_crypto::{Aes256Key, Zeroizing};
use coffer_storage::Batch;
use serde::{Deserialize, Serialize};

use crate::auto::BREAK_GLASS;
use crate::seal::{SealConfig, Shares, combine, split};
use crate::{Barrier, Error};

/// What binds the root key to its wrapping.
const ROOT_DOMAIN: &[u8] = b"coffer.break-glass.v1";
/// What binds the key that wraps it, which the root key encrypts in turn: so the root key can be replaced without shares.
const KEY_DOMAIN: &[u8] = b"coffer.break-glass-key.v1";
/// The number of the stored form.
const VERSION: u8 = 1;

/// The root key wrapped for people, as it is stored in JSON. Enough of its shares open the store without any keeper.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BreakGlass {
    version: u8,
    /// When it was made, in seconds since 1970.
    pub created_secs: u64,
    /// How its key is split.
    pub config: SealConfig,
    root: String,
    key: String,
}

impl BreakGlass {
    /// A fresh key with its shares.
    pub fn generate(config: SealConfig, barrier: &Barrier) -> Result<(Aes256Key, Shares), Error> {
        let key = Aes256Key::generate(barrier.random())?;
        let shares = split(&key, config, barrier.random())?;
        Ok((key, shares))
    }

    /// The root key wrapped by this key.
    pub fn of(
        key: &Aes256Key,
        config: SealConfig,
        root: &Aes256Key,
        now_secs: u64,
        barrier: &Barrier,
    ) -> Result<Self, Error> {
        let (random, bound) = (barrier.random(), |of| domain(of, barrier.at(), config));
        let wrapped = key.seal(random, &bound(ROOT_DOMAIN), root.expose_bytes())?;
        let key = root.seal(random, &bound(KEY_DOMAIN), key.expose_bytes())?;
        Ok(Self {
            version: VERSION,
            created_secs: now_secs,
            config,
            root: hex::encode(wrapped),
            key: hex::encode(key),
        })
    }

    /// The root key, from enough shares.
    pub fn open(
        &self,
        shares: &[Zeroizing<Vec<u8>>],
        barrier: &Barrier,
    ) -> Result<Aes256Key, Error> {
        let key = combine(self.config, shares)?;
        let wrapped = hex::decode(&self.root).map_err(|_| Error::WrongKey)?;
        let root = key.open(&domain(ROOT_DOMAIN, barrier.at(), self.config), &wrapped);
        Ok(Aes256Key::from_slice(&root.map_err(|_| Error::WrongKey)?)?)
    }

    /// The write that keeps it.
    pub fn kept(&self, barrier: &Barrier) -> Result<Batch, Error> {
        let text = serde_json::to_vec(self).map_err(|error| Error::Shares(error.to_string()))?;
        Ok(Batch::new().put(path(barrier), text))
    }
}

impl Barrier {
    /// The root key wrapped for people; none where nobody asked for it.
    pub async fn break_glass(&self) -> Result<Option<BreakGlass>, Error> {
        let path = path(self);
        let Some(bytes) = self.store().get(&path).await? else {
            return Ok(None);
        };
        let damaged = |what: String| Error::Damaged {
            path: path.clone(),
            what,
        };
        let found: BreakGlass =
            serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))?;
        match found.version {
            VERSION => Ok(Some(found)),
            other => Err(damaged(format!("its version {other} is not known"))),
        }
    }

    /// The write that removes it: its shares open nothing any more.
    pub fn without_break_glass(&self) -> Batch {
        Batch::new().delete(path(self))
    }

    pub(crate) async fn break_glass_following(
        &self,
        old: &Aes256Key,
        new: &Aes256Key,
    ) -> Result<Batch, Error> {
        let Some(found) = self.break_glass().await? else {
            return Ok(Batch::new());
        };
        let damaged = || Error::Damaged {
            path: path(self),
            what: "its key does not decrypt".to_owned(),
        };
        let sealed = hex::decode(&found.key).map_err(|_| damaged())?;
        let key = old.open(&domain(KEY_DOMAIN, self.at(), found.config), &sealed);
        let key = Aes256Key::from_slice(&key.map_err(|_| damaged())?)?;
        BreakGlass::of(&key, found.config, new, found.created_secs, self)?.kept(self)
    }
}

fn path(barrier: &Barrier) -> String {
    format!("{}{BREAK_GLASS}", barrier.at())
}

fn domain(of: &[u8], at: &str, config: SealConfig) -> Vec<u8> {
    let counts = [config.secret_shares, config.secret_threshold];
    [of, at.as_bytes(), &counts].join(&0)
}
