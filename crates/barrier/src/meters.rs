//! How long the barrier's operations take, encryption included.

use std::sync::Arc;

use coffer_metrics::{Registry, Summary};

/// The timings of a barrier; the default ones nobody sees.
#[derive(Clone, Debug, Default)]
pub struct Meters {
    /// One record read.
    pub get: Arc<Summary>,
    /// A set of changes with at least one record in it written.
    pub put: Arc<Summary>,
    /// A set of changes with deletions alone written.
    pub delete: Arc<Summary>,
    /// A page of names listed.
    pub list: Arc<Summary>,
    /// A page of paths or records read.
    pub list_page: Arc<Summary>,
}

impl Meters {
    /// Timings that this registry shows.
    pub fn new(registry: &Registry) -> Self {
        Self {
            get: registry.summary("barrier.get", "Time to read one record, in milliseconds."),
            put: registry.summary(
                "barrier.put",
                "Time to write one or more records durably, in milliseconds.",
            ),
            delete: registry.summary(
                "barrier.delete",
                "Time to delete one or more records durably, in milliseconds.",
            ),
            list: registry.summary(
                "barrier.list",
                "Time to list a page of names, in milliseconds.",
            ),
            list_page: registry.summary(
                "barrier.list-page",
                "Time to read a page of paths or records, in milliseconds.",
            ),
        }
    }
}
