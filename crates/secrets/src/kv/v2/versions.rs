//! Deleting, undeleting and destroying chosen versions.

use coffer_engine::{Ctx, Empty, Fault, Handle};
use schemars::JsonSchema;
use serde::Deserialize;

use super::V2;
use super::config::Config;
use super::draft::{Draft, settled};
use super::input::Versions;

/// Deletes versions; their data stays until they are undeleted or destroyed.
#[derive(Deserialize, JsonSchema)]
pub(super) struct Delete {
    /// Where the secret is.
    path: String,
    /// The numbers of the versions.
    versions: Option<Versions>,
}

impl Handle<V2> for Delete {
    type Reply = Empty;

    async fn handle(self, _: &V2, cx: &Ctx) -> Result<Empty, Fault> {
        let numbers = Versions::some(self.versions)?;
        settled(|| async {
            let (Some(mut secret), draft) = Draft::open(cx, &self.path).await? else {
                return Ok(Empty);
            };
            if secret.delete(&numbers, cx.now) {
                draft.save(&secret).await?;
            }
            Ok(Empty)
        })
        .await
    }
}

/// Takes the deletion of versions back.
#[derive(Deserialize, JsonSchema)]
pub(super) struct Undelete {
    /// Where the secret is.
    path: String,
    /// The numbers of the versions.
    versions: Option<Versions>,
}

impl Handle<V2> for Undelete {
    type Reply = Empty;

    async fn handle(self, _: &V2, cx: &Ctx) -> Result<Empty, Fault> {
        let numbers = Versions::some(self.versions)?;
        let config = Config::load(cx).await?;
        settled(|| async {
            let (Some(mut secret), draft) = Draft::open(cx, &self.path).await? else {
                return Ok(Empty);
            };
            secret.undelete(&numbers, &config, cx.now);
            draft.save(&secret).await?;
            Ok(Empty)
        })
        .await
    }
}

/// Removes the data of versions for ever.
#[derive(Deserialize, JsonSchema)]
pub(super) struct Destroy {
    /// Where the secret is.
    path: String,
    /// The numbers of the versions.
    versions: Option<Versions>,
}

impl Handle<V2> for Destroy {
    type Reply = Empty;

    async fn handle(self, _: &V2, cx: &Ctx) -> Result<Empty, Fault> {
        let numbers = Versions::some(self.versions)?;
        settled(|| async {
            let (Some(mut secret), draft) = Draft::open(cx, &self.path).await? else {
                return Ok(Empty);
            };
            let gone = secret.destroy(&numbers);
            draft.drop_data(gone).save(&secret).await?;
            Ok(Empty)
        })
        .await
    }
}
