//! The source of randomness and what is drawn from it.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use zeroize::Zeroize;

use crate::{Secret, hash};

/// The source of randomness, handed to whoever needs it: a cheap handle that can be cloned and shared.
///
/// [`Random::system`] is the cryptographic library's own generator, seeded from the operating system. Tests that must give
/// the same bytes each time pass [`Random::seeded_for_tests`].
#[derive(Clone, Default)]
pub struct Random {
    source: Source,
}

impl Random {
    /// The real source.
    #[must_use]
    pub fn system() -> Self {
        Self {
            source: Source::System,
        }
    }

    /// A source that gives the same bytes for the same seed. **Never outside tests**: who knows the seed knows the keys.
    ///
    /// Clones share one stream.
    #[must_use]
    pub fn seeded_for_tests(seed: u64) -> Self {
        Self {
            source: Source::Seeded(Arc::new(Mutex::new(Stream { seed, block: 0 }))),
        }
    }

    /// Fills `out` with random bytes.
    ///
    /// # Panics
    /// Where the operating system refuses randomness: there is no safe way to go on. The library itself stops the process
    /// in that case, so this is not seen in practice.
    pub fn fill(&self, out: &mut [u8]) {
        match &self.source {
            Source::System =>
            {
                #[expect(
                    clippy::panic,
                    reason = "without randomness every key and token would be guessable"
                )]
                if aws_lc_rs::rand::fill(out).is_err() {
                    panic!("the operating system gives no randomness");
                }
            }
            Source::Seeded(stream) => stream
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .fill(out),
        }
    }

    /// `N` random bytes, for what is not secret (nonces, salts, identifiers).
    #[must_use]
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut out = [0; N];
        self.fill(&mut out);
        out
    }

    /// `N` random bytes made where they are kept, for keys.
    #[must_use]
    pub fn secret_bytes<const N: usize>(&self) -> Secret<[u8; N]> {
        let mut out = Secret::new([0; N]);
        self.fill(out.expose_mut());
        out
    }

    /// `length` characters of `0-9A-Za-z`, each equally likely: 5.95 bits of entropy a character.
    #[must_use]
    pub fn base62(&self, length: usize) -> String {
        let mut text = String::with_capacity(length);
        let mut pool = [0u8; 64];
        while text.len() < length {
            self.fill(&mut pool);
            // 248 is the greatest multiple of 62 in a byte: what lies above it would favour the first eight characters.
            let fair = pool
                .iter()
                .filter(|&&byte| byte < 248)
                .map(|byte| usize::from(byte % 62));
            text.extend(
                fair.filter_map(|at| BASE62.get(at))
                    .take(length - text.len())
                    .map(|&character| char::from(character)),
            );
        }
        pool.zeroize();
        text
    }

    /// A number from 0 up to but without `below`, each equally likely. A `below` of 0 gives 0, as 1 does.
    #[must_use]
    pub fn uniform(&self, below: u64) -> u64 {
        // Draw as many bits as `below - 1` has and try again above it: fewer than two draws on average.
        let mask = match below {
            0 | 1 => return 0,
            _ => u64::MAX >> (below - 1).leading_zeros(),
        };
        loop {
            let drawn = u64::from_le_bytes(self.bytes()) & mask;
            if drawn < below {
                return drawn;
            }
        }
    }

    /// One of `items`, each equally likely; none where there are none.
    #[must_use]
    pub fn choose<'a, T>(&self, items: &'a [T]) -> Option<&'a T> {
        items.get(self.index(items.len()))
    }

    /// Brings `items` into a random order, each order equally likely (Fisher-Yates).
    pub fn shuffle<T>(&self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.index(last + 1));
        }
    }

    /// A random identifier (RFC 9562 section 5.4, UUID version 4) in lower-case text with hyphens.
    #[must_use]
    pub fn uuid_v4(&self) -> String {
        let drawn = u128::from_be_bytes(self.bytes());
        let marked = drawn & !(0xF << 76) & !(0x3 << 62) | (0x4 << 76) | (0x2 << 62);
        let field = |shift: u32, bits: u32| (marked >> shift) & ((1 << bits) - 1);
        format!(
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            field(96, 32),
            field(80, 16),
            field(64, 16),
            field(48, 16),
            field(0, 48)
        )
    }

    fn index(&self, below: usize) -> usize {
        // Lossless both ways: the result is below a `usize`.
        usize::try_from(self.uniform(below as u64)).unwrap_or(0)
    }
}

