//! `sys/seals`, `sys/sealwrap/rewrap` and `sys/break-glass`: who keeps the root key outside of the store, while the server
//! is open.

use std::collections::BTreeMap;

use coffer_barrier::RootCopy;
use coffer_barrier::seal::Protection;
use coffer_engine::{Ctx, Empty, Fault, Handle, Reply, Routes, path};
use coffer_wire::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::open::Open;
use crate::seals::{Keeping, SealStanza};

pub(super) fn routes() -> Routes<Open> {
    Routes::new([
        path("seals", "Who keeps the root key of this server.")
            .sudo()
            .read::<ReadSeals>()
            .list::<ReadSeals>(),
        path(
            "seals/{name}",
            "One seal: how it is; gives it a copy of the root key, takes it away.",
        )
        .sudo()
        .read::<ReadSeal>()
        .write::<AddSeal>()
        .delete::<RemoveSeal>(),
        path(
            "seals/{name}/verify",
            "Whether a seal's copy opens the storage.",
        )
        .sudo()
        .write::<VerifySeal>(),
        path(
            "sealwrap/rewrap",
            "Wraps the root key anew by the present keys of all seals.",
        )
        .sudo()
        .read::<ReadRewrap>()
        .write::<Rewrap>(),
        path(
            "break-glass",
            "The shares that open the server without its seals.",
        )
        .sudo()
        .read::<ReadBreakGlass>()
        .delete::<DeleteBreakGlass>(),
    ])
}

/// One seal as it is shown.
#[derive(Serialize)]
struct Shown {
    #[serde(rename = "type")]
    kind: String,
    configured: bool,
    disabled: bool,
    priority: Option<u32>,
    /// Whether there is a copy of the root key by it.
    wrapped: bool,
    /// The key that wrapped it, in the keeper's words.
    key_id: Option<String>,
    healthy: bool,
    last_asked: Option<Timestamp>,
    unhealthy_since: Option<Timestamp>,
    last_error: String,
}

/// Shows all seals: those that are configured, and those that have a copy of the root key.
#[derive(Deserialize, JsonSchema)]
struct ReadSeals {}

impl Handle<Open> for ReadSeals {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        let seals = shown(open).await?;
        let keys: Vec<_> = seals.keys().cloned().collect();
        let by = match open.barrier.protection().await? {
            Some(Protection::Keepers(_)) => "seals",
            _ => "shares",
        };
        Reply::data(&json!({
            "keys": keys,
            "key_info": seals,
            "protected_by": by,
            "break_glass": break_glass(open).await?,
        }))
    }
}

/// Shows one seal.
#[derive(Deserialize, JsonSchema)]
struct ReadSeal {
    /// Its name.
    name: String,
}

impl Handle<Open> for ReadSeal {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        let mut seals = shown(open).await?;
        Reply::data(&seals.remove(&self.name).ok_or(Fault::NotFound)?)
    }
}

/// Gives a configured seal a copy of the root key, so that it opens the server, too; one that has a copy gets a new one by
/// its present key.
#[derive(Deserialize, JsonSchema)]
struct AddSeal {
    /// Its name.
    name: String,
}

impl Handle<Open> for AddSeal {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        Keeping::of_open(open).add(&self.name).await?;
        let mut seals = shown(open).await?;
        Reply::data(&seals.remove(&self.name).ok_or(Fault::NotFound)?)
    }
}

/// Takes a seal's copy of the root key away, after another seal was seen to open the storage. Take its stanza out of the
/// configuration, too.
#[derive(Deserialize, JsonSchema)]
struct RemoveSeal {
    /// Its name.
    name: String,
}

impl Handle<Open> for RemoveSeal {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        Keeping::of_open(open).remove(&self.name).await?;
        Ok(Reply::default().warn(
            "older copies of the storage, and snapshots, still open with this seal; who must not use it any more must lose its key, or a new root key must take the place of this one (sys/rotate/root)",
        ))
    }
}

/// Asks a seal's keeper for the root key and compares it with the one in use.
#[derive(Deserialize, JsonSchema)]
struct VerifySeal {
    /// Its name.
    name: String,
}

impl Handle<Open> for VerifySeal {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        Keeping::of_open(open).verify(&self.name).await?;
        Reply::data(&json!({ "name": self.name, "verified": true }))
    }
}

