use std::fmt;

use bytes::Bytes;

use crate::Method;

/// A request that was prepared and not sent, see [`crate::ClientBuilder::rehearse`].
#[derive(Clone)]
pub struct Rehearsed {
    /// The method.
    pub method: Method,
    /// The whole address, with the query.
    pub url: String,
    /// The path below `/v1/`.
    pub path: String,
    /// Header fields, without the token.
    pub headers: Vec<(String, String)>,
    /// Whether a token goes along.
    pub has_token: bool,
    /// Whether it asks for a list.
    pub lists: bool,
    /// The body.
    pub body: Option<Bytes>,
}

impl fmt::Debug for Rehearsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rehearsed({} {})", self.method, self.path)
    }
}
