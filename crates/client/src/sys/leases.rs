use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Sys;
use crate::{Error, Method, Request, Secret, nullable};

impl Sys<'_> {
    /// When a lease was issued, ends, and whether it renews.
    ///
    /// # Errors
    /// Any [`Error`]; 400 for an unknown lease.
    pub async fn lookup_lease(&self, lease_id: &str) -> Result<Secret, Error> {
        self.put("sys/leases/lookup", &json!({ "lease_id": lease_id }))
            .await
    }

    /// Renews a lease; `increment_secs` is a wish, counted from now.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn renew_lease(
        &self,
        lease_id: &str,
        increment_secs: Option<u64>,
    ) -> Result<Secret, Error> {
        let mut body = json!({ "lease_id": lease_id });
        if let (Some(secs), Some(fields)) = (increment_secs, body.as_object_mut()) {
            fields.insert("increment".to_owned(), Value::from(secs));
        }
        self.put("sys/leases/renew", &body).await
    }

    /// Revokes a lease: queued, or with `sync` done when this returns.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn revoke_lease(&self, lease_id: &str, sync: bool) -> Result<(), Error> {
        self.done(
            Method::Put,
            "sys/leases/revoke",
            &json!({ "lease_id": lease_id, "sync": sync }),
        )
        .await
    }

    /// Revokes every lease below `prefix`.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn revoke_prefix(&self, prefix: &str, how: RevokePrefix) -> Result<(), Error> {
        let prefix = prefix.trim_matches('/');
        match how {
            RevokePrefix::Queued | RevokePrefix::Sync => {
                let body = json!({ "sync": how == RevokePrefix::Sync });
                self.done(
                    Method::Put,
                    &format!("sys/leases/revoke-prefix/{prefix}"),
                    &body,
                )
                .await
            }
            RevokePrefix::Forced => {
                self.done(
                    Method::Put,
                    &format!("sys/leases/revoke-force/{prefix}"),
                    &json!({}),
                )
                .await
            }
        }
    }

    /// The names of leases and folders of leases below `prefix`.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn leases(&self, prefix: &str) -> Result<Vec<String>, Error> {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Answer {
            #[serde(with = "nullable")]
            keys: Vec<String>,
        }
        let request =
            Request::new(Method::Get, format!("sys/leases/lookup/{prefix}")).query("list", "true");
        let data = self
            .client
            .send(request)
            .await?
            .secret()?
            .and_then(|secret| secret.data);
        let answer = data.map(serde_json::from_value::<Answer>).transpose();
        Ok(answer.ok().flatten().unwrap_or_default().keys)
    }
}

/// How a whole prefix of leases is revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RevokePrefix {
    /// The server works through them after it has answered.
    Queued,
    /// All are revoked when the call returns.
    Sync,
    /// Forgotten even where the target system refuses: what was issued may live on there.
    Forced,
}

/// A lease as its lookup describes it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Lease {
    /// The lease.
    pub id: String,
    /// When it was issued, RFC 3339.
    pub issue_time: String,
    /// When it ends, RFC 3339.
    pub expire_time: Option<String>,
    /// When it was last renewed, RFC 3339.
    pub last_renewal: Option<String>,
    /// Whether it renews.
    pub renewable: bool,
    /// Seconds left.
    pub ttl: i64,
}
