//! A code becomes a token, and a token claims.

use std::borrow::Cow;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use coffer_crypto::{Secret, Zeroizing, constant_time_eq};
use coffer_engine::outbound::Request;
use coffer_engine::{Ctx, Fault};
use coffer_wire::parse_foreign;
use serde::Deserialize;
use serde_json::{Map, Value};
use url::form_urlencoded::{Serializer, byte_serialize};

use super::Jwt;
use super::config::Config;
use super::role::Role;
use crate::issuer::{Claims, Facts, Unverified};

/// How wrong the clock of a provider may be about when somebody signed in.
const SKEW: Duration = Duration::from_secs(60);
/// Claims that the token alone says, whatever is said elsewhere about whoever it is for.
const OF_TOKEN: &[&str] = &[
    "iss",
    "sub",
    "aud",
    "exp",
    "nbf",
    "iat",
    "jti",
    "nonce",
    "azp",
    "at_hash",
    "c_hash",
    "auth_time",
    "acr",
    "amr",
    "sid",
];
/// How much is shown of what a provider says is wrong.
const SHOWN_CHARS: usize = 200;

/// What a provider gives for a code.
#[derive(Deserialize)]
pub(super) struct Tokens {
    id_token: Option<Secret<String>>,
    access_token: Option<Secret<String>>,
}

/// What a provider gives instead.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Refusal {
    pub(super) error: String,
    error_description: String,
}

/// What a token must show that was made for one sign-in.
pub(super) struct Expected<'a> {
    /// The nonce, where the provider was told one.
    pub(super) nonce: Option<&'a Secret<String>>,
}

/// Asks the provider for tokens, as the client that it knows.
pub(super) async fn tokens(
    cx: &Ctx,
    config: &Config,
    facts: &Facts,
    form: &[(&str, &str)],
) -> Result<Result<Tokens, Refusal>, Fault> {
    let request = as_client(config, facts, &facts.token_endpoint, form)?;
    let response = cx.fetch(request).await?;
    if response.status != 200 {
        let mut refusal: Refusal = parse_foreign(&response.body).unwrap_or_default();
        if refusal.error.is_empty() {
            refusal.error = format!("status {}", response.status);
        }
        return Ok(Err(refusal));
    }
    let tokens = parse_foreign(&response.body);
    tokens
        .map(Ok)
        .map_err(|_| failed("the provider's answer is not understood"))
}

/// A request of a client that says who it is in the way that the provider takes (RFC 6749 section 2.3.1).
pub(super) fn as_client(
    config: &Config,
    facts: &Facts,
    endpoint: &str,
    form: &[(&str, &str)],
) -> Result<Request, Fault> {
    let secret = config.oidc_client_secret.as_ref();
    let secret = secret.ok_or_else(super::authorization::not_configured)?;
    let ways = &facts.token_endpoint_auth_methods_supported;
    let takes = |way: &str| ways.iter().any(|known| known == way);
    let in_form = takes("client_secret_post") && !takes("client_secret_basic");
    let mut body = Serializer::new(String::new());
    body.extend_pairs(form);
    if in_form {
        body.append_pair("client_id", &config.oidc_client_id);
        body.append_pair("client_secret", secret.expose());
    }
    let body = body.finish().into_bytes();
    let request = Request::post(endpoint, "application/x-www-form-urlencoded", body)
        .with("accept", "application/json")
        .trusting(config.roots());
    if in_form {
        return Ok(request);
    }
    let escaped = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    let both = Zeroizing::new(format!(
        "{}:{}",
        escaped(&config.oidc_client_id),
        escaped(secret.expose())
    ));
    Ok(request.with(
        "authorization",
        format!("Basic {}", STANDARD.encode(both.as_bytes())),
    ))
}

/// What the tokens say about whoever signed in, the provider's further knowledge included.
pub(super) async fn claims(
    engine: &Jwt,
    cx: &Ctx,
    config: &Config,
    role: &Role,
    facts: &Facts,
    tokens: Tokens,
    expected: &Expected<'_>,
) -> Result<Claims, Fault> {
    let id_token = tokens
        .id_token
        .ok_or_else(|| failed("id_token is missing"))?;
    let mut claims = verified(engine, cx, config, role, &id_token, expected).await?;
    if let Some(access) = &tokens.access_token {
        check_hash(&claims, access)?;
        if !facts.userinfo_endpoint.is_empty() {
            let more = userinfo(cx, config, facts, access).await;
            add(&mut claims, more.unwrap_or_default());
        }
    }
    Ok(claims)
}

