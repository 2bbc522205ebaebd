//! The shape of a secret without its values.

use coffer_engine::{Ctx, Fault, Handle};
use coffer_wire::Int;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::V2;
use super::data::{gone, pick};
use super::draft::load_data;
use super::secret::ShownVersion;

/// Reads the names of a secret's fields, without their values.
#[derive(Deserialize, JsonSchema)]
pub(super) struct Read {
    /// Where the secret is.
    path: String,
    /// The number of the version; 0 or nothing for the latest.
    #[serde(default)]
    version: Int,
    /// How many levels deep to go; 0 or nothing for all.
    #[serde(default)]
    depth: Int,
}

/// A version with the names of its fields.
#[derive(Serialize, JsonSchema)]
pub(super) struct Shape {
    /// What is known about this version.
    metadata: ShownVersion,
    /// The names; null in place of every value.
    subkeys: Option<Map<String, Value>>,
}

impl Handle<V2> for Read {
    type Reply = Shape;

    async fn handle(self, _: &V2, cx: &Ctx) -> Result<Shape, Fault> {
        let (number, metadata) = pick(cx, &self.path, self.version).await?;
        if !metadata.is_readable(cx.now) {
            return Err(gone(&Shape {
                metadata,
                subkeys: None,
            })?);
        }
        let data = load_data(cx, &self.path, number).await?;
        let depth = usize::try_from(self.depth.0)
            .ok()
            .filter(|depth| *depth > 0);
        let fields = data.fields().map_err(Fault::internal)?;
        let subkeys = (!data.is_null()).then(|| names(&fields, depth.unwrap_or(usize::MAX)));
        Ok(Shape { metadata, subkeys })
    }
}

fn names(fields: &Map<String, Value>, depth: usize) -> Map<String, Value> {
    let name = |(name, value): (&String, &Value)| {
        let below = match value {
            Value::Object(inner) if depth > 1 && !inner.is_empty() => {
                Value::Object(names(inner, depth - 1))
            }
            _ => Value::Null,
        };
        (name.clone(), below)
    };
    fields.iter().map(name).collect()
}
