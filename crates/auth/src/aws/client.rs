//! `config/client`: as whom and where AWS is asked, and what signed requests must be like.

use coffer_crypto::Secret;
use coffer_engine::{Ctx, Empty, Exists, Fault, Handle, Reply, Routes, Stored, path, plaintext};
use coffer_wire::{CommaList, Flag, Int, Text, Ttl};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use super::headers::{is_header_name, shown};
use super::{Aws, hosts};
use crate::address;

const PLACE: &str = "config/client";
/// How often a request is made again where nothing is said, and at most.
const RETRIES: u32 = 1;
const RETRIES_MAX: u32 = 3;
/// How many more header fields can be allowed.
const ALLOWED_MAX: usize = 64;
/// Fields that say how a message is carried, or who answers in which form: those of a request are always ours.
const NEVER_ALLOWED: [&str; 15] = [
    "accept",
    "accept-encoding",
    "authorization",
    "connection",
    "content-length",
    "cookie",
    "expect",
    "host",
    "proxy-authorization",
    "range",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-amz-target",
];

pub(super) fn routes() -> Routes<Aws> {
    Routes::new([path(
        "config/client",
        "As whom and where AWS is asked, and what signed requests must be like.",
    )
    .exists::<ReadClient>()
    .read::<ReadClient>()
    .write::<WriteClient>()
    .tells("aws/config-write")
    .delete::<DeleteClient>()
    .tells("aws/config-delete")])
}

/// What is configured.
#[derive(Clone, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Client {
    /// Names the key by which we ask; empty for that of the environment.
    pub(super) access_key: String,
    #[serde(serialize_with = "plaintext::text")]
    pub(super) secret_key: Secret<String>,
    /// Where EC2 is; empty for AWS's own. Like the other two without a slash at the end.
    pub(super) endpoint: String,
    pub(super) iam_endpoint: String,
    pub(super) sts_endpoint: String,
    /// The region of STS; empty for none.
    pub(super) sts_region: String,
    /// Whether STS is asked in the region that a client signed for.
    pub(super) use_sts_region_from_client: bool,
    /// What clients must have signed as the name of this server; empty for nothing.
    pub(super) iam_server_id_header_value: String,
    /// More header fields that may be signed, in lower case.
    pub(super) allowed_sts_header_values: Vec<String>,
    /// How often a request is made again that failed for a reason that may pass; below zero for what is usual.
    pub(super) max_retries: i64,
}

impl Stored for Client {
    const MAX_BYTES: usize = 64 * 1024;
}

impl Default for Client {
    fn default() -> Self {
        Self {
            access_key: String::new(),
            secret_key: Secret::default(),
            endpoint: String::new(),
            iam_endpoint: String::new(),
            sts_endpoint: String::new(),
            sts_region: String::new(),
            use_sts_region_from_client: false,
            iam_server_id_header_value: String::new(),
            allowed_sts_header_values: Vec::new(),
            max_retries: -1,
        }
    }
}

impl Client {
    /// What is configured, or what holds where nothing is.
    pub(super) async fn current(cx: &Ctx) -> Result<Self, Fault> {
        Ok(Self::find(cx).await?.unwrap_or_default())
    }

    async fn find(cx: &Ctx) -> Result<Option<Self>, Fault> {
        Ok(cx.view.get(PLACE).await?)
    }

    /// Puts a new key in the place of one, unless another has come there meanwhile.
    pub(super) async fn replace_key(
        cx: &Ctx,
        old: &str,
        access_key: &str,
        secret_key: &Secret<String>,
    ) -> Result<(), Fault> {
        let decide = |kept: Option<Self>| match kept {
            Some(kept) if kept.access_key == old => {
                let new = Self {
                    access_key: access_key.to_owned(),
                    secret_key: secret_key.clone(),
                    ..kept
                };
                Ok((Some(new), ()))
            }
            _ => Err(Fault::Conflict(
                "the access key was changed meanwhile".into(),
            )),
        };
        cx.view.update(PLACE, decide).await
    }

