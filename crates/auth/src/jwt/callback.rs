//! `oidc/callback`: where the provider's answer arrives, or whoever got it hands it on.

use coffer_crypto::{Secret, constant_time_eq};
use coffer_engine::{Ctx, Fault, Handle, Replies, Reply, Routes, path};
use coffer_wire::Text;
use schemars::JsonSchema;
use serde::Deserialize;

use super::config::Config;
use super::exchange::{self, Expected, failed};
use super::flows::{Answered, Fate, Flow, MAX_ANSWER_BYTES, Stage};
use super::login::role_of;
use super::role::{CallbackMode, Role};
use super::{Jwt, acceptance, page, redirect};
use crate::issuer::Claims;

pub(super) fn routes() -> Routes<Jwt> {
    Routes::new([path("oidc/callback", "Where a provider's answer arrives.")
        .unauthenticated()
        .read::<Callback>()
        .write::<Posted>()])
}

/// Ends a sign-in with the provider's answer.
#[derive(Deserialize, JsonSchema)]
struct Callback {
    /// The word of the program that began.
    #[serde(default)]
    client_nonce: Text,
    /// The code to be changed for tokens.
    #[serde(default)]
    code: Text,
    /// The word of the page that asked whether it was you who began.
    #[serde(default)]
    confirmation: Text,
    /// What the provider says is wrong.
    #[serde(default)]
    error: Text,
    /// The same in words.
    #[serde(default)]
    error_description: Text,
    /// Where to read about it; not looked at.
    #[serde(default)]
    #[expect(dead_code, reason = "providers send it")]
    error_uri: Text,
    /// A token, where the provider was asked for one.
    #[serde(default)]
    id_token: Text,
    /// Which sign-in it is.
    #[serde(default)]
    state: Text,
}

/// Takes the provider's answer as a form.
#[derive(Deserialize, JsonSchema)]
struct Posted {
    /// The code to be changed for tokens.
    #[serde(default)]
    code: Text,
    /// What the provider says is wrong.
    #[serde(default)]
    error: Text,
    /// The same in words.
    #[serde(default)]
    error_description: Text,
    /// A token, where the provider was asked for one.
    #[serde(default)]
    id_token: Text,
    /// Which sign-in it is.
    #[serde(default)]
    state: Text,
}

/// What to do about an answer.
enum Next {
    /// The program that began is here and logs in.
    LogIn(Flow, Answered),
    /// The program waits elsewhere: look at the answer for it.
    LookAt(Flow, Answered),
    /// Ask whoever is at the browser first.
    Ask(Flow, Secret<String>),
    /// The program that began will come for it.
    Keep,
    /// It is over.
    Refuse(&'static str),
}

impl Handle<Jwt> for Callback {
    type Reply = Reply;

    async fn handle(self, engine: &Jwt, cx: &Ctx) -> Result<Reply, Fault> {
        let state = &self.state.0;
        let mode = mode_of(engine, cx, state).await?;
        if !self.error.0.is_empty() {
            engine.flows.end(state);
            let why = told(&self.error.0, &self.error_description.0);
            return told_to(mode, Err(why));
        }
        let answered = answer(&self.code.0, &self.id_token.0);
        let word = Secret::new(cx.random.base62(24));
        let next = engine.flows.visit(cx.now, state, |flow| {
            if mode == CallbackMode::Direct {
                return self.confirmed(flow, answered, word);
            }
            if !flow.knows(&self.client_nonce.0) {
                return (Fate::Ends, Next::Refuse("invalid client_nonce"));
            }
            // A form that came before counts, not what is said now.
            let answered = match &flow.stage {
                Stage::Answered(posted) => Some(posted.clone()),
                Stage::Begun => answered,
                _ => None,
            };
            match answered {
                Some(answered) => (Fate::Ends, Next::LogIn(flow.clone(), answered)),
                None => (Fate::Ends, Next::Refuse("no code or id_token received")),
            }
        });
        follow(engine, cx, mode, next.ok_or_else(unknown)?).await
    }
}

impl Callback {
    /// In the browser of somebody who may not be who began, a question comes first; unless the role says no.
    fn confirmed(
        &self,
        flow: &mut Flow,
        answered: Option<Answered>,
        word: Secret<String>,
    ) -> (Fate, Next) {
        match std::mem::replace(&mut flow.stage, Stage::Busy) {
            Stage::Begun => match answered {
                Some(answered) => {
                    flow.stage = Stage::Asking(answered, word.clone());
                    (Fate::Stays, Next::Ask(flow.clone(), word))
                }
                None => (Fate::Ends, Next::Refuse("no code or id_token received")),
            },
            Stage::Asking(answered, word) => {
                let said = self.confirmation.0.as_bytes();
                match constant_time_eq(said, word.expose().as_bytes()) {
                    true => (Fate::Stays, Next::LookAt(flow.clone(), answered)),
                    false => (
                        Fate::Ends,
                        Next::Refuse("this sign-in was answered already"),
                    ),
                }
            }
            stage => {
                flow.stage = stage;
                (
                    Fate::Stays,
                    Next::Refuse("this sign-in was answered already"),
                )
            }
        }
    }
}

impl Handle<Jwt> for Posted {
    type Reply = Reply;

