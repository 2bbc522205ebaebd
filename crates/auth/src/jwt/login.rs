//! `login`: the way in for those who bring a token.

use coffer_engine::{Ctx, Fault, Handle, Login, Role as LoginRole, Routes, path};
use coffer_wire::Text;
use schemars::JsonSchema;
use serde::Deserialize;

use super::Jwt;
use super::acceptance::{self, Entered};
use super::config::Config;
use super::role::{Kind, Role};
use crate::issuer::{Claims, Unverified};

pub(super) fn routes() -> Routes<Jwt> {
    Routes::new([
        path("login", "Logs in with a token that an issuer has signed.")
            .unauthenticated()
            .role::<LogIn>()
            .write::<LogIn>(),
    ])
    .sessions::<Entered>()
}

/// Logs in with a token that an issuer has signed.
#[derive(Deserialize, JsonSchema)]
struct LogIn {
    /// The token, in the compact form.
    #[serde(default)]
    jwt: Text,
    /// The role; the default one if empty.
    #[serde(default)]
    role: Text,
}

impl LoginRole<Jwt> for LogIn {
    async fn role(self, _: &Jwt, cx: &Ctx) -> Result<Option<String>, Fault> {
        match self.role.0.is_empty() {
            false => Ok(Some(self.role.0.to_lowercase())),
            true => Ok(Some(Config::of(cx).await?.default_role)),
        }
    }
}

impl Handle<Jwt> for LogIn {
    type Reply = Box<Login>;

    async fn handle(self, engine: &Jwt, cx: &Ctx) -> Result<Box<Login>, Fault> {
        let config = Config::of(cx).await?;
        let (name, role) = role_of(cx, &config, &self.role.0).await?;
        if role.kind == Kind::Oidc {
            return Err(Fault::invalid("role with oidc role_type is not allowed"));
        }
        let token = self.jwt.0.trim();
        if token.is_empty() {
            return Err(Fault::invalid("missing token"));
        }
        role.token.check_address(cx.request.client)?;
        let (source, algorithms) = (config.source(), config.algorithms());
        let claims = engine.issuers.verified(cx, &source, &algorithms, token);
        let claims = claims.await.map_err(refusal)?;
        check(cx, &config, &role, &claims)?;
        acceptance::accept(cx, name, &role, &claims)
    }
}

/// The role that is named, else the default one, with its name in the normal form.
pub(super) async fn role_of(
    cx: &Ctx,
    config: &Config,
    named: &str,
) -> Result<(String, Role), Fault> {
    let name = match named.is_empty() {
        true => config.default_role.clone(),
        false => named.to_lowercase(),
    };
    if name.is_empty() {
        return Err(Fault::invalid("missing role"));
    }
    let role = Role::named(cx, &name).await?;
    Ok((name, role))
}

/// Whatever is wrong with a signature, the words are the same.
fn refusal(why: Unverified) -> Fault {
    match why {
        Unverified::Signature => Fault::invalid(
            "error validating token: error verifying token signature: no known key successfully validated the token signature",
        ),
        Unverified::Malformed(why) => invalid(why),
        Unverified::Keys(why) => {
            Fault::Invalid(format!("error validating token: fetching keys: {}", why.0))
        }
    }
}

fn check(cx: &Ctx, config: &Config, role: &Role, claims: &Claims) -> Result<(), Fault> {
    let issuer = config.issuer();
    if !issuer.is_empty() && claims.issuer.as_deref() != Some(issuer) {
        return Err(invalid("invalid issuer (iss) claim"));
    }
    let subject = &role.bound_subject;
    if !subject.is_empty() && claims.subject.as_ref() != Some(subject) {
        return Err(invalid("invalid subject (sub) claim"));
    }
    let bound = role.audiences();
    if !bound.is_empty() && !claims.is_for(bound) {
        return Err(invalid(
            "invalid audience (aud) claim: audience claim does not match any expected audience",
        ));
    }
    let times = claims.check_times(cx.now, role.leeways());
    times.map_err(invalid)?;
    match bound.is_empty() && !claims.audience.is_empty() {
        true => Err(Fault::invalid(
            "audience claim found in JWT but no audiences bound to the role",
        )),
        false => Ok(()),
    }
}

fn invalid(why: &str) -> Fault {
    Fault::Invalid(format!("error validating token: {why}"))
}
