//! Bytes in requests and answers: base64, wiped when they are dropped.

use std::borrow::Cow;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use coffer_engine::Fault;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use zeroize::Zeroizing;

use super::exception::Exception;

/// The most bytes of a plaintext or message.
pub(super) const MAX_PLAINTEXT_BYTES: usize = 4_096;
/// The most bytes of a ciphertext, signature or wrapped key.
pub(super) const MAX_CIPHERTEXT_BYTES: usize = 6_144;

/// Bytes that travel as standard base64.
#[derive(Clone, Default)]
pub(super) struct Bytes(Zeroizing<Vec<u8>>);

impl Bytes {
    /// The bytes.
    pub(super) fn as_slice(&self) -> &[u8] {
        &self.0
    }

    /// The bytes of a plaintext or message: 1 to 4,096.
    pub(super) fn plaintext(&self, field: &str) -> Result<&[u8], Fault> {
        self.within(field, MAX_PLAINTEXT_BYTES)
    }

    /// The bytes of a ciphertext, signature or wrapped key: 1 to 6,144.
    pub(super) fn ciphertext(&self, field: &str) -> Result<&[u8], Fault> {
        self.within(field, MAX_CIPHERTEXT_BYTES)
    }

    fn within(&self, field: &str, most: usize) -> Result<&[u8], Fault> {
        match self.0.len() {
            0 => Err(Exception::Validation.because(format!("{field} is empty"))),
            length if length > most => Err(Exception::Validation
                .because(format!("{field} has {length} bytes; the limit is {most}"))),
            _ => Ok(&self.0),
        }
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }
}

impl From<Zeroizing<Vec<u8>>> for Bytes {
    fn from(bytes: Zeroizing<Vec<u8>>) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bytes(redacted)")
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&Zeroizing::new(STANDARD.encode(&*self.0)))
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Base64;
        impl de::Visitor<'_> for Base64 {
            type Value = Bytes;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bytes in standard base64")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Bytes, E> {
                let bytes = STANDARD.decode(text.trim_ascii());
                let bytes = bytes.map_err(|_| E::custom("expected bytes in standard base64"))?;
                Ok(bytes.into())
            }
        }
        from.deserialize_str(Base64)
    }
}

impl JsonSchema for Bytes {
    fn schema_name() -> Cow<'static, str> {
        "Bytes".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "byte" })
    }
}
