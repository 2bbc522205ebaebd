//! JSON that may hold secrets: bounded parsing, wiping, exact numbers, Go's escapes.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Write};
use std::ops::{Deref, DerefMut};

use memchr::memmem;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::ser::{CompactFormatter, Formatter};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use zeroize::Zeroize;

/// How deeply objects and lists may nest in a request; the parser itself stops at 128.
pub const MAX_JSON_DEPTH: usize = 128;

/// How much memory the values of one request may take beside their texts, in bytes, by the estimates below.
const MAX_TREE_BYTES: usize = 192 * 1024 * 1024;
/// A map with a field, or a longer map's next part, takes about so much.
const MAP_BYTES: usize = 768;
/// A value in a list takes about so much, its share of the room to grow included.
const VALUE_BYTES: usize = 96;
/// How many bytes of one request are looked at by [`exact`], which reads inner text once per level.
const MAX_EXACT_BYTES: usize = 256 * 1024 * 1024;
/// What the parser's own words for raw texts and exact numbers begin with. An object with such a key
/// is not what it seems: the parser would read the text inside as JSON, past every limit of depth.
const PARSERS_WORDS: &str = "$serde_json::private::";

/// Parses a request body into its top-level object.
///
/// Empty bodies and `null` are no data. The last of duplicate keys wins, and since everything that
/// looks at the body looks at this one tree, policy sees the value that takes effect. Numbers keep
/// their text. Trailing garbage and anything but an object is an error for the client.
pub fn parse_object(body: &[u8]) -> Result<Wiped<Map<String, Value>>, serde_json::Error> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Wiped(Map::new()));
    }
    let looks = Looks::of(body);
    if looks.weight > MAX_TREE_BYTES {
        return Err(de::Error::custom("it has too many values"));
    }
    if looks.bare_exponent || may_hold_parsers_words(body) {
        let mut left = MAX_EXACT_BYTES;
        let parsed = match exact(serde_json::from_slice(body)?, 0, &mut left)? {
            Value::Null => None,
            Value::Object(map) => Some(map),
            _ => return Err(de::Error::custom("expected a JSON object")),
        };
        return Ok(Wiped(parsed.unwrap_or_default()));
    }
    let parsed: Option<Map<String, Value>> = serde_json::from_slice(body)?;
    Ok(Wiped(parsed.unwrap_or_default()))
}

/// Reads JSON that somebody else wrote and that is no request's body: what a token says, what a provider answers.
///
/// # Errors
/// As of any JSON; and where an object has a field of the parser's own words, which would be read as something else, or
/// there are more values than a request may have.
pub fn parse_foreign<T: de::DeserializeOwned>(text: &[u8]) -> Result<T, serde_json::Error> {
    if Looks::of(text).weight > MAX_TREE_BYTES {
        return Err(de::Error::custom("it has too many values"));
    }
    if may_hold_parsers_words(text) {
        let mut left = MAX_EXACT_BYTES;
        exact(serde_json::from_slice(text)?, 0, &mut left)?;
    }
    serde_json::from_slice(text)
}

/// Whether a field of that name would change its meaning on the way through the parser.
pub fn is_parsers_word(key: &str) -> bool {
    key.starts_with(PARSERS_WORDS)
}

/// What is known of a text before anything is built of it.
#[derive(Default)]
struct Looks {
    /// About how much memory its tree takes beside its texts: seven bytes of text can ask for a map of hundreds.
    weight: usize,
    /// Whether there is a number like `1e3`: the parser would rewrite it as `1e+3`.
    bare_exponent: bool,
}

impl Looks {
    /// One look at what stands between the texts; those are leapt over.
    fn of(body: &[u8]) -> Self {
        let mut looks = Self::default();
        let mut rest = body;
        while let Some(quote) = memchr::memchr(b'"', rest) {
            let (between, text) = rest.split_at(quote);
            looks.see(between);
            rest = after_text(text.get(1..).unwrap_or_default());
        }
        looks.see(rest);
        looks
    }

    fn see(&mut self, between: &[u8]) {
        let mut before = [b' '; 2];
        for byte in between {
            let more = match byte {
                b'{' => MAP_BYTES,
                b',' | b':' | b'[' => VALUE_BYTES,
                _ => 0,
            };
            self.weight = self.weight.saturating_add(more);
            self.bare_exponent |= matches!(before, [digit, b'e' | b'E'] if digit.is_ascii_digit())
                && (byte.is_ascii_digit() || b"+-".contains(byte));
            before = [before[1], *byte];
        }
    }
}

