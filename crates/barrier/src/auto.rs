//! The root key wrapped by keepers outside, once for each of them: any one opens the store.
//!
//! A keeper wraps a key of its own for each copy, never the root key itself; that key encrypts the root key, bound to
//! the copy's place, name and kind. So a copy that was put in the place of another one does not open.

use coffer_crypto::{Aes256Key, Random};
use coffer_storage::Batch;
use serde::{Deserialize, Serialize};

use crate::seal::{SealConfig, wrap_by};
use crate::{Barrier, Error, RecoveryKey, Wrapped};

/// The most copies: as many seals can be configured.
pub const COPIES_MAX: usize = 8;
/// The longest name of a seal, in bytes.
pub const NAME_BYTES_MAX: usize = 64;
/// The folder of the copies below the place of the key material.
const COPIES: &str = "seals/";
/// Which recovery key is the right one; see [`crate::RecoveryKey`].
pub(crate) const RECOVERY_CHECK: &str = "recovery-check";
/// The root key wrapped for people; see [`crate::BreakGlass`].
pub(crate) const BREAK_GLASS: &str = "break-glass";
/// What binds the root key to its copy.
const DOMAIN: &[u8] = b"coffer.root-copy.v1";
/// The number of the stored form.
const VERSION: u8 = 1;

/// One copy of the root key, wrapped by one keeper.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RootCopy {
    /// The name of the seal.
    pub name: String,
    /// The keeper's kind.
    pub kind: String,
    /// The copy's own key, as the keeper wrapped it.
    pub wrapped: Wrapped,
    /// The root key, encrypted by that key.
    root: Vec<u8>,
}

/// A copy as it is stored, in JSON.
#[derive(Serialize, Deserialize)]
struct Record {
    version: u8,
    kind: String,
    key_id: String,
    wrapped: String,
    root: String,
}

impl RootCopy {
    /// A copy of `root` under `key`, which the keeper has wrapped.
    pub fn new(
        (name, kind): (&str, &str),
        (key, wrapped): (&Aes256Key, Wrapped),
        root: &Aes256Key,
        at: &str,
        random: &Random,
    ) -> Result<Self, Error> {
        let domain = domain(at, name, kind);
        Ok(Self {
            root: key.seal(random, &domain, root.expose_bytes())?,
            name: name.to_owned(),
            kind: kind.to_owned(),
            wrapped,
        })
    }

    /// The root key, by what the keeper unwrapped.
    pub fn open(&self, at: &str, key: &[u8]) -> Result<Aes256Key, Error> {
        let key = Aes256Key::from_slice(key).map_err(|_| Error::WrongKey)?;
        let root = key.open(&domain(at, &self.name, &self.kind), &self.root);
        Ok(Aes256Key::from_slice(&root.map_err(|_| Error::WrongKey)?)?)
    }

    /// The write that keeps it.
    pub fn kept(&self, at: &str) -> Result<Batch, Error> {
        let record = Record {
            version: VERSION,
            kind: self.kind.clone(),
            key_id: self.wrapped.key_id.clone(),
            wrapped: hex::encode(&self.wrapped.ciphertext),
            root: hex::encode(&self.root),
        };
        let text = serde_json::to_vec(&record).map_err(|error| Error::Shares(error.to_string()))?;
        Ok(Batch::new().put(path(at, &self.name), text))
    }

    pub(crate) fn read(path: &str, name: &str, bytes: &[u8]) -> Result<Self, Error> {
        let damaged = |what: String| Error::Damaged {
            path: path.to_owned(),
            what,
        };
        let record: Record =
            serde_json::from_slice(bytes).map_err(|error| damaged(error.to_string()))?;
        if record.version != VERSION {
            return Err(damaged(format!(
                "its version {} is not known",
                record.version
            )));
        }
        let bytes = |text: &str| hex::decode(text).map_err(|error| damaged(error.to_string()));
        Ok(Self {
            name: name.to_owned(),
            wrapped: Wrapped {
                key_id: record.key_id,
                ciphertext: bytes(&record.wrapped)?,
            },
            root: bytes(&record.root)?,
            kind: record.kind,
        })
    }
}

