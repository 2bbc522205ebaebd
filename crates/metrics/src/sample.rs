//! What a scrape reads.

/// All series of one name.
#[derive(Clone, Debug, PartialEq)]
pub struct Family {
    /// Its name, with dots between its parts: `core.handle_request`.
    pub name: String,
    /// Whether the name is a convention of its own (`process.open_fds`) that takes no prefix.
    pub bare: bool,
    /// What it tells.
    pub help: &'static str,
    /// Its series.
    pub series: Vec<Series>,
}

/// One series.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Names and values of its labels.
    pub labels: Vec<(String, String)>,
    /// What it says.
    pub value: Value,
}

/// The value of a series.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A number that only grows.
    Counter {
        /// Since the start.
        total: u64,
        /// In the last whole interval.
        interval: u64,
    },
    /// A number that is set.
    Gauge(f64),
    /// Durations, in milliseconds.
    Summary {
        /// How many since the start.
        count: u64,
        /// Their sum.
        sum: f64,
        /// The median, the 90th and the 99th percentile of the last one to two minutes.
        quantiles: [Option<f64>; 3],
        /// The last whole interval, if anything was recorded in it.
        interval: Option<Stats>,
    },
}

/// Durations of one interval, in milliseconds. Smallest, largest and spread are estimates, off by a sixteenth at most.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stats {
    /// How many.
    pub count: u64,
    /// Their sum.
    pub sum: f64,
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
    /// The standard deviation.
    pub stddev: f64,
}
