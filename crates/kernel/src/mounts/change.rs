//! Changing the table of mounts.
//!
//! A change is decided on what is stored, not on the snapshot in memory, and stored only if nobody else
//! changed the table meanwhile; then the snapshot is swapped.

use std::sync::Arc;

use coffer_barrier::{Changes, Stored};
use coffer_engine::{Class, Event, Fault};
use serde::{Deserialize, Serialize};

use super::record::{MountRecord, NESTED, Tuning};
use super::table::{Backend, Mount};
use crate::core::Core;
use crate::events::catalogue;
use crate::leases::{self, Force, Which};
use crate::open::Open;
use crate::tokens;

/// How many records are read at once.
const PAGE: usize = 1_000;
/// Types that the kernel mounts itself, each once.
const BUILT_IN: [(&str, &str, &str); 4] = [
    (
        "sys/",
        "system",
        "system endpoints used for control, policy and debugging",
    ),
    (
        "cubbyhole/",
        "cubbyhole",
        "per-token private secret storage",
    ),
    ("identity/", "identity", "identity store"),
    ("auth/token/", "token", "token based credentials"),
];
/// Mount paths that nothing may be mounted at or below.
const RESERVED: [&str; 5] = ["sys/", "auth/", "cubbyhole/", "identity/", "audit/"];

/// Counts the changes of the table of a namespace, at [`Edition::KEY`] below its `core/`. Who decides on the
/// table without changing it (a new namespace must not hide a mount) expects the edition unchanged.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Edition(pub(super) u64);

impl Stored for Edition {}

impl Edition {
    pub(crate) const KEY: &str = "mount-edition";
}

/// What a change does to the stored records.
enum Edit {
    Put(Box<MountRecord>),
    Delete(Box<MountRecord>),
}

/// Makes the mounts that every namespace has, those that are missing: all of them at first, later those that an
/// older server did not know.
pub async fn install_missing(open: &Open) -> Result<(), Fault> {
    for (path, kind, description) in BUILT_IN {
        if open.space.mounts.exactly(path).is_some() {
            continue;
        }
        let nested = if open.space.is_root() { "" } else { NESTED };
        let record = MountRecord {
            path: path.into(),
            kind: format!("{nested}{kind}"),
            description: description.into(),
            local: kind == "cubbyhole",
            seal_wrap: kind == "system",
            tuning: default_tuning(kind),
            ..MountRecord::default()
        };
        put(open, named(open, record), |_| Ok(())).await?;
    }
    Ok(())
}

/// What the mounts of every namespace are tuned to: metrics are asked for in several forms, and clients of the OpenID
/// provider say in a header who they are.
fn default_tuning(kind: &str) -> Tuning {
    let header = match kind {
        "system" => Some("Accept"),
        "identity" => Some("Authorization"),
        _ => None,
    };
    Tuning {
        passthrough_request_headers: header.map(str::to_owned).into_iter().collect(),
        ..Tuning::default()
    }
}

/// Mounts an engine. `record` holds what the operator wants; uuid and accessor are made here.
pub async fn enable(open: &Open, record: MountRecord) -> Result<(), Fault> {
    let record = named(open, record);
    refuse_path(&record)?;
    if record.kind.starts_with(NESTED) {
        return Err(unknown_type(open, &record));
    }
    let mount = Mount::new(record.clone(), &open.space.view, &open.settings);
    if !matches!(mount.backend, Backend::Engine(_)) {
        return Err(unknown_type(open, &record));
    }
    let mount = Arc::new(mount);
    let free = |records: &[MountRecord]| match in_the_way(records, &record.path) {
        Some(other) => Err(Fault::Invalid(format!(
            "path is already in use at {}",
            other.shown_path()
        ))),
        None => Ok(()),
    };
    free(&open.space.mounts.stored().await?)?;
    refuse_namespace(open, &record.path).await?;
    if mount.engine()?.table().tick.is_some() {
        open.namespaces.look_after(&open.space).await?;
    }
    engine_begins(open, &mount, None).await?;
    put(open, record.clone(), free).await?;
    told(open, catalogue::MOUNT_ENABLE, &record);
    Ok(())
}

/// Tells what became of a mount.
fn told(open: &Open, kind: &'static str, record: &MountRecord) {
    open.tell(described(kind, record));
}

