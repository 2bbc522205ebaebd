//! What a set of policies allows, compiled for quick decisions.

use std::borrow::Borrow;
use std::sync::Arc;
use std::time::Duration;

use coffer_wire::{Timestamp, Verb};
use serde_json::{Map, Value};

use super::builtin::ROOT;
use super::tree::{RuleId, Tree};
use super::{Capabilities, Grant, Pattern, Policy};

/// The compiled rules of a set of policies.
#[derive(Debug)]
pub struct Acl {
    root: bool,
    tree: Tree,
    rules: Vec<Merged>,
    valid_until: Option<Timestamp>,
}

/// All rules with one pattern.
#[derive(Debug)]
struct Merged {
    pattern: Pattern,
    grant: Grant,
    /// Which policies contributed which capabilities.
    sources: Vec<(Arc<str>, Capabilities)>,
}

/// What a request wants to do.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The path below `/v1/`, as routed.
    pub path: &'a str,
    /// The operation.
    pub verb: Verb,
    /// Whether a write finds nothing there yet.
    pub creates: bool,
    /// The parameters: the body and the query together, as the handler will see them.
    pub body: &'a Map<String, Value>,
    /// For how long the answer is to be wrapped, if at all.
    pub wrap_ttl: Option<Duration>,
    /// Whether the route needs `sudo` besides the plain capability.
    pub sudo_path: bool,
}

/// The answer to a [`Question`].
#[derive(Clone, Copy, Debug)]
pub struct Verdict<'a> {
    /// Whether it may be done.
    pub allowed: bool,
    /// Whether that is so because the caller is root.
    pub root: bool,
    /// Whether the caller has `sudo` on the path (root has).
    pub sudo: bool,
    /// Most entries a page of this list may have. A list that asks for no limit, or for 0, is to be given this one.
    pub page_limit: Option<i64>,
    needed: Capabilities,
    rule: Option<&'a Merged>,
}

impl<'a> Verdict<'a> {
    const REFUSED: Self = Self {
        allowed: false,
        root: false,
        sudo: false,
        page_limit: None,
        needed: Capabilities::NONE,
        rule: None,
    };

    /// Whether a rule speaks of the path at all, or the caller is root.
    pub fn is_decided(&self) -> bool {
        self.root || self.rule.is_some()
    }

    /// The names of the policies that grant it, for the audit record; none if it is refused.
    pub fn granted_by(&self) -> impl Iterator<Item = &'a str> {
        let needed = self.needed;
        let sources = self.rule.filter(|_| self.allowed).map(|rule| &rule.sources);
        let granting = sources
            .into_iter()
            .flatten()
            .filter(move |(_, capabilities)| capabilities.grants(needed))
            .map(|(name, _)| name.as_ref());
        (self.root && self.allowed)
            .then_some(ROOT)
            .into_iter()
            .chain(granting)
    }
}

impl Acl {
    /// Compiles policies. Rules that are over at `now`, and templates that were not rendered, match nothing.
    pub fn compile<P: Borrow<Policy>>(policies: &[P], now: Timestamp) -> Self {
        let mut acl = Self {
            root: policies
                .iter()
                .any(|policy| &**policy.borrow().name() == ROOT),
            tree: Tree::new(),
            rules: Vec::new(),
            valid_until: None,
        };
        for policy in policies {
            acl.add(policy.borrow(), now);
        }
        let Self { tree, rules, .. } = &mut acl;
        tree.mark(|id| {
            rules
                .get(id)
                .is_some_and(|rule| rule.grant.capabilities.grants_something())
        });
        acl
    }

    fn add(&mut self, policy: &Policy, now: Timestamp) {
        for rule in policy.rules() {
            if rule.expires.is_some_and(|expires| expires <= now) {
                continue;
            }
            let Some(id) = self.tree.insert(&rule.pattern) else {
                continue;
            };
            self.expire_at(rule.expires);
            match self.rules.get_mut(id) {
                Some(merged) => merged.grant.merge(&rule.grant),
                None => self.rules.push(Merged {
                    pattern: rule.pattern.clone(),
                    grant: rule.grant.clone(),
                    sources: Vec::new(),
                }),
            }
            if let Some(merged) = self.rules.get_mut(id) {
                merged.credit(policy.name(), rule.grant.capabilities);
            }
        }
    }

