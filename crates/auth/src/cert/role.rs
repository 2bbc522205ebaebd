//! `certs/{name}`: what is trusted, what certificates must have in them, and what the tokens are like.

use coffer_engine::keys::{Keys, page};
use coffer_engine::{Ctx, Empty, Exists, Fault, Handle, Routes, Stored, path};
use coffer_wire::{Int, Ttl};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Cert;
use super::constraints::Constraints;
use super::role_write::WriteRole;
use crate::names;
use crate::token_fields::{TokenFields, TokenView};

/// Where roles are kept.
pub(super) const FOLDER: &str = "cert/";
/// How many roles are read at once.
const PAGE: usize = 100;

pub(super) fn routes() -> Routes<Cert> {
    Routes::new([
        path("certs", "The roles.").list::<ListRoles>(),
        path(
            "certs/{name}",
            "A role: what is trusted, what certificates must have in them, and what the tokens are like.",
        )
        .caseless()
        .exists::<ReadRole>()
        .read::<ReadRole>()
        .write::<WriteRole>()
        .tells("cert/role-write")
        .delete::<DeleteRole>()
        .tells("cert/role-delete"),
    ])
}

/// A stored role.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Role {
    /// What is trusted, in PEM, as it was written.
    pub(super) certificate: String,
    /// What people see in the tokens' names.
    pub(super) display_name: String,
    /// What certificates must have in them.
    pub(super) constraints: Constraints,
    /// Which extensions are noted with the token; none where that was never said.
    pub(super) allowed_metadata_extensions: Option<Vec<String>>,
    /// Whether and how responders are asked.
    pub(super) ocsp: OcspFields,
    /// What the tokens are like.
    pub(super) token: TokenFields,
}

/// How responders of OCSP are asked about the certificates of a role.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct OcspFields {
    pub(super) enabled: bool,
    /// Whom to trust beside the issuer, in PEM.
    pub(super) ca_certificates: String,
    /// Whom to ask in place of those that the certificate names.
    pub(super) servers_override: Option<Vec<String>>,
    /// Whether a login goes on where nobody knows.
    pub(super) fail_open: bool,
    /// Whether all have to agree.
    pub(super) query_all_servers: bool,
    /// How old an answer may be; zero for any age.
    pub(super) this_update_max_age: Ttl,
    /// How often somebody who does not answer is asked again.
    pub(super) max_retries: Option<u8>,
}

impl Stored for Role {
    const MAX_BYTES: usize = 1024 * 1024;
}

impl Role {
    /// The role of that name in any spelling, if there is one.
    pub(super) async fn find(cx: &Ctx, name: &str) -> Result<Option<Self>, Fault> {
        if !is_name(name) {
            return Ok(None);
        }
        Ok(cx.view.get(&place(name)).await?)
    }

    /// The names of the roles after `after`, page by page; none at the end.
    pub(super) async fn names(cx: &Ctx, after: Option<&str>) -> Result<Vec<String>, Fault> {
        Ok(cx.view.list(FOLDER, after, PAGE).await?)
    }
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

impl Handle<Cert> for ListRoles {
    type Reply = Keys;

    async fn handle(self, _: &Cert, cx: &Ctx) -> Result<Keys, Fault> {
        page(cx, FOLDER, &self.after, self.limit).await
    }
}

/// Shows a role.
#[derive(Deserialize, JsonSchema)]
struct ReadRole {
    /// Name of the role.
    name: String,
}

impl Exists<Cert> for ReadRole {
    async fn exists(self, _: &Cert, cx: &Ctx) -> Result<bool, Fault> {
        Ok(Role::find(cx, &self.name).await?.is_some())
    }
}

/// A role as clients see it.
#[derive(Serialize, JsonSchema)]
struct RoleView {
    /// What is trusted, in PEM.
    certificate: String,
    /// What people see in the tokens' names.
    display_name: String,
    #[serde(flatten)]
    constraints: Constraints,
    /// Which extensions are noted with the token.
    allowed_metadata_extensions: Option<Vec<String>>,
    ocsp_enabled: bool,
    ocsp_ca_certificates: String,
    ocsp_servers_override: Option<Vec<String>>,
    ocsp_fail_open: bool,
    ocsp_query_all_servers: bool,
    /// In seconds.
    #[serde(skip_serializing_if = "is_zero")]
    ocsp_this_update_max_age: Ttl,
    #[serde(skip_serializing_if = "Option::is_none")]
    ocsp_max_retries: Option<u8>,
    #[serde(flatten)]
    token: TokenView,
}

impl Handle<Cert> for ReadRole {
    type Reply = RoleView;

    async fn handle(self, _: &Cert, cx: &Ctx) -> Result<RoleView, Fault> {
        let role = Role::find(cx, &self.name).await?.ok_or(Fault::NotFound)?;
        Ok(RoleView {
            certificate: role.certificate,
            display_name: role.display_name,
            constraints: role.constraints,
            allowed_metadata_extensions: role.allowed_metadata_extensions,
            ocsp_enabled: role.ocsp.enabled,
            ocsp_ca_certificates: role.ocsp.ca_certificates,
            ocsp_servers_override: role.ocsp.servers_override,
            ocsp_fail_open: role.ocsp.fail_open,
            ocsp_query_all_servers: role.ocsp.query_all_servers,
            ocsp_this_update_max_age: role.ocsp.this_update_max_age,
            ocsp_max_retries: role.ocsp.max_retries,
            token: role.token.view(),
        })
    }
}

/// Removes a role. Tokens of its logins live on until they end, and can not be renewed.
#[derive(Deserialize, JsonSchema)]
struct DeleteRole {
    /// Name of the role.
    name: String,
}

impl Handle<Cert> for DeleteRole {
    type Reply = Empty;

    async fn handle(self, _: &Cert, cx: &Ctx) -> Result<Empty, Fault> {
        if is_name(&self.name) {
            cx.view.delete(&place(&self.name)).await?;
        }
        Ok(Empty)
    }
}

fn is_zero(ttl: &Ttl) -> bool {
    ttl.is_zero()
}