impl fmt::Debug for Random {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.source {
            Source::System => "Random(system)",
            Source::Seeded(_) => "Random(seeded for tests)",
        })
    }
}

#[derive(Clone, Default)]
enum Source {
    #[default]
    System,
    Seeded(Arc<Mutex<Stream>>),
}

/// SHA-256 in counter mode: even and repeatable, which is all that a test asks.
struct Stream {
    seed: u64,
    block: u64,
}

impl Stream {
    fn fill(&mut self, out: &mut [u8]) {
        for chunk in out.chunks_mut(32) {
            let block =
                hash::sha256([self.seed.to_be_bytes(), self.block.to_be_bytes()].as_flattened());
            self.block += 1;
            chunk
                .iter_mut()
                .zip(block)
                .for_each(|(to, from)| *to = from);
        }
    }
}

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_seed_repeats_and_the_system_does_not() {
        assert_eq!(
            Random::seeded_for_tests(7).bytes::<70>(),
            Random::seeded_for_tests(7).bytes::<70>()
        );
        assert_ne!(
            Random::seeded_for_tests(7).bytes::<32>(),
            Random::seeded_for_tests(8).bytes::<32>()
        );
        assert_ne!(
            Random::system().bytes::<32>(),
            Random::system().bytes::<32>()
        );
        let shared = Random::seeded_for_tests(7);
        assert_ne!(shared.clone().bytes::<32>(), shared.bytes::<32>());
    }

    #[test]
    fn base62_has_the_length_and_every_character_about_equally() {
        let random = Random::seeded_for_tests(3);
        for length in [0, 1, 24, 63, 64, 65, 200] {
            assert_eq!(random.base62(length).len(), length);
        }
        let mut counts = [0u32; 128];
        for byte in random.base62(62_000).bytes() {
            counts[usize::from(byte)] += 1;
        }
        // 1,000 expected each, standard deviation 32: six of them either way.
        assert!(
            BASE62
                .iter()
                .all(|&byte| (800..1200).contains(&counts[usize::from(byte)])),
            "{counts:?}"
        );
        assert_eq!(counts.iter().sum::<u32>(), 62_000);
    }

    #[test]
    fn uniform_stays_below_and_reaches_all() {
        let random = Random::seeded_for_tests(4);
        assert_eq!((random.uniform(0), random.uniform(1)), (0, 0));
        let seen: HashSet<u64> = (0..1000).map(|_| random.uniform(5)).collect();
        assert_eq!(seen, HashSet::from([0, 1, 2, 3, 4]));
        assert!((0..100).all(|_| random.uniform((1 << 63) + 1) <= 1 << 63));
        assert!((0..100).any(|_| random.uniform(u64::MAX) > 1 << 63));
    }

    #[test]
    fn choosing_and_shuffling_keep_the_items() {
        let random = Random::seeded_for_tests(5);
        assert_eq!(random.choose::<u8>(&[]), None);
        assert_eq!(random.choose(&[9]), Some(&9));
        let mut items: Vec<u32> = (0..100).collect();
        random.shuffle(&mut items);
        assert_ne!(items, (0..100).collect::<Vec<_>>());
        items.sort_unstable();
        assert_eq!(items, (0..100).collect::<Vec<_>>());
    }

    #[test]
    fn uuids_bear_version_and_variant() {
        let random = Random::seeded_for_tests(6);
        for _ in 0..100 {
            let uuid = random.uuid_v4();
            let lengths: Vec<usize> = uuid.split('-').map(str::len).collect();
            assert_eq!(lengths, [8, 4, 4, 4, 12]);
            assert_eq!(&uuid[14..15], "4");
            assert!(matches!(&uuid[19..20], "8" | "9" | "a" | "b"), "{uuid}");
            assert!(
                uuid.bytes()
                    .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b'-'))
            );
        }
    }
}
