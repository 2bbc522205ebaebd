//! What is stored about a quota.

use coffer_barrier::Stored;
use serde::{Deserialize, Serialize};

use super::place::Place;

/// One quota, as stored under `rule/<kind>/<name>`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quota {
    /// Names what is counted for it: another one as soon as it counts something else, or from the start again.
    pub id: String,
    /// Its name, one of its kind.
    pub name: String,
    /// Where it holds.
    pub place: Place,
    /// Whether namespaces within its own share it where they have none.
    pub inheritable: bool,
    /// What it allows.
    pub limit: Limit,
}

impl Stored for Quota {
    const MAX_BYTES: usize = 64 * 1024;
}

/// What a quota limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Requests of a client within an interval.
    Rate,
    /// Leases, those of tokens included.
    Leases,
    /// Tokens of one identity.
    Tokens,
}

/// What a quota allows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Limit {
    /// So many requests.
    Rate(Rate),
    /// So many leases.
    Leases {
        /// At most.
        most: u64,
    },
    /// So many tokens of each identity.
    Tokens {
        /// At most.
        most: u64,
    },
}

/// How fast clients may ask.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rate {
    /// Requests in an interval; a begun one counts as one.
    pub rate: f64,
    /// How long an interval is.
    pub interval_secs: u64,
    /// How long a client that asked too often is refused; 0 for the rest of the interval.
    pub block_secs: u64,
    /// Who counts as one client.
    pub group_by: GroupBy,
    /// As `rate`, for requests without an entity; 0 for the same.
    pub secondary_rate: f64,
}

/// Who counts as one client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupBy {
    /// An address.
    #[default]
    Ip,
    /// Everybody together.
    None,
    /// An entity, else an address.
    EntityThenIp,
    /// An entity, else everybody without one.
    EntityThenNone,
}

impl Quota {
    /// What it limits.
    pub fn kind(&self) -> Kind {
        match self.limit {
            Limit::Rate(_) => Kind::Rate,
            Limit::Leases { .. } => Kind::Leases,
            Limit::Tokens { .. } => Kind::Tokens,
        }
    }

    /// Whether it counts the same things as another one.
    pub fn counts_as(&self, other: &Self) -> bool {
        self.place == other.place && self.inheritable == other.inheritable
    }
}

impl Kind {
    /// All there are.
    pub const ALL: [Self; 3] = [Self::Rate, Self::Leases, Self::Tokens];

    /// The word for it in paths and answers.
    pub fn word(self) -> &'static str {
        match self {
            Self::Rate => "rate-limit",
            Self::Leases => "lease-count",
            Self::Tokens => "token-count",
        }
    }
}

impl GroupBy {
    const WORDS: [(&'static str, Self); 4] = [
        ("ip", Self::Ip),
        ("none", Self::None),
        ("entity_then_ip", Self::EntityThenIp),
        ("entity_then_none", Self::EntityThenNone),
    ];

    /// Reads the word for it.
    pub fn named(word: &str) -> Option<Self> {
        let found = Self::WORDS.iter().find(|(known, _)| *known == word);
        found.map(|(_, group_by)| *group_by)
    }

    /// The word for it.
    pub fn word(self) -> &'static str {
        let found = Self::WORDS.iter().find(|(_, known)| *known == self);
        found.map_or("ip", |(word, _)| word)
    }

    /// Whether the token must be known before it is clear who asks.
    pub fn needs_entity(self) -> bool {
        matches!(self, Self::EntityThenIp | Self::EntityThenNone)
    }
}
