//! Numbered keys, their rotation, and the format of what they encrypt.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use zeroize::Zeroizing;

use crate::aead::{KEY_BYTES, NONCE_BYTES, TAG_BYTES};
use crate::{Aes256Key, Error, Random, WipingBuffer};

/// Encryptions after which a key should be rotated: 2^31.
///
/// With random 96-bit nonces NIST SP 800-38D section 8.3 allows 2^32 uses of a key, so that the chance of a repeated nonce
/// stays below 2^-32. Half of it leaves a wide margin for the uses that a crash forgets: the count is only as durable as the
/// last time that the ring was serialised.
pub const ROTATE_AFTER_ENCRYPTIONS: u64 = 1 << 31;

/// Encryptions at which a key refuses to go on: 2^32, the bound itself.
pub const ENCRYPTIONS_MAX: u64 = 1 << 32;

/// Keys that a ring holds at most; at one rotation an hour this is seven years.
pub const TERMS_MAX: usize = 65_536;

/// The bytes that an encryption adds to its plaintext.
pub const OVERHEAD_BYTES: usize = HEADER_BYTES + NONCE_BYTES + TAG_BYTES;

/// All keys that ever encrypted what is stored, numbered by *terms* from 1 on. The last one is active and encrypts; each
/// decrypts what it encrypted.
///
/// An encrypted value is laid out as
///
/// ```text
/// version(1) = 0x01 ‖ term(4, big-endian) ‖ nonce(12) ‖ ciphertext(as long as the plaintext) ‖ tag(16)
/// ```
///
/// under AES-256-GCM with a random nonce and the associated data
///
/// ```text
/// "coffer.barrier.v1" ‖ version(1) ‖ term(4, big-endian) ‖ path(UTF-8, to the end)
/// ```
///
/// so that a value which was moved to another path, or given another term or version, does not decrypt. The parts before the
/// path have fixed lengths, so no two places share associated data.
///
/// Cloning is cheap and shares the keys and their counts of uses. That lets a rotation be made in a clone, stored, and only
/// then put in the place of the old ring: one that could not be stored leaves nothing behind in memory, and whoever still
/// encrypts with the old ring is counted in the new one.
#[derive(Clone)]
pub struct KeyRing {
    /// The last of `terms`.
    active: Arc<Term>,
    /// In order of their numbers without a gap: term `n` is at `n - 1`.
    terms: Vec<Arc<Term>>,
}

/// What may be told about a term's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TermInfo {
    /// Number of the key, from 1.
    pub term: u32,
    /// When it became active, in seconds since the Unix epoch.
    pub installed: u64,
    /// How often it encrypted.
    pub encryptions: u64,
}

impl KeyRing {
    /// A new ring with one random key, term 1. `now` is in seconds since the Unix epoch.
    ///
    /// # Errors
    /// None in practice; see [`Aes256Key::from_secret`].
    pub fn new(random: &Random, now: u64) -> Result<Self, Error> {
        let first = Arc::new(Term::generate(random, 1, now)?);
        Ok(Self {
            active: Arc::clone(&first),
            terms: vec![first],
        })
    }

    /// Adds a random key and makes it the active one; answers its term.
    ///
    /// # Errors
    /// [`Error::KeyRingFull`] after [`TERMS_MAX`] terms.
    pub fn rotate(&mut self, random: &Random, now: u64) -> Result<u32, Error> {
        if self.terms.len() >= TERMS_MAX {
            return Err(Error::KeyRingFull);
        }
        self.active = Arc::new(Term::generate(random, self.active.number + 1, now)?);
        self.terms.push(Arc::clone(&self.active));
        Ok(self.active.number)
    }

    /// The term that encrypts.
    #[must_use]
    pub fn active(&self) -> u32 {
        self.active.number
    }

    /// What may be told about the active term.
    #[must_use]
    pub fn info(&self) -> TermInfo {
        self.active.info()
    }

    /// What may be told about any term; none where the ring has no such term.
    #[must_use]
    pub fn term_info(&self, term: u32) -> Option<TermInfo> {
        self.term(term).map(Term::info)
    }

    /// Whether the active key encrypted `limit` times or more; pass [`ROTATE_AFTER_ENCRYPTIONS`] where nothing else is
    /// configured.
    #[must_use]
    pub fn needs_rotation(&self, limit: u64) -> bool {
        self.info().encryptions >= limit
    }