/// An event about a mount, at the path where that is managed.
fn described(kind: &'static str, record: &MountRecord) -> Event {
    let table = match record.class() {
        Class::Auth => "sys/auth",
        Class::Secret => "sys/mounts",
    };
    let path = format!("{table}/{}", record.shown_path().trim_end_matches('/'));
    Event::new(kind, path)
        .with("mount_path", &record.path)
        .with("mount_accessor", &record.accessor)
        .with("type", record.engine())
}

/// A mount must not hide a namespace: its first segment may not be the name of one.
async fn refuse_namespace(open: &Open, path: &str) -> Result<(), Fault> {
    let name = path.split('/').next().unwrap_or_default();
    match open.namespaces.child_record(&open.space, name).await? {
        Some(record) => Err(Fault::Invalid(format!(
            "path is already in use: there is a namespace at {:?}",
            record.path
        ))),
        None => Ok(()),
    }
}

/// Takes a mount away: no more requests, its leases revoked, its tokens ended, its data deleted.
///
/// Fails when leases can not be revoked now. The mount then stays closed; the leases are retried, and
/// disabling goes on by itself or when it is asked for again.
pub async fn disable(open: &Open, path: &str) -> Result<(), Fault> {
    let Some(mount) = open.space.mounts.exactly(path) else {
        return Ok(());
    };
    open.namespaces.look_after(&open.space).await?;
    if !mount.record.tainted {
        let close = |_: &[MountRecord], record: &mut MountRecord| {
            record.tainted = true;
            Ok(())
        };
        match change(open, &mount.record, close).await {
            Err(Fault::NotFound) => return Ok(()),
            closed => closed?,
        }
    }
    let Some(closed) = open.space.mounts.by_accessor(&mount.record.accessor) else {
        return Ok(());
    };
    open.leases.close(&closed.record.accessor).await?;
    leases::revoke_all(open, Which::Mount(&closed.record.accessor), Force::No).await?;
    take_away(open, &closed).await
}

/// Removes a closed mount that has no leases any more.
async fn take_away(open: &Open, closed: &Mount) -> Result<(), Fault> {
    if closed.record.class() == Class::Auth {
        end_tokens_of(open, &closed.record.path).await?;
    }
    closed.view.clear("").await?;
    open.quotas.forget_mount(&closed.record.accessor).await?;
    let record = closed.record.clone();
    let gone = closed.record.clone();
    edit(open, move |_| Ok(Edit::Delete(Box::new(record.clone())))).await?;
    told(open, catalogue::MOUNT_DISABLE, &gone);
    Ok(())
}

/// Goes on with disablings that a crash or a failing target interrupted. Leases that are being retried
/// are left to that; their mounts go when they are gone.
pub async fn resume_disabling(core: &Arc<Core>) -> Result<(), Fault> {
    let mut first_fault = Ok(());
    for space in core.namespaces.needing_care().await? {
        first_fault = first_fault.and(resume_all(&Open::new(core, space)).await);
    }
    first_fault
}

async fn resume_all(open: &Open) -> Result<(), Fault> {
    let mounts = open.space.mounts.every().into_iter();
    let mut first_fault = Ok(());
    for mount in mounts.filter(|mount| mount.record.tainted) {
        first_fault = first_fault.and(resume(open, &mount).await);
    }
    first_fault
}

async fn resume(open: &Open, mount: &Mount) -> Result<(), Fault> {
    open.leases.close(&mount.record.accessor).await?;
    match leases::end_all(open, Which::Mount(&mount.record.accessor)).await? {
        0 => take_away(open, mount).await,
        left => {
            tracing::warn!(
                mount = mount.record.path,
                left,
                "a mount waits for its leases to be revoked"
            );
            Ok(())
        }
    }
}

/// Moves a mount. Its leases are revoked, because their ids name the old path; its data stays.
pub async fn remount(open: &Open, from: &str, to: &str) -> Result<(), Fault> {
    let record = check_remount(open, from, open, to).await?;
    leases::revoke_all(open, Which::Mount(&record.accessor), Force::No).await?;
    let to_there = |records: &[MountRecord], record: &mut MountRecord| {
        free_to_move(records, to)?;
        refuse_closed(record)?;
        record.path = to.to_owned();
        Ok(())
    };
    change(open, &record, to_there).await
}

