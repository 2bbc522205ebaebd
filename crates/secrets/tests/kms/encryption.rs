use super::*;

#[tokio::test]
async fn a_ciphertext_belongs_to_its_key_and_context() {
    let bench = Bench::<Kms>::new().await;
    let (one, other) = (symmetric(&bench).await, symmetric(&bench).await);
    let context = json!({"app": "a", "é": ""});
    let fields = json!({"plaintext": b64("text"), "encryption_context": context});
    let made = bench
        .write(&format!("encrypt/{one}"), fields)
        .await
        .unwrap()
        .data;
    assert_eq!(made["key_id"], one.as_str());
    assert_eq!(made["encryption_algorithm"], "SYMMETRIC_DEFAULT");
    let blob = made["ciphertext_blob"].clone();
    let raw = unb64(&blob);
    assert_eq!(raw[0], 1);
    assert_eq!(hex::encode(&raw[1..17]), one.replace('-', ""));
    assert_eq!(raw[17..21], [0, 0, 0, 1]);
    assert_eq!(raw.len(), 65 + 4);

    let open = |key: &str, context: Value, blob: Value| {
        let fields = json!({"ciphertext_blob": blob, "encryption_context": context});
        let path = format!("decrypt/{key}");
        let bench = &bench;
        async move { bench.write(&path, fields).await }
    };
    let opened = open(&one, context.clone(), blob.clone())
        .await
        .unwrap()
        .data;
    assert_eq!(unb64(&opened["plaintext"]), b"text");
    let material = opened["key_material_id"].as_str().unwrap();
    assert_eq!(material.len(), 64);
    for wrong in [
        json!({}),
        json!({"app": "a"}),
        json!({"app": "A", "é": ""}),
        json!({"app": "a", "é": "", "x": ""}),
    ] {
        let result = open(&one, wrong, blob.clone()).await;
        assert_eq!(exception(result), "InvalidCiphertextException");
    }
    let result = open(&other, context.clone(), blob.clone()).await;
    assert_eq!(exception(result), "IncorrectKeyException");

    // The id in front of the ciphertext is no more than a hint: it is authenticated.
    let mut moved = raw.clone();
    moved[1..17].copy_from_slice(&hex::decode(other.replace('-', "")).unwrap());
    let result = open(&other, context.clone(), json!(b64(&moved))).await;
    assert_eq!(exception(result), "InvalidCiphertextException");
    for (at, byte) in [
        (0, 0),
        (0, 2),
        (20, 0),
        (20, 2),
        (17, 255),
        (21, 0),
        (40, 1),
        (68, 9),
    ] {
        let mut altered = raw.clone();
        altered[at] ^= if altered[at] == byte {
            1
        } else {
            altered[at] ^ byte
        };
        let result = open(&one, context.clone(), json!(b64(&altered))).await;
        assert_eq!(exception(result), "InvalidCiphertextException", "{at}");
    }
    for length in [1, 20, 37, 64, 68] {
        let result = open(&one, context.clone(), json!(b64(&raw[..length]))).await;
        assert_eq!(exception(result), "InvalidCiphertextException", "{length}");
    }
}

#[tokio::test]
async fn limits_are_those_of_the_protocol() {
    let bench = Bench::<Kms>::new().await;
    let id = symmetric(&bench).await;
    let path = format!("encrypt/{id}");
    let most = json!({"plaintext": b64(vec![7; 4_096])});
    let made = bench.write(&path, most).await.unwrap().data;
    let opened = bench
        .write(
            &format!("decrypt/{id}"),
            json!({"ciphertext_blob": made["ciphertext_blob"]}),
        )
        .await
        .unwrap();
    assert_eq!(unb64(&opened.data["plaintext"]), vec![7; 4_096]);
    for wrong in [
        json!({"plaintext": b64(vec![7; 4_097])}),
        json!({"plaintext": ""}),
        json!({"plaintext": b64("x"), "encryption_context": {"a": "x".repeat(8_192)}}),
        json!({"plaintext": b64("x"), "encryption_algorithm": "ROT13"}),
    ] {
        assert_eq!(refused(&bench, &path, wrong).await, "ValidationException");
    }
    let blob = json!({"ciphertext_blob": b64(vec![1; 6_145])});
    assert_eq!(
        refused(&bench, &format!("decrypt/{id}"), blob).await,
        "ValidationException"
    );
    for wrong in [
        json!({"plaintext": "%"}),
        json!({"plaintext": 1}),
        json!({}),
    ] {
        assert!(matches!(
            bench.write(&path, wrong).await,
            Err(Fault::Invalid(_))
        ));
    }
    let oaep = json!({"plaintext": b64("x"), "encryption_algorithm": "RSAES_OAEP_SHA_256"});
    assert_eq!(
        refused(&bench, &path, oaep).await,
        "InvalidKeyUsageException"
    );
    let sm2 = json!({"plaintext": b64("x"), "encryption_algorithm": "SM2PKE"});
    assert_eq!(
        refused(&bench, &path, sm2).await,
        "UnsupportedOperationException"
    );
}

