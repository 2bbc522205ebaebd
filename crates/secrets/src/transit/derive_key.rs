//! `derive-key/NAME`: a key that this server and somebody else agree on, without sending it.

use coffer_crypto::cipher::Cipher;
use coffer_crypto::pair::PublicKey;
use coffer_crypto::{Random, Zeroizing, hkdf_sha256};
use coffer_engine::{Ctx, Empty, Fault, Handle, Routes, path};
use coffer_wire::{Int, Text};
use schemars::JsonSchema;
use serde::Deserialize;

use super::Transit;
use super::draft::Draft;
use super::key::{Bytes, Key, MAC_BYTES, Version, key_place};
use super::keys::Wish;
use super::kind::KeyKind;
use super::ready::Ready;
use super::signatures::no_private_half;

pub(super) fn routes() -> Routes<Transit> {
    Routes::new([path(
        "derive-key/{name}",
        "A key that follows from one here and somebody else's.",
    )
    .write::<DeriveKey>()])
}

/// Makes a key that follows from an ECDSA key here and somebody else's public key (ECDH). Who has the other private half and this
/// one's public half makes the same: HKDF-SHA-256 of the shared secret, without salt and info.
#[derive(Deserialize, JsonSchema)]
struct DeriveKey {
    /// Name of the new key.
    name: String,
    /// Name of the key here, of type `ecdsa-p256`, `ecdsa-p384` or `ecdsa-p521`.
    #[serde(default)]
    base_key_name: Text,
    /// The version of it; 0 for the latest.
    #[serde(default)]
    base_key_version: Int,
    /// The other one's public key, in PEM, of the same curve.
    #[serde(default)]
    peer_public_key: Text,
    /// What the new key is: `aes256-gcm96` (the default), `aes128-gcm96`, `chacha20-poly1305` or `xchacha20-poly1305`.
    #[serde(default)]
    derived_key_type: Text,
    /// `ecdh`, which is all that there is.
    #[serde(default)]
    key_derivation_algorithm: Text,
}

impl Handle<Transit> for DeriveKey {
    type Reply = Empty;

    async fn handle(self, engine: &Transit, cx: &Ctx) -> Result<Empty, Fault> {
        if self.peer_public_key.0.is_empty() {
            return Err(Fault::invalid("peer public key not provided"));
        }
        let (kind, cipher) = self.kind()?;
        let exists = || Fault::Invalid(format!("key \"{}\" already exists", self.name));
        if cx.view.get::<Key>(&key_place(&self.name)?).await?.is_some() {
            return Err(exists());
        }
        let base = match engine.find(cx, &self.base_key_name.0).await {
            Ok(Some(base)) => base,
            // A name that no key can have is one that none has.
            Ok(None) | Err(Fault::UnsupportedPath) => {
                return Err(Fault::invalid("specified base key not found"));
            }
            Err(other) => return Err(other),
        };
        let material = self.agreed(cx, &base, cipher).await?;
        let wish = Wish {
            kind,
            ..Wish::default()
        };
        let mut key = wish.key(cx.random.base62(24), cx.now);
        key.imported = true;
        let draft = Draft::new(&self.name, key).with(1, version(cx, &cx.random, &material));
        match draft.save(engine, cx).await {
            Ok(_) => Ok(Empty),
            Err(Fault::Conflict(_)) => Err(exists()),
            Err(other) => Err(other),
        }
    }
}

impl DeriveKey {
    fn kind(&self) -> Result<(KeyKind, Cipher), Fault> {
        match self.key_derivation_algorithm.0.as_str() {
            "" | "ecdh" => {}
            other => {
                return Err(Fault::Invalid(format!(
                    "key derivation algorithm {other} not supported"
                )));
            }
        }
        let kind = match self.derived_key_type.0.as_str() {
            "" => Some(KeyKind::default()),
            name => KeyKind::named(name),
        };
        let cipher = kind.and_then(|kind| Some((kind, kind.cipher()?)));
        cipher
            .ok_or_else(|| Fault::Invalid(format!("unknown key type {}", self.derived_key_type.0)))
    }

    /// The bytes of the new key.
    async fn agreed(
        &self,
        cx: &Ctx,
        base: &Ready,
        cipher: Cipher,
    ) -> Result<Zeroizing<Vec<u8>>, Fault> {
        base.key.refuse_deleted()?;
        if !base.key.kind.pair().is_some_and(|kind| kind.is_ecdsa()) {
            return Err(Fault::Invalid(format!(
                "base key type {} does not support key agreement",
                base.key.kind.name()
            )));
        }
        let other = PublicKey::from_pem(&self.peer_public_key.0);
        let other = other.map_err(|_| Fault::invalid("peer_public_key is no public key in PEM"))?;
        let material = base.asked(cx, self.base_key_version.0).await?;
        let pair = material.pair().ok_or_else(no_private_half)?;
        let shared = pair
            .agree(&other)
            .map_err(|_| Fault::invalid("peer_public_key is of another curve than the base key"))?;
        let mut bytes = Zeroizing::new(vec![0; cipher.key_bytes()]);
        hkdf_sha256(&shared, &[], &[], &mut bytes)?;
        Ok(bytes)
    }
}

fn version(cx: &Ctx, random: &Random, material: &[u8]) -> Version {
    Version {
        created: cx.now,
        key: Bytes::new(material.to_vec()),
        public: Bytes::default(),
        mac: Bytes::new(random.secret_bytes::<MAC_BYTES>().expose().to_vec()),
        certificates: Vec::new(),
    }
}
