//! `role/{role}`: which principals may come, and what their tokens are like.

use coffer_engine::keys::{Keys, page};
use coffer_engine::{Ctx, Empty, Exists, Fault, Handle, Reply, Routes, Stored, path};
use coffer_wire::{CommaList, Flag, Int, Text, Ttl};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Aws;
use super::bounds::{Bounds, BoundsInput};
use super::principals::{self, Bindings};
use crate::names;
use crate::token_fields::{OldInput, TokenFields, TokenInput, TokenView};

/// Where roles are kept.
pub(super) const FOLDER: &str = "role/";
/// The one thing that can be inferred from a session's name.
const INSTANCE: &str = "ec2_instance";

pub(super) fn routes() -> Routes<Aws> {
    Routes::new([
        path("roles", "The roles.").list::<ListRoles>(),
        path("role", "The roles.").list::<ListRoles>(),
        path(
            "role/{role}",
            "A role: which principals of AWS may come, and what their tokens are like.",
        )
        .caseless()
        .exists::<ReadRole>()
        .read::<ReadRole>()
        .write::<WriteRole>()
        .tells("aws/role-write")
        .delete::<DeleteRole>()
        .tells("aws/role-delete"),
    ])
}

/// A stored role.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Role {
    /// Names it for ever, whatever comes under its name later.
    pub(super) key: String,
    /// Whom it is bound to by name.
    pub(super) principals: Bindings,
    /// What the instance must be like that is inferred.
    #[serde(flatten)]
    pub(super) bounds: Bounds,
    /// Where the instance is that a session is named after; none where nothing is inferred.
    pub(super) inferred_region: Option<String>,
    /// What the tokens are like.
    pub(super) token: TokenFields,
}

impl Stored for Role {
    const MAX_BYTES: usize = 512 * 1024;
}

impl Role {
    /// The role of that name in any spelling, if there is one.
    pub(super) async fn find(cx: &Ctx, name: &str) -> Result<Option<Self>, Fault> {
        if !is_name(name) {
            return Ok(None);
        }
        Ok(cx.view.get(&place(name)).await?)
    }

    fn new(cx: &Ctx) -> Self {
        Self {
            key: cx.random.uuid_v4(),
            principals: Bindings::default(),
            bounds: Bounds::default(),
            inferred_region: None,
            token: TokenFields::default(),
        }
    }

    /// What does not go together.
    fn refuse(&self) -> Result<(), Fault> {
        let inferring = self.inferred_region.is_some();
        if !inferring && !self.bounds.is_empty() {
            return Err(Fault::invalid(
                "bound_ami_id, bound_account_id, bound_region, bound_vpc_id, bound_subnet_id, bound_iam_role_arn, bound_iam_instance_profile_arn and bound_ec2_instance_id can only be set with inferred_entity_type \"ec2_instance\"",
            ));
        }
        if self.bounds.is_empty() && self.principals.is_empty() {
            return Err(Fault::invalid(
                "at least one bound parameter should be specified on the role, for example bound_iam_principal_arn",
            ));
        }
        Ok(())
    }
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

impl Handle<Aws> for ListRoles {
    type Reply = Keys;

    async fn handle(self, _: &Aws, cx: &Ctx) -> Result<Keys, Fault> {
        page(cx, FOLDER, &self.after, self.limit).await
    }
}

/// Shows a role.
#[derive(Deserialize, JsonSchema)]
struct ReadRole {
    /// Name of the role.
    role: String,
}

impl Exists<Aws> for ReadRole {
    async fn exists(self, _: &Aws, cx: &Ctx) -> Result<bool, Fault> {
        Ok(Role::find(cx, &self.role).await?.is_some())
    }
}

/// A role as clients see it.
#[derive(Serialize, JsonSchema)]
struct RoleView {
    /// Always false.
    allow_instance_migration: bool,
    /// Always `iam`.
    auth_type: &'static str,
    #[serde(flatten)]
    bounds: Bounds,
    /// Whom the role is bound to.
    bound_iam_principal_arn: Vec<String>,
    /// Their unique ids, in the same order, where they were resolved.
    bound_iam_principal_id: Vec<String>,
    /// Always false.
    disallow_reauthentication: bool,
    inferred_aws_region: String,
    inferred_entity_type: &'static str,
    resolve_aws_unique_ids: bool,
    /// Names the role for ever.
    role_id: String,
    /// Always empty.
    role_tag: &'static str,
    #[serde(flatten)]
    token: TokenView,
}

impl Handle<Aws> for ReadRole {
    type Reply = RoleView;

