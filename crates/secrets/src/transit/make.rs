//! New material.

use coffer_crypto::Random;
use coffer_engine::Fault;
use coffer_wire::Timestamp;

use super::key::{Bytes, Key, MAC_BYTES, Version};

/// A new version of a key.
pub(super) async fn version(key: &Key, random: &Random, now: Timestamp) -> Result<Version, Fault> {
    let fresh = |length: usize| {
        let mut bytes = vec![0; length];
        random.fill(&mut bytes);
        Bytes::new(bytes)
    };
    let (private, public, mac) = match key.kind.cipher() {
        Some(cipher) => (fresh(cipher.key_bytes()), Bytes::default(), fresh(MAC_BYTES)),
        None if !key.kind.is_pair() => {
            let bytes = usize::try_from(key.key_size).unwrap_or(MAC_BYTES);
            (fresh(bytes), Bytes::default(), Bytes::default())
        }
        None => {
            return Err(Fault::Invalid(format!(
                "keys of type {} can not be made yet",
                key.kind.name()
            )));
        }
    };
    Ok(Version {
        created: now,
        key: private,
        public,
        mac,
        certificates: Vec::new(),
    })
}
