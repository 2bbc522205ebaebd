//! `sys/namespaces`: servers within the server.

use std::collections::BTreeMap;
use std::sync::Arc;

use coffer_crypto::Zeroizing;
use coffer_engine::{Ctx, Event, Fault, Handle, Reply, Routes, path};
use coffer_wire::{CommaList, Flag, Text};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::namespace_seals::stanza;
use crate::authority::Authority;
use crate::events::catalogue;
use crate::lifecycle::{handed_out, recipients};
use crate::namespaces::{self, NamespacePath, NamespaceRecord, Space, Wish};
use crate::open::Open;
use crate::policy::Question;

pub(super) fn routes() -> Routes<Open> {
    Routes::new([
        path(
            "namespaces",
            "Lists the namespaces directly below this one.",
        )
        .list::<ListNamespaces>()
        .scan::<ScanNamespaces>(),
        path(
            "namespaces/{path*}",
            "One namespace directly below this one: makes, shows, changes, deletes it.",
        )
        .read::<ReadNamespace>()
        .write::<WriteNamespace>()
        .patch::<PatchNamespace>()
        .delete::<DeleteNamespace>(),
        path(
            "namespaces/api-lock/lock",
            "Locks the API of this namespace and of those within it.",
        )
        .write::<LockHere>(),
        path(
            "namespaces/api-lock/lock/{path*}",
            "Locks the API of a namespace below this one and of those within it.",
        )
        .write::<LockBelow>(),
        path(
            "namespaces/api-lock/unlock",
            "Unlocks the API of this namespace.",
        )
        .while_locked()
        .write::<UnlockHere>(),
        path(
            "namespaces/api-lock/unlock/{path*}",
            "Unlocks the API of a namespace below this one.",
        )
        .write::<UnlockBelow>(),
        path(
            "internal/ui/namespaces",
            "The namespaces directly below this one that the token may see.",
        )
        .unauthenticated()
        .read::<VisibleNamespaces>(),
    ])
}

/// Lists the namespaces directly below this one.
#[derive(Deserialize, JsonSchema)]
struct ListNamespaces {}

/// Lists the namespaces below this one at any depth.
#[derive(Deserialize, JsonSchema)]
struct ScanNamespaces {}

impl Handle<Open> for ListNamespaces {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        listed(open, false).await
    }
}

impl Handle<Open> for ScanNamespaces {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        listed(open, true).await
    }
}

async fn listed(open: &Open, deep: bool) -> Result<Reply, Fault> {
    let here = &open.space.path;
    let found = open.namespaces.below(here, deep).await?;
    let relative = |record: &NamespaceRecord| {
        let path = record.path.strip_prefix(here).unwrap_or(&record.path);
        path.to_owned()
    };
    let keys: Vec<String> = found.iter().map(relative).collect();
    if keys.is_empty() {
        // The reference answers an empty list and an empty scan differently.
        return if deep {
            Reply::data(&json!({}))
        } else {
            Err(Fault::NotFound)
        };
    }
    let each = found.iter().map(|record| (relative(record), shown(record)));
    let key_info: Map<String, Value> = each.collect();
    Reply::data(&json!({ "keys": keys, "key_info": key_info }))
}

fn shown(record: &NamespaceRecord) -> Value {
    json!({
        "id": record.shown_id(),
        "uuid": record.uuid,
        "path": record.path,
        "custom_metadata": record.custom_metadata,
        "locked": record.lock.is_some(),
        "tainted": record.tainted,
    })
}

/// Shows a namespace.
#[derive(Deserialize, JsonSchema)]
struct ReadNamespace {
    /// Its name.
    path: String,
}

impl Handle<Open> for ReadNamespace {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        let record = child(open, &self.path).await?.ok_or(Fault::NotFound)?;
        Reply::data(&shown(&record))
    }
}

/// Makes a namespace; if it is there, its notes are replaced.
#[derive(Deserialize, JsonSchema)]
struct WriteNamespace {
    /// Its name.
    path: String,
    /// Notes of its operators: names and texts.
    #[serde(default)]
    custom_metadata: Option<Map<String, Value>>,
    /// Gives it a seal of its own: a stanza like `seal "shamir" { shares = 3 threshold = 2 }`.
    #[serde(default)]
    seal: Option<Text>,
    /// OpenPGP public keys to encrypt the shares of its seal to, one for each share.
    #[serde(default)]
    pgp_keys: CommaList,
}

