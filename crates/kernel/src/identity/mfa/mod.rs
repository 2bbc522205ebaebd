//! Second factors: what a login must pass besides, and the codes that people's devices show.
//!
//! A [`method::Method`] says how codes are made, a [`seat::Seat`] holds the secret that somebody's device shares with
//! the server and what was tried with it, an [`enforcement::Enforcement`] says which logins need which methods. A login
//! that needs one waits ([`pending::Pending`]) until its code comes, or brings it at once. Below `sys/mfa/`:
//!
//! | path | holds |
//! |---|---|
//! | `method/<id>` | the methods of this namespace; those above serve it, too |
//! | `enforcement/<name>` | what logins of this namespace, and of those within, must pass |
//! | `seat/<entity>/<method>` | somebody's secret, and what was tried with it |
//! | `pending/…` | logins that wait ([`super::brief`]) |
//! | `turn` | counts the changes of methods and enforcements ([`super::edit`]) |

mod api;
pub mod enforcement;
pub mod factor;
pub mod login;
pub mod method;
pub mod pending;
mod picture;
pub mod seat;

pub(crate) use api::{routes, validate_routes};

use coffer_barrier::View;
use coffer_engine::Fault;
use coffer_wire::Timestamp;

use super::brief::Brief;
use super::edit::{Edit, Noun, Shelf};
use pending::Pending;

/// The second factors of one namespace.
pub struct Mfa {
    shelf: Shelf,
    view: View,
    /// Logins that wait for their second factor.
    pub(crate) pending: Brief<Pending>,
}

impl Mfa {
    /// The store in a view that holds nothing else (`sys/mfa/`).
    pub fn new(view: View) -> Self {
        Self {
            pending: Brief::new(
                view.sub("pending/"),
                pending::LIFE,
                pending::MAX_PENDING_EACH,
            ),
            shelf: Shelf::new(view.clone()),
            view,
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

    /// Gives the secrets of an entity that was merged into another to that one, unless it has its own.
    pub async fn hand_over(&self, from: &str, to: &str) -> Result<(), Fault> {
        for method in self.view.list_all(&seat::folder(from)).await? {
            self.move_seat(from, to, &method).await?;
        }
        self.forget(from).await
    }

    /// Takes away what an entity that is gone had: its secrets, and logins that wait.
    pub async fn forget(&self, entity: &str) -> Result<(), Fault> {
        self.view.clear(&seat::folder(entity)).await?;
        self.pending.forget(entity).await
    }
}
