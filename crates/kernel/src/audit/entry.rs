//! What the pipeline tells about a request and its answer.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use coffer_crypto::Secret;
use coffer_engine::{Body, Caller, Fault, TokenKind};
use coffer_wire::{Auth, Timestamp, WrapInfo};
use serde_json::{Map, Value};

/// A request as it is recorded, once before it is carried out and once more beside its answer.
///
/// Everything is borrowed: nothing is copied unless a device is enabled. Empty texts, empty lists and
/// zeros are left out of the line, as the reference does.
#[derive(Clone, Copy, Debug, Default)]
pub struct RequestFacts<'a> {
    /// Identifies the request; both of its lines bear it.
    pub id: &'a str,
    /// When it arrived.
    pub time: Timestamp,
    /// Who counts as one client for licensing and usage reports; empty where that is not known.
    pub client_id: &'a str,
    /// `create`, `read`, `update`, `delete`, `list`, `scan`, `patch`, `help`, `renew` or `revoke`.
    pub operation: &'a str,
    /// The namespace it is for.
    pub namespace: NamespaceFacts<'a>,
    /// The whole path, mount included, without the namespace.
    pub path: &'a str,
    /// The mount that answers; none where there is no such mount.
    pub mount: Option<MountFacts<'a>>,
    /// The body and the parameters of the query. Every leaf is hashed.
    pub data: Option<&'a Map<String, Value>>,
    /// Where it came from; none for Unix sockets.
    pub remote_address: Option<IpAddr>,
    /// The port it came from.
    pub remote_port: u16,
    /// The number of the client's certificate, where the listener has verified it; else empty.
    pub client_certificate_serial_number: &'a str,
    /// The TTL of the wrapping that was asked for.
    pub wrap_ttl: Duration,
    /// The headers that `sys/config/auditing/request-headers` lets through.
    pub headers: &'a [HeaderFacts<'a>],
    /// The token that was sent, valid or not. Hashed.
    pub client_token: Option<&'a Secret<String>>,
    /// Whom that token speaks for; none without a valid token.
    pub token: Option<TokenFacts<'a>>,
    /// What the policies said; none where the request was refused before they were asked.
    pub policy_results: Option<PolicyResults<'a>>,
    /// Why it is refused. Only the class of the fault stands in the line, never its text.
    pub refusal: Option<&'a Fault>,
}

/// A namespace.
#[derive(Clone, Copy, Debug)]
pub struct NamespaceFacts<'a> {
    /// `root`, or its own identifier.
    pub id: &'a str,
    /// Its path with a trailing slash; empty for the root.
    pub path: &'a str,
}

/// The mount that a path leads to.
#[derive(Clone, Copy, Debug, Default)]
pub struct MountFacts<'a> {
    /// Its path with a trailing slash, `auth/` included.
    pub point: &'a str,
    /// The type of its engine, for example `kv`.
    pub kind: &'a str,
    /// Its accessor.
    pub accessor: &'a str,
    /// `secret` or `auth`.
    pub class: &'a str,
    /// The version of its engine, for example `v0.1.0+builtin`.
    pub running_version: &'a str,
    /// Keys of request data whose leaves stay readable (`audit_non_hmac_request_keys`).
    pub plain_request_keys: &'a [String],
    /// Keys of response data whose leaves stay readable (`audit_non_hmac_response_keys`).
    pub plain_response_keys: &'a [String],
}

/// One header of the request.
#[derive(Clone, Copy, Debug)]
pub struct HeaderFacts<'a> {
    /// Its name in lower case.
    pub name: &'a str,
    /// Its values, in order.
    pub values: &'a [String],
    /// Whether the values are hashed; they are, then, even with `log_raw`.
    pub hashed: bool,
}

