use serde_json::{Value, json};

use super::Sys;
use crate::{Error, Method, Request, Token};

impl Sys<'_> {
    /// What a token (`None`: one's own) may do at `path`.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn capabilities(
        &self,
        token: Option<&Token>,
        path: &str,
    ) -> Result<Vec<String>, Error> {
        let (endpoint, body) = match token {
            None => ("sys/capabilities-self", json!({ "path": path })),
            Some(token) => ("sys/capabilities", json!({ "path": path, "token": token })),
        };
        let request = Request::new(Method::Post, endpoint).json(&body)?;
        let data: Value = self.client.send(request).await?.ok()?.data()?;
        // The path itself is a field of the answer too; `capabilities` holds the same where one path was asked about.
        let found = data
            .get(path)
            .or_else(|| data.get("capabilities"))
            .and_then(Value::as_array);
        Ok(found
            .into_iter()
            .flatten()
            .filter_map(|word| word.as_str().map(str::to_owned))
            .collect())
    }
}
