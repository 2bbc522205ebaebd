//! What is known about a secret, and its settings.

use std::collections::BTreeMap;

use coffer_engine::{Ctx, Empty, Exists, Fault, Handle, WithWarnings};
use coffer_wire::{Flag, Int, KvPairs, Text};
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::V2;
use super::config::Config;
use super::draft::{Draft, load, settled};
use super::events::{METADATA_DELETE, METADATA_PATCH, METADATA_WRITE};
use super::input::{DeleteAfter, MaxVersions, present};
use super::secret::{Secret, Settings, ShownSecret, check_cas};

const MAX_CUSTOM_PAIRS: usize = 64;
const MAX_CUSTOM_KEY_BYTES: usize = 128;
const MAX_CUSTOM_VALUE_BYTES: usize = 512;

/// Reads a secret's versions and settings.
#[derive(Deserialize, JsonSchema)]
pub(super) struct Read {
    /// Where the secret is.
    path: String,
}

impl Handle<V2> for Read {
    type Reply = ShownSecret;

    async fn handle(self, _: &V2, cx: &Ctx) -> Result<ShownSecret, Fault> {
        let secret = load(cx, &self.path).await?;
        secret.map(ShownSecret::from).ok_or(Fault::NotFound)
    }
}

impl Exists<V2> for Read {
    async fn exists(self, _: &V2, cx: &Ctx) -> Result<bool, Fault> {
        Ok(load(cx, &self.path).await?.is_some())
    }
}

/// Changes a secret's settings, or makes them before the secret is there.
pub(super) type Write = Change<Pairs>;
/// Changes a secret's settings by a merge patch (RFC 7396).
pub(super) type Patch = Change<PairsPatch>;

/// Changes a secret's settings; what is not given stays, what is null is reset.
#[derive(Deserialize, JsonSchema)]
#[serde(bound = "C: Deserialize<'de>")]
pub(super) struct Change<C> {
    /// Where the secret is.
    path: String,
    /// Whether writes need `options.cas`.
    #[serde(default, deserialize_with = "present")]
    cas_required: Option<Flag>,
    /// Pairs of your own: at most 64, keys up to 128 bytes, values up to 512 bytes.
    #[serde(default, deserialize_with = "present")]
    custom_metadata: Option<C>,
    /// How long after its creation a version deletes itself.
    #[serde(default, deserialize_with = "present")]
    delete_version_after: Option<DeleteAfter>,
    /// How many versions are kept, if that is more than the mount says.
    #[serde(default, deserialize_with = "present")]
    max_versions: Option<MaxVersions>,
    /// Changes only if the settings were written this often (`current_metadata_version`).
    #[serde(default, deserialize_with = "present")]
    metadata_cas: Option<Int>,
    /// Whether changes of the settings need `metadata_cas`.
    #[serde(default, deserialize_with = "present")]
    metadata_cas_required: Option<Flag>,
}

impl<C: Custom> Handle<V2> for Change<C> {
    type Reply = WithWarnings<Empty>;

    async fn handle(self, _: &V2, cx: &Ctx) -> Result<WithWarnings<Empty>, Fault> {
        let config = Config::load(cx).await?;
        settled(|| async {
            let (secret, draft) = Draft::open(cx, &self.path).await?;
            let new = || C::CREATES.then(|| Secret::new(cx.now));
            let mut secret = secret.or_else(new).ok_or(Fault::NotFound)?;
            if self.is_empty() {
                return Ok(());
            }
            self.check(&config, &secret)?;
            secret.settle(self.over(&secret.settings)?, cx.now);
            draft.save(&secret).await?;
            let path = format!("metadata/{}", self.path);
            cx.emit(secret.event(C::TOLD_AS, path.clone()).modified(path));
            Ok(())
        })
        .await?;
        Ok(WithWarnings(Empty, self.warnings(&config)))
    }
}

impl<C: Custom> Change<C> {
    fn is_empty(&self) -> bool {
        self.cas_required.is_none()
            && self.custom_metadata.is_none()
            && self.delete_version_after.is_none()
            && self.max_versions.is_none()
            && self.metadata_cas_required.is_none()
    }

    fn check(&self, config: &Config, secret: &Secret) -> Result<(), Fault> {
        if self.delete_version_after == Some(DeleteAfter::Never) {
            return Err(Fault::invalid(
                "delete_version_after can not be negative here; only the mount's config can switch it off",
            ));
        }
        let required = config.metadata_cas_required || secret.settings.metadata_cas_required;
        let given = self.metadata_cas.map(|cas| cas.0);
        check_cas(
            "metadata check-and-set",
            given,
            required,
            secret.settings_version,
        )
    }

