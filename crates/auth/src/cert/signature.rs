//! Who signed something.

use webpki::ALL_VERIFICATION_ALGS;

use super::certificate::{Key, Signed};

/// Whether the holder of a key has signed it, by an algorithm that is safe and that fits the key.
pub(super) fn is_by(signed: &Signed, key: &Key) -> bool {
    let fits = ALL_VERIFICATION_ALGS.iter().filter(|algorithm| {
        algorithm.signature_alg_id().as_ref() == signed.algorithm
            && algorithm.public_key_alg_id().as_ref() == key.algorithm
    });
    fits.into_iter().any(|algorithm| {
        let (message, signature) = (&signed.message, &signed.signature);
        algorithm
            .verify_signature(&key.bits, message, signature)
            .is_ok()
    })
}
