//! Ending tokens and everything that hangs on them.

use std::time::Duration;

use coffer_engine::{Class, Fault};
use futures_util::{StreamExt, stream};

use crate::leases;
use crate::open::Open;

/// How many leases or children are read at once.
const PAGE: usize = 256;
/// How long the worker leaves a marked token to the request that marked it.
const FINISH_GRACE: Duration = Duration::from_secs(10);
/// How many leases of one token are revoked at the same time.
const CONCURRENT_LEASES: usize = 16;

/// Ends a token, its descendants, their leases and their own storages.
///
/// Every token of the family is marked durably before anything is undone, and marked ones are
/// refused: a crash or a failing database leaves nothing usable, and the worker goes on where this
/// stopped. Leases that can not be undone now are parked and retried on their own.
pub async fn revoke_tree(open: &Open, accessor: &str) -> Result<(), Fault> {
    let mut family = vec![accessor.to_owned()];
    let mut at = 0;
    while let Some(member) = family.get(at).cloned() {
        mark(open, &member).await?;
        let mut after: Option<String> = None;
        loop {
            let page = open
                .tokens
                .children(&member, after.as_deref(), PAGE)
                .await?;
            let Some(last) = page.last().cloned() else {
                break;
            };
            after = Some(last);
            family.extend(page);
        }
        at += 1;
    }
    for member in family.iter().rev() {
        end_one(open, member).await?;
    }
    Ok(())
}

/// Lets a token's children live on without it.
pub async fn orphan_children(open: &Open, accessor: &str) -> Result<(), Fault> {
    loop {
        let page = open.tokens.children(accessor, None, PAGE).await?;
        if page.is_empty() {
            return Ok(());
        }
        for child in page {
            open.tokens.orphan(accessor, &child).await?;
        }
    }
}

/// From here on the token is refused; a due entry makes the worker finish if this process does not.
async fn mark(open: &Open, accessor: &str) -> Result<(), Fault> {
    let finish_by = open.clock.now().plus(FINISH_GRACE);
    let mark = |record: &mut super::TokenRecord| {
        record.revoking = true;
        record.due = finish_by;
        Ok(())
    };
    match open.tokens.update(accessor, mark).await {
        Ok(_) | Err(Fault::NotFound) => Ok(()),
        Err(other) => Err(other),
    }
}

async fn end_one(open: &Open, accessor: &str) -> Result<(), Fault> {
    loop {
        let page = open.leases.of_token(accessor, PAGE).await?;
        if page.is_empty() {
            break;
        }
        let each = page
            .into_iter()
            .map(|id| async move { leases::end_of_token(open, &id, accessor).await });
        let results: Vec<_> = stream::iter(each)
            .buffer_unordered(CONCURRENT_LEASES)
            .collect()
            .await;
        results.into_iter().collect::<Result<(), Fault>>()?;
    }
    for mount in open
        .mounts
        .all(Class::Secret)
        .iter()
        .filter(|mount| mount.per_token())
    {
        mount.view.clear(&format!("{accessor}/")).await?;
    }
    match open.tokens.by_accessor(accessor).await? {
        Some(record) => open.tokens.forget(&record).await,
        None => Ok(()),
    }
}
