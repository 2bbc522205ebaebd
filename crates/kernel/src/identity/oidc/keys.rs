//! Keys at work: made when they are needed first, rotated on time, asked to sign.

use coffer_barrier::Error;
use coffer_crypto::jose;
use coffer_crypto::sign::Algorithm;
use coffer_engine::Fault;
use coffer_wire::Timestamp;
use serde_json::{Map, Value};

use super::Oidc;
use super::key::{NamedKey, Pair};
use crate::identity::edit::place;
use crate::open::Open;

/// How often a rotation is tried again when others change the key.
const TRIES: usize = 50;

impl Oidc {
    /// The key of a name, with a pair that may sign now: a rotation that is due is made first, durably.
    pub async fn key(&self, open: &Open, name: &str) -> Result<Option<NamedKey>, Fault> {
        for _ in 0..TRIES {
            let (now, view) = (open.clock.now(), self.shelf.view());
            let path = place::<NamedKey>(name);
            let (key, seen) = view.get_seen::<NamedKey>(&path).await?;
            let Some(mut key) = key.or_else(|| NamedKey::built_in(name)) else {
                return Ok(None);
            };
            let lacks = key.lacks(now);
            if lacks == 0 {
                return Ok(Some(key));
            }
            let pairs = new_pairs(open, key.algorithm()?, lacks).await?;
            key.refresh(&pairs, now);
            let changes = view.changes().put(view, &path, &key)?;
            match changes.expect(view, &path, seen).commit().await {
                Ok(()) => return self.noted(open, key).await.map(Some),
                Err(Error::Conflict) => {}
                Err(other) => return Err(other.into()),
            }
        }
        Err(Error::Conflict.into())
    }

    /// The public keys that verify the tokens of these keys, those in order. Nothing is made or rotated for this:
    /// strangers ask.
    pub async fn published(
        &self,
        names: &[String],
        now: Timestamp,
    ) -> Result<Vec<Map<String, Value>>, Fault> {
        let mut published = Vec::new();
        for name in names {
            if let Some(key) = self.get::<NamedKey>(name).await? {
                published.extend(key.published(now).cloned());
            }
        }
        Ok(published)
    }

    /// From now on somebody looks whether rotations are due in this namespace.
    async fn noted(&self, open: &Open, key: NamedKey) -> Result<NamedKey, Fault> {
        open.namespaces.look_after(&open.space).await?;
        Ok(key)
    }

    /// Rotates the keys whose time has come.
    pub async fn rotate_due(&self, open: &Open) -> Result<(), Fault> {
        for (name, key) in self.all::<NamedKey>().await? {
            let now = open.clock.now();
            if key.signing.is_some() && key.lacks(now) > 0 {
                self.key(open, &name).await?;
                tracing::info!(
                    key = name,
                    namespace = open.space.path,
                    "a signing key was rotated"
                );
            }
        }
        Ok(())
    }
}

impl NamedKey {
    /// Signs claims with the pair that signs now.
    pub fn sign(&self, claims: &Map<String, Value>) -> Result<String, Fault> {
        let pair = self.signing.as_ref();
        let pair = pair.ok_or_else(|| Fault::internal("a key that was never made"))?;
        let payload = serde_json::to_vec(claims).map_err(Fault::internal)?;
        let token = jose::sign(&pair.open(self.algorithm()?)?, &pair.id, &payload)?;
        match token.len() {
            length if length > jose::MAX_TOKEN_BYTES => Err(Fault::Invalid(format!(
                "the claims are too much for one token: it would have {length} bytes, the limit is {}",
                jose::MAX_TOKEN_BYTES
            ))),
            _ => Ok(token),
        }
    }
}

/// New pairs, computed where nobody waits for the processor.
pub(super) async fn new_pairs(
    open: &Open,
    algorithm: Algorithm,
    count: usize,
) -> Result<Vec<Pair>, Fault> {
    let ids: Vec<String> = (0..count).map(|_| open.random.uuid_v4()).collect();
    let generate = move || {
        let pairs = ids.into_iter().map(|id| Pair::generate(algorithm, id));
        pairs.collect::<Result<Vec<_>, Fault>>()
    };
    let made = tokio::task::spawn_blocking(generate).await;
    made.map_err(Fault::internal)?
}

/// What verifies these keys' tokens.
pub(super) fn key_set(published: &[Map<String, Value>]) -> jose::KeySet {
    let algorithms = super::key::ALGORITHMS;
    let keys = published.iter().flat_map(|public| {
        let id = public.get("kid").and_then(Value::as_str).map(str::to_owned);
        let jwk = Value::Object(public.clone());
        let read = jose::read_key(&jwk, &algorithms).unwrap_or_default();
        read.into_iter().map(move |key| (id.clone(), key))
    });
    jose::KeySet::of(keys.collect())
}
