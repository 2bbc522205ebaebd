//! `identity/oidc/provider/NAME/authorize`: a person who is logged in here gets a code for an application.

use coffer_engine::{Ctx, Fault, Handle, Reply, Routes, path};
use coffer_wire::{Int, Text, Timestamp};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

use super::super::client::{Client, ClientKind};
use super::super::code::{self, CODE_CHARS, Challenge, Code, Unfit};
use super::super::provider::Provider;
use super::super::scope::OPENID;
use super::discovery::provider;
use super::oauth::{Refused, refuse};
use crate::identity::Standing;
use crate::identity::edit::as_set;
use crate::open::Open;

/// The longest nonce, list of scopes, or address, in bytes: they are kept with the code.
const MAX_PARAMETER_BYTES: usize = 4 * 1024;

pub(super) fn routes() -> Routes<Open> {
    Routes::new([path(
        "oidc/provider/{name}/authorize",
        "Gives a code that a client exchanges for tokens.",
    )
    .read::<Authorize>()
    .write::<Authorize>()])
}

/// Gives a code for a client to who asks. The person's token is the one that asks.
#[derive(Deserialize, JsonSchema)]
struct Authorize {
    /// The provider's name.
    name: String,
    /// The client's id.
    #[serde(default)]
    client_id: Text,
    /// What the client wants to be told: `openid` and others, between blanks.
    #[serde(default)]
    scope: Text,
    /// Where the person is sent back to; exactly as registered.
    #[serde(default)]
    redirect_uri: Text,
    /// `code`.
    #[serde(default)]
    response_type: Text,
    /// Comes back with the code.
    #[serde(default)]
    state: Text,
    /// Comes back in the identity token.
    #[serde(default)]
    nonce: Text,
    /// How many seconds ago the person may have logged in.
    #[serde(default)]
    max_age: Option<Int>,
    /// What whoever exchanges the code must prove to know.
    #[serde(default)]
    code_challenge: Text,
    /// How it is proved: `S256` or `plain`.
    #[serde(default)]
    code_challenge_method: Text,
    /// Not supported, and refused.
    #[serde(default)]
    request: Text,
    /// Not supported, and refused.
    #[serde(default)]
    request_uri: Text,
}

/// The longest `state` that is brought back: an error does not send any input back.
const MAX_STATE_BYTES: usize = 4 * 1024;

fn refused(why: Refused, state: &str) -> Result<Reply, Fault> {
    match why {
        Refused::OAuth(error) => error.at_authorization(state),
        Refused::Fault(fault) => Err(fault),
    }
}

impl Handle<Open> for Authorize {
    type Reply = Reply;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        if self.state.0.len() > MAX_STATE_BYTES {
            let text = format!("state is longer than {MAX_STATE_BYTES} bytes");
            return refused(refuse("invalid_request", text), "");
        }
        match self.authorized(open, cx).await {
            Ok(code) => Reply::bare(&json!({ "code": code, "state": self.state.0 })),
            Err(why) => refused(why, &self.state.0),
        }
    }
}

impl Authorize {
    async fn authorized(&self, open: &Open, cx: &Ctx) -> Result<String, Refused> {
        let client = self.client(open).await?;
        let provider = provider(open, &self.name).await?;
        let provider = provider.ok_or_else(|| refuse("invalid_request", "provider not found"))?;
        self.place(&client)?;
        self.check_form(&provider, &client)?;
        let standing = self.person(open, cx, &client).await?;
        let challenge = self.challenge(&client)?;
        let auth_time = self.auth_time(open, cx).await?;
        let mut scopes: Vec<String> = self.scopes().map(str::to_owned).collect();
        scopes.retain(|scope| scope != OPENID && provider.scopes_supported.contains(scope));
        let kept = Code {
            client_id: client.id,
            provider: self.name.clone(),
            redirect_uri: self.redirect_uri.0.clone(),
            entity_id: standing.entity.id.clone(),
            scopes: as_set(scopes),
            nonce: self.nonce.0.clone(),
            auth_time,
            challenge,
        };
        let code = cx.random.base62(CODE_CHARS);
        let codes = &open.space.oidc.codes;
        codes
            .put(&code::place(&code), &standing.entity.id, kept, cx.now)
            .await?;
        Ok(code)
    }

    /// The client, whom nothing is sent to before its address is known to be its own.
    async fn client(&self, open: &Open) -> Result<Client, Refused> {
        let wrong = |what: &str| refuse("invalid_client_id", what);
        if self.client_id.0.is_empty() {
            return Err(wrong("client_id parameter is required"));
        }
        let client = open.space.oidc.client_with(&self.client_id.0).await?;
        let client = client.ok_or_else(|| wrong("client with client_id not found"))?;
        match client.authorization_code {
            true => Ok(client),
            false => Err(refuse(
                "invalid_grant",
                "client not allowed to perform authorization code credential flow",
            )),
        }
    }

