//! In which order things are made.

use super::declaration::Declaration;
use super::kind::Kind;
use crate::failure::Failure;

/// The places of all declarations, in an order in which nothing comes before what it needs.
pub(super) fn order(all: &[Declaration]) -> Result<Vec<usize>, Failure> {
    let mut waiting: Vec<usize> = (0..all.len()).collect();
    waiting.sort_by_cached_key(|at| all.get(*at).map(rank));
    let mut needs = Vec::with_capacity(all.len());
    for one in all {
        needs.push(needed_by(one, all)?);
    }
    let mut placed: Vec<usize> = Vec::with_capacity(all.len());
    while !waiting.is_empty() {
        let is_ready = |at: &usize| {
            let needs = needs.get(*at);
            needs.is_none_or(|needs| needs.iter().all(|need| placed.contains(need)))
        };
        let Some(next) = waiting.iter().position(is_ready) else {
            return Err(circle(&waiting, all));
        };
        placed.push(waiting.remove(next));
    }
    Ok(placed)
}

/// What has to be there before this: what it names, and the mount or namespace that it is in.
pub(super) fn needed_by(one: &Declaration, all: &[Declaration]) -> Result<Vec<usize>, Failure> {
    let mut needs = Vec::new();
    for name in &one.depends_on {
        let wanted = name.trim().trim_end_matches('/');
        let found = all.iter().position(|other| {
            let full = other.id.to_string();
            let local = format!("{} {}", other.id.kind, other.id.name);
            let here = other.id.namespace == one.id.namespace;
            full.trim_end_matches('/') == wanted || here && local.trim_end_matches('/') == wanted
        });
        let Some(at) = found else {
            let text = format!("{} depends on {name:?}, which no file declares", one.said());
            return Err(Failure::local(text));
        };
        needs.push(at);
    }
    let path = one.id.path();
    let is_needed = |other: &Declaration| {
        let realm = other.id.realm();
        let holds = other.id != one.id && realm.is_some_and(|realm| path.starts_with(&realm));
        let is_auth = other.id.kind == Kind::Auth && other.id.namespace == one.id.namespace;
        holds || is_auth && one.aliases.iter().any(|alias| alias.auth == other.id.name)
    };
    let others = all.iter().enumerate();
    needs.extend(
        others
            .filter(|(_, other)| is_needed(other))
            .map(|(at, _)| at),
    );
    Ok(needs)
}

/// Kinds in their order; outer namespaces before inner ones; configurations before what uses them.
fn rank(one: &Declaration) -> (Kind, usize, bool, String) {
    let id = &one.id;
    let depth = id.namespace.matches('/').count();
    let is_config = id.name.split('/').any(|segment| segment == "config");
    (id.kind, depth, !is_config, id.name.clone())
}

fn circle(waiting: &[usize], all: &[Declaration]) -> Failure {
    let names = waiting.iter().filter_map(|at| all.get(*at));
    let names: Vec<String> = names.map(|one| one.id.to_string()).collect();
    Failure::local(format!(
        "these depend on each other: {}; remove a depends_on",
        names.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Map;

    use super::super::declaration::{Alias, Id};
    use super::*;

    fn one(kind: Kind, namespace: &str, name: &str, depends_on: &[&str]) -> Declaration {
        Declaration {
            id: Id::new(kind, namespace, name),
            fields: Map::new(),
            secrets: BTreeSet::new(),
            write_only: BTreeSet::new(),
            depends_on: depends_on.iter().map(|name| (*name).to_owned()).collect(),
            aliases: Vec::new(),
            place: "f".into(),
        }
    }

    fn ordered(all: &[Declaration]) -> Vec<String> {
        let order = order(all).unwrap();
        order.iter().map(|at| all[*at].id.to_string()).collect()
    }

    #[test]
    fn what_others_need_comes_first() {
        let all = [
            one(Kind::Group, "", "g", &[]),
            one(Kind::Resource, "", "database/roles/r", &[]),
            one(Kind::Resource, "", "database/config/pg", &[]),
            one(Kind::Mount, "", "database", &[]),
            one(Kind::Policy, "a/", "p", &[]),
            one(Kind::Namespace, "a/", "b", &[]),
            one(Kind::Namespace, "", "a", &[]),
        ];
        assert_eq!(
            ordered(&all),
            [
                "namespace a",
                "namespace a/b",
                "policy a/p",
                "mount database/",
                "resource database/config/pg",
                "resource database/roles/r",
                "group g"
            ]
        );
    }

    #[test]
    fn what_is_named_comes_first_too() {
        let all = [
            one(Kind::Policy, "", "p", &["resource x/y"]),
            one(Kind::Resource, "", "x/y", &["mount x/"]),
            one(Kind::Mount, "", "x", &[]),
        ];
        assert_eq!(ordered(&all), ["mount x/", "resource x/y", "policy p"]);
        let circle = [
            one(Kind::Policy, "", "p", &["policy q"]),
            one(Kind::Policy, "", "q", &["policy p"]),
        ];
        let said = order(&circle).unwrap_err().text;
        assert!(said.contains("policy p, policy q"), "{said}");
        let unknown = [one(Kind::Policy, "", "p", &["policy nosuch"])];
        assert!(order(&unknown).unwrap_err().text.contains("policy nosuch"));
    }

    #[test]
    fn aliases_need_their_auth_method() {
        let mut entity = one(Kind::Entity, "", "e", &[]);
        entity.aliases.push(Alias {
            auth: "userpass/".into(),
            name: "e".into(),
            custom_metadata: Map::new(),
        });
        let all = [entity, one(Kind::Auth, "", "userpass", &[])];
        assert_eq!(needed_by(&all[0], &all).unwrap(), [1]);
    }
}
