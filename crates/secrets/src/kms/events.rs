//! What is told about the life of keys and aliases. Of their use nothing is.

use coffer_engine::Event;

use super::name::{Alias, KeyId};

/// A key was made.
pub(super) const KEY_CREATE: &str = "kms/key-create";
/// The note about a key was written.
pub(super) const DESCRIPTION_WRITE: &str = "kms/key-description-write";
/// A key can be used.
pub(super) const KEY_ENABLE: &str = "kms/key-enable";
/// A key can be used no more.
pub(super) const KEY_DISABLE: &str = "kms/key-disable";
/// When a key will be deleted is decided.
pub(super) const DELETION_SCHEDULE: &str = "kms/key-deletion-schedule";
/// A key stays that was to be deleted.
pub(super) const DELETION_CANCEL: &str = "kms/key-deletion-cancel";
/// A key is gone with all its aliases.
pub(super) const KEY_DELETE: &str = "kms/key-delete";
/// A key has new material.
pub(super) const KEY_ROTATE: &str = "kms/key-rotate";
/// Rotation by the calendar was turned on or off.
pub(super) const ROTATION_WRITE: &str = "kms/key-rotation-write";
/// Material was imported.
pub(super) const MATERIAL_IMPORT: &str = "kms/key-material-import";
/// Imported material was deleted.
pub(super) const MATERIAL_DELETE: &str = "kms/key-material-delete";
/// Imported material has expired, and is wiped.
pub(super) const MATERIAL_EXPIRE: &str = "kms/key-material-expire";
/// Tags were written.
pub(super) const TAG_WRITE: &str = "kms/key-tag-write";
/// Tags were removed.
pub(super) const TAG_DELETE: &str = "kms/key-tag-delete";
/// An alias was made.
pub(super) const ALIAS_CREATE: &str = "kms/alias-create";
/// An alias stands for another key than before.
pub(super) const ALIAS_UPDATE: &str = "kms/alias-update";
/// An alias is gone.
pub(super) const ALIAS_DELETE: &str = "kms/alias-delete";

impl KeyId {
    /// `kind` happened to this key. By whichever name it was asked for, it is told by its id.
    pub(super) fn event(self, kind: &'static str) -> Event {
        let place = format!("keys/{self}");
        let event = Event::new(kind, place.clone()).with("key_id", self);
        match kind {
            KEY_DELETE => event.with("modified", true),
            _ => event.modified(place),
        }
    }
}

impl Alias {
    /// `kind` happened to this alias, which stands, or stood, for that key.
    pub(super) fn event(&self, kind: &'static str, target: KeyId) -> Event {
        let place = format!("aliases/{}", self.segment());
        let event = Event::new(kind, place.clone())
            .with("alias_name", self)
            .with("target_key_id", target);
        match kind {
            ALIAS_DELETE => event.with("modified", true),
            _ => event.modified(place),
        }
    }
}
