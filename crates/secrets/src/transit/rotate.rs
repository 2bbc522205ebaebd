//! `keys/NAME/rotate`, and rotation by itself: a new version, beside which the old ones go on to decrypt.

use coffer_engine::{Ctx, Fault, Handle, Routes, path};
use coffer_wire::Text;
use schemars::JsonSchema;
use serde::Deserialize;

use super::Transit;
use super::draft::{Draft, settled};
use super::events::Happened;
use super::key::{KEYS, Key, MAX_VERSIONS};
use super::make;
use super::shown::{Shown, no_context, show};

/// How many keys a tick reads at once.
const PAGE: usize = 500;

pub(super) fn routes() -> Routes<Transit> {
    Routes::new([path("keys/{name}/rotate", "A new version of a key.").write::<Rotate>()])
}

/// Makes a new version of a key. What older versions encrypted can still be decrypted.
#[derive(Deserialize, JsonSchema)]
struct Rotate {
    /// Name of the key.
    name: String,
    /// Keys that other systems hold are not supported.
    #[serde(default)]
    external_key_ref: Text,
}

impl Handle<Transit> for Rotate {
    type Reply = Shown;

    async fn handle(self, engine: &Transit, cx: &Ctx) -> Result<Shown, Fault> {
        let key = settled(|| async {
            let draft = Draft::open(cx, &self.name).await?;
            let draft = draft.ok_or_else(|| Fault::invalid("key not found"))?;
            if !self.external_key_ref.0.is_empty() {
                return Err(Fault::Invalid(format!(
                    "cannot use external_key_ref on key of type {}",
                    draft.key.kind.name()
                )));
            }
            rotated(engine, cx, draft).await
        })
        .await?;
        cx.emit(key.event(Happened::Rotated, &self.name));
        show(cx, &self.name, &key, no_context).await
    }
}

async fn rotated(engine: &Transit, cx: &Ctx, mut draft: Draft<'_>) -> Result<Key, Fault> {
    let key = &mut draft.key;
    key.refuse_deleted()?;
    if key.imported && !key.imported_rotation {
        return Err(Fault::Invalid(format!(
            "imported key {} does not allow rotation within OpenBao",
            draft.name()
        )));
    }
    // From now on its material is made here.
    key.imported = false;
    let number = key.next_version()?;
    key.latest_version = number;
    key.rotated = cx.now;
    let version = make::version(&draft.key, &cx.random, cx.now).await?;
    draft.with(number, version).save(engine, cx).await
}

impl Key {
    /// The number of the version after the latest. Refused where the key has as many versions as it can.
    pub(super) fn next_version(&self) -> Result<u32, Fault> {
        let stored = self.latest_version.saturating_sub(self.oldest());
        if stored.saturating_add(1) >= MAX_VERSIONS {
            return Err(Fault::Invalid(format!(
                "the key has {MAX_VERSIONS} versions, which is the most; trim those that are needed no more"
            )));
        }
        let next = self.latest_version.checked_add(1);
        next.ok_or_else(|| {
            Fault::invalid("the key has no number left for another version; make a new key")
        })
    }

    fn is_due(&self, cx: &Ctx) -> bool {
        !self.auto_rotate_period.is_zero()
            && !self.soft_deleted
            && (!self.imported || self.imported_rotation)
            && cx.now.since(self.rotated) >= self.auto_rotate_period.0
    }
}

/// Rotates what is due. A key that can not be rotated keeps no other from it.
pub(super) async fn rotate_due(engine: &Transit, cx: &Ctx) -> Result<(), Fault> {
    let mut after: Option<String> = None;
    loop {
        let page = page(cx, after.as_deref()).await?;
        let Some((last, _)) = page.last() else {
            return Ok(()); // A short page is not the last one.
        };
        after = Some(last.clone());
        for (place, key) in page {
            let Some(key) = key else {
                continue;
            };
            let name = place.strip_prefix(KEYS).unwrap_or_default();
            if !key.is_due(cx) {
                continue;
            }
            if let Err(error) = rotate_one(engine, cx, name).await {
                tracing::warn!(key = name, %error, "a key was not rotated by itself; it is tried again");
            }
        }
    }
}

/// The next records of keys; nothing for those that can not be read, which are logged.
async fn page(cx: &Ctx, after: Option<&str>) -> Result<Vec<(String, Option<Key>)>, Fault> {
    if let Ok(page) = cx.view.scan::<Key>(KEYS, after, PAGE).await {
        let readable = page.into_iter().map(|(place, key)| (place, Some(key)));
        return Ok(readable.collect());
    }
    // One of them, or the storage as a whole.
    let mut page = Vec::new();
    for place in cx.view.scan_paths(KEYS, after, PAGE).await? {
        cx.view.check()?;
        let read = cx.view.get::<Key>(&place).await;
        if let Err(error) = &read {
            tracing::error!(record = %place, %error, "a key's record can not be read, so it is not rotated by itself; delete the key, or restore it from a backup by force");
        }
        page.push((place, read.ok().flatten()));
    }
    Ok(page)
}

/// Rotates a key that may have been rotated meanwhile.
async fn rotate_one(engine: &Transit, cx: &Ctx, name: &str) -> Result<(), Fault> {
    settled(|| async {
        match Draft::open(cx, name).await? {
            Some(draft) if draft.key.is_due(cx) => {
                let key = rotated(engine, cx, draft).await?;
                cx.emit(key.event(Happened::RotatedByItself, name));
                Ok(())
            }
            _ => Ok(()),
        }
    })
    .await
}
