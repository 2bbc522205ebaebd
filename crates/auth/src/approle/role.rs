//! `role/{role_name}`: what machines of one role must bring, and what their tokens are like.

use coffer_engine::keys::{Keys, page};
use coffer_engine::{Ctx, Empty, Exists, Fault, Handle, Reply, Routes, Seen, Stored, path};
use coffer_wire::{CommaList, Flag, Int, Text, Ttl};
use ipnet::IpNet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::AppRole;
use super::role_id::{self, RoleId};
use super::tidy::Gone;
use crate::token_fields::{OldInput, TokenFields, TokenInput, TokenView};
use crate::{names, networks};

/// Where roles are kept.
pub(super) const FOLDER: &str = "role/";
/// How often a change is tried anew that others came before.
const TRIES: usize = 16;

pub(super) fn routes() -> Routes<AppRole> {
    Routes::new([
        path("role", "The roles.").list::<ListRoles>(),
        path(
            "role/{role_name}",
            "A role: what its machines must bring, and what their tokens are like.",
        )
        .caseless()
        .exists::<ReadRole>()
        .read::<ReadRole>()
        .write::<WriteRole>()
        .tells("approle/role-write")
        .delete::<DeleteRole>()
        .tells("approle/role-delete"),
        path(
            "role/{role_name}/local-secret-ids",
            "Whether the secret ids are kept on this cluster alone.",
        )
        .caseless()
        .read::<ReadLocal>(),
    ])
}

/// A stored role.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Role {
    /// Names it for ever, whatever comes under its name later.
    pub(super) key: String,
    /// What machines say to name it.
    pub(super) role_id: String,
    /// Whether they must bring a secret id.
    pub(super) bind_secret_id: bool,
    /// Whether the secret ids are kept on this cluster alone.
    pub(super) local_secret_ids: bool,
    /// Where logins may come from; none where that was never said.
    pub(super) secret_id_bound_cidrs: Option<Vec<IpNet>>,
    /// How many logins a secret id is good for; 0 for no limit.
    pub(super) secret_id_num_uses: u64,
    /// How long a secret id lives; zero for ever.
    pub(super) secret_id_ttl: Ttl,
    /// What the tokens are like.
    pub(super) token: TokenFields,
}

impl Stored for Role {
    const MAX_BYTES: usize = 64 * 1024;
}

impl Role {
    /// The role of that name in any spelling, if there is one.
    pub(super) async fn find(cx: &Ctx, name: &str) -> Result<Option<Self>, Fault> {
        Ok(Self::seen(cx, name).await?.map(|(role, _)| role))
    }

    /// The role of that name, or 404.
    pub(super) async fn named(cx: &Ctx, name: &str) -> Result<Self, Fault> {
        Self::find(cx, name).await?.ok_or(Fault::NotFound)
    }

    /// The role of that name, or 400: who asks for a part of it was wrong about it.
    pub(super) async fn expected(cx: &Ctx, name: &str) -> Result<Self, Fault> {
        let role = Self::find(cx, name).await?;
        role.ok_or_else(|| Fault::Invalid(format!("role {name:?} does not exist")))
    }

    async fn seen(cx: &Ctx, name: &str) -> Result<Option<(Self, Seen)>, Fault> {
        if !is_name(name) {
            return Ok(None);
        }
        let (role, seen) = cx.view.get_seen(&place(name)).await?;
        Ok(role.map(|role| (role, seen)))
    }

    fn new(cx: &Ctx) -> Self {
        Self {
            key: cx.random.uuid_v4(),
            role_id: cx.random.uuid_v4(),
            bind_secret_id: true,
            local_secret_ids: false,
            secret_id_bound_cidrs: None,
            secret_id_num_uses: 0,
            secret_id_ttl: Ttl::default(),
            token: TokenFields::default(),
        }
    }

    /// A role that anybody could use who knows its id is none.
    pub(super) fn refuse(&self) -> Result<(), Fault> {
        let bound = |nets: Option<&Vec<IpNet>>| nets.is_some_and(|nets| !nets.is_empty());
        let fine = self.bind_secret_id
            || bound(self.secret_id_bound_cidrs.as_ref())
            || bound(Some(&self.token.bound_cidrs));
        match fine {
            true => Ok(()),
            false => Err(Fault::invalid(
                "at least one constraint should be enabled on the role: bind_secret_id, secret_id_bound_cidrs or token_bound_cidrs",
            )),
        }
    }
}

