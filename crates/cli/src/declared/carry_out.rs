//! Doing what a plan says.

use std::collections::BTreeSet;

use coffer_client::Error;
use serde::Serialize;

use super::compare::compare;
use super::declaration::{Declaration, Declared, Id};
use super::order::needed_by;
use super::plan::{Action, Change, Options, Plan};
use super::server::Server;
use crate::failure::Failure;

/// What came of a plan.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Report {
    pub(crate) done: Vec<Id>,
    pub(crate) failed: Vec<Trouble>,
    pub(crate) skipped: Vec<Trouble>,
    /// What went well and is worth knowing.
    pub(crate) remarks: Vec<String>,
}

/// Something that was not done, and why.
#[derive(Debug, Serialize)]
pub(crate) struct Trouble {
    #[serde(flatten)]
    pub(crate) id: Id,
    pub(crate) reason: String,
}

/// Does everything that can be done. What needs something that failed is left alone, and nothing is removed after a
/// failure.
pub(crate) async fn carry_out(
    server: &Server,
    declared: &Declared,
    plan: &Plan,
    mut tell: impl FnMut(&Change, Result<(), &str>),
) -> Report {
    let mut report = Report::default();
    let mut undone: BTreeSet<Id> = BTreeSet::new();
    for change in &plan.changes {
        let id = change.id.clone();
        if let Some(reason) = obstacle(change, declared, &undone) {
            tell(change, Err(&reason));
            undone.insert(id.clone());
            report.skipped.push(Trouble { id, reason });
            continue;
        }
        match step(server, declared, change, &mut report.remarks).await {
            Ok(()) => {
                tell(change, Ok(()));
                report.done.push(id);
            }
            Err(reason) => {
                tell(change, Err(&reason));
                undone.insert(id.clone());
                report.failed.push(Trouble { id, reason });
            }
        }
    }
    report
}

/// Why a change is not even tried.
fn obstacle(change: &Change, declared: &Declared, undone: &BTreeSet<Id>) -> Option<String> {
    let all = &declared.declarations;
    let Some(one) = change.declared.and_then(|at| all.get(at)) else {
        let text = "nothing is removed, because something before it was not done";
        return (!undone.is_empty()).then(|| text.to_owned());
    };
    let needs = needed_by(one, all).unwrap_or_default();
    let mut needs = needs.iter().filter_map(|at| all.get(*at));
    let missing = needs.find(|need| undone.contains(&need.id))?;
    Some(format!("{} is not there as declared", missing.id))
}

async fn step(
    server: &Server,
    declared: &Declared,
    change: &Change,
    remarks: &mut Vec<String>,
) -> Result<(), String> {
    let one = change.declared.and_then(|at| declared.declarations.get(at));
    let said = |doing: &str, error: &Error| Failure::remote(doing, error).text;
    let done = match (change.action, one) {
        (Action::Remove, _) => {
            let removed = server.remove(&change.id).await;
            return removed.map_err(|error| said("removing it", &error));
        }
        (Action::Add, Some(one)) => server.add(one).await,
        (Action::Change, Some(one)) => server.change(one).await,
        (Action::Conflict, _) | (_, None) => {
            let text =
                "it can not be changed in place; remove it, with its data, or change the file";
            return Err(text.to_owned());
        }
    };
    let Some(one) = one else { return Ok(()) };
    let told = done.map_err(|error| one.without_secrets(&said("writing it", &error)))?;
    remarks.extend(
        told.into_iter()
            .map(|remark| format!("{}: {}", one.id, one.without_secrets(&remark))),
    );
    remarks.extend(remaining(server, one).await);
    Ok(())
}

/// What still differs after it was written: a field that the server does not show, or took otherwise.
async fn remaining(server: &Server, one: &Declaration) -> Option<String> {
    let shown = server.shown(one).await.ok()?;
    let comparison = compare(one, shown.as_ref(), Options::default());
    let fields = comparison.fields.iter();
    let names: Vec<&str> = fields.map(|field| field.name.as_str()).collect();
    (!names.is_empty()).then(|| {
        format!(
            "{}: the server shows {} otherwise than written; what it does not show at all belongs into write_only",
            one.id,
            names.join(", ")
        )
    })
}
