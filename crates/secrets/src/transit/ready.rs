//! A key with what its versions compute once.

use std::collections::BTreeMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use coffer_crypto::cipher::CipherKey;
use coffer_crypto::pair::{KeyPair, PublicKey};
use coffer_engine::{Ctx, Fault};

use super::Transit;
use super::key::{Key, Version, key_place, version_place};

/// How many versions of a key are ready at once, beside the latest.
const VERSIONS_MAX: usize = 8;
/// How often a key is read again that is changed while it is read.
const TRIES: usize = 16;

/// A key that is ready for use.
pub(super) struct Ready {
    pub(super) key: Key,
    latest: Arc<Material>,
    others: ArcSwap<BTreeMap<u32, Arc<Material>>>,
}

/// One version of a key.
pub(super) struct Material {
    /// Its number.
    pub(super) number: u32,
    /// What is stored of it.
    pub(super) version: Version,
    /// What it computes with.
    pub(super) work: Work,
}

/// What a version computes with.
pub(super) enum Work {
    /// A cipher's schedule.
    Cipher(CipherKey),
    /// The bytes alone: of HMAC keys, and of those whose contexts have keys of their own.
    Bytes,
    /// Both halves of a pair.
    Pair(Box<KeyPair>),
    /// The public half, where no other was imported.
    Public(Box<PublicKey>),
}

impl Material {
    fn new(key: &Key, number: u32, version: Version) -> Result<Self, Fault> {
        let work = match (key.kind.cipher(), key.kind.pair()) {
            (Some(cipher), _) if !key.derived => {
                Work::Cipher(CipherKey::new(cipher, version.key.expose())?)
            }
            (None, Some(_)) if version.key.is_empty() => {
                Work::Public(Box::new(PublicKey::from_spki(version.public.expose())?))
            }
            (None, Some(kind)) => {
                Work::Pair(Box::new(KeyPair::from_pkcs8(kind, version.key.expose())?))
            }
            _ => Work::Bytes,
        };
        Ok(Self {
            number,
            version,
            work,
        })
    }

    /// Both halves, where there are both.
    pub(super) fn pair(&self) -> Option<&KeyPair> {
        match &self.work {
            Work::Pair(pair) => Some(pair),
            _ => None,
        }
    }

    /// The public half of a pair.
    pub(super) fn public(&self) -> Option<&PublicKey> {
        match &self.work {
            Work::Pair(pair) => Some(pair.public()),
            Work::Public(public) => Some(public),
            _ => None,
        }
    }

    /// The bytes that authenticate inputs.
    pub(super) fn mac(&self) -> &[u8] {
        match self.version.mac.is_empty() {
            true => self.version.key.expose(),
            false => self.version.mac.expose(),
        }
    }
}

impl Ready {
    /// A key with its latest version.
    pub(super) fn new(key: Key, latest: Version) -> Result<Self, Fault> {
        let latest = Material::new(&key, key.latest_version, latest)?;
        Ok(Self {
            key,
            latest: Arc::new(latest),
            others: ArcSwap::default(),
        })
    }

    /// The version of that number; none where it is not there.
    pub(super) async fn version(
        &self,
        cx: &Ctx,
        number: u32,
    ) -> Result<Option<Arc<Material>>, Fault> {
        if number == self.latest.number {
            return Ok(Some(Arc::clone(&self.latest)));
        }
        if let Some(ready) = self.others.load().get(&number) {
            return Ok(Some(Arc::clone(ready)));
        }
        let Some(version) = self.stored(cx, number).await? else {
            return Ok(None);
        };
        let material = Arc::new(Material::new(&self.key, number, version)?);
        self.others.rcu(|others| {
            let mut others = BTreeMap::clone(others);
            if others.len() >= VERSIONS_MAX {
                others.pop_first();
            }
            others.insert(number, Arc::clone(&material));
            others
        });
        Ok(Some(material))
    }

    /// A version that is asked for once, by one who asks for all: others in use stay ready.
    pub(super) async fn version_once(
        &self,
        cx: &Ctx,
        number: u32,
    ) -> Result<Option<Arc<Material>>, Fault> {
        if number == self.latest.number {
            return Ok(Some(Arc::clone(&self.latest)));
        }
        let Some(version) = self.stored(cx, number).await? else {
            return Ok(None);
        };
        let key = self.key.clone();
        // Numbers of pairs are checked: not for a thread that others wait for.
        let read = tokio::task::spawn_blocking(move || Material::new(&key, number, version));
        Ok(Some(Arc::new(read.await.map_err(Fault::internal)??)))
    }

    /// What is stored of a version; none where it is not there.
    pub(super) async fn stored(&self, cx: &Ctx, number: u32) -> Result<Option<Version>, Fault> {
        Ok(cx.view.get(&version_place(&self.key.id, number)).await?)
    }

    /// The version that encrypts and signs where a client asks for none.
    pub(super) fn latest(&self) -> &Arc<Material> {
        &self.latest
    }
}

impl Transit {
    /// The key of that name, ready for use; none where it is not there.
    pub(super) async fn find(&self, cx: &Ctx, name: &str) -> Result<Option<Arc<Ready>>, Fault> {
        // What is ready may not be used while its storage is closed.
        cx.view.check()?;
        if let Some(ready) = self.cache.get(name) {
            return Ok(Some(ready));
        }
        self.settings(cx).await?;
        let place = key_place(name)?;
        for _ in 0..TRIES {
            let ticket = self.cache.ticket(name);
            let Some(key) = cx.view.get::<Key>(&place).await? else {
                return Ok(None);
            };
            let latest = version_place(&key.id, key.latest_version);
            let Some(version) = cx.view.get::<Version>(&latest).await? else {
                continue; // Somebody deletes it, or has made it anew.
            };
            let ready = Arc::new(Ready::new(key, version)?);
            self.cache.put(name, &ticket, &ready);
            return Ok(Some(ready));
        }
        Err(Fault::Conflict(
            "the key is changed by other requests; try again".into(),
        ))
    }

    /// The key of that name, which has to be there. It may be deleted softly.
    pub(super) async fn known(&self, cx: &Ctx, name: &str) -> Result<Arc<Ready>, Fault> {
        let found = self.find(cx, name).await?;
        found.ok_or_else(|| Fault::invalid("encryption key not found"))
    }

    /// The key of that name for use: there, and not deleted.
    pub(super) async fn usable(&self, cx: &Ctx, name: &str) -> Result<Arc<Ready>, Fault> {
        let ready = self.known(cx, name).await?;
        ready.key.refuse_deleted()?;
        Ok(ready)
    }
}
