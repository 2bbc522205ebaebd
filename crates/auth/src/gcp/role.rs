//! `role/{name}`: whom of Google's a role is for, and what their tokens are like.

use std::collections::BTreeMap;

use coffer_engine::keys::{Keys, page};
use coffer_engine::{Ctx, Empty, Exists, Fault, Handle, Reply, Routes, Stored, path};
use coffer_wire::{CommaList, Flag, Int, Text, Ttl};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Gcp;
use super::identity::{Identity, is_account, is_id};
use crate::names;
use crate::token_fields::{OldInput, TokenFields, TokenInput, TokenView, remarked};

/// Where roles are kept.
pub(super) const FOLDER: &str = "role/";
/// How long the token of a service account may live where nothing is said, and how long at most, in seconds.
const JWT_SECS: u64 = 15 * 60;
const JWT_SECS_MAX: u64 = 3600;

pub(super) fn routes() -> Routes<Gcp> {
    Routes::new([
        path("roles", "The roles.").list::<ListRoles>(),
        path(
            "role/{name}",
            "A role: whom of Google's it is for, and what their tokens are like.",
        )
        .caseless()
        .exists::<ReadRole>()
        .read::<ReadRole>()
        .write::<WriteRole>()
        .tells("gcp/role-write")
        .delete::<DeleteRole>()
        .tells("gcp/role-delete"),
    ])
}

/// A stored role.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Role {
    /// Names it for ever, whatever comes under its name later.
    pub(super) id: String,
    pub(super) kind: Kind,
    /// Names or ids of service accounts, or `*` for all.
    pub(super) accounts: Vec<String>,
    pub(super) projects: Vec<String>,
    /// Whether folders and organisations are told as groups.
    pub(super) groups: bool,
    /// What the tokens are like.
    pub(super) token: TokenFields,
}

/// What a role is for, and what it wants of that.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    /// Service accounts.
    Iam {
        /// How long a token may live that the account signs, in seconds.
        max_jwt_secs: u64,
        /// Whether the token of a machine will do for its service account.
        by_machine: bool,
    },
    /// Machines.
    Gce(Machines),
}

/// Which machines.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Machines {
    pub(super) zones: Vec<String>,
    pub(super) regions: Vec<String>,
    pub(super) instance_groups: Vec<String>,
    pub(super) labels: BTreeMap<String, String>,
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

    /// Whether it could be for an account of this name or id, of which no more is known yet.
    pub(super) fn could_be_for(&self, name: &str) -> bool {
        let other = |listed: &String| listed == "*" || is_id(listed) != is_id(name);
        let listed = |listed: &String| listed == name || other(listed);
        self.accounts.iter().any(listed)
    }

    /// Whether the account is one of those that it names; each is where a role for machines names none.
    pub(super) fn is_for(&self, identity: &Identity) -> bool {
        let named = |name: &String| {
            name == "*"
                || !identity.email.is_empty() && *name == identity.email
                || !identity.unique_id.is_empty() && *name == identity.unique_id
        };
        let machines = matches!(self.kind, Kind::Gce(_));
        machines && self.accounts.is_empty() || self.accounts.iter().any(named)
    }

    /// Whether any of its accounts is named by its id.
    pub(super) fn names_ids(&self) -> bool {
        self.accounts.iter().any(|name| is_id(name))
    }

    /// What does not go together, or is missing.
    pub(super) fn refuse(&self) -> Result<(), Fault> {
        if let Some(odd) = self
            .accounts
            .iter()
            .find(|name| *name != "*" && !is_account(name))
        {
            return Err(Fault::Invalid(format!(
                "bound_service_accounts: \"{odd:.100}\" is no name and no id of a service account"
            )));
        }
        match &self.kind {
            Kind::Iam { .. } if self.accounts.is_empty() => Err(Fault::invalid(
                "IAM role type must have at least one service account in bound_service_accounts",
            )),
            Kind::Iam { max_jwt_secs, .. } if !(1..=JWT_SECS_MAX).contains(max_jwt_secs) => Err(
                Fault::invalid("max_jwt_exp is to be from one second to one hour"),
            ),
            Kind::Iam { .. } => Ok(()),
            Kind::Gce(_)
                if self.projects.is_empty() && !self.accounts.iter().any(|name| name != "*") =>
            {
                Err(Fault::invalid(
                    "a role for machines names bound_projects or bound_service_accounts: without them it would be for everybody's machines",
                ))
            }
            Kind::Gce(of)
                if !of.instance_groups.is_empty()
                    && of.zones.is_empty()
                    && of.regions.is_empty() =>
            {
                Err(Fault::invalid(
                    "region or zone information must be specified if an instance group is given",
                ))
            }
            Kind::Gce(_) => Ok(()),
        }
    }
}

/// Changes a role that is there.
pub(super) async fn change(
    cx: &Ctx,
    name: &str,
    change: impl Fn(&mut Role) -> Result<(), Fault> + Send + Sync,
) -> Result<(), Fault> {
    let nobody = || Fault::Invalid(format!("role {name:?} does not exist"));
    if !is_name(name) {
        return Err(nobody());
    }
    let decide = |role: Option<Role>| {
        let mut role = role.ok_or_else(nobody)?;
        change(&mut role)?;
        role.refuse()?;
        Ok::<_, Fault>((Some(role), ()))
    };
    cx.view.update(&place(name), decide).await
}

