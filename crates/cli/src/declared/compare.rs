//! One thing beside its declaration.

use serde_json::{Value, json};

use super::declaration::Declaration;
use super::identity;
use super::kind::Kind;
use super::plan::{FieldChange, Options};
use super::same::same;
use super::server::Fields;

/// Stands for a secret wherever something is shown.
pub(super) const SECRET: &str = "(secret)";
/// What a mount keeps for ever.
const FIXED: [&str; 4] = ["type", "local", "seal_wrap", "external_entropy_access"];

/// What a comparison says.
#[derive(Debug, Default)]
pub(super) struct Comparison {
    /// The fields that differ.
    pub(super) fields: Vec<FieldChange>,
    /// Whether one of them never changes.
    pub(super) conflict: bool,
    /// How many the server does not show.
    pub(super) not_shown: usize,
}

/// Compares what the server shows with its declaration. Fields that no file names are of no interest.
pub(super) fn compare(one: &Declaration, shown: Option<&Fields>, options: Options) -> Comparison {
    let mut result = Comparison::default();
    for (name, given) in &one.fields {
        let is_secret = one.secrets.contains(name);
        let is_write_only = one.write_only.contains(name);
        let now = shown.and_then(|shown| lookup(shown, name));
        let is_hidden = is_write_only || is_secret && now.is_none_or(Value::is_null);
        if shown.is_some() && is_hidden {
            match options.write_secrets {
                true => result.fields.push(secret(name)),
                false => result.not_shown += 1,
            }
            continue;
        }
        let before = result.fields.len();
        differences(one.id.kind, name, given, now, &mut result.fields);
        if result.fields.len() == before {
            continue;
        }
        if is_secret || is_write_only {
            result.fields.truncate(before);
            result.fields.push(secret(name));
        }
        let is_mount = matches!(one.id.kind, Kind::Mount | Kind::Auth);
        result.conflict |= shown.is_some() && is_mount && FIXED.contains(&name.as_str());
    }
    for alias in identity::missing(one, shown) {
        result.fields.push(FieldChange {
            name: format!("alias auth/{}", alias.auth),
            from: Value::Null,
            to: json!(alias.name),
        });
    }
    result
}

fn secret(name: &str) -> FieldChange {
    FieldChange {
        name: name.to_owned(),
        from: SECRET.into(),
        to: SECRET.into(),
    }
}

/// The field's differences; those of an object one by one.
fn differences(
    kind: Kind,
    name: &str,
    given: &Value,
    shown: Option<&Value>,
    into: &mut Vec<FieldChange>,
) {
    let shown = shown.unwrap_or(&Value::Null);
    if let (Value::Object(given), Value::Object(shown)) = (given, shown) {
        for (inner, given) in given {
            let name = format!("{name}.{inner}");
            differences(kind, &name, given, shown.get(inner), into);
        }
        // Notes are what they are declared to be, and nothing more.
        let is_notes = name.ends_with("metadata");
        let extra = shown
            .iter()
            .filter(|(inner, _)| is_notes && !given.contains_key(*inner));
        into.extend(extra.map(|(inner, shown)| FieldChange {
            name: format!("{name}.{inner}"),
            from: shown.clone(),
            to: Value::Null,
        }));
        return;
    }
    let equal = match (kind.is_text(), given, shown) {
        (true, Value::String(given), Value::String(shown)) => given.trim_end() == shown.trim_end(),
        _ => same(given, shown),
    };
    if !equal {
        into.push(FieldChange {
            name: name.to_owned(),
            from: shown.clone(),
            to: given.clone(),
        });
    }
}

