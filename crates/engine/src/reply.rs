//! What handlers answer.

use std::collections::BTreeMap;
use std::time::Duration;

use coffer_crypto::WipingBuffer;
use coffer_wire::{Auth, WrapInfo, write_json};
use ipnet::IpNet;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::{Fault, Intent, Pieces, TokenKind};

/// What a handler may return. Every serialisable type with a schema is data.
pub trait Replies: Send {
    /// The common form.
    fn reply(self) -> Result<Reply, Fault>;

    /// The shape of the data, for documents; none where it has no data.
    fn schema(types: &mut SchemaGenerator) -> Option<Schema>;
}

/// The common form of every answer.
#[derive(Debug, Default)]
pub struct Reply {
    /// What the client sees as `data`, or raw.
    pub body: Body,
    /// A lease that was renewed, to be shown.
    pub renewed: Option<Renewed>,
    /// Makes the announced secret a lease.
    pub lease: Option<Grant>,
    /// Asks the kernel to issue a token for a login.
    pub login: Option<Box<Login>>,
    /// A token that was issued or renewed already.
    pub auth: Option<Box<Auth>>,
    /// Remarks for the client.
    pub warnings: Vec<String>,
    /// A status other than 200 or 204.
    pub status: Option<u16>,
    /// How long the answer holds, shown as `lease_duration` although there is no lease.
    pub lease_duration: Option<Duration>,
    /// Whether the client gets the answer itself, or a single-use token for it.
    pub wrapping: Wrapping,
    /// Fields beside the body that a protocol of its own prescribes, names in lower case. Of an engine those go out that
    /// the mount's tuning lets through (`allowed_response_headers`).
    pub headers: Vec<(&'static str, String)>,
}

/// Whether an answer is wrapped.
#[derive(Debug, Default)]
pub enum Wrapping {
    /// If the request asks for it.
    #[default]
    AsAsked,
    /// If the request asks for it; then people are told this accessor of what is inside.
    Named(String),
    /// It has to be; a request that does not ask for it is refused.
    Required,
    /// It was wrapped already.
    Done(Box<WrapInfo>),
}

/// A lease after its renewal.
#[derive(Debug)]
pub struct Renewed {
    /// Its id.
    pub lease_id: String,
    /// How long it lives from now.
    pub ttl: Duration,
    /// Whether it can be renewed again.
    pub renewable: bool,
}

/// The terms of a lease that a handler grants.
#[derive(Debug)]
pub struct Grant {
    /// What was announced.
    pub intent: Intent,
    /// First lifetime; zero for the mount's default.
    pub ttl: Duration,
    /// Longest lifetime; zero for the mount's maximum.
    pub max_ttl: Duration,
    /// Whether it can be renewed.
    pub renewable: bool,
}

/// The body of an answer.
#[derive(Debug, Default)]
pub enum Body {
    /// None: 204.
    #[default]
    Empty,
    /// JSON text of the `data` object, wiped when it is dropped.
    Json(Zeroizing<Vec<u8>>),
    /// JSON text that is `data` *and* whose fields stand beside it, as some old endpoints have it.
    JsonAlsoAtTop(Zeroizing<Vec<u8>>),
    /// JSON text that is the whole body, without an envelope.
    JsonBare(Zeroizing<Vec<u8>>),
    /// Anything else, as it is.
    Raw {
        /// Its media type.
        media_type: String,
        /// The bytes.
        bytes: Zeroizing<Vec<u8>>,
    },
    /// Anything else, piece by piece.
    Stream(Streamed),
}

impl Body {
    /// The JSON text of `value`.
    pub fn json(value: &impl Serialize) -> Result<Zeroizing<Vec<u8>>, Fault> {
        let mut buffer = WipingBuffer::default();
        write_json(&mut buffer, value).map_err(Fault::internal)?;
        Ok(buffer.into_inner())
    }
}

impl Reply {
    /// Data.
    pub fn data(value: &impl Serialize) -> Result<Self, Fault> {
        Ok(Self {
            body: Body::Json(Body::json(value)?),
            ..Self::default()
        })
    }

    /// A body without an envelope, as `sys/seal-status` has it.
    pub fn bare(value: &impl Serialize) -> Result<Self, Fault> {
        Ok(Self {
            body: Body::JsonBare(Body::json(value)?),
            ..Self::default()
        })
    }

    /// Data whose fields also stand at the top level, as `sys/mounts` has it.
    pub fn also_at_top(value: &impl Serialize) -> Result<Self, Fault> {
        Ok(Self {
            body: Body::JsonAlsoAtTop(Body::json(value)?),
            ..Self::default()
        })
    }

    /// With one more remark.
    pub fn warn(mut self, warning: impl Into<String>) -> Self {
        self.warnings.push(warning.into());
        self
    }

