//! Pairs that follow from a seed.

use aws_lc_rs::encoding::AsBigEndian as _;
use aws_lc_rs::signature::{Ed25519KeyPair, PqdsaKeyPair};

use super::kind::PairKind;
use super::private::{KeyPair, Private};
use crate::{Error, Secret, der};

/// Bytes of a seed.
const BYTES: usize = 32;

impl PairKind {
    /// Whether its private half is a seed of 32 bytes, and its public one a text of bytes: Ed25519 and ML-DSA.
    #[must_use]
    pub fn has_seed(self) -> bool {
        self == Self::Ed25519 || self.lattice().is_some()
    }
}

impl KeyPair {
    /// The pair that this seed is, of Ed25519 (RFC 8032 section 5.1.5) or ML-DSA (FIPS 204 section 6.1).
    ///
    /// # Errors
    /// [`Error::KeyUnfit`] where the kind has no seed.
    pub fn from_seed(kind: PairKind, seed: &[u8; BYTES]) -> Result<Self, Error> {
        let unfit = |_| Error::KeyUnfit;
        let private = if let Some((signing, _)) = kind.lattice() {
            let pair = PqdsaKeyPair::from_seed(signing, seed).map_err(unfit)?;
            Private::Lattice(Box::new(pair))
        } else if kind == PairKind::Ed25519 {
            let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(unfit)?;
            Private::Edwards(Box::new(pair))
        } else {
            return Err(Error::KeyUnfit);
        };
        Self::of(kind, private)
    }

    /// The seed, for the kinds that have one.
    #[must_use]
    pub fn seed(&self) -> Option<Secret<Vec<u8>>> {
        match &self.private {
            Private::Edwards(pair) => {
                let seed = pair.seed().ok()?;
                let bytes = seed.as_be_bytes().ok()?;
                Some(Secret::new(bytes.as_ref().to_vec()))
            }
            Private::Lattice(_) => {
                let document = self.to_pkcs8().ok()?;
                let inner = der::inner_private_key(document.expose())?;
                let seed = der::only(der::SEED, inner)?;
                Some(seed)
                    .filter(|seed| seed.len() == BYTES)
                    .map(|seed| Secret::new(seed.to_vec()))
            }
            _ => None,
        }
    }
}
