//! Wrapped answers: the client gets a token that hands the answer out once.
//!
//! The answer waits in the wrapping token's own storage, so it ends with the token. The token's one
//! use is spent durably before the answer is read: of many who unwrap at once, one gets it.

mod jwt;

use std::time::Duration;

use coffer_barrier::{Changes, Stored, View};
use coffer_engine::{Body, Fault, Renewed, Reply, Wrapping};
use coffer_wire::{Auth, Timestamp, Verb, WrapInfo};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

use crate::grant::Asked;
use crate::open::Open;
use crate::policy::builtin::RESPONSE_WRAPPING;
use crate::request::Response;
use crate::tokens::{self, NewToken, TokenRecord};

pub(crate) use jwt::{inside, public_point};

/// The header that asks for another form of wrapping token, in lower case.
const FORMAT_HEADER: &str = "x-vault-wrap-format";
/// The other form.
const JWT: &str = "jwt";
/// Where the answer waits, within the token's own storage.
const RECORD: &str = "wrapped";

/// An answer that waits, as stored.
#[derive(Serialize, Deserialize)]
pub(crate) struct Wrapped {
    /// The JSON text of `data`; empty if there is none.
    data: String,
    auth: Option<Box<Auth>>,
    warnings: Vec<String>,
    lease_id: String,
    lease_secs: u64,
    renewable: bool,
    /// The path that made the answer.
    pub(crate) path: String,
    /// When it was wrapped.
    pub(crate) created: Timestamp,
    /// How long it waits.
    pub(crate) ttl_secs: u64,
}

impl Stored for Wrapped {}

impl Drop for Wrapped {
    fn drop(&mut self) {
        self.data.zeroize();
        if let Some(auth) = &mut self.auth {
            auth.client_token.zeroize();
        }
    }
}

/// Wraps the answer, if the request asks for it and there is something to wrap.
pub(crate) async fn wrap_if_asked(
    open: &Open,
    asked: &Asked,
    wrapping: Wrapping,
    mut response: Response,
) -> Result<Response, Fault> {
    let ttl = asked.request.wrap_ttl.filter(|ttl| !ttl.is_zero());
    let (ttl, name) = match (wrapping, ttl) {
        (Wrapping::Done(info), _) => {
            response.wrap_info = Some(*info);
            response.request_id.clear();
            return Ok(response);
        }
        (Wrapping::Required, None) => {
            return Err(Fault::invalid(
                "endpoint requires response wrapping to be used; send the header X-Vault-Wrap-TTL",
            ));
        }
        (_, None) => return Ok(response),
        (Wrapping::Named(name), Some(ttl)) => (ttl, Some(name)),
        (_, Some(ttl)) => (ttl, None),
    };
    Box::pin(wrap(open, asked, (ttl, name), response)).await
}

async fn wrap(
    open: &Open,
    asked: &Asked,
    (ttl, name): (Duration, Option<String>),
    mut response: Response,
) -> Result<Response, Fault> {
    let Some(data) = wrappable(&response)? else {
        return Ok(response);
    };
    let wrapped = Wrapped {
        data,
        auth: response.auth.take(),
        warnings: std::mem::take(&mut response.warnings),
        lease_id: std::mem::take(&mut response.lease_id),
        lease_secs: response.lease_duration,
        renewable: response.renewable,
        path: creation_path(asked),
        created: asked.now,
        ttl_secs: ttl.as_secs(),
    };
    let mut info = put(open, wrapped, ttl, asked.now, None).await?;
    if let Some(name) = name {
        info.wrapped_accessor = name;
    }
    let format = asked.request.headers.get(FORMAT_HEADER);
    if format.is_some_and(|values| values.first().is_some_and(|value| value == JWT)) {
        info.token = jwt::around(&info, open, asked.now).await?;
    }
    // The reference names no request here: the answer belongs to whoever unwraps it.
    Ok(Response {
        wrap_info: Some(info),
        ..Response::default()
    })
}

