//! What is decided: priorities, wildcards, lists, conditions, mounts.

use std::time::Duration;

use serde_json::json;

use super::*;

#[test]
fn the_more_specific_rule_wins() {
    for (lines, path, expected) in [
        // Vault's documentation, "priority matching".
        (&["+/app read", "one/+ update"][..], "one/app", "update"),
        (&["foo/* read", "foo/bar update"], "foo/bar", "update"),
        (&["foo/* read", "foo/bar* update"], "foo/bard", "update"),
        (&["foo/* read", "foo/+ update"], "foo/a", "update"),
        (&["foo/* read", "foo/+/* update"], "foo/a/b", "read"),
        (&["+/+/c read", "+/b/+ update"], "a/b/c", "update"),
        (&["+/b/+ read", "+/+/+ update"], "a/b/c", "read"),
        (
            &["secret/+/+/+ list", "secret/+/bar/foo* delete"],
            "secret/a/bar/foo",
            "list",
        ),
        // Observed: a `+` within a segment stands for itself, but counts for the rank.
        (&["fo+o/+/x read", "fo+o/* update"], "fo+o/a/x", "update"),
        (
            &["foo/+bar read", "foo/+bar* update"],
            "foo/+bar/",
            "update",
        ),
    ] {
        assert_eq!(held(lines, path), expected, "{lines:?} {path}");
    }
}

#[test]
fn wildcards_match_what_they_should() {
    for (rule, yes, no) in [
        (
            "foo/+",
            &["foo/x", "foo/", "foo/x/"][..],
            &["foo", "foo/x/y"][..],
        ),
        ("foo/+/*", &["foo/x/", "foo/x/y/z"], &["foo/x"]),
        (
            "foo/+/ba*",
            &["foo/x/ba", "foo/x/bar/baz"],
            &["foo/x/b", "foo/ba"],
        ),
        ("foo/*/bar", &["foo/*/bar"], &["foo/x/bar"]),
        ("foo/**", &["foo/*", "foo/*a"], &["foo/a"]),
        ("bar/x+", &["bar/x+"], &["bar/xy"]),
        ("/foo/", &["foo/", "/foo/"], &["foo"]),
        ("*", &["", "a", "a/b"], &[]),
        ("foo", &["foo", "foo/"], &["fo", "fooo", "foo/x"]),
    ] {
        let line = format!("{rule} read");
        yes.iter()
            .for_each(|path| assert_eq!(held(&[&line], path), "read", "{rule} {path}"));
        no.iter()
            .for_each(|path| assert_eq!(held(&[&line], path), "deny", "{rule} {path}"));
    }
}

#[test]
fn list_is_granted_by_the_folder_in_every_spelling() {
    for rule in ["dir list", "dir/ list", "dir/* list"] {
        assert!(
            allows(&acl(&[&rules(&[rule])]), Verb::List, "dir/"),
            "{rule}"
        );
    }
    assert!(allows(&acl(&[&rules(&["dir scan"])]), Verb::Scan, "dir/"));
    assert!(!allows(&acl(&[&rules(&["dir read"])]), Verb::Read, "dir/"));
    // The rule about the folder's content comes before a looser one about its name.
    assert!(!allows(
        &acl(&[&rules(&["d* list", "dir/* read"])]),
        Verb::List,
        "dir/"
    ));
}

#[test]
fn deny_wins_within_one_pattern_only() {
    let condition = "path \"a\" { required_parameters = [\"x\"] allowed_parameters = { x = [] } }";
    let one = rules(&["a read", "b* deny"]) + condition;
    let other = rules(&["a deny", "b* read", "b/+ read"]);
    for texts in [[&*one, &*other], [&*other, &*one]] {
        let acl = acl(&texts);
        assert_eq!(acl.capabilities("a"), ["deny"]);
        assert_eq!(acl.capabilities("bc"), ["deny"]);
        assert_eq!(acl.capabilities("b/x"), ["read"], "another pattern");
        let denied = acl.rules().filter(|(_, grant)| grant.capabilities.denies());
        let bare = denied.map(|(_, grant)| (grant.allowed.is_empty(), grant.required.len()));
        assert_eq!(
            bare.collect::<Vec<_>>(),
            [(true, 0); 2],
            "nothing else stays"
        );
    }
    assert_eq!(held(&["a read deny sudo"], "a"), "deny");
}

#[test]
fn deny_leaves_no_capability_for_any_verb() {
    let acl = acl(&[&rules(&[
        "a create read update delete list scan patch sudo deny",
    ])]);
    let all = Verb::ALL.into_iter();
    assert!(
        all.map(|verb| allows(&acl, verb, "a"))
            .all(|allowed| !allowed)
    );
}

