use super::*;
use crate::Client;
use crate::responder::{Responder, install_tls};

const OK: &str = r#"{"data":{"a":1}}"#;

fn busy(errors: &str) -> String {
    format!(r#"{{"errors":["{errors}"]}}"#)
}

#[tokio::test(start_paused = true)]
async fn passing_failures_are_repeated_with_growing_waits() {
    let responder = Responder::start([
        ("503", busy("starting")),
        ("429 retry-after: 7", busy("rate")),
        ("200", OK.to_owned()),
    ])
    .await;
    let begun = tokio::time::Instant::now();
    let secret = responder.client().read("x", &[]).await.unwrap().unwrap();
    assert_eq!(secret.data.unwrap()["a"], 1);
    let waited = begun.elapsed();
    assert!(
        waited >= Duration::from_millis(7_125) && waited < Duration::from_millis(7_300),
        "{waited:?}"
    );
    assert_eq!(responder.requests().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_write_of_unknown_fate_is_not_repeated_but_a_refused_one_is() {
    let responder = Responder::start([("504", busy("late"))]).await;
    let error = responder
        .client()
        .write("x", &serde_json::json!({"a": 1}))
        .await
        .unwrap_err();
    assert_eq!(error.status(), Some(504));

    let responder = Responder::start([("412", busy("behind")), ("204", String::new())]).await;
    assert!(
        responder
            .client()
            .write("x", &serde_json::json!({"a": 1}))
            .await
            .unwrap()
            .is_none()
    );
    assert!(
        responder
            .requests()
            .iter()
            .all(|request| request.ends_with(r#"{"a":1}"#))
    );
}

#[tokio::test(start_paused = true)]
async fn a_sealed_server_is_said_at_once() {
    let responder = Responder::start([("503", busy("Vault is sealed"))]).await;
    assert!(matches!(
        responder.client().read("x", &[]).await,
        Err(Error::Sealed { .. })
    ));
}

#[tokio::test(start_paused = true)]
async fn the_number_of_tries_is_limited() {
    let responder = Responder::start(std::iter::repeat_n(("502", busy("gone")), 9)).await;
    assert_eq!(
        responder
            .client()
            .read("x", &[])
            .await
            .unwrap_err()
            .status(),
        Some(502)
    );
    assert_eq!(responder.requests().len(), 3);
}

#[tokio::test]
async fn requests_bear_what_the_api_wants() {
    let responder = Responder::start([("204", String::new()), ("200", OK.to_owned())]).await;
    let builder = Client::builder()
        .address(format!("{}/prefix/", responder.address))
        .token(Some("tok".into()))
        .namespace("team")
        .wrap_ttl(Some(Duration::from_secs(90)))
        .header("x-extra", "1");
    install_tls();
    let client = builder.build().unwrap();
    client
        .patch("/kv/a b%", &serde_json::json!({}))
        .await
        .unwrap();
    client.list("kv/", &[("after", "x&y")]).await.unwrap();
    let requests = responder.requests();
    let first = requests[0].to_ascii_lowercase();
    assert!(
        first.starts_with("patch /prefix/v1/kv/a%20b%25 http/1.1"),
        "{first}"
    );
    for line in [
        "x-vault-token: tok",
        "x-vault-namespace: team",
        "x-vault-request: true",
        "x-vault-wrap-ttl: 1m30s",
        "x-extra: 1",
        "content-type: application/merge-patch+json",
    ] {
        assert!(first.contains(line), "{line} in {first}");
    }
    assert!(
        requests[1].starts_with("GET /prefix/v1/kv/?list=true&after=x%26y "),
        "{}",
        requests[1]
    );
}

#[tokio::test]
async fn redirects_stay_on_the_same_host() {
    let responder = Responder::start([
        ("307 location: /v1/clean", String::new()),
        ("200", OK.to_owned()),
        ("307 location: http://192.0.2.1/v1/elsewhere", String::new()),
    ])
    .await;
    let client = responder.client();
    assert!(client.read("a//b", &[]).await.unwrap().is_some());
    assert!(responder.requests()[1].starts_with("GET /v1/clean"));
    assert!(matches!(
        client.read("x", &[]).await,
        Err(Error::Redirect { location, .. }) if location.contains("192.0.2.1")
    ));
}

#[tokio::test]
async fn unreachable_and_unusable_addresses_say_so() {
    install_tls();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let client = Client::builder()
        .address(&address)
        .max_retries(0)
        .build()
        .unwrap();
    let error = client.read("x", &[]).await.unwrap_err();
    assert!(
        matches!(&error, Error::Connect { address: named, .. } if *named == address),
        "{error}"
    );
    assert!(error.to_string().contains("refused"), "{error}");

    for bad in ["ftp://x", "127.0.0.1:8200", "http://u:p@h"] {
        let error = Client::builder()
            .address(bad)
            .build()
            .err()
            .unwrap()
            .to_string();
        assert!(
            error.contains("address") && !error.contains("u:p"),
            "{error}"
        );
    }
    assert!(matches!(
        client.read("a/../b", &[]).await,
        Err(Error::Config(_))
    ));
}

#[tokio::test]
async fn plain_http_behind_an_https_address_is_a_tls_error() {
    install_tls();
    let responder = Responder::start([("200", OK.to_owned())]).await;
    let address = responder.address.replace("http:", "https:");
    let client = Client::builder()
        .address(address)
        .max_retries(0)
        .build()
        .unwrap();
    let error = client.read("x", &[]).await.unwrap_err();
    assert!(matches!(error, Error::Tls { .. }), "{error:?}");
}

#[tokio::test]
async fn a_unix_socket_serves_too() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    install_tls();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("sock");
    let listener = tokio::net::UnixListener::bind(&path).unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut chunk = [0; 4096];
        assert_ne!(stream.read(&mut chunk).await.unwrap(), 0);
        let answer = format!(
            "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{OK}",
            OK.len()
        );
        stream.write_all(answer.as_bytes()).await.unwrap();
    });
    let client = Client::builder()
        .address(format!("unix://{}", path.display()))
        .build()
        .unwrap();
    assert!(client.read("x", &[]).await.unwrap().is_some());
}
