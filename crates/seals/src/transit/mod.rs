//! `transit`: the transit engine of another server, Coffer, OpenBao or Vault.
//!
//! No associated data is sent: keys of RSA have none, and servers of before 2021 do not know it. What the key encrypts for
//! others is therefore not told apart from what it encrypts for us; give this server a key of its own.

mod renewal;
mod tls;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use coffer_barrier::{Kept, WrapError, Wrapped, Wrapper};
use coffer_crypto::{Secret, Zeroizing};
use coffer_engine::outbound::{Outbound, Request, Response};
use serde::Deserialize;
use serde_json::json;
use url::{Host, Url};

use crate::build::BuildError;
use crate::exchange::{Exchange, encoded, unlike};
use crate::source::Source;
use crate::stanza::Stanza;
use tls::Tls;

const KIND: &str = "transit";
const WHO: &str = "the transit server";
/// How long the name of a key may be, in bytes.
const NAME_BYTES_MAX: usize = 256;

/// Another server's transit.
pub(crate) struct Transit {
    server: Arc<Server>,
    mount: String,
    key: String,
    key_id_prefix: String,
    renews: bool,
}

/// The other server, and who we are to it.
struct Server {
    exchange: Exchange,
    address: String,
    namespace: Option<String>,
    token: Source,
    tls: Tls,
    /// Whether somebody looks after the token.
    is_renewed: AtomicBool,
}

#[derive(Deserialize)]
struct Envelope<T> {
    data: T,
}

#[derive(Deserialize)]
struct Encrypted {
    ciphertext: String,
}

#[derive(Deserialize)]
struct Decrypted {
    plaintext: Secret<String>,
}

impl Transit {
    pub(crate) fn build(
        mut stanza: Stanza<'_>,
        outbound: Arc<dyn Outbound>,
    ) -> Result<Self, BuildError> {
        // `COFFER_ADDR`, `COFFER_TOKEN` are this server's own, as its operator speaks to it.
        let address = stanza.required("address", &["BAO_ADDR", "VAULT_ADDR"])?;
        let token = stanza.secret("token", &["BAO_TOKEN", "VAULT_TOKEN"])?;
        let token = token.ok_or_else(|| stanza.missing("token", &["VAULT_TOKEN"]))?;
        let key = stanza.required("key_name", &["*_TRANSIT_SEAL_KEY_NAME"])?;
        let mount = stanza.required("mount_path", &["*_TRANSIT_SEAL_MOUNT_PATH"])?;
        let namespace = stanza.text("namespace", &["BAO_NAMESPACE", "VAULT_NAMESPACE"]);
        let key_id_prefix = stanza.own("key_id_prefix").unwrap_or_default();
        let renews = !stanza.flag("disable_renewal", &["*_TRANSIT_SEAL_DISABLE_RENEWAL"])?;
        let tls = Tls::read(&mut stanza)?;
        stanza.finish()?;
        let mount = mount.trim_matches('/');
        if !mount.split('/').all(is_plain) {
            return Err(stanza.unfit("mount_path", "is no path of a mount"));
        }
        if !is_plain(&key) {
            let why = "is no name of a key: letters, digits, dots, dashes and underscores";
            return Err(stanza.unfit("key_name", why));
        }
        let exchange = Exchange::new(outbound, KIND, WHO);
        let server = Server {
            exchange,
            address: base(&stanza, &address)?,
            namespace,
            token,
            tls,
            is_renewed: AtomicBool::new(false),
        };
        Ok(Self {
            server: Arc::new(server),
            mount: mount.to_owned(),
            key,
            key_id_prefix,
            renews,
        })
    }

    async fn encrypt(&self, plaintext: &[u8]) -> Result<Wrapped, WrapError> {
        let body = json!({ "plaintext": &*encoded(plaintext) });
        let answer: Encrypted = self.asked("encrypt", &body).await?;
        let version = version(&answer.ciphertext);
        let Some(version) = version else {
            return Err(self.server.exchange.garbled("this is no ciphertext"));
        };
        Ok(Wrapped {
            key_id: format!("{}{}:{version}", self.key_id_prefix, self.key),
            ciphertext: answer.ciphertext.into_bytes(),
        })
    }

    async fn decrypt(&self, wrapped: &Wrapped) -> Result<Zeroizing<Vec<u8>>, WrapError> {
        let text = std::str::from_utf8(&wrapped.ciphertext).ok();
        let Some(text) = text.filter(|text| version(text).is_some()) else {
            let why = "what is to be unwrapped is no ciphertext of transit";
            return Err(self.server.exchange.refused(why));
        };
        let answer: Decrypted = self
            .asked("decrypt", &json!({ "ciphertext": text }))
            .await?;
        self.server.exchange.plaintext(answer.plaintext.expose())
    }

