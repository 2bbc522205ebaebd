//! One `path "…" { … }` of a policy.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use coffer_wire::{Timestamp, Verb};
use serde_json::{Map, Value};

use crate::events::matches;

use super::{Capabilities, Control, Objection, Parameters, Question};

/// A path pattern and what it grants.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Where it applies.
    pub pattern: Pattern,
    /// What it grants.
    pub grant: Grant,
    /// From when on it is as if it were not there.
    pub expires: Option<Timestamp>,
    /// Where it stands in the policy's text: a line, from 1.
    pub line: u32,
    /// The path as written, where its templates were filled in.
    pub template: Option<Arc<str>>,
}

/// Where a rule applies.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Pattern {
    /// This very path.
    Exact(String),
    /// Paths that begin so; written with a `*` at the end, which is not kept here.
    Prefix(String),
    /// A path in which a whole segment is `+`, as written, perhaps with `*` at the end.
    Segments(String),
    /// A path with `{{…}}`, as written. It matches nothing until it is rendered for an identity.
    Template(String),
}

impl Pattern {
    /// The same in small letters.
    pub(super) fn folded(&self) -> Self {
        match self {
            Self::Exact(path) => Self::Exact(path.to_lowercase()),
            Self::Prefix(path) => Self::Prefix(path.to_lowercase()),
            Self::Segments(path) => Self::Segments(path.to_lowercase()),
            Self::Template(path) => Self::Template(path.clone()),
        }
    }

    /// Reads a path as policies have it. One leading slash does not count.
    ///
    /// A `*` counts at the end only, a `+` only as a whole segment; elsewhere both stand for themselves. That a `+`
    /// behind a slash makes a pattern of segments even within a longer segment matters for its rank.
    pub fn read(path: &str) -> Self {
        if path.contains("{{") {
            Self::Template(path.to_owned())
        } else {
            Self::read_plain(path)
        }
    }

    /// Reads a path in which braces stand for themselves, because its templates are rendered.
    pub fn read_plain(path: &str) -> Self {
        let path = path.strip_prefix('/').unwrap_or(path);
        if path == "+" || path.starts_with("+/") || path.contains("/+") {
            return Self::Segments(path.to_owned());
        }
        match path.strip_suffix('*') {
            Some(prefix) => Self::Prefix(prefix.to_owned()),
            None => Self::Exact(path.to_owned()),
        }
    }

    /// The path as a policy would write it.
    pub fn written(&self) -> String {
        match self {
            Self::Exact(path) | Self::Segments(path) | Self::Template(path) => path.clone(),
            Self::Prefix(prefix) => format!("{prefix}*"),
        }
    }
}

/// What a rule grants, and under which conditions.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Grant {
    /// The capabilities.
    pub capabilities: Capabilities,
    /// Parameters a request may have; unconstrained if there are none.
    pub allowed: Parameters,
    /// Parameters a request may not have.
    pub denied: Parameters,
    /// Names, in lower case, that a request must have.
    pub required: Vec<String>,
    /// The answer must be wrapped for at least so long.
    pub min_wrap: Option<Duration>,
    /// The answer must be wrapped for at most so long.
    pub max_wrap: Option<Duration>,
    /// Most entries in one page of a list.
    pub page_limit: Option<i64>,
    /// The kinds of events that `subscribe` is about, as patterns with `*`. None where that is not granted.
    pub event_types: Vec<String>,
    /// What others must authorize.
    pub control: Option<Arc<Control>>,
}

