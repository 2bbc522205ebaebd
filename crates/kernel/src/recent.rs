//! What is kept in memory of what is stored, bounded.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;

/// A map that forgets what was not asked for lately.
///
/// It has a young and an old half. What is found in the old one moves to the young one; when the young one is full it
/// becomes the old one, and what the old one still held is forgotten.
#[derive(Debug)]
pub(crate) struct Recent<K, V> {
    young: HashMap<K, (V, usize)>,
    old: HashMap<K, (V, usize)>,
    young_cost: usize,
    max_half_cost: usize,
}

impl<K: Hash + Eq, V: Clone> Recent<K, V> {
    /// A map of at most that cost, in units of [`Recent::insert`].
    pub fn new(max_cost: usize) -> Self {
        Self {
            young: HashMap::new(),
            old: HashMap::new(),
            young_cost: 0,
            max_half_cost: max_cost / 2,
        }
    }

    pub fn get<Q: Hash + Eq + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        if let Some((value, _)) = self.young.get(key) {
            return Some(value.clone());
        }
        let (key, (value, cost)) = self.old.remove_entry(key)?;
        self.insert(key, value.clone(), cost);
        Some(value)
    }

    /// Keeps a value, unless it alone is more than half of the map may cost.
    pub fn insert(&mut self, key: K, value: V, cost: usize) {
        if cost > self.max_half_cost {
            return;
        }
        if self.young_cost + cost > self.max_half_cost {
            self.old = std::mem::take(&mut self.young);
            self.young_cost = 0;
        }
        self.young_cost += cost;
        if let Some((_, replaced)) = self.young.insert(key, (value, cost)) {
            self.young_cost -= replaced;
        }
    }

    /// Forgets what does not pass.
    pub fn retain(&mut self, keep: impl Fn(&K) -> bool) {
        self.old.retain(|key, _| keep(key));
        self.young.retain(|key, _| keep(key));
        self.young_cost = self.young.values().map(|(_, cost)| cost).sum();
    }

    /// Forgets one value.
    pub fn remove<Q: Hash + Eq + ?Sized>(&mut self, key: &Q)
    where
        K: Borrow<Q>,
    {
        self.old.remove(key);
        if let Some((_, cost)) = self.young.remove(key) {
            self.young_cost -= cost;
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.old.clear();
        self.young.clear();
        self.young_cost = 0;
    }

    #[cfg(test)]
    pub fn cost(&self) -> usize {
        self.old
            .values()
            .chain(self.young.values())
            .map(|(_, cost)| cost)
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stays_within_its_cost_and_keeps_what_is_used() {
        let mut recent = Recent::<usize, usize>::new(100);
        for key in 0..1_000 {
            recent.insert(key, key, 7);
            assert_eq!(recent.get(&0), Some(0), "asked for all the time");
            assert!(recent.cost() <= 100, "{}", recent.cost());
        }
        assert_eq!(recent.get(&5), None);
        recent.insert(2_000, 1, 51);
        assert_eq!(recent.get(&2_000), None, "too large to keep");
    }

    #[test]
    fn forgets_on_demand() {
        let mut recent = Recent::<usize, usize>::new(100);
        (0..10).for_each(|key| recent.insert(key, key, 1));
        recent.retain(|key| *key != 3);
        assert_eq!((recent.get(&3), recent.get(&4)), (None, Some(4)));
        assert_eq!(recent.cost(), 9);
        recent.remove(&4);
        assert_eq!((recent.get(&4), recent.cost()), (None, 8));
        recent.clear();
        assert_eq!((recent.get(&5), recent.cost()), (None, 0));
    }
}
