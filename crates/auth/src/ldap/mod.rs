//! `ldap`: people of a directory, who show its password here.
//!
//! A login is one conversation with the directory (`conversation`), over a connection that is made for it (`dial`, `tls`) and
//! watched (`guard`): who the user is (`person`), whether the directory takes the password, and which groups it says they are in
//! (`groups`). What clients send reaches the directory escaped alone (`escape`, `template`).

mod config;
mod conversation;
mod dial;
mod dn;
mod escape;
mod group;
mod groups;
mod guard;
mod login;
mod name;
mod person;
mod sid;
mod template;
mod tls;
mod user;

use std::time::Duration;

use coffer_engine::{Engine, Fault, MountInfo, Routes};
use tokio::sync::{Semaphore, SemaphorePermit};

/// Conversations of one mount with its directory at the same time; more wait for their turn.
const TURNS_MAX: usize = 32;
/// How long a login waits for its turn.
const PATIENCE: Duration = Duration::from_secs(10);

/// The LDAP method.
pub struct Ldap {
    turns: Semaphore,
    tls: tls::Kept,
}

impl Engine for Ldap {
    const NAME: &'static str = "ldap";
    const HELP: &'static str =
        "Logs people in by the name and password that an LDAP directory knows.";
    const LOCKS_OUT: bool = true;

    fn new(_: &MountInfo) -> Self {
        Self {
            turns: Semaphore::new(TURNS_MAX),
            tls: tls::Kept::default(),
        }
    }

    fn routes() -> Routes<Self> {
        Routes::merge([
            config::routes(),
            login::routes(),
            user::routes(),
            group::routes(),
        ])
    }
}

impl Ldap {
    async fn turn(&self) -> Result<SemaphorePermit<'_>, Fault> {
        let turn = tokio::time::timeout(PATIENCE, self.turns.acquire()).await;
        let turn = turn.map_err(|_| {
            let text = "too many logins wait for the directory; try again in a moment";
            Fault::Unavailable(text.into())
        })?;
        turn.map_err(Fault::internal)
    }
}
