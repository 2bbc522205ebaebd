use super::*;

const SPECS: [(&str, &str); 13] = [
    ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"),
    ("RSA_2048", "ENCRYPT_DECRYPT"),
    ("RSA_2048", "SIGN_VERIFY"),
    ("ECC_NIST_P256", "SIGN_VERIFY"),
    ("ECC_NIST_P384", "SIGN_VERIFY"),
    ("ECC_NIST_P521", "SIGN_VERIFY"),
    ("ECC_NIST_EDWARDS25519", "SIGN_VERIFY"),
    ("HMAC_224", "GENERATE_VERIFY_MAC"),
    ("HMAC_256", "GENERATE_VERIFY_MAC"),
    ("HMAC_384", "GENERATE_VERIFY_MAC"),
    ("HMAC_512", "GENERATE_VERIFY_MAC"),
    ("ML_DSA_44", "SIGN_VERIFY"),
    ("ML_DSA_87", "SIGN_VERIFY"),
];

#[tokio::test]
async fn keys_of_all_makes_are_described_without_their_material() {
    let bench = Bench::<Kms>::new().await;
    for (spec, usage) in SPECS {
        let fields = json!({"key_spec": spec, "key_usage": usage, "description": "d"});
        let made = bench.write("keys", fields).await.unwrap().data;
        let id = made["key_id"].as_str().unwrap();
        let read = bench.read(&format!("keys/{id}")).await.unwrap().data;
        assert_eq!(made, read);
        assert_eq!(
            (&read["key_spec"], &read["customer_master_key_spec"]),
            (&json!(spec), &json!(spec))
        );
        assert_eq!(read["key_usage"], usage);
        assert_eq!(read["key_state"], "Enabled");
        assert_eq!(
            (&read["enabled"], &read["description"]),
            (&json!(true), &json!("d"))
        );
        assert_eq!(read["origin"], "AWS_KMS");
        assert_eq!(read["key_manager"], "CUSTOMER");
        let algorithms = [
            "encryption_algorithms",
            "signing_algorithms",
            "mac_algorithms",
        ];
        let has = algorithms.map(|name| read.get(name).is_some());
        assert_eq!(has.iter().filter(|has| **has).count(), 1, "{read}");
        let fields: Vec<_> = read.as_object().unwrap().keys().collect();
        assert!(!format!("{fields:?}").contains("material\""), "{fields:?}");
    }
}

#[tokio::test]
async fn what_is_not_there_is_refused_by_name() {
    let bench = Bench::<Kms>::new().await;
    for (fields, wanted) in [
        (
            json!({"key_spec": "ECC_SECG_P256K1", "key_usage": "SIGN_VERIFY"}),
            "UnsupportedOperationException",
        ),
        (
            json!({"key_spec": "SM2", "key_usage": "SIGN_VERIFY"}),
            "UnsupportedOperationException",
        ),
        (
            json!({"key_spec": "ML_KEM_768", "key_usage": "ENCRYPT_DECRYPT"}),
            "UnsupportedOperationException",
        ),
        (
            json!({"key_spec": "RSA_1024", "key_usage": "SIGN_VERIFY"}),
            "ValidationException",
        ),
        (
            json!({"key_spec": "ECC_NIST_P256", "key_usage": "KEY_AGREEMENT"}),
            "UnsupportedOperationException",
        ),
        (
            json!({"key_spec": "ECC_NIST_P256", "key_usage": "ENCRYPT_DECRYPT"}),
            "ValidationException",
        ),
        (
            json!({"key_spec": "HMAC_256", "key_usage": "SIGN_VERIFY"}),
            "ValidationException",
        ),
        (json!({"key_spec": "HMAC_256"}), "ValidationException"),
        (json!({"key_spec": "RSA_2048"}), "ValidationException"),
        (json!({"key_usage": "SIGN_VERIFY"}), "ValidationException"),
        (json!({"key_usage": "sign"}), "ValidationException"),
        (
            json!({"key_spec": "HMAC_256", "customer_master_key_spec": "HMAC_256"}),
            "ValidationException",
        ),
        (
            json!({"origin": "AWS_CLOUDHSM"}),
            "UnsupportedOperationException",
        ),
        (
            json!({"origin": "EXTERNAL_KEY_STORE"}),
            "UnsupportedOperationException",
        ),
        (json!({"origin": "MOON"}), "ValidationException"),
        (
            json!({"origin": "EXTERNAL", "key_spec": "ML_DSA_44", "key_usage": "SIGN_VERIFY"}),
            "UnsupportedOperationException",
        ),
        (
            json!({"multi_region": true}),
            "UnsupportedOperationException",
        ),
        (json!({"policy": "{}"}), "UnsupportedOperationException"),
        (
            json!({"custom_key_store_id": "x"}),
            "UnsupportedOperationException",
        ),
        (json!({"xks_key_id": "x"}), "UnsupportedOperationException"),
        (
            json!({"description": "x".repeat(8_193)}),
            "ValidationException",
        ),
    ] {
        assert_eq!(
            refused(&bench, "keys", fields.clone()).await,
            wanted,
            "{fields}"
        );
    }
    assert_eq!(
        list(&bench, "keys", json!({})).await.data["keys"],
        json!([])
    );
}

