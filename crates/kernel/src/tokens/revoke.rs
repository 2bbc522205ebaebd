//! Ending tokens and everything that hangs on them.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use coffer_engine::Fault;
use futures_util::{StreamExt, TryStreamExt, stream};

use super::record::TokenRecord;
use super::told;
use crate::core::Core;
use crate::due::Ending;
use crate::leases::{self, waiting};

/// How many leases or children are read at once.
const PAGE: usize = 256;
/// How long the worker leaves a marked token to the request that marked it.
const FINISH_GRACE: Duration = Duration::from_secs(10);
/// How many tokens of one family are worked on at the same time.
const CONCURRENT_TOKENS: usize = 32;
/// How many leases of one token are revoked at the same time.
const CONCURRENT_LEASES: usize = 16;

/// Ends a token, its descendants, their leases and their own storages.
///
/// Every token of the family is marked durably before anything is undone, and marked ones are
/// refused and get no more children: a crash or a failing database leaves nothing usable, and the
/// worker goes on where this stopped. Leases that can not be undone now are parked and retried on
/// their own.
pub async fn revoke_tree(core: &Arc<Core>, accessor: &str) -> Result<(), Fault> {
    let _timed = core.settings.meters.tokens.revoke_tree.timed();
    let family = marked_family(core, accessor).await?;
    at_once(family.iter().rev().map(|member| end_one(core, member))).await
}

/// Marks a token and its descendants, and leaves the rest to the worker.
pub async fn mark_family(core: &Arc<Core>, accessor: &str) -> Result<(), Fault> {
    marked_family(core, accessor).await.map(drop)
}

/// A token and its descendants, all marked, parents before their children. Those in a sealed namespace are left out: they
/// can not be used now, and end before they can again.
async fn marked_family(core: &Arc<Core>, accessor: &str) -> Result<Vec<String>, Fault> {
    let mut family: Vec<String> = Vec::new();
    let mut generation = vec![accessor.to_owned()];
    while !generation.is_empty() {
        at_once(generation.iter().map(|member| mark(core, member))).await?;
        let mut next = Vec::new();
        for member in &generation {
            for child in children(core, member).await? {
                match waiting::end_later(core, &Ending::Token(child.clone())).await? {
                    true => core.tokens.unlist(member, &child).await?,
                    false => next.push(child),
                }
            }
        }
        family.append(&mut generation);
        generation = next;
    }
    Ok(family)
}

/// Ends a token and lets its children live on without it.
///
/// The children are cut off before the mark and once more after it, for those that came in between:
/// a crash ends at most those.
pub async fn revoke_orphaning(core: &Arc<Core>, accessor: &str) -> Result<(), Fault> {
    cut_off_children(core, accessor).await?;
    mark(core, accessor).await?;
    cut_off_children(core, accessor).await?;
    end_one(core, accessor).await
}

async fn cut_off_children(core: &Arc<Core>, accessor: &str) -> Result<(), Fault> {
    let children = children(core, accessor).await?;
    at_once(children.iter().map(|child| async move {
        match waiting::waits(core, child) {
            true => core.tokens.unlist(accessor, child).await,
            false => core.tokens.orphan(accessor, child).await,
        }
    }))
    .await
}

async fn children(core: &Arc<Core>, accessor: &str) -> Result<Vec<String>, Fault> {
    let mut all: Vec<String> = Vec::new();
    loop {
        let after = all.last().map(String::as_str);
        let page = core.tokens.children(accessor, after, PAGE).await?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}

async fn at_once(
    steps: impl Iterator<Item = impl Future<Output = Result<(), Fault>>>,
) -> Result<(), Fault> {
    stream::iter(steps.map(Ok))
        .try_for_each_concurrent(CONCURRENT_TOKENS, |step| step)
        .await
}

/// From here on the token is refused; a due entry makes the worker finish if this process does not.
async fn mark(core: &Arc<Core>, accessor: &str) -> Result<(), Fault> {
    let finish_by = core.clock.now().plus(FINISH_GRACE);
    let mark = |record: &mut TokenRecord| {
        record.revoking = true;
        record.due = finish_by;
        Ok(())
    };
    match core.tokens.update(accessor, mark).await {
        Ok(_) | Err(Fault::NotFound) => Ok(()),
        Err(other) => Err(other),
    }
}

async fn end_one(core: &Arc<Core>, accessor: &str) -> Result<(), Fault> {
    let _timed = core.settings.meters.tokens.revoke.timed();
    end_leases(core, accessor).await?;
    if let Some(home) = core.home_of(accessor).await?
        && let Some(own) = home.space.mounts.per_token()
    {
        own.view.clear(accessor).await?; // Also what it kept while it visited other namespaces.
    }
    if let Some(record) = core.tokens.forget(accessor).await? {
        told::ended(core, &record).await;
    }
    Ok(())
}

async fn end_leases(core: &Arc<Core>, accessor: &str) -> Result<(), Fault> {
    let _timed = core.settings.meters.leases.revoke_by_token.timed();
    loop {
        let page = core.leases.of_token(accessor, PAGE).await?;
        if page.is_empty() {
            return Ok(());
        }
        let each = page.into_iter().map(|id| async move {
            match waiting::end_later(core, &Ending::Lease(id.clone())).await? {
                true => core.leases.unlist(&id, accessor).await,
                false => leases::end_of_token(core, &id, accessor).await,
            }
        });
        stream::iter(each)
            .buffer_unordered(CONCURRENT_LEASES)
            .try_collect::<()>()
            .await?;
    }
}
