//! The key ring over the store.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::{ArcSwap, ArcSwapOption};
use coffer_crypto::{Aes256Key, KeyRing, ROTATE_AFTER_ENCRYPTIONS, Random, Zeroizing};
use coffer_storage::{Batch, Store};

use crate::auto;
use crate::parts::Parts;
use crate::seal::{self, Protection, SERVER, SealConfig, Shares, domain};
use crate::stored::damaged;
use crate::{Error, Meters, View};

/// Where the encrypted key ring of the whole store is kept.
pub(crate) const KEY_RING_PATH: &str = "core/keyring";
/// The key ring's name below the place of its key material.
const KEY_RING: &str = "keyring";
/// Associated data of the key ring's encryption.
pub(crate) const KEY_RING_DOMAIN: &[u8] = b"coffer.keyring.v1";

/// A store whose values are encrypted with a key ring that is present only while it is unsealed.
///
/// Parts of the store may have key rings of their own, each a barrier over the same store: what is written at one
/// of their paths is encrypted by their keys alone, whoever writes it, and is out of reach while they are sealed.
pub struct Barrier {
    store: Arc<dyn Store>,
    random: Random,
    meters: Meters,
    /// Where the key material is kept, with a trailing slash.
    at: String,
    open: ArcSwapOption<Open>,
    /// How often it was sealed: who remembers another number knows of what was before.
    seals: AtomicU64,
    parts: ArcSwap<Parts>,
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
            at: SERVER.to_owned(),
            open: ArcSwapOption::empty(),
            seals: AtomicU64::new(0),
            parts: ArcSwap::default(),
        }
    }

    /// A sealed barrier for a part of the same store, whose key material is kept at another place.
    pub fn part(&self, at: &str) -> Self {
        Self {
            store: Arc::clone(&self.store),
            random: self.random.clone(),
            meters: self.meters.clone(),
            at: at.to_owned(),
            open: ArcSwapOption::empty(),
            seals: AtomicU64::new(0),
            parts: ArcSwap::default(),
        }
    }

    /// Says which parts there are: where the key material of each is kept, and what its paths begin with. One that
    /// is known already stays as it is, open or sealed.
    pub fn divide(&self, parts: &[(String, Vec<String>)]) -> Vec<Arc<Self>> {
        let known = self.parts.load_full();
        let mut all = Parts::default();
        let mut found = Vec::new();
        for (at, prefixes) in parts {
            let part = known.kept_at(at).unwrap_or_else(|| Arc::new(self.part(at)));
            all.add(prefixes, &part);
            found.push(part);
        }
        self.parts.store(Arc::new(all));
        found
    }

    /// Adds a part, before anything is written there. Answers false, and changes nothing, if another part has one of the
    /// prefixes: what is written there would get other keys.
    #[must_use]
    pub fn add_part(&self, part: &Arc<Self>, prefixes: &[String]) -> bool {
        let mut added = false;
        self.change_parts(|parts| added = parts.add(prefixes, part));
        added
    }

    /// Forgets a part, after everything there is gone.
    pub fn remove_part(&self, part: &Self) {
        self.change_parts(|parts| parts.remove(part.at()));
    }

    fn change_parts(&self, mut change: impl FnMut(&mut Parts)) {
        self.parts.rcu(|old| {
            let mut new = Parts::clone(old);
            change(&mut new);
            new
        });
    }

    /// The part that a path belongs to; none for what has the keys of the whole.
    pub fn part_of(&self, path: &str) -> Option<Arc<Self>> {
        self.parts.load().of(path).cloned()
    }

    /// Whether a path holds key material.
    pub(crate) fn is_key_material(&self, path: &str) -> bool {
        let own = [KEY_RING, seal::ROOT_KEY, seal::CONFIG];
        let is_own = |tail: &str| own.contains(&tail) || auto::is_key_material(tail);
        let tail = path.strip_prefix(self.at.as_str());
        tail.is_some_and(is_own) || self.parts.load().hold_keys(path)
    }

    /// Where the key material is kept, with a trailing slash.
    pub fn at(&self) -> &str {
        &self.at
    }

    /// How often it was sealed.
    pub(crate) fn seals(&self) -> u64 {
        self.seals.load(Ordering::SeqCst)
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
        Ok(self.store.get(&self.key_ring_path()).await?.is_some())
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
            .put(self.key_ring_path(), self.locked(&ring, root)?)
            .expect(self.key_ring_path(), None);
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
            .commit(furnished.expect(self.key_ring_path(), None))
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
            .get(&self.key_ring_path())
            .await?
            .ok_or(Error::Uninitialised)?;
        let ring = root
            .open(&domain(KEY_RING_DOMAIN, &self.at), &locked)
            .map_err(|_| Error::WrongKey)?;
        let ring = KeyRing::deserialize(&ring)?;
        self.open.store(Some(Arc::new(Open { ring, root })));
        Ok(())
    }

    /// Whether this root key opens the stored key ring.
    pub async fn opens_with(&self, root: &Aes256Key) -> Result<bool, Error> {
        let locked = self.store.get(&self.key_ring_path()).await?;
        let locked = locked.ok_or(Error::Uninitialised)?;
        Ok(root
            .open(&domain(KEY_RING_DOMAIN, &self.at), &locked)
            .is_ok())
    }

    /// Whether the key ring is in memory.
    pub fn is_open(&self) -> bool {
        self.open.load().is_some()
    }

    /// Forgets the key ring, and those of all parts. Operations that hold it end first; later ones get
    /// [`Error::Sealed`], those at a sealed part [`Error::PartSealed`]. So do views of a part that were made before,
    /// for ever: what their owners know may not be so any more when the part is open again.
    pub fn seal(&self) {
        self.open.store(None);
        self.seals.fetch_add(1, Ordering::SeqCst);
        for part in self.parts.load().all() {
            part.seal();
        }
    }

    /// What keeps its root key; none before it is initialised.
    pub async fn protection(&self) -> Result<Option<Protection>, Error> {
        Protection::load(self.store.as_ref(), &self.at).await
    }

    /// How the key that people hold is split; none before it is initialised.
    pub async fn seal_config(&self) -> Result<Option<SealConfig>, Error> {
        Ok(self.protection().await?.map(Protection::counts))
    }

    /// Shares of a fresh key, and the writes that make it the one that opens `root` here.
    pub fn wrap(&self, root: &Aes256Key, config: SealConfig) -> Result<(Shares, Batch), Error> {
        seal::wrap(root, config, &self.at, &self.random)
    }

    /// The root key, from enough shares.
    pub async fn unwrap(
        &self,
        config: SealConfig,
        shares: &[Zeroizing<Vec<u8>>],
    ) -> Result<Aes256Key, Error> {
        seal::unwrap(self.store.as_ref(), &self.at, config, shares).await
    }

    /// The writes that remove the key material: what it encrypts is lost for ever.
    pub fn destruction(&self) -> Batch {
        let material = [KEY_RING, seal::ROOT_KEY, seal::CONFIG];
        material.iter().fold(Batch::new(), |batch, name| {
            batch.delete(format!("{}{name}", self.at))
        })
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
            .put(self.key_ring_path(), locked)
            .expect(self.key_ring_path(), seen);
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

    /// Encrypts bytes that will live outside the store (a batch token), bound to `place`, by the keys of the part that
    /// this belongs to.
    pub fn encrypt(&self, place: &str, plaintext: &[u8]) -> Result<Vec<u8>, Error> {
        let keys = self.keys_of(place)?;
        Ok(keys.ring.encrypt(&self.random, place, plaintext)?)
    }

    /// Decrypts what [`Barrier::encrypt`] made for the same `place`.
    pub fn decrypt(&self, place: &str, bytes: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        self.keys_of(place)?
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

    /// The keys that encrypt what is at a path. One place decides, for reading and writing, so that nothing of a part is
    /// ever encrypted by other keys.
    fn keys_of(&self, path: &str) -> Result<Arc<Open>, Error> {
        let whole = self.open()?;
        match self.parts.load().of(path) {
            None => Ok(whole),
            Some(part) => part.open.load_full().ok_or(Error::PartSealed),
        }
    }

    fn key_ring_path(&self) -> String {
        format!("{}{KEY_RING}", self.at)
    }

    fn locked(&self, ring: &KeyRing, root: &Aes256Key) -> Result<Vec<u8>, Error> {
        let domain = domain(KEY_RING_DOMAIN, &self.at);
        Ok(root.seal(&self.random, &domain, &ring.serialize())?)
    }

    /// What a change starts from: the ring in memory and the stored bytes that hold it. Where another
    /// change is stored but not in memory yet, that is a conflict: deriving from the older ring would
    /// lose the newer key.
    async fn base(&self) -> Result<(Arc<Open>, Option<Vec<u8>>), Error> {
        let open = self.open()?;
        let stored = self.store.get(&self.key_ring_path()).await?;
        let locked = stored.as_deref().ok_or(Error::Uninitialised)?;
        let ring = open.root.open(&domain(KEY_RING_DOMAIN, &self.at), locked);
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
            .put(self.key_ring_path(), self.locked(&ring, &root)?)
            .expect(self.key_ring_path(), seen);
        self.store.commit(batch).await?;
        let new = Some(Arc::new(Open { ring, root }));
        self.open.compare_and_swap(&Some(base), new);
        Ok(())
    }
}

fn copied(key: &Aes256Key) -> Result<Aes256Key, Error> {
    Ok(Aes256Key::from_slice(key.expose_bytes())?)
}
