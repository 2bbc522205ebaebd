//! Moving a mount to another namespace, data and all.

use std::sync::Arc;
use std::time::Duration;

use coffer_engine::{Class, Fault};

use super::change::{Edition, check_remount, end_tokens_of, free_to_move};
use super::record::MountRecord;
use super::table::Mount;
use crate::leases::{self, Force, Which};
use crate::open::Open;

/// How long requests that are under way may take to end, and how often that is looked at.
const DRAIN_DEADLINE: Duration = Duration::from_secs(90);
const DRAIN_POLL: Duration = Duration::from_millis(20);

/// Moves a mount from a path of one namespace to one of another. Its leases are revoked and its tokens ended first,
/// because they are of the old namespace; its data is copied, because a namespace's data goes with the namespace.
///
/// While this lasts the mount answers nothing. One transaction makes it of the new namespace; until then a failure or
/// a crash leaves it where it was, as it was.
pub async fn move_across(from: &Open, path: &str, to: &Open, new_path: &str) -> Result<(), Fault> {
    let record = check_remount(from, path, to, new_path).await?;
    let core = from.space.view.sub("core/");
    let (edition, seen) = core.get_seen::<Edition>(Edition::KEY).await?;
    let mount = from.space.mounts.exactly(path).ok_or(Fault::NotFound)?;
    let open_again = Arc::new(Mount::new(
        mount.record.clone(),
        &from.space.view,
        &from.settings,
    ));
    close(from, &mount.record);
    let moved = async {
        drained(mount).await?;
        end_what_hangs_on(from, &open_again.record).await?;
        let there = to.space.view.sub(&format!("logical/{}/", record.uuid));
        there.clear("").await?; // What an attempt that failed left behind.
        if let Err(error) = open_again.view.copy_to(&there).await {
            there.clear("").await?; // What has other keys there must not stay behind.
            return Err(error.into());
        }
        let next = Edition(edition.map_or(1, |old| old.0 + 1));
        let leaving = &from.space.mounts.view;
        let changes = leaving
            .changes()
            .delete(leaving, &record.uuid)
            .put(&core, Edition::KEY, &next)?
            .expect(&core, Edition::KEY, seen);
        let following = from
            .quotas
            .following(changes, &record.accessor, &to.space.id);
        arrive(to, following.await?, &record).await
    };
    match moved.await {
        Ok(()) => {
            from.space.mounts.remove(&record.uuid);
            let mount = Mount::new(record, &to.space.view, &to.settings);
            to.space.mounts.replace(&Arc::new(mount));
            to.quotas.reload().await?;
            Ok(open_again.view.clear("").await?)
        }
        Err(fault) => {
            from.space.mounts.replace(&open_again);
            Err(fault)
        }
    }
}

/// From here on no request finds the mount.
fn close(open: &Open, record: &MountRecord) {
    let mut closed = Mount::new(record.clone(), &open.space.view, &open.settings);
    closed.moving = true;
    open.space.mounts.replace(&Arc::new(closed));
}

/// Waits until nobody holds the mount any more: each request that found it does until it ends.
async fn drained(mount: Arc<Mount>) -> Result<(), Fault> {
    let idle = async {
        while Arc::strong_count(&mount) > 1 {
            tokio::time::sleep(DRAIN_POLL).await;
        }
    };
    tokio::time::timeout(DRAIN_DEADLINE, idle)
        .await
        .map_err(|_| {
            Fault::Unavailable(
                "requests to this mount did not end in time, so it stays where it is; try again"
                    .into(),
            )
        })
}

async fn end_what_hangs_on(open: &Open, record: &MountRecord) -> Result<(), Fault> {
    leases::revoke_all(open, Which::Mount(&record.accessor), Force::No).await?;
    match record.class() {
        Class::Auth => end_tokens_of(open, &record.path).await,
        Class::Secret => Ok(()),
    }
}

/// Adds the mount to the other namespace's table, in the same step in which it leaves this one's.
async fn arrive(
    to: &Open,
    changes: coffer_barrier::Changes,
    record: &MountRecord,
) -> Result<(), Fault> {
    let core = to.space.view.sub("core/");
    let (edition, seen) = core.get_seen::<Edition>(Edition::KEY).await?;
    free_to_move(&to.space.mounts.stored().await?, &record.path)?;
    to.namespaces.look_after(&to.space).await?;
    let next = Edition(edition.map_or(1, |old| old.0 + 1));
    let arriving = &to.space.mounts.view;
    let changes = changes
        .put(arriving, &record.uuid, record)?
        .put(&core, Edition::KEY, &next)?
        .expect(&core, Edition::KEY, seen);
    match changes.commit().await {
        Err(coffer_barrier::Error::Conflict) => Err(Fault::Conflict(
            "mounts were changed meanwhile, so this one stays where it is; try again".into(),
        )),
        other => Ok(other?),
    }
}
