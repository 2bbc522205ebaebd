//! `sys/wrapping`: handing values over inside single-use tokens.
//!
//! Who holds a wrapping token may unwrap it: as the token of the request, or in its body. So these
//! paths need no other token; only making one does.

use coffer_crypto::Secret;
use coffer_engine::{Ctx, Fault, Handle, Reply, Routes, Wrapping, path};
use coffer_wire::Wiped;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::control::redeem;
use crate::open::Open;
use crate::wrapping::{inside, look, public_point, rewrap, take};

pub(super) fn routes() -> Routes<Open> {
    Routes::new([
        path("wrapping/wrap", "Wraps what is sent.").write::<Wrap>(),
        path("wrapping/unwrap", "Hands out what is wrapped, once.")
            .at_home()
            .unauthenticated()
            .write::<Unwrap>(),
        path("wrapping/lookup", "What is known about a wrapping token.")
            .at_home()
            .unauthenticated()
            .write::<Lookup>()
            .read::<LookupOwn>(),
        path(
            "wrapping/rewrap",
            "Moves what is wrapped to a new wrapping token.",
        )
        .unauthenticated()
        .write::<Rewrap>(),
        path(
            "wrapping/pubkey",
            "The key that verifies wrapping tokens in the form of a JWT.",
        )
        .root_only()
        .unauthenticated()
        .read::<ReadKey>(),
    ])
}

/// Wraps the fields that are sent; the header X-Vault-Wrap-TTL says for how long.
#[derive(Deserialize, JsonSchema)]
struct Wrap {
    /// Any fields.
    #[serde(default)]
    #[schemars(extend("x-body" = true))]
    data: Wiped<Map<String, Value>>,
}

impl Handle<Open> for Wrap {
    type Reply = Reply;

    async fn handle(self, _: &Open, _: &Ctx) -> Result<Reply, Fault> {
        Ok(Reply {
            wrapping: Wrapping::Required,
            ..Reply::data(&*self.data)?
        })
    }
}

/// The token that was sent in the body, else the request's own.
fn meant<'a>(given: Option<&'a Secret<String>>, cx: &'a Ctx) -> &'a str {
    let given = given.filter(|token| !token.expose().is_empty());
    let token = given.or(cx.token.as_deref());
    token.map_or("", |token| token.expose())
}

/// Hands out what is wrapped, once.
#[derive(Deserialize, JsonSchema)]
struct Unwrap {
    /// The wrapping token; the request's own if absent.
    #[serde(default)]
    #[schemars(with = "String")]
    token: Option<Secret<String>>,
}

impl Handle<Open> for Unwrap {
    type Reply = Reply;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        let token = inside(meant(self.token.as_ref(), cx), open).await?;
        if let Some(reply) = redeem(open, token.expose(), cx).await? {
            return Ok(reply);
        }
        Ok(take(open, token.expose(), cx.now).await?.into_reply())
    }
}

/// Shows where an answer was wrapped, when and for how long; it goes on waiting.
#[derive(Deserialize, JsonSchema)]
struct Lookup {
    /// The wrapping token; the request's own if absent.
    #[serde(default)]
    #[schemars(with = "String")]
    token: Option<Secret<String>>,
}

impl Handle<Open> for Lookup {
    type Reply = Reply;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        looked_up(open, meant(self.token.as_ref(), cx), cx).await
    }
}

/// Shows where the answer under the request's own token was wrapped, when and for how long.
#[derive(Deserialize, JsonSchema)]
struct LookupOwn {}

impl Handle<Open> for LookupOwn {
    type Reply = Reply;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        looked_up(open, meant(None, cx), cx).await
    }
}

async fn looked_up(open: &Open, token: &str, cx: &Ctx) -> Result<Reply, Fault> {
    let token = inside(token, open).await?;
    let wrapped = look(open, token.expose(), cx.now).await?;
    Reply::data(&json!({
        "creation_path": wrapped.path,
        "creation_time": wrapped.created,
        "creation_ttl": wrapped.ttl_secs,
    }))
}

/// Moves what is wrapped to a new wrapping token; the former one ends.
#[derive(Deserialize, JsonSchema)]
struct Rewrap {
    /// The wrapping token; the request's own if absent.
    #[serde(default)]
    #[schemars(with = "String")]
    token: Option<Secret<String>>,
}

impl Handle<Open> for Rewrap {
    type Reply = Reply;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        let token = inside(meant(self.token.as_ref(), cx), open).await?;
        let info = rewrap(open, token.expose(), cx.now).await?;
        Ok(Reply {
            wrapping: Wrapping::Done(Box::new(info)),
            ..Reply::default()
        })
    }
}

/// Shows the public key that verifies wrapping tokens in the form of a JWT: a point of P-521, in decimal numbers.
#[derive(Deserialize, JsonSchema)]
struct ReadKey {}

impl Handle<Open> for ReadKey {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        let [x, y] = public_point(open).await?;
        Reply::data(&json!({ "jwt_x": x, "jwt_y": y, "jwt_curve": "p521" }))
    }
}