impl Handle<Open> for WriteNamespace {
    type Reply = Reply;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        let seal = self.seal.map(|text| stanza(&text.0)).transpose()?;
        let people = match &seal {
            Some(config) => recipients(&self.pgp_keys.0, config.secret_shares, cx.now)?,
            None => Vec::new(),
        };
        let notes = notes(self.custom_metadata.unwrap_or_default())?;
        let texts = |(name, text): (String, Option<String>)| Some((name, text?));
        let wish = Wish {
            custom_metadata: notes.into_iter().filter_map(texts).collect(),
            seal,
        };
        let made = namespaces::create(open, &self.path, wish).await?;
        told(open, catalogue::NAMESPACE_CREATE, &made.record.path);
        let mut shown = shown(&made.record);
        if let (Some(shares), Some(config), Some(shown)) =
            (made.shares, seal, shown.as_object_mut())
        {
            let shares = handed_out(shares, &people, &cx.random)?;
            let shares = shares
                .iter()
                .map(|share| Zeroizing::new(hex::encode(share)));
            let shares: Vec<_> = shares.collect();
            let shares: Vec<&str> = shares.iter().map(|share| share.as_str()).collect();
            shown.insert("key_shares".to_owned(), json!(shares));
            let threshold = config.secret_threshold.into();
            shown.insert("key_threshold".to_owned(), threshold);
        }
        Reply::data(&shown)
    }
}

/// Merges notes into those of a namespace; a null removes one.
#[derive(Deserialize, JsonSchema)]
struct PatchNamespace {
    /// Its name.
    path: String,
    /// Notes of its operators: names and texts.
    #[serde(default)]
    custom_metadata: Option<Map<String, Value>>,
}

impl Handle<Open> for PatchNamespace {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        let missing = || Fault::invalid("namespace not found");
        let there = child(open, &self.path).await?.ok_or_else(missing)?;
        let notes = notes(self.custom_metadata.unwrap_or_default())?;
        let record = namespaces::patch(open, &there, &notes).await?;
        told(open, catalogue::NAMESPACE_UPDATE, &record.path);
        Reply::data(&shown(&record))
    }
}

/// Deletes a namespace with all that it holds: its tokens and leases end, its data goes.
#[derive(Deserialize, JsonSchema)]
struct DeleteNamespace {
    /// Its name.
    path: String,
}

impl Handle<Open> for DeleteNamespace {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        if child(open, &self.path).await?.is_none() {
            return Ok(Reply::default()
                .status(200)
                .warn("requested namespace does not exist"));
        }
        let name = self.path.trim_end_matches('/');
        let space = open.namespaces.child(&open.space, name).await?;
        let space = space.ok_or(Fault::NotFound)?;
        namespaces::remove(open, &space).await?;
        told(open, catalogue::NAMESPACE_DELETE, &space.path);
        Reply::data(&json!({ "status": "in-progress" }))
    }
}

/// Locks the API of this namespace and of those within it; answers the key that unlocks it.
#[derive(Deserialize, JsonSchema)]
struct LockHere {}

/// Locks the API of a namespace below this one and of those within it; answers the key that unlocks it.
#[derive(Deserialize, JsonSchema)]
struct LockBelow {
    /// Its path, seen from here.
    path: String,
}

impl Handle<Open> for LockHere {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        lock(open, &open.space).await
    }
}

impl Handle<Open> for LockBelow {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        lock(open, &below(open, &self.path).await?).await
    }
}

async fn lock(open: &Open, space: &Arc<Space>) -> Result<Reply, Fault> {
    refuse_root(space)?;
    let key = namespaces::lock(open, space).await?;
    told(open, catalogue::NAMESPACE_LOCK, &space.path);
    Reply::data(&json!({ "unlock_key": key.expose() }))
}

/// Unlocks the API of this namespace.
#[derive(Deserialize, JsonSchema)]
struct UnlockHere {
    /// What locking it answered; not needed with the `sudo` capability.
    #[serde(default)]
    unlock_key: Text,
}

