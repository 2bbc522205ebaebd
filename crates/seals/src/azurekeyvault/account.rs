//! Who asks: an application by its secret or by a token of its cluster, or the managed identity of the machine.

use std::path::PathBuf;
use std::time::Duration;

use coffer_barrier::WrapError;
use coffer_crypto::Secret;
use coffer_engine::outbound::Request;
use url::{Url, form_urlencoded};

use super::{bare, is_name};
use crate::bearer::{FORM, granted};
use crate::build::BuildError;
use crate::exchange::Exchange;
use crate::fresh::Lasting;
use crate::source::Source;
use crate::stanza::Stanza;

const ISSUER: &str = "Microsoft Entra";
const MACHINE: &str = "the machine's identity service";
const IMDS: &str = "http://169.254.169.254";
/// How long a service beside us is waited for.
const NEAR: Duration = Duration::from_secs(3);
/// Clouds by the names that Azure's tools have for them: where tokens come from, and the suffix of vaults.
const CLOUDS: [(&str, &str, &str); 4] = [
    (
        "AZUREPUBLICCLOUD",
        "https://login.microsoftonline.com",
        "vault.azure.net",
    ),
    (
        "AZURECHINACLOUD",
        "https://login.chinacloudapi.cn",
        "vault.azure.cn",
    ),
    (
        "AZUREUSGOVERNMENTCLOUD",
        "https://login.microsoftonline.us",
        "vault.usgovcloudapi.net",
    ),
    (
        "AZUREUSGOVERNMENT",
        "https://login.microsoftonline.us",
        "vault.usgovcloudapi.net",
    ),
];

/// Which Azure.
pub(super) struct Cloud {
    authority: String,
    pub(super) resource: String,
}

/// Who asks, for what.
pub(super) struct Account {
    who: Who,
    resource: String,
}

enum Who {
    /// An application; `url` is where its tokens come from.
    Application {
        url: String,
        client: String,
        proof: Proof,
    },
    /// The machine; `client` is which of its identities, if it has several.
    Machine {
        base: String,
        client: Option<String>,
    },
    /// A hosted service, by the endpoint that it is given with a secret.
    Service {
        url: String,
        secret: Secret<String>,
        client: Option<String>,
    },
}

enum Proof {
    Secret(Source),
    /// A token that the cluster writes anew.
    Token(Source),
}

impl Cloud {
    pub(super) fn build(
        stanza: &Stanza<'_>,
        environment: Option<String>,
        resource: Option<String>,
    ) -> Result<Self, BuildError> {
        let name =
            environment.map_or_else(|| CLOUDS[0].0.to_owned(), |name| name.to_ascii_uppercase());
        let Some((_, authority, suffix)) = CLOUDS.iter().find(|(known, ..)| *known == name) else {
            let known: Vec<&str> = CLOUDS.iter().map(|(known, ..)| *known).collect();
            let why = format!("is none of {}", known.join(", "));
            return Err(stanza.unfit("environment", why));
        };
        let host = "AZURE_AUTHORITY_HOST";
        let authority = match stanza.variable(host) {
            None => (*authority).to_owned(),
            Some(text) => {
                let text = match text.contains("://") {
                    true => text,
                    false => format!("https://{text}"),
                };
                bare(&text).ok_or_else(|| stanza.unfit(host, "is no address"))?
            }
        };
        let resource = resource.unwrap_or_else(|| (*suffix).to_owned());
        let resource = resource
            .trim_start_matches("https://")
            .trim_matches(['/', '.']);
        let is_host = |text: &str| text.split('.').all(is_name);
        match is_host(resource) {
            true => Ok(Self {
                authority,
                resource: resource.to_owned(),
            }),
            false => Err(stanza.unfit("resource", "is no suffix like vault.azure.net")),
        }
    }
}

