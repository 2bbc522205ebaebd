//! A server on a real socket, from its first start to its graceful end.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use coffer_server::config::Config;
use coffer_server::{Dev, Server, ServerArgs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};

/// A server with this configuration.
async fn start(hcl: &str) -> (Server, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("coffer.hcl");
    std::fs::write(&file, hcl.replace("DIR", dir.path().to_str().unwrap())).unwrap();
    let (config, _) = Config::load(&[file]).unwrap();
    (
        Server::start(config, &ServerArgs::default()).await.unwrap(),
        dir,
    )
}

const MEMORY: &str =
    "storage \"inmem\" {}\nlistener \"tcp\" {\n address = \"127.0.0.1:0\"\n tls_disable = true\n";

/// An answer: status, head in lower case, body.
struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body)
            .unwrap_or_else(|_| panic!("{}: {}", self.status, self.body))
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.head
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

/// Sends the text and reads one answer.
async fn exchange(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), text: &str) -> Answer {
    stream.write_all(text.as_bytes()).await.unwrap();
    answer(stream, text.starts_with("HEAD")).await
}

async fn answer(stream: &mut (impl AsyncRead + Unpin), is_head: bool) -> Answer {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let mut answer = Answer {
        status,
        head,
        body: String::new(),
    };
    let length: usize = answer
        .header("content-length")
        .map_or(0, |text| text.parse().unwrap());
    let mut body = vec![0; if is_head { 0 } else { length }];
    stream.read_exact(&mut body).await.unwrap();
    answer.body = String::from_utf8(body).unwrap();
    answer
}

fn request(line: &str, token: &str, more: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "{line} HTTP/1.1\r\nhost: x\r\nx-vault-token: {token}\r\ncontent-length: {length}\r\n{more}\r\n{body}"
    )
}

async fn ask(to: SocketAddr, line: &str, token: &str, body: &Value) -> Answer {
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    exchange(
        &mut TcpStream::connect(to).await.unwrap(),
        &request(line, token, "", &body),
    )
    .await
}

