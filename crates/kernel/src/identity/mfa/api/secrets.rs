//! `identity/mfa/method/totp/generate` and its like for operators: secrets that people's devices share with the server.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use coffer_engine::{Ctx, Empty, Fault, Handle, Reply, Routes, path};
use coffer_wire::Text;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use std::fmt::Write as _;
use zeroize::Zeroizing;

use super::super::method::{self, Method};
use super::super::picture;
use crate::open::Open;

const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

pub(super) fn routes() -> Routes<Open> {
    Routes::new([
        path(
            "mfa/method/totp/generate",
            "A secret for the entity that asks.",
        )
        .write::<Generate>(),
        path("mfa/method/totp/admin-generate", "A secret for an entity.").write::<AdminGenerate>(),
        path(
            "mfa/method/totp/admin-destroy",
            "Takes an entity's secret away.",
        )
        .write::<AdminDestroy>(),
    ])
}

/// Makes a secret for the entity that asks, if it has none.
#[derive(Deserialize, JsonSchema)]
struct Generate {
    /// The method's id.
    #[serde(default)]
    method_id: Text,
}

impl Handle<Open> for Generate {
    type Reply = Reply;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        let caller = cx.caller()?;
        let here = caller.namespace == open.space.id;
        let entity = if here { caller.entity_id.as_str() } else { "" };
        generate(open, cx, &self.method_id.0, entity).await
    }
}

/// Makes a secret for an entity, if it has none.
#[derive(Deserialize, JsonSchema)]
struct AdminGenerate {
    /// The method's id.
    #[serde(default)]
    method_id: Text,
    /// The entity's id.
    #[serde(default)]
    entity_id: Text,
}

impl Handle<Open> for AdminGenerate {
    type Reply = Reply;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        generate(open, cx, &self.method_id.0, &self.entity_id.0).await
    }
}

async fn generate(open: &Open, cx: &Ctx, method: &str, entity: &str) -> Result<Reply, Fault> {
    if method.is_empty() {
        return Err(Fault::invalid("missing method ID"));
    }
    if entity.is_empty() {
        return Err(Fault::invalid("missing entityID"));
    }
    let found = method::find(open, method).await?;
    let (method, _) = found.ok_or_else(|| {
        Fault::Invalid(format!(
            "configuration for method ID {method:?} does not exist"
        ))
    })?;
    let entity = entity_id(open, entity).await?;
    let mut key = Zeroizing::new(vec![0; usize::from(method.key_size)]);
    cx.random.fill(&mut key);
    let address = address(&method, &entity, &key);
    let picture = match method.qr_size {
        0 => String::new(),
        size => STANDARD.encode(picture::of(&address, usize::from(size))?),
    };
    if !open.space.mfa.take_seat(&entity, &method, &key).await? {
        let name = &method.name;
        return Ok(Reply::default().warn(format!(
            "Entity already has a secret for MFA method {name:?}"
        )));
    }
    let shown: Value = json!({ "url": *address, "barcode": picture });
    Reply::data(&coffer_wire::Wiped(shown).0)
}

/// The id of an entity that is there: its own, where it was merged into another.
async fn entity_id(open: &Open, id: &str) -> Result<String, Fault> {
    let entity = open.space.identity.entity_or_heir(id).await?;
    let entity = entity.ok_or_else(|| Fault::invalid("invalid entity ID"))?;
    Ok(entity.id)
}

/// A secret in the form that authenticators read.
fn address(method: &Method, entity: &str, key: &[u8]) -> Zeroizing<String> {
    let issuer = escaped(&method.issuer);
    let secret = base32(key);
    let terms = &method.terms;
    Zeroizing::new(format!(
        "otpauth://totp/{issuer}:{entity}?algorithm={}&digits={}&issuer={issuer}&period={}&secret={}",
        terms.hash.name(),
        terms.digits,
        terms.period.as_secs(),
        *secret
    ))
}

/// RFC 4648 section 6, without padding, which authenticators do not want.
fn base32(bytes: &[u8]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(bytes.len() * 8 / 5 + 1));
    for chunk in bytes.chunks(5) {
        let mut padded = [0u8; 8];
        for (to, from) in padded.iter_mut().skip(3).zip(chunk) {
            *to = *from;
        }
        let number = u64::from_be_bytes(padded);
        let digits = (chunk.len() * 8).div_ceil(5);
        for at in 0..digits {
            let digit = usize::try_from(number >> (35 - 5 * at) & 31).unwrap_or_default();
            text.push(char::from(BASE32.get(digit).copied().unwrap_or(b'A')));
        }
    }
    text
}

/// Percent-encodes all but RFC 3986's unreserved characters.
fn escaped(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

/// Takes an entity's secret of a method away, and a lock-out with it.
#[derive(Deserialize, JsonSchema)]
struct AdminDestroy {
    /// The method's id.
    #[serde(default)]
    method_id: Text,
    /// The entity's id.
    #[serde(default)]
    entity_id: Text,
}

impl Handle<Open> for AdminDestroy {
    type Reply = Empty;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Empty, Fault> {
        if self.method_id.0.is_empty() {
            return Err(Fault::invalid("missing method ID"));
        }
        if self.entity_id.0.is_empty() {
            return Err(Fault::invalid("missing entity ID"));
        }
        let entity = entity_id(open, &self.entity_id.0).await?;
        let found = method::find(open, &self.method_id.0).await?;
        let (method, _) = found.ok_or_else(|| {
            Fault::Invalid(format!(
                "configuration for method ID {:?} does not exist",
                self.method_id.0
            ))
        })?;
        open.space.mfa.free_seat(&entity, &method.id).await?;
        Ok(Empty)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base32_as_in_rfc_4648() {
        for (bytes, text) in [
            ("", ""),
            ("f", "MY"),
            ("fo", "MZXQ"),
            ("foo", "MZXW6"),
            ("foob", "MZXW6YQ"),
            ("fooba", "MZXW6YTB"),
            ("foobar", "MZXW6YTBOI"),
        ] {
            assert_eq!(*base32(bytes.as_bytes()), text);
        }
    }

    #[test]
    fn an_issuer_stays_one_value() {
        assert_eq!(escaped("a:b c&d=ä"), "a%3Ab%20c%26d%3D%C3%A4");
    }
}