    async fn handle(self, _: &Aws, cx: &Ctx) -> Result<RoleView, Fault> {
        let role = Role::find(cx, &self.role).await?.ok_or(Fault::NotFound)?;
        Ok(RoleView {
            allow_instance_migration: false,
            auth_type: "iam",
            bounds: role.bounds,
            bound_iam_principal_arn: role.principals.names(),
            bound_iam_principal_id: role.principals.ids(),
            disallow_reauthentication: false,
            inferred_entity_type: role.inferred_region.as_ref().map_or("", |_| INSTANCE),
            inferred_aws_region: role.inferred_region.unwrap_or_default(),
            resolve_aws_unique_ids: role.principals.resolved,
            role_id: role.key,
            role_tag: "",
            token: role.token.view(),
        })
    }
}

/// Makes or changes a role; what is not named stays as it is.
#[derive(Deserialize, JsonSchema)]
struct WriteRole {
    /// Name of the role: letters, digits, `_`, and inside `-` and `.`.
    role: String,
    /// `iam`: by a signed request. (`ec2`, by a document of an instance, is not supported.)
    #[serde(default)]
    auth_type: Option<Text>,
    /// Users and roles of AWS that may come, like arn:aws:iam::123456789012:role/NAME; with a `*` at the end, all whose
    /// names begin so.
    #[serde(default)]
    bound_iam_principal_arn: Option<CommaList>,
    #[serde(flatten)]
    bounds: BoundsInput,
    /// `ec2_instance`: the name of a session is that of an instance, which is looked at.
    #[serde(default)]
    inferred_entity_type: Option<Text>,
    /// The region of such instances.
    #[serde(default)]
    inferred_aws_region: Option<Text>,
    /// Whether users and roles are bound by the unique ids that they have now, so that others of the same names who come
    /// later are not meant. They are where nothing is said; it can not be taken back.
    #[serde(default)]
    resolve_aws_unique_ids: Option<Flag>,
    /// Not supported: only empty.
    #[serde(default)]
    role_tag: Option<Text>,
    /// Not supported: only false.
    #[serde(default)]
    allow_instance_migration: Option<Flag>,
    /// Not supported: only false.
    #[serde(default)]
    disallow_reauthentication: Option<Flag>,
    /// The old name of `token_policies`.
    #[serde(default)]
    policies: Option<CommaList>,
    /// The old name of `token_ttl`.
    #[serde(default)]
    ttl: Option<Ttl>,
    /// The old name of `token_max_ttl`.
    #[serde(default)]
    max_ttl: Option<Ttl>,
    /// The old name of `token_period`.
    #[serde(default)]
    period: Option<Ttl>,
    #[serde(flatten)]
    token: TokenInput,
}

impl Handle<Aws> for WriteRole {
    type Reply = Reply;

