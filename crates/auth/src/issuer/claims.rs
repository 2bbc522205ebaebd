//! What a token says.

use std::time::Duration;

use coffer_crypto::Hash;
use coffer_crypto::sign::Algorithm;
use coffer_wire::{Timestamp, parse_foreign};
use serde_json::{Map, Value};

/// The bounds of a number of seconds that is read as a time: the year 9999.
const SECONDS_MAX: f64 = 253_402_300_799.0;

/// What a verified token says (RFC 7519).
#[derive(Clone, Debug)]
pub(crate) struct Claims {
    /// Everything.
    pub(crate) all: Map<String, Value>,
    /// Who has issued it.
    pub(crate) issuer: Option<String>,
    /// Whom it is about.
    pub(crate) subject: Option<String>,
    /// Whom it is for.
    pub(crate) audience: Vec<String>,
    algorithm: Algorithm,
    expires: Option<f64>,
    not_before: Option<f64>,
    issued: Option<f64>,
}

/// How far clocks may be apart, in seconds. Zero is the default, and less than zero none at all.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Leeways {
    /// How long a token lives that does not say so.
    pub(crate) expiration: i64,
    /// How long before its end a token began that does not say so.
    pub(crate) not_before: i64,
    /// How wrong the issuer's clock may be.
    pub(crate) clock_skew: i64,
}

/// Where nothing is said, in seconds.
const EXPIRATION: u32 = 150;
const NOT_BEFORE: u32 = 150;
const CLOCK_SKEW: u32 = 60;

impl Claims {
    /// Reads the payload of a token whose signature was verified.
    pub(super) fn parse(payload: &[u8], algorithm: Algorithm) -> Result<Self, &'static str> {
        let all: Map<String, Value> =
            parse_foreign(payload).map_err(|_| "the claims are not an object of JSON")?;
        Ok(Self {
            issuer: text(all.get("iss"), "the claim iss is not a text")?,
            subject: text(all.get("sub"), "the claim sub is not a text")?,
            audience: audience(all.get("aud"))?,
            expires: time(all.get("exp"), "the claim exp is not a time in seconds")?,
            not_before: time(all.get("nbf"), "the claim nbf is not a time in seconds")?,
            issued: time(all.get("iat"), "the claim iat is not a time in seconds")?,
            algorithm,
            all,
        })
    }

    /// Whether it is for one of these.
    pub(crate) fn is_for(&self, audiences: &[String]) -> bool {
        self.audience.iter().any(|name| audiences.contains(name))
    }

    /// Whether its time is over, or nothing says when it is, without any leeway.
    pub(crate) fn has_ended(&self, now: Timestamp) -> bool {
        let now = Duration::from_nanos(now.nanos()).as_secs_f64();
        self.expires.is_none_or(|expires| now > expires)
    }

    /// The hash of something by the function that goes with the token's signature.
    pub(crate) fn hash(&self, of: &[u8]) -> Vec<u8> {
        let kind = match self.algorithm {
            Algorithm::Rs384 | Algorithm::Ps384 | Algorithm::Es384 => Hash::Sha384,
            Algorithm::Rs512 | Algorithm::Ps512 | Algorithm::Es512 | Algorithm::EdDsa => {
                Hash::Sha512
            }
            _ => Hash::Sha256,
        };
        kind.of(of)
    }

    /// Refuses a token that has ended or not begun, or of which nothing says when it ends.
    pub(crate) fn check_times(&self, now: Timestamp, leeways: Leeways) -> Result<(), &'static str> {
        let latest = [self.issued, self.not_before].into_iter().flatten();
        let latest = latest.fold(None, |latest: Option<f64>, time| {
            Some(latest.map_or(time, |latest| latest.max(time)))
        });
        let lives = seconds(leeways.expiration, EXPIRATION);
        let expires = self.expires.or_else(|| Some(latest? + lives)).ok_or(
            "no issued at (iat), not before (nbf), or expiration time (exp) claims in token",
        )?;
        let before = seconds(leeways.not_before, NOT_BEFORE);
        let begins = self.not_before.or(self.issued);
        let begins = begins.unwrap_or(expires - before);
        let skew = seconds(leeways.clock_skew, CLOCK_SKEW);
        let now = Duration::from_nanos(now.nanos()).as_secs_f64();
        if now > expires + skew {
            return Err("invalid expiration time (exp) claim: token is expired");
        }
        if now < begins - skew {
            return Err("invalid not before (nbf) claim: token not yet valid");
        }
        match self.issued.is_some_and(|issued| now < issued - skew) {
            true => Err("invalid issued at (iat) claim: token issued in the future"),
            false => Ok(()),
        }
    }
}

fn seconds(leeway: i64, default: u32) -> f64 {
    match leeway {
        0 => f64::from(default),
        _ => u32::try_from(leeway).map_or(
            if leeway < 0 { 0.0 } else { f64::from(u32::MAX) },
            f64::from,
        ),
    }
}

fn text(value: Option<&Value>, wrong: &'static str) -> Result<Option<String>, &'static str> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(wrong),
    }
}

