//! What can not end because its namespace is sealed: it is put aside, and goes on when that is unsealed.
//!
//! Below `sys/waiting/<namespace with the seal>/`:
//!
//! | path | holds |
//! |---|---|
//! | `due/<as in the due index>` | an entry of the due index that the worker came to while it could not read the record |
//! | `end/t/<accessor>`, `end/l/<lease id>` | its end was decided meanwhile, because its parent or token ended |

use std::sync::Arc;

use coffer_barrier::{Barrier, View};
use coffer_engine::Fault;
use futures_util::future::BoxFuture;

use crate::core::Core;
use crate::due::{Due, Ending, Entry, Mark, key, parse};
use crate::leases;
use crate::namespaces::{Seal, id_of};
use crate::tokens;

/// How many entries are read at once.
const PAGE: usize = 1_000;

/// The entries that wait.
pub struct Waiting {
    view: View,
}

impl Ending {
    /// The id or accessor, which says the namespace.
    pub fn name(&self) -> &str {
        match self {
            Self::Token(name) | Self::Lease(name) => name,
        }
    }
}

impl Waiting {
    /// Those of this barrier.
    pub fn new(barrier: &Arc<Barrier>) -> Self {
        Self {
            view: barrier.view("sys/waiting/"),
        }
    }

    /// Takes an entry off the due index until the seal is opened.
    async fn put_aside(&self, due: &Due, seal: &str, entry: &Entry) -> Result<(), Fault> {
        let path = format!("{seal}/due/{}", key(entry.at, &entry.what));
        let changes = self.view.changes().put(&self.view, &path, &Mark)?;
        let changes = due.remove(changes, entry.at, &entry.what);
        Ok(changes.commit().await?)
    }

    /// Puts everything back into the due index.
    async fn put_back(&self, due: &Due, seal: &str) -> Result<(), Fault> {
        let folder = format!("{seal}/due/");
        loop {
            let page = self.view.scan_paths(&folder, None, PAGE).await?;
            if page.is_empty() {
                return Ok(());
            }
            let mut changes = self.view.changes();
            let mut first = None;
            for path in page {
                changes = changes.delete(&self.view, &path);
                let Some(entry) = path.strip_prefix(&folder).and_then(parse) else {
                    continue;
                };
                first.get_or_insert(entry.at);
                changes = due.add(changes, entry.at, &entry.what)?;
            }
            changes.commit().await?;
            first.into_iter().for_each(|at| due.announce(at));
        }
    }

    /// Removes what waits for a seal that nobody opens any more.
    pub async fn forget(&self, seal: &str) -> Result<(), Fault> {
        Ok(self.view.clear(&format!("{seal}/")).await?)
    }
}

/// Whether the end of something has to wait, because its record can not be read.
pub fn waits(core: &Core, name: &str) -> bool {
    core.namespaces.seals.closed(id_of(name)).is_some()
}

/// Puts an entry of the due index aside that has to wait. Answers whether it has to.
pub(super) async fn put_aside(core: &Core, entry: &Entry) -> Result<bool, Fault> {
    let Some(seal) = core.namespaces.seals.closed(id_of(entry.what.name())) else {
        return Ok(false);
    };
    let due = &core.leases.due;
    core.waiting.put_aside(due, &seal.id, entry).await?;
    if seal.is_open() {
        core.waiting.put_back(due, &seal.id).await?; // It was opened meanwhile.
    }
    Ok(true)
}

/// Writes down that something is to end that has to wait; whatever led to it may be forgotten then. Answers whether it has to.
pub async fn end_later(core: &Arc<Core>, what: &Ending) -> Result<bool, Fault> {
    let Some(seal) = core.namespaces.seals.closed(id_of(what.name())) else {
        return Ok(false);
    };
    let view = &core.waiting.view;
    view.put(&ending(&seal.id, what), &Mark).await?;
    if seal.is_open() {
        end_what_waits(core, &seal).await?; // It was opened meanwhile.
    }
    Ok(true)
}

/// Begins the end of what was decided to end while the namespace was sealed: from here on none of it is usable.
pub fn end_what_waits<'a>(core: &'a Arc<Core>, seal: &'a Seal) -> BoxFuture<'a, Result<(), Fault>> {
    Box::pin(async move {
        let view = &core.waiting.view;
        let folder = format!("{}/end/", seal.id);
        loop {
            let page = view.scan_paths(&folder, None, PAGE).await?;
            if page.is_empty() {
                return Ok(());
            }
            for path in page {
                let tail = path.strip_prefix(&folder).unwrap_or_default();
                if let Some(inner) = core.namespaces.seals.closed_within(seal, id_of(tail)) {
                    hand_on(core, &path, tail, &inner).await?;
                    continue;
                }
                match tail.split_once('/') {
                    Some(("t", accessor)) => tokens::mark_family(core, accessor).await?,
                    Some(("l", id)) => leases::end_soon(core, id).await?,
                    _ => {}
                }
                view.delete(&path).await?;
            }
        }
    })
}

/// What belongs to a namespace that has a seal of its own within the one that is opened waits for that, in the same step.
async fn hand_on(core: &Arc<Core>, path: &str, tail: &str, inner: &Seal) -> Result<(), Fault> {
    let view = &core.waiting.view;
    let there = format!("{}/end/{tail}", inner.id);
    let moved = view.changes().put(view, &there, &Mark)?;
    moved.delete(view, path).commit().await?;
    if inner.is_open() {
        end_what_waits(core, inner).await?; // It was opened meanwhile.
    }
    Ok(())
}

/// Lets everything go on that waited for a seal.
pub async fn go_on(core: &Core, seal: &Seal) -> Result<(), Fault> {
    core.waiting.put_back(&core.leases.due, &seal.id).await?;
    let targets = core.leases.parked_targets().await?;
    targets.iter().for_each(|target| core.parked.add(target));
    Ok(())
}

fn ending(seal: &str, what: &Ending) -> String {
    match what {
        Ending::Token(accessor) => format!("{seal}/end/t/{accessor}"),
        Ending::Lease(id) => format!("{seal}/end/l/{id}"),
    }
}
