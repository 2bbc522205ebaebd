//! A request that waits.

use std::time::Duration;

use coffer_barrier::Stored;
use coffer_engine::{Fault, Reply, Wrapping};
use coffer_wire::{Timestamp, Verb, Wiped};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use zeroize::Zeroize;

use super::approvals::{Approval, satisfied};
use crate::grant::Asked;
use crate::namespaces::Space;
use crate::open::Open;
use crate::policy::{Controlled, Factor};
use crate::wrapping;

/// How long a request waits where policy does not say.
const USUAL_WAIT: Duration = Duration::from_secs(24 * 3600);
/// Where it waits, within the wrapping token's own storage.
pub(super) const RECORD: &str = "controlled";

/// A request that waits, as stored.
#[derive(Serialize, Deserialize)]
pub(crate) struct Pending {
    /// What is wanted, by its word.
    pub(super) verb: String,
    /// The path, within the namespace.
    pub(super) path: String,
    /// The path of the namespace.
    pub(super) namespace: String,
    /// The fields of the body.
    pub(super) body: Map<String, Value>,
    /// For how long the answer is to be wrapped.
    pub(super) wrap_secs: Option<u64>,
    /// The token that asked: the request is made with it, and with what it may do then.
    pub(super) token: String,
    /// The entity behind it.
    pub(super) entity_id: String,
    /// The id of the namespace of that entity, and of the groups.
    pub(super) home: String,
    /// What must be met, as policy said when it was asked.
    pub(super) factors: Vec<Factor>,
    /// Who said yes.
    pub(super) approvals: Vec<Approval>,
    /// When it was asked.
    pub(super) created: Timestamp,
}

impl Stored for Pending {
    const MAX_BYTES: usize = 1024 * 1024;
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.token.zeroize();
        Wiped(std::mem::take(&mut self.body));
    }
}

/// Lets a request wait, if policy wants others to authorize it and they have not. None if it may run.
pub(crate) async fn hold(open: &Open, asked: &Asked) -> Option<Result<Reply, Fault>> {
    if asked.control.factors.is_empty() || asked.request.help {
        return None;
    }
    match Box::pin(is_authorized(open, asked)).await {
        Ok(true) => None,
        Ok(false) => Some(Box::pin(wait(open, asked, &asked.control)).await),
        Err(fault) => Some(Err(fault)),
    }
}

/// Whether it comes back from waiting with all that policy wants now.
async fn is_authorized(open: &Open, asked: &Asked) -> Result<bool, Fault> {
    let Some(approvals) = &asked.request.approvals.0 else {
        return Ok(false);
    };
    let caller = asked.caller.as_ref().ok_or(Fault::Denied)?;
    let home = home_of(open, &caller.namespace).await?;
    let (factors, now) = (&asked.control.factors, asked.now);
    match satisfied(&home, factors, approvals, &caller.entity_id, now).await? {
        true => Ok(true),
        false => Err(Fault::Forbidden(
            "what must be authorized has changed since the request was authorized; make it again"
                .into(),
        )),
    }
}

async fn wait(open: &Open, asked: &Asked, control: &Controlled) -> Result<Reply, Fault> {
    let caller = asked.caller.as_ref().ok_or(Fault::Denied)?;
    if asked.request.signed.is_some() {
        return Err(Fault::Forbidden(
            "others must authorize this request, and a signed one can not wait for that; ask with a token".into(),
        ));
    }
    let token = asked.request.token.as_ref().ok_or(Fault::Denied)?;
    if caller.entity_id.is_empty() {
        return Err(Fault::Forbidden(
            "others must authorize this request, so it has to be known who asks; use a token that has an entity".into(),
        ));
    }
    if asked.flags().streamed {
        return Err(Fault::Forbidden(
            "others must authorize this request, and one with a body or an answer of any length can not wait".into(),
        ));
    }
    let pending = Pending {
        verb: asked.request.verb.word().to_owned(),
        path: asked.request.path.to_string(),
        namespace: open.space.path.clone(),
        body: asked.request.body.0.clone(),
        wrap_secs: asked.request.wrap_ttl.map(|ttl| ttl.as_secs()),
        token: token.expose().clone(),
        entity_id: caller.entity_id.clone(),
        home: caller.namespace.clone(),
        factors: control.factors.clone(),
        approvals: Vec::new(),
        created: asked.now,
    };
    let ttl = control.ttl.unwrap_or(USUAL_WAIT);
    let info = wrapping::keep(open, (RECORD, pending), asked, ttl).await?;
    Ok(Reply {
        wrapping: Wrapping::Done(Box::new(info)),
        ..Reply::default()
    })
}

/// The namespace of an entity and its groups.
pub(super) async fn home_of(open: &Open, id: &str) -> Result<std::sync::Arc<Space>, Fault> {
    let home = open.namespaces.by_id(id).await?;
    home.ok_or(Fault::Denied)
}

/// The verb of that word.
pub(super) fn verb(word: &str) -> Option<Verb> {
    Verb::ALL.into_iter().find(|verb| verb.word() == word)
}