    async fn handle(self, engine: &Jwt, cx: &Ctx) -> Result<Reply, Fault> {
        let state = &self.state.0;
        // A form comes from a browser, so a page is what it wants, whatever it is about.
        let mode = CallbackMode::Direct;
        let Ok(real) = mode_of(engine, cx, state).await else {
            return told_to(mode, Err(unknown()));
        };
        if !self.error.0.is_empty() {
            engine.flows.end(state);
            return told_to(mode, Err(told(&self.error.0, &self.error_description.0)));
        }
        let by_form = Config::of(cx).await?.by_form();
        let answered = answer(&self.code.0, &self.id_token.0);
        let word = Secret::new(cx.random.base62(24));
        let next = engine.flows.visit(cx.now, state, |flow| {
            if !by_form || !redirect::is_callback_of(&cx.mount.path, &flow.redirect_uri) {
                return (Fate::Ends, Next::Refuse("no form was expected here"));
            }
            match (answered, &flow.stage, real) {
                (Some(answered), Stage::Begun, CallbackMode::Direct) => {
                    flow.stage = Stage::Asking(answered, word.clone());
                    (Fate::Stays, Next::Ask(flow.clone(), word))
                }
                (Some(answered), Stage::Begun, _) => {
                    flow.stage = Stage::Answered(answered);
                    (Fate::Stays, Next::Keep)
                }
                _ => (Fate::Ends, Next::Refuse("no code or id_token received")),
            }
        });
        match next {
            Some(next) => follow(engine, cx, mode, next).await,
            None => told_to(mode, Err(unknown())),
        }
    }
}

async fn follow(engine: &Jwt, cx: &Ctx, mode: CallbackMode, next: Next) -> Result<Reply, Fault> {
    match next {
        Next::Refuse(why) => told_to(mode, Err(failed(why))),
        Next::Keep => Ok(page::done(
            "The sign-in goes on where it began. You can close this page.",
        )),
        Next::LogIn(flow, answered) => {
            let (name, role, claims) = looked_at(engine, cx, &flow, answered).await?;
            role.token.check_address(cx.request.client)?;
            acceptance::accept(cx, name, &role, &claims)?.reply()
        }
        Next::Ask(flow, word) => {
            let config = Config::of(cx).await?;
            let (_, role) = role_of(cx, &config, &flow.role).await?;
            match role.oidc_disable_confirmation {
                false => Ok(page::question(&flow, word.expose())),
                true => {
                    let answered = engine.flows.visit(cx.now, &flow.state, |flow| {
                        match std::mem::replace(&mut flow.stage, Stage::Busy) {
                            Stage::Asking(answered, _) => (Fate::Stays, Some(answered)),
                            _ => (Fate::Ends, None),
                        }
                    });
                    let answered = answered.flatten().ok_or_else(unknown)?;
                    told_to(mode, finish(engine, cx, &flow, answered).await)
                }
            }
        }
        Next::LookAt(flow, answered) => told_to(mode, finish(engine, cx, &flow, answered).await),
    }
}

/// Looks at an answer for a program that waits; what is wrong with it ends the sign-in.
async fn finish(engine: &Jwt, cx: &Ctx, flow: &Flow, answered: Answered) -> Result<(), Fault> {
    let looked = looked_at(engine, cx, flow, answered).await;
    let fine = looked.and_then(|(name, role, claims)| {
        acceptance::accept(cx, name, &role, &claims)?;
        Ok(claims)
    });
    match fine {
        Ok(claims) => {
            let done = Stage::Done(Box::new(claims));
            let kept = engine.flows.visit(cx.now, &flow.state, |flow| {
                flow.stage = done;
                (Fate::Stays, ())
            });
            kept.ok_or_else(unknown)
        }
        Err(fault) => {
            engine.flows.end(&flow.state);
            Err(fault)
        }
    }
}

/// What the provider says about whoever answers this sign-in, and the role that it was begun for.
async fn looked_at(
    engine: &Jwt,
    cx: &Ctx,
    flow: &Flow,
    answered: Answered,
) -> Result<(String, Role, Claims), Fault> {
    let config = Config::of(cx).await?;
    let (name, role) = role_of(cx, &config, &flow.role).await?;
    let expected = Expected {
        nonce: Some(&flow.nonce),
    };
    let code = match (answered, config.without_code()) {
        (Answered::Token(token), true) => {
            let claims = exchange::verified(engine, cx, &config, &role, &token, &expected).await?;
            return Ok((name, role, claims));
        }
        (Answered::Code(code), false) => code,
        _ => {
            return Err(failed(
                "the provider's answer is not the one that was asked for",
            ));
        }
    };
    let facts = engine.issuers.facts(cx, &config.source()).await;
    let facts = facts.map_err(|why| failed(&why.0))?;
    let facts = facts.ok_or_else(super::authorization::not_configured)?;
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code.expose().as_str()),
        ("redirect_uri", flow.redirect_uri.as_str()),
        ("code_verifier", flow.verifier.expose().as_str()),
    ];
    let tokens = exchange::tokens(cx, &config, &facts, &form).await?;
    let tokens = tokens.map_err(|refusal| refusal.fault())?;
    let claims = exchange::claims(engine, cx, &config, &role, &facts, tokens, &expected).await?;
    Ok((name, role, claims))
}

