//! The last step of a request that granted a lease.

use coffer_engine::{Fault, Grant, Reply};

use super::desk::ends;
use super::record::{LeaseRecord, LeaseState};
use crate::grant::{Asked, Ran};
use crate::mounts::Mount;
use crate::open::Open;
use crate::request::Response;
use crate::wrapping;

/// A request with its final answer.
pub struct Settled {
    /// The request.
    pub asked: Box<Asked>,
    /// What the client will get once it is recorded.
    pub answer: Result<Response, Fault>,
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
    let granted = answer
        .as_ref()
        .ok()
        .and_then(|reply| reply.lease.as_ref())
        .map(|grant| grant.intent.lease_id.as_str());
    let cleared = undo_at_once(open, &asked, desk.left_behind(granted)).await;
    let answer = match (answer, cleared) {
        (Ok(reply), Ok(())) => respond(open, &asked, &mount, reply).await,
        (Err(fault), _) | (Ok(_), Err(fault)) => Err(fault),
    };
    Settled { asked, answer }
}

async fn undo_at_once(open: &Open, asked: &Asked, intents: Vec<String>) -> Result<(), Fault> {
    for id in intents {
        let due_now = |record: &mut LeaseRecord| {
            record.due = asked.now;
            Ok(())
        };
        open.leases.update(&id, due_now).await?;
    }
    Ok(())
}

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
        mount_type: mount.record.kind.clone(),
        ..Response::default()
    };
    if let Some(renewed) = reply.renewed.take() {
        response.lease_id = renewed.lease_id;
        response.lease_duration = renewed.ttl.as_secs();
        response.renewable = renewed.renewable;
    }
    if let Some(grant) = reply.lease.take() {
        issue(open, asked, mount, grant, &mut response).await?;
    }
    if let Some(login) = reply.login.take() {
        let (auth, warnings) = open.issue_login(asked, mount, *login).await?;
        reply.warnings.extend(warnings);
        reply.auth = Some(Box::new(auth));
    }
    response.warnings = reply.warnings;
    response.auth = reply.auth;
    response.body = reply.body;
    wrapping::wrap_if_asked(open, asked, reply.wrapping, response).await
}

async fn issue(
    open: &Open,
    asked: &Asked,
    mount: &Mount,
    grant: Grant,
    response: &mut Response,
) -> Result<(), Fault> {
    let id = grant.intent.lease_id;
    let mut record = open
        .leases
        .get(&id)
        .await?
        .ok_or_else(|| Fault::internal("an intent vanished before its request ended"))?;
    let old_due = record.due;
    let info = &mount.info;
    let batch_end = asked
        .token
        .as_ref()
        .filter(|token| token.accessor.is_empty())
        .and_then(|token| token.expires);
    record.expires = ends(
        asked.now,
        grant.ttl,
        grant.max_ttl,
        (info.default_lease_ttl, info.max_lease_ttl),
        batch_end,
    );
    record.due = record.expires;
    record.renewable = grant.renewable;
    record.state = LeaseState::Live;
    if let Err(fault) = open.leases.issue(&id, old_due, &record).await {
        undo_at_once(open, asked, vec![id]).await?;
        return Err(fault);
    }
    refuse_if_token_ended(open, asked, &id).await?;
    response.lease_duration = record.expires.since(asked.now).as_secs();
    response.renewable = grant.renewable;
    response.lease_id = id;
    Ok(())
}

/// A token revoked while its request ran has its leases listed before or after this lease was
/// entered; in the second case it is ended here.
async fn refuse_if_token_ended(open: &Open, asked: &Asked, id: &str) -> Result<(), Fault> {
    let holder = asked.token.as_ref().map(|token| token.lease_holder());
    let Some(holder) = holder.filter(|holder| !holder.is_empty()) else {
        return Ok(());
    };
    let alive = open
        .tokens
        .by_accessor(holder)
        .await?
        .is_some_and(|record| !record.revoking);
    if alive {
        return Ok(());
    }
    super::revoke(open, id, super::Force::No).await?;
    Err(Fault::Denied)
}
