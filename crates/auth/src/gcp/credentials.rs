//! The file of a service account's key, by which Google is asked.

use coffer_crypto::Secret;
use coffer_crypto::sign::{Algorithm, SigningKey};
use coffer_engine::{Fault, plaintext};
use serde::{Deserialize, Serialize};

use super::config;

/// Where tokens are to be had, unless the file says otherwise.
const TOKEN_URI: &str = "https://oauth2.googleapis.com/token";

/// What such a file says, as far as anybody here looks at it.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Credentials {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    pub(super) client_email: String,
    #[serde(default)]
    pub(super) client_id: String,
    #[serde(default)]
    pub(super) private_key_id: String,
    #[serde(default)]
    pub(super) project_id: String,
    #[serde(default, serialize_with = "plaintext::text")]
    private_key: Secret<String>,
    #[serde(default = "token_uri")]
    pub(super) token_uri: String,
}

fn token_uri() -> String {
    TOKEN_URI.to_owned()
}

impl Credentials {
    /// Reads the content of a file. Nothing of it comes to stand in an error.
    pub(super) fn read(text: &str) -> Result<Self, Fault> {
        let wrong = |what: &str| Fault::Invalid(format!("credentials: {what}"));
        let read: Self = serde_json::from_str(text)
            .map_err(|_| wrong("this is not the JSON of a service account's key"))?;
        if read.kind != "service_account" {
            return Err(wrong(
                "only keys of service accounts are taken (type service_account)",
            ));
        }
        if read.client_email.is_empty() {
            return Err(wrong("client_email is missing"));
        }
        config::endpoint("credentials: token_uri", &read.token_uri)?;
        if read.key().is_none() {
            return Err(wrong("private_key is no RSA key in PEM (PKCS #8)"));
        }
        Ok(read)
    }

    /// The key; none where it is no good.
    pub(super) fn key(&self) -> Option<SigningKey> {
        SigningKey::from_pem(Algorithm::Rs256, self.private_key.expose()).ok()
    }
}
