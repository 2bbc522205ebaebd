//! The instance that a session is named after: EC2 names the sessions of its instances so.

use coffer_engine::{Ctx, Fault};

use super::Aws;
use super::api::Api;
use super::arn::{Kind, Principal};
use super::bounds::{self, Bounds};
use super::caller::Caller;
use super::client::Client;
use super::xml::Element;

/// The instance whose session somebody's is by its name, if it is there, runs, and is as the bounds say.
pub(super) async fn inferred(
    engine: &Aws,
    cx: &Ctx,
    client: &Client,
    caller: &Caller,
    wanted: (&Bounds, &str),
) -> Result<Option<String>, Fault> {
    let (bounds, region) = wanted;
    let Kind::AssumedRole { session, .. } = &caller.principal.kind else {
        return Ok(None);
    };
    // What can be said without asking is said first.
    let account = &caller.principal.account;
    let near = is_instance(session)
        && bounds::holds(&bounds.bound_account_id, account)
        && bounds::holds(&bounds.bound_region, region)
        && bounds::holds(&bounds.bound_ec2_instance_id, session);
    if !near {
        return Ok(None);
    }
    let api = Api::within(engine, cx, client, &caller.principal).await?;
    let Some(root) = api.instance(session, region).await? else {
        return Ok(None);
    };
    let Some(instance) = only(&root, session, account) else {
        return Ok(None);
    };
    match is_bound(&api, bounds, instance, &caller.principal).await? {
        true => Ok(Some(session.clone())),
        false => Ok(None),
    }
}

/// The one instance of an answer, if it is that of this name and account, and runs.
fn only<'a>(root: &'a Element, id: &str, account: &str) -> Option<&'a Element> {
    let reservation = root.child("reservationSet")?.child("item")?;
    let instance = reservation.child("instancesSet")?.child("item")?;
    let runs = instance.child("instanceState")?.text_of("name")? == "running";
    let same = instance.text_of("instanceId")? == id && reservation.text_of("ownerId")? == account;
    (runs && same).then_some(instance)
}

async fn is_bound(
    api: &Api<'_>,
    bounds: &Bounds,
    instance: &Element,
    caller: &Principal,
) -> Result<bool, Fault> {
    let text = |name| instance.text_of(name).unwrap_or_default();
    let placed = bounds::holds(&bounds.bound_ami_id, text("imageId"))
        && bounds::holds(&bounds.bound_vpc_id, text("vpcId"))
        && bounds::holds(&bounds.bound_subnet_id, text("subnetId"));
    let profile = instance.child("iamInstanceProfile");
    let profile = profile.and_then(|profile| profile.text_of("arn"));
    let profile = profile.unwrap_or_default();
    if !placed || !bounds::names(&bounds.bound_iam_instance_profile_arn, profile) {
        return Ok(false);
    }
    if bounds.bound_iam_role_arn.is_empty() {
        return Ok(true);
    }
    let profile = Principal::parse(profile).filter(|profile| profile.account == caller.account);
    let Some(profile) = profile else {
        return Ok(false);
    };
    let roles = api.roles_of(&profile).await?;
    let bound = |role: &Principal| bounds::names(&bounds.bound_iam_role_arn, &role.to_string());
    Ok(roles.iter().any(bound))
}

/// Whether a name is that of an instance: `i-` and 8 or 17 hexadecimal digits.
fn is_instance(name: &str) -> bool {
    let hex = |c: char| c.is_ascii_digit() || matches!(c, 'a'..='f');
    name.strip_prefix("i-")
        .is_some_and(|rest| matches!(rest.len(), 8 | 17) && rest.chars().all(hex))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_instances() {
        assert!(is_instance("i-0123abcd") && is_instance("i-0123456789abcdef0"));
        for wrong in [
            "",
            "i-",
            "i-0123",
            "i-0123ABCD",
            "i-0123abcg",
            "ann",
            "i-0123abcd/",
        ] {
            assert!(!is_instance(wrong), "{wrong}");
        }
    }
}
