//! Signed tokens in the compact form.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::json;

use super::{JoseError, decode, encode};
use crate::Error;
use crate::sign::{Algorithm, SigningKey, VerifyingKey};

/// The longest token that is read, in bytes.
pub const MAX_TOKEN_BYTES: usize = 64 * 1024;
/// The longest header, in bytes of base64url.
const MAX_HEADER_BYTES: usize = 8 * 1024;
/// The longest name of a key, in bytes.
const MAX_KEY_ID_BYTES: usize = 1024;

/// A token that was taken apart. What it says is to be had from [`Compact::verify`], or as [`Compact::unverified`].
#[derive(Debug)]
pub struct Compact<'a> {
    header: Header,
    signed: &'a str,
    payload: Vec<u8>,
    signature: Vec<u8>,
}

/// What the header of a token says. Nobody has vouched for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The algorithm.
    pub algorithm: Algorithm,
    /// The name of the key.
    pub key_id: Option<String>,
    /// The type of the whole.
    pub kind: Option<String>,
}

/// Signs `payload` and names the key in the header, which has nothing but that and the algorithm.
///
/// # Errors
/// [`Error::Signing`] where the library refuses.
pub fn sign(key: &SigningKey, key_id: &str, payload: &[u8]) -> Result<String, Error> {
    let header = json!({ "alg": key.algorithm().name(), "kid": key_id }).to_string();
    let mut token = format!("{}.{}", encode(header.as_bytes()), encode(payload));
    let signature = key.sign(token.as_bytes())?;
    token.push('.');
    token.push_str(&encode(&signature));
    Ok(token)
}

impl<'a> Compact<'a> {
    /// Takes a token apart.
    ///
    /// # Errors
    /// Says what is malformed, too large, or which algorithm is unknown.
    pub fn parse(token: &'a str) -> Result<Self, JoseError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(JoseError::TooLarge("the token"));
        }
        let three = "a signed token has three parts between dots";
        let (signed, signature) = token.rsplit_once('.').ok_or(JoseError::Malformed(three))?;
        let (header, payload) = signed.split_once('.').ok_or(JoseError::Malformed(three))?;
        if payload.contains('.') {
            return Err(JoseError::Malformed(three));
        }
        if header.len() > MAX_HEADER_BYTES {
            return Err(JoseError::TooLarge("the token's header"));
        }
        Ok(Self {
            header: Header::parse(&decode(header, "the header is not base64url")?)?,
            payload: decode(payload, "the payload is not base64url")?,
            signature: decode(signature, "the signature is not base64url")?,
            signed,
        })
    }

    /// The header, as nobody has vouched for it: good for choosing a key.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The payload, as nobody has vouched for it: for tokens that somebody else verifies, who is asked what they say.
    #[must_use]
    pub fn unverified(&self) -> &[u8] {
        &self.payload
    }

    /// The payload, if the token was signed with the key's pair by the key's algorithm.
    ///
    /// # Errors
    /// [`JoseError::Algorithm`] where the token is of another one, [`JoseError::Signature`] where it was not signed so.
    pub fn verify(&self, key: &VerifyingKey) -> Result<&[u8], JoseError> {
        if self.header.algorithm != key.algorithm() {
            return Err(JoseError::Algorithm(self.header.algorithm.name().into()));
        }
        if key.verify(self.signed.as_bytes(), &self.signature) {
            Ok(&self.payload)
        } else {
            Err(JoseError::Signature)
        }
    }
}

impl Header {
    fn parse(text: &[u8]) -> Result<Self, JoseError> {
        let wrong = JoseError::Malformed("the header is not an object of JSON with a text alg");
        let raw: RawHeader = serde_json::from_slice(text).map_err(|_| wrong)?;
        if raw.crit.is_some() {
            return Err(JoseError::Malformed(
                "the header has critical extensions, of which none is known here",
            ));
        }
        if raw
            .kid
            .as_ref()
            .is_some_and(|kid| kid.len() > MAX_KEY_ID_BYTES)
        {
            return Err(JoseError::TooLarge("the name of the key"));
        }
        let shown: String = raw.alg.chars().take(16).collect();
        Ok(Self {
            algorithm: Algorithm::parse(&raw.alg).ok_or(JoseError::Algorithm(shown))?,
            // An empty name is as good as none.
            key_id: raw.kid.filter(|name| !name.is_empty()),
            kind: raw.typ,
        })
    }
}

/// What is read of a header; a member of these that comes twice is an error. Keys and addresses of keys that a header
/// may bring (`jwk`, `jku`, `x5c` …) are not even looked at.
#[derive(Deserialize)]
struct RawHeader {
    alg: String,
    #[serde(default)]
    kid: Option<String>,
    #[serde(default)]
    typ: Option<String>,
    #[serde(default)]
    crit: Option<IgnoredAny>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(algorithm: Algorithm) -> SigningKey {
        SigningKey::generate(algorithm).unwrap()
    }

    fn with_header(token: &str, header: &str) -> String {
        let rest = token.split_once('.').unwrap().1;
        format!("{}.{rest}", encode(header.as_bytes()))
    }

