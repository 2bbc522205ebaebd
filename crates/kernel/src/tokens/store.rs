//! Where tokens are kept, and how a token finds its record.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use coffer_barrier::{Barrier, Changes, Pages, Stored, View};
use coffer_crypto::{HmacKey, Random, Secret, constant_time_eq};
use coffer_engine::{Fault, TokenKind};
use coffer_wire::Timestamp;
use serde::{Deserialize, Serialize};

use super::access_key::entries;
use super::coalesce::Leads;
use super::count::counted;
use super::record::TokenRecord;
use crate::due::{Due, Ending, Mark};
use crate::namespaces::id_of;
use crate::observe::Meters;
use crate::quotas::{Counts, Placed};

/// Prefix of stored tokens.
const SERVICE_PREFIX: &str = "hvs.";
/// Prefix of tokens that carry their own record.
const BATCH_PREFIX: &str = "hvb.";
/// Random characters of a service token, from 62: 142 bits.
const TOKEN_CHARS: usize = 24;
/// Characters of an accessor.
const ACCESSOR_CHARS: usize = 24;
/// 62⁶: what six digits in base 62 can count.
const SIX_DIGITS: u128 = 56_800_235_584;
/// The longest accessor that is looked at: with the id of its namespace.
const MAX_ACCESSOR_BYTES: usize = 64;
/// The longest token that is looked at.
const MAX_TOKEN_BYTES: usize = 8 * 1024;
/// Where the store is in the barrier.
const VIEW: &str = "sys/token/";
/// What batch tokens are bound to.
const BATCH_PLACE: &str = "token/batch";
/// The alphabet of accessors.
const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The token store.
pub struct Tokens {
    pub(super) view: View,
    salt: HmacKey,
    random: Random,
    pub(super) due: Arc<Due>,
    pub(super) counts: Arc<Counts>,
    pub(super) sweeping: Arc<AtomicBool>,
    pub(super) leads: Leads,
    meters: Arc<Meters>,
}

/// The key of the hash that stands for tokens.
#[derive(Serialize, Deserialize)]
struct Salt {
    #[serde(with = "hex::serde")]
    key: [u8; 32],
}

impl Stored for Salt {}

/// Whether a token carries its own record.
pub fn is_batch(token: &str) -> bool {
    token.starts_with(BATCH_PREFIX)
}

impl Tokens {
    /// The store of this barrier; makes its salt the first time.
    pub async fn load(
        barrier: &Arc<Barrier>,
        due: Arc<Due>,
        counts: Arc<Counts>,
        meters: Arc<Meters>,
    ) -> Result<Self, Fault> {
        let view = barrier.view(VIEW);
        let random = barrier.random().clone();
        let fresh = random.bytes::<32>();
        let keep = |old: Option<Salt>| {
            let key = old.map_or(fresh, |old| old.key);
            Ok::<_, Fault>((Some(Salt { key }), key))
        };
        let key = match view.get::<Salt>("salt").await? {
            Some(salt) => salt.key,
            None => view.update("salt", keep).await?,
        };
        Ok(Self {
            view,
            salt: HmacKey::new(&key),
            random,
            due,
            counts,
            sweeping: Arc::default(),
            leads: Leads::default(),
            meters,
        })
    }

