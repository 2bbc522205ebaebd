//! Letting a request go on that was authorized.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use coffer_crypto::Secret;
use coffer_engine::{Ctx, Fault, Renewed, Reply, Wrapping};
use coffer_wire::{ApiPath, Wiped};

use super::approvals::{Approvals, satisfied};
use super::pending::{Pending, RECORD, home_of, verb};
use crate::open::Open;
use crate::pipeline;
use crate::request::{Request, Response};
use crate::tokens;
use crate::wrapping;

/// Makes the request that waits under a wrapping token, if one does. None if something else is wrapped.
///
/// The token is spent durably before the request is made: of many who unwrap at once, one makes it. One that is not
/// authorized yet goes on waiting.
pub(crate) async fn redeem(open: &Open, token: &str, cx: &Ctx) -> Result<Option<Reply>, Fault> {
    let (record, home) = wrapping::living(open, token, cx.now).await?;
    let view = wrapping::storage(&home, &record.accessor)?;
    let Some(pending) = view.get::<Pending>(RECORD).await? else {
        return Ok(None);
    };
    let people = home_of(open, &pending.home).await?;
    let (factors, asker) = (&pending.factors, &pending.entity_id);
    if !satisfied(&people, factors, &pending.approvals, asker, cx.now).await? {
        return Err(Fault::invalid(
            "the request under this wrapping token is not authorized yet; ask those who may, with its accessor",
        ));
    }
    let request = request(&pending, cx)?;
    let spent = open.tokens.spend_use(record).await;
    let record = spent.map_err(|fault| match fault {
        Fault::Denied => wrapping::no_such_token(),
        other => other,
    })?;
    tokens::revoke_tree(open, &record.accessor).await?;
    let response = Box::pin(pipeline::inner(open, request)).await?;
    Ok(Some(passed_on(response)))
}

fn request(pending: &Pending, cx: &Ctx) -> Result<Request, Fault> {
    let damaged = || Fault::internal("a request that waits can not be read");
    let verb = verb(&pending.verb).ok_or_else(damaged)?;
    // It was canonical when it came; only its percent signs would be read again.
    let path = pending.path.replace('%', "%25");
    let path = ApiPath::parse(&path).map_err(|_| damaged())?;
    let id = format!("{}.authorized", cx.request.id);
    Ok(Request {
        namespace: pending.namespace.clone(),
        token: Some(Arc::new(Secret::new(pending.token.clone()))),
        body: Wiped(pending.body.clone()),
        client: cx.request.client.map(|address| SocketAddr::new(address, 0)),
        wrap_ttl: pending.wrap_secs.map(Duration::from_secs),
        nesting: cx.request.nesting.deeper()?,
        approvals: Approvals(Some(pending.approvals.clone())),
        ..Request::internal(id, verb, path)
    })
}

/// The answer of the request as the answer of this one.
fn passed_on(response: Response) -> Reply {
    let ttl = Duration::from_secs(response.lease_duration);
    let has_lease = !response.lease_id.is_empty();
    Reply {
        body: response.body,
        auth: response.auth,
        warnings: response.warnings,
        status: response.status,
        headers: response.headers,
        renewed: has_lease.then_some(Renewed {
            lease_id: response.lease_id,
            ttl,
            renewable: response.renewable,
        }),
        lease_duration: (!has_lease && !ttl.is_zero()).then_some(ttl),
        wrapping: match response.wrap_info {
            Some(info) => Wrapping::Done(Box::new(info)),
            None => Wrapping::AsAsked,
        },
        ..Reply::default()
    }
}
