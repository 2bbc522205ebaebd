//! The secrets engines.

pub mod cubbyhole;
pub mod database;
pub mod kv;

mod document;
