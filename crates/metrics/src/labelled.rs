//! The same number for several values of its labels, bounded in how many.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;

/// What stands for the values of labels that came after the bound was reached.
const OTHER: &str = "other";
/// Between the values of a key; no value may hold it.
const BETWEEN: char = '\u{1f}';

/// Names of labels with their values.
pub(crate) type Labels = Vec<(String, String)>;

/// One number per combination of label values. Finding one takes no lock.
#[derive(Debug)]
pub struct Labelled<M> {
    names: &'static [&'static str],
    most: usize,
    series: ArcSwap<HashMap<String, Arc<M>>>,
}

/// Numbers that are replaced together, because they were counted together.
#[derive(Debug)]
pub struct Reset {
    names: &'static [&'static str],
    most: usize,
    series: ArcSwap<Vec<(Vec<String>, f64)>>,
}

impl<M: Default> Labelled<M> {
    /// For these labels, at most so many combinations.
    pub fn new(names: &'static [&'static str], most: usize) -> Self {
        Self {
            names,
            most,
            series: ArcSwap::default(),
        }
    }

    /// The number for these values, in the order of the labels. Where the bound is reached, new combinations share
    /// one whose values are all `other`.
    pub fn of(&self, values: &[&str]) -> Arc<M> {
        let wanted = key(values);
        if let Some(found) = self.series.load().get(&wanted) {
            return Arc::clone(found);
        }
        let other = key(&vec![OTHER; self.names.len()]);
        self.series.rcu(|series| {
            let key = if series.len() < self.most || series.contains_key(&wanted) {
                &wanted
            } else {
                &other
            };
            let mut series = HashMap::clone(series);
            series.entry(key.clone()).or_default();
            series
        });
        let series = self.series.load();
        let found = series.get(&wanted).or_else(|| series.get(&other));
        found.cloned().unwrap_or_default()
    }

    /// All label values with their numbers, in order.
    pub(crate) fn all(&self) -> Vec<(Labels, Arc<M>)> {
        let series = self.series.load();
        let mut all: Vec<_> = series.iter().collect();
        all.sort_by_key(|(key, _)| *key);
        let named = |key: &str| {
            let values = key.split(BETWEEN).map(str::to_owned);
            self.names
                .iter()
                .map(ToString::to_string)
                .zip(values)
                .collect()
        };
        all.into_iter()
            .map(|(key, one)| (named(key), Arc::clone(one)))
            .collect()
    }
}

impl Reset {
    /// For these labels, at most so many combinations.
    pub fn new(names: &'static [&'static str], most: usize) -> Self {
        Self {
            names,
            most,
            series: ArcSwap::default(),
        }
    }

    /// Replaces all numbers. Of more than the bound, the largest stay and the rest is summed up as `other`.
    pub fn set(&self, counted: impl IntoIterator<Item = (Vec<String>, f64)>) {
        let mut counted: Vec<_> = counted.into_iter().collect();
        counted.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        if counted.len() > self.most {
            let rest: f64 = counted.drain(self.most..).map(|(_, value)| value).sum();
            counted.push((vec![OTHER.to_owned(); self.names.len()], rest));
        }
        counted.sort_by(|a, b| a.0.cmp(&b.0));
        self.series.store(Arc::new(counted));
    }

    /// All label values with their numbers, in order.
    pub(crate) fn all(&self) -> Vec<(Vec<(String, String)>, f64)> {
        let series = self.series.load();
        let named = |values: &[String]| {
            let names = self.names.iter().map(ToString::to_string);
            names.zip(values.iter().cloned()).collect()
        };
        series
            .iter()
            .map(|(values, value)| (named(values), *value))
            .collect()
    }
}

fn key(values: &[&str]) -> String {
    let mut key = String::with_capacity(values.iter().map(|value| value.len() + 1).sum());
    for (at, value) in values.iter().enumerate() {
        if at > 0 {
            key.push(BETWEEN);
        }
        key.extend(value.chars().filter(|c| *c != BETWEEN));
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Counter;

    #[test]
    fn beyond_the_bound_all_is_other() {
        let by_mount: Labelled<Counter> = Labelled::new(&["mount", "kind"], 2);
        for mount in ["a/", "b/", "c/", "d/", "a/"] {
            by_mount.of(&[mount, "kv"]).one();
        }
        let all = by_mount.all();
        let shown: Vec<_> = all
            .iter()
            .map(|(labels, count)| (labels[0].1.as_str(), labels[1].1.as_str(), count.get()))
            .collect();
        assert_eq!(
            shown,
            [("a/", "kv", 2), ("b/", "kv", 1), ("other", "other", 2)]
        );
    }

    #[test]
    fn of_too_many_the_largest_stay() {
        let policies = Reset::new(&["policy"], 2);
        let named = |name: &str, count| (vec![name.to_owned()], count);
        policies.set([
            named("a", 1.0),
            named("b", 5.0),
            named("c", 2.0),
            named("d", 9.0),
        ]);
        let shown: Vec<_> = policies
            .all()
            .into_iter()
            .map(|(labels, value)| (labels[0].1.clone(), value))
            .collect();
        let expected = [("b", 5.0), ("d", 9.0), ("other", 3.0)];
        assert_eq!(
            shown,
            expected.map(|(name, value)| (name.to_owned(), value))
        );
        policies.set([]);
        assert!(policies.all().is_empty());
    }
}
