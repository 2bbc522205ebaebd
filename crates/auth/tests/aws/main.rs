//! The aws method by path. AWS is a function here; what it is asked is written down.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod cloud;
mod configuration;
mod instances;
mod principals;
mod requests;
mod roles;
