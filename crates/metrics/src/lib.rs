//! Counters, gauges and timings that cost a few atomic operations where something happens, and everything else
//! where somebody looks.
//!
//! A [`Registry`] is a value that is passed in, never a global one. What is measured holds an [`Arc`](std::sync::Arc)
//! of its own [`Counter`], [`Gauge`] or [`Summary`]; the registry holds another and is asked only for a scrape. It
//! answers neutral [`Family`] values, which [`prometheus`] writes as text. Nothing here knows what is measured.

mod counter;
mod histogram;
mod labelled;
pub mod prometheus;
mod registry;
mod sample;
mod summary;

pub use counter::{Counter, Gauge};
pub use labelled::{Labelled, Reset};
pub use registry::{INTERVAL_SECS, Registry};
pub use sample::{Family, Series, Stats, Value};
pub use summary::{Summary, Timed};
