//! One client.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use coffer_barrier::Stored;
use coffer_crypto::sha256;
use coffer_engine::Caller;
use coffer_wire::Timestamp;
use serde::{Deserialize, Serialize};

/// The beginning of the hash of a client's id.
pub type Key = u128;

/// A client, as stored in a [`Batch`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    /// The id of the entity, or the hash that tokens without one share.
    pub id: String,
    /// Whether it is an entity.
    pub is_entity: bool,
    /// The id of the namespace; empty for the root.
    pub namespace: String,
    /// The accessor of the auth mount that made its token.
    pub mount: String,
    /// When it was met first in the month.
    pub first: Timestamp,
}

/// Clients of one month that are stored together.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Batch {
    pub clients: Vec<Client>,
}

impl Stored for Batch {
    const MAX_BYTES: usize = 4 * 1024 * 1024;
}

impl Client {
    /// Whom a caller counts as.
    pub fn of(caller: &Caller, mount: &str, now: Timestamp) -> Self {
        Self {
            id: client_id(caller),
            is_entity: !caller.entity_id.is_empty(),
            namespace: caller.namespace.clone(),
            mount: mount.to_owned(),
            first: now,
        }
    }

    /// What it is known by in memory.
    pub fn key(&self) -> Key {
        let hash = sha256(self.id.as_bytes());
        let (first, _) = hash.split_at(size_of::<Key>());
        first.try_into().map(Key::from_be_bytes).unwrap_or_default()
    }
}

/// The id of the client that a caller is: its entity's, or what all tokens without an entity have that share their
/// policies and their namespace.
pub(crate) fn client_id(caller: &Caller) -> String {
    if !caller.entity_id.is_empty() {
        return caller.entity_id.clone();
    }
    let namespace = match caller.namespace.as_str() {
        "" => "root",
        id => id,
    };
    let mut policies = caller.policies.clone();
    policies.sort_unstable();
    // As the reference does it, so that the same client has the same id in both.
    let text = format!("{}\0{namespace}", policies.join("\x7f"));
    STANDARD.encode(sha256(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_without_an_entity_are_known_by_what_they_share() {
        let caller = |policies: &[&str], namespace: &str| Caller {
            policies: policies.iter().map(|name| (*name).to_owned()).collect(),
            namespace: namespace.to_owned(),
            ..Caller::default()
        };
        // Recorded from the reference.
        let root = client_id(&caller(&["root"], ""));
        assert_eq!(root, "0DHqvq2D77kL2/JTPSZkTMJbkFVmUu0TzMi0jiXcFy8=");
        let two = client_id(&caller(&["pb", "pa"], ""));
        assert_eq!(two, "E/mhHeeJPZgo7MNy7EMty23aP9Vm1bvc4ILb14EDRVQ=");
        assert_ne!(two, client_id(&caller(&["pa", "pb"], "x")));
        assert_ne!(two, client_id(&caller(&["pa"], "")));
    }
}
