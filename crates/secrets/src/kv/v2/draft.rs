//! A change of one secret, made as if nobody else changed it.

use coffer_engine::{Changes, Ctx, Fault, Seen};

use super::secret::Secret;
use super::{DATA, METADATA};
use crate::document::Document;
use coffer_engine::keys::place;

/// How often a change starts again when others are faster. Each time one of them got through, so
/// even a hundred clients that all write one secret without a pause do not come near it.
const TRIES: usize = 2_000;

/// Writes to a secret that happen together, provided that it is still as it was read.
pub(super) struct Draft<'a> {
    /// The request.
    pub(super) cx: &'a Ctx,
    /// Where the secret is.
    pub(super) path: &'a str,
    place: String,
    changes: Changes,
}

impl<'a> Draft<'a> {
    /// Reads a secret in order to change it.
    pub(super) async fn open(
        cx: &'a Ctx,
        path: &'a str,
    ) -> Result<(Option<Secret>, Draft<'a>), Fault> {
        let place = place(METADATA, path)?;
        let (secret, seen) = cx.view.get_seen(&place).await?;
        let changes = cx.view.changes().expect(&cx.view, &place, seen);
        let draft = Draft {
            cx,
            path,
            place,
            changes,
        };
        Ok((secret, draft))
    }

    /// Keeps the data of a version.
    pub(super) fn keep(mut self, version: u64, data: &Document) -> Result<Self, Fault> {
        let place = data_place(self.path, version);
        self.changes = self.changes.put(&self.cx.view, &place, data)?;
        Ok(self)
    }

    /// Removes the data of versions.
    pub(super) fn drop_data(mut self, versions: impl IntoIterator<Item = u64>) -> Self {
        for version in versions {
            let place = data_place(self.path, version);
            self.changes = self.changes.delete(&self.cx.view, &place);
        }
        self
    }

    /// Removes the record at `place`, provided that it still holds what was `seen`.
    pub(super) fn take_from(mut self, place: &str, seen: Seen) -> Self {
        let changes = self.changes.expect(&self.cx.view, place, seen);
        self.changes = changes.delete(&self.cx.view, place);
        self
    }

    /// Makes all of it durable, with what is now known about the secret.
    pub(super) async fn save(self, secret: &Secret) -> Result<(), Fault> {
        let changes = self.changes.put(&self.cx.view, &self.place, secret)?;
        Ok(changes.commit().await?)
    }

    /// Removes the secret with all its versions.
    pub(super) async fn remove(self, secret: &Secret) -> Result<(), Fault> {
        let draft = self.drop_data(secret.versions.keys().copied());
        let changes = draft.changes.delete(&draft.cx.view, &draft.place);
        Ok(changes.commit().await?)
    }
}

/// What is known about a secret.
pub(super) async fn load(cx: &Ctx, path: &str) -> Result<Option<Secret>, Fault> {
    Ok(cx.view.get(&place(METADATA, path)?).await?)
}

/// The data of one version.
pub(super) async fn load_data(cx: &Ctx, path: &str, version: u64) -> Result<Document, Fault> {
    let data = cx.view.get(&data_place(path, version)).await?;
    // Somebody destroyed it after its secret was read: the answer that comes last is the true one.
    data.ok_or(Fault::NotFound)
}

/// Runs `attempt`, and again whenever somebody else changed the secret in between.
pub(super) async fn settled<T, F>(attempt: impl Fn() -> F) -> Result<T, Fault>
where
    F: Future<Output = Result<T, Fault>>,
{
    for _ in 1..TRIES {
        match attempt().await {
            Err(Fault::Conflict(_)) => {}
            settled => return settled,
        }
    }
    attempt().await
}

/// The versions of `a` and those of `a/1` never meet: what comes before the last slash differs.
fn data_place(path: &str, version: u64) -> String {
    format!("{DATA}{path}/{version}")
}
