//! Which parts of a line a device does not get.
//!
//! A list in JSON: `[{"condition": "\"/request/mount_type\" == transit", "fields": ["/request/data", "/response/data"]}]`. Fields
//! are JSON pointers (RFC 6901) to members of objects; conditions ask about members of the line as it would be written. A
//! rule without a condition is for every line.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use coffer_crypto::WipingBuffer;
use coffer_wire::write_json;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::filter::{Expression, Held, parse};

/// The longest list, in bytes.
const EXCLUDE_BYTES_MAX: usize = 16 << 10;
/// How many rules a list may have.
const RULES_MAX: usize = 64;
/// How many fields all rules together may have.
const FIELDS_MAX: usize = 256;
/// How deep a pointer may go.
const POINTER_DEPTH_MAX: usize = 32;

/// Which parts of a line a device does not get.
#[derive(Clone, Debug, Default)]
pub(in crate::audit) struct Exclude {
    rules: Vec<Rule>,
}

#[derive(Clone, Debug)]
struct Rule {
    condition: Option<Expression<Pointer>>,
    fields: Vec<Pointer>,
}

/// The names from the line's object inward.
type Pointer = Vec<String>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default)]
    condition: Option<String>,
    fields: Vec<String>,
}

/// Members to leave out: none for a whole member, or what to leave out of it.
#[derive(Debug, Default)]
struct Cut<'a>(BTreeMap<&'a str, Option<Cut<'a>>>);

/// The members of an object, in order, each as it is written.
struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

/// A key or a text, borrowed where it has no escapes.
struct Text<'a>(Cow<'a, str>);

impl Exclude {
    /// Reads the list; the error says in which rule what is wrong.
    pub fn read(text: &str) -> Result<Self, String> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        if text.len() > EXCLUDE_BYTES_MAX {
            return Err(format!(
                "exclude is longer than {EXCLUDE_BYTES_MAX} bytes; shorten it"
            ));
        }
        let written: Vec<Written> = serde_json::from_str(text).map_err(|error| {
            format!("exclude is no list of objects with \"condition\" and \"fields\": {error}")
        })?;
        let fields: usize = written.iter().map(|rule| rule.fields.len()).sum();
        if written.len() > RULES_MAX || fields > FIELDS_MAX {
            return Err(format!(
                "exclude has more than {RULES_MAX} rules or {FIELDS_MAX} fields; shorten it"
            ));
        }
        let rules = (1..).zip(&written).map(|(number, rule)| {
            Rule::of(rule).map_err(|what| format!("exclude, rule {number}: {what}"))
        });
        Ok(Self {
            rules: rules.collect::<Result<_, _>>()?,
        })
    }

    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The line without what is left out. What stays keeps its order and spelling.
    pub fn apply(&self, line: &[u8], out: &mut WipingBuffer) -> Result<(), serde_json::Error> {
        let whole: &RawValue = serde_json::from_slice(line)?;
        let mut cut = Cut::default();
        for rule in &self.rules {
            let holds = |condition: &Expression<Pointer>| {
                condition.holds(&|pointer: &Pointer| held(whole, pointer))
            };
            if rule.condition.as_ref().is_none_or(holds) {
                for field in &rule.fields {
                    cut.add(field);
                }
            }
        }
        cut.copy(whole, out)
    }
}

impl Rule {
    fn of(written: &Written) -> Result<Self, String> {
        let condition = match written.condition.as_deref().map(str::trim) {
            None | Some("") => None,
            Some(text) => {
                let read = parse(text, pointer);
                Some(read.map_err(|wrong| format!("condition, {wrong}"))?)
            }
        };
        if written.fields.is_empty() {
            return Err("\"fields\" is empty; name what is to be left out".to_owned());
        }
        let fields = written.fields.iter().map(|field| pointer(field));
        Ok(Self {
            condition,
            fields: fields.collect::<Result<_, _>>()?,
        })
    }
}

