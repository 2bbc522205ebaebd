//! `oidc/auth_url`: where somebody has to go to sign in.

use coffer_crypto::sha256;
use coffer_engine::{Ctx, Fault, Handle, Role as LoginRole, Routes, path};
use coffer_wire::Text;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use super::config::Config;
use super::flows::{Flow, MAX_WORD_BYTES};
use super::login::role_of;
use super::role::{CallbackMode, Role};
use super::{Jwt, device, redirect};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The longest address to come back to, in bytes.
const MAX_REDIRECT_BYTES: usize = 2048;
/// How long programs wait between two questions unless the role says otherwise, in seconds.
const POLL_INTERVAL: u32 = 5;

pub(super) fn routes() -> Routes<Jwt> {
    Routes::new([
        path("oidc/auth_url", "Where somebody has to go to sign in.")
            .unauthenticated()
            .role::<AuthUrl>()
            .write::<AuthUrl>(),
    ])
}

/// Begins a sign-in with a browser.
#[derive(Deserialize, JsonSchema)]
struct AuthUrl {
    /// A word of the program that begins, which it has to say again; needed where the provider answers this server.
    #[serde(default)]
    client_nonce: Text,
    /// Where the person comes back to. Not for devices.
    #[serde(default)]
    redirect_uri: Text,
    /// The role; the default one if empty.
    #[serde(default)]
    role: Text,
}

/// Where to go. The address is empty where that can not be said: the role does not allow the address to come back to,
/// or the provider does not answer.
#[derive(Default, Serialize, JsonSchema)]
pub(super) struct Directions {
    pub(super) auth_url: String,
    /// How long to wait between two questions whether it is done, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) poll_interval: Option<String>,
    /// What to ask about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) state: Option<String>,
    /// What to type there, if it is not in the address already.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) user_code: Option<String>,
}

impl LoginRole<Jwt> for AuthUrl {
    async fn role(self, _: &Jwt, cx: &Ctx) -> Result<Option<String>, Fault> {
        match self.role.0.is_empty() {
            false => Ok(Some(self.role.0.to_lowercase())),
            true => Ok(Some(Config::of(cx).await?.default_role)),
        }
    }
}

impl Handle<Jwt> for AuthUrl {
    type Reply = Directions;

    async fn handle(self, engine: &Jwt, cx: &Ctx) -> Result<Directions, Fault> {
        let config = Config::of(cx).await?;
        if !config.signs_in() {
            return Err(not_configured());
        }
        let (name, role) = role_of(cx, &config, &self.role.0).await?;
        if role.callback_mode != CallbackMode::Client && self.client_nonce.0.is_empty() {
            return Err(Fault::invalid("missing client_nonce"));
        }
        if self.client_nonce.0.len() > MAX_WORD_BYTES {
            return Err(Fault::Invalid(format!(
                "client_nonce is longer than {MAX_WORD_BYTES} bytes"
            )));
        }
        if role.callback_mode == CallbackMode::Device {
            return device::begin(engine, cx, &config, name, &role, self.client_nonce.0).await;
        }
        if self.redirect_uri.0.is_empty() {
            return Err(Fault::invalid("missing redirect_uri"));
        }
        // It is kept, and what it says of a namespace goes into the state.
        if self.redirect_uri.0.len() > MAX_REDIRECT_BYTES {
            return Err(Fault::Invalid(format!(
                "redirect_uri is longer than {MAX_REDIRECT_BYTES} bytes"
            )));
        }
        let Some((redirect_uri, namespace)) = self.redirect(&config, &role) else {
            return Ok(Directions::default());
        };
        let facts = engine.issuers.facts(cx, &config.source()).await;
        let Ok(Some(facts)) = facts else {
            return Ok(Directions::default());
        };
        let mut flow = Flow::begin(cx, name, redirect_uri, self.client_nonce.0);
        if let Some(namespace) = namespace {
            flow.state = format!("{},ns={namespace}", flow.state);
        }
        let Some(auth_url) = address(&facts.authorization_endpoint, &config, &role, &flow) else {
            return Ok(Directions::default());
        };
        let is_direct = role.callback_mode == CallbackMode::Direct;
        let interval = if role.poll_interval > 0 {
            role.poll_interval
        } else {
            POLL_INTERVAL
        };
        let directions = Directions {
            auth_url,
            poll_interval: is_direct.then(|| interval.to_string()),
            state: is_direct.then(|| flow.state.clone()),
            user_code: None,
        };
        engine.flows.put(cx.now, flow);
        Ok(directions)
    }
}

impl AuthUrl {
    /// Where to come back to, if the role allows it, and the namespace that goes into the state.
    fn redirect(&self, config: &Config, role: &Role) -> Option<(String, Option<String>)> {
        let asked = &self.redirect_uri.0;
        let allowed = role.allowed_redirect_uris.as_deref().unwrap_or_default();
        let taken = redirect::without_namespace(asked).filter(|_| config.namespace_in_state);
        match taken {
            Some((namespace, rest))
                if redirect::is_allowed(allowed, &rest) || redirect::is_allowed(allowed, asked) =>
            {
                Some((rest, Some(namespace)))
            }
            _ => redirect::is_allowed(allowed, asked).then(|| (asked.clone(), None)),
        }
    }
}

/// What an operator has to do who has not.
pub(super) fn not_configured() -> Fault {
    Fault::invalid("OIDC login is not configured for this mount")
}

/// What is asked of the provider (OpenID Connect Core section 3.1.2.1).
fn address(endpoint: &str, config: &Config, role: &Role, flow: &Flow) -> Option<String> {
    let mut url = Url::parse(endpoint).ok()?;
    if !matches!(url.scheme(), "http" | "https") {
        return None;
    }
    let without_code = config.without_code();
    let mut query = url.query_pairs_mut();
    query.append_pair("client_id", &config.oidc_client_id);
    if !without_code {
        let challenge = URL_SAFE_NO_PAD.encode(sha256(flow.verifier.expose().as_bytes()));
        query.append_pair("code_challenge", &challenge);
        query.append_pair("code_challenge_method", "S256");
    }
    if !role.max_age.is_zero() {
        query.append_pair("max_age", &role.max_age.secs().to_string());
    }
    query.append_pair("nonce", flow.nonce.expose());
    query.append_pair("redirect_uri", &flow.redirect_uri);
    if config.by_form() {
        query.append_pair("response_mode", "form_post");
    }
    query.append_pair(
        "response_type",
        if without_code { "id_token" } else { "code" },
    );
    query.append_pair("scope", &scope(role));
    query.append_pair("state", &flow.state);
    drop(query);
    Some(url.into())
}

/// `openid`, and what the role wants.
pub(super) fn scope(role: &Role) -> String {
    let more = role.oidc_scopes.iter().flatten().map(String::as_str);
    let mut scopes = vec!["openid"];
    for scope in more {
        if !scopes.contains(&scope) {
            scopes.push(scope);
        }
    }
    scopes.join(" ")
}
