//! Recovery keys: what people hold where keepers have the root key. They allow; they open nothing.

use coffer_crypto::{Aes256Key, Zeroizing, constant_time_eq, sha256};
use coffer_storage::Batch;

use crate::auto::RECOVERY_CHECK;
use crate::seal::{Protection, SealConfig, Shares, combine, split};
use crate::{Barrier, Error};

/// What binds the stored digest to its use.
const DOMAIN: &[u8] = b"coffer.recovery-check.v1";
/// What is hashed together with the key.
const DIGEST: &[u8] = b"coffer.recovery-key.v1";

/// Which recovery key is the right one, and how it is split. Stored is a digest, encrypted by the root key: who
/// has the root key can tell whether a recovery key is the right one, and nobody can put another in its place.
#[derive(Clone)]
pub struct RecoveryKey {
    digest: [u8; 32],
    config: SealConfig,
}

impl RecoveryKey {
    /// A fresh key's shares, and what knows it again.
    pub fn generate(config: SealConfig, barrier: &Barrier) -> Result<(Shares, Self), Error> {
        let key = Aes256Key::generate(barrier.random())?;
        let shares = split(&key, config, barrier.random())?;
        Ok((shares, Self::of(&key, config)))
    }

    /// That there is no key: stored like one, so that nobody who writes to the store can make believe it.
    pub fn none() -> Self {
        Self {
            digest: [0; 32],
            config: SealConfig::default(),
        }
    }

    /// Whether there is no key.
    pub fn is_none(&self) -> bool {
        self.config.is_none()
    }

    /// What knows this key again.
    pub fn of(key: &Aes256Key, config: SealConfig) -> Self {
        let bytes = Zeroizing::new([DIGEST, key.expose_bytes()].concat());
        Self {
            digest: sha256(&bytes),
            config,
        }
    }

    /// Whether shares are of this key.
    pub fn is_of(&self, shares: &[Zeroizing<Vec<u8>>]) -> bool {
        let other = combine(self.config, shares);
        !self.is_none()
            && other.is_ok_and(|other| {
                constant_time_eq(&Self::of(&other, self.config).digest, &self.digest)
            })
    }

    /// The writes that make it the one in force.
    pub fn kept(&self, barrier: &Barrier, root: &Aes256Key) -> Result<Batch, Error> {
        let described = Protection::Keepers(self.config).described(barrier.at())?;
        Ok(described.and(self.check(barrier, root)?))
    }

    fn check(&self, barrier: &Barrier, root: &Aes256Key) -> Result<Batch, Error> {
        let domain = domain(barrier.at(), self.config);
        let sealed = root.seal(barrier.random(), &domain, &self.digest)?;
        Ok(Batch::new().put(path(barrier), sealed))
    }
}

impl Barrier {
    /// The recovery key in force, by the root key; none where it is not said which it is, or shares open the store.
    pub async fn recovery_key(&self, root: &Aes256Key) -> Result<Option<RecoveryKey>, Error> {
        let Some(Protection::Keepers(config)) = self.protection().await? else {
            return Ok(None);
        };
        let path = path(self);
        let Some(sealed) = self.store().get(&path).await? else {
            return Ok(None);
        };
        let damaged = |_| Error::Damaged {
            path: path.clone(),
            what: "it does not decrypt".to_owned(),
        };
        let digest = root.open(&domain(self.at(), config), &sealed);
        let digest = digest.map_err(damaged)?;
        let digest = <[u8; 32]>::try_from(digest.as_slice()).map_err(|_| Error::WrongKey)?;
        Ok(Some(RecoveryKey { digest, config }))
    }

    pub(crate) async fn recovery_following(
        &self,
        old: &Aes256Key,
        new: &Aes256Key,
    ) -> Result<Batch, Error> {
        match self.recovery_key(old).await? {
            None => Ok(Batch::new()),
            Some(key) => key.check(self, new),
        }
    }
}

fn path(barrier: &Barrier) -> String {
    format!("{}{RECOVERY_CHECK}", barrier.at())
}

/// The counts are bound, too: they are readable, and so could be changed.
fn domain(at: &str, config: SealConfig) -> Vec<u8> {
    let counts = [config.secret_shares, config.secret_threshold];
    [DOMAIN, at.as_bytes(), &counts].join(&0)
}
