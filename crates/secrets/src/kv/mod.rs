//! Key/value secrets: version 1 keeps the latest value of each, version 2 a history.
//!
//! Both are the type `kv`; the mount option `version` chooses. They keep their records in folders of
//! their own (`v1/`, `v2/`), so that a mount can move from 1 to 2 with its secrets in place.

mod v1;
mod v2;

use coffer_engine::{Class, Kind};

pub use v1::V1;
pub use v2::V2;

/// The type `kv` for the registry. Version 1 is what a mount without the option gets.
pub fn kind() -> Kind {
    Kind::versioned::<V1>(Class::Secret, "1").or::<V2>("2")
}
