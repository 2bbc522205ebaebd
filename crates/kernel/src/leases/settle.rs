//! The last step of a request that granted a lease.

use coffer_engine::{Fault, Grant, Reply};

use super::desk::ends;
use super::record::{LeaseRecord, LeaseState};
use super::revoke::end_soon;
use super::told;
use crate::events::catalogue;
use crate::grant::{Asked, Ran};
use crate::mounts::Mount;
use crate::observe::LeaseCreated;
use crate::open::Open;
use crate::request::Response;
use crate::wrapping;

/// A request with its final answer.
pub struct Settled {
    /// The request.
    pub asked: Box<Asked>,
    /// What the client will get once it is recorded.
    pub answer: Result<Response, Fault>,
    /// The lease that was issued; it ends if the client can not have the answer.
    pub issued: Option<String>,
}

/// Turns a reply into a response: an announced secret becomes a lease, a login a token; what was
/// announced and not granted is undone by the worker, at once.
pub async fn settle(open: &Open, ran: Ran) -> Settled {
    let Ran {
        asked,
        mount,
        desk,
        answer,
    } = ran;
    let answer = match desk.attempt() {
        Some(attempt) => match attempt.settle(&answer, asked.now).await {
            Ok(()) => answer,
            Err(fault) => Err(fault), // What was not counted is not answered.
        },
        None => answer,
    };
    let granted = answer
        .as_ref()
        .ok()
        .and_then(|reply| reply.lease.as_ref())
        .map(|grant| grant.intent.lease_id.clone());
    let cleared = end_all_soon(open, desk.left_behind(granted.as_deref())).await;
    let answer = match (answer, cleared) {
        (Ok(reply), Ok(())) => respond(open, &asked, &mount, reply).await,
        (Err(fault), _) | (Ok(_), Err(fault)) => Err(fault),
    };
    let kept = desk.left_behind(None);
    if answer.is_ok() {
        desk.tell();
    }
    let issued = if answer.is_ok() { granted } else { None };
    if answer.is_err()
        && let Err(fault) = end_all_soon(open, kept).await
    {
        tracing::error!(%fault, "what a failed request made could not be marked for undoing; it is undone later");
    }
    Settled {
        asked,
        answer,
        issued,
    }
}

/// Lets the worker end these at once: nobody gets them. Goes on past failures.
async fn end_all_soon(open: &Open, ids: Vec<String>) -> Result<(), Fault> {
    let mut result = Ok(());
    for id in ids {
        result = result.and(end_soon(open, &id).await);
    }
    result
}

// What few requests need is in boxes: the task of each request has room for the longest way through it, and is moved.
async fn respond(
    open: &Open,
    asked: &Asked,
    mount: &Mount,
    mut reply: Reply,
) -> Result<Response, Fault> {
    let mut response = Response {
        request_id: asked.request.id.clone(),
        status: reply.status,
        lease_duration: reply.lease_duration.map_or(0, |ttl| ttl.as_secs()),
        headers: let_through(mount, std::mem::take(&mut reply.headers)),
        ..Response::default()
    };
    if let Some(renewed) = reply.renewed.take() {
        response.lease_id = renewed.lease_id;
        response.lease_duration = renewed.ttl.as_secs();
        response.renewable = renewed.renewable;
    }
    if let Some(grant) = reply.lease.take() {
        Box::pin(issue(open, asked, mount, grant, &mut response)).await?;
    }
    if let Some(login) = reply.login.take() {
        let _timed = open.settings.meters.leases.register_auth.timed();
        let (auth, warnings) = Box::pin(open.issue_login(asked, mount, *login)).await?;
        reply.warnings.extend(warnings);
        reply.auth = Some(Box::new(auth));
    }
    response.warnings = reply.warnings;
    response.auth = reply.auth;
    response.body = reply.body;
    wrapping::wrap_if_asked(open, asked, reply.wrapping, response).await
}

/// The header fields of an answer that go out: those of the kernel's own paths, and of an engine those that the mount's
/// tuning lets through. Names are compared without case.
fn let_through(
    mount: &Mount,
    mut headers: Vec<(&'static str, String)>,
) -> Vec<(&'static str, String)> {
    let allowed = &mount.record.tuning.allowed_response_headers;
    if !mount.is_kernels_own() {
        headers.retain(|(name, _)| allowed.iter().any(|one| one.eq_ignore_ascii_case(name)));
    }
    headers
}

async fn issue(
    open: &Open,
    asked: &Asked,
    mount: &Mount,
    grant: Grant,
    response: &mut Response,
) -> Result<(), Fault> {
    let _timed = open.settings.meters.leases.register.timed();
    let token = asked.token.as_ref();
    if token.is_some_and(|token| token.num_uses < 0) {
        return Err(Fault::invalid(
            "this was the last use of the token, with which its leases end, so the secret was undone and is not returned; use a token with at least two uses left",
        ));
    }
    let id = grant.intent.lease_id;
    let info = &mount.info;
    let batch_end = token
        .filter(|token| token.accessor.is_empty())
        .and_then(|token| token.expires);
    let expires = ends(
        asked.now,
        grant.ttl,
        grant.max_ttl,
        (info.default_lease_ttl, info.max_lease_ttl),
        batch_end,
    );
    let born = |record: &mut LeaseRecord| {
        if record.state != LeaseState::Intent {
            return Err(Fault::Unavailable(
                "the leases of this path were revoked while the secret was made, so it was undone; ask again".into(),
            ));
        }
        record.expires = expires;
        record.ends_by = batch_end;
        record.due = expires;
        record.renewable = grant.renewable;
        record.state = LeaseState::Live;
        Ok(())
    };
    let record = match open.leases.update(&id, born).await {
        Ok((record, ())) => record,
        Err(Fault::NotFound) => {
            return Err(Fault::internal(
                "an intent vanished before its request ended",
            ));
        }
        Err(other) => return Err(other),
    };
    refuse_if_token_ended(open, &record).await?;
    let ttl = record.expires.since(asked.now);
    open.settings.meters.lease_created(&LeaseCreated {
        secret_engine: mount.record.engine(),
        mount_point: &mount.record.path,
        namespace: open.space.shown(),
        ttl,
    });
    told::lives(open, catalogue::LEASE_CREATE, &id, &record);
    response.lease_duration = ttl.as_secs();
    response.renewable = grant.renewable;
    response.lease_id = id;
    Ok(())
}

/// A token revoked while its request ran has its leases listed before or after this lease was
/// entered; in the second case this refuses it.
async fn refuse_if_token_ended(open: &Open, lease: &LeaseRecord) -> Result<(), Fault> {
    if lease.token.is_empty() {
        return Ok(());
    }
    let token = open.tokens.by_accessor(&lease.token).await?;
    if token.is_some_and(|token| !token.revoking) {
        Ok(())
    } else {
        Err(Fault::Denied)
    }
}
