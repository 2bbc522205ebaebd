//! Looking tokens up.

use std::collections::BTreeMap;

use coffer_crypto::Secret;
use coffer_engine::{Ctx, Fault, Handle, Routes, TokenKind, path};
use coffer_wire::{Text, Timestamp, format_networks};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::open::Open;
use crate::tokens::{self, TokenRecord};

pub(super) fn routes() -> Routes<Open> {
    Routes::new([
        path("lookup", "Shows a token.")
            .read::<Lookup>()
            .write::<Lookup>(),
        path("lookup-self", "Shows the token that asks.")
            .at_home()
            .read::<LookupSelf>()
            .write::<LookupSelf>(),
        path("lookup-accessor", "Shows the token with an accessor.").write::<LookupAccessor>(),
    ])
}

/// Shows a token.
#[derive(Deserialize, JsonSchema)]
struct Lookup {
    /// The token; the one that asks where none is named.
    #[serde(default)]
    #[schemars(with = "String")]
    token: Option<Secret<String>>,
}

impl Handle<Open> for Lookup {
    type Reply = ShownToken;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<ShownToken, Fault> {
        let Some(token) = super::named(self.token.as_ref()) else {
            return LookupSelf::default().handle(open, cx).await;
        };
        let record = super::living(open, cx, token, false).await?;
        let record = record.ok_or_else(|| Fault::Forbidden("bad token".into()))?;
        ShownToken::of(open, &record, token, cx.now).await
    }
}

/// Shows the token that asks.
#[derive(Default, Deserialize, JsonSchema)]
struct LookupSelf {
    /// The token that asks; what is named here is not looked at.
    #[serde(default, rename = "token")]
    #[schemars(with = "String")]
    _token: Option<Secret<String>>,
}

impl Handle<Open> for LookupSelf {
    type Reply = ShownToken;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<ShownToken, Fault> {
        let record = super::own(open, cx).await?;
        let token = cx.token.as_deref().ok_or(Fault::Denied)?;
        ShownToken::of(open, &record, token.expose(), cx.now).await
    }
}

/// Shows the token with an accessor; the token itself is not shown, because nobody knows it.
#[derive(Deserialize, JsonSchema)]
struct LookupAccessor {
    /// The accessor.
    #[serde(default)]
    accessor: Text,
}

impl Handle<Open> for LookupAccessor {
    type Reply = ShownToken;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<ShownToken, Fault> {
        let accessor = super::required_accessor(&self.accessor)?;
        let record = open.tokens.living(accessor, cx.now).await?;
        let record = record.filter(|_| super::is_here(open, accessor));
        let record = record.ok_or_else(|| Fault::invalid("invalid accessor"))?;
        ShownToken::of(open, &record, "", cx.now).await
    }
}

/// A token as lookups answer it.
#[derive(Serialize, JsonSchema)]
pub(super) struct ShownToken {
    accessor: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    bound_cidrs: Vec<String>,
    creation_time: u64,
    creation_ttl: u64,
    display_name: String,
    entity_id: String,
    expire_time: Option<Timestamp>,
    explicit_max_ttl: u64,
    /// Policies that groups of other namespaces give.
    #[serde(skip_serializing_if = "Option::is_none")]
    external_namespace_policies: Option<BTreeMap<String, Vec<String>>>,
    id: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    identity_policies: Vec<String>,
    issue_time: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_renewal: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_renewal_time: Option<u64>,
    meta: Option<BTreeMap<String, String>>,
    num_uses: i64,
    orphan: bool,
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    period: Option<u64>,
    policies: Vec<String>,
    renewable: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    role: String,
    ttl: u64,
    #[serde(rename = "type")]
    kind: TokenKind,
    #[serde(skip_serializing_if = "String::is_empty")]
    namespace_path: String,
}

impl ShownToken {
    /// The record of `token`; `token` is empty where the asker does not know it.
    pub(super) async fn of(
        open: &Open,
        record: &TokenRecord,
        token: &str,
        now: Timestamp,
    ) -> Result<Self, Fault> {
        let period = record.period.as_secs();
        let home = open.namespaces.by_id(&record.namespace).await?;
        let standing = match (&home, record.entity_id.as_str()) {
            (None, _) | (_, "") => None,
            (Some(home), id) => home.identity.standing(id).await?,
        };
        Ok(Self {
            accessor: record.accessor.clone(),
            bound_cidrs: format_networks(&record.bound_cidrs),
            creation_time: record.created.secs(),
            creation_ttl: record.creation_ttl_secs,
            display_name: record.display_name.clone(),
            entity_id: tokens::entity_id(record, standing.as_deref()).to_owned(),
            expire_time: record.expires,
            explicit_max_ttl: record.explicit_max_ttl.as_secs(),
            external_namespace_policies: standing
                .as_ref()
                .filter(|standing| !standing.policies.is_empty())
                .map(|_| BTreeMap::new()),
            id: token.to_owned(),
            identity_policies: standing
                .map(|standing| standing.policies.clone())
                .unwrap_or_default(),
            issue_time: record.created,
            last_renewal: record.last_renewal,
            last_renewal_time: record.last_renewal.map(Timestamp::secs),
            meta: (!record.metadata.is_empty()).then(|| record.metadata.clone()),
            num_uses: record.num_uses,
            orphan: record.is_orphan(),
            path: record.path.clone(),
            period: (period > 0).then_some(period),
            policies: record.policies.clone(),
            renewable: record.renewable,
            role: record.role.clone(),
            ttl: record.ttl_secs(now),
            kind: record.kind,
            namespace_path: home.map(|home| home.path.clone()).unwrap_or_default(),
        })
    }
}
