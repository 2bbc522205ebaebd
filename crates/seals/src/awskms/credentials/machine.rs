//! The credentials of the role of the machine, by version 2 of its metadata service.

use std::time::Duration;

use coffer_barrier::WrapError;
use coffer_crypto::Secret;
use coffer_crypto::sigv4::Credentials;
use coffer_engine::outbound::{Method, Request, Response};

use super::Issued;
use crate::awskms::api::bare;
use crate::build::BuildError;
use crate::exchange::{Exchange, read, unlike};
use crate::fresh::Lasting;
use crate::stanza::Stanza;

const WHO: &str = "the machine's metadata service";
const ENDPOINT: &str = "http://169.254.169.254";
/// How long a service beside us is waited for: it is near, or it is not there.
pub(super) const NEAR: Duration = Duration::from_secs(3);
/// How long the token of a session lives, in seconds: no longer than we take.
const SESSION_SECS: &str = "60";
/// How long the name of a role may be, in bytes.
const NAME_BYTES_MAX: usize = 128;

pub(super) struct Machine {
    endpoint: String,
}

impl Machine {
    pub(super) fn build(stanza: &Stanza<'_>) -> Result<Option<Self>, BuildError> {
        let disabled = stanza.variable("AWS_EC2_METADATA_DISABLED");
        if disabled.is_some_and(|value| value.eq_ignore_ascii_case("true")) {
            return Ok(None);
        }
        let name = "AWS_EC2_METADATA_SERVICE_ENDPOINT";
        let endpoint = match stanza.variable(name) {
            None => ENDPOINT.to_owned(),
            Some(text) => bare(&text).ok_or_else(|| stanza.unfit(name, "is no address"))?,
        };
        Ok(Some(Self { endpoint }))
    }

    pub(super) async fn credentials(
        &self,
        exchange: &Exchange,
    ) -> Result<Lasting<Credentials>, WrapError> {
        let session = self.session(exchange).await?;
        let place = "iam/security-credentials/";
        let roles = self.read(exchange, &session, place).await?;
        let role = roles.lines().next().unwrap_or_default().trim();
        let is_sound = |b: u8| b.is_ascii_alphanumeric() || b"+=,.@_-".contains(&b);
        if role.is_empty() || role.len() > NAME_BYTES_MAX || !role.bytes().all(is_sound) {
            return Err(WrapError::Refused(format!(
                "{WHO}: the machine has no role"
            )));
        }
        let issued = self
            .read(exchange, &session, &format!("{place}{role}"))
            .await?;
        Ok(read::<Issued>(WHO, issued.as_bytes())?.lasting())
    }

    pub(super) async fn region(&self, exchange: &Exchange) -> Option<String> {
        let session = self.session(exchange).await.ok()?;
        let region = self.read(exchange, &session, "placement/region").await;
        region.ok().map(|region| region.trim().to_owned())
    }

    async fn session(&self, exchange: &Exchange) -> Result<Secret<String>, WrapError> {
        let request = Request {
            method: Method::Put,
            timeout: NEAR,
            ..Request::get(format!("{}/latest/api/token", self.endpoint))
        };
        let request = request.with("x-aws-ec2-metadata-token-ttl-seconds", SESSION_SECS);
        let answer = exchange.ask_of(WHO, request).await?;
        text(&answer).map(Secret::from)
    }

    async fn read(
        &self,
        exchange: &Exchange,
        session: &Secret<String>,
        path: &str,
    ) -> Result<String, WrapError> {
        let url = format!("{}/latest/meta-data/{path}", self.endpoint);
        let request = Request {
            timeout: NEAR,
            ..Request::get(url)
        };
        let request = request.with("x-aws-ec2-metadata-token", session.expose());
        let answer = exchange.ask_of(WHO, request).await?;
        text(&answer).map(str::to_owned)
    }
}

fn text(answer: &Response) -> Result<&str, WrapError> {
    let garbled = |_| WrapError::Garbled(format!("{WHO}: the answer is no text"));
    match answer.status {
        200 => std::str::from_utf8(&answer.body).map_err(garbled),
        404 => Err(WrapError::Refused(format!(
            "{WHO}: the machine has no role"
        ))),
        status => Err(unlike(WHO, status)),
    }
}
