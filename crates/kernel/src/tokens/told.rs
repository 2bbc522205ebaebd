//! Telling what becomes of tokens. Neither a token nor anything it could be found out by is ever told: an accessor is not.

use std::sync::Arc;

use coffer_engine::{Event, TokenKind};
use coffer_wire::Auth;

use super::record::TokenRecord;
use crate::core::Core;
use crate::events::{Origin, catalogue};
use crate::mounts::Mount;
use crate::open::Open;

/// Where the accessors of tokens are: who may subscribe below is told of tokens.
const ACCESSORS: &str = "auth/token/accessors";

/// Tells that a token was made.
pub(super) fn made(open: &Open, record: &TokenRecord) {
    open.tell(living(catalogue::TOKEN_CREATE, record).with("created_by", &record.path));
}

/// Tells that a token was extended.
pub(super) fn renewed(home: &Open, record: &TokenRecord) {
    home.tell(living(catalogue::TOKEN_RENEW, record));
}

/// Tells that a token has ended.
pub(super) async fn ended(core: &Arc<Core>, record: &TokenRecord) {
    let now = core.clock.now();
    let kind = match record.expires.is_some_and(|expires| expires <= now) {
        true => catalogue::TOKEN_EXPIRE,
        false => catalogue::TOKEN_REVOKE,
    };
    match core.home_of(&record.accessor).await {
        Ok(Some(home)) => home.tell(about(kind, record)),
        Ok(None) => {}
        // It has ended, whether that can be told or not.
        Err(fault) => tracing::warn!(%fault, "the end of a token could not be told"),
    }
}

/// Tells that somebody logged in.
pub(crate) fn logged_in(open: &Open, mount: &Mount, path: &str, display_name: &str, auth: &Auth) {
    let path = path.strip_prefix(&mount.record.path).unwrap_or(path);
    let origin = Origin {
        space: &open.space,
        mount: Some(mount),
    };
    let event = Event::new(catalogue::AUTH_LOGIN, path)
        .with("accessor", &auth.accessor)
        .with("display_name", display_name)
        .with("entity_id", &auth.entity_id)
        .with("policies", auth.policies.join(","))
        .with("token_type", &auth.token_type);
    open.events.publish(origin, event);
}

fn living(kind: &'static str, record: &TokenRecord) -> Event {
    about(kind, record)
        .with("policies", record.policies.join(","))
        .with("renewable", record.renewable)
        .with_known("expire_time", record.expires)
}

fn about(kind: &'static str, record: &TokenRecord) -> Event {
    let path = match record.accessor.as_str() {
        "" => ACCESSORS.to_owned(), // Batch tokens have none.
        accessor => format!("{ACCESSORS}/{accessor}"),
    };
    Event::new(kind, path)
        .with("accessor", &record.accessor)
        .with("display_name", &record.display_name)
        .with("entity_id", &record.entity_id)
        .with(
            "token_type",
            match record.kind {
                TokenKind::Service => "service",
                TokenKind::Batch => "batch",
            },
        )
}
