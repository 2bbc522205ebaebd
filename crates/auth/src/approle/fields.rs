//! `role/{role_name}/FIELD`: one setting of a role, for those who may change no other.

use std::marker::PhantomData;

use coffer_engine::{Ctx, Empty, Fault, Handle, Path, Reply, Routes, path};
use coffer_wire::{CommaList, Flag, Int, Ttl};
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::AppRole;
use super::role::{self, Role, uses_of_secret_id};
use crate::networks;
use crate::token_fields::{OldInput, TokenInput};

pub(super) fn routes() -> Routes<AppRole> {
    Routes::new([
        field::<BindSecretId>(
            "role/{role_name}/bind-secret-id",
            "Whether a secret id must be brought.",
        ),
        field::<BoundCidrList>(
            "role/{role_name}/bound-cidr-list",
            "The old name of secret-id-bound-cidrs.",
        ),
        field::<Period>(
            "role/{role_name}/period",
            "What renewals set the lifetime of tokens to.",
        ),
        field::<Policies>("role/{role_name}/policies", "The policies of the tokens."),
        field::<SecretIdBoundCidrs>(
            "role/{role_name}/secret-id-bound-cidrs",
            "Where logins may come from.",
        ),
        field::<SecretIdNumUses>(
            "role/{role_name}/secret-id-num-uses",
            "How many logins a secret id is good for.",
        ),
        field::<SecretIdTtl>(
            "role/{role_name}/secret-id-ttl",
            "How long secret ids live.",
        ),
        field::<TokenBoundCidrs>(
            "role/{role_name}/token-bound-cidrs",
            "Where tokens may come from.",
        ),
        field::<TokenMaxTtl>(
            "role/{role_name}/token-max-ttl",
            "How long tokens live at most.",
        ),
        field::<TokenNumUses>(
            "role/{role_name}/token-num-uses",
            "How many requests a token is good for.",
        ),
        field::<TokenTtl>(
            "role/{role_name}/token-ttl",
            "How long tokens live at first.",
        ),
    ])
}

/// One setting of a role.
trait Field: Send + Sync + 'static {
    /// How it is written: one type with a field of its name.
    type Input: DeserializeOwned + JsonSchema + Send + Sync + 'static;

    fn show(role: &Role) -> Value;
    fn write(role: &mut Role, input: &Self::Input) -> Result<(), Fault>;
    /// Sets it back to what a new role has.
    fn clear(role: &mut Role);
    /// A remark on reading it.
    fn remark() -> Option<&'static str> {
        None
    }
}

fn field<F: Field>(pattern: &'static str, about: &'static str) -> Path<AppRole> {
    path(pattern, about)
        .caseless()
        .read::<Read<F>>()
        .write::<Write<F>>()
        .tells("approle/role-write")
        .delete::<Clear<F>>()
        .tells("approle/role-write")
}

/// Shows the setting.
#[derive(Deserialize, JsonSchema)]
#[serde(bound = "")]
#[schemars(bound = "")]
struct Read<F> {
    /// Name of the role.
    role_name: String,
    #[serde(skip)]
    of: PhantomData<fn() -> F>,
}

/// Changes the setting.
#[derive(Deserialize, JsonSchema)]
#[serde(bound = "")]
#[schemars(bound = "")]
struct Write<F: Field> {
    /// Name of the role.
    role_name: String,
    #[serde(flatten)]
    input: F::Input,
}

/// Sets the setting back to what a new role has.
#[derive(Deserialize, JsonSchema)]
#[serde(bound = "")]
#[schemars(bound = "")]
struct Clear<F> {
    /// Name of the role.
    role_name: String,
    #[serde(skip)]
    of: PhantomData<fn() -> F>,
}

impl<F: Field> Handle<AppRole> for Read<F> {
    type Reply = Reply;

    async fn handle(self, _: &AppRole, cx: &Ctx) -> Result<Reply, Fault> {
        let role = Role::named(cx, &self.role_name).await?;
        let reply = Reply::data(&F::show(&role))?;
        Ok(F::remark().into_iter().fold(reply, Reply::warn))
    }
}

impl<F: Field> Handle<AppRole> for Write<F> {
    type Reply = Empty;

    async fn handle(self, _: &AppRole, cx: &Ctx) -> Result<Empty, Fault> {
        role::change(cx, &self.role_name, |role| F::write(role, &self.input)).await?;
        Ok(Empty)
    }
}

impl<F: Field> Handle<AppRole> for Clear<F> {
    type Reply = Empty;

    async fn handle(self, _: &AppRole, cx: &Ctx) -> Result<Empty, Fault> {
        let clear = |role: &mut Role| {
            F::clear(role);
            Ok(())
        };
        match role::change(cx, &self.role_name, clear).await {
            Ok(()) | Err(Fault::Missing(_)) => Ok(Empty),
            Err(fault) => Err(fault),
        }
    }
}

