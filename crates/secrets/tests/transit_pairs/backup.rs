use coffer_engine::Fault;
use serde_json::json;

use super::*;

async fn backup(bench: &Bench<Transit>, name: &str) -> Value {
    bench.read(&format!("backup/{name}")).await.unwrap().data["backup"].clone()
}

fn document(backup: &Value) -> Value {
    serde_json::from_slice(&decoded(backup)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_kind_comes_back_as_it_was_on_another_mount() {
    let (bench, other) = (Bench::<Transit>::new().await, Bench::<Transit>::new().await);
    for kind in KINDS {
        key(&bench, kind, kind).await;
        bench
            .write(&format!("keys/{kind}/rotate"), json!({}))
            .await
            .unwrap();
        let old = signature(&bench, kind, json!({"key_version": 1})).await;
        let taken = backup(&bench, kind).await;
        other
            .write("restore", json!({"backup": taken}))
            .await
            .unwrap();
        assert!(is_valid(&other, kind, &old, json!({})).await, "{kind}");
        let new = signature(&other, kind, json!({})).await;
        assert!(is_valid(&bench, kind, &new, json!({})).await, "{kind}");
        let shown = other.read(&format!("keys/{kind}")).await.unwrap().data;
        assert_eq!(shown["restore_info"]["version"], 2);
        assert_eq!(shown["backup_info"]["version"], 2);
    }
    for (name, body) in [
        ("a", json!({})),
        ("b", json!({"type": "aes128-gcm96", "derived": true})),
        ("c", json!({"derived": true, "convergent_encryption": true})),
        ("d", json!({"type": "xchacha20-poly1305"})),
    ] {
        let mut body = body;
        body["exportable"] = json!(true);
        body["allow_plaintext_backup"] = json!(true);
        bench.write(&format!("keys/{name}"), body).await.unwrap();
        let plain = json!({"plaintext": base64("x"), "context": base64("c")});
        let sealed = data(&bench, &format!("encrypt/{name}"), plain).await;
        let taken = backup(&bench, name).await;
        other
            .write(&format!("restore/{name}2"), json!({"backup": taken}))
            .await
            .unwrap();
        let sealed = json!({"ciphertext": sealed["ciphertext"], "context": base64("c")});
        let opened = data(&other, &format!("decrypt/{name}2"), sealed).await;
        assert_eq!(opened["plaintext"], base64("x"));
    }
}

#[tokio::test]
async fn versions_that_are_trimmed_stay_so_and_old_ones_are_in_it() {
    let bench = Bench::<Transit>::new().await;
    key(&bench, "k", "aes256-gcm96").await;
    for _ in 0..4 {
        bench.write("keys/k/rotate", json!({})).await.unwrap();
    }
    let config = json!({"min_decryption_version": 3, "min_encryption_version": 4});
    bench.write("keys/k/config", config).await.unwrap();
    let whole = document(&backup(&bench, "k").await);
    assert_eq!(whole["archived_keys"]["keys"].as_array().unwrap().len(), 6);
    bench
        .write("keys/k/trim", json!({"min_available_version": 2}))
        .await
        .unwrap();
    let taken = backup(&bench, "k").await;
    let whole = document(&taken);
    assert_eq!(whole["archived_keys"]["keys"].as_array().unwrap().len(), 4);
    assert_eq!(whole["policy"]["archive_min_version"], 2);
    assert_eq!(whole["policy"]["keys"].as_object().unwrap().len(), 3);
    bench
        .write("restore/r", json!({"backup": taken}))
        .await
        .unwrap();
    let shown = bench.read("keys/r").await.unwrap().data;
    for (field, value) in [
        ("latest_version", 5),
        ("min_available_version", 2),
        ("min_decryption_version", 3),
        ("min_encryption_version", 4),
    ] {
        assert_eq!(shown[field], value, "{field}");
    }
    bench
        .write("keys/r/config", json!({"min_decryption_version": 2}))
        .await
        .unwrap();
    let exported = bench.read("export/encryption-key/r").await.unwrap().data;
    assert_eq!(exported["keys"].as_object().unwrap().len(), 4);
}

#[tokio::test]
async fn a_backup_is_for_keys_that_allow_it_and_replaces_only_by_force() {
    let bench = Bench::<Transit>::new().await;
    for (name, body) in [
        ("a", json!({"exportable": true})),
        ("b", json!({"allow_plaintext_backup": true})),
    ] {
        bench.write(&format!("keys/{name}"), body).await.unwrap();
        let refused = bench.read(&format!("backup/{name}")).await;
        assert!(matches!(refused, Err(Fault::Invalid(why)) if why.contains("disallowed")));
    }
    assert!(matches!(
        bench.read("backup/absent").await,
        Err(Fault::Invalid(_))
    ));
    key(&bench, "k", "ed25519").await;
    let taken = backup(&bench, "k").await;
    let old = signature(&bench, "k", json!({})).await;
    bench.write("keys/k/rotate", json!({})).await.unwrap();
    let why = refusal(&bench, "restore", json!({"backup": taken})).await;
    assert!(why.contains("already exists"), "{why}");
    let why = refusal(&bench, "restore/k", json!({"backup": taken})).await;
    assert!(why.contains("already exists"), "{why}");
    bench
        .write("restore", json!({"backup": taken, "force": true}))
        .await
        .unwrap();
    let shown = bench.read("keys/k").await.unwrap().data;
    assert_eq!(shown["latest_version"], 1);
    assert_eq!(signature(&bench, "k", json!({})).await, old);
    for name in ["a b", "a/b", ""] {
        let refused = bench
            .write(&format!("restore/{name}"), json!({"backup": taken}))
            .await;
        assert!(refused.is_err(), "{name:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_backup_makes_no_key() {
    let bench = Bench::<Transit>::new().await;
    for wrong in [
        "",
        "??",
        &base64("x"),
        &base64("{}"),
        &base64("{\"policy\":null}"),
        &base64("[]"),
    ] {
        refusal(&bench, "restore/r", json!({"backup": wrong})).await;
    }
    for kind in ["ecdsa-p256", "rsa-2048", "ed25519", "aes256-gcm96", "hmac"] {
        key(&bench, kind, kind).await;
        let whole = document(&backup(&bench, kind).await);
        let mut altered = Vec::new();
        for (pointer, value) in [
            ("/policy/type", json!(99)),
            ("/policy/type", json!(-1)),
            ("/policy/type", json!({})),
            ("/policy/latest_version", json!(2)),
            ("/policy/latest_version", json!(4_000_000_000u32)),
            ("/policy/min_decryption_version", json!(0)),
            ("/policy/min_decryption_version", json!(2)),
            ("/policy/min_encryption_version", json!(7)),
            ("/policy/kdf", json!(7)),
            ("/policy/keys/1/key", json!("AAAA")),
            ("/policy/keys/1/ec_d", json!(5)),
            ("/policy/keys/1/ec_x", json!("5")),
            ("/policy/keys/1/ec_y", json!(-5)),
            ("/policy/keys/1/rsa_key/D", json!(5)),
            ("/policy/keys/1/rsa_key/Primes", json!([])),
            ("/policy/keys/1/rsa_key/Precomputed/Qinv", json!(1.5)),
        ] {
            let mut copy = whole.clone();
            let Some(place) = copy.pointer_mut(pointer) else {
                continue;
            };
            let untouched = place.is_null();
            *place = value;
            // A part that keys of this kind do not have is not looked at.
            if !untouched && (kind != "aes256-gcm96" || pointer != "/policy/kdf") {
                altered.push((pointer, copy));
            }
        }
        assert!(altered.len() >= 9);
        for (pointer, copy) in altered {
            let body = json!({"backup": base64(copy.to_string())});
            let refused = bench.write("restore/r", body).await;
            assert!(
                matches!(refused, Err(Fault::Invalid(_))),
                "{kind} {pointer}: {refused:?}"
            );
        }
    }
    assert!(matches!(bench.read("keys/r").await, Err(Fault::NotFound)));
}

#[tokio::test(flavor = "multi_thread")]
async fn ml_dsa_is_backed_up_as_seed_and_bare_public_half() {
    let bench = Bench::<Transit>::new().await;
    for (kind, number, length) in [
        ("mldsa-44", 12, 1312),
        ("mldsa-65", 13, 1952),
        ("mldsa-87", 14, 2592),
    ] {
        key(&bench, kind, kind).await;
        let whole = document(&backup(&bench, kind).await);
        assert_eq!(whole["policy"]["type"], number);
        let entry = &whole["policy"]["keys"]["1"];
        assert_eq!(decoded(&entry["key"]).len(), 32);
        assert_eq!(decoded(&entry["public_key"]).len(), length);
        let shown = bench.read(&format!("keys/{kind}")).await.unwrap().data;
        assert_eq!(shown["keys"]["1"]["public_key"], entry["public_key"]);
    }
    let whole = document(&backup(&bench, "mldsa-44").await);
    let other = document(&backup(&bench, "mldsa-65").await);
    let other_public = &other["policy"]["keys"]["1"]["public_key"];
    for (at, (field, value, taken)) in [
        ("key", json!(base64([1; 31])), false),
        ("key", json!(base64([1; 33])), false),
        ("key", json!(base64([1; 32])), false),
        ("public_key", json!(base64([1; 1312])), false),
        ("public_key", other_public.clone(), false),
        ("public_key", json!(""), true),
        ("key", json!(null), true),
    ]
    .into_iter()
    .enumerate()
    {
        let mut altered = whole.clone();
        altered["policy"]["keys"]["1"][field] = value.clone();
        altered["archived_keys"]["keys"][1][field] = value;
        let name = format!("k{at}");
        let body = json!({"backup": base64(altered.to_string())});
        let restored = bench.write(&format!("restore/{name}"), body).await;
        assert_eq!(restored.is_ok(), taken, "{at} {field}");
        if taken {
            let shown = bench.read(&format!("keys/{name}")).await.unwrap().data;
            let public = &whole["policy"]["keys"]["1"]["public_key"];
            assert_eq!(&shown["keys"]["1"]["public_key"], public);
        } else {
            assert!(matches!(restored, Err(Fault::Invalid(_))), "{at} {field}");
        }
    }
}
