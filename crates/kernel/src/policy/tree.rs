//! The radix tree in which a path finds its rules.
//!
//! Edges are bytes; a segment `+` is an edge of its own that takes a whole segment, empty ones too. Looking a path up
//! follows it once, and once more for each `+` on the way that could still win, so the work depends on the path's
//! length and on wildcards that match it, not on how many other rules there are.

use std::cmp::Reverse;

use super::Pattern;

/// Where a node is in [`Tree::nodes`].
type NodeId = usize;

/// Where a rule is, as given to [`Tree::insert`].
pub(crate) type RuleId = usize;

#[derive(Debug)]
pub(crate) struct Tree {
    nodes: Vec<Node>,
    ranks: Vec<Rank>,
}

/// A node, reached by the edge `label`.
#[derive(Debug, Default)]
struct Node {
    label: Box<[u8]>,
    /// In order of the first byte of their labels, which are all different.
    children: Vec<(u8, NodeId)>,
    plus: Option<NodeId>,
    /// The rule for exactly this path.
    exact: Option<RuleId>,
    /// The rule with segments that ends here.
    segments: Option<RuleId>,
    /// The rule for everything that begins so.
    glob: Option<RuleId>,
    /// Whether a rule here or below grants anything.
    grants: bool,
}

/// How specific a rule is; the greatest of those that match wins.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    /// Whether it has any wildcard; those without are looked up on their own.
    wildcards: bool,
    /// Where the first `+` or the final `*` stands; later is better.
    wildcard_at: usize,
    /// Not ending with `*` is better.
    whole: bool,
    /// Fewer `+` segments are better.
    plus: Reverse<usize>,
    /// Longer is better, then what is later in the alphabet.
    length: usize,
    path: String,
}

impl Rank {
    /// Why a rule of this rank decides before one of another.
    fn why_before(&self, other: &Self) -> &'static str {
        match (self.wildcards, other.wildcards) {
            (false, true) => return "an exact path decides before any wildcard",
            (true, true) if self > other => {}
            _ => return "the path with its slash decides before the one without",
        }
        let first = [
            (
                self.wildcard_at != other.wildcard_at,
                "its first wildcard comes earlier",
            ),
            (self.whole != other.whole, "it ends with `*`"),
            (self.plus != other.plus, "it has more `+` segments"),
            (self.length != other.length, "it is shorter"),
        ];
        let found = first.iter().find(|(differs, _)| *differs);
        found.map_or("it comes earlier in the alphabet", |(_, why)| why)
    }

    fn of(pattern: &Pattern) -> Self {
        let path = pattern.written();
        let whole = !path.ends_with('*');
        let end = path.len() - usize::from(!whole);
        let wildcard_at = match pattern {
            Pattern::Segments(_) => path.find('+').unwrap_or(end),
            _ => end,
        };
        let plus = match pattern {
            Pattern::Segments(_) => path.split('/').filter(|segment| *segment == "+").count(),
            _ => 0,
        };
        Self {
            wildcards: !matches!(pattern, Pattern::Exact(_)),
            wildcard_at,
            whole,
            plus: Reverse(plus),
            length: path.len(),
            path,
        }
    }
}

impl Tree {
    pub fn new() -> Self {
        Self {
            nodes: vec![Node::default()],
            ranks: Vec::new(),
        }
    }

    /// Adds a pattern and answers its rule's number, the one before if it was there. Numbers count from 0 in order of
    /// insertion; templates match nothing and have none.
    pub fn insert(&mut self, pattern: &Pattern) -> Option<RuleId> {
        let node = match pattern {
            Pattern::Template(_) => return None,
            Pattern::Exact(path) | Pattern::Prefix(path) => self.grow(0, path.as_bytes()),
            Pattern::Segments(path) => self.grow_segments(path),
        };
        let next = self.ranks.len();
        let node = self.nodes.get_mut(node)?;
        let slot = match pattern {
            Pattern::Exact(_) => &mut node.exact,
            Pattern::Segments(path) if !path.ends_with('*') => &mut node.segments,
            _ => &mut node.glob,
        };
        let id = *slot.get_or_insert(next);
        if id == next {
            self.ranks.push(Rank::of(pattern));
        }
        Some(id)
    }

