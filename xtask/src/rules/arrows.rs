//! Which crate may use which: the table of the architecture, as data.

use crate::workspace::{Workspace, room};

/// A room and what it may use of ours. Why it is so: `docs/architecture.md` and `docs/decisions/0001-rooms.md`.
const ALLOWED: &[(&str, &[&str])] = &[
    ("wire", &[]),
    ("crypto", &[]),
    ("storage", &[]),
    ("hcl", &[]),
    ("metrics", &[]),
    ("dashboard", &[]),
    ("barrier", &["crypto", "storage", "metrics"]),
    ("snapshot", &["crypto"]),
    ("envelope", &["crypto"]),
    ("engine", &["wire", "crypto", "barrier", "storage"]),
    ("secrets", &["engine", "crypto", "wire"]),
    ("auth", &["engine", "crypto", "wire"]),
    ("seals", &["barrier", "engine", "crypto", "wire", "hcl"]),
    (
        "kernel",
        &[
            "engine", "barrier", "snapshot", "storage", "crypto", "wire", "hcl", "metrics",
        ],
    ),
    (
        "server",
        &[
            "kernel",
            "secrets",
            "auth",
            "storage",
            "engine",
            "wire",
            "hcl",
            "crypto",
            "barrier",
            "metrics",
            "seals",
            "dashboard",
        ],
    ),
    ("client", &["wire", "crypto", "envelope"]),
    // What a service of anybody has.
    ("demo-service", &["client"]),
    (
        "cli",
        &[
            "client", "server", "snapshot", "envelope", "wire", "hcl", "crypto",
        ],
    ),
];

/// What the tests of any crate may use of ours besides: rooms without a view of requests.
const FOR_TESTS: &[&str] = &["wire", "crypto", "storage", "barrier", "engine", "hcl"];

pub fn check(workspace: &Workspace) -> Vec<String> {
    let mut findings = Vec::new();
    for member in &workspace.crates {
        let Some(name) = member.room() else { continue };
        let Some((_, allowed)) = ALLOWED.iter().find(|(room, _)| *room == name) else {
            findings.push(format!(
                "crate {name:?} is not in the table: decide what it may use, write down why in docs/decisions/, add it to xtask/src/rules/arrows.rs"
            ));
            continue;
        };
        for dependency in &member.dependencies {
            let Some(used) = room(&dependency.name).filter(|used| *used != name) else {
                continue;
            };
            let test_only = dependency.kind.as_deref() == Some("dev");
            let kept = allowed.contains(&used) || (test_only && FOR_TESTS.contains(&used));
            if !kept {
                findings.push(format!(
                    "{name} uses {used}, which is not below it: it may use {}. Move the code, or pass what it needs as an argument",
                    words(allowed)
                ));
            }
        }
    }
    findings
}

fn words(allowed: &[&str]) -> String {
    if allowed.is_empty() {
        "none of our crates".to_owned()
    } else {
        allowed.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Dependency;
    use crate::workspace::made_up::{member, of};

    #[test]
    fn an_engine_may_not_use_the_kernel() {
        let findings = check(&of(vec![member(
            "coffer-secrets",
            &["coffer-engine", "coffer-kernel"],
        )]));
        assert_eq!(findings.len(), 1);
        assert!(
            findings[0].starts_with("secrets uses kernel"),
            "{}",
            findings[0]
        );
    }

    #[test]
    fn a_new_crate_must_be_placed() {
        assert!(check(&of(vec![member("coffer-novel", &[])]))[0].contains("not in the table"));
        assert!(check(&of(vec![member("xtask", &["coffer-kernel"])])).is_empty());
    }

    #[test]
    fn tests_may_use_more_but_not_everything() {
        let mut wire = member("coffer-wire", &[]);
        wire.dependencies.push(Dependency {
            name: "coffer-storage".into(),
            kind: Some("dev".into()),
        });
        assert!(check(&of(vec![wire])).is_empty());
        let mut auth = member("coffer-auth", &[]);
        auth.dependencies.push(Dependency {
            name: "coffer-secrets".into(),
            kind: Some("dev".into()),
        });
        assert_eq!(check(&of(vec![auth])).len(), 1);
    }

    #[test]
    fn the_table_has_no_circle() {
        // Rooms whose own needs are all placed can be placed; a circle would never come to an end.
        let mut placed: Vec<&str> = Vec::new();
        while placed.len() < ALLOWED.len() {
            let before = placed.len();
            for (room, needs) in ALLOWED {
                if !placed.contains(room) && needs.iter().all(|need| placed.contains(need)) {
                    placed.push(room);
                }
            }
            assert!(
                placed.len() > before,
                "a circle among the rooms that are not in {placed:?}"
            );
        }
    }
}
