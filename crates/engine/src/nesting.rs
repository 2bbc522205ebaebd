//! Requests that make requests, and how far they may go.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::Fault;

/// How deep runs may be within each other.
const MAX_DEPTH: u8 = 4;
/// How many requests one that a client made may make in all, at any depth.
const MAX_REQUESTS: u32 = 512;

/// The runs of several requests that a request is part of; none for one that a client made.
///
/// What they spend is counted once for all of them, so that nesting multiplies nothing.
#[derive(Clone, Debug, Default)]
pub struct Nesting {
    depth: u8,
    spent: Arc<AtomicU32>,
}

impl Nesting {
    /// Whether the request is part of a run.
    pub fn is_within(&self) -> bool {
        self.depth > 0
    }

    /// The same for the requests that this one makes.
    pub fn deeper(&self) -> Result<Self, Fault> {
        if self.depth == MAX_DEPTH {
            return Err(Fault::Invalid(format!(
                "too much recursion: runs of requests may be {MAX_DEPTH} deep within each other"
            )));
        }
        Ok(Self {
            depth: self.depth + 1,
            spent: Arc::clone(&self.spent),
        })
    }

    /// Counts one more request.
    pub fn spend(&self) -> Result<(), Fault> {
        if self.spent.fetch_add(1, Ordering::Relaxed) < MAX_REQUESTS {
            return Ok(());
        }
        Err(Fault::Invalid(format!(
            "one request may not make more than {MAX_REQUESTS} others"
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_and_number_end() {
        let mut nesting = Nesting::default();
        for _ in 0..MAX_DEPTH {
            assert!(nesting.spend().is_ok());
            nesting = nesting.deeper().unwrap();
            assert!(nesting.is_within());
        }
        assert!(nesting.deeper().is_err());
        for _ in u32::from(MAX_DEPTH)..MAX_REQUESTS {
            nesting.spend().unwrap();
        }
        assert!(nesting.spend().is_err());
        assert!(nesting.clone().spend().is_err());
    }
}
