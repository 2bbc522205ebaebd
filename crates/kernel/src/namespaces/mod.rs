//! Namespaces: servers within the server, each with mounts, policies, tokens and leases of its own.
//!
//! A namespace costs a record in storage and nothing else until somebody asks for it: its [`Space`] is read
//! then, and forgotten when too many are in memory. Below `core/namespace/`:
//!
//! | path | holds |
//! |---|---|
//! | `path/<path>` | the record, for example at `path/team/app` |
//! | `id/<id>` | the path; ids end tokens, accessors and lease ids of a namespace |
//! | `sealed/<id>` | it has a seal of its own: its path, and where its part of the storage is |
//! | `keys/<id>/` | the key material of its own seal |
//! | `care/<id>` | there is periodic work, or something being taken away |
//!
//! What belongs to a namespace is kept below `ns/<uuid>/`, arranged as the root's is at the top; those in
//! a namespace with a seal of its own have theirs within the part of that.

mod change;
mod erase;
mod load;
mod lock;
mod name;
mod opening;
mod record;
mod remove;
mod seals;
mod space;

pub use change::{Created, Wish, create, patch};
pub use erase::erase;
pub use load::Namespaces;
pub use lock::{lock, unlock};
pub(crate) use name::is_id;
pub use name::{NamespacePath, id_of};
pub use opening::{close, hand_in};
pub use record::{NamespaceRecord, ROOT};
pub use remove::{remove, resume_removals};
pub use seals::{Seal, Seals};
pub use space::Space;