#[tokio::test]
async fn rehearsals_grants_and_enclaves() {
    let bench = Bench::<Kms>::new().await;
    let id = symmetric(&bench).await;
    let blob = encrypt(&bench, &id, "x").await;
    let path = format!("encrypt/{id}");
    let dry = json!({"plaintext": b64("x"), "dry_run": true});
    assert_eq!(
        refused(&bench, &path, dry).await,
        "DryRunOperationException"
    );
    let grants = json!({"plaintext": b64("x"), "grant_tokens": ["t"]});
    assert_eq!(
        refused(&bench, &path, grants).await,
        "InvalidGrantTokenException"
    );
    let path = format!("decrypt/{id}");
    for (fields, wanted) in [
        (
            json!({"ciphertext_blob": blob, "dry_run": true}),
            "DryRunOperationException",
        ),
        (
            json!({"ciphertext_blob": b64("x"), "dry_run": true}),
            "InvalidCiphertextException",
        ),
        (
            json!({"dry_run": true, "dry_run_modifiers": ["IGNORE_CIPHERTEXT"]}),
            "DryRunOperationException",
        ),
        (
            json!({"dry_run_modifiers": ["IGNORE_CIPHERTEXT"]}),
            "ValidationException",
        ),
        (
            json!({"dry_run": true, "dry_run_modifiers": ["ALL"]}),
            "ValidationException",
        ),
        (json!({}), "ValidationException"),
        (
            json!({"ciphertext_blob": blob, "recipient": {"a": 1}}),
            "UnsupportedOperationException",
        ),
    ] {
        assert_eq!(
            refused(&bench, &path, fields.clone()).await,
            wanted,
            "{fields}"
        );
    }
    bench
        .write(&format!("keys/{id}/disable"), json!({}))
        .await
        .unwrap();
    let dry = json!({"dry_run": true, "dry_run_modifiers": ["IGNORE_CIPHERTEXT"]});
    assert_eq!(refused(&bench, &path, dry).await, "DisabledException");
}

#[tokio::test]
async fn data_keys_open_with_their_master_key() {
    let bench = Bench::<Kms>::new().await;
    let id = symmetric(&bench).await;
    for (fields, bytes) in [
        (json!({"key_spec": "AES_256"}), 32),
        (json!({"key_spec": "AES_128"}), 16),
        (json!({"number_of_bytes": 1}), 1),
        (json!({"number_of_bytes": "1024"}), 1_024),
    ] {
        let mut fields = fields;
        fields["encryption_context"] = json!({"a": "b"});
        let made = bench
            .write(&format!("data-key/{id}"), fields.clone())
            .await
            .unwrap()
            .data;
        assert_eq!(unb64(&made["plaintext"]).len(), bytes);
        let open =
            json!({"ciphertext_blob": made["ciphertext_blob"], "encryption_context": {"a": "b"}});
        let opened = bench
            .write(&format!("decrypt/{id}"), open)
            .await
            .unwrap()
            .data;
        assert_eq!(opened["plaintext"], made["plaintext"]);
        assert_eq!(opened["key_material_id"], made["key_material_id"]);
        let without = format!("data-key-without-plaintext/{id}");
        let without = bench.write(&without, fields).await.unwrap().data;
        assert!(without.get("plaintext").is_none());
        assert_eq!(unb64(&without["ciphertext_blob"]).len(), 65 + bytes);
    }
    let path = format!("data-key/{id}");
    for wrong in [
        json!({}),
        json!({"key_spec": "AES_256", "number_of_bytes": 32}),
        json!({"key_spec": "AES_512"}),
        json!({"number_of_bytes": 0}),
        json!({"number_of_bytes": 1_025}),
        json!({"number_of_bytes": -1}),
    ] {
        assert_eq!(refused(&bench, &path, wrong).await, "ValidationException");
    }
    let mac = key(
        &bench,
        json!({"key_spec": "HMAC_256", "key_usage": "GENERATE_VERIFY_MAC"}),
    )
    .await;
    let wrong = refused(
        &bench,
        &format!("data-key/{mac}"),
        json!({"key_spec": "AES_256"}),
    )
    .await;
    assert_eq!(wrong, "InvalidKeyUsageException");
    let rsa = key(
        &bench,
        json!({"key_spec": "RSA_2048", "key_usage": "ENCRYPT_DECRYPT"}),
    )
    .await;
    let wrong = refused(
        &bench,
        &format!("data-key/{rsa}"),
        json!({"key_spec": "AES_256"}),
    )
    .await;
    assert_eq!(wrong, "InvalidKeyUsageException");
}

