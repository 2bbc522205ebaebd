//! Creating tokens.

use std::collections::BTreeMap;
use std::sync::Arc;

use coffer_crypto::Secret;
use coffer_engine::{Ctx, Fault, Handle, Reply, Routes, TokenKind, path};
use coffer_wire::{Flag, Int, KvPairs, Text, Ttl};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};

use super::policies::Choice;
use crate::authority::Authority;
use crate::identity::change::LogIn;
use crate::mounts::Mount;
use crate::open::Open;
use crate::tokens::issue::normal;
use crate::tokens::role::RoleTokenType;
use crate::tokens::{NewToken, TokenRecord, TokenRole};

/// The longest token that somebody may choose.
const MAX_CUSTOM_ID_BYTES: usize = 512;
/// The most policies one token may have.
const MAX_POLICIES: usize = 1_000;

pub(super) fn routes() -> Routes<Open> {
    Routes::new([
        path("create", "Makes a token, a child of the one that asks.").write::<Create>(),
        path("create-orphan", "Makes a token without a parent.").write::<CreateOrphan>(),
        path("create/{role_name}", "Makes a token by a token role.").write::<CreateByRole>(),
    ])
}

/// What is wished for a new token.
#[derive(Deserialize, JsonSchema)]
pub(super) struct Wish {
    /// The token itself; needs root or sudo.
    #[serde(default)]
    #[schemars(with = "String")]
    id: Option<Secret<String>>,
    /// Its policies; those of the token that asks, or of the role, where none are named.
    #[serde(default)]
    policies: Names,
    /// Leaves out the policy `default`.
    #[serde(default)]
    no_default_policy: Flag,
    /// Makes it an orphan; needs root or sudo.
    #[serde(default)]
    no_parent: Flag,
    /// Notes, shown in lookups and audit.
    #[serde(default)]
    meta: KvPairs,
    /// A name for people.
    #[serde(default)]
    display_name: Text,
    /// How many requests it may make; 0 for no limit.
    #[serde(default)]
    num_uses: Int,
    /// How long it lives first.
    #[serde(default)]
    ttl: Ttl,
    /// The old name of `ttl`.
    #[serde(default)]
    lease: Ttl,
    /// A bound that renewals never pass.
    #[serde(default)]
    explicit_max_ttl: Ttl,
    /// Renewals set the lifetime to this, for ever; needs root or sudo.
    #[serde(default)]
    period: Ttl,
    /// Whether it can be renewed; it can where nothing is said.
    #[serde(default)]
    renewable: Option<Flag>,
    /// `service` or `batch`.
    #[serde(default, rename = "type")]
    kind: Text,
    /// Whom it speaks for, by an alias of the token auth method.
    #[serde(default)]
    entity_alias: Text,
}

/// Makes a token, a child of the one that asks.
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
struct Create(Wish);

/// Makes a token without a parent.
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
struct CreateOrphan(Wish);

/// Makes a token by a token role.
#[derive(Deserialize, JsonSchema)]
struct CreateByRole {
    /// The role.
    role_name: String,
    /// What is wished.
    #[serde(flatten)]
    wish: Wish,
}

/// A list of names. A single text is one name, commas or not, as the reference has it.
#[derive(Default, JsonSchema)]
#[schemars(inline)]
struct Names(Vec<String>);

impl Handle<Open> for Create {
    type Reply = Reply;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        let new = wished(open, cx, self.0).await?;
        issue(open, cx, new).await
    }
}

impl Handle<Open> for CreateOrphan {
    type Reply = Reply;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        let mut wish = self.0;
        wish.no_parent = Flag(false);
        let new = described(open, cx, wish, true, None).await?;
        issue(open, cx, new).await
    }
}

impl Handle<Open> for CreateByRole {
    type Reply = Reply;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        let new = wished_by_role(open, cx, self.wish, self.role_name).await?;
        issue(open, cx, new).await
    }
}

/// The token that somebody wishes, if it may be.
pub(super) async fn wished(open: &Open, cx: &Ctx, wish: Wish) -> Result<NewToken, Fault> {
    let orphan = wish.no_parent.0;
    described(open, cx, wish, orphan, None).await
}

