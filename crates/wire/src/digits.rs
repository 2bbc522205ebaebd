//! Long numbers as people write them: the serial numbers of certificates.

/// The digits of a number that is big-endian.
#[must_use]
pub fn digits(bytes: &[u8]) -> String {
    // Groups of nine digits, the lowest first.
    let mut groups: Vec<u32> = vec![0];
    for byte in bytes {
        let mut carry = u64::from(*byte);
        for group in &mut groups {
            let value = (u64::from(*group) << 8) + carry;
            *group = u32::try_from(value % GROUP).unwrap_or_default();
            carry = value / GROUP;
        }
        if carry > 0 {
            groups.push(u32::try_from(carry).unwrap_or_default());
        }
    }
    let mut groups = groups.into_iter().rev();
    let highest = groups.next().unwrap_or_default().to_string();
    groups.fold(highest, |text, group| format!("{text}{group:09}"))
}

const GROUP: u64 = 1_000_000_000;

#[cfg(test)]
mod tests {
    #[test]
    fn known_numbers() {
        assert_eq!(super::digits(&[]), "0");
        assert_eq!(super::digits(&[1, 0]), "256");
        let serial = 0x4d00_2d64_5071_fb4b_b8f1_8d51_d6a9_6ff8_u128.to_be_bytes();
        let serial = [&serial[..], &[0x77, 0x12, 0x5a, 0xeb]].concat();
        assert_eq!(
            super::digits(&serial),
            "439596243541469330762865193789796090711035239147"
        );
    }

    #[test]
    fn as_the_library_has_it() {
        let mut number = 1_u128;
        for step in 0..200_u128 {
            number = number.wrapping_mul(1_000_003).wrapping_add(step);
            for number in [number, number >> 61, number >> 100] {
                assert_eq!(super::digits(&number.to_be_bytes()), number.to_string());
            }
        }
    }
}
