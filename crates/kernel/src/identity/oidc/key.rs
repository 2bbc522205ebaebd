//! Keys that sign tokens, and their rotation.

use std::time::Duration;

use crate::identity::edit::Noun;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use coffer_barrier::Stored;
use coffer_crypto::jose::show_key;
use coffer_crypto::sign::{Algorithm, SigningKey};
use coffer_engine::Fault;
use coffer_wire::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::super::kept::Kept;
use super::admits;

/// The key that is there from the start.
pub const DEFAULT: &str = "default";
/// How long a key signs, and how long it can be verified after that, where nobody says otherwise.
pub const DEFAULT_PERIOD: Duration = Duration::from_secs(24 * 60 * 60);
/// The shortest time that a key signs.
pub const MIN_ROTATION: Duration = Duration::from_secs(60);
/// The most rotated keys that one key has published.
pub const MAX_RETIRED: usize = 100;
/// What keys sign with.
pub const ALGORITHMS: [Algorithm; 7] = [
    Algorithm::Rs256,
    Algorithm::Rs384,
    Algorithm::Rs512,
    Algorithm::Es256,
    Algorithm::Es384,
    Algorithm::Es512,
    Algorithm::EdDsa,
];

/// A key by its name, as stored under `key/<name>`: the pair that signs now, the one that will, and the public halves of
/// those that did.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NamedKey {
    /// The name of its algorithm.
    pub algorithm: String,
    /// Ids of clients and roles whose tokens it may sign; `*` for all.
    pub allowed_client_ids: Vec<String>,
    /// How long a pair signs.
    pub rotation_period: Duration,
    /// How long a pair's public half is published after it signed last.
    pub verification_ttl: Duration,
    /// The pair that signs; none before it is needed first.
    pub signing: Option<Pair>,
    /// The pair that will sign next; published already, so that nobody meets a token of an unknown key.
    pub next: Option<Pair>,
    /// The pairs that signed before.
    pub retired: Vec<Retired>,
    /// When the next pair takes over.
    pub next_rotation: Timestamp,
}

/// A key pair with its name.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Pair {
    /// Its name, as tokens give it.
    pub id: String,
    /// Both halves, PKCS #8 in base64.
    private: Kept,
    /// The public half as JSON.
    pub public: Map<String, Value>,
}

/// The public half of a pair that signs no more.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Retired {
    /// The public half as JSON.
    pub public: Map<String, Value>,
    /// Until when it is published.
    pub ends: Timestamp,
}

impl Stored for NamedKey {
    const MAX_BYTES: usize = 1024 * 1024;
}

impl Noun for NamedKey {
    const FOLDER: &'static str = "key/";
}

impl NamedKey {
    /// The key of a name that is there without being stored.
    pub fn built_in(name: &str) -> Option<Self> {
        (name == DEFAULT).then(|| Self {
            allowed_client_ids: vec!["*".to_owned()],
            ..Self::new()
        })
    }

    /// A key as it is where nobody says otherwise.
    pub fn new() -> Self {
        Self {
            algorithm: Algorithm::Rs256.name().to_owned(),
            allowed_client_ids: Vec::new(),
            rotation_period: DEFAULT_PERIOD,
            verification_ttl: DEFAULT_PERIOD,
            signing: None,
            next: None,
            retired: Vec::new(),
            next_rotation: Timestamp::EPOCH,
        }
    }

    /// What it signs with.
    pub fn algorithm(&self) -> Result<Algorithm, Fault> {
        signing_algorithm(&self.algorithm)
    }

    /// Whether it may sign tokens for a client or role.
    pub fn admits(&self, client_id: &str) -> bool {
        admits(&self.allowed_client_ids, client_id)
    }

    /// How many new pairs [`NamedKey::refresh`] would take at `now`.
    pub fn lacks(&self, now: Timestamp) -> usize {
        match (&self.signing, &self.next) {
            (Some(_), Some(_)) if now < self.next_rotation => 0,
            (Some(_), Some(_)) => 1,
            _ => 2,
        }
    }

    /// Brings it up to date with as many new pairs as it lacks: makes it sign, or lets the next pair take over where that
    /// is due.
    pub fn refresh(&mut self, new: &[Pair], now: Timestamp) {
        match self.lacks(now) {
            0 => {}
            1 => self.rotate(new, self.verification_ttl, now),
            _ => self.restart(new, now),
        }
        self.forget_ended(now);
    }

    /// Lets the next pair take over; the one that signed can be verified for `verification` more.
    pub fn rotate(&mut self, new: &[Pair], verification: Duration, now: Timestamp) {
        self.retire(verification, now);
        self.signing = self.next.take();
        self.next = new.first().cloned();
        self.next_rotation = now.plus(self.rotation_period);
    }

    /// Takes two new pairs in the place of those it has: at the start, and when it gets another algorithm.
    pub fn restart(&mut self, new: &[Pair], now: Timestamp) {
        self.retire(self.verification_ttl, now);
        self.signing = new.first().cloned();
        self.next = new.get(1).cloned();
        self.next_rotation = now.plus(self.rotation_period);
    }

    /// Whether there is room for one more rotated key.
    pub fn has_room(&self, now: Timestamp) -> bool {
        let living = self.retired.iter().filter(|old| old.ends > now);
        living.count() < MAX_RETIRED
    }

    /// The public keys that verify its tokens at `now`.
    pub fn published(&self, now: Timestamp) -> impl Iterator<Item = &Map<String, Value>> {
        let old = self.retired.iter().filter(move |old| old.ends > now);
        let pairs = self.signing.iter().chain(&self.next);
        old.map(|old| &old.public)
            .chain(pairs.map(|pair| &pair.public))
    }