impl Account {
    pub(super) fn build(stanza: &mut Stanza<'_>, cloud: &Cloud) -> Result<Self, BuildError> {
        let tenant = stanza.text("tenant_id", &["AZURE_TENANT_ID"]);
        let client = stanza.text("client_id", &["AZURE_CLIENT_ID"]);
        let secret = stanza.secret("client_secret", &["AZURE_CLIENT_SECRET"])?;
        let token = stanza.variable("AZURE_FEDERATED_TOKEN_FILE");
        let proof = match (secret, token) {
            (Some(secret), _) => Some(Proof::Secret(secret)),
            (None, Some(path)) => Some(Proof::Token(Source::File(PathBuf::from(path)))),
            (None, None) => None,
        };
        let who = match proof {
            Some(proof) => {
                let tenant =
                    tenant.ok_or_else(|| stanza.missing("tenant_id", &["AZURE_TENANT_ID"]))?;
                let client =
                    client.ok_or_else(|| stanza.missing("client_id", &["AZURE_CLIENT_ID"]))?;
                if !tenant.split('.').all(is_name) {
                    return Err(stanza.unfit("tenant_id", "is neither an id nor a domain"));
                }
                let url = format!("{}/{tenant}/oauth2/v2.0/token", cloud.authority);
                Who::Application { url, client, proof }
            }
            None => Who::machine(stanza, client)?,
        };
        Ok(Self {
            who,
            resource: cloud.resource.clone(),
        })
    }

    /// A new token.
    pub(super) async fn token(
        &self,
        exchange: &Exchange,
    ) -> Result<Lasting<Secret<String>>, WrapError> {
        let resource = format!("https://{}", self.resource);
        match &self.who {
            Who::Application { url, client, proof } => {
                let (name, source) = match proof {
                    Proof::Secret(source) => ("`client_secret`", source),
                    Proof::Token(source) => ("AZURE_FEDERATED_TOKEN_FILE", source),
                };
                let proven = source.fetch().await;
                let proven = proven.map_err(|why| exchange.refused(&format!("{name} {why}")))?;
                let form = grant(client, &resource, proof, &proven);
                granted(
                    exchange,
                    ISSUER,
                    Request::post(url, FORM, form.into_bytes()),
                )
                .await
            }
            Who::Machine { base, client } => {
                let path = format!("{base}/metadata/identity/oauth2/token");
                let url = asked(&path, "2018-02-01", &resource, client.as_deref());
                let request = Request {
                    timeout: NEAR,
                    ..Request::get(url)
                };
                granted(exchange, MACHINE, request.with("metadata", "true")).await
            }
            Who::Service {
                url,
                secret,
                client,
            } => {
                let url = asked(url, "2019-08-01", &resource, client.as_deref());
                let request = Request::get(url).with("x-identity-header", secret.expose());
                granted(exchange, MACHINE, request).await
            }
        }
    }
}

impl Who {
    fn machine(stanza: &Stanza<'_>, client: Option<String>) -> Result<Self, BuildError> {
        let endpoint = stanza.variable("IDENTITY_ENDPOINT");
        if let Some((url, secret)) = endpoint.zip(stanza.variable("IDENTITY_HEADER")) {
            let is_address =
                Url::parse(&url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
            return match is_address {
                true => Ok(Self::Service {
                    url,
                    secret: Secret::new(secret),
                    client,
                }),
                false => Err(stanza.unfit("IDENTITY_ENDPOINT", "is no address")),
            };
        }
        let name = "AZURE_POD_IDENTITY_AUTHORITY_HOST";
        let base = match stanza.variable(name) {
            None => IMDS.to_owned(),
            Some(text) => bare(&text).ok_or_else(|| stanza.unfit(name, "is no address"))?,
        };
        Ok(Self::Machine { base, client })
    }
}

/// The form by which an application gets a token (RFC 6749 section 4.4, RFC 7523).
fn grant(client: &str, resource: &str, proof: &Proof, proven: &Secret<String>) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("grant_type", "client_credentials");
    form.append_pair("client_id", client);
    form.append_pair("scope", &format!("{resource}/.default"));
    match proof {
        Proof::Secret(_) => {
            form.append_pair("client_secret", proven.expose());
        }
        Proof::Token(_) => {
            let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
            form.append_pair("client_assertion_type", kind);
            form.append_pair("client_assertion", proven.expose());
        }
    }
    form.finish()
}

/// The address by which a machine gets a token.
fn asked(path: &str, version: &str, resource: &str, client: Option<&str>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("api-version", version);
    query.append_pair("resource", resource);
    if let Some(client) = client {
        query.append_pair("client_id", client);
    }
    format!("{path}?{}", query.finish())
}