    fn grow_segments(&mut self, path: &str) -> NodeId {
        let path = path.strip_suffix('*').unwrap_or(path);
        let mut node = 0;
        for (index, segment) in path.split('/').enumerate() {
            if index > 0 {
                node = self.grow(node, b"/");
            }
            node = if segment == "+" {
                self.grow_plus(node)
            } else {
                self.grow(node, segment.as_bytes())
            };
        }
        node
    }

    fn grow_plus(&mut self, node: NodeId) -> NodeId {
        let fresh = self.nodes.len();
        let Some(parent) = self.nodes.get_mut(node) else {
            return node;
        };
        let plus = *parent.plus.get_or_insert(fresh);
        if plus == fresh {
            self.nodes.push(Node::default());
        }
        plus
    }

    /// The node that `rest` leads to from `node`, made if it is not there.
    fn grow(&mut self, mut node: NodeId, mut rest: &[u8]) -> NodeId {
        while let Some(first) = rest.first() {
            let Some(child) = self.child(node, *first) else {
                return self.attach(node, *first, rest);
            };
            let label = self.nodes.get(child).map_or(&[][..], |node| &node.label);
            let shared = label.iter().zip(rest).take_while(|(a, b)| a == b).count();
            if shared < label.len() {
                self.split(child, shared);
            }
            rest = rest.get(shared..).unwrap_or_default();
            node = child;
        }
        node
    }

    fn attach(&mut self, parent: NodeId, first: u8, label: &[u8]) -> NodeId {
        let id = self.nodes.len();
        self.nodes.push(Node {
            label: label.into(),
            ..Node::default()
        });
        if let Some(parent) = self.nodes.get_mut(parent) {
            let place = parent.children.partition_point(|(byte, _)| *byte < first);
            parent.children.insert(place, (first, id));
        }
        id
    }

    /// Cuts a node's edge after `at` bytes: the node keeps the head, a new child gets all the rest.
    fn split(&mut self, id: NodeId, at: usize) {
        let below = self.nodes.len();
        let Some(node) = self.nodes.get_mut(id) else {
            return;
        };
        let label = std::mem::take(&mut node.label);
        let (head, tail) = label.split_at(at);
        let mut lower = std::mem::replace(
            node,
            Node {
                label: head.into(),
                children: tail
                    .first()
                    .map(|byte| (*byte, below))
                    .into_iter()
                    .collect(),
                ..Node::default()
            },
        );
        lower.label = tail.into();
        self.nodes.push(lower);
    }

    fn child(&self, node: NodeId, first: u8) -> Option<NodeId> {
        let children = &self.nodes.get(node)?.children;
        let place = children.binary_search_by_key(&first, |(byte, _)| *byte);
        children.get(place.ok()?).map(|(_, child)| *child)
    }

    /// Notes which parts of the tree grant anything; to be called once, when all is inserted.
    pub fn mark(&mut self, grants: impl Fn(RuleId) -> bool) {
        let mut order = vec![0];
        let mut next = 0;
        while let Some(node) = order.get(next).and_then(|id| self.nodes.get(*id)) {
            order.extend(
                node.children
                    .iter()
                    .map(|(_, child)| *child)
                    .chain(node.plus),
            );
            next += 1;
        }
        for id in order.into_iter().rev() {
            let Some(node) = self.nodes.get(id) else {
                continue;
            };
            let own = [node.exact, node.segments, node.glob];
            let below = node
                .children
                .iter()
                .map(|(_, child)| *child)
                .chain(node.plus);
            let found = own.into_iter().flatten().any(&grants)
                || below
                    .into_iter()
                    .any(|id| self.nodes.get(id).is_some_and(|node| node.grants));
            if let Some(node) = self.nodes.get_mut(id) {
                node.grants = found;
            }
        }
    }

    /// The rule for exactly this path.
    pub fn exact(&self, path: &str) -> Option<RuleId> {
        let mut rest = path.as_bytes();
        let mut id = 0;
        while let Some(first) = rest.first() {
            id = self.child(id, *first)?;
            rest = rest.strip_prefix(&*self.nodes.get(id)?.label)?;
        }
        self.nodes.get(id)?.exact
    }

    /// The most specific rule with a wildcard that matches the path.
    pub fn wildcard(&self, path: &str) -> Option<RuleId> {
        self.walk(path, Walk::default()).best
    }

    /// All rules with a wildcard that match the path, the most specific first.
    pub fn wildcards(&self, path: &str) -> Vec<RuleId> {
        let all = Walk {
            all: Some(Vec::new()),
            ..Walk::default()
        };
        let mut all = self.walk(path, all).all.unwrap_or_default();
        all.sort_by(|one, other| self.ranks.get(*other).cmp(&self.ranks.get(*one)));
        all.dedup();
        all
    }