    /// Encrypts `plaintext` under the active key for the place `path`, in the layout above.
    ///
    /// # Errors
    /// [`Error::KeyUsedUp`] at [`ENCRYPTIONS_MAX`] uses, [`Error::TooLong`] beyond the cipher's bound.
    pub fn encrypt(&self, random: &Random, path: &str, plaintext: &[u8]) -> Result<Vec<u8>, Error> {
        let key = &self.active;
        // Counted before the use, so that concurrent callers cannot pass the bound together.
        if key.encryptions.fetch_add(1, Ordering::Relaxed) >= ENCRYPTIONS_MAX {
            key.encryptions.fetch_sub(1, Ordering::Relaxed);
            return Err(Error::KeyUsedUp);
        }
        let mut out = Vec::with_capacity(plaintext.len().saturating_add(OVERHEAD_BYTES));
        out.push(VALUE_VERSION);
        out.extend_from_slice(&key.number.to_be_bytes());
        key.cipher.seal_onto(
            &mut out,
            random,
            &associated_data(key.number, path),
            plaintext,
        )?;
        Ok(out)
    }

    /// Undoes [`KeyRing::encrypt`] for the same `path`, whichever of the ring's keys encrypted.
    ///
    /// # Errors
    /// [`Error::Decrypt`] for whatever is wrong.
    pub fn decrypt(&self, path: &str, encrypted: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        let (version, rest) = encrypted.split_first().ok_or(Error::Decrypt)?;
        let (term, sealed) = rest.split_first_chunk().ok_or(Error::Decrypt)?;
        let term = u32::from_be_bytes(*term);
        if *version != VALUE_VERSION {
            return Err(Error::Decrypt);
        }
        let key = self.term(term).ok_or(Error::Decrypt)?;
        key.cipher.open(&associated_data(term, path), sealed)
    }

    /// The whole ring in plain bytes, to be sealed at once under the root key:
    ///
    /// ```text
    /// version(1) = 0x01 ‖ count(4, big-endian) ‖ count × [ installed(8, big-endian) ‖ encryptions(8, big-endian) ‖ key(32) ]
    /// ```
    ///
    /// Terms follow from the order, beginning with 1.
    #[must_use]
    pub fn serialize(&self) -> Zeroizing<Vec<u8>> {
        let mut out = WipingBuffer::with_capacity(5 + self.terms.len() * TERM_BYTES);
        out.extend(&[RING_VERSION]);
        out.extend(&self.active.number.to_be_bytes());
        for term in &self.terms {
            out.extend(&term.installed.to_be_bytes());
            out.extend(&term.encryptions.load(Ordering::Relaxed).to_be_bytes());
            out.extend(term.cipher.expose_bytes());
        }
        out.into_inner()
    }

    /// Reads what [`KeyRing::serialize`] wrote.
    ///
    /// # Errors
    /// [`Error::KeyRingVersion`] for a format that this program does not know, [`Error::KeyRingDamaged`] for anything else.
    pub fn deserialize(bytes: &[u8]) -> Result<Self, Error> {
        let (version, rest) = bytes.split_first().ok_or(Error::KeyRingDamaged)?;
        if *version != RING_VERSION {
            return Err(Error::KeyRingVersion(*version));
        }
        let (count, rest) = rest.split_first_chunk().ok_or(Error::KeyRingDamaged)?;
        let count = u32::from_be_bytes(*count);
        let (stored, excess) = rest.as_chunks::<TERM_BYTES>();
        if stored.len() > TERMS_MAX
            || u32::try_from(stored.len()) != Ok(count)
            || !excess.is_empty()
        {
            return Err(Error::KeyRingDamaged);
        }
        let read = |(number, bytes)| Term::read(number, bytes).map(Arc::new);
        let terms = (1..).zip(stored).map(read).collect::<Result<Vec<_>, _>>()?;
        let active = terms.last().cloned().ok_or(Error::KeyRingDamaged)?;
        Ok(Self { active, terms })
    }

    fn term(&self, term: u32) -> Option<&Term> {
        let at = usize::try_from(term.checked_sub(1)?).ok()?;
        self.terms.get(at).map(Arc::as_ref)
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRing")
            .field("active", &self.info())
            .finish_non_exhaustive()
    }
}

/// One key of the ring.
struct Term {
    number: u32,
    installed: u64,
    encryptions: AtomicU64,
    cipher: Aes256Key,
}

