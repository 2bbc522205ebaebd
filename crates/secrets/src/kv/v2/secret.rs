//! What is known about a secret beside its data.

use std::collections::{BTreeMap, BTreeSet};

use coffer_engine::{Fault, Stored};
use coffer_wire::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};

use super::config::Config;
use super::input::{DeleteAfter, MaxVersions};

/// How many versions are kept where neither the secret nor the mount says.
const DEFAULT_VERSIONS: u16 = 10;

/// A secret's record. Its versions' data are records of their own.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Secret {
    created: Timestamp,
    updated: Timestamp,
    /// The number of the latest version; 0 before the first.
    pub(super) current: u64,
    /// The lowest number that may still be there; 0 as long as nothing had to go.
    #[serde(default)]
    pub(super) oldest: u64,
    pub(super) versions: BTreeMap<u64, Version>,
    pub(super) settings: Settings,
    /// How often the settings were written.
    #[serde(default)]
    pub(super) settings_version: u64,
}

/// What an operator decided about one secret.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Settings {
    pub(super) cas_required: bool,
    pub(super) custom: BTreeMap<String, String>,
    pub(super) delete_after: DeleteAfter,
    pub(super) max_versions: MaxVersions,
    pub(super) metadata_cas_required: bool,
}

/// One version of a secret.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct Version {
    /// When it was written.
    #[serde(rename = "created_time")]
    pub(super) created: Timestamp,
    /// When it was or will be deleted; empty for never.
    #[serde(rename = "deletion_time", with = "or_empty")]
    #[schemars(with = "String")]
    pub(super) deletion: Option<Timestamp>,
    /// Whether its data is gone for ever.
    pub(super) destroyed: bool,
}

impl Stored for Secret {}

impl Secret {
    /// A secret without versions.
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            created: now,
            updated: now,
            current: 0,
            oldest: 0,
            versions: BTreeMap::new(),
            settings: Settings::default(),
            settings_version: 0,
        }
    }

    /// The number that a client means: 0 and below are the latest.
    pub(super) fn resolve(&self, asked: i64) -> u64 {
        u64::try_from(asked)
            .ok()
            .filter(|n| *n > 0)
            .unwrap_or(self.current)
    }

    /// Adds a version; answers the numbers of those that have to go.
    pub(super) fn push(&mut self, config: &Config, now: Timestamp) -> Vec<u64> {
        self.current += 1;
        self.updated = now;
        let version = Version {
            created: now,
            deletion: self.deletion_of_one_made_at(now, config),
            destroyed: false,
        };
        self.versions.insert(self.current, version);

        let keep = match config.max_versions.max(self.settings.max_versions) {
            MaxVersions(0) => DEFAULT_VERSIONS,
            MaxVersions(number) => number,
        };
        if let Some(oldest) = (self.current + 1).checked_sub(u64::from(keep)) {
            self.oldest = self.oldest.max(oldest);
        }
        let kept = self.versions.split_off(&self.oldest);
        std::mem::replace(&mut self.versions, kept)
            .into_keys()
            .collect()
    }

    /// Deletes these versions; their data stays. Answers which of them that changed.
    pub(super) fn delete(&mut self, numbers: &BTreeSet<u64>, now: Timestamp) -> BTreeSet<u64> {
        let there = self.present(numbers).filter(|(_, v)| !v.is_deleted(now));
        let deleted = there.map(|(number, version)| {
            version.deletion = Some(now);
            number
        });
        deleted.collect()
    }

    /// Takes the deletion of these versions back. Where versions delete themselves after a time, that
    /// starts again. Answers which of them that changed.
    pub(super) fn undelete(
        &mut self,
        numbers: &BTreeSet<u64>,
        config: &Config,
        now: Timestamp,
    ) -> BTreeSet<u64> {
        let deletion = self.deletion_of_one_made_at(now, config);
        let others = self
            .present(numbers)
            .filter(|(_, v)| v.deletion != deletion);
        let undeleted = others.map(|(number, version)| {
            version.deletion = deletion;
            number
        });
        undeleted.collect()
    }

    /// Marks these versions destroyed; answers which were not before.
    pub(super) fn destroy(&mut self, numbers: &BTreeSet<u64>) -> BTreeSet<u64> {
        let destroyed = self.present(numbers).map(|(number, version)| {
            version.destroyed = true;
            number
        });
        destroyed.collect()
    }

    /// Takes new settings.
    pub(super) fn settle(&mut self, settings: Settings, now: Timestamp) {
        self.settings = settings;
        self.settings_version += 1;
        self.updated = now;
    }

    /// One version, as answers about it show it.
    pub(super) fn show(&self, number: u64) -> Option<ShownVersion> {
        let version = self.versions.get(&number)?;
        Some(ShownVersion {
            created_time: version.created,
            custom_metadata: self.shown_custom(),
            deletion_time: version.deletion,
            destroyed: version.destroyed,
            version: number,
        })
    }

    fn shown_custom(&self) -> Option<BTreeMap<String, String>> {
        Some(self.settings.custom.clone()).filter(|custom| !custom.is_empty())
    }

    fn deletion_of_one_made_at(&self, now: Timestamp, config: &Config) -> Option<Timestamp> {
        let after = config.delete_version_after.and(self.settings.delete_after);
        after.map(|after| now.plus(after))
    }

    fn present(&mut self, numbers: &BTreeSet<u64>) -> impl Iterator<Item = (u64, &mut Version)> {
        let named = self
            .versions
            .iter_mut()
            .filter(|(number, _)| numbers.contains(number));
        named
            .map(|(number, version)| (*number, version))
            .filter(|(_, version)| !version.destroyed)
    }
}

