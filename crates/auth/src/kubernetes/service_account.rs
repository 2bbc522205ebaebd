//! The tokens of service accounts, and what they say.

use coffer_crypto::jose::Compact;
use coffer_engine::Fault;
use coffer_wire::{Timestamp, parse_foreign};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::{Number, Value};

/// The longest token that is looked at, in bytes; those of clusters have about a thousand.
pub(super) const MAX_TOKEN_BYTES: usize = 16 << 10;
/// How far clocks may differ, in seconds.
const SKEW_SECS: i64 = 60;

/// Whose token it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ServiceAccount {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) uid: String,
}

impl ServiceAccount {
    /// Who is called so; nobody where that is no service account.
    pub(super) fn of_username(username: &str, uid: &str) -> Option<Self> {
        let rest = username.strip_prefix("system:serviceaccount:")?;
        let (namespace, name) = rest.split_once(':')?;
        let whole = !namespace.is_empty() && !name.is_empty() && !name.contains(':');
        let whole = whole && !uid.is_empty();
        whole.then(|| Self {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            uid: uid.to_owned(),
        })
    }
}

/// What a token says of itself. Until somebody has vouched for it that is hearsay.
#[derive(Debug, Deserialize)]
pub(super) struct Claims {
    #[serde(default)]
    iss: Option<String>,
    #[serde(default)]
    sub: Option<String>,
    /// Whom it is meant for.
    #[serde(default, deserialize_with = "one_or_more")]
    aud: Vec<String>,
    #[serde(default)]
    exp: Option<Number>,
    #[serde(default)]
    nbf: Option<Number>,
    #[serde(default)]
    iat: Option<Number>,
    #[serde(default, rename = "kubernetes.io")]
    bound: Option<Bound>,
    #[serde(default, rename = "kubernetes.io/serviceaccount/namespace")]
    old_namespace: Option<String>,
    #[serde(default, rename = "kubernetes.io/serviceaccount/service-account.name")]
    old_name: Option<String>,
    #[serde(default, rename = "kubernetes.io/serviceaccount/service-account.uid")]
    old_uid: Option<String>,
    #[serde(default, rename = "kubernetes.io/serviceaccount/secret.name")]
    secret_name: Option<String>,
}

/// What tokens say that are made for pods.
#[derive(Debug, Deserialize)]
struct Bound {
    #[serde(default)]
    namespace: String,
    #[serde(default)]
    serviceaccount: Reference,
}

#[derive(Debug, Default, Deserialize)]
struct Reference {
    #[serde(default)]
    name: String,
    #[serde(default)]
    uid: String,
}

impl Claims {
    /// What the payload of a token says; none where that is nothing of a service account's.
    pub(super) fn read(payload: &[u8]) -> Option<Self> {
        parse_foreign(payload).ok()
    }

    /// What a token says that somebody else is going to verify; none where it is none that a cluster would sign.
    pub(super) fn hearsay(token: &str) -> Option<Self> {
        let token = Compact::parse(token).ok()?;
        let shared = token.header().algorithm.name().starts_with("HS");
        Self::read(token.unverified()).filter(|_| !shared)
    }

    /// Whose it says it is; none where it does not say all of it, or two things at once.
    pub(super) fn account(&self) -> Option<ServiceAccount> {
        let (namespace, name, uid) = match &self.bound {
            Some(bound) => {
                let of = &bound.serviceaccount;
                (bound.namespace.clone(), of.name.clone(), of.uid.clone())
            }
            None => {
                let text = |text: &Option<String>| text.clone().unwrap_or_default();
                let (namespace, name) = (text(&self.old_namespace), text(&self.old_name));
                (namespace, name, text(&self.old_uid))
            }
        };
        let username = format!("system:serviceaccount:{namespace}:{name}");
        let account = ServiceAccount::of_username(&username, &uid)?;
        let agrees = self.sub.as_ref().is_none_or(|sub| *sub == username);
        (agrees && account.namespace == namespace).then_some(account)
    }

    /// Whom it is meant for.
    pub(super) fn audiences(&self) -> &[String] {
        &self.aud
    }

    /// Whether it ends by itself.
    pub(super) fn ends(&self) -> bool {
        self.exp.is_some()
    }

    /// The secret that it is kept in; empty for tokens that are made for pods.
    pub(super) fn secret_name(&self) -> String {
        self.secret_name.clone().unwrap_or_default()
    }

    /// Refuses a token that is over, or not yet begun.
    pub(super) fn refuse_time(&self, now: Timestamp) -> Result<(), Fault> {
        let now = i64::try_from(now.secs()).unwrap_or(i64::MAX);
        let time = |number: &Option<Number>| match number.as_ref().map(whole_seconds) {
            None => Ok(None),
            Some(Some(secs)) => Ok(Some(secs)),
            Some(None) => Err(Fault::Denied),
        };
        let refuse = |word: &str| Err(Fault::Forbidden(word.to_owned()));
        if time(&self.nbf)?.is_some_and(|begin| begin > now + SKEW_SECS) {
            return refuse("invalid not before (nbf) claim: token not yet valid");
        }
        if time(&self.exp)?.is_some_and(|end| end < now - SKEW_SECS) {
            return refuse("invalid expiration time (exp) claim: token is expired");
        }
        if time(&self.iat)?.is_some_and(|made| made > now + SKEW_SECS) {
            return refuse("invalid issued at (iat) claim: token issued in the future");
        }
        Ok(())
    }

