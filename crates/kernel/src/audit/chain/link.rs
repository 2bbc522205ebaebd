//! The link at the end of a line, which binds it to the line before.
//!
//! It is the last member of the line's object, and always spelt the same way, so that it can be found from the line's end
//! and read back byte for byte:
//!
//! `,"chain":{"id":"4f1c2d3e","run":1764158000123,"seq":42,"prev":"<64 hex>","mac":"<32 hex>"}}`
//!
//! Between `prev` and `mac` stand, where they say something: `"after":"RUN:SEQ"`, `"first":true`, `"torn":N`, `"lost":N`.
//! `docs/decisions/0011-audit-chain.md` tells what each is for.

use std::fmt;
use std::str::FromStr;

use coffer_crypto::{HmacKey, Secret, hkdf_sha256};
use serde::{Deserialize, Serialize};

/// The longest link, in bytes; its beginning is looked for this far from the line's end.
pub(super) const LINK_BYTES_MAX: usize = 512;
/// What follows the code at the end of a line: the quote and two braces.
pub(super) const CLOSE: &[u8] = b"\"}}";
/// The code and all behind it, in bytes.
pub(super) const MAC_TAIL_BYTES: usize = 32 + CLOSE.len();
const OPEN: &[u8] = b",\"chain\":{";
const MAC: &str = ",\"mac\":\"";

/// Which device's chain it is: the first eight digits of the device's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChainId(u32);

/// Where a line stands in its chain. Later lines are greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    /// When the device began to write: milliseconds since 1970, or one more than the run before.
    pub run: u64,
    /// Counts the lines that were tried in this run, from 1.
    pub seq: u64,
}

/// A place, and the SHA-256 of the whole line there, link included, line break not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Where it is.
    #[serde(flatten)]
    pub place: Place,
    /// What is there.
    #[serde(with = "hex::serde")]
    pub hash: [u8; 32],
}

/// The last line of a chain, in words that can be kept elsewhere: `ID:RUN:SEQ:SHA256`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Whose it is.
    pub chain: ChainId,
    /// What is known.
    pub mark: Mark,
}

/// The key of a chain's codes. Who has it can check each line alone, and could forge lines.
#[derive(Clone)]
pub struct ChainKey {
    chain: ChainId,
    bytes: Secret<[u8; 32]>,
    hmac: HmacKey,
}

/// What a link says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Link {
    pub chain: ChainId,
    pub place: Place,
    /// The hash of the last line that was certainly written; zeros where there is none.
    pub prev: [u8; 32],
    /// Until a run has written a line: the place of the line that `prev` is the hash of.
    pub after: Option<Place>,
    /// It is the first line of its file.
    pub first: bool,
    /// How many broken lines before it are what a crash or a full disk left of lines.
    pub torn: u64,
    /// How many lines before it were tried or given up, and may be missing.
    pub lost: u64,
}

/// A link as it was found, with the code that proves it.
#[derive(Debug)]
pub(super) struct Found {
    pub link: Link,
    pub mac: [u8; 16],
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Spelt<'a> {
    id: &'a str,
    run: u64,
    seq: u64,
    prev: &'a str,
    after: Option<&'a str>,
    #[serde(default)]
    first: bool,
    #[serde(default)]
    torn: u64,
    #[serde(default)]
    lost: u64,
    mac: &'a str,
}

/// What is not of the form it should have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Misspelt {
    /// A head.
    #[error("a head is written ID:RUN:SEQ:SHA256, as \"coffer audit chain\" shows it")]
    Head,
    /// A key.
    #[error("a chain's key is written ID:BASE64, as \"coffer audit chain -key\" shows it")]
    Key,
}

impl Link {
    /// The text of the link up to its code.
    pub fn open(&self) -> String {
        use fmt::Write as _;
        let Place { run, seq } = self.place;
        let mut text = format!(
            ",\"chain\":{{\"id\":\"{}\",\"run\":{run},\"seq\":{seq},\"prev\":\"{}\"",
            self.chain,
            hex::encode(self.prev)
        );
        // Writing to a text does not fail.
        if let Some(after) = self.after {
            let _ = write!(text, ",\"after\":\"{after}\"");
        }
        if self.first {
            text.push_str(",\"first\":true");
        }
        if self.torn > 0 {
            let _ = write!(text, ",\"torn\":{}", self.torn);
        }
        if self.lost > 0 {
            let _ = write!(text, ",\"lost\":{}", self.lost);
        }
        text.push_str(MAC);
        text
    }