/// Those of a role's token settings that have these names, as the role shows them.
fn of_token(role: &Role, names: &[&str]) -> Value {
    let all = serde_json::to_value(role.token.view()).unwrap_or_default();
    let shown = names
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), all.get(*name)?.clone())));
    Value::Object(shown.collect::<Map<_, _>>())
}

fn given<T: Clone>(value: &Option<T>, name: &str) -> Result<T, Fault> {
    value
        .clone()
        .ok_or_else(|| Fault::Invalid(format!("missing {name}")))
}

struct BindSecretId;

#[derive(Deserialize, JsonSchema)]
struct BindSecretIdInput {
    /// Whether a secret id must be brought.
    #[serde(default)]
    bind_secret_id: Option<Flag>,
}

impl Field for BindSecretId {
    type Input = BindSecretIdInput;

    fn show(role: &Role) -> Value {
        json!({ "bind_secret_id": role.bind_secret_id })
    }

    fn write(role: &mut Role, input: &Self::Input) -> Result<(), Fault> {
        role.bind_secret_id = given(&input.bind_secret_id, "bind_secret_id")?.0;
        Ok(())
    }

    fn clear(role: &mut Role) {
        role.bind_secret_id = true;
    }
}

struct BoundCidrList;

#[derive(Deserialize, JsonSchema)]
struct BoundCidrListInput {
    /// Networks that logins may come from.
    #[serde(default)]
    bound_cidr_list: Option<CommaList>,
}

impl Field for BoundCidrList {
    type Input = BoundCidrListInput;

    fn show(role: &Role) -> Value {
        json!({ "bound_cidr_list": role.secret_id_bound_cidrs.as_deref().map(networks::written) })
    }

    fn write(role: &mut Role, input: &Self::Input) -> Result<(), Fault> {
        bind(role, input.bound_cidr_list.as_ref())
    }

    fn clear(role: &mut Role) {
        role.secret_id_bound_cidrs = None;
    }

    fn remark() -> Option<&'static str> {
        Some("The \"bound_cidr_list\" field is deprecated; use \"secret_id_bound_cidrs\" instead.")
    }
}

struct SecretIdBoundCidrs;

#[derive(Deserialize, JsonSchema)]
struct SecretIdBoundCidrsInput {
    /// Networks that logins may come from.
    #[serde(default)]
    secret_id_bound_cidrs: Option<CommaList>,
}

impl Field for SecretIdBoundCidrs {
    type Input = SecretIdBoundCidrsInput;

    fn show(role: &Role) -> Value {
        json!({ "secret_id_bound_cidrs": role.secret_id_bound_cidrs.as_deref().map(networks::written) })
    }

    fn write(role: &mut Role, input: &Self::Input) -> Result<(), Fault> {
        bind(role, input.secret_id_bound_cidrs.as_ref())
    }

    fn clear(role: &mut Role) {
        role.secret_id_bound_cidrs = None;
    }
}

/// Nothing said leaves all as it is.
fn bind(role: &mut Role, nets: Option<&CommaList>) -> Result<(), Fault> {
    if let Some(nets) = nets {
        role.secret_id_bound_cidrs = Some(networks::blocks(nets)?);
    }
    Ok(())
}

struct SecretIdNumUses;

#[derive(Deserialize, JsonSchema)]
struct SecretIdNumUsesInput {
    /// How many logins a secret id is good for; 0 for no limit.
    #[serde(default)]
    secret_id_num_uses: Option<Int>,
}

impl Field for SecretIdNumUses {
    type Input = SecretIdNumUsesInput;

    fn show(role: &Role) -> Value {
        json!({ "secret_id_num_uses": role.secret_id_num_uses })
    }

    fn write(role: &mut Role, input: &Self::Input) -> Result<(), Fault> {
        let uses = given(&input.secret_id_num_uses, "secret_id_num_uses")?;
        role.secret_id_num_uses = uses_of_secret_id(uses)?;
        Ok(())
    }

    fn clear(role: &mut Role) {
        role.secret_id_num_uses = 0;
    }
}

struct SecretIdTtl;

#[derive(Deserialize, JsonSchema)]
struct SecretIdTtlInput {
    /// How long secret ids live; 0 for ever.
    #[serde(default)]
    secret_id_ttl: Option<Ttl>,
}

impl Field for SecretIdTtl {
    type Input = SecretIdTtlInput;

    fn show(role: &Role) -> Value {
        json!({ "secret_id_ttl": role.secret_id_ttl })
    }

    fn write(role: &mut Role, input: &Self::Input) -> Result<(), Fault> {
        role.secret_id_ttl = given(&input.secret_id_ttl, "secret_id_ttl")?;
        Ok(())
    }

    fn clear(role: &mut Role) {
        role.secret_id_ttl = Ttl::default();
    }
}

struct Period;

#[derive(Deserialize, JsonSchema)]
struct PeriodInput {
    /// The old name of `token_period`.
    #[serde(default)]
    period: Option<Ttl>,
    /// Renewals set the lifetime to this, for ever.
    #[serde(default)]
    token_period: Option<Ttl>,
}

