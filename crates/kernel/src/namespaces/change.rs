//! Making a namespace, and changing its notes.

use std::collections::BTreeMap;
use std::time::Duration;

use coffer_barrier::seal::{SealConfig, Shares};
use coffer_barrier::{Changes, Seen};
use coffer_crypto::Aes256Key;
use coffer_engine::Fault;

use super::load::{Place, by_id, by_path};
use super::name::{ID_CHARS, MAX_ID_BYTES, below};
use super::record::NamespaceRecord;
use super::seals::{SealRecord, sealed};
use crate::mounts::{self, Edition};
use crate::open::Open;

/// How often, and after which pause, a new seal looks whether a deleted one of the same path is forgotten.
const ANNOUNCE_TRIES: usize = 2_000;
const ANNOUNCE_PAUSE: Duration = Duration::from_millis(5);

/// What a new namespace shall be.
pub struct Wish {
    /// Notes of its operators.
    pub custom_metadata: BTreeMap<String, String>,
    /// How the key of its own seal is split, if it shall have one.
    pub seal: Option<SealConfig>,
}

/// A namespace that was made or changed, and the shares of a new one's own seal.
pub struct Created {
    /// What is stored about it.
    pub record: NamespaceRecord,
    /// The shares; none where it has no seal of its own or was there before.
    pub shares: Option<Shares>,
}

/// Makes a namespace below the one at hand; if it is there already, its notes are replaced.
pub async fn create(open: &Open, name: &str, wish: Wish) -> Result<Created, Fault> {
    let path = below(&open.space.path, name)?;
    loop {
        if let Some(there) = open
            .namespaces
            .child_record(&open.space, last(&path))
            .await?
        {
            if wish.seal.is_some() {
                return Err(Fault::invalid(
                    "cannot modify existing namespace seal config",
                ));
            }
            let replaced = |record: &mut NamespaceRecord| {
                record.custom_metadata.clone_from(&wish.custom_metadata);
            };
            let record = change_living(open, &there, replaced).await?;
            let shares = None;
            return Ok(Created { record, shares });
        }
        let record = described(open, &path, &wish)?;
        let made = match wish.seal {
            None => store(open, &record).await?.then_some(None),
            Some(config) => store_sealed(open, &record, config).await?.map(Some),
        };
        let Some(shares) = made else { continue };
        if shares.is_none() {
            let space = open.namespaces.child(&open.space, last(&path)).await?;
            let space = space.ok_or(Fault::NotFound)?;
            mounts::install_missing(&Open::new(open, space)).await?;
        }
        return Ok(Created { record, shares });
    }
}

/// The record of a new namespace. In one with a seal of its own, the id begins with that one's and the storage lies within
/// its: by that everything in it is found to be encrypted by those keys.
fn described(open: &Open, path: &str, wish: &Wish) -> Result<NamespaceRecord, Fault> {
    let uuid = open.random.uuid_v4();
    let around = open.namespaces.seals.around(&open.space.id);
    let id = around.map(|seal| seal.id.clone()).unwrap_or_default();
    let within = open.space.seal_prefix();
    let record = NamespaceRecord {
        place: within.map_or_else(String::new, |within| format!("{within}ns/{uuid}/")),
        id: format!("{id}{}", &*open.random.base62(ID_CHARS)),
        uuid,
        path: path.to_owned(),
        custom_metadata: wish.custom_metadata.clone(),
        own_seal: wish.seal.is_some(),
        ..NamespaceRecord::default()
    };
    match record.own_seal && record.id.len() >= MAX_ID_BYTES {
        true => Err(Fault::invalid(
            "a namespace within two others that have seals of their own can have none itself",
        )),
        false => Ok(record),
    }
}

/// Merges notes into a namespace's: a note without a value goes.
pub async fn patch(
    open: &Open,
    there: &NamespaceRecord,
    notes: &BTreeMap<String, Option<String>>,
) -> Result<NamespaceRecord, Fault> {
    change_living(open, there, |record| {
        for (name, value) in notes {
            match value {
                Some(value) => drop(record.custom_metadata.insert(name.clone(), value.clone())),
                None => drop(record.custom_metadata.remove(name)),
            }
        }
    })
    .await
}

