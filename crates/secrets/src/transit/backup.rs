//! `backup/NAME`: a key with all its versions, in the clear, in the reference's own form.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use coffer_crypto::Zeroizing;
use coffer_engine::{Ctx, Fault, Handle, Routes, path};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Transit;
use super::backup_entry::entry;
use super::draft::{Draft, settled};
use super::events::Happened;
use super::export::VERSIONS_MAX;
use super::key::{Key, Version, version_place};
use super::kind::KeyKind;
use super::policy_document::{Archive, Backup, Entry, Policy, Stamp};
use super::secret_text::SecretText;

/// How many versions of an RSA key are backed up and restored at once: the numbers of each are checked, which takes
/// milliseconds.
const RSA_VERSIONS_MAX: usize = 200;

pub(super) fn routes() -> Routes<Transit> {
    Routes::new([path(
        "backup/{name}",
        "A key with all its versions, in plaintext.",
    )
    .read::<Take>()])
}

/// Takes a plaintext backup of a key. It must be exportable and allow it.
#[derive(Deserialize, JsonSchema)]
struct Take {
    /// Name of the key.
    name: String,
}

/// A key in the clear.
#[derive(Serialize, JsonSchema)]
struct Taken {
    /// What restoring takes. Whoever has it has the key.
    backup: SecretText,
}

impl Handle<Transit> for Take {
    type Reply = Taken;

    async fn handle(self, engine: &Transit, cx: &Ctx) -> Result<Taken, Fault> {
        let key = settled(|| async {
            let draft = Draft::open(cx, &self.name).await?;
            let mut draft =
                draft.ok_or_else(|| Fault::Invalid(format!("key \"{}\" not found", self.name)))?;
            draft.key.refuse_deleted()?;
            refuse_secret(&draft.key)?;
            draft.key.backed_up = Some(Stamp {
                time: cx.now,
                version: draft.key.latest_version,
            });
            draft.save(engine, cx).await
        })
        .await?;
        let backup = written(cx, &self.name, &key).await?;
        let text = serde_json::to_vec(&backup).map(Zeroizing::new);
        let text = text.map_err(Fault::internal)?;
        let backup = SecretText::from(STANDARD.encode(&*text));
        cx.emit(key.event(Happened::BackedUp, &self.name));
        Ok(Taken { backup })
    }
}

fn refuse_secret(key: &Key) -> Result<(), Fault> {
    let refused = match (key.exportable, key.allow_plaintext_backup) {
        (false, _) => "exporting is disallowed on the policy",
        (_, false) => "plaintext backup is disallowed on the policy",
        (true, true) => return Ok(()),
    };
    Err(Fault::invalid(refused))
}

/// How many versions a backup has at most.
pub(super) fn versions_max(kind: KeyKind) -> usize {
    match kind.is_rsa() {
        true => RSA_VERSIONS_MAX,
        false => VERSIONS_MAX,
    }
}

/// The whole document. A version that is trimmed meanwhile makes it wrong: then somebody else's change is told.
async fn written(cx: &Ctx, name: &str, key: &Key) -> Result<Backup, Fault> {
    let stored = key.oldest()..=key.latest_version;
    let most = versions_max(key.kind);
    if stored.clone().count() > most {
        return Err(Fault::Invalid(format!(
            "the key has more than {most} versions: trim those that are needed no more"
        )));
    }
    let mut archived = Vec::new();
    if key.min_available_version == 0 {
        archived.push(Entry::default());
    }
    let mut keys = std::collections::BTreeMap::new();
    for number in stored {
        let version: Option<Version> = cx.view.get(&version_place(&key.id, number)).await?;
        let version = version.ok_or_else(|| {
            Fault::Conflict("the key is changed by other requests; try again".into())
        })?;
        let (of, working) = (key.clone(), key.working().contains(&number));
        // Numbers of pairs are checked: not for a thread that others wait for.
        let made = tokio::task::spawn_blocking(move || {
            let usable = working.then(|| entry(&of, &version)).transpose()?;
            Ok::<_, Fault>((usable, entry(&of, &version)?))
        });
        let (usable, all) = made.await.map_err(Fault::internal)??;
        keys.extend(usable.map(|entry| (number, entry)));
        archived.push(all);
    }
    Ok(Backup {
        policy: policy(name, key, keys),
        archived_keys: Some(Archive { keys: archived }),
    })
}

fn policy(name: &str, key: &Key, keys: std::collections::BTreeMap<u32, Entry>) -> Policy {
    Policy {
        name: name.to_owned(),
        key_size: key.key_size,
        keys: Some(keys),
        derived: key.derived,
        kdf: i64::from(key.derived && !key.counter_kdf),
        convergent_encryption: key.convergent,
        exportable: key.exportable,
        min_decryption_version: key.min_decryption_version,
        min_encryption_version: key.min_encryption_version,
        latest_version: key.latest_version,
        archive_version: key.latest_version,
        archive_min_version: key.min_available_version,
        min_available_version: key.min_available_version,
        deletion_allowed: key.deletion_allowed,
        convergent_version: if key.convergent { -1 } else { 0 },
        kind: key.kind.into(),
        backup_info: key.backed_up,
        restore_info: key.restored,
        allow_plaintext_backup: key.allow_plaintext_backup,
        version_template: String::new(),
        storage_prefix: String::new(),
        auto_rotate_period: key.auto_rotate_period.secs().saturating_mul(NANOSECONDS),
        imported: key.imported,
        imported_rotation: key.imported_rotation,
        soft_deleted: key.soft_deleted,
    }
}

/// Of a second.
pub(super) const NANOSECONDS: u64 = 1_000_000_000;