/// Keeps something under a new wrapping token that is no answer: a request that waits.
pub(crate) async fn keep<T: Stored>(
    open: &Open,
    (place, kept): (&str, T),
    asked: &Asked,
    ttl: Duration,
) -> Result<WrapInfo, Fault> {
    let path = creation_path(asked);
    let move_in = |changes: Changes, record: &TokenRecord| {
        Ok(changes.put(&storage(open, &record.accessor)?, place, &kept)?)
    };
    let made = issue(open, (&path, ttl), asked.now, None, move_in).await?;
    let (token, record) = made;
    Ok(WrapInfo {
        token,
        ttl: record.ttl_secs(asked.now),
        accessor: record.accessor,
        creation_time: asked.now,
        creation_path: path,
        wrapped_accessor: String::new(),
    })
}

/// The path as it is shown to who looks a wrapping token up: lists with a slash, as policy is asked about them.
fn creation_path(asked: &Asked) -> String {
    let path = asked.request.path.as_str();
    match asked.request.verb {
        Verb::List | Verb::Scan if !path.ends_with('/') => format!("{path}/"),
        _ => path.to_owned(),
    }
}

/// The data to wrap, empty for a token alone; none where there is nothing to wrap.
fn wrappable(response: &Response) -> Result<Option<String>, Fault> {
    match &response.body {
        Body::Json(text) | Body::JsonAlsoAtTop(text) => {
            let text = std::str::from_utf8(text).map_err(Fault::internal)?;
            Ok(Some(text.to_owned()))
        }
        Body::Empty => Ok(response.auth.is_some().then(String::new)),
        // Answers without an envelope have no place for the token; the reference does not wrap them.
        Body::JsonBare(_) | Body::Stream(_) => Ok(None),
        Body::Raw { .. } => Err(Fault::invalid(
            "this answer is not JSON and can not be wrapped; ask for it without X-Vault-Wrap-TTL",
        )),
    }
}

/// Moves what waits under a wrapping token to a new one. In one durable step the new token has it and
/// the old one is spent, so whatever fails, exactly one of them hands it out.
pub(crate) async fn rewrap(open: &Open, token: &str, now: Timestamp) -> Result<WrapInfo, Fault> {
    let (old, home) = living(open, token, now).await?;
    let found: Option<Wrapped> = storage(&home, &old.accessor)?.get(RECORD).await?;
    let wrapped = found.ok_or_else(no_such_token)?;
    let ttl = Duration::from_secs(wrapped.ttl_secs);
    let moved = put(&home, wrapped, ttl, now, Some(&old.accessor)).await;
    let info = moved.map_err(|fault| match fault {
        Fault::Denied => no_such_token(),
        other => other,
    })?;
    if let Err(fault) = tokens::revoke_tree(open, &old.accessor).await {
        tracing::warn!(%fault, "a spent wrapping token could not be removed; it is removed when its time is over");
    }
    Ok(info)
}

/// Stores an answer under a new wrapping token; one that is replaced by it is spent and emptied.
async fn put(
    open: &Open,
    mut wrapped: Wrapped,
    ttl: Duration,
    now: Timestamp,
    replaced: Option<&str>,
) -> Result<WrapInfo, Fault> {
    wrapped.created = now;
    let path = wrapped.path.clone();
    let move_in = |changes: Changes, record: &TokenRecord| {
        wrapped.ttl_secs = record.ttl_secs(now);
        let changes = match replaced {
            Some(old) => changes.delete(&storage(open, old)?, RECORD),
            None => changes,
        };
        Ok(changes.put(&storage(open, &record.accessor)?, RECORD, &wrapped)?)
    };
    let made = issue(open, (&path, ttl), now, replaced, move_in).await?;
    let (token, record) = made;
    Ok(WrapInfo {
        token,
        accessor: record.accessor,
        ttl: wrapped.ttl_secs,
        creation_time: now,
        creation_path: path,
        wrapped_accessor: wrapped
            .auth
            .as_ref()
            .map(|auth| auth.accessor.clone())
            .unwrap_or_default(),
    })
}

