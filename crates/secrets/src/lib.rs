//! The secrets engines.

pub mod cubbyhole;
pub mod kv;

mod document;
mod keys;