    /// Why one of two rules that match decides and the other does not.
    pub fn why(&self, wins: RuleId, loses: RuleId) -> &'static str {
        match (self.ranks.get(wins), self.ranks.get(loses)) {
            (Some(wins), Some(loses)) => wins.why_before(loses),
            _ => "",
        }
    }

    /// How many nodes a look-up of the path touches.
    #[cfg(test)]
    pub fn steps(&self, path: &str) -> usize {
        self.walk(path, Walk::default()).steps
    }

    fn walk(&self, path: &str, mut walk: Walk) -> Walk {
        // The literal way first: what it finds deep down spares the `+` further up.
        let mut open = vec![Branch::default()];
        while let Some(branch) = open.pop() {
            if walk.all.is_some() || !self.is_beaten(walk.best, branch.first_plus) {
                self.follow(path.as_bytes(), branch, &mut walk, &mut open);
            }
        }
        walk
    }

    /// Follows the path by its bytes as far as the tree goes, and notes each `+` that could take a segment of it.
    fn follow(&self, path: &[u8], branch: Branch, walk: &mut Walk, open: &mut Vec<Branch>) {
        let Branch {
            mut node,
            mut at,
            first_plus,
        } = branch;
        while let Some(here) = self.nodes.get(node) {
            walk.steps += 1;
            self.offer(walk, here.glob);
            let rest = path.get(at..).unwrap_or_default();
            if rest.is_empty() {
                self.offer(walk, here.segments);
            }
            if let Some(plus) = here.plus {
                let segment = rest.iter().position(|byte| *byte == b'/');
                open.push(Branch {
                    node: plus,
                    at: at + segment.unwrap_or(rest.len()),
                    first_plus: first_plus.or(Some(at)),
                });
            }
            let Some(child) = rest.first().and_then(|first| self.child(node, *first)) else {
                return;
            };
            let label = self.nodes.get(child).map_or(&[][..], |child| &child.label);
            if !rest.starts_with(label) {
                return;
            }
            at += label.len();
            node = child;
        }
    }

    fn offer(&self, walk: &mut Walk, rule: Option<RuleId>) {
        let rank = |rule: Option<RuleId>| rule.and_then(|rule| self.ranks.get(rule));
        if rank(rule) > rank(walk.best) {
            walk.best = rule;
        }
        if let Some(all) = &mut walk.all {
            all.extend(rule);
        }
    }

    /// Whether no rule with its first `+` there can be more specific than the best one.
    fn is_beaten(&self, best: Option<RuleId>, first_plus: Option<usize>) -> bool {
        let best = best.and_then(|best| self.ranks.get(best));
        first_plus.is_some_and(|at| best.is_some_and(|best| best.wildcard_at > at))
    }

    /// Whether a rule that grants something is about a path that begins so.
    pub fn grants_below(&self, prefix: &str) -> bool {
        let prefix = prefix.as_bytes();
        let mut open = vec![(0, 0)];
        while let Some((id, at)) = open.pop() {
            let Some(node) = self.nodes.get(id) else {
                continue;
            };
            let rest = prefix.get(at..).unwrap_or_default();
            if rest.is_empty() && node.grants {
                return true;
            }
            if let Some(plus) = node.plus {
                let segment = rest.iter().position(|byte| *byte == b'/');
                open.push((plus, at + segment.unwrap_or(rest.len())));
            }
            let Some(child) = rest.first().and_then(|first| self.child(id, *first)) else {
                continue;
            };
            let label = self.nodes.get(child).map_or(&[][..], |child| &child.label);
            // The prefix may end within an edge: then all that is below begins with it.
            let shared = label.len().min(rest.len());
            if label.get(..shared) == rest.get(..shared) {
                open.push((child, at + shared));
            }
        }
        false
    }
}

/// A place from which a look-up goes on.
#[derive(Default)]
struct Branch {
    /// The node, its edge already matched.
    node: NodeId,
    /// How many bytes of the path are matched.
    at: usize,
    /// Where the first `+` of this way took a segment.
    first_plus: Option<usize>,
}

#[derive(Default)]
struct Walk {
    best: Option<RuleId>,
    /// All that match, where that is wanted; nothing is skipped then.
    all: Option<Vec<RuleId>>,
    steps: usize,
}
