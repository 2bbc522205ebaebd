//! `role/{name}`: what claims must be, who somebody is by them, and what their tokens are like.

use std::collections::{BTreeMap, BTreeSet};

use coffer_engine::keys::{Keys, page};
use coffer_engine::{Ctx, Empty, Exists, Fault, Handle, Reply, Routes, Stored, path};
use coffer_wire::{CommaList, Flag, Int, KvPairs, Text, Ttl};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::leeway::Leeway;
use super::{Jwt, bound_claims, policies};
use crate::issuer::Leeways;
use crate::names;
use crate::token_fields::{OldInput, TokenFields, TokenInput, TokenView};

/// Where roles are kept.
pub(super) const FOLDER: &str = "role/";
/// The note that every login has; no claim can stand in its place.
pub(super) const ROLE_NOTE: &str = "role";

pub(super) fn routes() -> Routes<Jwt> {
    Routes::new([
        path("role", "The roles.").list::<ListRoles>(),
        path(
            "role/{name}",
            "A role: what claims must be, who somebody is by them, and what their tokens are like.",
        )
        .caseless()
        .exists::<ReadRole>()
        .read::<ReadRole>()
        .write::<WriteRole>()
        .tells("jwt/role-write")
        .delete::<DeleteRole>()
        .tells("jwt/role-delete"),
    ])
}

/// A stored role.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Role {
    pub(super) kind: Kind,
    pub(super) allowed_redirect_uris: Option<Vec<String>>,
    pub(super) bound_audiences: Option<Vec<String>>,
    pub(super) bound_claims: Option<Map<String, Value>>,
    pub(super) bound_claims_type: Matching,
    pub(super) bound_subject: String,
    pub(super) callback_mode: CallbackMode,
    pub(super) claim_mappings: Option<BTreeMap<String, String>>,
    pub(super) clock_skew_leeway: Leeway,
    pub(super) expiration_leeway: Leeway,
    pub(super) groups_claim: String,
    pub(super) max_age: Ttl,
    pub(super) not_before_leeway: Leeway,
    pub(super) oidc_disable_confirmation: bool,
    pub(super) oidc_scopes: Option<Vec<String>>,
    /// In seconds; zero for what the provider says.
    pub(super) poll_interval: u32,
    pub(super) token_policies_template_claims: bool,
    pub(super) user_claim: String,
    pub(super) user_claim_json_pointer: bool,
    pub(super) verbose_oidc_logging: bool,
    /// What the tokens are like.
    pub(super) token: TokenFields,
}

/// How somebody comes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    /// Through a browser.
    #[default]
    Oidc,
    /// With a token.
    Jwt,
}

/// How bound claims are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Matching {
    /// As they are.
    #[default]
    String,
    /// With `*` for any text.
    Glob,
}

/// Where the provider's answer arrives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum CallbackMode {
    /// At the program that logs in, which hands it on.
    #[default]
    Client,
    /// At this server, which the program asks until it has come.
    Direct,
    /// Nowhere: people type a code at the provider (RFC 8628), and this server asks it.
    Device,
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

    /// The role of that name, or 400.
    pub(super) async fn named(cx: &Ctx, name: &str) -> Result<Self, Fault> {
        let role = Self::find(cx, name).await?;
        role.ok_or_else(|| Fault::Invalid(format!("role {name:?} could not be found")))
    }

    pub(super) fn leeways(&self) -> Leeways {
        Leeways {
            expiration: self.expiration_leeway.0,
            not_before: self.not_before_leeway.0,
            clock_skew: self.clock_skew_leeway.0,
        }
    }

    pub(super) fn audiences(&self) -> &[String] {
        self.bound_audiences.as_deref().unwrap_or_default()
    }

    /// What does not go together, and what would let anybody in.
    fn refuse(&self) -> Result<(), Fault> {
        let has_any = |list: Option<&Vec<String>>| list.is_some_and(|list| !list.is_empty());
        if self.user_claim.is_empty() {
            return Err(Fault::invalid("a user claim must be defined on the role"));
        }
        let claims = self.bound_claims.as_ref();
        if self.bound_claims_type == Matching::Glob {
            claims.map_or(Ok(()), bound_claims::check_globs)?;
        }
        if self.kind == Kind::Oidc && !has_any(self.allowed_redirect_uris.as_ref()) {
            return Err(Fault::invalid(
                "'allowed_redirect_uris' must be set if 'role_type' is 'oidc' or unspecified.",
            ));
        }
        let is_bound = has_any(self.bound_audiences.as_ref())
            || !self.bound_subject.is_empty()
            || claims.is_some_and(|claims| !claims.is_empty())
            || !self.token.bound_cidrs.is_empty();
        if self.kind == Kind::Jwt && !is_bound {
            return Err(Fault::invalid(
                "must have at least one bound constraint when creating/updating a role",
            ));
        }
        if self.token_policies_template_claims {
            policies::check(&self.token.policies)?;
        }
        self.claim_mappings.as_ref().map_or(Ok(()), check_mappings)
    }
}

