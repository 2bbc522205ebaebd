//! Paths that depend on who asks: `secret/{{identity.entity.name}}/*`.

use coffer_hcl::{Error as Syntax, Position};

use super::{Pattern, Policy, Rule};

/// Who a templated policy is rendered for.
pub trait Identity: Send + Sync {
    /// A number that nobody else has, and that is another one as soon as any value changes.
    fn stamp(&self) -> u64;

    /// The value of a selector such as `identity.entity.id` or `identity.groups.names.ops.id`, blanks removed;
    /// none if this caller has no such value.
    fn value(&self, selector: &str) -> Option<String>;
}

impl Policy {
    /// The policy for one caller: its templates filled in, and those rules dropped that this caller has no value for.
    ///
    /// A value with a slash, `*` or `+` drops its rule too: whoever may choose an entity's name could otherwise widen
    /// what its policy reaches. What is filled in is never expanded again.
    pub fn render(&self, identity: &dyn Identity) -> Self {
        let rules = self.rules().iter().filter_map(|rule| match &rule.pattern {
            Pattern::Template(path) => Some(Rule {
                pattern: Pattern::read_plain(&filled(path, identity)?),
                template: Some(path.as_str().into()),
                ..rule.clone()
            }),
            _ => Some(rule.clone()),
        });
        self.with_rules(rules.collect())
    }
}

fn filled(path: &str, identity: &dyn Identity) -> Option<String> {
    let mut out = String::with_capacity(path.len());
    let mut rest = path;
    while let Some((before, after)) = rest.split_once("{{") {
        let (selector, tail) = after.split_once("}}")?;
        let value = identity.value(selector.trim())?;
        if value.is_empty() || value.contains(['/', '*', '+']) {
            return None;
        }
        out.push_str(before);
        out.push_str(&value);
        rest = tail;
    }
    out.push_str(rest);
    Some(out)
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
