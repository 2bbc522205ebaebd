//! Counting anew what falls under another quota than before.
//!
//! A change of quotas names the places it concerns; each is walked through page by page, and every lease and token
//! there goes to the quota that counts it now, with a step of the storage each. A walk that a crash interrupts begins
//! again: what has its quota already costs a read.

use std::sync::Arc;
use std::time::Duration;

use coffer_engine::Fault;
use tokio_util::sync::CancellationToken;

use super::book::Recount;
use super::place::Place;
use crate::core::Core;
use crate::leases::Which;
use crate::namespaces::Space;

/// How many ids are read at once.
const PAGE: usize = 500;
/// The pause after storage failed.
const PAUSE_AFTER_FAULT: Duration = Duration::from_secs(1);

/// Counts what is to be counted anew, until stopped.
pub async fn run(core: Arc<Core>, stop: CancellationToken) {
    let work = async {
        loop {
            match all(&core).await {
                Ok(()) => core.quotas.bell.notified().await,
                Err(fault) => {
                    tracing::error!(%fault, "leases could not be counted anew; it is tried again");
                    tokio::time::sleep(PAUSE_AFTER_FAULT).await;
                }
            }
        }
    };
    tokio::select! {
        () = stop.cancelled() => {}
        () = work => {}
    }
}

async fn all(core: &Arc<Core>) -> Result<(), Fault> {
    loop {
        let recounts = core.quotas.recounts().await?;
        if recounts.is_empty() {
            return Ok(());
        }
        // What is stored by older quotas from here on would be walked past.
        core.quotas.until_replaced_are_unused().await;
        for (name, recount) in recounts {
            one(core, &recount).await?;
            core.quotas.recounted(&name).await?;
        }
    }
}

async fn one(core: &Arc<Core>, recount: &Recount) -> Result<(), Fault> {
    for space in spaces(core, &recount.place).await? {
        leases(core, &space, &recount.place).await?;
        tokens(core, &space, &recount.place).await?;
    }
    match recount.gone.as_str() {
        "" => Ok(()),
        gone => core.quotas.counts.close(gone).await,
    }
}

/// The namespaces that a place concerns: a whole one may be inherited by those within it.
async fn spaces(core: &Core, place: &Place) -> Result<Vec<Arc<Space>>, Fault> {
    if core.namespaces.seals.closed(&place.namespace).is_some() {
        return Ok(Vec::new());
    }
    let Some(space) = core.namespaces.by_id(&place.namespace).await? else {
        return Ok(Vec::new());
    };
    let mut spaces = vec![Arc::clone(&space)];
    if place.mount.is_empty() {
        for record in core.namespaces.below(&space.path, true).await? {
            if !core.namespaces.is_closed(&record) {
                spaces.extend(core.namespaces.by_id(&record.id).await?);
            }
        }
    }
    Ok(spaces)
}

async fn leases(core: &Core, space: &Arc<Space>, place: &Place) -> Result<(), Fault> {
    let which = match place.mount.as_str() {
        "" => Which::Below {
            namespace: &space.id,
            prefix: "",
        },
        mount => Which::Mount(mount),
    };
    let mut after: Option<String> = None;
    loop {
        let page = core.leases.ids(which, after.as_deref(), PAGE).await?;
        let Some(last) = page.last().cloned() else {
            return Ok(());
        };
        after = Some(last);
        for id in page {
            core.leases
                .recount(&id, |record| {
                    let mount = space.mounts.by_accessor(&record.mount);
                    let issued_at = id.rsplit_once('/').map_or("", |(path, _)| path);
                    let tail = mount.as_ref().map_or("", |mount| mount.tail(issued_at));
                    let placed = core.quotas.place_lease(space, &record.mount, tail);
                    placed.quota().to_owned()
                })
                .await?;
        }
    }
}

async fn tokens(core: &Core, space: &Arc<Space>, place: &Place) -> Result<(), Fault> {
    let mut after: Option<String> = None;
    loop {
        let page = core
            .tokens
            .accessors(&space.id, after.as_deref(), PAGE)
            .await?;
        let Some(last) = page.last().cloned() else {
            return Ok(());
        };
        after = Some(last);
        for accessor in page {
            let elsewhere = |mount: &str| !place.mount.is_empty() && place.mount != mount;
            core.tokens
                .recount(&accessor, |record| {
                    if elsewhere(&record.mount) || record.is_wrapping() {
                        return None;
                    }
                    let mount = space.mounts.by_accessor(&record.mount);
                    let placed = core.quotas.place_token(space, mount.as_deref(), record);
                    Some((placed.quota().to_owned(), placed.holder().to_owned()))
                })
                .await?;
        }
    }
}
