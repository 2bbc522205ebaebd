//! The key ring over the store.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use coffer_crypto::{Aes256Key, KeyRing, ROTATE_AFTER_ENCRYPTIONS, Random, Zeroizing};
use coffer_storage::{Batch, Store};

use crate::stored::damaged;
use crate::{Error, Meters, View};

/// Where the encrypted key ring is kept.
pub(crate) const KEY_RING_PATH: &str = "core/keyring";
/// Associated data of the key ring's encryption.
pub(crate) const KEY_RING_DOMAIN: &[u8] = b"coffer.keyring.v1";

/// A store whose values are encrypted with a key ring that is present only while it is unsealed.
pub struct Barrier {
    store: Arc<dyn Store>,
    random: Random,
    meters: Meters,
    open: ArcSwapOption<Open>,
}

/// What is in memory while unsealed: dropped, and so wiped, by sealing.
struct Open {
    ring: KeyRing,
    root: Aes256Key,
}

/// When the active key is replaced by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// Whether it is replaced before the bound on its uses.
    pub enabled: bool,
    /// After this many encryptions.
    pub max_encryptions: u64,
    /// After this time in use, in seconds; 0 for no matter how long.
    pub interval_secs: u64,
}

/// The most encryptions before a rotation that an operator can ask for: nine tenths of 2^32, the bound
/// of NIST SP 800-38D section 8.3 on random nonces. Here the key is replaced even if rotation is off,
/// because at the bound itself nothing could be written any more.
pub const MAX_ENCRYPTIONS_BOUND: u64 = 3_865_470_566;

/// Facts about the active key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyInfo {
    /// Its number.
    pub term: u32,
    /// When it was installed, seconds since 1970.
    pub installed_secs: u64,
    /// How many values it has encrypted.
    pub encryptions: u64,
}

impl Default for Rotation {
    fn default() -> Self {
        Self {
            enabled: true,
            max_encryptions: ROTATE_AFTER_ENCRYPTIONS,
            interval_secs: 0,
        }
    }
}

impl Barrier {
    /// A sealed barrier.
    pub fn new(store: Arc<dyn Store>, random: Random) -> Self {
        Self {
            store,
            random,
            meters: Meters::default(),
            open: ArcSwapOption::empty(),
        }
    }

    /// With timings that somebody looks at.
    pub fn measured(self, meters: Meters) -> Self {
        Self { meters, ..self }
    }

    /// The store underneath, for what must be readable while sealed.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// Its timings.
    pub fn meters(&self) -> &Meters {
        &self.meters
    }

    /// The source of randomness.
    pub fn random(&self) -> &Random {
        &self.random
    }

    /// Whether a key ring was ever made here.
    pub async fn is_initialised(&self) -> Result<bool, Error> {
        Ok(self.store.get(KEY_RING_PATH).await?.is_some())
    }

    /// Makes the first key ring, encrypted by `root`. Part of a batch with whatever must be there
    /// from the first moment (the wrapped root key, the seal's configuration).
    pub async fn initialise(
        &self,
        root: &Aes256Key,
        now_secs: u64,
        with: Batch,
    ) -> Result<(), Error> {
        let ring = KeyRing::new(&self.random, now_secs)?;
        let batch = with
            .put(KEY_RING_PATH, self.locked(&ring, root)?)
            .expect(KEY_RING_PATH, None);
        match self.store.commit(batch).await.map_err(Error::from) {
            Err(Error::Conflict) => Err(Error::Initialised),
            other => other,
        }
    }

    /// Stores what another barrier over a scratch store was furnished with, in one step; refused where
    /// anything was initialised before.
    pub async fn adopt(&self, furnished: Batch) -> Result<(), Error> {
        match self
            .store
            .commit(furnished.expect(KEY_RING_PATH, None))
            .await
            .map_err(Error::from)
        {
            Err(Error::Conflict) => Err(Error::Initialised),
            other => other,
        }
    }

    /// Opens the key ring with the root key.
    pub async fn unseal(&self, root: Aes256Key) -> Result<(), Error> {
        let locked = self
            .store
            .get(KEY_RING_PATH)
            .await?
            .ok_or(Error::Uninitialised)?;
        let ring = root
            .open(KEY_RING_DOMAIN, &locked)
            .map_err(|_| Error::WrongKey)?;
        let ring = KeyRing::deserialize(&ring)?;
        self.open.store(Some(Arc::new(Open { ring, root })));
        Ok(())
    }

    /// Forgets the key ring. Operations that hold it end first; later ones get [`Error::Sealed`].
    pub fn seal(&self) {
        self.open.store(None);
    }

    /// The active key.
    pub fn key_info(&self) -> Result<KeyInfo, Error> {
        let info = self.open()?.ring.info();
        Ok(KeyInfo {
            term: info.term,
            installed_secs: info.installed,
            encryptions: info.encryptions,
        })
    }

    /// Installs a new key for all later writes; older ones stay for reading.
    pub async fn rotate(&self, now_secs: u64) -> Result<u32, Error> {
        let (base, seen) = self.base().await?;
        let mut ring = base.ring.clone();
        let term = ring.rotate(&self.random, now_secs)?;
        let root = copied(&base.root)?;
        self.replace(base, seen, ring, root, Batch::new()).await?;
        Ok(term)
    }

