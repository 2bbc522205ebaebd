//! The enabled devices.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use coffer_barrier::View;
use coffer_crypto::{Random, Secret};
use coffer_engine::Fault;
use coffer_wire::Timestamp;
use futures_util::future::join_all;
use thiserror::Error;

use super::chain::{ChainKey, Head};
use super::deliver::{Measured, deliver};
use super::device::{Blueprint, Device, Offered};
use super::entry::{RequestFacts, ResponseFacts};
use super::filter::Subject;
use super::health::DeviceState;
use super::line::Data;
use super::options::Options;
use super::place::Allow;
use super::table::{DeviceInfo, Entry, Table};
use super::tail::Followed;
use crate::observe::{Meters, Recorded};

/// The longest path of a device, in bytes.
const PATH_BYTES_MAX: usize = 256;
/// How long a device may take to tell the head of its chain, and its file to be on the disk.
const KEEPING: Duration = Duration::from_secs(2);

/// The enabled devices.
#[derive(Debug)]
pub struct Devices {
    table: Table,
    random: Random,
    allow: Allow,
    active: ArcSwap<BTreeMap<String, Active>>,
    meters: Arc<Meters>,
}

/// What `sys/audit` is asked to enable.
#[derive(Clone, Debug, Default)]
pub struct NewDevice {
    /// Its type: `file`, `socket`, `syslog`, `http`.
    pub kind: String,
    /// A remark for people.
    pub description: String,
    /// `file_path` and the others, as they were given.
    pub options: BTreeMap<String, String>,
    /// Whether other clusters shall not have it; kept and shown.
    pub local: bool,
}

#[derive(Clone, Debug)]
struct Active {
    info: DeviceInfo,
    device: Arc<Device>,
    /// The head that is stored.
    kept: Arc<ArcSwap<Option<Head>>>,
}

/// No device could record.
#[derive(Debug, Error)]
#[error(
    "no audit device could record, so the request was refused; make one writable again: {}",
    .0.join("; ")
)]
struct NotRecorded(Vec<String>);

impl Devices {
    /// The devices that were enabled earlier, ready to record. One that can not be opened now is
    /// tried again with each line; until then it fails.
    pub async fn load(
        view: View,
        random: Random,
        allow: impl Into<Allow>,
        now: Timestamp,
    ) -> Result<Self, Fault> {
        let devices = Self {
            table: Table::new(view),
            random,
            allow: allow.into(),
            active: ArcSwap::default(),
            meters: Arc::default(),
        };
        devices.reload(now).await?;
        Ok(devices)
    }

    /// With meters that somebody looks at.
    pub fn measured(self, meters: Arc<Meters>) -> Self {
        Self { meters, ..self }
    }

    /// Reads the table again and opens what is new in it; what has not changed goes on.
    pub async fn reload(&self, now: Timestamp) -> Result<(), Fault> {
        let old = self.active.load_full();
        let mut active = BTreeMap::new();
        for (path, entry) in self.table.entries().await? {
            let known = old.get(&path).filter(|known| known.device.id == entry.id);
            let each = match known {
                Some(known) => known.clone(),
                None => self.stored(entry).await?,
            };
            active.insert(path, each);
        }
        self.active.store(Arc::new(active));
        // Opened now, so that the log tells about a broken device before the first request does.
        self.reopen(now).await;
        Ok(())
    }

