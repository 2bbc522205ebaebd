//! What is read from texts, and what is refused.

use super::*;

#[test]
fn rules_expire() {
    let text = "path \"a\" { policy = \"read\" expiration = \"2030-01-01T00:00:00Z\" }
        path \"b\" { policy = \"read\" expiration = 1600000000 }";
    let policy = Policy::parse("p", text).unwrap();
    let at = |secs| Acl::compile(&[&policy], Timestamp::from_secs(secs));
    assert_eq!(at(1_500_000_000).capabilities("b"), ["list", "read"]);
    assert_eq!(
        at(1_500_000_000).valid_until(),
        Some(Timestamp::from_secs(1_600_000_000))
    );
    assert_eq!(at(1_700_000_000).capabilities("b"), ["deny"]);
    assert_eq!(
        at(1_700_000_000).valid_until(),
        Timestamp::parse("2030-01-01T00:00:00Z")
    );
    assert_eq!(at(1_900_000_000).capabilities("a"), ["deny"]);
}

#[test]
fn old_words_and_json_are_read() {
    let text = r#"{"path": {"r": {"policy": "read"}, "w": {"policy": "write"}, "s": {"policy": "sudo"},
        "d": {"policy": "deny", "capabilities": ["read"]}, "x": {"policy": "read", "capabilities": ["sudo"]}}}"#;
    for (path, expected) in [
        ("r", "list read"),
        ("w", "create delete list read update"),
        ("s", "create delete list read sudo update"),
        ("d", "deny"),
        ("x", "list read sudo"),
    ] {
        assert_eq!(
            acl(&[text]).capabilities(path).join(" "),
            expected,
            "{path}"
        );
    }
    assert_eq!(
        acl(&["name = \"other\" path \"a\" { comment = \"why\" }"]).capabilities("a"),
        ["deny"]
    );
    assert!(acl(&["  ", "{}"]).is_empty());
}

#[test]
fn faults_say_where_and_what_to_do() {
    for (text, words) in [
        (
            "path \"a\" {\n capabilities = [\"raed\"] }",
            &["line 2", "raed", "did you mean \"read\""][..],
        ),
        (
            "path \"a\" { Capabilities = [\"read\"] }",
            &["Capabilities", "did you mean \"capabilities\""],
        ),
        (
            "\npaths \"a\" {}",
            &["line 2", "paths", "did you mean \"path\""],
        ),
        (
            "path \"a\" { policy = \"x\" }",
            &["\"x\"", "deny, read, write, sudo"],
        ),
        ("path \"a\" { capabilities = [\"root\"] }", &["root"]),
        ("path \"a\" { capabilities = \"read\" }", &["a list"]),
        ("path \"a/+*\" {}", &["`+/*`"]),
        ("path \"a/{{identity.entity.id\" {}", &["unbalanced"]),
        ("path \"a/}}{{\" {}", &["unbalanced"]),
        (
            "path \"a\" { min_wrapping_ttl = \"x\" }",
            &["min_wrapping_ttl", "90s"],
        ),
        (
            "path \"a\" { min_wrapping_ttl = 20 max_wrapping_ttl = \"10s\" }",
            &["less than"],
        ),
        (
            "path \"a\" { allowed_parameters = { x = \"a\" } }",
            &["list of values", "[]"],
        ),
        (
            "path \"a\" { allowed_parameters = [\"x\"] }",
            &["allowed_parameters"],
        ),
        (
            "path \"a\" { required_parameters = \"x\" }",
            &["required_parameters"],
        ),
        (
            "path \"a\" { pagination_limit = \"x\" }",
            &["pagination_limit"],
        ),
        (
            "path \"a\" { expiration = \"soon\" }",
            &["expiration", "RFC 3339"],
        ),
        (
            "path \"a\" { mfa_methods = [\"x\"] }",
            &["mfa_methods", "not supported"],
        ),
        (
            "path \"a\" { control_group = { ttl = 5 } }",
            &["control_group", "factor"],
        ),
        ("path { capabilities = [\"read\"] }", &["label"]),
        ("path = \"a\"", &["path"]),
        (
            "{\"path\": {\"a\": {\"foo\": 1}}}",
            &["foo", "capabilities"],
        ),
    ] {
        let fault = refused(text);
        for word in words {
            assert!(fault.contains(word), "{text}: {fault} lacks {word}");
        }
    }
}

#[test]
fn sizes_are_limited() {
    let many: String = (0..=MAX_PATHS_PER_POLICY)
        .map(|n| format!("path \"{n}\" {{}}\n"))
        .collect();
    assert!(refused(&many).contains("at most 16384 paths"));
    assert!(refused(&format!("path \"{}\" {{}}", "x".repeat(5_000))).contains("4096 bytes"));
    assert!(refused(&" ".repeat(2_000_000)).contains("bytes"));
}