    /// Rotates when the active key was used as often or as long as `rotation` says, and otherwise
    /// writes down how often it was used. Called from time to time.
    pub async fn keep_keys_fresh(&self, now_secs: u64, rotation: Rotation) -> Result<(), Error> {
        let (base, seen) = self.base().await?;
        let info = base.ring.info();
        let old = now_secs.saturating_sub(info.installed) >= rotation.interval_secs.max(1)
            && rotation.interval_secs > 0;
        let used = info.encryptions >= rotation.max_encryptions;
        if rotation.enabled && (old || used) || info.encryptions >= MAX_ENCRYPTIONS_BOUND {
            return self.rotate(now_secs).await.map(drop);
        }
        let locked = self.locked(&base.ring, &base.root)?;
        let written_down = Batch::new()
            .put(KEY_RING_PATH, locked)
            .expect(KEY_RING_PATH, seen);
        Ok(self.store.commit(written_down).await?)
    }

    /// Encrypts the key ring by another root key, together with the writes `with` (the new root
    /// key in its wrapping).
    pub async fn change_root(&self, root: Aes256Key, with: Batch) -> Result<(), Error> {
        let (base, seen) = self.base().await?;
        let ring = base.ring.clone();
        self.replace(base, seen, ring, root, with).await
    }

    /// Whether `root` is the root key of the open barrier.
    pub fn is_root(&self, root: &Aes256Key) -> Result<bool, Error> {
        let open = self.open()?;
        Ok(coffer_crypto::constant_time_eq(
            open.root.expose_bytes(),
            root.expose_bytes(),
        ))
    }

    /// A copy of the root key, to be wrapped anew.
    pub fn root(&self) -> Result<Aes256Key, Error> {
        copied(&self.open()?.root)
    }

    /// A prefix of the barrier; `prefix` ends with a slash.
    pub fn view(self: &Arc<Self>, prefix: impl Into<String>) -> View {
        View::new(Arc::clone(self), prefix.into())
    }

    /// Encrypts bytes that will live outside the store (a batch token), bound to `place`.
    pub fn encrypt(&self, place: &str, plaintext: &[u8]) -> Result<Vec<u8>, Error> {
        Ok(self.open()?.ring.encrypt(&self.random, place, plaintext)?)
    }

    /// Decrypts what [`Barrier::encrypt`] made for the same `place`.
    pub fn decrypt(&self, place: &str, bytes: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        self.open()?
            .ring
            .decrypt(place, bytes)
            .map_err(|_| damaged(place, "it does not decrypt"))
    }

    /// Encrypts bytes by the root key, so that only this cluster makes them; `domain` says what they are.
    pub fn seal_with_root(&self, domain: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, Error> {
        Ok(self.open()?.root.seal(&self.random, domain, plaintext)?)
    }

    /// The bytes that [`Barrier::seal_with_root`] encrypted in this cluster; [`Error::WrongKey`] for
    /// anything else.
    pub fn open_with_root(
        &self,
        domain: &[u8],
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        let opened = self.open()?.root.open(domain, sealed);
        opened.map_err(|_| Error::WrongKey)
    }

    fn open(&self) -> Result<Arc<Open>, Error> {
        self.open.load_full().ok_or(Error::Sealed)
    }

    fn locked(&self, ring: &KeyRing, root: &Aes256Key) -> Result<Vec<u8>, Error> {
        Ok(root.seal(&self.random, KEY_RING_DOMAIN, &ring.serialize())?)
    }

    /// What a change starts from: the ring in memory and the stored bytes that hold it. Where another
    /// change is stored but not in memory yet, that is a conflict: deriving from the older ring would
    /// lose the newer key.
    async fn base(&self) -> Result<(Arc<Open>, Option<Vec<u8>>), Error> {
        let open = self.open()?;
        let stored = self.store.get(KEY_RING_PATH).await?;
        let locked = stored.as_deref().ok_or(Error::Uninitialised)?;
        let ring = open.root.open(KEY_RING_DOMAIN, locked);
        let ring = ring.map_err(|_| Error::Conflict)?;
        if KeyRing::deserialize(&ring)?.active() != open.ring.active() {
            return Err(Error::Conflict);
        }
        Ok((open, stored))
    }

    /// Makes a ring durable before anything is encrypted with it. The stored ring must still be the
    /// one that was `seen` with `base`, so that two changes at once lose nothing. A barrier that was
    /// sealed meanwhile stays sealed.
    async fn replace(
        &self,
        base: Arc<Open>,
        seen: Option<Vec<u8>>,
        ring: KeyRing,
        root: Aes256Key,
        with: Batch,
    ) -> Result<(), Error> {
        let batch = with
            .put(KEY_RING_PATH, self.locked(&ring, &root)?)
            .expect(KEY_RING_PATH, seen);
        self.store.commit(batch).await?;
        let new = Some(Arc::new(Open { ring, root }));
        self.open.compare_and_swap(&Some(base), new);
        Ok(())
    }
}

fn copied(key: &Aes256Key) -> Result<Aes256Key, Error> {
    Ok(Aes256Key::from_slice(key.expose_bytes())?)
}