/// The token that somebody wishes by a token role, if it may be.
pub(super) async fn wished_by_role(
    open: &Open,
    cx: &Ctx,
    mut wish: Wish,
    name: String,
) -> Result<NewToken, Fault> {
    let role = open.tokens.role(&open.space.id, &name).await?;
    let role = role.ok_or_else(|| Fault::Invalid(format!("unknown role {name}")))?;
    wish.no_parent = Flag(false);
    let orphan = role.orphan;
    described(open, cx, wish, orphan, Some((name, role))).await
}

async fn described(
    open: &Open,
    cx: &Ctx,
    wish: Wish,
    orphan: bool,
    role: Option<(String, TokenRole)>,
) -> Result<NewToken, Fault> {
    let parent = super::own(open, cx).await?;
    let authority = Authority::of(open, cx.caller()?, cx.now).await?;
    let capabilities = authority.capabilities(&cx.request.path);
    let privileged = capabilities
        .iter()
        .any(|name| matches!(*name, "root" | "sudo"));
    refuse_parent(&parent)?;
    let alias = wish.alias(role.as_ref().map(|(_, role)| role))?;
    wish.refuse_unprivileged(privileged)?;
    wish.refuse_id()?;
    let from_outside = parent.namespace != open.space.id;
    let mut new = decided(wish, &parent, from_outside, privileged, role)?;
    new.path.insert_str(0, &cx.request.path);
    if !orphan {
        new.parent.clone_from(&parent.accessor);
        if !from_outside {
            new.entity_id.clone_from(&cx.caller()?.entity_id);
        }
    }
    refuse_batch_wishes(&new)?;
    refuse_longer_root(&new, &parent)?;
    refuse_root_elsewhere(open, &new, &parent)?;
    if let Some(alias) = alias {
        new.entity_id = entity_of(open, cx, &alias).await?;
    }
    Ok(new)
}

/// The entity that the token mount knows by an alias, made if there is none.
async fn entity_of(open: &Open, cx: &Ctx, alias: &str) -> Result<String, Fault> {
    let login = LogIn {
        mount: cx.mount.accessor.clone(),
        local: false,
        name: alias.to_owned(),
        metadata: None,
        groups: None,
    };
    let entity = open
        .space
        .identity
        .apply(&login, cx.now, &cx.random)
        .await?;
    match entity.disabled {
        true => Err(Fault::Forbidden(
            "entity from given entity alias is disabled".into(),
        )),
        false => Ok(entity.id),
    }
}

/// The token that comes of the wish, the parent and the role; its path holds the role's suffix alone.
fn decided(
    wish: Wish,
    parent: &TokenRecord,
    from_outside: bool,
    privileged: bool,
    role: Option<(String, TokenRole)>,
) -> Result<NewToken, Fault> {
    let choice = Choice {
        asked: normal(&wish.policies.0).collect(),
        no_default: wish.no_default_policy.0,
        parent,
        from_outside,
        privileged,
        role: role.as_ref().map(|(_, role)| role),
    };
    let chosen = choice.decide()?;
    if chosen.policies.len() > MAX_POLICIES {
        return Err(Fault::Invalid(format!(
            "a token may have at most {MAX_POLICIES} policies; name fewer"
        )));
    }
    let kind = kind_of(&wish.kind.0, role.as_ref().map(|(_, role)| role.token_type))?;
    let mut new = wish.new_token(kind)?;
    new.policies = chosen.policies;
    new.no_default_policy = chosen.no_default;
    if let Some((name, role)) = role {
        by_role(&mut new, name, role);
    }
    Ok(new)
}

async fn issue(open: &Open, cx: &Ctx, new: NewToken) -> Result<Reply, Fault> {
    let mount = own_mount(open, cx)?;
    let chosen = new.id.is_some();
    let (auth, record, mut warnings) = open.issue_token(new, &mount, cx.now).await?;
    if chosen {
        warnings.push("The token was chosen by the client, so it is only as hard to guess as that choice; leave id out for a random one.".to_owned());
    }
    warn_of_absent_policies(open, cx, &record, &mut warnings).await?;
    Ok(Reply {
        auth: Some(Box::new(auth)),
        warnings,
        ..Reply::default()
    })
}

