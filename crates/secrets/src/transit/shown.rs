//! A key as clients see it: everything but its secrets.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use coffer_crypto::pair::{PairKind, PublicKey};
use coffer_engine::{Ctx, Fault};
use coffer_wire::{Timestamp, Ttl};
use schemars::JsonSchema;
use serde::Serialize;

use super::key::{Bytes, Key, VERSIONS, Version, version_place};
use super::kind::KeyKind;
use super::policy_document::Stamp;

/// How many versions are read at once.
const PAGE: usize = 500;

/// A key without its secrets.
#[derive(Serialize, JsonSchema)]
pub(super) struct Shown {
    /// Whether it can be taken as a plaintext backup.
    allow_plaintext_backup: bool,
    /// How old its latest version becomes, in seconds; 0 for any age.
    auto_rotate_period: Ttl,
    /// Of derived keys: whether the same plaintext gives the same ciphertext.
    #[serde(skip_serializing_if = "Option::is_none")]
    convergent_encryption: Option<bool>,
    /// Of convergent keys: -1, each version says how it makes its nonces.
    #[serde(skip_serializing_if = "Option::is_none")]
    convergent_encryption_version: Option<i8>,
    /// Whether it can be deleted.
    deletion_allowed: bool,
    /// Whether each context has a key of its own.
    derived: bool,
    /// Whether it can be exported.
    exportable: bool,
    /// Whether its material came from outside.
    imported_key: bool,
    /// Of imported keys: whether they can be rotated.
    #[serde(skip_serializing_if = "Option::is_none")]
    imported_key_allow_rotation: Option<bool>,
    /// Of derived keys: how keys of contexts are made.
    #[serde(skip_serializing_if = "Option::is_none")]
    kdf: Option<&'static str>,
    /// The same, where it is the older way.
    #[serde(skip_serializing_if = "Option::is_none")]
    kdf_mode: Option<&'static str>,
    /// When the last backup was taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    backup_info: Option<Stamp>,
    /// When it was restored from a backup.
    #[serde(skip_serializing_if = "Option::is_none")]
    restore_info: Option<Stamp>,
    /// Of HMAC keys: the length in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    key_size: Option<u32>,
    /// The versions that may be used, by their numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    keys: Option<BTreeMap<String, ShownVersion>>,
    /// The version that encrypts and signs.
    latest_version: u32,
    /// All versions before it are gone; 0 if none are.
    min_available_version: u32,
    /// The oldest version that decrypts and verifies.
    min_decryption_version: u32,
    /// The oldest version that encrypts and signs; 0 for the latest alone.
    min_encryption_version: u32,
    /// Its name.
    name: String,
    /// Whether it is deleted until somebody restores it.
    soft_deleted: bool,
    /// Whether it decrypts.
    supports_decryption: bool,
    /// Whether contexts can have keys of their own.
    supports_derivation: bool,
    /// Whether it encrypts.
    supports_encryption: bool,
    /// Whether it signs.
    supports_signing: bool,
    /// What it is.
    #[serde(rename = "type")]
    kind: KeyKind,
}

/// A version without its secrets.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
enum ShownVersion {
    /// When it was made, in seconds since 1970.
    Made(u64),
    /// Of keys with a public half.
    Pair(Box<ShownPair>),
}

/// A version of a key with a public half.
#[derive(Serialize, JsonSchema)]
struct ShownPair {
    /// Certificates of the public half in PEM, its own first.
    certificate_chain: String,
    /// When it was made.
    creation_time: Timestamp,
    /// The curve or the algorithm.
    name: &'static str,
    /// The public half: PEM; of Ed25519 the 32 bytes in base64.
    public_key: String,
}

