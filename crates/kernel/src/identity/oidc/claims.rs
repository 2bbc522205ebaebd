//! Claims that a token carries besides, from a template: an object of JSON with directives such as
//! `{{identity.entity.name}}` in the place of values.
//!
//! A value goes in as JSON, never as bare text, so whoever chooses an entity's name or metadata can not write claims. A
//! directive inside a text is refused when the template is written, unless it gives a number. Claims that the server
//! answers for can not be named by a template, and what values bring under such names is left out.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use coffer_engine::Fault;
use coffer_wire::{Timestamp, parse_duration, parse_foreign};
use serde_json::{Map, Value, json};

use super::super::Standing;

/// Claims that no template gives.
pub const RESERVED: [&str; 10] = [
    "iat",
    "aud",
    "exp",
    "iss",
    "sub",
    "namespace",
    "nonce",
    "auth_time",
    "at_hash",
    "c_hash",
];
/// The longest template, and the most text that it may come to, in bytes.
const MAX_BYTES: usize = 32 * 1024;

/// The template that a client sent, plain or in base64.
pub fn read(sent: String) -> String {
    let decoded = STANDARD.decode(sent.trim()).ok();
    let decoded = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
    decoded.filter(|text| !text.is_empty()).unwrap_or(sent)
}

/// Refuses a template that would not do, and gives the claims that it names. An empty one names none.
pub fn check(template: &str, now: Timestamp) -> Result<Vec<String>, Fault> {
    let claims = filled(template, &Sample, now)?;
    let reserved = claims.keys().find(|name| RESERVED.contains(&name.as_str()));
    if let Some(name) = reserved {
        return Err(Fault::Invalid(format!(
            "top level key {name:?} not allowed. Restricted keys: {}",
            RESERVED.join(", ")
        )));
    }
    Ok(claims.into_iter().map(|(name, _)| name).collect())
}

/// The claims about an entity.
pub fn about(
    standing: &Standing,
    template: &str,
    now: Timestamp,
) -> Result<Map<String, Value>, Fault> {
    let mut claims = filled(template, standing, now)?;
    claims.retain(|name, _| !RESERVED.contains(&name.as_str()));
    Ok(claims)
}

/// Where the values of directives come from.
trait Source {
    /// The value of a selector below `identity.entity.`; none if there is no such selector.
    fn entity(&self, selector: &str) -> Option<Value>;
}

/// Stands for any entity: whatever a value can be, it is here, so that a template that breaks with some entity breaks
/// when it is written.
struct Sample;

impl Source for Sample {
    fn entity(&self, selector: &str) -> Option<Value> {
        Some(match Selector::read(selector)? {
            Selector::Text(_) => json!("text"),
            Selector::Pairs(_) => json!({ "key": "value" }),
            Selector::Groups(_) => json!(["group"]),
        })
    }
}

impl Source for Standing {
    fn entity(&self, selector: &str) -> Option<Value> {
        Some(match Selector::read(selector)? {
            Selector::Text(what) => json!(self.text(what).unwrap_or_default()),
            Selector::Pairs(what) => self.pairs(what).unwrap_or_else(|| json!({})),
            Selector::Groups(Named::Id) => self.groups().map(|group| json!(group.id)).collect(),
            Selector::Groups(Named::Name) => self.groups().map(|group| json!(group.name)).collect(),
        })
    }
}

