//! A key as the reference writes it in a backup: JSON in base64.
//!
//! All versions stand in `archived_keys`, those that may be used in `policy.keys` as well. Numbers of pairs are decimal, the
//! kind is a number ([`KindNumber`]), the period of rotation is in nanoseconds.

use std::collections::BTreeMap;

use coffer_crypto::Zeroizing;
use coffer_wire::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use super::key::Bytes;
use super::kind::KeyKind;

/// A backup.
#[derive(Serialize, Deserialize)]
pub(super) struct Backup {
    pub(super) policy: Policy,
    #[serde(default)]
    pub(super) archived_keys: Option<Archive>,
}

/// All versions from `archive_min_version` on; where that is 0, an empty one stands for it.
#[derive(Serialize, Deserialize)]
pub(super) struct Archive {
    pub(super) keys: Vec<Entry>,
}

/// A key.
#[derive(Serialize, Deserialize)]
pub(super) struct Policy {
    pub(super) name: String,
    #[serde(default)]
    pub(super) key_size: u32,
    #[serde(default)]
    pub(super) keys: Option<BTreeMap<u32, Entry>>,
    #[serde(default)]
    pub(super) derived: bool,
    /// How keys of contexts are made: 0 in counter mode, 1 by HKDF.
    #[serde(default)]
    pub(super) kdf: i64,
    #[serde(default)]
    pub(super) convergent_encryption: bool,
    #[serde(default)]
    pub(super) exportable: bool,
    #[serde(default)]
    pub(super) min_decryption_version: u32,
    #[serde(default)]
    pub(super) min_encryption_version: u32,
    #[serde(default)]
    pub(super) latest_version: u32,
    #[serde(default)]
    pub(super) archive_version: u32,
    #[serde(default)]
    pub(super) archive_min_version: u32,
    #[serde(default)]
    pub(super) min_available_version: u32,
    #[serde(default)]
    pub(super) deletion_allowed: bool,
    #[serde(default)]
    pub(super) convergent_version: i64,
    #[serde(rename = "type")]
    pub(super) kind: KindNumber,
    #[serde(default)]
    pub(super) backup_info: Option<Stamp>,
    #[serde(default)]
    pub(super) restore_info: Option<Stamp>,
    #[serde(default)]
    pub(super) allow_plaintext_backup: bool,
    #[serde(default)]
    pub(super) version_template: String,
    #[serde(default)]
    pub(super) storage_prefix: String,
    #[serde(default)]
    pub(super) auto_rotate_period: u64,
    #[serde(default, rename = "Imported")]
    pub(super) imported: bool,
    #[serde(default, rename = "AllowImportedKeyRotation")]
    pub(super) imported_rotation: bool,
    #[serde(default)]
    pub(super) soft_deleted: bool,
}

/// When a backup was taken or restored, and which version was the latest.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub(super) struct Stamp {
    /// When.
    pub(super) time: Timestamp,
    /// The latest version then.
    pub(super) version: u32,
}

/// A version.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Entry {
    #[serde(default)]
    pub(super) key: Option<Bytes>,
    #[serde(default)]
    pub(super) hmac_key: Option<Bytes>,
    #[serde(default, deserialize_with = "lenient_time")]
    pub(super) time: Option<Timestamp>,
    #[serde(default)]
    pub(super) ec_x: Option<Box<RawValue>>,
    #[serde(default)]
    pub(super) ec_y: Option<Box<RawValue>>,
    #[serde(default)]
    pub(super) ec_d: Option<Box<RawValue>>,
    #[serde(default)]
    pub(super) rsa_key: Option<RsaEntry>,
    #[serde(default)]
    pub(super) rsa_public_key: Option<RsaPublicEntry>,
    #[serde(default)]
    pub(super) public_key: String,
    #[serde(default)]
    pub(super) convergent_version: i64,
    #[serde(default)]
    pub(super) creation_time: u64,
    #[serde(default)]
    pub(super) certificate_chain: Option<Vec<Bytes>>,
    #[serde(default)]
    pub(super) external_key_ref: String,
}

/// A private key of RSA.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RsaEntry {
    pub(super) n: Box<RawValue>,
    pub(super) e: Box<RawValue>,
    pub(super) d: Box<RawValue>,
    pub(super) primes: Vec<Box<RawValue>>,
    pub(super) precomputed: RsaPrecomputed,
}

/// What follows from it.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RsaPrecomputed {
    pub(super) dp: Box<RawValue>,
    pub(super) dq: Box<RawValue>,
    pub(super) qinv: Box<RawValue>,
    #[serde(rename = "CRTValues", default)]
    pub(super) more: Option<Vec<serde_json::Value>>,
}

/// A public key of RSA.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RsaPublicEntry {
    pub(super) n: Box<RawValue>,
    pub(super) e: Box<RawValue>,
}

/// The kind of a key: its place in [`ORDER`].
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(super) struct KindNumber(u8);

/// The kinds as the reference counts them.
const ORDER: [KeyKind; 15] = [
    KeyKind::Aes256Gcm96,
    KeyKind::EcdsaP256,
    KeyKind::Ed25519,
    KeyKind::Rsa2048,
    KeyKind::Rsa4096,
    KeyKind::ChaCha20Poly1305,
    KeyKind::EcdsaP384,
    KeyKind::EcdsaP521,
    KeyKind::Aes128Gcm96,
    KeyKind::Rsa3072,
    KeyKind::Hmac,
    KeyKind::XChaCha20Poly1305,
    KeyKind::MlDsa44,
    KeyKind::MlDsa65,
    KeyKind::MlDsa87,
];

/// A time; before the first one that there is, none.
fn lenient_time<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Timestamp>, D::Error> {
    let text = Option::<String>::deserialize(from)?;
    Ok(text.and_then(|text| Timestamp::parse(&text)))
}

impl From<KeyKind> for KindNumber {
    fn from(kind: KeyKind) -> Self {
        let place = ORDER.iter().position(|known| *known == kind);
        Self(
            place
                .and_then(|place| u8::try_from(place).ok())
                .unwrap_or(u8::MAX),
        )
    }
}

impl KindNumber {
    /// The kind, where it is one.
    pub(super) fn kind(self) -> Option<KeyKind> {
        ORDER.get(usize::from(self.0)).copied()
    }
}

/// A number of these bytes, as JSON has it.
pub(super) fn number(bytes: &[u8]) -> Result<Box<RawValue>, serde_json::Error> {
    RawValue::from_string(super::decimal::digits(bytes).to_string())
}

/// The bytes of a number in JSON.
pub(super) fn number_bytes(number: &RawValue) -> Option<Zeroizing<Vec<u8>>> {
    super::decimal::bytes(number.get().trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_its_number() {
        for name in [
            "aes256-gcm96",
            "xchacha20-poly1305",
            "hmac",
            "mldsa-44",
            "mldsa-87",
        ] {
            let kind = KeyKind::named(name).unwrap();
            assert_eq!(KindNumber::from(kind).kind(), Some(kind));
        }
        for (at, kind) in ORDER.into_iter().enumerate() {
            let number = KindNumber::from(kind);
            assert_eq!(serde_json::to_value(number).unwrap(), at);
            assert_eq!(number.kind(), Some(kind));
        }
        assert_eq!(
            serde_json::from_str::<KindNumber>("15").unwrap().kind(),
            None
        );
        assert!(serde_json::from_str::<KindNumber>("\"hmac\"").is_err());
    }
}
