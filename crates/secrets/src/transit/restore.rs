//! `restore/NAME`: a key from a backup, of this server or of the reference.

use coffer_engine::{Ctx, Empty, Fault, Handle, Routes, path};
use coffer_wire::{Flag, Ttl, parse_foreign};
use schemars::JsonSchema;
use serde::Deserialize;

use super::Transit;
use super::backup::NANOSECONDS;
use super::backup_entry::version;
use super::draft::{Draft, settled};
use super::encoded::Encoded;
use super::export::VERSIONS_MAX;
use super::key::{Key, Version, key_place};
use super::keys::Wish;
use super::policy_document::{Backup, Policy, Stamp};

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
        let id = cx.random.base62(24);
        let now = cx.now;
        // Numbers of pairs are checked: not for a thread that others wait for.
        let read = tokio::task::spawn_blocking(move || restored(backup, id, now));
        let (key, versions) = read.await.map_err(Fault::internal)??;
        settled(|| async {
            if let Some(old) = Draft::open(cx, &name).await? {
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
        Ok(Empty)
    }
}

/// The key with its versions.
fn restored(
    mut backup: Backup,
    id: String,
    now: coffer_wire::Timestamp,
) -> Result<(Key, Vec<(u32, Version)>), Fault> {
    let mut versions = Vec::new();
    let policy = &backup.policy;
    let kind = policy
        .kind
        .kind()
        .ok_or_else(|| Fault::invalid("the backup is of a key of an unknown type"))?;
    let wish = wish(policy, kind)?;
    let first = policy.min_available_version.max(1);
    let latest = policy.latest_version;
    let numbers = first..=latest;
    let within = |number: u32| numbers.contains(&number);
    if !within(policy.min_decryption_version) || policy.min_encryption_version > latest {
        return Err(Fault::invalid(
            "the backup is damaged: its versions contradict each other",
        ));
    }
    if numbers.clone().count() > VERSIONS_MAX {
        return Err(Fault::Invalid(format!(
            "the backup has more than {VERSIONS_MAX} versions"
        )));
    }
    let mut entries = backup.policy.keys.take().unwrap_or_default();
    let archive = backup
        .archived_keys
        .take()
        .map(|archive| archive.keys)
        .unwrap_or_default();
    for (number, entry) in (backup.policy.archive_min_version..).zip(archive) {
        entries.entry(number).or_insert(entry);
    }
    for number in numbers {
        let entry = entries.remove(&number).ok_or_else(|| {
            Fault::Invalid(format!(
                "the backup is damaged: version {number} is missing"
            ))
        })?;
        versions.push((number, version(kind, entry, now)?));
    }
    let policy = &backup.policy;
    let mut key = wish.key(id, now);
    key.deletion_allowed = policy.deletion_allowed;
    key.soft_deleted = policy.soft_deleted;
    key.imported = policy.imported;
    key.imported_rotation = policy.imported_rotation;
    key.counter_kdf = policy.derived && policy.kdf == 0 && kind.cipher().is_some();
    key.latest_version = latest;
    key.min_decryption_version = policy.min_decryption_version;
    key.min_encryption_version = policy.min_encryption_version;
    key.min_available_version = policy.min_available_version;
    key.backed_up = policy.backup_info;
    key.restored = Some(Stamp {
        time: now,
        version: latest,
    });
    Ok((key, versions))
}

fn wish(policy: &Policy, kind: super::kind::KeyKind) -> Result<Wish, Fault> {
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
    let wish = Wish {
        kind,
        derived: policy.derived,
        convergent: policy.convergent_encryption,
        exportable: policy.exportable,
        allow_plaintext_backup: policy.allow_plaintext_backup,
        auto_rotate_period: Ttl::from_secs(policy.auto_rotate_period / NANOSECONDS),
        key_size: policy.key_size,
    };
    wish.check()?;
    Ok(wish)
}
