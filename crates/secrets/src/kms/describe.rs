//! What is told about a key.

use coffer_wire::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::algorithm;
use super::name::KeyId;
use super::record::Key;
use super::spec::{KeySpec, Origin, Usage};
use super::state::KeyState;

/// What is known about a key; never its material.
#[derive(Serialize, JsonSchema)]
pub(super) struct Metadata {
    /// The id.
    key_id: String,
    /// When it was made.
    creation_date: Timestamp,
    /// Whether it can be used.
    enabled: bool,
    /// A note about it.
    description: String,
    /// What it is for.
    key_usage: &'static str,
    /// Whether it can be used, and if not, why.
    key_state: KeyState,
    /// When it will be deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    deletion_date: Option<Timestamp>,
    /// When the first of its imported material expires.
    #[serde(skip_serializing_if = "Option::is_none")]
    valid_to: Option<Timestamp>,
    /// Where its material is from: `AWS_KMS` (made here) or `EXTERNAL`.
    origin: &'static str,
    /// Whether imported material expires.
    #[serde(skip_serializing_if = "Option::is_none")]
    expiration_model: Option<&'static str>,
    /// Who manages it; always `CUSTOMER`.
    key_manager: &'static str,
    /// The same as `key_spec`, by its old name.
    customer_master_key_spec: &'static str,
    /// What it is made of.
    key_spec: &'static str,
    /// How it encrypts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    encryption_algorithms: Vec<&'static str>,
    /// How it signs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    signing_algorithms: Vec<&'static str>,
    /// How it authenticates.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    mac_algorithms: Vec<&'static str>,
    /// Always false.
    multi_region: bool,
    /// Names the material that encrypts, of symmetric keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    current_key_material_id: Option<String>,
}

impl Metadata {
    /// What is known about this key.
    pub(super) fn of(id: KeyId, key: &Key) -> Self {
        let state = key.state();
        Self {
            key_id: id.to_string(),
            creation_date: key.created,
            enabled: state == KeyState::Enabled,
            description: key.description.clone(),
            key_usage: key.usage.name(),
            key_state: state,
            deletion_date: key.deletion,
            valid_to: valid_to(key),
            origin: key.origin.name(),
            expiration_model: expiration_model(key),
            key_manager: "CUSTOMER",
            customer_master_key_spec: key.spec.name(),
            key_spec: key.spec.name(),
            encryption_algorithms: match key.usage {
                Usage::EncryptDecrypt => algorithm::encryption(key.spec),
                _ => Vec::new(),
            },
            signing_algorithms: match key.usage {
                Usage::SignVerify => algorithm::signing(key.spec),
                _ => Vec::new(),
            },
            mac_algorithms: algorithm::mac(key.spec).into_iter().collect(),
            multi_region: false,
            current_key_material_id: current_material(key),
        }
    }
}

/// Names the material of a symmetric key that encrypts.
pub(super) fn current_material(key: &Key) -> Option<String> {
    let version = key.versions.get(&key.current);
    let version = version.filter(|_| key.spec == KeySpec::Symmetric);
    version.map(|version| version.id.clone())
}

/// When the first of the material that belongs to the key for good expires.
fn valid_to(key: &Key) -> Option<Timestamp> {
    let lasting = key.versions.range(..=key.current);
    let held = lasting.filter(|(_, version)| version.material.is_some());
    held.filter_map(|(_, version)| version.valid_to).min()
}

fn expiration_model(key: &Key) -> Option<&'static str> {
    if key.origin != Origin::External || key.current == 0 {
        return None;
    }
    Some(super::import::model(valid_to(key)))
}
