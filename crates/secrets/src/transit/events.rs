//! What is told about the life of keys. Of their use nothing is: it is no change, and there is too much of it.

use coffer_engine::Event;

use super::key::Key;

/// What happened to a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Happened {
    /// It was made.
    Created,
    /// It was made of material that was brought.
    Imported,
    /// Material was brought for a version.
    VersionImported,
    /// It has a new version, because somebody asked for it.
    Rotated,
    /// It has a new version, because its period was over.
    RotatedByItself,
    /// What may be done with it was written.
    Configured,
    /// Certificates were kept with a version.
    Certified,
    /// Old versions were destroyed.
    Trimmed,
    /// It is refused until it is restored.
    DeletedSoftly,
    /// It is in use again.
    Undeleted,
    /// It is gone with all its versions.
    Deleted,
    /// It was given away in plaintext.
    BackedUp,
    /// It was made of a backup.
    Restored,
}

impl Happened {
    /// The kind of event, and where below the mount that is asked for.
    fn told(self, name: &str) -> (&'static str, String) {
        let (kind, place) = match self {
            Self::Created => ("transit/key-create", ""),
            Self::Imported => ("transit/key-import", "/import"),
            Self::VersionImported => ("transit/key-import-version", "/import_version"),
            Self::Rotated | Self::RotatedByItself => ("transit/key-rotate", "/rotate"),
            Self::Configured => ("transit/key-config-write", "/config"),
            Self::Certified => ("transit/key-certificate-write", "/set-certificate"),
            Self::Trimmed => ("transit/key-trim", "/trim"),
            Self::DeletedSoftly => ("transit/key-soft-delete", "/soft-delete"),
            Self::Undeleted => ("transit/key-undelete", "/soft-delete-restore"),
            Self::Deleted => ("transit/key-delete", ""),
            Self::BackedUp => return ("transit/key-backup", format!("backup/{name}")),
            Self::Restored => return ("transit/key-restore", format!("restore/{name}")),
        };
        (kind, format!("keys/{name}{place}"))
    }

    /// The event that says so, of a key of that name.
    pub(super) fn to(self, name: &str) -> Event {
        let (kind, place) = self.told(name);
        let event = Event::new(kind, place).with("name", name);
        match self {
            Self::Deleted => event.with("modified", true),
            _ => event.modified(format!("keys/{name}")),
        }
    }
}

impl Key {
    /// The event that says what happened to this key, as it is now.
    pub(super) fn event(&self, happened: Happened, name: &str) -> Event {
        let event = happened
            .to(name)
            .with("type", self.kind.name())
            .with("latest_version", self.latest_version);
        match happened {
            Happened::Rotated => event.with("automatic", false),
            Happened::RotatedByItself => event.with("automatic", true),
            Happened::Trimmed => event.with("min_available_version", self.min_available_version),
            _ => event,
        }
    }
}
