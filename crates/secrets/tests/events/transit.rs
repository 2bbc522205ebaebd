use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use coffer_crypto::pair::{Oaep, OaepHash, PublicKey};
use coffer_crypto::{Random, key_wrap};
use coffer_secrets::transit::Transit;

use super::*;

const PLAIN: &str = "s3cr3t plaintext, s3cr3t";

fn b64(bytes: impl AsRef<[u8]>) -> String {
    STANDARD.encode(bytes)
}

/// An event about the key `app`, of which there are so many versions.
fn about(kind: &str, path: &str, latest: u32, more: Value) -> Value {
    let mut event = json!({
        "kind": kind, "operation": kind.split('/').next_back(), "path": path, "modified": "true",
        "data_path": "keys/app", "name": "app", "type": "aes256-gcm96", "latest_version": latest.to_string(),
    });
    let all = event.as_object_mut().unwrap();
    all.extend(more.as_object().unwrap().clone());
    event
}

/// A key as a client wraps it.
async fn wrapped(bench: &Bench<Transit>, key: &[u8]) -> String {
    let shown = bench.read("wrapping_key").await.unwrap().data;
    let public = PublicKey::from_pem(shown["public_key"].as_str().unwrap()).unwrap();
    let oaep = Oaep::new(OaepHash::Sha256);
    let sealed = public.encrypt(oaep, &Random::system(), &[7; 32]).unwrap();
    b64([sealed, key_wrap::wrap_kwp(&[7; 32], key).unwrap()].concat())
}

#[tokio::test]
async fn the_life_of_a_key_is_told() {
    let bench = Bench::<Transit>::new().await;
    let none = || json!({});
    let body = json!({"exportable": true, "allow_plaintext_backup": true});
    assert_eq!(
        wrote(&bench, "keys/app", body.clone()).await,
        about("transit/key-create", "keys/app", 1, none())
    );
    // It is there.
    bench.write("keys/app", body).await.unwrap();
    assert!(told(&bench).is_empty());
    assert_eq!(
        wrote(&bench, "keys/app/rotate", none()).await,
        about(
            "transit/key-rotate",
            "keys/app/rotate",
            2,
            json!({"automatic": "false"})
        )
    );
    let config =
        json!({"min_encryption_version": 2, "min_decryption_version": 2, "deletion_allowed": true});
    assert_eq!(
        wrote(&bench, "keys/app/config", config).await,
        about("transit/key-config-write", "keys/app/config", 2, none())
    );
    assert_eq!(
        wrote(&bench, "keys/app/trim", json!({"min_available_version": 2})).await,
        about(
            "transit/key-trim",
            "keys/app/trim",
            2,
            json!({"min_available_version": "2"})
        )
    );
    bench.delete("keys/app/soft-delete").await.unwrap();
    assert_eq!(
        only(&bench),
        about("transit/key-soft-delete", "keys/app/soft-delete", 2, none())
    );
    bench.delete("keys/app/soft-delete").await.unwrap();
    assert!(told(&bench).is_empty());
    let path = "keys/app/soft-delete-restore";
    assert_eq!(
        wrote(&bench, path, none()).await,
        about("transit/key-undelete", path, 2, none())
    );
    let backup = bench.read("backup/app").await.unwrap().data;
    let event = only(&bench);
    assert_eq!(event, about("transit/key-backup", "backup/app", 2, none()));
    bench.delete("keys/app").await.unwrap();
    assert_eq!(
        only(&bench),
        json!({"kind": "transit/key-delete", "operation": "key-delete", "path": "keys/app", "modified": "true", "name": "app"})
    );
    assert_eq!(
        wrote(&bench, "restore", backup).await,
        about("transit/key-restore", "restore/app", 2, none())
    );
}

#[tokio::test]
async fn brought_keys_are_told_without_their_material() {
    let bench = Bench::<Transit>::new().await;
    let material = b"s3cr3t material of thirty-two by";
    let body = json!({"ciphertext": wrapped(&bench, material).await});
    assert_eq!(
        wrote(&bench, "keys/app/import", body).await,
        about("transit/key-import", "keys/app/import", 1, json!({}))
    );
    let body = json!({"ciphertext": wrapped(&bench, &[9; 32]).await});
    assert_eq!(
        wrote(&bench, "keys/app/import_version", body.clone()).await,
        about(
            "transit/key-import-version",
            "keys/app/import_version",
            2,
            json!({"version": "2"})
        )
    );
    silent(&bench, "keys/app/import", body).await;
    silent(&bench, "keys/app/rotate", json!({})).await;
    let event = wrote(&bench, "config/keys", json!({"disable_upsert": true})).await;
    assert_eq!(event["kind"], "transit/config-write");
    assert_eq!(event["data_path"], "config/keys");
    let event = wrote(&bench, "cache-config", json!({"size": 100})).await;
    assert_eq!(event["path"], "cache-config");
    silent(&bench, "cache-config", json!({"size": 3})).await;
}

#[tokio::test]
async fn rotation_by_itself_is_told_so() {
    let mut bench = Bench::<Transit>::new().await;
    let body = json!({"auto_rotate_period": "1h"});
    bench.write("keys/app", body).await.unwrap();
    told(&bench);
    bench.tick().await.unwrap();
    assert!(told(&bench).is_empty());
    bench.advance(Duration::from_secs(3_600));
    bench.tick().await.unwrap();
    assert_eq!(
        only(&bench),
        about(
            "transit/key-rotate",
            "keys/app/rotate",
            2,
            json!({"automatic": "true"})
        )
    );
}

#[tokio::test]
async fn what_keys_are_used_for_is_nobodys_business() {
    let bench = Bench::<Transit>::new().await;
    // A key that encrypting makes is one that is made.
    let body = json!({"plaintext": b64(PLAIN)});
    let made = bench.write("encrypt/app", body.clone()).await.unwrap();
    assert_eq!(only(&bench)["kind"], "transit/key-create");
    bench.write("encrypt/app", body).await.unwrap();
    bench.write("decrypt/app", made.data).await.unwrap();
    let input = json!({"input": b64(PLAIN)});
    bench.write("hmac/app", input).await.unwrap();
    bench
        .write("datakey/plaintext/app", json!({}))
        .await
        .unwrap();
    assert!(told(&bench).is_empty());
    silent(
        &bench,
        "keys/app/config",
        json!({"min_decryption_version": 9}),
    )
    .await;
    silent(&bench, "keys/app/trim", json!({"min_available_version": 9})).await;
    silent(&bench, "keys/other/rotate", json!({})).await;
    silent(&bench, "keys/other", json!({"type": "s3cr3t"})).await;
    assert!(bench.delete("keys/app").await.is_err());
    assert!(told(&bench).is_empty());
}
