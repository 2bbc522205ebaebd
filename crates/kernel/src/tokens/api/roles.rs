//! Token roles.

use std::time::Duration;

use coffer_engine::{Ctx, Empty, Exists, Fault, Handle, Reply, Routes, path};
use coffer_wire::{CommaList, Flag, Int, Text, Ttl, format_networks, parse_networks};
use ipnet::IpNet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::open::Open;
use crate::tokens::TokenRole;
use crate::tokens::role::RoleTokenType;

/// The longest name of a role.
const MAX_NAME_BYTES: usize = 256;

pub(super) fn routes() -> Routes<Open> {
    Routes::new([
        path("roles", "Lists the token roles.").list::<ListRoles>(),
        path(
            "roles/{role_name}",
            "A token role: a template for tokens that others may create.",
        )
        .exists::<ReadRole>()
        .read::<ReadRole>()
        .write::<WriteRole>()
        .delete::<DeleteRole>(),
    ])
}

/// Lists the token roles.
#[derive(Deserialize, JsonSchema)]
struct ListRoles {}

impl Handle<Open> for ListRoles {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        let keys = open.tokens.roles(&open.space.id).await?;
        if keys.is_empty() {
            Err(Fault::NotFound)
        } else {
            Reply::data(&json!({ "keys": keys }))
        }
    }
}

/// Shows a token role.
#[derive(Deserialize, JsonSchema)]
struct ReadRole {
    /// The role.
    role_name: String,
}

impl Exists<Open> for ReadRole {
    async fn exists(self, open: &Open, _: &Ctx) -> Result<bool, Fault> {
        Ok(open
            .tokens
            .role(&open.space.id, &self.role_name)
            .await?
            .is_some())
    }
}

impl Handle<Open> for ReadRole {
    type Reply = ShownRole;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<ShownRole, Fault> {
        let role = open.tokens.role(&open.space.id, &self.role_name).await?;
        Ok(ShownRole::of(self.role_name, role.ok_or(Fault::NotFound)?))
    }
}

/// Removes a token role. Its tokens live on and can not be renewed.
#[derive(Deserialize, JsonSchema)]
struct DeleteRole {
    /// The role.
    role_name: String,
}

impl Handle<Open> for DeleteRole {
    type Reply = Empty;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Empty, Fault> {
        open.tokens
            .delete_role(&open.space.id, &self.role_name)
            .await?;
        Ok(Empty)
    }
}

/// Makes or changes a token role; what is not named stays as it is.
#[derive(Deserialize, JsonSchema)]
struct WriteRole {
    /// The role.
    role_name: String,
    /// Policies that may be asked for; the token's creator need not have them.
    #[serde(default)]
    allowed_policies: Option<CommaList>,
    /// As `allowed_policies`, with `*` for any characters.
    #[serde(default)]
    allowed_policies_glob: Option<CommaList>,
    /// Policies that may not be asked for.
    #[serde(default)]
    disallowed_policies: Option<CommaList>,
    /// As `disallowed_policies`, with `*` for any characters.
    #[serde(default)]
    disallowed_policies_glob: Option<CommaList>,
    /// Entity aliases that may be asked for.
    #[serde(default)]
    allowed_entity_aliases: Option<CommaList>,
    /// Tokens have no parent and outlive their creator.
    #[serde(default)]
    orphan: Option<Flag>,
    /// Tokens can be renewed; they can where nothing is said.
    #[serde(default)]
    renewable: Option<Flag>,
    /// Appended to the path that is recorded with tokens, so that they can be told apart.
    #[serde(default)]
    path_suffix: Option<Text>,
    /// Renewals set the lifetime to this, for ever.
    #[serde(default)]
    token_period: Option<Ttl>,
    /// A bound that renewals never pass.
    #[serde(default)]
    token_explicit_max_ttl: Option<Ttl>,
    /// Addresses or networks that tokens may come from.
    #[serde(default)]
    token_bound_cidrs: Option<CommaList>,
    /// Leaves out the policy `default`.
    #[serde(default)]
    token_no_default_policy: Option<Flag>,
    /// How many requests a token may make; 0 for no limit.
    #[serde(default)]
    token_num_uses: Option<Int>,
    /// `service`, `batch`, `default-service` or `default-batch`.
    #[serde(default)]
    token_type: Option<Text>,
    /// The old name of `token_period`.
    #[serde(default)]
    period: Option<Ttl>,
    /// The old name of `token_explicit_max_ttl`.
    #[serde(default)]
    explicit_max_ttl: Option<Ttl>,
    /// The old name of `token_bound_cidrs`.
    #[serde(default)]
    bound_cidrs: Option<CommaList>,
}