    /// Refuses a token of another issuer than `wanted`, where that is said.
    pub(super) fn refuse_issuer(&self, wanted: &str) -> Result<(), Fault> {
        match wanted.is_empty() || self.iss.as_deref() == Some(wanted) {
            true => Ok(()),
            false => Err(Fault::Forbidden("invalid issuer (iss) claim".into())),
        }
    }

    /// Refuses a token that is meant for others than `wanted`, where that is said.
    pub(super) fn refuse_audience(&self, wanted: &str) -> Result<(), Fault> {
        match wanted.is_empty() || self.aud.iter().any(|audience| audience == wanted) {
            true => Ok(()),
            false => Err(Fault::Forbidden(
                "invalid audience (aud) claim: audience claim does not match any expected audience"
                    .into(),
            )),
        }
    }
}

/// A moment of RFC 7519, which may have a fraction; none where it is of no time that can be meant.
fn whole_seconds(number: &Number) -> Option<i64> {
    let text = number.to_string();
    let whole = text
        .split_once('.')
        .map_or(text.as_str(), |(whole, _)| whole);
    let plain = !text.contains(['e', 'E']);
    whole.parse().ok().filter(|_| plain)
}

/// A text, or a list of them (RFC 7519 section 4.1.3).
fn one_or_more<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    match Value::deserialize(from)? {
        Value::String(one) => Ok(vec![one]),
        more => Vec::deserialize(more).map_err(D::Error::custom),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn claims(value: &Value) -> Option<Claims> {
        Claims::read(value.to_string().as_bytes())
    }

    fn told(namespace: &str, name: &str, uid: &str) -> Option<ServiceAccount> {
        let bound =
            json!({ "namespace": namespace, "serviceaccount": { "name": name, "uid": uid } });
        claims(&json!({ "kubernetes.io": bound }))?.account()
    }

    #[test]
    fn names_that_hold_a_colon_are_nobodys() {
        assert!(told("shop", "app", "u").is_some());
        for (namespace, name, uid) in [
            ("shop", "app:x", "u"),
            ("shop:app", "x", "u"),
            ("", "app", "u"),
            ("shop", "", "u"),
            ("shop", "app", ""),
        ] {
            assert!(told(namespace, name, uid).is_none(), "{namespace} {name}");
        }
        for name in [
            "system:serviceaccount:shop",
            "system:serviceaccount:shop:app:x",
            "System:ServiceAccount:shop:app",
            "system:node:shop:app",
            "alice",
        ] {
            assert!(ServiceAccount::of_username(name, "u").is_none(), "{name}");
        }
    }

    #[test]
    fn a_subject_of_another_account_is_a_contradiction() {
        let bound = json!({ "namespace": "shop", "serviceaccount": { "name": "app", "uid": "u" } });
        for (sub, fine) in [
            ("system:serviceaccount:shop:app", true),
            ("system:serviceaccount:shop:root", false),
        ] {
            let claims = claims(&json!({ "sub": sub, "kubernetes.io": bound })).unwrap();
            assert_eq!(claims.account().is_some(), fine);
        }
    }

    #[test]
    fn moments_are_numbers_of_seconds() {
        let now = Timestamp::from_secs(1_000_000);
        let at = |claim: &str, value: Value| {
            let claims = claims(&json!({ claim: value }))?;
            Some(claims.refuse_time(now).is_ok())
        };
        for (claim, value, fine) in [
            ("exp", json!(999_941), true),
            ("exp", json!(999_939), false),
            ("exp", json!(1_000_000.5), true),
            ("exp", json!(-1), false),
            ("nbf", json!(1_000_059), true),
            ("nbf", json!(1_000_061), false),
            ("iat", json!(1_000_059), true),
            ("iat", json!(1_000_061), false),
            ("exp", json!(1e30), false),
            ("exp", json!(u64::MAX), false),
            ("exp", json!(null), true),
        ] {
            assert_eq!(at(claim, value.clone()), Some(fine), "{claim} {value}");
        }
        assert_eq!(at("exp", json!("soon")), None);
    }

    #[test]
    fn an_audience_is_one_or_more_texts() {
        for (aud, count) in [
            (json!("a"), Some(1)),
            (json!(["a", "b"]), Some(2)),
            (json!([]), Some(0)),
        ] {
            let read = claims(&json!({ "aud": aud })).map(|claims| claims.audiences().len());
            assert_eq!(read, count);
        }
        for aud in [json!(5), json!([5]), json!({}), json!(null), json!([["a"]])] {
            assert!(claims(&json!({ "aud": aud })).is_none(), "{aud}");
        }
        let twice = br#"{"aud":"a","aud":"b"}"#;
        assert!(
            Claims::read(twice).is_none(),
            "a claim that comes twice is none"
        );
    }
}
