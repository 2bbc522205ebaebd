//! The paths below `auth/token/`, one file per topic.

mod access_keys;
mod accessors;
mod create;
mod lookup;
mod policies;
mod renew;
mod revoke;
mod roles;
mod tidy;

use std::sync::LazyLock;

use coffer_crypto::Secret;
use coffer_engine::{Ctx, Fault, Routes, TokenKind};
use coffer_wire::Text;
use serde_json::Map;

use crate::authority::Authority;
use crate::namespaces::id_of;
use crate::open::Open;
use crate::policy::Question;
use crate::tokens::TokenRecord;

static TABLE: LazyLock<Routes<Open>> = LazyLock::new(|| {
    Routes::merge([
        create::routes(),
        lookup::routes(),
        renew::routes(),
        revoke::routes(),
        roles::routes(),
        accessors::routes(),
        access_keys::routes(),
        tidy::routes(),
    ])
});

/// The table of everything below `auth/token/`.
pub fn routes() -> &'static Routes<Open> {
    &TABLE
}

/// The token that a request names, or none where it names none.
fn named(token: Option<&Secret<String>>) -> Option<&str> {
    token
        .map(|token| token.expose().as_str())
        .filter(|token| !token.is_empty())
}

/// The token that a request must name.
fn required(token: Option<&Secret<String>>) -> Result<&str, Fault> {
    named(token).ok_or_else(|| Fault::invalid("missing token ID"))
}

/// The accessor that a request must name.
fn required_accessor(accessor: &Text) -> Result<&str, Fault> {
    match accessor.0.as_str() {
        "" => Err(Fault::invalid("missing accessor")),
        accessor => Ok(accessor),
    }
}

/// The record of the token that asks; on its last use it is still there.
async fn own(open: &Open, cx: &Ctx) -> Result<TokenRecord, Fault> {
    let token = cx.token.as_deref().ok_or(Fault::Denied)?.expose();
    let record = open.tokens.by_token(token).await?;
    record
        .filter(|record| !record.revoking)
        .ok_or(Fault::Denied)
}

/// The record of a token that lives, if the caller may do with it what was asked: see [`known`].
async fn living(
    open: &Open,
    cx: &Ctx,
    token: &str,
    sudo: bool,
) -> Result<Option<TokenRecord>, Fault> {
    let record = known(open, cx, token, sudo).await?;
    Ok(record.filter(|record| record.is_alive(cx.now)))
}

/// The record of a token, living or not. One of the namespace at hand, or of one within it, is reached by what policy
/// allowed; one of another namespace by whoever may do the same there.
///
/// # Errors
/// [`Fault::Denied`] for all others: who names a token knows it, so there is nothing to hide, and no success is to be
/// told about what was not done.
async fn known(
    open: &Open,
    cx: &Ctx,
    token: &str,
    sudo: bool,
) -> Result<Option<TokenRecord>, Fault> {
    let Some(record) = open.tokens.by_token(token).await? else {
        return Ok(None);
    };
    if record.namespace == open.space.id {
        return Ok(Some(record));
    }
    let Some(home) = open.namespaces.by_id(&record.namespace).await? else {
        return Ok(None);
    };
    let within = home.seen_from(&open.space).is_some();
    if within || may_there(&Open::new(open, home), cx, token, sudo).await? {
        return Ok(Some(record));
    }
    Err(Fault::Denied)
}

/// Whether the caller may ask in another namespace what was asked here, without anybody having to authorize it.
async fn may_there(there: &Open, cx: &Ctx, token: &str, sudo: bool) -> Result<bool, Fault> {
    let authority = Authority::of(there, cx.caller()?, cx.now).await?;
    let body = Map::from_iter([("token".to_owned(), token.into())]);
    let verdict = authority.decide(&Question {
        path: &cx.request.path,
        verb: cx.request.verb,
        creates: false,
        body: &body,
        wrap_ttl: None,
        sudo_path: sudo,
    });
    Ok(verdict.allowed && verdict.controlled().factors.is_empty())
}

/// Whether an accessor is of the namespace at hand; those of others are as good as unknown.
fn is_here(open: &Open, accessor: &str) -> bool {
    id_of(accessor) == open.space.id
}

fn refuse_batch(record: &TokenRecord, done: &str) -> Result<(), Fault> {
    match record.kind {
        TokenKind::Batch => Err(Fault::Invalid(format!("batch tokens cannot be {done}"))),
        TokenKind::Service => Ok(()),
    }
}