    /// How often a request is made again.
    pub(super) fn retries(&self) -> u32 {
        u32::try_from(self.max_retries).map_or(RETRIES, |some| some.min(RETRIES_MAX))
    }

    /// The host of the configured STS, with its port, if there is one.
    pub(super) fn sts_host(&self) -> Option<&str> {
        let rest = self.sts_endpoint.split_once("://")?.1;
        Some(rest).filter(|host| !host.is_empty())
    }
}

/// Shows what is configured, without the secret key.
#[derive(Deserialize, JsonSchema)]
struct ReadClient {}

impl Exists<Aws> for ReadClient {
    async fn exists(self, _: &Aws, cx: &Ctx) -> Result<bool, Fault> {
        Ok(Client::find(cx).await?.is_some())
    }
}

/// What is configured, as clients see it.
#[derive(Serialize, JsonSchema)]
struct ClientView {
    access_key: String,
    /// More header fields that may be signed.
    allowed_sts_header_values: Vec<String>,
    /// Where EC2 is; empty for AWS's own.
    endpoint: String,
    iam_endpoint: String,
    iam_server_id_header_value: String,
    max_retries: i64,
    sts_endpoint: String,
    sts_region: String,
    use_sts_region_from_client: bool,
}

impl Handle<Aws> for ReadClient {
    type Reply = ClientView;

    async fn handle(self, _: &Aws, cx: &Ctx) -> Result<ClientView, Fault> {
        let client = Client::find(cx).await?.ok_or(Fault::NotFound)?;
        let allowed = client.allowed_sts_header_values.iter();
        Ok(ClientView {
            access_key: client.access_key,
            allowed_sts_header_values: allowed.map(|name| shown(name)).collect(),
            endpoint: client.endpoint,
            iam_endpoint: client.iam_endpoint,
            iam_server_id_header_value: client.iam_server_id_header_value,
            max_retries: client.max_retries,
            sts_endpoint: client.sts_endpoint,
            sts_region: client.sts_region,
            use_sts_region_from_client: client.use_sts_region_from_client,
        })
    }
}

/// Configures as whom and where AWS is asked; what is not named stays as it is.
#[derive(Deserialize, JsonSchema)]
struct WriteClient {
    /// The access key by which AWS is asked; with `secret_key`. Without them those of the environment are taken
    /// (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN).
    #[serde(default)]
    access_key: Option<Text>,
    /// Its secret; never shown.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    secret_key: Option<Secret<String>>,
    /// Where EC2 is, as https://HOST; empty for AWS's own.
    #[serde(default)]
    endpoint: Option<Text>,
    /// Where IAM is; empty for AWS's own.
    #[serde(default)]
    iam_endpoint: Option<Text>,
    /// Where STS is, which says who signed a request; empty for AWS's own.
    #[serde(default)]
    sts_endpoint: Option<Text>,
    /// The region of STS.
    #[serde(default)]
    sts_region: Option<Text>,
    /// Asks STS in the region that a client signed for, whatever endpoint and region are configured.
    #[serde(default)]
    use_sts_region_from_client: Option<Flag>,
    /// What clients must sign as X-Vault-AWS-IAM-Server-ID; empty for nothing. Without it, what was signed for another
    /// server can be used here.
    #[serde(default)]
    iam_server_id_header_value: Option<Text>,
    /// Names of more header fields that clients may sign.
    #[serde(default)]
    allowed_sts_header_values: Option<CommaList>,
    /// How often a request to AWS is made again that failed for a reason that may pass, up to 3; -1 for once.
    #[serde(default)]
    max_retries: Option<Int>,
    /// Not supported: only empty.
    #[serde(default)]
    role_arn: Option<Text>,
    /// Not supported: only empty.
    #[serde(default)]
    identity_token_audience: Option<Text>,
    /// Not supported: only 0.
    #[serde(default)]
    identity_token_ttl: Option<Ttl>,
}

