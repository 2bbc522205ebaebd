//! What an event is called: its number, and the log that counts it.

use std::fmt;
use std::str::FromStr;

use coffer_crypto::Random;

/// How many bits of a UUID of version 8 lie before, between and behind its fixed ones.
const HIGH_BITS: u32 = 48;
const MIDDLE_BITS: u32 = 12;
const MARK_BITS: u32 = 62;
/// The greatest number that has room.
pub(super) const NUMBER_MAX: u64 = (1 << (HIGH_BITS + MIDDLE_BITS)) - 1;
/// How long the text is.
pub(super) const TEXT_BYTES: usize = 36;
/// Where its hyphens are.
const HYPHENS: [usize; 4] = [8, 13, 18, 23];

/// The place of an event in its log, as a UUID (version 8, RFC 9562): the number of the event, then the mark of the log. Within a log
/// ids are in the order of their texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EventId {
    number: u64,
    mark: Mark,
}

/// What tells a log from others: random bits, made with the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Mark(u64);

/// The text is not an event's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is not the id of an event")]
pub struct NotAnId;

impl EventId {
    pub(super) fn new(mark: Mark, number: u64) -> Self {
        let number = number.min(NUMBER_MAX);
        Self { number, mark }
    }

    /// Its number: the events of a log are counted from 1, with gaps where a server was not stopped in order.
    pub fn number(self) -> u64 {
        self.number
    }

    /// The log.
    pub fn mark(self) -> Mark {
        self.mark
    }

    fn bits(self) -> u128 {
        let high = u128::from(self.number >> MIDDLE_BITS);
        let middle = u128::from(self.number & ((1 << MIDDLE_BITS) - 1));
        (high << 80)
            | (0b1000 << 76)
            | (middle << 64)
            | (0b10 << MARK_BITS)
            | u128::from(self.mark.0)
    }
}

impl Mark {
    pub(super) fn new(random: &Random) -> Self {
        Self::from_bits(u64::from_be_bytes(random.bytes::<8>()))
    }

    /// Only what has room in an id.
    pub(super) fn from_bits(bits: u64) -> Self {
        Self(bits & ((1 << MARK_BITS) - 1))
    }

    pub(super) fn bits(self) -> u64 {
        self.0
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bits = self.bits();
        let part = |shift: u32, digits: u32| (bits >> shift) & ((1 << (4 * digits)) - 1);
        write!(
            f,
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            part(96, 8),
            part(80, 4),
            part(64, 4),
            part(48, 4),
            part(0, 12)
        )
    }
}

impl FromStr for EventId {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        if text.len() != TEXT_BYTES {
            return Err(NotAnId);
        }
        let mut bits: u128 = 0;
        for (at, byte) in text.bytes().enumerate() {
            match char::from(byte).to_digit(16) {
                Some(digit) if !HYPHENS.contains(&at) => bits = (bits << 4) | u128::from(digit),
                None if byte == b'-' && HYPHENS.contains(&at) => {}
                _ => return Err(NotAnId),
            }
        }
        let part = |shift: u32, mask: u64| u64::try_from(bits >> shift & u128::from(mask));
        let high = part(80, (1 << HIGH_BITS) - 1).map_err(|_| NotAnId)?;
        let middle = part(64, (1 << MIDDLE_BITS) - 1).map_err(|_| NotAnId)?;
        let mark = part(0, (1 << MARK_BITS) - 1).map_err(|_| NotAnId)?;
        let id = Self::new(Mark(mark), (high << MIDDLE_BITS) | middle);
        match id.bits() == bits {
            true => Ok(id),
            false => Err(NotAnId), // Its version or variant is another one.
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn ids_are_read_as_they_were_written(number in 0..=NUMBER_MAX, mark: u64) {
            let id = EventId::new(Mark::from_bits(mark), number);
            let text = id.to_string();
            prop_assert_eq!(text.len(), TEXT_BYTES);
            prop_assert_eq!(text.parse(), Ok(id));
            prop_assert_eq!(text.to_uppercase().parse(), Ok(id));
            prop_assert_eq!((id.number(), id.mark()), (number, Mark::from_bits(mark)));
        }

        #[test]
        fn ids_of_a_log_are_in_the_order_of_their_texts(one in 0..=NUMBER_MAX, other in 0..=NUMBER_MAX, mark: u64) {
            let text = |number| EventId::new(Mark::from_bits(mark), number).to_string();
            prop_assert_eq!(text(one).cmp(&text(other)), one.cmp(&other));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,40}") {
            let _ = text.parse::<EventId>();
        }

        #[test]
        fn what_looks_alike_is_read_or_refused(text in "[0-9a-fA-F-]{36}") {
            if let Ok(id) = text.parse::<EventId>() {
                prop_assert_eq!(id.to_string(), text.to_lowercase());
            }
        }
    }

    #[test]
    fn other_uuids_are_refused() {
        for text in [
            "",
            "0",
            "901f2388-aabb-a385-7bc0-0b09d5fa060a",
            "00000000-0000-0000-0000-000000000000",
            "00000000-0000-4000-8000-000000000001",
            "00000000-0000-8000-c000-000000000001",
            "00000000_0000-8000-8000-000000000001",
            "00000000-0000-8000-8000-00000000000é",
        ] {
            assert_eq!(text.parse::<EventId>(), Err(NotAnId), "{text}");
        }
    }
}
