//! Keys that were used before, ready to be used again. Reading takes no lock.
//!
//! A key is forgotten when it is changed, before anybody is told of the change. What was read from the storage meanwhile
//! may be older than the change, so it is kept only if nothing was changed since the reading began.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use coffer_wire::Timestamp;

use super::name::{Alias, KeyId, KeyName};
use super::ready::Ready;

/// How many keys, and how many aliases, are kept at most. Which one makes room for another is left to chance.
const MAX_HELD: usize = 1_024;

/// The keys of one mount that were used before.
#[derive(Default)]
pub(super) struct Cache {
    held: ArcSwap<Held>,
}

#[derive(Clone, Default)]
struct Held {
    /// How many changes there were.
    changes: u64,
    keys: HashMap<KeyId, Arc<Ready>>,
    aliases: HashMap<Alias, KeyId>,
}

/// A change that is under way; what it is about is forgotten when it ends, however it ends.
#[must_use = "what is held is forgotten when this is dropped"]
pub(super) struct Changing<'a> {
    cache: &'a Cache,
    keys: Vec<KeyId>,
    aliases: Vec<Alias>,
}

impl Cache {
    /// The key, if it was used before and still is what it was.
    pub(super) fn find(&self, name: &KeyName, now: Timestamp) -> Option<Arc<Ready>> {
        let held = self.held.load();
        let id = match name {
            KeyName::Id(id) => id,
            KeyName::Alias(alias) => held.aliases.get(alias)?,
        };
        let ready = held.keys.get(id)?;
        ready.is_good(now).then(|| Arc::clone(ready))
    }

    /// How many changes there were until now.
    pub(super) fn changes(&self) -> u64 {
        self.held.load().changes
    }

    /// Keeps a key that was read after so many changes.
    pub(super) fn keep(&self, after: u64, name: &KeyName, ready: &Arc<Ready>) {
        self.held.rcu(|held| {
            if held.changes != after {
                return Arc::clone(held);
            }
            let mut next = Held::clone(held);
            make_room(&mut next.keys);
            next.keys.insert(ready.id, Arc::clone(ready));
            if let KeyName::Alias(alias) = name {
                make_room(&mut next.aliases);
                next.aliases.insert(alias.clone(), ready.id);
            }
            Arc::new(next)
        });
    }

    /// Begins a change of these keys and aliases: call it before the change is made durable.
    pub(super) fn changing(
        &self,
        keys: impl IntoIterator<Item = KeyId>,
        aliases: impl IntoIterator<Item = Alias>,
    ) -> Changing<'_> {
        Changing {
            cache: self,
            keys: keys.into_iter().collect(),
            aliases: aliases.into_iter().collect(),
        }
    }
}

impl Drop for Changing<'_> {
    fn drop(&mut self) {
        self.cache.held.rcu(|held| {
            let mut next = Held::clone(held);
            next.changes += 1;
            for id in &self.keys {
                next.keys.remove(id);
            }
            for alias in &self.aliases {
                next.aliases.remove(alias);
            }
            next
        });
    }
}

fn make_room<K: Clone + Eq + std::hash::Hash, V>(held: &mut HashMap<K, V>) {
    if held.len() < MAX_HELD {
        return;
    }
    let any = held.keys().next().cloned();
    any.and_then(|any| held.remove(&any));
}
