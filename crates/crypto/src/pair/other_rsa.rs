//! RSA as the one library lacks it. The arithmetic is that of another, which runs in constant time and blinds.

use std::convert::Infallible;

use rsa::rand_core::{TryCryptoRng, TryRng};
use rsa::traits::{PublicKeyParts as _, SignatureScheme};
use rsa::{Pkcs1v15Sign, PrivateKey, Pss, PublicKey, sha2};
use zeroize::Zeroizing;

use super::oaep::{Oaep, OaepHash};
use super::scheme::{RsaPadding, Salt, Scheme, SignHash};
use crate::{Error, Hash, Random};

/// Evaluates the body with `$D` as the type of the hash.
macro_rules! with_hash {
    ($hash:expr, $D:ident => $body:expr) => {
        match $hash {
            SignHash::None => Err(Error::Scheme),
            SignHash::Sha1 => {
                type $D = sha1::Sha1;
                $body
            }
            SignHash::Of(Hash::Sha224) => {
                type $D = sha2::Sha224;
                $body
            }
            SignHash::Of(Hash::Sha256) => {
                type $D = sha2::Sha256;
                $body
            }
            SignHash::Of(Hash::Sha384) => {
                type $D = sha2::Sha384;
                $body
            }
            SignHash::Of(Hash::Sha512) => {
                type $D = sha2::Sha512;
                $body
            }
            SignHash::Of(Hash::Sha3_224) => {
                type $D = sha3::Sha3_224;
                $body
            }
            SignHash::Of(Hash::Sha3_256) => {
                type $D = sha3::Sha3_256;
                $body
            }
            SignHash::Of(Hash::Sha3_384) => {
                type $D = sha3::Sha3_384;
                $body
            }
            SignHash::Of(Hash::Sha3_512) => {
                type $D = sha3::Sha3_512;
                $body
            }
        }
    };
}

/// The signature of a digest.
pub(super) fn sign(key: &PrivateKey, scheme: &Scheme, digest: &[u8]) -> Result<Vec<u8>, Error> {
    let RsaPadding::Pss(salt) = scheme.padding else {
        return made(key, pkcs1(scheme.hash)?, digest);
    };
    let hash_bytes = scheme.hash.bytes().ok_or(Error::Scheme)?;
    // The encoded message has one bit less than the modulus (RFC 8017 section 9.1.1).
    let room = usize::try_from(key.n().bit_width() - 1)
        .unwrap_or_default()
        .div_ceil(8);
    let greatest = room.checked_sub(hash_bytes + 2).ok_or(Error::Scheme)?;
    let length = match salt {
        Salt::Auto => greatest,
        Salt::Hash => hash_bytes,
        Salt::Length(length) => length,
    };
    if length > greatest {
        return Err(Error::Scheme);
    }
    with_hash!(scheme.hash, D => made(key, Pss::<D>::new_with_salt(length), digest))
}

/// Whether the signature is one of the digest.
pub(super) fn verifies(key: &PublicKey, scheme: &Scheme, digest: &[u8], signature: &[u8]) -> bool {
    let RsaPadding::Pss(salt) = scheme.padding else {
        let verified = pkcs1(scheme.hash).map(|padding| key.verify(padding, digest, signature));
        return verified.is_ok_and(|verified| verified.is_ok());
    };
    let verified: Result<bool, Error> = with_hash!(scheme.hash, D => {
        let mut padding = Pss::<D>::new();
        padding.salt_len = match salt {
            Salt::Auto => None,
            Salt::Hash => padding.salt_len,
            Salt::Length(length) => Some(length),
        };
        Ok(key.verify(padding, digest, signature).is_ok())
    });
    verified == Ok(true)
}

/// Decrypts with RSAES-OAEP by a hash that the library lacks. The first byte of what was padded is not looked at, so that nobody can
/// find out whether it was zero (Manger, CRYPTO 2001).
pub(super) fn decrypt(
    key: &PrivateKey,
    oaep: Oaep<'_>,
    ciphertext: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Error> {
    let mut random = Source(Random::system());
    let opened = match oaep.hash {
        OaepHash::Sha224 => key.decrypt_blinded(
            &mut random,
            rsa::Oaep::<sha2::Sha224>::new_with_label(oaep.label),
            ciphertext,
        ),
        _ => return Err(Error::Scheme),
    };
    opened.map(Zeroizing::new).map_err(|_| Error::Decrypt)
}

/// Encrypts so.
pub(super) fn encrypt(
    key: &PublicKey,
    oaep: Oaep<'_>,
    random: &Random,
    plaintext: &[u8],
) -> Result<Vec<u8>, Error> {
    let mut random = Source(random.clone());
    let sealed = match oaep.hash {
        OaepHash::Sha224 => key.encrypt(
            &mut random,
            rsa::Oaep::<sha2::Sha224>::new_with_label(oaep.label),
            plaintext,
        ),
        _ => return Err(Error::Scheme),
    };
    sealed.map_err(|_| Error::TooLong)
}

fn made(key: &PrivateKey, padding: impl SignatureScheme, digest: &[u8]) -> Result<Vec<u8>, Error> {
    let mut random = Source(Random::system());
    key.sign_with_rng(&mut random, padding, digest)
        .map_err(|_| Error::DigestLength)
}

fn pkcs1(hash: SignHash) -> Result<Pkcs1v15Sign, Error> {
    match hash {
        SignHash::None => Ok(Pkcs1v15Sign::new_unprefixed()),
        hash => with_hash!(hash, D => Ok(Pkcs1v15Sign::new::<D>())),
    }
}

/// Our randomness as theirs.
struct Source(Random);

impl TryRng for Source {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(u32::from_le_bytes(self.0.bytes()))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(u64::from_le_bytes(self.0.bytes()))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill(out);
        Ok(())
    }
}

impl TryCryptoRng for Source {}
