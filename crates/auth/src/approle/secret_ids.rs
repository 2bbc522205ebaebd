//! `role/{role_name}/secret-id…`: making, listing, looking up and removing secret ids.

use coffer_crypto::Secret;
use coffer_engine::keys::{Keys, page};
use coffer_engine::{Ctx, Empty, Fault, Handle, Reply, Routes, Wrapping, path, plaintext};
use coffer_wire::{CommaList, Int, KvPairs, Text, Timestamp, Ttl, parse_networks};
use ipnet::IpNet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::AppRole;
use super::role::Role;
use super::salt::MAX_ID_BYTES;
use super::secret_id::{self, Found, SecretId};
use crate::networks;

/// Of one secret id's notes at most.
const MAX_METADATA_BYTES: usize = 16 * 1024;

pub(super) fn routes() -> Routes<AppRole> {
    Routes::new([
        path(
            "role/{role_name}/secret-id",
            "The secret ids of a role, by their accessors.",
        )
        .caseless()
        .list::<ListSecretIds>()
        .write::<MakeSecretId>()
        .tells("approle/secret-id-create"),
        path(
            "role/{role_name}/custom-secret-id",
            "A secret id that was chosen elsewhere.",
        )
        .caseless()
        .write::<TakeSecretId>()
        .tells("approle/secret-id-create"),
        path(
            "role/{role_name}/secret-id/lookup",
            "What is known of a secret id.",
        )
        .caseless()
        .write::<LookUp>(),
        path("role/{role_name}/secret-id/destroy", "Removes a secret id.")
            .caseless()
            .write::<Destroy>()
            .tells("approle/secret-id-destroy")
            .delete::<Destroy>()
            .tells("approle/secret-id-destroy"),
        path(
            "role/{role_name}/secret-id-accessor/lookup",
            "What is known of the secret id with an accessor.",
        )
        .caseless()
        .write::<LookUpAccessor>(),
        path(
            "role/{role_name}/secret-id-accessor/destroy",
            "Removes the secret id with an accessor.",
        )
        .caseless()
        .write::<DestroyAccessor>()
        .tells("approle/secret-id-destroy")
        .delete::<DestroyAccessor>()
        .tells("approle/secret-id-destroy"),
    ])
}

/// Lists the accessors of a role's secret ids.
#[derive(Deserialize, JsonSchema)]
struct ListSecretIds {
    /// Name of the role.
    role_name: String,
    /// Accessors after this one only.
    #[serde(default)]
    after: String,
    /// How many at most; all if not over zero.
    #[serde(default)]
    limit: Int,
}

impl Handle<AppRole> for ListSecretIds {
    type Reply = Keys;

    async fn handle(self, _: &AppRole, cx: &Ctx) -> Result<Keys, Fault> {
        let role = Role::expected(cx, &self.role_name).await?;
        let folder = secret_id::accessors(&role.key);
        page(cx, &folder, &self.after, self.limit).await
    }
}

/// What a new secret id shall be like.
#[derive(Deserialize, JsonSchema)]
struct Wish {
    /// Networks that logins with it may come from.
    #[serde(default)]
    cidr_list: CommaList,
    /// Notes for each login with it: a text that holds a JSON object, or pairs like `a=b`.
    #[serde(default)]
    metadata: Text,
    /// How many logins it is good for; what the role says where nothing is said.
    #[serde(default)]
    num_uses: Option<Int>,
    /// Networks that its tokens may come from.
    #[serde(default)]
    token_bound_cidrs: CommaList,
    /// How long it lives; what the role says where nothing is said.
    #[serde(default)]
    ttl: Option<Ttl>,
}

/// A secret id, shown once.
#[derive(Serialize)]
struct Made {
    /// What machines bring.
    #[serde(serialize_with = "plaintext::text")]
    secret_id: Secret<String>,
    /// Names it to people who manage it.
    secret_id_accessor: String,
    /// How many logins it is good for; 0 for no limit.
    secret_id_num_uses: u64,
    /// How long it lives, in seconds; 0 for ever.
    secret_id_ttl: Ttl,
}

/// Makes a secret id.
#[derive(Deserialize, JsonSchema)]
struct MakeSecretId {
    /// Name of the role.
    role_name: String,
    #[serde(flatten)]
    wish: Wish,
}

impl Handle<AppRole> for MakeSecretId {
    type Reply = Reply;

    async fn handle(self, engine: &AppRole, cx: &Ctx) -> Result<Reply, Fault> {
        let id = cx.random.uuid_v4();
        self.wish.make(engine, cx, &self.role_name, id).await
    }
}

