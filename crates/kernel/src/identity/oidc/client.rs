//! Applications that sign people in here.

use std::time::Duration;

use crate::identity::edit::Noun;
use coffer_barrier::Stored;
use coffer_crypto::{constant_time_eq, sha256};
use coffer_engine::Fault;
use serde::{Deserialize, Serialize};

use super::super::Standing;
use super::super::kept::Kept;
use super::Oidc;
use super::assignment::{ALLOW_ALL, Assignment};

/// How long tokens hold where nobody says otherwise.
pub const DEFAULT_TTL: Duration = Duration::from_secs(24 * 60 * 60);
/// Characters of an id.
pub const ID_CHARS: usize = 32;
/// Random characters of a secret, from 62: 381 bits.
pub const SECRET_CHARS: usize = 64;
/// What secrets begin with, so that one who finds one knows what it is.
pub const SECRET_PREFIX: &str = "hvo_secret_";

/// A client, as stored under `client/<name>`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Client {
    /// Its id, which it tells everybody.
    pub id: String,
    /// Its secret; empty where it can keep none.
    pub secret: Kept,
    /// Whether it can keep a secret.
    pub kind: ClientKind,
    /// The name of the key that signs its tokens.
    pub key: String,
    /// Where it may send people back to.
    pub redirect_uris: Vec<String>,
    /// The names of its assignments.
    pub assignments: Vec<String>,
    /// How long its identity tokens hold.
    pub id_token_ttl: Duration,
    /// How long its access tokens hold.
    pub access_token_ttl: Duration,
    /// Whether it signs people in.
    pub authorization_code: bool,
    /// Whether it gets tokens about itself.
    pub client_credentials: bool,
}

/// Whether a client can keep a secret.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClientKind {
    /// It can.
    #[default]
    Confidential,
    /// It can not: it runs on somebody's own device. It proves by PKCE who it is.
    Public,
}

/// The name of a client, as stored under `client-id/<id>`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ClientName {
    /// It.
    pub name: String,
}

impl Stored for Client {}

impl Stored for ClientName {}

impl Noun for Client {
    const FOLDER: &'static str = "client/";
}

impl Noun for ClientName {
    const FOLDER: &'static str = "client-id/";
}

impl ClientKind {
    /// The kind of that name.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "confidential" => Some(Self::Confidential),
            "public" => Some(Self::Public),
            _ => None,
        }
    }
}

impl Client {
    /// Whether `secret` is its own. Takes the same time whatever is sent, also against a client that is not there.
    pub fn has_secret(client: Option<&Self>, secret: &str) -> bool {
        let own = client.map_or("", |client| client.secret.expose());
        let equal = constant_time_eq(&sha256(own.as_bytes()), &sha256(secret.as_bytes()));
        equal && !own.is_empty()
    }

    /// Whether it may send people back there: exactly as registered, but for the port of an address of the device itself,
    /// which is not known beforehand (RFC 8252 section 7.3).
    pub fn sends_back_to(&self, uri: &str) -> bool {
        let same = |own: &String| {
            own == uri
                || match (loopback(own), loopback(uri)) {
                    (Some(own), Some(asked)) => own == asked,
                    _ => false,
                }
        };
        self.redirect_uris.iter().any(same)
    }
}

/// An address of the device itself without its port: host and what follows.
fn loopback(uri: &str) -> Option<(&str, &str)> {
    let rest = uri.strip_prefix("http://")?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (place, path) = rest.split_at(end);
    for host in ["127.0.0.1", "[::1]", "localhost"] {
        let Some(port) = place.strip_prefix(host) else {
            continue;
        };
        let digits = port.strip_prefix(':').unwrap_or(port);
        let has_port = port.is_empty() || port.starts_with(':');
        if has_port && digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Some((host, path));
        }
    }
    None
}

impl Oidc {
    /// The client with an id.
    pub async fn client_with(&self, id: &str) -> Result<Option<Client>, Fault> {
        if id.is_empty() || id.len() > ID_CHARS || !id.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Ok(None);
        }
        let Some(ClientName { name }) = self.get(id).await? else {
            return Ok(None);
        };
        let client: Option<Client> = self.get(&name).await?;
        Ok(client.filter(|client| client.id == id))
    }

    /// Whether one of a client's assignments names an entity.
    pub async fn assigned(&self, client: &Client, standing: &Standing) -> Result<bool, Fault> {
        for name in &client.assignments {
            if name == ALLOW_ALL {
                return Ok(true);
            }
            let assignment: Option<Assignment> = self.get(name).await?;
            if assignment.is_some_and(|assignment| assignment.names(standing)) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(uris: &[&str]) -> Client {
        Client {
            id: "id".into(),
            secret: Kept::new("secret".into()),
            kind: ClientKind::Confidential,
            key: "default".into(),
            redirect_uris: uris.iter().map(|uri| (*uri).to_owned()).collect(),
            assignments: Vec::new(),
            id_token_ttl: DEFAULT_TTL,
            access_token_ttl: DEFAULT_TTL,
            authorization_code: true,
            client_credentials: false,
        }
    }

    #[test]
    fn people_are_sent_back_to_registered_places_alone() {
        let client = client(&[
            "https://app.example.com/back",
            "http://127.0.0.1/cb",
            "http://localhost:9000/x",
            "http://[::1]/cb?a=b",
            "app:/cb",
        ]);
        for good in [
            "https://app.example.com/back",
            "http://127.0.0.1/cb",
            "http://127.0.0.1:5555/cb",
            "http://localhost/x",
            "http://localhost:9001/x",
            "http://[::1]:5/cb?a=b",
            "app:/cb",
        ] {
            assert!(client.sends_back_to(good), "{good}");
        }
        for bad in [
            "",
            "https://app.example.com/back/",
            "https://app.example.com/back?x=1",
            "https://app.example.com:8443/back",
            "https://APP.example.com/back",
            "http://app.example.com/back",
            "http://127.0.0.1/cb2",
            "http://127.0.0.1:5555/cb/../x",
            "http://127.0.0.1:55a/cb",
            "http://127.0.0.1.evil.com/cb",
            "http://127.0.0.1@evil.com/cb",
            "http://127.0.0.1:80@evil.com/cb",
            "https://127.0.0.1/cb",
            "http://localhost:9000/y",
            "http://localhost.evil.com/x",
            "http://127.0.0.1/x",
            "http://[::1]:5/cb",
            "http://127.0.0.2/cb",
        ] {
            assert!(!client.sends_back_to(bad), "{bad}");
        }
    }

    #[test]
    fn secrets() {
        let confidential = client(&[]);
        assert!(Client::has_secret(Some(&confidential), "secret"));
        for wrong in ["", "Secret", "secret ", "secre"] {
            assert!(!Client::has_secret(Some(&confidential), wrong));
        }
        assert!(!Client::has_secret(None, "") && !Client::has_secret(None, "secret"));
        let public = Client {
            secret: Kept::default(),
            ..client(&[])
        };
        assert!(!Client::has_secret(Some(&public), ""));
    }
}
