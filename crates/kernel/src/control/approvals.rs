//! Who said yes, and whether that is enough.

use coffer_engine::Fault;
use coffer_wire::Timestamp;
use serde::{Deserialize, Serialize};

use crate::namespaces::Space;
use crate::policy::Factor;

/// What others said about a request that waited for it; nothing for any other request.
#[derive(Clone, Debug, Default)]
pub struct Approvals(pub(super) Option<Vec<Approval>>);

/// One yes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Approval {
    /// The entity that said it.
    pub entity_id: String,
    /// What the entity was called then.
    pub entity_name: String,
    /// When.
    pub at: Timestamp,
}

/// Somebody who said yes, as they are now.
struct Voice {
    id: String,
    groups: Vec<String>,
    at: Timestamp,
}

/// Whether every factor is met: by different people who are members of its groups now, whose yes still holds, and of
/// whom none is the one who asks, unless the factor says so. Whoever was disabled or left the group does not count.
pub(super) async fn satisfied(
    home: &Space,
    factors: &[Factor],
    approvals: &[Approval],
    asker: &str,
    now: Timestamp,
) -> Result<bool, Fault> {
    let mut voices: Vec<Voice> = Vec::new();
    for approval in approvals {
        if let Some(voice) = voice(home, approval).await?
            && voices.iter().all(|known| known.id != voice.id)
        {
            voices.push(voice);
        }
    }
    let asker = match home.identity.standing(asker).await? {
        Some(standing) => standing.entity.id.clone(), // It may have been merged into another one.
        None => asker.to_owned(),
    };
    Ok(factors.iter().all(|factor| {
        let counts = |voice: &&Voice| {
            may_say(factor, &voice.groups, voice.id == asker) && voice.holds(factor, now)
        };
        voices.iter().filter(counts).count() >= factor.approvals
    }))
}

/// Whether somebody who is in these groups may say yes to it.
pub(super) fn may_say(factor: &Factor, groups: &[String], is_asker: bool) -> bool {
    let member = groups.iter().any(|group| factor.groups.contains(group));
    member && (factor.self_authorization || !is_asker)
}

/// The groups that an entity is in, in normal form; none for one that is disabled or gone.
pub(super) async fn groups_of(
    home: &Space,
    entity_id: &str,
) -> Result<Option<(String, Vec<String>)>, Fault> {
    let standing = home.identity.standing(entity_id).await?;
    let standing = standing.filter(|standing| !standing.entity.disabled);
    Ok(standing.map(|standing| {
        let groups = standing.groups();
        let names = groups.map(|group| crate::identity::normal(&group.name));
        (standing.entity.id.clone(), names.collect())
    }))
}

async fn voice(home: &Space, approval: &Approval) -> Result<Option<Voice>, Fault> {
    let found = groups_of(home, &approval.entity_id).await?;
    Ok(found.map(|(id, groups)| Voice {
        id,
        groups,
        at: approval.at,
    }))
}

impl Voice {
    fn holds(&self, factor: &Factor, now: Timestamp) -> bool {
        factor
            .ttl_secs
            .is_none_or(|ttl| now < self.at.plus(std::time::Duration::from_secs(ttl)))
    }
}
