//! `keys/NAME/import`: a key whose material comes from outside.

use coffer_engine::{Ctx, Empty, Fault, Handle, Routes, path};
use coffer_wire::{Flag, Text, Ttl};
use schemars::JsonSchema;
use serde::Deserialize;

use super::Transit;
use super::draft::Draft;
use super::encoded::Encoded;
use super::events::Happened;
use super::key::{Key, key_place};
use super::keys::{Wish, check_rotate_period};
use super::kind::KeyKind;
use super::material_import::Brought;

pub(super) fn routes() -> Routes<Transit> {
    Routes::new([path(
        "keys/{name}/import",
        "A key whose material comes from outside.",
    )
    .write::<Import>()])
}

/// Makes a key of material that is brought.
#[derive(Deserialize, JsonSchema)]
struct Import {
    /// Name of the key.
    name: String,
    /// What the key is; as for making one. `aes256-gcm96` if not given.
    #[serde(default, rename = "type")]
    kind: Option<Text>,
    /// The key, wrapped, in base64: an AES-256 key encrypted to `wrapping_key` by RSAES-OAEP, followed by the key in that
    /// by AES-KWP (RFC 5649). Keys with two halves are in PKCS #8, others their bytes.
    #[serde(default)]
    #[schemars(with = "String")]
    ciphertext: Encoded,
    /// The hash of RSAES-OAEP: `SHA256` (the default), `SHA1`, `SHA224`, `SHA384` or `SHA512`.
    #[serde(default)]
    hash_function: Text,
    /// Instead of `ciphertext`: a public half alone, in PEM. Such a key verifies and encrypts.
    #[serde(default)]
    public_key: Text,
    /// Lets the key be rotated here. Otherwise new versions are imported, too.
    #[serde(default)]
    allow_rotation: Flag,
    /// Gives each context a key of its own.
    #[serde(default)]
    derived: Flag,
    /// Lets the key be exported. That can not be undone.
    #[serde(default)]
    exportable: Flag,
    /// Lets a backup in plaintext be taken. That can not be undone.
    #[serde(default)]
    allow_plaintext_backup: Flag,
    /// How old the latest version becomes; needs `allow_rotation`.
    #[serde(default)]
    auto_rotate_period: Ttl,
    /// Looked at when a key is used, not when it is imported.
    #[serde(default, rename = "context")]
    _context: Text,
}

impl Handle<Transit> for Import {
    type Reply = Empty;

    async fn handle(self, engine: &Transit, cx: &Ctx) -> Result<Empty, Fault> {
        let wish = self.wish()?;
        // Before the work is done.
        if cx.view.get::<Key>(&key_place(&self.name)?).await?.is_some() {
            return Err(exists());
        }
        let brought = Brought {
            ciphertext: &self.ciphertext,
            public_key: &self.public_key.0,
            hash_function: &self.hash_function.0,
        };
        let material = brought.read(cx, wish.kind).await?;
        let mut key = wish.key(cx.random.base62(24), cx.now);
        key.imported = true;
        key.imported_rotation = self.allow_rotation.0;
        // As the reference does it, so that the same material gives the same keys of contexts.
        key.counter_kdf = wish.derived && wish.kind.cipher().is_some();
        if wish.kind == KeyKind::Hmac {
            key.key_size = u32::try_from(material.private.expose().len()).unwrap_or(0);
        }
        let version = material.version(cx, &key);
        let saved = Draft::new(&self.name, key)
            .with(1, version)
            .save(engine, cx);
        match saved.await {
            Ok(key) => {
                cx.emit(key.event(Happened::Imported, &self.name));
                Ok(Empty)
            }
            Err(Fault::Conflict(_)) => Err(exists()),
            Err(other) => Err(other),
        }
    }
}

impl Import {
    fn wish(&self) -> Result<Wish, Fault> {
        let kind = match &self.kind {
            Some(Text(name)) => KeyKind::named(name)
                .ok_or_else(|| Fault::Invalid(format!("unknown key type: {name}")))?,
            None => KeyKind::Aes256Gcm96,
        };
        if !self.auto_rotate_period.is_zero() && !self.allow_rotation.0 {
            return Err(Fault::invalid(
                "allow_rotation must be set to true if auto-rotation is enabled",
            ));
        }
        check_rotate_period(self.auto_rotate_period)?;
        let wish = Wish {
            kind,
            derived: self.derived.0,
            convergent: false,
            exportable: self.exportable.0,
            allow_plaintext_backup: self.allow_plaintext_backup.0,
            auto_rotate_period: self.auto_rotate_period,
            key_size: 0,
        };
        wish.check()?;
        Ok(wish)
    }
}

fn exists() -> Fault {
    Fault::invalid(
        "the import path cannot be used with an existing key; use import-version to rotate an existing imported key",
    )
}
