//! Secrets that end: what is stored about them, and how they are extended and undone.

use std::future::Future;
use std::time::Duration;

use coffer_wire::Timestamp;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Ctx, Fault, Replies, Reply};

/// What an engine stores about one secret outside: enough to extend and to undo it.
pub trait Lease<E>: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// Names this kind within the engine; stored, so never change it.
    const KIND: &'static str;

    /// What outside system this touches, for example a connection's name. Revocations are bounded and
    /// retried per target, so that one dead database does not slow the others.
    fn target(&self) -> String;

    /// Extends the secret outside and says until when. [`Renewal::until`] does the arithmetic.
    fn renew(
        &self,
        engine: &E,
        cx: &Ctx,
        ask: &Renewal,
    ) -> impl Future<Output = Result<Timestamp, Fault>> + Send;

    /// Undoes the secret outside. Must succeed where nothing is left (or was ever made): it is
    /// called again after every failure, and for intents whose request died half-way.
    fn revoke(&self, engine: &E, cx: &Ctx) -> impl Future<Output = Result<(), Fault>> + Send;
}

/// A lease in the form the kernel keeps.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NewLease {
    /// [`Lease::KIND`].
    pub kind: String,
    /// [`Lease::target`].
    pub target: String,
    /// The lease itself.
    pub payload: Value,
}

impl NewLease {
    /// Erases the type of a lease.
    pub fn of<E, L: Lease<E>>(lease: &L) -> Result<Self, Fault> {
        let payload = serde_json::to_value(lease).map_err(Fault::internal)?;
        Ok(Self {
            kind: L::KIND.to_owned(),
            target: lease.target(),
            payload,
        })
    }
}

/// Proof that a secret about to be made outside is written down.
#[derive(Debug)]
#[must_use = "give it to Leased::new, or return an error"]
pub struct Intent {
    /// The id the lease will have.
    pub lease_id: String,
}

/// Data with a lease.
#[derive(Debug)]
pub struct Leased<T> {
    /// What the client gets.
    pub data: T,
    /// The intent that becomes the lease.
    pub intent: Intent,
    /// How long it lives first; zero for the mount's default.
    pub ttl: Duration,
    /// The longest it can live by renewals; zero for the mount's maximum.
    pub max_ttl: Duration,
    /// Whether it can be renewed.
    pub renewable: bool,
    /// Remarks for the client.
    pub warnings: Vec<String>,
}

impl<T> Leased<T> {
    /// A renewable secret.
    pub fn new(intent: Intent, data: T, ttl: Duration, max_ttl: Duration) -> Self {
        Self {
            data,
            intent,
            ttl,
            max_ttl,
            renewable: true,
            warnings: Vec::new(),
        }
    }
}

impl<T: Serialize + JsonSchema + Send> Replies for Leased<T> {
    fn reply(self) -> Result<Reply, Fault> {
        let mut reply = self.data.reply()?;
        reply.warnings = self.warnings;
        reply.lease = Some(crate::reply::Grant {
            intent: self.intent,
            ttl: self.ttl,
            max_ttl: self.max_ttl,
            renewable: self.renewable,
        });
        Ok(reply)
    }

    fn schema(types: &mut SchemaGenerator) -> Option<Schema> {
        Some(T::json_schema(types))
    }
}

/// What a renewal asks for, and the bounds it must keep.
#[derive(Clone, Debug)]
pub struct Renewal {
    /// How much longer from now, if the client said.
    pub increment: Option<Duration>,
    /// When the secret was first issued.
    pub issued: Timestamp,
    /// Now.
    pub now: Timestamp,
    /// The mount's TTL where nothing else is said.
    pub default_ttl: Duration,
    /// The mount's longest TTL.
    pub max_ttl: Duration,
}

impl Renewal {
    /// Until when a secret lives with the role's `ttl` and `max_ttl` (zero: the mount's): `ttl` or the
    /// increment from now, never past `max_ttl` from its issue.
    pub fn until(&self, ttl: Duration, max_ttl: Duration) -> Timestamp {
        let ttl = self
            .increment
            .unwrap_or(if ttl.is_zero() { self.default_ttl } else { ttl });
        let max_ttl = if max_ttl.is_zero() {
            self.max_ttl
        } else {
            max_ttl.min(self.max_ttl)
        };
        self.now.plus(ttl).min(self.issued.plus(max_ttl))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renewal_is_bounded_from_issue() {
        let secs = Duration::from_secs;
        let mut ask = Renewal {
            increment: None,
            issued: Timestamp::from_secs(1000),
            now: Timestamp::from_secs(1100),
            default_ttl: secs(60),
            max_ttl: secs(300),
        };
        assert_eq!(
            ask.until(Duration::ZERO, Duration::ZERO),
            Timestamp::from_secs(1160)
        );
        assert_eq!(
            ask.until(secs(500), Duration::ZERO),
            Timestamp::from_secs(1300)
        );
        assert_eq!(ask.until(secs(120), secs(150)), Timestamp::from_secs(1150));
        ask.increment = Some(secs(10));
        assert_eq!(ask.until(secs(500), secs(250)), Timestamp::from_secs(1110));
    }
}
