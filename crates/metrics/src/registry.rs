//! All numbers with their names, and what they were at the ends of past intervals.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::histogram::Snapshot;
use crate::{Counter, Family, Gauge, Labelled, Reset, Series, Stats, Summary, Value};

/// Length of an interval, in seconds; intervals begin at whole multiples of it.
pub const INTERVAL_SECS: u64 = 10;
/// Quantiles look back over one to two times this, in seconds.
const QUANTILES_SECS: u64 = 60;

/// All numbers of a server. Its lock is taken by whoever adds a name or looks, never by what is measured.
#[derive(Debug, Default)]
pub struct Registry {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    families: BTreeMap<String, Entry>,
    /// What summaries were, by their names.
    marks: BTreeMap<String, Marks>,
    /// What counters were, by their names and labels.
    counted: BTreeMap<String, Counted>,
    /// The interval that runs, counted from 1970; 0 before the first look.
    interval: u64,
    /// Whether an interval was completed.
    completed: bool,
}

#[derive(Debug)]
struct Entry {
    help: &'static str,
    bare: bool,
    source: Source,
}

#[derive(Clone, Debug)]
enum Source {
    Counter(Arc<Counter>),
    Counters(Arc<Labelled<Counter>>),
    Gauge(Arc<Gauge>),
    Gauges(Arc<Labelled<Gauge>>),
    Reset(Arc<Reset>),
    Summary(Arc<Summary>),
}

/// What a counter was at the end of the last whole interval, and how much of it came in that interval.
#[derive(Clone, Copy, Debug, Default)]
struct Counted {
    total: u64,
    last: u64,
}

/// What a summary was at the ends of intervals.
#[derive(Debug, Default)]
struct Marks {
    /// At the end of the last whole interval.
    interval: Snapshot,
    /// What that interval held.
    last: Snapshot,
    /// The beginnings of the time that quantiles look at: the older is in use.
    older: Snapshot,
    newer: Snapshot,
}

/// What was read of one series.
enum Reading {
    Counter(u64),
    Gauge(f64),
    Summary(Snapshot),
}

impl Registry {
    /// A counter. The same name gives the same counter.
    pub fn counter(&self, name: &str, help: &'static str) -> Arc<Counter> {
        let mut inner = self.inner.lock();
        if let Some(Entry {
            source: Source::Counter(known),
            ..
        }) = inner.families.get(name)
        {
            return Arc::clone(known);
        }
        let counter = Arc::<Counter>::default();
        let entry = Entry {
            help,
            bare: false,
            source: Source::Counter(Arc::clone(&counter)),
        };
        inner.families.insert(name.to_owned(), entry);
        counter
    }

    /// A counter with labels, at most `most` combinations of values.
    pub fn counters(
        &self,
        name: &str,
        help: &'static str,
        labels: &'static [&'static str],
        most: usize,
    ) -> Arc<Labelled<Counter>> {
        let counters = Arc::new(Labelled::new(labels, most));
        self.add(name, help, Source::Counters(Arc::clone(&counters)));
        counters
    }

    /// A gauge.
    pub fn gauge(&self, name: &str, help: &'static str) -> Arc<Gauge> {
        let gauge = Arc::<Gauge>::default();
        self.add(name, help, Source::Gauge(Arc::clone(&gauge)));
        gauge
    }

    /// A gauge whose name is a convention of its own and takes no prefix.
    pub fn bare_gauge(&self, name: &str, help: &'static str) -> Arc<Gauge> {
        let gauge = Arc::<Gauge>::default();
        let source = Source::Gauge(Arc::clone(&gauge));
        let entry = Entry {
            help,
            bare: true,
            source,
        };
        self.inner.lock().families.insert(name.to_owned(), entry);
        gauge
    }

    /// A gauge with labels, at most `most` combinations of values.
    pub fn gauges(
        &self,
        name: &str,
        help: &'static str,
        labels: &'static [&'static str],
        most: usize,
    ) -> Arc<Labelled<Gauge>> {
        let gauges = Arc::new(Labelled::new(labels, most));
        self.add(name, help, Source::Gauges(Arc::clone(&gauges)));
        gauges
    }

    /// Gauges that are replaced together, at most `most` of them.
    pub fn reset(
        &self,
        name: &str,
        help: &'static str,
        labels: &'static [&'static str],
        most: usize,
    ) -> Arc<Reset> {
        let reset = Arc::new(Reset::new(labels, most));
        self.add(name, help, Source::Reset(Arc::clone(&reset)));
        reset
    }

    /// Durations. The same name gives the same summary.
    pub fn summary(&self, name: &str, help: &'static str) -> Arc<Summary> {
        let mut inner = self.inner.lock();
        if let Some(Entry {
            source: Source::Summary(known),
            ..
        }) = inner.families.get(name)
        {
            return Arc::clone(known);
        }
        let summary = Arc::<Summary>::default();
        let entry = Entry {
            help,
            bare: false,
            source: Source::Summary(Arc::clone(&summary)),
        };
        inner.families.insert(name.to_owned(), entry);
        summary
    }

    /// Forgets a summary.
    pub fn remove(&self, name: &str) {
        let mut inner = self.inner.lock();
        inner.families.remove(name);
        inner.marks.remove(name);
    }

    /// Ends the interval that ran, if `now_secs` (since 1970) is past its end. To be called once an interval.
    pub fn roll(&self, now_secs: u64) {
        self.inner.lock().roll(now_secs);
    }

    /// Everything as it is, and the beginning of the last whole interval, in seconds since 1970.
    pub fn gather(&self, now_secs: u64) -> (u64, Vec<Family>) {
        let mut inner = self.inner.lock();
        inner.roll(now_secs);
        let shown = inner.interval.saturating_sub(u64::from(inner.completed));
        let families = inner
            .families
            .iter()
            .map(|(name, entry)| inner.family(name, entry))
            .filter(|family| !family.series.is_empty())
            .collect();
        (shown * INTERVAL_SECS, families)
    }

    fn add(&self, name: &str, help: &'static str, source: Source) {
        let entry = Entry {
            help,
            bare: false,
            source,
        };
        self.inner.lock().families.insert(name.to_owned(), entry);
    }
}