async fn change_living(
    open: &Open,
    there: &NamespaceRecord,
    edit: impl Fn(&mut NamespaceRecord) + Send + Sync,
) -> Result<NamespaceRecord, Fault> {
    match there.tainted {
        true => Err(Fault::Invalid(format!(
            "the namespace {:?} is being deleted; wait until it is gone",
            there.path
        ))),
        false => change(open, &there.path, edit).await,
    }
}

/// Changes the stored record, then the one in memory.
pub(super) async fn change(
    open: &Open,
    path: &str,
    change: impl Fn(&mut NamespaceRecord) + Send + Sync,
) -> Result<NamespaceRecord, Fault> {
    let decide = |old: Option<NamespaceRecord>| {
        let mut record = old.ok_or(Fault::NotFound)?;
        change(&mut record);
        Ok::<_, Fault>((Some(record.clone()), record))
    };
    let record = open.namespaces.view.update(&by_path(path), decide).await?;
    open.namespaces.changed(&record);
    Ok(record)
}

/// Stores a new namespace, unless a mount of its parent is in the way or somebody was faster.
async fn store(open: &Open, record: &NamespaceRecord) -> Result<bool, Fault> {
    match addition(open, record).await?.commit().await {
        Ok(()) => Ok(true),
        Err(coffer_barrier::Error::Conflict) => Ok(false),
        Err(other) => Err(other.into()),
    }
}

/// As [`store`], with keys of its own, in one step. Answers their shares; nothing but these opens them from here on.
async fn store_sealed(
    open: &Open,
    record: &NamespaceRecord,
    config: SealConfig,
) -> Result<Option<Shares>, Fault> {
    let seals = &open.namespaces.seals;
    let seal = seals.prepare(record);
    let root = Aes256Key::generate(&open.random)?;
    let (shares, wrapped) = seal.keys.wrap(&root, config)?;
    let view = seals.view();
    let with = addition(open, record).await?;
    let with = with.put(view, &sealed(&record.id), &SealRecord::of(record))?;
    let with = wrapped.and(with.into_batch());
    let now = open.clock.now().secs();
    match seal.keys.initialise(&root, now, with).await {
        Ok(()) => {}
        Err(coffer_barrier::Error::Initialised) => return Ok(None), // Something was in the way: it is looked at anew.
        Err(other) => return Err(other.into()),
    }
    // Told only now that it is stored: of several who make the same one, one alone gets here. Until then it counts as sealed.
    for _ in 0..ANNOUNCE_TRIES {
        if seals.announce(&seal, record) {
            return Ok(Some(shares));
        }
        tokio::time::sleep(ANNOUNCE_PAUSE).await;
    }
    Err(Fault::Unavailable(
        "a deleted namespace of the same path is not forgotten yet".into(),
    ))
}

/// The writes that make a namespace.
async fn addition(open: &Open, record: &NamespaceRecord) -> Result<Changes, Fault> {
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
    let changes = beside_deletion(open, open.space.view.changes()).await?;
    Ok(changes
        .put(view, &by_path(&record.path), record)?
        .put(view, &by_id(&record.id), &place)?
        .expect(view, &by_path(&record.path), Seen::NOTHING)
        .expect(view, &by_id(&record.id), Seen::NOTHING)
        .expect(&core, Edition::KEY, seen))
}

/// The namespace around is expected as it is now: one that is being deleted gets no more children, and of a deletion and a
/// creation at once one alone happens.
async fn beside_deletion(open: &Open, changes: Changes) -> Result<Changes, Fault> {
    if open.space.is_root() {
        return Ok(changes);
    }
    let (view, path) = (&open.namespaces.view, by_path(&open.space.path));
    let (around, seen) = view.get_seen::<NamespaceRecord>(&path).await?;
    match around {
        Some(around) if around.id == open.space.id && !around.tainted => {
            Ok(changes.expect(view, &path, seen))
        }
        _ => Err(Fault::Invalid(format!(
            "the namespace {:?} is being deleted",
            open.space.path
        ))),
    }
}

/// The name of the namespace at a path.
pub(super) fn last(path: &str) -> &str {
    path.trim_end_matches('/')
        .rsplit('/')
        .next()
        .unwrap_or_default()
}