/// What comes after a text that has begun; nothing where it does not end.
fn after_text(mut text: &[u8]) -> &[u8] {
    while let Some(at) = memchr::memchr2(b'"', b'\\', text) {
        let (length, ends) = match text.get(at) {
            Some(b'"') => (1, true),
            _ => (2, false),
        };
        text = text.get(at + length..).unwrap_or_default();
        if ends {
            return text;
        }
    }
    &[]
}

/// Whether a key may be one of the parser's own words, in plain letters or with escaped ones.
fn may_hold_parsers_words(body: &[u8]) -> bool {
    let has = |word: &[u8]| memmem::find(body, word).is_some();
    has(b"\\u00") || has(PARSERS_WORDS.as_bytes())
}

/// A tree whose numbers have the very text they came with, and whose objects are what they seem.
/// `left` is how many bytes may still be looked at.
fn exact(raw: &RawValue, depth: usize, left: &mut usize) -> Result<Value, serde_json::Error> {
    if depth >= MAX_JSON_DEPTH {
        return Err(de::Error::custom("recursion limit exceeded"));
    }
    let text = raw.get();
    *left = left
        .checked_sub(text.len())
        .ok_or_else(|| de::Error::custom("it is nested too deeply for its length"))?;
    Ok(match text.as_bytes().first() {
        Some(b'{') => {
            let fields: BTreeMap<String, &RawValue> = serde_json::from_str(text)?;
            if fields.keys().any(|key| is_parsers_word(key)) {
                return Err(de::Error::custom("a field has a reserved name"));
            }
            let fields = fields
                .into_iter()
                .map(|(key, raw)| Ok((key, exact(raw, depth + 1, left)?)));
            Value::Object(fields.collect::<Result<_, serde_json::Error>>()?)
        }
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(text)?;
            Value::Array(
                items
                    .into_iter()
                    .map(|raw| exact(raw, depth + 1, left))
                    .collect::<Result<_, _>>()?,
            )
        }
        Some(b'-' | b'0'..=b'9') => {
            Value::Number(serde_json::Number::from_string_unchecked(text.to_owned()))
        }
        _ => serde_json::from_str(text)?,
    })
}

/// Writes a value as Go's encoder would: `<`, `>`, `&`, U+2028 and U+2029 escaped.
pub fn write_json(to: impl Write, value: &impl Serialize) -> Result<(), serde_json::Error> {
    value.serialize(&mut serde_json::Serializer::with_formatter(to, GoFormatter))
}

/// A value whose texts are overwritten when it is dropped, and which never shows in `Debug`.
#[derive(Clone, Default, PartialEq)]
pub struct Wiped<T: Wipe>(pub T);

/// What [`Wiped`] can clear.
pub trait Wipe {
    /// Overwrites every text inside.
    fn wipe(&mut self);
}

impl Wipe for Value {
    fn wipe(&mut self) {
        match self {
            Self::String(text) => text.zeroize(),
            Self::Array(items) => items.iter_mut().for_each(Wipe::wipe),
            Self::Object(map) => map.wipe(),
            Self::Null | Self::Bool(_) | Self::Number(_) => {}
        }
    }
}

impl Wipe for Map<String, Value> {
    fn wipe(&mut self) {
        self.values_mut().for_each(Wipe::wipe);
    }
}

impl<T: Wipe + Default> Wiped<T> {
    /// Takes the value out; wiping it is the taker's business from then on.
    pub fn take(&mut self) -> T {
        std::mem::take(&mut self.0)
    }
}

impl<T: Wipe> Drop for Wiped<T> {
    fn drop(&mut self) {
        self.0.wipe();
    }
}

impl<T: Wipe> Deref for Wiped<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Wipe> DerefMut for Wiped<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

impl<T: Wipe> fmt::Debug for Wiped<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wiped(…)")
    }
}

impl<T: Wipe + Serialize> Serialize for Wiped<T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(to)
    }
}

impl<'de, T: Wipe + Deserialize<'de>> Deserialize<'de> for Wiped<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        T::deserialize(from).map(Self)
    }
}

impl<T: Wipe> JsonSchema for Wiped<T> {
    fn schema_name() -> Cow<'static, str> {
        "Object".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "object" })
    }
}

/// JSON text that is stored and answered as it stands, never parsed on the way; wiped on drop.
///
/// Holds canonical text (sorted keys, Go's escapes) because it is only made from a parsed value.
#[derive(Clone)]
pub struct RawJson(Box<RawValue>);

