//! What Google is asked.

use std::collections::BTreeMap;

use coffer_engine::outbound::{Request, Response};
use coffer_engine::{Ctx, Fault};
use coffer_wire::parse_foreign;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::Gcp;
use super::config::Config;
use super::identity::Instance;
use crate::address;
use crate::issuer::{Place, Source};

/// How many pages of the machines of a group are read, of five hundred each.
const PAGES_MAX: usize = 10;

/// Google, as a mount asks it for one login.
pub(super) struct Google<'a> {
    pub(super) cx: &'a Ctx,
    pub(super) engine: &'a Gcp,
    pub(super) config: &'a Config,
}

/// What Google says of a service account.
#[derive(Deserialize)]
pub(super) struct Account {
    pub(super) email: String,
    #[serde(rename = "uniqueId")]
    pub(super) unique_id: String,
    #[serde(rename = "projectId")]
    pub(super) project: String,
    #[serde(default)]
    pub(super) disabled: bool,
}

/// What Google says of a machine.
#[derive(Deserialize)]
pub(super) struct Machine {
    pub(super) id: String,
    #[serde(rename = "selfLink")]
    link: String,
    #[serde(default)]
    pub(super) labels: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Members {
    #[serde(default)]
    items: Vec<Member>,
    #[serde(default, rename = "nextPageToken")]
    next: String,
}

#[derive(Deserialize)]
struct Member {
    instance: String,
}

#[derive(Deserialize)]
struct Ancestry {
    #[serde(default)]
    ancestor: Vec<Ancestor>,
}

#[derive(Deserialize)]
struct Ancestor {
    #[serde(rename = "resourceId")]
    resource: Resource,
}

#[derive(Deserialize)]
struct Resource {
    #[serde(rename = "type")]
    kind: String,
    id: String,
}

impl Google<'_> {
    /// Where the keys of a service account are published, by its name or its id.
    pub(super) fn keys_of(&self, account: &str) -> Result<Source, Fault> {
        let path = ["service_accounts", "v1", "metadata", "x509", account];
        let url = address::below(&self.config.endpoint("api")?, &path)?;
        Ok(Source::Certificates(Place {
            url,
            ..Place::default()
        }))
    }

    /// Where the keys of Google's own tokens are published.
    pub(super) fn own_keys(&self) -> Result<Source, Fault> {
        let url = match self.config.certs.as_str() {
            "" => address::below(&self.config.endpoint("api")?, &["oauth2", "v3", "certs"])?,
            said => said.to_owned(),
        };
        Ok(Source::Jwks(Place {
            url,
            ..Place::default()
        }))
    }

    /// A service account, by its name or its id; none where there is none.
    pub(super) async fn account(&self, name: &str) -> Result<Option<Account>, Fault> {
        let path = ["v1", "projects", "-", "serviceAccounts", name];
        let url = address::below(&self.config.endpoint("iam")?, &path)?;
        self.asked(Request::get(url)).await
    }

    /// A machine; none where there is none.
    pub(super) async fn machine(&self, instance: &Instance) -> Result<Option<Machine>, Fault> {
        let (project, zone) = (&instance.project, &instance.zone);
        let path = [
            "compute",
            "v1",
            "projects",
            project,
            "zones",
            zone,
            "instances",
            &instance.name,
        ];
        let url = address::below(&self.config.endpoint("compute")?, &path)?;
        self.asked(Request::get(url)).await
    }

    /// Whether a machine is in a group of its project, where `place` is `zones` or `regions` and `name` which.
    pub(super) async fn is_member(
        &self,
        machine: &Machine,
        project: &str,
        (place, name): (&str, &str),
        group: &str,
    ) -> Result<bool, Fault> {
        let path = [
            "compute",
            "v1",
            "projects",
            project,
            place,
            name,
            "instanceGroups",
            group,
            "listInstances",
        ];
        let base = address::below(&self.config.endpoint("compute")?, &path)?;
        let mut page = String::new();
        for _ in 0..PAGES_MAX {
            let mut url = address::base("custom_endpoint", &base)?;
            if !page.is_empty() {
                url.query_pairs_mut().append_pair("pageToken", &page);
            }
            let body = br#"{"instanceState":"ALL"}"#.to_vec();
            let request = Request::post(url, "application/json", body);
            let Some(members) = self.asked::<Members>(request).await? else {
                return Ok(false);
            };
            if members
                .items
                .iter()
                .any(|member| member.instance == machine.link)
            {
                return Ok(true);
            }
            if members.next.is_empty() {
                return Ok(false);
            }
            page = members.next;
        }
        Ok(false)
    }

    /// A project and what it lies in, as names of groups.
    pub(super) async fn groups(&self, project: &str) -> Result<Vec<String>, Fault> {
        let path = ["v1", "projects", &format!("{project}:getAncestry")];
        let url = address::below(&self.config.endpoint("crm")?, &path)?;
        let request = Request::post(url, "application/json", b"{}".to_vec());
        let ancestry: Option<Ancestry> = self.asked(request).await?;
        let ancestors = ancestry.map(|found| found.ancestor).unwrap_or_default();
        let known =
            |of: &Resource| matches!(of.kind.as_str(), "project" | "folder" | "organization");
        let resources = ancestors.into_iter().map(|ancestor| ancestor.resource);
        let names = resources
            .filter(known)
            .map(|of| format!("{}-{}", of.kind, of.id));
        Ok(names.collect())
    }

    /// What is answered; none where nothing is there.
    async fn asked<T: DeserializeOwned>(&self, request: Request) -> Result<Option<T>, Fault> {
        let bearer = self.engine.bearers.get(self.cx, self.config).await?;
        let request = request
            .with("authorization", format!("Bearer {}", bearer.expose()))
            .with("accept", "application/json");
        let answer: Response = self.cx.fetch(request).await?;
        match answer.status {
            200 => parse_foreign(&answer.body)
                .map(Some)
                .map_err(|_| Fault::upstream("Google's answer is not understood")),
            404 => Ok(None),
            status => Err(Fault::Upstream(format!(
                "Google answered {status} to what it was asked"
            ))),
        }
    }
}
