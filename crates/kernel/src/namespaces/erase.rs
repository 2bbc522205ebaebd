//! Taking a namespace away whose keys nobody has any more.
//!
//! What is in it can not be read, so none of it can be ended in order: what its leases gave out stays outside until somebody
//! removes it there. The key material goes first; from then on its storage holds nothing but noise, which is swept away in
//! the background.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use coffer_barrier::View;
use coffer_engine::Fault;

use super::load::{by_id, by_path, care};
use super::name::id_of;
use super::record::NamespaceRecord;
use super::remove::forget;
use super::seals::{Seal, SealRecord, sealed};
use crate::core::Core;
use crate::open::Open;

/// How many paths are looked at at once.
const PAGE: usize = 1_000;
/// Where the stores that all namespaces share have entries that name something of a namespace at their end.
const INDEXES: [&str; 7] = [
    "sys/due/",
    "sys/token/child/",
    "sys/token/access-key/",
    "sys/token/access-key-in/",
    "sys/lease/token/",
    "sys/lease/mount/",
    "sys/lease/parked/",
];

/// Takes a sealed namespace below the one at hand away for ever; with `force` also those in it.
pub async fn erase(open: &Open, record: &NamespaceRecord, force: bool) -> Result<(), Fault> {
    let not_sealed = || Fault::invalid("namespace is not sealed");
    let seals = &open.namespaces.seals;
    let seal = seals.own(&record.id).ok_or_else(not_sealed)?;
    let _turn = seal.turn().await;
    if seal.is_open() {
        return Err(not_sealed());
    }
    if !force && open.namespaces.has_children(&record.path).await? {
        return Err(Fault::invalid(
            "sealed namespace has leftover child namespaces; pass force=true to delete the entire tree, or unseal the namespace and delete children individually",
        ));
    }
    refuse_if_counted(open)?;
    let view = seals.view();
    let (stored, seen) = view
        .get_seen::<NamespaceRecord>(&by_path(&record.path))
        .await?;
    let mut record = stored.ok_or(Fault::NotFound)?;
    record.tainted = true;
    let mut changes = view
        .changes()
        .put(view, &by_path(&record.path), &record)?
        .expect(view, &by_path(&record.path), seen)
        .put(view, &sealed(&record.id), &SealRecord::gone(&record))?;
    for inner in seals.with_inner(&record.id) {
        inner.close();
        changes = changes.and(inner.keys.destruction());
    }
    changes.commit().await?;
    seal.gone.store(true, Ordering::SeqCst);
    tracing::warn!(
        namespace = record.path,
        "the keys of a sealed namespace were destroyed"
    );
    let (core, seal) = (Arc::clone(open), Arc::clone(&seal));
    tokio::spawn(async move { go_on(&core, &seal).await });
    Ok(())
}

/// Goes on with what a crash interrupted.
pub(super) async fn resume(core: &Arc<Core>) {
    for seal in core.namespaces.seals.gone() {
        go_on(core, &seal).await;
    }
}

/// What quotas of the namespaces around count of it could never be taken off again.
fn refuse_if_counted(open: &Open) -> Result<(), Fault> {
    let around: Vec<String> = open.space.line().map(|space| space.id.clone()).collect();
    match open.quotas.counting_all_of(&around) {
        None => Ok(()),
        Some(name) => Err(Fault::Invalid(format!(
            "the quota {name:?} counts what is in the namespace, which nobody can read; delete the quota first and make it anew afterwards"
        ))),
    }
}

async fn go_on(core: &Arc<Core>, seal: &Seal) {
    let _turn = seal.turn().await;
    match sweep(core, seal).await {
        Ok(true) => tracing::info!(namespace = seal.path, "a sealed namespace was deleted"),
        Ok(false) => {}
        Err(fault) => {
            tracing::error!(namespace = seal.path, %fault, "a sealed namespace could not be deleted; it is tried again");
        }
    }
}

/// Removes everything that was its. Answers whether it was there. Safe to repeat.
async fn sweep(core: &Core, seal: &Seal) -> Result<bool, Fault> {
    let seals = &core.namespaces.seals;
    let Some(about) = seals.view().get::<SealRecord>(&sealed(&seal.id)).await? else {
        return Ok(false);
    };
    let whole = core.barrier.view("");
    for prefix in about.prefixes(&seal.id) {
        whole.clear(&prefix).await?;
    }
    for index in INDEXES {
        clear_named(&whole, index, &seal.id).await?;
    }
    forget_inner(core, seal).await?;
    for inner in seals.with_inner(&seal.id) {
        core.waiting.forget(&inner.id).await?;
        if inner.id != seal.id {
            seals.forget(&inner);
        }
    }
    let record = NamespaceRecord {
        id: seal.id.clone(),
        path: seal.path.clone(),
        ..NamespaceRecord::default()
    };
    forget(core, &record).await?;
    Ok(true)
}

/// Forgets the namespaces in it, whose ids begin with its own.
async fn forget_inner(core: &Core, seal: &Seal) -> Result<(), Fault> {
    let view = &core.namespaces.view;
    let mut after: Option<String> = None;
    loop {
        let page = view
            .scan_paths(&by_id(&seal.id), after.as_deref(), PAGE)
            .await?;
        let Some(last) = page.last().cloned() else {
            return Ok(());
        };
        after = Some(last);
        for path in page {
            let id = path.rsplit('/').next().unwrap_or_default();
            core.quotas.forget_namespace(id).await?;
            if id != seal.id {
                let changes = view.changes().delete(view, &path).delete(view, &care(id));
                changes.delete(view, &sealed(id)).commit().await?;
            }
        }
    }
}

/// Removes the entries of an index that name something of the namespace, or of one in it.
async fn clear_named(whole: &View, index: &str, id: &str) -> Result<(), Fault> {
    let mut after: Option<String> = None;
    loop {
        let page = whole.scan_paths(index, after.as_deref(), PAGE).await?;
        let Some(last) = page.last().cloned() else {
            return Ok(());
        };
        after = Some(last);
        let named = page.iter().filter(|path| id_of(path).starts_with(id));
        let changes = named.fold(whole.changes(), |changes, path| changes.delete(whole, path));
        changes.commit().await?;
    }
}
