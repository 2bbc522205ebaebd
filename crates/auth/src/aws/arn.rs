//! Names of AWS: who somebody is there, and whom a role is bound to.

use std::fmt;

/// How long a name may be; those of AWS have at most 2,048 bytes.
const ARN_BYTES_MAX: usize = 2048;
const PARTITIONS: [&str; 3] = ["aws", "aws-cn", "aws-us-gov"];

/// Somebody who can sign requests, or whom a role names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Principal {
    /// `aws`, `aws-cn` or `aws-us-gov`.
    pub(super) partition: String,
    /// Twelve digits.
    pub(super) account: String,
    pub(super) kind: Kind,
}

/// What somebody is. Paths begin and end with a slash, as `/` or `/team/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    User {
        path: String,
        name: String,
    },
    Role {
        path: String,
        name: String,
    },
    /// Somebody who assumed a role, under a name that they chose; of the role's path nothing is known.
    AssumedRole {
        role: String,
        session: String,
    },
    FederatedUser {
        name: String,
    },
    InstanceProfile {
        path: String,
        name: String,
    },
}

impl Principal {
    /// Reads a name of AWS. What has no name here (an account's root, another service's thing) is none.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (partition, service, account, resource) = parts(text)?;
        let (what, rest) = resource.split_once('/')?;
        let kind = match (service, what) {
            ("iam", "user") => pathed(rest).map(|(path, name)| Kind::User { path, name }),
            ("iam", "role") => pathed(rest).map(|(path, name)| Kind::Role { path, name }),
            ("iam", "instance-profile") => {
                pathed(rest).map(|(path, name)| Kind::InstanceProfile { path, name })
            }
            ("sts", "assumed-role") => assumed(rest),
            ("sts", "federated-user") => named(rest).map(|name| Kind::FederatedUser { name }),
            _ => None,
        }?;
        Some(Self {
            partition: partition.to_owned(),
            account: account.to_owned(),
            kind,
        })
    }

    /// The one name of whoever this is: of somebody who assumed a role, that of the role, without its path.
    pub(super) fn canonical(&self) -> String {
        match &self.kind {
            Kind::AssumedRole { role: name, .. } | Kind::Role { name, .. } => Self {
                kind: Kind::Role {
                    path: "/".to_owned(),
                    name: name.clone(),
                },
                ..self.clone()
            }
            .to_string(),
            _ => self.to_string(),
        }
    }

    /// What they are and their name, without the path: what two names of one principal have in common.
    pub(super) fn canonical_kind(&self) -> (&'static str, &str) {
        let what = match &self.kind {
            Kind::AssumedRole { .. } | Kind::Role { .. } => "role",
            Kind::User { .. } => "user",
            Kind::FederatedUser { .. } => "federated-user",
            Kind::InstanceProfile { .. } => "instance-profile",
        };
        (what, self.friendly_name())
    }

    /// The name without account and path.
    pub(super) fn friendly_name(&self) -> &str {
        match &self.kind {
            Kind::AssumedRole { role, .. } => role,
            Kind::User { name, .. }
            | Kind::Role { name, .. }
            | Kind::FederatedUser { name }
            | Kind::InstanceProfile { name, .. } => name,
        }
    }

    /// What AWS calls `id` of somebody of this name: what is unique in it, unless it does not belong to this name.
    pub(super) fn unique_id<'a>(&self, id: &'a str) -> Option<&'a str> {
        let word = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric());
        match &self.kind {
            Kind::AssumedRole { session, .. } => {
                let (unique, of) = id.split_once(':')?;
                (word(unique) && of == session).then_some(unique)
            }
            Kind::FederatedUser { name } => {
                let (account, of) = id.split_once(':')?;
                (account == self.account && of == name).then_some(id)
            }
            Kind::User { .. } => word(id).then_some(id),
            Kind::Role { .. } | Kind::InstanceProfile { .. } => None,
        }
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (partition, account) = (&self.partition, &self.account);
        let of = |service: &str| format!("arn:{partition}:{service}::{account}:");
        let (iam, sts) = (of("iam"), of("sts"));
        match &self.kind {
            Kind::User { path, name } => write!(f, "{iam}user{path}{name}"),
            Kind::Role { path, name } => write!(f, "{iam}role{path}{name}"),
            Kind::InstanceProfile { path, name } => {
                write!(f, "{iam}instance-profile{path}{name}")
            }
            Kind::AssumedRole { role, session } => {
                write!(f, "{sts}assumed-role/{role}/{session}")
            }
            Kind::FederatedUser { name } => write!(f, "{sts}federated-user/{name}"),
        }
    }
}

/// Whom a role is bound to: one by name, or all whose names begin alike. Partition and account are always said in full.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Bound {
    One(Principal),
    /// What names begin with, without the `*`.
    All {
        prefix: String,
    },
}

