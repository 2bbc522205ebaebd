//! Paths that depend on who asks: `secret/{{identity.entity.name}}/*`.

use coffer_hcl::{Error as Syntax, Position};

use serde::{Deserialize, Serialize};

use super::{Pattern, Policy, Rule};

/// Who a templated policy is rendered for.
pub trait Identity: Send + Sync {
    /// A number that nobody else has, and that is another one as soon as any value changes.
    fn stamp(&self) -> u64;

    /// The value of a selector such as `identity.entity.id` or `identity.groups.names.ops.id`, blanks removed;
    /// none if this caller has no such value.
    fn value(&self, selector: &str) -> Option<String>;
}

/// What values of identities may hold that go into a policy's paths. Without it neither: whoever may choose an
/// entity's name could otherwise widen what its policy reaches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Latitude {
    /// Slashes, so that one template stands for several segments.
    pub slashes: bool,
    /// `*` and `+`, which then mean what they mean where the policy's author writes them.
    pub wildcards: bool,
}

/// Why a path can not be filled in.
enum Unfilled {
    /// This caller has no such value.
    Absent,
    /// The value holds what it may not; what stands before it.
    Forbidden(String),
}

impl Policy {
    /// The policy for one caller: its templates filled in, and those rules dropped that this caller has no value for.
    ///
    /// A value that its [`Latitude`] does not allow drops its rule too, unless the rule denies: that then denies
    /// everything below what stands before the value, so that nobody gets rid of it by a name. What is filled in is
    /// never expanded again.
    pub fn render(&self, identity: &dyn Identity) -> Self {
        let rules = self.rules().iter().filter_map(|rule| match &rule.pattern {
            Pattern::Template(path) => Some(Rule {
                pattern: self.filled(path, identity, rule.grant.capabilities.denies())?,
                template: Some(path.as_str().into()),
                ..rule.clone()
            }),
            _ => Some(rule.clone()),
        });
        self.with_rules(rules.collect())
    }

    fn filled(&self, path: &str, identity: &dyn Identity, denies: bool) -> Option<Pattern> {
        match filled(path, identity, self.latitude) {
            Ok(path) => Some(Pattern::read_plain(&path)),
            Err(Unfilled::Forbidden(before)) if denies => {
                let before = before.trim_end_matches('+');
                Some(Pattern::read_plain(&format!("{before}*")))
            }
            Err(_) => None,
        }
    }
}

impl Latitude {
    fn allows(self, value: &str) -> bool {
        (self.slashes || !value.contains('/')) && (self.wildcards || !value.contains(['*', '+']))
    }
}

fn filled(path: &str, identity: &dyn Identity, latitude: Latitude) -> Result<String, Unfilled> {
    let mut out = String::with_capacity(path.len());
    let mut rest = path;
    while let Some((before, after)) = rest.split_once("{{") {
        let (selector, tail) = after.split_once("}}").ok_or(Unfilled::Absent)?;
        let value = identity.value(selector.trim());
        let value = value.filter(|value| !value.is_empty());
        let value = value.ok_or(Unfilled::Absent)?;
        out.push_str(before);
        if !latitude.allows(&value) {
            return Err(Unfilled::Forbidden(out));
        }
        out.push_str(&value);
        rest = tail;
    }
    out.push_str(rest);
    match out.split_once("+*") {
        Some((before, _)) => Err(Unfilled::Forbidden(before.to_owned())), // As no policy may be written.
        None => Ok(out),
    }
}

/// Refuses braces that do not pair up.
pub(crate) fn check_braces(path: &str, at: Position) -> Result<(), Syntax> {
    let mut rest = path;
    let balanced = loop {
        let Some((before, after)) = rest.split_once("{{") else {
            break !rest.contains("}}");
        };
        match after.split_once("}}") {
            Some((selector, tail)) if !before.contains("}}") && !selector.contains("{{") => {
                rest = tail;
            }
            _ => break false,
        }
    };
    if balanced {
        return Ok(());
    }
    Err(Syntax::new(
        at,
        format!("unbalanced `{{{{` or `}}}}` in path {path:?}"),
        "every `{{` to have its `}}`",
        "write templates like {{identity.entity.id}}",
    ))
}
