//! Keys that come wrapped: an ephemeral AES key to the mount's wrapping key by RSAES-OAEP, then the key itself by AES-KWP (RFC 5649).

use coffer_crypto::key_wrap::unwrap_kwp;
use coffer_crypto::pair::{Oaep, OaepHash};
use coffer_crypto::{Secret, Zeroizing};
use coffer_engine::{Ctx, Fault};
use tokio::sync::Semaphore;

use super::encoded::Encoded;
use super::wrapping_key;

/// How many keys are unwrapped at once: each takes a core for milliseconds.
static UNWRAPPING: Semaphore = Semaphore::const_new(2);
/// Bytes of what the wrapping key of RSA with 4,096 bits encrypts.
const OUTER_BYTES: usize = 512;
/// The longest ciphertext: more than any key that fits in a record.
const MAX_BYTES: usize = 64 * 1024;

/// The hash of that name that RSAES-OAEP runs with.
pub(super) fn hash_named(name: &str) -> Result<OaepHash, Fault> {
    Ok(match name.to_ascii_uppercase().as_str() {
        "SHA1" => OaepHash::Sha1,
        "SHA224" => OaepHash::Sha224,
        "" | "SHA256" => OaepHash::Sha256,
        "SHA384" => OaepHash::Sha384,
        "SHA512" => OaepHash::Sha512,
        _ => return Err(Fault::Invalid(format!("unknown hash function: {name}"))),
    })
}

/// The key in a ciphertext. Whatever is wrong with what was encrypted has one answer.
pub(super) async fn unwrap(
    cx: &Ctx,
    hash: OaepHash,
    ciphertext: &Encoded,
) -> Result<Zeroizing<Vec<u8>>, Fault> {
    let bytes = ciphertext.bytes().map_err(Fault::invalid)?;
    if bytes.len() <= OUTER_BYTES {
        return Err(Fault::invalid("provided ciphertext is too short"));
    }
    if bytes.len() > MAX_BYTES {
        return Err(Fault::invalid("provided ciphertext is too long"));
    }
    let private = wrapping_key::private(cx).await?;
    let bytes = bytes.to_vec();
    let _turn = UNWRAPPING.acquire().await.map_err(Fault::internal)?;
    let opened = tokio::task::spawn_blocking(move || opened(&private, hash, &bytes));
    opened.await.map_err(Fault::internal)?
}

fn opened(
    private: &Secret<Vec<u8>>,
    hash: OaepHash,
    bytes: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Fault> {
    let pair = wrapping_key::read(private)?;
    let (outer, inner) = bytes.split_at_checked(OUTER_BYTES).unwrap_or((bytes, &[]));
    let key = pair.decrypt(Oaep::new(hash), outer);
    let key = key.and_then(|ephemeral| match ephemeral.len() {
        32 => unwrap_kwp(&ephemeral, inner),
        _ => Err(coffer_crypto::Error::Decrypt),
    });
    key.map_err(|_| {
        Fault::invalid("the key can not be unwrapped: it is an AES-256 key encrypted to wrapping_key by RSAES-OAEP with hash_function, followed by the key wrapped in that by AES-KWP")
    })
}
