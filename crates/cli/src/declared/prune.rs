//! What is there beside what is declared, where files say that they own it.

use std::collections::BTreeSet;

use super::declaration::{Declared, Id};
use super::plan::{Action, Change};
use super::server::Server;
use crate::failure::While;

/// What would be removed, what is made last first; and what could not be found out.
pub(super) async fn removals(server: &Server, declared: &Declared) -> (Vec<Change>, Vec<String>) {
    let known: BTreeSet<&Id> = declared.declarations.iter().map(|one| &one.id).collect();
    let (mut found, mut problems) = (BTreeSet::new(), Vec::new());
    for owned in &declared.owned {
        let names = server.names(owned).await;
        match names.or_failed("listing what is there") {
            Ok(ids) => found.extend(ids.into_iter().filter(|id| !known.contains(id))),
            Err(failure) => problems.push(format!(
                "prune {} {}{}: {}",
                owned.kind, owned.namespace, owned.pattern, failure.text
            )),
        }
    }
    let removals = found.into_iter().rev().map(|id| Change {
        id,
        action: Action::Remove,
        fields: Vec::new(),
        declared: None,
    });
    (removals.collect(), problems)
}
