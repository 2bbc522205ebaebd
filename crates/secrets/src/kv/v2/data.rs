//! Reading and writing secrets.

use std::collections::BTreeSet;

use coffer_engine::{Ctx, Empty, Fault, Handle, Reply};
use coffer_wire::Int;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::V2;
use super::config::Config;
use super::draft::{Draft, load, load_data, settled};
use super::events::{DATA_DELETE, DATA_PATCH, DATA_WRITE};
use super::input::present;
use super::merge::merged;
use super::secret::{Secret, ShownVersion, check_cas};
use crate::document::{Document, sent};

/// Reads a secret.
#[derive(Deserialize, JsonSchema)]
pub(super) struct Read {
    /// Where the secret is.
    path: String,
    /// The number of the version; 0 or nothing for the latest.
    #[serde(default)]
    version: Int,
}

/// A version with its data.
#[derive(Serialize, JsonSchema)]
pub(super) struct Found {
    /// The secret itself; null where this version is deleted or destroyed.
    data: Option<Document>,
    /// What is known about this version.
    metadata: ShownVersion,
}

impl Handle<V2> for Read {
    type Reply = Found;

    async fn handle(self, _: &V2, cx: &Ctx) -> Result<Found, Fault> {
        let (number, metadata) = pick(cx, &self.path, self.version).await?;
        if !metadata.is_readable(cx.now) {
            return Err(gone(&Found {
                data: None,
                metadata,
            })?);
        }
        let data = Some(load_data(cx, &self.path, number).await?);
        Ok(Found { data, metadata })
    }
}

/// The version that a client asks for.
pub(super) async fn pick(cx: &Ctx, path: &str, version: Int) -> Result<(u64, ShownVersion), Fault> {
    let secret = load(cx, path).await?.ok_or(Fault::NotFound)?;
    let number = secret.resolve(version.0);
    let shown = secret.show(number).ok_or(Fault::NotFound)?;
    Ok((number, shown))
}

/// The fault that says what was there.
pub(super) fn gone(rest: &impl Serialize) -> Result<Fault, Fault> {
    Ok(Fault::Gone(Box::new(Reply::data(rest)?)))
}

/// Writes a new version of a secret.
#[derive(Deserialize, JsonSchema)]
pub(super) struct Write {
    /// Where the secret is.
    path: String,
    /// The secret: an object of your choice.
    #[serde(default, deserialize_with = "sent")]
    data: Option<Document>,
    /// Conditions of the write.
    #[serde(default)]
    options: Option<Options>,
}

/// Conditions of a write.
#[derive(Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(expecting = "an object, for example {\"cas\": 1}")]
pub(super) struct Options {
    /// Writes only if the latest version has this number; 0 only if there is none yet.
    #[serde(default, deserialize_with = "present")]
    cas: Option<Int>,
}

impl Options {
    fn check(options: Option<Self>, config: &Config, secret: &Secret) -> Result<(), Fault> {
        let cas = options.and_then(|options| options.cas).map(|cas| cas.0);
        let required = config.cas_required || secret.settings.cas_required;
        check_cas("check-and-set", cas, required, secret.current)
    }
}

impl Handle<V2> for Write {
    type Reply = ShownVersion;

    async fn handle(self, _: &V2, cx: &Ctx) -> Result<ShownVersion, Fault> {
        let data = self.data.as_ref().ok_or_else(no_data)?;
        let config = Config::load(cx).await?;
        settled(|| async {
            let (secret, draft) = Draft::open(cx, &self.path).await?;
            let secret = secret.unwrap_or_else(|| Secret::new(cx.now));
            Options::check(self.options, &config, &secret)?;
            add(draft, secret, data, &config, DATA_WRITE).await
        })
        .await
    }
}

/// Changes some fields of a secret by a merge patch (RFC 7396) into a new version.
#[derive(Deserialize, JsonSchema)]
pub(super) struct Patch {
    /// Where the secret is.
    path: String,
    /// The fields to set; null removes one.
    #[serde(default, deserialize_with = "sent")]
    data: Option<Document>,
    /// Conditions of the write.
    #[serde(default)]
    options: Option<Options>,
}

impl Handle<V2> for Patch {
    type Reply = ShownVersion;

    async fn handle(self, _: &V2, cx: &Ctx) -> Result<ShownVersion, Fault> {
        let patch = self.data.as_ref().ok_or_else(no_data)?;
        let config = Config::load(cx).await?;
        settled(|| async {
            let (secret, draft) = Draft::open(cx, &self.path).await?;
            let secret = secret.unwrap_or_else(|| Secret::new(cx.now));
            Options::check(self.options, &config, &secret)?;
            let latest = secret.show(secret.current).ok_or(Fault::NotFound)?;
            if !latest.is_readable(cx.now) {
                return Err(gone(&latest)?);
            }
            let old = load_data(cx, &self.path, secret.current).await?;
            let data = merged(&old, patch).map_err(Fault::internal)?;
            add(draft, secret, &data, &config, DATA_PATCH).await
        })
        .await
    }
}

async fn add(
    draft: Draft<'_>,
    mut secret: Secret,
    data: &Document,
    config: &Config,
    kind: &'static str,
) -> Result<ShownVersion, Fault> {
    let (cx, path) = (draft.cx, format!("data/{}", draft.path));
    let pruned = secret.push(config, cx.now);
    let draft = draft.keep(secret.current, data)?.drop_data(pruned);
    draft.save(&secret).await?;
    cx.emit(secret.event(kind, path.clone()).modified(path));
    secret.show(secret.current).ok_or(Fault::NotFound)
}

fn no_data() -> Fault {
    Fault::invalid("no data provided; send the secret as {\"data\": {...}}")
}

/// Deletes the latest version; `undelete` brings it back.
#[derive(Deserialize, JsonSchema)]
pub(super) struct Delete {
    /// Where the secret is.
    path: String,
}

impl Handle<V2> for Delete {
    type Reply = Empty;

    async fn handle(self, _: &V2, cx: &Ctx) -> Result<Empty, Fault> {
        settled(|| async {
            let (Some(mut secret), draft) = Draft::open(cx, &self.path).await? else {
                return Ok(Empty);
            };
            let latest = BTreeSet::from([secret.current]);
            if !secret.delete(&latest, cx.now).is_empty() {
                draft.save(&secret).await?;
                cx.emit(secret.event(DATA_DELETE, format!("data/{}", self.path)));
            }
            Ok(Empty)
        })
        .await
    }
}