/// Labels as they are written, `key:value` each.
pub(super) fn labels(list: &CommaList) -> Result<BTreeMap<String, String>, Fault> {
    let wrong = |pair: &String| {
        Fault::Invalid(format!("labels are written key:value, not \"{pair:.100}\""))
    };
    let split = |pair: &String| {
        let (key, value) = pair.split_once(':').ok_or_else(|| wrong(pair))?;
        match key.trim().is_empty() {
            true => Err(wrong(pair)),
            false => Ok((key.trim().to_owned(), value.trim().to_owned())),
        }
    };
    list.0.iter().map(split).collect()
}

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

impl Handle<Gcp> for ListRoles {
    type Reply = Keys;

    async fn handle(self, _: &Gcp, cx: &Ctx) -> Result<Keys, Fault> {
        page(cx, FOLDER, &self.after, self.limit).await
    }
}

/// Shows a role.
#[derive(Deserialize, JsonSchema)]
struct ReadRole {
    /// Name of the role.
    name: String,
}

impl Exists<Gcp> for ReadRole {
    async fn exists(self, _: &Gcp, cx: &Ctx) -> Result<bool, Fault> {
        Ok(Role::find(cx, &self.name).await?.is_some())
    }
}

/// A role as clients see it.
#[derive(Serialize, JsonSchema)]
struct RoleView {
    /// Whether folders and organisations are told as groups.
    add_group_aliases: bool,
    /// Whether the token of a machine will do for its service account.
    #[serde(skip_serializing_if = "Option::is_none")]
    allow_gce_inference: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bound_instance_groups: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bound_labels: Option<BTreeMap<String, String>>,
    bound_projects: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bound_regions: Option<Vec<String>>,
    bound_service_accounts: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bound_zones: Option<Vec<String>>,
    /// How long a token may live that a service account signs, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    max_jwt_exp: Option<u64>,
    /// Names the role for ever.
    role_id: String,
    /// `iam` or `gce`.
    r#type: &'static str,
    #[serde(flatten)]
    token: TokenView,
}

impl Handle<Gcp> for ReadRole {
    type Reply = RoleView;

    async fn handle(self, _: &Gcp, cx: &Ctx) -> Result<RoleView, Fault> {
        let role = Role::find(cx, &self.name).await?.ok_or(Fault::NotFound)?;
        let (jwt, of) = match role.kind {
            Kind::Iam {
                max_jwt_secs,
                by_machine,
            } => (Some((max_jwt_secs, by_machine)), None),
            Kind::Gce(of) => (None, Some(of)),
        };
        let of = of.as_ref();
        Ok(RoleView {
            add_group_aliases: role.groups,
            allow_gce_inference: jwt.map(|(_, by_machine)| by_machine),
            bound_instance_groups: of.map(|of| of.instance_groups.clone()),
            bound_labels: of.map(|of| of.labels.clone()),
            bound_projects: role.projects,
            bound_regions: of.map(|of| of.regions.clone()),
            bound_service_accounts: role.accounts,
            bound_zones: of.map(|of| of.zones.clone()),
            max_jwt_exp: jwt.map(|(secs, _)| secs),
            role_id: role.id,
            r#type: match jwt {
                Some(_) => "iam",
                None => "gce",
            },
            token: role.token.view(),
        })
    }
}

/// Makes or changes a role; what is not named stays as it is.
#[derive(Deserialize, JsonSchema)]
struct WriteRole {
    /// Name of the role: letters, digits, `_`, and inside `-` and `.`.
    name: String,
    /// `iam` for service accounts, `gce` for machines; it is said when the role is made, and stays.
    #[serde(default)]
    r#type: Option<Text>,
    /// Names or ids of service accounts; `*` for all.
    #[serde(default)]
    bound_service_accounts: Option<CommaList>,
    /// Projects that the account, or the machine, must be of.
    #[serde(default)]
    bound_projects: Option<CommaList>,
    /// The old form of `bound_projects`, of one.
    #[serde(default)]
    project_id: Option<Text>,
    /// Tells the project, its folders and its organisation as groups of the login.
    #[serde(default)]
    add_group_aliases: Option<Flag>,
    /// `iam` only: how long the token may live that a service account signs, one hour at most.
    #[serde(default)]
    max_jwt_exp: Option<Ttl>,
    /// `iam` only: whether the token of a machine will do for its service account.
    #[serde(default)]
    allow_gce_inference: Option<Flag>,
    /// `gce` only: zones that a machine may be in.
    #[serde(default)]
    bound_zones: Option<CommaList>,
    /// `gce` only: regions that a machine may be in; not looked at where there are zones.
    #[serde(default)]
    bound_regions: Option<CommaList>,
    /// `gce` only: groups one of which a machine must be in, in one of the zones or regions.
    #[serde(default)]
    bound_instance_groups: Option<CommaList>,
    /// `gce` only: labels that a machine must have, `key:value` each.
    #[serde(default)]
    bound_labels: Option<CommaList>,
    #[serde(flatten)]
    token: TokenInput,
    #[serde(flatten)]
    old: OldInput,
}

