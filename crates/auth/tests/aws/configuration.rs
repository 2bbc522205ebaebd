//! Whom and where AWS is asked as.

use coffer_engine::Fault;
use serde_json::json;

use crate::cloud::{ANN, APP, answer, bench, configure, everybody, text};

#[tokio::test]
async fn the_configuration_is_kept_without_showing_the_secret() {
    let (bench, _) = everybody(ANN, "AIDAANN").await;
    assert!(matches!(
        bench.read("config/client").await,
        Err(Fault::NotFound)
    ));
    assert_eq!(bench.exists("config/client").await, Some(false));
    configure(&bench, json!({ "access_key": "AKIA", "secret_key": "hunter2", "allowed_sts_header_values": "x-b,X-a", "max_retries": 2 })).await;
    configure(
        &bench,
        json!({ "iam_server_id_header_value": "vault.example" }),
    )
    .await;
    let shown = bench.read("config/client").await.unwrap().data;
    assert!(!shown.to_string().contains("hunter2"));
    assert_eq!(shown["access_key"], "AKIA");
    assert_eq!(shown["allowed_sts_header_values"], json!(["X-A", "X-B"]));
    assert_eq!(
        (&shown["max_retries"], &shown["iam_server_id_header_value"]),
        (&json!(2), &json!("vault.example"))
    );
    for (wrong, word) in [
        (json!({ "secret_key": "" }), "access_key"),
        (json!({ "sts_endpoint": "https://h/p" }), "sts_endpoint"),
        (json!({ "iam_endpoint": "ftp://h" }), "iam_endpoint"),
        (json!({ "endpoint": "h" }), "endpoint"),
        (json!({ "sts_region": "moon" }), "sts_region"),
        (json!({ "role_arn": APP }), "role_arn"),
        (
            json!({ "identity_token_audience": "a" }),
            "identity_token_audience",
        ),
        (json!({ "identity_token_ttl": 60 }), "identity_token_ttl"),
        (
            json!({ "iam_server_id_header_value": "a\nb" }),
            "iam_server_id_header_value",
        ),
        (
            json!({ "allowed_sts_header_values": "Transfer-Encoding" }),
            "allowed_sts_header_values",
        ),
        (json!({ "max_retries": "many" }), "max_retries"),
    ] {
        let said = text(bench.write("config/client", wrong).await.unwrap_err());
        assert!(said.contains(word) && !said.contains("hunter2"), "{said}");
    }
    let open = bench
        .write(
            "config/client",
            json!({ "sts_endpoint": "http://sts.example" }),
        )
        .await
        .unwrap();
    assert!(open.reply.warnings[0].contains("without TLS"));
    bench.delete("config/client").await.unwrap();
    assert!(matches!(
        bench.read("config/client").await,
        Err(Fault::NotFound)
    ));
}

#[tokio::test]
async fn a_key_is_made_once_and_kept_before_the_old_one_goes() {
    let made = "<AccessKey><AccessKeyId>AKIANEW</AccessKeyId><SecretAccessKey>new</SecretAccessKey></AccessKey>";
    let namespace = "https://iam.amazonaws.com/doc/2010-05-08/";
    let (bench, asked) = bench(move |action, _| match action {
        "CreateAccessKey" => (200, answer(action, namespace, made)),
        _ => (500, String::new()),
    })
    .await;
    configure(
        &bench,
        json!({ "access_key": "AKIAOLD", "secret_key": "old", "max_retries": 0 }),
    )
    .await;
    let answered = bench.write("config/rotate-root", json!({})).await.unwrap();
    assert_eq!(answered.data, json!({ "access_key": "AKIANEW" }));
    assert!(
        answered.reply.warnings[0].contains("AKIAOLD"),
        "it could not be removed"
    );
    assert_eq!(
        bench.read("config/client").await.unwrap().data["access_key"],
        "AKIANEW"
    );
    let last = asked.lock().unwrap().pop().unwrap();
    assert!(
        String::from_utf8(last.body.to_vec())
            .unwrap()
            .ends_with("AccessKeyId=AKIAOLD")
    );
}

#[tokio::test]
async fn a_failed_rotation_is_not_tried_again() {
    let (bench, asked) = bench(|_, _| (500, String::new())).await;
    configure(
        &bench,
        json!({ "access_key": "AKIAOLD", "secret_key": "old", "max_retries": 3 }),
    )
    .await;
    assert!(matches!(
        bench.write("config/rotate-root", json!({})).await,
        Err(Fault::Upstream(_))
    ));
    assert_eq!(
        asked.lock().unwrap().len(),
        1,
        "whose answer is lost may have been obeyed"
    );
    assert_eq!(
        bench.read("config/client").await.unwrap().data["access_key"],
        "AKIAOLD"
    );
}