impl Version {
    /// Whether its deletion lies in the past.
    pub(super) fn is_deleted(&self, now: Timestamp) -> bool {
        self.deletion.is_some_and(|at| at <= now)
    }
}

/// One version in an answer.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(super) struct ShownVersion {
    /// When it was written.
    created_time: Timestamp,
    /// The secret's own pairs, if there are any.
    custom_metadata: Option<BTreeMap<String, String>>,
    /// When it was or will be deleted; empty for never.
    #[serde(serialize_with = "or_empty::serialize")]
    #[schemars(with = "String")]
    deletion_time: Option<Timestamp>,
    /// Whether its data is gone for ever.
    destroyed: bool,
    /// Its number.
    version: u64,
}

impl ShownVersion {
    /// Whether there is data to show.
    pub(super) fn is_readable(&self, now: Timestamp) -> bool {
        !self.destroyed && self.deletion_time.is_none_or(|at| at > now)
    }
}

/// A secret in an answer.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct ShownSecret {
    /// Whether writes need `options.cas`.
    cas_required: bool,
    /// When it was first written.
    created_time: Timestamp,
    /// How often the settings were written; what `metadata_cas` is compared with.
    current_metadata_version: u64,
    /// The number of the latest version.
    current_version: u64,
    /// The secret's own pairs, if there are any.
    custom_metadata: Option<BTreeMap<String, String>>,
    /// How long after its creation a version deletes itself.
    delete_version_after: DeleteAfter,
    /// How many versions are kept; 0 for what the mount says.
    max_versions: MaxVersions,
    /// Whether changes of the metadata need `metadata_cas`.
    metadata_cas_required: bool,
    /// The lowest version number that may still be there.
    oldest_version: u64,
    /// When a version or the settings were last written.
    updated_time: Timestamp,
    /// All versions by their numbers.
    versions: BTreeMap<u64, Version>,
}

impl From<Secret> for ShownSecret {
    fn from(secret: Secret) -> Self {
        Self {
            cas_required: secret.settings.cas_required,
            created_time: secret.created,
            current_metadata_version: secret.settings_version,
            current_version: secret.current,
            custom_metadata: secret.shown_custom(),
            delete_version_after: secret.settings.delete_after,
            max_versions: secret.settings.max_versions,
            metadata_cas_required: secret.settings.metadata_cas_required,
            oldest_version: secret.oldest,
            updated_time: secret.updated,
            versions: secret.versions,
        }
    }
}

/// Refuses a change that is based on another state than the present one.
pub(super) fn check_cas(
    what: &str,
    given: Option<i64>,
    required: bool,
    current: u64,
) -> Result<(), Fault> {
    match given {
        None if required => Err(Fault::Invalid(format!(
            "{what} parameter required for this call"
        ))),
        Some(given) if u64::try_from(given) != Ok(current) => Err(Fault::Invalid(format!(
            "{what} parameter did not match the current version"
        ))),
        _ => Ok(()),
    }
}

/// A time that may never come, as the API writes it: empty text.
mod or_empty {
    use super::{Deserialize, Serialize, Serializer, Timestamp};
    use serde::{Deserializer, de};
    use std::borrow::Cow;

    pub(super) fn serialize<S: Serializer>(
        at: &Option<Timestamp>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        match at {
            Some(at) => at.serialize(to),
            None => to.serialize_str(""),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Timestamp>, D::Error> {
        let text = Cow::<str>::deserialize(from)?;
        match (text.is_empty(), Timestamp::parse(&text)) {
            (true, _) => Ok(None),
            (false, Some(at)) => Ok(Some(at)),
            (false, None) => Err(de::Error::custom("expected an RFC 3339 time or nothing")),
        }
    }
}
