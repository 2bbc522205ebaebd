//! What claims must be.

use coffer_engine::Fault;
use serde_json::{Map, Number, Value};

use crate::glob;

/// The numbers up to which fractions of a second word can be told from whole numbers: 2^53.
const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;

/// How many values of one claim are looked at: each is compared with all that it may be.
const MAX_VALUES: usize = 1_000;

/// Refuses claims of which one is missing, or is none of the values that it is bound to. Of a list, one element is
/// enough. With `globs`, `*` in a text stands for any other. Claims are found by `claim`.
pub(super) fn check<'a>(
    bound: &Map<String, Value>,
    globs: bool,
    claim: impl Fn(&str) -> Option<&'a Value>,
) -> Result<(), Fault> {
    for (name, wanted) in bound {
        let found = claim(name).ok_or_else(|| refused(format!("claim {name:?} is missing")))?;
        let found = list(found);
        let wanted = list(wanted);
        if found.len() > MAX_VALUES {
            return Err(refused(format!(
                "claim {name:?} has more than {MAX_VALUES} values"
            )));
        }
        if found.iter().chain(wanted).any(is_odd) {
            return Err(refused(format!(
                "claim {name:?} is bound to, or holds, something that is no text, number or boolean, and no list of such"
            )));
        }
        let fits = |found: &Value| wanted.iter().any(|wanted| equal(wanted, found, globs));
        if !found.iter().any(fits) {
            return Err(refused(format!(
                "claim {name:?} does not match any associated bound claim values"
            )));
        }
    }
    Ok(())
}

/// Refuses patterns that are no texts.
pub(super) fn check_globs(bound: &Map<String, Value>) -> Result<(), Fault> {
    let all = bound.values().flat_map(list);
    match all.into_iter().find(|value| !value.is_string()) {
        Some(odd) => Err(Fault::Invalid(format!("claim is not a string: {odd}"))),
        None => Ok(()),
    }
}

fn refused(why: String) -> Fault {
    Fault::Invalid(format!("error validating claims: {why}"))
}

fn list(value: &Value) -> &[Value] {
    match value {
        Value::Array(values) => values,
        other => std::slice::from_ref(other),
    }
}

fn is_odd(value: &Value) -> bool {
    matches!(value, Value::Null | Value::Array(_) | Value::Object(_))
}

fn equal(wanted: &Value, found: &Value, globs: bool) -> bool {
    match (wanted, found) {
        (Value::String(wanted), Value::String(found)) if globs => glob::matches(wanted, found),
        (Value::Number(wanted), Value::Number(found)) => same_number(wanted, found),
        (wanted, found) => wanted == found,
    }
}

/// `5` and `5.0` are the same; numbers that are too long for that to be certain are compared by their digits.
fn same_number(one: &Number, other: &Number) -> bool {
    let small = |number: &Number| number.as_f64().filter(|value| value.abs() < WHOLE_MAX);
    match (small(one), small(other)) {
        (Some(one), Some(other)) => one == other,
        _ => one.to_string() == other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn fits(bound: Value, claim: Value, globs: bool) -> bool {
        let bound = Map::from_iter([("c".to_owned(), bound)]);
        let claims = Map::from_iter([("c".to_owned(), claim)]);
        check(&bound, globs, |name| claims.get(name)).is_ok()
    }

    #[test]
    fn values_are_compared_with_their_kinds() {
        for (bound, claim, fine) in [
            (json!("x"), json!("x"), true),
            (json!("x"), json!("X"), false),
            (json!("x"), json!(["a", "x"]), true),
            (json!(["x", "y"]), json!("y"), true),
            (json!(["x", "y"]), json!(["z"]), false),
            (json!(5), json!(5), true),
            (json!(5), json!(5.0), true),
            (json!(5), json!("5"), false),
            (json!("5"), json!(5), false),
            (json!(1), json!(true), false),
            (json!(true), json!(true), true),
            (json!(true), json!("true"), false),
            (json!("*"), json!("x"), false),
            (json!([]), json!([]), false),
            (json!(""), json!(""), true),
            (json!(null), json!(null), false),
            (json!(null), json!("x"), false),
            (json!("x"), json!({ "x": 1 }), false),
            (json!({ "a": 1 }), json!({ "a": 1 }), false),
            (json!("x"), json!([["x"]]), false),
            (
                json!(12_345_678_901_234_567_890_u64),
                json!(12_345_678_901_234_567_891_u64),
                false,
            ),
        ] {
            assert_eq!(
                fits(bound.clone(), claim.clone(), false),
                fine,
                "{bound} {claim}"
            );
        }
        assert!(!fits(json!("x"), json!(vec!["x"; 1_001]), false));
        let bound = Map::from_iter([("a".to_owned(), json!("x")), ("b".to_owned(), json!("y"))]);
        let (x, y) = (json!("x"), json!("y"));
        assert!(
            check(&bound, false, |name| Some(if name == "a" {
                &x
            } else {
                &y
            }))
            .is_ok()
        );
        assert!(check(&bound, false, |name| (name == "a").then_some(&x)).is_err());
    }

    #[test]
    fn patterns() {
        for (pattern, text, fine) in [
            ("*", "", true),
            ("**", "x", true),
            ("a*", "a", true),
            ("a*", "ba", false),
            ("*a*b", "xaxb", true),
            ("*a*b", "xaxbx", false),
            ("*ab*ab*", "ab", false),
            ("ab*ba", "aba", false),
            ("a?", "ab", false),
            ("a.c", "abc", false),
            ("", "", true),
            ("", "x", false),
            (
                "repo:org/*:ref:refs/heads/main",
                "repo:org/app:ref:refs/heads/main",
                true,
            ),
            (
                "repo:org/*:ref:refs/heads/main",
                "repo:org/app:ref:refs/heads/main2",
                false,
            ),
        ] {
            assert_eq!(glob::matches(pattern, text), fine, "{pattern} {text}");
        }
        assert!(!fits(json!("*"), json!(5), true));
        assert!(check_globs(json!({ "a": ["x*", 5] }).as_object().unwrap()).is_err());
    }

    proptest! {
        #[test]
        fn patterns_mean_what_they_mean_elsewhere(pattern in "[ab*]{0,8}", text in "[ab]{0,10}") {
            let slow = |pattern: &[u8], text: &[u8]| -> bool {
                let mut reach = vec![false; text.len() + 1];
                reach[0] = true;
                for sign in pattern {
                    if *sign == b'*' {
                        for at in 1..=text.len() { reach[at] |= reach[at - 1]; }
                    } else {
                        for at in (1..=text.len()).rev() { reach[at] = reach[at - 1] && text[at - 1] == *sign; }
                        reach[0] = false;
                    }
                }
                reach[text.len()]
            };
            prop_assert_eq!(glob::matches(&pattern, &text), slow(pattern.as_bytes(), text.as_bytes()));
        }
    }
}
