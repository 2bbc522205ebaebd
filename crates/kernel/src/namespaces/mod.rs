//! Namespaces: servers within the server, each with mounts, policies, tokens and leases of its own.
//!
//! A namespace costs a record in storage and nothing else until somebody asks for it: its [`Space`] is read
//! then, and forgotten when too many are in memory. Below `core/namespace/`:
//!
//! | path | holds |
//! |---|---|
//! | `path/<path>` | the record, for example at `path/team/app` |
//! | `id/<id>` | the path; ids end tokens, accessors and lease ids of a namespace |
//! | `care/<id>` | there is periodic work, or something being taken away |
//!
//! What belongs to a namespace is kept below `ns/<uuid>/`, arranged as the root's is at the top.

mod change;
mod load;
mod lock;
mod name;
mod record;
mod remove;
mod space;

pub use change::{create, patch};
pub use load::Namespaces;
pub use lock::{lock, unlock};
pub(crate) use name::is_id;
pub use name::{NamespacePath, id_of};
pub use record::{NamespaceRecord, ROOT};
pub use remove::{remove, resume_removals};
pub use space::Space;