    fn retire(&mut self, verification: Duration, now: Timestamp) {
        let ends = now.plus(verification);
        let old = self.signing.take().map(|pair| Retired {
            public: pair.public,
            ends,
        });
        self.retired.extend(old.filter(|old| old.ends > now));
        self.forget_ended(now);
    }

    fn forget_ended(&mut self, now: Timestamp) {
        self.retired.retain(|old| old.ends > now);
        let surplus = self.retired.len().saturating_sub(MAX_RETIRED);
        self.retired.drain(..surplus);
    }
}

impl Default for NamedKey {
    fn default() -> Self {
        Self::new()
    }
}

impl Pair {
    /// A new pair. For RSA this computes for a tenth of a second and more.
    pub fn generate(algorithm: Algorithm, id: String) -> Result<Self, Fault> {
        let pair = SigningKey::generate(algorithm)?;
        let public = show_key(&id, pair.verifying_key());
        Ok(Self {
            private: Kept::new(STANDARD.encode(pair.to_pkcs8()?.expose())),
            public: public.ok_or_else(|| Fault::internal("a pair without a public half"))?,
            id,
        })
    }

    /// The pair, to sign with.
    pub fn open(&self, algorithm: Algorithm) -> Result<SigningKey, Fault> {
        let document = STANDARD.decode(self.private.expose()).map(Zeroizing::new);
        let document = document.map_err(Fault::internal)?;
        Ok(SigningKey::from_pkcs8(algorithm, &document)?)
    }
}

/// The algorithm of a name, among those that keys here sign with.
pub fn signing_algorithm(name: &str) -> Result<Algorithm, Fault> {
    let found = ALGORITHMS
        .into_iter()
        .find(|algorithm| algorithm.name() == name);
    found.ok_or_else(|| {
        let shown: String = name.chars().take(64).collect();
        Fault::Invalid(format!("unknown signing algorithm {shown:?}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(count: usize, first: usize) -> Vec<Pair> {
        let id = |number: usize| format!("pair-{}", first + number);
        (0..count)
            .map(|number| Pair::generate(Algorithm::EdDsa, id(number)).unwrap())
            .collect()
    }

    fn ids(key: &NamedKey, now: Timestamp) -> Vec<String> {
        let id = |public: &Map<String, Value>| public["kid"].as_str().unwrap().to_owned();
        key.published(now).map(id).collect()
    }

    fn at(hours: u64) -> Timestamp {
        Timestamp::from_secs(1_800_000_000 + hours * 3600)
    }

    #[test]
    fn the_next_pair_is_known_before_it_signs_and_an_old_one_until_it_is_too_old() {
        let mut key = NamedKey::new();
        key.verification_ttl = Duration::from_secs(36 * 3600);
        assert_eq!(key.lacks(at(0)), 2);
        key.refresh(&pairs(2, 1), at(0));
        assert_eq!(ids(&key, at(0)), ["pair-1", "pair-2"]);
        assert_eq!(key.signing.as_ref().unwrap().id, "pair-1");
        assert_eq!((key.lacks(at(23)), key.lacks(at(24))), (0, 1));
        key.refresh(&pairs(1, 3), at(24));
        assert_eq!(ids(&key, at(24)), ["pair-1", "pair-2", "pair-3"]);
        assert_eq!(key.signing.as_ref().unwrap().id, "pair-2");
        key.refresh(&pairs(1, 4), at(48));
        assert_eq!(ids(&key, at(59)), ["pair-1", "pair-2", "pair-3", "pair-4"]);
        assert_eq!(ids(&key, at(60)), ["pair-2", "pair-3", "pair-4"]);
    }

    #[test]
    fn a_long_silence_is_one_rotation() {
        let mut key = NamedKey::new();
        key.refresh(&pairs(2, 1), at(0));
        key.refresh(&pairs(1, 3), at(24 * 100));
        assert_eq!(key.lacks(at(24 * 100)), 0);
        assert_eq!(ids(&key, at(24 * 100)), ["pair-1", "pair-2", "pair-3"]);
    }

    #[test]
    fn rotating_without_verification_forgets_at_once() {
        let mut key = NamedKey::new();
        key.refresh(&pairs(2, 1), at(0));
        key.rotate(&pairs(1, 3), Duration::ZERO, at(1));
        assert_eq!(ids(&key, at(1)), ["pair-2", "pair-3"]);
    }

    #[test]
    fn another_algorithm_takes_new_pairs_and_keeps_the_old_verifiable() {
        let mut key = NamedKey::new();
        key.refresh(&pairs(2, 1), at(0));
        key.restart(&pairs(2, 3), at(1));
        assert_eq!(ids(&key, at(1)), ["pair-1", "pair-3", "pair-4"]);
    }

    #[test]
    fn the_number_of_old_keys_is_bounded() {
        let mut key = NamedKey::new();
        key.refresh(&pairs(2, 1), at(0));
        let one = pairs(1, 9);
        for _ in 0..MAX_RETIRED {
            assert!(key.has_room(at(0)));
            key.rotate(&one, DEFAULT_PERIOD, at(0));
        }
        assert!(!key.has_room(at(0)) && key.has_room(at(24)));
        key.rotate(&one, DEFAULT_PERIOD, at(0));
        assert_eq!(key.retired.len(), MAX_RETIRED);
    }

    #[test]
    fn private_halves_are_not_shown_and_sign_again() {
        let pair = pairs(1, 1).remove(0);
        assert!(format!("{pair:?}").contains("redacted"));
        let stored = serde_json::to_string(&pair).unwrap();
        let read: Pair = serde_json::from_str(&stored).unwrap();
        let signature = read.open(Algorithm::EdDsa).unwrap().sign(b"m").unwrap();
        let opened = pair.open(Algorithm::EdDsa).unwrap();
        assert!(opened.verifying_key().verify(b"m", &signature));
    }
}