    /// Lets the whole be compiled anew at that time at the latest.
    pub(crate) fn expire_at(&mut self, time: Option<Timestamp>) {
        self.valid_until = match (self.valid_until, time) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
    }

    /// When the first rule expires; from then on the policies are to be compiled anew.
    pub fn valid_until(&self) -> Option<Timestamp> {
        self.valid_until
    }

    /// Whether the root policy is among them.
    pub fn is_root(&self) -> bool {
        self.root
    }

    /// How many different patterns there are.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether nothing is granted at all.
    pub fn is_empty(&self) -> bool {
        !self.root && self.rules.is_empty()
    }

    /// Decides. Asking for help on a path is always allowed and not asked here.
    pub fn decide(&self, question: &Question<'_>) -> Verdict<'_> {
        if self.root {
            return Verdict {
                allowed: true,
                root: true,
                sudo: true,
                ..Verdict::REFUSED
            };
        }
        let lists = matches!(question.verb, Verb::List | Verb::Scan);
        let Some(rule) = self.rule(question.path, lists) else {
            return Verdict::REFUSED;
        };
        let held = rule.grant.capabilities;
        let needed = Capabilities::needed(question.verb, question.creates);
        let sudo = held.grants(Capabilities::SUDO);
        let allowed = held.grants(needed)
            && (sudo || !question.sudo_path)
            && rule.grant.accepts_wrapping(question.wrap_ttl)
            && rule.grant.accepts_parameters(question);
        Verdict {
            allowed,
            root: false,
            sudo,
            page_limit: rule.grant.page_limit.filter(|_| allowed && lists),
            needed,
            rule: Some(rule),
        }
    }

    /// The capabilities on a path, in alphabetical order; `["root"]` for root, `["deny"]` for none.
    ///
    /// The path is looked up as a list would look it up, as in the reference.
    pub fn capabilities(&self, path: &str) -> Vec<&'static str> {
        if self.root {
            return vec![ROOT];
        }
        self.held(path).names()
    }

    /// Whether anything may be done at a mount's path, with or without its slash, or at some path below it.
    pub fn sees_mount(&self, prefix: &str) -> bool {
        let bare = prefix.strip_suffix('/').unwrap_or(prefix);
        self.root
            || self.held(prefix).grants_something()
            || self.held(bare).grants_something()
            || self.tree.grants_below(prefix)
    }

    /// Every pattern with what it grants, in the order in which they were first written.
    pub fn rules(&self) -> impl Iterator<Item = (&Pattern, &Grant)> {
        self.rules.iter().map(|rule| (&rule.pattern, &rule.grant))
    }

    fn held(&self, path: &str) -> Capabilities {
        let rule = self.rule(path, true);
        rule.map_or(Capabilities::NONE, |rule| rule.grant.capabilities)
    }

    /// The one rule that decides about a path: the exact one, else the most specific with a wildcard.
    ///
    /// For a list, `dir/` is granted by rules about `dir` too, where none is about `dir/`.
    fn rule(&self, path: &str, lists: bool) -> Option<&Merged> {
        let path = path.trim_start_matches('/');
        let bare = path.strip_suffix('/').filter(|_| lists);
        let id: Option<RuleId> = self
            .tree
            .exact(path)
            .or_else(|| self.tree.exact(bare?))
            .or_else(|| self.tree.wildcard(path))
            .or_else(|| self.tree.wildcard(bare?));
        self.rules.get(id?)
    }
}

impl Merged {
    fn credit(&mut self, name: &Arc<str>, capabilities: Capabilities) {
        match self.sources.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) => *known = known.merged(capabilities),
            None => self.sources.push((Arc::clone(name), capabilities)),
        }
    }
}

impl Grant {
    fn accepts_parameters(&self, question: &Question<'_>) -> bool {
        let body = question.body;
        match question.verb {
            Verb::Delete => true,
            Verb::List | Verb::Scan => self
                .page_limit
                .is_none_or(|most| body.get("limit").is_none_or(|limit| within(limit, most))),
            Verb::Read | Verb::Write | Verb::Patch => {
                self.required.iter().all(|name| body.contains_key(name))
                    && !self.denied.deny(body)
                    && self.allowed.allow(body)
            }
        }
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