#[tokio::test]
async fn re_encryption_changes_key_and_context() {
    let bench = Bench::<Kms>::new().await;
    let (from, to) = (symmetric(&bench).await, symmetric(&bench).await);
    let fields = json!({"plaintext": b64("text"), "encryption_context": {"a": "1"}});
    let blob = bench
        .write(&format!("encrypt/{from}"), fields)
        .await
        .unwrap()
        .data["ciphertext_blob"]
        .clone();
    let path = format!("re-encrypt/{from}/{to}");
    let fields = json!({
        "ciphertext_blob": blob,
        "source_encryption_context": {"a": "1"},
        "destination_encryption_context": {"b": "2"},
    });
    let made = bench.write(&path, fields).await.unwrap().data;
    assert_eq!(
        (&made["source_key_id"], &made["key_id"]),
        (&json!(from), &json!(to))
    );
    assert!(made.get("plaintext").is_none());
    let open =
        json!({"ciphertext_blob": made["ciphertext_blob"], "encryption_context": {"b": "2"}});
    let opened = bench
        .write(&format!("decrypt/{to}"), open)
        .await
        .unwrap()
        .data;
    assert_eq!(unb64(&opened["plaintext"]), b"text");
    assert_eq!(
        opened["key_material_id"],
        made["destination_key_material_id"]
    );
    let wrong = json!({"ciphertext_blob": blob});
    assert_eq!(
        refused(&bench, &path, wrong).await,
        "InvalidCiphertextException"
    );
    let other = format!("re-encrypt/{to}/{from}");
    let wrong = json!({"ciphertext_blob": blob, "source_encryption_context": {"a": "1"}});
    assert_eq!(
        refused(&bench, &other, wrong).await,
        "IncorrectKeyException"
    );
    bench
        .write(&format!("keys/{to}/disable"), json!({}))
        .await
        .unwrap();
    let wrong = json!({"ciphertext_blob": blob, "source_encryption_context": {"a": "1"}});
    assert_eq!(refused(&bench, &path, wrong).await, "DisabledException");
}

#[tokio::test]
async fn random_bytes() {
    let bench = Bench::<Kms>::new().await;
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..10 {
        let drawn = bench
            .write("random", json!({"number_of_bytes": 32}))
            .await
            .unwrap();
        seen.insert(unb64(&drawn.data["plaintext"]));
    }
    assert_eq!(seen.len(), 10);
    assert!(seen.iter().all(|bytes| bytes.len() == 32));
    for (wrong, name) in [
        (json!({"number_of_bytes": 0}), "ValidationException"),
        (json!({"number_of_bytes": 1_025}), "ValidationException"),
        (
            json!({"number_of_bytes": 1, "custom_key_store_id": "x"}),
            "UnsupportedOperationException",
        ),
        (
            json!({"number_of_bytes": 1, "recipient": {}}),
            "UnsupportedOperationException",
        ),
    ] {
        assert_eq!(refused(&bench, "random", wrong).await, name);
    }
}
