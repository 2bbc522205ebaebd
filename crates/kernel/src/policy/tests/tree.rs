//! The tree against the rules as they are documented, and the work it does.

use proptest::prelude::*;

use super::super::tree::Tree;
use super::*;

/// The work of a look-up is counted, not timed: it must not grow with rules that do not match.
#[test]
fn deciding_does_not_slow_down_with_the_number_of_rules() {
    let steps = |rules: usize| {
        let mut tree = Tree::new();
        for n in 0..rules {
            for path in [
                format!("secret/data/team-{n}/app"),
                format!("secret/data/team-{n}/*"),
                format!("secret/metadata/team-{n}*"),
                format!("auth/+/role/r{n}/+"),
            ] {
                tree.insert(&Pattern::read(&path));
            }
        }
        let paths = [
            "secret/data/team-7/x",
            "secret/metadata/team-7/x",
            "auth/a/role/r7/id",
            "none/of/them",
        ];
        paths
            .map(|path| tree.steps(path))
            .into_iter()
            .max()
            .unwrap()
    };
    let (few, many) = (steps(100), steps(10_000));
    assert!(
        many <= few + 4,
        "{few} steps with 400 rules, {many} with 40,000"
    );
    assert!(many < 16, "{many}");
}

#[test]
fn long_and_nested_wildcards_do_no_harm() {
    let deep = vec!["+"; 2_000].join("/");
    let acl = acl(&[&rules(&[
        &format!("{deep} read"),
        &format!("{}/* update", vec!["+"; 1_000].join("/")),
    ])]);
    assert_eq!(acl.capabilities(&vec!["x"; 2_000].join("/")), ["read"]);
    assert_eq!(acl.capabilities(&vec!["x"; 1_999].join("/")), ["update"]);
}

/// Whether a pattern matches, and its rank, straight from the documentation and without a tree.
fn naive(patterns: &[Pattern], path: &str, lists: bool) -> Option<usize> {
    let exact = |path: &str| {
        let wanted = Pattern::Exact(path.to_owned());
        patterns.iter().position(|pattern| *pattern == wanted)
    };
    let wildcard = |path: &str| {
        let matching = patterns
            .iter()
            .enumerate()
            .filter(|(_, pattern)| naive_match(pattern, path));
        matching
            .max_by_key(|(_, pattern)| naive_rank(pattern))
            .map(|(index, _)| index)
    };
    let bare = path.strip_suffix('/').filter(|_| lists);
    exact(path)
        .or_else(|| exact(bare?))
        .or_else(|| wildcard(path))
        .or_else(|| wildcard(bare?))
}

fn naive_match(pattern: &Pattern, path: &str) -> bool {
    let Pattern::Segments(written) = pattern else {
        return matches!(pattern, Pattern::Prefix(prefix) if path.starts_with(prefix.as_str()));
    };
    let glob = written.strip_suffix('*');
    let wanted: Vec<&str> = glob.unwrap_or(written).split('/').collect();
    let found: Vec<&str> = if glob.is_some() {
        path.splitn(wanted.len(), '/').collect()
    } else {
        path.split('/').collect()
    };
    let last = wanted.len() - 1;
    wanted.len() == found.len()
        && wanted
            .iter()
            .zip(&found)
            .enumerate()
            .all(|(index, (wanted, found))| {
                *wanted == "+"
                    || wanted == found
                    || (glob.is_some() && index == last && found.starts_with(wanted))
            })
}

fn naive_rank(pattern: &Pattern) -> (usize, bool, std::cmp::Reverse<usize>, usize, String) {
    let written = pattern.written();
    let glob = written.ends_with('*');
    let plus = written.split('/').filter(|segment| *segment == "+").count();
    let (at, plus) = match pattern {
        Pattern::Segments(path) => (path.find('+').unwrap(), plus),
        _ => (written.len() - 1, 0),
    };
    (at, !glob, std::cmp::Reverse(plus), written.len(), written)
}

fn any_path(
    segments: &'static [&'static str],
    ends: &'static [&'static str],
) -> impl Strategy<Value = String> {
    let segments = proptest::collection::vec(proptest::sample::select(segments), 1..5);
    (segments, proptest::sample::select(ends)).prop_map(|(segments, end)| {
        let path = segments.join("/");
        if path.ends_with('+') && end == "*" {
            path
        } else {
            path + end
        }
    })
}

fn any_rule() -> impl Strategy<Value = (String, u8)> {
    let path = any_path(
        &["a", "b", "ab", "abc", "+", "+", "+a", "a+", "a*"],
        &["", "", "*", "/*", "/"],
    );
    (path, any::<u8>())
}

fn any_request() -> impl Strategy<Value = String> {
    any_path(
        &["a", "b", "ab", "abc", "+", "+a", "a*", "x"],
        &["", "", "/"],
    )
}

proptest! {
    #[test]
    fn the_tree_decides_as_the_plain_rules_do(
        rules in proptest::collection::vec(any_rule(), 1..12),
        requests in proptest::collection::vec(any_request(), 1..12),
    ) {
        let mut tree = Tree::new();
        let mut patterns: Vec<Pattern> = Vec::new();
        for (path, _) in &rules {
            let pattern = Pattern::read(path);
            let id = tree.insert(&pattern).unwrap();
            let known = patterns.iter().position(|known| *known == pattern);
            prop_assert_eq!(id, known.unwrap_or(patterns.len()));
            if known.is_none() {
                patterns.push(pattern);
            }
        }
        for request in &requests {
            let found = tree.exact(request).or_else(|| tree.wildcard(request));
            prop_assert_eq!(found, naive(&patterns, request, false), "{}", request);
        }
    }

    #[test]
    fn capabilities_and_decisions_agree(
        rules in proptest::collection::vec(any_rule(), 1..12),
        request in any_request(),
    ) {
        let text: Vec<String> = rules.iter().map(|(path, bits)| {
            let known: Vec<&str> = Capabilities::known().collect();
            let held = known.iter().enumerate().filter(|(n, _)| n % 8 == usize::from(bits % 8) || bits >> (n % 8) & 5 == 5);
            let held: Vec<String> = held.map(|(_, name)| format!("{name:?}")).collect();
            format!("path {path:?} {{ capabilities = [{}] }}", held.join(","))
        }).collect();
        let acl = acl(&[&text.join("\n")]);
        let shown = acl.capabilities(&request);
        let body = Map::new();
        let listed = [(Verb::List, "list"), (Verb::Scan, "scan")];
        // Capabilities look a path up as a list does; without a trailing slash all verbs do.
        let others = [(Verb::Read, "read"), (Verb::Delete, "delete"), (Verb::Patch, "patch"), (Verb::Write, "update")];
        let all = listed.iter().chain(others.iter().filter(|_| !request.ends_with('/')));
        for (verb, name) in all {
            let verdict = acl.decide(&question(&request, *verb, &body));
            prop_assert_eq!(verdict.allowed, shown.contains(name), "{} {}", name, request);
            prop_assert_eq!(verdict.sudo, shown.contains(&"sudo"));
        }
        if shown != ["deny"] {
            prop_assert!(acl.sees_mount(&request));
        }
    }
}
