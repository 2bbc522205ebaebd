//! The secrets engines.

pub mod cubbyhole;
pub mod database;
pub mod kms;
pub mod kv;
pub mod transit;

mod document;
