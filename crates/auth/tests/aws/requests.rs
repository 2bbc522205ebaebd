//! What clients bring, and what of it is sent where.

use coffer_engine::Fault;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::cloud::{
    ANN, BODY, bench, by_name, configure, encoded, everybody, header, login, role, signed, text,
    usual,
};

#[tokio::test]
async fn sts_is_asked_where_it_is_configured_and_nowhere_else() {
    let own = json!({ "sts_endpoint": "https://sts.internal:8443", "sts_region": "eu-west-1" });
    let region = json!({ "sts_endpoint": "", "sts_region": "eu-central-1" });
    let client =
        json!({ "use_sts_region_from_client": true, "sts_endpoint": "https://sts.internal" });
    let global = ("sts.amazonaws.com", "us-east-1");
    let regional = ("sts.cn-north-1.amazonaws.com.cn", "cn-north-1");
    let internal = ("sts.internal:8443", "eu-west-1");
    for (config, (host, of), url) in [
        (json!({}), global, "https://sts.amazonaws.com/"),
        (
            json!({}),
            regional,
            "https://sts.cn-north-1.amazonaws.com.cn/",
        ),
        (own.clone(), global, "https://sts.internal:8443/"),
        (own.clone(), internal, "https://sts.internal:8443/"),
        (
            region.clone(),
            global,
            "https://sts.eu-central-1.amazonaws.com/",
        ),
        (
            client.clone(),
            regional,
            "https://sts.cn-north-1.amazonaws.com.cn/",
        ),
        (
            client,
            ("sts.amazonaws.com", "eu-west-1"),
            "https://sts.eu-west-1.amazonaws.com/",
        ),
    ] {
        let (bench, asked) = everybody(ANN, "AIDAANN").await;
        configure(&bench, config.clone()).await;
        role(&bench, "dev", by_name(ANN)).await;
        login(&bench, "dev", signed(host, of, &[])).await.unwrap();
        let asked = asked.lock().unwrap();
        assert_eq!(asked.len(), 1);
        assert_eq!(asked[0].url, url, "{config}");
        assert_eq!(header(&asked[0], "host").unwrap(), host);
        assert_eq!(asked[0].body.as_slice(), BODY.as_bytes());
        let names: Vec<_> = asked[0]
            .headers
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        assert_eq!(
            names,
            ["host", "content-type", "x-amz-date", "authorization"]
        );
    }
    for (config, host, of) in [
        (json!({}), "sts.internal:8443", "us-east-1"),
        (own, "sts.internal", "us-east-1"),
        (region, "sts.evil.example", "us-east-1"),
        (
            json!({ "use_sts_region_from_client": true }),
            "sts.amazonaws.com",
            "evil-example-1",
        ),
    ] {
        let (bench, asked) = everybody(ANN, "AIDAANN").await;
        configure(&bench, config.clone()).await;
        text(
            login(&bench, "dev", signed(host, of, &[]))
                .await
                .unwrap_err(),
        );
        assert!(asked.lock().unwrap().is_empty(), "{config} {host}");
    }
}

/// The usual request with one header field changed after signing.
fn with_header(name: &str, value: Value) -> Value {
    let mut brought = usual();
    brought["iam_request_headers"][name] = value;
    brought
}

#[tokio::test]
async fn no_odd_header_field_is_sent() {
    let seal = usual()["iam_request_headers"]["authorization"][0].clone();
    let seal = seal.as_str().unwrap().to_owned();
    let sealed = |from: &str, to: &str| with_header("authorization", json!(seal.replace(from, to)));
    let host = "sts.amazonaws.com";
    let (bench, asked) = everybody(ANN, "AIDAANN").await;
    role(&bench, "dev", by_name(ANN)).await;
    for (brought, word) in [
        (
            with_header("host", json!("sts.eu-west-1.amazonaws.com")),
            "Host",
        ),
        (with_header("x-amz-target", json!("a")), "not allowed"),
        (
            with_header("x-amz-security-token", json!("a")),
            "not signed",
        ),
        (
            with_header("x-amz-date", json!("20270116T080000Z")),
            "X-Amz-Date",
        ),
        (
            with_header("x-amz-date", json!("20270115 080000Z")),
            "X-Amz-Date",
        ),
        (with_header("content-length", json!(42)), "Content-Length"),
        (
            with_header("content-type", json!("text/plain")),
            "Content-Type",
        ),
        (
            with_header("authorization", json!("Basic x")),
            "Authorization",
        ),
        (
            signed(host, "us-east-1", &[("accept", "application/json")]),
            "accept is not allowed",
        ),
        (
            signed(host, "us-east-1", &[("x-forwarded-for", "1")]),
            "not allowed",
        ),
        (sealed("content-type;", ""), "x"),
        (sealed("host;", ""), "Host"),
        (
            sealed("content-type;host", "host;content-type"),
            "Authorization",
        ),
        (sealed("host;", "host;host;"), "Authorization"),
        (
            sealed("host;", "host;x-vault-aws-iam-server-id;"),
            "Authorization",
        ),
        (
            sealed("x-amz-date", "x-amz-date;x-vault-aws-iam-server-id"),
            "missing",
        ),
        (
            sealed("content-type;", "authorization;content-type;"),
            "authorization",
        ),
        (sealed("/sts/", "/iam/"), "Authorization"),
        (sealed("SHA256", "SHA1"), "Authorization"),
        (
            sealed(", Signature", ", Signature=0, Signature"),
            "Authorization",
        ),
    ] {
        let made = login(&bench, "dev", brought.clone()).await;
        if word == "x" {
            // One field less is signed, so AWS would refuse it; the field is then left out and ours stands there.
            made.unwrap();
            let sent = asked.lock().unwrap().remove(0);
            assert_eq!(
                header(&sent, "content-type").unwrap(),
                "application/x-www-form-urlencoded"
            );
            continue;
        }
        let said = text(made.unwrap_err());
        assert!(said.contains(word), "{word}: {said}");
        assert!(asked.lock().unwrap().is_empty(), "{brought}");
    }
}