#[test]
fn capabilities_of_several_policies_add_up_and_are_credited() {
    let acl = acl(&[
        &rules(&["a read"]),
        &rules(&["a list read"]),
        &rules(&["a* sudo"]),
    ]);
    assert_eq!(acl.capabilities("a"), ["list", "read"]);
    let body = Map::new();
    let by = |verb| {
        let verdict = acl.decide(&question("a", verb, &body));
        verdict.granted_by().collect::<Vec<_>>()
    };
    assert_eq!(by(Verb::Read), ["p0", "p1"]);
    assert_eq!(by(Verb::List), ["p1"]);
    assert_eq!(by(Verb::Delete), [""; 0]);
}

#[test]
fn writes_need_create_or_update_as_the_case_may_be() {
    let acl = acl(&[&rules(&["a create", "b update"])]);
    let body = Map::new();
    for (path, creates, allowed) in [
        ("a", true, true),
        ("a", false, false),
        ("b", true, false),
        ("b", false, true),
    ] {
        let asked = Question {
            creates,
            ..question(path, Verb::Write, &body)
        };
        assert_eq!(acl.decide(&asked).allowed, allowed, "{path} {creates}");
    }
}

#[test]
fn sudo_paths_need_sudo_and_the_capability() {
    let acl = acl(&[&rules(&["a read", "b read sudo", "c sudo"])]);
    let body = Map::new();
    for (path, allowed) in [("a", false), ("b", true), ("c", false)] {
        let asked = Question {
            sudo_path: true,
            ..question(path, Verb::Read, &body)
        };
        assert_eq!(acl.decide(&asked).allowed, allowed, "{path}");
    }
}

#[test]
fn root_may_do_everything() {
    let root = Policy::parse(builtin::ROOT, "").unwrap();
    let acl = Acl::compile(&[root], NOW);
    let body = Map::new();
    let verdict = acl.decide(&question("sys/raw/x", Verb::Delete, &body));
    assert!(verdict.allowed && verdict.root && verdict.sudo);
    assert_eq!(verdict.granted_by().collect::<Vec<_>>(), ["root"]);
    assert_eq!(acl.capabilities("anything"), ["root"]);
    assert!(acl.sees_mount("secret/"));
}

#[test]
fn wrapping_limits_merge_to_the_smaller() {
    let with = |condition: &str| format!("path \"a\" {{ policy = \"read\" {condition} }}");
    let accepts = |texts: &[String], wrap: Option<u64>| {
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let body = Map::new();
        let asked = Question {
            wrap_ttl: wrap.map(Duration::from_secs),
            ..question("a", Verb::Read, &body)
        };
        acl(&texts).decide(&asked).allowed
    };
    let both = [
        with("min_wrapping_ttl = 10"),
        with("min_wrapping_ttl = \"5s\""),
    ];
    assert!(accepts(&both, Some(5)) && !accepts(&both, Some(4)) && !accepts(&both, None));
    let crossed = [
        with("min_wrapping_ttl = \"30s\""),
        with("max_wrapping_ttl = \"20s\""),
    ];
    assert!(
        [20, 25, 30]
            .iter()
            .all(|wrap| !accepts(&crossed, Some(*wrap)))
    );
    let with_plain = [with("max_wrapping_ttl = \"20s\""), with("")];
    assert!(!accepts(&with_plain, None) && accepts(&with_plain, Some(20)));
}

#[test]
fn pages_are_limited() {
    let acl = acl(&["path \"a/*\" { capabilities = [\"list\"] pagination_limit = 5 }"]);
    for (limit, allowed) in [
        (json!(5), true),
        (json!("5"), true),
        (json!(0), true),
        (json!(6), false),
        (json!(-1), false),
        (json!("x"), false),
    ] {
        let body = Map::from_iter([("limit".to_owned(), limit.clone())]);
        let verdict = acl.decide(&question("a/", Verb::List, &body));
        assert_eq!(verdict.allowed, allowed, "{limit}");
        assert_eq!(verdict.page_limit, allowed.then_some(5));
    }
}

#[test]
fn mounts_are_seen_by_what_is_granted_on_or_below_them() {
    for (lines, seen) in [
        (&["k/a/b read"][..], true),
        (&["k/a/b deny"], false),
        (&["k/a/b"], false),
        (&["k read"], true),
        (&["k/ list"], true),
        (&["+/foo read"], true),
        (&["+ read"], true),
        (&["k/+/z read"], true),
        (&["other/+/z read"], false),
        (&["k/* deny", "k/a read"], true),
        (&["k* read", "k/* deny"], true),
        (&["* read", "k/ deny"], true),
        (&["* read", "k/* deny", "k deny"], false),
        (&["kk/* read", "kay read"], false),
        (&["* deny", "secret/x read"], false),
    ] {
        assert_eq!(acl(&[&rules(lines)]).sees_mount("k/"), seen, "{lines:?}");
    }
}
