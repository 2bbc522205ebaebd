//! `aliases`, `aliases/{alias}`: names that stand for keys, and can stand for others later.

use coffer_engine::{Ctx, Empty, Exists, Fault, Handle, Routes, Seen, path};
use coffer_wire::{Flag, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Kms;
use super::book::{ALIASES, AliasRecord, Draft, alias_place, alias_seen, named, read, settled};
use super::events::{ALIAS_CREATE, ALIAS_DELETE, ALIAS_UPDATE};
use super::exception::Exception;
use super::name::{Alias, KeyId, not_found};
use super::pages::{Paging, marker};

/// Aliases of one key at most.
const MAX_OF_ONE_KEY: usize = 50;
/// Aliases of a page, if nothing is said, and at most.
const PAGE: (usize, usize) = (50, 100);

pub(super) fn routes() -> Routes<Kms> {
    Routes::new([
        path("aliases", "The aliases.").list::<ListAliases>(),
        path("aliases/{alias}", "A name that stands for a key.")
            .read::<ReadAlias>()
            .write::<WriteAlias>()
            .delete::<DeleteAlias>()
            .exists::<ReadAlias>(),
    ])
}

/// Makes an alias, or lets one stand for another key.
///
/// Who may do that decides what everybody means who uses the alias.
#[derive(Deserialize, JsonSchema)]
struct WriteAlias {
    /// The name, with `:` for each `/`: `team:app` is `alias/team/app`.
    alias: String,
    /// The id of the key that it shall stand for.
    target_key_id: String,
    /// Refuses to change an alias that is there.
    #[serde(default)]
    create_only: Flag,
    /// Refuses to make an alias that is not there.
    #[serde(default)]
    update_only: Flag,
}

impl Handle<Kms> for WriteAlias {
    type Reply = Empty;

    async fn handle(self, engine: &Kms, cx: &Ctx) -> Result<Empty, Fault> {
        let alias = Alias::new(&self.alias)?;
        let target = KeyId::parse(&self.target_key_id);
        let target =
            target.ok_or_else(|| not_found(format_args!("key {:?}", self.target_key_id)))?;
        settled(|| self.attempt(engine, cx, &alias, target)).await
    }
}

impl WriteAlias {
    async fn attempt(
        &self,
        engine: &Kms,
        cx: &Ctx,
        alias: &Alias,
        target: KeyId,
    ) -> Result<Empty, Fault> {
        let (old, seen) = cx.view.get_seen::<AliasRecord>(&alias_place(alias)).await?;
        if old.is_some() && self.create_only.0 {
            return Err(Exception::AlreadyExists.because(format!("{alias} already exists")));
        }
        if old.is_none() && self.update_only.0 {
            return Err(not_found(alias));
        }
        let mut new = Draft::open(cx, target).await?;
        new.key.refuse_pending_deletion(target)?;
        let before = match &old {
            Some(old) if old.target != target => Some(Draft::open_raw(cx, old.target).await?),
            _ => None,
        };
        let before = before.flatten();
        if let Some(before) = &before {
            refuse_another_kind(before, &new)?;
        }
        new.key.aliases.insert(alias.clone());
        if new.key.aliases.len() > MAX_OF_ONE_KEY {
            return Err(Exception::LimitExceeded
                .because(format!("a key has {MAX_OF_ONE_KEY} aliases at most")));
        }
        save(engine, cx, (alias, old, seen), new, before).await
    }
}

/// An alias keeps meaning the same kind of key, so that whoever uses it is not surprised.
fn refuse_another_kind(old: &Draft, new: &Draft) -> Result<(), Fault> {
    let same = old.key.spec.family() == new.key.spec.family() && old.key.usage == new.key.usage;
    match same {
        true => Ok(()),
        false => Err(Exception::Validation.because(
            "the alias stands for a key of another kind or usage; delete the alias and make it anew",
        )),
    }
}

async fn save(
    engine: &Kms,
    cx: &Ctx,
    (alias, old, seen): (&Alias, Option<AliasRecord>, Seen),
    new: Draft,
    before: Option<Draft>,
) -> Result<Empty, Fault> {
    let place = alias_place(alias);
    let kind = match &old {
        Some(_) => ALIAS_UPDATE,
        None => ALIAS_CREATE,
    };
    let event = alias.event(kind, new.id);
    let record = AliasRecord {
        target: new.id,
        created: old.map_or(cx.now, |old| old.created),
        updated: cx.now,
    };
    let keys = [Some(new.id), before.as_ref().map(|before| before.id)];
    let _changing = engine
        .cache
        .changing(keys.into_iter().flatten(), [alias.clone()]);
    let changes = cx.view.changes().expect(&cx.view, &place, seen);
    let changes = changes.put(&cx.view, &place, &record)?;
    let mut changes = new.save_in(cx, changes)?;
    if let Some(mut before) = before {
        before.key.aliases.remove(alias);
        changes = before.save_in(cx, changes)?;
    }
    changes.commit().await?;
    cx.emit(event);
    Ok(Empty)
}

/// Shows what an alias stands for.
#[derive(Deserialize, JsonSchema)]
struct ReadAlias {
    /// The name, with `:` for each `/`.
    alias: String,
}

/// An alias.
#[derive(Serialize, JsonSchema)]
struct Entry {
    /// The name, with `alias/` in front.
    alias_name: String,
    /// The key it stands for.
    target_key_id: String,
    creation_date: Timestamp,
    last_updated_date: Timestamp,
}

impl Entry {
    fn of(alias: &Alias, record: &AliasRecord) -> Self {
        Self {
            alias_name: alias.to_string(),
            target_key_id: record.target.to_string(),
            creation_date: record.created,
            last_updated_date: record.updated,
        }
    }
}

impl Exists<Kms> for ReadAlias {
    async fn exists(self, _: &Kms, cx: &Ctx) -> Result<bool, Fault> {
        match Alias::of_segment(&self.alias) {
            Some(alias) => {
                let found: Option<AliasRecord> = cx.view.get(&alias_place(&alias)).await?;
                Ok(found.is_some())
            }
            None => Ok(false),
        }
    }
}

impl Handle<Kms> for ReadAlias {
    type Reply = Entry;

    async fn handle(self, _: &Kms, cx: &Ctx) -> Result<Entry, Fault> {
        let alias = known(&self.alias)?;
        let (record, _) = alias_seen(cx, &alias).await?;
        Ok(Entry::of(&alias, &record))
    }
}

/// Deletes an alias; the key stays.
#[derive(Deserialize, JsonSchema)]
struct DeleteAlias {
    /// The name, with `:` for each `/`.
    alias: String,
}

impl Handle<Kms> for DeleteAlias {
    type Reply = Empty;

    async fn handle(self, engine: &Kms, cx: &Ctx) -> Result<Empty, Fault> {
        let alias = known(&self.alias)?;
        settled(|| delete(engine, cx, &alias)).await
    }
}

async fn delete(engine: &Kms, cx: &Ctx, alias: &Alias) -> Result<Empty, Fault> {
    let (record, seen) = alias_seen(cx, alias).await?;
    let place = alias_place(alias);
    let target = Draft::open_raw(cx, record.target).await?;
    let _changing = engine.cache.changing([record.target], [alias.clone()]);
    let changes = cx.view.changes().expect(&cx.view, &place, seen);
    let mut changes = changes.delete(&cx.view, &place);
    if let Some(mut target) = target {
        target.key.aliases.remove(alias);
        changes = target.save_in(cx, changes)?;
    }
    changes.commit().await?;
    cx.emit(alias.event(ALIAS_DELETE, record.target));
    Ok(Empty)
}

fn known(segment: &str) -> Result<Alias, Fault> {
    let alias = Alias::of_segment(segment);
    alias.ok_or_else(|| not_found(format_args!("alias {segment:?}")))
}

/// Lists the aliases.
#[derive(Deserialize, JsonSchema)]
struct ListAliases {
    /// Those of this key only: its id, or `alias:NAME`.
    #[serde(default)]
    key_id: String,
    /// Which page.
    #[serde(flatten)]
    paging: Paging,
}

/// Aliases.
#[derive(Default, Serialize, JsonSchema)]
struct AliasList {
    /// Their names as they stand in paths.
    keys: Vec<String>,
    /// What they stand for.
    aliases: Vec<Entry>,
    /// Whether there are more.
    truncated: bool,
    /// Where the next page begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_marker: Option<String>,
}

impl Handle<Kms> for ListAliases {
    type Reply = AliasList;

    async fn handle(self, _: &Kms, cx: &Ctx) -> Result<AliasList, Fault> {
        let limit = self.paging.limit(PAGE.0, PAGE.1)?;
        let after = self.paging.after()?;
        let found = match self.key_id.as_str() {
            "" => all(cx, after.as_deref(), limit + 1).await?,
            key => of_key(cx, key, after.as_deref()).await?,
        };
        let mut list = AliasList::default();
        for (segment, record) in found {
            if list.keys.len() == limit {
                list.truncated = true;
                list.next_marker = list.keys.last().map(|last| marker(last));
                break;
            }
            let Some(alias) = Alias::of_segment(&segment) else {
                continue;
            };
            list.aliases.push(Entry::of(&alias, &record));
            list.keys.push(segment);
        }
        Ok(list)
    }
}

async fn all(
    cx: &Ctx,
    after: Option<&str>,
    wanted: usize,
) -> Result<Vec<(String, AliasRecord)>, Fault> {
    let mut found = Vec::new();
    let mut after = after.map(|after| format!("{ALIASES}{after}"));
    while found.len() < wanted {
        let left = wanted - found.len();
        let page = cx
            .view
            .scan::<AliasRecord>(ALIASES, after.as_deref(), left)
            .await?;
        let Some((last, _)) = page.last() else {
            break;
        };
        after = Some(last.clone());
        found.extend(
            page.into_iter().filter_map(|(path, record)| {
                Some((path.strip_prefix(ALIASES)?.to_owned(), record))
            }),
        );
    }
    Ok(found)
}

/// Those of one key are few: all of them.
async fn of_key(
    cx: &Ctx,
    key: &str,
    after: Option<&str>,
) -> Result<Vec<(String, AliasRecord)>, Fault> {
    let key = read(cx, named(cx, key).await?).await?;
    let mut segments: Vec<String> = key.aliases.iter().map(Alias::segment).collect();
    segments.sort_unstable();
    segments.retain(|segment| after.is_none_or(|after| segment.as_str() > after));
    let mut found = Vec::new();
    for segment in segments {
        let record = cx.view.get(&format!("{ALIASES}{segment}")).await?;
        found.extend(record.map(|record| (segment, record)));
    }
    Ok(found)
}
