//! Requests to other people's servers: identity providers, clouds, the API of a cluster.
//!
//! Engines speak HTTP to nobody themselves. What they want goes through [`crate::Ctx::fetch`], so that one place holds
//! what is true of every such request: it ends in a bounded time, its answer has a bounded length, no redirect is
//! followed, TLS is verified, and one mount whose server is slow keeps no other mount from its own.

use std::time::Duration;

use coffer_crypto::{Secret, Zeroizing};

use crate::{Answer, Fault};

/// How long a request may take unless it says otherwise.
pub const TIMEOUT: Duration = Duration::from_secs(10);
/// How long an answer may be unless the request says otherwise, in bytes.
pub const ANSWER_BYTES_MAX: usize = 1 << 20;

/// What brings requests to other servers: the HTTP client of the process.
pub trait Outbound: Send + Sync {
    /// Sends a request on behalf of `owner`, a mount; see [`crate::Ctx::fetch`].
    fn fetch<'a>(&'a self, owner: &'a str, request: Request) -> Answer<'a, Response>;
}

/// A request.
#[derive(Clone, Debug)]
pub struct Request {
    /// `GET`, `POST` or `PUT`.
    pub method: Method,
    /// Where to, `http` or `https`.
    pub url: String,
    /// Header fields. Their values are treated as secrets.
    pub headers: Vec<(String, Zeroizing<String>)>,
    /// The body; none where it is empty.
    pub body: Zeroizing<Vec<u8>>,
    /// The certificates, in PEM, one of which the server's must come from; empty for those that the system trusts.
    pub roots: String,
    /// The certificate, its chain and its key, in PEM, that we show the server; empty for none.
    pub identity: Secret<String>,
    /// The name that the server's certificate must have instead of the address's host; empty for that one. The connection
    /// goes to the host all the same, and never through a proxy.
    pub server_name: String,
    /// How long all of it may take.
    pub timeout: Duration,
    /// How long the answer may be, in bytes.
    pub most: usize,
}

/// How a request is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Reads.
    Get,
    /// Sends.
    Post,
    /// Puts.
    Put,
}

/// What a server answered, whatever its status.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// The media type, empty if it is not said.
    pub media_type: String,
    /// The body.
    pub body: Zeroizing<Vec<u8>>,
}

impl Request {
    /// Reads an address.
    #[must_use]
    pub fn get(url: impl Into<String>) -> Self {
        Self {
            method: Method::Get,
            url: url.into(),
            headers: Vec::new(),
            body: Zeroizing::default(),
            roots: String::new(),
            identity: Secret::default(),
            server_name: String::new(),
            timeout: TIMEOUT,
            most: ANSWER_BYTES_MAX,
        }
    }

    /// Sends a body to an address.
    #[must_use]
    pub fn post(url: impl Into<String>, media_type: &str, body: Vec<u8>) -> Self {
        Self {
            method: Method::Post,
            body: Zeroizing::new(body),
            ..Self::get(url)
        }
        .with("content-type", media_type)
    }

    /// The request with one more header field.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers
            .push((name.to_owned(), Zeroizing::new(value.into())));
        self
    }

    /// The request to a server whose certificate comes from one of these, in PEM; empty for those of the system.
    #[must_use]
    pub fn trusting(self, roots: impl Into<String>) -> Self {
        Self {
            roots: roots.into(),
            ..self
        }
    }
}

/// Reaches nobody.
#[derive(Debug)]
pub struct Nowhere;

impl Outbound for Nowhere {
    fn fetch<'a>(&'a self, _: &'a str, _: Request) -> Answer<'a, Response> {
        let refused = Fault::upstream("this server sends no requests to others");
        Box::pin(std::future::ready(Err(refused)))
    }
}
