//! What clients used up of their rates, in memory.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::net::IpAddr;

use coffer_wire::Timestamp;
use parking_lot::Mutex;

use super::allowance::{Allowance, Terms, Usage};

/// How many parts there are, each with a lock of its own.
const PARTS: usize = 32;
/// How many clients one part remembers, all quotas together: 131,072 in all, some 15 MB.
const MAX_CLIENTS_PER_PART: usize = 4 * 1024;
/// How many are left when a part is full of clients whose interval still runs.
const KEPT_WHEN_FULL: usize = MAX_CLIENTS_PER_PART / 4 * 3;

/// The clients of all rate limits. When there are too many, those whose interval is over are forgotten, and if that
/// is not enough some that are not blocked: whoever can ask from a hundred thousand addresses may ask again.
pub(super) struct Clients {
    hasher: RandomState,
    parts: Vec<Mutex<HashMap<Key, Known>>>,
}

/// A client of a quota.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    /// The quota's number.
    pub quota: u64,
    pub client: Client,
}

/// Who counts as one client.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Client {
    /// Everybody together.
    Everyone,
    /// Everybody at sockets of the file system.
    Local,
    Address(IpAddr),
    /// By its id.
    Entity(Box<str>),
}

struct Known {
    usage: Usage,
    terms: Terms,
}

impl Default for Clients {
    fn default() -> Self {
        Self {
            hasher: RandomState::new(),
            parts: (0..PARTS).map(|_| Mutex::default()).collect(),
        }
    }
}

impl Clients {
    /// Takes one request of a client; none where there is no part for it, which is never.
    pub fn take(&self, key: Key, terms: &Terms, now: Timestamp) -> Option<Allowance> {
        let hash = usize::try_from(self.hasher.hash_one(&key) % PARTS as u64).unwrap_or_default();
        let mut part = self.parts.get(hash)?.lock();
        if part.len() >= MAX_CLIENTS_PER_PART && !part.contains_key(&key) {
            make_room(&mut part, now);
        }
        let known = part.entry(key).or_insert_with(|| Known {
            usage: Usage::new(now),
            terms: *terms,
        });
        Some(known.usage.take(terms, now))
    }

    /// Forgets clients whose interval is over.
    pub fn purge(&self, now: Timestamp) {
        for part in &self.parts {
            let mut part = part.lock();
            part.retain(|_, known| !known.usage.is_over(&known.terms, now));
            part.shrink_to_fit();
        }
    }

    /// How many are remembered.
    #[cfg(test)]
    fn len(&self) -> usize {
        self.parts.iter().map(|part| part.lock().len()).sum()
    }
}

/// Makes room for a quarter of a part at least, so that a full one is not looked through for each request.
fn make_room(part: &mut HashMap<Key, Known>, now: Timestamp) {
    part.retain(|_, known| !known.usage.is_over(&known.terms, now));
    for blocked_too in [false, true] {
        let mut surplus = part.len().saturating_sub(KEPT_WHEN_FULL);
        part.retain(|_, known| {
            let goes = surplus > 0 && (blocked_too || !known.usage.is_blocked(now));
            surplus -= usize::from(goes);
            !goes
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv6Addr;

    const NOW: Timestamp = Timestamp::EPOCH;

    fn terms() -> Terms {
        Terms {
            limit: 1,
            interval_millis: 1_000,
            block_millis: 0,
        }
    }

    fn key(quota: u64, address: u128) -> Key {
        Key {
            quota,
            client: Client::Address(IpAddr::V6(Ipv6Addr::from(address))),
        }
    }

    #[test]
    fn clients_and_quotas_do_not_share() {
        let clients = Clients::default();
        let take = |key| clients.take(key, &terms(), NOW).unwrap().passes;
        assert!(take(key(1, 1)) && take(key(2, 1)) && take(key(1, 2)));
        assert!(!take(key(1, 1)) && !take(key(2, 1)) && !take(key(1, 2)));
    }

    #[test]
    fn there_are_never_too_many_of_them_and_they_go_when_their_time_is_over() {
        let clients = Clients::default();
        for address in 0..(PARTS * MAX_CLIENTS_PER_PART * 5 / 4) as u128 {
            clients.take(key(1, address), &terms(), NOW);
        }
        let many = clients.len();
        assert!(
            (PARTS * KEPT_WHEN_FULL..=PARTS * MAX_CLIENTS_PER_PART).contains(&many),
            "{many}"
        );
        clients.purge(NOW);
        assert_eq!(clients.len(), many, "their interval still runs");
        clients.purge(Timestamp::from_secs(1));
        assert_eq!(clients.len(), 0);
    }

    #[test]
    fn who_is_blocked_is_forgotten_last() {
        let clients = Clients::default();
        let block = Terms {
            block_millis: 60_000,
            ..terms()
        };
        clients.take(key(1, 0), &block, NOW);
        assert!(!clients.take(key(1, 0), &block, NOW).unwrap().passes);
        for address in 1..(PARTS * MAX_CLIENTS_PER_PART * 5 / 4) as u128 {
            clients.take(key(1, address), &block, NOW);
        }
        assert!(!clients.take(key(1, 0), &block, NOW).unwrap().passes);
    }
}
