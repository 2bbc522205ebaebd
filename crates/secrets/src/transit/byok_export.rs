//! `byok-export/DESTINATION/SOURCE`: a key, wrapped so that only the holder of another can read it.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use coffer_crypto::Error;
use coffer_crypto::key_wrap::wrap_kwp;
use coffer_crypto::pair::{Oaep, OaepHash, PublicKey};
use coffer_engine::{Ctx, Fault, Handle, Routes, path};
use coffer_wire::Text;
use schemars::JsonSchema;
use serde::Deserialize;

use super::Transit;
use super::export::Exported;
use super::key::Version;
use super::unwrapping::hash_named;

pub(super) fn routes() -> Routes<Transit> {
    let one = "byok-export/{destination}/{source}/{version}";
    Routes::new([
        path(
            "byok-export/{destination}/{source}",
            "All versions of a key, wrapped in another.",
        )
        .read::<Export>(),
        path(one, "One version of a key, wrapped in another.").read::<Export>(),
    ])
}

/// Reads a key as another mount or server imports it: wrapped in that one's wrapping key, whose public half was imported here.
#[derive(Deserialize, JsonSchema)]
struct Export {
    /// Name of the RSA key that the other is wrapped in.
    destination: String,
    /// Name of the key that leaves.
    source: String,
    /// A version, or `latest`; all that may be used if not given.
    #[serde(default)]
    version: Text,
    /// The hash of RSAES-OAEP: `SHA256` (the default), `SHA1`, `SHA224`, `SHA384` or `SHA512`.
    #[serde(default)]
    hash: Text,
}

impl Handle<Transit> for Export {
    type Reply = Exported;

    async fn handle(self, engine: &Transit, cx: &Ctx) -> Result<Exported, Fault> {
        let hash = hash_named(&self.hash.0)?;
        let destination = engine.find(cx, &self.destination).await?;
        let destination =
            destination.ok_or_else(|| Fault::invalid("no such destination key to export to"))?;
        let source = engine.find(cx, &self.source).await?;
        let source = source.ok_or_else(|| Fault::invalid("no such source key for export"))?;
        destination.key.refuse_deleted()?;
        source.key.refuse_deleted()?;
        if !source.key.exportable {
            return Err(Fault::invalid("key is not exportable"));
        }
        if !destination.key.kind.is_rsa() {
            return Err(Fault::Invalid(format!(
                "keys can not be wrapped in one of type {}: the destination has to be an RSA key",
                destination.key.kind.name()
            )));
        }
        let outer = destination.latest().public().ok_or(Error::Scheme)?;
        let mut keys = BTreeMap::new();
        for number in source.exported_versions(&self.version.0)? {
            let version = source.stored(cx, number).await?;
            // Of what has only a public half, nothing is wrapped.
            if let Some(version) = version.filter(|version| !version.key.is_empty()) {
                let made = wrapped(cx, outer, hash, &version)?;
                keys.insert(number.to_string(), made.into());
            }
            // There may be a thousand, each with an operation of RSA.
            tokio::task::yield_now().await;
        }
        let (name, kind) = (self.source, source.key.kind);
        Ok(Exported { keys, name, kind })
    }
}

/// A version as an import takes it.
fn wrapped(
    cx: &Ctx,
    outer: &PublicKey,
    hash: OaepHash,
    version: &Version,
) -> Result<String, Fault> {
    let ephemeral = cx.random.secret_bytes::<32>();
    let sealed = outer.encrypt(Oaep::new(hash), &cx.random, ephemeral.expose())?;
    let inner = wrap_kwp(ephemeral.expose(), version.key.expose())?;
    Ok(STANDARD.encode([sealed, inner].concat()))
}
