//! Which policies a new token gets.

use coffer_engine::Fault;

use crate::tokens::issue::normal;
use crate::tokens::{TokenRecord, TokenRole};

/// What is known when the policies of a new token are decided.
pub(super) struct Choice<'a> {
    /// The policies asked for, in normal form; empty for those of the parent or role.
    pub asked: Vec<String>,
    /// The request wants no `default` policy.
    pub no_default: bool,
    /// The token that asks.
    pub parent: &'a TokenRecord,
    /// Whether it is of another namespace: policies of its names are not those that it has.
    pub from_outside: bool,
    /// Whether it is root or has `sudo` here.
    pub privileged: bool,
    /// The role that is used.
    pub role: Option<&'a TokenRole>,
}

/// The policies, and whether `default` is left out of them.
pub(super) struct Chosen {
    /// Sorted, without doubles.
    pub policies: Vec<String>,
    /// Whether `default` is not to be added any more.
    pub no_default: bool,
}

impl Choice<'_> {
    /// Decides, or says which rule is in the way.
    pub fn decide(self) -> Result<Chosen, Fault> {
        let chosen = match self.role {
            Some(role) if role.restricts() || role.forbids() => self.by_role(role)?,
            _ => self.by_parent()?,
        };
        if chosen
            .policies
            .iter()
            .any(|policy| policy == crate::policy::builtin::RESPONSE_WRAPPING)
        {
            return Err(Fault::invalid("cannot assign policy \"response-wrapping\""));
        }
        if chosen.policies.iter().any(|policy| policy == "root") && !self.parent.is_root() {
            return Err(Fault::invalid(
                "root tokens may not be created without parent token being root",
            ));
        }
        Ok(chosen)
    }

    /// A role that names policies decides instead of the parent.
    fn by_role(&self, role: &TokenRole) -> Result<Chosen, Fault> {
        let no_default =
            self.no_default || role.token_no_default_policy || role.disallows("default");
        let policies = if role.restricts() {
            self.within(role, no_default)?
        } else if self.asked.is_empty() {
            self.inherited(no_default)
        } else {
            sorted(self.asked.clone())
        };
        match policies.iter().find(|policy| role.disallows(policy)) {
            Some(policy) => Err(Fault::Invalid(format!(
                "token policy {policy:?} is disallowed by this role"
            ))),
            None => Ok(Chosen {
                policies,
                no_default,
            }),
        }
    }

    /// The policies asked for, which the role must allow, or else all that it names.
    fn within(&self, role: &TokenRole, no_default: bool) -> Result<Vec<String>, Fault> {
        let default = (!no_default).then(|| "default".to_owned());
        let allowed = sorted(
            normal(&role.allowed_policies)
                .chain(default.clone())
                .collect(),
        );
        if self.asked.is_empty() {
            return Ok(allowed);
        }
        let policies = sorted(self.asked.iter().cloned().chain(default).collect());
        let fits = |policy: &String| allowed.contains(policy) || role.allows(policy);
        if policies.iter().all(fits) {
            return Ok(policies);
        }
        Err(Fault::Invalid(format!(
            "token policies ({}) must be subset of the role's allowed policies ({}) or glob policies ({})",
            listed(&policies),
            listed(&allowed),
            listed(&role.allowed_policies_glob),
        )))
    }

    /// Without a role that decides, a token gets no more than its parent has, unless that may do all.
    fn by_parent(&self) -> Result<Chosen, Fault> {
        let no_default =
            self.no_default || self.role.is_some_and(|role| role.token_no_default_policy);
        if self.asked.is_empty() {
            return Ok(Chosen {
                policies: self.inherited(no_default),
                no_default: true,
            });
        }
        let policies = sorted(self.asked.clone());
        if self.privileged {
            return Ok(Chosen {
                policies,
                no_default,
            });
        }
        let held = |policy: &String| match self.from_outside {
            true => policy == "default",
            false => self.parent.policies.contains(policy),
        };
        if !policies.iter().all(held) {
            return Err(Fault::invalid("child policies must be subset of parent"));
        }
        let parent_has_default = self.from_outside
            || self
                .parent
                .policies
                .iter()
                .any(|policy| policy == "default");
        Ok(Chosen {
            policies,
            no_default: no_default || !parent_has_default,
        })
    }

    fn inherited(&self, no_default: bool) -> Vec<String> {
        let mut policies = match self.from_outside {
            true => vec!["default".to_owned()],
            false => self.parent.policies.clone(),
        };
        policies.retain(|policy| policy != "default" || !no_default);
        policies
    }
}

fn sorted(mut policies: Vec<String>) -> Vec<String> {
    policies.sort();
    policies.dedup();
    policies
}

/// As Go prints a list of quoted texts.
fn listed(policies: &[String]) -> String {
    let quoted: Vec<String> = policies
        .iter()
        .map(|policy| format!("{policy:?}"))
        .collect();
    format!("[{}]", quoted.join(" "))
}
