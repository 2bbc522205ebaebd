//! The table of enabled devices.

use std::collections::BTreeMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use coffer_barrier::{Stored, View};
use coffer_crypto::{Random, Zeroizing};
use coffer_engine::Fault;
use coffer_wire::Timestamp;
use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::device::{Addressed, Device};
use super::entry::{RequestFacts, ResponseFacts};
use super::hash::Hasher;
use super::line::Data;
use super::options::Options;
use super::place::Allow;

/// How many devices can be enabled: each one lengthens every request.
const DEVICES_MAX: usize = 32;
/// The longest path of a device, in bytes.
const PATH_BYTES_MAX: usize = 256;
/// Where the table is kept, within the view.
const TABLE: &str = "devices";
/// Where a device's key is kept, followed by the device's id.
const KEYS: &str = "keys/";

/// The enabled devices.
#[derive(Debug)]
pub struct Devices {
    view: View,
    random: Random,
    allow: Allow,
    active: ArcSwap<BTreeMap<String, Active>>,
}

/// What `sys/audit` is asked to enable.
#[derive(Clone, Debug, Default)]
pub struct NewDevice {
    /// Its type: `file`.
    pub kind: String,
    /// A remark for people.
    pub description: String,
    /// `file_path` and the others, as they were given.
    pub options: BTreeMap<String, String>,
    /// Whether other clusters shall not have it; kept and shown.
    pub local: bool,
}

/// A device as `sys/audit` lists it.
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
    /// Its type: `file`.
    #[serde(rename = "type")]
    pub kind: String,
}

#[derive(Clone, Debug)]
struct Active {
    info: DeviceInfo,
    device: Arc<Device>,
}

/// The stored table, by path.
#[derive(Clone, Default, Serialize, Deserialize)]
struct Table {
    devices: BTreeMap<String, Entry>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Entry {
    id: String,
    info: DeviceInfo,
}

/// The stored key of one device, 32 bytes in base64. A record of its own, so that the table can be
/// shown and the key goes when the device does.
#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
struct Key {
    key: String,
}

/// No device could record.
#[derive(Debug, Error)]
#[error(
    "no audit device could record, so the request was refused; make one writable again: {}",
    .0.join("; ")
)]
struct NotRecorded(Vec<String>);

impl Stored for Table {}
impl Stored for Key {}

impl Devices {
    /// The devices that were enabled earlier, ready to record. One that can not be opened now is
    /// tried again with each line; until then it fails.
    pub async fn load(view: View, random: Random, allow: impl Into<Allow>) -> Result<Self, Fault> {
        let devices = Self {
            view,
            random,
            allow: allow.into(),
            active: ArcSwap::default(),
        };
        devices.reload().await?;
        Ok(devices)
    }

    /// Reads the table again and opens what is new in it; what has not changed goes on.
    pub async fn reload(&self) -> Result<(), Fault> {
        let table: Table = self.view.get(TABLE).await?.unwrap_or_default();
        let old = self.active.load_full();
        let mut active = BTreeMap::new();
        for (path, Entry { id, info }) in table.devices {
            let known = old.get(&path).filter(|known| known.device.id == id);
            let device = match known {
                Some(known) => Arc::clone(&known.device),
                None => Arc::new(self.stored_device(&path, &id, &info).await?),
            };
            active.insert(path, Active { info, device });
        }
        let active = Arc::new(active);
        self.active.store(Arc::clone(&active));
        // Opened now, so that the log tells about a broken device before the first request does.
        join_all(active.values().map(|each| each.device.reopen())).await;
        Ok(())
    }

    /// Enables a device, after it has taken a line to try it.
    pub async fn enable(&self, path: &str, new: NewDevice, now: Timestamp) -> Result<(), Fault> {
        let path = canonical(path)?;
        if new.kind != "file" {
            return Err(Fault::invalid(format!(
                "the audit device type {:?} is not known; this server has \"file\"",
                new.kind
            )));
        }
        free(
            self.active.load().keys().map(String::as_str),
            self.active.load().len(),
            &path,
        )?;
        let options = Options::read(&new.options)?;
        let id = self.random.uuid_v4();
        let key = self.random.secret_bytes::<32>();
        let hasher = Hasher::new(key.expose());
        let device = Arc::new(Device::new(&path, &id, hasher, Ok(options), &self.allow));
        self.probe(&device, now).await?;
        let info = DeviceInfo {
            description: new.description,
            local: new.local,
            options: new.options,
            path: path.clone(),
            kind: new.kind,
        };
        let key = Key {
            key: STANDARD.encode(key.expose()),
        };
        self.keep(&id, &info, &key).await?;
        self.active.rcu(|active| {
            let mut active = BTreeMap::clone(active);
            let (info, device) = (info.clone(), Arc::clone(&device));
            active.insert(path.clone(), Active { info, device });
            active
        });
        Ok(())
    }

    /// Disables a device: lines that wait are still written, its key is forgotten, its file stays. An
    /// unknown one is disabled already.
    pub async fn disable(&self, path: &str) -> Result<(), Fault> {
        let path = canonical(path)?;
        let removed = self
            .view
            .update(TABLE, |table: Option<Table>| {
                let mut table = table.unwrap_or_default();
                let removed = table.devices.remove(&path);
                Ok::<_, Fault>((Some(table), removed))
            })
            .await?;
        self.active.rcu(|active| {
            let mut active = BTreeMap::clone(active);
            active.remove(&path);
            active
        });
        if let Some(entry) = removed {
            self.view.delete(&format!("{KEYS}{}", entry.id)).await?;
        }
        Ok(())
    }

