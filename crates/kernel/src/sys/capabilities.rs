//! `sys/capabilities`: what a token may do, decided by the very code that enforces it.

use std::borrow::Cow;
use std::sync::Arc;

use coffer_crypto::Secret;

use coffer_engine::{Caller, Ctx, Fault, Handle, Reply, Routes, path};
use coffer_wire::{CommaList, Text, Verb};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, json};

use crate::authority::Authority;
use crate::grant;
use crate::open::Open;
use crate::tokens::TokenRecord;

/// How many paths one request may ask about.
const MAX_PATHS: usize = 10_000;

pub(super) fn routes() -> Routes<Open> {
    Routes::new([
        path("capabilities", "What a token may do on paths.").write::<OfToken>(),
        path(
            "capabilities-self",
            "What the token that asks may do on paths.",
        )
        .write::<OfSelf>(),
        path(
            "capabilities-accessor",
            "What the token with an accessor may do on paths.",
        )
        .write::<OfAccessor>(),
    ])
}

/// What a token may do on paths.
#[derive(Deserialize, JsonSchema)]
struct OfToken {
    /// The token.
    #[serde(default)]
    #[schemars(with = "String")]
    token: Option<Secret<String>>,
    /// The paths.
    #[serde(default)]
    paths: CommaList,
    /// The older name of `paths`.
    #[serde(default)]
    path: CommaList,
}

impl Handle<Open> for OfToken {
    type Reply = Reply;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        let token = self
            .token
            .ok_or_else(|| Fault::invalid("no token found; give it in the field token"))?;
        let record = open
            .tokens
            .by_token(token.expose())
            .await?
            .filter(|record| record.is_alive(cx.now));
        answer(
            open,
            cx,
            record.ok_or_else(|| Fault::invalid("invalid token"))?,
            self.paths,
            self.path,
        )
        .await
    }
}

/// What the token that asks may do on paths.
#[derive(Deserialize, JsonSchema)]
struct OfSelf {
    /// The paths.
    #[serde(default)]
    paths: CommaList,
    /// The older name of `paths`.
    #[serde(default)]
    path: CommaList,
    /// Ignored: the asking token is meant.
    #[serde(default, rename = "token")]
    _token: Text,
}

impl Handle<Open> for OfSelf {
    type Reply = Reply;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        let token = cx.token.as_deref().ok_or(Fault::Denied)?;
        let record = open
            .tokens
            .by_token(token.expose())
            .await?
            .ok_or(Fault::Denied)?;
        answer(open, cx, record, self.paths, self.path).await
    }
}

/// What the token with an accessor may do on paths.
#[derive(Deserialize, JsonSchema)]
struct OfAccessor {
    /// The accessor.
    #[serde(default)]
    accessor: Text,
    /// The paths.
    #[serde(default)]
    paths: CommaList,
    /// The older name of `paths`.
    #[serde(default)]
    path: CommaList,
}

impl Handle<Open> for OfAccessor {
    type Reply = Reply;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        let record = open
            .tokens
            .by_accessor(&self.accessor.0)
            .await?
            .filter(|record| record.is_alive(cx.now) && record.namespace == open.space.id);
        answer(
            open,
            cx,
            record.ok_or_else(|| Fault::invalid("invalid accessor"))?,
            self.paths,
            self.path,
        )
        .await
    }
}

async fn answer(
    open: &Open,
    cx: &Ctx,
    record: TokenRecord,
    paths: CommaList,
    path: CommaList,
) -> Result<Reply, Fault> {
    let asked = if paths.0.is_empty() { path.0 } else { paths.0 };
    if asked.is_empty() {
        return Err(Fault::invalid("paths must be supplied"));
    }
    if asked.len() > MAX_PATHS {
        return Err(Fault::Invalid(format!(
            "too many paths: {} (the limit is {MAX_PATHS})",
            asked.len()
        )));
    }
    let caller = crate::tokens::caller(&record, None);
    let mut answer = Map::new();
    for path in &asked {
        let held = json!(held(open, cx, &caller, path).await?);
        if asked.len() == 1 {
            answer.insert("capabilities".into(), held.clone());
        }
        answer.insert(path.clone(), held);
    }
    Reply::also_at_top(&answer)
}

/// The capabilities on a path, in the namespace that the path leads to.
async fn held(
    open: &Open,
    cx: &Ctx,
    caller: &Caller,
    path: &str,
) -> Result<Vec<&'static str>, Fault> {
    let here = Arc::clone(&open.space);
    let (space, rest) = open.namespaces.descend(here, path).await?;
    let there = Open::new(open, space);
    let authority = Authority::of(&there, caller, cx.now).await;
    let authority = authority.map_err(|fault| match fault {
        Fault::Denied => Fault::invalid("invalid token"), // Its entity is disabled or gone.
        other => other,
    })?;
    Ok(match compared(&there, rest) {
        Some(compared) => authority.capabilities_of_names(&compared, rest),
        None => authority.capabilities(rest),
    })
}

/// The path as enforcement would ask about it, where it has names that are one in all letters.
fn compared<'a>(open: &Open, path: &'a str) -> Option<Cow<'a, str>> {
    const VERBS: [Verb; 4] = [Verb::Read, Verb::Write, Verb::Delete, Verb::List];
    let mount = open.space.mounts.at(path);
    let found = mount.and_then(|mount| {
        let mut found = VERBS.iter().map(|verb| mount.find(*verb, mount.tail(path)));
        found.find_map(Result::ok)
    });
    let found = found.filter(|found| found.flags.caseless);
    found.map(|found| grant::compared(path, Some(&found)))
}
