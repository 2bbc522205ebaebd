//! Long numbers as people write them.

/// The digits of a number that is big-endian.
pub(super) fn of(bytes: &[u8]) -> String {
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
    use proptest::prelude::*;

    #[test]
    fn known_numbers() {
        assert_eq!(super::of(&[]), "0");
        assert_eq!(super::of(&[1, 0]), "256");
        let serial = hex::decode("4d002d645071fb4bb8f18d51d6a96ff877125aeb").unwrap();
        assert_eq!(
            super::of(&serial),
            "439596243541469330762865193789796090711035239147"
        );
    }

    proptest! {
        #[test]
        fn as_the_library_has_it(number: u128) {
            prop_assert_eq!(super::of(&number.to_be_bytes()), number.to_string());
        }
    }
}
