//! What holds for all rate limits.

use coffer_barrier::Stored;
use serde::{Deserialize, Serialize};

use crate::namespaces::Space;

/// Which paths are exempt until an operator says otherwise: what is needed to see and to open a server.
const EXEMPT_AT_FIRST: [&str; 7] = [
    "sys/generate-recovery-token/attempt",
    "sys/generate-recovery-token/update",
    "sys/generate-root/attempt",
    "sys/generate-root/update",
    "sys/health",
    "sys/seal-status",
    "sys/unseal",
];

/// The configuration of rate limits, as stored under `config`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// Whether audit records the requests that are refused.
    pub audit_refusals: bool,
    /// Whether clients are told what is left to them.
    pub response_headers: bool,
    /// Beginnings of paths, as they are below their namespace or from the root, that no rate limit holds for.
    pub exempt: Vec<String>,
    /// Beginnings of paths from the root that no rate limit holds for.
    pub absolutely_exempt: Vec<String>,
}

impl Stored for Config {
    const MAX_BYTES: usize = 256 * 1024;
}

impl Default for Config {
    fn default() -> Self {
        Self {
            audit_refusals: false,
            response_headers: false,
            exempt: EXEMPT_AT_FIRST.map(str::to_owned).to_vec(),
            absolutely_exempt: Vec::new(),
        }
    }
}

impl Config {
    /// Whether no rate limit holds for a path of a namespace.
    pub fn exempts(&self, space: &Space, path: &str) -> bool {
        let begins = |whole: &str, list: &[String]| {
            list.iter().any(|exempt| match exempt.strip_suffix('*') {
                Some(beginning) => whole.starts_with(beginning),
                None => !exempt.is_empty() && whole.starts_with(exempt.as_str()),
            })
        };
        if begins(path, &self.exempt) {
            return true;
        }
        if self.absolutely_exempt.is_empty() && (space.is_root() || self.exempt.is_empty()) {
            return false;
        }
        let whole = format!("{}{path}", space.path);
        begins(&whole, &self.exempt) || begins(&whole, &self.absolutely_exempt)
    }
}
