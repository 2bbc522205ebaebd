//! Logins of one identity in quick succession, where its role says so: one stored token, and others that hang on it.
//!
//! The first login of a window gets an ordinary token. Each further one that would get exactly the same gets a batch token
//! whose parent is that one: nothing is stored, nothing counts as a lease, what it obtains belongs to the stored token, and it
//! ends with that at the latest. Which tokens those are is known in memory alone; a restart begins new windows.

use std::sync::Arc;
use std::time::Duration;

use coffer_crypto::sha256;
use coffer_engine::{Body, Fault, TokenKind};
use coffer_wire::{Auth, Timestamp};
use parking_lot::Mutex;
use serde_json::Value;
use tokio::sync::OnceCell;

use super::issue::{NewToken, auth_of};
use super::lifetime::whole_seconds;
use super::record::TokenRecord;
use super::store::bounded_by;
use crate::mounts::Mount;
use crate::open::Open;
use crate::recent::Recent;

/// How many identities are remembered.
const REMEMBERED: usize = 100_000;
/// How often a login looks for a token to hang on before it gets one of its own.
const TRIES: usize = 3;
/// What is said to whom a login gives a token that hangs on another.
const SHARES: &str = "this login shares the stored token of an earlier one, as its role wishes (token_coalesce_window): its own token can not be \
                      renewed; log in again instead";

/// The tokens that others may hang on.
pub struct Leads {
    recent: Mutex<Recent<[u8; 32], Lead>>,
}

/// A window, and the accessor of its token once that is made.
#[derive(Clone)]
struct Lead {
    begun: Timestamp,
    accessor: Arc<OnceCell<String>>,
}

impl Default for Leads {
    fn default() -> Self {
        Self {
            recent: Mutex::new(Recent::new(REMEMBERED)),
        }
    }
}

impl Leads {
    /// The window that is open for `key`, or a new one.
    fn open(&self, key: [u8; 32], window: Duration, now: Timestamp) -> Lead {
        let mut recent = self.recent.lock();
        let open = recent
            .get(&key)
            .filter(|lead| now < lead.begun.plus(window));
        open.unwrap_or_else(|| {
            let lead = Lead {
                begun: now,
                accessor: Arc::default(),
            };
            recent.insert(key, lead.clone(), 1);
            lead
        })
    }

    /// Closes a window whose token has ended, unless another one is open already.
    fn close(&self, key: [u8; 32], ended: &Lead) {
        let mut recent = self.recent.lock();
        let still = |lead: &Lead| Arc::ptr_eq(&lead.accessor, &ended.accessor);
        if recent.get(&key).as_ref().is_some_and(still) {
            recent.remove(&key);
        }
    }
}

impl Open {
    /// Makes the token of a login that shares one with its like within `window`.
    pub(super) async fn issue_coalesced(
        &self,
        new: NewToken,
        window: Duration,
        mount: &Mount,
        now: Timestamp,
    ) -> Result<(Auth, Vec<String>), Fault> {
        let key = likeness(&new, mount)?;
        let mut new = Some(new);
        for _ in 0..TRIES {
            let lead = self.tokens.leads.open(key, window, now);
            let mut first = None;
            let (waiting, made) = (&mut new, &mut first);
            let make = move || async move {
                let new = waiting.take().ok_or_else(|| Fault::internal("used up"))?;
                let (auth, record, warnings) = self.issue_token(new, mount, now).await?;
                *made = Some((auth, warnings));
                Ok::<_, Fault>(record.accessor)
            };
            let accessor = lead.accessor.get_or_try_init(make).await?;
            if let Some(first) = first {
                return Ok(first);
            }
            let living = self.tokens.living(accessor, now).await?;
            match (living.filter(|lead| has_time(lead, now)), new.take()) {
                (Some(living), Some(new)) => {
                    return self.issue_beside(&living, new, mount, now).await;
                }
                (_, untouched) => new = untouched,
            }
            // Somebody ended it, or it ends soon; whoever comes next makes another.
            self.tokens.leads.close(key, &lead);
        }
        let new = new.ok_or_else(|| Fault::internal("used up"))?;
        let (auth, _, warnings) = self.issue_token(new, mount, now).await?;
        Ok((auth, warnings))
    }

    /// Makes a token that hangs on another one.
    async fn issue_beside(
        &self,
        lead: &TokenRecord,
        new: NewToken,
        mount: &Mount,
        now: Timestamp,
    ) -> Result<(Auth, Vec<String>), Fault> {
        let mut warnings = vec![SHARES.to_owned()];
        let standing = self.standing_of(&self.space.id, &new.entity_id).await?;
        let new = NewToken {
            parent: lead.accessor.clone(),
            kind: TokenKind::Batch,
            renewable: false,
            payload: Value::Null,
            ..new
        };
        let (record, _) = self.described(new, mount, now, &mut warnings);
        let mut record = bounded_by(record, lead);
        let ttl = record.expires.map_or(Duration::ZERO, |end| end.since(now));
        record.creation_ttl_secs = whole_seconds(ttl).as_secs();
        let token = self.tokens.batch(&record)?;
        self.note_creation(&record, mount);
        let auth = auth_of(&record, standing.as_deref(), token.expose(), now);
        Ok((auth, warnings))
    }
}

/// Whether a token has half of its first lifetime left: nobody gets one that is nearly over.
fn has_time(lead: &TokenRecord, now: Timestamp) -> bool {
    let half = Duration::from_secs(lead.creation_ttl_secs) / 2;
    lead.expires.is_none_or(|end| end.since(now) >= half)
}

/// What logins must have in common to share a token: everything that is decided about it.
fn likeness(new: &NewToken, mount: &Mount) -> Result<[u8; 32], Fault> {
    let accessor = mount.record.accessor.as_bytes();
    let said = Body::json(new)?;
    Ok(sha256(&[&sha256(accessor)[..], &said].concat()))
}
