//! What is stored, byte by byte, for operators who repair a store by hand.
//!
//! The key ring, the wrapped root key and the seal's configuration are not reached: a byte changed there and nothing
//! decrypts any more.

use coffer_crypto::Zeroizing;
use coffer_storage::Batch;

use crate::{Barrier, Error};

/// The most bytes that are written at once.
const VALUE_BYTES_MAX: usize = 16 * 1024 * 1024;

impl Barrier {
    /// The decrypted bytes at a path: a version byte and JSON, where this program wrote them.
    pub async fn raw(&self, path: &str) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
        self.refuse_keys(path)?;
        let stored = self.store().get(path).await?;
        stored.map(|bytes| self.decrypt(path, &bytes)).transpose()
    }

    /// Encrypts bytes and keeps them at a path, whatever they are.
    pub async fn put_raw(&self, path: &str, bytes: &[u8]) -> Result<(), Error> {
        self.refuse_keys(path)?;
        if bytes.len() > VALUE_BYTES_MAX {
            return Err(Error::TooLarge {
                size: bytes.len(),
                limit: VALUE_BYTES_MAX,
            });
        }
        let sealed = self.encrypt(path, bytes)?;
        Ok(self.store().commit(Batch::new().put(path, sealed)).await?)
    }

    /// Removes what is at a path, if anything is.
    pub async fn delete_raw(&self, path: &str) -> Result<(), Error> {
        self.refuse_keys(path)?;
        Ok(self.store().commit(Batch::new().delete(path)).await?)
    }

    fn refuse_keys(&self, path: &str) -> Result<(), Error> {
        match self.is_key_material(path) {
            true => Err(Error::Protected(path.to_owned())),
            false => Ok(()),
        }
    }
}
