//! The protocol: JSON 1.1, signed.

use std::sync::Arc;

use coffer_barrier::WrapError;
use coffer_crypto::Zeroizing;
use coffer_crypto::sigv4::{self, Scope};
use coffer_engine::outbound::{Outbound, Request, Response};
use coffer_wire::parse_foreign;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::OnceCell;
use url::Url;

use super::KIND;
use super::credentials::Chain;
use crate::build::BuildError;
use crate::exchange::{Exchange, unlike};
use crate::fresh::now;
use crate::stanza::Stanza;

const WHO: &str = "AWS KMS";
const MEDIA_TYPE: &str = "application/x-amz-json-1.1";
/// Where a key is if nothing says where.
const REGION: &str = "us-east-1";

/// AWS KMS.
pub(super) struct Api {
    pub(super) exchange: Exchange,
    endpoint: Option<String>,
    region: OnceCell<String>,
    chain: Chain,
}

#[derive(Deserialize)]
struct Fault {
    #[serde(rename = "__type")]
    kind: String,
}

impl Api {
    pub(super) fn build(
        stanza: &Stanza<'_>,
        outbound: Arc<dyn Outbound>,
        endpoint: Option<String>,
        region: Option<String>,
        chain: Chain,
    ) -> Result<Self, BuildError> {
        let wrong = "is no address like https://kms.eu-central-1.amazonaws.com";
        let endpoint =
            endpoint.map(|text| address(&text).ok_or_else(|| stanza.unfit("endpoint", wrong)));
        if let Some(region) = &region
            && !is_region(region)
        {
            return Err(stanza.unfit("region", "is no name of a region"));
        }
        Ok(Self {
            exchange: Exchange::new(outbound, KIND, WHO),
            endpoint: endpoint.transpose()?,
            region: OnceCell::new_with(region),
            chain,
        })
    }

    /// One operation. Credentials that are not taken are got anew once: they may have ended.
    pub(super) async fn ask<T: DeserializeOwned>(
        &self,
        operation: &str,
        asked: Value,
    ) -> Result<T, WrapError> {
        let body = Zeroizing::new(asked.to_string());
        let mut answer = self.sent(operation, &body).await?;
        if let Some(
            "ExpiredTokenException" | "UnrecognizedClientException" | "InvalidSignatureException",
        ) = code(&answer).as_deref()
            && self.chain.forget().await
        {
            answer = self.sent(operation, &body).await?;
        }
        match answer.status {
            200 => self.exchange.read(&answer.body),
            _ => Err(self.why(operation, &answer)),
        }
    }

    async fn sent(&self, operation: &str, body: &str) -> Result<Response, WrapError> {
        let region = self.region().await;
        let credentials = self.chain.get(&self.exchange, region).await?;
        let url = match &self.endpoint {
            Some(endpoint) => endpoint.clone(),
            None => format!("https://{}", host_of("kms", region)),
        };
        let rest = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let path = format!("/{path}");
        let time = now().whole_seconds().to_string().replace(['-', ':'], "");
        // Only the root is asked for with a slash at its end.
        let address = match path.as_str() {
            "/" => format!("{url}/"),
            _ => url.clone(),
        };
        let target = format!("TrentService.{operation}");
        let what = sigv4::Request {
            method: "POST",
            host,
            headers: &[("content-type", MEDIA_TYPE), ("x-amz-target", &target)],
            body: body.as_bytes(),
        };
        let scope = Scope {
            time: &time,
            region,
            service: "kms",
        };
        let request = Request::post(address, MEDIA_TYPE, body.into())
            .with("host", host)
            .with("x-amz-target", &target);
        let fields = credentials.sign_at(&path, &what, scope);
        let request = fields
            .into_iter()
            .fold(request, |request, (name, value)| request.with(&name, value));
        self.exchange.ask(request).await
    }

    /// The region: what is configured, what a profile or the machine says, or the first of all.
    async fn region(&self) -> &str {
        let found = async || {
            let found = self.chain.region(&self.exchange).await;
            found
                .filter(|region| is_region(region))
                .unwrap_or_else(|| REGION.to_owned())
        };
        self.region.get_or_init(found).await
    }

