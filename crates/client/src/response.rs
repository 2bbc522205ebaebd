use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::error::Category;

use crate::error::of_namespace;
use crate::{Error, Method, Token, nullable};

/// The largest answer this client reads, in bytes.
pub const MAX_RESPONSE_BYTES: usize = 64 * 1024 * 1024;

/// An answer as it came: status and body.
#[derive(Clone)]
pub struct Response {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) body: Bytes,
    pub(crate) method: Method,
    pub(crate) url: String,
}

impl Response {
    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The body's bytes, unparsed.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Reads the body as JSON of a known shape.
    ///
    /// # Errors
    /// [`Error::Decode`] if it is not.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(&self.body).map_err(|error| self.not_understood(&error))
    }

    /// Reads `data` of the envelope as a known shape.
    ///
    /// # Errors
    /// [`Error::Decode`] if there is no envelope or its data has another shape.
    pub fn data<T: DeserializeOwned>(&self) -> Result<T, Error> {
        let data = self.json::<Secret>()?.data.unwrap_or(Value::Null);
        serde_json::from_value(data).map_err(|error| self.not_understood(&error))
    }

    /// Reads an answer that one server gives bare and another in an envelope.
    pub(crate) fn bare<T: DeserializeOwned>(&self) -> Result<T, Error> {
        match self.json::<Value>()?.get("request_id") {
            Some(_) => self.data(),
            None => self.json(),
        }
    }

    /// Turns an error status into the error it says; other answers pass.
    ///
    /// # Errors
    /// [`Error::Sealed`], [`Error::Redirect`] or [`Error::Api`].
    pub fn ok(self) -> Result<Self, Error> {
        match self.status {
            200..=299 => Ok(self),
            _ => Err(self.into_error()),
        }
    }

    /// The envelope; `None` for an empty body, and for a "does not exist" that says nothing more.
    ///
    /// A 404 that carries data or warnings (a deleted version of a secret) is an answer.
    ///
    /// # Errors
    /// As [`Response::ok`].
    pub fn secret(self) -> Result<Option<Secret>, Error> {
        if self.status == 404 {
            return match serde_json::from_slice::<Secret>(&self.body) {
                Ok(secret) if secret.data.is_some() || !secret.warnings.is_empty() => {
                    Ok(Some(secret))
                }
                _ if self.error_texts().is_empty() => Ok(None),
                _ => Err(self.into_error()),
            };
        }
        let response = self.ok()?;
        if response.status == 204 || response.body.iter().all(u8::is_ascii_whitespace) {
            return Ok(None);
        }
        response.json().map(Some)
    }

    /// The JSON library's own words may quote the value they stumbled over, and that may be a secret.
    fn not_understood(&self, error: &serde_json::Error) -> Error {
        let what = match error.classify() {
            Category::Data => "it has another shape than expected",
            Category::Eof => "it ends too early",
            Category::Syntax | Category::Io => "it is not JSON",
        };
        let reason = match error.line() {
            0 => what.to_owned(),
            line => format!("{what} (line {line}, column {})", error.column()),
        };
        Error::Decode {
            url: self.url.clone(),
            reason,
        }
    }

    pub(crate) fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// Tells a sealed server (nothing to wait for) from one that is merely busy or starting.
    pub(crate) fn says_sealed(&self) -> bool {
        self.status == 503
            && self
                .error_texts()
                .iter()
                .any(|error| error.ends_with("is sealed"))
    }

    fn error_texts(&self) -> Vec<String> {
        serde_json::from_slice::<ErrorBody>(&self.body)
            .map(|body| body.errors)
            .unwrap_or_default()
    }

    pub(crate) fn into_error(self) -> Error {
        if self.says_sealed() && !self.error_texts().iter().any(|text| of_namespace(text)) {
            return Error::Sealed {
                method: self.method,
                errors: self.error_texts(),
                url: self.url,
            };
        }
        let body = serde_json::from_slice::<ErrorBody>(&self.body).unwrap_or_else(|_| ErrorBody {
            errors: foreign_words(&self.body),
            warnings: Vec::new(),
        });
        Error::Api {
            status: self.status,
            method: self.method,
            url: self.url,
            errors: body.errors,
            warnings: body.warnings,
        }
    }
}

/// The beginning of a body that is not ours (a proxy's page), as one line.
fn foreign_words(body: &[u8]) -> Vec<String> {
    const MAX_FOREIGN_CHARS: usize = 200;
    let text: String = String::from_utf8_lossy(body)
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(MAX_FOREIGN_CHARS)
        .collect();
    let text = text.trim();
    if text.is_empty() {
        Vec::new()
    } else {
        vec![text.to_owned()]
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ErrorBody {
    #[serde(deserialize_with = "nullable::deserialize")]
    errors: Vec<String>,
    #[serde(deserialize_with = "nullable::deserialize")]
    warnings: Vec<String>,
}

/// The envelope around an answer.
///
/// Unlike the server's own type it takes `null` for every list, as other servers of this API send it, and it is written
/// in the order and with the omissions that the reference's command line prints.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Secret {
    /// Identifies the request in the audit log.
    pub request_id: String,
    /// The lease of a dynamic secret, else empty.
    pub lease_id: String,
    /// Remaining time of the lease in seconds.
    pub lease_duration: u64,
    /// Whether that lease can be renewed.
    pub renewable: bool,
    /// What the endpoint answers.
    pub data: Option<Value>,
    /// Remarks that did not stop the request.
    #[serde(with = "nullable")]
    pub warnings: Vec<String>,
    /// A token that was issued or renewed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth: Option<Auth>,
    /// Set in place of the others when the answer was wrapped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wrap_info: Option<WrapInfo>,
    /// The type of the mount that answered, if the server says.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub mount_type: String,
}

impl fmt::Debug for Secret {
    /// Everything but what is secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret")
            .field("request_id", &self.request_id)
            .field("lease_id", &self.lease_id)
            .field("lease_duration", &self.lease_duration)
            .field("renewable", &self.renewable)
            .field("warnings", &self.warnings)
            .field("auth", &self.auth)
            .field("wrap_info", &self.wrap_info)
            .finish_non_exhaustive()
    }
}

