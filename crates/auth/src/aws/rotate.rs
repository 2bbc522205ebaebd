//! `config/rotate-root`: a new access key for us, which nobody else knows.

use coffer_engine::{Ctx, Fault, Handle, Routes, WithWarnings, path};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Aws;
use super::api::Api;
use super::client::Client;

pub(super) fn routes() -> Routes<Aws> {
    Routes::new([path(
        "config/rotate-root",
        "A new access key in the place of the configured one.",
    )
    .write::<Rotate>()
    .tells("aws/root-rotate")])
}

/// Makes a new access key, keeps it, and removes the old one. The user of the key may have only that one.
#[derive(Deserialize, JsonSchema)]
struct Rotate {}

/// The new key.
#[derive(Serialize, JsonSchema)]
struct Rotated {
    /// Its name; its secret is not shown.
    access_key: String,
}

impl Handle<Aws> for Rotate {
    type Reply = WithWarnings<Rotated>;

    async fn handle(self, engine: &Aws, cx: &Ctx) -> Result<Self::Reply, Fault> {
        let client = Client::current(cx).await?;
        if client.access_key.is_empty() {
            return Err(Fault::invalid(
                "no access_key is configured in config/client, so there is none to rotate",
            ));
        }
        let api = Api::own(engine, cx, &client)?;
        let new = api.new_key().await?;
        let old = &client.access_key;
        let kept = Client::replace_key(cx, old, &new.access_key, &new.secret_key).await;
        if let Err(fault) = kept {
            // It is of no use to anybody now, and a user has two at most.
            let _ = api.remove_key(&new.access_key).await;
            return Err(fault);
        }
        // By the old key: the new one takes AWS some seconds to know.
        let removed = api.remove_key(old).await;
        let told = removed.err().map(|fault| {
            format!("the new access key is in use, but the old one, {old}, could not be removed: {fault}")
        });
        let rotated = Rotated {
            access_key: new.access_key,
        };
        Ok(WithWarnings(rotated, told.into_iter().collect()))
    }
}
