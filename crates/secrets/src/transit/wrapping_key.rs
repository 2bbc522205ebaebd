//! `wrapping_key`: what keys from outside are wrapped in on their way in.

use coffer_crypto::pair::{KeyPair, PairKind};
use coffer_crypto::{Error, Secret};
use coffer_engine::{Ctx, Fault, Handle, Routes, Seen, Stored, path};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Transit;
use super::key::Bytes;
use super::make;

/// Where the pair is.
const PLACE: &str = "wrapping-key";
/// As long as others' so that what was made for one server fits all.
pub(super) const KIND: PairKind = PairKind::Rsa4096;

pub(super) fn routes() -> Routes<Transit> {
    Routes::new([path(
        "wrapping_key",
        "The key that keys to be imported are wrapped in.",
    )
    .read::<Read>()])
}

/// Reads the public key that keys to be imported are wrapped in.
#[derive(Deserialize, JsonSchema)]
struct Read {}

/// The public half of the wrapping key.
#[derive(Serialize, JsonSchema)]
struct WrappingKey {
    /// RSA with 4,096 bits, in PEM.
    public_key: String,
}

impl Handle<Transit> for Read {
    type Reply = WrappingKey;

    async fn handle(self, _: &Transit, cx: &Ctx) -> Result<WrappingKey, Fault> {
        let (_, public) = stored(cx).await?;
        Ok(WrappingKey {
            public_key: coffer_crypto::pair::PublicKey::from_spki(public.expose())?.to_pem(),
        })
    }
}

/// The pair as it is stored.
#[derive(Clone, Serialize, Deserialize)]
struct Pair {
    /// PKCS #8.
    private: Bytes,
    /// `SubjectPublicKeyInfo`.
    public: Bytes,
}

impl Stored for Pair {
    const MAX_BYTES: usize = 64 * 1024;
}

/// Private half and public half of the mount's pair, which is made when it is first asked for.
async fn stored(cx: &Ctx) -> Result<(Bytes, Bytes), Fault> {
    let (kept, seen) = cx.view.get_seen::<Pair>(PLACE).await?;
    if let Some(Pair { private, public }) = kept {
        return Ok((private, public));
    }
    let (private, public) = make::pair(KIND).await?;
    let made = Pair { private, public };
    match put(cx, seen, &made).await {
        Err(Fault::Conflict(_)) => {
            // Somebody was faster.
            let kept: Option<Pair> = cx.view.get(PLACE).await?;
            let kept = kept.ok_or_else(|| Fault::Conflict("try again".into()))?;
            Ok((kept.private, kept.public))
        }
        put => put.map(|()| (made.private, made.public)),
    }
}

async fn put(cx: &Ctx, seen: Seen, pair: &Pair) -> Result<(), Fault> {
    let changes = cx.view.changes().expect(&cx.view, PLACE, seen);
    Ok(changes.put(&cx.view, PLACE, pair)?.commit().await?)
}

/// The private half as PKCS #8.
pub(super) async fn private(cx: &Ctx) -> Result<Secret<Vec<u8>>, Fault> {
    let (private, _) = stored(cx).await?;
    Ok(Secret::new(private.expose().to_vec()))
}

/// Reads the private half. Not for a thread that others wait for: the library checks the numbers.
pub(super) fn read(private: &Secret<Vec<u8>>) -> Result<KeyPair, Error> {
    KeyPair::from_pkcs8(KIND, private.expose())
}
