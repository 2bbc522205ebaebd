//! A seal as the configuration names it.

use std::fmt;
use std::sync::Arc;

use coffer_barrier::Wrapper;

/// A `seal "kind" { … }` of the configuration, with its keeper.
#[derive(Clone)]
pub struct SealStanza {
    /// Names its copy of the root key, for ever.
    pub name: String,
    /// Which of several is asked first: the lowest number.
    pub priority: u32,
    /// It is only there to move away from: nothing is wrapped by it any more.
    pub disabled: bool,
    /// What wraps.
    pub keeper: Arc<dyn Wrapper>,
}

impl SealStanza {
    /// The word for its kind.
    pub fn kind(&self) -> &'static str {
        self.keeper.kind()
    }
}

impl fmt::Debug for SealStanza {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealStanza")
            .field("name", &self.name)
            .field("kind", &self.kind())
            .field("priority", &self.priority)
            .field("disabled", &self.disabled)
            .finish_non_exhaustive()
    }
}