impl Handle<Open> for WriteRole {
    type Reply = Reply;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        if self.role_name.len() > MAX_NAME_BYTES || self.role_name.chars().any(char::is_control) {
            return Err(Fault::Invalid(format!(
                "a role name has at most {MAX_NAME_BYTES} bytes and no control characters"
            )));
        }
        let most = cx.mount.max_lease_ttl;
        let change = |role: &mut TokenRole| {
            let mut warnings = Vec::new();
            self.apply(role, &mut warnings)?;
            refuse_role(role)?;
            if role.token_explicit_max_ttl > most {
                warnings.push(format!(
                    "Given explicit max TTL of {} is greater than system/mount allowed value of {} seconds; tokens will end by the smaller one",
                    role.token_explicit_max_ttl.as_secs(),
                    most.as_secs()
                ));
            }
            Ok(warnings)
        };
        let warnings = open
            .tokens
            .change_role(&open.space.id, &self.role_name, change)
            .await?;
        Ok(warnings.into_iter().fold(Reply::default(), Reply::warn))
    }
}

impl WriteRole {
    fn apply(&self, role: &mut TokenRole, warnings: &mut Vec<String>) -> Result<(), Fault> {
        let lower = |list: &CommaList| list.0.iter().map(|item| item.to_lowercase()).collect();
        set(
            &mut role.allowed_policies,
            self.allowed_policies.as_ref().map(lower),
        );
        set(
            &mut role.allowed_policies_glob,
            self.allowed_policies_glob.as_ref().map(lower),
        );
        set(
            &mut role.disallowed_policies,
            self.disallowed_policies.as_ref().map(lower),
        );
        set(
            &mut role.disallowed_policies_glob,
            self.disallowed_policies_glob.as_ref().map(lower),
        );
        set(
            &mut role.allowed_entity_aliases,
            self.allowed_entity_aliases.as_ref().map(lower),
        );
        set(&mut role.orphan, self.orphan.map(|flag| flag.0));
        set(&mut role.renewable, self.renewable.map(|flag| flag.0));
        set(
            &mut role.path_suffix,
            self.path_suffix.as_ref().map(|suffix| suffix.0.clone()),
        );
        set(
            &mut role.token_no_default_policy,
            self.token_no_default_policy.map(|flag| flag.0),
        );
        if let Some(uses) = self.token_num_uses {
            role.token_num_uses = u64::try_from(uses.0)
                .map_err(|_| Fault::invalid("'token_num_uses' cannot be negative"))?;
        }
        if let Some(name) = &self.token_type {
            role.token_type = RoleTokenType::parse(&name.0).ok_or_else(|| {
                Fault::Invalid(format!("invalid 'token_type' value {:?}", name.0))
            })?;
        }
        let secs = |ttl: Ttl| ttl.0;
        let (period, old) = (self.token_period.map(secs), self.period.map(secs));
        renamed(
            "period",
            (&mut role.token_period, &mut role.old_names.period),
            period,
            old,
            warnings,
        );
        let (most, old) = (
            self.token_explicit_max_ttl.map(secs),
            self.explicit_max_ttl.map(secs),
        );
        let kept = (
            &mut role.token_explicit_max_ttl,
            &mut role.old_names.explicit_max_ttl,
        );
        renamed("explicit_max_ttl", kept, most, old, warnings);
        let nets = self.token_bound_cidrs.as_ref().map(networks).transpose()?;
        let old = self.bound_cidrs.as_ref().map(networks).transpose()?;
        let kept = (&mut role.token_bound_cidrs, &mut role.old_names.bound_cidrs);
        renamed("bound_cidrs", kept, nets, old, warnings);
        Ok(())
    }
}

