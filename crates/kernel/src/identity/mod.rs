//! Identity: who is behind tokens, whatever they logged in with.
//!
//! An [`Entity`] is someone; its [`Alias`]es are the names under which auth methods know it; [`Group`]s share
//! policies. Below `sys/identity/`:
//!
//! | path | holds |
//! |---|---|
//! | `entity/<id>` | the entity with its aliases and the groups it is in |
//! | `group/<id>` | the group with its alias and the groups it is in |
//! | `entity-name/<name>`, `group-name/<name>` | the id, by name |
//! | `alias/<mount accessor>/<name>`, `alias-id/<id>` | the entity's id, by alias |
//! | `group-alias/<mount accessor>/<name>`, `group-alias-id/<id>` | the group's id, by alias |
//! | `member/<group>/<entity>`, `child/<group>/<group>` | who is in a group |
//! | `merged/<id>` | the entity that another one was merged into |
//!
//! Names are compared in one form ([`name`]). All but the first two follow from the records and are written with them
//! ([`work`]). Nothing of it is in memory but what was asked for lately ([`standing`]).

mod alias;
mod api;
pub mod change;
mod entity;
mod group;
pub mod metadata;
pub mod name;
mod standing;
mod store;
pub mod work;

pub use alias::Alias;
pub use api::routes;
pub use entity::Entity;
pub use group::{Group, GroupKind};
pub use standing::Standing;
pub use store::Identity;
pub use work::Change;
