use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::Instant;

use crate::term::Term;
use crate::{Error, Secret};

/// A secret with a lease that a [`crate::LeaseKeeper`] has taken.
///
/// Clones are the same credential, and count as its users: once it is no longer the current one, it is handed back when
/// the last clone is dropped. Hold one for as long as anything opened with it is in use.
#[derive(Clone)]
pub struct Credential(Arc<Held>);

struct Held {
    secret: Secret,
    time: Mutex<Time>,
    unused: UnboundedSender<String>,
}

#[derive(Clone, Copy)]
struct Time {
    ttl: Duration,
    ends: Instant,
}

impl Credential {
    /// `unused` hears the lease's id once the last clone is gone.
    pub(super) fn new(secret: Secret, term: &Term, unused: UnboundedSender<String>) -> Self {
        let time = Mutex::new(Time::of(term));
        Self(Arc::new(Held {
            secret,
            time,
            unused,
        }))
    }

    /// The lease's id.
    #[must_use]
    pub fn lease_id(&self) -> &str {
        &self.0.secret.lease_id
    }

    /// What was answered when it was taken.
    #[must_use]
    pub fn secret(&self) -> &Secret {
        &self.0.secret
    }

    /// One field of it as text: `username`, `password`.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        self.0.secret.data.as_ref()?.get(name)?.as_str()
    }

    /// All of its fields.
    ///
    /// # Errors
    /// [`Error::Decode`] where they have another shape.
    pub fn data<T: DeserializeOwned>(&self) -> Result<T, Error> {
        let data = self.0.secret.data.clone().unwrap_or(Value::Null);
        // The JSON library's words may quote a value.
        serde_json::from_value(data).map_err(|_| Error::Decode {
            url: self.lease_id().to_owned(),
            reason: "it has another shape than expected".to_owned(),
        })
    }

    /// How long it was good for when it was taken, or renewed last.
    #[must_use]
    pub fn ttl(&self) -> Duration {
        self.time().ttl
    }

    /// How long it is still good for.
    #[must_use]
    pub fn left(&self) -> Duration {
        self.time().ends.saturating_duration_since(Instant::now())
    }

    pub(super) fn renewed(&self, term: &Term) {
        *self.time() = Time::of(term);
    }

    fn time(&self) -> MutexGuard<'_, Time> {
        self.0.time.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PartialEq for Credential {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Credential {}

impl fmt::Debug for Credential {
    /// Everything but what is secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential")
            .field("lease_id", &self.lease_id())
            .field("left", &self.left())
            .finish_non_exhaustive()
    }
}

impl Time {
    fn of(term: &Term) -> Self {
        Self {
            ttl: term.ttl(),
            ends: term.ends(),
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // A keeper that is gone has handed everything back already.
        let _ = self.unused.send(std::mem::take(&mut self.secret.lease_id));
    }
}
