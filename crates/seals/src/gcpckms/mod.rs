//! `gcpckms`: a symmetric key of Google Cloud KMS.
//!
//! What is wrapped carries authenticated data, and goes with the checksums that Google asks its clients for: a ciphertext that
//! was damaged on its way is noticed while the root key is still there.

mod checksum;
mod credentials;

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use coffer_barrier::{Kept, WrapError, Wrapped, Wrapper};
use coffer_crypto::{Secret, Zeroizing};
use coffer_engine::outbound::{Outbound, Request, Response};
use coffer_wire::parse_foreign;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use url::Url;

use crate::build::BuildError;
use crate::exchange::{Exchange, encoded, unlike};
use crate::fresh::Fresh;
use crate::stanza::Stanza;
use checksum::crc32c;
use credentials::Account;

const KIND: &str = "gcpckms";
const WHO: &str = "Google Cloud KMS";
const ENDPOINT: &str = "https://cloudkms.googleapis.com";
/// The authenticated data: not secret, and part of what is wrapped for ever.
const ABOUT: &[u8] = b"coffer: root key";

/// A key of Google Cloud KMS.
pub(crate) struct GcpCkms {
    exchange: Exchange,
    endpoint: String,
    key: Key,
    account: Account,
    bearer: Fresh<Secret<String>>,
}

