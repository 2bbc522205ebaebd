//! `keys/`: making, reading, listing and deleting keys.

use coffer_engine::keys::{Keys, page};
use coffer_engine::{Ctx, Empty, Fault, Handle, Routes, path};
use coffer_wire::{Flag, Int, Text, Timestamp, Ttl};
use schemars::JsonSchema;
use serde::Deserialize;

use super::Transit;
use super::draft::{Draft, settled};
use super::encoded::Encoded;
use super::events::Happened;
use super::key::{KEYS, Key, Version, key_place};
use super::kind::KeyKind;
use super::make;
use super::removal::Removal;
use super::shown::{Shown, no_context, show};
use super::signatures::derived_public;

/// The shortest period of rotation, in seconds.
const ROTATE_PERIOD_SECS_MIN: u64 = 3_600;
/// How long HMAC keys may be, in bytes.
pub(super) const HMAC_KEY_BYTES: std::ops::RangeInclusive<i64> = 32..=512;
/// Characters of a key's id.
const ID_LENGTH: usize = 24;

pub(super) fn routes() -> Routes<Transit> {
    Routes::new([
        path("keys", "The names of all keys.").list::<List>(),
        path("keys/{name}", "One key.")
            .read::<Read>()
            .write::<Create>()
            .delete::<Delete>(),
    ])
}

/// Lists the names of all keys.
#[derive(Deserialize, JsonSchema)]
struct List {
    /// Names after this one only.
    #[serde(default)]
    after: String,
    /// How many names at most; all if not over zero.
    #[serde(default)]
    limit: Int,
}

impl Handle<Transit> for List {
    type Reply = Keys;

    async fn handle(self, _: &Transit, cx: &Ctx) -> Result<Keys, Fault> {
        page(cx, KEYS, &self.after, self.limit).await
    }
}

/// Reads a key, without its secrets.
#[derive(Deserialize, JsonSchema)]
struct Read {
    /// Name of the key.
    name: String,
    /// Of derived Ed25519 keys: the context whose public keys are shown, in base64.
    #[serde(default)]
    #[schemars(with = "String")]
    context: Encoded,
}

impl Handle<Transit> for Read {
    type Reply = Shown;

    async fn handle(self, _: &Transit, cx: &Ctx) -> Result<Shown, Fault> {
        let key: Option<Key> = cx.view.get(&key_place(&self.name)?).await?;
        let key = key.ok_or(Fault::NotFound)?;
        let context = self.context.bytes();
        let context = context.map_err(|_| Fault::invalid("failed to base64-decode context"))?;
        let public = |version: &Version| derived_public(version, context);
        show(cx, &self.name, &key, public).await
    }
}

/// Makes a key; one that is there stays as it is.
#[derive(Deserialize, JsonSchema)]
struct Create {
    /// Name of the key.
    name: String,
    /// `aes256-gcm96` (the default), `aes128-gcm96`, `chacha20-poly1305`, `xchacha20-poly1305`, `ed25519`, `ecdsa-p256`,
    /// `ecdsa-p384`, `ecdsa-p521`, `rsa-2048`, `rsa-3072`, `rsa-4096`, `hmac`, `mldsa-44`, `mldsa-65` or `mldsa-87`.
    #[serde(default, rename = "type")]
    kind: Option<Text>,
    /// Gives each context a key of its own.
    #[serde(default)]
    derived: Flag,
    /// Of derived keys: gives the same plaintext in the same context the same ciphertext.
    #[serde(default)]
    convergent_encryption: Flag,
    /// Lets the key be exported. That can not be undone.
    #[serde(default)]
    exportable: Flag,
    /// Lets a backup in plaintext be taken. That can not be undone.
    #[serde(default)]
    allow_plaintext_backup: Flag,
    /// How old the latest version becomes before a new one follows by itself: an hour or more, 0 for any age.
    #[serde(default)]
    auto_rotate_period: Ttl,
    /// Of HMAC keys: the length, 32 to 512 bytes.
    #[serde(default)]
    key_size: Int,
    /// Looked at when a key is read, not when it is made.
    #[serde(default, rename = "context")]
    _context: Text,
    /// Keys that other systems hold are not supported.
    #[serde(default)]
    external_key_ref: Text,
}

impl Handle<Transit> for Create {
    type Reply = Shown;

    async fn handle(self, engine: &Transit, cx: &Ctx) -> Result<Shown, Fault> {
        let wish = self.wish()?;
        let key = engine.ensure(cx, &self.name, &wish).await?;
        show(cx, &self.name, &key, no_context).await
    }
}

impl Create {
    fn wish(&self) -> Result<Wish, Fault> {
        let kind = match &self.kind {
            Some(name) => kind_named(&name.0)?,
            None => KeyKind::default(),
        };
        if !self.external_key_ref.0.is_empty() {
            return Err(Fault::invalid(
                "must provide type=external-key to use external_key_ref",
            ));
        }
        check_rotate_period(self.auto_rotate_period)?;
        let wish = Wish {
            kind,
            derived: self.derived.0,
            convergent: self.convergent_encryption.0,
            exportable: self.exportable.0,
            allow_plaintext_backup: self.allow_plaintext_backup.0,
            auto_rotate_period: self.auto_rotate_period,
            key_size: key_size(kind, self.key_size.0)?,
        };
        wish.check()?;
        Ok(wish)
    }
}