impl Inner {
    fn roll(&mut self, now_secs: u64) {
        let interval = now_secs / INTERVAL_SECS;
        if self.interval == 0 {
            self.interval = interval;
        }
        if interval <= self.interval {
            return;
        }
        let turns = interval * INTERVAL_SECS / QUANTILES_SECS
            > self.interval * INTERVAL_SECS / QUANTILES_SECS;
        self.interval = interval;
        self.completed = true;
        for (name, entry) in &self.families {
            for (labels, reading) in entry.source.read() {
                match reading {
                    Reading::Gauge(_) => {}
                    Reading::Counter(total) => {
                        let counted = self.counted.entry(key(name, &labels)).or_default();
                        counted.last = total.saturating_sub(counted.total);
                        counted.total = total;
                    }
                    Reading::Summary(now) => {
                        let marks = self.marks.entry(name.clone()).or_default();
                        marks.last = now.since(&marks.interval);
                        if turns {
                            marks.older = std::mem::replace(&mut marks.newer, now.clone());
                        }
                        marks.interval = now;
                    }
                }
            }
        }
    }

    fn family(&self, name: &str, entry: &Entry) -> Family {
        let none = Marks::default();
        let series = entry.source.read().into_iter().map(|(labels, reading)| {
            let value = match reading {
                Reading::Gauge(value) => Value::Gauge(value),
                Reading::Counter(total) => Value::Counter {
                    total,
                    interval: self.interval_of(name, &labels, total),
                },
                Reading::Summary(now) => {
                    self.summarised(&now, self.marks.get(name).unwrap_or(&none))
                }
            };
            Series { labels, value }
        });
        Family {
            name: name.to_owned(),
            bare: entry.bare,
            help: entry.help,
            series: series.collect(),
        }
    }

    /// What of a counter came in the last whole interval; before the first ended, all of it.
    fn interval_of(&self, name: &str, labels: &[(String, String)], total: u64) -> u64 {
        match self.counted.get(&key(name, labels)) {
            Some(counted) => counted.last,
            None if self.completed => 0,
            None => total,
        }
    }

    fn summarised(&self, now: &Snapshot, marks: &Marks) -> Value {
        let recent = now.since(&marks.older);
        let interval = if self.completed { &marks.last } else { now };
        Value::Summary {
            count: now.count(),
            sum: millis(now.sum_nanos),
            quantiles: [0.5, 0.9, 0.99].map(|q| recent.quantile(q).map(|nanos| nanos / 1e6)),
            interval: stats(interval),
        }
    }
}

impl Source {
    /// The series that have something to say.
    fn read(&self) -> Vec<(Vec<(String, String)>, Reading)> {
        match self {
            Self::Counter(counter) => vec![(Vec::new(), Reading::Counter(counter.get()))],
            Self::Counters(counters) => {
                let all = counters.all().into_iter();
                all.map(|(labels, one)| (labels, Reading::Counter(one.get())))
                    .collect()
            }
            Self::Gauge(gauge) => {
                let known = gauge.get().into_iter();
                known
                    .map(|value| (Vec::new(), Reading::Gauge(value)))
                    .collect()
            }
            Self::Gauges(gauges) => {
                let all = gauges.all().into_iter();
                all.filter_map(|(labels, one)| Some((labels, Reading::Gauge(one.get()?))))
                    .collect()
            }
            Self::Reset(reset) => {
                let all = reset.all().into_iter();
                all.map(|(labels, value)| (labels, Reading::Gauge(value)))
                    .collect()
            }
            Self::Summary(summary) => {
                let snapshot = summary.snapshot();
                let seen = (snapshot.count() > 0).then_some(snapshot).into_iter();
                seen.map(|snapshot| (Vec::new(), Reading::Summary(snapshot)))
                    .collect()
            }
        }
    }
}

