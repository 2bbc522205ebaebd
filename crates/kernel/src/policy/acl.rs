//! What a set of policies allows, compiled for quick decisions.

use std::borrow::Borrow;
use std::ops::ControlFlow;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use coffer_wire::{Timestamp, Verb};
use serde_json::{Map, Value};

use super::builtin::ROOT;
use super::tree::{RuleId, Tree};
use super::{Capabilities, Considered, Controlled, Explanation, Grant, Objection, Pattern, Policy};

/// The compiled rules of a set of policies.
#[derive(Debug)]
pub struct Acl {
    root: bool,
    tree: Tree,
    rules: Vec<Merged>,
    valid_until: Option<Timestamp>,
    /// The same rules in small letters, once somebody asks; none where they are so already.
    folded: OnceLock<Option<Box<Acl>>>,
}

/// All rules with one pattern.
#[derive(Debug)]
pub(super) struct Merged {
    pub pattern: Pattern,
    pub grant: Grant,
    /// The rules it was merged from.
    pub sources: Vec<Source>,
}

/// One rule of one policy.
#[derive(Clone, Debug)]
pub struct Source {
    /// The name of the policy.
    pub policy: Arc<str>,
    /// The line in its text where the rule begins.
    pub line: u32,
    /// The path as written, where its templates were filled in.
    pub template: Option<Arc<str>>,
    /// What it grants, before the rules of the same path are merged.
    pub capabilities: Capabilities,
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
    sudo_path: bool,
    rule: Option<&'a Merged>,
}

impl<'a> Verdict<'a> {
    const REFUSED: Self = Self {
        allowed: false,
        root: false,
        sudo: false,
        page_limit: None,
        needed: Capabilities::NONE,
        sudo_path: false,
        rule: None,
    };

    /// Whether a rule speaks of the path at all, or the caller is root.
    pub fn is_decided(&self) -> bool {
        self.root || self.rule.is_some()
    }

    /// What others must authorize before it is done. Nobody is asked about what root does.
    pub fn controlled(&self) -> Controlled {
        let needed = match self.sudo_path {
            true => self.needed | Capabilities::SUDO,
            false => self.needed,
        };
        let control = self.rule.and_then(|rule| rule.grant.control.as_ref());
        control
            .map(|control| control.of(needed))
            .unwrap_or_default()
    }

