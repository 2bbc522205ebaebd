//! Snapshots through a real socket: bodies of any length, both ways.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use std::net::SocketAddr;

use coffer_server::config::Config;
use coffer_server::{Server, ServerArgs};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const PATH: &str = "/v1/sys/storage/raft/snapshot";

/// A server that takes no body of more than a kilobyte, and its root token.
async fn start() -> (Server, SocketAddr, String, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("coffer.hcl");
    let data = dir.path().join("data");
    let hcl = format!(
        "storage \"embedded\" {{ path = \"{}\" }}\nlistener \"tcp\" {{\n address = \"127.0.0.1:0\"\n tls_disable = true\n max_request_size = 1024\n}}",
        data.display()
    );
    std::fs::write(&file, hcl).unwrap();
    let (config, _) = Config::load(&[file]).unwrap();
    let server = Server::start(config, &ServerArgs::default()).await.unwrap();
    let to = server.addresses()[0];
    let shares = json!({ "secret_shares": 1, "secret_threshold": 1 });
    let made = json_of(
        &ask(to, "PUT", "/v1/sys/init", "", shares.to_string().as_bytes())
            .await
            .1,
    );
    let key = json!({ "key": made["keys"][0] });
    let opened = ask(to, "PUT", "/v1/sys/unseal", "", key.to_string().as_bytes()).await;
    assert_eq!(opened.0, 200);
    let root = made["root_token"].as_str().unwrap().to_owned();
    (server, to, root, dir)
}

async fn ask(to: SocketAddr, verb: &str, path: &str, token: &str, body: &[u8]) -> (u16, Vec<u8>) {
    let mut stream = TcpStream::connect(to).await.unwrap();
    let head = head(verb, path, token, body.len(), "connection: close\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body).await.unwrap();
    answer(&mut stream).await
}

fn head(verb: &str, path: &str, token: &str, length: usize, more: &str) -> String {
    format!(
        "{verb} {path} HTTP/1.1\r\nhost: x\r\nx-vault-token: {token}\r\ncontent-length: {length}\r\n{more}\r\n"
    )
}

/// The answer of a connection that is closed after it: its status and its body.
async fn answer(stream: &mut TcpStream) -> (u16, Vec<u8>) {
    let mut all = Vec::new();
    stream.read_to_end(&mut all).await.unwrap();
    let end = all.windows(4).position(|part| part == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(all[..end].to_vec())
        .unwrap()
        .to_lowercase();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let mut body = all.split_off(end + 4);
    if head.contains("transfer-encoding: chunked") {
        body = unchunked(&body);
    }
    (status, body)
}

fn unchunked(mut body: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    loop {
        let end = body.windows(2).position(|part| part == b"\r\n").unwrap();
        let length = usize::from_str_radix(std::str::from_utf8(&body[..end]).unwrap(), 16).unwrap();
        let chunk = &body[end + 2..end + 2 + length];
        if length == 0 {
            assert_eq!(&body[end..], b"\r\n\r\n", "the last chunk");
            return whole;
        }
        whole.extend_from_slice(chunk);
        body = &body[end + 2 + length + 2..];
    }
}

fn json_of(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap()
}

async fn policy(to: SocketAddr, root: &str, name: &str) -> u16 {
    let body = json!({ "policy": "path \"a\" { capabilities = [\"read\"] }" }).to_string();
    let path = format!("/v1/sys/policies/acl/{name}");
    ask(to, "PUT", &path, root, body.as_bytes()).await.0
}

async fn has_policy(to: SocketAddr, root: &str, name: &str) -> bool {
    let path = format!("/v1/sys/policies/acl/{name}");
    match ask(to, "GET", &path, root, b"").await.0 {
        200 => true,
        404 => false,
        other => panic!("{other}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn snapshots_are_longer_than_a_body_may_be() {
    let (server, to, root, _dir) = start().await;
    assert_eq!(policy(to, &root, "before").await, 204);
    let (status, snapshot) = ask(to, "GET", PATH, &root, b"").await;
    assert_eq!(status, 200);
    assert!(snapshot.len() > 1024, "{}", snapshot.len());
    assert_eq!(policy(to, &root, "after").await, 204);

    let too_long = vec![b' '; snapshot.len()];
    let refused = ask(to, "PUT", "/v1/sys/policies/acl/x", &root, &too_long).await;
    assert_eq!(refused.0, 413);
    let (status, body) = ask(to, "POST", PATH, &root, &snapshot).await;
    assert_eq!((status, body.len()), (204, 0));
    assert!(has_policy(to, &root, "before").await);
    assert!(!has_policy(to, &root, "after").await);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_hangs_up_restores_nothing() {
    let (server, to, root, _dir) = start().await;
    let (_, snapshot) = ask(to, "GET", PATH, &root, b"").await;
    assert_eq!(policy(to, &root, "after").await, 204);
    for sent in [0, 100, snapshot.len() - 1] {
        let mut stream = TcpStream::connect(to).await.unwrap();
        let head = head("POST", PATH, &root, snapshot.len(), "");
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(&snapshot[..sent]).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut rest = Vec::new();
        // The server may answer, or close the connection.
        let _ = stream.read_to_end(&mut rest).await;
        let text = String::from_utf8_lossy(&rest);
        assert!(
            rest.is_empty() || text.starts_with("HTTP/1.1 400"),
            "{text}"
        );
    }
    // Waits its turn behind what is left of the others.
    loop {
        match ask(to, "POST", PATH, &root, &snapshot[..50]).await {
            (409, _) => tokio::task::yield_now().await,
            (status, body) => {
                assert_eq!(status, 400, "{}", String::from_utf8_lossy(&body));
                break;
            }
        }
    }
    assert!(has_policy(to, &root, "after").await);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_send_nothing() {
    let (server, to, _, _dir) = start().await;
    // A client that waits for leave is refused without it.
    let mut stream = TcpStream::connect(to).await.unwrap();
    let more = "expect: 100-continue\r\n";
    let head = head("POST", PATH, "s.bogus", 1 << 40, more);
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut all = Vec::new();
    stream.read_to_end(&mut all).await.unwrap();
    let text = String::from_utf8(all).unwrap();
    assert!(text.starts_with("HTTP/1.1 403"), "{text}");
    // One that does not is refused, too.
    let (status, _) = ask(to, "POST", PATH, "s.bogus", &[7; 100_000]).await;
    assert_eq!(status, 403);
    server.stop().await;
}