/// A token as login, creation and renewal answer it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Auth {
    /// The token itself; empty while a second factor is awaited.
    pub client_token: Token,
    /// Its accessor; empty for batch tokens.
    pub accessor: String,
    /// All policies, those from the identity included.
    #[serde(with = "nullable")]
    pub policies: Vec<String>,
    /// The policies attached to the token itself.
    #[serde(with = "nullable")]
    pub token_policies: Vec<String>,
    /// The policies that come from the entity and its groups.
    #[serde(with = "nullable")]
    pub identity_policies: Vec<String>,
    /// What the auth method noted about the login.
    #[serde(with = "nullable")]
    pub metadata: BTreeMap<String, String>,
    /// Whether it has no parent.
    pub orphan: bool,
    /// The entity behind it, else empty.
    pub entity_id: String,
    /// Seconds until the token ends; 0 for one that does not.
    pub lease_duration: u64,
    /// Whether it can be renewed.
    pub renewable: bool,
    /// What a second factor still requires.
    pub mfa_requirement: Option<Value>,
}

/// Where a wrapped answer waits.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct WrapInfo {
    /// The single-use token that unwraps it.
    pub token: Token,
    /// That token's accessor.
    pub accessor: String,
    /// Seconds it waits.
    pub ttl: u64,
    /// When it was wrapped, RFC 3339.
    pub creation_time: String,
    /// The path that made the answer.
    pub creation_path: String,
    /// The accessor of the token inside, when the answer is a login.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub wrapped_accessor: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(status: u16, body: &str) -> Response {
        Response {
            status,
            retry_after: None,
            body: Bytes::from(body.to_owned()),
            method: Method::Get,
            url: "http://h/v1/x".to_owned(),
        }
    }

    #[test]
    fn nulls_are_empty_and_numbers_keep_their_text() {
        let text = r#"{"request_id":"r","lease_duration":60,"data":{"n":1.50,"big":12345678901234567890123},
            "warnings":null,"auth":{"client_token":"t","policies":null,"metadata":null,"lease_duration":5}}"#;
        let secret = response(200, text).secret().unwrap().unwrap();
        assert_eq!(secret.lease_duration, 60);
        assert_eq!(secret.auth.as_ref().unwrap().lease_duration, 5);
        let written = serde_json::to_string(&secret).unwrap();
        assert!(
            written.contains("1.50") && written.contains("12345678901234567890123"),
            "{written}"
        );
        assert!(
            written.contains(r#""warnings":null"#)
                && written.contains(r#""identity_policies":null"#),
            "{written}"
        );
        let debug = format!("{secret:?}");
        assert!(
            !debug.contains("\"t\"") && !debug.contains("1.50"),
            "{debug}"
        );
    }

    #[test]
    fn bare_answers_and_enveloped_ones_read_alike() {
        let bare = response(200, r#"{"n":1}"#).bare::<BTreeMap<String, u32>>();
        let wrapped =
            response(200, r#"{"request_id":"r","data":{"n":1}}"#).bare::<BTreeMap<String, u32>>();
        assert_eq!(bare.unwrap()["n"], wrapped.unwrap()["n"]);
    }

    #[test]
    fn absence_and_errors_are_told_apart() {
        assert!(
            response(404, r#"{"errors":[]}"#)
                .secret()
                .unwrap()
                .is_none()
        );
        assert!(response(204, "").secret().unwrap().is_none());
        let deleted = response(404, r#"{"data":{"data":null}}"#).secret().unwrap();
        assert!(deleted.is_some());
        assert!(matches!(
            response(404, r#"{"errors":["no handler"]}"#).secret(),
            Err(Error::Api { status: 404, errors, .. }) if errors == ["no handler"]
        ));
        assert!(matches!(
            response(503, r#"{"errors":["Vault is sealed"]}"#).ok(),
            Err(Error::Sealed { .. })
        ));
        assert!(matches!(
            response(503, r#"{"errors":["namespace is sealed"]}"#).ok(),
            Err(error @ Error::Api { status: 503, .. }) if error.next_step().unwrap().contains("namespace unseal")
        ));
        assert!(matches!(
            response(503, r#"{"errors":["busy"]}"#).ok(),
            Err(Error::Api { status: 503, .. })
        ));
        assert!(matches!(
            response(502, "<html>\nbad gateway").ok(),
            Err(Error::Api { errors, .. }) if errors == ["<html> bad gateway"]
        ));
        assert!(matches!(
            response(200, "<html>").secret(),
            Err(Error::Decode { .. })
        ));
        let leak = response(200, r#"{"lease_duration":"hunter2"}"#).secret();
        assert!(!leak.unwrap_err().to_string().contains("hunter2"));
    }
}
