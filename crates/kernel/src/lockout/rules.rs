//! When a name is locked out, and for how long.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::mounts::UserLockout;

/// Wrong passwords until a name is locked out, where nothing else is said.
const USUAL_THRESHOLD: u64 = 5;
/// How long it is locked out, and after how long the count begins anew, where nothing else is said.
const USUAL_SECS: u64 = 900;

/// The rules for one mount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Wrong passwords until a name is locked out; at least one.
    pub threshold: u64,
    /// How long it is locked out.
    pub duration: Duration,
    /// After how long without a wrong password the count begins anew.
    pub counter_reset: Duration,
    /// Whether any of this happens.
    pub enabled: bool,
}

impl Rules {
    /// The rules for a mount of a type: as it was tuned, else as the configuration says for the type, else for `all`.
    pub fn of(
        tuned: Option<&UserLockout>,
        configured: &BTreeMap<String, UserLockout>,
        kind: &str,
    ) -> Self {
        let layers = [tuned, configured.get(kind), configured.get("all")];
        let layers = || layers.iter().flatten();
        let time = |field: fn(&UserLockout) -> Duration| {
            let said = layers().map(|layer| field(layer));
            let mut said = said.filter(|duration| !duration.is_zero());
            said.next().unwrap_or(Duration::from_secs(USUAL_SECS))
        };
        let mut thresholds = layers().map(|layer| layer.threshold).filter(|n| *n > 0);
        Self {
            threshold: thresholds.next().unwrap_or(USUAL_THRESHOLD),
            duration: time(|layer| layer.duration),
            counter_reset: time(|layer| layer.counter_reset),
            enabled: !layers().next().is_some_and(|layer| layer.disabled),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_counts() {
        let usual = Rules::of(None, &BTreeMap::new(), "x");
        assert_eq!(
            (usual.threshold, usual.duration.as_secs(), usual.enabled),
            (5, 900, true)
        );
        let say = |threshold, secs, disabled| UserLockout {
            threshold,
            duration: Duration::from_secs(secs),
            counter_reset: Duration::ZERO,
            disabled,
        };
        let configured = BTreeMap::from([
            ("all".to_owned(), say(7, 60, true)),
            ("x".to_owned(), say(0, 30, false)),
        ]);
        let x = Rules::of(None, &configured, "x");
        assert_eq!(
            (x.threshold, x.duration.as_secs(), x.enabled),
            (7, 30, true)
        );
        let y = Rules::of(None, &configured, "y");
        assert_eq!(
            (y.threshold, y.duration.as_secs(), y.enabled),
            (7, 60, false)
        );
        let tuned = Rules::of(Some(&say(2, 0, false)), &configured, "y");
        assert_eq!(
            (tuned.threshold, tuned.duration.as_secs(), tuned.enabled),
            (2, 60, true)
        );
    }
}
