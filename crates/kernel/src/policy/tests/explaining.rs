//! Explanations say what deciding does, and name the one rule that would have to be another.

use proptest::prelude::*;
use serde_json::json;

use super::super::{Explanation, Objection};
use super::*;

fn explained(acl: &Acl, path: &str, verb: Verb, body: &Value) -> Explanation {
    acl.explain(&question(path, verb, body.as_object().unwrap()))
}

#[test]
fn the_deciding_rule_is_named_with_its_policies_and_their_lines() {
    let acl = acl(&[
        "path \"secret/*\" { capabilities = [\"read\"] }\n\npath \"secret/app/+\" {\n  capabilities = [\"read\"]\n}\n",
        "# two\npath \"secret/app/+\" { capabilities = [\"list\"] }\npath \"+/app/db\" { capabilities = [\"read\"] }",
    ]);
    let why = explained(&acl, "secret/app/db", Verb::Read, &json!({}));
    assert!(why.allowed && why.objections.is_empty());
    let rule = why.decided_by.unwrap();
    assert_eq!(
        (rule.pattern.as_str(), rule.kind),
        ("secret/app/+", "segments")
    );
    let sources: Vec<_> = rule
        .sources
        .iter()
        .map(|source| (&*source.policy, source.line, source.capabilities.names()))
        .collect();
    assert_eq!(sources, [("p0", 3, vec!["read"]), ("p1", 2, vec!["list"])]);
    let others: Vec<_> = why
        .others
        .iter()
        .map(|rule| (rule.pattern.as_str(), rule.loses.unwrap()))
        .collect();
    assert_eq!(
        others,
        [
            ("secret/*", "its first wildcard comes earlier"),
            ("+/app/db", "its first wildcard comes earlier"),
        ]
    );
}

#[test]
fn every_reason_to_lose_is_told() {
    for (wins, loses, path, verb, why) in [
        (
            "a/b",
            "a/*",
            "a/b",
            Verb::Read,
            "an exact path decides before any wildcard",
        ),
        (
            "a/b*",
            "a/*",
            "a/b",
            Verb::Read,
            "its first wildcard comes earlier",
        ),
        ("a/+", "a/*", "a/b", Verb::Read, "it ends with `*`"),
        (
            "a/+/c",
            "a/+/+",
            "a/b/c",
            Verb::Read,
            "it has more `+` segments",
        ),
        ("a/+/c*", "a/+/*", "a/b/c", Verb::Read, "it is shorter"),
        (
            "a/b/",
            "a/b",
            "a/b/",
            Verb::List,
            "the path with its slash decides before the one without",
        ),
        (
            "a/*",
            "a/+",
            "a/b/",
            Verb::List,
            "the path with its slash decides before the one without",
        ),
    ] {
        let rule = |path: &str| format!("{path} read list");
        let acl = acl(&[&rules(&[&rule(loses), &rule(wins)])]);
        let told = explained(&acl, path, verb, &json!({}));
        assert_eq!(told.decided_by.unwrap().pattern, wins, "{wins} {loses}");
        assert_eq!(told.others[0].pattern, loses);
        assert_eq!(told.others[0].loses, Some(why), "{wins} {loses}");
    }
}

