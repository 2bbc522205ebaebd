//! What auth methods ask while they are measured: an issuer of signed tokens and the API of a cluster, both on loopback.

use std::time::{SystemTime, UNIX_EPOCH};

use coffer_crypto::jose;
use coffer_crypto::sign::{Algorithm, SigningKey};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::Failure;

const KEY_ID: &str = "bench";
/// Whom tokens are for.
pub const AUDIENCE: &str = "bench";
/// The service account that tokens speak for.
pub const ACCOUNT: &str = "shop";
const NAMESPACE: &str = "default";
const ASKED_BYTES_MAX: usize = 64 * 1024;

/// An issuer with one key.
pub struct Issuer {
    /// Where its keys are (`/keys`) and where tokens are reviewed.
    pub url: String,
    key: SigningKey,
}

impl Issuer {
    /// Makes a key and answers on a free port while this thread's tasks run.
    pub async fn start() -> Result<Self, Failure> {
        let key = SigningKey::generate(Algorithm::Rs256)?;
        let shown = jose::show_key(KEY_ID, key.verifying_key()).ok_or("a public key is shown")?;
        let keys = json!({ "keys": [shown] }).to_string();
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        tokio::task::spawn_local(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::task::spawn_local(serve(stream, keys.clone()));
            }
        });
        Ok(Self { url, key })
    }

    /// A token of a pod, good for a day.
    pub fn token(&self) -> Result<String, Failure> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        let claims = json!({
            "iss": self.url, "sub": format!("system:serviceaccount:{NAMESPACE}:{ACCOUNT}"), "aud": [AUDIENCE], "iat": now, "nbf": now, "exp": now + 86_400,
            "kubernetes.io": { "namespace": NAMESPACE, "serviceaccount": { "name": ACCOUNT, "uid": "1d5c" } },
        });
        Ok(jose::sign(
            &self.key,
            KEY_ID,
            claims.to_string().as_bytes(),
        )?)
    }
}

/// Answers requests of one kept-alive connection: keys to readers, a good review to writers.
async fn serve(mut stream: TcpStream, keys: String) -> Result<(), Failure> {
    let review = json!({
        "apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "status": {
            "authenticated": true, "audiences": [AUDIENCE],
            "user": { "username": format!("system:serviceaccount:{NAMESPACE}:{ACCOUNT}"), "uid": "1d5c", "groups": ["system:serviceaccounts"] },
        },
    })
    .to_string();
    let mut asked = Vec::new();
    loop {
        let Some(length) = whole(&asked) else {
            let read = stream.read_buf(&mut asked).await?;
            if read == 0 || asked.len() > ASKED_BYTES_MAX {
                return Ok(());
            }
            continue;
        };
        let (status, body) = match asked.starts_with(b"GET") {
            true => ("200 OK", &keys),
            false => ("201 Created", &review),
        };
        asked.drain(..length);
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(format!("{head}{body}").as_bytes()).await?;
    }
}

/// How long the first request is, once it is there as a whole.
fn whole(asked: &[u8]) -> Option<usize> {
    let head = asked.windows(4).position(|part| part == b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(asked.get(..head)?).to_lowercase();
    let length = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        (name == "content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    let length = head + length.unwrap_or_default();
    (asked.len() >= length).then_some(length)
}

/// The configuration by which a server trusts the issuer's keys.
pub fn jwt_config(issuer: &Issuer) -> Value {
    json!({ "jwks_url": format!("{}/keys", issuer.url) })
}

/// The configuration by which a server asks the cluster.
pub fn cluster_config(issuer: &Issuer) -> Result<Value, Failure> {
    // The authority of nobody: the cluster is asked without TLS, and a server wants one all the same.
    let authority = rcgen::generate_simple_self_signed([])?.cert.pem();
    Ok(json!({
        "kubernetes_host": issuer.url, "kubernetes_ca_cert": authority, "disable_local_ca_jwt": true, "token_reviewer_jwt": "reviewer",
    }))
}
