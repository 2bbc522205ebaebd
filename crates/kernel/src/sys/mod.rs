//! The kernel's own paths below `sys/`, one file per topic.

mod mount_shape;
mod mounts;

use std::sync::LazyLock;

use coffer_engine::Routes;

use crate::open::Open;

static TABLE: LazyLock<Routes<Open>> = LazyLock::new(|| Routes::merge([mounts::routes()]));

/// The table of everything below `sys/`.
pub fn routes() -> &'static Routes<Open> {
    &TABLE
}
