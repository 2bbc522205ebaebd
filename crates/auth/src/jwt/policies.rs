//! Policies whose names hold claims.
//!
//! A role may say so: `team-{{.team}}` is then a policy for each team. Of the language that such templates come from, a
//! claim and the members of one are all that is taken; the rest is refused when the role is written, by name.

use coffer_engine::Fault;
use coffer_wire::CommaList;
use serde_json::{Map, Value};

use crate::token_fields::normal_policies;

/// A template, taken apart.
enum Part<'a> {
    Text(&'a str),
    Claim(Vec<&'a str>),
}

/// Refuses templates that are none, or that need more than claims.
pub(super) fn check(templates: &[String]) -> Result<(), Fault> {
    templates.iter().try_for_each(|text| parse(text).map(drop))
}

/// The policies that the templates mean for these claims. What comes out empty is left out.
pub(super) fn fill(
    templates: &[String],
    claims: &Map<String, Value>,
) -> Result<Vec<String>, Fault> {
    let mut names = Vec::new();
    for template in templates {
        let mut name = String::new();
        for part in parse(template)? {
            match part {
                Part::Text(text) => name.push_str(text),
                Part::Claim(path) => name.push_str(&value(claims, &path, template)?),
            }
        }
        if !name.trim().is_empty() {
            names.push(name);
        }
    }
    Ok(normal_policies(&CommaList(names)))
}

fn parse(template: &str) -> Result<Vec<Part<'_>>, Fault> {
    let mut parts = Vec::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        let (action, after) = after.split_once("}}").ok_or_else(|| {
            Fault::Invalid(format!("policy template {template:?}: unclosed action"))
        })?;
        parts.push(Part::Text(before));
        parts.push(Part::Claim(path(action.trim()).ok_or_else(|| {
            Fault::Invalid(format!(
                "policy template {template:?}: {action:?} is not supported; write claims alone, as in {{{{.team}}}} or {{{{.org.team}}}}"
            ))
        })?));
        rest = after;
    }
    parts.push(Part::Text(rest));
    Ok(parts)
}

/// The names in `.a.b`.
fn path(action: &str) -> Option<Vec<&str>> {
    let names: Vec<_> = action.strip_prefix('.')?.split('.').collect();
    let is_name = |name: &&str| {
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    names.iter().all(is_name).then_some(names)
}

fn value(claims: &Map<String, Value>, path: &[&str], template: &str) -> Result<String, Fault> {
    let mut names = path.iter();
    let first = names.next().and_then(|name| claims.get(*name));
    let found = names.try_fold(first, |found, name| Some(found?.get(*name)));
    match found.flatten() {
        Some(Value::String(text)) => Ok(text.clone()),
        Some(Value::Bool(flag)) => Ok(flag.to_string()),
        Some(Value::Number(number)) => Ok(number.to_string()),
        _ => Err(Fault::Invalid(format!(
            "policy template {template:?}: the claim is missing, or is no text, number or boolean"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn claims_become_names() {
        let claims = json!({ "Team": "Blue", "n": 5, "d": { "e": "x,y" }, "empty": "", "l": ["a"], "o": null });
        let filled = |template: &str| fill(&[template.to_owned()], claims.as_object().unwrap());
        assert_eq!(filled("a-{{.Team}}").unwrap(), ["a-blue"]);
        assert_eq!(filled("{{ .n }}/{{.d.e}}").unwrap(), ["5/x,y"]);
        assert_eq!(filled("plain}}").unwrap(), ["plain}}"]);
        assert!(filled("{{.empty}}").unwrap().is_empty());
        for missing in [
            "{{.nosuch}}",
            "{{.l}}",
            "{{.o}}",
            "{{.d}}",
            "{{.d.e.f}}",
            "{{.Team.x}}",
        ] {
            assert!(filled(missing).is_err(), "{missing}");
        }
    }

    #[test]
    fn the_rest_of_the_language_is_refused() {
        for template in [
            "{{",
            "{{.x",
            "{{}}",
            "{{.}}",
            "{{x}}",
            "{{if .x}}y{{end}}",
            "{{.x | printf}}",
            "{{\"root\"}}",
            "{{index .x 0}}",
            "{{/* c */}}",
            "{{.x-y}}",
            "{{.1}}",
            "{{.a..b}}",
            "{{range .g}}",
            "{{.a{{.b}}}}",
        ] {
            assert!(check(&[template.to_owned()]).is_err(), "{template}");
        }
    }
}
