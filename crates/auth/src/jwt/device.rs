//! Sign-ins of devices: a person types a code at the provider (RFC 8628), and the provider is asked whether they have.

use std::time::Duration;

use coffer_crypto::Secret;
use coffer_engine::{Ctx, Fault};
use coffer_wire::parse_foreign;
use serde::Deserialize;
use url::Url;

use super::Jwt;
use super::authorization::{Directions, scope};
use super::config::Config;
use super::exchange::{self, Expected, failed};
use super::flows::{Device, Fate, Flow, Stage};
use super::login::role_of;
use super::role::Role;
use crate::issuer::Claims;

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// How long to wait where nobody says (RFC 8628 section 3.2), and how long at most, in seconds.
const INTERVAL: u32 = 5;
const INTERVAL_MAX: u32 = 60;

/// What a provider gives a device.
#[derive(Deserialize)]
struct Begun {
    device_code: Secret<String>,
    user_code: String,
    verification_uri: String,
    #[serde(default)]
    verification_uri_complete: String,
    #[serde(default)]
    interval: Option<u32>,
}

/// Asks the provider for a code that a person types.
pub(super) async fn begin(
    engine: &Jwt,
    cx: &Ctx,
    config: &Config,
    name: String,
    role: &Role,
    client_nonce: String,
) -> Result<Directions, Fault> {
    let facts = engine.issuers.facts(cx, &config.source()).await;
    let Ok(Some(facts)) = facts else {
        return Ok(Directions::default());
    };
    let endpoint = &facts.device_authorization_endpoint;
    if endpoint.is_empty() {
        return Err(failed("the provider has nothing for devices"));
    }
    let scope = scope(role);
    let form = [
        ("client_id", config.oidc_client_id.as_str()),
        ("scope", &scope),
    ];
    let request = exchange::as_client(config, &facts, endpoint, &form)?;
    let response = cx.fetch(request).await?;
    let begun: Begun = match response.status {
        200 => parse_foreign(&response.body)
            .map_err(|_| failed("the provider's answer is not understood"))?,
        status => {
            return Err(failed(&format!(
                "the provider answered with status {status}"
            )));
        }
    };
    let (auth_url, user_code) = match begun.verification_uri_complete.is_empty() {
        false => (begun.verification_uri_complete, None),
        true => (begun.verification_uri, Some(begun.user_code)),
    };
    let is_web = Url::parse(&auth_url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
    if !is_web {
        return Err(failed("the provider's address for people is none"));
    }
    let interval = match role.poll_interval {
        0 => begun.interval.unwrap_or(INTERVAL).clamp(1, INTERVAL_MAX),
        seconds => seconds,
    };
    let mut flow = Flow::begin(cx, name, String::new(), client_nonce);
    flow.stage = Stage::Device(Device {
        code: begun.device_code,
        interval: Duration::from_secs(interval.into()),
        next: cx.now,
    });
    let state = flow.state.clone();
    engine.flows.put(cx.now, flow);
    Ok(Directions {
        auth_url,
        poll_interval: Some(interval.to_string()),
        state: Some(state),
        user_code,
    })
}

/// Asks the provider whether the person has typed the code, and what it says about them.
pub(super) async fn ask(
    engine: &Jwt,
    cx: &Ctx,
    flow: &Flow,
    device: &Device,
) -> Result<(String, Role, Claims), Fault> {
    let config = Config::of(cx).await?;
    let (name, role) = role_of(cx, &config, &flow.role).await?;
    let facts = engine.issuers.facts(cx, &config.source()).await;
    let facts = facts.map_err(|why| failed(&why.0))?;
    let facts = facts.ok_or_else(super::authorization::not_configured)?;
    let form = [
        ("grant_type", GRANT),
        ("device_code", device.code.expose()),
        ("client_id", config.oidc_client_id.as_str()),
    ];
    let tokens = match exchange::tokens(cx, &config, &facts, &form).await? {
        Ok(tokens) => tokens,
        Err(refusal)
            if matches!(
                refusal.error.as_str(),
                "authorization_pending" | "slow_down"
            ) =>
        {
            return Err(Fault::Invalid(refusal.error));
        }
        Err(refusal) => {
            engine.flows.end(&flow.state);
            return Err(refusal.fault());
        }
    };
    engine
        .flows
        .visit(cx.now, &flow.state, |_| (Fate::Ends, ()));
    let expected = Expected { nonce: None };
    let claims = exchange::claims(engine, cx, &config, &role, &facts, tokens, &expected).await?;
    Ok((name, role, claims))
}
