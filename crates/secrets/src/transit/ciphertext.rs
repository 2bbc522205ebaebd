//! `vault:v3:…`: what was made, and by which version of a key.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use coffer_crypto::{WipingBuffer, Zeroizing};

use super::encoded::{Malformed, decode};
use super::key::Key;
use super::results::write_base64;

/// What stands before the version.
const PREFIX: &str = "vault:v";

/// A text with its version, before it was looked at closer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Versioned<'a> {
    /// The version; the first is 1.
    pub(super) version: u32,
    /// The content, before it is decoded.
    pub(super) encoded: &'a str,
}

/// Why a text is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Misshapen {
    /// It does not begin as it has to.
    Prefix,
    /// It has no version and content.
    Fields,
    /// The version is no number.
    Number,
    /// The key has no such version yet.
    New,
    /// That version may no more be used.
    Old,
}

impl<'a> Versioned<'a> {
    /// The version that encrypted a text, if the key has it and may use it still. What was encrypted before there were
    /// versions bears a 0 and is of the first.
    pub(super) fn parse(text: &'a str, key: &Key) -> Result<Self, Misshapen> {
        Self::of(text, key, 1)
    }

    /// The version that made a code or a signature, if the key has it and may use it still.
    pub(super) fn parse_code(text: &'a str, key: &Key) -> Result<Self, Misshapen> {
        Self::of(text, key, 0)
    }

    fn of(text: &'a str, key: &Key, zeroth: i64) -> Result<Self, Misshapen> {
        let rest = text.strip_prefix(PREFIX).ok_or(Misshapen::Prefix)?;
        let (number, encoded) = rest.split_once(':').ok_or(Misshapen::Fields)?;
        let number: i64 = number.parse().map_err(|_| Misshapen::Number)?;
        let number = if number == 0 { zeroth } else { number };
        match u32::try_from(number) {
            Ok(version) if version > key.latest_version => Err(Misshapen::New),
            Ok(version) if key.working().contains(&version) => Ok(Self { version, encoded }),
            Err(_) if number > 0 => Err(Misshapen::New),
            _ => Err(Misshapen::Old),
        }
    }

    /// The content.
    pub(super) fn decode(&self) -> Result<Zeroizing<Vec<u8>>, Malformed> {
        decode(self.encoded)
    }
}

impl Misshapen {
    /// In words about a ciphertext.
    pub(super) fn of_ciphertext(self) -> &'static str {
        match self {
            Self::Prefix => "invalid ciphertext: no prefix",
            Self::Fields => "invalid ciphertext: wrong number of fields",
            Self::Number => "invalid ciphertext: version number could not be decoded",
            Self::New => "invalid ciphertext: version is too new",
            Self::Old => "ciphertext or signature version is disallowed by policy (too old)",
        }
    }

    /// In words about the code of an input.
    pub(super) fn of_hmac(self) -> &'static str {
        match self {
            Self::Prefix => "invalid HMAC to verify: no prefix",
            Self::Fields => "invalid HMAC: wrong number of fields",
            Self::Number => "invalid HMAC: version number could not be decoded",
            Self::New => "invalid HMAC: version is too new",
            Self::Old => "cannot verify HMAC: version is too old (disallowed by policy)",
        }
    }
}

/// The text for what a version made.
pub(super) fn format(version: u32, bytes: &[u8]) -> String {
    format!("{PREFIX}{version}:{}", STANDARD.encode(bytes))
}

/// Writes the text for what a version made. It has no character that JSON would escape.
pub(super) fn write(to: &mut WipingBuffer, version: u32, bytes: &[u8]) {
    to.extend(PREFIX.as_bytes());
    to.extend(version.to_string().as_bytes());
    to.extend(b":");
    write_base64(to, bytes);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::transit::keys::Wish;

    fn key(latest: u32, least: u32) -> Key {
        Key {
            latest_version: latest,
            min_decryption_version: least,
            ..Wish::default().key("id".to_owned(), coffer_wire::Timestamp::EPOCH)
        }
    }

    /// What the reference said to each, of a key with one version.
    #[test]
    fn what_is_no_ciphertext_is_told_apart() {
        for (text, why) in [
            ("x", Misshapen::Prefix),
            ("vault:x1:AAAA", Misshapen::Prefix),
            ("vault:v1", Misshapen::Fields),
            ("vault:vx:AAAA", Misshapen::Number),
            ("vault:v:AAAA", Misshapen::Number),
            ("vault:v99999999999999999999:AAAA", Misshapen::Number),
            ("vault:v9999999999:AAAA", Misshapen::New),
            ("vault:v2:AAAA", Misshapen::New),
            ("vault:v-1:AAAA", Misshapen::Old),
        ] {
            assert_eq!(Versioned::parse(text, &key(1, 1)), Err(why), "{text}");
        }
        for text in ["vault:v1:AAAA", "vault:v0:AAAA", "vault:v+1:AAAA"] {
            assert_eq!(Versioned::parse(text, &key(1, 1)).unwrap().version, 1);
        }
        assert_eq!(
            Versioned::parse("vault:v1:AAAA", &key(3, 2)),
            Err(Misshapen::Old)
        );
        assert_eq!(
            Versioned::parse_code("vault:v0:AAAA", &key(1, 1)),
            Err(Misshapen::Old)
        );
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".{0,64}", number in any::<i64>(), latest in 1..9u32, least in 1..9u32) {
            let key = key(latest, least);
            let _ = Versioned::parse(&text, &key);
            let text = format!("vault:v{number}:{text}");
            if let Ok(made) = Versioned::parse(&text, &key) {
                prop_assert!(key.working().contains(&made.version));
            }
        }

        #[test]
        fn what_is_written_is_read(bytes in proptest::collection::vec(any::<u8>(), 0..200), version in 1..9u32) {
            let key = key(9, 1);
            let text = format(version, &bytes);
            let mut written = WipingBuffer::new();
            write(&mut written, version, &bytes);
            prop_assert_eq!(written.as_slice(), text.as_bytes());
            let made = Versioned::parse(&text, &key).unwrap();
            prop_assert_eq!(made.version, version);
            prop_assert_eq!(made.decode().unwrap().to_vec(), bytes);
        }
    }
}
