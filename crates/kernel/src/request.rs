//! A request as the edge hands it over, and what goes back.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use coffer_crypto::Secret;
use coffer_engine::{Body, Fault, Nesting, Upload};
use coffer_wire::{ApiPath, Auth, Verb, Wiped, WrapInfo};
use serde_json::{Map, Value};

use crate::control::Approvals;
use crate::observe::Flight;
use crate::quotas::Allowance;
use crate::tokens::Signed;

/// A request: canonical, bounded, without any HTTP in it.
#[derive(Debug)]
pub struct Request {
    /// Identifies it in answers, logs and audit.
    pub id: String,
    /// What is wanted.
    pub verb: Verb,
    /// Asks for the help of the path instead.
    pub help: bool,
    /// The path below `/v1/`.
    pub path: ApiPath,
    /// The namespace from the header; empty for the root.
    pub namespace: String,
    /// The client's token.
    pub token: Option<Arc<Secret<String>>>,
    /// The signature that stands for a token; what comes with one has no token.
    pub signed: Option<Arc<Signed>>,
    /// The body's fields; for reads, lists and deletions those of the query.
    pub body: Wiped<Map<String, Value>>,
    /// The body of a request for a path that takes it as it comes; `body` is empty then.
    pub upload: Upload,
    /// Where it came from; absent for Unix sockets.
    pub client: Option<SocketAddr>,
    /// What the client showed in the TLS handshake, in DER, its own certificate first; empty if it showed none.
    pub certificates: Arc<[Vec<u8>]>,
    /// The number of its certificate, where the listener lets in nobody whose certificate it does not trust.
    pub trusted_serial: Option<Arc<str>>,
    /// Headers, names in lower case, without those that carry the token; of `authorization` only the scheme stays then.
    pub headers: BTreeMap<String, Vec<String>>,
    /// How long a wrapped answer shall wait, if it shall be wrapped.
    pub wrap_ttl: Option<Duration>,
    /// Where those who watch requests find it, if somebody does.
    pub flight: Option<Arc<Flight>>,
    /// The runs of several requests that it is part of.
    pub nesting: Nesting,
    /// What others said about it, where it has waited for that.
    pub approvals: Approvals,
}

/// A successful answer.
#[derive(Debug, Default)]
pub struct Response {
    /// The request's id; empty in what carries a wrapping token.
    pub request_id: String,
    /// The status where it is neither 200 nor 204.
    pub status: Option<u16>,
    /// The lease, else empty.
    pub lease_id: String,
    /// Whether the lease can be renewed.
    pub renewable: bool,
    /// Seconds the lease lives.
    pub lease_duration: u64,
    /// The data.
    pub body: Body,
    /// Set when the answer was wrapped.
    pub wrap_info: Option<WrapInfo>,
    /// Remarks.
    pub warnings: Vec<String>,
    /// A token.
    pub auth: Option<Box<Auth>>,
    /// Fields beside the body that a protocol of its own prescribes, names in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// What a rate limit leaves to the client, where clients are told.
    pub allowance: Option<Allowance>,
}

/// A refusal or failure.
#[derive(Debug)]
pub struct Refusal {
    /// The request's id, for the operator's search in the log.
    pub request_id: String,
    /// What was wrong.
    pub fault: Fault,
    /// What a rate limit leaves to the client, where clients are told.
    pub allowance: Option<Allowance>,
}

impl Refusal {
    /// A refusal that no rate limit has to do with.
    pub fn new(request_id: String, fault: Fault) -> Self {
        Self {
            request_id,
            fault,
            allowance: None,
        }
    }
}

impl Request {
    /// A request that a test or the kernel itself makes.
    pub fn internal(id: String, verb: Verb, path: ApiPath) -> Self {
        Self {
            id,
            verb,
            help: false,
            path,
            namespace: String::new(),
            token: None,
            signed: None,
            body: Wiped::default(),
            upload: Upload::default(),
            client: None,
            certificates: Arc::default(),
            trusted_serial: None,
            headers: BTreeMap::new(),
            wrap_ttl: None,
            flight: None,
            nesting: Nesting::default(),
            approvals: Approvals::default(),
        }
    }
}