    fn place(&self, client: &Client) -> Result<(), Refused> {
        let uri = &self.redirect_uri.0;
        if uri.is_empty() {
            return Err(refuse(
                "invalid_request",
                "redirect_uri parameter is required",
            ));
        }
        match client.sends_back_to(uri) {
            true => Ok(()),
            false => Err(refuse(
                "invalid_redirect_uri",
                "redirect_uri is not allowed for the client",
            )),
        }
    }

    fn check_form(&self, provider: &Provider, client: &Client) -> Result<(), Refused> {
        if !provider.admits(&client.id) {
            return Err(refuse(
                "unauthorized_client",
                "client is not authorized to use the provider",
            ));
        }
        for (text, code, name) in [
            (&self.request, "request_not_supported", "request"),
            (
                &self.request_uri,
                "request_uri_not_supported",
                "request_uri",
            ),
        ] {
            if !text.0.is_empty() {
                return Err(refuse(code, format!("{name} parameter is not supported")));
            }
        }
        if !self.scopes().any(|scope| scope == OPENID) {
            return Err(refuse(
                "invalid_request",
                "scope parameter must contain the \"openid\" value",
            ));
        }
        match self.response_type.0.as_str() {
            "code" => {}
            "" => {
                return Err(refuse(
                    "invalid_request",
                    "response_type parameter is required",
                ));
            }
            _ => {
                return Err(refuse(
                    "unsupported_response_type",
                    "unsupported response_type value",
                ));
            }
        }
        let long = [&self.nonce, &self.scope, &self.redirect_uri];
        match long.iter().all(|text| text.0.len() <= MAX_PARAMETER_BYTES) {
            true => Ok(()),
            false => Err(refuse(
                "invalid_request",
                format!("nonce, scope and redirect_uri have at most {MAX_PARAMETER_BYTES} bytes"),
            )),
        }
    }

    /// Who signs in: the entity behind the token that asks, known in this namespace and named by an assignment.
    async fn person(
        &self,
        open: &Open,
        cx: &Ctx,
        client: &Client,
    ) -> Result<Arc<Standing>, Refused> {
        let denied = |why: &str| refuse("access_denied", why);
        let caller = cx.caller()?;
        let standing = match caller.namespace == open.space.id {
            true => open.standing_of(&open.space.id, &caller.entity_id).await?,
            false => None,
        };
        let standing = standing
            .ok_or_else(|| denied("identity entity must be associated with the request"))?;
        match open.space.oidc.assigned(client, &standing).await? {
            true => Ok(standing),
            false => Err(denied(
                "identity entity not authorized by client assignment",
            )),
        }
    }

    fn challenge(&self, client: &Client) -> Result<Option<Challenge>, Refused> {
        let (challenge, method) = (&self.code_challenge.0, &self.code_challenge_method.0);
        if challenge.is_empty() {
            return match client.kind {
                ClientKind::Confidential => Ok(None),
                ClientKind::Public => Err(refuse(
                    "invalid_request",
                    "PKCE is required for public clients",
                )),
            };
        }
        let read = Challenge::read(challenge, method);
        read.map(Some).map_err(|unfit| {
            let what = match unfit {
                Unfit::Method => "invalid code_challenge_method",
                Unfit::Length => "invalid code_challenge",
            };
            refuse("invalid_request", what)
        })
    }

    /// When the person logged in, if the client wants to know it: not longer ago than it allows.
    async fn auth_time(&self, open: &Open, cx: &Ctx) -> Result<Option<Timestamp>, Refused> {
        let Some(Int(max_age)) = self.max_age else {
            return Ok(None);
        };
        let wrong = || refuse("invalid_request", "max_age must be greater than zero");
        let max_age = u64::try_from(max_age).ok().filter(|secs| *secs > 0);
        let max_age = Duration::from_secs(max_age.ok_or_else(wrong)?);
        let token = cx.token.as_ref().ok_or(Fault::Denied)?;
        let record = open.tokens.by_token(token.expose()).await?;
        let logged_in = record.ok_or(Fault::Denied)?.created;
        match cx.now.since(logged_in) > max_age {
            true => Err(refuse(
                "max_age_violation",
                "active re-authentication is required by max_age",
            )),
            false => Ok(Some(logged_in)),
        }
    }

    fn scopes(&self) -> impl Iterator<Item = &str> {
        self.scope.0.split_ascii_whitespace()
    }
}
