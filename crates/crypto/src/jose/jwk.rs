//! Keys as JSON.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::jws::Compact;
use super::{JoseError, decode, encode};
use crate::sign::{Algorithm, PublicParts, VerifyingKey};

/// The most keys that are read of one set.
pub const MAX_KEYS: usize = 1_000;
/// The longest number of a key, in bytes of base64url: an RSA modulus of 8192 bits.
const MAX_NUMBER_BYTES: usize = 1400;

/// A public key as a JWK (RFC 7517); nothing for a shared secret, which is never shown.
#[must_use]
pub fn show_key(key_id: &str, key: &VerifyingKey) -> Option<Map<String, Value>> {
    let text = |bytes: &[u8]| Value::String(encode(bytes));
    let word = |word: &str| Value::String(word.to_owned());
    let mut jwk = Map::from_iter([
        ("use".to_owned(), word("sig")),
        ("kid".to_owned(), word(key_id)),
        ("alg".to_owned(), word(key.algorithm().name())),
    ]);
    match key.parts()? {
        PublicParts::Rsa { n, e } => {
            jwk.insert("kty".into(), word("RSA"));
            jwk.insert("n".into(), text(n));
            jwk.insert("e".into(), text(e));
        }
        PublicParts::Curve { x, y } => {
            jwk.insert("kty".into(), word("EC"));
            jwk.insert("crv".into(), word(curve_name(key.algorithm())));
            jwk.insert("x".into(), text(x));
            jwk.insert("y".into(), text(y));
        }
        PublicParts::Edwards { x } => {
            jwk.insert("kty".into(), word("OKP"));
            jwk.insert("crv".into(), word("Ed25519"));
            jwk.insert("x".into(), text(x));
        }
    }
    Some(jwk)
}

/// The keys that a JWK is, one for each of the `permitted` algorithms that it fits: a JWK need not name its own.
///
/// # Errors
/// Where it is malformed or unfit. One that is meant for something else, or of another kind than any permitted
/// algorithm takes, is no error and no key.
pub fn read_key(jwk: &Value, permitted: &[Algorithm]) -> Result<Vec<VerifyingKey>, JoseError> {
    let raw = RawKey::deserialize(jwk)
        .map_err(|_| JoseError::Malformed("a key is not an object of JSON with texts"))?;
    if raw.is_for_something_else() {
        return Ok(Vec::new());
    }
    let named = raw.alg.as_deref().filter(|name| !name.is_empty());
    let fits = |algorithm: &&Algorithm| {
        named.is_none_or(|name| name == algorithm.name()) && raw.is_of_kind(**algorithm)
    };
    permitted
        .iter()
        .filter(fits)
        .map(|algorithm| raw.key(*algorithm))
        .collect()
}

/// The keys of an issuer, by their names.
#[derive(Clone, Debug, Default)]
pub struct KeySet {
    keys: Vec<(Option<String>, VerifyingKey)>,
}

impl KeySet {
    /// Keys that are known already.
    #[must_use]
    pub fn of(keys: Vec<(Option<String>, VerifyingKey)>) -> Self {
        Self { keys }
    }

    /// Reads a JWK Set (RFC 7517 section 5). Keys that are not understood are left out, as the section wants it.
    ///
    /// # Errors
    /// Where it is no set, or has too many keys.
    pub fn read(set: &Value, permitted: &[Algorithm]) -> Result<Self, JoseError> {
        let listed = set.get("keys").and_then(Value::as_array);
        let listed = listed.ok_or(JoseError::Malformed("a key set has a list named keys"))?;
        if listed.len() > MAX_KEYS {
            return Err(JoseError::TooLarge("the key set"));
        }
        let mut keys = Vec::new();
        for jwk in listed {
            let key_id = jwk.get("kid").and_then(Value::as_str);
            let key_id = key_id.filter(|name| !name.is_empty());
            let read = read_key(jwk, permitted).unwrap_or_default();
            keys.extend(read.into_iter().map(|key| (key_id.map(str::to_owned), key)));
        }
        Ok(Self { keys })
    }

    /// The payload of a token that one of the keys has signed. A key is tried where its algorithm is the token's and,
    /// if both have names, the names are equal.
    ///
    /// # Errors
    /// [`JoseError::Signature`] where none has.
    pub fn verify<'a>(&self, token: &'a Compact<'_>) -> Result<&'a [u8], JoseError> {
        let header = token.header();
        let wanted = header.key_id.as_deref();
        let named = |name: &Option<String>| match (name.as_deref(), wanted) {
            (Some(name), Some(wanted)) => name == wanted,
            _ => true,
        };
        self.keys
            .iter()
            .filter(|(name, key)| named(name) && key.algorithm() == header.algorithm)
            .find_map(|(_, key)| token.verify(key).ok())
            .ok_or(JoseError::Signature)
    }
}

#[derive(Deserialize)]
struct RawKey {
    kty: String,
    #[serde(default, rename = "use")]
    purpose: Option<String>,
    #[serde(default)]
    key_ops: Option<Vec<String>>,
    #[serde(default)]
    alg: Option<String>,
    #[serde(default)]
    crv: Option<String>,
    #[serde(default)]
    n: Option<String>,
    #[serde(default)]
    e: Option<String>,
    #[serde(default)]
    x: Option<String>,
    #[serde(default)]
    y: Option<String>,
    #[serde(default)]
    k: Option<String>,
}