    /// Enables a device, after it has taken a line to try it.
    pub async fn enable(&self, path: &str, new: NewDevice, now: Timestamp) -> Result<(), Fault> {
        let path = canonical(path)?;
        let info = DeviceInfo {
            description: new.description,
            local: new.local,
            options: new.options,
            path: path.clone(),
            kind: new.kind,
        };
        self.table.is_free(&info).await?;
        let options = Options::read(&info.kind, &info.options)?;
        let skip_test = options.skip_test;
        let id = self.random.uuid_v4();
        let key = self.random.secret_bytes::<32>();
        let device = Device::new(
            &Blueprint {
                path: &path,
                kind: &info.kind,
                id: &id,
                key: key.expose(),
                last: None,
            },
            Ok(options),
            &self.allow,
        );
        if !skip_test {
            self.probe(&device, now).await?;
        }
        let entry = Entry { id, info };
        self.table.add(&entry, &key).await?;
        let each = Active {
            info: entry.info,
            device: Arc::new(device),
            kept: Arc::default(),
        };
        if let Err(fault) = self.keep_head(&each).await {
            tracing::warn!(path, %fault, "the head of a new audit device's chain is stored later");
        }
        self.active.rcu(|active| {
            let mut active = BTreeMap::clone(active);
            active.insert(path.clone(), each.clone());
            active
        });
        Ok(())
    }

    /// Disables a device: lines that wait are still written, its key is forgotten, its file stays. An
    /// unknown one is disabled already. Answers what it was.
    pub async fn disable(&self, path: &str) -> Result<Option<DeviceInfo>, Fault> {
        let path = canonical(path)?;
        let was = self.list().remove(&path);
        self.table.remove(&path).await?;
        self.active.rcu(|active| {
            let mut active = BTreeMap::clone(active);
            active.remove(&path);
            active
        });
        Ok(was)
    }

    /// All devices by path.
    pub fn list(&self) -> BTreeMap<String, DeviceInfo> {
        let active = self.active.load();
        let infos = active
            .iter()
            .map(|(path, each)| (path.clone(), each.info.clone()));
        infos.collect()
    }

    /// How each device is doing, in the order of their paths.
    pub fn states(&self) -> Vec<DeviceState> {
        let active = self.active.load();
        active.values().map(|each| each.device.state()).collect()
    }

    /// How `input` stands in the lines of a device, as `sys/audit-hash` answers it.
    pub fn hash(&self, path: &str, input: &str) -> Result<String, Fault> {
        let device = self.device(path)?;
        Ok(device.hasher().hash(input.as_bytes()).as_str().to_owned())
    }

    /// The key of a device's chain, and its last line; a fault if it has no chain.
    pub fn chain(&self, path: &str) -> Result<(ChainKey, Option<Head>), Fault> {
        let device = self.device(path)?;
        let key = device.chain_key().cloned().ok_or_else(|| {
            Fault::invalid(format!(
                "the audit device {:?} has no chain; enable one with chain=true",
                device.path()
            ))
        })?;
        Ok((key, device.head()))
    }

    /// The lines of a device from now on, as they are recorded.
    pub fn follow(&self, path: &str) -> Result<Followed, Fault> {
        self.device(path)?.follow()
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
        let what = Recorded::Request;
        self.record(facts, facts.time, what, |device| device.request(facts))
            .await
    }

    /// Records an answer. An error means that the client must not get it.
    pub async fn record_response(
        &self,
        facts: &RequestFacts<'_>,
        answer: &ResponseFacts<'_>,
    ) -> Result<(), Fault> {
        let data = match self.records() {
            true => Data::of(answer),
            false => Data::default(),
        };
        self.record(facts, answer.time, Recorded::Response, |device| {
            device.response(facts, answer, &data)
        })
        .await
    }

    /// Opens all files and sockets anew, after what was recorded before: to be called on SIGHUP, when a
    /// rotation has moved files away. Failures are logged, and refuse requests until the file can be
    /// opened.
    pub async fn reopen(&self, now: Timestamp) {
        let active = self.active.load_full();
        join_all(active.values().map(|each| each.device.reopen(now))).await;
    }

    /// Stores the heads of all chains that have grown, each once its file is on the disk; those of devices
    /// that are blocked are left for later. To be called every second or so, and before the barrier is
    /// sealed: what was written since the last time is not missed if it is cut off while the server is down.
    pub async fn keep_heads(&self) -> Result<(), Fault> {
        let active = self.active.load_full();
        let kept = join_all(active.values().map(|each| self.keep_head(each))).await;
        kept.into_iter().collect()
    }

