//! Saying yes to a request that waits, and looking at it.

use coffer_barrier::View;
use coffer_engine::{Caller, Fault};
use coffer_wire::Timestamp;
use serde_json::{Value, json};

use super::approvals::{Approval, groups_of, may_say, satisfied};
use super::pending::{Pending, RECORD, home_of};
use crate::open::Open;
use crate::wrapping;

/// Most people who may say yes to one request.
const MAX_APPROVALS: usize = 256;

/// Says yes. Answers whether that is enough.
pub(crate) async fn authorize(
    open: &Open,
    accessor: &str,
    caller: &Caller,
    now: Timestamp,
) -> Result<bool, Fault> {
    let (pending, view) = waiting(open, accessor, now).await?;
    let home = home_of(open, &pending.home).await?;
    if caller.entity_id.is_empty() || caller.namespace != pending.home {
        return Err(Fault::invalid(
            "only an entity of the asker's namespace can authorize; this token has none",
        ));
    }
    let voice = groups_of(&home, &caller.entity_id).await?;
    let (id, groups) = voice.ok_or(Fault::Denied)?;
    let asker = home.identity.standing(&pending.entity_id).await?;
    let is_asker = asker.map_or(pending.entity_id == id, |asker| asker.entity.id == id);
    let may = |is_asker: bool| {
        let mut factors = pending.factors.iter();
        factors.any(|factor| may_say(factor, &groups, is_asker))
    };
    if !may(is_asker) {
        let text = match is_asker && may(false) {
            true => "nobody authorizes a request of their own",
            false => "none of the groups that may authorize this request has you as a member",
        };
        return Err(Fault::Forbidden(text.into()));
    }
    let approval = Approval {
        entity_name: match home.identity.standing(&id).await? {
            Some(standing) => standing.entity.name.clone(),
            None => String::new(),
        },
        entity_id: id,
        at: now,
    };
    let approvals = add(&view, approval, &pending, now).await?;
    let (factors, asker) = (&pending.factors, &pending.entity_id);
    satisfied(&home, factors, &approvals, asker, now).await
}

/// Adds a yes durably. Whoever said so already is told; a yes that no longer holds can be said again.
async fn add(
    view: &View,
    approval: Approval,
    seen: &Pending,
    now: Timestamp,
) -> Result<Vec<Approval>, Fault> {
    let shortest = seen
        .factors
        .iter()
        .filter_map(|factor| factor.ttl_secs)
        .min();
    let holds = |one: &Approval| {
        let ttl = shortest.map(std::time::Duration::from_secs);
        ttl.is_none_or(|ttl| now < one.at.plus(ttl))
    };
    let approvals = view.update(RECORD, |pending: Option<Pending>| {
        let mut pending = pending.ok_or_else(unknown)?;
        let same = |one: &Approval| one.entity_id == approval.entity_id;
        if pending.approvals.iter().any(|one| same(one) && holds(one)) {
            return Err(Fault::invalid("you have authorized this request already"));
        }
        pending.approvals.retain(|one| !same(one));
        if pending.approvals.len() == MAX_APPROVALS {
            return Err(Fault::invalid("this request was authorized by too many"));
        }
        pending.approvals.push(approval.clone());
        let approvals = pending.approvals.clone();
        Ok((Some(pending), approvals))
    });
    approvals.await
}

/// What waits, and who said yes.
pub(crate) async fn state(open: &Open, accessor: &str, now: Timestamp) -> Result<Value, Fault> {
    let (pending, _) = waiting(open, accessor, now).await?;
    let home = home_of(open, &pending.home).await?;
    let (factors, asker) = (&pending.factors, &pending.entity_id);
    let approved = satisfied(&home, factors, &pending.approvals, asker, now).await?;
    let authorizations = pending
        .approvals
        .iter()
        .map(|one| json!({ "entity_id": one.entity_id, "entity_name": one.entity_name }));
    let authorizations = authorizations.collect::<Vec<_>>();
    let shown = match home.record().is_root() {
        true => "root".to_owned(),
        false => home.id.clone(),
    };
    let entity = home.identity.standing(asker).await?.map(|standing| {
        let entity = &standing.entity;
        let aliases = entity.aliases.iter().map(|alias| {
            json!({
                "ID": alias.id,
                "name": alias.name,
                "mount_accessor": alias.mount,
                "namespace_id": shown,
            })
        });
        json!({
            "ID": entity.id,
            "name": entity.name,
            "aliases": aliases.collect::<Vec<_>>(),
            "namespace_id": shown,
        })
    });
    Ok(json!({
        "approved": approved,
        "authorizations": authorizations,
        "request_operation": pending.verb,
        "request_path": pending.path,
        "request_data": (!pending.body.is_empty()).then_some(&pending.body),
        "request_entity": entity.unwrap_or_else(|| json!({})),
    }))
}

/// The request that waits under an accessor. Nobody reaches up or sideways for one.
async fn waiting(open: &Open, accessor: &str, now: Timestamp) -> Result<(Pending, View), Fault> {
    if accessor.is_empty() {
        return Err(Fault::invalid("missing accessor"));
    }
    let home = open.within(accessor).await?.ok_or_else(unknown)?;
    let record = open.tokens.by_accessor(accessor).await?;
    let record = record.filter(|record| record.is_alive(now) && record.is_wrapping());
    let record = record.ok_or_else(unknown)?;
    let view = wrapping::storage(&home, &record.accessor)?;
    let pending = view.get(RECORD).await?;
    Ok((pending.ok_or_else(unknown)?, view))
}

fn unknown() -> Fault {
    Fault::invalid("invalid accessor")
}