fn stats(interval: &Snapshot) -> Option<Stats> {
    let count = interval.count();
    if count == 0 {
        return None;
    }
    let sum = millis(interval.sum_nanos);
    #[expect(clippy::cast_precision_loss, reason = "a count of ten seconds")]
    let mean = sum / count as f64;
    if count == 1 {
        return Some(Stats {
            count,
            sum,
            min: sum,
            max: sum,
            stddev: 0.0,
        });
    }
    let ends = |pick: fn(f64, f64) -> f64| {
        let middles = interval.classes().map(|(nanos, _)| nanos / 1e6);
        middles.fold(mean, pick)
    };
    let squares: f64 = interval
        .classes()
        .map(|(nanos, count)| {
            #[expect(clippy::cast_precision_loss, reason = "a count of ten seconds")]
            let count = count as f64;
            (nanos / 1e6 - mean).powi(2) * count
        })
        .sum();
    #[expect(clippy::cast_precision_loss, reason = "a count of ten seconds")]
    let stddev = (squares / (count - 1) as f64).sqrt();
    Some(Stats {
        count,
        sum,
        min: ends(f64::min),
        max: ends(f64::max),
        stddev,
    })
}

fn millis(nanos: u64) -> f64 {
    #[expect(
        clippy::cast_precision_loss,
        reason = "whole to 104 days of nanoseconds"
    )]
    let nanos = nanos as f64;
    nanos / 1e6
}

/// Where what a counter was is kept.
fn key(name: &str, labels: &[(String, String)]) -> String {
    let mut key = name.to_owned();
    for (_, value) in labels {
        key.push('\u{1f}');
        key.push_str(value);
    }
    key
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn value(registry: &Registry, now_secs: u64, name: &str) -> Option<Value> {
        let (_, families) = registry.gather(now_secs);
        let family = families.into_iter().find(|family| family.name == name)?;
        family.series.first().map(|series| series.value.clone())
    }

    #[test]
    fn a_gauge_is_shown_once_it_is_known() {
        let registry = Registry::default();
        let gauge = registry.gauge("num_leases", "Leases.");
        assert_eq!(value(&registry, 100, "num_leases"), None);
        gauge.set_whole(3);
        assert_eq!(value(&registry, 100, "num_leases"), Some(Value::Gauge(3.0)));
        gauge.forget();
        assert_eq!(value(&registry, 100, "num_leases"), None);
    }

    #[test]
    fn an_interval_shows_what_came_in_it() {
        let registry = Registry::default();
        let counter = registry.counter("made", "Made.");
        let of = |total, interval| Some(Value::Counter { total, interval });
        counter.add(2);
        assert_eq!(value(&registry, 103, "made"), of(2, 2), "the first runs");
        assert_eq!(value(&registry, 110, "made"), of(2, 2));
        counter.one();
        assert_eq!(value(&registry, 119, "made"), of(3, 2), "the second runs");
        assert_eq!(value(&registry, 121, "made"), of(3, 1));
        assert_eq!(value(&registry, 131, "made"), of(3, 0));
        assert_eq!(registry.gather(131).0, 120);
    }

    #[test]
    fn quantiles_forget_after_two_minutes() {
        let registry = Registry::default();
        let summary = registry.summary("took", "Took.");
        assert_eq!(value(&registry, 1_200, "took"), None, "never recorded");
        summary.observe(Duration::from_millis(8));
        let median = |now| match value(&registry, now, "took") {
            Some(Value::Summary { quantiles, .. }) => quantiles[0],
            other => panic!("{other:?}"),
        };
        for now in (1_200..=1_310).step_by(10) {
            assert!(median(now).is_some(), "{now}");
        }
        assert_eq!(median(1_320), None);
    }

    #[test]
    fn one_alone_is_told_exactly() {
        let registry = Registry::default();
        let summary = registry.summary("took", "Took.");
        summary.observe(Duration::from_micros(1_537));
        let Some(Value::Summary {
            count,
            sum,
            interval,
            ..
        }) = value(&registry, 5, "took")
        else {
            panic!("no summary")
        };
        let stats = interval.unwrap();
        assert_eq!((count, sum, stats.min, stats.max), (1, 1.537, 1.537, 1.537));
        summary.observe(Duration::from_millis(5));
        let Some(Value::Summary { interval, .. }) = value(&registry, 6, "took") else {
            panic!("no summary")
        };
        let stats = interval.unwrap();
        assert!(
            stats.min < 1.7 && stats.max > 4.6 && stats.stddev > 2.0,
            "{stats:?}"
        );
    }

    #[test]
    fn what_is_removed_is_gone() {
        let registry = Registry::default();
        registry
            .summary("route.read.a-", "Reads.")
            .observe(Duration::ZERO);
        assert!(value(&registry, 100, "route.read.a-").is_some());
        registry.remove("route.read.a-");
        assert!(value(&registry, 100, "route.read.a-").is_none());
    }
}
