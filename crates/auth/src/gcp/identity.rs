//! Whom Google vouches for.

use coffer_wire::parse_foreign;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::issuer::Claims;

/// Who signs the tokens of machines.
const GOOGLE: [&str; 2] = ["https://accounts.google.com", "accounts.google.com"];
/// How the names of all service accounts end.
const DOMAIN: &str = "gserviceaccount.com";
/// The longest name of a service account, in bytes.
const MAX_NAME_BYTES: usize = 256;

/// A service account, and the machine that runs by it, as far as they are known.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Identity {
    /// The account's name, like an address of mail; empty while it is not known.
    pub(super) email: String,
    /// What Google gives to no other account ever; empty while it is not known.
    pub(super) unique_id: String,
    /// The project of the account; empty while it is not known.
    pub(super) project: String,
    pub(super) instance: Option<Instance>,
}

/// A machine, as the tokens that Google signs for it have it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Instance {
    #[serde(rename = "project_id")]
    pub(super) project: String,
    #[serde(rename = "project_number", deserialize_with = "text")]
    pub(super) project_number: String,
    pub(super) zone: String,
    #[serde(rename = "instance_id", deserialize_with = "text")]
    pub(super) id: String,
    #[serde(rename = "instance_name")]
    pub(super) name: String,
    #[serde(rename = "instance_creation_timestamp", deserialize_with = "text")]
    pub(super) created: String,
}

/// What a token says of itself before anybody has vouched for it: good for choosing whose keys to look at.
#[derive(Deserialize)]
pub(super) struct Hearsay {
    #[serde(default)]
    iss: Value,
    #[serde(default)]
    sub: Value,
}

impl Hearsay {
    /// Reads the payload of a token; none where it is no object.
    pub(super) fn read(payload: &[u8]) -> Option<Self> {
        parse_foreign(payload).ok()
    }

    /// Whether it says that Google has signed it.
    pub(super) fn is_googles(&self) -> bool {
        self.iss
            .as_str()
            .is_some_and(|issuer| GOOGLE.contains(&issuer))
    }

    /// The service account that has signed it, as it says.
    pub(super) fn account(&self) -> Option<&str> {
        self.sub.as_str().filter(|name| is_account(name))
    }
}

impl Identity {
    /// A service account by what it calls itself: its name, or its id.
    pub(super) fn of_account(name: &str) -> Self {
        match is_id(name) {
            true => Self {
                unique_id: name.to_owned(),
                ..Self::default()
            },
            false => Self {
                email: name.to_owned(),
                project: project_of(name).unwrap_or_default().to_owned(),
                ..Self::default()
            },
        }
    }

    /// Whom a token speaks of that Google has signed; nobody where that is a person.
    pub(super) fn of_google(claims: &Claims) -> Option<Self> {
        let of_google = claims.issuer.as_deref()?;
        let verified = claims.all.get("email_verified") == Some(&Value::Bool(true));
        let email = claims.all.get("email").and_then(Value::as_str)?;
        let id = claims.subject.as_deref()?;
        if !GOOGLE.contains(&of_google) || !verified || !is_email(email) || !is_id(id) {
            return None;
        }
        let instance = claims
            .all
            .get("google")
            .and_then(|google| google.get("compute_engine"));
        let instance = match instance {
            Some(told) => Some(Instance::deserialize(told).ok()?),
            None => None,
        };
        Some(Self {
            unique_id: id.to_owned(),
            instance,
            ..Self::of_account(email)
        })
    }
}

impl Instance {
    /// The region of its zone.
    pub(super) fn region(&self) -> &str {
        self.zone.rsplit_once('-').map_or("", |(region, _)| region)
    }
}

/// Whether a service account can be called so.
pub(super) fn is_account(name: &str) -> bool {
    is_id(name) || is_email(name)
}

pub(super) fn is_id(name: &str) -> bool {
    (6..=32).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_email(name: &str) -> bool {
    let known = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-._".contains(c);
    let Some((local, domain)) = name.split_once('@') else {
        return false;
    };
    let inside = domain.strip_suffix(DOMAIN);
    let inside = inside.is_some_and(|inside| inside.is_empty() || inside.ends_with('.'));
    let fine = !local.is_empty() && local.chars().all(known) && domain.chars().all(known);
    fine && inside && name.len() <= MAX_NAME_BYTES
}

/// The project of an account, where its name tells that alone.
fn project_of(email: &str) -> Option<&str> {
    let (_, domain) = email.split_once('@')?;
    let project = domain.strip_suffix(".iam.gserviceaccount.com")?;
    let plain = !project.contains('.') && !project.starts_with("gcp-sa-");
    plain.then_some(project)
}

/// A text, or a number as one: ids have more digits than some readers of JSON keep.
fn text<'de, D: serde::Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    match Value::deserialize(from)? {
        Value::String(text) => Ok(text),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err(serde::de::Error::custom("expected a text or a number")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_accounts_are_of_one_form() {
        for name in [
            "web@shop.iam.gserviceaccount.com",
            "123-compute@developer.gserviceaccount.com",
            "shop@appspot.gserviceaccount.com",
            "web@shop.example.com.iam.gserviceaccount.com",
            "111111111111111111111",
        ] {
            assert!(is_account(name), "{name}");
        }
        for name in [
            "",
            "12345",
            "web",
            "ann@example.com",
            "web@gserviceaccount.com.example.com",
            "web@evilgserviceaccount.com",
            "Web@shop.iam.gserviceaccount.com",
            "web@a@shop.iam.gserviceaccount.com",
            "../web@shop.iam.gserviceaccount.com",
            "web@shop/x.iam.gserviceaccount.com",
            "web?x@shop.iam.gserviceaccount.com",
            "w\u{e9}b@shop.iam.gserviceaccount.com",
            "@shop.iam.gserviceaccount.com",
        ] {
            assert!(!is_account(name), "{name}");
        }
    }

    #[test]
    fn a_project_is_told_by_a_plain_name_alone() {
        let project = |email: &str| Identity::of_account(email).project;
        assert_eq!(project("web@shop.iam.gserviceaccount.com"), "shop");
        for other in [
            "123-compute@developer.gserviceaccount.com",
            "web@shop.example.com.iam.gserviceaccount.com",
            "service-1@gcp-sa-x.iam.gserviceaccount.com",
            "111111111111111111111",
        ] {
            assert_eq!(project(other), "");
        }
    }
}
