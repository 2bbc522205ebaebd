//! Taking a namespace away with all that it holds.

use std::sync::Arc;

use coffer_engine::Fault;

use super::change::change;
use super::load::{by_id, by_path, care};
use super::record::NamespaceRecord;
use super::seals::sealed;
use super::space::Space;
use crate::core::Core;
use crate::leases::{self, Which};
use crate::open::Open;
use crate::tokens;

/// How many tokens are ended between two looks at the list.
const PAGE: usize = 500;

/// Closes a namespace for ever; what it holds is ended in the background, and then it is gone.
pub async fn remove(open: &Open, space: &Arc<Space>) -> Result<(), Fault> {
    refuse_parents(open, space).await?;
    open.namespaces.look_after(space).await?;
    change(open, &space.path, |record| record.tainted = true).await?;
    // A child may have come between the look and the mark; from the mark on none can.
    if let Err(fault) = refuse_parents(open, space).await {
        change(open, &space.path, |record| record.tainted = false).await?;
        return Err(fault);
    }
    let going = Open::new(open, Arc::clone(space));
    tokio::spawn(async move { report(&going.space, go_on(&going).await) });
    Ok(())
}

/// Goes on with removals that a crash or a failing target interrupted.
pub async fn resume_removals(core: &Arc<Core>) -> Result<(), Fault> {
    super::erase::resume(core).await;
    for space in core.namespaces.needing_care().await? {
        if space.record().tainted {
            let open = Open::new(core, Arc::clone(&space));
            report(&space, go_on(&open).await);
        }
    }
    Ok(())
}

async fn refuse_parents(open: &Open, space: &Space) -> Result<(), Fault> {
    match open.namespaces.has_children(&space.path).await? {
        true => Err(Fault::invalid(
            "unable to delete namespace containing child namespaces",
        )),
        false => Ok(()),
    }
}

/// Ends tokens and leases; when none is left, removes the data and last of all the record. Safe to repeat.
async fn go_on(open: &Open) -> Result<(), Fault> {
    let space = &open.space;
    let record = space.record();
    end_tokens(open).await?;
    let mut left = 0;
    for mount in space.mounts.every() {
        open.leases.close(&mount.record.accessor).await?;
        left += leases::end_all(open, Which::Mount(&mount.record.accessor)).await?;
    }
    if left > 0 {
        tracing::warn!(
            namespace = record.path,
            left,
            "a namespace waits for its leases to be revoked"
        );
        return Ok(());
    }
    for mount in space.mounts.every() {
        let changes = open.barrier.view("").changes();
        open.leases
            .unclosed(changes, &mount.record.accessor)
            .commit()
            .await?;
    }
    open.tokens.forget_namespace(&record.id).await?;
    open.quotas.forget_namespace(&record.id).await?;
    space.view.clear("").await?;
    open.events.forget_namespace(&record.id).await?;
    forget(open, &record).await?;
    tracing::info!(namespace = record.path, "a namespace was deleted");
    Ok(())
}

/// Removes the last that is known of a namespace, and the keys that it had of its own.
pub(super) async fn forget(core: &Core, record: &NamespaceRecord) -> Result<(), Fault> {
    let seal = core.namespaces.seals.own(&record.id);
    let view = &core.namespaces.view;
    let mut changes = view
        .changes()
        .delete(view, &by_path(&record.path))
        .delete(view, &by_id(&record.id))
        .delete(view, &care(&record.id));
    if let Some(seal) = &seal {
        core.waiting.forget(&record.id).await?;
        let keys = seal.keys.destruction();
        changes = changes.delete(view, &sealed(&record.id)).and(keys);
    }
    changes.commit().await?;
    core.namespaces.forget(record);
    if let Some(seal) = &seal {
        seal.close();
        core.namespaces.seals.forget(seal);
    }
    Ok(())
}

async fn end_tokens(open: &Open) -> Result<(), Fault> {
    let id = open.space.id.clone();
    loop {
        let page = open.tokens.accessors(&id, None, PAGE).await?;
        if page.is_empty() {
            return Ok(());
        }
        for accessor in page {
            tokens::revoke_tree(open, &accessor).await?;
        }
    }
}

fn report(space: &Space, result: Result<(), Fault>) {
    if let Err(fault) = result {
        tracing::error!(namespace = space.path, %fault, "a namespace could not be deleted; it is tried again");
    }
}