/// `projects/P/locations/L/keyRings/R/cryptoKeys/K`, and perhaps a version of it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Key {
    project: String,
    path: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Encrypted {
    name: String,
    ciphertext: String,
    ciphertext_crc32c: String,
    #[serde(default)]
    verified_plaintext_crc32c: bool,
    #[serde(default)]
    verified_additional_authenticated_data_crc32c: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Decrypted {
    plaintext: Secret<String>,
    plaintext_crc32c: String,
}

#[derive(Deserialize)]
struct Failed {
    error: Fault,
}

#[derive(Deserialize)]
struct Fault {
    status: String,
}

impl GcpCkms {
    pub(crate) fn build(
        mut stanza: Stanza<'_>,
        outbound: Arc<dyn Outbound>,
    ) -> Result<Self, BuildError> {
        let project = stanza.required("project", &["GOOGLE_PROJECT"])?;
        let region = stanza.required("region", &["GOOGLE_REGION"])?;
        let ring = stanza.required("key_ring", &["*_GCPCKMS_SEAL_KEY_RING"])?;
        let name = stanza.required("crypto_key", &["*_GCPCKMS_SEAL_CRYPTO_KEY"])?;
        let endpoint = stanza.text("endpoint", &["CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDKMS"]);
        let credentials = stanza.text(
            "credentials",
            &["GOOGLE_CREDENTIALS", "GOOGLE_APPLICATION_CREDENTIALS"],
        );
        stanza.finish()?;
        let wrong = "is no address like https://cloudkms.googleapis.com";
        let endpoint = match endpoint {
            None => ENDPOINT.to_owned(),
            Some(text) => bare(&text).ok_or_else(|| stanza.unfit("endpoint", wrong))?,
        };
        for (parameter, text) in [
            ("project", &project),
            ("region", &region),
            ("key_ring", &ring),
            ("crypto_key", &name),
        ] {
            if !is_name(text) {
                return Err(stanza.unfit(parameter, "has signs that no name at Google has"));
            }
        }
        let path =
            format!("projects/{project}/locations/{region}/keyRings/{ring}/cryptoKeys/{name}");
        Ok(Self {
            exchange: Exchange::new(outbound, KIND, WHO),
            endpoint,
            key: Key { project, path },
            account: Account::build(&stanza, credentials)?,
            bearer: Fresh::default(),
        })
    }

    async fn encrypt(&self, plaintext: &[u8]) -> Result<Wrapped, WrapError> {
        let text = encoded(plaintext);
        let asked = json!({
            "plaintext": &*text,
            "plaintextCrc32c": crc32c(plaintext).to_string(),
            "additionalAuthenticatedData": STANDARD.encode(ABOUT),
            "additionalAuthenticatedDataCrc32c": crc32c(ABOUT).to_string(),
        });
        let answer: Encrypted = self.ask(&self.key.path, "encrypt", asked).await?;
        let is_whole = answer.verified_plaintext_crc32c
            && answer.verified_additional_authenticated_data_crc32c;
        let ciphertext = STANDARD.decode(&answer.ciphertext).unwrap_or_default();
        if !is_whole || ciphertext.is_empty() || is_damaged(&ciphertext, &answer.ciphertext_crc32c)
        {
            return Err(self
                .exchange
                .garbled("a checksum is wrong or missing: something was damaged on its way"));
        }
        let is_own = Key::parse(&answer.name).is_some_and(|key| key.path == self.key.path);
        if !is_own {
            return Err(self
                .exchange
                .garbled("another key wrapped than was asked to"));
        }
        Ok(Wrapped {
            key_id: answer.name,
            ciphertext,
        })
    }

    async fn decrypt(&self, wrapped: &Wrapped) -> Result<Zeroizing<Vec<u8>>, WrapError> {
        let Some(key) = Key::parse(&wrapped.key_id) else {
            return Err(self
                .exchange
                .refused("what was stored names no key of Google Cloud KMS"));
        };
        if key.project != self.key.project {
            let why = "what was stored names a key of another project than `project`";
            return Err(self.exchange.refused(why));
        }
        let asked = json!({
            "ciphertext": STANDARD.encode(&wrapped.ciphertext),
            "ciphertextCrc32c": crc32c(&wrapped.ciphertext).to_string(),
            "additionalAuthenticatedData": STANDARD.encode(ABOUT),
            "additionalAuthenticatedDataCrc32c": crc32c(ABOUT).to_string(),
        });
        let answer: Decrypted = self.ask(&key.path, "decrypt", asked).await?;
        let plaintext = self.exchange.plaintext(answer.plaintext.expose())?;
        match is_damaged(&plaintext, &answer.plaintext_crc32c) {
            true => Err(self
                .exchange
                .garbled("a checksum is wrong: something was damaged on its way")),
            false => Ok(plaintext),
        }
    }

    /// One operation. A token that is not taken is got anew once.
    async fn ask<T: DeserializeOwned>(
        &self,
        key: &str,
        operation: &str,
        asked: Value,
    ) -> Result<T, WrapError> {
        let body = Zeroizing::new(asked.to_string());
        let mut answer = self.sent(key, operation, &body).await?;
        if answer.status == 401 {
            self.bearer.forget().await;
            answer = self.sent(key, operation, &body).await?;
        }
        match answer.status {
            200 => self.exchange.read(&answer.body),
            _ => Err(self.why(&answer)),
        }
    }

    async fn sent(&self, key: &str, operation: &str, body: &str) -> Result<Response, WrapError> {
        let bearer = self
            .bearer
            .get(async || self.account.token(&self.exchange).await)
            .await?;
        let url = format!("{}/v1/{key}:{operation}", self.endpoint);
        let request = Request::post(url, "application/json", body.into())
            .with("authorization", format!("Bearer {}", bearer.expose()));
        self.exchange.ask(request).await
    }

    fn why(&self, answer: &Response) -> WrapError {
        let failed: Option<Failed> = parse_foreign(&answer.body).ok();
        let status = failed.map(|failed| failed.error.status).unwrap_or_default();
        let refused = |why: &str| self.exchange.refused(&format!("{status}: {why}"));
        match status.as_str() {
            "PERMISSION_DENIED" => refused(
                "the account may not use the key; it needs roles/cloudkms.cryptoKeyEncrypterDecrypter there, and the API has to be enabled",
            ),
            "UNAUTHENTICATED" => refused("the account's token is not taken"),
            "NOT_FOUND" => refused("there is no such key"),
            "FAILED_PRECONDITION" => {
                refused("the key, or the version that is needed, is disabled or destroyed")
            }
            "INVALID_ARGUMENT" => refused(
                "the key does not do that: another one wrapped this, it was changed, or the key is not for encryption",
            ),
            "RESOURCE_EXHAUSTED" | "UNAVAILABLE" | "INTERNAL" | "DEADLINE_EXCEEDED" | "ABORTED" => {
                self.exchange
                    .unreachable(&format!("{status}: it can not answer now"))
            }
            _ => unlike(WHO, answer.status),
        }
    }
}

impl Wrapper for GcpCkms {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn wrap<'a>(&'a self, plaintext: &'a [u8]) -> Kept<'a, Wrapped> {
        Box::pin(self.encrypt(plaintext))
    }

    fn unwrap<'a>(&'a self, wrapped: &'a Wrapped) -> Kept<'a, Zeroizing<Vec<u8>>> {
        Box::pin(self.decrypt(wrapped))
    }
}

impl Key {
    /// The key of a version's name.
    fn parse(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split('/').collect();
        let [
            "projects",
            project,
            "locations",
            place,
            "keyRings",
            ring,
            "cryptoKeys",
            key,
            "cryptoKeyVersions",
            version,
        ] = parts.as_slice()
        else {
            return None;
        };
        let all = [project, place, ring, key, version];
        all.iter().all(|part| is_name(part)).then(|| Self {
            project: (*project).to_owned(),
            path: format!("projects/{project}/locations/{place}/keyRings/{ring}/cryptoKeys/{key}"),
        })
    }
}

/// Whether a checksum is not that of the bytes.
fn is_damaged(bytes: &[u8], checksum: &str) -> bool {
    checksum.parse() != Ok(crc32c(bytes))
}

/// Whether it is a name at Google, in every spelling; projects of organisations have a colon.
fn is_name(text: &str) -> bool {
    let is_sound = |b: u8| b.is_ascii_alphanumeric() || b"-_.:".contains(&b);
    !text.is_empty()
        && text.len() <= 128
        && text.bytes().all(is_sound)
        && !text.bytes().all(|b| b == b'.')
}

/// An address without a query, and without a slash at its end.
fn bare(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let is_bare = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    let is_web = matches!(url.scheme(), "http" | "https") && url.host().is_some();
    (is_bare && is_web).then(|| url.as_str().trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests;