impl RawJson {
    /// The canonical text of `value`.
    pub fn from_value(value: &impl Serialize) -> Result<Self, serde_json::Error> {
        let mut length = Length(0);
        write_json(&mut length, value)?;
        let mut text = Vec::with_capacity(length.0);
        write_json(&mut text, value)?;
        let text = String::from_utf8(text).map_err(serde::ser::Error::custom)?;
        RawValue::from_string(text).map(Self)
    }

    /// The JSON text.
    pub fn as_str(&self) -> &str {
        self.0.get()
    }

    /// Parses the text.
    pub fn to_value(&self) -> Result<Wiped<Value>, serde_json::Error> {
        serde_json::from_str(self.as_str()).map(Wiped)
    }

    /// Whether this is the JSON word `null`.
    pub fn is_null(&self) -> bool {
        self.as_str() == "null"
    }
}

impl Drop for RawJson {
    fn drop(&mut self) {
        let mut text: String = Box::<str>::from(std::mem::take(&mut self.0)).into();
        text.zeroize();
    }
}

impl fmt::Debug for RawJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RawJson(…)")
    }
}

impl Serialize for RawJson {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(to)
    }
}

impl<'de> Deserialize<'de> for RawJson {
    /// From stored text; canonical because it was written by [`RawJson::from_value`].
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Box::<RawValue>::deserialize(from).map(Self)
    }
}

impl JsonSchema for RawJson {
    fn schema_name() -> Cow<'static, str> {
        "Object".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "object" })
    }
}

/// Counts bytes, so that a buffer for secrets need not grow and leave copies behind.
struct Length(usize);