/// Takes over a secret id that was chosen elsewhere.
#[derive(Deserialize, JsonSchema)]
struct TakeSecretId {
    /// Name of the role.
    role_name: String,
    /// The secret id.
    #[serde(default)]
    secret_id: Text,
    #[serde(flatten)]
    wish: Wish,
}

impl Handle<AppRole> for TakeSecretId {
    type Reply = Reply;

    async fn handle(self, engine: &AppRole, cx: &Ctx) -> Result<Reply, Fault> {
        let id = given(self.secret_id, "secret_id")?;
        if id.len() > MAX_ID_BYTES {
            return Err(Fault::Invalid(format!(
                "secret_id is longer than {MAX_ID_BYTES} bytes"
            )));
        }
        self.wish.make(engine, cx, &self.role_name, id).await
    }
}

impl Wish {
    async fn make(
        self,
        engine: &AppRole,
        cx: &Ctx,
        role_name: &str,
        id: String,
    ) -> Result<Reply, Fault> {
        let role = Role::find(cx, role_name).await?;
        let role =
            role.ok_or_else(|| Fault::Missing(format!("role {role_name:?} does not exist")))?;
        if !role.bind_secret_id {
            return Err(Fault::invalid("bind_secret_id is not set on the role"));
        }
        let record = self.record(cx, &role)?;
        secret_id::put(engine, cx, &role, &id, &record).await?;
        let made = Reply::data(&Made {
            secret_id: Secret::new(id),
            secret_id_accessor: record.accessor.clone(),
            secret_id_num_uses: record.num_uses,
            secret_id_ttl: record.ttl,
        })?;
        Ok(Reply {
            wrapping: Wrapping::Named(record.accessor),
            ..made
        })
    }

    fn record(self, cx: &Ctx, role: &Role) -> Result<SecretId, Fault> {
        let bound = role.secret_id_bound_cidrs.as_deref().unwrap_or_default();
        let cidrs = networks::blocks(&self.cidr_list)?;
        refuse_outside(&cidrs, bound, "cidr_list", "secret_id_bound_cidrs")?;
        let token_cidrs = parse_networks(&self.token_bound_cidrs.0).map_err(Fault::invalid)?;
        let outer = &role.token.bound_cidrs;
        refuse_outside(
            &token_cidrs,
            outer,
            "token_bound_cidrs",
            "token_bound_cidrs",
        )?;
        let ttl = self.lifetime(role)?;
        Ok(SecretId {
            accessor: cx.random.uuid_v4(),
            created: cx.now,
            updated: cx.now,
            expires: (!ttl.is_zero()).then(|| cx.now.plus(ttl.0)),
            ttl,
            num_uses: self.uses(role)?,
            metadata: notes(&self.metadata)?,
            cidrs,
            token_cidrs,
        })
    }

    /// How long it lives: not longer than the role says.
    fn lifetime(&self, role: &Role) -> Result<Ttl, Fault> {
        let most = role.secret_id_ttl;
        let ttl = self.ttl.unwrap_or(most);
        match !most.is_zero() && (ttl.is_zero() || ttl > most) {
            true => Err(Fault::invalid(
                "ttl cannot be longer than the role's secret_id_ttl",
            )),
            false => Ok(ttl),
        }
    }

    /// How many logins it is good for: not more than the role says.
    fn uses(&self, role: &Role) -> Result<u64, Fault> {
        let most = role.secret_id_num_uses;
        let Some(uses) = self.num_uses else {
            return Ok(most);
        };
        let uses =
            u64::try_from(uses.0).map_err(|_| Fault::invalid("num_uses cannot be negative"))?;
        match most > 0 && (uses == 0 || uses > most) {
            true => Err(Fault::invalid(
                "num_uses cannot be higher than the role's secret_id_num_uses",
            )),
            false => Ok(uses),
        }
    }
}

fn refuse_outside(inner: &[IpNet], outer: &[IpNet], field: &str, bound: &str) -> Result<(), Fault> {
    match networks::within(inner, outer) {
        true => Ok(()),
        false => Err(Fault::Invalid(format!(
            "{field} reaches beyond the networks of the role's {bound}"
        ))),
    }
}

/// Notes from a JSON object in a text, or from pairs.
fn notes(text: &Text) -> Result<std::collections::BTreeMap<String, String>, Fault> {
    if text.0.is_empty() {
        return Ok(std::collections::BTreeMap::new());
    }
    if text.0.len() > MAX_METADATA_BYTES {
        return Err(Fault::Invalid(format!(
            "metadata is longer than {MAX_METADATA_BYTES} bytes"
        )));
    }
    let pairs: Result<KvPairs, _> = serde_json::from_value(text.0.clone().into());
    pairs.map(|pairs| pairs.0).map_err(|_| {
        Fault::invalid(
            "failed to parse metadata: write a JSON object of texts, or pairs like key=value",
        )
    })
}

