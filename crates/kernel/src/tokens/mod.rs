//! Tokens: who may ask, for how long, and what ends with them.
//!
//! A service token is stored under its accessor, which is derived from the token by a keyed hash; the
//! token itself is stored nowhere. A batch token carries its record encrypted. Below `sys/token/`:
//!
//! | path | holds |
//! |---|---|
//! | `id/<accessor>` | the record of a token of the root namespace |
//! | `in/<namespace>/<accessor>` | the record of another one; its accessor ends in the namespace's id |
//! | `child/<accessor>/<accessor of the child>` | the family tree |
//! | `access-key/<id>/<accessor>` | the token of an access key |
//! | `access-key-in/<namespace or ->/<id>/<accessor>` | the access keys of a namespace |
//! | `role/<name>`, `ns-role/<namespace>/<name>` | token roles |
//! | `salt` | the key of the keyed hash |
//!
//! Tokens end by the same due index and worker as leases.

mod access_key;
mod api;
mod coalesce;
mod count;
pub(crate) mod issue;
mod lifetime;
mod record;
mod renew;
mod revoke;
pub(crate) mod role;
mod signed;
mod store;
pub mod sweep;
mod told;

pub use access_key::AccessKey;
pub use api::routes;
pub use issue::NewToken;
pub use lifetime::Terms;
pub use record::TokenRecord;
pub use renew::renew;
pub(crate) use renew::stay;
pub use revoke::{mark_family, revoke_orphaning, revoke_tree};
pub use role::{RoleTokenType, TokenRole};
pub use signed::Signed;
pub(crate) use signed::signer;
pub use store::{Tokens, is_batch, kept_for};
pub(crate) use told::logged_in;

use coffer_engine::{Caller, Fault};

use crate::authority::together;
use crate::grant::Asked;
use crate::identity::Standing;
use crate::open::Open;

/// Whom a token speaks for, with the standing of the entity behind it.
pub fn caller(record: &TokenRecord, standing: Option<&Standing>) -> Caller {
    let identity_policies = standing.map(|standing| standing.policies.clone());
    let identity_policies = identity_policies.unwrap_or_default();
    Caller {
        token_hash: record.accessor.clone(),
        accessor: record.accessor.clone(),
        display_name: record.display_name.clone(),
        policies: match identity_policies.is_empty() {
            true => record.policies.clone(),
            false => together(&record.policies, &identity_policies),
        },
        identity_policies,
        entity_id: entity_id(record, standing).to_owned(),
        metadata: record.metadata.clone(),
        kind: record.kind,
        root: record.is_root(),
        expires: record.expires,
        namespace: record.namespace.clone(),
    }
}

/// The entity behind a token: the one that remains if it was merged.
fn entity_id<'a>(record: &'a TokenRecord, standing: Option<&'a Standing>) -> &'a str {
    standing.map_or(&record.entity_id, |standing| &standing.entity.id)
}

/// Ends a token whose last use the request was.
pub async fn end_if_spent(open: &Open, asked: &Asked) -> Result<(), Fault> {
    match &asked.token {
        Some(token) if token.num_uses < 0 => revoke_tree(open, &token.accessor).await,
        _ => Ok(()),
    }
}
