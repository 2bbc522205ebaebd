//! Making a token of what was decided about it.

use std::collections::BTreeMap;
use std::time::Duration;

use coffer_barrier::Changes;
use coffer_crypto::Secret;
use coffer_engine::{Alias, Fault, Login, Stay, TokenKind};
use coffer_wire::{Auth, Timestamp};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::access_key::AccessKey;
use super::lifetime::{Terms, shortest, whole_seconds};
use super::record::TokenRecord;
use super::told;
use crate::authority::together;
use crate::grant::Asked;
use crate::identity::Standing;
use crate::identity::change::{LogIn, StayIn};
use crate::identity::mfa::login::{Gate, WAITS};
use crate::mounts::Mount;
use crate::observe::TokenCreated;
use crate::open::Open;
use crate::quotas::Placed;

/// A token to be made. Whoever fills this in has decided that it may be.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct NewToken {
    /// Chosen by the creator (root only); made up otherwise. Not kept where the token has to wait.
    #[serde(skip)]
    pub id: Option<Secret<String>>,
    /// The parent's accessor; empty for an orphan.
    pub parent: String,
    /// Its policies, `default` not added yet.
    pub policies: Vec<String>,
    /// Leaves out the `default` policy.
    pub no_default_policy: bool,
    /// The path that makes it.
    pub path: String,
    /// Notes.
    pub metadata: BTreeMap<String, String>,
    /// A name for people, already in its final form.
    pub display_name: String,
    /// How many requests it may make; 0 for no limit.
    pub num_uses: u64,
    /// First lifetime; zero for the default.
    pub ttl: Duration,
    /// The role's longest lifetime; zero for the mount's.
    pub max_ttl: Duration,
    /// Renewals set the lifetime to this; zero for none.
    pub period: Duration,
    /// A bound that renewals never pass; zero for none.
    pub explicit_max_ttl: Duration,
    /// As `period`, by the token role, which is asked anew at each renewal.
    pub role_period: Duration,
    /// As `explicit_max_ttl`, by the token role, which is asked anew at each renewal.
    pub role_explicit_max_ttl: Duration,
    /// Addresses it may come from.
    pub bound_cidrs: Vec<IpNet>,
    /// The token role, else empty.
    pub role: String,
    /// The role of the login, where a quota goes by it.
    pub login_role: String,
    /// The entity, else empty.
    pub entity_id: String,
    /// How it is kept.
    pub kind: TokenKind,
    /// Whether it can be renewed.
    pub renewable: bool,
    /// What the auth method wants back at renewal.
    pub payload: Value,
    /// The access key that shows it; for service tokens alone.
    #[serde(skip)]
    pub access_key: Option<AccessKey>,
}

impl Open {
    /// Makes a token, durably, within the TTL bounds of `mount`.
    pub async fn issue_token(
        &self,
        new: NewToken,
        mount: &Mount,
        now: Timestamp,
    ) -> Result<(Auth, TokenRecord, Vec<String>), Fault> {
        let _timed = self.settings.meters.tokens.create.timed();
        let mut warnings = Vec::new();
        let standing = self.standing_of(&self.space.id, &new.entity_id).await?;
        let (record, id) = self.described(new, mount, now, &mut warnings);
        let (token, record) = match (record.kind, id) {
            (TokenKind::Batch, _) => (self.tokens.batch(&record)?, record),
            (TokenKind::Service, id) => {
                let placed = self.quotas.place_token(&self.space, Some(mount), &record);
                let id = id.unwrap_or_else(|| self.tokens.new_token(&record.namespace));
                let record = self.tokens.insert_as(record, &id, &placed).await?;
                (id, record)
            }
        };
        self.note_creation(&record, mount);
        let auth = auth_of(&record, standing.as_deref(), token.expose(), now);
        Ok((auth, record, warnings))
    }

    /// Makes a service token without an entity, with what belongs to it, in one step; one that takes the place of another
    /// token spends a use of that one in this step. See [`super::Tokens::insert_with`].
    pub async fn issue_with(
        &self,
        new: NewToken,
        mount: &Mount,
        now: Timestamp,
        replaced: Option<&str>,
        more: impl FnMut(Changes, &TokenRecord) -> Result<Changes, Fault> + Send,
    ) -> Result<(Auth, TokenRecord), Fault> {
        let _timed = self.settings.meters.tokens.create.timed();
        let (record, _) = self.described(new, mount, now, &mut Vec::new());
        let token = self.tokens.new_token(&record.namespace);
        let made = self
            .tokens
            .insert_with(record, &token, &Placed::NOWHERE, replaced, more);
        let record = made.await?;
        self.note_creation(&record, mount);
        Ok((auth_of(&record, None, token.expose(), now), record))
    }

