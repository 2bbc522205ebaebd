//! Answers in the form of OAuth 2 and OpenID Connect, errors included.

use coffer_engine::{Fault, Reply};
use serde_json::{Map, Value, json};

/// Why a request of OAuth is refused: its own faults, and ours.
pub(super) enum Refused {
    /// In OAuth's words.
    OAuth(OAuthError),
    /// In ours: storage failed, the server is sealed.
    Fault(Fault),
}

/// An error in OAuth's words (RFC 6749 sections 4.1.2.1 and 5.2).
pub(super) struct OAuthError {
    pub code: &'static str,
    pub description: String,
}

impl From<Fault> for Refused {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// An error with a code of OAuth.
pub(super) fn refuse(code: &'static str, description: impl Into<String>) -> Refused {
    Refused::OAuth(OAuthError {
        code,
        description: description.into(),
    })
}

impl OAuthError {
    /// As the authorization endpoint answers it: nobody is sent anywhere, whoever asked gets it and decides.
    pub fn at_authorization(&self, state: &str) -> Result<Reply, Fault> {
        let mut body = self.body();
        body.insert("state".into(), json!(state));
        Ok(Reply::bare(&body)?.status(400))
    }

    /// As the token endpoint answers it.
    pub fn at_token(&self) -> Result<Reply, Fault> {
        let reply = not_kept(Reply::bare(&self.body())?);
        Ok(match self.code {
            "invalid_client" => reply.status(401).header("www-authenticate", "Basic"),
            _ => reply.status(400),
        })
    }

    /// As a resource answers it (RFC 6750 section 3).
    pub fn at_resource(&self) -> Result<Reply, Fault> {
        let reply = Reply::bare(&self.body())?;
        match self.code {
            "invalid_token" => {}
            "access_denied" => return Ok(reply.status(403)),
            _ => return Ok(reply.status(400)),
        }
        let challenge = format!(
            "Bearer error=\"{}\",error_description=\"{}\"",
            self.code, self.description
        );
        Ok(reply.status(401).header("www-authenticate", challenge))
    }

    fn body(&self) -> Map<String, Value> {
        Map::from_iter([
            ("error".to_owned(), json!(self.code)),
            ("error_description".to_owned(), json!(self.description)),
        ])
    }
}

/// Answers of the token endpoint are kept by nobody on the way (RFC 6749 section 5.1). Every answer says `no-store`.
pub(super) fn not_kept(reply: Reply) -> Reply {
    reply.header("pragma", "no-cache")
}
