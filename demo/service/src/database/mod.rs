//! Queries that do not notice when the database user changes.
//!
//! Each credential has a set of connections of its own. A new set takes the place of the one before when its first
//! connection has answered; what is under way finishes on the one it began with, and the last that finishes drops it, and
//! with it the credential, which the keeper then hands back.

mod connections;
mod refusal;

use std::sync::Arc;
use std::time::{Duration, Instant};

use coffer_client::{Credential, LeaseKeeper};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use crate::credential::user;
use crate::settings::{DatabasePlace, Settings};
use crate::status::{Answered, Status};
use connections::Connections;
use refusal::Refusal;

/// How long a query is tried: as long as it takes to come by another user where the present one was revoked.
const PATIENCE: Duration = Duration::from_secs(15);
/// The wait before the second attempt; it doubles from one to the next.
const FIRST_WAIT: Duration = Duration::from_millis(20);
const LONGEST_WAIT: Duration = Duration::from_millis(500);

/// The database, asked by whoever is the current user.
pub struct Database {
    place: DatabasePlace,
    keeper: Arc<LeaseKeeper>,
    status: Arc<Status>,
    current: watch::Sender<Option<Arc<Connections>>>,
}

impl Database {
    /// Nothing is connected before [`Database::follow`].
    pub fn new(settings: &Settings, keeper: Arc<LeaseKeeper>, status: Arc<Status>) -> Self {
        Self {
            place: settings.database.clone(),
            keeper,
            status,
            current: watch::channel(None).0,
        }
    }

    /// Makes connections for each new credential, for as long as there are any.
    pub async fn follow(self: Arc<Self>) {
        let mut credentials = self.keeper.watch();
        loop {
            // Not kept across the wait below: to hold a credential is to use it.
            let credential = credentials.borrow_and_update().clone();
            if let Some(credential) = credential {
                self.change_over(credential, &credentials).await;
            }
            if credentials.changed().await.is_err() {
                return;
            }
        }
    }

    /// The orders, whoever asks: a read, so that it may be tried again.
    pub async fn orders(&self) -> Result<Answered, String> {
        let begun = Instant::now();
        match timeout(PATIENCE, self.ask()).await {
            Ok((orders, user, attempts)) => {
                let answered = Answered {
                    user,
                    orders,
                    took: begun.elapsed(),
                    attempts,
                };
                self.status.answered(&answered);
                Ok(answered)
            }
            Err(_) => {
                let problem = self.problem().await;
                self.status.failed(&problem);
                Err(problem)
            }
        }
    }

    /// Drops the connections that nobody uses.
    pub fn close(&self) {
        self.current.send_replace(None);
    }

    async fn ask(&self) -> (serde_json::Value, String, u32) {
        let mut sets = self.current.subscribe();
        let mut attempts = 0;
        let mut wait = FIRST_WAIT;
        loop {
            let set = sets.borrow_and_update().clone();
            if let Some(set) = set {
                attempts += 1;
                match set.orders().await {
                    Ok((user, orders)) => return (orders, user, attempts),
                    Err(refusal) => self.refused(&set, &refusal),
                }
            }
            // Another user may come at any moment.
            let _ = timeout(wait, sets.changed()).await;
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }

    fn refused(&self, set: &Connections, refusal: &Refusal) {
        if refusal.is_about_the_user() {
            self.keeper.refused(set.credential());
        }
    }

    /// Why there was no answer: asked once more, since the attempts were cut short.
    async fn problem(&self) -> String {
        let set = self.current.borrow().clone();
        let Some(set) = set else {
            return "there is no database user yet".to_owned();
        };
        match timeout(LONGEST_WAIT, set.orders()).await {
            Ok(Err(refusal)) => refusal.to_string(),
            _ => "no answer in time".to_owned(),
        }
    }

    /// Opens the first connection of a new user, then has everybody use it. A user that the database refuses is reported, and
    /// another comes; a database that is away is waited for.
    async fn change_over(
        &self,
        credential: Credential,
        credentials: &watch::Receiver<Option<Credential>>,
    ) {
        let name = user(&credential).to_owned();
        let set = Arc::new(Connections::new(&self.place, credential));
        let mut wait = FIRST_WAIT;
        // `has_changed` fails when the keeper is done.
        while credentials.has_changed().is_ok_and(|changed| !changed) {
            match set.orders().await {
                Ok(_) => {
                    self.current.send_replace(Some(set));
                    self.status.changed_over(&name);
                    return;
                }
                Err(refusal) => self.refused(&set, &refusal),
            }
            sleep(wait).await;
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }
}