    async fn keep_head(&self, each: &Active) -> Result<(), Fault> {
        if each.device.head() == **each.kept.load() {
            return Ok(());
        }
        let Some(told) = each.device.kept(KEEPING).await else {
            return Ok(());
        };
        let Some(head) = told.head else {
            return Ok(());
        };
        if let Some(file) = told.file {
            let synced = tokio::task::spawn_blocking(move || file.sync_data());
            match tokio::time::timeout(KEEPING, synced).await {
                Ok(Ok(Ok(()))) => {}
                _ => return Ok(()),
            }
        }
        self.table.keep_head(&each.device.id, head.mark).await?;
        each.kept.store(Arc::new(Some(head)));
        Ok(())
    }

    /// Lets every device have the line that it shall have; those that filter first, the fallback device
    /// if none of them has it.
    async fn record(
        &self,
        facts: &RequestFacts<'_>,
        time: Timestamp,
        what: Recorded,
        hand_over: impl Fn(&Device) -> Offered,
    ) -> Result<(), Fault> {
        let active = self.active.load_full();
        if active.is_empty() {
            return Ok(());
        }
        let meters = &self.meters.audit;
        let (took, failures) = meters.of(what);
        let _timed = took.timed();
        let subject = subject(facts);
        let devices = || active.values().map(|each| each.device.as_ref());
        let chosen: Vec<&Device> = devices().filter(|device| device.takes(&subject)).collect();
        let fallback = devices().find(|device| device.is_fallback());
        let mut reasons = Vec::new();
        for group in [chosen, fallback.into_iter().collect()] {
            if group.is_empty() {
                continue;
            }
            let offered = group.into_iter().map(|device| (device, hand_over(device)));
            match deliver(offered.collect(), time, Measured { meters, what }).await {
                Ok(()) => return Ok(()),
                Err(why) => reasons.extend(why),
            }
        }
        match reasons.is_empty() {
            true => Ok(()),
            false => {
                failures.one();
                Err(Fault::internal(NotRecorded(reasons)))
            }
        }
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
        let tried = device.wait(device.request(&facts), now).await;
        tried.map_err(|why| {
            Fault::invalid(format!("the audit device could not record a line: {why}"))
        })
    }

    async fn stored(&self, Entry { id, info }: Entry) -> Result<Active, Fault> {
        let key = self.table.key(&id).await?;
        let last = self.table.head(&id).await?;
        let options = match &key {
            Some(_) => Options::read(&info.kind, &info.options).map_err(|fault| fault.to_string()),
            None => Err("its key is missing; disable it and enable it again".into()),
        };
        let key = Secret::from(key.unwrap_or_default().to_vec());
        let blueprint = Blueprint {
            path: &info.path,
            kind: &info.kind,
            id: &id,
            key: key.expose(),
            last,
        };
        let device = Arc::new(Device::new(&blueprint, options, &self.allow));
        let kept = device.head().filter(|head| Some(head.mark) == last);
        Ok(Active {
            info,
            device,
            kept: Arc::new(ArcSwap::from_pointee(kept)),
        })
    }

    fn device(&self, path: &str) -> Result<Arc<Device>, Fault> {
        let path = canonical(path)?;
        match self.active.load().get(&path) {
            Some(each) => Ok(Arc::clone(&each.device)),
            None => Err(Fault::invalid(format!(
                "there is no audit device {path:?}; \"sys/audit\" lists them"
            ))),
        }
    }
}

fn subject<'a>(facts: &RequestFacts<'a>) -> Subject<'a> {
    let mount = facts.mount.unwrap_or_default();
    Subject {
        mount_point: mount.point,
        mount_type: mount.kind,
        namespace: facts.namespace.path,
        operation: facts.operation,
        path: facts.path,
    }
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
