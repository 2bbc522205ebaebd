//! Who may do what: access policies as Vault defines them.
//!
//! [`Policy::parse`] reads text (HCL or JSON) into [`Rule`]s, [`Acl::compile`] merges the rules of several policies
//! into a radix tree, [`Acl::decide`] answers a [`Question`] by one rule: the exact one for the path, else the most
//! specific with a wildcard; [`Acl::explain`] says why. [`Policies`] keeps policies behind the barrier and compiled
//! ones in memory.
//!
//! Of two wildcard rules the more specific is found by comparing, in this order: the first `+` or `*` comes later; it
//! does not end with `*`; it has fewer `+`; it is longer; it comes later in the alphabet. That the rules mean what the
//! reference server makes of them is held by its recorded answers in `tests/policy_recorded.rs`.

mod acl;
pub mod builtin;
mod capability;
mod control;
mod error;
mod explanation;
mod fault;
mod order;
mod parameters;
mod parse;
mod record;
mod rule;
mod store;
mod template;
mod tree;

#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use acl::{Acl, Question, Source, Verdict};
pub use capability::Capabilities;
pub use control::{Control, Controlled, Factor};
pub use error::Error;
pub use explanation::{Considered, Explanation, Objection};
pub use parameters::Parameters;
pub use parse::{MAX_PATH_BYTES, MAX_PATHS_PER_POLICY};
pub use record::{Entry, Patch, Put};
pub use rule::{Grant, Pattern, Rule};
pub use store::{MAX_NAME_BYTES, Policies, normal_name};
pub use template::{Identity, Latitude};

/// A parsed policy.
#[derive(Clone, Debug)]
pub struct Policy {
    name: Arc<str>,
    rules: Vec<Rule>,
    latitude: Latitude,
}

impl Policy {
    /// Reads a policy that is to be called `name`.
    ///
    /// # Errors
    /// The first thing that is wrong, with its line and what to do.
    pub fn parse(name: &str, text: &str) -> Result<Self, Error> {
        Ok(Self {
            name: name.into(),
            rules: parse::parse(text)?,
            latitude: Latitude::default(),
        })
    }

    /// The same policy, with what values of identities may hold that its templates are filled with.
    #[must_use]
    pub fn with_latitude(self, latitude: Latitude) -> Self {
        Self { latitude, ..self }
    }

    /// What it is called.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Its rules, in the order they were written.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Whether some of its paths depend on who asks; see [`Policy::render`].
    pub fn is_templated(&self) -> bool {
        self.rules
            .iter()
            .any(|rule| matches!(rule.pattern, Pattern::Template(_)))
    }

    fn with_rules(&self, rules: Vec<Rule>) -> Self {
        Self {
            name: Arc::clone(&self.name),
            rules,
            latitude: self.latitude,
        }
    }
}
