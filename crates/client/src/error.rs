use crate::Method;

/// Why a request has no answer to show.
///
/// The text says what is wrong and, where the client can know, what to do; it never holds a token or a value.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The server answered with an error status.
    #[error("{method} {url} was answered with status {status}: {}", joined(errors))]
    Api {
        /// The HTTP status.
        status: u16,
        /// What was asked.
        method: Method,
        /// Where, without the query.
        url: String,
        /// The server's own words, one an entry; empty where the thing merely does not exist.
        errors: Vec<String>,
        /// Remarks the server made beside the errors.
        warnings: Vec<String>,
    },
    /// The server is sealed: it answers nothing until enough unseal keys are given.
    #[error("{method} {url}: the server is sealed; unseal it with `coffer operator unseal`")]
    Sealed {
        /// What was asked.
        method: Method,
        /// Where, without the query.
        url: String,
        /// The server's own words.
        errors: Vec<String>,
    },
    /// No connection could be made.
    #[error("cannot reach {address}: {reason}")]
    Connect {
        /// The server's address.
        address: String,
        /// What the system said, innermost cause first.
        reason: String,
    },
    /// The server's certificate or the TLS handshake was not acceptable.
    #[error("no trusted TLS connection to {address}: {reason}")]
    Tls {
        /// The server's address.
        address: String,
        /// What the TLS library said.
        reason: String,
    },
    /// No answer came in time.
    #[error("{method} {url} had no answer within {seconds} seconds")]
    Timeout {
        /// What was asked.
        method: Method,
        /// Where, without the query.
        url: String,
        /// The limit that ran out, in seconds.
        seconds: u64,
    },
    /// The connection broke while a request was under way; it may or may not have taken effect.
    #[error("the connection broke during {method} {url}: {reason}")]
    Broken {
        /// What was asked.
        method: Method,
        /// Where, without the query.
        url: String,
        /// What the transport said.
        reason: String,
    },
    /// The server points elsewhere; tokens are not sent to other hosts unasked.
    #[error("{url} redirects to {location}; use that address if you trust it")]
    Redirect {
        /// Where, without the query.
        url: String,
        /// Where the server points.
        location: String,
    },
    /// The answer is not of the shape this API has: most often the address is not a Coffer, Vault or OpenBao server.
    #[error("the answer of {url} is not understood: {reason}")]
    Decode {
        /// Where, without the query.
        url: String,
        /// What was wrong with it.
        reason: String,
    },
    /// The answer is larger than this client reads.
    #[error(
        "the answer of {url} is larger than {limit_bytes} bytes; ask for a page of it (`limit`)"
    )]
    TooLarge {
        /// Where, without the query.
        url: String,
        /// The limit.
        limit_bytes: usize,
    },
    /// The request was not sent: the client only says what it would send.
    #[error("{0}")]
    Rehearsed(String),
    /// The client itself is set up wrongly, or was asked for something that cannot be sent.
    #[error("{0}")]
    Config(String),
}

impl Error {
    /// The status the server answered with, if it did.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Api { status, .. } => Some(*status),
            Self::Sealed { .. } => Some(503),
            _ => None,
        }
    }

    /// Whether the server has refused in plain words (unknown, revoked, not allowed): asking again changes nothing.
    pub(crate) fn is_refusal(&self) -> bool {
        matches!(
            self,
            Self::Api {
                status: 400 | 403 | 404,
                ..
            }
        )
    }

    /// What the person in front of it can do next, where that follows from the error.
    #[must_use]
    pub fn next_step(&self) -> Option<String> {
        let step = match self {
            Self::Api { status, errors, .. } => {
                return api_step(*status, errors).map(str::to_owned);
            }
            Self::Sealed { .. } => {
                "Unseal it: `coffer operator unseal`, once for each key until the threshold is met."
            }
            Self::Connect { address, .. } => {
                return Some(format!(
                    "Is a server running at {address}? Start one for a try with `coffer server -dev`, \
                     or name another address with -address or the COFFER_ADDR variable."
                ));
            }
            Self::Tls { address, .. } => return Some(tls_step(address)),
            Self::Timeout { .. } => {
                "Give it longer with the COFFER_CLIENT_TIMEOUT variable, or look at the server's log."
            }
            Self::Broken { .. } => "Look whether it took effect before you repeat it.",
            Self::Redirect { .. } => "Set that address with -address or the COFFER_ADDR variable.",
            Self::Decode { .. } => {
                "Check that the address is that of a Coffer, Vault or OpenBao server."
            }
            Self::TooLarge { .. } | Self::Config(_) | Self::Rehearsed(_) => return None,
        };
        Some(step.to_owned())
    }
}

/// Whether it is a namespace that is sealed: the server around it is not.
pub(crate) fn of_namespace(error: &str) -> bool {
    error.starts_with("namespace") && error.ends_with("is sealed")
}

fn tls_step(address: &str) -> String {
    format!(
        "If the server speaks plain HTTP, use http:// in place of https:// in the address ({address}). \
         If its certificate has an authority of its own, name it with -ca-cert or the COFFER_CACERT variable. \
         If the certificate bears another name, give that with -tls-server-name."
    )
}

fn api_step(status: u16, errors: &[String]) -> Option<&'static str> {
    match status {
        403 if errors
            .iter()
            .any(|error| error.contains("permission denied")) =>
        {
            Some(
                "The token is missing, no longer valid, or its policies do not grant this. \
             See who you are with `coffer token lookup`, and what you may do with `coffer token capabilities PATH`.",
            )
        }
        400 if errors
            .iter()
            .any(|error| error.contains("missing client token")) =>
        {
            Some("Log in with `coffer login`, or set the COFFER_TOKEN variable.")
        }
        400 if errors
            .iter()
            .any(|error| error.contains("HTTP request to an HTTPS server")) =>
        {
            Some("The server speaks TLS: use https:// in the address.")
        }
        412 => Some("This node has not caught up with the last write yet; try again in a moment."),
        429 => Some("The server limits the rate of requests; wait a little and try again."),
        503 if errors.iter().any(|text| of_namespace(text)) => Some(
            "Unseal it: `coffer namespace unseal PATH`, once for each key until the threshold is met.",
        ),
        502 | 504 => Some(
            "Something between here and the server answered in its place; check the address and the proxy.",
        ),
        _ => None,
    }
}

fn joined(errors: &[String]) -> String {
    match errors {
        [] => "no further words".to_owned(),
        _ => errors.join("; "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_says_what_to_do() {
        let refused = Error::Connect {
            address: "http://127.0.0.1:1".to_owned(),
            reason: "refused".to_owned(),
        };
        let step = refused.next_step().unwrap();
        assert!(
            step.contains("http://127.0.0.1:1")
                && step.contains("COFFER_ADDR")
                && step.contains("server -dev")
        );
        assert!(
            api_step(403, &["permission denied".to_owned()])
                .unwrap()
                .contains("capabilities")
        );
        assert_eq!(api_step(404, &[]), None);
    }
}