/// A field of an answer. Some answers keep what was given one level deeper (a database's connection details).
fn lookup<'a>(shown: &'a Fields, name: &str) -> Option<&'a Value> {
    shown.get(name).or_else(|| {
        let inner = shown.values().filter_map(Value::as_object);
        let mut found = inner.filter_map(|fields| fields.get(name));
        let only = found.next();
        only.filter(|_| found.next().is_none())
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::declaration::Id;
    use super::*;

    fn declaration(kind: Kind, fields: Value) -> Declaration {
        Declaration {
            id: Id::new(kind, "", "x"),
            fields: fields.as_object().unwrap().clone(),
            secrets: BTreeSet::new(),
            write_only: BTreeSet::new(),
            depends_on: Vec::new(),
            aliases: Vec::new(),
            place: String::new(),
        }
    }

    fn differing(one: &Declaration, shown: &Value, options: Options) -> Vec<String> {
        let fields = compare(one, shown.as_object(), options).fields;
        let shown = fields.iter();
        shown
            .map(|field| format!("{}: {} -> {}", field.name, field.from, field.to))
            .collect()
    }

    #[test]
    fn only_named_fields_are_compared() {
        let one = declaration(
            Kind::Mount,
            json!({"type": "kv", "description": "d", "config": {"default_lease_ttl": "1h"}}),
        );
        let shown = json!({"type": "kv", "description": "d", "accessor": "a", "config": {"default_lease_ttl": 3600, "max_lease_ttl": 9}});
        assert!(differing(&one, &shown, Options::default()).is_empty());
        let shown =
            json!({"type": "database", "description": "", "config": {"default_lease_ttl": 1}});
        let mut found = differing(&one, &shown, Options::default());
        found.sort();
        assert_eq!(
            found,
            [
                "config.default_lease_ttl: 1 -> \"1h\"",
                "description: \"\" -> \"d\"",
                "type: \"database\" -> \"kv\"",
            ]
        );
        assert!(compare(&one, shown.as_object(), Options::default()).conflict);
        assert!(!compare(&one, None, Options::default()).conflict);
    }

    #[test]
    fn secrets_are_compared_where_they_are_shown_and_never_told() {
        let mut one = declaration(Kind::Resource, json!({"password": "sesame", "user": "u"}));
        one.secrets.insert("password".into());
        let not_shown = json!({"user": "u"});
        let comparison = compare(&one, not_shown.as_object(), Options::default());
        assert!(comparison.fields.is_empty() && comparison.not_shown == 1);
        let again = Options {
            write_secrets: true,
            ..Options::default()
        };
        let told = ["password: \"(secret)\" -> \"(secret)\""];
        assert_eq!(differing(&one, &not_shown, again), told);
        let shown = json!({"user": "u", "password": "old"});
        assert_eq!(differing(&one, &shown, Options::default()), told);
        let shown = json!({"user": "u", "password": "sesame"});
        assert!(differing(&one, &shown, Options::default()).is_empty());
        let added = compare(&one, None, Options::default());
        assert!(!format!("{:?}", added.fields).contains("sesame"));
        assert_eq!(one.without_secrets("no sesame here"), "no (secret) here");
    }

    #[test]
    fn answers_may_keep_a_field_one_level_deeper() {
        let one = declaration(Kind::Resource, json!({"connection_url": "a", "gone": "b"}));
        let shown = json!({"connection_details": {"connection_url": "a"}, "roles": ["*"]});
        assert_eq!(
            differing(&one, &shown, Options::default()),
            ["gone: null -> \"b\""]
        );
    }

    #[test]
    fn notes_are_exactly_what_is_declared() {
        let one = declaration(Kind::Entity, json!({"metadata": {"a": "1"}}));
        let shown = json!({"metadata": {"a": "1", "b": "2"}});
        assert_eq!(
            differing(&one, &shown, Options::default()),
            ["metadata.b: \"2\" -> null"]
        );
    }

    #[test]
    fn the_end_of_a_text_does_not_matter() {
        let one = declaration(Kind::Policy, json!({"policy": "a\nb\n\n"}));
        let same = json!({"policy": "a\nb"});
        assert!(differing(&one, &same, Options::default()).is_empty());
        let other = json!({"policy": "a"});
        assert_eq!(differing(&one, &other, Options::default()).len(), 1);
    }
}
