//! Constraints on a request's parameters.

use std::collections::BTreeMap;

use serde_json::{Map, Number, Value};

/// The name that stands for every parameter.
const ANY: &str = "*";

/// Parameter names in lower case, each with the values it is about; no values means all.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parameters(BTreeMap<String, Vec<Value>>);

impl Parameters {
    /// Adds values for a name within one policy.
    pub fn add(&mut self, name: &str, values: Vec<Value>) {
        self.0
            .entry(name.to_lowercase())
            .or_default()
            .extend(values);
    }

    /// Adds what another policy says: values add up, and "all values" in one of them stays so.
    pub fn merge(&mut self, other: &Self) {
        for (name, values) in &other.0 {
            match self.0.get_mut(name) {
                Some(mine) if mine.is_empty() || values.is_empty() => mine.clear(),
                Some(mine) => mine.extend(values.iter().cloned()),
                None => drop(self.0.insert(name.clone(), values.clone())),
            }
        }
    }

    /// Whether nothing is constrained.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The names with their values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[Value])> {
        self.0
            .iter()
            .map(|(name, values)| (name.as_str(), values.as_slice()))
    }

    /// As allowed parameters: those of the body that are not allowed.
    ///
    /// `*` allows the names that are not listed, with any value.
    pub fn not_allowed<'a>(
        &'a self,
        body: &'a Map<String, Value>,
    ) -> impl Iterator<Item = &'a str> {
        let others = self.0.contains_key(ANY);
        let body = Some(body).filter(|_| !self.is_empty());
        let refused = body.into_iter().flatten().filter(move |(name, value)| {
            match self.0.get(&name.to_lowercase()) {
                Some(values) => !values.is_empty() && !listed(values, value),
                None => !others,
            }
        });
        refused.map(|(name, _)| name.as_str())
    }

    /// As denied parameters: those of the body that are denied.
    ///
    /// `*` denies every parameter, whatever values stand with it.
    pub fn denied<'a>(&'a self, body: &'a Map<String, Value>) -> impl Iterator<Item = &'a str> {
        let all = self.0.contains_key(ANY);
        let body = Some(body).filter(|_| !self.is_empty());
        let refused = body.into_iter().flatten().filter(move |(name, value)| {
            let values = if all {
                None
            } else {
                self.0.get(&name.to_lowercase())
            };
            all || values.is_some_and(|values| values.is_empty() || listed(values, value))
        });
        refused.map(|(name, _)| name.as_str())
    }
}

fn listed(values: &[Value], value: &Value) -> bool {
    values.iter().any(|listed| match (listed, value) {
        (Value::String(glob), Value::String(text)) => matches_glob(glob, text),
        _ => same(listed, value),
    })
}

/// A `*` at the start or the end (or both) stands for anything; elsewhere, and alone, for itself.
fn matches_glob(glob: &str, text: &str) -> bool {
    if glob.len() < 2 {
        return glob == text;
    }
    let (open_end, rest) = glob
        .strip_suffix('*')
        .map_or((false, glob), |rest| (true, rest));
    let (open_start, core) = rest
        .strip_prefix('*')
        .map_or((false, rest), |core| (true, core));
    match (open_start, open_end) {
        (false, false) => text == core,
        (false, true) => text.starts_with(core),
        (true, false) => text.ends_with(core),
        (true, true) => text.contains(core),
    }
}

/// Equality that sees through the ways to write a number.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => same_number(one, other),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(a, b)| same(a, b))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .all(|(key, a)| other.get(key).is_some_and(|b| same(a, b)))
        }
        _ => one == other,
    }
}

fn same_number(one: &Number, other: &Number) -> bool {
    let whole = |number: &Number| number.as_str().parse::<i128>().ok();
    match (whole(one), whole(other)) {
        (Some(one), Some(other)) => one == other,
        _ => one == other || one.as_f64().is_some_and(|one| Some(one) == other.as_f64()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn parameters(value: Value) -> Parameters {
        let mut parameters = Parameters::default();
        for (name, values) in value.as_object().unwrap() {
            parameters.add(name, values.as_array().unwrap().clone());
        }
        parameters
    }

    fn allows(list: Value, body: Value) -> bool {
        parameters(list)
            .not_allowed(body.as_object().unwrap())
            .next()
            .is_none()
    }

    fn denies(list: Value, body: Value) -> bool {
        parameters(list)
            .denied(body.as_object().unwrap())
            .next()
            .is_some()
    }

    /// Each line was asked of the reference server with a key-value engine.
    #[test]
    fn allowed_parameters_as_the_reference() {
        let list = || json!({"foo": ["a*", "b", true, ["x", "y"], "*z"], "*": ["q"]});
        for good in [
            json!("abc"),
            json!("a"),
            json!("b"),
            json!(true),
            json!(["x", "y"]),
            json!("xz"),
        ] {
            assert!(allows(list(), json!({ "foo": good })), "{good}");
        }
        for bad in [
            json!("c"),
            json!("true"),
            json!(["x"]),
            json!(null),
            json!(""),
            json!({}),
        ] {
            assert!(!allows(list(), json!({ "foo": bad })), "{bad}");
        }
        assert!(
            allows(list(), json!({"other": "r"})),
            "* ignores its values"
        );
        assert!(!allows(json!({"Foo": []}), json!({"foo": 1, "b": 1})));
        assert!(
            allows(json!({"Foo": []}), json!({"FOO": 1})),
            "names ignore case"
        );
        assert!(allows(json!({}), json!({"foo": 1})));
    }

    #[test]
    fn denied_parameters_as_the_reference() {
        assert!(denies(json!({"Foo": []}), json!({"FOO": 1})));
        assert!(!denies(json!({"Foo": []}), json!({"b": 1})));
        assert!(denies(json!({"foo": ["a*"]}), json!({"foo": "abc"})));
        assert!(!denies(json!({"foo": ["a*"]}), json!({"foo": ["abc"]})));
        assert!(denies(json!({"*": ["a"]}), json!({"foo": "b"})));
        assert!(!denies(json!({"*": []}), json!({})));
        assert!(denies(json!({"foo": [""]}), json!({"foo": ""})));
        assert!(!denies(json!({"foo": [""]}), json!({"foo": "b"})));
    }

    #[test]
    fn stars_in_values_as_the_reference() {
        for (glob, yes, no) in [
            ("a*z", "a*z", "axz"),
            ("*b*", "abz", "axz"),
            ("*", "*", "a"),
            ("**", "", "\u{0}none"),
            ("a**", "a*b", "axz"),
            ("?b", "?b", "ab"),
        ] {
            assert!(matches_glob(glob, yes), "{glob} {yes}");
            assert!(glob == "**" || !matches_glob(glob, no), "{glob} {no}");
        }
    }

    /// Here the reference differs: it never finds a number in a list, so it does not deny it either.
    #[test]
    fn numbers_are_compared_by_value() {
        assert!(denies(
            json!({"ttl": [5]}),
            serde_json::from_str("{\"ttl\": 5.0}").unwrap()
        ));
        assert!(allows(json!({"ttl": [5]}), json!({"ttl": 5})));
        assert!(!allows(json!({"ttl": [5]}), json!({"ttl": 6})));
        assert!(!allows(json!({"ttl": [5]}), json!({"ttl": "5"})));
    }
}