/// Issues a wrapping token together with what it carries.
async fn issue(
    open: &Open,
    (path, ttl): (&str, Duration),
    now: Timestamp,
    replaced: Option<&str>,
    move_in: impl FnMut(Changes, &TokenRecord) -> Result<Changes, Fault> + Send,
) -> Result<(String, TokenRecord), Fault> {
    let mount = open
        .space
        .mounts
        .exactly("auth/token/")
        .ok_or_else(|| Fault::internal("there is no token mount"))?;
    let new = NewToken {
        policies: vec![RESPONSE_WRAPPING.to_owned()],
        no_default_policy: true,
        path: path.to_owned(),
        num_uses: 1,
        ttl,
        explicit_max_ttl: ttl,
        ..NewToken::default()
    };
    let made = open.issue_with(new, &mount, now, replaced, move_in).await?;
    let (mut auth, record) = made;
    Ok((std::mem::take(&mut auth.client_token), record))
}

/// What waits under a wrapping token; it goes on waiting.
pub(crate) async fn look(open: &Open, token: &str, now: Timestamp) -> Result<Wrapped, Fault> {
    let (record, home) = living(open, token, now).await?;
    let found = storage(&home, &record.accessor)?.get(RECORD).await?;
    found.ok_or_else(no_such_token)
}

/// Takes what waits under a wrapping token. Nobody gets it again.
pub(crate) async fn take(open: &Open, token: &str, now: Timestamp) -> Result<Wrapped, Fault> {
    let (record, home) = living(open, token, now).await?;
    let spent = open.tokens.spend_use(record).await;
    let record = spent.map_err(|fault| match fault {
        Fault::Denied => no_such_token(),
        other => other,
    })?;
    let found: Option<Wrapped> = storage(&home, &record.accessor)?.get(RECORD).await?;
    tokens::revoke_tree(open, &record.accessor).await?;
    found.ok_or_else(no_such_token)
}

impl Wrapped {
    /// The answer as it would have been without wrapping.
    pub(crate) fn into_reply(mut self) -> Reply {
        let data = Zeroizing::new(std::mem::take(&mut self.data).into_bytes());
        let ttl = Duration::from_secs(self.lease_secs);
        let has_lease = !self.lease_id.is_empty();
        Reply {
            body: if data.is_empty() {
                Body::Empty
            } else {
                Body::Json(data)
            },
            auth: self.auth.take(),
            warnings: std::mem::take(&mut self.warnings),
            renewed: has_lease.then(|| Renewed {
                lease_id: std::mem::take(&mut self.lease_id),
                ttl,
                renewable: self.renewable,
            }),
            lease_duration: (!has_lease && !ttl.is_zero()).then_some(ttl),
            ..Reply::default()
        }
    }
}

/// The record of a wrapping token that lives, and the server as seen from its namespace: whoever holds the token
/// may unwrap from any.
pub(crate) async fn living(
    open: &Open,
    token: &str,
    now: Timestamp,
) -> Result<(TokenRecord, Open), Fault> {
    let record = open.tokens.by_token(token).await?;
    let wraps =
        |record: &TokenRecord| record.is_alive(now) && record.num_uses == 1 && record.is_wrapping();
    let record = record.filter(wraps).ok_or_else(no_such_token)?;
    let home = open.home_of(&record.accessor).await?;
    Ok((record, home.ok_or_else(no_such_token)?))
}

/// A token's own storage at home, which is cleared when the token ends.
pub(crate) fn storage(home: &Open, accessor: &str) -> Result<View, Fault> {
    let own = home.space.own_storage(accessor, &home.space);
    own.ok_or_else(|| {
        Fault::invalid("this server has no storage for wrapped answers: no cubbyhole is mounted")
    })
}

/// Whether it never was, is spent, or has ended is not told.
pub(crate) fn no_such_token() -> Fault {
    Fault::invalid("wrapping token is not valid or does not exist")
}
