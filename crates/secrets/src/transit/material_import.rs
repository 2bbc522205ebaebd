//! Material that comes from outside: what of it makes a version of which key.

use coffer_crypto::pair::{KeyPair, PublicKey};
use coffer_engine::{Ctx, Fault};

use super::encoded::Encoded;
use super::key::{Bytes, Key, MAC_BYTES, Version};
use super::keys::HMAC_KEY_BYTES;
use super::kind::KeyKind;
use super::unwrapping;

/// A key as a client brings it.
pub(super) struct Brought<'a> {
    pub(super) ciphertext: &'a Encoded,
    pub(super) public_key: &'a str,
    pub(super) hash_function: &'a str,
}

/// Bytes of a version.
#[derive(Clone)]
pub(super) struct Material {
    /// Of pairs as PKCS #8; empty where only the public half came.
    pub(super) private: Bytes,
    /// Of pairs as `SubjectPublicKeyInfo`.
    pub(super) public: Bytes,
}

impl Brought<'_> {
    /// The material, of a key of this kind. What is wrapped counts where there is both.
    pub(super) async fn read(&self, cx: &Ctx, kind: KeyKind) -> Result<Material, Fault> {
        let hash = unwrapping::hash_named(self.hash_function)?;
        if !self.ciphertext.is_empty() {
            let key = unwrapping::unwrap(cx, hash, self.ciphertext).await?;
            return private(kind, &key);
        }
        let Some(pair) = kind.pair() else {
            return Err(Fault::invalid(
                "provided type does not support public_key import",
            ));
        };
        if self.public_key.is_empty() {
            return Err(Fault::invalid("give ciphertext, or public_key"));
        }
        let public = PublicKey::from_pem(self.public_key);
        let public = public.ok().filter(|public| public.kind() == pair);
        let public = public.ok_or_else(|| {
            Fault::Invalid(format!(
                "public_key is no public key of type {} in PEM",
                kind.name()
            ))
        })?;
        Ok(Material {
            private: Bytes::default(),
            public: Bytes::new(public.to_spki()),
        })
    }
}

fn private(kind: KeyKind, key: &[u8]) -> Result<Material, Fault> {
    if let Some(pair) = kind.pair() {
        let read = KeyPair::from_foreign_pkcs8(pair, key).map_err(|_| {
            Fault::Invalid(format!(
                "error importing key: what is wrapped is no key of type {} in PKCS #8",
                kind.name()
            ))
        })?;
        return Ok(Material {
            private: Bytes::new(read.to_pkcs8()?.expose().clone()),
            public: Bytes::new(read.public().to_spki()),
        });
    }
    let fits = match kind.cipher() {
        Some(cipher) => key.len() == cipher.key_bytes(),
        None => i64::try_from(key.len()).is_ok_and(|length| HMAC_KEY_BYTES.contains(&length)),
    };
    if !fits {
        return Err(Fault::Invalid(format!(
            "error importing key: invalid key size {} bytes for key type {}",
            key.len(),
            kind.name()
        )));
    }
    Ok(Material {
        private: Bytes::new(key.to_vec()),
        public: Bytes::default(),
    })
}

impl Material {
    /// A version of it. The key of HMACs is our own, but for HMAC keys.
    pub(super) fn version(self, cx: &Ctx, key: &Key) -> Version {
        let mac = match key.kind {
            KeyKind::Hmac => Bytes::default(),
            _ => Bytes::new(cx.random.secret_bytes::<MAC_BYTES>().expose().to_vec()),
        };
        Version {
            created: cx.now,
            key: self.private,
            public: self.public,
            mac,
            certificates: Vec::new(),
        }
    }
}
