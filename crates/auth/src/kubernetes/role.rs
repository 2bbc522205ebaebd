//! `role/{name}`: which service accounts may log in, and what their tokens are like.

use coffer_engine::keys::{Keys, page};
use coffer_engine::{Ctx, Empty, Exists, Fault, Handle, Reply, Routes, Stored, path};
use coffer_wire::{CommaList, Int, Text};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Kubernetes;
use super::selector::Selector;
use super::service_account::ServiceAccount;
use crate::token_fields::{OldInput, TokenFields, TokenInput, TokenView, remarked};
use crate::{glob, names};

/// Where roles are kept.
pub(super) const FOLDER: &str = "role/";

pub(super) fn routes() -> Routes<Kubernetes> {
    Routes::new([
        path("role", "The roles.").list::<ListRoles>(),
        path(
            "role/{name}",
            "A role: which service accounts may log in, and what their tokens are like.",
        )
        .caseless()
        .exists::<ReadRole>()
        .read::<ReadRole>()
        .write::<WriteRole>()
        .tells("kubernetes/role-write")
        .delete::<DeleteRole>()
        .tells("kubernetes/role-delete"),
    ])
}

/// A stored role.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Role {
    /// Patterns of names of service accounts.
    pub(super) accounts: Vec<String>,
    /// Patterns of namespaces; none where that was never said.
    pub(super) namespaces: Option<Vec<String>>,
    /// Which labels a namespace may have instead, as it was written; empty for none.
    pub(super) selector: String,
    /// Whom tokens must be meant for; empty for anybody.
    pub(super) audience: String,
    pub(super) alias: AliasSource,
    /// What the tokens are like.
    pub(super) token: TokenFields,
}

/// What a service account is called in the identity store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum AliasSource {
    /// What the cluster gives to no other account ever.
    #[default]
    Uid,
    /// Namespace and name, which an account that is made anew has again.
    Name,
}

impl Stored for Role {
    const MAX_BYTES: usize = 64 * 1024;
}

impl Role {
    /// The role of that name in any spelling, if there is one.
    pub(super) async fn find(cx: &Ctx, name: &str) -> Result<Option<Self>, Fault> {
        if !is_name(name) {
            return Ok(None);
        }
        Ok(cx.view.get(&place(name)).await?)
    }

    /// Whether it is for accounts of this name.
    pub(super) fn is_for(&self, account: &ServiceAccount) -> bool {
        any(&self.accounts, &account.name)
    }

    /// Whether it is for this namespace, whatever its labels are.
    pub(super) fn is_within(&self, namespace: &str) -> bool {
        any(self.namespaces.as_deref().unwrap_or_default(), namespace)
    }

    /// What the labels of a namespace must be instead, where that is said.
    pub(super) fn selector(&self) -> Result<Option<Selector>, Fault> {
        let said = Some(self.selector.as_str()).filter(|text| !text.is_empty());
        said.map(Selector::parse).transpose()
    }

    /// What does not go together, or is missing.
    fn refuse(&self) -> Result<(), Fault> {
        let namespaces = self.namespaces.as_deref().unwrap_or_default();
        if self.accounts.is_empty() {
            return Err(Fault::invalid(
                "\"bound_service_account_names\" can not be empty",
            ));
        }
        if namespaces.is_empty() && self.selector.is_empty() {
            return Err(Fault::invalid(
                "\"bound_service_account_namespaces\" can not be empty if \"bound_service_account_namespace_selector\" is not set",
            ));
        }
        let mixed = |list: &[String]| list.len() > 1 && list.iter().any(|item| item == "*");
        if mixed(&self.accounts) || mixed(namespaces) {
            return Err(Fault::invalid("can not mix \"*\" with values"));
        }
        self.selector().map(|_| ())
    }
}

impl AliasSource {
    fn parse(word: &str) -> Result<Self, Fault> {
        match word {
            "serviceaccount_uid" => Ok(Self::Uid),
            "serviceaccount_name" => Ok(Self::Name),
            _ => Err(Fault::invalid(
                "invalid alias_name_source, must be one of: serviceaccount_uid, serviceaccount_name",
            )),
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Uid => "serviceaccount_uid",
            Self::Name => "serviceaccount_name",
        }
    }

    /// What it calls an account.
    pub(super) fn name_of(self, account: &ServiceAccount) -> String {
        match self {
            Self::Uid => account.uid.clone(),
            Self::Name => format!("{}/{}", account.namespace, account.name),
        }
    }
}

fn any(patterns: &[String], text: &str) -> bool {
    patterns.iter().any(|pattern| glob::matches(pattern, text))
}

/// Where a role is kept; `name` is one ([`is_name`]).
fn place(name: &str) -> String {
    format!("{FOLDER}{}", names::normal(name))
}

/// Letters, digits, `_`, and inside `-` and `.`.
fn is_name(name: &str) -> bool {
    names::is_name(name, &['-', '.'])
}

/// Lists the roles.
#[derive(Deserialize, JsonSchema)]
struct ListRoles {
    /// Names after this one only.
    #[serde(default)]
    after: String,
    /// How many names at most; all if not over zero.
    #[serde(default)]
    limit: Int,
}