impl Term {
    fn generate(random: &Random, number: u32, now: u64) -> Result<Self, Error> {
        Ok(Self {
            number,
            installed: now,
            encryptions: AtomicU64::new(0),
            cipher: Aes256Key::generate(random)?,
        })
    }

    fn read(number: u32, bytes: &[u8; TERM_BYTES]) -> Result<Self, Error> {
        let (installed, rest) = bytes.split_first_chunk().ok_or(Error::KeyRingDamaged)?;
        let (encryptions, key) = rest.split_first_chunk().ok_or(Error::KeyRingDamaged)?;
        // A count at the bound already refuses; one near 2^64 would wrap to zero and allow again.
        let encryptions = u64::from_be_bytes(*encryptions).min(ENCRYPTIONS_MAX);
        Ok(Self {
            number,
            installed: u64::from_be_bytes(*installed),
            encryptions: AtomicU64::new(encryptions),
            cipher: Aes256Key::from_slice(key).map_err(|_| Error::KeyRingDamaged)?,
        })
    }

    fn info(&self) -> TermInfo {
        TermInfo {
            term: self.number,
            installed: self.installed,
            encryptions: self.encryptions.load(Ordering::Relaxed),
        }
    }
}

fn associated_data(term: u32, path: &str) -> Vec<u8> {
    let mut data = Vec::with_capacity(DOMAIN.len() + HEADER_BYTES + path.len());
    data.extend_from_slice(DOMAIN);
    data.push(VALUE_VERSION);
    data.extend_from_slice(&term.to_be_bytes());
    data.extend_from_slice(path.as_bytes());
    data
}

/// Names the use in the associated data, so that nothing else under the same key could pass for a stored value.
const DOMAIN: &[u8] = b"coffer.barrier.v1";
/// The layout of an encrypted value.
const VALUE_VERSION: u8 = 1;
/// Version and term.
const HEADER_BYTES: usize = 1 + 4;
/// The layout of a serialised ring.
const RING_VERSION: u8 = 1;
/// One term of a serialised ring.
const TERM_BYTES: usize = 8 + 8 + KEY_BYTES;

#[cfg(test)]
mod tests {
    use super::*;

    fn ring() -> (Random, KeyRing) {
        let random = Random::seeded_for_tests(11);
        let ring = KeyRing::new(&random, 1_000).unwrap();
        (random, ring)
    }

    #[test]
    fn is_shared_between_threads() {
        fn check<T: Send + Sync + 'static>() {}
        check::<KeyRing>();
    }

    #[test]
    fn the_layout_is_fixed() {
        let (random, ring) = ring();
        let encrypted = ring.encrypt(&random, "sys/a", b"four").unwrap();
        assert_eq!(encrypted.len(), 4 + OVERHEAD_BYTES);
        assert_eq!(encrypted[..5], [1, 0, 0, 0, 1]);
        // Opened by the bare cipher with associated data spelt out here.
        let key = Aes256Key::from_slice(&ring.serialize()[21..53]).unwrap();
        let opened = key
            .open(
                b"coffer.barrier.v1\x01\x00\x00\x00\x01sys/a",
                &encrypted[5..],
            )
            .unwrap();
        assert_eq!(*opened, b"four");
    }

    #[test]
    fn old_terms_decrypt_and_the_newest_encrypts() {
        let (random, mut ring) = ring();
        let old = ring.encrypt(&random, "p", b"old").unwrap();
        assert_eq!(ring.rotate(&random, 2_000), Ok(2));
        let new = ring.encrypt(&random, "p", b"new").unwrap();
        assert_eq!(new[1..5], [0, 0, 0, 2]);
        assert_eq!(*ring.decrypt("p", &old).unwrap(), b"old");
        assert_eq!(*ring.decrypt("p", &new).unwrap(), b"new");
        assert_eq!(
            ring.info(),
            TermInfo {
                term: 2,
                installed: 2_000,
                encryptions: 1
            }
        );
        assert_eq!(
            ring.term_info(1),
            Some(TermInfo {
                term: 1,
                installed: 1_000,
                encryptions: 1
            })
        );
        assert_eq!((ring.term_info(0), ring.term_info(3)), (None, None));
    }

