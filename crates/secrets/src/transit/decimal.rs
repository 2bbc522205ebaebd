//! Large numbers in decimal digits, which others write keys with.

use coffer_crypto::Zeroizing;

/// The most digits of a number that is read: of a modulus of 8,192 bits.
const DIGITS_MAX: usize = 2_467;
/// A digit of the base that is computed in, which has nine decimal ones.
const BASE: u64 = 1_000_000_000;

/// The digits of a number whose bytes these are, the greatest first.
pub(super) fn digits(bytes: &[u8]) -> Zeroizing<String> {
    // The least first.
    let mut groups: Zeroizing<Vec<u64>> = Zeroizing::new(Vec::with_capacity(bytes.len() / 3 + 1));
    for byte in bytes {
        let mut carry = u64::from(*byte);
        for group in groups.iter_mut() {
            let value = *group * 256 + carry;
            *group = value % BASE;
            carry = value / BASE;
        }
        if carry > 0 {
            groups.push(carry);
        }
    }
    let mut text = Zeroizing::new(String::with_capacity(groups.len() * 9 + 1));
    for group in groups.iter().rev() {
        let part = Zeroizing::new(match text.is_empty() {
            true => group.to_string(),
            false => format!("{group:09}"),
        });
        text.push_str(&part);
    }
    if text.is_empty() {
        text.push('0');
    }
    text
}

/// The bytes of a number in decimal digits, the greatest first and none of them zero in front.
pub(super) fn bytes(digits: &str) -> Option<Zeroizing<Vec<u8>>> {
    let plain = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    if !plain || digits.len() > DIGITS_MAX {
        return None;
    }
    // The least first.
    let mut bytes: Zeroizing<Vec<u8>> = Zeroizing::new(Vec::with_capacity(digits.len() / 2 + 1));
    for digit in digits.bytes() {
        let mut carry = u16::from(digit - b'0');
        for byte in bytes.iter_mut() {
            let [high, low] = (u16::from(*byte) * 10 + carry).to_be_bytes();
            *byte = low;
            carry = u16::from(high);
        }
        if carry > 0 {
            bytes.push(carry.to_be_bytes()[1]);
        }
    }
    bytes.reverse();
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn small_numbers_and_what_is_none() {
        for (number, text) in [(&[][..], "0"), (&[0], "0"), (&[7], "7"), (&[1, 0], "256")] {
            assert_eq!(*digits(number), text);
        }
        let sixteen = [0xff; 16];
        assert_eq!(*digits(&sixteen), u128::MAX.to_string());
        assert_eq!(*bytes(&u128::MAX.to_string()).unwrap(), sixteen);
        assert_eq!(*digits(&1_000_000_000u64.to_be_bytes()), "1000000000");
        assert!(bytes("0").unwrap().is_empty());
        for text in [
            "",
            "-1",
            "1.5",
            "1e3",
            "0x1",
            " 1",
            &"9".repeat(DIGITS_MAX + 1),
        ] {
            assert!(bytes(text).is_none(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn there_and_back(mut number in prop::collection::vec(any::<u8>(), 0..600)) {
            let text = digits(&number);
            let zeros = number.iter().take_while(|byte| **byte == 0).count();
            number.drain(..zeros);
            prop_assert_eq!(&*bytes(&text).unwrap(), &number);
        }
    }
}
