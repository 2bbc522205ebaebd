//! `restore/NAME`: a key from a backup, of this server or of the reference.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use coffer_engine::{Ctx, Empty, Fault, Handle, Routes, path};
use coffer_wire::{Flag, Timestamp, Ttl, parse_foreign};
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::sync::Semaphore;

use super::Transit;
use super::backup::{NANOSECONDS, versions_max};
use super::backup_entry::version;
use super::draft::{Draft, settled};
use super::encoded::Encoded;
use super::events::Happened;
use super::key::{Key, Version, key_place};
use super::keys::{Wish, check_rotate_period, key_size};
use super::kind::KeyKind;
use super::policy_document::{Backup, Entry, Policy, Stamp};
use super::removal::Removal;

/// How many backups are read at once: one of RSA keys takes a core for seconds.
static READING: Semaphore = Semaphore::const_new(2);
/// The latest version that a backup may have: over thirty years of a rotation each second, and far from where numbers end.
const LATEST_MAX: u32 = 1_000_000_000;
/// The longest period of rotation, in nanoseconds: what the reference can hold, and what a client can ask for.
const PERIOD_MAX: u64 = i64::MAX.unsigned_abs();

pub(super) fn routes() -> Routes<Transit> {
    Routes::new([
        path(
            "restore",
            "A key from a backup, under the name that it had.",
        )
        .write::<Restore>(),
        path("restore/{name}", "A key from a backup, under another name.").write::<RestoreAs>(),
    ])
}

/// Restores a key from a backup under the name that it had.
#[derive(Deserialize, JsonSchema)]
struct Restore {
    #[serde(flatten)]
    from: From,
}

/// Restores a key from a backup under this name.
#[derive(Deserialize, JsonSchema)]
struct RestoreAs {
    /// Name of the key.
    name: String,
    #[serde(flatten)]
    from: From,
}

/// What is restored.
#[derive(Deserialize, JsonSchema)]
struct From {
    /// What the backup gave.
    #[serde(default)]
    #[schemars(with = "String")]
    backup: Encoded,
    /// Puts it in the place of a key that is there, which is lost by that.
    #[serde(default)]
    force: Flag,
}

impl Handle<Transit> for Restore {
    type Reply = Empty;

    async fn handle(self, engine: &Transit, cx: &Ctx) -> Result<Empty, Fault> {
        self.from.restore(engine, cx, None).await
    }
}

impl Handle<Transit> for RestoreAs {
    type Reply = Empty;

    async fn handle(self, engine: &Transit, cx: &Ctx) -> Result<Empty, Fault> {
        self.from.restore(engine, cx, Some(&self.name)).await
    }
}

impl From {
    async fn restore(self, engine: &Transit, cx: &Ctx, name: Option<&str>) -> Result<Empty, Fault> {
        let bytes = self.backup.bytes().map_err(Fault::invalid)?;
        if bytes.is_empty() {
            return Err(Fault::invalid("'backup' must be supplied"));
        }
        let backup: Backup = parse_foreign(bytes)
            .map_err(|_| Fault::invalid("the backup is damaged: it is not what a backup gave"))?;
        let name = name.unwrap_or(&backup.policy.name).to_owned();
        key_place(&name)?;
        let (key, versions) = read(cx, backup).await?;
        let key = settled(|| async {
            if let Some(old) = Removal::open(cx, &name).await? {
                if !self.force.0 {
                    return Err(Fault::Invalid(format!("key \"{name}\" already exists")));
                }
                old.remove(engine, cx).await?;
            }
            let draft = Draft::new(&name, key.clone());
            let draft = versions.iter().fold(draft, |draft, (number, version)| {
                draft.with(*number, version.clone())
            });
            draft.save(engine, cx).await
        })
        .await?;
        cx.emit(key.event(Happened::Restored, &name));
        Ok(Empty)
    }
}

/// Tells work that nobody waits for its result any more.
struct Waiting(Arc<AtomicBool>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Reads a backup. Numbers of pairs are checked: not on a thread that others wait for.
async fn read(cx: &Ctx, backup: Backup) -> Result<Restored, Fault> {
    let (id, now) = (cx.random.base62(24), cx.now);
    let gone = Arc::new(AtomicBool::new(false));
    let _waiting = Waiting(Arc::clone(&gone));
    let turn = READING.acquire().await.map_err(Fault::internal)?;
    let read = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        restored(backup, id, now, &gone)
    });
    read.await.map_err(Fault::internal)?
}

/// A key with its versions.
type Restored = (Key, Vec<(u32, Version)>);

