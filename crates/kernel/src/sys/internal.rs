//! `sys/internal`: what user interfaces and the command line ask before they do their work.

use std::collections::BTreeMap;
use std::sync::Arc;

use coffer_engine::{Caller, Class, Ctx, Fault, Handle, Reply, Routes, path};
use coffer_wire::{Flag, Text};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::mount_shape::Shown;
use super::openapi;
use crate::authority::Authority;
use crate::mounts::Mount;
use crate::open::Open;
use crate::policy::{Grant, Parameters, Pattern};

/// How many tokens are counted at once.
const PAGE: usize = 1_000;

pub(super) fn routes() -> Routes<Open> {
    Routes::new([
        path("internal/ui/mounts", "The mounts that the caller can see.")
            .unauthenticated()
            .read::<ListMounts>(),
        path(
            "internal/ui/mounts/{path*}",
            "The mount that a path belongs to.",
        )
        .unauthenticated()
        .read::<ReadMount>(),
        path(
            "internal/ui/resultant-acl",
            "What the caller's policies grant together.",
        )
        .read::<ReadAcl>(),
        path("internal/ui/feature-flags", "Switches of user interfaces.")
            .unauthenticated()
            .read::<ReadFeatureFlags>(),
        path("internal/ui/version", "The version, for user interfaces.").read::<ReadVersion>(),
        path("internal/specs/openapi", "This API as an OpenAPI document.")
            .unauthenticated()
            .read::<ReadDocument>()
            .write::<ReadDocument>(),
        path("internal/counters/tokens", "How many tokens there are.").read::<CountTokens>(),
    ])
}

/// Who sent a request to a path that needs no token: nobody, or whom a living token speaks for. A
/// token that is not one, or not to be used from there, is refused.
pub(crate) async fn sender(open: &Open, cx: &Ctx) -> Result<Option<Arc<Caller>>, Fault> {
    let Some(token) = &cx.token else {
        return Ok(None);
    };
    let usable = open
        .tokens
        .usable(token.expose(), cx.request.client, cx.now);
    let record = usable.await?.ok_or(Fault::Denied)?;
    let standing = open.standing_of(&record.namespace, &record.entity_id);
    let standing = standing.await?;
    let caller = crate::tokens::caller(&record, standing.as_deref());
    Ok(Some(Arc::new(caller)))
}

/// Lists the mounts that the caller can see; without a token those that are shown to everyone.
#[derive(Deserialize, JsonSchema)]
struct ListMounts {}

impl Handle<Open> for ListMounts {
    type Reply = Reply;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        let authority = match sender(open, cx).await? {
            Some(caller) => Some(Authority::of(open, &caller, cx.now).await?),
            None => None,
        };
        let listed = |class| {
            let mounts = open.space.mounts.all(class);
            let seen = mounts.iter().filter_map(|mount| {
                let shown = seen_by(mount, authority.as_ref())?;
                Some((mount.record.shown_path().to_owned(), shown))
            });
            seen.collect::<BTreeMap<String, Value>>()
        };
        Reply::data(&json!({ "auth": listed(Class::Auth), "secret": listed(Class::Secret) }))
    }
}

/// What somebody sees of a mount: a stranger the little that is meant for everyone.
fn seen_by(mount: &Mount, authority: Option<&Authority>) -> Option<Value> {
    let record = &mount.record;
    if authority.is_some_and(|authority| authority.sees_mount(&record.path)) {
        return serde_json::to_value(Shown::of(mount)).ok();
    }
    let for_all = record.tuning.listing_visibility == "unauth";
    for_all.then(|| {
        json!({ "type": record.kind, "description": record.description, "options": record.options })
    })
}

/// Shows the mount that a path belongs to, and so the version of its engine.
#[derive(Deserialize, JsonSchema)]
struct ReadMount {
    /// A path below `/v1/`.
    path: String,
}

impl Handle<Open> for ReadMount {
    type Reply = Reply;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        let caller = sender(open, cx).await?.ok_or(Fault::Denied)?;
        let authority = Authority::of(open, &caller, cx.now).await?;
        let path = super::mounts::slashed(&self.path);
        let here = Arc::clone(&open.space);
        let (space, rest) = open.namespaces.descend(here, &path).await?;
        let below = path.strip_suffix(rest).unwrap_or_default();
        let shown_path = |mount: &Mount| format!("{below}{}", mount.record.path);
        let mount = space
            .mounts
            .at(rest)
            .filter(|mount| !mount.record.tainted && authority.sees_mount(&shown_path(mount)));
        // The same words where there is no mount and where the caller may not know of it.
        let mount = mount.ok_or_else(|| {
            Fault::Forbidden(format!(
                "preflight capability check returned 403, please ensure client's policies grant access to path {path:?}"
            ))
        })?;
        let mut shown = serde_json::to_value(Shown::of(&mount)).map_err(Fault::internal)?;
        if let Some(fields) = shown.as_object_mut() {
            let path = format!("{below}{}", mount.record.shown_path());
            fields.insert("path".into(), path.into());
        }
        Reply::data(&shown)
    }
}

