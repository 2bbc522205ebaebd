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
//! Tokens that tell others who an entity is are in [`oidc`], second factors in [`mfa`], each with a storage of its own.
//!
//! Names are compared in one form ([`name`]). All but the first two follow from the records and are written with them
//! ([`work`]). Nothing of it is in memory but what was asked for lately ([`standing`]).

mod alias;
mod api;
pub mod brief;
pub mod change;
pub mod edit;
mod entity;
mod group;
mod kept;
pub mod metadata;
pub mod mfa;
pub mod name;
pub mod oidc;
mod remembered;
mod standing;
mod store;
pub mod upkeep;
pub mod work;

pub use alias::Alias;
pub use api::routes;
pub use entity::Entity;
pub use group::{Group, GroupKind};
pub use mfa::Mfa;
pub(crate) use name::normal;
pub use oidc::Oidc;
pub use standing::Standing;
pub use store::Identity;
pub use work::Change;
