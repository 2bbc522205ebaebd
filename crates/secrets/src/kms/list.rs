//! `keys`: which keys there are.

use std::collections::BTreeMap;

use coffer_engine::{Ctx, Fault, Handle};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Kms;
use super::book::KEYS;
use super::name::Alias;
use super::pages::{Paging, marker};
use super::record::Key;
use super::state::KeyState;

/// Keys of a page, if nothing is said.
const USUAL: usize = 100;
/// Keys of a page at most.
const MOST: usize = 1_000;

/// Lists the keys.
#[derive(Deserialize, JsonSchema)]
pub(super) struct ListKeys {
    /// Which page.
    #[serde(flatten)]
    paging: Paging,
}

/// Keys.
#[derive(Serialize, JsonSchema)]
pub(super) struct KeyList {
    /// Their ids.
    keys: Vec<String>,
    /// What they are, by id.
    key_info: BTreeMap<String, KeyInfo>,
    /// Whether there are more.
    truncated: bool,
    /// Where the next page begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_marker: Option<String>,
}

#[derive(Serialize, JsonSchema)]
struct KeyInfo {
    description: String,
    key_spec: &'static str,
    key_usage: &'static str,
    key_state: KeyState,
    aliases: Vec<String>,
}

impl Handle<Kms> for ListKeys {
    type Reply = KeyList;

    async fn handle(self, _: &Kms, cx: &Ctx) -> Result<KeyList, Fault> {
        let limit = self.paging.limit(USUAL, MOST)?;
        let mut after = self.paging.after()?.map(|id| format!("{KEYS}{id}"));
        let mut list = KeyList {
            keys: Vec::new(),
            key_info: BTreeMap::new(),
            truncated: false,
            next_marker: None,
        };
        // One more than is wanted says whether there are more.
        loop {
            let wanted = limit + 1 - list.keys.len();
            let page = cx.view.scan::<Key>(KEYS, after.as_deref(), wanted).await?;
            let Some((last, _)) = page.last() else {
                return Ok(list);
            };
            after = Some(last.clone());
            for (path, mut key) in page {
                key.settle(cx.now);
                if key.is_gone(cx.now) {
                    continue;
                }
                if list.keys.len() == limit {
                    list.truncated = true;
                    list.next_marker = list.keys.last().map(|last| marker(last));
                    return Ok(list);
                }
                let id = path.strip_prefix(KEYS).unwrap_or_default().to_owned();
                list.key_info.insert(id.clone(), KeyInfo::of(&key));
                list.keys.push(id);
            }
        }
    }
}

impl KeyInfo {
    fn of(key: &Key) -> Self {
        Self {
            description: key.description.clone(),
            key_spec: key.spec.name(),
            key_usage: key.usage.name(),
            key_state: key.state(),
            aliases: key.aliases.iter().map(Alias::to_string).collect(),
        }
    }
}