/// Shows what the caller's policies grant together.
#[derive(Deserialize, JsonSchema)]
struct ReadAcl {}

impl Handle<Open> for ReadAcl {
    type Reply = Reply;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        let authority = Authority::of(open, cx.caller()?, cx.now).await?;
        if authority.is_root() {
            return Reply::data(&json!({ "root": true }));
        }
        let (mut exact, mut globs) = (Map::new(), Map::new());
        for (pattern, grant) in authority.policies().rules() {
            match pattern {
                Pattern::Exact(path) => exact.insert(path.to_string(), granted(grant)),
                Pattern::Prefix(path) => globs.insert(path.to_string(), granted(grant)),
                // Patterns with a `+` fit neither list; interfaces ask `capabilities-self` for those.
                _ => None,
            };
        }
        Reply::data(&json!({ "root": false, "exact_paths": exact, "glob_paths": globs }))
    }
}

fn granted(grant: &Grant) -> Value {
    let mut shown = Map::new();
    shown.insert("capabilities".into(), json!(grant.capabilities.names()));
    let parameters = |parameters: &Parameters| -> Map<String, Value> {
        let each = parameters.iter();
        each.map(|(name, values)| (name.to_owned(), json!(values)))
            .collect()
    };
    for (name, list) in [
        ("allowed_parameters", &grant.allowed),
        ("denied_parameters", &grant.denied),
    ] {
        if !list.is_empty() {
            shown.insert(name.into(), parameters(list).into());
        }
    }
    if !grant.required.is_empty() {
        shown.insert("required_parameters".into(), json!(grant.required));
    }
    shown.into()
}

/// Shows the version, for user interfaces.
#[derive(Deserialize, JsonSchema)]
struct ReadVersion {}

impl Handle<Open> for ReadVersion {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        Reply::data(&json!({ "version": open.settings.version }))
    }
}

/// Shows the switches of user interfaces; there are none.
#[derive(Deserialize, JsonSchema)]
struct ReadFeatureFlags {}

impl Handle<Open> for ReadFeatureFlags {
    type Reply = Reply;

    async fn handle(self, _: &Open, _: &Ctx) -> Result<Reply, Fault> {
        Reply::bare(&json!({ "feature_flags": [] }))
    }
}

/// Answers this API as an OpenAPI document: the paths of all mounts that the caller can see.
#[derive(Deserialize, JsonSchema)]
struct ReadDocument {
    /// Writes the paths of mounts as parameters, so that the document fits every server.
    #[serde(default)]
    generic_mount_paths: Flag,
    /// Which context examples are for; there are none.
    #[serde(default, rename = "context")]
    _context: Text,
}

impl Handle<Open> for ReadDocument {
    type Reply = Reply;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        let mut mounts = Vec::new();
        if let Some(caller) = sender(open, cx).await? {
            let authority = Authority::of(open, &caller, cx.now).await?;
            let all = [Class::Auth, Class::Secret].map(|class| open.space.mounts.all(class));
            let seen = |mount: &Arc<Mount>| {
                !mount.record.tainted && authority.sees_mount(&mount.record.path)
            };
            mounts.extend(all.into_iter().flatten().filter(seen));
        }
        let version = &open.settings.version;
        let document = openapi::of_mounts(&mounts, self.generic_mount_paths.0, version);
        Reply::bare(&document)
    }
}

/// Counts the tokens, page by page.
#[derive(Deserialize, JsonSchema)]
struct CountTokens {}

impl Handle<Open> for CountTokens {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        let mut total: u64 = 0;
        let mut after: Option<String> = None;
        loop {
            let page = open
                .tokens
                .accessors(&open.space.id, after.as_deref(), PAGE)
                .await?;
            total = total.saturating_add(u64::try_from(page.len()).unwrap_or_default());
            match page.last() {
                Some(last) => after = Some(last.clone()),
                None => break,
            }
        }
        Reply::data(&json!({ "counters": { "service_tokens": { "total": total } } }))
    }
}