fn set<T>(kept: &mut T, new: Option<T>) {
    if let Some(new) = new {
        *kept = new;
    }
}

/// A setting with a new and an old name, of which the new one counts.
fn renamed<T>(
    name: &str,
    (kept, by_old_name): (&mut T, &mut bool),
    new: Option<T>,
    old: Option<T>,
    warnings: &mut Vec<String>,
) {
    if new.is_some() && old.is_some() {
        warnings.push(format!(
            "Both 'token_{name}' and deprecated '{name}' value supplied, ignoring the deprecated value"
        ));
    }
    if new.is_some() || old.is_some() {
        *by_old_name = new.is_none();
    }
    set(kept, new.or(old));
}

/// Networks, or single addresses.
fn networks(list: &CommaList) -> Result<Vec<IpNet>, Fault> {
    parse_networks(&list.0)
        .map_err(|error| Fault::invalid(format_args!("error parsing role fields: {error}")))
}

fn refuse_role(role: &TokenRole) -> Result<(), Fault> {
    let suffix = role.path_suffix.as_str();
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let inner = suffix.chars().all(|c| word(c) || matches!(c, '-' | '.'));
    let ends = suffix.starts_with(word) && suffix.ends_with(word) && suffix.len() >= 3;
    let fine = suffix.is_empty() || (inner && ends);
    if !fine {
        return Err(Fault::invalid(
            "given role path suffix contains invalid characters; must match \\w[\\w-.]+\\w",
        ));
    }
    if role.token_type != RoleTokenType::Batch {
        return Ok(());
    }
    let wishes = [
        (!role.orphan, "non-orphan tokens"),
        (!role.token_period.is_zero(), "periodic tokens"),
        (role.renewable, "renewable tokens"),
        (
            !role.token_explicit_max_ttl.is_zero(),
            "tokens with an explicit max TTL",
        ),
        (role.token_num_uses > 0, "tokens with limited use count"),
    ];
    match wishes.iter().find(|(wished, _)| *wished) {
        Some((_, what)) => Err(Fault::Invalid(format!(
            "'token_type' cannot be 'batch' when role is set to generate {what}"
        ))),
        None => Ok(()),
    }
}

/// A token role as it is shown.
#[derive(Serialize, JsonSchema)]
struct ShownRole {
    allowed_entity_aliases: Option<Vec<String>>,
    allowed_policies: Vec<String>,
    allowed_policies_glob: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    bound_cidrs: Vec<String>,
    disallowed_policies: Vec<String>,
    disallowed_policies_glob: Vec<String>,
    explicit_max_ttl: u64,
    name: String,
    orphan: bool,
    path_suffix: String,
    period: u64,
    renewable: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    token_bound_cidrs: Vec<String>,
    token_explicit_max_ttl: u64,
    token_no_default_policy: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_num_uses: Option<u64>,
    token_period: u64,
    token_type: &'static str,
}

impl ShownRole {
    fn of(name: String, role: TokenRole) -> Self {
        let old = |written: bool, value: Duration| if written { value.as_secs() } else { 0 };
        let nets = format_networks(&role.token_bound_cidrs);
        Self {
            allowed_entity_aliases: Some(role.allowed_entity_aliases)
                .filter(|list| !list.is_empty()),
            allowed_policies: role.allowed_policies,
            allowed_policies_glob: role.allowed_policies_glob,
            bound_cidrs: if role.old_names.bound_cidrs {
                nets.clone()
            } else {
                Vec::new()
            },
            disallowed_policies: role.disallowed_policies,
            disallowed_policies_glob: role.disallowed_policies_glob,
            explicit_max_ttl: old(role.old_names.explicit_max_ttl, role.token_explicit_max_ttl),
            name,
            orphan: role.orphan,
            path_suffix: role.path_suffix,
            period: old(role.old_names.period, role.token_period),
            renewable: role.renewable,
            token_bound_cidrs: nets,
            token_explicit_max_ttl: role.token_explicit_max_ttl.as_secs(),
            token_no_default_policy: role.token_no_default_policy,
            token_num_uses: Some(role.token_num_uses).filter(|uses| *uses > 0),
            token_period: role.token_period.as_secs(),
            token_type: role.token_type.name(),
        }
    }
}