    pub(super) fn note_creation(&self, record: &TokenRecord, mount: &Mount) {
        self.settings.meters.token_created(&TokenCreated {
            auth_method: mount.record.engine(),
            mount_point: &mount.record.path,
            namespace: self.space.shown(),
            token_type: kind_word(record.kind),
            ttl: Duration::from_secs(record.creation_ttl_secs),
            root: record.is_root(),
        });
        told::made(self, record);
    }

    /// Makes the token of a login that an auth method accepted.
    pub async fn issue_login(
        &self,
        asked: &Asked,
        mount: &Mount,
        login: Login,
    ) -> Result<(Auth, Vec<String>), Fault> {
        if normal(&login.policies).any(|policy| policy == "root") {
            return Err(Fault::invalid(
                "auth methods cannot create root tokens; take the root policy off the role or user",
            ));
        }
        let entity_id = match &login.alias {
            Some(alias) => {
                self.entity_of(mount, alias, login.group_aliases, asked.now)
                    .await?
            }
            None => String::new(),
        };
        let name = mount
            .record
            .shown_path()
            .trim_end_matches('/')
            .replace('/', "-");
        let display_name = if login.display_name.is_empty() {
            name
        } else {
            format!("{name}-{}", login.display_name)
        };
        let kind = mount.record.tuning.kind_of_login(login.kind);
        let window = login.coalesce_window;
        if kind == TokenKind::Batch && login.num_uses > 0 {
            return Err(Fault::invalid(
                "this mount makes batch tokens (token_type), whose uses nobody counts, and the role limits their number (token_num_uses); change one of them",
            ));
        }
        let new = NewToken {
            id: None,
            parent: String::new(),
            policies: login.policies,
            no_default_policy: login.no_default_policy,
            path: asked.request.path.to_string(),
            metadata: login.metadata,
            display_name,
            num_uses: login.num_uses,
            ttl: login.ttl,
            max_ttl: login.max_ttl,
            period: login.period,
            explicit_max_ttl: login.explicit_max_ttl,
            role_period: Duration::ZERO,
            role_explicit_max_ttl: Duration::ZERO,
            bound_cidrs: login.bound_cidrs,
            role: String::new(),
            login_role: asked.role.clone().unwrap_or_default(),
            entity_id,
            kind,
            renewable: login.renewable && kind == TokenKind::Service,
            payload: login.payload,
            access_key: None,
        };
        let new = match self.second_factor(asked, mount, new).await? {
            Gate::Passed(new) => *new,
            Gate::Waits(requirement) => return Ok((*requirement, vec![WAITS.to_owned()])),
        };
        let (path, name) = (new.path.clone(), new.display_name.clone());
        let coalesced = !window.is_zero() && new.kind == TokenKind::Service && new.num_uses == 0;
        let (auth, warnings) = match coalesced {
            true => self.issue_coalesced(new, window, mount, asked.now).await?,
            false => {
                let (auth, _, warnings) = self.issue_token(new, mount, asked.now).await?;
                (auth, warnings)
            }
        };
        told::logged_in(self, mount, &path, &name, &auth);
        Ok((auth, warnings))
    }

    /// The entity that an auth method knows by an alias, made if there is none; what the method says of it is taken
    /// over. A disabled one can not log in.
    async fn entity_of(
        &self,
        mount: &Mount,
        alias: &Alias,
        groups: Vec<String>,
        now: Timestamp,
    ) -> Result<String, Fault> {
        let login = LogIn {
            mount: mount.record.accessor.clone(),
            local: mount.record.local,
            name: alias.name.clone(),
            metadata: Some(alias.metadata.clone()),
            groups: Some(groups),
        };
        let known = self.space.identity.log_in(&login, now, &self.random);
        match known.await? {
            Some(standing) if !standing.entity.disabled => Ok(standing.entity.id.clone()),
            _ => Err(Fault::Denied),
        }
    }

