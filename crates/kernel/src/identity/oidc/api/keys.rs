//! `identity/oidc/key`: keys that sign tokens.

use coffer_engine::{Ctx, Empty, Fault, Handle, Reply, Routes, path};
use coffer_wire::{CommaList, Text, Ttl};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::super::client::Client;
use super::super::key::{self, MAX_RETIRED, MIN_ROTATION, NamedKey, Pair, signing_algorithm};
use super::super::keys::new_pairs;
use super::super::role::Role;
use super::{listed, unless_used};
use crate::identity::edit::{Draft, Edit, check_name};
use crate::open::Open;

pub(super) fn routes() -> Routes<Open> {
    Routes::new([
        path("oidc/key", "Lists the keys that sign tokens.").list::<ListKeys>(),
        path("oidc/key/{name}", "One key that signs tokens.")
            .read::<ReadKey>()
            .write::<WriteKey>()
            .delete::<DeleteKey>(),
        path("oidc/key/{name}/rotate", "Rotates a key now.").write::<RotateKey>(),
    ])
}

/// Lists the keys.
#[derive(Deserialize, JsonSchema)]
struct ListKeys {}

impl Handle<Open> for ListKeys {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        let stored = open.space.oidc.all::<NamedKey>().await?;
        let names = stored.into_iter().map(|(name, _)| name);
        listed(names.chain([key::DEFAULT.to_owned()]).collect())
    }
}

/// Shows a key, without its private half.
#[derive(Deserialize, JsonSchema)]
struct ReadKey {
    /// Its name.
    name: String,
}

impl Handle<Open> for ReadKey {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        check_name(&self.name)?;
        let stored: Option<NamedKey> = open.space.oidc.get(&self.name).await?;
        let key = stored
            .or_else(|| NamedKey::built_in(&self.name))
            .ok_or(Fault::NotFound)?;
        Reply::data(&json!({
            "algorithm": key.algorithm,
            "allowed_client_ids": key.allowed_client_ids,
            "rotation_period": key.rotation_period.as_secs(),
            "verification_ttl": key.verification_ttl.as_secs(),
        }))
    }
}

/// Makes a key, or changes one. Another algorithm takes effect at once.
#[derive(Deserialize, JsonSchema)]
struct WriteKey {
    /// Its name.
    name: String,
    /// How long a pair signs before the next takes over; at least a minute.
    #[serde(default)]
    rotation_period: Option<Ttl>,
    /// How long a pair's tokens can be verified after it signed last; at most ten rotation periods.
    #[serde(default)]
    verification_ttl: Option<Ttl>,
    /// Ids of the roles and clients whose tokens it may sign; `*` for all.
    #[serde(default)]
    allowed_client_ids: Option<CommaList>,
    /// What it signs with: RS256, RS384, RS512, ES256, ES384, ES512 or EdDSA.
    #[serde(default)]
    algorithm: Option<Text>,
}

impl Handle<Open> for WriteKey {
    type Reply = Empty;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Empty, Fault> {
        check_name(&self.name)?;
        let oidc = &open.space.oidc;
        let stored: Option<NamedKey> = oidc.get(&self.name).await?;
        let was = stored.clone();
        let wanted = self.applied(stored.or_else(|| NamedKey::built_in(&self.name)))?;
        let fresh =
            was.is_none_or(|was| was.signing.is_none() || was.algorithm != wanted.algorithm);
        let pairs = if fresh {
            new_pairs(open, wanted.algorithm()?, 2).await?
        } else {
            Vec::new()
        };
        let put = PutKey { ask: self, pairs };
        oidc.edit(&put, cx.now).await?;
        open.namespaces.look_after(&open.space).await?;
        Ok(Empty)
    }
}

impl WriteKey {
    /// The key as it is to be, its pairs aside.
    fn applied(&self, stored: Option<NamedKey>) -> Result<NamedKey, Fault> {
        let mut key = stored.unwrap_or_default();
        if let Some(Ttl(period)) = self.rotation_period {
            key.rotation_period = period;
        }
        if let Some(Ttl(ttl)) = self.verification_ttl {
            key.verification_ttl = ttl;
        }
        if let Some(CommaList(ids)) = &self.allowed_client_ids {
            key.allowed_client_ids.clone_from(ids);
        }
        if let Some(Text(name)) = &self.algorithm {
            key.algorithm.clone_from(name);
        }
        if key.rotation_period < MIN_ROTATION {
            return Err(Fault::invalid(
                "rotation_period must be at least one minute",
            ));
        }
        if key.verification_ttl > key.rotation_period.saturating_mul(10) {
            return Err(Fault::invalid(
                "verification_ttl cannot be longer than 10x rotation_period",
            ));
        }
        signing_algorithm(&key.algorithm)?;
        Ok(key)
    }
}

struct PutKey {
    ask: WriteKey,
    pairs: Vec<Pair>,
}

impl Edit for PutKey {
    type Done = ();