/// The mount of tokens in the namespace at hand.
pub(super) fn own_mount(open: &Open, cx: &Ctx) -> Result<Arc<Mount>, Fault> {
    let mount = open.space.mounts.by_accessor(&cx.mount.accessor);
    mount.ok_or_else(|| Fault::internal("the token mount is gone"))
}

/// Says which policies of a new token are not there (yet).
pub(super) async fn warn_of_absent_policies(
    open: &Open,
    cx: &Ctx,
    record: &TokenRecord,
    warnings: &mut Vec<String>,
) -> Result<(), Fault> {
    for policy in record.policies.iter().filter(|policy| *policy != "root") {
        let names = std::slice::from_ref(policy);
        if open.space.policies.parsed(names, cx.now).await?.is_empty() {
            warnings.push(format!("Policy {policy:?} does not exist"));
        }
    }
    Ok(())
}

fn refuse_parent(parent: &TokenRecord) -> Result<(), Fault> {
    if parent.kind == TokenKind::Batch {
        return Err(Fault::invalid("batch tokens cannot create more tokens"));
    }
    if parent.num_uses != 0 {
        return Err(Fault::invalid(
            "restricted use token cannot generate child tokens",
        ));
    }
    Ok(())
}

impl Wish {
    /// The alias that is wished, if the role allows it.
    fn alias(&self, role: Option<&TokenRole>) -> Result<Option<String>, Fault> {
        match (self.entity_alias.0.as_str(), role) {
            ("", _) => Ok(None),
            (_, None) => Err(Fault::invalid(
                "'entity_alias' is only allowed in combination with token role",
            )),
            (alias, Some(role)) if role.allows_alias(alias) => Ok(Some(alias.to_owned())),
            (_, Some(_)) => Err(Fault::invalid("invalid 'entity_alias' value")),
        }
    }

    fn refuse_unprivileged(&self, privileged: bool) -> Result<(), Fault> {
        let wished = [
            (
                self.id.as_ref().is_some_and(|id| !id.expose().is_empty()),
                "specify token id",
            ),
            (self.no_parent.0, "create orphan token"),
            (!self.period.is_zero(), "create periodic token"),
        ];
        match wished.iter().find(|(wished, _)| *wished && !privileged) {
            Some((_, what)) => Err(Fault::Invalid(format!(
                "root or sudo privileges required to {what}"
            ))),
            None => Ok(()),
        }
    }

    /// A token that somebody chose must not look like one that was made up here, and must fit into
    /// a header.
    fn refuse_id(&self) -> Result<(), Fault> {
        let Some(id) = &self.id else { return Ok(()) };
        let id = id.expose().as_str();
        if let Some(prefix) = ["s.", "hvs."]
            .iter()
            .find(|prefix| id.starts_with(**prefix))
        {
            return Err(Fault::Invalid(format!(
                "custom token ID cannot have the '{prefix}' prefix"
            )));
        }
        if id.contains('.') {
            return Err(Fault::invalid(
                "custom token ID cannot have a '.' in the value",
            ));
        }
        if id.len() > MAX_CUSTOM_ID_BYTES
            || !id.bytes().all(|byte| matches!(byte, b' '..=b'~'))
            || id.trim() != id
        {
            return Err(Fault::Invalid(format!(
                "custom token ID must be at most {MAX_CUSTOM_ID_BYTES} printable ASCII characters without blanks at the ends"
            )));
        }
        Ok(())
    }

    fn new_token(self, kind: TokenKind) -> Result<NewToken, Fault> {
        let num_uses = u64::try_from(self.num_uses.0)
            .map_err(|_| Fault::invalid("number of uses cannot be negative"))?;
        Ok(NewToken {
            id: self.id.filter(|id| !id.expose().is_empty()),
            metadata: BTreeMap::from_iter(self.meta.0),
            display_name: shown_name(&self.display_name.0),
            num_uses,
            ttl: if self.ttl.is_zero() {
                self.lease.0
            } else {
                self.ttl.0
            },
            period: self.period.0,
            explicit_max_ttl: self.explicit_max_ttl.0,
            renewable: kind == TokenKind::Service && self.renewable.is_none_or(|flag| flag.0),
            kind,
            ..NewToken::default()
        })
    }
}