    /// The link at the end of a line, of which at least the last [`LINK_BYTES_MAX`] bytes are given. None where there is no
    /// such link, or where a single byte of it is spelt in another way.
    pub fn at_end(line: &[u8]) -> Option<Found> {
        let from = line.len().saturating_sub(LINK_BYTES_MAX);
        let tail = line.get(from..)?;
        let at = tail.windows(OPEN.len()).rposition(|here| here == OPEN)?;
        let text = std::str::from_utf8(tail.get(at..)?).ok()?;
        let object = text.get(OPEN.len() - 1..text.len().checked_sub(1)?)?;
        let spelt: Spelt<'_> = serde_json::from_str(object).ok()?;
        let mut mac = [0; 16];
        hex::decode_to_slice(spelt.mac, &mut mac).ok()?;
        let link = Self::of(&spelt)?;
        let again = format!("{}{}\"}}}}", link.open(), hex::encode(mac));
        (again == text).then_some(Found { link, mac })
    }

    fn of(spelt: &Spelt<'_>) -> Option<Self> {
        let mut prev = [0; 32];
        hex::decode_to_slice(spelt.prev, &mut prev).ok()?;
        Some(Self {
            chain: spelt.id.parse().ok()?,
            place: Place {
                run: spelt.run,
                seq: spelt.seq,
            },
            prev,
            after: spelt.after.map(str::parse).transpose().ok()?,
            first: spelt.first,
            torn: spelt.torn,
            lost: spelt.lost,
        })
    }
}

impl ChainKey {
    /// The chain's key of a device with this id and this key of its own. From the one nobody gets the other.
    pub(in crate::audit) fn derive(device_id: &str, device_key: &[u8]) -> Self {
        let mut bytes = [0; 32];
        // 32 bytes are within the bounds of HKDF.
        let _ = hkdf_sha256(device_key, b"", b"coffer.audit.chain.v1", &mut bytes);
        let digits = device_id.get(..8).unwrap_or_default();
        Self::new(digits.parse().unwrap_or(ChainId(0)), Secret::from(bytes))
    }

    fn new(chain: ChainId, bytes: Secret<[u8; 32]>) -> Self {
        Self {
            chain,
            hmac: HmacKey::from(&bytes),
            bytes,
        }
    }

    /// Whose key it is.
    pub fn chain(&self) -> ChainId {
        self.chain
    }

    /// The code of a line: HMAC-SHA-256, cut to its first 128 bits, of the SHA-256 of all that stands before the code.
    pub(super) fn code(&self, before: &[u8; 32]) -> [u8; 16] {
        let mut code = [0; 16];
        for (to, from) in code.iter_mut().zip(self.hmac.sign(before)) {
            *to = from;
        }
        code
    }

    /// Its text, `ID:BASE64`.
    pub fn expose(&self) -> Secret<String> {
        use base64::Engine as _;
        let text = base64::engine::general_purpose::STANDARD.encode(self.bytes.expose());
        Secret::from(format!("{}:{text}", self.chain))
    }
}

impl FromStr for ChainKey {
    type Err = Misspelt;

    fn from_str(text: &str) -> Result<Self, Misspelt> {
        use base64::Engine as _;
        let (chain, key) = text.trim().split_once(':').ok_or(Misspelt::Key)?;
        let decoded = base64::engine::general_purpose::STANDARD.decode(key);
        let decoded = coffer_crypto::Zeroizing::new(decoded.map_err(|_| Misspelt::Key)?);
        let bytes: [u8; 32] = decoded.as_slice().try_into().map_err(|_| Misspelt::Key)?;
        let chain = chain.parse().map_err(|_| Misspelt::Key)?;
        Ok(Self::new(chain, Secret::from(bytes)))
    }
}

impl fmt::Debug for ChainKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ChainKey({})", self.chain)
    }
}

impl fmt::Display for ChainId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

impl FromStr for ChainId {
    type Err = Misspelt;

    fn from_str(text: &str) -> Result<Self, Misspelt> {
        let digits = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if text.len() != 8 || !text.bytes().all(digits) {
            return Err(Misspelt::Head);
        }
        let id = u32::from_str_radix(text, 16);
        id.map(Self).map_err(|_| Misspelt::Head)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.run, self.seq)
    }
}

impl FromStr for Place {
    type Err = Misspelt;

    fn from_str(text: &str) -> Result<Self, Misspelt> {
        let (run, seq) = text.split_once(':').ok_or(Misspelt::Head)?;
        let number = |text: &str| text.parse().map_err(|_| Misspelt::Head);
        Ok(Self {
            run: number(run)?,
            seq: number(seq)?,
        })
    }
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Mark { place, hash } = self.mark;
        write!(f, "{}:{place}:{}", self.chain, hex::encode(hash))
    }
}