/// What can stand after `identity.entity.`.
enum Selector<'a> {
    Text(Text<'a>),
    Pairs(Pairs<'a>),
    Groups(Named),
}

enum Text<'a> {
    Own(Named),
    Metadata(&'a str),
    Alias(&'a str, Named),
    AliasMetadata(&'a str, &'a str),
    AliasCustom(&'a str, &'a str),
}

enum Pairs<'a> {
    Own,
    Alias(&'a str),
    AliasCustom(&'a str),
}

enum Named {
    Id,
    Name,
}

impl<'a> Selector<'a> {
    fn read(selector: &'a str) -> Option<Self> {
        if let Some(key) = selector.strip_prefix("metadata.") {
            return Some(Self::Text(Text::Metadata(key)));
        }
        if let Some(rest) = selector.strip_prefix("aliases.") {
            let (mount, field) = rest.split_once('.')?;
            if let Some(key) = field.strip_prefix("metadata.") {
                return Some(Self::Text(Text::AliasMetadata(mount, key)));
            }
            if let Some(key) = field.strip_prefix("custom_metadata.") {
                return Some(Self::Text(Text::AliasCustom(mount, key)));
            }
            return Some(match field {
                "id" => Self::Text(Text::Alias(mount, Named::Id)),
                "name" => Self::Text(Text::Alias(mount, Named::Name)),
                "metadata" => Self::Pairs(Pairs::Alias(mount)),
                "custom_metadata" => Self::Pairs(Pairs::AliasCustom(mount)),
                _ => return None,
            });
        }
        Some(match selector {
            "id" => Self::Text(Text::Own(Named::Id)),
            "name" => Self::Text(Text::Own(Named::Name)),
            "metadata" => Self::Pairs(Pairs::Own),
            "groups.ids" => Self::Groups(Named::Id),
            "groups.names" => Self::Groups(Named::Name),
            _ => return None,
        })
    }
}

impl Standing {
    fn text(&self, what: Text<'_>) -> Option<&str> {
        let entity = &self.entity;
        let alias = |mount| entity.alias_in(mount);
        Some(match what {
            Text::Own(Named::Id) => &entity.id,
            Text::Own(Named::Name) => &entity.name,
            Text::Metadata(key) => entity.metadata.as_ref()?.get(key)?,
            Text::Alias(mount, Named::Id) => &alias(mount)?.id,
            Text::Alias(mount, Named::Name) => &alias(mount)?.name,
            Text::AliasMetadata(mount, key) => alias(mount)?.metadata.get(key)?,
            Text::AliasCustom(mount, key) => alias(mount)?.custom_metadata.as_ref()?.get(key)?,
        })
    }

    fn pairs(&self, what: Pairs<'_>) -> Option<Value> {
        let entity = &self.entity;
        Some(match what {
            Pairs::Own => json!(entity.metadata.as_ref()?),
            Pairs::Alias(mount) => json!(entity.alias_in(mount)?.metadata),
            Pairs::AliasCustom(mount) => json!(entity.alias_in(mount)?.custom_metadata.as_ref()?),
        })
    }
}

/// The template with values in the place of its directives, as the object that it is then.
fn filled(
    template: &str,
    source: &dyn Source,
    now: Timestamp,
) -> Result<Map<String, Value>, Fault> {
    if template.len() > MAX_BYTES {
        return Err(too_long());
    }
    if template.trim().is_empty() {
        return Ok(Map::new());
    }
    let mut parts = template.split("{{");
    let unbalanced = || wrong("unbalanced templating characters");
    let mut text = parts.next().unwrap_or_default().to_owned();
    if text.contains("}}") {
        return Err(unbalanced());
    }
    for part in parts {
        let (directive, rest) = part.split_once("}}").ok_or_else(unbalanced)?;
        if rest.contains("}}") {
            return Err(unbalanced());
        }
        text.push_str(&value(directive.trim(), source, now)?.to_string());
        text.push_str(rest);
        if text.len() > MAX_BYTES {
            return Err(too_long());
        }
    }
    let parsed: Result<Value, _> = parse_foreign(text.as_bytes());
    match parsed {
        Ok(Value::Object(claims)) => Ok(claims),
        Ok(_) => Err(Fault::invalid(
            "error parsing template JSON: it is not an object",
        )),
        Err(error) if error.is_eof() => Err(Fault::invalid(
            "error parsing template JSON: it ends in the middle",
        )),
        // What is wrong may lie in a value, and is not told.
        Err(_) => Err(Fault::invalid(
            "error parsing template JSON: it is not valid JSON; directives stand for whole values, without quotes around them",
        )),
    }
}

fn value(directive: &str, source: &dyn Source, now: Timestamp) -> Result<Value, Fault> {
    if let Some(selector) = directive.strip_prefix("identity.entity.") {
        return source.entity(selector).ok_or_else(no_value);
    }
    if directive.starts_with("identity.groups.") {
        return Err(wrong(
            "string contains groups template directives but no groups were provided: a token may go anywhere, so it can not tell about one group; use identity.entity.groups.names",
        ));
    }
    let Some(rest) = directive.strip_prefix("time.now") else {
        return Err(no_value());
    };
    let time = match rest.strip_prefix('.').map(|rest| rest.split_once('.')) {
        None if rest.is_empty() => now,
        Some(Some(("plus", by))) => now.plus(duration(by)?),
        Some(Some(("minus", by))) => {
            Timestamp::EPOCH.plus(since_epoch(now).saturating_sub(duration(by)?))
        }
        Some(None) if matches!(rest, ".plus" | ".minus") => {
            return Err(wrong("missing time operand"));
        }
        _ => return Err(no_value()),
    };
    Ok(json!(time.secs()))
}

fn duration(text: &str) -> Result<Duration, Fault> {
    parse_duration(text).map_err(|error| wrong(&format!("invalid duration: {error}")))
}

fn since_epoch(now: Timestamp) -> Duration {
    now.since(Timestamp::EPOCH)
}

fn no_value() -> Fault {
    wrong("no value could be found for one of the template directives")
}

fn wrong(what: &str) -> Fault {
    Fault::Invalid(format!("error parsing template: {what}"))
}

fn too_long() -> Fault {
    Fault::Invalid(format!(
        "the template, or what it comes to, is longer than {MAX_BYTES} bytes"
    ))
}

#[cfg(test)]
mod tests {
    use super::super::super::{Alias, Entity, Group, GroupKind};
    use super::*;
    use proptest::prelude::*;

    const NOW: Timestamp = Timestamp::EPOCH;

    fn pairs(all: &[(&str, &str)]) -> super::super::super::metadata::Metadata {
        let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        all.iter().map(owned).collect()
    }

    fn ann(name: &str, metadata: &[(&str, &str)]) -> Standing {
        let alias = Alias {
            id: "alias-id".into(),
            name: "ann@work".into(),
            mount: "auth_x_1".into(),
            metadata: pairs(&[("mail", "ann@example.com")]),
            custom_metadata: Some(pairs(&[("shoe.size", "38")])),
            ..Alias::default()
        };
        let entity = Entity {
            id: "entity-id".into(),
            name: name.into(),
            metadata: Some(pairs(metadata)),
            aliases: vec![alias],
            ..Entity::default()
        };
        let group = |name: &str| {
            std::sync::Arc::new(Group {
                id: format!("id-of-{name}"),
                name: name.into(),
                kind: GroupKind::Internal,
                ..Group::default()
            })
        };
        Standing::of(entity, vec![group("one")], vec![group("two")])
    }

    fn claims(template: &str) -> Value {
        let template = template.replace('\'', "\"");
        check(&template, NOW).unwrap();
        let standing = ann("ann", &[("team", "bl\"ue"), ("a.b", "c")]);
        let now = Timestamp::from_secs(1_000);
        Value::Object(about(&standing, &template, now).unwrap())
    }

    fn refused(template: &str) -> String {
        check(&template.replace('\'', "\""), NOW)
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn what_an_entity_is_becomes_claims() {
        for (template, expected) in [
            ("", json!({})),
            ("{'id': {{identity.entity.id}}}", json!({"id": "entity-id"})),
            ("{'n': {{ identity.entity.name }} }", json!({"n": "ann"})),
            (
                "{{identity.entity.metadata}}",
                json!({"team": "bl\"ue", "a.b": "c"}),
            ),
            (
                "{'t': {{identity.entity.metadata.team}}, 'ab': {{identity.entity.metadata.a.b}}, 'no': {{identity.entity.metadata.x}} }",
                json!({"t": "bl\"ue", "ab": "c", "no": ""}),
            ),
            (
                "{'i': {{identity.entity.groups.ids}}, 'n': {{identity.entity.groups.names}} }",
                json!({"i": ["id-of-one", "id-of-two"], "n": ["one", "two"]}),
            ),
            (
                "{'a': {{identity.entity.aliases.auth_x_1.name}}, 'i': {{identity.entity.aliases.auth_x_1.id}}, 'm': {{identity.entity.aliases.auth_x_1.metadata.mail}}, 'c': {{identity.entity.aliases.auth_x_1.custom_metadata.shoe.size}}, 'all': {{identity.entity.aliases.auth_x_1.custom_metadata}}, 'no': {{identity.entity.aliases.other.metadata}}, 'nn': {{identity.entity.aliases.other.name}} }",
                json!({"a": "ann@work", "i": "alias-id", "m": "ann@example.com", "c": "38", "all": {"shoe.size": "38"}, "no": {}, "nn": ""}),
            ),
            (
                "{'now': {{time.now}}, 'p': {{time.now.plus.1h}}, 'm': {{time.now.minus.10m}}, 'old': {{time.now.minus.1h}}, 's': {{time.now.plus.30}}, 't': '{{time.now}}' }",
                json!({"now": 1000, "p": 4600, "m": 400, "old": 0, "s": 1030, "t": "1000"}),
            ),
            (
                "{'x': 0.10, 'y': [1, {'z': null}]}",
                json!({"x": serde_json::from_str::<Value>("0.10").unwrap(), "y": [1, {"z": null}]}),
            ),
        ] {
            assert_eq!(claims(template), expected, "{template}");
        }
    }

    #[test]
    fn templates_that_would_not_do_are_refused_when_they_are_written() {
        for (template, reason) in [
            ("{'a': {{identity.entity.name}}", "ends in the middle"),
            ("{'a': {{identity.entity.name}", "unbalanced"),
            ("{'a': {{identity.entity.name}}}}", "unbalanced"),
            ("{'a': '}}'}", "unbalanced"),
            ("[1]", "not an object"),
            ("null", "not an object"),
            ("{'a': {{nosuch}} }", "no value"),
            ("{'a': {{}} }", "no value"),
            ("{'a': {{identity.entity.groups}} }", "no value"),
            ("{'a': {{identity.entity.policies}} }", "no value"),
            (
                "{'a': {{identity.groups.names.one.id}} }",
                "groups template",
            ),
            ("{'a': {{time.now.plus}} }", "missing time operand"),
            ("{'a': {{time.now.plus.x}} }", "invalid duration"),
            ("{'a': {{time.nowhere}} }", "no value"),
            ("{'iss': 'x'}", "\"iss\" not allowed"),
            ("{'sub': {{identity.entity.name}} }", "\"sub\" not allowed"),
            // In a text a value could end that text: refused, whatever it is at the moment.
            ("{'a': 'x{{identity.entity.name}}'}", "not valid JSON"),
            ("{'a': '{{identity.entity.metadata}}'}", "not valid JSON"),
            (
                "{'a': '{{identity.entity.groups.names}}'}",
                "not valid JSON",
            ),
        ] {
            let said = refused(template);
            assert!(said.contains(reason), "{template}: {said}");
        }
    }

    #[test]
    fn values_never_become_claims_that_the_server_answers_for() {
        let standing = ann(
            "ann",
            &[("sub", "someone"), ("nonce", "x"), ("team", "blue")],
        );
        let claims = about(&standing, "{{identity.entity.metadata}}", NOW).unwrap();
        assert_eq!(Value::Object(claims), json!({"team": "blue"}));
    }

    #[test]
    fn lengths_are_bounded() {
        assert!(check(&" ".repeat(MAX_BYTES + 1), NOW).is_err());
        let standing = ann("ann", &[("k", &"v".repeat(500))]);
        let each = "\"a\": {{identity.entity.metadata}},";
        let template = format!("{{{}\"z\": 1}}", each.repeat(500));
        check(&template, NOW).unwrap();
        assert!(about(&standing, &template, NOW).is_err());
    }

    #[test]
    fn base64_is_read_where_it_is_a_text() {
        assert_eq!(read("eyJhIjoiYiJ9".into()), r#"{"a":"b"}"#);
        assert_eq!(read(r#"{"a":1}"#.into()), r#"{"a":1}"#);
        assert_eq!(read("null".into()), "null");
    }

    proptest! {
        #[test]
        fn whatever_a_name_is_it_stays_one_claim(name: String, key: String, value: String) {
            let standing = ann(&name, &[(&key, &value)]);
            let template = r#"{"n": {{identity.entity.name}}, "m": {{identity.entity.metadata}} }"#;
            let claims = about(&standing, template, NOW).unwrap();
            prop_assert_eq!(Value::Object(claims), json!({"n": name, "m": {key: value}}));
        }

        #[test]
        fn hostile_templates_never_panic(template: String, inner: String) {
            drop(check(&template, NOW));
            drop(check(&format!("{{\"a\": {{{{{inner}}}}} }}"), NOW));
        }
    }
}