/// Unlocks the API of a namespace below this one.
#[derive(Deserialize, JsonSchema)]
struct UnlockBelow {
    /// Its path, seen from here.
    path: String,
    /// What locking it answered; not needed with the `sudo` capability.
    #[serde(default)]
    unlock_key: Text,
}

impl Handle<Open> for UnlockHere {
    type Reply = Reply;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        unlock(open, cx, &open.space, &self.unlock_key.0).await
    }
}

impl Handle<Open> for UnlockBelow {
    type Reply = Reply;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        let space = below(open, &self.path).await?;
        unlock(open, cx, &space, &self.unlock_key.0).await
    }
}

async fn unlock(open: &Open, cx: &Ctx, space: &Arc<Space>, key: &str) -> Result<Reply, Fault> {
    refuse_root(space)?;
    let by_rights = key.is_empty() && has_sudo(open, cx).await?;
    namespaces::unlock(open, space, key, by_rights).await?;
    told(open, catalogue::NAMESPACE_UNLOCK, &space.path);
    Ok(match by_rights {
        true => Reply::default()
            .status(200)
            .warn("Namespace unlocked using sudo capabilities"),
        false => Reply::default(),
    })
}

async fn has_sudo(open: &Open, cx: &Ctx) -> Result<bool, Fault> {
    let authority = Authority::of(open, cx.caller()?, cx.now).await?;
    let question = Question {
        path: &cx.request.path,
        verb: cx.request.verb,
        creates: false,
        body: &Map::new(),
        wrap_ttl: None,
        sudo_path: true,
    };
    Ok(authority.decide(&question).sudo)
}

fn refuse_root(space: &Space) -> Result<(), Fault> {
    match space.is_root() {
        true => Err(Fault::invalid("root namespace cannot be locked/unlocked")),
        false => Ok(()),
    }
}

/// Lists the namespaces directly below this one in which the token may do anything.
#[derive(Deserialize, JsonSchema)]
struct VisibleNamespaces {
    /// Those at any depth.
    #[serde(default)]
    recursive: Flag,
}

impl Handle<Open> for VisibleNamespaces {
    type Reply = Reply;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        // Whoever has a token may ask, as for the mounts it may see.
        let caller = super::sender(open, cx).await?.ok_or(Fault::Denied)?;
        let authority = Authority::of(open, &caller, cx.now).await?;
        let here = &open.space.path;
        let found = open.namespaces.below(here, self.recursive.0).await?;
        let paths = found
            .iter()
            .filter_map(|record| record.path.strip_prefix(here));
        let keys: Vec<&str> = paths.filter(|path| authority.sees_mount(path)).collect();
        match keys.is_empty() {
            true => Reply::data(&json!({})),
            false => Reply::data(&json!({ "keys": keys })),
        }
    }
}

/// Tells what became of a namespace, in the one at hand.
pub(super) fn told(open: &Open, kind: &'static str, path: &str) {
    let below = path.strip_prefix(&open.space.path).unwrap_or(path);
    let at = format!("sys/namespaces/{}", below.trim_end_matches('/'));
    open.tell(Event::new(kind, at.trim_end_matches('/')).with("namespace_path", path));
}

/// The namespace of a name directly below the one at hand, which may be sealed.
pub(super) async fn child(open: &Open, name: &str) -> Result<Option<NamespaceRecord>, Fault> {
    let name = name.trim_end_matches('/');
    if name.contains('/') {
        return Err(Fault::invalid("namespace name cannot contain /"));
    }
    open.namespaces.child_record(&open.space, name).await
}

/// The namespace at a path below the one at hand.
async fn below(open: &Open, path: &str) -> Result<Arc<Space>, Fault> {
    let path = format!("{}{path}", open.space.path);
    let found = match NamespacePath::parse(&path) {
        Some(path) => open.namespaces.at(&path).await?,
        None => None,
    };
    found.ok_or_else(|| Fault::invalid("requested namespace does not exist"))
}

/// Notes as they are kept: texts, or nothing for one that is to go.
fn notes(given: Map<String, Value>) -> Result<BTreeMap<String, Option<String>>, Fault> {
    let each = given.into_iter().map(|(name, value)| match value {
        Value::String(text) => Ok((name, Some(text))),
        Value::Null => Ok((name, None)),
        _ => Err(Fault::Invalid(format!(
            "custom_metadata values must be strings; {name:?} is not"
        ))),
    });
    each.collect()
}