fn check_mappings(mappings: &BTreeMap<String, String>) -> Result<(), Fault> {
    let mut taken: BTreeSet<&str> = BTreeSet::new();
    for note in mappings.values() {
        if note == ROLE_NOTE {
            return Err(Fault::Invalid(format!(
                "metadata key {note:?} is reserved and may not be a mapping destination"
            )));
        }
        if !taken.insert(note) {
            return Err(Fault::Invalid(format!(
                "multiple keys are mapped to metadata key {note:?}"
            )));
        }
    }
    Ok(())
}

fn place(name: &str) -> String {
    format!("{FOLDER}{}", names::normal(name))
}

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

impl Handle<Jwt> for ListRoles {
    type Reply = Keys;

    async fn handle(self, _: &Jwt, cx: &Ctx) -> Result<Keys, Fault> {
        page(cx, FOLDER, &self.after, self.limit).await
    }
}

/// Shows a role.
#[derive(Deserialize, JsonSchema)]
struct ReadRole {
    /// Name of the role.
    name: String,
}

impl Exists<Jwt> for ReadRole {
    async fn exists(self, _: &Jwt, cx: &Ctx) -> Result<bool, Fault> {
        Ok(Role::find(cx, &self.name).await?.is_some())
    }
}

/// A role as clients see it.
#[derive(Serialize, JsonSchema)]
struct RoleView {
    allowed_redirect_uris: Option<Vec<String>>,
    bound_audiences: Option<Vec<String>>,
    bound_claims: Option<Map<String, Value>>,
    bound_claims_type: Matching,
    bound_subject: String,
    callback_mode: CallbackMode,
    claim_mappings: Option<BTreeMap<String, String>>,
    /// In seconds; 0 for 60, less for none.
    clock_skew_leeway: Leeway,
    /// In seconds; 0 for 150, less for none.
    expiration_leeway: Leeway,
    groups_claim: String,
    /// In seconds.
    max_age: Ttl,
    /// In seconds; 0 for 150, less for none.
    not_before_leeway: Leeway,
    oauth2_metadata: Option<Vec<String>>,
    oidc_disable_confirmation: bool,
    oidc_scopes: Option<Vec<String>>,
    /// In seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    poll_interval: Option<u32>,
    role_type: Kind,
    token_policies_template_claims: bool,
    user_claim: String,
    user_claim_json_pointer: bool,
    verbose_oidc_logging: bool,
    #[serde(flatten)]
    token: TokenView,
}

impl Handle<Jwt> for ReadRole {
    type Reply = RoleView;

    async fn handle(self, _: &Jwt, cx: &Ctx) -> Result<RoleView, Fault> {
        let role = Role::find(cx, &self.name).await?;
        Ok(role.ok_or(Fault::NotFound)?.into())
    }
}

impl From<Role> for RoleView {
    fn from(role: Role) -> Self {
        Self {
            allowed_redirect_uris: role.allowed_redirect_uris,
            bound_audiences: role.bound_audiences,
            bound_claims: role.bound_claims,
            bound_claims_type: role.bound_claims_type,
            bound_subject: role.bound_subject,
            callback_mode: role.callback_mode,
            claim_mappings: role.claim_mappings,
            clock_skew_leeway: role.clock_skew_leeway,
            expiration_leeway: role.expiration_leeway,
            groups_claim: role.groups_claim,
            max_age: role.max_age,
            not_before_leeway: role.not_before_leeway,
            oauth2_metadata: None,
            oidc_disable_confirmation: role.oidc_disable_confirmation,
            oidc_scopes: role.oidc_scopes,
            poll_interval: Some(role.poll_interval).filter(|seconds| *seconds > 0),
            role_type: role.kind,
            token_policies_template_claims: role.token_policies_template_claims,
            user_claim: role.user_claim,
            user_claim_json_pointer: role.user_claim_json_pointer,
            verbose_oidc_logging: role.verbose_oidc_logging,
            token: role.token.view(),
        }
    }
}