impl Handle<Aws> for WriteClient {
    type Reply = Reply;

    async fn handle(self, _: &Aws, cx: &Ctx) -> Result<Reply, Fault> {
        self.refuse_unsupported()?;
        let changed = cx.view.update(PLACE, |kept: Option<Client>| {
            let client = self.applied(kept.unwrap_or_default())?;
            Ok::<_, Fault>((Some(client.clone()), client))
        });
        let client = changed.await?;
        let endpoints = [&client.sts_endpoint, &client.iam_endpoint, &client.endpoint];
        let open = endpoints.iter().any(|endpoint| is_open(endpoint));
        let reply = Reply::default();
        Ok(match open {
            true => reply.warn("an endpoint is asked without TLS: whoever is on the way to it can say who somebody is"),
            false => reply,
        })
    }
}

impl WriteClient {
    fn refuse_unsupported(&self) -> Result<(), Fault> {
        let said = |text: &Option<Text>| text.as_ref().is_some_and(|text| !text.0.is_empty());
        let ttl = self.identity_token_ttl.is_some_and(|ttl| !ttl.is_zero());
        for (name, said) in [
            ("role_arn", said(&self.role_arn)),
            (
                "identity_token_audience",
                said(&self.identity_token_audience),
            ),
            ("identity_token_ttl", ttl),
        ] {
            if said {
                return Err(Fault::Invalid(format!(
                    "{name} is not supported: AWS is asked by an access key, of the configuration or of the environment"
                )));
            }
        }
        Ok(())
    }

    fn applied(&self, mut client: Client) -> Result<Client, Fault> {
        set(&mut client.access_key, self.access_key.as_ref());
        if let Some(key) = &self.secret_key {
            client.secret_key = key.clone();
        }
        if client.access_key.is_empty() != client.secret_key.expose().is_empty() {
            return Err(Fault::invalid(
                "access_key and secret_key go together: give both, or both empty",
            ));
        }
        let slug = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        for (name, text) in [
            ("access_key", &client.access_key),
            (
                "sts_region",
                self.sts_region
                    .as_ref()
                    .map_or(&client.sts_region, |text| &text.0),
            ),
        ] {
            if !text.chars().all(slug) {
                return Err(Fault::Invalid(format!(
                    "{name} has characters that it can not have"
                )));
            }
        }
        for (name, kept, new) in [
            ("endpoint", &mut client.endpoint, &self.endpoint),
            ("iam_endpoint", &mut client.iam_endpoint, &self.iam_endpoint),
            ("sts_endpoint", &mut client.sts_endpoint, &self.sts_endpoint),
        ] {
            if let Some(new) = new {
                *kept = endpoint(name, &new.0)?;
            }
        }
        set(&mut client.sts_region, self.sts_region.as_ref());
        let named = client.sts_region.is_empty() || hosts::is_region(&client.sts_region);
        if !named && client.sts_endpoint.is_empty() {
            return Err(Fault::invalid(
                "sts_region names no region of AWS; with a region of your own give sts_endpoint, too",
            ));
        }
        if let Some(flag) = self.use_sts_region_from_client {
            client.use_sts_region_from_client = flag.0;
        }
        if let Some(value) = &self.iam_server_id_header_value {
            client.iam_server_id_header_value = server_id(&value.0)?;
        }
        if let Some(names) = &self.allowed_sts_header_values {
            client.allowed_sts_header_values = allowed(names)?;
        }
        if let Some(retries) = self.max_retries {
            client.max_retries = retries.0;
        }
        Ok(client)
    }
}

/// Forgets what is configured.
#[derive(Deserialize, JsonSchema)]
struct DeleteClient {}

impl Handle<Aws> for DeleteClient {
    type Reply = Empty;

    async fn handle(self, _: &Aws, cx: &Ctx) -> Result<Empty, Fault> {
        cx.view.delete(PLACE).await?;
        Ok(Empty)
    }
}

