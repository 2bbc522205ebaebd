//! Keys that are ready for use, so that a request need not read and decrypt them.
//!
//! Looking one up takes no lock. The truth is in storage: an entry is only ever made of a record that was read, and every
//! change of a key forgets its entry after it is durable. Who reads a record takes a [`Ticket`] first; what was read before a
//! change does not come in after it.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;

use super::ready::Ready;

/// Into how many parts the cache is divided, so that changing it stays cheap.
const SHARDS: usize = 64;
/// How many keys are ready at once where nothing is configured.
pub(super) const KEYS_MAX: usize = 4_096;

/// The keys of one mount that are ready.
pub(super) struct Cache {
    shards: Vec<Shard>,
    hasher: RandomState,
    /// How many keys a shard holds.
    room: AtomicUsize,
}

#[derive(Default)]
struct Shard {
    ready: ArcSwap<HashMap<String, Arc<Ready>>>,
    /// How often something was forgotten; held while the map is exchanged.
    changes: Mutex<u64>,
}

/// What the cache knew when a record began to be read.
pub(super) struct Ticket(u64);

/// Forgets a key when the change of it is over, however that ended.
pub(super) struct Forgetting<'a> {
    cache: &'a Cache,
    name: &'a str,
}

impl Drop for Forgetting<'_> {
    fn drop(&mut self) {
        self.cache.forget(self.name);
    }
}

impl Default for Cache {
    fn default() -> Self {
        Self {
            shards: std::iter::repeat_with(Shard::default)
                .take(SHARDS)
                .collect(),
            hasher: RandomState::new(),
            room: AtomicUsize::new(KEYS_MAX / SHARDS),
        }
    }
}

impl Cache {
    /// Lets so many keys be ready at once, about; 0 for as many as are ever kept.
    pub(super) fn resize(&self, keys: usize) {
        let keys = match keys {
            0 => KEYS_MAX,
            keys => keys.min(KEYS_MAX),
        };
        self.room.store(keys.div_ceil(SHARDS), Ordering::Relaxed);
    }

    /// The key of that name, if it is ready.
    pub(super) fn get(&self, name: &str) -> Option<Arc<Ready>> {
        self.shard(name)?.ready.load().get(name).map(Arc::clone)
    }

    /// To be taken before a record is read.
    pub(super) fn ticket(&self, name: &str) -> Ticket {
        let changes = self.shard(name).map(|shard| *shard.lock());
        Ticket(changes.unwrap_or_default())
    }

    /// Keeps a key, unless something was forgotten since the ticket was taken.
    pub(super) fn put(&self, name: &str, ticket: &Ticket, ready: &Arc<Ready>) {
        let Some(shard) = self.shard(name) else {
            return;
        };
        let changes = shard.lock();
        if *changes != ticket.0 {
            return;
        }
        let mut map = HashMap::clone(&shard.ready.load());
        let room = self.room.load(Ordering::Relaxed);
        while map.len() >= room.max(1) && !map.contains_key(name) {
            // Any will do: the order of a map is by chance.
            let Some(other) = map.keys().next().cloned() else {
                break;
            };
            map.remove(&other);
        }
        map.insert(name.to_owned(), Arc::clone(ready));
        shard.ready.store(Arc::new(map));
    }

    /// What is to be held while a key is changed.
    pub(super) fn forgetting<'a>(&'a self, name: &'a str) -> Forgetting<'a> {
        Forgetting { cache: self, name }
    }

    /// Lets the next request read the key anew.
    pub(super) fn forget(&self, name: &str) {
        let Some(shard) = self.shard(name) else {
            return;
        };
        let mut changes = shard.lock();
        *changes += 1;
        if shard.ready.load().contains_key(name) {
            let mut map = HashMap::clone(&shard.ready.load());
            map.remove(name);
            shard.ready.store(Arc::new(map));
        }
    }

    fn shard(&self, name: &str) -> Option<&Shard> {
        // The remainder is below the number of shards.
        let at = usize::try_from(self.hasher.hash_one(name)).unwrap_or(0) % SHARDS;
        self.shards.get(at)
    }
}

impl Shard {
    fn lock(&self) -> std::sync::MutexGuard<'_, u64> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use coffer_wire::Timestamp;

    use super::*;
    use crate::transit::key::{Bytes, Version};
    use crate::transit::keys::Wish;

    fn ready(id: &str) -> Arc<Ready> {
        let version = Version {
            created: Timestamp::EPOCH,
            key: Bytes::new(vec![7; 32]),
            public: Bytes::default(),
            mac: Bytes::default(),
            certificates: Vec::new(),
        };
        let key = Wish::default().key(id.to_owned(), Timestamp::EPOCH);
        Arc::new(Ready::new(key, version).unwrap())
    }

    #[test]
    fn what_was_read_before_a_change_does_not_come_in_after_it() {
        let cache = Cache::default();
        let early = cache.ticket("a");
        drop(cache.forgetting("a"));
        cache.put("a", &early, &ready("old"));
        assert!(cache.get("a").is_none());
        let late = cache.ticket("a");
        cache.put("a", &late, &ready("new"));
        assert_eq!(cache.get("a").unwrap().key.id, "new");
        cache.forget("a");
        assert!(cache.get("a").is_none());
    }

    #[test]
    fn it_holds_no_more_than_it_may() {
        let cache = Cache::default();
        cache.resize(128);
        for n in 0..2_000 {
            let name = n.to_string();
            cache.put(&name, &cache.ticket(&name), &ready(&name));
            assert!(
                cache.get(&name).is_some(),
                "the last one that came is there"
            );
        }
        let held = (0..2_000).filter(|n| cache.get(&n.to_string()).is_some());
        assert!((64..=128).contains(&held.count()));
    }
}