/// Where the answer of this sign-in was to arrive.
async fn mode_of(engine: &Jwt, cx: &Ctx, state: &str) -> Result<CallbackMode, Fault> {
    let name = engine
        .flows
        .visit(cx.now, state, |flow| (Fate::Stays, flow.role.clone()));
    let role = Role::named(cx, &name.ok_or_else(unknown)?).await?;
    Ok(role.callback_mode)
}

fn answer(code: &str, token: &str) -> Option<Answered> {
    let fits = |text: &&str| !text.is_empty() && text.len() <= MAX_ANSWER_BYTES;
    let token = Some(token).filter(fits);
    let code = Some(code).filter(fits);
    let token = token.map(|token| Answered::Token(Secret::new(token.to_owned())));
    token.or_else(|| code.map(|code| Answered::Code(Secret::new(code.to_owned()))))
}

/// Programs get words in JSON, and people a page.
fn told_to(mode: CallbackMode, result: Result<(), Fault>) -> Result<Reply, Fault> {
    match (result, mode) {
        (Ok(()), _) => Ok(page::done("You are signed in. You can close this page.")),
        (Err(Fault::Invalid(why) | Fault::Upstream(why)), CallbackMode::Direct) => {
            Ok(page::failure(&why))
        }
        (Err(fault), _) => Err(fault),
    }
}

fn told(error: &str, description: &str) -> Fault {
    exchange::Refusal::new(error, description).fault()
}

/// The same words for a state that nobody has given out, one that is spent, and one that is too old.
pub(super) fn unknown() -> Fault {
    failed("expired or missing OAuth state")
}