#[tokio::test]
async fn a_key_has_one_spelling() {
    let bench = Bench::<Kms>::new().await;
    let id = symmetric(&bench).await;
    for other in [
        id.to_uppercase(),
        id.replace('-', ""),
        format!("{id}x"),
        "alias:".into(),
        "a".into(),
    ] {
        let read = bench.read(&format!("keys/{other}")).await;
        assert_eq!(exception(read), "NotFoundException", "{other}");
    }
}

#[tokio::test]
async fn disabled_keys_do_nothing_until_they_are_enabled() {
    let bench = Bench::<Kms>::new().await;
    let id = symmetric(&bench).await;
    let blob = encrypt(&bench, &id, "text").await;
    bench
        .write(&format!("keys/{id}/disable"), json!({}))
        .await
        .unwrap();
    assert_eq!(state(&bench, &id).await, "Disabled");
    assert_eq!(
        exception(decrypt(&bench, &id, &blob).await),
        "DisabledException"
    );
    for (path, fields) in [
        (format!("encrypt/{id}"), json!({"plaintext": b64("x")})),
        (format!("data-key/{id}"), json!({"key_spec": "AES_256"})),
        (
            format!("data-key-without-plaintext/{id}"),
            json!({"key_spec": "AES_256"}),
        ),
        (
            format!("data-key-pair/{id}"),
            json!({"key_pair_spec": "ECC_NIST_P256"}),
        ),
        (
            format!("re-encrypt/{id}/{id}"),
            json!({"ciphertext_blob": blob}),
        ),
        (format!("keys/{id}/rotate"), json!({})),
        (format!("keys/{id}/rotation"), json!({"enabled": true})),
    ] {
        assert_eq!(
            refused(&bench, &path, fields).await,
            "DisabledException",
            "{path}"
        );
    }
    bench
        .write(&format!("keys/{id}/enable"), json!({}))
        .await
        .unwrap();
    assert_eq!(decrypt(&bench, &id, &blob).await.unwrap(), "text");
}

#[tokio::test]
async fn a_deletion_waits_can_be_cancelled_and_is_carried_out() {
    let mut bench = Bench::<Kms>::new().await;
    let id = symmetric(&bench).await;
    bench
        .write("aliases/app", json!({"target_key_id": id}))
        .await
        .unwrap();
    let blob = encrypt(&bench, &id, "text").await;
    let schedule = format!("keys/{id}/schedule-deletion");
    for wrong in [0, 6, 31, -7] {
        let fields = json!({"pending_window_in_days": wrong});
        assert_eq!(
            refused(&bench, &schedule, fields).await,
            "ValidationException"
        );
    }
    let answer = bench.write(&schedule, json!({})).await.unwrap().data;
    assert_eq!(answer["pending_window_in_days"], 30);
    assert_eq!(answer["key_state"], "PendingDeletion");
    assert_eq!(answer["deletion_date"], json!(bench.now.plus(days(30))));
    assert_eq!(
        exception(decrypt(&bench, &id, &blob).await),
        "KMSInvalidStateException"
    );
    for path in ["enable", "disable", "schedule-deletion", "rotate"] {
        let path = format!("keys/{id}/{path}");
        assert_eq!(
            refused(&bench, &path, json!({})).await,
            "KMSInvalidStateException",
            "{path}"
        );
    }
    let tag = json!({"tags": {"a": "b"}});
    assert_eq!(
        refused(&bench, &format!("keys/{id}/tags"), tag).await,
        "KMSInvalidStateException"
    );
    let other = json!({"target_key_id": id});
    assert_eq!(
        refused(&bench, "aliases/other", other).await,
        "KMSInvalidStateException"
    );

    bench
        .write(&format!("keys/{id}/cancel-deletion"), json!({}))
        .await
        .unwrap();
    assert_eq!(state(&bench, &id).await, "Disabled");
    let again = refused(&bench, &format!("keys/{id}/cancel-deletion"), json!({})).await;
    assert_eq!(again, "KMSInvalidStateException");
    bench
        .write(&format!("keys/{id}/enable"), json!({}))
        .await
        .unwrap();
    assert_eq!(decrypt(&bench, &id, &blob).await.unwrap(), "text");

    bench
        .write(&schedule, json!({"pending_window_in_days": 7}))
        .await
        .unwrap();
    bench.advance(days(7) - Duration::from_secs(1));
    bench.tick().await.unwrap();
    assert_eq!(state(&bench, &id).await, "PendingDeletion");
    bench.advance(Duration::from_secs(1));
    // Gone at its time, whether or not it has been wiped.
    for _ in 0..2 {
        assert_eq!(
            exception(decrypt(&bench, &id, &blob).await),
            "NotFoundException"
        );
        let cancel = refused(&bench, &format!("keys/{id}/cancel-deletion"), json!({})).await;
        assert_eq!(cancel, "NotFoundException");
        assert_eq!(
            list(&bench, "keys", json!({})).await.data["keys"],
            json!([])
        );
        bench.tick().await.unwrap();
    }
    let left = bench.view().scan_paths("", None, 100).await.unwrap();
    assert_eq!(left, Vec::<String>::new(), "nothing is left behind");
}