/// Wraps the root key anew by the present keys of all seals that have it. A seal that fails keeps its old copy.
#[derive(Deserialize, JsonSchema)]
struct Rewrap {}

impl Handle<Open> for Rewrap {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        let outcome = Keeping::of_open(open).rewrap().await?;
        if outcome.failed.is_empty() {
            return Ok(Reply::default());
        }
        let failed: Vec<_> = outcome.failed.into_iter().map(|(_, why)| why).collect();
        let done = match outcome.done.is_empty() {
            true => "no seal".to_owned(),
            false => outcome.done.join(", "),
        };
        Err(Fault::Unavailable(format!(
            "wrapped anew by: {done}; not by: {}",
            failed.join("; ")
        )))
    }
}

/// Shows how many copies there are to wrap anew; it is done while the request is answered, so none is ever under way.
#[derive(Deserialize, JsonSchema)]
struct ReadRewrap {}

impl Handle<Open> for ReadRewrap {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        let copies = Keeping::of_open(open).copies().await?.len();
        Reply::data(&json!({
            "is_running": false,
            "entries": { "processed": copies, "succeeded": copies, "failed": 0 },
        }))
    }
}

/// Shows whether there are break-glass shares.
#[derive(Deserialize, JsonSchema)]
struct ReadBreakGlass {}

impl Handle<Open> for ReadBreakGlass {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        match break_glass(open).await? {
            Value::Null => Err(Fault::NotFound),
            found => Reply::data(&found),
        }
    }
}

/// Makes the break-glass shares worthless.
#[derive(Deserialize, JsonSchema)]
struct DeleteBreakGlass {}

impl Handle<Open> for DeleteBreakGlass {
    type Reply = Empty;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Empty, Fault> {
        let _turn = open.settings.seals.turn().await?;
        let removed = open.barrier.without_break_glass();
        open.ceremonies()?.clear_break_glass();
        open.barrier.commit_keys(removed).await?;
        tracing::warn!("the break-glass shares were made worthless");
        Ok(Empty)
    }
}

async fn break_glass(open: &Open) -> Result<Value, Fault> {
    let Some(found) = open.barrier.break_glass().await? else {
        return Ok(Value::Null);
    };
    Ok(json!({
        "shares": found.config.secret_shares,
        "threshold": found.config.secret_threshold,
        "created_time": Timestamp::from_secs(found.created_secs),
    }))
}

async fn shown(open: &Open) -> Result<BTreeMap<String, Map<String, Value>>, Fault> {
    let copies = Keeping::of_open(open).copies().await?;
    let stanzas = open.settings.seals.all();
    let mut names: Vec<&str> = stanzas.iter().map(|stanza| stanza.name.as_str()).collect();
    names.extend(copies.iter().map(|copy| copy.name.as_str()));
    let mut all = BTreeMap::new();
    for name in names {
        let stanza = stanzas.iter().find(|stanza| stanza.name == name);
        let copy = copies.iter().find(|copy| copy.name == name);
        let seal = seal(open, name, stanza.map(AsRef::as_ref), copy);
        if let Value::Object(seal) = serde_json::to_value(seal).map_err(Fault::internal)? {
            all.insert(name.to_owned(), seal);
        }
    }
    Ok(all)
}

fn seal(open: &Open, name: &str, stanza: Option<&SealStanza>, copy: Option<&RootCopy>) -> Shown {
    let health = open.settings.seals.health(name);
    let kind = stanza.map(|stanza| stanza.kind().to_owned());
    Shown {
        kind: kind
            .or_else(|| copy.map(|copy| copy.kind.clone()))
            .unwrap_or_default(),
        configured: stanza.is_some(),
        disabled: stanza.is_some_and(|stanza| stanza.disabled),
        priority: stanza.map(|stanza| stanza.priority),
        wrapped: copy.is_some(),
        key_id: copy.map(|copy| copy.wrapped.key_id.clone()),
        healthy: health.is_healthy(),
        last_asked: health.asked.map(Timestamp::whole_seconds),
        unhealthy_since: health.failing_since.map(Timestamp::whole_seconds),
        last_error: health.why,
    }
}
