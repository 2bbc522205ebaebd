//! The paths below `auth/token/`.

mod lookup;

use std::sync::LazyLock;

use coffer_engine::Routes;

use crate::open::Open;

static TABLE: LazyLock<Routes<Open>> = LazyLock::new(|| Routes::merge([lookup::routes()]));

/// The table of everything below `auth/token/`.
pub fn routes() -> &'static Routes<Open> {
    &TABLE
}
