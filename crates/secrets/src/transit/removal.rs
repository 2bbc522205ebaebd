//! Removing a key: one whose record can not be read goes like any other.

use coffer_engine::{Ctx, Fault, Seen, Stored};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::Transit;
use super::draft::{Deleted, clear, deleted_place};
use super::key::{Key, key_place};

/// A key that is about to go.
pub(super) struct Removal<'a> {
    name: &'a str,
    seen: Seen,
    /// Names its versions; nothing where the record does not even tell that.
    id: Option<String>,
    /// Whether it may be deleted. A record that can not be read and does not say so may: nobody could allow it any more.
    pub(super) allowed: bool,
}

/// What can be told of any record of a key.
#[derive(Default, Serialize)]
struct Remains {
    id: Option<String>,
    deletion_allowed: Option<bool>,
}

impl Stored for Remains {}

impl<'de> Deserialize<'de> for Remains {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(from)?;
        let id = value.get("id").and_then(Value::as_str);
        Ok(Self {
            id: id.map(str::to_owned),
            deletion_allowed: value.get("deletion_allowed").and_then(Value::as_bool),
        })
    }
}

impl<'a> Removal<'a> {
    /// A key that is there.
    pub(super) async fn open(cx: &Ctx, name: &'a str) -> Result<Option<Self>, Fault> {
        let place = key_place(name)?;
        let error = match cx.view.get_seen::<Key>(&place).await {
            Ok((key, seen)) => {
                return Ok(key.map(|key| Self {
                    name,
                    seen,
                    id: Some(key.id),
                    allowed: key.deletion_allowed,
                }));
            }
            Err(error) => error,
        };
        // Closed storage, or no record of this form at all: the first error says it better.
        let Ok((Some(remains), seen)) = cx.view.get_seen::<Remains>(&place).await else {
            return Err(error.into());
        };
        Ok(Some(Self {
            name,
            seen,
            // It becomes part of a path.
            id: remains.id.filter(|id| is_id(id)),
            allowed: remains.deletion_allowed.unwrap_or(true),
        }))
    }

    /// Removes the key with all its versions.
    pub(super) async fn remove(self, engine: &Transit, cx: &Ctx) -> Result<(), Fault> {
        let _forgotten = engine.cache.forgetting(self.name);
        let place = key_place(self.name)?;
        let mut changes = cx.view.changes().expect(&cx.view, &place, self.seen);
        let all = Deleted { before: u32::MAX };
        if let Some(id) = &self.id {
            changes = changes.put(&cx.view, &deleted_place(id), &all)?;
        }
        changes.delete(&cx.view, &place).commit().await?;
        match &self.id {
            Some(id) => clear(cx, id, all.before).await,
            None => Ok(()),
        }
    }
}

fn is_id(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric())
}
