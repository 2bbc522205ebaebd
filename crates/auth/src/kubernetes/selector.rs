//! Label selectors, as clusters have them.

use std::collections::BTreeMap;

use coffer_engine::Fault;
use coffer_wire::{Text, parse_foreign};
use serde::Deserialize;
use serde_json::Value;

use super::yaml;

/// The longest text of a selector, in bytes.
const MAX_BYTES: usize = 16 << 10;

/// Which labels something must have.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Selector {
    labels: BTreeMap<String, String>,
    rules: Vec<Rule>,
}

/// What a selector says of one label.
#[derive(Debug, PartialEq, Eq)]
struct Rule {
    key: String,
    operator: Operator,
    values: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
enum Operator {
    In,
    NotIn,
    Exists,
    DoesNotExist,
}

impl Selector {
    /// Reads JSON or YAML. What is not understood is refused: a word that is misspelt must not select everything.
    pub(super) fn parse(text: &str) -> Result<Self, Fault> {
        let wrong = |why: &str| {
            Fault::Invalid(format!(
                "invalid \"bound_service_account_namespace_selector\" configured: {why}"
            ))
        };
        if text.len() > MAX_BYTES {
            return Err(wrong("it is too long"));
        }
        let value = match parse_foreign(text.as_bytes()) {
            Ok(value) => value,
            Err(_) => yaml::read(text).map_err(wrong)?,
        };
        if !Value::is_object(&value) {
            return Err(wrong("it is no object"));
        }
        let raw = Raw::deserialize(value).map_err(|error| wrong(&error.to_string()))?;
        raw.selector().map_err(|why| wrong(&why))
    }

    /// Whether these labels are as it says.
    pub(super) fn selects(&self, labels: &BTreeMap<String, String>) -> bool {
        let same = |(key, value): (&String, &String)| labels.get(key) == Some(value);
        self.labels.iter().all(same) && self.rules.iter().all(|rule| rule.holds(labels))
    }
}

impl Rule {
    fn holds(&self, labels: &BTreeMap<String, String>) -> bool {
        let value = labels.get(&self.key);
        let listed = value.is_some_and(|value| self.values.contains(value));
        match self.operator {
            Operator::In => listed,
            Operator::NotIn => !listed,
            Operator::Exists => value.is_some(),
            Operator::DoesNotExist => value.is_none(),
        }
    }
}

/// A selector as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    #[serde(default, rename = "matchLabels")]
    labels: Option<BTreeMap<String, Text>>,
    #[serde(default, rename = "matchExpressions")]
    rules: Option<Vec<RawRule>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRule {
    key: String,
    operator: Operator,
    #[serde(default)]
    values: Option<Vec<Text>>,
}

impl Raw {
    fn selector(self) -> Result<Selector, String> {
        let labels = self.labels.unwrap_or_default();
        let labels = labels.into_iter().map(|(key, value)| (key, value.0));
        let labels: BTreeMap<String, String> = labels.collect();
        for (key, value) in &labels {
            refuse(key, std::slice::from_ref(value))?;
        }
        let rules = self.rules.unwrap_or_default().into_iter();
        let rules = rules.map(RawRule::rule).collect::<Result<_, _>>()?;
        Ok(Selector { labels, rules })
    }
}

impl RawRule {
    fn rule(self) -> Result<Rule, String> {
        let values = self.values.unwrap_or_default();
        let values: Vec<String> = values.into_iter().map(|value| value.0).collect();
        refuse(&self.key, &values)?;
        let wants = matches!(self.operator, Operator::In | Operator::NotIn);
        match wants != values.is_empty() {
            true => Ok(Rule {
                key: self.key,
                operator: self.operator,
                values,
            }),
            false => Err("In and NotIn have values, Exists and DoesNotExist have none".into()),
        }
    }
}

fn refuse(key: &str, values: &[String]) -> Result<(), String> {
    if !is_key(key) {
        return Err(format!("{key:?} is no name of a label"));
    }
    let odd = |value: &&String| !value.is_empty() && !is_word(value);
    match values.iter().find(odd) {
        Some(value) => Err(format!("{value:?} is no value of a label")),
        None => Ok(()),
    }
}

/// A name, which may have a domain and a slash in front.
fn is_key(key: &str) -> bool {
    match key.split_once('/') {
        Some((domain, name)) => {
            let known = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c);
            let fine = !domain.is_empty() && domain.len() <= 253 && domain.chars().all(known);
            fine && is_word(name)
        }
        None => is_word(key),
    }
}

