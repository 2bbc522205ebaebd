//! The secrets engines.

pub mod cubbyhole;
pub mod database;
pub mod kv;
pub mod transit;

mod document;
