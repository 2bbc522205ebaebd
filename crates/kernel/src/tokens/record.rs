//! What is stored about a token.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use coffer_barrier::Stored;
use coffer_engine::TokenKind;
use coffer_wire::Timestamp;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::access_key::AccessKey;
use super::lifetime::whole_seconds;
use crate::policy::builtin::RESPONSE_WRAPPING;

/// One token, as stored under `sys/token/id/<accessor>`; the whole of it travels inside a batch token.
///
/// The token itself is not in it: only its keyed hash, from which nobody can make it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TokenRecord {
    /// Names the token without being it; derived from it by a keyed hash. Empty for batch tokens.
    pub accessor: String,
    /// The keyed hash of the whole token, compared in constant time.
    #[serde(with = "hex::serde")]
    pub proof: [u8; 32],
    /// The id of the namespace it belongs to; empty for the root.
    pub namespace: String,
    /// The accessor of the auth mount that made it; its TTL bounds hold at renewals.
    pub mount: String,
    /// The accessor of the parent; empty for orphans.
    pub parent: String,
    /// The policies attached to it.
    pub policies: Vec<String>,
    /// The path that made it.
    pub path: String,
    /// What the auth method or creator noted.
    pub metadata: BTreeMap<String, String>,
    /// A name for people.
    pub display_name: String,
    /// Requests left: 0 for no limit, -1 when all are spent.
    pub num_uses: i64,
    /// When it was made.
    pub created: Timestamp,
    /// First lifetime, in seconds; 0 for a token that never ends.
    pub creation_ttl_secs: u64,
    /// When it ends; never for some root tokens.
    pub expires: Option<Timestamp>,
    /// Where its entry in the due index stands: its end, or earlier.
    pub due: Timestamp,
    /// When it was renewed last.
    pub last_renewal: Option<Timestamp>,
    /// Renewals set the lifetime to this; zero for none.
    pub period: Duration,
    /// A bound that renewals never pass; zero for none.
    pub explicit_max_ttl: Duration,
    /// The role's longest lifetime; zero for the mount's.
    pub max_ttl: Duration,
    /// Addresses it may come from; empty for any.
    pub bound_cidrs: Vec<IpNet>,
    /// The token role it was made by, else empty.
    pub role: String,
    /// The entity behind it, else empty.
    pub entity_id: String,
    /// How it is kept.
    pub kind: TokenKind,
    /// Whether it can be renewed.
    pub renewable: bool,
    /// What the auth method wants back at renewal.
    pub payload: Value,
    /// Its end has begun: it is refused, and what hangs on it is being revoked.
    pub revoking: bool,
    /// The role that it was logged in by, where a quota went by it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub login_role: String,
    /// The id of the quota that counts it among leases; empty for none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub quota: String,
    /// What counts it among the tokens of its identity: a quota's id and the identity; empty for nothing.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub holder: String,
    /// The key that it is shown by, where its holder signs requests instead of sending it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_key: Option<AccessKey>,
}

impl Stored for TokenRecord {
    const MAX_BYTES: usize = 64 * 1024;
}

impl TokenRecord {
    /// Whether the `root` policy is among its policies.
    pub fn is_root(&self) -> bool {
        self.policies.iter().any(|policy| policy == "root")
    }

    /// The accessor of the token whose end is the end of its leases: its own or, for a batch token,
    /// its parent's; empty for an orphaned batch token, whose leases end by time alone.
    pub fn lease_holder(&self) -> &str {
        match self.kind {
            TokenKind::Service => &self.accessor,
            TokenKind::Batch => &self.parent,
        }
    }

    /// Whether it only hands out a wrapped answer.
    pub fn is_wrapping(&self) -> bool {
        self.policies == [RESPONSE_WRAPPING]
    }

    /// Whether it has no parent.
    pub fn is_orphan(&self) -> bool {
        self.parent.is_empty()
    }

    /// Seconds left at `now`, a begun one counted; 0 for a token without an end.
    pub fn ttl_secs(&self, now: Timestamp) -> u64 {
        self.expires
            .map_or(0, |end| whole_seconds(end.since(now)).as_secs())
    }

    /// The lifetime that creation or the last renewal gave; what a renewal gives that wishes nothing.
    pub fn last_ttl(&self) -> Duration {
        let from = self.last_renewal.unwrap_or(self.created);
        self.expires.map_or(Duration::ZERO, |end| end.since(from))
    }

    /// Whether it may be used by `client`; a token without bound addresses by everyone.
    pub fn may_come_from(&self, client: Option<IpAddr>) -> bool {
        let bound = &self.bound_cidrs;
        let at_home = |client: IpAddr| bound.iter().any(|net| net.contains(&client.to_canonical()));
        bound.is_empty() || client.is_some_and(at_home)
    }

    /// Whether it still lives at `now`.
    pub fn is_alive(&self, now: Timestamp) -> bool {
        !self.revoking
            && self.num_uses >= 0
            && self.expires.is_none_or(|end| end.millis() > now.millis())
    }
}
