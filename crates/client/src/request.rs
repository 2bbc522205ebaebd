use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use zeroize::Zeroizing;

use crate::{Error, Token};

/// An HTTP method this API knows. Lists travel as `GET` with `list=true`, which passes every proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are the methods of RFC 9110")]
pub enum Method {
    Get,
    Put,
    Post,
    Patch,
    Delete,
    Head,
}

impl Method {
    /// Whether asking twice does the same as asking once, so that an answer that got lost can be asked for again.
    #[must_use]
    pub fn is_idempotent(self) -> bool {
        matches!(self, Self::Get | Self::Delete | Self::Head)
    }

    /// The method's name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Put => "PUT",
            Self::Post => "POST",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
            Self::Head => "HEAD",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How an answer is to be wrapped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Wrap {
    /// Not at all, whatever the client's setting: for answers the caller has to read itself.
    #[default]
    Never,
    /// As the client is set up.
    AsConfigured,
    /// For this long unless the client is set up otherwise.
    Default(Duration),
}

/// One request: a method, a path below `/v1/`, a query and a body.
#[derive(Clone)]
pub struct Request {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) body: Option<Bytes>,
    pub(crate) wrap: Wrap,
    pub(crate) token: Option<Token>,
    pub(crate) retries: bool,
    pub(crate) is_question: bool,
    pub(crate) accept: Option<&'static str>,
}

impl Request {
    /// A request for `path` (without the leading `/v1/`; a leading slash is tolerated).
    pub fn new(method: Method, path: impl AsRef<str>) -> Self {
        let path = path.as_ref();
        Self {
            method,
            path: path.strip_prefix('/').unwrap_or(path).to_owned(),
            query: Vec::new(),
            body: None,
            wrap: Wrap::Never,
            token: None,
            retries: true,
            is_question: false,
            accept: None,
        }
    }

    /// Adds one parameter to the query.
    #[must_use]
    pub fn query(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.query.push((name.into(), value.into()));
        self
    }

    /// Adds parameters to the query.
    #[must_use]
    pub fn queries(mut self, pairs: &[(&str, &str)]) -> Self {
        self.query.extend(
            pairs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        );
        self
    }

    /// Sends `body` as JSON. Its bytes are wiped once the request is done.
    ///
    /// # Errors
    /// [`Error::Config`] if it cannot be written as JSON.
    pub fn json(mut self, body: &impl Serialize) -> Result<Self, Error> {
        let bytes = serde_json::to_vec(body).map_err(|error| {
            Error::Config(format!(
                "the request's body cannot be written as JSON: {error}"
            ))
        })?;
        self.body = Some(Bytes::from_owner(Zeroizing::new(bytes)));
        Ok(self)
    }

    /// Has the answer wrapped if the client is set up with a wrapping TTL.
    #[must_use]
    pub fn wrappable(mut self) -> Self {
        self.wrap = Wrap::AsConfigured;
        self
    }

    /// Has the answer wrapped for `ttl`, unless the client is set up with another wrapping TTL.
    #[must_use]
    pub fn wrapped_for(mut self, ttl: Duration) -> Self {
        self.wrap = Wrap::Default(ttl);
        self
    }

    /// Uses this token in place of the client's.
    #[must_use]
    pub fn token(mut self, token: Token) -> Self {
        self.token = Some(token);
        self
    }

    /// Is sent by a client that only rehearses, too: without its answer nobody knows what to ask.
    pub(crate) fn question(mut self) -> Self {
        self.is_question = true;
        self
    }

    /// Asks for an answer of this media type.
    #[must_use]
    pub fn accept(mut self, media_type: &'static str) -> Self {
        self.accept = Some(media_type);
        self
    }

    /// Takes the first answer, whatever it is: for endpoints whose status codes are answers (health).
    #[must_use]
    pub fn once(mut self) -> Self {
        self.retries = false;
        self
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Request({} {})", self.method, self.path)
    }
}