/// At most 63 letters and digits, and inside also `-`, `_` and `.`.
fn is_word(word: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric();
    let known = |c: char| plain(c) || "-_.".contains(c);
    word.len() <= 63 && word.starts_with(plain) && word.ends_with(plain) && word.chars().all(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selects(selector: &str) -> bool {
        let labels = [("team", "red"), ("env", "prod"), ("n", "5")];
        let labels = labels.map(|(key, value)| (key.to_owned(), value.to_owned()));
        Selector::parse(selector).unwrap().selects(&labels.into())
    }

    #[test]
    fn json_and_yaml_say_the_same() {
        for selector in [
            r#"{"matchLabels":{"team":"red"}}"#,
            r#"{"matchLabels":{"n":5}}"#,
            "{}",
            r#"{"matchLabels":{},"matchExpressions":null}"#,
            r#"{"matchExpressions":[{"key":"team","operator":"In","values":["x","red"]}]}"#,
            r#"{"matchExpressions":[{"key":"zz","operator":"NotIn","values":["red"]}]}"#,
            r#"{"matchExpressions":[{"key":"zz","operator":"DoesNotExist"},{"key":"n","operator":"Exists","values":[]}]}"#,
            "matchLabels:\n  team: red\n  env: \"prod\" # live\n  n: 5\n",
            "matchExpressions:\n- key: team\n  operator: In\n  values: [red]\n- {key: n, operator: Exists}\n",
            "matchExpressions:\n  - key: team\n    operator: NotIn\n    values:\n    - 'blue'\n",
        ] {
            assert!(selects(selector), "{selector}");
        }
        for selector in [
            r#"{"matchLabels":{"team":"blue"}}"#,
            r#"{"matchLabels":{"team":"red","zz":"x"}}"#,
            r#"{"matchLabels":{"team":"red"},"matchExpressions":[{"key":"team","operator":"DoesNotExist"}]}"#,
            "matchLabels:\n  team: Red\n",
            "matchExpressions:\n- key: team\n  operator: NotIn\n  values: [red]\n",
            "matchExpressions:\n- {key: zz, operator: In, values: [red]}\n",
        ] {
            assert!(!selects(selector), "{selector}");
        }
    }

    #[test]
    fn what_is_not_understood_selects_nothing() {
        let long = format!("{{\"matchLabels\":{{\"a\":\"{}\"}}}}", "x".repeat(20_000));
        for wrong in [
            "null",
            "x",
            "5",
            "[]",
            r#""x""#,
            r#"{"a":1}"#,
            r#"{"MATCHLABELS":{"team":"red"}}"#,
            r#"{"matchLabels":{"team":"red"},"extra":1}"#,
            r#"{"matchLabels":{"team":"red""#,
            r#"{"matchLabels":{"a b":"x"}}"#,
            r#"{"matchLabels":{"a":"x y"}}"#,
            r#"{"matchLabels":{"a":{"b":"c"}}}"#,
            r#"{"matchLabels":{"":"x"}}"#,
            r#"{"matchLabels":{"/a":"x"}}"#,
            r#"{"matchExpressions":{}}"#,
            r#"{"matchExpressions":[{}]}"#,
            r#"{"matchExpressions":[{"key":"a","operator":"Foo","values":["x"]}]}"#,
            r#"{"matchExpressions":[{"key":"a","operator":"In"}]}"#,
            r#"{"matchExpressions":[{"key":"a","operator":"Exists","values":["x"]}]}"#,
            "matchLabels: &a\n  team: red\n",
            "matchLabels: {team: *a}\n",
            "matchLabels:\n  team: !!str red\n",
            "matchLabels:\n  team: red\n---\nmatchLabels: {}\n",
            "matchLabels:\n  team: red\n  team: blue\n",
            &"[".repeat(10_000),
            &long,
        ] {
            assert!(Selector::parse(wrong).is_err(), "{wrong:.80}");
        }
    }
}