/// What a new key shall be.
#[derive(Clone, Copy, Default)]
pub(super) struct Wish {
    pub(super) kind: KeyKind,
    pub(super) derived: bool,
    pub(super) convergent: bool,
    pub(super) exportable: bool,
    pub(super) allow_plaintext_backup: bool,
    pub(super) auto_rotate_period: Ttl,
    pub(super) key_size: u32,
}

impl Wish {
    /// Refuses what no key can be.
    pub(super) fn check(&self) -> Result<(), Fault> {
        if self.convergent && !self.derived {
            return Err(Fault::invalid(
                "convergent encryption requires derivation to be enabled",
            ));
        }
        let name = self.kind.name();
        if self.derived && !self.kind.derives() {
            return Err(Fault::Invalid(format!(
                "key derivation and convergent encryption not supported for keys of type {name}"
            )));
        }
        if self.convergent && self.kind.cipher().is_none() {
            return Err(Fault::Invalid(format!(
                "convergent encryption not supported for keys of type {name}"
            )));
        }
        Ok(())
    }

    /// Such a key, whose first version is made now.
    pub(super) fn key(&self, id: String, now: Timestamp) -> Key {
        Key {
            id,
            kind: self.kind,
            derived: self.derived,
            convergent: self.convergent,
            exportable: self.exportable,
            allow_plaintext_backup: self.allow_plaintext_backup,
            deletion_allowed: false,
            soft_deleted: false,
            imported: false,
            imported_rotation: false,
            key_size: self.key_size,
            auto_rotate_period: self.auto_rotate_period,
            latest_version: 1,
            rotated: now,
            min_decryption_version: 1,
            min_encryption_version: 0,
            min_available_version: 0,
            counter_kdf: false,
            backed_up: None,
            restored: None,
        }
    }
}

impl Transit {
    /// The key of that name as it is, or else a new one.
    pub(super) async fn ensure(&self, cx: &Ctx, name: &str, wish: &Wish) -> Result<Key, Fault> {
        let place = key_place(name)?;
        settled(|| async {
            if let Some(key) = cx.view.get::<Key>(&place).await? {
                return Ok(key);
            }
            let key = wish.key(cx.random.base62(ID_LENGTH), cx.now);
            let version = make::version(&key, &cx.random, cx.now).await?;
            let key = Draft::new(name, key)
                .with(1, version)
                .save(self, cx)
                .await?;
            cx.emit(key.event(Happened::Created, name));
            Ok(key)
        })
        .await
    }
}

/// The kind of that name.
pub(super) fn kind_named(name: &str) -> Result<KeyKind, Fault> {
    match (KeyKind::named(name), name) {
        (Some(kind), _) => Ok(kind),
        (None, "external-key") => Err(Fault::invalid(
            "keys of type external-key are not supported: Coffer holds the material of its keys itself",
        )),
        (None, name) => Err(Fault::Invalid(format!("unknown key type {name}"))),
    }
}

/// Refuses periods that are too short.
pub(super) fn check_rotate_period(period: Ttl) -> Result<(), Fault> {
    match period.secs() {
        0 => Ok(()),
        secs if secs >= ROTATE_PERIOD_SECS_MIN => Ok(()),
        _ => Err(Fault::invalid(
            "auto rotate period must be 0 to disable or at least an hour",
        )),
    }
}

/// How long a key of this kind is, where it can be chosen; 0 where not.
pub(super) fn key_size(kind: KeyKind, size: i64) -> Result<u32, Fault> {
    match (kind, size) {
        (KeyKind::Hmac, 0) => Err(Fault::invalid(
            "invalid key size for HMAC key, must be between 32 and 512 bytes",
        )),
        (KeyKind::Hmac, size) if !HMAC_KEY_BYTES.contains(&size) => {
            Err(Fault::Invalid(format!("invalid key_size {size}")))
        }
        (KeyKind::Hmac, size) => Ok(u32::try_from(size).unwrap_or(0)),
        (_, 0) => Ok(0),
        (kind, _) => Err(Fault::Invalid(format!(
            "key_size is not valid for algorithm {}",
            kind.name()
        ))),
    }
}

/// Deletes a key with all its versions: what it encrypted can never be decrypted again.
#[derive(Deserialize, JsonSchema)]
struct Delete {
    /// Name of the key.
    name: String,
}

impl Handle<Transit> for Delete {
    type Reply = Empty;

    async fn handle(self, engine: &Transit, cx: &Ctx) -> Result<Empty, Fault> {
        let refused =
            |why: &str| Fault::Invalid(format!("error deleting policy {}: {why}", self.name));
        settled(|| async {
            let found = Removal::open(cx, &self.name).await?;
            let found = found.ok_or_else(|| refused("could not delete key; not found"))?;
            if !found.allowed {
                return Err(refused("deletion is not allowed for this key"));
            }
            found.remove(engine, cx).await
        })
        .await?;
        cx.emit(Happened::Deleted.to(&self.name));
        Ok(Empty)
    }
}