    fn over(&self, old: &Settings) -> Result<Settings, Fault> {
        let custom = match &self.custom_metadata {
            Some(change) => valid(change.over(&old.custom))?,
            None => old.custom.clone(),
        };
        Ok(Settings {
            cas_required: self.cas_required.map_or(old.cas_required, |flag| flag.0),
            custom,
            delete_after: self.delete_version_after.unwrap_or(old.delete_after),
            max_versions: self.max_versions.unwrap_or(old.max_versions),
            metadata_cas_required: self
                .metadata_cas_required
                .map_or(old.metadata_cas_required, |flag| flag.0),
        })
    }

    fn warnings(&self, config: &Config) -> Vec<String> {
        let switches = [
            ("cas_required", self.cas_required, config.cas_required),
            (
                "metadata_cas_required",
                self.metadata_cas_required,
                config.metadata_cas_required,
            ),
        ];
        let overruled = switches
            .iter()
            .filter(|(_, own, mount)| *own == Some(Flag(false)) && *mount);
        overruled
            .map(|(name, ..)| {
                format!("{name:?} is false here but true in the mount's config, which wins")
            })
            .collect()
    }
}

/// How a request changes the pairs that operators keep with a secret.
pub(super) trait Custom: DeserializeOwned + JsonSchema + Send + Sync + 'static {
    /// Whether the secret need not be there yet.
    const CREATES: bool;
    /// The kind of event that tells about it.
    const TOLD_AS: &'static str;

    /// The pairs that this makes of the old ones.
    fn over(&self, old: &BTreeMap<String, String>) -> BTreeMap<String, String>;
}

/// Pairs that take the place of all that were there.
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
pub(super) struct Pairs(KvPairs);

impl Custom for Pairs {
    const CREATES: bool = true;
    const TOLD_AS: &'static str = METADATA_WRITE;

    fn over(&self, _: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        self.0.0.clone()
    }
}

/// Pairs to set; null removes one, and in place of the object all.
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
pub(super) struct PairsPatch(Option<BTreeMap<String, Option<Text>>>);

impl Custom for PairsPatch {
    const CREATES: bool = false;
    const TOLD_AS: &'static str = METADATA_PATCH;

    fn over(&self, old: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        let Some(patch) = &self.0 else {
            return BTreeMap::new();
        };
        let mut custom = old.clone();
        for (name, value) in patch {
            match value {
                Some(Text(value)) => drop(custom.insert(name.clone(), value.clone())),
                None => drop(custom.remove(name)),
            }
        }
        custom
    }
}

/// Refuses pairs beyond the limits; says all that is wrong, but repeats no value.
fn valid(custom: BTreeMap<String, String>) -> Result<BTreeMap<String, String>, Fault> {
    let mut wrong = Vec::new();
    if custom.len() > MAX_CUSTOM_PAIRS {
        let count = custom.len();
        wrong.push(format!(
            "at most {MAX_CUSTOM_PAIRS} keys are possible, not {count}"
        ));
    }
    for (key, value) in &custom {
        if !(1..=MAX_CUSTOM_KEY_BYTES).contains(&key.len()) {
            let length = key.len();
            wrong.push(format!(
                "the key {key:?} must have 1 to {MAX_CUSTOM_KEY_BYTES} bytes, not {length}"
            ));
        }
        if !(1..=MAX_CUSTOM_VALUE_BYTES).contains(&value.len()) {
            let length = value.len();
            wrong.push(format!("the value of key {key:?} must have 1 to {MAX_CUSTOM_VALUE_BYTES} bytes, not {length}"));
        }
        if key.chars().chain(value.chars()).any(char::is_control) {
            wrong.push(format!(
                "the key {key:?} or its value contains unprintable characters"
            ));
        }
    }
    match wrong.is_empty() {
        true => Ok(custom),
        false => Err(Fault::Invalid(format!(
            "custom_metadata validation failed: {}",
            wrong.join("; ")
        ))),
    }
}

/// Removes a secret with all its versions and settings for ever.
#[derive(Deserialize, JsonSchema)]
pub(super) struct Delete {
    /// Where the secret is.
    path: String,
}

impl Handle<V2> for Delete {
    type Reply = Empty;

    async fn handle(self, _: &V2, cx: &Ctx) -> Result<Empty, Fault> {
        settled(|| async {
            if let (Some(secret), draft) = Draft::open(cx, &self.path).await? {
                draft.remove(&secret).await?;
                cx.emit(secret.event(METADATA_DELETE, format!("metadata/{}", self.path)));
            }
            Ok(Empty)
        })
        .await
    }
}
