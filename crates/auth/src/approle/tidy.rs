//! Removing what is of no use any more: secret ids that ended, and those of roles that are gone.

use coffer_engine::{Ctx, Fault, Handle, Reply, Routes, Stored, WithStatus, WithWarnings, path};
use coffer_wire::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;

use super::AppRole;
use super::secret_id::{SecretId, accessors, folder};

/// How many records are read at once.
const PAGE: usize = 500;
/// How often what ended is looked for.
const EVERY: Duration = Duration::from_secs(3600);
const GONE: &str = "gone/";
const LAST: &str = "tidied";

pub(super) fn routes() -> Routes<AppRole> {
    Routes::new([path(
        "tidy/secret-id",
        "Removes secret ids that ended; this happens each hour by itself, too.",
    )
    .write::<Tidy>()
    .tells("approle/tidy")])
}

/// A role whose secret ids are to be removed.
#[derive(Serialize, Deserialize)]
pub(super) struct Gone {}

impl Stored for Gone {}

impl Gone {
    /// Where it is written down.
    pub(super) fn place(role: &str) -> String {
        format!("{GONE}{role}")
    }
}

/// When ended secret ids were last looked for.
#[derive(Serialize, Deserialize)]
struct Last {
    at: Timestamp,
}

impl Stored for Last {}

/// Removes secret ids that ended.
#[derive(Deserialize, JsonSchema)]
struct Tidy {}

impl Handle<AppRole> for Tidy {
    type Reply = WithStatus<WithWarnings<Reply>>;

    async fn handle(self, _: &AppRole, cx: &Ctx) -> Result<Self::Reply, Fault> {
        let removed = remove_ended(cx).await?;
        let told = format!("{removed} secret ids that had ended were removed");
        Ok(WithStatus(WithWarnings(Reply::default(), vec![told]), 202))
    }
}

/// What is to be done each minute.
pub(super) async fn tick(cx: &Ctx) -> Result<(), Fault> {
    for role in cx.view.list(GONE, None, PAGE).await? {
        cx.view.clear(&folder(&role)).await?;
        cx.view.clear(&accessors(&role)).await?;
        cx.view.delete(&Gone::place(&role)).await?;
    }
    let last: Option<Last> = cx.view.get(LAST).await?;
    match last {
        Some(last) if last.at.plus(EVERY) > cx.now => return Ok(()),
        Some(_) => drop(remove_ended(cx).await?),
        None => {}
    }
    Ok(cx.view.put(LAST, &Last { at: cx.now }).await?)
}

/// Removes secret ids that ended, page by page, and says how many.
async fn remove_ended(cx: &Ctx) -> Result<usize, Fault> {
    let mut removed = 0;
    let mut pages = cx.view.pages::<SecretId>("secret/").at_most(PAGE);
    while let Some(page) = pages.next().await? {
        let ended = page.iter().filter(|(_, record)| record.has_ended(cx.now));
        let mut changes = cx.view.changes();
        for (path, record) in ended {
            let role = path.split('/').nth(1).unwrap_or_default();
            let pointer = format!("{}{}", accessors(role), record.accessor);
            changes = changes.delete(&cx.view, path).delete(&cx.view, &pointer);
            removed += 1;
        }
        if !changes.is_empty() {
            changes.commit().await?;
        }
    }
    Ok(removed)
}
