//! A key as requests use it: its state, and its material ready to be used.

use std::collections::BTreeMap;
use std::sync::Arc;

use coffer_crypto::pair::KeyPair;
use coffer_crypto::{Hash, MacKey};
use coffer_engine::{Ctx, Fault};
use coffer_wire::Timestamp;

use super::Kms;
use super::blob::{MasterKey, unreadable};
use super::book;
use super::exception::Exception;
use super::name::{KeyId, KeyName};
use super::record::Key;
use super::spec::{KeySpec, Make, Usage};
use super::state::KeyState;

/// A key that is ready to be used, or that can not be used at all.
pub(super) struct Ready {
    pub(super) id: KeyId,
    pub(super) spec: KeySpec,
    pub(super) usage: Usage,
    state: KeyState,
    /// The version that encrypts.
    current: u32,
    material: Material,
    good_until: Option<Timestamp>,
}

/// Material of a key.
enum Material {
    /// None: the key can not be used.
    None,
    /// All versions of a symmetric key.
    Symmetric(BTreeMap<u32, Version>),
    Hmac(MacKey),
    Pair(Box<KeyPair>),
}

/// One version of a symmetric key.
pub(super) struct Version {
    /// Names the material to clients.
    pub(super) id: String,
    pub(super) key: MasterKey,
}

impl Kms {
    /// The key that stands for `{key}` in a path; only one that can be used now.
    pub(super) async fn ready(&self, cx: &Ctx, segment: &str) -> Result<Arc<Ready>, Fault> {
        let name = KeyName::parse(segment)?;
        let ready = match self.cache.find(&name, cx.now) {
            Some(ready) => ready,
            None => self.load(cx, &name).await?,
        };
        ready.state.refuse_unless_enabled(ready.id)?;
        Ok(ready)
    }

    /// The same, for this use alone.
    pub(super) async fn ready_for(
        &self,
        cx: &Ctx,
        segment: &str,
        usage: Usage,
    ) -> Result<Arc<Ready>, Fault> {
        let ready = self.ready(cx, segment).await?;
        match ready.usage == usage {
            true => Ok(ready),
            false => Err(Exception::InvalidKeyUsage.because(format!(
                "key {} is for {}, not for {}",
                ready.id,
                ready.usage.name(),
                usage.name()
            ))),
        }
    }

    async fn load(&self, cx: &Ctx, name: &KeyName) -> Result<Arc<Ready>, Fault> {
        let after = self.cache.changes();
        let id = book::id_of(cx, name).await?;
        let key = book::read(cx, id).await?;
        let ready = Arc::new(Ready::of(id, &key)?);
        self.cache.keep(after, name, &ready);
        Ok(ready)
    }
}

impl Ready {
    fn of(id: KeyId, key: &Key) -> Result<Self, Fault> {
        let state = key.state();
        Ok(Self {
            id,
            spec: key.spec,
            usage: key.usage,
            state,
            current: key.current,
            material: match state {
                KeyState::Enabled => Material::of(key)?,
                _ => Material::None,
            },
            good_until: key.good_until(),
        })
    }

    /// Whether it still is what it was when it was read.
    pub(super) fn is_good(&self, now: Timestamp) -> bool {
        self.good_until.is_none_or(|until| now < until)
    }

    /// The version of a symmetric key that encrypts, with its number.
    pub(super) fn encrypting(&self) -> Result<(u32, &Version), Fault> {
        let found = self.versions()?.get(&self.current);
        let version = found.ok_or_else(|| Fault::internal("a key has no current version"))?;
        Ok((self.current, version))
    }

    /// The version of a symmetric key that a ciphertext names. One that is not there, or not used yet, has made none.
    pub(super) fn decrypting(&self, number: u32) -> Result<&Version, Fault> {
        let versions = self.versions()?;
        let version = versions.get(&number).filter(|_| number <= self.current);
        version.ok_or_else(unreadable)
    }

    fn versions(&self) -> Result<&BTreeMap<u32, Version>, Fault> {
        match &self.material {
            Material::Symmetric(versions) => Ok(versions),
            _ => Err(self.another_spec("SYMMETRIC_DEFAULT")),
        }
    }

    /// The HMAC key.
    pub(super) fn mac(&self) -> Result<&MacKey, Fault> {
        match &self.material {
            Material::Hmac(key) => Ok(key),
            _ => Err(self.another_spec("HMAC")),
        }
    }

    /// The key pair.
    pub(super) fn pair(&self) -> Result<&KeyPair, Fault> {
        match &self.material {
            Material::Pair(pair) => Ok(pair),
            _ => Err(self.another_spec("a key pair")),
        }
    }

    /// Whether it is a symmetric key.
    pub(super) fn is_symmetric(&self) -> bool {
        self.spec == KeySpec::Symmetric
    }

    fn another_spec(&self, wanted: &str) -> Fault {
        Exception::InvalidKeyUsage.because(format!(
            "key {} is {}, not {wanted}",
            self.id,
            self.spec.name()
        ))
    }
}

impl Material {
    fn of(key: &Key) -> Result<Self, Fault> {
        let missing = || Fault::internal("an enabled key has no material");
        let current = key.versions.get(&key.current).ok_or_else(missing)?;
        let current = current.material.as_ref().ok_or_else(missing)?;
        Ok(match key.spec.make() {
            Make::Symmetric => {
                let ready = key.versions.iter().filter_map(|(number, version)| {
                    let key = MasterKey::new(version.material.as_ref()?.as_slice());
                    let id = version.id.clone();
                    Some((*number, Version { id, key }))
                });
                Self::Symmetric(ready.collect())
            }
            Make::Hmac(bytes) => {
                let hash = match bytes {
                    28 => Hash::Sha224,
                    32 => Hash::Sha256,
                    48 => Hash::Sha384,
                    _ => Hash::Sha512,
                };
                Self::Hmac(MacKey::new(hash, current.as_slice()))
            }
            Make::Pair(kind) => {
                let pair = KeyPair::from_pkcs8(kind, current.as_slice())?;
                Self::Pair(Box::new(pair))
            }
        })
    }
}