    /// Takes over what the auth method says of an entity when a token is renewed.
    pub(super) async fn retell(
        &self,
        mount: &Mount,
        entity: String,
        stay: Stay,
        now: Timestamp,
    ) -> Result<(), Fault> {
        if stay.alias_metadata.is_none() && stay.group_aliases.is_none() {
            return Ok(());
        }
        let again = StayIn {
            entity,
            mount: mount.record.accessor.clone(),
            metadata: stay.alias_metadata,
            groups: stay.group_aliases,
        };
        self.space.identity.apply(&again, now, &self.random).await
    }

    /// The record of a token of the namespace at hand, and the token where its creator chose one.
    pub(super) fn described(
        &self,
        new: NewToken,
        mount: &Mount,
        now: Timestamp,
        warnings: &mut Vec<String>,
    ) -> (TokenRecord, Option<Secret<String>>) {
        let expires = end(&new, mount, now, warnings);
        let ttl = expires.map_or(Duration::ZERO, |end| end.since(now));
        let record = TokenRecord {
            namespace: self.space.id.clone(),
            mount: mount.record.accessor.clone(),
            parent: new.parent,
            policies: with_default(new.policies, new.no_default_policy),
            path: new.path,
            metadata: new.metadata,
            display_name: new.display_name,
            num_uses: i64::try_from(new.num_uses).unwrap_or(i64::MAX),
            created: now,
            creation_ttl_secs: whole_seconds(ttl).as_secs(),
            period: new.period,
            explicit_max_ttl: new.explicit_max_ttl,
            max_ttl: new.max_ttl,
            bound_cidrs: new.bound_cidrs,
            role: new.role,
            login_role: new.login_role,
            entity_id: new.entity_id,
            kind: new.kind,
            renewable: new.renewable && expires.is_some(),
            expires,
            payload: new.payload,
            access_key: new.access_key,
            ..TokenRecord::default()
        };
        (record, new.id)
    }
}

/// The first end; none for a root token to which nothing sets one.
fn end(
    new: &NewToken,
    mount: &Mount,
    now: Timestamp,
    warnings: &mut Vec<String>,
) -> Option<Timestamp> {
    let mut terms = Terms {
        ttl: new.ttl,
        period: shortest([new.period, new.role_period]),
        explicit_max_ttl: shortest([new.explicit_max_ttl, new.role_explicit_max_ttl]),
        max_ttl: new.max_ttl,
        mount_ttl: mount.info.default_lease_ttl,
        mount_max_ttl: mount.info.max_lease_ttl,
    };
    let root = new.policies.iter().any(|policy| policy == "root");
    if root && terms.ttl.is_zero() && terms.period.is_zero() {
        terms.ttl = terms.explicit_max_ttl;
        if terms.ttl.is_zero() {
            return None;
        }
    }
    Some(terms.until(now, now, warnings))
}

/// Sorted, without doubles, in one normal form, with `default` unless it is left out or this is root.
fn with_default(policies: Vec<String>, leave_out: bool) -> Vec<String> {
    let mut all: Vec<String> = normal(&policies).collect();
    if !leave_out && !all.iter().any(|policy| policy == "root") {
        all.push("default".to_owned());
    }
    all.sort();
    all.dedup();
    all
}

/// Policy names in the one form in which they are compared.
pub(crate) fn normal(policies: &[String]) -> impl Iterator<Item = String> {
    let trimmed = policies.iter().map(|policy| policy.trim().to_lowercase());
    trimmed.filter(|policy| !policy.is_empty())
}

/// A token as creation and renewal answer it.
pub(super) fn auth_of(
    record: &TokenRecord,
    standing: Option<&Standing>,
    token: &str,
    now: Timestamp,
) -> Auth {
    let identity_policies = standing.map(|standing| standing.policies.clone());
    let identity_policies = identity_policies.unwrap_or_default();
    Auth {
        client_token: token.to_owned(),
        accessor: record.accessor.clone(),
        policies: together(&record.policies, &identity_policies),
        token_policies: record.policies.clone(),
        identity_policies,
        metadata: (!record.metadata.is_empty()).then(|| record.metadata.clone()),
        lease_duration: record.ttl_secs(now),
        renewable: record.renewable,
        entity_id: super::entity_id(record, standing).to_owned(),
        token_type: kind_word(record.kind).to_owned(),
        orphan: record.is_orphan(),
        mfa_requirement: None,
        num_uses: u64::try_from(record.num_uses).unwrap_or_default(),
    }
}

fn kind_word(kind: TokenKind) -> &'static str {
    match kind {
        TokenKind::Service => "service",
        TokenKind::Batch => "batch",
    }
}
