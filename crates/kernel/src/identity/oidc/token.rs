//! Tokens about entities: made, and looked at again.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use coffer_crypto::Hash;
use coffer_crypto::jose::Compact;
use coffer_crypto::sign::Algorithm;
use coffer_engine::Fault;
use coffer_wire::Timestamp;
use serde_json::{Map, Value, json};
use std::time::Duration;

use super::key::NamedKey;
use super::keys::key_set;
use super::{Oidc, claims, role};
use crate::identity::Standing;
use crate::open::Open;

/// What every token says.
pub struct Standard<'a> {
    /// Who issues it.
    pub issuer: &'a str,
    /// Whom it is about.
    pub subject: &'a str,
    /// Whom it is for.
    pub audience: &'a str,
    /// How long it holds.
    pub ttl: Duration,
}

impl Standard<'_> {
    /// Puts them over other claims.
    pub fn over(
        self,
        open: &Open,
        mut claims: Map<String, Value>,
        now: Timestamp,
    ) -> Map<String, Value> {
        let namespace = open.space.record().shown_id().to_owned();
        for (name, value) in [
            ("iss", json!(self.issuer)),
            ("sub", json!(self.subject)),
            ("aud", json!(self.audience)),
            ("iat", json!(now.secs())),
            ("exp", json!(now.plus(self.ttl).secs())),
            ("namespace", json!(namespace)),
        ] {
            claims.insert(name.to_owned(), value);
        }
        claims
    }
}

impl Oidc {
    /// An identity token about an entity, as a role says.
    pub async fn identity_token(
        &self,
        open: &Open,
        name: &str,
        role: &role::Role,
        standing: &Standing,
    ) -> Result<String, Fault> {
        let key = self.key(open, &role.key).await?;
        let key = key.ok_or_else(|| Fault::Invalid(format!("key {:?} not found", role.key)))?;
        if !key.admits(&role.client_id) {
            return Err(Fault::Invalid(format!(
                "the key {:?} does not list the client ID of the role {name:?} as an allowed client ID",
                role.key
            )));
        }
        let now = open.clock.now();
        let issuer = self.issuer(open).await?;
        let standard = Standard {
            issuer: &issuer,
            subject: &standing.entity.id,
            audience: &role.client_id,
            ttl: role.ttl,
        };
        key.sign(&standard.over(open, claims::about(standing, &role.template, now)?, now))
    }

    /// Whether an identity token of this namespace holds, for this audience if one is named; else why not.
    pub async fn introspect(
        &self,
        open: &Open,
        token: &str,
        audience: &str,
    ) -> Result<Result<(), String>, Fault> {
        let token = match Compact::parse(token) {
            Ok(token) => token,
            Err(error) => return Ok(Err(format!("error parsing token: {error}"))),
        };
        let now = open.clock.now();
        let keys = self.all::<NamedKey>().await?;
        let published: Vec<_> = keys
            .iter()
            .flat_map(|(_, key)| key.published(now).cloned())
            .collect();
        let Ok(payload) = key_set(&published).verify(&token) else {
            return Ok(Err("unable to validate the token signature".into()));
        };
        let claims: Result<Map<String, Value>, _> = serde_json::from_slice(payload);
        let claims = claims.map_err(Fault::internal)?; // We signed it.
        let issuer = self.issuer(open).await?;
        if let Err(wrong) = holds(&claims, &issuer, audience, now) {
            return Ok(Err(format!("error validating claims: {wrong}")));
        }
        let subject = claims.get("sub").and_then(Value::as_str);
        let entity = open.space.identity.standing(subject.unwrap_or_default());
        Ok(match entity.await? {
            None => Err("entity was not found".into()),
            Some(standing) if standing.entity.disabled => Err("entity is disabled".into()),
            Some(_) => Ok(()),
        })
    }
}

/// Whether claims hold: of whom, for whom, until when. The last second counts.
fn holds(
    claims: &Map<String, Value>,
    issuer: &str,
    audience: &str,
    now: Timestamp,
) -> Result<(), &'static str> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default();
    let time = |name: &str| claims.get(name).and_then(Value::as_u64);
    if text("iss") != issuer {
        return Err("the token is of another issuer (iss)");
    }
    if !audience.is_empty() && text("aud") != audience {
        return Err("the token is for another audience (aud)");
    }
    if time("exp").is_none_or(|end| now.secs() > end) {
        return Err("the token has expired (exp)");
    }
    if time("iat").is_none_or(|begin| begin > now.secs()) {
        return Err("the token is from the future (iat)");
    }
    Ok(())
}

/// The hash that ties an identity token to a code or an access token: the left half of the digest that belongs to the
/// signature (OpenID Connect Core section 3.1.3.6).
pub fn half_hash(algorithm: Algorithm, text: &str) -> String {
    let hash = match algorithm {
        Algorithm::Rs384 | Algorithm::Es384 => Hash::Sha384,
        Algorithm::Rs512 | Algorithm::Es512 | Algorithm::EdDsa => Hash::Sha512,
        _ => Hash::Sha256,
    };
    let digest = hash.of(text.as_bytes());
    let half = digest.get(..digest.len() / 2);
    URL_SAFE_NO_PAD.encode(half.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_hold_for_whom_and_until_when_they_say() {
        let claims = json!({"iss": "i", "aud": "a", "iat": 100, "exp": 200});
        let Value::Object(claims) = claims else {
            panic!()
        };
        let at = |secs: u64| Timestamp::from_secs(secs);
        assert!(holds(&claims, "i", "a", at(100)).is_ok());
        assert!(holds(&claims, "i", "", at(200)).is_ok());
        assert!(holds(&claims, "j", "a", at(100)).is_err());
        assert!(holds(&claims, "i", "b", at(100)).is_err());
        assert!(holds(&claims, "i", "a", at(201)).is_err());
        assert!(holds(&claims, "i", "a", at(99)).is_err());
        assert!(holds(&Map::new(), "", "", at(1)).is_err());
    }

    #[test]
    fn the_specifications_own_hash() {
        // OpenID Connect Core appendix A.3: the code's c_hash there.
        let code = "Qcb0Orv1zh30vL1MPRsbm-diHiMwcLyZvn1arpZv-Jxf_11jnpEX3Tgfvk";
        assert_eq!(half_hash(Algorithm::Rs256, code), "LDktKdoQak3Pk0cnXxCltA");
    }
}
