//! One `path "…" { … }` of a policy.

use std::time::Duration;

use coffer_wire::Timestamp;

use super::{Capabilities, Parameters};

/// A path pattern and what it grants.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Where it applies.
    pub pattern: Pattern,
    /// What it grants.
    pub grant: Grant,
    /// From when on it is as if it were not there.
    pub expires: Option<Timestamp>,
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
        self.min_wrap = smaller(self.min_wrap, other.min_wrap);
        self.max_wrap = smaller(self.max_wrap, other.max_wrap);
        self.page_limit = smaller(self.page_limit, other.page_limit);
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

fn smaller<T: Ord>(one: Option<T>, other: Option<T>) -> Option<T> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}
