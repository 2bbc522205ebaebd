//! Looking tokens up.

use std::collections::BTreeMap;

use coffer_engine::{Ctx, Fault, Handle, Routes, TokenKind, path};
use coffer_wire::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::open::Open;
use crate::tokens::TokenRecord;

pub(super) fn routes() -> Routes<Open> {
    Routes::new([path("lookup-self", "Shows the token that asks.")
        .read::<LookupSelf>()
        .write::<LookupSelf>()])
}

/// Shows the token that asks.
#[derive(Deserialize, JsonSchema)]
struct LookupSelf {}

impl Handle<Open> for LookupSelf {
    type Reply = ShownToken;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<ShownToken, Fault> {
        let token = cx.token.as_deref().ok_or(Fault::Denied)?.expose();
        let record = open.tokens.by_token(token).await?.ok_or(Fault::Denied)?;
        Ok(ShownToken::of(&record, token, cx.now))
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
    id: String,
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
}

impl ShownToken {
    /// The record of `token`; `token` is empty where the asker does not know it.
    pub(super) fn of(record: &TokenRecord, token: &str, now: Timestamp) -> Self {
        let period = record.period.as_secs();
        Self {
            accessor: record.accessor.clone(),
            bound_cidrs: record.bound_cidrs.iter().map(ToString::to_string).collect(),
            creation_time: record.created.secs(),
            creation_ttl: record.creation_ttl_secs,
            display_name: record.display_name.clone(),
            entity_id: record.entity_id.clone(),
            expire_time: record.expires,
            explicit_max_ttl: record.explicit_max_ttl.as_secs(),
            id: token.to_owned(),
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
        }
    }
}
