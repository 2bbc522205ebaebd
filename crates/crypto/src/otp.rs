//! One-time passwords: RFC 4226 and RFC 6238.

use aws_lc_rs::hmac;
use zeroize::Zeroizing;

/// The hash inside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OtpHash {
    /// SHA-1, which every authenticator knows. What it lacks does not matter inside HMAC.
    #[default]
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

/// The password of a counter (RFC 4226 section 5.3) with so many decimal digits, at most nine.
///
/// For a password by time the counter is the number of periods since 1970 (RFC 6238 section 4.2).
#[must_use]
pub fn one_time_password(
    key: &[u8],
    hash: OtpHash,
    counter: u64,
    digits: u32,
) -> Zeroizing<String> {
    let algorithm = match hash {
        OtpHash::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        OtpHash::Sha256 => hmac::HMAC_SHA256,
        OtpHash::Sha512 => hmac::HMAC_SHA512,
    };
    let key = hmac::Key::new(algorithm, key);
    let tag = hmac::sign(&key, &counter.to_be_bytes());
    let tag = tag.as_ref();
    let offset = tag.last().map_or(0, |last| usize::from(last & 0xf));
    let chosen = tag.iter().skip(offset).take(4);
    let number = chosen.fold(0u32, |number, byte| number << 8 | u32::from(*byte)) & 0x7fff_ffff;
    let digits = digits.min(9);
    let width = usize::try_from(digits).unwrap_or_default();
    Zeroizing::new(format!("{:0width$}", number % 10u32.pow(digits)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_has_its_length() {
        for digits in [0, 1, 6, 8, 9, 40] {
            let made = one_time_password(b"key", OtpHash::Sha1, u64::MAX, digits);
            assert_eq!(made.len(), usize::try_from(digits.clamp(1, 9)).unwrap());
        }
    }
}
