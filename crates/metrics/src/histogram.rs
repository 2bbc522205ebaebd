//! How often durations of about one length were seen: the base of counts and quantiles.
//!
//! Lengths go into classes that are an eighth of a power of two wide, so what is read back is off by at most a
//! sixteenth. Two atomic additions record one; a snapshot holds only the classes in use.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Durations below 2^8 ns are one class.
const SHORTEST_BITS: u32 = 8;
/// Each power of two has 2^3 classes.
const FINE_BITS: u32 = 3;
/// Powers of two that are told apart: 256 ns to 4.5 minutes, beyond which all is one.
const POWERS: usize = 30;
/// The class below, the classes of each power.
const CLASSES: usize = 1 + (POWERS << FINE_BITS);

/// Counts per class, and the sum. Takes no room before the first duration.
#[derive(Debug, Default)]
pub(crate) struct Histogram {
    sum_nanos: AtomicU64,
    counts: OnceLock<Box<[AtomicU64]>>,
}

/// What a histogram held at a moment, or what came between two.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Snapshot {
    pub(crate) sum_nanos: u64,
    /// Class and count, in order, without zeros.
    counts: Vec<(u16, u64)>,
}

impl Histogram {
    /// Counts one.
    pub(crate) fn record(&self, duration: Duration) {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        let counts = self
            .counts
            .get_or_init(|| (0..CLASSES).map(|_| AtomicU64::new(0)).collect());
        if let Some(count) = counts.get(class(nanos)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        self.sum_nanos.fetch_add(nanos, Ordering::Relaxed);
    }

    /// What it holds now.
    pub(crate) fn snapshot(&self) -> Snapshot {
        let counts = self.counts.get().map(|counts| {
            let each = counts.iter().map(|count| count.load(Ordering::Relaxed));
            (0..)
                .zip(each)
                .filter(|(_, count)| *count > 0)
                .collect::<Vec<(u16, u64)>>()
        });
        Snapshot {
            sum_nanos: self.sum_nanos.load(Ordering::Relaxed),
            counts: counts.unwrap_or_default(),
        }
    }
}

impl Snapshot {
    /// How many durations.
    pub(crate) fn count(&self) -> u64 {
        self.counts.iter().map(|(_, count)| count).sum()
    }

    /// What came since `before`.
    pub(crate) fn since(&self, before: &Self) -> Self {
        let mut old = before.counts.iter().peekable();
        let mut newer = |class: u16, count: u64| {
            while old.next_if(|(other, _)| *other < class).is_some() {}
            let known = old.next_if(|(other, _)| *other == class);
            count.saturating_sub(known.map_or(0, |(_, count)| *count))
        };
        let counts = self
            .counts
            .iter()
            .map(|(class, count)| (*class, newer(*class, *count)))
            .filter(|(_, count)| *count > 0)
            .collect();
        Self {
            sum_nanos: self.sum_nanos.wrapping_sub(before.sum_nanos),
            counts,
        }
    }

    /// The duration in nanoseconds that the share `quantile` of all does not exceed; none without any.
    pub(crate) fn quantile(&self, quantile: f64) -> Option<f64> {
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a rank between 1 and the count; quantiles are estimates"
        )]
        let rank = ((self.count() as f64 * quantile).ceil() as u64).max(1);
        let mut seen = 0;
        let mut in_order = self.counts.iter();
        in_order.find_map(|(class, count)| {
            seen += count;
            (seen >= rank).then(|| middle(*class))
        })
    }

    /// The middles of the classes with their counts, in nanoseconds.
    pub(crate) fn classes(&self) -> impl Iterator<Item = (f64, u64)> {
        self.counts
            .iter()
            .map(|(class, count)| (middle(*class), *count))
    }
}

fn class(nanos: u64) -> usize {
    let Some(bits) = nanos
        .checked_ilog2()
        .and_then(|bits| bits.checked_sub(SHORTEST_BITS))
    else {
        return 0;
    };
    let power = usize::try_from(bits).unwrap_or(POWERS);
    if power >= POWERS {
        return CLASSES - 1;
    }
    let fine = (nanos >> (bits + SHORTEST_BITS - FINE_BITS)) & ((1 << FINE_BITS) - 1);
    1 + (power << FINE_BITS) + usize::try_from(fine).unwrap_or_default()
}

fn middle(class: u16) -> f64 {
    let Some(above) = class.checked_sub(1) else {
        return f64::from(1_u16 << (SHORTEST_BITS - 1));
    };
    let power = i32::from(above >> FINE_BITS);
    let fine = f64::from(above & ((1 << FINE_BITS) - 1));
    let width = f64::from(1_u16 << SHORTEST_BITS) / f64::from(1_u16 << FINE_BITS);
    (f64::from(1_u16 << SHORTEST_BITS) + (fine + 0.5) * width) * 2_f64.powi(power)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_back_is_off_by_a_sixteenth_at_most() {
        let mut nanos = 256_u64;
        while nanos < 250_000_000_000 {
            let read = middle(u16::try_from(class(nanos)).unwrap());
            #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
            let off = (read - nanos as f64).abs() / nanos as f64;
            assert!(off <= 1.0 / 16.0, "{nanos} became {read}");
            nanos += nanos / 7 + 1;
        }
        assert_eq!((class(0), class(255), class(u64::MAX)), (0, 0, CLASSES - 1));
    }

    #[test]
    fn a_difference_holds_what_came_between() {
        let histogram = Histogram::default();
        assert_eq!(histogram.snapshot(), Snapshot::default());
        histogram.record(Duration::from_millis(1));
        histogram.record(Duration::from_millis(9));
        let before = histogram.snapshot();
        histogram.record(Duration::from_millis(3));
        histogram.record(Duration::from_millis(9));
        let between = histogram.snapshot().since(&before);
        assert_eq!((between.count(), between.sum_nanos), (2, 12_000_000));
        assert_eq!(between.classes().count(), 2);
    }

    #[test]
    fn quantiles_stand_at_their_rank() {
        let histogram = Histogram::default();
        assert_eq!(histogram.snapshot().quantile(0.5), None);
        for millis in 1..=100 {
            histogram.record(Duration::from_millis(millis));
        }
        let snapshot = histogram.snapshot();
        for (quantile, millis) in [(0.5, 50.0), (0.9, 90.0), (0.99, 99.0)] {
            let read = snapshot.quantile(quantile).unwrap() / 1e6;
            assert!((read - millis).abs() <= millis / 16.0, "{quantile}: {read}");
        }
    }
}