/// The key with its versions.
fn restored(
    mut backup: Backup,
    id: String,
    now: Timestamp,
    gone: &AtomicBool,
) -> Result<Restored, Fault> {
    let policy = &backup.policy;
    let kind = policy
        .kind
        .kind()
        .ok_or_else(|| Fault::invalid("the backup is of a key of an unknown type"))?;
    let wish = wish(policy, kind)?;
    let numbers = numbers(policy, kind)?;
    let mut entries = entries(&mut backup);
    let mut versions = Vec::new();
    for number in numbers {
        if gone.load(Ordering::Relaxed) {
            return Err(Fault::invalid("nobody waits for the key any more"));
        }
        let entry = entries.remove(&number).ok_or_else(|| {
            Fault::Invalid(format!(
                "the backup is damaged: version {number} is missing"
            ))
        })?;
        versions.push((number, version(kind, entry, now)?));
    }
    Ok((key(&backup.policy, &wish, id, now), versions))
}

/// The versions that a backup has. What they say of each other has to be what a client could have brought about.
fn numbers(policy: &Policy, kind: KeyKind) -> Result<RangeInclusive<u32>, Fault> {
    let available = policy.min_available_version;
    let (decrypts, encrypts) = (policy.min_decryption_version, policy.min_encryption_version);
    let latest = policy.latest_version;
    let numbers = available.max(1)..=latest;
    let encrypts_well = encrypts == 0 || (decrypts..=latest).contains(&encrypts);
    if !numbers.contains(&decrypts) || !encrypts_well || policy.archive_min_version > latest {
        return Err(Fault::invalid(
            "the backup is damaged: its versions contradict each other",
        ));
    }
    if latest > LATEST_MAX {
        return Err(Fault::Invalid(format!(
            "the backup is damaged: no key comes to a version over {LATEST_MAX}"
        )));
    }
    let most = versions_max(kind);
    match numbers.clone().count() > most {
        true => Err(Fault::Invalid(format!(
            "the backup has more than {most} versions"
        ))),
        false => Ok(numbers),
    }
}

/// All versions, those that may not be used among them.
fn entries(backup: &mut Backup) -> BTreeMap<u32, Entry> {
    let mut entries = backup.policy.keys.take().unwrap_or_default();
    let archive = backup.archived_keys.take();
    let archive = archive.map(|archive| archive.keys).unwrap_or_default();
    let mut number = Some(backup.policy.archive_min_version);
    for entry in archive {
        if let Some(number) = number {
            entries.entry(number).or_insert(entry);
        }
        number = number.and_then(|number| number.checked_add(1));
    }
    entries
}

/// The key that a backup is of.
fn key(policy: &Policy, wish: &Wish, id: String, now: Timestamp) -> Key {
    let mut key = wish.key(id, now);
    key.deletion_allowed = policy.deletion_allowed;
    key.soft_deleted = policy.soft_deleted;
    key.imported = policy.imported;
    key.imported_rotation = policy.imported_rotation;
    key.counter_kdf = policy.derived && policy.kdf == 0 && wish.kind.cipher().is_some();
    key.latest_version = policy.latest_version;
    key.min_decryption_version = policy.min_decryption_version;
    key.min_encryption_version = policy.min_encryption_version;
    key.min_available_version = policy.min_available_version;
    key.backed_up = policy.backup_info;
    key.restored = Some(Stamp {
        time: now,
        version: policy.latest_version,
    });
    key
}

fn wish(policy: &Policy, kind: KeyKind) -> Result<Wish, Fault> {
    let old = policy.convergent_version > 0 || policy.kdf == 0;
    if policy.convergent_encryption && old {
        return Err(Fault::invalid(
            "convergent keys of the two oldest ways are not supported: encrypt their data anew",
        ));
    }
    if !(0..=1).contains(&policy.kdf) {
        return Err(Fault::invalid(
            "the backup is of a key whose keys of contexts are made in an unknown way",
        ));
    }
    let period = Ttl::from_secs(policy.auto_rotate_period / NANOSECONDS);
    if policy.auto_rotate_period > PERIOD_MAX {
        return Err(Fault::invalid(
            "the backup is damaged: its period of rotation is too long",
        ));
    }
    check_rotate_period(period)?;
    let wish = Wish {
        kind,
        derived: policy.derived,
        convergent: policy.convergent_encryption,
        exportable: policy.exportable,
        allow_plaintext_backup: policy.allow_plaintext_backup,
        auto_rotate_period: period,
        key_size: key_size(kind, i64::from(policy.key_size))?,
    };
    wish.check()?;
    Ok(wish)
}
