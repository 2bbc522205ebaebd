//! Lists of secrets, with or without what is known about each.

use std::collections::BTreeMap;

use coffer_engine::{Ctx, Fault, Handle};
use coffer_wire::{Int, Text};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::draft::load;
use super::secret::ShownSecret;
use super::{METADATA, V2};
use coffer_engine::keys::{Keys, folder};

/// What is asked of every list.
#[derive(Deserialize, JsonSchema)]
#[schemars(inline)]
struct Ask {
    /// The folder.
    path: String,
    /// Answers only names after this one.
    #[serde(default)]
    after: Option<Text>,
    /// Answers at most this many names; 0 or nothing for all.
    #[serde(default)]
    limit: Int,
}

impl Ask {
    async fn list(&self, cx: &Ctx) -> Result<Keys, Fault> {
        let folder = folder(METADATA, &self.path);
        let keys = Keys::list(&cx.view, &folder, self.after(), self.most()).await?;
        keys.found()
    }

    async fn scan(&self, cx: &Ctx) -> Result<Keys, Fault> {
        let folder = folder(METADATA, &self.path);
        Keys::scan(&cx.view, &folder, self.after(), self.most()).await
    }

    fn after(&self) -> Option<&str> {
        self.after.as_ref().map(|name| name.0.as_str())
    }

    fn most(&self) -> usize {
        let limit = usize::try_from(self.limit.0).ok();
        limit.filter(|limit| *limit > 0).unwrap_or(usize::MAX)
    }
}

/// Lists the secrets in a folder.
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
pub(super) struct List(Ask);

impl Handle<V2> for List {
    type Reply = Keys;

    async fn handle(self, _: &V2, cx: &Ctx) -> Result<Keys, Fault> {
        self.0.list(cx).await
    }
}

/// Lists the secrets in a folder and in all folders below it.
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
pub(super) struct Scan(Ask);

impl Handle<V2> for Scan {
    type Reply = Keys;

    async fn handle(self, _: &V2, cx: &Ctx) -> Result<Keys, Fault> {
        self.0.scan(cx).await
    }
}

/// Lists the secrets in a folder with what is known about each.
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
pub(super) struct DetailedList(Ask);

impl Handle<V2> for DetailedList {
    type Reply = Details;

    async fn handle(self, _: &V2, cx: &Ctx) -> Result<Details, Fault> {
        Details::of(self.0.list(cx).await?, &self.0.path, cx).await
    }
}

/// Lists the secrets in a folder and in all folders below it with what is known about each.
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
pub(super) struct DetailedScan(Ask);

impl Handle<V2> for DetailedScan {
    type Reply = Details;

    async fn handle(self, _: &V2, cx: &Ctx) -> Result<Details, Fault> {
        Details::of(self.0.scan(cx).await?, &self.0.path, cx).await
    }
}

/// The answer to a detailed list.
#[derive(Serialize, JsonSchema)]
pub(super) struct Details {
    /// What is known about each secret; nothing about folders.
    key_info: BTreeMap<String, Detail>,
    /// Names in byte order; folders end with a slash.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    keys: Vec<String>,
}

/// A secret or a folder in a detailed list.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
enum Detail {
    Secret(ShownSecret),
    Folder {},
}

impl Details {
    async fn of(Keys { keys }: Keys, path: &str, cx: &Ctx) -> Result<Self, Fault> {
        let folder = folder("", path);
        let mut key_info = BTreeMap::new();
        for key in &keys {
            let secret = match key.ends_with('/') {
                true => None,
                false => load(cx, &format!("{folder}{key}")).await?,
            };
            let detail = secret.map_or(Detail::Folder {}, |secret| Detail::Secret(secret.into()));
            key_info.insert(key.clone(), detail);
        }
        Ok(Self { key_info, keys })
    }
}
