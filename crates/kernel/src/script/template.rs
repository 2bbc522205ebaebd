//! Texts with values in them: `secret/{{ .input.team }}/config`.
//!
//! Only names behind dots are known. What a value brings in is never read as a template again.

use coffer_hcl::{Error, Position};

/// Most values in one text.
const MAX_HOLES: usize = 64;

/// A text with holes.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Template(pub Vec<Part>);

/// A piece of it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Part {
    /// As it is.
    Text(String),
    /// The value at the end of these names; the first says where to look.
    Value(Vec<String>),
}

/// Where the first name may lead.
const ROOTS: [&str; 3] = ["input", "requests", "responses"];

impl Template {
    pub fn parse(text: &str, at: Position) -> Result<Self, Error> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once("{{") {
            let (inside, after) = behind.split_once("}}").ok_or_else(|| {
                Error::new(at, "`{{` that is not closed", "`{{ .name }}`", "close it")
            })?;
            parts.push(Part::Text(before.to_owned()));
            parts.push(Part::Value(names(inside, at)?));
            rest = after;
        }
        parts.push(Part::Text(rest.to_owned()));
        if parts.len() > 2 * MAX_HOLES {
            return Err(Error::new(
                at,
                format!("a template with {} values", parts.len() / 2),
                format!("at most {MAX_HOLES}"),
                "split it",
            ));
        }
        Ok(Self(parts))
    }

    /// The names of its values.
    pub fn values(&self) -> impl Iterator<Item = &[String]> {
        self.0.iter().filter_map(|part| match part {
            Part::Text(_) => None,
            Part::Value(names) => Some(names.as_slice()),
        })
    }
}

fn names(inside: &str, at: Position) -> Result<Vec<String>, Error> {
    let plain = |name: &&str| {
        !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
    };
    let dotted = inside.trim().strip_prefix('.').unwrap_or_default();
    let names: Vec<&str> = dotted.split('.').collect();
    let known = names.first().is_some_and(|root| ROOTS.contains(root));
    if !known || names.len() < 2 || !names.iter().all(plain) {
        return Err(Error::new(
            at,
            "a template with something else than names behind dots",
            "`{{ .input.name }}`, `{{ .requests.block.request.path }}` or `{{ .responses.block.request.data.field }}`",
            "functions are not known here; take such a value by an `eval_source` of its own",
        ));
    }
    Ok(names.into_iter().map(str::to_owned).collect())
}