impl Grant {
    /// Adds what another policy grants at the same path.
    ///
    /// Deny wins and nothing else stays; capabilities and parameters add up; the smaller limit wins.
    pub fn merge(&mut self, other: &Self) {
        self.capabilities = self.capabilities.merged(other.capabilities);
        if self.capabilities.denies() {
            *self = Self {
                capabilities: Capabilities::DENY,
                ..Self::default()
            };
            return;
        }
        self.allowed.merge(&other.allowed);
        self.denied.merge(&other.denied);
        for name in &other.required {
            if !self.required.contains(name) {
                self.required.push(name.clone());
            }
        }
        for kinds in &other.event_types {
            if !self.event_types.contains(kinds) {
                self.event_types.push(kinds.clone());
            }
        }
        self.min_wrap = smaller(self.min_wrap, other.min_wrap);
        self.max_wrap = smaller(self.max_wrap, other.max_wrap);
        self.page_limit = smaller(self.page_limit, other.page_limit);
        match (&mut self.control, &other.control) {
            (Some(mine), Some(other)) => Arc::make_mut(mine).merge(other),
            (mine, Some(other)) => *mine = Some(Arc::clone(other)),
            (_, None) => {}
        }
    }

    /// Whether it lets somebody be told of events of a kind.
    pub fn tells_of(&self, kind: &str) -> bool {
        self.capabilities.grants(Capabilities::SUBSCRIBE)
            && self.event_types.iter().any(|known| matches(known, kind))
    }

    /// Says why the rule does not let a request pass, until `each` breaks off. It passes if there is nothing to say.
    /// Whoever decides breaks off at once; whoever explains hears all.
    pub fn object(
        &self,
        question: &Question<'_>,
        mut each: impl FnMut(Objection) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        if self.capabilities.denies() {
            return each(Objection::Denies);
        }
        let needed = Capabilities::needed(question.verb, question.creates);
        if !self.capabilities.grants(needed) {
            each(Objection::Lacks(needed))?;
        }
        if question.sudo_path && !self.capabilities.grants(Capabilities::SUDO) {
            each(Objection::Lacks(Capabilities::SUDO))?;
        }
        if !self.accepts_wrapping(question.wrap_ttl) {
            each(Objection::Wrapping)?;
        }
        match question.verb {
            Verb::Delete => ControlFlow::Continue(()),
            Verb::List | Verb::Scan => match self.accepts_page(question.body) {
                true => ControlFlow::Continue(()),
                false => each(Objection::Page),
            },
            Verb::Read | Verb::Write | Verb::Patch => {
                self.object_to_parameters(question.body, each)
            }
        }
    }

    fn object_to_parameters(
        &self,
        body: &Map<String, Value>,
        mut each: impl FnMut(Objection) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        for name in &self.required {
            if !body.contains_key(name) {
                each(Objection::Missing(name.clone()))?;
            }
        }
        for name in self.denied.denied(body) {
            each(Objection::Denied(name.to_owned()))?;
        }
        for name in self.allowed.not_allowed(body) {
            each(Objection::NotAllowed(name.to_owned()))?;
        }
        ControlFlow::Continue(())
    }

    fn accepts_page(&self, body: &Map<String, Value>) -> bool {
        let limit = body.get("limit");
        self.page_limit
            .is_none_or(|most| limit.is_none_or(|limit| within(limit, most)))
    }

    /// Whether an answer wrapped for so long, or not wrapped, is what the rule asks for.
    pub fn accepts_wrapping(&self, wrap: Option<Duration>) -> bool {
        if self.min_wrap.is_none() && self.max_wrap.is_none() {
            return true;
        }
        // Merging can leave a minimum above the maximum; then no duration passes both.
        wrap.is_some_and(|wrap| {
            self.min_wrap.is_none_or(|min| wrap >= min)
                && self.max_wrap.is_none_or(|max| wrap <= max)
        })
    }
}

/// Whether a list's `limit` is a number from 0 (none given) to `most`.
fn within(limit: &Value, most: i64) -> bool {
    let limit = match limit {
        Value::String(text) if text.is_empty() => Some(0),
        Value::String(text) => text.trim().parse::<i64>().ok(),
        other => other.as_i64(),
    };
    limit.is_some_and(|limit| (0..=most).contains(&limit))
}

fn smaller<T: Ord>(one: Option<T>, other: Option<T>) -> Option<T> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}
