//! ECDSA: any hash on any curve, and the two forms of a signature.

use aws_lc_rs::digest::Digest;

use super::kind::{Curve, PairKind};
use super::scheme::{Input, SignHash};
use crate::{Error, der};

/// The digest of the input, as the digest of the curve's own hash that stands for the same number.
///
/// ECDSA signs a number: the digest's leftmost bits, as many as the curve's order has (FIPS 186-5 section 6.4.1). So a longer digest is
/// cut, and zeros in front of a shorter one change nothing.
pub(super) fn digest(curve: &Curve, hash: SignHash, input: Input<'_>) -> Result<Digest, Error> {
    let given = hash.digest(input)?;
    let length = curve.digest.output_len();
    // Of what is no digest, the rest would not be signed at all, and nobody would notice.
    if given.is_empty() || (hash == SignHash::None && given.len() > length) {
        return Err(Error::DigestLength);
    }
    let mut fitted = vec![0; length.saturating_sub(given.len())];
    fitted.extend(given.iter().take(length));
    Digest::import_less_safe(&fitted, curve.digest).map_err(|_| Error::DigestLength)
}

/// A signature in ASN.1 (RFC 3279 section 2.2.3) in the fixed form: the two numbers in a row, each as long as the curve's field (RFC 7518
/// section 3.4).
///
/// # Errors
/// [`Error::Scheme`] where the kind is no curve, or the signature not one.
pub fn fixed_from_asn1(kind: PairKind, signature: &[u8]) -> Result<Vec<u8>, Error> {
    let length = kind.curve().ok_or(Error::Scheme)?.field_bytes;
    let (r, s) = der::two_numbers(signature).ok_or(Error::Scheme)?;
    let mut fixed = Vec::with_capacity(2 * length);
    for number in [r, s] {
        let zeros = length.checked_sub(number.len()).ok_or(Error::Scheme)?;
        fixed.resize(fixed.len() + zeros, 0);
        fixed.extend_from_slice(number);
    }
    Ok(fixed)
}

/// The other way: a signature in the fixed form in ASN.1.
///
/// # Errors
/// [`Error::Scheme`] where the kind is no curve, or the signature has another length than two numbers of it.
pub fn fixed_to_asn1(kind: PairKind, signature: &[u8]) -> Result<Vec<u8>, Error> {
    let length = kind.curve().ok_or(Error::Scheme)?.field_bytes;
    let (r, s) = signature
        .split_at_checked(length)
        .filter(|(_, s)| s.len() == length)
        .ok_or(Error::Scheme)?;
    let numbers = [der::number(r), der::number(s)].concat();
    Ok(der::tagged(der::SEQUENCE, &numbers))
}
