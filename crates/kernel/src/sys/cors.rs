//! `sys/config/cors`: pages of other origins.

use coffer_engine::{Ctx, Empty, Fault, Handle, Reply, Routes, path};
use coffer_wire::{CommaList, Flag};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::cors::CorsRules;
use crate::open::Open;

pub(super) fn routes() -> Routes<Open> {
    Routes::new([path(
        "config/cors",
        "Which pages of other origins may use this server from a browser.",
    )
    .sudo()
    .read::<Read>()
    .write::<Write>()
    .delete::<Delete>()])
}

/// Shows which pages of other origins may use this server from a browser.
#[derive(Deserialize, JsonSchema)]
struct Read {}

impl Handle<Open> for Read {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        let Some(rules) = open.cors.rules() else {
            return Reply::also_at_top(&json!({ "enabled": false }));
        };
        let headers: Vec<_> = rules.all_headers().collect();
        Reply::also_at_top(&json!({
            "enabled": true,
            "allowed_origins": rules.origins,
            "allowed_headers": headers,
            "allow_credentials": rules.credentials,
        }))
    }
}

/// Lets pages of these origins use this server from a browser; others are refused from then on.
#[derive(Deserialize, JsonSchema)]
struct Write {
    /// Says the same as writing here; `false` is refused.
    #[serde(default)]
    enable: Option<Flag>,
    /// The origins, for example `https://vault.example.com`; or `*` alone for all.
    #[serde(default)]
    allowed_origins: CommaList,
    /// Headers that pages may send beside those of this API.
    #[serde(default)]
    allowed_headers: CommaList,
    /// Whether browsers may send what they hold for this server, such as client certificates.
    #[serde(default)]
    allow_credentials: Flag,
}

impl Handle<Open> for Write {
    type Reply = Empty;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Empty, Fault> {
        if self.enable.is_some_and(|flag| !flag.0) {
            return Err(Fault::invalid(
                "to let no page of another origin in, delete sys/config/cors",
            ));
        }
        let rules = CorsRules {
            origins: self.allowed_origins.0,
            headers: self.allowed_headers.0,
            credentials: self.allow_credentials.0,
        };
        open.cors.set(rules).await?;
        Ok(Empty)
    }
}

/// Looks at origins no more: browsers then keep pages of other origins from reading answers.
#[derive(Deserialize, JsonSchema)]
struct Delete {}

impl Handle<Open> for Delete {
    type Reply = Empty;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Empty, Fault> {
        open.cors.clear().await?;
        Ok(Empty)
    }
}