/// A secret id as people see it who manage it.
#[derive(Serialize, JsonSchema)]
struct Shown {
    cidr_list: Vec<String>,
    creation_time: Timestamp,
    /// A zero time where it lives for ever.
    expiration_time: String,
    last_updated_time: Timestamp,
    metadata: std::collections::BTreeMap<String, String>,
    secret_id_accessor: String,
    secret_id_num_uses: u64,
    secret_id_ttl: Ttl,
    token_bound_cidrs: Vec<String>,
}

/// What is known of a secret id; nothing (204) where the role has no such one.
fn shown(found: Option<Found>) -> Result<Reply, Fault> {
    let Some(Found { record, .. }) = found else {
        return Ok(Reply::default());
    };
    let ends = record.expires.map(|end| end.to_string());
    Reply::data(&Shown {
        cidr_list: networks::written(&record.cidrs),
        creation_time: record.created,
        expiration_time: ends.unwrap_or_else(|| "0001-01-01T00:00:00Z".to_owned()),
        last_updated_time: record.updated,
        metadata: record.metadata,
        secret_id_accessor: record.accessor,
        secret_id_num_uses: record.num_uses,
        secret_id_ttl: record.ttl,
        token_bound_cidrs: networks::written(&record.token_cidrs),
    })
}

fn given(text: Text, field: &str) -> Result<String, Fault> {
    match text.0.is_empty() {
        true => Err(Fault::Invalid(format!("missing {field}"))),
        false => Ok(text.0),
    }
}

/// Shows what is known of a secret id.
#[derive(Deserialize, JsonSchema)]
struct LookUp {
    /// Name of the role.
    role_name: String,
    /// The secret id.
    #[serde(default)]
    secret_id: Text,
}

impl Handle<AppRole> for LookUp {
    type Reply = Reply;

    async fn handle(self, engine: &AppRole, cx: &Ctx) -> Result<Reply, Fault> {
        let id = given(self.secret_id, "secret_id")?;
        let role = Role::expected(cx, &self.role_name).await?;
        shown(secret_id::by_id(engine, cx, &role, &id).await?)
    }
}

/// Removes a secret id.
#[derive(Deserialize, JsonSchema)]
struct Destroy {
    /// Name of the role.
    role_name: String,
    /// The secret id.
    #[serde(default)]
    secret_id: Text,
}

impl Handle<AppRole> for Destroy {
    type Reply = Empty;

    async fn handle(self, engine: &AppRole, cx: &Ctx) -> Result<Empty, Fault> {
        let id = given(self.secret_id, "secret_id")?;
        let role = Role::expected(cx, &self.role_name).await?;
        if let Some(found) = secret_id::by_id(engine, cx, &role, &id).await? {
            found.remove(cx).await?;
        }
        Ok(Empty)
    }
}

/// Shows what is known of the secret id with an accessor.
#[derive(Deserialize, JsonSchema)]
struct LookUpAccessor {
    /// Name of the role.
    role_name: String,
    /// The accessor.
    #[serde(default)]
    secret_id_accessor: Text,
}

impl Handle<AppRole> for LookUpAccessor {
    type Reply = Reply;

    async fn handle(self, _: &AppRole, cx: &Ctx) -> Result<Reply, Fault> {
        let accessor = given(self.secret_id_accessor, "secret_id_accessor")?;
        let role = Role::expected(cx, &self.role_name).await?;
        match secret_id::by_accessor(cx, &role, &accessor).await? {
            None => Err(Fault::Missing(format!(
                "failed to find accessor entry for secret_id_accessor: {accessor:?}"
            ))),
            found => shown(found),
        }
    }
}

/// Removes the secret id with an accessor.
#[derive(Deserialize, JsonSchema)]
struct DestroyAccessor {
    /// Name of the role.
    role_name: String,
    /// The accessor.
    #[serde(default)]
    secret_id_accessor: Text,
}

impl Handle<AppRole> for DestroyAccessor {
    type Reply = Empty;

    async fn handle(self, _: &AppRole, cx: &Ctx) -> Result<Empty, Fault> {
        let accessor = given(self.secret_id_accessor, "secret_id_accessor")?;
        let role = Role::expected(cx, &self.role_name).await?;
        let found = secret_id::by_accessor(cx, &role, &accessor).await?;
        let found = found.ok_or_else(|| {
            Fault::Invalid(format!(
                "failed to find accessor entry for secret_id_accessor: {accessor:?}"
            ))
        })?;
        found.remove(cx).await?;
        Ok(Empty)
    }
}
