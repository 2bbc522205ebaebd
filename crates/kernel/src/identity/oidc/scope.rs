//! What an application may ask to be told.

use crate::identity::edit::Noun;
use coffer_barrier::Stored;
use serde::{Deserialize, Serialize};

/// The scope that every request has, and nobody defines.
pub const OPENID: &str = "openid";

/// A scope, as stored under `scope/<name>`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Scope {
    /// The template of its claims; empty for none.
    pub template: String,
    /// What people are told about it.
    pub description: String,
}

impl Stored for Scope {}

impl Noun for Scope {
    const FOLDER: &'static str = "scope/";
}