    async fn handle(mut self, engine: &Aws, cx: &Ctx) -> Result<Reply, Fault> {
        if !is_name(&self.role) {
            return Err(Fault::UnsupportedPath);
        }
        self.refuse_unsupported()?;
        let mut warnings: Vec<String> = self.token.adjust_type().into_iter().collect();
        let fresh = Role::new(cx);
        let kept = Role::find(cx, &self.role).await?;
        let draft = self.applied(kept, &fresh)?;
        // Whoever is named anew is looked up anew: another may have that name now.
        let again = self.bound_iam_principal_arn.is_some();
        let ids = principals::resolve(engine, cx, &draft.principals, again).await?;
        let decide = |kept: Option<Role>| {
            let mut role = self.applied(kept, &fresh)?;
            role.principals.adopt(&ids)?;
            Ok::<_, Fault>((Some(role), ()))
        };
        cx.view.update(&place(&self.role), decide).await?;
        let longest = self.token.longest().max(self.max_ttl.unwrap_or_default().0);
        if longest > cx.mount.max_lease_ttl {
            warnings.push("token_max_ttl is greater than the backend mount's maximum TTL value; issued tokens' max TTL value will be truncated".to_owned());
        }
        Ok(warnings.into_iter().fold(Reply::default(), Reply::warn))
    }
}

impl WriteRole {
    fn refuse_unsupported(&self) -> Result<(), Fault> {
        let flag = |flag: Option<Flag>| flag.is_some_and(|flag| flag.0);
        let tag = self.role_tag.as_ref().is_some_and(|tag| !tag.0.is_empty());
        match self.auth_type.as_ref().map(|text| text.0.as_str()) {
            None | Some("" | "iam") => {}
            Some("ec2") => {
                return Err(Fault::invalid(
                    "auth_type \"ec2\" is not supported: log instances in by the type \"iam\", with the role of their instance profile",
                ));
            }
            Some(other) => {
                return Err(Fault::Invalid(format!("unrecognized auth_type: {other:?}")));
            }
        }
        for (name, said) in [
            ("role_tag", tag),
            (
                "allow_instance_migration",
                flag(self.allow_instance_migration),
            ),
            (
                "disallow_reauthentication",
                flag(self.disallow_reauthentication),
            ),
        ] {
            if said {
                return Err(Fault::Invalid(format!(
                    "{name} is for the auth_type \"ec2\", which is not supported"
                )));
            }
        }
        Ok(())
    }

    fn applied(&self, kept: Option<Role>, fresh: &Role) -> Result<Role, Fault> {
        let is_new = kept.is_none();
        let mut role = kept.unwrap_or_else(|| fresh.clone());
        role.principals.apply(
            self.bound_iam_principal_arn.as_ref(),
            self.resolve_aws_unique_ids,
            is_new,
        )?;
        role.bounds.apply(&self.bounds)?;
        role.inferred_region = self.inferred(role.inferred_region)?;
        let old = OldInput {
            policies: self.policies.clone(),
            ttl: self.ttl,
            max_ttl: self.max_ttl,
            period: self.period,
            ..OldInput::default()
        };
        role.token.apply(&self.token, &old)?;
        role.refuse()?;
        Ok(role)
    }

    /// In which region instances are inferred from now on.
    fn inferred(&self, kept: Option<String>) -> Result<Option<String>, Fault> {
        let region = self.inferred_aws_region.as_ref().map(|text| text.0.clone());
        let inferring = match self
            .inferred_entity_type
            .as_ref()
            .map(|text| text.0.as_str())
        {
            None => kept.is_some(),
            Some("") => false,
            Some(INSTANCE) => true,
            Some(other) => {
                return Err(Fault::Invalid(format!(
                    "unrecognized inferred_entity_type: {other:?}; it can be \"ec2_instance\""
                )));
            }
        };
        let given = region.filter(|region| !region.is_empty());
        match (inferring, given.or(kept)) {
            (true, Some(region)) if super::hosts::is_region(&region) => Ok(Some(region)),
            (true, Some(region)) => Err(Fault::Invalid(format!(
                "inferred_aws_region {region:?} is no region of AWS"
            ))),
            (true, None) => Err(Fault::invalid(
                "specified inferred_entity_type but missing inferred_aws_region",
            )),
            (false, _) => match self
                .inferred_aws_region
                .as_ref()
                .is_some_and(|text| !text.0.is_empty())
            {
                true => Err(Fault::invalid(
                    "specified inferred_aws_region but missing inferred_entity_type",
                )),
                false => Ok(None),
            },
        }
    }
}

/// Removes a role. Tokens of its logins live on until they end, and can not be renewed.
#[derive(Deserialize, JsonSchema)]
struct DeleteRole {
    /// Name of the role.
    role: String,
}

impl Handle<Aws> for DeleteRole {
    type Reply = Empty;

    async fn handle(self, _: &Aws, cx: &Ctx) -> Result<Empty, Fault> {
        if is_name(&self.role) {
            cx.view.delete(&place(&self.role)).await?;
        }
        Ok(Empty)
    }
}