/// The claims of an identity token that was made for this client and this sign-in (OpenID Connect Core section 3.1.3.7).
pub(super) async fn verified(
    engine: &Jwt,
    cx: &Ctx,
    config: &Config,
    role: &Role,
    token: &Secret<String>,
    expected: &Expected<'_>,
) -> Result<Claims, Fault> {
    let (source, algorithms) = (config.source(), config.algorithms());
    let claims = engine
        .issuers
        .verified(cx, &source, &algorithms, token.expose());
    let claims = claims.await.map_err(|why| match why {
        Unverified::Signature => failed("invalid signature of the id_token"),
        Unverified::Malformed(why) => failed(why),
        Unverified::Keys(why) => failed(&why.0),
    })?;
    if claims.issuer.as_deref() != Some(config.oidc_discovery_url.as_str()) {
        return Err(failed("the id_token is from a different issuer"));
    }
    check_client(config, &claims)?;
    let nonce = claims
        .all
        .get("nonce")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let is_for_this = expected
        .nonce
        .is_none_or(|wanted| constant_time_eq(wanted.expose().as_bytes(), nonce.as_bytes()));
    if !is_for_this {
        return Err(failed("invalid nonce of the id_token"));
    }
    if claims.has_ended(cx.now) {
        return Err(failed("the id_token is expired"));
    }
    claims.check_times(cx.now, role.leeways()).map_err(failed)?;
    check_age(cx, role, &claims)?;
    let bound = role.audiences();
    if !bound.is_empty() && !claims.is_for(bound) {
        return Err(failed("invalid audience of the id_token"));
    }
    match role.bound_subject.is_empty() || claims.subject.as_ref() == Some(&role.bound_subject) {
        true => Ok(claims),
        false => Err(failed("sub claim does not match bound subject")),
    }
}

/// A login failed, for this reason.
pub(super) fn failed(why: &str) -> Fault {
    Fault::Invalid(format!("login failed: {why}"))
}

impl Refusal {
    pub(super) fn new(error: &str, description: &str) -> Self {
        Self {
            error: error.to_owned(),
            error_description: description.to_owned(),
        }
    }

    /// What a provider says is wrong, as far as it can be shown.
    pub(super) fn fault(&self) -> Fault {
        let shown = |text: &str| {
            let text = text.chars().filter(|c| !c.is_control());
            text.take(SHOWN_CHARS).collect::<String>()
        };
        let more: Cow<'_, str> = match self.error_description.is_empty() {
            true => "".into(),
            false => format!(": {}", shown(&self.error_description)).into(),
        };
        failed(&format!(
            "the provider refuses: {}{more}",
            shown(&self.error)
        ))
    }
}

/// A token for several is ours only if it was made at our wish.
fn check_client(config: &Config, claims: &Claims) -> Result<(), Fault> {
    let us = &config.oidc_client_id;
    let party = claims.all.get("azp");
    let is_ours = party.and_then(Value::as_str) == Some(us.as_str());
    let fine = claims.audience.contains(us)
        && (is_ours || party.is_none())
        && (is_ours || claims.audience.len() == 1);
    match fine {
        true => Ok(()),
        false => Err(failed("the id_token was made for another client")),
    }
}

fn check_age(cx: &Ctx, role: &Role, claims: &Claims) -> Result<(), Fault> {
    if role.max_age.is_zero() {
        return Ok(());
    }
    let signed_in = claims.all.get("auth_time").and_then(Value::as_f64);
    let signed_in =
        signed_in.ok_or_else(|| failed("missing auth_time claim when max age was requested"))?;
    let now = Duration::from_nanos(cx.now.nanos()).as_secs_f64();
    match now > signed_in + (role.max_age.0 + SKEW).as_secs_f64() {
        true => Err(failed("auth_time is beyond max age")),
        false => Ok(()),
    }
}

/// An access token goes with the identity token that names it (OpenID Connect Core section 3.1.3.6).
fn check_hash(claims: &Claims, access: &Secret<String>) -> Result<(), Fault> {
    let Some(told) = claims.all.get("at_hash") else {
        return Ok(());
    };
    let hash = claims.hash(access.expose().as_bytes());
    let half = hash.get(..hash.len() / 2).unwrap_or_default();
    match told.as_str() == Some(URL_SAFE_NO_PAD.encode(half).as_str()) {
        true => Ok(()),
        false => Err(failed("access_token hash does not match value in id_token")),
    }
}

/// What the provider says besides; nothing where it does not answer as it should. That is no failure: then the token's
/// own claims have to do.
async fn userinfo(
    cx: &Ctx,
    config: &Config,
    facts: &Facts,
    access: &Secret<String>,
) -> Option<Map<String, Value>> {
    let request = Request::get(&facts.userinfo_endpoint)
        .with("authorization", format!("Bearer {}", access.expose()))
        .with("accept", "application/json")
        .trusting(config.roots());
    let response = cx.fetch(request).await.ok()?;
    match response.status {
        200 => parse_foreign(&response.body).ok(),
        _ => None,
    }
}

/// Adds what is said about the same subject, and about nobody else (OpenID Connect Core section 5.3.2).
fn add(claims: &mut Claims, more: Map<String, Value>) {
    let subject = more.get("sub").and_then(Value::as_str);
    if subject.is_none() || subject != claims.subject.as_deref() {
        return;
    }
    let more = more
        .into_iter()
        .filter(|(name, _)| !OF_TOKEN.contains(&name.as_str()));
    claims.all.extend(more);
}