/// Reads a JSON pointer to a member of a line.
fn pointer(text: &str) -> Result<Pointer, String> {
    let Some(path) = text.strip_prefix('/').filter(|path| !path.is_empty()) else {
        return Err(format!(
            "{text:?} is no JSON pointer to a part of a line; write, for example, \"/request/data\""
        ));
    };
    let names: Pointer = path
        .split('/')
        .map(|name| name.replace("~1", "/").replace("~0", "~"))
        .collect();
    if names.len() > POINTER_DEPTH_MAX {
        return Err(format!(
            "{text:?} is deeper than {POINTER_DEPTH_MAX}; shorten it"
        ));
    }
    if names.first().is_some_and(|first| first == "chain") {
        return Err(
            "the chain can not be left out; set chain=false for a device without one".to_owned(),
        );
    }
    Ok(names)
}

impl<'a> Cut<'a> {
    fn add(&mut self, pointer: &'a [String]) {
        let Some((name, rest)) = pointer.split_first() else {
            return;
        };
        let below = self.0.entry(name);
        if rest.is_empty() {
            *below.or_default() = None;
            return;
        }
        // What is left out as a whole stays so.
        if let Some(below) = below.or_insert_with(|| Some(Cut::default())) {
            below.add(rest);
        }
    }

    fn copy(&self, value: &RawValue, out: &mut WipingBuffer) -> Result<(), serde_json::Error> {
        let text = value.get();
        if self.0.is_empty() || !text.starts_with('{') {
            out.extend(text.as_bytes());
            return Ok(());
        }
        let members: Members<'_> = serde_json::from_str(text)?;
        out.extend(b"{");
        let mut between: &[u8] = b"";
        for (name, value) in members.0 {
            let below = self.0.get(name.as_ref());
            if below.is_some_and(Option::is_none) {
                continue;
            }
            out.extend(between);
            between = b",";
            write_json(&mut *out, &name)?;
            out.extend(b":");
            match below {
                Some(Some(below)) => below.copy(value, out)?,
                _ => out.extend(value.get().as_bytes()),
            }
        }
        out.extend(b"}");
        Ok(())
    }
}

/// What a pointer leads to.
fn held<'a>(whole: &'a RawValue, pointer: &[String]) -> Held<'a> {
    let mut value = whole;
    for name in pointer {
        let members = Some(value.get()).filter(|text| text.starts_with('{'));
        let members = members.and_then(|text| serde_json::from_str::<Members<'_>>(text).ok());
        let found = members.and_then(|members| members.0.into_iter().find(|(key, _)| key == name));
        match found {
            Some((_, found)) => value = found,
            None => return Held::Text(Cow::Borrowed("")),
        }
    }
    let text = value.get();
    match text.bytes().next() {
        Some(b'{') => Held::Object {
            empty: text == "{}",
        },
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(text).unwrap_or_default();
            Held::List(items.into_iter().map(leaf).collect())
        }
        _ => Held::Text(leaf(value)),
    }
}

