//! What responders said, for as long as it holds.

use std::collections::HashMap;
use std::time::Duration;

use parking_lot::Mutex;

use super::Verdict;

/// Answers that were checked, by who asked whom for what.
#[derive(Default)]
pub(in crate::cert) struct Cache(Mutex<HashMap<[u8; 32], Verdict>>);

impl Cache {
    /// What was said, if it still holds.
    pub(super) fn get(&self, key: &[u8; 32], now: Duration) -> Option<Verdict> {
        let verdict = self.0.lock().get(key).copied();
        verdict.filter(|verdict| now < verdict.until)
    }

    /// Keeps what was said; of more than `most`, what ends first is forgotten.
    pub(super) fn put(&self, key: [u8; 32], verdict: Verdict, most: usize, now: Duration) {
        let mut kept = self.0.lock();
        kept.insert(key, verdict);
        if kept.len() <= most {
            return;
        }
        kept.retain(|_, verdict| now < verdict.until);
        while kept.len() > most {
            let first = kept.iter().min_by_key(|(_, verdict)| verdict.until);
            let Some(first) = first.map(|(key, _)| *key) else {
                return;
            };
            kept.remove(&first);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Standing;
    use super::*;

    #[test]
    fn it_is_bounded_and_forgets_what_ended() {
        let cache = Cache::default();
        let at = Duration::from_secs;
        for byte in 0..10_u8 {
            let verdict = Verdict {
                standing: Standing::Good,
                this_update: at(0),
                until: at(100 + u64::from(byte)),
            };
            cache.put([byte; 32], verdict, 3, at(50));
        }
        assert_eq!(cache.0.lock().len(), 3);
        assert!(cache.get(&[6; 32], at(50)).is_none());
        assert!(cache.get(&[9; 32], at(50)).is_some());
        assert!(cache.get(&[9; 32], at(109)).is_none());
    }
}
