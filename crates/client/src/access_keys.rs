use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Client, Error, Method, Request, Secret};

/// Where access keys are.
const PATH: &str = "auth/token/access-keys";

/// Access keys: tokens that are shown by signing requests, as clients of AWS do.
#[derive(Clone, Copy)]
pub struct AccessKeys<'a> {
    client: &'a Client,
}

/// The access key to create. What is left `None` or empty takes the server's default.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct AccessKeyCreate {
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
    /// Whether the policy `default` is left out.
    pub no_default_policy: bool,
    /// A name for people.
    pub display_name: String,
    /// How many requests it may sign; 0 for no limit.
    pub num_uses: u64,
    /// Whether it outlives its creator; needs root or sudo.
    #[serde(rename = "no_parent")]
    pub orphan: bool,
    /// The token role to create it by.
    #[serde(skip)]
    pub role: Option<String>,
}

impl<'a> AccessKeys<'a> {
    pub(crate) fn new(client: &'a Client) -> Self {
        Self { client }
    }

    /// Creates an access key. Its secret is in this answer and in no other.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn create(&self, what: &AccessKeyCreate) -> Result<Secret, Error> {
        let path = match &what.role {
            Some(role) => format!("{PATH}/role/{role}"),
            None => PATH.to_owned(),
        };
        let request = Request::new(Method::Post, path).json(what)?.wrappable();
        self.client.send(request).await?.ok()?.json()
    }

    /// The access keys of the namespace; `None` where there are none.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn list(&self) -> Result<Option<Secret>, Error> {
        self.client.list(PATH, &[]).await
    }

    /// What an access key is; its secret is not told.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn lookup(&self, id: &str) -> Result<Secret, Error> {
        let request = Request::new(Method::Get, format!("{PATH}/{id}"));
        self.client.send(request).await?.ok()?.json()
    }

    /// Ends an access key with the token that it stands for.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn revoke(&self, id: &str) -> Result<(), Error> {
        let request = Request::new(Method::Delete, format!("{PATH}/{id}"));
        self.client.send(request).await?.ok().map(drop)
    }
}
