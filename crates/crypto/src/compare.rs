//! Equality in constant time.

use subtle::ConstantTimeEq;

/// Whether two byte strings are equal, in a time that depends on their lengths only and not on where they differ.
///
/// Different lengths answer at once: compare hashes or fixed-length values where the length itself is secret.
#[must_use]
pub fn constant_time_eq(left: &[u8], right: &[u8]) -> bool {
    left.ct_eq(right).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_only_when_all_bytes_are() {
        assert!(constant_time_eq(b"", b""));
        assert!(constant_time_eq(b"abc", b"abc"));
        assert!(!constant_time_eq(b"abc", b"abd"));
        assert!(!constant_time_eq(b"abc", b"ab"));
    }
}