impl Handle<Gcp> for WriteRole {
    type Reply = Reply;

    async fn handle(self, _: &Gcp, cx: &Ctx) -> Result<Reply, Fault> {
        if !is_name(&self.name) {
            return Err(Fault::UnsupportedPath);
        }
        let id = cx.random.uuid_v4();
        let decide = |kept: Option<Role>| {
            let mut role = self.begun(kept, &id)?;
            self.apply(&mut role)?;
            role.refuse()?;
            let longest = role.token.max_ttl.0;
            Ok::<_, Fault>((Some(role), longest))
        };
        let longest = cx.view.update(&place(&self.name), decide).await?;
        Ok(remarked(Reply::default(), longest, cx))
    }
}

impl WriteRole {
    /// The role as it is, or a new one of the type that is said.
    fn begun(&self, kept: Option<Role>, id: &str) -> Result<Role, Fault> {
        let said = self.r#type.as_ref().map_or("", |word| word.0.as_str());
        match (kept, said) {
            (Some(role), "") => Ok(role),
            (Some(role), said) => match (&role.kind, said) {
                (Kind::Iam { .. }, "iam") | (Kind::Gce(_), "gce") => Ok(role),
                _ => Err(Fault::invalid("the type of a role can not be changed")),
            },
            (None, "iam") => Ok(Role::new(
                id,
                Kind::Iam {
                    max_jwt_secs: JWT_SECS,
                    by_machine: true,
                },
            )),
            (None, "gce") => Ok(Role::new(id, Kind::Gce(Machines::default()))),
            (None, "") => Err(Fault::invalid("role type must be provided: iam or gce")),
            (None, other) => Err(Fault::Invalid(format!(
                "role type \"{other:.100}\" is invalid: it is iam or gce"
            ))),
        }
    }

    fn apply(&self, role: &mut Role) -> Result<(), Fault> {
        self.refuse_kind(&role.kind)?;
        set(&mut role.accounts, self.bound_service_accounts.as_ref());
        if let Some(project) = self.project_id.as_ref().filter(|text| !text.0.is_empty()) {
            role.projects = vec![project.0.clone()];
        }
        set(&mut role.projects, self.bound_projects.as_ref());
        if let Some(flag) = self.add_group_aliases {
            role.groups = flag.0;
        }
        match &mut role.kind {
            Kind::Iam {
                max_jwt_secs,
                by_machine,
            } => {
                if let Some(ttl) = self.max_jwt_exp {
                    *max_jwt_secs = ttl.0.as_secs();
                }
                if let Some(flag) = self.allow_gce_inference {
                    *by_machine = flag.0;
                }
            }
            Kind::Gce(of) => {
                set(&mut of.zones, self.bound_zones.as_ref());
                set(&mut of.regions, self.bound_regions.as_ref());
                set(&mut of.instance_groups, self.bound_instance_groups.as_ref());
                if let Some(list) = &self.bound_labels {
                    of.labels = labels(list)?;
                }
            }
        }
        role.token.apply(&self.token, &self.old)
    }

    /// What is only for roles of the other type is refused, not forgotten.
    fn refuse_kind(&self, kind: &Kind) -> Result<(), Fault> {
        let iam = self.max_jwt_exp.is_some() || self.allow_gce_inference.is_some();
        let lists = [
            &self.bound_zones,
            &self.bound_regions,
            &self.bound_instance_groups,
            &self.bound_labels,
        ];
        let gce = lists.iter().any(|list| list.is_some());
        match kind {
            Kind::Iam { .. } if gce => Err(Fault::invalid(
                "bound_zones, bound_regions, bound_instance_groups and bound_labels are for roles of the type gce",
            )),
            Kind::Gce(_) if iam => Err(Fault::invalid(
                "max_jwt_exp and allow_gce_inference are for roles of the type iam",
            )),
            _ => Ok(()),
        }
    }
}

impl Role {
    fn new(id: &str, kind: Kind) -> Self {
        Self {
            id: id.to_owned(),
            kind,
            accounts: Vec::new(),
            projects: Vec::new(),
            groups: false,
            token: TokenFields::default(),
        }
    }
}

fn set(kept: &mut Vec<String>, said: Option<&CommaList>) {
    if let Some(list) = said {
        kept.clone_from(&list.0);
    }
}

/// Removes a role. Tokens of its logins live on until they end, and can not be renewed.
#[derive(Deserialize, JsonSchema)]
struct DeleteRole {
    /// Name of the role.
    name: String,
}

impl Handle<Gcp> for DeleteRole {
    type Reply = Empty;

    async fn handle(self, _: &Gcp, cx: &Ctx) -> Result<Empty, Fault> {
        if is_name(&self.name) {
            cx.view.delete(&place(&self.name)).await?;
        }
        Ok(Empty)
    }
}