/// What is wrong with moving a mount from a path of one namespace to one of the same or another, if anything; else
/// its new record.
pub async fn check_remount(
    open: &Open,
    from: &str,
    there: &Open,
    to: &str,
) -> Result<MountRecord, Fault> {
    let mount = open
        .space
        .mounts
        .exactly(from)
        .ok_or_else(|| Fault::Invalid(format!("no matching mount at {from:?}")))?;
    if is_reserved(from) || mount.record.engine() == "token" {
        return Err(Fault::Invalid(format!("cannot remount {from:?}")));
    }
    let record = MountRecord {
        path: to.to_owned(),
        ..mount.record.clone()
    };
    match (mount.record.class(), record.class()) {
        (Class::Auth, Class::Secret) => {
            return Err(Fault::Invalid(format!(
                "cannot remount auth mount to non-auth mount {to:?}"
            )));
        }
        (Class::Secret, Class::Auth) => {
            return Err(Fault::Invalid(format!(
                "cannot remount non-auth mount to auth mount {to:?}"
            )));
        }
        (Class::Auth, Class::Auth) | (Class::Secret, Class::Secret) => {}
    }
    refuse_path(&record)?;
    refuse_closed(&mount.record)?;
    refuse_namespace(there, to).await?;
    free_to_move(&there.space.mounts.stored().await?, to)?;
    Ok(record)
}

pub(super) fn free_to_move(records: &[MountRecord], to: &str) -> Result<(), Fault> {
    match in_the_way(records, to) {
        Some(other) => Err(Fault::Invalid(format!(
            "path already in use at {:?}",
            other.path
        ))),
        None => Ok(()),
    }
}

/// Changes what can be tuned. A new option `version` moves the data to that version of the engine.
pub async fn tune(
    open: &Open,
    path: &str,
    settings: impl Fn(&mut MountRecord) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let mount = open.space.mounts.exactly(path).ok_or_else(|| {
        Fault::Invalid(format!(
            "tune of path {path:?} failed: no mount entry found"
        ))
    })?;
    let mut record = mount.record.clone();
    settings(&mut record)?;
    let old_version = mount.record.options.get("version").cloned();
    if record.options.get("version") != old_version.as_ref() {
        let changed = Arc::new(Mount::new(record.clone(), &open.space.view, &open.settings));
        engine_begins(open, &changed, Some(old_version.as_deref().unwrap_or("1"))).await?;
    }
    let tuned = |_: &[MountRecord], record: &mut MountRecord| {
        refuse_closed(record)?;
        settings(record)
    };
    change(open, &mount.record, tuned).await?;
    told(open, catalogue::MOUNT_TUNE, &mount.record);
    Ok(())
}

/// Tells that a mount has moved, in the namespace where it is now.
pub fn tell_move(there: &Open, from: &str, to: &str) {
    if let Some(mount) = there.space.mounts.exactly(to) {
        let event = described(catalogue::MOUNT_MOVE, &mount.record);
        there.tell(event.with("from", from));
    }
}

/// Makes the engine of a mount anew: what it holds in memory (connections, caches) is let go.
pub fn reload(open: &Open, mount: &Mount) {
    let record = mount.record.clone();
    swap(open, &Edit::Put(Box::new(record)));
}

/// What is wrong with a path to mount at, if anything.
fn refuse_path(record: &MountRecord) -> Result<(), Fault> {
    let shown = record.shown_path();
    let odd = shown.is_empty()
        || !shown.ends_with('/')
        || shown
            .split('/')
            .rev()
            .skip(1)
            .any(|segment| matches!(segment, "" | "." | ".."));
    if odd || shown.chars().any(char::is_control) {
        return Err(Fault::Invalid(format!(
            "{shown:?} is not a path to mount at; use segments separated by single slashes"
        )));
    }
    if record.class() == Class::Secret && is_reserved(&record.path) {
        return Err(Fault::Invalid(format!("cannot mount {:?}", record.path)));
    }
    Ok(())
}

fn is_reserved(path: &str) -> bool {
    RESERVED.iter().any(|reserved| {
        path.starts_with(reserved) && !(path.starts_with("auth/") && path.len() > "auth/".len())
    }) || path.starts_with("auth/token/")
}

fn unknown_type(open: &Open, record: &MountRecord) -> Fault {
    match open.settings.kind(record.class(), &record.kind) {
        None => Fault::Invalid(format!("plugin not found in the catalog: {}", record.kind)),
        Some(kind) => {
            let known: Vec<_> = kind.versions().collect();
            let asked = record
                .options
                .get("version")
                .map(String::as_str)
                .unwrap_or_default();
            Fault::Invalid(format!(
                "the engine {:?} has no version {asked:?}; choose one of {}",
                record.kind,
                known.join(", ")
            ))
        }
    }
}