/// Changes a role that is there.
pub(super) async fn change(
    cx: &Ctx,
    name: &str,
    change: impl Fn(&mut Role) -> Result<(), Fault> + Send + Sync,
) -> Result<(), Fault> {
    let nobody = || Fault::Missing(format!("role {name:?} does not exist"));
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

/// Makes a role, or changes one, together with its id's entry.
pub(super) async fn write(
    engine: &AppRole,
    cx: &Ctx,
    name: &str,
    change: impl Fn(&mut Role, bool) -> Result<(), Fault> + Send + Sync,
) -> Result<(), Fault> {
    for _ in 0..TRIES {
        let (old, seen) = cx.view.get_seen::<Role>(&place(name)).await?;
        let mut role = old.clone().unwrap_or_else(|| Role::new(cx));
        change(&mut role, old.is_none())?;
        role.refuse()?;
        let changes = cx.view.changes().expect(&cx.view, &place(name), seen);
        let changes = changes.put(&cx.view, &place(name), &role)?;
        let old_id = old.map(|role| role.role_id);
        let changes = role_id::renamed(engine, cx, changes, old_id, &role.role_id, name).await?;
        match changes.commit().await.map_err(Fault::from) {
            Err(Fault::Conflict(_)) => {}
            done => return done,
        }
    }
    Err(Fault::Conflict(format!(
        "role {name:?} is being changed by others; try again"
    )))
}

/// Where a role is kept; `name` is one ([`is_name`]).
pub(super) fn place(name: &str) -> String {
    format!("{FOLDER}{}", names::normal(name))
}

/// Letters, digits, `_`, and inside `-` and `.`.
pub(super) fn is_name(name: &str) -> bool {
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

impl Handle<AppRole> for ListRoles {
    type Reply = Keys;

    async fn handle(self, _: &AppRole, cx: &Ctx) -> Result<Keys, Fault> {
        page(cx, FOLDER, &self.after, self.limit).await
    }
}

/// Shows a role.
#[derive(Deserialize, JsonSchema)]
struct ReadRole {
    /// Name of the role.
    role_name: String,
}

impl Exists<AppRole> for ReadRole {
    async fn exists(self, _: &AppRole, cx: &Ctx) -> Result<bool, Fault> {
        Ok(Role::find(cx, &self.role_name).await?.is_some())
    }
}

/// A role as clients see it.
#[derive(Serialize, JsonSchema)]
struct RoleView {
    /// Whether a secret id must be brought.
    bind_secret_id: bool,
    local_secret_ids: bool,
    /// Where logins may come from.
    secret_id_bound_cidrs: Option<Vec<String>>,
    /// How many logins a secret id is good for; 0 for no limit.
    secret_id_num_uses: u64,
    /// How long a secret id lives, in seconds.
    secret_id_ttl: Ttl,
    #[serde(flatten)]
    token: TokenView,
}

impl Handle<AppRole> for ReadRole {
    type Reply = RoleView;

    async fn handle(self, _: &AppRole, cx: &Ctx) -> Result<RoleView, Fault> {
        let role = Role::named(cx, &self.role_name).await?;
        Ok(RoleView {
            bind_secret_id: role.bind_secret_id,
            local_secret_ids: role.local_secret_ids,
            secret_id_bound_cidrs: role.secret_id_bound_cidrs.as_deref().map(networks::written),
            secret_id_num_uses: role.secret_id_num_uses,
            secret_id_ttl: role.secret_id_ttl,
            token: role.token.view(),
        })
    }
}

/// Shows whether the secret ids are kept on this cluster alone.
#[derive(Deserialize, JsonSchema)]
struct ReadLocal {
    /// Name of the role.
    role_name: String,
}

impl Handle<AppRole> for ReadLocal {
    type Reply = Reply;

    async fn handle(self, _: &AppRole, cx: &Ctx) -> Result<Reply, Fault> {
        let role = Role::named(cx, &self.role_name).await?;
        Reply::data(&serde_json::json!({ "local_secret_ids": role.local_secret_ids }))
    }
}

/// Makes or changes a role; what is not named stays as it is.
#[derive(Deserialize, JsonSchema)]
struct WriteRole {
    /// Name of the role: letters, digits, `_`, and inside `-` and `.`.
    role_name: String,
    /// Whether a secret id must be brought; it must where nothing is said.
    #[serde(default)]
    bind_secret_id: Option<Flag>,
    /// The old name of `secret_id_bound_cidrs`.
    #[serde(default)]
    bound_cidr_list: Option<CommaList>,
    /// Keeps the secret ids on this cluster alone; can only be said when the role is made.
    #[serde(default)]
    local_secret_ids: Option<Flag>,
    /// The old name of `token_period`.
    #[serde(default)]
    period: Option<Ttl>,
    /// The old name of `token_policies`.
    #[serde(default)]
    policies: Option<CommaList>,
    /// What machines say to name the role; made up where nothing is said.
    #[serde(default)]
    role_id: Option<Text>,
    /// Networks that logins may come from.
    #[serde(default)]
    secret_id_bound_cidrs: Option<CommaList>,
    /// How many logins a secret id is good for; 0 for no limit.
    #[serde(default)]
    secret_id_num_uses: Option<Int>,
    /// How long a secret id lives; 0 for ever.
    #[serde(default)]
    secret_id_ttl: Option<Ttl>,
    #[serde(flatten)]
    token: TokenInput,
}

impl Handle<AppRole> for WriteRole {
    type Reply = Reply;

    async fn handle(mut self, engine: &AppRole, cx: &Ctx) -> Result<Reply, Fault> {
        if !is_name(&self.role_name) {
            return Err(Fault::UnsupportedPath);
        }
        let mut warnings: Vec<String> = self.token.adjust_type().into_iter().collect();
        if let Some(id) = &self.role_id {
            role_id::refuse(&id.0)?;
        }
        let name = names::normal(&self.role_name);
        write(engine, cx, &name, |role, new| self.apply(role, new)).await?;
        if self.token.longest() > cx.mount.max_lease_ttl {
            warnings.push("token_max_ttl is greater than the backend mount's maximum TTL value; issued tokens' max TTL value will be truncated".to_owned());
        }
        Ok(warnings.into_iter().fold(Reply::default(), Reply::warn))
    }
}

impl WriteRole {
    fn apply(&self, role: &mut Role, new: bool) -> Result<(), Fault> {
        if let Some(local) = self.local_secret_ids {
            if !new && local.0 != role.local_secret_ids {
                return Err(Fault::invalid(
                    "local_secret_ids can only be modified during role creation",
                ));
            }
            role.local_secret_ids = local.0;
        }
        if let Some(flag) = self.bind_secret_id {
            role.bind_secret_id = flag.0;
        }
        if let Some(id) = &self.role_id {
            role.role_id.clone_from(&id.0);
        }
        let nets = self.secret_id_bound_cidrs.as_ref();
        if let Some(nets) = nets.or(self.bound_cidr_list.as_ref()) {
            role.secret_id_bound_cidrs = Some(networks::blocks(nets)?);
        }
        if let Some(uses) = self.secret_id_num_uses {
            role.secret_id_num_uses = uses_of_secret_id(uses)?;
        }
        if let Some(ttl) = self.secret_id_ttl {
            role.secret_id_ttl = ttl;
        }
        let old = OldInput {
            period: self.period,
            policies: self.policies.clone(),
            ..OldInput::default()
        };
        role.token.apply(&self.token, &old)
    }
}

/// A number of uses as it is written with a role.
pub(super) fn uses_of_secret_id(uses: Int) -> Result<u64, Fault> {
    u64::try_from(uses.0).map_err(|_| Fault::invalid("secret_id_num_uses cannot be negative"))
}

/// Removes a role. Nobody can log in with it from that moment; its secret ids are removed in the background, so that a
/// role with many of them is gone as fast as any. Tokens live on until they end, and can not be renewed.
#[derive(Deserialize, JsonSchema)]
struct DeleteRole {
    /// Name of the role.
    role_name: String,
}

impl Handle<AppRole> for DeleteRole {
    type Reply = Empty;

    async fn handle(self, engine: &AppRole, cx: &Ctx) -> Result<Empty, Fault> {
        for _ in 0..TRIES {
            let Some((role, seen)) = Role::seen(cx, &self.role_name).await? else {
                return Ok(Empty);
            };
            let at = place(&self.role_name);
            let id = RoleId::place(engine, cx, &role.role_id).await?;
            let changes = cx.view.changes().expect(&cx.view, &at, seen);
            let changes = changes.delete(&cx.view, &at).delete(&cx.view, &id);
            let changes = changes.put(&cx.view, &Gone::place(&role.key), &Gone {})?;
            match changes.commit().await.map_err(Fault::from) {
                Err(Fault::Conflict(_)) => {}
                done => return done.map(|()| Empty),
            }
        }
        Err(Fault::Conflict(
            "the role is being changed by others; try again".into(),
        ))
    }
}
