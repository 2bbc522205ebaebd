use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{Auth, Client, Error, Method, Request, Secret, Token};

/// Calls below `auth/token/`.
#[derive(Clone, Copy)]
pub struct Tokens<'a> {
    client: &'a Client,
}

impl<'a> Tokens<'a> {
    pub(crate) fn new(client: &'a Client) -> Self {
        Self { client }
    }

    /// Creates a token.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn create(&self, what: &TokenCreate) -> Result<Secret, Error> {
        let path = match what {
            TokenCreate {
                role: Some(role), ..
            } => format!("auth/token/create/{role}"),
            TokenCreate { orphan: true, .. } => "auth/token/create-orphan".to_owned(),
            _ => "auth/token/create".to_owned(),
        };
        self.client
            .send(Request::new(Method::Post, path).json(what)?.wrappable())
            .await?
            .ok()?
            .json()
    }

    /// What the client's own token is.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn lookup_self(&self) -> Result<Secret, Error> {
        self.client
            .send(Request::new(Method::Get, "auth/token/lookup-self"))
            .await?
            .ok()?
            .json()
    }

    /// What another token is.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn lookup(&self, token: &Token) -> Result<Secret, Error> {
        self.post("lookup", &json!({ "token": token })).await
    }

    /// What the token behind an accessor is; the token itself stays unknown.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn lookup_accessor(&self, accessor: &str) -> Result<Secret, Error> {
        self.post("lookup-accessor", &json!({ "accessor": accessor }))
            .await
    }

    /// Renews the client's own token; the increment in seconds is a wish, counted from now.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn renew_self(&self, increment_secs: Option<u64>) -> Result<Secret, Error> {
        self.renewed("renew-self", json!({}), increment_secs).await
    }

    /// Renews another token.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn renew(&self, token: &Token, increment_secs: Option<u64>) -> Result<Secret, Error> {
        self.renewed("renew", json!({ "token": token }), increment_secs)
            .await
    }

    /// Renews the token behind an accessor.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn renew_accessor(
        &self,
        accessor: &str,
        increment_secs: Option<u64>,
    ) -> Result<Secret, Error> {
        self.renewed(
            "renew-accessor",
            json!({ "accessor": accessor }),
            increment_secs,
        )
        .await
    }

    /// Revokes the client's own token with its children and leases.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn revoke_self(&self) -> Result<(), Error> {
        self.done("revoke-self", &json!({})).await
    }

    /// Revokes a token with its children and leases.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn revoke(&self, token: &Token) -> Result<(), Error> {
        self.done("revoke", &json!({ "token": token })).await
    }

    /// Revokes a token and its leases; its children live on as orphans.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn revoke_orphan(&self, token: &Token) -> Result<(), Error> {
        self.done("revoke-orphan", &json!({ "token": token })).await
    }

    /// Revokes the token behind an accessor with its children and leases.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn revoke_accessor(&self, accessor: &str) -> Result<(), Error> {
        self.done("revoke-accessor", &json!({ "accessor": accessor }))
            .await
    }

    async fn renewed(
        &self,
        endpoint: &str,
        mut body: Value,
        increment_secs: Option<u64>,
    ) -> Result<Secret, Error> {
        if let (Some(secs), Some(fields)) = (increment_secs, body.as_object_mut()) {
            fields.insert("increment".to_owned(), Value::from(secs));
        }
        let request = Request::new(Method::Put, format!("auth/token/{endpoint}")).json(&body)?;
        self.client.send(request).await?.ok()?.json()
    }

    async fn post(&self, endpoint: &str, body: &Value) -> Result<Secret, Error> {
        let request = Request::new(Method::Post, format!("auth/token/{endpoint}")).json(body)?;
        self.client.send(request).await?.ok()?.json()
    }

    async fn done(&self, endpoint: &str, body: &Value) -> Result<(), Error> {
        let request = Request::new(Method::Put, format!("auth/token/{endpoint}")).json(body)?;
        self.client.send(request).await?.ok().map(drop)
    }
}

/// The token to create. What is left `None` or empty takes the server's default.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct TokenCreate {
    /// The token itself, if it must be a chosen one (root only).
    #[serde(skip_serializing_if = "Token::is_empty")]
    pub id: Token,
    /// Its policies; none for those of the creator.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub policies: Vec<String>,
    /// What the audit log notes about it.
    #[serde(rename = "meta", skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
    /// How long it lives unless renewed: a duration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl: Option<String>,
    /// How long it lives at most: a duration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explicit_max_ttl: Option<String>,
    /// The time each renewal gives a periodic token: a duration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period: Option<String>,
    /// Whether the policy `default` is left out.
    pub no_default_policy: bool,
    /// A name for people.
    pub display_name: String,
    /// How many requests it may make; 0 for no limit.
    pub num_uses: u64,
    /// Whether it can be renewed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub renewable: Option<bool>,
    /// `service` or `batch`.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub token_type: Option<String>,
    /// The entity's alias to tie it to (with a role).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entity_alias: Option<String>,
    /// Whether it outlives its creator.
    #[serde(skip)]
    pub orphan: bool,
    /// The token role to create it by.
    #[serde(skip)]
    pub role: Option<String>,
}

impl Secret {
    /// The token this answer brings, or the error that it brings none.
    ///
    /// # Errors
    /// [`Error::Decode`] where there is no token.
    pub fn token(&self) -> Result<&Auth, Error> {
        self.auth.as_ref().ok_or_else(|| Error::Decode {
            url: "auth".to_owned(),
            reason: "the answer brings no token".to_owned(),
        })
    }
}
