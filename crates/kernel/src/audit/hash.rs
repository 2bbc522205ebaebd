//! Hashing what must not be readable.

use coffer_crypto::HmacKey;
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

/// Turns texts into `hmac-sha256:<hex>` under the key of one device, so that who knows a value can
/// look for it in the log (`sys/audit-hash`) and who does not learns nothing but equality.
#[derive(Clone, Debug)]
pub(super) struct Hasher(HmacKey);

/// A text as it stands in the line.
pub(super) enum Shown<'a> {
    /// Readable.
    Plain(&'a str),
    /// Hashed.
    Hashed(Digest),
}

/// `hmac-sha256:` and 64 hexadecimal digits.
pub(super) struct Digest([u8; TAG.len() + 64]);

/// How the leaves of a tree are shown.
#[derive(Clone, Copy)]
pub(super) struct Veil<'a> {
    /// None to leave all readable (`log_raw`).
    pub hasher: Option<&'a Hasher>,
    /// Leaves whose nearest key is one of these stay readable. Lists pass their key on to their
    /// items; objects have keys of their own.
    pub plain_keys: &'a [String],
}

/// Serialises an object with every leaf hashed: texts by their bytes, numbers and booleans by their
/// JSON text. The exceptions: `null` and empty lists and objects, which hold nothing; the names of
/// keys; leaves of the veil's plain keys; and, in elided lists, the number of their items.
///
/// (The reference leaves numbers, booleans and times readable. A PIN is a number too.)
pub(super) struct Object<'a> {
    pub map: &'a Map<String, Value>,
    pub veil: Veil<'a>,
    /// Shows only how many items `keys` and `key_info` have (`elide_list_responses`).
    pub elided: bool,
}

struct Leaf<'a> {
    value: &'a Value,
    veil: Veil<'a>,
    plain: bool,
}

const TAG: &[u8] = b"hmac-sha256:";
const HEX: &[u8; 16] = b"0123456789abcdef";

impl Hasher {
    pub fn new(key: &[u8]) -> Self {
        Self(HmacKey::new(key))
    }

    pub fn hash(&self, bytes: &[u8]) -> Digest {
        let mut out = [0; TAG.len() + 64];
        let digits = self
            .0
            .sign(bytes)
            .into_iter()
            .flat_map(|byte| [byte >> 4, byte & 15]);
        let digits = digits.map(|digit| HEX.get(usize::from(digit)).copied().unwrap_or_default());
        for (to, from) in out.iter_mut().zip(TAG.iter().copied().chain(digits)) {
            *to = from;
        }
        Digest(out)
    }
}

impl Digest {
    pub fn as_str(&self) -> &str {
        // ASCII by construction.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl Veil<'_> {
    /// A text that belongs to no key.
    pub fn text<'t>(&self, text: &'t str) -> Shown<'t> {
        match self.hasher {
            Some(hasher) => Shown::Hashed(hasher.hash(text.as_bytes())),
            None => Shown::Plain(text),
        }
    }
}

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Plain(text) => to.serialize_str(text),
            Self::Hashed(digest) => digest.serialize(to),
        }
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.as_str())
    }
}

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(Some(self.map.len()))?;
        for (key, value) in self.map {
            match (self.elided, key.as_str(), value) {
                (true, "keys", Value::Array(items)) => map.serialize_entry(key, &items.len())?,
                (true, "key_info", Value::Object(items)) => {
                    map.serialize_entry(key, &items.len())?;
                }
                _ => map.serialize_entry(key, &self.veil.under(key, value))?,
            }
        }
        map.end()
    }
}

impl<'a> Veil<'a> {
    fn under(self, key: &str, value: &'a Value) -> Leaf<'a> {
        Leaf {
            value,
            veil: self,
            plain: self.plain_keys.iter().any(|plain| plain == key),
        }
    }
}

impl Serialize for Leaf<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match (self.value, self.veil.hasher.filter(|_| !self.plain)) {
            (Value::Object(map), _) => {
                let mut out = to.serialize_map(Some(map.len()))?;
                for (key, value) in map {
                    out.serialize_entry(key, &self.veil.under(key, value))?;
                }
                out.end()
            }
            (Value::Array(items), _) => {
                let mut out = to.serialize_seq(Some(items.len()))?;
                for value in items {
                    out.serialize_element(&Leaf { value, ..*self })?;
                }
                out.end()
            }
            (Value::String(text), Some(hasher)) => hasher.hash(text.as_bytes()).serialize(to),
            (Value::Number(number), Some(hasher)) => {
                let text = Zeroizing::new(number.to_string());
                hasher.hash(text.as_bytes()).serialize(to)
            }
            (Value::Bool(value), Some(hasher)) => hasher
                .hash(if *value { b"true" } else { b"false" })
                .serialize(to),
            (value, _) => value.serialize(to),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(value: &Value, plain_keys: &[&str], elided: bool) -> Value {
        let hasher = Hasher::new(b"Jefe");
        let plain_keys: Vec<String> = plain_keys.iter().map(ToString::to_string).collect();
        let veil = Veil {
            hasher: Some(&hasher),
            plain_keys: &plain_keys,
        };
        let map = value.as_object().unwrap();
        serde_json::to_value(Object { map, veil, elided }).unwrap()
    }

    fn hash(text: &str) -> String {
        Hasher::new(b"Jefe")
            .hash(text.as_bytes())
            .as_str()
            .to_owned()
    }

    #[test]
    fn digests_are_hmac_sha256() {
        // RFC 4231, test case 2.
        assert_eq!(
            hash("what do ya want for nothing?"),
            "hmac-sha256:5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    #[test]
    fn every_leaf_is_hashed_and_the_shape_stays() {
        let value = json!({"s": "x", "n": 12, "f": 1.50, "b": true, "z": null, "e": {}, "l": [], "empty": "", "d": {"k": ["v", 1, {"q": false}]}});
        let expected = json!({
            "s": hash("x"), "n": hash("12"), "f": hash("1.5"), "b": hash("true"), "z": null, "e": {}, "l": [], "empty": hash(""),
            "d": {"k": [hash("v"), hash("1"), {"q": hash("false")}]},
        });
        assert_eq!(shown(&value, &[], false), expected);
    }

    #[test]
    fn plain_keys_cover_their_own_leaves_and_lists_but_no_objects_below() {
        // The same cases were put to the reference.
        let value =
            json!({"pw": ["a", {"x": "b", "pw": "z"}, ["q"]], "deep": {"pw": {"y": "1"}}, "o": 1});
        let expected = json!({
            "pw": ["a", {"x": hash("b"), "pw": "z"}, ["q"]], "deep": {"pw": {"y": hash("1")}}, "o": hash("1"),
        });
        assert_eq!(shown(&value, &["pw"], false), expected);
    }

    #[test]
    fn elided_lists_show_how_many() {
        let value = json!({"keys": ["a", "b"], "key_info": {"a": {}}, "other": ["c"], "deep": {"keys": ["d"]}});
        let expected =
            json!({"keys": 2, "key_info": 1, "other": [hash("c")], "deep": {"keys": [hash("d")]}});
        assert_eq!(shown(&value, &[], true), expected);
        assert_eq!(shown(&json!({"keys": "k"}), &[], true)["keys"], hash("k"));
    }
}
