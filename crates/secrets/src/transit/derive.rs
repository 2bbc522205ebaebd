//! Keys of contexts, and nonces that follow from what is encrypted.
//!
//! The key of a context is HKDF-SHA-256 (RFC 5869) of the version's key, without a salt, with the context as `info`. A
//! convergent key takes 32 bytes more of the same: the key of an HMAC-SHA-256 of the plaintext, whose first bytes are the
//! nonce. So the same plaintext in the same context has the same ciphertext, and no two others share a nonce.

use coffer_crypto::cipher::{Cipher, CipherKey};
use coffer_crypto::{HmacKey, Zeroizing, hkdf_sha256};
use coffer_engine::Fault;

/// Bytes of the key that makes nonces.
const NONCE_KEY_BYTES: usize = 32;
/// Keeps nonces of plaintexts with associated data apart from those of plaintexts without.
const ASSOCIATED: &[u8] = b"coffer transit convergent nonce, associated data";

/// The key of one context.
pub(super) struct ContextKey {
    pub(super) cipher: CipherKey,
    nonces: Option<HmacKey>,
}

impl ContextKey {
    /// That of `context` under the key of a version.
    pub(super) fn new(
        cipher: Cipher,
        key: &[u8],
        context: &[u8],
        convergent: bool,
    ) -> Result<Self, Fault> {
        let length = cipher.key_bytes() + if convergent { NONCE_KEY_BYTES } else { 0 };
        let mut derived = Zeroizing::new(vec![0; length]);
        hkdf_sha256(key, &[], context, &mut derived)?;
        let (own, nonces) = derived.split_at(cipher.key_bytes());
        Ok(Self {
            cipher: CipherKey::new(cipher, own)?,
            nonces: convergent.then(|| HmacKey::new(nonces)),
        })
    }

    /// The nonce of a plaintext, where it is not a random one.
    ///
    /// Associated data is part of it: the same nonce under two tags would tell what authenticates (Joux, "Authentication
    /// failures in NIST version of GCM"). The reference leaves it out; it decrypts both.
    pub(super) fn nonce(&self, plaintext: &[u8], associated: &[u8]) -> Option<[u8; 32]> {
        let nonces = self.nonces.as_ref()?;
        Some(match associated {
            [] => nonces.sign(plaintext),
            _ => HmacKey::new(&nonces.sign_parts(&[ASSOCIATED, associated])).sign(plaintext),
        })
    }
}