impl Field for Period {
    type Input = PeriodInput;

    fn show(role: &Role) -> Value {
        of_token(role, &["period", "token_period"])
    }

    fn write(role: &mut Role, input: &Self::Input) -> Result<(), Fault> {
        given(&input.token_period.or(input.period), "period")?;
        let old = OldInput {
            period: input.period,
            ..OldInput::default()
        };
        let new = TokenInput {
            token_period: input.token_period,
            ..TokenInput::default()
        };
        role.token.apply(&new, &old)
    }

    fn clear(role: &mut Role) {
        role.token.period = Ttl::default();
    }
}

struct Policies;

#[derive(Deserialize, JsonSchema)]
struct PoliciesInput {
    /// The old name of `token_policies`.
    #[serde(default)]
    policies: Option<CommaList>,
    /// Policies of the tokens.
    #[serde(default)]
    token_policies: Option<CommaList>,
}

impl Field for Policies {
    type Input = PoliciesInput;

    fn show(role: &Role) -> Value {
        of_token(role, &["policies", "token_policies"])
    }

    fn write(role: &mut Role, input: &Self::Input) -> Result<(), Fault> {
        let either = input.token_policies.as_ref().or(input.policies.as_ref());
        given(&either, "token_policies")?;
        let old = OldInput {
            policies: input.policies.clone(),
            ..OldInput::default()
        };
        let new = TokenInput {
            token_policies: input.token_policies.clone(),
            ..TokenInput::default()
        };
        role.token.apply(&new, &old)
    }

    fn clear(role: &mut Role) {
        role.token.policies.clear();
    }
}

struct TokenBoundCidrs;

#[derive(Deserialize, JsonSchema)]
struct TokenBoundCidrsInput {
    /// Networks or addresses that tokens may come from.
    #[serde(default)]
    token_bound_cidrs: Option<CommaList>,
}

impl Field for TokenBoundCidrs {
    type Input = TokenBoundCidrsInput;

    fn show(role: &Role) -> Value {
        match role.token.bound_cidrs.is_empty() {
            true => json!({ "token_bound_cidrs": null }),
            false => of_token(role, &["token_bound_cidrs"]),
        }
    }

    fn write(role: &mut Role, input: &Self::Input) -> Result<(), Fault> {
        let new = TokenInput {
            token_bound_cidrs: input.token_bound_cidrs.clone(),
            ..TokenInput::default()
        };
        role.token.apply(&new, &OldInput::default())
    }

    fn clear(role: &mut Role) {
        role.token.bound_cidrs.clear();
    }
}

struct TokenMaxTtl;

#[derive(Deserialize, JsonSchema)]
struct TokenMaxTtlInput {
    /// How long tokens live at most.
    #[serde(default)]
    token_max_ttl: Option<Ttl>,
}

impl Field for TokenMaxTtl {
    type Input = TokenMaxTtlInput;

    fn show(role: &Role) -> Value {
        of_token(role, &["token_max_ttl"])
    }

    fn write(role: &mut Role, input: &Self::Input) -> Result<(), Fault> {
        let new = TokenInput {
            token_max_ttl: Some(given(&input.token_max_ttl, "token_max_ttl")?),
            ..TokenInput::default()
        };
        role.token.apply(&new, &OldInput::default())
    }

    fn clear(role: &mut Role) {
        role.token.max_ttl = Ttl::default();
    }
}

struct TokenNumUses;

#[derive(Deserialize, JsonSchema)]
struct TokenNumUsesInput {
    /// How many requests a token is good for; 0 for no limit.
    #[serde(default)]
    token_num_uses: Option<Int>,
}

impl Field for TokenNumUses {
    type Input = TokenNumUsesInput;

    fn show(role: &Role) -> Value {
        of_token(role, &["token_num_uses"])
    }

    fn write(role: &mut Role, input: &Self::Input) -> Result<(), Fault> {
        let new = TokenInput {
            token_num_uses: Some(given(&input.token_num_uses, "token_num_uses")?),
            ..TokenInput::default()
        };
        role.token.apply(&new, &OldInput::default())
    }

    fn clear(role: &mut Role) {
        role.token.num_uses = 0;
    }
}

struct TokenTtl;

#[derive(Deserialize, JsonSchema)]
struct TokenTtlInput {
    /// How long tokens live at first.
    #[serde(default)]
    token_ttl: Option<Ttl>,
}

impl Field for TokenTtl {
    type Input = TokenTtlInput;

    fn show(role: &Role) -> Value {
        of_token(role, &["token_ttl"])
    }

    fn write(role: &mut Role, input: &Self::Input) -> Result<(), Fault> {
        let new = TokenInput {
            token_ttl: Some(given(&input.token_ttl, "token_ttl")?),
            ..TokenInput::default()
        };
        role.token.apply(&new, &OldInput::default())
    }

    fn clear(role: &mut Role) {
        role.token.ttl = Ttl::default();
    }
}