    #[test]
    fn another_term_of_the_ring_does_not_decrypt() {
        let (random, mut ring) = ring();
        let mut moved = ring.encrypt(&random, "p", b"x").unwrap();
        ring.rotate(&random, 0).unwrap();
        for term in [0u32, 2, 3, u32::MAX] {
            moved[1..5].copy_from_slice(&term.to_be_bytes());
            assert_eq!(ring.decrypt("p", &moved), Err(Error::Decrypt));
        }
    }

    #[test]
    fn a_clone_shares_keys_and_counts_but_not_rotation() {
        let (random, ring) = ring();
        let mut next = ring.clone();
        next.rotate(&random, 2_000).unwrap();
        let late = ring.encrypt(&random, "p", b"late").unwrap();
        assert_eq!((ring.active(), next.active()), (1, 2));
        assert_eq!(*next.decrypt("p", &late).unwrap(), b"late");
        assert_eq!(next.term_info(1).unwrap().encryptions, 1);
    }

    #[test]
    fn uses_are_counted_and_bounded() {
        let (random, ring) = ring();
        assert!(!ring.needs_rotation(3));
        for _ in 0..3 {
            ring.encrypt(&random, "p", b"").unwrap();
        }
        assert!(ring.needs_rotation(3));

        let mut bytes = ring.serialize().to_vec();
        bytes[13..21].copy_from_slice(&(ENCRYPTIONS_MAX - 1).to_be_bytes());
        let mut worn = KeyRing::deserialize(&bytes).unwrap();
        assert!(worn.needs_rotation(ROTATE_AFTER_ENCRYPTIONS));
        let last = worn.encrypt(&random, "p", b"last").unwrap();
        assert_eq!(
            worn.encrypt(&random, "p", b"one more"),
            Err(Error::KeyUsedUp)
        );
        assert_eq!(worn.info().encryptions, ENCRYPTIONS_MAX);
        assert_eq!(*worn.decrypt("p", &last).unwrap(), b"last");
        worn.rotate(&random, 0).unwrap();
        assert!(worn.encrypt(&random, "p", b"one more").is_ok());
    }

    #[test]
    fn a_damaged_ring_is_named() {
        let (_, ring) = ring();
        let good = ring.serialize();
        for length in 0..good.len() {
            assert_eq!(
                KeyRing::deserialize(&good[..length]).unwrap_err(),
                Error::KeyRingDamaged
            );
        }
        let with = |at: usize, byte: u8| {
            let mut bytes = good.to_vec();
            bytes[at] = byte;
            KeyRing::deserialize(&bytes).unwrap_err()
        };
        assert_eq!(with(0, 2), Error::KeyRingVersion(2));
        assert_eq!(with(4, 0), Error::KeyRingDamaged);
        assert_eq!(with(1, 0xFF), Error::KeyRingDamaged);
        assert_eq!(
            KeyRing::deserialize(&[1, 0, 0, 0, 0]).unwrap_err(),
            Error::KeyRingDamaged
        );
    }

    #[test]
    fn a_full_ring_does_not_rotate() {
        let (random, ring) = ring();
        let count = u32::try_from(TERMS_MAX).unwrap();
        let term = &ring.serialize()[5..];
        let stored = |count: u32| {
            [
                &[RING_VERSION][..],
                &count.to_be_bytes(),
                &term.repeat(count as usize),
            ]
            .concat()
        };
        let mut full = KeyRing::deserialize(&stored(count)).unwrap();
        assert_eq!(full.active(), count);
        assert_eq!(full.rotate(&random, 0), Err(Error::KeyRingFull));
        assert_eq!(
            KeyRing::deserialize(&stored(count + 1)).unwrap_err(),
            Error::KeyRingDamaged
        );
    }

    #[test]
    fn a_count_beyond_the_bound_does_not_wrap() {
        let (random, ring) = ring();
        let mut bytes = ring.serialize().to_vec();
        bytes[13..21].fill(0xFF);
        let worn = KeyRing::deserialize(&bytes).unwrap();
        assert_eq!(worn.encrypt(&random, "p", b""), Err(Error::KeyUsedUp));
        assert_eq!(worn.info().encryptions, ENCRYPTIONS_MAX);
    }

    #[test]
    fn debug_shows_no_key() {
        let (_, ring) = ring();
        let shown = format!("{ring:?}");
        assert_eq!(
            shown,
            "KeyRing { active: TermInfo { term: 1, installed: 1000, encryptions: 0 }, .. }"
        );
    }
}