impl FromStr for Head {
    type Err = Misspelt;

    fn from_str(text: &str) -> Result<Self, Misspelt> {
        let (chain, rest) = text.trim().split_once(':').ok_or(Misspelt::Head)?;
        let (place, digits) = rest.rsplit_once(':').ok_or(Misspelt::Head)?;
        let mut hash = [0; 32];
        hex::decode_to_slice(digits, &mut hash).map_err(|_| Misspelt::Head)?;
        Ok(Self {
            chain: chain.parse()?,
            mark: Mark {
                place: place.parse()?,
                hash,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn link() -> Link {
        Link {
            chain: ChainId(0x4f1c_2d3e),
            place: Place { run: 7, seq: 42 },
            prev: [0xab; 32],
            after: None,
            first: false,
            torn: 0,
            lost: 0,
        }
    }

    fn line(link: &Link) -> String {
        format!("{{\"a\":{{}}{}{}\"}}}}", link.open(), "0f".repeat(16))
    }

    #[test]
    fn a_link_is_read_back_as_it_was_written() {
        let plain = link();
        let text = line(&plain);
        let expected = format!(
            "{{\"a\":{{}},\"chain\":{{\"id\":\"4f1c2d3e\",\"run\":7,\"seq\":42,\"prev\":\"{}\",\"mac\":\"{}\"}}}}",
            "ab".repeat(32),
            "0f".repeat(16)
        );
        assert_eq!(text, expected);
        let longest = Link {
            place: Place {
                run: u64::MAX,
                seq: u64::MAX,
            },
            after: Some(Place {
                run: u64::MAX,
                seq: u64::MAX,
            }),
            first: true,
            torn: u64::MAX,
            lost: u64::MAX,
            ..link()
        };
        assert!(longest.open().len() + MAC_TAIL_BYTES <= LINK_BYTES_MAX);
        for link in [plain, longest] {
            let found = Link::at_end(line(&link).as_bytes()).unwrap();
            assert_eq!((found.link, found.mac), (link, [0x0f; 16]));
        }
    }

    #[test]
    fn other_spellings_are_no_links() {
        let text = line(&link());
        for (from, to) in [
            ("\"seq\":42", "\"seq\": 42"),
            ("\"seq\":42", "\"seq\":042"),
            ("4f1c", "4F1C"),
            ("\"mac\":\"0f", "\"mac\":\"0F"),
            ("\"prev\"", "\"torn\":0,\"prev\""),
            ("\"prev\"", "\"more\":1,\"prev\""),
            ("\"chain\"", "\"train\""),
            ("\"}}", "\"}} "),
        ] {
            let changed = text.replacen(from, to, 1);
            assert_ne!(changed, text);
            assert!(Link::at_end(changed.as_bytes()).is_none(), "{changed}");
        }
        assert!(Link::at_end(b"").is_none() && Link::at_end(b"{}").is_none());
        assert!(Link::at_end(&text.as_bytes()[..text.len() - 1]).is_none());
    }

    #[test]
    fn heads_and_keys_are_texts() {
        let head = Head {
            chain: ChainId(1),
            mark: Mark {
                place: Place { run: 3, seq: 9 },
                hash: [0x11; 32],
            },
        };
        let text = head.to_string();
        assert_eq!(text, format!("00000001:3:9:{}", "11".repeat(32)));
        assert_eq!(text.parse(), Ok(head));
        for wrong in ["", "1:3:9:11", &text[1..], &text.replace(":9:", ":x:")] {
            assert_eq!(wrong.parse::<Head>(), Err(Misspelt::Head), "{wrong}");
        }
        let key = ChainKey::derive("0000002a-0000-4000-8000-000000000000", &[7; 32]);
        let again: ChainKey = key.expose().expose().parse().unwrap();
        assert_eq!(again.chain().to_string(), "0000002a");
        assert_eq!(again.code(&[1; 32]), key.code(&[1; 32]));
        let other = ChainKey::derive("0000002a-0000-4000-8000-000000000000", &[8; 32]);
        assert_ne!(other.code(&[1; 32]), key.code(&[1; 32]));
        assert!("0000002a:AAAA".parse::<ChainKey>().is_err() && !format!("{key:?}").contains('='));
    }

    proptest! {
        #[test]
        fn any_bytes_can_be_looked_at(bytes in proptest::collection::vec(any::<u8>(), 0..700)) {
            let _ = Link::at_end(&bytes);
            let mut after = OPEN.to_vec();
            after.extend(&bytes);
            let _ = Link::at_end(&after);
        }
    }
}