impl RawKey {
    fn is_for_something_else(&self) -> bool {
        let encrypts = self
            .purpose
            .as_deref()
            .is_some_and(|purpose| !matches!(purpose, "" | "sig"));
        let verifies = |ops: &Vec<String>| ops.is_empty() || ops.iter().any(|op| op == "verify");
        encrypts || self.key_ops.as_ref().is_some_and(|ops| !verifies(ops))
    }

    fn is_of_kind(&self, algorithm: Algorithm) -> bool {
        let curve = self.crv.as_deref();
        match self.kty.as_str() {
            "RSA" => matches!(algorithm.name().get(..2), Some("RS" | "PS")),
            "EC" => {
                matches!(algorithm.name().get(..2), Some("ES"))
                    && curve == Some(curve_name(algorithm))
            }
            "OKP" => algorithm == Algorithm::EdDsa && curve == Some("Ed25519"),
            "oct" => matches!(algorithm.name().get(..2), Some("HS")),
            _ => false,
        }
    }

    fn key(&self, algorithm: Algorithm) -> Result<VerifyingKey, JoseError> {
        let made = match self.kty.as_str() {
            "RSA" => VerifyingKey::rsa(algorithm, &number(&self.n)?, &number(&self.e)?),
            "EC" => VerifyingKey::curve(algorithm, &number(&self.x)?, &number(&self.y)?),
            "OKP" => VerifyingKey::edwards(&number(&self.x)?),
            _ => {
                let secret = zeroize::Zeroizing::new(number(&self.k)?);
                VerifyingKey::shared(algorithm, &secret)
            }
        };
        made.map_err(|_| {
            JoseError::Key("its numbers make no key for its algorithm, or one that is too short")
        })
    }
}

fn number(text: &Option<String>) -> Result<Vec<u8>, JoseError> {
    let text = text
        .as_deref()
        .ok_or(JoseError::Malformed("a key lacks a number"))?;
    if text.len() > MAX_NUMBER_BYTES {
        return Err(JoseError::TooLarge("a number of a key"));
    }
    decode(text, "a number of a key is not base64url")
}

fn curve_name(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::Es384 => "P-384",
        Algorithm::Es512 => "P-521",
        _ => "P-256",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::jose::sign;
    use crate::sign::SigningKey;

    #[test]
    fn shown_keys_are_read_again() {
        for algorithm in [Algorithm::Rs512, Algorithm::Es384, Algorithm::EdDsa] {
            let pair = SigningKey::generate(algorithm).unwrap();
            let shown = Value::Object(show_key("one", pair.verifying_key()).unwrap());
            let set = KeySet::read(&json!({ "keys": [shown] }), &Algorithm::ALL).unwrap();
            let token = sign(&pair, "one", b"{}").unwrap();
            assert_eq!(set.verify(&Compact::parse(&token).unwrap()).unwrap(), b"{}");
            let other = sign(&pair, "two", b"{}").unwrap();
            let other = Compact::parse(&other).unwrap();
            assert_eq!(set.verify(&other).unwrap_err(), JoseError::Signature);
        }
    }

    #[test]
    fn a_secret_is_never_shown() {
        let key = VerifyingKey::shared(Algorithm::Hs256, &[1; 32]).unwrap();
        assert!(show_key("k", &key).is_none());
    }

    #[test]
    fn a_key_fits_only_what_it_says_and_what_is_permitted() {
        let pair = SigningKey::generate(Algorithm::Rs256).unwrap();
        let mut shown = show_key("k", pair.verifying_key()).unwrap();
        let of = |jwk: &Map<String, Value>, permitted: &[Algorithm]| {
            let keys = read_key(&Value::Object(jwk.clone()), permitted).unwrap();
            keys.iter().map(VerifyingKey::algorithm).collect::<Vec<_>>()
        };
        assert_eq!(of(&shown, &Algorithm::ALL), [Algorithm::Rs256]);
        assert_eq!(of(&shown, &[Algorithm::Rs384]), []);
        shown.remove("alg");
        let two = [Algorithm::Rs256, Algorithm::Ps512, Algorithm::Es256];
        assert_eq!(of(&shown, &two), [Algorithm::Rs256, Algorithm::Ps512]);
        shown.insert("use".into(), "enc".into());
        assert_eq!(of(&shown, &two), []);
        shown.insert("use".into(), "sig".into());
        shown.insert("key_ops".into(), json!(["encrypt"]));
        assert_eq!(of(&shown, &two), []);
    }

    #[test]
    fn bad_keys_of_a_set_do_not_spoil_the_good_ones() {
        let pair = SigningKey::generate(Algorithm::Es256).unwrap();
        let good = show_key("k", pair.verifying_key()).unwrap();
        let set = json!({ "keys": [
            5, {}, { "kty": "RSA" }, { "kty": "RSA", "n": "AQ", "e": "AQAB" }, { "kty": "odd" },
            { "kty": "EC", "crv": "P-256", "x": "AQ", "y": "AQ" },
            { "kty": "EC", "crv": "P-384", "x": good["x"], "y": good["y"] },
            { "kty": "OKP", "crv": "X25519", "x": good["x"] },
            { "kty": "RSA", "n": "A".repeat(3_000), "e": "AQAB" }, good,
        ] });
        let set = KeySet::read(&set, &Algorithm::ALL).unwrap();
        assert_eq!(set.keys.len(), 1);
        for wrong in [json!({}), json!([]), json!({ "keys": 5 })] {
            assert!(KeySet::read(&wrong, &Algorithm::ALL).is_err());
        }
        let many = json!({ "keys": vec![json!({}); MAX_KEYS + 1] });
        assert!(KeySet::read(&many, &Algorithm::ALL).is_err());
    }
}
