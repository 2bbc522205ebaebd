//! `keys/{key}/tags`: pairs of texts by which people find and sort keys.

use std::borrow::Cow;
use std::collections::BTreeMap;

use coffer_engine::{Ctx, Empty, Fault, Handle, Routes, path};
use coffer_wire::{KvPairs, Text};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::Value;

use super::Kms;
use super::book::{named, read};
use super::events::{TAG_DELETE, TAG_WRITE};
use super::exception::Exception;
use super::pages::{Paging, page_of};
use super::record::Key;

/// Tags of a key at most.
const MAX_TAGS: usize = 50;
/// Characters of a tag's key, and of its value, at most.
const MAX_CHARACTERS: (usize, usize) = (128, 256);
/// What tags of the provider itself begin with.
const RESERVED: &str = "aws:";

pub(super) fn routes() -> Routes<Kms> {
    Routes::new([path("keys/{key}/tags", "The tags of a key.")
        .read::<ListTags>()
        .write::<Tag>()
        .delete::<Untag>()])
}

/// Tags as they are sent: a list of `{"tag_key", "tag_value"}`, or pairs of texts in any of their forms.
#[derive(Debug, Default)]
pub(super) struct Tags(Vec<(String, String)>);

#[derive(Serialize, Deserialize, JsonSchema)]
struct OneTag {
    tag_key: Text,
    #[serde(default)]
    tag_value: Text,
}

impl<'de> Deserialize<'de> for Tags {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let wrong = |_| de::Error::custom("expected a list of tag_key and tag_value, or pairs");
        let value = Value::deserialize(from)?;
        let listed = value
            .as_array()
            .is_some_and(|items| items.iter().any(Value::is_object));
        if listed {
            let tags: Vec<OneTag> = serde_json::from_value(value).map_err(wrong)?;
            let pairs = tags.into_iter().map(|tag| (tag.tag_key.0, tag.tag_value.0));
            return Ok(Self(pairs.collect()));
        }
        let pairs: KvPairs = serde_json::from_value(value).map_err(wrong)?;
        Ok(Self(pairs.0.into_iter().collect()))
    }
}

impl JsonSchema for Tags {
    fn schema_name() -> Cow<'static, str> {
        "Tags".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"tag_key": {"type": "string"}, "tag_value": {"type": "string"}},
                "required": ["tag_key"],
            },
        })
    }
}

impl Tags {
    /// These tags over those that are there.
    pub(super) fn checked(
        self,
        old: &BTreeMap<String, String>,
    ) -> Result<BTreeMap<String, String>, Fault> {
        let mut seen = BTreeMap::new();
        for (name, value) in self.0 {
            let long =
                name.chars().count() > MAX_CHARACTERS.0 || value.chars().count() > MAX_CHARACTERS.1;
            if name.is_empty() || long {
                return Err(Exception::Tag
                    .because("the key of a tag has 1 to 128 characters, the value 256 at most"));
            }
            if name.to_ascii_lowercase().starts_with(RESERVED) {
                return Err(Exception::Tag.because("tags that begin with aws: are reserved"));
            }
            if seen.insert(name, value).is_some() {
                return Err(Exception::Tag.because("two tags have the same key"));
            }
        }
        let mut all = old.clone();
        all.extend(seen);
        match all.len() <= MAX_TAGS {
            true => Ok(all),
            false => {
                Err(Exception::LimitExceeded.because(format!("a key has {MAX_TAGS} tags at most")))
            }
        }
    }
}

/// Adds tags to a key, or changes their values.
#[derive(Deserialize, JsonSchema)]
struct Tag {
    /// The key: its id, or `alias:NAME` with `:` for each `/` of the name.
    key: String,
    /// The tags: a list of `{"tag_key", "tag_value"}`, or an object.
    tags: Tags,
}

impl Handle<Kms> for Tag {
    type Reply = Empty;

    async fn handle(self, engine: &Kms, cx: &Ctx) -> Result<Empty, Fault> {
        let edit = |id, key: &mut Key| {
            key.refuse_pending_deletion(id)?;
            key.tags = Tags(self.tags.0.clone()).checked(&key.tags)?;
            Ok(Empty)
        };
        engine.change(cx, &self.key, TAG_WRITE, edit).await
    }
}

/// Removes tags of a key.
#[derive(Deserialize, JsonSchema)]
struct Untag {
    /// The key: its id, or `alias:NAME` with `:` for each `/` of the name.
    key: String,
    /// The keys of the tags.
    tag_keys: TagKeys,
}

impl Handle<Kms> for Untag {
    type Reply = Empty;

    async fn handle(self, engine: &Kms, cx: &Ctx) -> Result<Empty, Fault> {
        let edit = |id, key: &mut Key| {
            key.refuse_pending_deletion(id)?;
            key.tags.retain(|name, _| !self.tag_keys.0.contains(name));
            Ok(Empty)
        };
        engine.change(cx, &self.key, TAG_DELETE, edit).await
    }
}

/// Keys of tags: a list, in which blanks and commas count, or a text with commas between them.
#[derive(Debug)]
struct TagKeys(Vec<String>);

impl<'de> Deserialize<'de> for TagKeys {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let wrong = |_| de::Error::custom("expected a list of texts");
        let keys = match Value::deserialize(from)? {
            list @ Value::Array(_) => {
                let keys: Vec<Text> = serde_json::from_value(list).map_err(wrong)?;
                keys.into_iter().map(|key| key.0).collect()
            }
            one => {
                let text: Text = serde_json::from_value(one).map_err(wrong)?;
                text.0.split(',').map(str::to_owned).collect()
            }
        };
        Ok(Self(keys))
    }
}

impl JsonSchema for TagKeys {
    fn schema_name() -> Cow<'static, str> {
        "TagKeys".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "array", "items": { "type": "string" } })
    }
}

/// Lists the tags of a key.
#[derive(Deserialize, JsonSchema)]
struct ListTags {
    /// The key: its id, or `alias:NAME` with `:` for each `/` of the name.
    key: String,
    /// Which page.
    #[serde(flatten)]
    paging: Paging,
}

/// Tags.
#[derive(Serialize, JsonSchema)]
struct TagList {
    tags: Vec<OneTag>,
    /// Whether there are more.
    truncated: bool,
    /// Where the next page begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_marker: Option<String>,
}

impl Handle<Kms> for ListTags {
    type Reply = TagList;

    async fn handle(self, _: &Kms, cx: &Ctx) -> Result<TagList, Fault> {
        let limit = self.paging.limit(MAX_TAGS, MAX_TAGS)?;
        let key = read(cx, named(cx, &self.key).await?).await?;
        let shown = key.tags.into_iter().map(|(name, value)| OneTag {
            tag_key: Text(name),
            tag_value: Text(value),
        });
        let (tags, next_marker) = page_of(shown, &self.paging, limit, |tag| &tag.tag_key.0)?;
        Ok(TagList {
            truncated: next_marker.is_some(),
            tags,
            next_marker,
        })
    }
}
