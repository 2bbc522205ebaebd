//! As much of DER (X.690) as public keys need.

/// Tags of elements.
pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const OBJECT: u8 = 0x06;
/// The first element of a certificate's content, where it says of which version it is.
pub(super) const VERSION: u8 = 0xa0;

/// The content of an element with this tag, and what follows it.
pub(super) fn element(tag: u8, bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&found, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first().filter(|_| found == tag)?;
    if first < 0x80 {
        return rest.split_at_checked(usize::from(first));
    }
    let (length, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
    if length.is_empty() || length.len() > 4 {
        return None;
    }
    let length = length
        .iter()
        .fold(0usize, |length, byte| length << 8 | usize::from(*byte));
    rest.split_at_checked(length)
}

/// The content of an element that nothing follows.
pub(super) fn only(tag: u8, bytes: &[u8]) -> Option<&[u8]> {
    let (content, rest) = element(tag, bytes)?;
    rest.is_empty().then_some(content)
}

/// The bytes of a bit string that has whole bytes.
pub(super) fn whole_bytes(bits: &[u8]) -> Option<&[u8]> {
    bits.strip_prefix(&[0])
}

/// Modulus and exponent of an `RSAPublicKey` (RFC 8017 appendix A.1.1): a sequence of two positive numbers.
pub(super) fn rsa_parts(document: &[u8]) -> Option<(&[u8], &[u8])> {
    let sequence = only(SEQUENCE, document)?;
    let (n, rest) = element(INTEGER, sequence)?;
    let e = only(INTEGER, rest)?;
    Some((without_sign(n), without_sign(e)))
}

fn without_sign(number: &[u8]) -> &[u8] {
    number.strip_prefix(&[0]).unwrap_or(number)
}
