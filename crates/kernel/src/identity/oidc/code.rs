//! Codes: what a person's browser carries to an application, which exchanges it for tokens.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use coffer_barrier::Stored;
use coffer_crypto::{constant_time_eq, sha256};
use coffer_wire::Timestamp;
use serde::{Deserialize, Serialize};

/// How long a code may be exchanged.
pub const LIFE: Duration = Duration::from_secs(5 * 60);
/// How many codes of one entity may be exchanged at a time.
pub const MAX_CODES_EACH: usize = 50;
/// Characters of a code, from 62: 190 bits.
pub const CODE_CHARS: usize = 32;

/// What a code stands for. The code itself is not in it: a hash of it is its name.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Code {
    /// The client it was given to.
    pub client_id: String,
    /// The provider that gave it.
    pub provider: String,
    /// Where the person was sent back to.
    pub redirect_uri: String,
    /// Who signs in.
    pub entity_id: String,
    /// What the client wants to be told, `openid` left out.
    pub scopes: Vec<String>,
    /// What the client wants to find in the token again; empty for nothing.
    pub nonce: String,
    /// When the person logged in, where the client wants to know it.
    pub auth_time: Option<Timestamp>,
    /// What whoever exchanges the code must know.
    pub challenge: Option<Challenge>,
}

/// What proves that one who exchanges a code is the one who asked for it (RFC 7636).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Challenge {
    method: Method,
    challenge: String,
}

/// How the verifier becomes the challenge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Method {
    Plain,
    S256,
}

impl Stored for Code {
    const MAX_BYTES: usize = 32 * 1024;
}

/// The name under which a code is kept.
pub fn place(code: &str) -> String {
    hex::encode(sha256(code.as_bytes()))
}

/// Why a challenge is none.
#[derive(Debug, PartialEq, Eq)]
pub enum Unfit {
    /// The method is not known.
    Method,
    /// It is too short or too long.
    Length,
}

impl Challenge {
    /// Reads a challenge; without a method it is the verifier itself.
    pub fn read(challenge: &str, method: &str) -> Result<Self, Unfit> {
        let method = match method {
            "" | "plain" => Method::Plain,
            "S256" => Method::S256,
            _ => return Err(Unfit::Method),
        };
        match challenge.len() {
            43..=128 => Ok(Self {
                method,
                challenge: challenge.to_owned(),
            }),
            _ => Err(Unfit::Length),
        }
    }

    /// Whether a verifier is the one.
    pub fn is_met(&self, verifier: &str) -> bool {
        match self.method {
            Method::Plain => constant_time_eq(verifier.as_bytes(), self.challenge.as_bytes()),
            Method::S256 => {
                let made = URL_SAFE_NO_PAD.encode(sha256(verifier.as_bytes()));
                constant_time_eq(made.as_bytes(), self.challenge.as_bytes())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7636 appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    #[test]
    fn the_rfcs_own_example() {
        let challenge = Challenge::read(CHALLENGE, "S256").unwrap();
        assert!(challenge.is_met(VERIFIER));
        assert!(!challenge.is_met(CHALLENGE) && !challenge.is_met(""));
    }

    #[test]
    fn plain_is_the_verifier_itself() {
        for method in ["", "plain"] {
            let challenge = Challenge::read(VERIFIER, method).unwrap();
            assert!(challenge.is_met(VERIFIER));
            assert!(!challenge.is_met(CHALLENGE));
        }
    }

    #[test]
    fn what_is_no_challenge() {
        let unfit = |challenge: &str, method: &str| Challenge::read(challenge, method).unwrap_err();
        assert_eq!(unfit(CHALLENGE, "s256"), Unfit::Method);
        assert_eq!(unfit(&"x".repeat(42), "S256"), Unfit::Length);
        assert_eq!(unfit(&"x".repeat(129), "plain"), Unfit::Length);
    }
}