#[test]
fn templates_match_nothing_until_rendered() {
    struct Somebody;
    impl Identity for Somebody {
        fn stamp(&self) -> u64 {
            1
        }

        fn value(&self, selector: &str) -> Option<String> {
            let value = match selector {
                "identity.entity.id" => "7f",
                "identity.entity.name" => "a/*",
                "identity.entity.metadata.odd" => "{{identity.entity.id}}",
                _ => return None,
            };
            Some(value.to_owned())
        }
    }
    let text = rules(&[
        "own/{{identity.entity.id}}/* read",
        "name/{{identity.entity.name}} read",
        "none/{{identity.groups.names.ops.id}} read",
        "odd/{{identity.entity.metadata.odd}} read",
        "plain read",
    ])
    .replace("{{identity.entity.id}}", "{{ identity.entity.id }}");
    let policy = Policy::parse("p", &text).unwrap();
    assert!(policy.is_templated());
    let plain = Acl::compile(&[&policy], NOW);
    assert_eq!(plain.len(), 1);
    let rendered = Acl::compile(&[policy.render(&Somebody)], NOW);
    assert_eq!(rendered.capabilities("own/7f/x"), ["read"]);
    assert_eq!(rendered.capabilities("own/8f/x"), ["deny"]);
    assert_eq!(
        rendered.capabilities("name/a/b"),
        ["deny"],
        "values do not widen"
    );
    assert_eq!(rendered.capabilities("none/"), ["deny"]);
    assert_eq!(
        rendered.capabilities("odd/7f"),
        ["deny"],
        "values are not expanded again"
    );
    assert_eq!(
        rendered.capabilities("odd/{{identity.entity.id}}"),
        ["read"]
    );
    assert_eq!(rendered.capabilities("plain"), ["read"]);
}

struct Named(&'static str);

impl Identity for Named {
    fn stamp(&self) -> u64 {
        1
    }

    fn value(&self, _: &str) -> Option<String> {
        Some(self.0.to_owned())
    }
}

#[test]
fn values_hold_what_the_policy_lets_them() {
    let text = rules(&[
        "e/{{identity.entity.name}} read",
        "g/{{identity.entity.name}}* list",
    ]);
    let reads = |name, slashes, wildcards, path: &str| {
        let latitude = Latitude { slashes, wildcards };
        let policy = Policy::parse("p", &text).unwrap().with_latitude(latitude);
        let rendered = Acl::compile(&[policy.render(&Named(name))], NOW);
        rendered.capabilities(path) != ["deny"]
    };
    assert!(reads("a", false, false, "e/a"));
    assert!(!reads("a/b", false, true, "e/a/b"));
    assert!(reads("a/b", true, false, "e/a/b"));
    assert!(!reads("a*", true, false, "e/abc"));
    assert!(reads("a*", false, true, "e/abc"));
    assert!(reads("+", false, true, "e/x"));
    assert!(
        !reads("+", false, true, "g/x"),
        "no policy may be written so"
    );
    assert!(!reads("x+*", true, true, "e/x1"));
    assert!(!reads("{{identity.entity.id}}", true, true, "e/a"));
}

#[test]
fn nobody_gets_rid_of_a_denial_by_a_name() {
    let text = rules(&["kv/* read", "kv/of/{{identity.entity.name}}/x deny"]);
    let policy = Policy::parse("p", &text).unwrap();
    for name in ["a/b", "*", "+", "+*"] {
        let acl = Acl::compile(&[policy.render(&Named(name))], NOW);
        assert_eq!(acl.capabilities("kv/of/a/x"), ["deny"], "{name}");
        assert_eq!(acl.capabilities("kv/of/a/b/x"), ["deny"], "{name}");
        assert_eq!(acl.capabilities("kv/else"), ["read"], "{name}");
    }
    let acl = Acl::compile(&[policy.render(&Named("a"))], NOW);
    assert_eq!(acl.capabilities("kv/of/a/x"), ["deny"]);
    assert_eq!(acl.capabilities("kv/of/b/x"), ["read"]);
}

#[test]
fn built_in_policies_give_a_token_its_own_rights() {
    let acl = acl(&[builtin::DEFAULT_TEXT]);
    for (path, expected) in [
        ("auth/token/lookup-self", "read"),
        ("auth/token/renew-self", "update"),
        ("auth/token/revoke-self", "update"),
        ("sys/capabilities-self", "update"),
        ("sys/internal/ui/resultant-acl", "read"),
        ("sys/leases/renew", "update"),
        ("sys/leases/lookup", "update"),
        ("cubbyhole/x", "create delete list read update"),
        ("sys/wrapping/unwrap", "update"),
        ("sys/tools/hash/sha2-256", "update"),
        ("identity/oidc/provider/x/authorize", "read update"),
        ("identity/entity/id/x", "deny"),
        ("auth/token/lookup", "deny"),
        ("sys/policy/x", "deny"),
    ] {
        assert_eq!(acl.capabilities(path).join(" "), expected, "{path}");
    }
    Policy::parse("w", builtin::RESPONSE_WRAPPING_TEXT).unwrap();
}
