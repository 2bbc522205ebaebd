//! `oidc/poll`: whether a sign-in is done.

use coffer_engine::{Ctx, Fault, Handle, Login, Routes, path};
use coffer_wire::Text;
use schemars::JsonSchema;
use serde::Deserialize;

use super::callback::unknown;
use super::config::Config;
use super::exchange::failed;
use super::flows::{Device, Fate, Flow, Stage};
use super::login::role_of;
use super::{Jwt, acceptance, device};
use crate::issuer::Claims;

/// What programs are told that have to wait (RFC 8628 section 3.5).
const PENDING: &str = "authorization_pending";
const TOO_SOON: &str = "slow_down";

pub(super) fn routes() -> Routes<Jwt> {
    Routes::new([path("oidc/poll", "Whether a sign-in is done.")
        .unauthenticated()
        .write::<Poll>()])
}

/// Logs in when the person has signed in; until then it answers `authorization_pending`.
#[derive(Deserialize, JsonSchema)]
struct Poll {
    /// The word of the program that began.
    #[serde(default)]
    client_nonce: Text,
    /// Which sign-in it is.
    #[serde(default)]
    state: Text,
}

enum Next {
    Wait(&'static str),
    Refuse,
    LogIn(Flow, Box<Claims>),
    Ask(Flow, Device),
}

impl Handle<Jwt> for Poll {
    type Reply = Box<Login>;

    async fn handle(self, engine: &Jwt, cx: &Ctx) -> Result<Box<Login>, Fault> {
        let next = engine.flows.visit(cx.now, &self.state.0, |flow| {
            if !flow.knows(&self.client_nonce.0) {
                return (Fate::Ends, Next::Refuse);
            }
            match &mut flow.stage {
                Stage::Done(claims) => {
                    let claims = claims.clone();
                    (Fate::Ends, Next::LogIn(flow.clone(), claims))
                }
                Stage::Device(device) if cx.now < device.next => {
                    (Fate::Stays, Next::Wait(TOO_SOON))
                }
                Stage::Device(device) => {
                    // Programs are punctual, but not to the second.
                    device.next = cx.now.plus(device.interval / 2);
                    let device = device.clone();
                    (Fate::Stays, Next::Ask(flow.clone(), device))
                }
                _ => (Fate::Stays, Next::Wait(PENDING)),
            }
        });
        let (name, role, claims) = match next.ok_or_else(unknown)? {
            Next::Wait(word) => return Err(Fault::invalid(word)),
            Next::Refuse => return Err(failed("invalid client_nonce")),
            Next::LogIn(flow, claims) => {
                let config = Config::of(cx).await?;
                let (name, role) = role_of(cx, &config, &flow.role).await?;
                (name, role, *claims)
            }
            Next::Ask(flow, device) => device::ask(engine, cx, &flow, &device).await?,
        };
        role.token.check_address(cx.request.client)?;
        acceptance::accept(cx, name, &role, &claims)
    }
}
