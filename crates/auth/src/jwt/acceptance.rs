//! Who somebody is by their claims, and whether a role takes them.

use std::collections::BTreeMap;

use coffer_engine::{Ctx, Fault, Login, Session, Stay};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::role::{Matching, ROLE_NOTE, Role};
use super::{Jwt, bound_claims, pointer, policies};
use crate::issuer::Claims;

/// The longest name of somebody, in bytes.
const MAX_NAME_BYTES: usize = 512;
/// The most groups that a token may put somebody in.
const MAX_GROUPS: usize = 1_000;
/// The longest note that is made of a claim, in bytes.
const MAX_NOTE_BYTES: usize = 16 * 1024;

/// A login of some time ago, as far as a renewal looks at it.
#[derive(Serialize, Deserialize)]
pub(super) struct Entered {
    role: String,
    subject: Option<String>,
    audience: Vec<String>,
    /// The claims that the role was bound to.
    claims: Map<String, Value>,
}

/// Lets in whom the role takes. Issuer, subject, audience and times have been looked at.
pub(super) fn accept(
    cx: &Ctx,
    name: String,
    role: &Role,
    claims: &Claims,
) -> Result<Box<Login>, Fault> {
    check_claims(role, |name| pointer::claim(&claims.all, name))?;
    let user = user(role, &claims.all)?;
    let mut metadata = notes(role, &claims.all)?;
    metadata.insert(ROLE_NOTE.to_owned(), name.clone());
    let group_aliases = groups(role, &claims.all)?;
    let mut login = role.token.login(cx.request.client);
    if role.token_policies_template_claims {
        login.policies = policies::fill(&role.token.policies, &claims.all)?;
    }
    let login = Login {
        display_name: user.clone(),
        alias: Some(role.token.alias(user, metadata.clone())),
        metadata,
        group_aliases,
        ..login
    };
    let entered = Entered {
        role: name,
        subject: claims.subject.clone(),
        audience: claims.audience.clone(),
        claims: bound_of(role, &claims.all),
    };
    login.with_session(&entered).map(Box::new)
}

/// The token goes on as the role is now, if the role would still take whoever has it. Their claims are those of the
/// login; one that the role was not bound to then is not known.
impl Session<Jwt> for Entered {
    async fn renew(self, _: &Jwt, cx: &Ctx) -> Result<Stay, Fault> {
        let name = &self.role;
        let role = Role::find(cx, name).await?.ok_or_else(|| {
            Fault::Invalid(format!("role {name:?} does not exist during renewal"))
        })?;
        let is_subject =
            role.bound_subject.is_empty() || self.subject.as_ref() == Some(&role.bound_subject);
        let bound = role.audiences();
        let is_for = bound.is_empty() || self.audience.iter().any(|name| bound.contains(name));
        match is_subject && is_for && check_claims(&role, |name| self.claims.get(name)).is_ok() {
            true => Ok(role.token.stay()),
            false => Err(Fault::Invalid(format!(
                "role {name:?} has changed and does not take this login any more; log in again"
            ))),
        }
    }
}

fn check_claims<'a>(role: &Role, claim: impl Fn(&str) -> Option<&'a Value>) -> Result<(), Fault> {
    let globs = role.bound_claims_type == Matching::Glob;
    let bound = role.bound_claims.as_ref();
    bound.map_or(Ok(()), |bound| bound_claims::check(bound, globs, claim))
}

/// The claims that the role is bound to, by the names that it has for them.
fn bound_of(role: &Role, claims: &Map<String, Value>) -> Map<String, Value> {
    let names = role.bound_claims.iter().flat_map(Map::keys);
    let found =
        names.filter_map(|name| Some((name.clone(), pointer::claim(claims, name)?.clone())));
    found.collect()
}

fn user(role: &Role, claims: &Map<String, Value>) -> Result<String, Fault> {
    let name = &role.user_claim;
    let found = match role.user_claim_json_pointer {
        true => pointer::claim(claims, name),
        false => pointer::plain(claims, name),
    };
    let found =
        found.ok_or_else(|| Fault::Invalid(format!("claim {name:?} not found in token")))?;
    let user = found.as_str().ok_or_else(|| {
        Fault::Invalid(format!("claim {name:?} could not be converted to string"))
    })?;
    match user.is_empty() || user.len() > MAX_NAME_BYTES {
        true => Err(Fault::Invalid(format!(
            "claim {name:?} is empty or longer than {MAX_NAME_BYTES} bytes"
        ))),
        false if looks_like_another(user) => Err(Fault::Invalid(format!(
            "claim {name:?} has blanks around it, or characters that are taken for letters of another name"
        ))),
        false => Ok(user.to_owned()),
    }
}

/// Whether the identity store would take the name for one that is written otherwise.
fn looks_like_another(user: &str) -> bool {
    let becomes_ascii = |c: char| !c.is_ascii() && c.to_lowercase().all(|c| c.is_ascii());
    user.trim() != user || user.chars().any(becomes_ascii)
}

/// What is noted of the claims. One that is missing is not noted.
fn notes(role: &Role, claims: &Map<String, Value>) -> Result<BTreeMap<String, String>, Fault> {
    let mut notes = BTreeMap::new();
    let mut bytes = 0;
    for (name, note) in role.claim_mappings.iter().flatten() {
        let Some(value) = pointer::claim(claims, name) else {
            continue;
        };
        let wrong = || Fault::Invalid(format!("error converting claim '{name}' to string"));
        let value = value.as_str().ok_or_else(wrong)?;
        bytes += value.len();
        if bytes > MAX_NOTE_BYTES {
            return Err(Fault::Invalid(format!(
                "the claims to be noted are longer than {MAX_NOTE_BYTES} bytes"
            )));
        }
        notes.insert(note.clone(), value.to_owned());
    }
    Ok(notes)
}

fn groups(role: &Role, claims: &Map<String, Value>) -> Result<Vec<String>, Fault> {
    let name = &role.groups_claim;
    if name.is_empty() {
        return Ok(Vec::new());
    }
    let found = pointer::claim(claims, name).ok_or_else(|| {
        Fault::Invalid(format!(
            "failed to fetch groups: {name:?} claim not found in token"
        ))
    })?;
    let listed = match found {
        Value::Array(listed) => listed.as_slice(),
        Value::Object(_) => {
            return Err(Fault::Invalid(format!(
                "{name:?} claim could not be converted to string list"
            )));
        }
        one => std::slice::from_ref(one),
    };
    if listed.len() > MAX_GROUPS {
        return Err(Fault::Invalid(format!(
            "{name:?} claim names more than {MAX_GROUPS} groups"
        )));
    }
    let group = |value: &Value| {
        value.as_str().map(str::to_owned).ok_or_else(|| {
            Fault::Invalid(format!("a value in the groups claim {name:?} is no text"))
        })
    };
    let mut groups = listed.iter().map(group).collect::<Result<Vec<_>, _>>()?;
    groups.retain(|group| !group.is_empty());
    groups.sort();
    groups.dedup();
    Ok(groups)
}
