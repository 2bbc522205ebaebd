//! A stored key.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use coffer_engine::Stored;
use coffer_wire::Timestamp;
use serde::{Deserialize, Serialize};

use super::bytes::Bytes;
use super::name::Alias;
use super::spec::{KeySpec, Origin, Usage};

/// A day.
pub(super) const DAY: Duration = Duration::from_secs(24 * 3_600);

/// A key with all versions of its material.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Key {
    pub(super) spec: KeySpec,
    pub(super) usage: Usage,
    pub(super) origin: Origin,
    pub(super) created: Timestamp,
    #[serde(default)]
    pub(super) description: String,
    /// Whether somebody has said that it must not be used.
    #[serde(default)]
    pub(super) disabled: bool,
    /// When it ends, where that is decided.
    #[serde(default)]
    pub(super) deletion: Option<Timestamp>,
    #[serde(default)]
    pub(super) tags: BTreeMap<String, String>,
    /// All aliases that stand for it.
    #[serde(default)]
    pub(super) aliases: BTreeSet<Alias>,
    /// The periodic rotation, where it is on.
    #[serde(default)]
    pub(super) rotation: Option<Periodic>,
    /// How often it was rotated because somebody said so.
    #[serde(default)]
    pub(super) on_demand: u32,
    /// The version that is used; 0 before the first.
    pub(super) current: u32,
    /// The greatest version there ever was: no number is given twice.
    pub(super) last: u32,
    /// All versions. One after the current one waits for its rotation.
    pub(super) versions: BTreeMap<u32, Version>,
    /// Private keys that material may be wrapped for, the newest last.
    #[serde(default)]
    pub(super) wrappings: Vec<Wrapping>,
}

impl Stored for Key {
    /// Up to a thousand versions of a symmetric key, or one of the largest pair and what is wrapped for it.
    const MAX_BYTES: usize = 1_024 * 1_024;
}

/// Rotation by the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Periodic {
    /// How many days lie between two.
    pub(super) days: u16,
    /// When the next one is due.
    pub(super) next: Timestamp,
}

/// One version of a key's material.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Version {
    /// The material: raw bytes, of a pair PKCS #8. None where it was deleted or has expired.
    #[serde(default)]
    pub(super) material: Option<Bytes>,
    /// What names the material to clients, and what it is known by when it is imported again.
    pub(super) id: String,
    /// When it became the current one, and how; not of the first.
    #[serde(default)]
    pub(super) rotated: Option<Rotated>,
    /// When imported material expires, if it does.
    #[serde(default)]
    pub(super) valid_to: Option<Timestamp>,
    /// A note about imported material.
    #[serde(default)]
    pub(super) description: String,
}

/// When and how a version became the current one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Rotated {
    pub(super) at: Timestamp,
    pub(super) how: RotationKind,
}

/// Who rotated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum RotationKind {
    #[serde(rename = "AUTOMATIC")]
    Automatic,
    #[serde(rename = "ON_DEMAND")]
    OnDemand,
}

/// A private key that material can be wrapped for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Wrapping {
    /// The SHA-256 of the import token, in hex.
    pub(super) token: String,
    pub(super) algorithm: super::import_parameters::WrappingAlgorithm,
    /// The private key in PKCS #8.
    pub(super) private: Bytes,
    pub(super) kind: WrappingSpec,
    pub(super) valid_to: Timestamp,
}

/// What a wrapping key is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum WrappingSpec {
    #[serde(rename = "RSA_2048")]
    Rsa2048,
    #[serde(rename = "RSA_3072")]
    Rsa3072,
    #[serde(rename = "RSA_4096")]
    Rsa4096,
}