#[tokio::test]
async fn lists_come_in_pages() {
    let bench = Bench::<Kms>::new().await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(symmetric(&bench).await);
    }
    ids.sort();
    let mut seen = Vec::new();
    let mut fields = json!({"limit": "2"});
    loop {
        let page = list(&bench, "keys", fields.clone()).await.data;
        let keys: Vec<String> = serde_json::from_value(page["keys"].clone()).unwrap();
        assert!(keys.len() <= 2);
        assert_eq!(page["key_info"].as_object().unwrap().len(), keys.len());
        seen.extend(keys);
        assert_eq!(
            page["truncated"] == json!(true),
            page.get("next_marker").is_some()
        );
        match page.get("next_marker") {
            Some(marker) => fields["marker"] = marker.clone(),
            None => break,
        }
    }
    assert_eq!(seen, ids);
    let exact = list(&bench, "keys", json!({"limit": 5})).await.data;
    assert_eq!(exact["truncated"], false);
    for wrong in [
        json!({"limit": 0}),
        json!({"limit": 1_001}),
        json!({"limit": -1}),
    ] {
        let asked = bench.request(Verb::List, "keys", wrong).await;
        assert_eq!(exception(asked), "ValidationException");
    }
    let asked = bench
        .request(Verb::List, "keys", json!({"marker": "§"}))
        .await;
    assert_eq!(exception(asked), "InvalidMarkerException");
}

#[tokio::test]
async fn tags_are_added_changed_and_removed() {
    let bench = Bench::<Kms>::new().await;
    let id = key(
        &bench,
        json!({"tags": [{"tag_key": "team", "tag_value": "a"}]}),
    )
    .await;
    let path = format!("keys/{id}/tags");
    bench
        .write(&path, json!({"tags": {"team": "b", "empty": ""}}))
        .await
        .unwrap();
    let tags = bench.read(&path).await.unwrap().data;
    let wanted =
        json!([{"tag_key": "empty", "tag_value": ""}, {"tag_key": "team", "tag_value": "b"}]);
    assert_eq!(tags["tags"], wanted);
    assert_eq!(tags["truncated"], false);
    let first = bench
        .request(Verb::Read, &path, json!({"limit": 1}))
        .await
        .unwrap()
        .data;
    let marker = first["next_marker"].clone();
    let rest = bench
        .request(Verb::Read, &path, json!({"marker": marker}))
        .await
        .unwrap()
        .data;
    assert_eq!(rest["tags"], json!([{"tag_key": "team", "tag_value": "b"}]));
    for wrong in [
        json!([{"tag_key": "", "tag_value": "x"}]),
        json!([{"tag_key": "k".repeat(129)}]),
        json!([{"tag_key": "k", "tag_value": "v".repeat(257)}]),
        json!([{"tag_key": "aws:x", "tag_value": "v"}]),
        json!([{"tag_key": "k", "tag_value": "1"}, {"tag_key": "k", "tag_value": "2"}]),
    ] {
        assert_eq!(
            refused(&bench, &path, json!({"tags": wrong})).await,
            "TagException"
        );
    }
    let many: Vec<Value> = (0..51)
        .map(|n| json!({"tag_key": n.to_string(), "tag_value": ""}))
        .collect();
    assert_eq!(
        refused(&bench, &path, json!({"tags": many})).await,
        "LimitExceededException"
    );
    bench
        .request(Verb::Delete, &path, json!({"tag_keys": ["team", "nobody"]}))
        .await
        .unwrap();
    let tags = bench.read(&path).await.unwrap().data;
    assert_eq!(tags["tags"], json!([{"tag_key": "empty", "tag_value": ""}]));
    let odd = json!({"tags": [{"tag_key": " a, b ", "tag_value": ""}]});
    bench.write(&path, odd).await.unwrap();
    for keys in [json!([" a, b "]), json!("x,empty")] {
        let fields = json!({"tag_keys": keys});
        bench.request(Verb::Delete, &path, fields).await.unwrap();
    }
    assert_eq!(bench.read(&path).await.unwrap().data["tags"], json!([]));
    bench
        .write(&format!("keys/{id}"), json!({"description": "new"}))
        .await
        .unwrap();
    assert_eq!(
        bench.read(&format!("keys/{id}")).await.unwrap().data["description"],
        "new"
    );
}
