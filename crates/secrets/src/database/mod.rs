//! Short-lived database users, managed passwords of long-lived ones, and rotation of the admin's own.
//!
//! | file | what it holds |
//! |---|---|
//! | [`connection`] | `config/`, `reset/`: how a database is reached, and who may use it |
//! | [`connections`] | the drivers that are alive, one per configuration |
//! | [`root`] | `rotate-root/`: a new password for the admin user that nobody knows |
//! | [`role`] | `roles/`: how users are made and removed |
//! | [`credential`] | `creds/`: one user per request, with a lease |
//! | [`static_role`] | `static-roles/`, `static-creds/`, `rotate-role/`: existing users whose password is rotated |
//! | [`verify_login`] | `verify-login/`: whether a user is let in at this moment |
//! | [`rotation`] | what is told about such a rotation |
//! | [`statements`], [`quoting`] | SQL as operators write it, and how values get into it |
//! | [`username`] | the template language of user names |
//! | [`events`] | what is told about all that |
//! | [`driver`], [`postgres`] | the door to one kind of database |

mod connection;
mod connections;
mod credential;
mod driver;
mod events;
mod postgres;
mod quoting;
mod role;
mod root;
mod rotation;
mod statements;
mod static_role;
mod username;
mod verify_login;

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::Duration;

use coffer_engine::{Ctx, Engine, Fault, MountInfo, Routes};

use connections::Connections;
use verify_login::Guesses;

/// The `database` engine of one mount.
pub struct Database {
    connections: Connections,
    /// See [`Database::failing`].
    failing: Mutex<BTreeSet<String>>,
    guesses: Guesses,
}

impl Engine for Database {
    const NAME: &'static str = "database";
    const HELP: &'static str = "Makes database users that end by themselves, and rotates the passwords of those that stay.";
    const TICK: Option<Duration> = Some(Duration::from_secs(5));

    fn new(_: &MountInfo) -> Self {
        Self {
            connections: Connections::default(),
            failing: Mutex::default(),
            guesses: Guesses::default(),
        }
    }

    fn routes() -> Routes<Self> {
        Routes::merge([
            connection::routes(),
            root::routes(),
            role::routes(),
            credential::routes(),
            static_role::routes(),
            verify_login::routes(),
        ])
    }

    async fn tick(&self, cx: &Ctx) -> Result<(), Fault> {
        static_role::rotate_due(self, cx).await
    }
}
