//! Keys of contexts, and nonces that follow from what is encrypted.
//!
//! The key of a context is HKDF-SHA-256 (RFC 5869) of the version's key, without a salt, with the context as `info`. A
//! convergent key takes 32 bytes more of the same: the key of an HMAC-SHA-256 of the plaintext, whose first bytes are the
//! nonce. So the same plaintext in the same context has the same ciphertext, and no two others share a nonce.

use coffer_crypto::cipher::{Cipher, CipherKey};
use coffer_crypto::{HmacKey, Zeroizing, hkdf_sha256};
use coffer_engine::Fault;

use super::key::Key;

/// Bytes of the key that makes nonces.
const NONCE_KEY_BYTES: usize = 32;
/// Keeps nonces of plaintexts with associated data apart from those of plaintexts without.
const ASSOCIATED: &[u8] = b"coffer transit convergent nonce, associated data";

impl Key {
    /// The key of a context, made as this key makes them.
    pub(super) fn context_key(
        &self,
        cipher: Cipher,
        own: &[u8],
        context: &[u8],
    ) -> Result<ContextKey, Fault> {
        match self.counter_kdf {
            true => ContextKey::by_counter(cipher, own, context),
            false => ContextKey::new(cipher, own, context, self.convergent),
        }
    }
}

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

    /// That of `context` in counter mode, of a key that makes them so: HMAC-SHA-256 as pseudorandom function (NIST SP 800-108r1
    /// section 4.1), over the number of the block, the context and how many bits are wanted. Blocks are counted from zero.
    pub(super) fn by_counter(cipher: Cipher, key: &[u8], context: &[u8]) -> Result<Self, Fault> {
        let bytes = cipher.key_bytes(); // A block gives 32 and none takes more.
        let bits = u32::try_from(bytes * 8).unwrap_or(0).to_be_bytes();
        let block = HmacKey::new(key).sign_parts(&[&0u32.to_be_bytes(), context, &bits]);
        let block = Zeroizing::new(block);
        Ok(Self {
            cipher: CipherKey::new(cipher, block.get(..bytes).unwrap_or_default())?,
            nonces: None,
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

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    /// What OpenBao 2.7 made of `hello` in the context `abc` under exported keys: without, and with, the associated data
    /// `more`.
    const THEIRS: [(Cipher, &str, &str, &str); 4] = [
        (
            Cipher::Aes128Gcm,
            "XIk4zio302X0SgBg48C4tA==",
            "wID4HrbeQQ9vHSVSp4serQUuPEEPLLmKqInbwYgx0xfe",
            "wID4HrbeQQ9vHSVSp4serQV8TmJAzLm3BuzvZuAK+jq3",
        ),
        (
            Cipher::Aes256Gcm,
            "gGn792faw6cmiPX3PYkIDXJbCIsQ62+cWFWZXvTUgQY=",
            "qkMgW+Heugdsx1jrG9S9OBwYGfLFJFrItWttSgHQCSp3",
            "qkMgW+Heugdsx1jrG9S9OByfxvw0TvcPvotELsuVj0W4",
        ),
        (
            Cipher::ChaCha20Poly1305,
            "TYprxfO8jvKjPXlDN2B7cHt7WS18ozvkbAl5wpFwJ30=",
            "gIEoMyov+e3I6bE6k9VLLw0V3sU54xegzGIV8lMkGm/u",
            "gIEoMyov+e3I6bE6k9VLLw1/zxZHHbLTcOfiALQYRtuv",
        ),
        (
            Cipher::XChaCha20Poly1305,
            "L4mxeOFRmn5pWUGsUyxpx7/MPw1PGh7ZGD6IvBKDDSQ=",
            "Kq10MK0yqOc2r7Ji121yEuPE5ZsuTuT9mU0OgHwGijSibCo3l9Xjz5GLGHt6",
            "Kq10MK0yqOc2r7Ji121yEuPE5ZsuTuT9mU0OgHwt/YWRCuCROigCvb6kPO5i",
        ),
    ];

    #[test]
    fn contexts_have_the_keys_and_nonces_of_the_reference() {
        let decoded = |text: &str| STANDARD.decode(text).unwrap();
        for (cipher, key, plain, with_data) in THEIRS {
            let own = ContextKey::new(cipher, &decoded(key), b"abc", true).unwrap();
            assert_eq!(*own.cipher.open(b"", &decoded(plain)).unwrap(), b"hello");
            assert_eq!(
                *own.cipher.open(b"more", &decoded(with_data)).unwrap(),
                b"hello"
            );
            let nonce = own.nonce(b"hello", b"").unwrap();
            let ours = own
                .cipher
                .seal_with(&nonce[..cipher.nonce_bytes()], b"", b"hello");
            assert_eq!(ours.unwrap(), decoded(plain), "{cipher:?}");
            let other = ContextKey::new(cipher, &decoded(key), b"abd", true).unwrap();
            assert!(other.cipher.open(b"", &decoded(plain)).is_err());
        }
    }

    /// Two tags under one nonce would give the key of the authentication away.
    #[test]
    fn associated_data_changes_the_nonce() {
        let own = ContextKey::new(Cipher::Aes256Gcm, &[7; 32], b"abc", true).unwrap();
        let nonces: std::collections::BTreeSet<_> = [&b""[..], b"a", b"b", b"ab"]
            .iter()
            .map(|data| own.nonce(b"hello", data).unwrap())
            .collect();
        assert_eq!(nonces.len(), 4);
        assert_eq!(own.nonce(b"hello", b"a"), own.nonce(b"hello", b"a"));
        let random = ContextKey::new(Cipher::Aes256Gcm, &[7; 32], b"abc", false).unwrap();
        assert_eq!(random.nonce(b"hello", b""), None);
    }
}
