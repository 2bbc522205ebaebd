//! As much of DER (X.690) as keys and signatures need.

/// Tags of elements.
pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const OBJECT: u8 = 0x06;
/// The first element of a certificate's content, where it says of which version it is.
pub(crate) const VERSION: u8 = 0xa0;
/// The seed in a private key of ML-DSA (RFC 9881 section 6).
pub(crate) const SEED: u8 = 0x80;

/// The object identifiers of keys and curves (RFC 3279, RFC 5480, RFC 8410, RFC 9881).
pub(crate) const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
pub(crate) const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
pub(crate) const ED25519: &[u8] = &[0x2b, 0x65, 0x70];
pub(crate) const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
pub(crate) const P384: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x22];
pub(crate) const P521: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x23];
pub(crate) const ML_DSA_44: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03, 0x11];
pub(crate) const ML_DSA_65: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03, 0x12];
pub(crate) const ML_DSA_87: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03, 0x13];

/// The content of an element with this tag, and what follows it.
pub(crate) fn element(tag: u8, bytes: &[u8]) -> Option<(&[u8], &[u8])> {
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
pub(crate) fn only(tag: u8, bytes: &[u8]) -> Option<&[u8]> {
    let (content, rest) = element(tag, bytes)?;
    rest.is_empty().then_some(content)
}

/// The bytes of a bit string that has whole bytes.
pub(crate) fn whole_bytes(bits: &[u8]) -> Option<&[u8]> {
    bits.strip_prefix(&[0])
}

/// Modulus and exponent of an `RSAPublicKey` (RFC 8017 appendix A.1.1).
pub(crate) fn rsa_parts(document: &[u8]) -> Option<(&[u8], &[u8])> {
    two_numbers(document)
}

/// A sequence of two positive numbers.
pub(crate) fn two_numbers(document: &[u8]) -> Option<(&[u8], &[u8])> {
    let sequence = only(SEQUENCE, document)?;
    let (first, rest) = element(INTEGER, sequence)?;
    let second = only(INTEGER, rest)?;
    Some((without_sign(first), without_sign(second)))
}

/// The key of its own format inside a `PrivateKeyInfo` (RFC 5208 section 5).
pub(crate) fn inner_private_key(document: &[u8]) -> Option<&[u8]> {
    let (_, rest) = element(INTEGER, only(SEQUENCE, document)?)?;
    let (_, rest) = element(SEQUENCE, rest)?;
    Some(element(OCTET_STRING, rest)?.0)
}

/// An element with this tag.
pub(crate) fn tagged(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut made = vec![tag];
    match u8::try_from(content.len()) {
        Ok(length) if length < 0x80 => made.push(length),
        _ => {
            let length = content.len().to_be_bytes();
            let zeros = length.iter().take_while(|byte| **byte == 0).count();
            made.push(0x80 | u8::try_from(length.len() - zeros).unwrap_or(u8::MAX));
            made.extend(length.iter().skip(zeros));
        }
    }
    made.extend_from_slice(content);
    made
}

/// A positive number, given as bytes, the greatest first.
pub(crate) fn number(bytes: &[u8]) -> Vec<u8> {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    let bytes = bytes.get(zeros..).unwrap_or_default();
    // A leading one would be a sign, and zero has one byte.
    let padded = bytes.first().is_none_or(|first| *first >= 0x80);
    let content = [if padded { &[0][..] } else { &[] }, bytes].concat();
    tagged(INTEGER, &content)
}

fn without_sign(number: &[u8]) -> &[u8] {
    number.strip_prefix(&[0]).unwrap_or(number)
}
