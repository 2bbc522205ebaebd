//! Access keys: another way to show a service token, for clients that sign their requests instead of sending a token.
//!
//! An access key is a part of its token's record and has no life of its own: policies, entity, lifetime, uses, addresses and
//! revocation are the token's ([decision 0018](../../../../docs/decisions/0018-access-keys.md)).

use coffer_crypto::{Random, Secret};
use coffer_engine::Fault;
use serde::{Deserialize, Serialize, Serializer};

use super::record::TokenRecord;
use super::store::Tokens;
use crate::namespaces::id_of;

/// What the ids of access keys begin with: AWS's own begin with `AKIA` and `ASIA`, so that nobody takes one for the other.
const PREFIX: &str = "CKIA";
/// The length of an id, in characters; AWS's are as long.
const ID_CHARS: usize = 20;
/// The length of a secret, in characters of 62: 238 bits.
const SECRET_CHARS: usize = 40;
/// The alphabet of ids: letters and digits that nobody confuses.
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/// The longest id that is looked for.
const MAX_ID_BYTES: usize = 128;

/// An access key, as stored in the record of its token.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AccessKey {
    /// Names it; not a secret.
    pub id: String,
    /// What requests are signed with. Signing needs the secret itself, so that no hash of it would do.
    #[serde(serialize_with = "exposed")]
    pub secret: Secret<String>,
}

impl AccessKey {
    /// A new one.
    pub fn new(random: &Random) -> Self {
        let characters = random.bytes::<{ ID_CHARS - PREFIX.len() }>();
        let characters = characters
            .iter()
            .filter_map(|byte| BASE32.get(usize::from(byte % 32)))
            .map(|character| char::from(*character));
        Self {
            id: PREFIX.chars().chain(characters).collect(),
            secret: Secret::new(random.base62(SECRET_CHARS)),
        }
    }
}

impl Tokens {
    /// The record of the token that an access key belongs to, living or not.
    pub async fn by_access_key(&self, id: &str) -> Result<Option<TokenRecord>, Fault> {
        let Some(accessor) = self.accessor_of_key(id).await? else {
            return Ok(None);
        };
        let record = self.by_accessor(&accessor).await?;
        Ok(record.filter(|record| record.access_key.as_ref().is_some_and(|key| key.id == id)))
    }

    /// The accessor of the token that an access key belongs to.
    pub async fn accessor_of_key(&self, id: &str) -> Result<Option<String>, Fault> {
        let ours = |byte: u8| byte.is_ascii_alphanumeric();
        if id.is_empty() || id.len() > MAX_ID_BYTES || !id.bytes().all(ours) {
            return Ok(None);
        }
        let found = self.view.list(&by_key(id, ""), None, 1).await?;
        Ok(found.into_iter().next())
    }

    /// The ids of a namespace's access keys in order, after one of them, at most `limit`.
    pub async fn access_keys(
        &self,
        namespace: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<String>, Fault> {
        let after = after.map(|id| format!("{id}/"));
        let folder = keys_in(namespace);
        let found = self.view.list(&folder, after.as_deref(), limit).await?;
        let ids = found.into_iter();
        Ok(ids.map(|id| id.trim_end_matches('/').to_owned()).collect())
    }
}

/// Where the entries of a token's access key are, if it has one.
pub(super) fn entries(record: &TokenRecord) -> Option<[String; 2]> {
    let AccessKey { id, .. } = record.access_key.as_ref()?;
    let accessor = &record.accessor;
    let namespace = id_of(accessor);
    Some([
        by_key(id, accessor),
        format!("{}{id}/{accessor}", keys_in(namespace)),
    ])
}

/// The folders of all entries; the last segment of each is an accessor.
pub(super) const INDEXES: [&str; 2] = ["access-key/", "access-key-in/"];

fn by_key(id: &str, accessor: &str) -> String {
    format!("access-key/{id}/{accessor}")
}

/// The folder of a namespace's access keys.
fn keys_in(namespace: &str) -> String {
    let namespace = match namespace {
        "" => "-",
        id => id,
    };
    format!("access-key-in/{namespace}/")
}

/// The one place where a record's secret is written: behind the barrier.
fn exposed<S: Serializer>(secret: &Secret<String>, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(secret.expose())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_their_form() {
        let random = Random::seeded_for_tests(1);
        let (one, two) = (AccessKey::new(&random), AccessKey::new(&random));
        assert_ne!(one.id, two.id);
        assert!(one.id.starts_with("CKIA") && one.id.len() == 20);
        assert!(one.id.bytes().all(|byte| BASE32.contains(&byte)));
        assert_eq!(one.secret.expose().len(), 40);
        assert!(!format!("{one:?}").contains(one.secret.expose().as_str()));
        let read: AccessKey = serde_json::from_str(&serde_json::to_string(&one).unwrap()).unwrap();
        assert_eq!(read, one);
    }
}
