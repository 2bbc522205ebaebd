//! Wrapping tokens in the form of a JWT (RFC 7519), for who wants to see before unwrapping whose they are and until when.
//!
//! The token itself is inside (`jti`); around it are facts and our signature (ES512). Whoever unwraps hands the JWT back; a
//! signature that is not ours is refused. The JWT grants nothing that the token inside does not.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use coffer_barrier::Stored;
use coffer_crypto::jose::Compact;
use coffer_crypto::sign::{Algorithm, PublicParts, SigningKey};
use coffer_crypto::{Secret, Zeroizing};
use coffer_engine::Fault;
use coffer_wire::{Timestamp, WrapInfo};
use serde::{Deserialize, Serialize};

use crate::open::Open;

/// Where the signing key is kept, below `core/`.
const RECORD: &str = "wrapping-key";
/// The header of every JWT made here.
const HEADER: &str = r#"{"alg":"ES512","typ":"JWT"}"#;
/// What the JWT says it is.
const TYPE: &str = "wrapping";
/// How far clocks may differ, in seconds.
const LEEWAY_SECS: u64 = 5;
/// The algorithm that the header names.
const ALGORITHM: Algorithm = Algorithm::Es512;

/// What is inside.
#[derive(Serialize, Deserialize)]
struct Claims {
    /// Of the token that was wrapped, if one was.
    accessor: String,
    /// The address of the server that unwraps it.
    addr: String,
    exp: u64,
    iat: u64,
    /// The wrapping token.
    jti: String,
    nbf: u64,
    r#type: String,
}

/// The signing key, as stored under `core/wrapping-key`.
#[derive(Serialize, Deserialize)]
struct Kept {
    #[serde(with = "hex::serde")]
    pkcs8: Vec<u8>,
}

impl Stored for Kept {}

impl Drop for Kept {
    fn drop(&mut self) {
        coffer_crypto::Zeroize::zeroize(&mut self.pkcs8);
    }
}

/// The JWT around a wrapping token.
pub(super) async fn around(info: &WrapInfo, open: &Open, now: Timestamp) -> Result<String, Fault> {
    let now = now.secs();
    let claims = Claims {
        accessor: info.wrapped_accessor.clone(),
        addr: open.settings.api_addr.clone(),
        exp: now.saturating_add(info.ttl),
        iat: now,
        jti: info.token.clone(),
        nbf: now.saturating_sub(LEEWAY_SECS),
        r#type: TYPE.to_owned(),
    };
    let claims = serde_json::to_vec(&claims).map(Zeroizing::new);
    let claims = claims.map_err(Fault::internal)?;
    let mut text = URL_SAFE_NO_PAD.encode(HEADER);
    text.push('.');
    URL_SAFE_NO_PAD.encode_string(&*claims, &mut text);
    let signature = signing_key(open).await?.sign(text.as_bytes())?;
    text.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut text);
    Ok(text)
}

/// The wrapping token that a client means: what it sent, or what is inside where that is a JWT of ours.
pub(crate) async fn inside(sent: &str, open: &Open) -> Result<Secret<String>, Fault> {
    if sent.is_empty() {
        return Err(Fault::Forbidden(
            "error validating wrapping token: token is empty".into(),
        ));
    }
    // Tokens of namespaces have two dots as well, and no such header.
    let jwt = Compact::parse(sent).ok();
    let Some(jwt) = jwt.filter(|jwt| jwt.header().algorithm == ALGORITHM) else {
        return Ok(Secret::new(sent.to_owned()));
    };
    let forged =
        || Fault::Forbidden("error validating wrapping token: its signature is not ours".into());
    let key = signing_key(open).await?;
    let claims = jwt.verify(key.verifying_key()).map_err(|_| forged())?;
    let claims: Claims = serde_json::from_slice(claims).map_err(|_| forged())?;
    match claims.r#type.as_str() {
        TYPE => Ok(Secret::new(claims.jti)),
        _ => Err(forged()),
    }
}

/// The coordinates of the public key, as decimal numbers.
pub(crate) async fn public_point(open: &Open) -> Result<[String; 2], Fault> {
    let key = signing_key(open).await?;
    match key.verifying_key().parts() {
        Some(PublicParts::Curve { x, y }) => Ok([decimal(x), decimal(y)]),
        _ => Err(Fault::internal("the key of wrapping tokens is no point")),
    }
}

/// The key; made when it is first needed.
async fn signing_key(open: &Open) -> Result<SigningKey, Fault> {
    let core = open.barrier.view("core/");
    if let Some(kept) = core.get::<Kept>(RECORD).await? {
        return Ok(SigningKey::from_pkcs8(ALGORITHM, &kept.pkcs8)?);
    }
    let fresh = SigningKey::generate(ALGORITHM)?.to_pkcs8()?;
    let first_wins = |old: Option<Kept>| {
        let kept = old.unwrap_or_else(|| Kept {
            pkcs8: fresh.expose().clone(),
        });
        let key = SigningKey::from_pkcs8(ALGORITHM, &kept.pkcs8)?;
        Ok::<_, Fault>((Some(kept), key))
    };
    core.update(RECORD, first_wins).await
}

/// A big-endian number in decimal digits.
fn decimal(bytes: &[u8]) -> String {
    let mut digits = vec![0u8];
    for byte in bytes {
        let mut carry = u32::from(*byte);
        for digit in &mut digits {
            let sum = u32::from(*digit) * 256 + carry;
            *digit = u8::try_from(sum % 10).unwrap_or_default();
            carry = sum / 10;
        }
        while carry > 0 {
            digits.push(u8::try_from(carry % 10).unwrap_or_default());
            carry /= 10;
        }
    }
    let digits = digits.iter().rev().map(|digit| char::from(b'0' + digit));
    digits.collect()
}

#[cfg(test)]
mod tests {
    use super::decimal;

    #[test]
    fn numbers_in_decimal() {
        assert_eq!(decimal(&[]), "0");
        assert_eq!(decimal(&[0, 0]), "0");
        assert_eq!(decimal(&[1, 0]), "256");
        assert_eq!(decimal(&[255; 8]), u64::MAX.to_string());
        assert_eq!(decimal(&[0xDE, 0xAD, 0xBE, 0xEF]), "3735928559");
    }
}
