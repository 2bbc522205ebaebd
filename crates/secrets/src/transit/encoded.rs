//! Base64 as clients send it.

use std::fmt;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use coffer_crypto::Zeroizing;
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer};

/// Go's decoder does not look at the bits that no byte needs, and clients were written against it.
const ENGINE: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

/// Bytes that came as base64, or where the text went wrong. They are wiped; the text is not copied.
#[derive(Clone)]
pub(super) struct Encoded(Result<Zeroizing<Vec<u8>>, Malformed>);

/// A text that is no base64.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("illegal base64 data at input byte {0}")]
pub(super) struct Malformed(usize);

impl Encoded {
    /// The bytes.
    pub(super) fn bytes(&self) -> Result<&[u8], Malformed> {
        match &self.0 {
            Ok(bytes) => Ok(bytes),
            Err(malformed) => Err(*malformed),
        }
    }

    /// Whether nothing was sent.
    pub(super) fn is_empty(&self) -> bool {
        self.0.as_ref().is_ok_and(|bytes| bytes.is_empty())
    }
}

impl Default for Encoded {
    fn default() -> Self {
        Self(Ok(Zeroizing::default()))
    }
}

/// Decodes a text, in which line ends do not count.
pub(super) fn decode(text: &str) -> Result<Zeroizing<Vec<u8>>, Malformed> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len() / 4 * 3 + 3));
    if ENGINE.decode_vec(text, &mut bytes).is_ok() {
        return Ok(bytes);
    }
    let malformed = Malformed(culprit(text.as_bytes()));
    if !text.contains(['\r', '\n']) {
        return Err(malformed);
    }
    let joined = Zeroizing::new(text.replace(['\r', '\n'], ""));
    bytes.clear();
    match ENGINE.decode_vec(joined.as_str(), &mut bytes) {
        Ok(()) => Ok(bytes),
        Err(_) => Err(malformed),
    }
}

/// Where a text is no base64 any more, counted as Go does.
fn culprit(text: &[u8]) -> usize {
    let mut at_group = 0;
    let mut places = text.iter().enumerate();
    while let Some((at, byte)) = places.next() {
        match byte {
            b'\r' | b'\n' => {}
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' => at_group = (at_group + 1) % 4,
            b'=' if at_group >= 2 => {
                let mut rest = places.filter(|(_, byte)| !matches!(byte, b'\r' | b'\n'));
                if at_group == 2 {
                    match rest.next() {
                        Some((_, b'=')) => {}
                        Some((at, _)) => return at,
                        None => return text.len(),
                    }
                }
                return rest.next().map_or(text.len(), |(at, _)| at);
            }
            _ => return at,
        }
    }
    text.len() - at_group
}

impl fmt::Debug for Encoded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Encoded(redacted)")
    }
}

impl<'de> Deserialize<'de> for Encoded {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Text)
    }
}

/// Takes texts, and what clients send where a text is meant.
struct Text;

impl Visitor<'_> for Text {
    type Value = Encoded;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("base64 text")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Encoded, E> {
        Ok(Encoded(decode(text)))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Encoded, E> {
        Ok(Encoded(decode(&number.to_string())))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Encoded, E> {
        Ok(Encoded(decode(&number.to_string())))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Encoded, E> {
        Ok(Encoded(decode(&number.to_string())))
    }

    fn visit_bool<E: de::Error>(self, flag: bool) -> Result<Encoded, E> {
        Ok(Encoded(decode(if flag { "1" } else { "0" })))
    }

    fn visit_unit<E: de::Error>(self) -> Result<Encoded, E> {
        Ok(Encoded::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(text: &str) -> Result<Vec<u8>, usize> {
        decode(text)
            .map(|bytes| bytes.to_vec())
            .map_err(|malformed| malformed.0)
    }

    /// What the reference said to each.
    #[test]
    fn as_go_decodes() {
        for text in ["aGVsbG8=", "aGVsb\nG8=", "aGVs\r\nbG8=\n", "aGVsbG9="] {
            assert_eq!(decoded(text).unwrap(), b"hello", "{text:?}");
        }
        assert_eq!(decoded("").unwrap(), b"");
        for (text, at) in [
            ("not base64!", 3),
            ("aGVsbG8", 4),
            ("!!", 0),
            ("?", 0),
            ("5", 0),
            ("aGVsbG8=x", 8),
            ("aGVs=", 4),
            ("aG=x", 3),
            ("aG=", 3),
        ] {
            assert_eq!(decoded(text), Err(at), "{text:?}");
        }
    }
}
