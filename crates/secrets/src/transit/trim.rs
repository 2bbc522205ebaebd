//! `keys/NAME/trim`: old versions are destroyed.

use coffer_engine::{Ctx, Fault, Handle, Routes, path};
use coffer_wire::Int;
use schemars::JsonSchema;
use serde::Deserialize;

use super::Transit;
use super::draft::{Draft, settled};
use super::events::Happened;
use super::key::Key;
use super::shown::{Shown, no_context, show};

pub(super) fn routes() -> Routes<Transit> {
    Routes::new([path("keys/{name}/trim", "Destroys old versions of a key.").write::<Trim>()])
}

/// Destroys old versions of a key: what they encrypted can never be decrypted again.
#[derive(Deserialize, JsonSchema)]
struct Trim {
    /// Name of the key.
    name: String,
    /// All versions before this one are destroyed. It may not be over the least versions that encrypt and decrypt.
    min_available_version: Option<Int>,
}

impl Handle<Transit> for Trim {
    type Reply = Shown;

    async fn handle(self, engine: &Transit, cx: &Ctx) -> Result<Shown, Fault> {
        let key = settled(|| async {
            let draft = Draft::open(cx, &self.name).await?;
            let mut draft = draft.ok_or_else(|| Fault::invalid("invalid key name"))?;
            let least = self.checked(&draft.key)?;
            draft.key.min_available_version = least;
            draft.trim(least).save(engine, cx).await
        })
        .await?;
        cx.emit(key.event(Happened::Trimmed, &self.name));
        show(cx, &self.name, &key, no_context).await
    }
}

impl Trim {
    fn checked(&self, key: &Key) -> Result<u32, Fault> {
        let asked = self.min_available_version;
        let asked = asked
            .ok_or_else(|| Fault::invalid("missing min_available_version"))?
            .0;
        let refused = |why: &str| Err(Fault::invalid(format!("minimum available version {why}")));
        let least = u32::try_from(asked).unwrap_or(u32::MAX);
        match () {
            () if asked < i64::from(key.min_available_version) => refused("cannot be decremented"),
            () if asked == 0 => refused("should be positive"),
            () if key.min_encryption_version == 0 => {
                refused("cannot be set when minimum encryption version is not set")
            }
            () if least > key.min_encryption_version => {
                refused("cannot be greater than minmum encryption version")
            }
            () if least > key.min_decryption_version => {
                refused("cannot be greater than minimum decryption version")
            }
            () if least > key.latest_version => {
                refused("cannot be greater than the latest key version")
            }
            () => Ok(least),
        }
    }
}