fn set(kept: &mut String, new: Option<&Text>) {
    if let Some(new) = new {
        kept.clone_from(&new.0);
    }
}

/// An address that is no more than a scheme and a host, in its one spelling.
fn endpoint(name: &str, text: &str) -> Result<String, Fault> {
    if text.is_empty() {
        return Ok(String::new());
    }
    let wrong = || {
        Fault::Invalid(format!(
            "{name} is to be like https://HOST or https://HOST:PORT"
        ))
    };
    let url = Url::parse(text).map_err(|_| wrong())?;
    let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    let plain = url.username().is_empty() && url.password().is_none();
    let known = matches!(url.scheme(), "http" | "https") && url.host().is_some();
    match bare && plain && known {
        true => Ok(url.as_str().trim_end_matches('/').to_owned()),
        false => Err(wrong()),
    }
}

/// Whether somebody on the way could answer in its place.
fn is_open(endpoint: &str) -> bool {
    let Ok(url) = Url::parse(endpoint) else {
        return false;
    };
    url.scheme() == "http" && !address::is_here(&url)
}

/// A value that a header field can have, and that is the same before and after it was signed.
fn server_id(value: &str) -> Result<String, Fault> {
    let printable = value.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    let words: Vec<&str> = value.split(' ').collect();
    let single = value.is_empty() || words.iter().all(|word| !word.is_empty());
    match printable && single && value.len() <= 1_024 {
        true => Ok(value.to_owned()),
        false => Err(Fault::invalid(
            "iam_server_id_header_value is to be of at most 1024 printable ASCII signs, without blanks around it or two in a row",
        )),
    }
}

fn allowed(names: &CommaList) -> Result<Vec<String>, Fault> {
    if names.0.len() > ALLOWED_MAX {
        return Err(Fault::Invalid(format!(
            "allowed_sts_header_values: at most {ALLOWED_MAX} names"
        )));
    }
    let mut list = Vec::new();
    for name in &names.0 {
        let name = name.to_ascii_lowercase();
        if !is_header_name(&name) || NEVER_ALLOWED.contains(&name.as_str()) {
            return Err(Fault::Invalid(format!(
                "allowed_sts_header_values: \"{name:.100}\" is not a name of a header field that can be allowed"
            )));
        }
        list.push(name);
    }
    list.sort();
    list.dedup();
    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_hosts() {
        for (text, kept) in [
            ("", ""),
            ("https://sts.example", "https://sts.example"),
            ("HTTPS://STS.example:443/", "https://sts.example"),
            ("http://127.0.0.1:5000", "http://127.0.0.1:5000"),
        ] {
            assert_eq!(endpoint("endpoint", text).unwrap(), kept, "{text}");
        }
        for text in [
            "sts.example",
            "https://",
            "file:///etc/passwd",
            "https://u@sts.example",
            "https://u:p@sts.example",
            "https://sts.example/path",
            "https://sts.example/?a=b",
            "https://sts.example/#a",
        ] {
            assert!(endpoint("endpoint", text).is_err(), "{text}");
        }
        assert!(is_open("http://sts.example") && !is_open("http://[::1]:1"));
        assert!(!is_open("https://sts.example") && !is_open(""));
    }

    #[test]
    fn a_server_id_survives_signing() {
        assert!(server_id("vault.example, prod").is_ok() && server_id("").is_ok());
        for wrong in [" a", "a ", "a  b", "a\r\nb", "\u{e9}", " "] {
            assert!(server_id(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn how_a_message_is_carried_is_not_to_be_allowed() {
        let list =
            |names: &[&str]| CommaList(names.iter().map(|name| (*name).to_owned()).collect());
        assert_eq!(
            allowed(&list(&["X-B", "x-a", "X-b"])).unwrap(),
            ["x-a", "x-b"]
        );
        for wrong in ["Transfer-Encoding", "a b", "a:", "", "Accept"] {
            assert!(allowed(&list(&[wrong])).is_err(), "{wrong}");
        }
    }
}