    async fn decide(&self, draft: &mut Draft) -> Result<(), Fault> {
        let name = &self.ask.name;
        let stored = draft.key(name).await?;
        let (algorithm, period) = match &stored {
            Some(key) => (key.algorithm.clone(), key.rotation_period),
            None => (String::new(), key::DEFAULT_PERIOD),
        };
        let mut key = self.ask.applied(stored)?;
        outlived(draft, name, &key).await?;
        if key.rotation_period != period {
            key.next_rotation = draft.now.plus(key.rotation_period);
        }
        if key.signing.is_none() || key.algorithm != algorithm {
            let fit = self.pairs.len() == 2 && self.fits(&key);
            if !fit {
                return Err(coffer_barrier::Error::Conflict.into());
            }
            room(&key, draft)?;
            key.restart(&self.pairs, draft.now);
        }
        draft.put(name, &key)
    }
}

impl PutKey {
    fn fits(&self, key: &NamedKey) -> bool {
        let algorithm = key.algorithm.as_str();
        let same = |pair: &Pair| pair.public.get("alg").is_some_and(|alg| alg == algorithm);
        self.pairs.iter().all(same)
    }
}

/// Refuses a key whose tokens could outlive what verifies them.
async fn outlived(draft: &Draft, name: &str, key: &NamedKey) -> Result<(), Fault> {
    let secs = key.verification_ttl.as_secs();
    let roles = draft.all::<Role>().await?;
    let mut longer = roles.iter().map(|(_, role)| (&role.key, role.ttl));
    if longer.any(|(used, ttl)| used == name && ttl > key.verification_ttl) {
        return Err(Fault::Invalid(format!(
            "unable to update key {name:?} because it is currently referenced by one or more roles with a token ttl greater than {secs} seconds"
        )));
    }
    let clients = draft.all::<Client>().await?;
    let mut longer = clients
        .iter()
        .map(|(_, client)| (&client.key, client.id_token_ttl));
    if longer.any(|(used, ttl)| used == name && ttl > key.verification_ttl) {
        return Err(Fault::Invalid(format!(
            "unable to update key {name:?} because it is currently referenced by one or more clients with an id_token_ttl greater than {secs} seconds"
        )));
    }
    Ok(())
}

fn room(key: &NamedKey, draft: &Draft) -> Result<(), Fault> {
    match key.has_room(draft.now) {
        true => Ok(()),
        false => Err(Fault::Invalid(format!(
            "{MAX_RETIRED} rotated keys can still verify tokens, which is the limit; wait until one ends, or rotate with a shorter verification_ttl"
        ))),
    }
}

/// Takes a key away that nothing hangs on; its tokens can be verified no more.
#[derive(Deserialize, JsonSchema)]
struct DeleteKey {
    /// Its name.
    name: String,
}

impl Handle<Open> for DeleteKey {
    type Reply = Empty;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Empty, Fault> {
        check_name(&self.name)?;
        if self.name == key::DEFAULT {
            return Err(Fault::invalid("deletion of key \"default\" not allowed"));
        }
        open.space.oidc.edit(&self, cx.now).await?;
        Ok(Empty)
    }
}

impl Edit for DeleteKey {
    type Done = ();

    async fn decide(&self, draft: &mut Draft) -> Result<(), Fault> {
        let roles = draft.all::<Role>().await?.into_iter();
        let users = roles.filter(|(_, role)| role.key == self.name);
        let users = users.map(|(name, _)| name).collect();
        unless_used("key", &self.name, "roles", users)?;
        let clients = draft.all::<Client>().await?.into_iter();
        let users = clients.filter(|(_, client)| client.key == self.name);
        let users = users.map(|(name, _)| name).collect();
        unless_used("key", &self.name, "clients", users)?;
        draft.delete::<NamedKey>(&self.name)
    }
}

/// Lets the next pair of a key take over now.
#[derive(Deserialize, JsonSchema)]
struct RotateKey {
    /// Its name.
    name: String,
    /// How long the tokens of the pair that signed can be verified yet; as the key says where nothing is given.
    #[serde(default)]
    verification_ttl: Option<Ttl>,
}

impl Handle<Open> for RotateKey {
    type Reply = Empty;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Empty, Fault> {
        check_name(&self.name)?;
        let key = open.space.oidc.key(open, &self.name).await?;
        let key = key.ok_or_else(|| self.unknown())?;
        let pairs = new_pairs(open, key.algorithm()?, 1).await?;
        let rotate = Rotate { ask: self, pairs };
        open.space.oidc.edit(&rotate, cx.now).await?;
        Ok(Empty)
    }
}

impl RotateKey {
    fn unknown(&self) -> Fault {
        Fault::Invalid(format!("no named key found at {:?}", self.name))
    }
}

struct Rotate {
    ask: RotateKey,
    pairs: Vec<Pair>,
}

impl Edit for Rotate {
    type Done = ();

    async fn decide(&self, draft: &mut Draft) -> Result<(), Fault> {
        let name = &self.ask.name;
        let key = draft.key(name).await?;
        let mut key = key.ok_or_else(|| self.ask.unknown())?;
        let new = self.pairs.first().and_then(|pair| pair.public.get("alg"));
        if key.next.is_none() || new.is_none_or(|alg| *alg != key.algorithm) {
            return Err(coffer_barrier::Error::Conflict.into());
        }
        room(&key, draft)?;
        let asked = self.ask.verification_ttl.map(|ttl| ttl.0);
        let verification = asked.unwrap_or(key.verification_ttl);
        key.rotate(&self.pairs, verification, draft.now);
        draft.put(name, &key)
    }
}
