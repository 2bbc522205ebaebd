//! New material.

use coffer_crypto::Random;
use coffer_crypto::pair::{KeyPair, PairKind};
use coffer_engine::Fault;
use coffer_wire::Timestamp;
use tokio::sync::Semaphore;

use super::key::{Bytes, Key, MAC_BYTES, Version};
use super::kind::KeyKind;

/// How many pairs are made at once: one of RSA takes a core for up to seconds.
static MAKING: Semaphore = Semaphore::const_new(2);

/// A new version of a key.
pub(super) async fn version(key: &Key, random: &Random, now: Timestamp) -> Result<Version, Fault> {
    let fresh = |length: usize| {
        let mut bytes = vec![0; length];
        random.fill(&mut bytes);
        Bytes::new(bytes)
    };
    let (private, public) = match (key.kind.cipher(), key.kind.pair()) {
        (Some(cipher), _) => (fresh(cipher.key_bytes()), Bytes::default()),
        (None, Some(kind)) => pair(kind).await?,
        (None, None) => {
            let bytes = usize::try_from(key.key_size).unwrap_or(MAC_BYTES);
            (fresh(bytes), Bytes::default())
        }
    };
    let mac = match key.kind {
        KeyKind::Hmac => Bytes::default(),
        _ => fresh(MAC_BYTES),
    };
    Ok(Version {
        created: now,
        key: private,
        public,
        mac,
        certificates: Vec::new(),
    })
}

/// Both halves of a new pair, made where waiting harms nobody.
pub(super) async fn pair(kind: PairKind) -> Result<(Bytes, Bytes), Fault> {
    let _turn = MAKING.acquire().await.map_err(Fault::internal)?;
    let made = tokio::task::spawn_blocking(move || {
        let pair = KeyPair::generate(kind)?;
        let private = Bytes::new(pair.to_pkcs8()?.expose().clone());
        Ok::<_, coffer_crypto::Error>((private, Bytes::new(pair.public().to_spki())))
    });
    Ok(made.await.map_err(Fault::internal)??)
}