    /// The names of the policies that grant it, for the audit record; none if it is refused.
    pub fn granted_by(&self) -> impl Iterator<Item = &'a str> {
        let needed = self.needed;
        let sources = self.rule.filter(|_| self.allowed).map(|rule| &rule.sources);
        let sources = sources.map(Vec::as_slice).unwrap_or_default();
        let grants = move |source: &Source| source.capabilities.grants(needed);
        let granting = sources.iter().enumerate().filter_map(move |(at, source)| {
            let mut earlier = sources.iter().take(at);
            let named = earlier.any(|earlier| earlier.policy == source.policy && grants(earlier));
            (grants(source) && !named).then_some(&*source.policy)
        });
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
            folded: OnceLock::new(),
        };
        for policy in policies {
            acl.add(policy.borrow(), now);
        }
        acl.mark();
        acl
    }

    fn mark(&mut self) {
        let Self { tree, rules, .. } = self;
        tree.mark(|id| {
            rules
                .get(id)
                .is_some_and(|rule| rule.grant.capabilities.grants_something())
        });
    }

    /// The rules in small letters, for paths with names that are one in all letters.
    fn folded(&self) -> &Self {
        let fold = || {
            let differs = |rule: &Merged| rule.pattern.folded() != rule.pattern;
            let differ = self.rules.iter().any(differs);
            differ.then(|| Box::new(self.fold()))
        };
        self.folded.get_or_init(fold).as_deref().unwrap_or(self)
    }

    fn fold(&self) -> Self {
        let mut acl = Self {
            root: self.root,
            tree: Tree::new(),
            rules: Vec::new(),
            valid_until: self.valid_until,
            folded: OnceLock::new(),
        };
        for rule in &self.rules {
            acl.merge(rule.pattern.folded(), &rule.grant, &rule.sources);
        }
        acl.mark();
        acl
    }

    /// Adds what a pattern grants, together with what it grants already.
    fn merge(&mut self, pattern: Pattern, grant: &Grant, sources: &[Source]) {
        let Some(id) = self.tree.insert(&pattern) else {
            return;
        };
        match self.rules.get_mut(id) {
            Some(merged) => {
                merged.grant.merge(grant);
                merged.sources.extend_from_slice(sources);
            }
            None => self.rules.push(Merged {
                pattern,
                grant: grant.clone(),
                sources: sources.to_vec(),
            }),
        }
    }

    fn add(&mut self, policy: &Policy, now: Timestamp) {
        for rule in policy.rules() {
            if rule.expires.is_some_and(|expires| expires <= now) {
                continue;
            }
            if matches!(rule.pattern, Pattern::Template(_)) {
                continue;
            }
            self.expire_at(rule.expires);
            let source = Source {
                policy: Arc::clone(policy.name()),
                line: rule.line,
                template: rule.template.clone(),
                capabilities: rule.grant.capabilities,
            };
            self.merge(rule.pattern.clone(), &rule.grant, &[source]);
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
        let objection = rule.grant.object(question, |_| ControlFlow::Break(()));
        let allowed = objection.is_continue();
        Verdict {
            allowed,
            root: false,
            sudo: rule.grant.capabilities.grants(Capabilities::SUDO),
            page_limit: rule.grant.page_limit.filter(|_| allowed && lists),
            needed: Capabilities::needed(question.verb, question.creates),
            sudo_path: question.sudo_path,
            rule: Some(rule),
        }
    }

    /// Decides about a path with names that are one in all letters by what the rules say of them in any letters. For a
    /// name in other letters than a rule's [`Acl::decide`] says nothing of that rule.
    pub fn decide_folded(&self, question: &Question<'_>) -> Verdict<'_> {
        self.folded().decide(&Question {
            path: &question.path.to_lowercase(),
            ..*question
        })
    }

    /// Says why [`Acl::decide_folded`] decides so.
    pub fn explain_folded(&self, question: &Question<'_>) -> Explanation {
        self.folded().explain(&Question {
            path: &question.path.to_lowercase(),
            ..*question
        })
    }

    /// Decides as [`Acl::decide`] does, and says why: the rule that decides with all it objects to, and the rules that
    /// match as well, in the order in which they would decide.
    pub fn explain(&self, question: &Question<'_>) -> Explanation {
        let verdict = self.decide(question);
        let mut objections = Vec::new();
        match verdict.rule {
            _ if verdict.root => {}
            None => objections.push(Objection::NoRule),
            Some(rule) => {
                let _all = rule.grant.object(question, |objection| {
                    objections.push(objection);
                    ControlFlow::Continue(())
                });
            }
        }
        let lists = matches!(question.verb, Verb::List | Verb::Scan);
        let matching = self.matching(question.path, lists);
        let shown = |id: &RuleId, loses: Option<&'static str>| {
            let rule = self.rules.get(*id)?;
            Some(Considered::new(
                &rule.pattern,
                &rule.grant,
                &rule.sources,
                loses,
            ))
        };
        let (first, others) = match matching.split_first() {
            Some((first, others)) if !verdict.root => (Some(first), others),
            _ => (None, &[][..]),
        };
        Explanation {
            allowed: verdict.allowed,
            root: verdict.root,
            needed: match question.sudo_path {
                true => Capabilities::needed(question.verb, question.creates) | Capabilities::SUDO,
                false => Capabilities::needed(question.verb, question.creates),
            },
            decided_by: first.and_then(|id| shown(id, None)),
            others: first
                .into_iter()
                .flat_map(|first| others.iter().map(move |other| (first, other)))
                .filter_map(|(first, other)| shown(other, Some(self.tree.why(*first, *other))))
                .collect(),
            objections,
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

    /// Whether somebody may be told of an event of a kind that is about a path.
    pub fn may_subscribe(&self, path: &str, kind: &str) -> bool {
        let rule = || self.rule(path, false);
        self.root || rule().is_some_and(|rule| rule.grant.tells_of(kind))
    }

    /// The same on a path with names that are one in all letters: as they are compared, else as they are spelt, and
    /// never more than what the rules say of them in any letters.
    pub fn capabilities_of_names(&self, compared: &str, spelt: &str) -> Vec<&'static str> {
        if self.root {
            return vec![ROOT];
        }
        let plain = match self.rule(compared, true) {
            Some(rule) => rule.grant.capabilities,
            None => self.held(spelt),
        };
        let folded = self.folded().held(&compared.to_lowercase());
        plain.common(folded).names()
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

    /// All rules that match a path, in the order in which they would decide: the first is that of [`Acl::rule`].
    fn matching(&self, path: &str, lists: bool) -> Vec<RuleId> {
        let path = path.trim_start_matches('/');
        let bare = path.strip_suffix('/').filter(|_| lists);
        let paths = || std::iter::once(path).chain(bare);
        let exact = paths().filter_map(|path| self.tree.exact(path));
        let wildcards = paths().flat_map(|path| self.tree.wildcards(path));
        let mut all: Vec<RuleId> = Vec::new();
        for id in exact.chain(wildcards) {
            if !all.contains(&id) {
                all.push(id);
            }
        }
        all
    }
}
