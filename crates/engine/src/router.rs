//! Finds the path for a request: a literal segment beats a variable one.

use std::collections::HashMap;

use coffer_wire::Verb;

use crate::Flags;

/// A path that matched.
#[derive(Clone, Debug)]
pub struct Found {
    /// Position of the path in its table.
    pub path: usize,
    /// Position of the endpoint in its path.
    pub endpoint: usize,
    /// What the variable segments held.
    pub captures: Vec<(&'static str, String)>,
    /// Who may come here.
    pub flags: Flags,
    /// Whether the path can tell creation from update.
    pub tells_existence: bool,
    /// The path as its table has it, with the names of its variables.
    pub pattern: &'static str,
}

impl Found {
    /// The path below the mount, what its variables held in the form that is wished.
    pub fn tail(&self, form: impl Fn(&str) -> String) -> String {
        let segment = |segment: &str| match crate::routes::capture_name(segment) {
            Some(name) => {
                let held = self.captures.iter().find(|(captured, _)| *captured == name);
                held.map(|(_, value)| form(value)).unwrap_or_default()
            }
            None => segment.to_owned(),
        };
        let segments: Vec<String> = self.pattern.split('/').map(segment).collect();
        segments.join("/")
    }
}

/// Why nothing matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Miss {
    /// No such path.
    Path,
    /// The path is there, but not with this verb.
    Verb,
}

/// A tree of segments.
/// A `{rest*}` takes all that is left, or all but one last literal segment.
#[derive(Default)]
pub(crate) struct Router {
    root: Node,
}

