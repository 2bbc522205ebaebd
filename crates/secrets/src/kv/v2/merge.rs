//! Merge patches of documents (RFC 7396).

use coffer_wire::Wiped;
use serde_json::{Map, Value};

use crate::document::Document;

/// The document that `patch` makes of `old`.
pub(super) fn merged(old: &Document, patch: &Document) -> Result<Document, serde_json::Error> {
    if patch.is_null() {
        return Ok(patch.clone());
    }
    let (mut target, mut patch) = (old.fields()?, patch.fields()?);
    apply(&mut target, patch.take());
    Document::of(&target)
}

/// RFC 7396 section 2, for objects. What is replaced is wiped.
fn apply(target: &mut Map<String, Value>, patch: Map<String, Value>) {
    for (name, change) in patch {
        match change {
            Value::Null => drop(target.remove(&name).map(Wiped)),
            Value::Object(inner) => {
                let place = target.entry(name).or_insert(Value::Null);
                if !place.is_object() {
                    drop(Wiped(std::mem::replace(place, Value::Object(Map::new()))));
                }
                if let Value::Object(place) = place {
                    apply(place, inner);
                }
            }
            other => drop(target.insert(name, other).map(Wiped)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// The examples of RFC 7396 appendix A whose documents and patches are objects.
    #[test]
    fn examples_of_the_rfc() {
        for (target, patch, result) in [
            (json!({"a":"b"}), json!({"a":"c"}), json!({"a":"c"})),
            (json!({"a":"b"}), json!({"b":"c"}), json!({"a":"b","b":"c"})),
            (json!({"a":"b"}), json!({"a":null}), json!({})),
            (
                json!({"a":"b","b":"c"}),
                json!({"a":null}),
                json!({"b":"c"}),
            ),
            (json!({"a":["b"]}), json!({"a":"c"}), json!({"a":"c"})),
            (json!({"a":"c"}), json!({"a":["b"]}), json!({"a":["b"]})),
            (
                json!({"a":{"b":"c"}}),
                json!({"a":{"b":"d","c":null}}),
                json!({"a":{"b":"d"}}),
            ),
            (json!({"a":[{"b":"c"}]}), json!({"a":[1]}), json!({"a":[1]})),
            (json!({"e":null}), json!({"a":1}), json!({"e":null,"a":1})),
            (
                json!({}),
                json!({"a":{"bb":{"ccc":null}}}),
                json!({"a":{"bb":{}}}),
            ),
        ] {
            let mut merged = target.as_object().unwrap().clone();
            apply(&mut merged, patch.as_object().unwrap().clone());
            assert_eq!(Value::Object(merged), result, "{target} with {patch}");
        }
    }
}
