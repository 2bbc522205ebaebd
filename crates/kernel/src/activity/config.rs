//! How clients are counted.

use coffer_barrier::Stored;
use serde::{Deserialize, Serialize};

/// The most months that are kept.
pub const MONTHS_MAX: u32 = 60;

/// What operators set, as stored under `sys/activity/config`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// Whether clients are counted.
    pub switch: Switch,
    /// How many months are kept, this one included.
    pub retention_months: u32,
    /// How many months a report is about that names no beginning.
    pub report_months: u32,
}

/// Whether clients are counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Switch {
    /// Nobody said: they are.
    #[default]
    Default,
    /// They are.
    Enable,
    /// They are not.
    Disable,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            switch: Switch::Default,
            retention_months: 48,
            report_months: 12,
        }
    }
}

impl Stored for Config {}

impl Config {
    /// Whether clients are counted.
    pub fn counts(&self) -> bool {
        self.switch != Switch::Disable
    }
}
