//! Who asks: a service account by its key, or that of the machine.

use std::path::PathBuf;
use std::time::Duration;

use coffer_barrier::WrapError;
use coffer_crypto::jose::sign;
use coffer_crypto::sign::{Algorithm, SigningKey};
use coffer_crypto::{Secret, Zeroizing};
use coffer_engine::outbound::Request;
use coffer_wire::parse_foreign;
use serde::Deserialize;
use serde_json::json;
use url::Url;

use crate::bearer::{FORM, granted};
use crate::build::BuildError;
use crate::exchange::Exchange;
use crate::fresh::{Lasting, now};
use crate::source::Source;
use crate::stanza::Stanza;

const ISSUER: &str = "Google's issuer of tokens";
const MACHINE: &str = "the machine's metadata server";
const METADATA: &str = "metadata.google.internal";
const SCOPE: &str = "https://www.googleapis.com/auth/cloudkms";
const TOKEN_URI: &str = "https://oauth2.googleapis.com/token";
/// How long an assertion is good.
const ASSERTION: Duration = Duration::from_secs(600);
/// How long a service beside us is waited for.
const NEAR: Duration = Duration::from_secs(3);

/// Who asks.
pub(super) enum Account {
    /// By the file of its key, which is read for each token.
    Key(Source),
    /// By the metadata server at this host.
    Machine(String),
}

/// What such a file says, as far as anybody here looks at it.
#[derive(Deserialize)]
struct File {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    client_email: String,
    #[serde(default)]
    private_key_id: String,
    #[serde(default)]
    private_key: Secret<String>,
    #[serde(default)]
    token_uri: Option<String>,
}

impl Account {
    /// By a path, or the content of the file itself.
    pub(super) fn build(stanza: &Stanza<'_>, given: Option<String>) -> Result<Self, BuildError> {
        let Some(given) = given else {
            let host = stanza.variable("GCE_METADATA_HOST");
            let host = host.unwrap_or_else(|| METADATA.to_owned());
            let is_host = Url::parse(&format!("http://{host}/")).is_ok_and(|url| url.path() == "/");
            return match is_host {
                true => Ok(Self::Machine(host)),
                false => Err(stanza.unfit("GCE_METADATA_HOST", "is no host")),
            };
        };
        let source = match given.trim_start().starts_with('{') {
            true => Source::Text(Secret::new(given)),
            false => Source::File(PathBuf::from(given.trim_start_matches("file://"))),
        };
        let text = source
            .text()
            .map_err(|problem| stanza.unfit("credentials", problem))?;
        let file = File::read(&text).map_err(|problem| stanza.unfit("credentials", problem))?;
        file.key()
            .map_err(|problem| stanza.unfit("credentials", problem))?;
        Ok(Self::Key(source))
    }

    /// A new token.
    pub(super) async fn token(
        &self,
        exchange: &Exchange,
    ) -> Result<Lasting<Secret<String>>, WrapError> {
        match self {
            Self::Key(source) => {
                let refused = |why: String| exchange.refused(&format!("`credentials` {why}"));
                let text = source.fetch().await.map_err(refused)?;
                let file = File::read(&text).map_err(refused)?;
                let request = file.grant().map_err(refused)?;
                granted(exchange, ISSUER, request).await
            }
            Self::Machine(host) => {
                let path = "computeMetadata/v1/instance/service-accounts/default/token";
                let url = format!("http://{host}/{path}?scopes={SCOPE}");
                let request = Request {
                    timeout: NEAR,
                    ..Request::get(url)
                };
                let request = request.with("metadata-flavor", "Google");
                granted(exchange, MACHINE, request).await
            }
        }
    }
}

impl File {
    /// Reads the content of a file. Nothing of it comes to stand in an error but the kinds that are known.
    fn read(text: &Secret<String>) -> Result<Self, String> {
        let wrong = |_| "is not the JSON of a service account's key".to_owned();
        let read: Self = parse_foreign(text.expose().as_bytes()).map_err(wrong)?;
        match read.kind.as_str() {
            "service_account" if read.client_email.is_empty() => {
                Err("has no client_email".to_owned())
            }
            "service_account" => Ok(read),
            "authorized_user" | "external_account" | "impersonated_service_account" => {
                Err(format!(
                    "is of type {}, which is not supported; take the key of a service account, or that of the machine",
                    read.kind
                ))
            }
            _ => Err(
                "is of no known type; take the key of a service account (type service_account)"
                    .to_owned(),
            ),
        }
    }

    fn key(&self) -> Result<SigningKey, String> {
        let unfit = |_| "has a private_key that is no RSA key in PEM (PKCS #8)".to_owned();
        SigningKey::from_pem(Algorithm::Rs256, self.private_key.expose()).map_err(unfit)
    }

    /// The request for a token, by a signed assertion (RFC 7523).
    fn grant(&self) -> Result<Request, String> {
        let key = self.key()?;
        let uri = self.token_uri.as_deref().unwrap_or(TOKEN_URI);
        let claims = json!({
            "iss": self.client_email, "scope": SCOPE, "aud": uri,
            "iat": now().secs(), "exp": now().plus(ASSERTION).secs(),
        });
        let unsigned = |_| "has a private_key that signs nothing".to_owned();
        let assertion = sign(&key, &self.private_key_id, claims.to_string().as_bytes());
        let assertion = Zeroizing::new(assertion.map_err(unsigned)?);
        let grant = "urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer";
        let form = format!("grant_type={grant}&assertion={}", *assertion);
        Ok(Request::post(uri, FORM, form.into_bytes()))
    }
}