/// Whether this can be the name of a seal: it becomes part of a path.
pub fn is_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    !name.is_empty() && name.len() <= NAME_BYTES_MAX && name.bytes().all(plain)
}

impl Barrier {
    /// The copies of the root key that keepers have wrapped, by name. A damaged one is left out and told of: it must not
    /// keep the others from opening the store.
    pub async fn root_copies(&self) -> Result<(Vec<RootCopy>, Vec<Error>), Error> {
        let folder = folder(self.at());
        let stored = self.store().scan(&folder, None, COPIES_MAX).await?;
        let (mut copies, mut damaged) = (Vec::new(), Vec::new());
        for (path, bytes) in stored {
            let name = path.strip_prefix(&folder).unwrap_or_default();
            match RootCopy::read(&path, name, &bytes) {
                Ok(copy) => copies.push(copy),
                Err(error) => damaged.push(error),
            }
        }
        Ok((copies, damaged))
    }

    /// The write that removes the copy of a seal.
    pub fn without_copy(&self, name: &str) -> Batch {
        Batch::new().delete(path(self.at(), name))
    }

    /// The writes that say that keepers have the root key, and which recovery key is the right one.
    pub fn kept_by_keepers(
        &self,
        root: &Aes256Key,
        recovery: &RecoveryKey,
    ) -> Result<Batch, Error> {
        let shares = format!("{}{}", self.at(), crate::seal::ROOT_KEY);
        Ok(recovery.kept(self, root)?.delete(shares))
    }

    /// The writes that say that people have the root key from now on, by shares of `unseal`; keepers and break-glass
    /// shares open nothing any more.
    pub async fn kept_by_people(
        &self,
        root: &Aes256Key,
        unseal: &Aes256Key,
        config: SealConfig,
    ) -> Result<Batch, Error> {
        let batch = wrap_by(root, unseal, config, self.at(), self.random())?
            .delete(format!("{}{RECOVERY_CHECK}", self.at()))
            .delete(format!("{}{BREAK_GLASS}", self.at()));
        let folder = folder(self.at());
        let copies = self.store().scan(&folder, None, COPIES_MAX).await?;
        let paths = copies.into_iter().map(|(path, _)| path);
        Ok(paths.fold(batch, Batch::delete))
    }

    /// The root key, from the unseal key that people put together.
    pub async fn unwrap_by(&self, unseal: &Aes256Key) -> Result<Aes256Key, Error> {
        crate::seal::unwrap_by(self.store().as_ref(), self.at(), unseal).await
    }

    /// The writes that keep recovery keys and break-glass shares good when `new` takes the place of the root key.
    pub async fn following(&self, old: &Aes256Key, new: &Aes256Key) -> Result<Batch, Error> {
        let recovery = self.recovery_following(old, new).await?;
        Ok(recovery.and(self.break_glass_following(old, new).await?))
    }

    /// Stores writes about the root key's keepers in one step.
    pub async fn commit_keys(&self, batch: Batch) -> Result<(), Error> {
        Ok(self.store().commit(batch).await?)
    }
}

/// Whether a path below the place of the key material is one of those here.
pub(crate) fn is_key_material(tail: &str) -> bool {
    tail == RECOVERY_CHECK || tail == BREAK_GLASS || tail.starts_with(COPIES)
}

/// Where the copies are.
pub(crate) fn folder(at: &str) -> String {
    format!("{at}{COPIES}")
}

fn path(at: &str, name: &str) -> String {
    format!("{at}{COPIES}{name}")
}

fn domain(at: &str, name: &str, kind: &str) -> Vec<u8> {
    [DOMAIN, at.as_bytes(), name.as_bytes(), kind.as_bytes()].join(&0)
}