impl Bound {
    /// Reads what an operator wrote.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let Some(prefix) = text.strip_suffix('*') else {
            let one = Principal::parse(text).ok_or_else(|| unknown(text))?;
            return match one.kind {
                Kind::AssumedRole { role, .. } => Err(format!(
                    "{text:?} names a session; bind the role: \"arn:{}:iam::{}:role/{role}\"",
                    one.partition, one.account
                )),
                _ => Ok(Self::One(one)),
            };
        };
        if prefix.contains('*') {
            return Err(format!("{text:?}: a wildcard can only stand at the end"));
        }
        match parts(prefix) {
            Some((_, "iam", ..)) => {}
            Some((_, "sts", _, resource)) if resource.starts_with("federated-user/") => {}
            _ => return Err(unknown(text)),
        }
        Ok(Self::All {
            prefix: prefix.to_owned(),
        })
    }

    /// Whether `name`, in full, is meant.
    pub(super) fn covers(&self, name: &str) -> bool {
        match self {
            Self::One(one) => one.to_string() == name,
            Self::All { prefix } => name.starts_with(prefix.as_str()),
        }
    }

    /// Whether it takes a role's path to know whether the role is meant.
    pub(super) fn needs_path(&self, of: &Principal) -> bool {
        let Self::All { prefix } = self else {
            return false;
        };
        let all_roles = format!("arn:{}:iam::{}:role/", of.partition, of.account);
        prefix.len() > all_roles.len() && prefix.starts_with(&all_roles)
    }
}

fn unknown(text: &str) -> String {
    format!(
        "{text:?} is not a name that can be bound: write \"arn:aws:iam::123456789012:role/NAME\" or \"arn:aws:iam::123456789012:user/NAME\"; partition and account are said in full, and a wildcard stands at the end"
    )
}

/// Partition, service, account and resource of a name that belongs to an account and to no region.
fn parts(text: &str) -> Option<(&str, &str, &str, &str)> {
    if text.len() > ARN_BYTES_MAX || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return None;
    }
    let rest = text.strip_prefix("arn:")?;
    let (partition, rest) = rest.split_once(':')?;
    let (service, rest) = rest.split_once("::")?;
    let (account, resource) = rest.split_once(':')?;
    let fine = PARTITIONS.contains(&partition) && !service.contains(':') && is_account(account);
    fine.then_some((partition, service, account, resource))
}

/// Whether a text is the number of an account.
pub(super) fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The path, between slashes, and the name.
fn pathed(rest: &str) -> Option<(String, String)> {
    let (path, name) = match rest.rsplit_once('/') {
        Some((path, name)) => (format!("/{path}/"), name),
        None => ("/".to_owned(), rest),
    };
    let fine = !path.contains("//") && !path.contains('*');
    named(name).filter(|_| fine).map(|name| (path, name))
}

fn assumed(rest: &str) -> Option<Kind> {
    let (role, session) = rest.split_once('/')?;
    Some(Kind::AssumedRole {
        role: named(role)?,
        session: named(session)?,
    })
}

