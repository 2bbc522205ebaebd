//! Access keys: service tokens that are shown by signing.

use coffer_engine::{Ctx, Empty, Fault, Handle, Reply, Routes, TokenKind, path};
use coffer_wire::{Int, Text};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, json};

use super::create::{self, Wish};
use super::lookup::ShownToken;
use crate::open::Open;
use crate::tokens::{AccessKey, NewToken, TokenRecord, revoke_tree};

/// How many access keys are read at once.
const PAGE: usize = 1_000;
/// How many access keys one answer lists.
const MAX_LISTED: usize = 10_000;
/// Under which name the note is that tells audit and lookups which access key a token has.
const NOTE: &str = "access_key_id";

pub(super) fn routes() -> Routes<Open> {
    Routes::new([
        path(
            "access-keys",
            "Access keys, with which requests are signed as AWS has it.",
        )
        .list::<List>()
        .with_sudo() // As for accessors, which it tells.
        .write::<Create>(),
        path(
            "access-keys/{access_key_id}",
            "An access key, and the token that it stands for.",
        )
        .read::<Lookup>()
        .delete::<Revoke>(),
        path(
            "access-keys/role/{role_name}",
            "Makes an access key by a token role.",
        )
        .write::<CreateByRole>(),
    ])
}

/// Makes an access key: a token, a child of the one that asks, that is shown by signing requests. The token itself is told
/// to nobody.
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
struct Create(Wish);

/// Makes an access key by a token role.
#[derive(Deserialize, JsonSchema)]
struct CreateByRole {
    /// The role.
    role_name: String,
    /// What is wished.
    #[serde(flatten)]
    wish: Wish,
}

impl Handle<Open> for Create {
    type Reply = Reply;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        let new = create::wished(open, cx, self.0).await?;
        issue(open, cx, new).await
    }
}

impl Handle<Open> for CreateByRole {
    type Reply = Reply;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        let new = create::wished_by_role(open, cx, self.wish, self.role_name).await?;
        issue(open, cx, new).await
    }
}

/// A new access key. The secret is in this answer and in no other.
#[derive(Serialize, JsonSchema)]
struct Issued<'a> {
    access_key_id: &'a str,
    secret_access_key: &'a str,
    /// Names the token that it stands for.
    accessor: &'a str,
    /// Seconds that it lives; 0 for one that does not end.
    ttl: u64,
    expire_time: Option<coffer_wire::Timestamp>,
    policies: &'a [String],
    num_uses: i64,
    renewable: bool,
    entity_id: &'a str,
}

async fn issue(open: &Open, cx: &Ctx, mut new: NewToken) -> Result<Reply, Fault> {
    if new.id.is_some() {
        return Err(Fault::invalid(
            "nobody is told the token of an access key, so it can not be chosen; leave id out",
        ));
    }
    if new.kind == TokenKind::Batch {
        return Err(Fault::invalid(
            "a batch token is stored nowhere and can have no access key; leave type out, or name a role that makes service tokens",
        ));
    }
    let key = AccessKey::new(&cx.random);
    new.metadata.insert(NOTE.to_owned(), key.id.clone());
    new.access_key = Some(key.clone());
    let mount = create::own_mount(open, cx)?;
    let (_, record, mut warnings) = open.issue_token(new, &mount, cx.now).await?;
    create::warn_of_absent_policies(open, cx, &record, &mut warnings).await?;
    let reply = Reply::data(&Issued {
        access_key_id: &key.id,
        secret_access_key: key.secret.expose(),
        accessor: &record.accessor,
        ttl: record.ttl_secs(cx.now),
        expire_time: record.expires,
        policies: &record.policies,
        num_uses: record.num_uses,
        renewable: record.renewable,
        entity_id: &record.entity_id,
    })?;
    Ok(Reply { warnings, ..reply })
}

/// Lists the access keys of the namespace, with the accessors of their tokens.
#[derive(Deserialize, JsonSchema)]
struct List {
    /// Begins after this access key.
    #[serde(default)]
    after: Text,
    /// Lists at most so many; as many as fit into one answer where it is not above zero.
    #[serde(default)]
    limit: Int,
}

impl Handle<Open> for List {
    type Reply = Reply;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        let asked = usize::try_from(self.limit.0).ok().filter(|most| *most > 0);
        let limit = asked.unwrap_or(usize::MAX).min(MAX_LISTED);
        let mut keys: Vec<String> = Vec::new();
        let mut about = Map::new();
        while keys.len() < limit {
            let after = keys.last().unwrap_or(&self.after.0);
            let after = (!after.is_empty()).then_some(after.as_str());
            let most = PAGE.min(limit - keys.len());
            let page = open.tokens.access_keys(&open.space.id, after, most).await?;
            if page.is_empty() {
                break;
            }
            for id in &page {
                if let Some(record) = living(open, cx, id).await? {
                    about.insert(id.clone(), brief(&record));
                }
            }
            keys.extend(page);
        }
        let cut = asked.is_none() && keys.len() == MAX_LISTED;
        keys.retain(|id| about.contains_key(id));
        if keys.is_empty() {
            return Err(Fault::NotFound);
        }
        let reply = Reply::data(&json!({ "keys": keys, "key_info": about }))?;
        Ok(match cut {
            true => {
                reply.warn("there may be more; go on with the parameter after, set to the last key")
            }
            false => reply,
        })
    }
}

fn brief(record: &TokenRecord) -> serde_json::Value {
    json!({
        "accessor": record.accessor,
        "display_name": record.display_name,
        "entity_id": record.entity_id,
        "expire_time": record.expires,
        "policies": record.policies,
    })
}

/// Shows an access key, without its secret: the token that it stands for.
#[derive(Deserialize, JsonSchema)]
struct Lookup {
    /// The access key.
    access_key_id: Text,
}

impl Handle<Open> for Lookup {
    type Reply = ShownToken;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<ShownToken, Fault> {
        let record = living(open, cx, &self.access_key_id.0).await?;
        ShownToken::of(open, &record.ok_or(Fault::NotFound)?, "", cx.now).await
    }
}

/// Ends an access key: its token, that one's children, their leases and their own storages.
#[derive(Deserialize, JsonSchema)]
struct Revoke {
    /// The access key.
    access_key_id: Text,
}

impl Handle<Open> for Revoke {
    type Reply = Empty;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Empty, Fault> {
        let accessor = open.tokens.accessor_of_key(&self.access_key_id.0).await?;
        if let Some(accessor) = accessor.filter(|accessor| super::is_here(open, accessor)) {
            revoke_tree(open, &accessor).await?;
        }
        Ok(Empty)
    }
}

/// The token of an access key of the namespace at hand; those of others are as good as unknown.
async fn living(open: &Open, cx: &Ctx, id: &str) -> Result<Option<TokenRecord>, Fault> {
    let accessor = open.tokens.accessor_of_key(id).await?;
    if accessor.is_none_or(|accessor| !super::is_here(open, &accessor)) {
        return Ok(None);
    }
    let record = open.tokens.by_access_key(id).await?;
    Ok(record.filter(|record| record.is_alive(cx.now)))
}