/// Initialises and unseals; answers the root token.
async fn open(to: SocketAddr) -> String {
    let made = ask(
        to,
        "PUT /v1/sys/init",
        "",
        &json!({"secret_shares": 3, "secret_threshold": 2}),
    )
    .await;
    assert_eq!(made.status, 200, "{}", made.body);
    let made = made.json();
    for key in made["keys"].as_array().unwrap().iter().take(2) {
        assert_eq!(
            ask(to, "PUT /v1/sys/unseal", "", &json!({ "key": key }))
                .await
                .status,
            200
        );
    }
    made["root_token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn from_nothing_to_a_secret_and_over_a_restart() {
    let hcl = "storage \"embedded\" { path = \"DIR/data\" }\nlistener \"tcp\" {\n address = \"127.0.0.1:0\"\n tls_disable = true\n}";
    let (server, dir) = start(hcl).await;
    let to = server.addresses()[0];
    assert_eq!(
        ask(to, "GET /v1/sys/health", "", &Value::Null).await.status,
        501
    );
    let made = ask(
        to,
        "PUT /v1/sys/init",
        "",
        &json!({"secret_shares": 1, "secret_threshold": 1}),
    )
    .await
    .json();
    let root = made["root_token"].as_str().unwrap().to_owned();
    assert_eq!(
        ask(to, "GET /v1/secret/a", &root, &Value::Null)
            .await
            .status,
        503
    );
    let unsealed = ask(
        to,
        "PUT /v1/sys/unseal",
        "",
        &json!({"key": made["keys"][0]}),
    )
    .await
    .json();
    assert_eq!(unsealed["sealed"], false);
    let mounted = ask(
        to,
        "POST /v1/sys/mounts/secret",
        &root,
        &json!({"type": "kv", "options": {"version": "2"}}),
    )
    .await;
    assert_eq!((mounted.status, mounted.body.as_str()), (204, ""));
    let put = ask(
        to,
        "POST /v1/secret/data/a",
        &root,
        &json!({"data": {"password": "<tea>"}}),
    )
    .await;
    assert_eq!(
        (put.status, &put.json()["data"]["version"]),
        (200, &json!(1)),
        "{}",
        put.body
    );
    server.stop().await;

    let (config, _) = Config::load(&[dir.path().join("coffer.hcl")]).unwrap();
    let server = Server::start(config, &ServerArgs::default()).await.unwrap();
    let to = server.addresses()[0];
    assert_eq!(
        ask(to, "GET /v1/sys/health", "", &Value::Null).await.status,
        503
    );
    ask(
        to,
        "PUT /v1/sys/unseal",
        "",
        &json!({"key": made["keys_base64"][0]}),
    )
    .await;
    let read = ask(to, "GET /v1/secret/data/a", &root, &Value::Null).await;
    assert_eq!(read.header("content-type"), Some("application/json"));
    assert_eq!(read.header("cache-control"), Some("no-store"));
    assert!(
        read.body.contains(r#""password":"\u003ctea\u003e""#),
        "{}",
        read.body
    );
    assert!(read.body.starts_with(r#"{"request_id":""#), "{}", read.body);
    assert_eq!(
        ask(to, "GET /v1/secret/data/a", "bogus", &Value::Null)
            .await
            .status,
        403
    );
    server.stop().await;
}

#[tokio::test]
async fn the_protocol_s_edges() {
    let (server, _dir) = start(&format!("{MEMORY} max_request_size = 1024\n }}")).await;
    let to = server.addresses()[0];
    let root = open(to).await;
    let mut stream = TcpStream::connect(to).await.unwrap();
    let head = exchange(&mut stream, &request("HEAD /v1/sys/health", "", "", "")).await;
    assert_eq!(head.status, 200);
    assert!(
        head.header("content-length")
            .unwrap()
            .parse::<usize>()
            .unwrap()
            > 100
    );
    let moved = exchange(
        &mut stream,
        &request("GET /v1/sys//mounts?a=b", &root, "", ""),
    )
    .await;
    assert_eq!(
        (moved.status, moved.header("location")),
        (307, Some("/v1/sys/mounts?a=b"))
    );
    for (line, more, body, status) in [
        ("GET /v1/nosuch/path", "", "", 404),
        ("BREW /v1/sys/mounts", "", "", 405),
        ("DELETE /v1/sys/mounts", "", "", 405),
        ("PUT /v1/sys/mounts/x", "", "{\"type\":", 400),
        ("PATCH /v1/sys/mounts/x", "", "{}", 400),
        (
            "PATCH /v1/sys/mounts/x",
            "content-type: application/json\r\n",
            "{}",
            415,
        ),
        ("GET /v1/sys/mounts/%2e%2e", "", "", 400),
    ] {
        let answer = exchange(&mut stream, &request(line, &root, more, body)).await;
        assert_eq!(answer.status, status, "{line} {}", answer.body);
        assert!(answer.json()["errors"].is_array());
    }
    let large = format!("{{\"a\":\"{}\"}}", "x".repeat(2048));
    let refused = ask(
        to,
        "PUT /v1/sys/mounts/x",
        &root,
        &serde_json::from_str(&large).unwrap(),
    )
    .await;
    assert_eq!(
        refused.json(),
        json!({"errors": ["http: request body too large"]})
    );
    server.stop().await;
}

#[tokio::test]
async fn two_lengths_are_one_too_many() {
    let (server, _dir) = start(&format!("{MEMORY} }}")).await;
    for both in [
        "content-length: 4\r\ntransfer-encoding: chunked",
        "transfer-encoding: chunked\r\ncontent-length: 4",
    ] {
        let mut stream = TcpStream::connect(server.addresses()[0]).await.unwrap();
        let text = format!("PUT /v1/sys/init HTTP/1.1\r\nhost: x\r\n{both}\r\n\r\n0\r\n\r\n");
        let answer = exchange(&mut stream, &text).await;
        assert_eq!(answer.status, 400, "{}", answer.body);
        assert_eq!(
            stream.read(&mut [0; 16]).await.unwrap(),
            0,
            "the connection stays open"
        );
    }
    server.stop().await;
}

#[tokio::test]
async fn a_stop_waits_for_the_request_at_work() {
    let (server, _dir) = start(&format!("{MEMORY} }}")).await;
    let to = server.addresses()[0];
    let mut idle = TcpStream::connect(to).await.unwrap();
    exchange(&mut idle, &request("GET /v1/sys/health", "", "", "")).await;
    let mut busy = TcpStream::connect(to).await.unwrap();
    let text = request(
        "PUT /v1/sys/init",
        "",
        "",
        "{\"secret_shares\":1,\"secret_threshold\":1}",
    );
    let (first, rest) = text.split_at(text.len() - 3);
    busy.write_all(first.as_bytes()).await.unwrap();
    // Once this is answered, the server has accepted the busy connection, too.
    exchange(&mut idle, &request("GET /v1/sys/health", "", "", "")).await;
    let stopped = tokio::spawn(server.stop());
    assert_eq!(
        idle.read(&mut [0; 16]).await.unwrap(),
        0,
        "an idle connection is ended at once"
    );
    let late = exchange(&mut busy, rest).await;
    assert_eq!(late.status, 200, "{}", late.body);
    tokio::time::timeout(Duration::from_secs(20), stopped)
        .await
        .unwrap()
        .unwrap();
    assert!(TcpStream::connect(to).await.is_err());
}

#[tokio::test]
async fn sockets_of_the_file_system() {
    let hcl = "storage \"inmem\" {}\nlistener \"unix\" {\n address = \"DIR/s\"\n socket_mode = \"600\"\n redact_version = true\n}";
    let (server, dir) = start(hcl).await;
    let mut stream = UnixStream::connect(dir.path().join("s")).await.unwrap();
    let answer = exchange(&mut stream, &request("GET /v1/sys/seal-status", "", "", "")).await;
    assert_eq!(
        (answer.status, &answer.json()["version"]),
        (200, &json!(""))
    );
    server.stop().await;
    assert!(!dir.path().join("s").exists());
}

/// Presents a certificate that nobody signed.
fn tls_client(dir: &std::path::Path, protocol: &[u8]) -> tokio_rustls::TlsConnector {
    let mut roots = rustls::RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_file(dir.join("vault-ca.pem")).unwrap())
        .unwrap();
    let own = rcgen::generate_simple_self_signed(vec!["somebody".to_owned()]).unwrap();
    let key = PrivateKeyDer::from_pem_slice(own.signing_key.serialize_pem().as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap();
    let builder = builder.with_root_certificates(roots);
    let mut config = builder
        .with_client_auth_cert(vec![own.cert.der().clone()], key)
        .unwrap();
    config.alpn_protocols = vec![protocol.to_vec()];
    Arc::new(config).into()
}

#[tokio::test]
async fn dev_mode_with_tls_http_1_and_2() {
    let dir = tempfile::tempdir().unwrap();
    let dev = Dev {
        root_token_id: Some("root".to_owned()),
        listen_address: Some("127.0.0.1:0".to_owned()),
        no_store_token: true,
        tls: true,
        tls_cert_dir: Some(dir.path().to_owned()),
        kv_v1: false,
    };
    let args = ServerArgs {
        dev: Some(dev),
        ..ServerArgs::default()
    };
    let server = Server::start_with(&args).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let stream = TcpStream::connect(server.addresses()[0]).await.unwrap();
    let mut stream = tls_client(dir.path(), b"http/1.1")
        .connect(name.clone(), stream)
        .await
        .unwrap();
    let put = exchange(
        &mut stream,
        &request("PUT /v1/secret/data/a", "root", "", "{\"data\":{\"b\":1}}"),
    )
    .await;
    assert_eq!(put.status, 200, "{}", put.body);

    let stream = TcpStream::connect(server.addresses()[0]).await.unwrap();
    let stream = tls_client(dir.path(), b"h2")
        .connect(name, stream)
        .await
        .unwrap();
    let (mut send, connection) = hyper::client::conn::http2::handshake(
        hyper_util::rt::TokioExecutor::new(),
        hyper_util::rt::TokioIo::new(stream),
    )
    .await
    .unwrap();
    let connection = tokio::spawn(connection);
    let read =
        http::Request::get("https://localhost/v1/secret/data/a").header("x-vault-token", "root");
    let answer = send
        .send_request(
            read.body(http_body_util::Empty::<bytes::Bytes>::new())
                .unwrap(),
        )
        .await
        .unwrap();
    assert_eq!(
        (answer.status().as_u16(), answer.version()),
        (200, http::Version::HTTP_2)
    );
    drop((send, answer));
    server.stop().await;
    drop(connection);
}