/// A name as IAM takes it.
fn named(text: &str) -> Option<String> {
    let sign = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    let fine = !text.is_empty() && text.len() <= 128 && text.chars().all(sign);
    fine.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn canonical(text: &str) -> Option<String> {
        Principal::parse(text).map(|principal| principal.canonical())
    }

    #[test]
    fn a_session_is_its_role_without_the_path() {
        let role = Some("arn:aws:iam::123456789012:role/app".to_owned());
        assert_eq!(
            canonical("arn:aws:sts::123456789012:assumed-role/app/i-0abc"),
            role
        );
        assert_eq!(canonical("arn:aws:iam::123456789012:role/team/a/app"), role);
        let user = "arn:aws:iam::123456789012:user/team/ann";
        assert_eq!(canonical(user).as_deref(), Some(user));
        let federated = "arn:aws-cn:sts::123456789012:federated-user/bob";
        assert_eq!(canonical(federated).as_deref(), Some(federated));
    }

    #[test]
    fn what_is_no_principal() {
        for text in [
            "",
            "arn:aws:iam::123456789012:root",
            "arn:aws:iam::123456789012:user/",
            "arn:aws:iam::12345678901:user/a",
            "arn:aws:iam::1234567890123:user/a",
            "arn:aws:iam:us-east-1:123456789012:user/a",
            "arn:evil:iam::123456789012:user/a",
            "arn:aws:s3::123456789012:user/a",
            "arn:aws:sts::123456789012:user/a",
            "arn:aws:iam::123456789012:assumed-role/a/b",
            "arn:aws:sts::123456789012:assumed-role/a",
            "arn:aws:sts::123456789012:assumed-role/a/b/c",
            "arn:aws:iam::123456789012:user//a",
            "arn:aws:iam::123456789012:role/a//b",
            "arn:aws:iam::123456789012:role/*",
            "arn:aws:iam::123456789012:role/a b",
            "arn:aws:iam::123456789012:role/\u{430}",
            " arn:aws:iam::123456789012:role/a",
            "ARN:aws:iam::123456789012:role/a",
        ] {
            assert_eq!(Principal::parse(text), None, "{text}");
        }
    }

    #[test]
    fn an_id_belongs_to_its_name() {
        let session = Principal::parse("arn:aws:sts::123456789012:assumed-role/app/s").unwrap();
        assert_eq!(session.unique_id("AROA1:s"), Some("AROA1"));
        for wrong in ["AROA1", "AROA1:t", ":s", "AROA1:s:s", "AR:OA:s"] {
            assert_eq!(session.unique_id(wrong), None, "{wrong}");
        }
        let user = Principal::parse("arn:aws:iam::123456789012:user/a").unwrap();
        assert_eq!(user.unique_id("AIDA1"), Some("AIDA1"));
        assert_eq!(user.unique_id("AIDA1:a"), None);
        let federated = Principal::parse("arn:aws:sts::123456789012:federated-user/b").unwrap();
        assert!(federated.unique_id("123456789012:b").is_some());
        assert!(federated.unique_id("210987654321:b").is_none());
    }

    #[test]
    fn wildcards_stand_at_the_end_and_name_one_account() {
        for wrong in [
            "*",
            "arn:aws:iam::*",
            "arn:aws:iam::1234*",
            "arn:aws:iam::123456789012*",
            "arn:*:iam::123456789012:role/a",
            "arn:aws:iam::*:role/a",
            "arn:aws:iam::123456789012:role/*/a",
            "arn:aws:iam::123456789012:role/a**",
            "arn:aws:sts::123456789012:*",
            "arn:aws:sts::123456789012:assumed-role/a/*",
            "arn:aws:sts::123456789012:assumed-role/a/b",
            "arn:aws:iam::123456789012:root",
        ] {
            assert!(Bound::parse(wrong).is_err(), "{wrong}");
        }
        let role = "arn:aws:iam::123456789012:role/team/app";
        for (bound, covered) in [
            ("arn:aws:iam::123456789012:*", true),
            ("arn:aws:iam::123456789012:role/*", true),
            ("arn:aws:iam::123456789012:role/team/*", true),
            ("arn:aws:iam::123456789012:role/team/app", true),
            ("arn:aws:iam::123456789012:role/team/ap", false),
            ("arn:aws:iam::123456789012:role/app*", false),
            ("arn:aws:iam::123456789012:user/*", false),
            ("arn:aws:iam::210987654321:*", false),
            ("arn:aws-cn:iam::123456789012:*", false),
        ] {
            assert_eq!(
                Bound::parse(bound).unwrap().covers(role),
                covered,
                "{bound}"
            );
        }
    }

    #[test]
    fn a_path_is_only_needed_where_it_matters() {
        let of = Principal::parse("arn:aws:sts::123456789012:assumed-role/app/s").unwrap();
        for (bound, needed) in [
            ("arn:aws:iam::123456789012:*", false),
            ("arn:aws:iam::123456789012:role/*", false),
            ("arn:aws:iam::123456789012:role/a*", true),
            ("arn:aws:iam::210987654321:role/a*", false),
            ("arn:aws:iam::123456789012:role/app", false),
        ] {
            assert_eq!(
                Bound::parse(bound).unwrap().needs_path(&of),
                needed,
                "{bound}"
            );
        }
    }

    proptest! {
        #[test]
        fn what_is_read_is_written_alike(
            text in "arn:aws(-cn)?:(iam|sts)::[0-9]{11,13}:(user|role|assumed-role|federated-user)(/[a-z+=,.@_:*-]{0,4}){1,3}",
        ) {
            if let Some(read) = Principal::parse(&text) {
                prop_assert_eq!(read.to_string(), text);
                prop_assert_eq!(Principal::parse(&read.canonical()).unwrap().canonical(), read.canonical());
            }
        }

        #[test]
        fn nothing_panics_and_one_account_stays_one(text in "\\PC{0,60}", id in "\\PC{0,20}") {
            if let Some(read) = Principal::parse(&text) {
                read.unique_id(&id);
            }
            if let Ok(bound) = Bound::parse(&text) {
                let others = "arn:aws:iam::999999999999:role/x";
                prop_assert!(!bound.covers(others) || text.contains("999999999999"));
            }
        }

        #[test]
        fn a_prefix_never_reaches_another_account(
            tail in "[a-z/*:-]{0,12}", other in "[0-9]{12}", name in "[a-z]{1,8}",
        ) {
            prop_assume!(other != "123456789012");
            if let Ok(bound) = Bound::parse(&format!("arn:aws:iam::123456789012:{tail}*")) {
                let foreign = format!("arn:aws:iam::{other}:role/{name}");
                prop_assert!(!bound.covers(&foreign));
            }
        }
    }
}