#[derive(Default)]
struct Node {
    literals: HashMap<&'static str, Node>,
    variable: Option<(&'static str, Box<Node>)>,
    rest: Option<(&'static str, Rest)>,
    here: Option<usize>,
}

/// What ends in the rest of a path: the rest itself, and the rest before one last literal segment.
#[derive(Default)]
struct Rest {
    here: Option<usize>,
    before: HashMap<&'static str, usize>,
}

impl Router {
    /// Adds a pattern; says what is ambiguous about it.
    pub(crate) fn insert(&mut self, pattern: &'static str, at: usize) -> Result<(), String> {
        let mut node = &mut self.root;
        let mut names: Vec<&str> = Vec::new();
        let mut segments = pattern.split('/').filter(|segment| !segment.is_empty());
        while let Some(segment) = segments.next() {
            let Some(name) = crate::routes::capture_name(segment) else {
                node = node.literals.entry(segment).or_default();
                continue;
            };
            if names.contains(&name) {
                return Err(format!("{pattern}: {{{name}}} stands twice"));
            }
            names.push(name);
            if segment.ends_with("*}") {
                return node.insert_rest(pattern, name, segments.next(), at);
            }
            let (other, next) = node.variable.get_or_insert_with(|| (name, Box::default()));
            if *other != name {
                return Err(format!(
                    "{pattern}: {{{name}}} stands where another path has {{{other}}}"
                ));
            }
            node = next;
        }
        match node.here.replace(at) {
            Some(_) => Err(format!("{pattern}: the path stands twice")),
            None => Ok(()),
        }
    }

    /// The path for `tail` and what its variables hold. Lists may ask with a trailing slash, and
    /// only they reach a `{rest*}` that holds nothing: where the path before it is not there, or
    /// `has` not the verb.
    pub(crate) fn find(
        &self,
        verb: Verb,
        tail: &str,
        has: impl Fn(usize) -> bool,
    ) -> Option<(usize, Vec<(&'static str, String)>)> {
        let lists = matches!(verb, Verb::List | Verb::Scan);
        let tail = if lists {
            tail.strip_suffix('/').unwrap_or(tail)
        } else {
            tail
        };
        let segments: Vec<&str> = if tail.is_empty() {
            Vec::new()
        } else {
            tail.split('/').collect()
        };
        let mut captures = Vec::new();
        let empty_rest = |here: Option<usize>| lists && here.is_none_or(|at| !has(at));
        let at = self.root.find(&segments, &empty_rest, &mut captures)?;
        Some((at, captures))
    }
}

impl Node {
    fn insert_rest(
        &mut self,
        pattern: &str,
        name: &'static str,
        last: Option<&'static str>,
        at: usize,
    ) -> Result<(), String> {
        let (other, rest) = self.rest.get_or_insert_with(|| (name, Rest::default()));
        if *other != name {
            return Err(format!(
                "{pattern}: {{{name}*}} stands where another path has {{{other}*}}"
            ));
        }
        let old = match last {
            Some(last) => rest.before.insert(last, at),
            None => rest.here.replace(at),
        };
        match old {
            Some(_) => Err(format!(
                "{pattern}: another path takes the rest here already"
            )),
            None => Ok(()),
        }
    }

    fn find(
        &self,
        segments: &[&str],
        empty_rest: &dyn Fn(Option<usize>) -> bool,
        captures: &mut Vec<(&'static str, String)>,
    ) -> Option<usize> {
        let Some((first, others)) = segments.split_first() else {
            let rest = self.rest.as_ref().filter(|_| empty_rest(self.here));
            return match rest.and_then(|(name, rest)| Some((name, rest.here?))) {
                Some((name, at)) => {
                    captures.push((name, String::new()));
                    Some(at)
                }
                None => self.here,
            };
        };
        if let Some(found) = self
            .literals
            .get(first)
            .and_then(|node| node.find(others, empty_rest, captures))
        {
            return Some(found);
        }
        let kept = captures.len();
        if let Some((name, node)) = self.variable.as_ref().filter(|_| !first.is_empty()) {
            captures.push((name, (*first).to_owned()));
            if let Some(found) = node.find(others, empty_rest, captures) {
                return Some(found);
            }
            captures.truncate(kept);
        }
        let (name, rest) = self.rest.as_ref()?;
        let before = segments.split_last().filter(|(_, rest)| !rest.is_empty());
        let (at, held) = match before.and_then(|(last, held)| Some((rest.before.get(last)?, held)))
        {
            Some((at, held)) => (*at, held),
            None => (rest.here?, segments),
        };
        captures.push((name, held.join("/")));
        Some(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn router() -> Router {
        let mut router = Router::default();
        for (at, pattern) in [
            "config",
            "data/{path*}",
            "roles",
            "roles/{name}",
            "roles/{name}/rotate",
            "roles/all",
            "{any*}",
        ]
        .into_iter()
        .enumerate()
        {
            router.insert(pattern, at).unwrap();
        }
        router
    }

    fn find(verb: Verb, tail: &str) -> Option<(usize, Option<String>)> {
        router()
            .find(verb, tail, |_| true)
            .map(|(at, captures)| (at, captures.first().map(|c| c.1.clone())))
    }

    #[test]
    fn literal_beats_variable_beats_rest() {
        assert_eq!(find(Verb::Read, "config"), Some((0, None)));
        assert_eq!(find(Verb::Read, "roles/all"), Some((5, None)));
        assert_eq!(find(Verb::Read, "roles/x"), Some((3, Some("x".into()))));
        assert_eq!(
            find(Verb::Read, "roles/all/rotate"),
            Some((4, Some("all".into())))
        );
        assert_eq!(find(Verb::Read, "data/a/b"), Some((1, Some("a/b".into()))));
        assert_eq!(
            find(Verb::Read, "roles/x/y"),
            Some((6, Some("roles/x/y".into())))
        );
    }

    #[test]
    fn trailing_slashes_are_for_lists() {
        assert_eq!(find(Verb::List, "roles/"), Some((2, None)));
        assert_eq!(find(Verb::List, "data/"), Some((1, Some(String::new()))));
        assert_eq!(find(Verb::List, "data/a/"), Some((1, Some("a".into()))));
        assert_eq!(find(Verb::Read, "data/a/"), Some((1, Some("a/".into()))));
        assert_eq!(find(Verb::Read, "data"), Some((6, Some("data".into()))));
    }

    #[test]
    fn a_path_that_does_not_list_leaves_lists_to_the_rest_below_it() {
        let mut router = Router::default();
        router.insert("lookup", 0).unwrap();
        router.insert("lookup/{prefix*}", 1).unwrap();
        let find = |has: bool| {
            router
                .find(Verb::List, "lookup/", |_| has)
                .map(|(at, _)| at)
        };
        assert_eq!((find(false), find(true)), (Some(1), Some(0)));
    }

    #[test]
    fn ambiguity_is_refused() {
        let mut router = router();
        assert!(router.insert("roles/{other}/x", 9).is_err());
        assert!(router.insert("roles", 9).is_err());
        assert!(router.insert("data/{more*}", 9).is_err());
        assert!(router.insert("x/{a}/{a}", 9).is_err());
    }

    #[test]
    fn a_rest_may_end_in_a_literal() {
        let mut router = Router::default();
        router.insert("mounts/{path*}", 0).unwrap();
        router.insert("mounts/{path*}/tune", 1).unwrap();
        let find = |tail| {
            router
                .find(Verb::Read, tail, |_| true)
                .map(|(at, captures)| (at, captures[0].1.clone()))
        };
        assert_eq!(find("mounts/a/b/tune"), Some((1, "a/b".into())));
        assert_eq!(find("mounts/a/b"), Some((0, "a/b".into())));
        assert_eq!(find("mounts/tune"), Some((0, "tune".into())));
    }
}
