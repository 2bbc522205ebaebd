//! `config/identity`: what principals of AWS are called here, and what is noted about them.

use std::collections::BTreeMap;

use coffer_engine::{Ctx, Empty, Exists, Fault, Handle, Routes, Stored, path};
use coffer_wire::{CommaList, Text};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Aws;

const PLACE: &str = "config/identity";
/// What can be noted.
const NOTES: [&str; 8] = [
    "account_id",
    "auth_type",
    "canonical_arn",
    "client_arn",
    "client_user_id",
    "inferred_aws_region",
    "inferred_entity_id",
    "inferred_entity_type",
];
/// What is, where nothing is said.
const USUAL_NOTES: [&str; 2] = ["account_id", "auth_type"];

pub(super) fn routes() -> Routes<Aws> {
    Routes::new([path(
        "config/identity",
        "What principals of AWS are called here, and what is noted about them.",
    )
    .exists::<ReadIdentity>()
    .read::<ReadIdentity>()
    .write::<WriteIdentity>()
    .tells("aws/config-write")])
}

/// What is configured.
#[derive(Clone, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Identity {
    pub(super) iam_alias: AliasBy,
    /// Names out of [`NOTES`]; none for the usual ones.
    iam_metadata: Option<Vec<String>>,
}

/// By what somebody is one and the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum AliasBy {
    /// The role of ours.
    #[default]
    RoleId,
    /// What AWS gives each user and role once.
    UniqueId,
    /// The name of the user or role.
    CanonicalArn,
    /// The name with that of the session.
    FullArn,
}

impl Stored for Identity {
    const MAX_BYTES: usize = 16 * 1024;
}

impl Default for Identity {
    fn default() -> Self {
        Self {
            iam_alias: AliasBy::RoleId,
            iam_metadata: None,
        }
    }
}

impl Identity {
    pub(super) async fn current(cx: &Ctx) -> Result<Self, Fault> {
        Ok(cx.view.get(PLACE).await?.unwrap_or_default())
    }

    /// Those of `all` that are to be noted.
    pub(super) fn notes(&self, all: BTreeMap<String, String>) -> BTreeMap<String, String> {
        let wanted = self.noted();
        all.into_iter()
            .filter(|(name, value)| wanted.contains(name) && !value.is_empty())
            .collect()
    }

    fn noted(&self) -> Vec<String> {
        let usual = || USUAL_NOTES.iter().map(|name| (*name).to_owned()).collect();
        self.iam_metadata.clone().unwrap_or_else(usual)
    }
}

/// Shows what is configured.
#[derive(Deserialize, JsonSchema)]
struct ReadIdentity {}

impl Exists<Aws> for ReadIdentity {
    async fn exists(self, _: &Aws, cx: &Ctx) -> Result<bool, Fault> {
        Ok(cx.view.get::<Identity>(PLACE).await?.is_some())
    }
}

/// What is configured, as clients see it.
#[derive(Serialize, JsonSchema)]
struct IdentityView {
    /// Always `role_id`.
    ec2_alias: AliasBy,
    ec2_metadata: Vec<String>,
    /// By what somebody is one and the same.
    iam_alias: AliasBy,
    /// What is noted about them.
    iam_metadata: Vec<String>,
}

impl Handle<Aws> for ReadIdentity {
    type Reply = IdentityView;

    async fn handle(self, _: &Aws, cx: &Ctx) -> Result<IdentityView, Fault> {
        let identity = Identity::current(cx).await?;
        Ok(IdentityView {
            ec2_alias: AliasBy::RoleId,
            ec2_metadata: Identity::default().noted(),
            iam_alias: identity.iam_alias,
            iam_metadata: identity.noted(),
        })
    }
}

/// Configures what principals are called; what is not named stays as it is.
#[derive(Deserialize, JsonSchema)]
struct WriteIdentity {
    /// `role_id`, `unique_id`, `canonical_arn` or `full_arn`.
    #[serde(default)]
    iam_alias: Option<Text>,
    /// What is noted about a login and its alias: names out of account_id, auth_type, canonical_arn, client_arn,
    /// client_user_id, inferred_aws_region, inferred_entity_id, inferred_entity_type; `default` for the first two.
    #[serde(default)]
    iam_metadata: Option<CommaList>,
    /// Of logins by instance documents, which are not supported: only `role_id`.
    #[serde(default)]
    ec2_alias: Option<Text>,
    /// Of logins by instance documents, which are not supported: only `default`.
    #[serde(default)]
    ec2_metadata: Option<CommaList>,
}

impl Handle<Aws> for WriteIdentity {
    type Reply = Empty;

    async fn handle(self, _: &Aws, cx: &Ctx) -> Result<Empty, Fault> {
        self.refuse_unsupported()?;
        let by = self.iam_alias.as_ref().map(alias_by).transpose()?;
        let notes = self.iam_metadata.as_ref().map(notes).transpose()?;
        let decide = |kept: Option<Identity>| {
            let mut identity = kept.unwrap_or_default();
            identity.iam_alias = by.unwrap_or(identity.iam_alias);
            if let Some(notes) = &notes {
                identity.iam_metadata.clone_from(notes);
            }
            Ok::<_, Fault>((Some(identity), ()))
        };
        cx.view.update(PLACE, decide).await?;
        Ok(Empty)
    }
}

impl WriteIdentity {
    fn refuse_unsupported(&self) -> Result<(), Fault> {
        let alias = self.ec2_alias.as_ref().map(|text| text.0.as_str());
        if !matches!(alias, None | Some("" | "role_id")) {
            return Err(Fault::invalid(
                "ec2_alias: logins of the type ec2 are not supported, so only \"role_id\" can be said",
            ));
        }
        let Some(list) = &self.ec2_metadata else {
            return Ok(());
        };
        let mut names = list.0.clone();
        names.sort();
        match names == USUAL_NOTES || names == ["default"] {
            true => Ok(()),
            false => Err(Fault::invalid(
                "ec2_metadata: logins of the type ec2 are not supported, so only \"default\" can be said",
            )),
        }
    }
}

fn alias_by(text: &Text) -> Result<AliasBy, Fault> {
    match text.0.as_str() {
        "role_id" => Ok(AliasBy::RoleId),
        "unique_id" => Ok(AliasBy::UniqueId),
        "canonical_arn" => Ok(AliasBy::CanonicalArn),
        "full_arn" => Ok(AliasBy::FullArn),
        other => Err(Fault::Invalid(format!(
            "invalid iam_alias \"{other:.100}\": it is one of role_id, unique_id, canonical_arn and full_arn"
        ))),
    }
}

fn notes(list: &CommaList) -> Result<Option<Vec<String>>, Fault> {
    if list.0 == ["default"] {
        return Ok(None);
    }
    let mut names = list.0.clone();
    if let Some(other) = names.iter().find(|name| !NOTES.contains(&name.as_str())) {
        return Err(Fault::Invalid(format!(
            "invalid iam_metadata \"{other:.100}\": names are out of {}; \"default\" stands alone",
            NOTES.join(", ")
        )));
    }
    names.sort();
    names.dedup();
    Ok(Some(names))
}