    #[test]
    fn what_was_signed_comes_back() {
        let pair = pair(Algorithm::Es256);
        let token = sign(&pair, "key-1", b"{\"a\":1}").unwrap();
        let read = Compact::parse(&token).unwrap();
        assert_eq!(read.header().key_id.as_deref(), Some("key-1"));
        assert_eq!(read.verify(pair.verifying_key()).unwrap(), b"{\"a\":1}");
        let header = decode(token.split('.').next().unwrap(), "").unwrap();
        assert_eq!(header, br#"{"alg":"ES256","kid":"key-1"}"#);
    }

    #[test]
    fn an_algorithm_is_never_taken_from_the_token() {
        let pair = pair(Algorithm::Rs256);
        let token = sign(&pair, "k", b"{}").unwrap();
        // Another padding, another hash, another family: the key says RS256, so nothing else is even tried.
        for other in ["PS256", "RS384", "ES256", "HS256"] {
            let forged = with_header(&token, &format!("{{\"alg\":\"{other}\"}}"));
            let refused = Compact::parse(&forged).unwrap();
            let refused = refused.verify(pair.verifying_key()).unwrap_err();
            assert_eq!(refused, JoseError::Algorithm(other.into()));
        }
        for none in ["none", "None", "", "nOnE"] {
            let forged = with_header(&token, &format!("{{\"alg\":\"{none}\"}}"));
            let refused = Compact::parse(&forged).unwrap_err();
            assert_eq!(refused, JoseError::Algorithm(none.into()));
        }
    }

    #[test]
    fn a_public_key_is_no_shared_secret() {
        // The classic: sign with HMAC under the public key's own bytes.
        let pair = pair(Algorithm::Rs256);
        let Some(crate::sign::PublicParts::Rsa { n, .. }) = pair.verifying_key().parts() else {
            panic!("an RSA key has RSA parts");
        };
        let header = encode(br#"{"alg":"HS256"}"#);
        let signed = format!("{header}.{}", encode(b"{}"));
        let code = crate::hmac_sha256(n, signed.as_bytes());
        let forged = format!("{signed}.{}", encode(&code));
        let refused = Compact::parse(&forged).unwrap();
        assert!(refused.verify(pair.verifying_key()).is_err());
    }

    #[test]
    fn one_changed_character_anywhere_is_noticed() {
        let pair = pair(Algorithm::EdDsa);
        let token = sign(&pair, "k", br#"{"sub":"me"}"#).unwrap();
        for at in 0..token.len() {
            for to in ['A', 'B', '-', '=', '.', ' '] {
                let mut forged: Vec<char> = token.chars().collect();
                if forged[at] == to {
                    continue;
                }
                forged[at] = to;
                let forged: String = forged.into_iter().collect();
                let taken = Compact::parse(&forged)
                    .and_then(|read| read.verify(pair.verifying_key()).map(<[u8]>::to_vec));
                assert!(taken.is_err(), "{at} {to:?}");
            }
        }
    }

    #[test]
    fn malformed_tokens_are_refused_with_a_reason() {
        let head = encode(br#"{"alg":"ES256"}"#);
        for (token, reason) in [
            (String::new(), "three parts"),
            ("a.b".into(), "three parts"),
            ("a.b.c.d".into(), "three parts"),
            ("!.e30.".into(), "header is not base64url"),
            (format!("{head}=.e30."), "header is not base64url"),
            (format!("{head}.e3 0."), "payload is not base64url"),
            (format!("{head}.e31."), "payload is not base64url"), // stray bits
            (format!("{head}.e30.+/"), "signature is not base64url"),
            ("W10.e30.".into(), "not an object of JSON"),
            (format!("{}.e30.", encode(b"{}")), "not an object of JSON"),
            (
                format!("{}.e30.", encode(br#"{"alg":"ES256","alg":"ES256"}"#)),
                "not an object of JSON",
            ),
            (
                format!("{}.e30.", encode(br#"{"alg":"ES256"} x"#)),
                "not an object of JSON",
            ),
            (
                format!(
                    "{}.e30.",
                    encode(br#"{"alg":"ES256","crit":["b64"],"b64":false}"#)
                ),
                "critical extensions",
            ),
            (
                format!("{}.e30.", encode(br#"{"alg":["ES256"]}"#)),
                "not an object of JSON",
            ),
        ] {
            let refused = Compact::parse(&token).unwrap_err().to_string();
            assert!(refused.contains(reason), "{token}: {refused}");
        }
    }

    #[test]
    fn sizes_are_bounded_before_anything_is_decoded() {
        let long = format!("{}.e30.", "A".repeat(MAX_HEADER_BYTES + 1));
        assert!(matches!(Compact::parse(&long), Err(JoseError::TooLarge(_))));
        let longer = "A".repeat(MAX_TOKEN_BYTES + 1);
        assert!(matches!(
            Compact::parse(&longer),
            Err(JoseError::TooLarge(_))
        ));
        let kid = format!("{{\"alg\":\"ES256\",\"kid\":\"{}\"}}", "k".repeat(2_000));
        let token = format!("{}.e30.", encode(kid.as_bytes()));
        assert!(matches!(
            Compact::parse(&token),
            Err(JoseError::TooLarge(_))
        ));
        let deep = format!("{{\"alg\":\"ES256\",\"x\":{}", "[".repeat(5_000));
        let token = format!("{}.e30.", encode(deep.as_bytes()));
        assert!(matches!(
            Compact::parse(&token),
            Err(JoseError::Malformed(_))
        ));
    }
}
