//! Token roles: templates for tokens that others may create.

use std::time::Duration;

use coffer_barrier::Stored;
use coffer_engine::Fault;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::store::Tokens;
use crate::identity::name::normal;

/// One token role, as stored under `sys/token/role/<name>`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct TokenRole {
    /// Policies that may be asked for; empty for no restriction by name.
    pub allowed_policies: Vec<String>,
    /// As `allowed_policies`, with `*` as wildcard.
    pub allowed_policies_glob: Vec<String>,
    /// Policies that may not be asked for.
    pub disallowed_policies: Vec<String>,
    /// As `disallowed_policies`, with `*` as wildcard.
    pub disallowed_policies_glob: Vec<String>,
    /// Entity aliases that may be asked for.
    pub allowed_entity_aliases: Vec<String>,
    /// Tokens have no parent.
    pub orphan: bool,
    /// Tokens can be renewed.
    pub renewable: bool,
    /// Appended to the path that is recorded with the token.
    pub path_suffix: String,
    /// Renewals set the lifetime to this; zero for none.
    pub token_period: Duration,
    /// A bound that renewals never pass; zero for none.
    pub token_explicit_max_ttl: Duration,
    /// Addresses tokens may come from.
    pub token_bound_cidrs: Vec<IpNet>,
    /// Leaves out the `default` policy.
    pub token_no_default_policy: bool,
    /// How many requests a token may make; 0 for no limit.
    pub token_num_uses: u64,
    /// Service or batch tokens, and who says so.
    pub token_type: RoleTokenType,
    /// Which settings were written by their old names, and are shown by them, too.
    pub old_names: OldNames,
}

/// Settings that were written by the name they had before `token_` was put in front.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct OldNames {
    /// `period`.
    pub period: bool,
    /// `explicit_max_ttl`.
    pub explicit_max_ttl: bool,
    /// `bound_cidrs`.
    pub bound_cidrs: bool,
}

/// Which kind of token a role makes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RoleTokenType {
    /// Service, unless the request says batch.
    #[default]
    DefaultService,
    /// Batch, unless the request says service.
    DefaultBatch,
    /// Service, whatever the request says.
    Service,
    /// Batch, whatever the request says.
    Batch,
}

impl Stored for TokenRole {
    const MAX_BYTES: usize = 64 * 1024;
}

impl Default for TokenRole {
    fn default() -> Self {
        Self {
            allowed_policies: Vec::new(),
            allowed_policies_glob: Vec::new(),
            disallowed_policies: Vec::new(),
            disallowed_policies_glob: Vec::new(),
            allowed_entity_aliases: Vec::new(),
            orphan: false,
            renewable: true,
            path_suffix: String::new(),
            token_period: Duration::ZERO,
            token_explicit_max_ttl: Duration::ZERO,
            token_bound_cidrs: Vec::new(),
            token_no_default_policy: false,
            token_num_uses: 0,
            token_type: RoleTokenType::default(),
            old_names: OldNames::default(),
        }
    }
}

impl RoleTokenType {
    /// The type of that name; an empty name is the default.
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "" | "default-service" => Self::DefaultService,
            "default-batch" => Self::DefaultBatch,
            "service" => Self::Service,
            "batch" => Self::Batch,
            _ => return None,
        })
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::DefaultService => "default-service",
            Self::DefaultBatch => "default-batch",
            Self::Service => "service",
            Self::Batch => "batch",
        }
    }
}

impl TokenRole {
    /// Whether it names policies, in one way or another, that may be asked for.
    pub fn restricts(&self) -> bool {
        !self.allowed_policies.is_empty() || !self.allowed_policies_glob.is_empty()
    }

    /// Whether it names policies that may not be asked for.
    pub fn forbids(&self) -> bool {
        !self.disallowed_policies.is_empty() || !self.disallowed_policies_glob.is_empty()
    }

    /// Whether the policy may not be asked for.
    pub fn disallows(&self, policy: &str) -> bool {
        self.disallowed_policies.iter().any(|name| name == policy)
            || self
                .disallowed_policies_glob
                .iter()
                .any(|glob| matches(glob, policy))
    }

    /// Whether its tokens may speak for the entity of this alias.
    pub fn allows_alias(&self, alias: &str) -> bool {
        let alias = normal(alias);
        let allowed = self.allowed_entity_aliases.iter();
        allowed
            .into_iter()
            .any(|glob| matches(&normal(glob), &alias))
    }

    /// Whether the policy may be asked for, of a role that [restricts](Self::restricts).
    pub fn allows(&self, policy: &str) -> bool {
        self.allowed_policies.iter().any(|name| name == policy)
            || self
                .allowed_policies_glob
                .iter()
                .any(|glob| matches(glob, policy))
    }
}

impl Tokens {
    /// The role of that name.
    pub async fn role(&self, namespace: &str, name: &str) -> Result<Option<TokenRole>, Fault> {
        Ok(self.view.get(&place(namespace, name)).await?)
    }

    /// Makes or changes a role as if nobody else did; answers what `change` answers.
    pub async fn change_role<R>(
        &self,
        namespace: &str,
        name: &str,
        change: impl Fn(&mut TokenRole) -> Result<R, Fault> + Send + Sync,
    ) -> Result<R, Fault> {
        let change = |old: Option<TokenRole>| {
            let mut role = old.unwrap_or_default();
            let result = change(&mut role)?;
            Ok((Some(role), result))
        };
        self.view.update(&place(namespace, name), change).await
    }

    /// Removes a role, if it is there. Its tokens live on, and can not be renewed.
    pub async fn delete_role(&self, namespace: &str, name: &str) -> Result<(), Fault> {
        Ok(self.view.delete(&place(namespace, name)).await?)
    }

    /// The names of all roles of a namespace, in order.
    pub async fn roles(&self, namespace: &str) -> Result<Vec<String>, Fault> {
        Ok(self.view.list_all(&place(namespace, "")).await?)
    }
}

pub(super) fn place(namespace: &str, name: &str) -> String {
    match namespace {
        "" => format!("role/{name}"),
        id => format!("ns-role/{id}/{name}"),
    }
}

/// Whether a text matches a glob, in which every `*` stands for any characters.
fn matches(glob: &str, text: &str) -> bool {
    let Some((first, rest)) = glob.split_once('*') else {
        return glob == text;
    };
    let Some(mut text) = text.strip_prefix(first) else {
        return false;
    };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        match text.find(part) {
            Some(at) => text = text.get(at + part.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    text.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn globs() {
        for (glob, text) in [
            ("app-*", "app-"),
            ("*", ""),
            ("a*b*c", "abbc"),
            ("*x", "x"),
            ("a", "a"),
            ("a**b", "ab"),
            ("*ä*", "zäz"),
        ] {
            assert!(matches(glob, text), "{glob} {text}");
        }
        for (glob, text) in [
            ("app-*", "ap"),
            ("a*a", "a"),
            ("a*b*c", "acb"),
            ("a", "ab"),
            ("*x", "xy"),
            ("ab*ba", "aba"),
        ] {
            assert!(!matches(glob, text), "{glob} {text}");
        }
    }
}