/// A text without its quotes; anything else as it is written.
fn leaf(value: &RawValue) -> Cow<'_, str> {
    let text = value.get();
    match text {
        "null" => Cow::Borrowed(""),
        _ if text.starts_with('"') => match serde_json::from_str::<Text<'_>>(text) {
            Ok(Text(text)) => text,
            Err(_) => Cow::Borrowed(text),
        },
        _ => Cow::Borrowed(text),
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some((Text(name), value)) = map.next_entry()? {
                    members.push((name, value));
                }
                Ok(Members(members))
            }
        }
        from.deserialize_map(Reader)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        from.deserialize_str(Reader)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    const LINE: &str = r#"{"time":"t","type":"request","auth":{"policies":["root","x\"y"],"n":0.10},"request":{"mount_type":"transit","data":{"plaintext":"p","a/b":1,"e":{}},"path":"x<y"}}"#;

    fn applied(rules: &Value, line: &str) -> String {
        let mut out = WipingBuffer::new();
        let exclude = Exclude::read(&rules.to_string()).unwrap();
        exclude.apply(line.as_bytes(), &mut out).unwrap();
        String::from_utf8(out.as_slice().to_vec()).unwrap()
    }

    #[test]
    fn parts_are_left_out_and_the_rest_stays_as_it_is() {
        let rules = json!([{"fields": ["/request/data/plaintext", "/auth/policies", "/no/such", "/request/path/deep", "/time/x"]}]);
        let expected = r#"{"time":"t","type":"request","auth":{"n":0.10},"request":{"mount_type":"transit","data":{"a/b":1,"e":{}},"path":"x<y"}}"#;
        assert_eq!(applied(&rules, LINE), expected);
        let whole = json!([{"fields": ["/request/data/plaintext", "/request/data"]}, {"fields": ["/request/data/e"]}]);
        assert!(!applied(&whole, LINE).contains("\"data\""));
        let escaped = json!([{"fields": ["/request/data/a~1b"]}]);
        assert!(!applied(&escaped, LINE).contains("a/b"));
        assert_eq!(
            applied(
                &json!([{"condition": "\"/type\" == response", "fields": ["/auth"]}]),
                LINE
            ),
            LINE
        );
    }

    #[test]
    fn conditions_look_into_the_line() {
        for (condition, holds) in [
            ("\"/request/mount_type\" == transit", true),
            ("/request/mount_type == transit and /type != request", false),
            ("root in /auth/policies", true),
            ("`x\"y` in /auth/policies", true),
            ("roo in /auth/policies", false),
            ("/auth/policies matches \"^ro\"", true),
            ("/auth/n == 0.10", true),
            ("/request/data/e is empty", true),
            ("/request/data is empty", false),
            ("/response is empty", true),
            ("/request/data == x", false),
            ("/request/data/plaintext/deeper is empty", true),
        ] {
            let rules = json!([{"condition": condition, "fields": ["/time"]}]);
            assert_eq!(
                !applied(&rules, LINE).contains("\"time\""),
                holds,
                "{condition}"
            );
        }
    }

    #[test]
    fn mistakes_are_named() {
        for (text, word) in [
            ("{}", "list"),
            ("[{\"fields\":[]}]", "rule 1"),
            ("[{\"condition\":\"a\"}]", "fields"),
            ("[{\"fields\":[\"/a\"]},{\"fields\":[\"a\"]}]", "rule 2"),
            (
                "[{\"fields\":[\"/a\"],\"condition\":\"/a ==\"}]",
                "column 6",
            ),
            (
                "[{\"fields\":[\"/a\"],\"condition\":\"a == b\"}]",
                "JSON pointer",
            ),
            ("[{\"fields\":[\"/\"]}]", "JSON pointer"),
            ("[{\"fields\":[\"\"]}]", "JSON pointer"),
            ("[{\"fields\":[\"/chain\"]}]", "chain=false"),
            ("[{\"fields\":[\"/a\"],\"more\":1}]", "more"),
        ] {
            let error = Exclude::read(text).unwrap_err();
            assert!(error.contains(word), "{text}: {error}");
        }
        assert!(Exclude::read(&format!("[{}]", "{\"fields\":[\"/a\"]},".repeat(2_000))).is_err());
        assert!(Exclude::read("").unwrap().is_empty() && Exclude::read("[]").unwrap().is_empty());
    }

    proptest! {
        #[test]
        fn any_list_is_read_or_refused(text in "\\PC{0,80}") {
            let _ = Exclude::read(&text);
        }

        #[test]
        fn what_is_left_is_json(names in proptest::collection::vec("/[a-z~/]{1,12}", 1..6)) {
            let fields: Vec<&String> = names.iter().filter(|name| pointer(name).is_ok()).collect();
            prop_assume!(!fields.is_empty());
            let left = applied(&json!([{"fields": fields}]), LINE);
            prop_assert!(serde_json::from_str::<Value>(&left).is_ok());
        }
    }
}
