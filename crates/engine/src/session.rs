//! Logins that last: what an auth method keeps of one, and what it says when its token is renewed.

use std::collections::BTreeMap;
use std::future::Future;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Ctx, Fault, Login};

/// What an auth method keeps about one login, so that it can be asked again when the token is renewed.
/// A method that has none renews by the bounds of the login alone.
pub trait Session<E>: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// Whether whoever logged in may stay, and what holds of them now. An error refuses the renewal; the token then
    /// ends when it would have.
    fn renew(self, engine: &E, cx: &Ctx) -> impl Future<Output = Result<Stay, Fault>> + Send;
}

/// What holds now of somebody who logged in earlier. What is not said stays as it was at the login.
#[derive(Clone, Debug, Default)]
pub struct Stay {
    /// The names of the groups that they are in now, all of them, as at a login.
    pub group_aliases: Option<Vec<String>>,
    /// What the method knows about them now, as at a login.
    pub alias_metadata: Option<BTreeMap<String, String>>,
    /// How long a renewal is that wishes nothing; zero for the mount's default.
    pub ttl: Option<Duration>,
    /// The bound from the login on; zero for the mount's.
    pub max_ttl: Option<Duration>,
    /// Renewals set the lifetime to this; zero for what is wished.
    pub period: Option<Duration>,
}

impl Login {
    /// The login with what its method wants back at renewal.
    pub fn with_session<E, S: Session<E>>(self, session: &S) -> Result<Self, Fault> {
        Ok(Self {
            payload: serde_json::to_value(session).map_err(Fault::internal)?,
            ..self
        })
    }
}
