//! A server in this process with every engine mounted, and a client for it.

use std::net::SocketAddr;
use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use coffer_server::config::Config;
use coffer_server::{Server, ServerArgs};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// The auth methods, each mounted where its name says. `oidc` is `jwt` by another name.
pub const METHODS: [&str; 8] = [
    "approle",
    "aws",
    "cert",
    "gcp",
    "jwt",
    "kubernetes",
    "ldap",
    "userpass",
];

/// Panics of the whole process; a server that panics hides it behind a plain 500.
static PANICS: AtomicUsize = AtomicUsize::new(0);

/// A server with every engine of the registry mounted.
pub struct Running {
    pub server: Server,
    pub root: String,
    /// A token whose one policy is not there.
    pub powerless: String,
    to: SocketAddr,
    dir: tempfile::TempDir,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body)
            .unwrap_or_else(|_| panic!("{}: {}", self.status, self.body))
    }
}

impl Running {
    /// Starts, initialises and unseals a server, and mounts every engine.
    pub async fn start(max_body_bytes: usize) -> Self {
        count_panics();
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("coffer.hcl");
        let hcl = format!(
            "storage \"inmem\" {{}}\nlistener \"tcp\" {{\n address = \"127.0.0.1:0\"\n tls_disable = true\n max_request_size = {max_body_bytes}\n}}\n"
        );
        std::fs::write(&file, hcl).unwrap();
        let (config, _) = Config::load(&[file]).unwrap();
        let server = Server::start(config, &ServerArgs::default()).await.unwrap();
        let to = server.addresses()[0];
        let (root, powerless) = (String::new(), String::new());
        let mut running = Self {
            server,
            root,
            powerless,
            to,
            dir,
        };
        running.set_up().await;
        running
    }

    async fn set_up(&mut self) {
        let shares = json!({"secret_shares": 1, "secret_threshold": 1});
        let made = self.ok("PUT", "sys/init", &shares).await;
        self.root = made["root_token"].as_str().unwrap().to_owned();
        self.ok("PUT", "sys/unseal", &json!({"key": made["keys"][0]}))
            .await;
        for (path, mount) in [
            ("secret", json!({"type": "kv", "options": {"version": "2"}})),
            ("kv", json!({"type": "kv", "options": {"version": "1"}})),
            ("database", json!({"type": "database"})),
            ("transit", json!({"type": "transit"})),
            ("kms", json!({"type": "kms"})),
        ] {
            self.ok("POST", &format!("sys/mounts/{path}"), &mount).await;
        }
        for method in METHODS {
            let path = format!("sys/auth/{method}");
            self.ok("POST", &path, &json!({ "type": method })).await;
        }
        let none = json!({"policies": ["nothing"], "no_default_policy": true});
        self.powerless = self.token(&none).await;
    }

    /// A file that is there as long as the server is.
    pub fn file(&self, name: &str) -> String {
        self.dir.path().join(name).to_str().unwrap().to_owned()
    }

    /// A child of the root token.
    pub async fn token(&self, asked: &Value) -> String {
        let made = self.ok("POST", "auth/token/create", asked).await;
        made["auth"]["client_token"].as_str().unwrap().to_owned()
    }

    /// A request with the root token that must succeed.
    pub async fn ok(&self, method: &str, path: &str, body: &Value) -> Value {
        let answer = self.ask(method, path, &self.root, body.to_string()).await;
        assert!(answer.status < 300, "{method} {path}: {answer:?}");
        serde_json::from_str(&answer.body).unwrap_or_default()
    }

    /// One request below `/v1/` on a connection of its own.
    pub async fn ask(&self, method: &str, path: &str, token: &str, body: String) -> Answer {
        let shown: String = body.chars().take(120).collect();
        tokio::time::timeout(PATIENCE, self.exchange(method, path, token, body))
            .await
            .unwrap_or_else(|_| panic!("no answer: {method} {path} {shown}"))
    }

    async fn exchange(&self, method: &str, path: &str, token: &str, body: String) -> Answer {
        let stream = TcpStream::connect(self.to).await.unwrap();
        let (mut send, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .unwrap();
        let connection = tokio::spawn(connection);
        let mut request = http::Request::builder()
            .method(method)
            .uri(format!("/v1/{path}"))
            .header("host", "x")
            .header("x-vault-token", token);
        if method == "PATCH" {
            request = request.header("content-type", "application/merge-patch+json");
        }
        let request = request.body(Full::new(Bytes::from(body))).unwrap();
        let answer = send.send_request(request).await.unwrap();
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        connection.abort();
        Answer {
            status,
            body: String::from_utf8(body.to_vec()).unwrap(),
        }
    }
}

/// How often something panicked so far.
pub fn panics() -> usize {
    PANICS.load(Ordering::SeqCst)
}

fn count_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            PANICS.fetch_add(1, Ordering::SeqCst);
            usual(info);
        }));
    });
}