/// Makes or changes a role. What is not named stays as it is, but `role_type`, `bound_claims_type`, `callback_mode` and
/// `oidc_disable_confirmation`, which are then set back.
#[derive(Deserialize, JsonSchema)]
struct WriteRole {
    /// Name of the role: letters, digits, `_`, and inside `-` and `.`.
    name: String,
    /// `oidc`, which is the default, for people with a browser, or `jwt` for those who bring a token.
    #[serde(default)]
    role_type: Option<Text>,
    /// Where people may be sent back to; on this machine's own addresses by any port.
    #[serde(default)]
    allowed_redirect_uris: Option<CommaList>,
    /// Values of the claim `aud`, one of which must be there.
    #[serde(default)]
    bound_audiences: Option<CommaList>,
    /// Claims, by name or JSON pointer, and the values that they must have; of a list one is enough.
    #[serde(default)]
    bound_claims: Option<Map<String, Value>>,
    /// How bound claims are compared: `string`, or `glob`, where `*` is any text.
    #[serde(default)]
    bound_claims_type: Option<Text>,
    /// What the claim `sub` must be.
    #[serde(default)]
    bound_subject: Option<Text>,
    /// Where the provider's answer arrives: `client`, `direct` or `device`.
    #[serde(default)]
    callback_mode: Option<Text>,
    /// Claims, by name or JSON pointer, that are noted with the login, and by which name.
    #[serde(default)]
    claim_mappings: Option<KvPairs>,
    /// How wrong the issuer's clock may be, in seconds: 0 for 60, less for not at all.
    #[serde(default)]
    clock_skew_leeway: Option<Leeway>,
    /// How long a token lives that does not say so, in seconds: 0 for 150, less for not at all.
    #[serde(default)]
    expiration_leeway: Option<Leeway>,
    /// The claim, by name or JSON pointer, with the names of external groups.
    #[serde(default)]
    groups_claim: Option<Text>,
    /// How long ago somebody may have signed in at the provider.
    #[serde(default)]
    max_age: Option<Ttl>,
    /// How long before its end a token began that does not say so, in seconds: 0 for 150, less for not at all.
    #[serde(default)]
    not_before_leeway: Option<Leeway>,
    /// Not supported: a provider's tokens are secrets, and notes of logins are not.
    #[serde(default)]
    oauth2_metadata: Option<CommaList>,
    /// Logs people in without asking whether it was they who began (`callback_mode` `direct`).
    #[serde(default)]
    oidc_disable_confirmation: Option<Flag>,
    /// Scopes to ask for, beside `openid`.
    #[serde(default)]
    oidc_scopes: Option<CommaList>,
    /// How often programs ask whether the answer has come, in seconds.
    #[serde(default)]
    poll_interval: Option<Int>,
    /// Takes `{{.claim}}` in policies for the claim.
    #[serde(default)]
    token_policies_template_claims: Option<Flag>,
    /// The claim that says who somebody is.
    #[serde(default)]
    user_claim: Option<Text>,
    /// Takes `user_claim` for a JSON pointer.
    #[serde(default)]
    user_claim_json_pointer: Option<Flag>,
    /// Without effect: tokens and claims are never logged.
    #[serde(default)]
    verbose_oidc_logging: Option<Flag>,
    #[serde(flatten)]
    token: TokenInput,
    #[serde(flatten)]
    old: OldInput,
}

impl Handle<Jwt> for WriteRole {
    type Reply = Reply;

    async fn handle(self, _: &Jwt, cx: &Ctx) -> Result<Reply, Fault> {
        if !is_name(&self.name) {
            return Err(Fault::UnsupportedPath);
        }
        let decide = |role: Option<Role>| {
            let mut role = role.unwrap_or_default();
            self.apply(&mut role)?;
            role.refuse()?;
            Ok::<_, Fault>((Some(role.clone()), role))
        };
        let role = cx.view.update(&place(&self.name), decide).await?;
        let mut reply = Reply::default();
        if role.verbose_oidc_logging {
            reply = reply.warn(
                "verbose_oidc_logging has no effect: this server logs no tokens and no claims",
            );
        }
        if role.token.max_ttl.0 > cx.mount.max_lease_ttl {
            reply = reply.warn("token max ttl is greater than the system or backend mount's maximum TTL value; issued tokens' max TTL value will be truncated");
        }
        Ok(reply)
    }
}

