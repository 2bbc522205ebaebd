//! What an instance must be like that is inferred from the name of a session.

use coffer_engine::Fault;
use coffer_wire::CommaList;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::arn::{Bound, Kind, is_account};

/// How many values one bound may have.
pub(super) const VALUES_MAX: usize = 128;

/// The bounds; each that has values is to be met by one of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct Bounds {
    /// Accounts that it is in.
    pub(super) bound_account_id: Vec<String>,
    /// Images that it was made from.
    pub(super) bound_ami_id: Vec<String>,
    /// The instance itself.
    pub(super) bound_ec2_instance_id: Vec<String>,
    /// Instance profiles that it has.
    pub(super) bound_iam_instance_profile_arn: Vec<String>,
    /// Roles that its instance profile gives it.
    pub(super) bound_iam_role_arn: Vec<String>,
    /// Regions that it is in.
    pub(super) bound_region: Vec<String>,
    /// Subnets that it is in.
    pub(super) bound_subnet_id: Vec<String>,
    /// Networks that it is in.
    pub(super) bound_vpc_id: Vec<String>,
}

/// The bounds as a role is written; what is missing stays as it is.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub(super) struct BoundsInput {
    /// Accounts that an inferred instance is in.
    #[serde(default)]
    bound_account_id: Option<CommaList>,
    /// Images that it was made from.
    #[serde(default)]
    bound_ami_id: Option<CommaList>,
    /// The instance itself.
    #[serde(default)]
    bound_ec2_instance_id: Option<CommaList>,
    /// Instance profiles that it has; with a `*` at the end, all whose names begin so.
    #[serde(default)]
    bound_iam_instance_profile_arn: Option<CommaList>,
    /// Roles that its instance profile gives it; with a `*` at the end, all whose names begin so.
    #[serde(default)]
    bound_iam_role_arn: Option<CommaList>,
    /// Regions that it is in.
    #[serde(default)]
    bound_region: Option<CommaList>,
    /// Subnets that it is in.
    #[serde(default)]
    bound_subnet_id: Option<CommaList>,
    /// Networks (VPCs) that it is in.
    #[serde(default)]
    bound_vpc_id: Option<CommaList>,
}

impl Bounds {
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Takes over what was written.
    pub(super) fn apply(&mut self, new: &BoundsInput) -> Result<(), Fault> {
        let account = |text: &str| is_account(text);
        let profile = |text: &str| is_bound(text, "instance-profile");
        let role = |text: &str| is_bound(text, "role");
        set(
            &mut self.bound_account_id,
            "bound_account_id",
            new.bound_account_id.as_ref(),
            account,
        )?;
        set(
            &mut self.bound_ami_id,
            "bound_ami_id",
            new.bound_ami_id.as_ref(),
            is_word,
        )?;
        let (kept, said) = (&mut self.bound_ec2_instance_id, &new.bound_ec2_instance_id);
        set(kept, "bound_ec2_instance_id", said.as_ref(), is_word)?;
        let kept = &mut self.bound_iam_instance_profile_arn;
        let said = new.bound_iam_instance_profile_arn.as_ref();
        set(kept, "bound_iam_instance_profile_arn", said, profile)?;
        set(
            &mut self.bound_iam_role_arn,
            "bound_iam_role_arn",
            new.bound_iam_role_arn.as_ref(),
            role,
        )?;
        set(
            &mut self.bound_region,
            "bound_region",
            new.bound_region.as_ref(),
            is_word,
        )?;
        set(
            &mut self.bound_subnet_id,
            "bound_subnet_id",
            new.bound_subnet_id.as_ref(),
            is_word,
        )?;
        set(
            &mut self.bound_vpc_id,
            "bound_vpc_id",
            new.bound_vpc_id.as_ref(),
            is_word,
        )
    }
}

/// Whether a bound is met by a name; one without values is by all.
pub(super) fn names(bound: &[String], name: &str) -> bool {
    bound.is_empty()
        || bound
            .iter()
            .any(|text| Bound::parse(text).is_ok_and(|bound| bound.covers(name)))
}

/// Whether a bound is met by a value; one without values is by all.
pub(super) fn holds(bound: &[String], value: &str) -> bool {
    bound.is_empty() || bound.iter().any(|bound| bound == value)
}

fn set(
    kept: &mut Vec<String>,
    name: &str,
    new: Option<&CommaList>,
    fine: impl Fn(&str) -> bool,
) -> Result<(), Fault> {
    let Some(new) = new else {
        return Ok(());
    };
    if new.0.len() > VALUES_MAX {
        return Err(Fault::Invalid(format!(
            "{name}: at most {VALUES_MAX} values"
        )));
    }
    if let Some(wrong) = new.0.iter().find(|text| !fine(text)) {
        return Err(Fault::Invalid(format!(
            "{name}: {wrong:?} can not be bound"
        )));
    }
    kept.clone_from(&new.0);
    Ok(())
}

fn is_word(text: &str) -> bool {
    let sign = |c: char| c.is_ascii_alphanumeric() || c == '-';
    (1..=64).contains(&text.len()) && text.chars().all(sign)
}

/// Whether a text binds things of IAM of one kind.
fn is_bound(text: &str, kind: &str) -> bool {
    match Bound::parse(text) {
        Ok(Bound::One(one)) => match one.kind {
            Kind::Role { .. } => kind == "role",
            Kind::InstanceProfile { .. } => kind == "instance-profile",
            _ => false,
        },
        Ok(Bound::All { prefix }) => prefix.contains(":iam:"),
        Err(_) => false,
    }
}