#[tokio::test]
async fn more_fields_can_be_allowed() {
    let (bench, asked) = everybody(ANN, "AIDAANN").await;
    role(&bench, "dev", by_name(ANN)).await;
    let brought = signed("sts.amazonaws.com", "us-east-1", &[("x-custom", "a b")]);
    text(login(&bench, "dev", brought.clone()).await.unwrap_err());
    configure(&bench, json!({ "allowed_sts_header_values": ["X-Custom"] })).await;
    login(&bench, "dev", brought).await.unwrap();
    let sent = asked.lock().unwrap().remove(0);
    assert_eq!(header(&sent, "x-custom").unwrap(), "a b");
}

#[tokio::test]
async fn the_server_that_is_meant_has_to_be_signed() {
    let (bench, asked) = everybody(ANN, "AIDAANN").await;
    role(&bench, "dev", by_name(ANN)).await;
    configure(
        &bench,
        json!({ "iam_server_id_header_value": "vault.example" }),
    )
    .await;
    let name = "x-vault-aws-iam-server-id";
    for (brought, word) in [
        (usual(), "missing"),
        (with_header(name, json!("vault.example")), "wasn't signed"),
        (
            signed("sts.amazonaws.com", "us-east-1", &[(name, "other.example")]),
            "another server",
        ),
        (
            signed("sts.amazonaws.com", "us-east-1", &[(name, "VAULT.example")]),
            "another server",
        ),
    ] {
        let said = text(login(&bench, "dev", brought).await.unwrap_err());
        assert!(said.contains(word), "{said}");
    }
    assert!(asked.lock().unwrap().is_empty());
    let right = signed("sts.amazonaws.com", "us-east-1", &[(name, "vault.example")]);
    login(&bench, "dev", right).await.unwrap();
}

#[tokio::test]
async fn documents_of_instances_are_refused_by_name() {
    let (bench, asked) = everybody(ANN, "AIDAANN").await;
    for brought in [
        json!({ "pkcs7": "x" }),
        json!({ "identity": "x", "signature": "y" }),
    ] {
        let said = text(login(&bench, "dev", brought).await.unwrap_err());
        assert!(said.contains("not supported"), "{said}");
    }
    assert!(asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn what_may_pass_is_tried_again_and_no_more_than_configured() {
    let busy = "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Code>Throttling</Code></Error></ErrorResponse>";
    for (status, body, retries, times) in [
        (500, "", -1, 2),
        (0, "", -1, 2),
        (429, "", 0, 1),
        (503, "", 2, 3),
        (500, "", 99, 4),
        (400, busy, 1, 2),
        (400, "", 3, 1),
        (403, busy, 3, 1),
        (200, "", 3, 1),
    ] {
        let (bench, asked) = bench(move |_, _| (status, body.to_owned())).await;
        configure(&bench, json!({ "max_retries": retries })).await;
        let fault = login(&bench, "dev", usual()).await.unwrap_err();
        let refused = status == 403 || (status == 400 && body.is_empty());
        assert_eq!(matches!(fault, Fault::Invalid(_)), refused, "{fault:?}");
        assert_eq!(asked.lock().unwrap().len(), times, "{status} {retries}");
    }
}

#[tokio::test]
async fn an_account_itself_logs_in_nowhere() {
    let (bench, _) = everybody("arn:aws:iam::123456789012:root", "123456789012").await;
    role(
        &bench,
        "dev",
        json!({ "bound_iam_principal_arn": "arn:aws:iam::123456789012:*" }),
    )
    .await;
    text(login(&bench, "dev", usual()).await.unwrap_err());
}

fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(work)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever a client brings, nothing but this one question is sent, and to nobody but STS.
    #[test]
    fn nothing_else_is_ever_sent(
        url in prop_oneof![
            "https://sts\\.amazonaws\\.com[/?#:@a-z]{0,4}",
            "https?://[a-z.@:/]{0,12}amazonaws\\.com/?",
            "\\PC{0,30}",
        ],
        body in prop_oneof![
            "(&?(Action|Version)=(GetCallerIdentity|AssumeRole|2011-06-15)){1,3}",
            "\\PC{0,30}",
        ],
        method in "POST|GET|post|",
        name in "[A-Za-z-]{1,20}",
        value in "\\PC{0,20}",
    ) {
        run(async {
            let (bench, asked) = everybody(ANN, "AIDAANN").await;
            let mut brought = usual();
            brought["iam_request_url"] = json!(encoded(&url));
            brought["iam_request_body"] = json!(encoded(&body));
            brought["iam_http_request_method"] = json!(method);
            brought["iam_request_headers"][&name] = json!(value);
            let _ = login(&bench, "dev", brought).await;
            for request in asked.lock().unwrap().iter() {
                assert_eq!(request.url, "https://sts.amazonaws.com/");
                assert_eq!(request.body.as_slice(), BODY.as_bytes());
                assert_eq!(header(request, "host").unwrap(), "sts.amazonaws.com");
                assert_eq!(request.headers.len(), 4);
            }
        });
    }
}