impl WriteRole {
    fn apply(&self, role: &mut Role) -> Result<(), Fault> {
        role.kind = match word(&self.role_type) {
            "" | "oidc" => Kind::Oidc,
            "jwt" => Kind::Jwt,
            other => return Err(Fault::Invalid(format!("invalid 'role_type': {other}"))),
        };
        role.bound_claims_type = match self.bound_claims_type.as_ref().map(|text| text.0.as_str()) {
            None | Some("string") => Matching::String,
            Some("glob") => Matching::Glob,
            Some(other) => {
                return Err(Fault::Invalid(format!(
                    "invalid 'bound_claims_type': {other}"
                )));
            }
        };
        role.callback_mode = match self.callback_mode.as_ref().map(|text| text.0.as_str()) {
            None | Some("client") => CallbackMode::Client,
            Some("direct") => CallbackMode::Direct,
            Some("device") => CallbackMode::Device,
            Some(other) => return Err(Fault::Invalid(format!("invalid 'callback_mode': {other}"))),
        };
        role.oidc_disable_confirmation = self.oidc_disable_confirmation.is_some_and(|flag| flag.0);
        self.apply_bounds(role);
        self.apply_sign_in(role)?;
        self.apply_token(role)
    }

    fn apply_bounds(&self, role: &mut Role) {
        set(&mut role.bound_audiences, list(&self.bound_audiences));
        set(&mut role.bound_claims, self.bound_claims.clone().map(Some));
        set(&mut role.bound_subject, text(&self.bound_subject));
        let mappings = self.claim_mappings.clone();
        set(
            &mut role.claim_mappings,
            mappings.map(|pairs| Some(pairs.0)),
        );
        set(&mut role.clock_skew_leeway, self.clock_skew_leeway);
        set(&mut role.expiration_leeway, self.expiration_leeway);
        set(&mut role.not_before_leeway, self.not_before_leeway);
        set(&mut role.groups_claim, text(&self.groups_claim));
        set(&mut role.user_claim, text(&self.user_claim));
        set(
            &mut role.user_claim_json_pointer,
            flag(self.user_claim_json_pointer),
        );
    }

    fn apply_sign_in(&self, role: &mut Role) -> Result<(), Fault> {
        if self
            .oauth2_metadata
            .as_ref()
            .is_some_and(|names| !names.0.is_empty())
        {
            return Err(Fault::invalid(
                "oauth2_metadata is not supported: a provider's tokens are secrets, and notes of logins stand in the audit log",
            ));
        }
        let uris = list(&self.allowed_redirect_uris);
        set(&mut role.allowed_redirect_uris, uris);
        set(&mut role.oidc_scopes, list(&self.oidc_scopes));
        set(&mut role.max_age, self.max_age);
        set(
            &mut role.verbose_oidc_logging,
            flag(self.verbose_oidc_logging),
        );
        if let Some(seconds) = self.poll_interval {
            role.poll_interval = u32::try_from(seconds.0.max(0)).map_err(|_| {
                Fault::invalid("field \"poll_interval\": expected a number of seconds")
            })?;
        }
        Ok(())
    }

    fn apply_token(&self, role: &mut Role) -> Result<(), Fault> {
        role.token.apply(&self.token, &self.old)?;
        let templates = flag(self.token_policies_template_claims);
        set(&mut role.token_policies_template_claims, templates);
        let named = self
            .token
            .token_policies
            .as_ref()
            .or(self.old.policies.as_ref());
        if let Some(named) = named.filter(|_| role.token_policies_template_claims) {
            // Names of claims have capital letters.
            role.token.policies.clone_from(&named.0);
        }
        Ok(())
    }
}

fn set<T>(kept: &mut T, new: Option<T>) {
    if let Some(new) = new {
        *kept = new;
    }
}

fn list(written: &Option<CommaList>) -> Option<Option<Vec<String>>> {
    written.clone().map(|list| Some(list.0))
}

fn text(written: &Option<Text>) -> Option<String> {
    written.clone().map(|text| text.0)
}

fn flag(written: Option<Flag>) -> Option<bool> {
    written.map(|flag| flag.0)
}

fn word(written: &Option<Text>) -> &str {
    written.as_ref().map_or("", |text| text.0.as_str())
}

/// Removes a role. Tokens of its logins live on until they end, and can not be renewed.
#[derive(Deserialize, JsonSchema)]
struct DeleteRole {
    /// Name of the role.
    name: String,
}

impl Handle<Jwt> for DeleteRole {
    type Reply = Empty;

    async fn handle(self, _: &Jwt, cx: &Ctx) -> Result<Empty, Fault> {
        if is_name(&self.name) {
            cx.view.delete(&place(&self.name)).await?;
        }
        Ok(Empty)
    }
}