#[test]
fn everything_that_is_missing_is_told_at_once() {
    let acl = acl(&[r#"path "a" {
        capabilities = ["read"]
        required_parameters = ["must", "also"]
        denied_parameters = { "bad" = [] }
        allowed_parameters = { "must" = [], "bad" = [], "ttl" = ["1h"] }
        min_wrapping_ttl = "1m"
    }"#]);
    let body = json!({ "must": 1, "bad": 2, "ttl": "9h", "odd": 3 });
    let mut question = question("a", Verb::Write, body.as_object().unwrap());
    question.sudo_path = true;
    let why = acl.explain(&question);
    assert!(!why.allowed);
    assert_eq!(why.needed.names(), ["sudo", "update"]);
    assert_eq!(
        why.objections,
        [
            Objection::Lacks(Capabilities::UPDATE),
            Objection::Lacks(Capabilities::SUDO),
            Objection::Wrapping,
            Objection::Missing("also".into()),
            Objection::Denied("bad".into()),
            Objection::NotAllowed("odd".into()),
            Objection::NotAllowed("ttl".into()),
        ]
    );
    let grant = why.decided_by.map(|rule| rule.grant);
    let said = why.objections[2].say(grant.as_ref());
    assert_eq!(said, "the answer has to be wrapped for at least 1m0s");
    let secrets = why
        .objections
        .iter()
        .any(|objection| objection.say(grant.as_ref()).contains("9h"));
    assert!(!secrets, "values stay with the asker");
}

#[test]
fn denials_and_empty_hands_are_told() {
    let acl = acl(&[&rules(&["a deny", "b/* read"]), &rules(&["a read sudo"])]);
    assert_eq!(
        explained(&acl, "a", Verb::Read, &json!({})).objections,
        [Objection::Denies]
    );
    let nothing = explained(&acl, "c", Verb::Read, &json!({}));
    assert_eq!(nothing.objections, [Objection::NoRule]);
    assert!(nothing.decided_by.is_none() && nothing.others.is_empty());
    let root = Acl::compile(&[Policy::parse("root", "").unwrap()], NOW);
    let root = explained(&root, "c", Verb::Read, &json!({}));
    assert!(root.allowed && root.root && root.objections.is_empty());
}

#[test]
fn templates_are_shown_as_they_were_written() {
    struct Somebody;
    impl Identity for Somebody {
        fn stamp(&self) -> u64 {
            1
        }

        fn value(&self, _: &str) -> Option<String> {
            Some("ann".into())
        }
    }
    let text = r#"path "home/{{identity.entity.name}}/*" { capabilities = ["read"] }"#;
    let policy = Policy::parse("home", text).unwrap().render(&Somebody);
    let acl = Acl::compile(&[policy], NOW);
    let rule = explained(&acl, "home/ann/x", Verb::Read, &json!({}))
        .decided_by
        .unwrap();
    assert_eq!(rule.pattern, "home/ann/*");
    assert_eq!(
        rule.sources[0].template.as_deref(),
        Some("home/{{identity.entity.name}}/*")
    );
}

/// A rule of a random policy: its path, which capabilities it has, and its conditions.
type RandomRule = (String, u16, u8);

fn random_rule() -> impl Strategy<Value = RandomRule> {
    let segments = proptest::sample::select(&["a", "b", "ab", "+", "+a", "x"][..]);
    let end = proptest::sample::select(&["", "", "*", "/*", "/"][..]);
    let path = (proptest::collection::vec(segments, 1..4), end).prop_map(|(segments, end)| {
        let path = segments.join("/");
        if path.ends_with('+') && end == "*" {
            path
        } else {
            path + end
        }
    });
    (path, any::<u16>(), any::<u8>())
}

fn written((path, bits, conditions): &RandomRule, deny: bool) -> String {
    let known: Vec<&str> = Capabilities::known()
        .filter(|name| *name != "deny")
        .collect();
    let mut held: Vec<&str> = known
        .iter()
        .enumerate()
        .filter(|(n, _)| bits >> n & 1 == 1)
        .map(|(_, name)| *name)
        .collect();
    if deny || bits % 16 == 15 {
        held.push("deny");
    }
    let mut more = String::new();
    for (bit, text) in [
        (1, "required_parameters = [\"k\"]"),
        (2, "denied_parameters = { \"d\" = [\"1\"] }"),
        (4, "allowed_parameters = { \"k\" = [], \"d\" = [] }"),
        (8, "min_wrapping_ttl = \"1m\""),
        (16, "pagination_limit = 5"),
    ] {
        if conditions & bit != 0 && conditions & 32 != 0 {
            more += text;
            more.push('\n');
        }
    }
    format!("path {path:?} {{\ncapabilities = {held:?}\n{more}}}\n")
}

fn policies(all: &[Vec<RandomRule>], denied: Option<(usize, &str)>) -> Acl {
    let texts: Vec<String> = all
        .iter()
        .enumerate()
        .map(|(number, rules)| {
            let denies = |path: &str| {
                denied.is_some_and(|(at, denied)| {
                    at == number && Pattern::read(path).written() == denied
                })
            };
            rules
                .iter()
                .map(|rule| written(rule, denies(&rule.0)))
                .collect()
        })
        .collect();
    acl(&texts.iter().map(String::as_str).collect::<Vec<_>>())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn explanations_agree_with_decisions_and_name_what_decides(
        all in proptest::collection::vec(proptest::collection::vec(random_rule(), 0..5), 1..4),
        path in proptest::sample::select(&["a", "a/", "b", "a/b", "a/b/", "ab/x", "x/ab/a", "+a/a", "a/x/b"][..]),
        verb in proptest::sample::select(&Verb::ALL[..]),
        (creates, sudo_path, wrapped) in any::<(bool, bool, bool)>(),
        body in proptest::sample::select(&["{}", r#"{"k":"v"}"#, r#"{"d":"1","k":2}"#, r#"{"limit":9}"#, r#"{"limit":5}"#][..]),
    ) {
        let acl = policies(&all, None);
        let body: Map<String, Value> = serde_json::from_str(body).unwrap();
        let question = Question {
            creates,
            sudo_path,
            wrap_ttl: wrapped.then(|| std::time::Duration::from_secs(90)),
            ..question(path, verb, &body)
        };
        let (verdict, why) = (acl.decide(&question), acl.explain(&question));
        prop_assert_eq!(why.allowed, verdict.allowed);
        prop_assert_eq!(why.objections.is_empty(), verdict.allowed);
        let Some(rule) = &why.decided_by else {
            prop_assert!(!verdict.allowed && why.others.is_empty() && !verdict.is_decided());
            return Ok(());
        };
        // Who denies what decides, denies the request; whoever denies all that does not, changes nothing.
        for source in &rule.sources {
            let number: usize = source.policy.trim_start_matches('p').parse().unwrap();
            let flipped = policies(&all, Some((number, &rule.pattern)));
            prop_assert!(!flipped.decide(&question).allowed);
            prop_assert_eq!(flipped.explain(&question).objections, vec![Objection::Denies]);
        }
        for other in &why.others {
            prop_assert!(other.loses.is_some());
            for source in &other.sources {
                let number: usize = source.policy.trim_start_matches('p').parse().unwrap();
                let same = policies(&all, Some((number, &other.pattern)));
                prop_assert_eq!(same.decide(&question).allowed, verdict.allowed);
            }
        }
        let granting: Vec<&str> = verdict.granted_by().collect();
        let unique: std::collections::BTreeSet<_> = granting.iter().collect();
        prop_assert_eq!(unique.len(), granting.len());
    }
}
