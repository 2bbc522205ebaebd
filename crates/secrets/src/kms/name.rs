//! How requests name a key: by its id, or by an alias.
//!
//! Policy is decided on the path, so there is one spelling of each name only.

use std::fmt;

use coffer_crypto::Random;
use coffer_engine::Fault;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::exception::Exception;

/// The longest alias, with `alias/` in front.
const MAX_ALIAS_BYTES: usize = 256;
/// What every alias begins with in the protocol.
const PREFIX: &str = "alias/";
/// What aliases of the provider's own keys begin with.
const RESERVED: &str = "aws/";

/// The id of a key: a UUID, written in lower case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct KeyId([u8; 16]);

/// An alias, without `alias/` in front.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Alias(String);

/// What a path names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum KeyName {
    Id(KeyId),
    Alias(Alias),
}

impl KeyName {
    /// What stands for `{key}` in a path: an id, or `alias:NAME` with `:` for each `/` of the name.
    pub(super) fn parse(segment: &str) -> Result<Self, Fault> {
        if let Some(alias) = segment.strip_prefix("alias:") {
            let alias = Alias::of_segment(alias);
            let alias = alias.ok_or_else(|| not_found(format_args!("alias {segment:?}")))?;
            return Ok(Self::Alias(alias));
        }
        let id = KeyId::parse(segment);
        id.map(Self::Id)
            .ok_or_else(|| not_found(format_args!("key {segment:?}")))
    }
}

/// Nothing is there by that name.
pub(super) fn not_found(what: impl fmt::Display) -> Fault {
    Exception::NotFound.because(format!("{what} does not exist"))
}

impl KeyId {
    /// A new one.
    pub(super) fn new(random: &Random) -> Result<Self, Fault> {
        let made = Self::parse(&random.uuid_v4());
        made.ok_or_else(|| Fault::internal("a UUID has another form than expected"))
    }

    /// From the one form it is written in.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let hyphen = |at: usize| matches!(at, 8 | 13 | 18 | 23);
        let mut well = bytes.iter().enumerate();
        let well = bytes.len() == 36
            && well.all(|(at, byte)| match hyphen(at) {
                true => *byte == b'-',
                false => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
            });
        if !well {
            return None;
        }
        let mut id = [0; 16];
        hex::decode_to_slice(text.replace('-', ""), &mut id).ok()?;
        Some(Self(id))
    }

    /// From the bytes in a ciphertext.
    pub(super) fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// As it stands in a ciphertext.
    pub(super) fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = hex::encode(self.0);
        for (at, character) in text.chars().enumerate() {
            if matches!(at, 8 | 12 | 16 | 20) {
                f.write_str("-")?;
            }
            write!(f, "{character}")?;
        }
        Ok(())
    }
}

impl Serialize for KeyId {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for KeyId {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        Self::parse(&text).ok_or_else(|| de::Error::custom("expected the id of a key"))
    }
}

impl Alias {
    /// A name that somebody wants to give.
    ///
    /// # Errors
    /// Says what is wrong with it: characters, length, or that it is reserved.
    pub(super) fn new(segment: &str) -> Result<Self, Fault> {
        let alias = Self::of_segment(segment).ok_or_else(|| {
            Exception::InvalidAliasName.because(
                "an alias has letters, digits, `_`, `-` and `/` (`:` in paths), 250 at most",
            )
        })?;
        match alias.0.starts_with(RESERVED) {
            true => Err(Exception::InvalidAliasName
                .because("aliases that begin with alias/aws/ are reserved")),
            false => Ok(alias),
        }
    }

    /// The name that a segment of a path stands for, if it can be one.
    pub(super) fn of_segment(segment: &str) -> Option<Self> {
        let length = PREFIX.len() + 1..=MAX_ALIAS_BYTES;
        let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b':');
        let well = segment.bytes().all(known) && length.contains(&(PREFIX.len() + segment.len()));
        well.then(|| Self(segment.replace(':', "/")))
    }

    /// As it stands in a path.
    pub(super) fn segment(&self) -> String {
        self.0.replace('/', ":")
    }
}

impl fmt::Display for Alias {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}", self.0)
    }
}

impl Serialize for Alias {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Alias {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let name = text.strip_prefix(PREFIX).unwrap_or_default();
        Self::of_segment(&name.replace('/', ":"))
            .ok_or_else(|| de::Error::custom("expected an alias"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_one_spelling() {
        let text = "1234abcd-12ab-34cd-56ef-1234567890ab";
        assert_eq!(KeyId::parse(text).unwrap().to_string(), text);
        for other in [
            "1234ABCD-12ab-34cd-56ef-1234567890ab",
            "1234abcd12ab34cd56ef1234567890ab",
            "1234abcd-12ab-34cd-56ef-1234567890a",
            "1234abcd-12ab-34cd-56ef-1234567890abc",
            "1234abcd-12ab-34cd-56ef_1234567890ab",
            "",
        ] {
            assert_eq!(KeyId::parse(other), None, "{other}");
        }
    }

    #[test]
    fn aliases_go_into_paths_and_back() {
        let alias = Alias::new("team:app_1").unwrap();
        assert_eq!(alias.to_string(), "alias/team/app_1");
        assert_eq!(alias.segment(), "team:app_1");
        let text = serde_json::to_string(&alias).unwrap();
        assert_eq!(serde_json::from_str::<Alias>(&text).unwrap(), alias);
        assert!(Alias::new(&"a".repeat(250)).is_ok());
        for wrong in ["", "a b", "a.b", "a/b", "ä", "aws:s3", &"a".repeat(251)] {
            assert!(Alias::new(wrong).is_err(), "{wrong}");
        }
        assert_eq!(
            KeyName::parse("alias:team:app_1").unwrap(),
            KeyName::Alias(alias)
        );
        assert!(KeyName::parse("alias:").is_err());
    }
}
