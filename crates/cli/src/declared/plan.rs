//! What has to change.

use serde::Serialize;
use serde_json::Value;

use super::compare::compare;
use super::declaration::{Declared, Id};
use super::order;
use super::prune;
use super::same::is_nothing;
use super::server::Server;
use crate::failure::{Failure, While};

/// What a plan takes into account.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Options {
    /// Secrets that the server does not show are written again.
    pub(crate) write_secrets: bool,
    /// What is owned and not declared is removed.
    pub(crate) prune: bool,
}

/// What has to be done, in the order in which it is done.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Plan {
    pub(crate) changes: Vec<Change>,
    /// How many things are as they are declared.
    pub(crate) unchanged: usize,
    /// How many fields can not be compared, because the server does not show them.
    pub(crate) not_shown: usize,
    /// What could not be found out.
    pub(crate) problems: Vec<String>,
}

/// One thing that differs.
#[derive(Debug, Serialize)]
pub(crate) struct Change {
    #[serde(flatten)]
    pub(crate) id: Id,
    pub(crate) action: Action,
    pub(crate) fields: Vec<FieldChange>,
    /// Its declaration's place among all; none for what is removed.
    #[serde(skip)]
    pub(crate) declared: Option<usize>,
}

/// What is done about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Action {
    Add,
    Change,
    Remove,
    /// It can not become what is declared; a person has to decide.
    Conflict,
}

/// One field that differs.
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct FieldChange {
    pub(crate) name: String,
    pub(crate) from: Value,
    pub(crate) to: Value,
}

/// Compares everything. What can not be read is a problem of the plan, and the rest goes on.
pub(crate) async fn make(
    server: &Server,
    declared: &Declared,
    options: Options,
) -> Result<Plan, Failure> {
    let mut plan = Plan::default();
    for at in order::order(&declared.declarations)? {
        let Some(one) = declared.declarations.get(at) else {
            continue;
        };
        let shown = match server.shown(one).await.or_failed("reading it") {
            Ok(shown) => shown,
            Err(failure) => {
                let reason = one.without_secrets(&failure.text);
                plan.problems.push(format!("{}: {reason}", one.said()));
                continue;
            }
        };
        let comparison = compare(one, shown.as_ref(), options);
        plan.not_shown += comparison.not_shown;
        let action = match (&shown, comparison.conflict) {
            (None, _) => Action::Add,
            (Some(_), true) => Action::Conflict,
            (Some(_), false) if comparison.fields.is_empty() => {
                plan.unchanged += 1;
                continue;
            }
            (Some(_), false) => Action::Change,
        };
        plan.changes.push(Change {
            id: one.id.clone(),
            action,
            fields: comparison.fields,
            declared: Some(at),
        });
    }
    if options.prune {
        let (removals, problems) = prune::removals(server, declared).await;
        plan.changes.extend(removals);
        plan.problems.extend(problems);
    }
    Ok(plan)
}

impl Plan {
    /// Whether the server is as the files say.
    pub(crate) fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// How many changes there are of one sort.
    pub(crate) fn count(&self, action: Action) -> usize {
        let changes = self.changes.iter();
        changes.filter(|change| change.action == action).count()
    }
}

impl FieldChange {
    /// Whether the field was not set before.
    pub(super) fn is_new(&self) -> bool {
        is_nothing(&self.from)
    }
}
