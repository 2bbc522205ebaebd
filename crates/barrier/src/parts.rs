//! Parts of the store with keys of their own.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use crate::Barrier;

/// Which part a path belongs to: the one of the longest prefix that it begins with.
#[derive(Clone, Default)]
pub(crate) struct Parts {
    by_prefix: BTreeMap<Vec<u8>, Arc<Barrier>>,
}

impl Parts {
    /// The part that a path belongs to; none for what has the keys of the whole.
    pub(crate) fn of(&self, path: &str) -> Option<&Arc<Barrier>> {
        let path = path.as_bytes();
        let mut until = path;
        while !self.by_prefix.is_empty() {
            let below = (Bound::Unbounded, Bound::Included(until));
            let (prefix, part) = self.by_prefix.range::<[u8], _>(below).next_back()?;
            if path.starts_with(prefix) {
                return Some(part);
            }
            // Any prefix of the path that sorts before this one is no longer than what both have in common.
            let common = prefix.iter().zip(path).take_while(|(one, two)| one == two);
            until = path.get(..common.count())?;
        }
        None
    }

    /// The part whose key material is at a place.
    pub(crate) fn kept_at(&self, at: &str) -> Option<Arc<Barrier>> {
        self.all().find(|part| part.at() == at).cloned()
    }

    /// Whether a path holds key material of a part.
    pub(crate) fn hold_keys(&self, path: &str) -> bool {
        self.all().any(|part| path.starts_with(part.at()))
    }

    /// The parts, those with several prefixes several times.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<Barrier>> {
        self.by_prefix.values()
    }

    /// Adds a part; answers false, and does nothing, if another has one of the prefixes.
    pub(crate) fn add(&mut self, prefixes: &[String], part: &Arc<Barrier>) -> bool {
        let others = |prefix: &String| {
            let holder = self.by_prefix.get(prefix.as_bytes());
            holder.is_some_and(|holder| !Arc::ptr_eq(holder, part))
        };
        if prefixes.iter().any(others) {
            return false;
        }
        let each = prefixes.iter().map(|prefix| prefix.as_bytes().to_vec());
        self.by_prefix
            .extend(each.map(|prefix| (prefix, Arc::clone(part))));
        true
    }

    pub(crate) fn remove(&mut self, at: &str) {
        self.by_prefix.retain(|_, part| part.at() != at);
    }
}

#[cfg(test)]
mod tests {
    use coffer_crypto::Random;
    use coffer_storage::Memory;

    use super::*;

    #[test]
    fn the_longest_prefix_decides() {
        let whole = Barrier::new(Arc::new(Memory::new()), Random::system());
        let mut parts = Parts::default();
        for (at, prefixes) in [
            ("k/one/", ["ns/1/", "t/in/aaaaaa"]),
            ("k/two/", ["ns/1/ns/2/", "t/in/aaaaaabbbbbb"]),
            ("k/three/", ["ns/3/", "t/in/a"]),
        ] {
            let prefixes = prefixes.map(str::to_owned);
            assert!(parts.add(&prefixes, &Arc::new(whole.part(at))));
        }
        let taken = ["ns/9/".to_owned(), "ns/3/".to_owned()];
        assert!(!parts.add(&taken, &Arc::new(whole.part("k/other/"))));
        for (path, at) in [
            ("ns/1/x", "k/one/"),
            ("ns/1/ns/2/x", "k/two/"),
            ("ns/1/ns/9/x", "k/one/"),
            ("ns/1/ns/1/x", "k/one/"),
            ("ns/1", ""),
            ("ns/2/x", ""),
            ("ns/", ""),
            ("", ""),
            ("zz", ""),
            ("t/in/aaaaaa/x", "k/one/"),
            ("t/in/aaaaaabbbbbb/x", "k/two/"),
            ("t/in/aaaaaacccccc/x", "k/one/"),
            ("t/in/aaaaaabbbbbé/x", "k/one/"),
            ("t/in/ab/x", "k/three/"),
        ] {
            let found = parts.of(path).map_or("", |part| part.at());
            assert_eq!(found, at, "{path}");
        }
        assert!(parts.hold_keys("k/one/keyring") && !parts.hold_keys("k/"));
        parts.remove("k/two/");
        assert_eq!(
            parts.of("ns/1/ns/2/x").map(|part| part.at()),
            Some("k/one/")
        );
        assert!(parts.kept_at("k/two/").is_none() && parts.kept_at("k/one/").is_some());
    }
}
