//! The workflows that operators wrote.

use coffer_barrier::{Stored, View};
use coffer_engine::Fault;
use serde::{Deserialize, Serialize};

use crate::script::Script;

/// Most workflows in one namespace.
const MAX_WORKFLOWS: usize = 1_000;
/// Longest path of a workflow, in bytes.
const MAX_PATH_BYTES: usize = 512;
/// Longest description, in bytes.
const MAX_DESCRIPTION_BYTES: usize = 4_096;
/// The `cas` of a workflow that must not be there.
const NEW: i64 = -1;

/// Workflows by path.
pub struct Workflows {
    view: View,
}

/// One workflow, as stored under `sys/workflow/<path>`: its text, exactly as it was written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Workflow {
    /// HCL or JSON.
    pub text: String,
    /// For people.
    pub description: String,
    /// Whether it may be run without a token, where the configuration lets it.
    pub allow_unauthenticated: bool,
    /// Whether whoever writes it must say which version they saw.
    pub cas_required: bool,
    /// Counts the writes, from 1.
    pub version: i64,
}

impl Stored for Workflow {
    const MAX_BYTES: usize = 1024 * 1024;
}

impl Workflows {
    /// The workflows in this view.
    pub fn new(view: View) -> Self {
        Self { view }
    }

    /// A workflow.
    pub async fn get(&self, path: &str) -> Result<Option<Workflow>, Fault> {
        Ok(self.view.get(path).await?)
    }

    /// Writes a workflow that can be run, if nobody wrote it since the version that was seen. Answers it as it is now.
    pub async fn put(
        &self,
        path: &str,
        new: Workflow,
        cas: Option<i64>,
    ) -> Result<Workflow, Fault> {
        check(path, &new)?;
        Script::workflow(&new.text).map_err(Fault::invalid)?;
        if self.get(path).await?.is_none() {
            let all = self.view.scan_paths("", None, MAX_WORKFLOWS).await?;
            if all.len() == MAX_WORKFLOWS {
                return Err(Fault::Invalid(format!(
                    "there are {MAX_WORKFLOWS} workflows in this namespace; delete one first"
                )));
            }
        }
        let written = self.view.update(path, |old: Option<Workflow>| {
            compare(old.as_ref(), &new, cas)?;
            let new = Workflow {
                version: old.map_or(0, |old| old.version).saturating_add(1),
                ..new.clone()
            };
            Ok::<_, Fault>((Some(new.clone()), new))
        });
        written.await
    }

    /// Removes a workflow.
    pub async fn delete(&self, path: &str) -> Result<(), Fault> {
        Ok(self.view.delete(path).await?)
    }

    /// What is directly below a folder ("" or ending in a slash).
    pub async fn list(&self, folder: &str) -> Result<Vec<String>, Fault> {
        Ok(self.view.list_all(folder).await?)
    }

    /// Everything below a folder, with its paths from there.
    pub async fn scan(&self, folder: &str) -> Result<Vec<String>, Fault> {
        let paths = self.view.scan_paths(folder, None, MAX_WORKFLOWS).await?;
        let below = |path: String| path.strip_prefix(folder).map(str::to_owned);
        Ok(paths.into_iter().filter_map(below).collect())
    }
}

fn check(path: &str, new: &Workflow) -> Result<(), Fault> {
    if path.is_empty() || path.ends_with('/') || path.len() > MAX_PATH_BYTES {
        return Err(Fault::Invalid(format!(
            "the path of a workflow has 1 to {MAX_PATH_BYTES} bytes and does not end with a slash"
        )));
    }
    if new.description.len() > MAX_DESCRIPTION_BYTES {
        return Err(Fault::Invalid(format!(
            "a description has at most {MAX_DESCRIPTION_BYTES} bytes"
        )));
    }
    Ok(())
}

fn compare(old: Option<&Workflow>, new: &Workflow, cas: Option<i64>) -> Result<(), Fault> {
    let required = new.cas_required || old.is_some_and(|old| old.cas_required);
    match (old, cas) {
        (_, None) if required => Err(Fault::invalid(
            "check-and-set parameter required for this call",
        )),
        (_, None) | (None, Some(NEW)) => Ok(()),
        (Some(old), Some(cas)) if old.version == cas => Ok(()),
        (None, Some(_)) => Err(Fault::invalid(
            "check-and-set parameter must be -1 for a workflow that is not there",
        )),
        (Some(_), Some(_)) => Err(Fault::invalid(
            "check-and-set parameter did not match the current version",
        )),
    }
}
