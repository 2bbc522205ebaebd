//! The classes that lifetimes are counted in.

use std::time::Duration;

/// The bounds of the classes, in seconds, with their names.
const CLASSES: [(u64, &str); 9] = [
    (60, "1m"),
    (10 * 60, "10m"),
    (20 * 60, "20m"),
    (3_600, "1h"),
    (2 * 3_600, "2h"),
    (24 * 3_600, "1d"),
    (2 * 24 * 3_600, "2d"),
    (7 * 24 * 3_600, "7d"),
    (30 * 24 * 3_600, "30d"),
];
/// The class of what lives longer, or has no end.
pub(super) const LONGER: &str = "+Inf";

/// The class of a lifetime; zero is one without an end.
pub(super) fn class(lifetime: Duration) -> &'static str {
    let secs = lifetime.as_secs();
    let fits = |(bound, _): &&(u64, &'static str)| secs <= *bound && !lifetime.is_zero();
    CLASSES.iter().find(fits).map_or(LONGER, |(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lifetime_is_in_the_first_class_that_holds_it() {
        for (secs, name) in [
            (1, "1m"),
            (60, "1m"),
            (61, "10m"),
            (3_600, "1h"),
            (768 * 3_600, "+Inf"),
            (0, "+Inf"),
        ] {
            assert_eq!(class(Duration::from_secs(secs)), name, "{secs}");
        }
    }
}
