//! Deleting, undeleting and destroying chosen versions.

use coffer_engine::{Ctx, Empty, Fault, Handle};
use schemars::JsonSchema;
use serde::Deserialize;

use super::V2;
use super::config::Config;
use super::draft::{Draft, settled};
use super::events::{DELETE, DESTROY, UNDELETE, listed};
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
            let deleted = secret.delete(&numbers, cx.now);
            if deleted.is_empty() {
                return Ok(Empty);
            }
            draft.save(&secret).await?;
            let event = secret.event(DELETE, format!("delete/{}", self.path));
            cx.emit(event.with("deleted_versions", listed(&deleted)));
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
            let undeleted = secret.undelete(&numbers, &config, cx.now);
            if undeleted.is_empty() {
                return Ok(Empty);
            }
            draft.save(&secret).await?;
            let event = secret.event(UNDELETE, format!("undelete/{}", self.path));
            let event = event.modified(format!("data/{}", self.path));
            cx.emit(event.with("undeleted_versions", listed(&undeleted)));
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
            let destroyed = secret.destroy(&numbers);
            // The data of those that were destroyed before is gone: it went in the same write.
            if destroyed.is_empty() {
                return Ok(Empty);
            }
            draft
                .drop_data(destroyed.iter().copied())
                .save(&secret)
                .await?;
            let event = secret.event(DESTROY, format!("destroy/{}", self.path));
            cx.emit(event.with("destroyed_versions", listed(&destroyed)));
            Ok(Empty)
        })
        .await
    }
}
