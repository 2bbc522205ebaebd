//! OpenID Connect: tokens that tell others who an entity is, and a provider that applications sign people in with.
//!
//! Identity tokens are signed by a [`key::NamedKey`] as a [`role::Role`] says; everybody can verify them by the published
//! keys. The provider speaks the authorization code flow: an application is a [`client::Client`], whom it may sign in is
//! an [`assignment::Assignment`], what it is told beside the subject a [`scope::Scope`], and a [`provider::Provider`]
//! puts these together under an issuer. Below `sys/oidc/`:
//!
//! | path | holds |
//! |---|---|
//! | `config` | the issuer, where an operator set one |
//! | `key/<name>`, `role/<name>` | of identity tokens; keys serve the provider, too |
//! | `assignment/…`, `client/…`, `scope/…`, `provider/<name>` | of the provider |
//! | `client-id/<id>` | the name of the client with that id |
//! | `code/…` | codes that were given out and not yet exchanged ([`super::brief`]) |
//! | `turn` | counts the changes of all these but codes ([`super::edit`]) |

mod api;
pub mod assignment;
pub mod claims;
pub mod client;
pub mod code;
mod issuer;
pub mod key;
mod keys;
pub mod provider;
pub mod role;
pub mod scope;
mod token;

pub(super) use api::routes;

use coffer_barrier::View;
use coffer_engine::Fault;
use coffer_wire::Timestamp;

use super::brief::Brief;
use super::edit::{Draft, Edit, Noun, Shelf};
use code::Code;
use key::NamedKey;

/// The OpenID parts of one namespace.
pub struct Oidc {
    shelf: Shelf,
    /// Codes that were given out and not yet exchanged.
    pub(crate) codes: Brief<Code>,
}

impl Oidc {
    /// The store in a view that holds nothing else (`sys/oidc/`).
    pub fn new(view: View) -> Self {
        Self {
            codes: Brief::new(view.sub("code/"), code::LIFE, code::MAX_CODES_EACH),
            shelf: Shelf::new(view),
        }
    }

    /// The record of a name.
    pub async fn get<T: Noun>(&self, name: &str) -> Result<Option<T>, Fault> {
        self.shelf.get(name).await
    }

    /// All records of a kind, in order of their names.
    pub async fn all<T: Noun>(&self) -> Result<Vec<(String, T)>, Fault> {
        self.shelf.all().await
    }

    /// Makes a change of what operators configure.
    pub async fn edit<E: Edit>(&self, edit: &E, now: Timestamp) -> Result<E::Done, Fault> {
        self.shelf.edit(edit, now).await
    }
}

impl Draft {
    /// The key of a name. Rotations take no turn, as they change nothing that others hang on.
    async fn key(&mut self, name: &str) -> Result<Option<NamedKey>, Fault> {
        let stored = self.watched(name).await?;
        Ok(stored.or_else(|| NamedKey::built_in(name)))
    }
}

/// Whether a list names somebody, or everybody.
fn admits(list: &[String], id: &str) -> bool {
    list.iter().any(|listed| listed == "*" || listed == id)
}