/// One name, or a list of names; never something in which a name could hide.
fn audience(value: Option<&Value>) -> Result<Vec<String>, &'static str> {
    const WRONG: &str = "the claim aud is neither a text nor a list of texts";
    match value {
        None => Ok(Vec::new()),
        Some(Value::String(name)) => Ok(vec![name.clone()]),
        Some(Value::Array(names)) => {
            let names = names.iter().map(|name| name.as_str().map(str::to_owned));
            names.collect::<Option<_>>().ok_or(WRONG)
        }
        Some(_) => Err(WRONG),
    }
}

/// A number of seconds since 1970. Zero is no time: some issuers write it for a claim that they do not set.
fn time(value: Option<&Value>, wrong: &'static str) -> Result<Option<f64>, &'static str> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(value) => match value.as_f64() {
            Some(secs) if secs.abs() <= SECONDS_MAX => Ok(Some(secs).filter(|secs| *secs != 0.0)),
            _ => Err(wrong),
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn claims(value: &Value) -> Result<Claims, &'static str> {
        Claims::parse(value.to_string().as_bytes(), Algorithm::Es256)
    }

    fn holds(value: &Value, leeways: Leeways) -> bool {
        let now = Timestamp::from_secs(u64::try_from(NOW).unwrap());
        claims(value).unwrap().check_times(now, leeways).is_ok()
    }

    #[test]
    fn times_hold_up_to_the_leeways() {
        let with = |expiration, not_before, clock_skew| Leeways {
            expiration,
            not_before,
            clock_skew,
        };
        let (usual, none) = (Leeways::default(), with(-1, -1, -1));
        for (value, leeways, fine) in [
            (json!({ "exp": NOW - 60, "iat": NOW - 900 }), usual, true),
            (json!({ "exp": NOW - 61, "iat": NOW - 900 }), usual, false),
            (json!({ "exp": NOW - 1, "iat": NOW - 900 }), none, false),
            (json!({ "exp": NOW, "iat": NOW - 900 }), none, true),
            (json!({ "exp": NOW + 9, "iat": NOW + 60 }), usual, true),
            (json!({ "exp": NOW + 9, "iat": NOW + 61 }), usual, false),
            (json!({ "exp": NOW + 9, "nbf": NOW + 60 }), usual, true),
            (json!({ "exp": NOW + 9, "nbf": NOW + 61 }), usual, false),
            (
                json!({ "exp": NOW + 9, "nbf": NOW - 9, "iat": NOW + 61 }),
                usual,
                false,
            ),
            // It ends 150 seconds after it began, if nothing says when.
            (json!({ "iat": NOW - 210 }), usual, true),
            (json!({ "iat": NOW - 211 }), usual, false),
            (json!({ "iat": NOW - 211, "nbf": NOW - 210 }), usual, true),
            (json!({ "iat": NOW - 70 }), with(10, 0, 0), true),
            (json!({ "iat": NOW - 71 }), with(10, 0, 0), false),
            (json!({ "iat": NOW - 155 }), with(0, 0, 5), true),
            (json!({ "iat": NOW - 1 }), none, false),
            // It began 150 seconds before it ends.
            (json!({ "exp": NOW + 210 }), usual, true),
            (json!({ "exp": NOW + 211 }), usual, false),
            (json!({ "exp": NOW + 71 }), with(0, 10, 0), false),
            (json!({ "exp": NOW + 1 }), none, false),
            // Nothing says anything.
            (json!({}), usual, false),
            (json!({ "exp": 0, "iat": null, "nbf": 0.0 }), usual, false),
            (json!({ "exp": -1, "iat": NOW }), usual, false),
            (
                json!({ "exp": 1_800_000_000.5, "iat": 1_799_999_999.5 }),
                none,
                true,
            ),
        ] {
            assert_eq!(holds(&value, leeways), fine, "{value} {leeways:?}");
        }
        assert!(holds(&json!({ "exp": NOW }), with(i64::MAX, i64::MIN, -1)));
    }

    #[test]
    fn claims_of_the_wrong_kind_are_refused() {
        for wrong in [
            json!({ "iss": 5 }),
            json!({ "sub": ["x"] }),
            json!({ "sub": { "a": 1 } }),
            json!({ "aud": 5 }),
            json!({ "aud": null }),
            json!({ "aud": true }),
            json!({ "aud": { "a": "a" } }),
            json!({ "aud": ["a", 5] }),
            json!({ "aud": [["a"]] }),
            json!({ "aud": [null] }),
            json!({ "exp": "1800000000" }),
            json!({ "exp": true }),
            json!({ "nbf": [1] }),
            json!({ "iat": 1e300 }),
            json!({ "exp": 10_000_000_000_000_000_000_u64 }),
            json!([]),
            json!("x"),
        ] {
            assert!(claims(&wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn audiences_are_whole_names() {
        let wanted = ["a".to_owned(), "b".to_owned()];
        let is_for = |aud: Value| claims(&json!({ "aud": aud })).unwrap().is_for(&wanted);
        assert!(is_for(json!("a")) && is_for(json!(["x", "b"])));
        for aud in ["", "A", "a ", "a,b", "ab"] {
            assert!(!is_for(json!(aud)) && !is_for(json!([aud])), "{aud:?}");
        }
        assert!(!is_for(json!([])));
        let silent = claims(&json!({})).unwrap();
        assert!(!silent.is_for(&wanted) && !silent.is_for(&[]));
        assert!(!claims(&json!({ "aud": "a" })).unwrap().is_for(&[]));
    }
}