fn by_role(new: &mut NewToken, name: String, role: TokenRole) {
    if !role.path_suffix.is_empty() {
        new.path = format!("/{}", role.path_suffix);
    }
    new.renewable &= role.renewable;
    new.role_period = role.token_period;
    new.role_explicit_max_ttl = role.token_explicit_max_ttl;
    new.bound_cidrs = role.token_bound_cidrs;
    if role.token_num_uses > 0 && (new.num_uses == 0 || role.token_num_uses < new.num_uses) {
        new.num_uses = role.token_num_uses;
    }
    new.role = name;
}

fn kind_of(asked: &str, role: Option<RoleTokenType>) -> Result<TokenKind, Fault> {
    let asked = match asked {
        "" => None,
        "service" => Some(TokenKind::Service),
        "batch" => Some(TokenKind::Batch),
        _ => return Err(Fault::invalid("invalid 'token_type' value")),
    };
    Ok(match role {
        Some(RoleTokenType::Service) => TokenKind::Service,
        Some(RoleTokenType::Batch) => TokenKind::Batch,
        Some(RoleTokenType::DefaultBatch) => asked.unwrap_or(TokenKind::Batch),
        Some(RoleTokenType::DefaultService) | None => asked.unwrap_or(TokenKind::Service),
    })
}

/// Nothing is stored about a batch token, so nothing about it can change.
fn refuse_batch_wishes(new: &NewToken) -> Result<(), Fault> {
    if new.kind == TokenKind::Service {
        return Ok(());
    }
    if new.policies.iter().any(|policy| policy == "root") {
        return Err(Fault::invalid("batch tokens cannot be root tokens"));
    }
    let wished = [
        (new.id.is_some(), "id"),
        (
            !new.explicit_max_ttl.is_zero() || !new.role_explicit_max_ttl.is_zero(),
            "explicit_max_ttl",
        ),
        (new.num_uses > 0, "num_uses"),
        (
            !new.period.is_zero() || !new.role_period.is_zero(),
            "period",
        ),
    ];
    match wished.iter().find(|(wished, _)| *wished) {
        Some((_, what)) => Err(Fault::Invalid(format!(
            "batch tokens cannot have {what:?} set"
        ))),
        None => Ok(()),
    }
}

/// Root tokens are of the root namespace, or of one with a seal of its own: what reaches a namespace from above does so by
/// policy.
fn refuse_root_elsewhere(open: &Open, new: &NewToken, parent: &TokenRecord) -> Result<(), Fault> {
    let root = new.policies.iter().any(|policy| policy == "root");
    match root && parent.namespace != open.space.id {
        true => Err(Fault::invalid(
            "root tokens may not be created from a parent namespace",
        )),
        false => Ok(()),
    }
}

/// What ends may not make what does not end and can do everything.
fn refuse_longer_root(new: &NewToken, parent: &TokenRecord) -> Result<(), Fault> {
    let for_ever = [
        new.ttl,
        new.period,
        new.explicit_max_ttl,
        new.role_period,
        new.role_explicit_max_ttl,
    ]
    .iter()
    .all(std::time::Duration::is_zero);
    let root = new.policies.iter().any(|policy| policy == "root");
    if root && for_ever && parent.expires.is_some() {
        return Err(Fault::invalid(
            "expiring root tokens cannot create non-expiring root tokens",
        ));
    }
    Ok(())
}

/// `token-` and the name, of letters, digits and hyphens.
fn shown_name(name: &str) -> String {
    if name.is_empty() {
        return "token".to_owned();
    }
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    let shown: String = format!("token-{name}").chars().map(plain).collect();
    shown.strip_suffix('-').map_or(shown.clone(), str::to_owned)
}

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let texts = match serde_json::Value::deserialize(from)? {
            serde_json::Value::Null => Vec::new(),
            serde_json::Value::Array(texts) => texts,
            one => vec![one],
        };
        let text = |value| serde_json::from_value::<Text>(value).map(|text| text.0);
        let names = texts.into_iter().map(text).collect::<Result<_, _>>();
        names.map(Self).map_err(serde::de::Error::custom)
    }
}
