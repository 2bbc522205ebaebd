//! Making a namespace, and changing its notes.

use std::collections::BTreeMap;
use std::sync::Arc;

use coffer_barrier::Seen;
use coffer_engine::Fault;

use super::load::{Place, by_id, by_path};
use super::name::below;
use super::record::NamespaceRecord;
use super::space::Space;
use crate::mounts::{self, Edition};
use crate::open::Open;

/// How long an id is: from 62 characters, so that collisions are rare; one that happens is tried again.
const ID_CHARS: usize = 6;

/// Makes a namespace below the one at hand; if it is there already, its notes are replaced.
pub async fn create(
    open: &Open,
    name: &str,
    custom_metadata: BTreeMap<String, String>,
) -> Result<Arc<NamespaceRecord>, Fault> {
    let path = below(&open.space.path, name)?;
    loop {
        if let Some(there) = open.namespaces.child(&open.space, last(&path)).await? {
            refuse_tainted(&there)?;
            return change(open, &there, |record| {
                record.custom_metadata.clone_from(&custom_metadata);
            })
            .await;
        }
        let record = NamespaceRecord {
            id: open.random.base62(ID_CHARS),
            uuid: open.random.uuid_v4(),
            path: path.clone(),
            custom_metadata: custom_metadata.clone(),
            ..NamespaceRecord::default()
        };
        if store(open, &record).await? {
            let space = open.namespaces.child(&open.space, last(&path)).await?;
            let space = space.ok_or(Fault::NotFound)?;
            mounts::install_missing(&Open::new(open, space)).await?;
            return Ok(Arc::new(record));
        }
    }
}

/// Merges notes into a namespace's: a note without a value goes.
pub async fn patch(
    open: &Open,
    space: &Arc<Space>,
    notes: &BTreeMap<String, Option<String>>,
) -> Result<Arc<NamespaceRecord>, Fault> {
    refuse_tainted(space)?;
    change(open, space, |record| {
        for (name, value) in notes {
            match value {
                Some(value) => drop(record.custom_metadata.insert(name.clone(), value.clone())),
                None => drop(record.custom_metadata.remove(name)),
            }
        }
    })
    .await
}

/// Changes the stored record, then the one in memory.
pub(super) async fn change(
    open: &Open,
    space: &Arc<Space>,
    change: impl Fn(&mut NamespaceRecord) + Send + Sync,
) -> Result<Arc<NamespaceRecord>, Fault> {
    let decide = |old: Option<NamespaceRecord>| {
        let mut record = old.ok_or(Fault::NotFound)?;
        change(&mut record);
        Ok::<_, Fault>((Some(record.clone()), record))
    };
    let key = by_path(&space.path);
    let record = open.namespaces.view.update(&key, decide).await?;
    space.changed(record.clone());
    Ok(Arc::new(record))
}

fn refuse_tainted(space: &Space) -> Result<(), Fault> {
    match space.record().tainted {
        true => Err(Fault::Invalid(format!(
            "the namespace {:?} is being deleted; wait until it is gone",
            space.path
        ))),
        false => Ok(()),
    }
}

/// Stores a new namespace, unless a mount of its parent is in the way or somebody was faster.
async fn store(open: &Open, record: &NamespaceRecord) -> Result<bool, Fault> {
    let view = &open.namespaces.view;
    let core = open.space.view.sub("core/");
    let (_, seen) = core.get_seen::<Edition>(Edition::KEY).await?;
    let name = format!("{}/", last(&record.path));
    if let Some(mount) = open.space.mounts.below(&name).first() {
        return Err(Fault::Invalid(format!(
            "new namespace conflicts with existing mount: {}",
            mount.record.path
        )));
    }
    // The edition of the mounts is expected unchanged: nobody mounts something there meanwhile.
    let place = Place {
        path: record.path.clone(),
    };
    let changes = view
        .changes()
        .put(view, &by_path(&record.path), record)?
        .put(view, &by_id(&record.id), &place)?
        .expect(view, &by_path(&record.path), Seen::NOTHING)
        .expect(view, &by_id(&record.id), Seen::NOTHING)
        .expect(&core, Edition::KEY, seen);
    match changes.commit().await {
        Ok(()) => Ok(true),
        Err(coffer_barrier::Error::Conflict) => Ok(false),
        Err(other) => Err(other.into()),
    }
}

/// The name of the namespace at a path.
pub(super) fn last(path: &str) -> &str {
    path.trim_end_matches('/')
        .rsplit('/')
        .next()
        .unwrap_or_default()
}