    /// Why an operation was not done.
    fn why(&self, operation: &str, answer: &Response) -> WrapError {
        let code = code(answer);
        let code = code.as_deref().unwrap_or_default();
        let refused = |why: &str| self.exchange.refused(&format!("{code}: {why}"));
        match code {
            "ThrottlingException"
            | "Throttling"
            | "TooManyRequestsException"
            | "RequestLimitExceeded"
            | "LimitExceededException"
            | "KMSInternalException"
            | "InternalFailure"
            | "InternalServerError"
            | "ServiceUnavailableException"
            | "DependencyTimeoutException"
            | "KeyUnavailableException" => self
                .exchange
                .unreachable(&format!("{code}: it can not answer now")),
            "AccessDeniedException" | "AccessDenied" | "NotAuthorized" => refused(&format!(
                "the credentials have no right to kms:{operation} by this key"
            )),
            "DisabledException" => refused("the key is disabled"),
            "KMSInvalidStateException" => {
                refused("the key is in a state that forbids its use, such as pending deletion")
            }
            "NotFoundException" => refused("there is no such key in this account and region"),
            "InvalidKeyUsageException" => refused("the key is no symmetric key that encrypts"),
            "IncorrectKeyException" => refused("another key wrapped this"),
            "InvalidCiphertextException" => refused(
                "the key does not unwrap this: it was changed, or wrapped for another purpose",
            ),
            "ExpiredTokenException"
            | "UnrecognizedClientException"
            | "InvalidClientTokenId"
            | "MissingAuthenticationTokenException"
            | "MissingAuthenticationToken" => refused("the credentials are unknown or have ended"),
            "InvalidSignatureException"
            | "SignatureDoesNotMatch"
            | "IncompleteSignature"
            | "IncompleteSignatureException" => refused(
                "the signature is not taken: is the secret key right, and this machine's clock?",
            ),
            "ValidationException" | "InvalidArnException" => {
                refused("`kms_key_id` is none that it knows")
            }
            _ => unlike(WHO, answer.status),
        }
    }
}

/// The name of a fault; of those that are not known nothing is shown.
fn code(answer: &Response) -> Option<String> {
    if answer.status == 200 {
        return None;
    }
    let fault: Fault = parse_foreign(&answer.body).ok()?;
    let name = fault.kind.rsplit('#').next()?;
    let name = name.split(':').next()?;
    let is_plain = name.len() <= 64 && name.bytes().all(|b| b.is_ascii_alphanumeric());
    is_plain.then(|| name.to_owned())
}

/// The host of a service in a region.
pub(super) fn host_of(service: &str, region: &str) -> String {
    let domain = match region {
        china if china.starts_with("cn-") => "amazonaws.com.cn",
        iso if iso.starts_with("us-iso-") => "c2s.ic.gov",
        iso if iso.starts_with("us-isob-") => "sc2s.sgov.gov",
        _ => "amazonaws.com",
    };
    format!("{service}.{region}.{domain}")
}

/// An address without a path, and without a slash at its end.
pub(super) fn bare(text: &str) -> Option<String> {
    address(text).filter(|_| Url::parse(text).is_ok_and(|url| url.path() == "/"))
}

/// An address whose path has one spelling, without a slash at its end. Another Coffer's KMS has a path.
fn address(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~/".contains(&b);
    let is_bare = url.username().is_empty()
        && url.password().is_none()
        && url.path().bytes().all(is_plain)
        && !url.path().contains("//")
        && url.query().is_none()
        && url.fragment().is_none();
    let is_web = matches!(url.scheme(), "http" | "https") && url.host().is_some();
    (is_bare && is_web).then(|| url.as_str().trim_end_matches('/').to_owned())
}

fn is_region(text: &str) -> bool {
    let mut bytes = text.bytes();
    text.len() <= 64 && !text.is_empty() && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'-')
}
