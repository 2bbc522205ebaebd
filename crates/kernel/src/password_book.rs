//! The password policies that operators wrote.

use coffer_barrier::{Stored, View};
use coffer_crypto::{Random, Secret};
use coffer_engine::Fault;
use serde::{Deserialize, Serialize};

use crate::passwords::PasswordPolicy;

/// Password policies by name.
pub struct Passwords {
    view: View,
}

/// One policy, as stored under `sys/password-policy/<name>`: its text, exactly as it was written.
#[derive(Serialize, Deserialize)]
struct Written {
    text: String,
}

impl Stored for Written {}

impl Passwords {
    /// The policies in this view.
    pub fn new(view: View) -> Self {
        Self { view }
    }

    /// The text of a policy.
    pub async fn get(&self, name: &str) -> Result<Option<String>, Fault> {
        Ok(self
            .view
            .get::<Written>(name)
            .await?
            .map(|written| written.text))
    }

    /// Writes a policy once it is known to work.
    pub async fn put(&self, name: &str, text: String) -> Result<(), Fault> {
        PasswordPolicy::parse(&text).map_err(Fault::Invalid)?;
        Ok(self.view.put(name, &Written { text }).await?)
    }

    /// Removes a policy.
    pub async fn delete(&self, name: &str) -> Result<(), Fault> {
        Ok(self.view.delete(name).await?)
    }

    /// The names, in order.
    pub async fn list(&self) -> Result<Vec<String>, Fault> {
        Ok(self.view.list_all("").await?)
    }

    /// A password by the named policy; by the built-in one when the name is empty.
    pub async fn generate(&self, name: &str, random: &Random) -> Result<Secret<String>, Fault> {
        let policy = match name {
            "" => PasswordPolicy::default_policy(),
            name => {
                let missing = || {
                    Fault::Invalid(format!(
                        "there is no password policy {name:?}; write it at sys/policies/password/{name}"
                    ))
                };
                let text = self.get(name).await?.ok_or_else(missing)?;
                PasswordPolicy::parse(&text).map_err(Fault::Invalid)?
            }
        };
        policy
            .generate(random)
            .map_err(|error| Fault::Invalid(error.to_string()))
    }
}