    /// With one more field beside the body; a name in lower case.
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// With this status. A protocol with errors of its own form gives theirs.
    pub fn status(mut self, status: u16) -> Self {
        self.status = Some(status);
        self
    }
}

/// Done, with nothing to say.
#[derive(Clone, Copy, Debug, Default)]
pub struct Empty;

/// Bytes that are not an envelope (a certificate, metrics).
#[derive(Debug)]
pub struct Raw {
    /// The media type.
    pub media_type: &'static str,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// Bytes that are sent while they are made: a snapshot of the storage, a log that is followed. They
/// are recorded and granted as a whole, when they begin, and never wrapped.
#[derive(Debug)]
pub struct Streamed {
    /// The media type, if it has one.
    pub media_type: Option<&'static str>,
    /// Whether browsers shall keep it as a file.
    pub attachment: bool,
    /// The bytes.
    pub pieces: Pieces,
}

/// An answer with remarks.
#[derive(Debug)]
pub struct WithWarnings<T>(pub T, pub Vec<String>);

/// An answer with a success status of its own.
#[derive(Debug)]
pub struct WithStatus<T>(pub T, pub u16);

/// An answer that holds for a while without being leased; clients read it again after that.
#[derive(Debug)]
pub struct WithDuration<T>(pub T, pub Duration);

/// A login that succeeded: what the token shall be. The kernel issues it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Login {
    /// Policies of the token itself.
    pub policies: Vec<String>,
    /// Shown to people, after the mount's name.
    pub display_name: String,
    /// Notes about the login, visible in audit and lookups.
    pub metadata: BTreeMap<String, String>,
    /// Who logged in, for the identity store.
    pub alias: Option<Alias>,
    /// The names of the groups that the method says they are in, for the identity store; all of them at each login.
    pub group_aliases: Vec<String>,
    /// First lifetime; zero for the mount's default.
    pub ttl: Duration,
    /// Longest lifetime; zero for the mount's maximum.
    pub max_ttl: Duration,
    /// A bound that renewals can never pass; zero for none.
    pub explicit_max_ttl: Duration,
    /// Renewals set the lifetime to this, without an end; zero for none.
    pub period: Duration,
    /// How many requests the token may make; 0 for no limit.
    pub num_uses: u64,
    /// Addresses it may come from; empty for any.
    pub bound_cidrs: Vec<IpNet>,
    /// Leaves out the `default` policy.
    pub no_default_policy: bool,
    /// How the token is kept; none for what the mount says. A mount that says `service` or `batch` for all wins.
    pub kind: Option<TokenKind>,
    /// Whether it can be renewed.
    pub renewable: bool,
    /// Within this time, further logins that would get the same token share its record: theirs are batch tokens that end with
    /// it. Zero for a stored token for each login.
    pub coalesce_window: Duration,
    /// What the auth method wants back when the token is renewed; see [`Login::with_session`].
    pub payload: Value,
}

/// The name of someone in an auth method.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Alias {
    /// The unique name within the mount.
    pub name: String,
    /// What the method knows about them.
    pub metadata: BTreeMap<String, String>,
}

impl<T: Serialize + JsonSchema + Send> Replies for T {
    fn reply(self) -> Result<Reply, Fault> {
        Reply::data(&self)
    }

    fn schema(types: &mut SchemaGenerator) -> Option<Schema> {
        Some(T::json_schema(types))
    }
}

impl Replies for Reply {
    fn reply(self) -> Result<Reply, Fault> {
        Ok(self)
    }

    fn schema(_: &mut SchemaGenerator) -> Option<Schema> {
        None
    }
}

impl Replies for Empty {
    fn reply(self) -> Result<Reply, Fault> {
        Ok(Reply::default())
    }

    fn schema(_: &mut SchemaGenerator) -> Option<Schema> {
        None
    }
}

impl Replies for Raw {
    fn reply(self) -> Result<Reply, Fault> {
        let body = Body::Raw {
            media_type: self.media_type.to_owned(),
            bytes: Zeroizing::new(self.bytes),
        };
        Ok(Reply {
            body,
            ..Reply::default()
        })
    }

    fn schema(_: &mut SchemaGenerator) -> Option<Schema> {
        None
    }
}

impl Replies for Streamed {
    fn reply(self) -> Result<Reply, Fault> {
        Ok(Reply {
            body: Body::Stream(self),
            ..Reply::default()
        })
    }

    fn schema(_: &mut SchemaGenerator) -> Option<Schema> {
        None
    }
}

impl Replies for Box<Login> {
    fn reply(self) -> Result<Reply, Fault> {
        Ok(Reply {
            login: Some(self),
            ..Reply::default()
        })
    }

    fn schema(_: &mut SchemaGenerator) -> Option<Schema> {
        None
    }
}

impl<T: Replies> Replies for WithWarnings<T> {
    fn reply(self) -> Result<Reply, Fault> {
        let mut reply = self.0.reply()?;
        reply.warnings.extend(self.1);
        Ok(reply)
    }

    fn schema(types: &mut SchemaGenerator) -> Option<Schema> {
        T::schema(types)
    }
}

impl<T: Replies> Replies for WithStatus<T> {
    fn reply(self) -> Result<Reply, Fault> {
        Ok(self.0.reply()?.status(self.1))
    }

    fn schema(types: &mut SchemaGenerator) -> Option<Schema> {
        T::schema(types)
    }
}

impl<T: Replies> Replies for WithDuration<T> {
    fn reply(self) -> Result<Reply, Fault> {
        let mut reply = self.0.reply()?;
        reply.lease_duration = Some(self.1);
        Ok(reply)
    }

    fn schema(types: &mut SchemaGenerator) -> Option<Schema> {
        T::schema(types)
    }
}
