//! Why something is allowed or not.

use std::time::Duration;

use super::acl::Source;
use super::{Capabilities, Grant, Pattern};

/// The answer to a [`super::Question`] with its reasons.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// Whether it may be done: what [`super::Acl::decide`] says.
    pub allowed: bool,
    /// Whether that is so because the caller is root.
    pub root: bool,
    /// The capabilities that are needed.
    pub needed: Capabilities,
    /// The rule that decides; none where no rule matches, or the caller is root.
    pub decided_by: Option<Considered>,
    /// The other rules that match, in the order in which they would decide.
    pub others: Vec<Considered>,
    /// What the rule objects to; nothing if it is allowed.
    pub objections: Vec<Objection>,
}

/// A rule that matches a path.
#[derive(Clone, Debug)]
pub struct Considered {
    /// The path as a policy would write it.
    pub pattern: String,
    /// `exact`, `prefix` (a `*` at the end) or `segments` (with `+`).
    pub kind: &'static str,
    /// What it grants, and under which conditions.
    pub grant: Grant,
    /// The policies it comes from.
    pub sources: Vec<Source>,
    /// Why it does not decide, seen from the rule that does.
    pub loses: Option<&'static str>,
}

/// Why a rule does not let a request pass. Names of parameters are told, values never.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Objection {
    /// There is no rule for the path.
    NoRule,
    /// The rule denies everything.
    Denies,
    /// A capability is not granted.
    Lacks(Capabilities),
    /// The answer is to be wrapped, for longer or shorter.
    Wrapping,
    /// A required parameter is not there.
    Missing(String),
    /// A parameter is denied, by its name or with its value.
    Denied(String),
    /// A parameter is not among the allowed ones, by its name or with its value.
    NotAllowed(String),
    /// The list asks for more entries than a page may have.
    Page,
}

impl Considered {
    pub(super) fn new(
        pattern: &Pattern,
        grant: &Grant,
        sources: &[Source],
        loses: Option<&'static str>,
    ) -> Self {
        Self {
            pattern: pattern.written(),
            kind: match pattern {
                Pattern::Exact(_) => "exact",
                Pattern::Prefix(_) => "prefix",
                Pattern::Segments(_) => "segments",
                Pattern::Template(_) => "template",
            },
            grant: grant.clone(),
            sources: sources.to_vec(),
            loses,
        }
    }
}

impl Objection {
    /// The objection in words, with what would have to be otherwise.
    pub fn say(&self, grant: Option<&Grant>) -> String {
        match self {
            Self::NoRule => "no rule of these policies is about this path".to_owned(),
            Self::Denies => "the rule denies everything at this path".to_owned(),
            Self::Lacks(capability) => {
                format!(
                    "the capability {:?} is not granted",
                    capability.names().join(", ")
                )
            }
            Self::Wrapping => format!(
                "the answer has to be wrapped{}",
                grant.map(bounds).unwrap_or_default()
            ),
            Self::Missing(name) => format!("the parameter {name:?} is required"),
            Self::Denied(name) => format!("the parameter {name:?}, or its value, is denied"),
            Self::NotAllowed(name) => {
                format!("the parameter {name:?}, or its value, is not among the allowed ones")
            }
            Self::Page => format!(
                "`limit` has to be a number up to {}",
                grant.and_then(|grant| grant.page_limit).unwrap_or_default()
            ),
        }
    }

    /// One word for it, for programs.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::NoRule => "no-rule",
            Self::Denies => "denied",
            Self::Lacks(_) => "capability",
            Self::Wrapping => "wrapping",
            Self::Missing(_) => "required-parameter",
            Self::Denied(_) => "denied-parameter",
            Self::NotAllowed(_) => "allowed-parameters",
            Self::Page => "pagination-limit",
        }
    }

    /// The capability or parameter it is about; empty for none.
    pub fn name(&self) -> String {
        match self {
            Self::Lacks(capability) => capability.names().join(", "),
            Self::Missing(name) | Self::Denied(name) | Self::NotAllowed(name) => name.clone(),
            Self::NoRule | Self::Denies | Self::Wrapping | Self::Page => String::new(),
        }
    }
}

fn bounds(grant: &Grant) -> String {
    let said = |word: &str, bound: Option<Duration>| {
        bound.map(|bound| format!(" for {word} {}", coffer_wire::format_duration(bound)))
    };
    let bounds = [
        said("at least", grant.min_wrap),
        said("at most", grant.max_wrap),
    ];
    bounds
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(" and")
}
