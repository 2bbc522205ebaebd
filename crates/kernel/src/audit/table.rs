//! What is stored about devices.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use coffer_barrier::{Stored, View};
use coffer_crypto::{Secret, Zeroizing};
use coffer_engine::Fault;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::chain::Mark;
use super::options::Options;

/// How many devices can be enabled: each one lengthens every request.
const DEVICES_MAX: usize = 32;
/// Where the table is kept, within the view.
const TABLE: &str = "devices";
/// Where a device's key is kept, followed by the device's id.
const KEYS: &str = "keys/";
/// Where the head of a device's chain is kept, followed by the device's id.
const HEADS: &str = "heads/";

/// A device as `sys/audit` lists it, and as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct DeviceInfo {
    /// A remark for people.
    pub description: String,
    /// Whether other clusters do not have it.
    pub local: bool,
    /// The options as they were given.
    pub options: BTreeMap<String, String>,
    /// Where it is enabled, with a trailing slash.
    pub path: String,
    /// Its type: `file`, `socket`, `syslog`, `http`.
    #[serde(rename = "type")]
    pub kind: String,
}

/// The stored devices.
#[derive(Debug)]
pub(super) struct Table {
    view: View,
}

/// One stored device.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Entry {
    pub id: String,
    pub info: DeviceInfo,
}

/// The stored table, by path.
#[derive(Clone, Default, Serialize, Deserialize)]
struct Entries {
    devices: BTreeMap<String, Entry>,
}

/// The stored key of one device, 32 bytes in base64. A record of its own, so that the table can be
/// shown and the key goes when the device does.
#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
struct Key {
    key: String,
}

/// The stored head of one device's chain: a line that was on the disk when this was written.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct HeadRecord {
    #[serde(flatten)]
    mark: Mark,
}

impl Stored for Entries {}
impl Stored for Key {}
impl Stored for HeadRecord {}

impl Table {
    pub fn new(view: View) -> Self {
        Self { view }
    }

    /// All devices by path.
    pub async fn entries(&self) -> Result<BTreeMap<String, Entry>, Fault> {
        let entries: Entries = self.view.get(TABLE).await?.unwrap_or_default();
        Ok(entries.devices)
    }

    /// The key of a device, if it is there and whole.
    pub async fn key(&self, id: &str) -> Result<Option<Zeroizing<Vec<u8>>>, Fault> {
        let key: Option<Key> = self.view.get(&format!("{KEYS}{id}")).await?;
        Ok(key.and_then(|key| STANDARD.decode(&key.key).ok().map(Zeroizing::new)))
    }

    /// The head of a device's chain as it was last stored.
    pub async fn head(&self, id: &str) -> Result<Option<Mark>, Fault> {
        let head: Option<HeadRecord> = self.view.get(&format!("{HEADS}{id}")).await?;
        Ok(head.map(|head| head.mark))
    }

    /// Stores the head of a device's chain.
    pub async fn keep_head(&self, id: &str, mark: Mark) -> Result<(), Fault> {
        let record = HeadRecord { mark };
        Ok(self.view.put(&format!("{HEADS}{id}"), &record).await?)
    }

    /// Stores a device: its key, then the entry that makes it count.
    pub async fn add(&self, entry: &Entry, key: &Secret<[u8; 32]>) -> Result<(), Fault> {
        let key = Key {
            key: STANDARD.encode(key.expose()),
        };
        let key_path = format!("{KEYS}{}", entry.id);
        self.view.put(&key_path, &key).await?;
        let kept = self
            .view
            .update(TABLE, |entries: Option<Entries>| {
                let mut entries = entries.unwrap_or_default();
                free(&entries.devices, &entry.info)?;
                let path = entry.info.path.clone();
                entries.devices.insert(path, entry.clone());
                Ok::<_, Fault>((Some(entries), ()))
            })
            .await;
        if kept.is_err() {
            self.view.delete(&key_path).await?;
        }
        kept
    }

    /// Forgets a device, its key and its head. One that is not there is forgotten already.
    pub async fn remove(&self, path: &str) -> Result<(), Fault> {
        let removed = self
            .view
            .update(TABLE, |entries: Option<Entries>| {
                let mut entries = entries.unwrap_or_default();
                let removed = entries.devices.remove(path);
                Ok::<_, Fault>((Some(entries), removed))
            })
            .await?;
        if let Some(entry) = removed {
            self.view.delete(&format!("{KEYS}{}", entry.id)).await?;
            self.view.delete(&format!("{HEADS}{}", entry.id)).await?;
        }
        Ok(())
    }

    /// Whether a device may be added.
    pub async fn is_free(&self, info: &DeviceInfo) -> Result<(), Fault> {
        free(&self.entries().await?, info)
    }
}

/// Whether the path neither is, nor lies above or below one that is taken, and what else forbids a device.
fn free(taken: &BTreeMap<String, Entry>, info: &DeviceInfo) -> Result<(), Fault> {
    let path = info.path.as_str();
    let clashes = |other: &&String| other.starts_with(path) || path.starts_with(other.as_str());
    if let Some(other) = taken.keys().find(clashes) {
        return Err(Fault::invalid(format!(
            "path already in use: there is an audit device at {other:?}; disable it or choose another path"
        )));
    }
    if taken.len() >= DEVICES_MAX {
        return Err(Fault::invalid(format!(
            "{DEVICES_MAX} audit devices are enabled, which is the limit; disable one first"
        )));
    }
    let is_fallback = |entry: &&Entry| Options::are_of_fallback(&entry.info.options);
    let other = taken.values().find(is_fallback);
    match other.filter(|_| Options::are_of_fallback(&info.options)) {
        Some(other) => Err(Fault::invalid(format!(
            "the audit device at {:?} is the fallback device, and there can be one; disable it first",
            other.info.path
        ))),
        None => Ok(()),
    }
}