    /// All devices by path, as `sys/audit` answers them.
    pub fn list(&self) -> BTreeMap<String, DeviceInfo> {
        let active = self.active.load();
        let infos = active
            .iter()
            .map(|(path, each)| (path.clone(), each.info.clone()));
        infos.collect()
    }

    /// How `input` stands in the lines of a device, as `sys/audit-hash` answers it.
    pub fn hash(&self, path: &str, input: &str) -> Result<String, Fault> {
        let path = canonical(path)?;
        match self.active.load().get(&path) {
            Some(each) => Ok(each
                .device
                .hasher()
                .hash(input.as_bytes())
                .as_str()
                .to_owned()),
            None => Err(Fault::invalid(format!(
                "there is no audit device {path:?}; \"sys/audit\" lists them"
            ))),
        }
    }

    /// Whether anything is recorded at all, that is whether facts are worth keeping.
    pub fn records(&self) -> bool {
        self.active
            .load()
            .values()
            .any(|each| !each.device.discards())
    }

    /// Records a request that is about to be carried out, or why it is not. An error means that it
    /// must not be carried out.
    pub async fn record_request(&self, facts: &RequestFacts<'_>) -> Result<(), Fault> {
        let active = self.active.load_full();
        if active.is_empty() {
            return Ok(());
        }
        let lines = active.values().map(|each| each.device.request(facts));
        deliver(lines.collect()).await
    }

    /// Records an answer. An error means that the client must not get it.
    pub async fn record_response(
        &self,
        facts: &RequestFacts<'_>,
        answer: &ResponseFacts<'_>,
    ) -> Result<(), Fault> {
        let active = self.active.load_full();
        if active.is_empty() {
            return Ok(());
        }
        let lines: Vec<Addressed<'_>> = {
            let data = if self.records() {
                Data::of(answer)
            } else {
                Data::default()
            };
            let lines = active
                .values()
                .map(|each| each.device.response(facts, answer, &data));
            lines.collect()
        };
        deliver(lines).await
    }

    /// Opens all files anew, after what was recorded before: to be called on SIGHUP, when a rotation
    /// has moved them away. Failures are logged, and refuse requests until the file can be opened.
    pub async fn reopen(&self) {
        let active = self.active.load_full();
        join_all(active.values().map(|each| each.device.reopen())).await;
    }

    /// A line to see whether the device can write; the operator is told why it can not.
    async fn probe(&self, device: &Device, now: Timestamp) -> Result<(), Fault> {
        let id = self.random.uuid_v4();
        let facts = RequestFacts {
            id: &id,
            time: now,
            operation: "update",
            path: "sys/audit/test",
            ..RequestFacts::default()
        };
        let tried = device.request(&facts).deliver().await;
        tried.map_err(|why| {
            Fault::invalid(format!("the audit device could not record a line: {why}"))
        })
    }

    /// Stores the key, then the entry that makes it count.
    async fn keep(&self, id: &str, info: &DeviceInfo, key: &Key) -> Result<(), Fault> {
        let key_path = format!("{KEYS}{id}");
        self.view.put(&key_path, key).await?;
        let kept = self
            .view
            .update(TABLE, |table: Option<Table>| {
                let mut table = table.unwrap_or_default();
                free(
                    table.devices.keys().map(String::as_str),
                    table.devices.len(),
                    &info.path,
                )?;
                let (id, info) = (id.to_owned(), info.clone());
                table.devices.insert(info.path.clone(), Entry { id, info });
                Ok::<_, Fault>((Some(table), ()))
            })
            .await;
        if kept.is_err() {
            self.view.delete(&key_path).await?;
        }
        kept
    }

    async fn stored_device(
        &self,
        path: &str,
        id: &str,
        info: &DeviceInfo,
    ) -> Result<Device, Fault> {
        let key: Option<Key> = self.view.get(&format!("{KEYS}{id}")).await?;
        let bytes = key.and_then(|key| STANDARD.decode(&key.key).ok().map(Zeroizing::new));
        let options = match &bytes {
            Some(_) => Options::read(&info.options).map_err(|fault| fault.to_string()),
            None => Err("its key is missing; disable it and enable it again".into()),
        };
        let hasher = Hasher::new(&bytes.unwrap_or_default());
        Ok(Device::new(path, id, hasher, options, &self.allow))
    }
}

/// All devices at once; one that has the line is enough.
async fn deliver(lines: Vec<Addressed<'_>>) -> Result<(), Fault> {
    let outcomes = join_all(lines.into_iter().map(Addressed::deliver)).await;
    if outcomes.iter().any(Result::is_ok) {
        return Ok(());
    }
    let reasons = outcomes.into_iter().filter_map(Result::err).collect();
    Err(Fault::internal(NotRecorded(reasons)))
}

/// The path with one trailing slash.
fn canonical(path: &str) -> Result<String, Fault> {
    let path = path.trim_matches('/');
    if path.is_empty() || path.len() > PATH_BYTES_MAX || path.chars().any(char::is_control) {
        return Err(Fault::invalid(format!(
            "the path of an audit device has 1 to {PATH_BYTES_MAX} bytes and no control characters"
        )));
    }
    Ok(format!("{path}/"))
}

/// Whether `path` neither is, nor lies above or below one that is taken.
fn free<'a>(
    mut taken: impl Iterator<Item = &'a str>,
    count: usize,
    path: &str,
) -> Result<(), Fault> {
    if let Some(taken) = taken.find(|taken| taken.starts_with(path) || path.starts_with(taken)) {
        return Err(Fault::invalid(format!(
            "path already in use: there is an audit device at {taken:?}; disable it or choose another path"
        )));
    }
    if count >= DEVICES_MAX {
        return Err(Fault::invalid(format!(
            "{DEVICES_MAX} audit devices are enabled, which is the limit; disable one first"
        )));
    }
    Ok(())
}
