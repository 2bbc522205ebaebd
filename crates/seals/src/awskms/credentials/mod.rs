//! Whose key signs requests: the chain that AWS documents for its own clients.
//!
//! The stanza, the environment, a web identity, the shared files, the container, the machine; the first that has something.
//! What ends is got anew before it does. A step that fails is no reason to go on to the next one: a server would run as
//! somebody else than its operator meant.

mod container;
mod machine;
mod profile;
mod web_identity;

use coffer_barrier::WrapError;
use coffer_crypto::Secret;
use coffer_crypto::sigv4::Credentials;
use coffer_wire::Timestamp;
use serde::Deserialize;

use crate::build::BuildError;
use crate::exchange::Exchange;
use crate::fresh::{Fresh, Lasting};
use crate::source::Source;
use crate::stanza::Stanza;
use container::Container;
use machine::Machine;
use profile::Files;
use web_identity::WebIdentity;

/// Where credentials may come from.
pub(super) struct Chain {
    own: Option<Own>,
    web: Option<WebIdentity>,
    files: Files,
    container: Option<Container>,
    machine: Option<Machine>,
    fresh: Fresh<Credentials>,
}

/// What stands in the stanza or the environment.
struct Own {
    access_key: String,
    secret_key: Source,
    session_token: Option<Source>,
}

/// As containers and machines answer.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Issued {
    access_key_id: String,
    secret_access_key: Secret<String>,
    #[serde(default)]
    token: Option<Secret<String>>,
    #[serde(default)]
    expiration: Option<Timestamp>,
}

impl Chain {
    pub(super) fn build(stanza: &mut Stanza<'_>) -> Result<Self, BuildError> {
        Ok(Self {
            own: Own::build(stanza)?,
            web: WebIdentity::build(stanza)?,
            files: Files::build(stanza),
            container: Container::build(stanza)?,
            machine: Machine::build(stanza)?,
            fresh: Fresh::default(),
        })
    }

    /// Credentials that are good for a while.
    pub(super) async fn get(
        &self,
        exchange: &Exchange,
        region: &str,
    ) -> Result<Credentials, WrapError> {
        self.fresh
            .get(async || self.found(exchange, region).await)
            .await
    }

    /// Forgets what is kept; false where that would find nothing else.
    pub(super) async fn forget(&self) -> bool {
        self.fresh.forget().await;
        match &self.own {
            Some(own) => matches!(own.secret_key, Source::File(_)),
            None => true,
        }
    }

    /// The region of the profile or of the machine.
    pub(super) async fn region(&self, exchange: &Exchange) -> Option<String> {
        if let Ok(Some(region)) = self.files.region().await {
            return Some(region);
        }
        match &self.machine {
            Some(machine) if self.own.is_none() && self.web.is_none() => {
                machine.region(exchange).await
            }
            _ => None,
        }
    }

    async fn found(
        &self,
        exchange: &Exchange,
        region: &str,
    ) -> Result<Lasting<Credentials>, WrapError> {
        if let Some(own) = &self.own {
            return own.read(exchange).await;
        }
        if let Some(web) = &self.web {
            return web.credentials(exchange, region).await;
        }
        if let Some(profile) = self.files.profile(exchange).await? {
            return profile.credentials(exchange, region).await;
        }
        if let Some(container) = &self.container {
            return container.credentials(exchange).await;
        }
        match &self.machine {
            Some(machine) => machine.credentials(exchange).await,
            None => Err(exchange.refused(
                "there are no credentials: neither in the stanza (`access_key`, `secret_key`) nor in the environment, the shared files, a web identity or the container, and the machine's are switched off",
            )),
        }
    }
}

impl Own {
    fn build(stanza: &mut Stanza<'_>) -> Result<Option<Self>, BuildError> {
        let access_key = stanza.own("access_key");
        let secret_key = stanza.own("secret_key");
        let session_token = stanza.own("session_token");
        let (access_key, secret_key, session_token) = match (access_key, secret_key) {
            (Some(access), Some(secret)) => (access, secret, session_token),
            (Some(_), None) => return Err(stanza.missing("secret_key", &[])),
            (None, Some(_)) => return Err(stanza.missing("access_key", &[])),
            (None, None) => {
                let access = stanza.variable("AWS_ACCESS_KEY_ID");
                let secret = stanza.variable("AWS_SECRET_ACCESS_KEY");
                match access.zip(secret) {
                    Some((access, secret)) => {
                        (access, secret, stanza.variable("AWS_SESSION_TOKEN"))
                    }
                    None => return Ok(None),
                }
            }
        };
        let session_token = session_token.map(|text| stanza.source("session_token", text));
        Ok(Some(Self {
            access_key,
            secret_key: stanza.source("secret_key", secret_key)?,
            session_token: session_token.transpose()?,
        }))
    }

    async fn read(&self, exchange: &Exchange) -> Result<Lasting<Credentials>, WrapError> {
        let wrong = |name: &str, why: String| exchange.refused(&format!("`{name}` {why}"));
        let secret_key = self.secret_key.fetch().await;
        let secret_key = secret_key.map_err(|why| wrong("secret_key", why))?;
        let session_token = match &self.session_token {
            None => None,
            Some(source) => {
                let token = source.fetch().await;
                Some(token.map_err(|why| wrong("session_token", why))?)
            }
        };
        let value = Credentials {
            access_key: self.access_key.clone(),
            secret_key,
            session_token,
        };
        Ok(Lasting { value, until: None })
    }
}

impl Issued {
    fn lasting(self) -> Lasting<Credentials> {
        Lasting {
            value: Credentials {
                access_key: self.access_key_id,
                secret_key: self.secret_access_key,
                session_token: self.token,
            },
            until: self.expiration,
        }
    }
}

#[cfg(test)]
mod tests;
