use serde::Deserialize;
use serde_json::json;

use super::Sys;
use crate::{Error, Method, Request};

impl Sys<'_> {
    /// The names of all policies.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn policies(&self) -> Result<Vec<String>, Error> {
        #[derive(Deserialize)]
        struct Answer {
            keys: Vec<String>,
        }
        let request = Request::new(Method::Get, "sys/policies/acl").query("list", "true");
        Ok(self
            .client
            .send(request)
            .await?
            .ok()?
            .data::<Answer>()?
            .keys)
    }

    /// The text of a policy; `None` if there is none of that name.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn policy(&self, name: &str) -> Result<Option<String>, Error> {
        let request = Request::new(Method::Get, format!("sys/policies/acl/{name}"));
        let data = self
            .client
            .send(request)
            .await?
            .secret()?
            .and_then(|secret| secret.data);
        Ok(data.and_then(|data| data.get("policy")?.as_str().map(str::to_owned)))
    }

    /// Writes a policy (HCL or JSON).
    ///
    /// # Errors
    /// Any [`Error`]; 400 for a text that does not parse, saying where.
    pub async fn write_policy(&self, name: &str, text: &str) -> Result<(), Error> {
        self.done(
            Method::Put,
            &format!("sys/policies/acl/{name}"),
            &json!({ "policy": text }),
        )
        .await
    }

    /// Deletes a policy; tokens that bear its name lose what it granted.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn delete_policy(&self, name: &str) -> Result<(), Error> {
        self.delete(&format!("sys/policies/acl/{name}")).await
    }
}