    async fn asked<T: for<'de> Deserialize<'de>>(
        &self,
        operation: &str,
        body: &serde_json::Value,
    ) -> Result<T, WrapError> {
        if self.renews {
            renewal::begin(&self.server);
        }
        let path = format!("{}/{operation}/{}", self.mount, self.key);
        let body = Zeroizing::new(body.to_string());
        let answer = self.server.post(&path, body.as_bytes()).await?;
        match answer.status {
            200 => {
                let read: Envelope<T> = self.server.exchange.read(&answer.body)?;
                Ok(read.data)
            }
            _ => Err(self.server.why(operation, &answer).await),
        }
    }
}

impl Wrapper for Transit {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn wrap<'a>(&'a self, plaintext: &'a [u8]) -> Kept<'a, Wrapped> {
        Box::pin(self.encrypt(plaintext))
    }

    fn unwrap<'a>(&'a self, wrapped: &'a Wrapped) -> Kept<'a, Zeroizing<Vec<u8>>> {
        Box::pin(self.decrypt(wrapped))
    }
}

impl Server {
    async fn post(&self, path: &str, body: &[u8]) -> Result<Response, WrapError> {
        let url = format!("{}/v1/{path}", self.address);
        let request = Request::post(url, "application/json", body.to_vec());
        self.ask(request).await
    }

    async fn get(&self, path: &str) -> Result<Response, WrapError> {
        self.ask(Request::get(format!("{}/v1/{path}", self.address)))
            .await
    }

    async fn ask(&self, request: Request) -> Result<Response, WrapError> {
        let token = self.token.fetch().await;
        let token = token.map_err(|why| self.exchange.refused(&format!("`token` {why}")))?;
        let request = request
            .with("x-vault-token", token.expose())
            .with("x-vault-request", "true");
        let request = match &self.namespace {
            None => request,
            Some(namespace) => request.with("x-vault-namespace", namespace),
        };
        let request = self.tls.of(request).await;
        let request = request.map_err(|why| self.exchange.refused(&why))?;
        self.exchange.ask(request).await
    }

    /// Why an operation was not done.
    async fn why(&self, operation: &str, answer: &Response) -> WrapError {
        let says = |words: &str| {
            let words = words.as_bytes();
            answer.body.windows(words.len()).any(|part| part == words)
        };
        match answer.status {
            400 if says("too old") => self.exchange.refused(
                "the version of the key that wrapped is older than the key's min_decryption_version",
            ),
            400 if operation == "decrypt" => self
                .exchange
                .refused("it does not unwrap this: another key wrapped it, its version is gone, or it was changed"),
            400 => self.exchange.refused("it does not wrap by this key: is it there, and may it encrypt?"),
            403 => self.forbidden(operation).await,
            404 => self.exchange.refused("there is no such mount, or no such namespace"),
            307 | 308 | 429 | 472 | 473 => self
                .exchange
                .unreachable("it is a standby, or overloaded; let `address` lead to the active server"),
            503 => self.exchange.unreachable("it is sealed, or in maintenance"),
            status => unlike(WHO, status),
        }
    }

    /// Whether the token is no good, or may not do it: people mend these in different places.
    async fn forbidden(&self, operation: &str) -> WrapError {
        match self.get("auth/token/lookup-self").await {
            Ok(Response { status: 403, .. }) => self
                .exchange
                .refused("the token is unknown, expired, revoked, or may not even look itself up"),
            _ => self.exchange.refused(&format!(
                "the token may not {operation} by this key: its policies need `update` there"
            )),
        }
    }
}

/// The version in the front of a ciphertext, like `v3`.
fn version(ciphertext: &str) -> Option<&str> {
    let rest = ciphertext.strip_prefix("vault:")?;
    let (version, body) = rest.split_once(':')?;
    let number = version.strip_prefix('v')?;
    let is_number = number.len() <= 9 && number.parse::<u32>().is_ok();
    (is_number && !body.is_empty()).then_some(version)
}

/// Whether a segment of a path stands for itself, in every spelling.
fn is_plain(segment: &str) -> bool {
    !segment.is_empty()
        && segment.len() <= NAME_BYTES_MAX
        && segment
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
        && !segment.bytes().all(|b| b == b'.')
}

/// The address without a slash at its end.
fn base(stanza: &Stanza<'_>, text: &str) -> Result<String, BuildError> {
    let wrong = "is no address like https://transit.example.com:8200";
    let url = Url::parse(text).map_err(|_| stanza.unfit("address", wrong))?;
    let is_bare = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    if !matches!(url.scheme(), "http" | "https") || !is_bare {
        return Err(stanza.unfit("address", wrong));
    }
    let is_local = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => return Err(stanza.unfit("address", wrong)),
    };
    if url.scheme() == "http" && !is_local {
        tracing::warn!(
            "seal \"transit\": `address` is http: the token and the root key go over the network in clear"
        );
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests;