    /// The record of a token that lives and may be used from where the client is.
    pub async fn usable(
        &self,
        token: &str,
        client: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<Option<TokenRecord>, Fault> {
        let record = self.by_token(token).await?;
        Ok(record.filter(|record| record.is_alive(now) && record.may_come_from(client)))
    }

    /// The record of a living or ended token, if the token is one of ours.
    pub async fn by_token(&self, token: &str) -> Result<Option<TokenRecord>, Fault> {
        let _timed = self.meters.tokens.lookup.timed();
        if token.is_empty() || token.len() > MAX_TOKEN_BYTES {
            return Ok(None);
        }
        if let Some(body) = token.strip_prefix(BATCH_PREFIX) {
            return self.open_batch(body).await;
        }
        let proof = self.salt.sign(token.as_bytes());
        let plain = accessor_of(&self.salt, &proof);
        let accessor = in_namespace(id_of(token), plain);
        let record = self.by_accessor(&accessor).await?;
        Ok(record.filter(|record| constant_time_eq(&record.proof, &proof)))
    }

    /// The record under an accessor, if its token lives at `now`; one whose end has begun is gone.
    pub async fn living(
        &self,
        accessor: &str,
        now: Timestamp,
    ) -> Result<Option<TokenRecord>, Fault> {
        let record = self.by_accessor(accessor).await?;
        Ok(record.filter(|record| record.is_alive(now)))
    }

    /// The record under an accessor, also of a token whose end has begun.
    pub async fn by_accessor(&self, accessor: &str) -> Result<Option<TokenRecord>, Fault> {
        let ours = |b: u8| b.is_ascii_alphanumeric() || b == b'.';
        if accessor.is_empty() || accessor.len() > MAX_ACCESSOR_BYTES || !accessor.bytes().all(ours)
        {
            return Ok(None);
        }
        Ok(self.view.get(&by_id(accessor)).await?)
    }

    /// Makes the token of a record, durably, and gives the record its accessor.
    pub async fn insert(
        &self,
        record: TokenRecord,
    ) -> Result<(Secret<String>, TokenRecord), Fault> {
        let token = self.new_token(&record.namespace);
        let record = self.insert_as(record, &token, &Placed::NOWHERE).await?;
        Ok((token, record))
    }

    /// As [`Tokens::insert`], with a token of the caller's choosing, counted by quotas; refused where it exists and
    /// where a quota has no room.
    pub async fn insert_as(
        &self,
        record: TokenRecord,
        token: &Secret<String>,
        placed: &Placed,
    ) -> Result<TokenRecord, Fault> {
        self.insert_with(record, token, placed, None, |changes, _| Ok(changes))
            .await
    }

    /// As [`Tokens::insert_as`], with more changes in the same step. If the new token takes the place
    /// of another, a use of that one is spent in this step, too; refused where it has none left.
    pub async fn insert_with(
        &self,
        mut record: TokenRecord,
        token: &Secret<String>,
        placed: &Placed,
        replaced: Option<&str>,
        mut more: impl FnMut(Changes, &TokenRecord) -> Result<Changes, Fault> + Send,
    ) -> Result<TokenRecord, Fault> {
        record.proof = self.salt.sign(token.expose().as_bytes());
        record.accessor = in_namespace(&record.namespace, accessor_of(&self.salt, &record.proof));
        record.due = record.expires.unwrap_or_default();
        placed.quota().clone_into(&mut record.quota);
        placed.holder().clone_into(&mut record.holder);
        loop {
            let mut step = self.counts.step();
            let changes = self.insertion(&record).await?;
            let mut changes = counted(changes, &mut step, &record, placed).await?;
            if let Some(replaced) = replaced {
                changes = self.spending(changes, replaced).await?;
            }
            let outcome = more(changes, &record)?.commit().await;
            step.settle(&outcome);
            match outcome {
                Ok(()) => break,
                Err(coffer_barrier::Error::Conflict) => {}
                Err(other) => return Err(other.into()),
            }
            if self.by_accessor(&record.accessor).await?.is_some() {
                return Err(Fault::invalid("cannot create a token with a duplicate ID"));
            }
        }
        self.meters.tokens.added(record.expires.is_some());
        self.due.announce(record.due);
        Ok(record)
    }

    /// A token of a namespace that nobody has yet.
    pub fn new_token(&self, namespace: &str) -> Secret<String> {
        let random = self.random.base62(TOKEN_CHARS);
        Secret::new(in_namespace(namespace, format!("{SERVICE_PREFIX}{random}")))
    }

    /// A new record with its index entries, if neither it is there nor its parent's end has begun: a
    /// revocation either finds the child or prevents it. A conflict may also mean that the parent was
    /// merely changed.
    async fn insertion(&self, record: &TokenRecord) -> Result<Changes, Fault> {
        let path = by_id(&record.accessor);
        let nothing = coffer_barrier::Seen::NOTHING;
        let changes = self.view.changes().put(&self.view, &path, record)?;
        let mut changes = changes.expect(&self.view, &path, nothing);
        if !record.parent.is_empty() {
            let parent = by_id(&record.parent);
            let (found, seen) = self.view.get_seen::<TokenRecord>(&parent).await?;
            if !found.is_some_and(|parent| parent.is_alive(record.created)) {
                return Err(Fault::Denied);
            }
            changes = changes.expect(&self.view, &parent, seen);
            changes = changes.put(&self.view, &child(&record.parent, &record.accessor), &Mark)?;
        }
        for entry in entries(record).into_iter().flatten() {
            changes = changes.put(&self.view, &entry, &Mark)?;
        }
        if let Some(end) = record.expires {
            changes = self
                .due
                .add(changes, end, &Ending::Token(record.accessor.clone()))?;
        }
        Ok(changes)
    }

    /// Spends a use of the token with this accessor, as a part of other changes.
    async fn spending(&self, changes: Changes, accessor: &str) -> Result<Changes, Fault> {
        let path = by_id(accessor);
        let (record, seen) = self.view.get_seen::<TokenRecord>(&path).await?;
        let mut record = record.ok_or(Fault::Denied)?;
        spend(&mut record)?;
        let changes = changes.expect(&self.view, &path, seen);
        Ok(changes.put(&self.view, &path, &record)?)
    }

    /// The batch token of a record; nothing is stored.
    pub fn batch(&self, record: &TokenRecord) -> Result<Secret<String>, Fault> {
        let plain = coffer_engine::Body::json(record)?;
        let place = self.batch_place(&record.namespace);
        let sealed = self.view.barrier().encrypt(&place, &plain)?;
        let token = format!("{BATCH_PREFIX}{}", URL_SAFE_NO_PAD.encode(sealed));
        let token = in_namespace(&record.namespace, token);
        match token.len() {
            size if size > MAX_TOKEN_BYTES => Err(Fault::Invalid(format!(
                "a batch token carries its policies and metadata, and with these it would have {size} bytes; the limit is {MAX_TOKEN_BYTES}"
            ))),
            _ => Ok(Secret::new(token)),
        }
    }

    /// What the batch tokens of a namespace are bound to. Where a namespace has keys of its own, so have its tokens.
    fn batch_place(&self, namespace: &str) -> String {
        let own = format!("{VIEW}{}batch", all_of(namespace));
        match self.view.barrier().part_of(&own) {
            Some(_) => own,
            None => BATCH_PLACE.to_owned(),
        }
    }

    async fn open_batch(&self, body: &str) -> Result<Option<TokenRecord>, Fault> {
        let (body, namespace) = body.split_once('.').unwrap_or((body, "")); // The record says its namespace.
        let Ok(sealed) = URL_SAFE_NO_PAD.decode(body) else {
            return Ok(None);
        };
        let place = self.batch_place(namespace);
        let plain = match self.view.barrier().decrypt(&place, &sealed) {
            Ok(plain) => plain,
            Err(coffer_barrier::Error::Sealed) => return Err(Fault::Sealed),
            Err(sealed @ coffer_barrier::Error::PartSealed) => return Err(sealed.into()),
            Err(_) => return Ok(None),
        };
        let record: TokenRecord = serde_json::from_slice(&plain).map_err(Fault::internal)?;
        if record.kind != TokenKind::Batch {
            return Ok(None);
        }
        if record.parent.is_empty() {
            return Ok(Some(record));
        }
        let parent = self.by_accessor(&record.parent).await?;
        let parent = parent.filter(|parent| !parent.revoking && parent.num_uses >= 0);
        Ok(parent.map(|parent| bounded_by(record, &parent)))
    }

    /// Changes a record. A due entry that must be earlier than it stands is moved.
    pub async fn update<R>(
        &self,
        accessor: &str,
        change: impl Fn(&mut TokenRecord) -> Result<R, Fault> + Send,
    ) -> Result<(TokenRecord, R), Fault> {
        self.update_with(accessor, change, |changes| changes).await
    }

    /// As [`Tokens::update`], with more changes in the same step.
    async fn update_with<R>(
        &self,
        accessor: &str,
        change: impl Fn(&mut TokenRecord) -> Result<R, Fault> + Send,
        more: impl Fn(Changes) -> Changes + Send,
    ) -> Result<(TokenRecord, R), Fault> {
        loop {
            let (record, seen) = self.view.get_seen::<TokenRecord>(&by_id(accessor)).await?;
            let Some(mut record) = record else {
                return Err(Fault::NotFound);
            };
            let old_due = record.due;
            let result = change(&mut record)?;
            let mut changes = self
                .view
                .changes()
                .put(&self.view, &by_id(accessor), &record)?
                .expect(&self.view, &by_id(accessor), seen);
            if record.due != old_due {
                let what = Ending::Token(accessor.to_owned());
                changes = self.due.remove(changes, old_due, &what);
                changes = self.due.add(changes, record.due, &what)?;
            }
            match more(changes).commit().await {
                Ok(()) => {
                    self.due.announce(record.due);
                    return Ok((record, result));
                }
                Err(coffer_barrier::Error::Conflict) => {}
                Err(other) => return Err(other.into()),
            }
        }
    }

    /// Moves the due entry of a renewed token to its end.
    pub async fn move_due(&self, accessor: &str) -> Result<(), Fault> {
        let to_end = |record: &mut TokenRecord| {
            record.due = record.expires.unwrap_or(record.due);
            Ok(())
        };
        self.update(accessor, to_end).await.map(drop)
    }

    /// Spends one use, durably, before the request is looked at. The record as it then stands: with
    /// `num_uses` -1 this request is the last.
    pub async fn spend_use(&self, record: TokenRecord) -> Result<TokenRecord, Fault> {
        if record.num_uses <= 0 || record.kind == TokenKind::Batch {
            return Ok(record);
        }
        match Box::pin(self.update(&record.accessor, spend)).await {
            Ok((record, ())) => Ok(record),
            Err(Fault::NotFound) => Err(Fault::Denied),
            Err(other) => Err(other),
        }
    }

    /// Removes a token that has nothing hanging on it any more. Answers what it was, if it was there.
    pub async fn forget(&self, accessor: &str) -> Result<Option<TokenRecord>, Fault> {
        let path = by_id(accessor);
        loop {
            let (record, seen) = self.view.get_seen::<TokenRecord>(&path).await?;
            let Some(record) = record else {
                return Ok(None);
            };
            let mut changes = self.view.changes().delete(&self.view, &path);
            changes = changes.expect(&self.view, &path, seen);
            if !record.parent.is_empty() {
                changes = changes.delete(&self.view, &child(&record.parent, accessor));
            }
            for entry in entries(&record).into_iter().flatten() {
                changes = changes.delete(&self.view, &entry);
            }
            if record.due != Timestamp::EPOCH {
                let what = Ending::Token(accessor.to_owned());
                changes = self.due.remove(changes, record.due, &what);
            }
            let mut step = self.counts.step();
            let changes = step.lease_goes(changes, &record.quota).await?;
            let changes = step.token_goes(changes, &record.holder).await?;
            let outcome = changes.commit().await;
            step.settle(&outcome);
            match outcome {
                Ok(()) => {
                    self.meters.tokens.removed(record.expires.is_some());
                    return Ok(Some(record));
                }
                Err(coffer_barrier::Error::Conflict) => {}
                Err(other) => return Err(other.into()),
            }
        }
    }

    /// The accessors of a token's children, after one of them, at most `limit`.
    pub async fn children(
        &self,
        accessor: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<String>, Fault> {
        Ok(self.view.list(&child(accessor, ""), after, limit).await?)
    }

    /// Makes a child an orphan.
    pub async fn orphan(&self, parent: &str, accessor: &str) -> Result<(), Fault> {
        let cut = |record: &mut TokenRecord| {
            record.parent.clear();
            Ok(())
        };
        let entry = child(parent, accessor);
        let uproot = |changes: Changes| changes.delete(&self.view, &entry);
        match self.update_with(accessor, cut, uproot).await {
            Ok(_) => Ok(()),
            Err(Fault::NotFound) => Ok(self.view.delete(&entry).await?),
            Err(other) => Err(other),
        }
    }

    /// Takes a child out of its parent's list. Its record, which can not be read now, still names the parent, which is
    /// looked for no more.
    pub async fn unlist(&self, parent: &str, accessor: &str) -> Result<(), Fault> {
        Ok(self.view.delete(&child(parent, accessor)).await?)
    }

    /// The accessors of a namespace's tokens in order, after one of them, at most `limit`.
    pub async fn accessors(
        &self,
        namespace: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<String>, Fault> {
        Ok(self.view.list(&all_of(namespace), after, limit).await?)
    }

    /// Removes what is left of a namespace whose tokens have ended: its roles.
    pub async fn forget_namespace(&self, namespace: &str) -> Result<(), Fault> {
        Ok(self.view.clear(&super::role::place(namespace, "")).await?)
    }

    /// All records in order of their paths.
    pub fn records(&self) -> Pages<'_, TokenRecord> {
        self.view.pages("id/")
    }
}

/// Takes one use away; with `num_uses` -1 it was the last.
fn spend(record: &mut TokenRecord) -> Result<(), Fault> {
    record.num_uses = match record.num_uses {
        _ if record.revoking => return Err(Fault::Denied),
        ..0 => return Err(Fault::Denied),
        0 => 0,
        1 => -1,
        more => more - 1,
    };
    Ok(())
}

/// A batch token ends with its parent at the latest, also before the worker came to end that.
pub(super) fn bounded_by(mut batch: TokenRecord, parent: &TokenRecord) -> TokenRecord {
    batch.expires = match (batch.expires, parent.expires) {
        (Some(own), Some(parents)) => Some(own.min(parents)),
        (own, parents) => own.or(parents),
    };
    batch
}

/// A token or accessor as a namespace has it.
fn in_namespace(namespace: &str, name: String) -> String {
    match namespace {
        "" => name,
        id => format!("{name}.{id}"),
    }
}

/// What the paths in the storage begin with that hold something of a namespace with a seal of its own, and of those in it,
/// whose ids begin with its id.
pub fn kept_for(id: &str) -> [String; 2] {
    [format!("{VIEW}in/{id}"), format!("{VIEW}ns-role/{id}")]
}

/// The folder of a namespace's tokens.
fn all_of(namespace: &str) -> String {
    match namespace {
        "" => "id/".to_owned(),
        id => format!("in/{id}/"),
    }
}

pub(super) fn by_id(accessor: &str) -> String {
    format!("{}{accessor}", all_of(id_of(accessor)))
}

fn child(parent: &str, accessor: &str) -> String {
    format!("child/{parent}/{accessor}")
}

/// The accessor that belongs to a token's hash: hashed once more, so that it does not reveal the hash.
fn accessor_of(salt: &HmacKey, proof: &[u8; 32]) -> String {
    let hash = salt.sign_parts(&[b"accessor", proof]);
    let mut number = [0u8; 16];
    let (left, right) = hash.split_at(16);
    let mut text = String::with_capacity(ACCESSOR_CHARS);
    for half in [left, right] {
        number.copy_from_slice(half);
        let rest = u128::from_be_bytes(number);
        // 62⁶ at a time: division of 64 bits is an instruction, of 128 a function.
        for sixth in [rest % SIX_DIGITS, rest / SIX_DIGITS % SIX_DIGITS] {
            let mut rest = u64::try_from(sixth).unwrap_or_default();
            for _ in 0..6 {
                let digit = usize::try_from(rest % 62).unwrap_or_default();
                text.push(char::from(BASE62.get(digit).copied().unwrap_or(b'0')));
                rest /= 62;
            }
        }
    }
    text
}
