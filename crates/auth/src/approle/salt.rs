//! The key with which ids become the codes that stand in paths.

use coffer_crypto::{HmacKey, Secret};
use coffer_engine::{Ctx, Fault, Stored, plaintext};
use serde::{Deserialize, Serialize};
use tokio::sync::OnceCell;

const PLACE: &str = "salt";
/// The longest id in bytes.
pub(super) const MAX_ID_BYTES: usize = 4096;

/// The key of one mount, once it was read.
#[derive(Default)]
pub(super) struct Salt(OnceCell<HmacKey>);

#[derive(Serialize, Deserialize)]
struct Kept {
    #[serde(serialize_with = "plaintext::text")]
    key: Secret<String>,
}

impl Stored for Kept {}

impl Salt {
    /// Makes the key of a new mount.
    pub(super) async fn make(cx: &Ctx) -> Result<(), Fault> {
        // 43 signs of 62 are 256 bits.
        let key = Secret::new(cx.random.base62(43));
        let fresh = Kept { key };
        let kept: Option<Kept> = cx.view.get(PLACE).await?;
        match kept {
            Some(_) => Ok(()),
            None => Ok(cx.view.put(PLACE, &fresh).await?),
        }
    }

    /// The code of an id.
    pub(super) async fn code(&self, cx: &Ctx, id: &str) -> Result<String, Fault> {
        let read = async || {
            let kept: Option<Kept> = cx.view.get(PLACE).await?;
            let kept = kept.ok_or_else(|| Fault::internal("the mount has no key for its ids"))?;
            Ok::<_, Fault>(HmacKey::new(kept.key.expose().as_bytes()))
        };
        let key = self.0.get_or_try_init(read).await?;
        Ok(hex::encode(key.sign(id.as_bytes())))
    }
}