/// The key of that name, with the versions that may be used. The public half that belongs to a context is given in
/// `derived_public`, which is asked for each version.
pub(super) async fn show(
    cx: &Ctx,
    name: &str,
    key: &Key,
    derived_public: impl Fn(&Version) -> Result<String, Fault>,
) -> Result<Shown, Fault> {
    let versions = match key.kind {
        KeyKind::Hmac => None,
        _ => Some(versions(cx, key, derived_public).await?),
    };
    Ok(Shown {
        allow_plaintext_backup: key.allow_plaintext_backup,
        auto_rotate_period: key.auto_rotate_period,
        convergent_encryption: key.derived.then_some(key.convergent),
        convergent_encryption_version: key.convergent.then_some(-1),
        deletion_allowed: key.deletion_allowed,
        derived: key.derived,
        exportable: key.exportable,
        imported_key: key.imported,
        imported_key_allow_rotation: key.imported.then_some(key.imported_rotation),
        kdf: key.derived.then_some(kdf(key)),
        kdf_mode: (key.derived && key.counter_kdf).then_some(kdf(key)),
        backup_info: key.backed_up,
        restore_info: key.restored,
        key_size: (key.kind == KeyKind::Hmac).then_some(key.key_size),
        keys: versions,
        latest_version: key.latest_version,
        min_available_version: key.min_available_version,
        min_decryption_version: key.min_decryption_version,
        min_encryption_version: key.min_encryption_version,
        name: name.to_owned(),
        soft_deleted: key.soft_deleted,
        supports_decryption: key.kind.encrypts(),
        supports_derivation: key.kind.derives(),
        supports_encryption: key.kind.encrypts(),
        supports_signing: key.kind.signs(),
        kind: key.kind,
    })
}

/// A derived pair has no public half of its own: none is shown.
pub(super) fn no_context(_: &Version) -> Result<String, Fault> {
    Ok(String::new())
}

async fn versions(
    cx: &Ctx,
    key: &Key,
    derived_public: impl Fn(&Version) -> Result<String, Fault>,
) -> Result<BTreeMap<String, ShownVersion>, Fault> {
    let folder = format!("{VERSIONS}{}/", key.id);
    let working = key.working();
    let mut after = version_place(&key.id, working.start().saturating_sub(1));
    let mut shown = BTreeMap::new();
    loop {
        let page = cx.view.scan::<Version>(&folder, Some(&after), PAGE).await?;
        let Some((last, _)) = page.last() else {
            return Ok(shown);
        };
        after.clone_from(last);
        for (place, version) in page {
            let number = place.strip_prefix(&folder).and_then(|n| n.parse().ok());
            let Some(number) = number.filter(|number: &u32| working.contains(number)) else {
                continue;
            };
            let version = shown_version(key, &version, &derived_public)?;
            shown.insert(number.to_string(), version);
        }
    }
}

fn shown_version(
    key: &Key,
    version: &Version,
    derived_public: impl Fn(&Version) -> Result<String, Fault>,
) -> Result<ShownVersion, Fault> {
    if !key.kind.is_pair() {
        return Ok(ShownVersion::Made(version.created.secs()));
    }
    let public = version.public.expose();
    let public_key = match key.kind {
        KeyKind::Ed25519 if key.derived => derived_public(version)?,
        kind if kind.pair().is_some_and(PairKind::has_seed) => {
            STANDARD.encode(PublicKey::bits_within(public).unwrap_or_default())
        }
        _ => pem("PUBLIC KEY", public),
    };
    Ok(ShownVersion::Pair(Box::new(ShownPair {
        certificate_chain: chain(&version.certificates).trim_end().to_owned(),
        creation_time: version.created,
        name: curve(key.kind),
        public_key,
    })))
}

/// Certificates in PEM, one after the other.
pub(super) fn chain(certificates: &[Bytes]) -> String {
    let each = certificates.iter();
    let each = each.map(|certificate| pem("CERTIFICATE", certificate.expose()));
    each.collect()
}

/// DER as PEM (RFC 7468).
pub(super) fn pem(label: &str, der: &[u8]) -> String {
    let mut text = format!("-----BEGIN {label}-----\n");
    for line in der.chunks(48) {
        STANDARD.encode_string(line, &mut text);
        text.push('\n');
    }
    text.push_str(&format!("-----END {label}-----\n"));
    text
}

fn kdf(key: &Key) -> &'static str {
    match key.counter_kdf {
        true => "hmac-sha256-counter",
        false => "hkdf_sha256",
    }
}

fn curve(kind: KeyKind) -> &'static str {
    match kind {
        KeyKind::EcdsaP256 => "P-256",
        KeyKind::EcdsaP384 => "P-384",
        KeyKind::EcdsaP521 => "P-521",
        other => other.name(),
    }
}