/// Whom a token speaks for.
#[derive(Clone, Copy, Debug, Default)]
pub struct TokenFacts<'a> {
    /// Hashed unless the device has `hmac_accessor=false`; empty for batch tokens.
    pub accessor: &'a str,
    /// A name for people.
    pub display_name: &'a str,
    /// The effective policies.
    pub policies: &'a [String],
    /// The policies attached to the token itself.
    pub token_policies: &'a [String],
    /// The policies that come from the entity and its groups.
    pub identity_policies: &'a [String],
    /// Whether the token was made without the `default` policy.
    pub no_default_policy: bool,
    /// What the auth method noted about the login. Not hashed.
    pub metadata: Option<&'a BTreeMap<String, String>>,
    /// How many requests the token was made for; 0 for no limit.
    pub num_uses: u64,
    /// How many of them are left; 0 for no limit.
    pub remaining_uses: u64,
    /// The entity behind it.
    pub entity_id: &'a str,
    /// How the token is kept.
    pub kind: TokenKind,
    /// The lifetime it was made or last renewed with; zero for none.
    pub ttl: Duration,
    /// When it was made; none in the answer that makes it.
    pub issued: Option<Timestamp>,
}

/// What the policies said about a request.
#[derive(Clone, Copy, Debug, Default)]
pub struct PolicyResults<'a> {
    /// Whether it may go on.
    pub allowed: bool,
    /// The policies that let it.
    pub granting: &'a [GrantingPolicy<'a>],
}

/// A policy that lets a request go on.
#[derive(Clone, Copy, Debug)]
pub struct GrantingPolicy<'a> {
    /// Its name.
    pub name: &'a str,
    /// The namespace it belongs to.
    pub namespace: NamespaceFacts<'a>,
    /// Its type: `acl`, or empty.
    pub kind: &'a str,
}

/// An answer as it is recorded, before the client gets it.
#[derive(Clone, Copy, Debug, Default)]
pub struct ResponseFacts<'a> {
    /// When the answer was ready.
    pub time: Timestamp,
    /// The body, before any wrapping; none when the answer is wrapped. Every leaf is hashed.
    pub body: Option<&'a Body>,
    /// The HTTP status, recorded with bodies that are not JSON.
    pub status: u16,
    /// A token that was issued or renewed, before any wrapping.
    pub auth: Option<&'a Auth>,
    /// The name for people of that token.
    pub display_name: &'a str,
    /// When that token was made, where it was renewed.
    pub issued: Option<Timestamp>,
    /// Whether the login made a new entity.
    pub entity_created: bool,
    /// The lease of a secret; an empty one for secrets that have a TTL but no lease. Not hashed.
    pub lease_id: Option<&'a str>,
    /// Where the wrapped answer waits.
    pub wrap_info: Option<&'a WrapInfo>,
    /// Remarks for the client. Not hashed.
    pub warnings: &'a [String],
    /// Where the client is sent instead.
    pub redirect: &'a str,
    /// Headers that the engine sets.
    pub headers: Option<&'a BTreeMap<String, Vec<String>>>,
    /// Why there is no answer: its class stands in the line, its text is hashed like data.
    pub fault: Option<&'a Fault>,
}

impl NamespaceFacts<'_> {
    /// The root namespace.
    pub const ROOT: Self = Self {
        id: "root",
        path: "",
    };
}

impl Default for NamespaceFacts<'_> {
    fn default() -> Self {
        Self::ROOT
    }
}

impl<'a> TokenFacts<'a> {
    /// What a caller shows of its token; the other facts are added by struct update.
    pub fn of(caller: &'a Caller) -> Self {
        Self {
            accessor: &caller.accessor,
            display_name: &caller.display_name,
            policies: &caller.policies,
            token_policies: &caller.policies,
            identity_policies: &caller.identity_policies,
            metadata: Some(&caller.metadata),
            entity_id: &caller.entity_id,
            kind: caller.kind,
            ..Self::default()
        }
    }
}

/// The class of a fault, in fixed words: a fault's own text may quote what the client sent. None for
/// faults that the reference does not record as errors.
pub(super) fn class(fault: &Fault) -> Option<&'static str> {
    Some(match fault {
        Fault::NotFound | Fault::Gone(_) => return None,
        Fault::Invalid(_) | Fault::Conflict(_) => "invalid request",
        Fault::Missing(_) | Fault::Expired(_) => "not found",
        Fault::UnsupportedPath => "unsupported path",
        Fault::UnsupportedVerb => "unsupported operation",
        Fault::Denied | Fault::Forbidden(_) => "permission denied",
        Fault::TooLarge(_) => "request too large",
        Fault::TooMany(_) => "quota exceeded",
        Fault::Unavailable(_) => "service unavailable",
        Fault::Upstream(_) => "upstream error",
        Fault::Sealed => "Vault is sealed",
        Fault::Internal(_) | _ => "internal error",
    })
}
