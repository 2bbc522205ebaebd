//! The database credential: taken, renewed and replaced by the client library's keeper. What is here is the telling.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use coffer_client::{Credential, LeaseKeeper, LeaseNews};

use crate::session::Session;
use crate::settings::Settings;
use crate::status::Status;

/// Begins to keep the credential of the role.
pub fn keep(settings: &Settings, session: &Arc<Session>, status: &Arc<Status>) -> LeaseKeeper {
    let again = session.clone();
    let users = Users::default();
    let status = status.clone();
    let builder = session.client().lease(&settings.role);
    let builder = builder.login(move || {
        let client = again.read_token();
        async move { client }
    });
    let builder = builder.listen();
    builder.tell(move |news| tell(news, &users, &status)).keep()
}

/// The name of the database user that a credential is for.
pub fn user(credential: &Credential) -> &str {
    credential.field("username").unwrap_or("?")
}

/// Which user each lease is for, while it lasts.
#[derive(Default)]
struct Users(Mutex<BTreeMap<String, String>>);

impl Users {
    fn add(&self, credential: &Credential) {
        let (lease, user) = (credential.lease_id(), user(credential));
        let mut users = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        users.insert(lease.to_owned(), user.to_owned());
    }

    fn remove(&self, lease_id: &str) -> String {
        let mut users = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        users.remove(lease_id).unwrap_or_else(|| "?".to_owned())
    }
}

fn tell(news: &LeaseNews<'_>, users: &Users, status: &Status) {
    match news {
        LeaseNews::Taken { credential } => {
            users.add(credential);
            status.coffer_answers();
            status.taken(credential);
        }
        LeaseNews::Renewed { credential } => {
            status.coffer_answers();
            status.renewed(credential);
        }
        LeaseNews::NotTaken { error, again_in } => {
            let seconds = again_in.as_secs_f32();
            let what = format!("no credential, again in {seconds:.1} s");
            status.coffer_fails(&what, error);
        }
        LeaseNews::NotRenewed {
            credential, error, ..
        } => {
            let what = format!("{} is not renewed", user(credential));
            status.coffer_fails(&what, error);
        }
        LeaseNews::HandedBack { lease_id } => {
            status.handed_back(&users.remove(lease_id));
        }
        LeaseNews::NotHandedBack { lease_id, .. } => {
            let user = users.remove(lease_id);
            status.say(&format!(
                "could not hand back {user}, it will end by itself"
            ));
        }
        LeaseNews::Ended { lease_id } => {
            let user = users.remove(lease_id);
            status.say(&format!("the time of {user} is over"));
        }
        _ => {}
    }
}