impl Write for Length {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Compact output with the escapes that Go's encoder adds.
struct GoFormatter;

impl Formatter for GoFormatter {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        to: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let bytes = fragment.as_bytes();
        // The separators of lines and paragraphs are the only ones that begin so and have an escape.
        if memchr::memchr3(b'<', b'>', b'&', bytes).is_none()
            && memmem::find(bytes, b"\xe2\x80").is_none()
        {
            return CompactFormatter.write_string_fragment(to, fragment);
        }
        let mut written = 0;
        for (at, c) in fragment.char_indices() {
            let escape = match c {
                '<' => "\\u003c",
                '>' => "\\u003e",
                '&' => "\\u0026",
                '\u{2028}' => "\\u2028",
                '\u{2029}' => "\\u2029",
                _ => continue,
            };
            CompactFormatter
                .write_string_fragment(to, fragment.get(written..at).unwrap_or_default())?;
            to.write_all(escape.as_bytes())?;
            written = at + c.len_utf8();
        }
        CompactFormatter.write_string_fragment(to, fragment.get(written..).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roundtrip(text: &str) -> String {
        let map = parse_object(text.as_bytes()).unwrap();
        let mut out = Vec::new();
        write_json(&mut out, &map).unwrap();
        String::from_utf8(out).unwrap()
    }

    /// Brackets that only a parser sees that reads the text inside as JSON again.
    fn nested(levels: usize) -> String {
        let mut text = format!("{}1{}", "[".repeat(100), "]".repeat(100));
        for _ in 0..levels {
            let inner = Value::String(text).to_string();
            text = format!("{{\"{PARSERS_WORDS}RawValue\":{inner}}}");
        }
        text
    }

    #[test]
    fn json_of_strangers_is_what_it_seems() {
        for text in [
            nested(1),
            nested(6),
            format!("{{\"a\":[{}]}}", nested(2)),
            r#"{"aud":{"$serde_json::private::RawValue":"\"coffer\""}}"#.to_owned(),
            r#"{"aud":{"$serde_json::private::\u0052awValue":"\"coffer\""}}"#.to_owned(),
            r#"{"exp":{"$serde_json::private::Number":"12345"}}"#.to_owned(),
        ] {
            let short: String = text.chars().take(80).collect();
            assert!(parse_foreign::<Value>(text.as_bytes()).is_err(), "{short}");
        }
        let fine = r#"{"a\u00e9":["$serde_json::private::RawValue",1.50]}"#;
        let read: Value = parse_foreign(fine.as_bytes()).unwrap();
        assert_eq!(
            read.to_string(),
            r#"{"aé":["$serde_json::private::RawValue",1.50]}"#
        );
        let many = format!("[{}1]", "{},".repeat(400_000));
        assert!(parse_foreign::<Value>(many.as_bytes()).is_err());
    }

    #[test]
    fn numbers_keep_their_text() {
        assert_eq!(
            roundtrip(r#"{"a":0.10,"b":1e3,"c":12345678901234567890}"#),
            r#"{"a":0.10,"b":1e3,"c":12345678901234567890}"#
        );
    }

    #[test]
    fn numbers_are_told_from_texts_that_look_like_them() {
        for (text, is_one) in [
            (r#"{"a":1e3}"#, true),
            (r#"{"a":[1.5E-3]}"#, true),
            (r#"{"a":"1e3"}"#, false),
            (r#"{"a\\":1e3}"#, true),
            (r#"{"a\"":"\\\"1e3"}"#, false),
            (r#"{"1e3":true,"b":"x"}"#, false),
            (r#"{"a":1e3"#, true),
            (r#"{"a":"1e3"#, false),
            (r#"{"a":"\"#, false),
        ] {
            assert_eq!(Looks::of(text.as_bytes()).bare_exponent, is_one, "{text}");
        }
        assert_eq!(
            Looks::of(br#"{"{[,:":[1,{}]}"#).weight,
            2 * MAP_BYTES + 3 * VALUE_BYTES
        );
    }

    #[test]
    fn escapes_as_go_does() {
        assert_eq!(
            roundtrip("{\"a\":\"<b>&\u{2028}ü\\n\"}"),
            "{\"a\":\"\\u003cb\\u003e\\u0026\\u2028ü\\n\"}"
        );
    }

    #[test]
    fn last_duplicate_wins_and_keys_are_sorted() {
        assert_eq!(roundtrip(r#"{"b":1,"a":2,"b":3}"#), r#"{"a":2,"b":3}"#);
    }

    #[test]
    fn no_data_garbage_and_depth() {
        assert!(parse_object(b"").unwrap().is_empty());
        assert!(parse_object(b" null ").unwrap().is_empty());
        assert!(parse_object(b"{} x").is_err());
        assert!(parse_object(b"[1]").is_err());
        for number in ["1", "1e3"] {
            let deep = format!(
                "{{\"a\":{}{number}{}}}",
                "[".repeat(100_000),
                "]".repeat(100_000)
            );
            assert!(parse_object(deep.as_bytes()).is_err());
        }
    }

    #[test]
    fn words_of_the_parser_are_refused() {
        let bomb = format!("\"{}1{}\"", "[".repeat(100), "]".repeat(100));
        for key in [
            "$serde_json::private::RawValue",
            "$serde_json::private::Number",
            "\\u0024serde_json::private::RawValue",
            "$serde_json::\\u0070rivate::RawValue",
        ] {
            for body in [
                format!(r#"{{"data":{{"{key}":{bomb}}}}}"#),
                format!(r#"{{"{key}":"1"}}"#),
                format!(r#"{{"data":[{{"{key}":"1"}}]}}"#),
            ] {
                assert!(parse_object(body.as_bytes()).is_err(), "{body}");
            }
        }
        assert_eq!(
            roundtrip(r#"{"a":"$serde_json::private::Number \u003c"}"#),
            r#"{"a":"$serde_json::private::Number \u003c"}"#
        );
    }

    #[test]
    fn trees_that_are_much_larger_than_their_text_are_refused() {
        let many = |item: &str, count| format!("{{\"a\":[{}0]}}", item.repeat(count));
        assert!(parse_object(many("{\"\":0},", 1_000_000).as_bytes()).is_err());
        assert!(parse_object(many("[],", 5_000_000).as_bytes()).is_err());
        assert!(parse_object(many("{\"\":0},", 10_000).as_bytes()).is_ok());
        let text = format!("{{\"a\":\"{}\"}}", "{,[\\\"".repeat(1_000_000));
        assert!(
            parse_object(text.as_bytes()).is_ok(),
            "texts are only texts"
        );
    }

    #[test]
    fn deep_and_long_is_not_read_again_and_again() {
        let deep = |length| {
            let text = "x".repeat(length);
            format!(
                "{{\"a\":{}1e3,\"{text}\"{}}}",
                "[".repeat(100),
                "]".repeat(100)
            )
        };
        assert!(parse_object(deep(1 << 20).as_bytes()).is_ok());
        assert!(parse_object(deep(16 << 20).as_bytes()).is_err());
    }

    #[test]
    fn raw_json_is_canonical_and_hidden() {
        let raw = RawJson::from_value(&serde_json::json!({"z": 1, "a": "s3cret"})).unwrap();
        assert_eq!(raw.as_str(), r#"{"a":"s3cret","z":1}"#);
        assert!(!format!("{raw:?}").contains("s3cret"));
        assert_eq!(serde_json::to_string(&raw).unwrap(), raw.as_str());
    }
}