fn named(open: &Open, mut record: MountRecord) -> MountRecord {
    let class = if record.class() == Class::Auth {
        "auth_"
    } else {
        ""
    };
    record.uuid = open.random.uuid_v4();
    record.accessor = format!(
        "{class}{}_{}",
        record.engine(),
        hex::encode(open.random.bytes::<4>())
    );
    record
}

fn in_the_way<'a>(records: &'a [MountRecord], path: &str) -> Option<&'a MountRecord> {
    records
        .iter()
        .find(|other| other.path.starts_with(path) || path.starts_with(&other.path))
}

async fn engine_begins(open: &Open, mount: &Arc<Mount>, from: Option<&str>) -> Result<(), Fault> {
    let engine = mount
        .engine()
        .map_err(|_| unknown_type(open, &mount.record))?;
    engine.begin(&open.background(mount), from).await
}

pub(super) async fn end_tokens_of(open: &Open, path: &str) -> Result<(), Fault> {
    let mut after: Option<String> = None;
    loop {
        let tokens = &open.tokens;
        let page = tokens
            .accessors(&open.space.id, after.as_deref(), PAGE)
            .await?;
        let Some(last) = page.last().cloned() else {
            return Ok(());
        };
        for accessor in page {
            let made_here = open
                .tokens
                .by_accessor(&accessor)
                .await?
                .is_some_and(|record| record.path.starts_with(path));
            if made_here {
                tokens::revoke_tree(open, &accessor).await?;
            }
        }
        after = Some(last);
    }
}

/// Changes the stored record of a mount; [`Fault::NotFound`] where another change took it away meanwhile.
async fn change(
    open: &Open,
    of: &MountRecord,
    change: impl Fn(&[MountRecord], &mut MountRecord) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let decide = |records: &[MountRecord]| {
        let stored = records.iter().find(|record| record.uuid == of.uuid);
        let mut record = stored.cloned().ok_or(Fault::NotFound)?;
        change(records, &mut record)?;
        Ok(Edit::Put(Box::new(record)))
    };
    edit(open, decide).await
}

fn refuse_closed(record: &MountRecord) -> Result<(), Fault> {
    match record.tainted {
        true => Err(Fault::Invalid(format!(
            "the mount at {:?} is being disabled",
            record.shown_path()
        ))),
        false => Ok(()),
    }
}

async fn put(
    open: &Open,
    record: MountRecord,
    check: impl Fn(&[MountRecord]) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let decide = move |records: &[MountRecord]| {
        check(records)?;
        Ok(Edit::Put(Box::new(record.clone())))
    };
    edit(open, decide).await
}

async fn edit(
    open: &Open,
    decide: impl Fn(&[MountRecord]) -> Result<Edit, Fault>,
) -> Result<(), Fault> {
    let mounts = &open.space.mounts;
    let core = open.space.view.sub("core/");
    loop {
        let (edition, seen) = core.get_seen::<Edition>(Edition::KEY).await?;
        let edit = decide(&mounts.stored().await?)?;
        let changes = written(open, &edit)?.put(
            &core,
            Edition::KEY,
            &Edition(edition.map_or(1, |old| old.0 + 1)),
        )?;
        match changes.expect(&core, Edition::KEY, seen).commit().await {
            Ok(()) => {
                swap(open, &edit);
                return Ok(());
            }
            Err(coffer_barrier::Error::Conflict) => {}
            Err(other) => return Err(other.into()),
        }
    }
}

fn written(open: &Open, edit: &Edit) -> Result<Changes, Fault> {
    let mounts = &open.space.mounts;
    let changes = mounts.view.changes();
    Ok(match edit {
        Edit::Put(record) => changes.put(&mounts.view, &record.uuid, record.as_ref())?,
        Edit::Delete(record) => open
            .leases
            .unclosed(changes.delete(&mounts.view, &record.uuid), &record.accessor),
    })
}

fn swap(open: &Open, edit: &Edit) {
    let mounts = &open.space.mounts;
    match edit {
        Edit::Put(record) => {
            let record = record.as_ref().clone();
            let mount = Mount::new(record, &open.space.view, &open.settings);
            mounts.replace(&Arc::new(mount));
        }
        Edit::Delete(record) => mounts.remove(&record.uuid),
    }
}