impl Handle<Kubernetes> for ListRoles {
    type Reply = Keys;

    async fn handle(self, _: &Kubernetes, cx: &Ctx) -> Result<Keys, Fault> {
        page(cx, FOLDER, &self.after, self.limit).await
    }
}

/// Shows a role.
#[derive(Deserialize, JsonSchema)]
struct ReadRole {
    /// Name of the role.
    name: String,
}

impl Exists<Kubernetes> for ReadRole {
    async fn exists(self, _: &Kubernetes, cx: &Ctx) -> Result<bool, Fault> {
        Ok(Role::find(cx, &self.name).await?.is_some())
    }
}

/// A role as clients see it.
#[derive(Serialize, JsonSchema)]
struct RoleView {
    /// What an account is called in the identity store: by its uid, or by namespace and name.
    alias_name_source: &'static str,
    /// Whom tokens must be meant for.
    #[serde(skip_serializing_if = "String::is_empty")]
    audience: String,
    /// Patterns of names of service accounts.
    bound_service_account_names: Vec<String>,
    /// Which labels a namespace may have instead.
    bound_service_account_namespace_selector: String,
    /// Patterns of namespaces.
    bound_service_account_namespaces: Option<Vec<String>>,
    #[serde(flatten)]
    token: TokenView,
}

impl Handle<Kubernetes> for ReadRole {
    type Reply = RoleView;

    async fn handle(self, _: &Kubernetes, cx: &Ctx) -> Result<RoleView, Fault> {
        let role = Role::find(cx, &self.name).await?.ok_or(Fault::NotFound)?;
        Ok(RoleView {
            alias_name_source: role.alias.word(),
            audience: role.audience,
            bound_service_account_names: role.accounts,
            bound_service_account_namespace_selector: role.selector,
            bound_service_account_namespaces: role.namespaces,
            token: role.token.view(),
        })
    }
}

/// Makes or changes a role; what is not named stays as it is.
#[derive(Deserialize, JsonSchema)]
struct WriteRole {
    /// Name of the role: letters, digits, `_`, and inside `-` and `.`.
    name: String,
    /// What an account is called in the identity store: `serviceaccount_uid` for its uid, which no other ever has;
    /// `serviceaccount_name` for namespace and name, which an account that is made anew has again.
    #[serde(default)]
    alias_name_source: Option<Text>,
    /// Whom tokens must be meant for (their claim `aud`). Without it a token that was made for anybody else is as good.
    #[serde(default)]
    audience: Option<Text>,
    /// Names of service accounts that may log in, in which `*` stands for any text.
    #[serde(default)]
    bound_service_account_names: Option<CommaList>,
    /// Which labels a namespace may have instead: a label selector in JSON or YAML, with `matchLabels` and
    /// `matchExpressions`.
    #[serde(default)]
    bound_service_account_namespace_selector: Option<Text>,
    /// Namespaces that they may be in, in which `*` stands for any text.
    #[serde(default)]
    bound_service_account_namespaces: Option<CommaList>,
    #[serde(flatten)]
    token: TokenInput,
    #[serde(flatten)]
    old: OldInput,
}

impl Handle<Kubernetes> for WriteRole {
    type Reply = Reply;

    async fn handle(self, _: &Kubernetes, cx: &Ctx) -> Result<Reply, Fault> {
        if !is_name(&self.name) {
            return Err(Fault::UnsupportedPath);
        }
        let decide = |kept: Option<Role>| {
            let is_new = kept.is_none();
            let mut role = kept.unwrap_or_default();
            self.apply(&mut role, is_new)?;
            let longest = role.token.max_ttl.0;
            Ok::<_, Fault>((Some(role), longest))
        };
        let longest = cx.view.update(&place(&self.name), decide).await?;
        Ok(remarked(Reply::default(), longest, cx))
    }
}

impl WriteRole {
    fn apply(&self, role: &mut Role, is_new: bool) -> Result<(), Fault> {
        if let Some(names) = &self.bound_service_account_names {
            role.accounts.clone_from(&names.0);
        }
        if let Some(namespaces) = &self.bound_service_account_namespaces {
            role.namespaces = Some(namespaces.0.clone());
        }
        if let Some(selector) = &self.bound_service_account_namespace_selector {
            role.selector.clone_from(&selector.0);
        }
        role.refuse()?;
        if let Some(audience) = &self.audience {
            role.audience.clone_from(&audience.0);
        }
        let unsaid = |source: &&Text| !(is_new && source.0.is_empty());
        if let Some(source) = self.alias_name_source.as_ref().filter(unsaid) {
            role.alias = AliasSource::parse(&source.0)?;
        }
        role.token.apply(&self.token, &self.old)
    }
}

/// Removes a role. Tokens of its logins live on until they end, and can not be renewed.
#[derive(Deserialize, JsonSchema)]
struct DeleteRole {
    /// Name of the role.
    name: String,
}

impl Handle<Kubernetes> for DeleteRole {
    type Reply = Empty;

    async fn handle(self, _: &Kubernetes, cx: &Ctx) -> Result<Empty, Fault> {
        if is_name(&self.name) {
            cx.view.delete(&place(&self.name)).await?;
        }
        Ok(Empty)
    }
}
