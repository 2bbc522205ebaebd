//! What the API server of a cluster is asked.

use std::collections::BTreeMap;

use coffer_crypto::Zeroizing;
use coffer_engine::outbound::{Request, Response};
use coffer_engine::{Ctx, Fault};
use coffer_wire::parse_foreign;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use url::Url;

use super::config::Config;
use super::pod::Pod;
use super::service_account::ServiceAccount;
use crate::address;
use crate::issuer::{Place, Source};

/// The longest answer that is read, in bytes: objects of a cluster have up to a megabyte and a half.
const ANSWER_BYTES_MAX: usize = 2 << 20;

/// The API server, and how it is asked.
pub(super) struct Cluster {
    base: Url,
    roots: String,
    /// The token of this server's own that it asks with, if it has one.
    own: Option<Zeroizing<String>>,
}

impl Cluster {
    /// The cluster of the configuration. What this server's own pod has is read now.
    pub(super) async fn of(config: &Config, pod: &Pod) -> Result<Self, Fault> {
        let base = address::base("kubernetes_host", &config.host)?;
        let roots = match config.ca.is_empty() && base.scheme() == "https" {
            true => pod.ca().await.map_err(Fault::upstream)?,
            false => config.ca.clone(),
        };
        let own = match (config.reviewer.expose().is_empty(), config.not_as_a_pod) {
            (false, _) => Some(Zeroizing::new(config.reviewer.expose().clone())),
            (true, false) => pod.token().await.map_err(Fault::upstream)?,
            (true, true) => None,
        };
        Ok(Self { base, roots, own })
    }

    /// Where the keys come from that tokens must be signed by, if they are looked at here.
    pub(super) fn keys(&self, config: &Config) -> Result<Option<Source>, Fault> {
        if !config.keys.is_empty() {
            return Ok(Some(Source::Pem(config.keys.clone())));
        }
        if !config.without_review {
            return Ok(None);
        }
        Ok(Some(Source::Jwks(Place {
            url: self.at(&["openid", "v1", "jwks"])?,
            roots: self.roots.clone(),
            bearer: self.own.clone(),
        })))
    }

    /// Whose token that is, if the API server vouches for it, and that it is meant for one of `audiences` where there
    /// are any.
    pub(super) async fn review(
        &self,
        cx: &Ctx,
        token: &str,
        audiences: &[String],
    ) -> Result<ServiceAccount, Fault> {
        let mut spec = json!({ "token": token });
        if let (false, Some(spec)) = (audiences.is_empty(), spec.as_object_mut()) {
            spec.insert("audiences".into(), json!(audiences));
        }
        let review = json!({
            "apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": spec,
        });
        let bearer = self.own.as_ref().map_or(token, |own| own.as_str());
        let url = self.at(&["apis", "authentication.k8s.io", "v1", "tokenreviews"])?;
        let body = serde_json::to_vec(&review).map_err(Fault::internal)?;
        let request = Request::post(url, "application/json", body);
        let answer = self.asked(cx, request, bearer).await?;
        // Who may not even ask, by the token that is reviewed, has shown none that is good.
        if self.own.is_none() && matches!(answer.status, 401 | 403) {
            return Err(Fault::Denied);
        }
        let review: Review = understood(&answer)?;
        review.status.account(audiences).ok_or(Fault::Denied)
    }

    /// The labels of a namespace; none where there is no such namespace.
    pub(super) async fn labels(
        &self,
        cx: &Ctx,
        namespace: &str,
    ) -> Result<Option<BTreeMap<String, String>>, Fault> {
        let own = self.own.as_ref().ok_or_else(|| {
            Fault::Forbidden(
                "namespace not authorized: labels of namespaces can be read with a token_reviewer_jwt alone".into(),
            )
        })?;
        if !is_label(namespace) {
            return Ok(None);
        }
        let url = self.at(&["api", "v1", "namespaces", namespace])?;
        let answer = self.asked(cx, Request::get(url), own).await?;
        if answer.status == 404 {
            return Ok(None);
        }
        let found: Namespace = understood(&answer)?;
        Ok((found.metadata.name == namespace).then_some(found.metadata.labels))
    }

    /// An address below the API server's own.
    fn at(&self, segments: &[&str]) -> Result<String, Fault> {
        address::below(&self.base, segments)
    }

    async fn asked(&self, cx: &Ctx, request: Request, bearer: &str) -> Result<Response, Fault> {
        let mut request = request
            .with("authorization", format!("Bearer {bearer}"))
            .with("accept", "application/json")
            .trusting(self.roots.clone());
        request.most = ANSWER_BYTES_MAX;
        cx.fetch(request).await.map_err(|fault| match fault {
            Fault::Upstream(why) => {
                Fault::Upstream(format!("the API server of the cluster: {why}"))
            }
            other => other,
        })
    }
}

/// Whether a namespace can be called so (RFC 1123).
fn is_label(name: &str) -> bool {
    let known = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    !name.is_empty() && name.len() <= 63 && name.chars().all(known)
}

fn understood<T: DeserializeOwned>(answer: &Response) -> Result<T, Fault> {
    if !matches!(answer.status, 200..=299) {
        return Err(Fault::Upstream(format!(
            "the API server of the cluster answered {} to what it was asked",
            answer.status
        )));
    }
    parse_foreign(&answer.body).map_err(|_| {
        Fault::upstream("the API server of the cluster answered nothing that is understood")
    })
}

#[derive(Deserialize)]
struct Review {
    status: Status,
}

/// What a review says.
#[derive(Deserialize)]
struct Status {
    #[serde(default)]
    authenticated: bool,
    #[serde(default)]
    user: User,
    #[serde(default)]
    audiences: Vec<String>,
    #[serde(default)]
    error: String,
}

#[derive(Default, Deserialize)]
struct User {
    #[serde(default)]
    username: String,
    #[serde(default)]
    uid: String,
}

impl Status {
    /// Whom it vouches for. An API server that knows nothing of audiences says of none that the token is meant for it.
    fn account(&self, audiences: &[String]) -> Option<ServiceAccount> {
        let meant = audiences.is_empty() || self.audiences.iter().any(|of| audiences.contains(of));
        let vouched = self.authenticated && self.error.is_empty() && meant;
        ServiceAccount::of_username(&self.user.username, &self.user.uid).filter(|_| vouched)
    }
}

#[derive(Deserialize)]
struct Namespace {
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Metadata {
    name: String,
    #[serde(default)]
    labels: BTreeMap<String, String>,
}
