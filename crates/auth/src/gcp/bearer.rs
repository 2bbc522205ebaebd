//! The tokens by which this server asks Google.

use std::time::Duration;

use coffer_crypto::jose::sign;
use coffer_crypto::{Secret, sha256};
use coffer_engine::outbound::Request;
use coffer_engine::{Ctx, Fault};
use coffer_wire::{Timestamp, parse_foreign};
use parking_lot::Mutex;
use serde::Deserialize;
use serde_json::json;

use super::config::Config;
use super::credentials::Credentials;
use crate::address;

/// What the token is for.
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";
/// How long before its end a token is not used any more.
const MARGIN: Duration = Duration::from_secs(120);
/// How long a machine's own service is waited for: it is near, or it is not there.
const NEAR: Duration = Duration::from_secs(3);

/// The token that a mount has at the moment.
#[derive(Default)]
pub(super) struct Bearers {
    kept: Mutex<Option<Kept>>,
}

struct Kept {
    /// Whom it was got by.
    by: [u8; 32],
    token: Secret<String>,
    until: Timestamp,
}

/// What is answered to whom wants a token.
#[derive(Deserialize)]
struct Granted {
    access_token: Secret<String>,
    #[serde(default)]
    expires_in: u64,
}

impl Bearers {
    /// A token that is good for a while.
    pub(super) async fn get(&self, cx: &Ctx, config: &Config) -> Result<Secret<String>, Fault> {
        let by = match &config.credentials {
            Some(credentials) => sha256(&serde_json::to_vec(credentials).map_err(Fault::internal)?),
            None => sha256(config.endpoint("metadata")?.as_str().as_bytes()),
        };
        if let Some(kept) = &*self.kept.lock()
            && kept.by == by
            && cx.now.plus(MARGIN) < kept.until
        {
            return Ok(kept.token.clone());
        }
        let granted = match &config.credentials {
            Some(credentials) => by_key(cx, credentials).await?,
            None => by_machine(cx, config).await?,
        };
        let lives = Duration::from_secs(granted.expires_in.min(3600));
        *self.kept.lock() = Some(Kept {
            by,
            token: granted.access_token.clone(),
            until: cx.now.plus(lives),
        });
        Ok(granted.access_token)
    }
}

/// By a signed request (RFC 7523).
async fn by_key(cx: &Ctx, credentials: &Credentials) -> Result<Granted, Fault> {
    let key = credentials
        .key()
        .ok_or_else(|| Fault::invalid("the key of the credentials is no good"))?;
    let claims = json!({
        "iss": credentials.client_email, "scope": SCOPE, "aud": credentials.token_uri,
        "iat": cx.now.secs(), "exp": cx.now.plus(Duration::from_secs(3600)).secs(),
    });
    let claims = claims.to_string();
    let assertion = sign(&key, &credentials.private_key_id, claims.as_bytes())?;
    let form = format!(
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion={assertion}"
    );
    let kind = "application/x-www-form-urlencoded";
    granted(
        cx,
        Request::post(&credentials.token_uri, kind, form.into_bytes()),
    )
    .await
}

/// By the service account of the machine that this server runs on.
async fn by_machine(cx: &Ctx, config: &Config) -> Result<Granted, Fault> {
    let path = [
        "computeMetadata",
        "v1",
        "instance",
        "service-accounts",
        "default",
        "token",
    ];
    let url = address::below(&config.endpoint("metadata")?, &path)?;
    let mut request = Request::get(url).with("metadata-flavor", "Google");
    request.timeout = NEAR;
    granted(cx, request).await.map_err(|fault| {
        Fault::Upstream(format!(
            "this needs Google's word, and there are no credentials (auth method's config) to ask by, nor is this one of Google's machines: {fault}"
        ))
    })
}

async fn granted(cx: &Ctx, request: Request) -> Result<Granted, Fault> {
    let answer = cx.fetch(request).await?;
    if answer.status != 200 {
        return Err(Fault::Upstream(format!(
            "Google gave this server no token to ask by: status {}",
            answer.status
        )));
    }
    let granted: Granted = parse_foreign(&answer.body)
        .map_err(|_| Fault::upstream("Google's answer holds no token"))?;
    let token = granted.access_token.expose();
    let plain = token.chars().all(|c| c.is_ascii_graphic());
    match plain && !token.is_empty() {
        true => Ok(granted),
        false => Err(Fault::upstream("Google's answer holds no token")),
    }
}
