use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use coffer_crypto::Random;
use coffer_crypto::pair::{Oaep, OaepHash, PublicKey};
use coffer_secrets::kms::Kms;
use coffer_wire::Verb;

use super::*;

const DAY: Duration = Duration::from_secs(24 * 3_600);

async fn key(bench: &Bench<Kms>, body: Value) -> String {
    let made = bench.write("keys", body).await.unwrap();
    made.data["key_id"].as_str().unwrap().to_owned()
}

/// An event about this key.
fn about(kind: &str, id: &str, more: Value) -> Value {
    let path = format!("keys/{id}");
    let mut event = json!({
        "kind": kind, "operation": kind.split('/').next_back(), "path": path, "data_path": path,
        "modified": "true", "key_id": id,
    });
    let all = event.as_object_mut().unwrap();
    all.extend(more.as_object().unwrap().clone());
    event
}

fn alias(kind: &str, id: &str) -> Value {
    json!({
        "kind": kind, "operation": kind.split('/').next_back(), "path": "aliases/team:app", "data_path": "aliases/team:app",
        "modified": "true", "alias_name": "alias/team/app", "target_key_id": id,
    })
}

#[tokio::test]
async fn the_life_of_a_master_key_is_told_by_its_id() {
    let bench = Bench::<Kms>::new().await;
    let id = key(&bench, json!({"description": MARK, "tags": {"a": MARK}})).await;
    let made = json!({"key_spec": "SYMMETRIC_DEFAULT", "key_usage": "ENCRYPT_DECRYPT"});
    assert_eq!(only(&bench), about("kms/key-create", &id, made));
    let target = json!({"target_key_id": id});
    assert_eq!(
        wrote(&bench, "aliases/team:app", target).await,
        alias("kms/alias-create", &id)
    );
    // By whichever name it is asked for.
    for (tail, body, kind, more) in [
        (
            "",
            json!({"description": MARK}),
            "kms/key-description-write",
            json!({}),
        ),
        (
            "/tags",
            json!({"tags": {"b": MARK}}),
            "kms/key-tag-write",
            json!({}),
        ),
        ("/disable", json!({}), "kms/key-disable", json!({})),
        ("/enable", json!({}), "kms/key-enable", json!({})),
        (
            "/rotation",
            json!({"enabled": true, "rotation_period_in_days": 90}),
            "kms/key-rotation-write",
            json!({}),
        ),
        (
            "/rotate",
            json!({}),
            "kms/key-rotate",
            json!({"automatic": "false"}),
        ),
    ] {
        let event = wrote(&bench, &format!("keys/alias:team:app{tail}"), body).await;
        assert_eq!(event, about(kind, &id, more));
    }
    let untag = json!({"tag_keys": ["b"]});
    let path = format!("keys/{id}/tags");
    bench.request(Verb::Delete, &path, untag).await.unwrap();
    assert_eq!(only(&bench), about("kms/key-tag-delete", &id, json!({})));
}

#[tokio::test]
async fn what_time_brings_is_told() {
    let mut bench = Bench::<Kms>::new().await;
    let id = key(&bench, json!({})).await;
    let rotation = json!({"enabled": true, "rotation_period_in_days": 90});
    bench
        .write(&format!("keys/{id}/rotation"), rotation)
        .await
        .unwrap();
    told(&bench);
    bench.advance(89 * DAY);
    bench.tick().await.unwrap();
    assert!(told(&bench).is_empty());
    bench.advance(DAY);
    bench.tick().await.unwrap();
    assert_eq!(
        only(&bench),
        about("kms/key-rotate", &id, json!({"automatic": "true"}))
    );

    let target = json!({"target_key_id": id});
    bench.write("aliases/team:app", target).await.unwrap();
    told(&bench);
    let path = format!("keys/{id}/schedule-deletion");
    let seven = json!({"pending_window_in_days": 7});
    let date = bench.now.plus(7 * DAY).to_string();
    assert_eq!(
        wrote(&bench, &path, seven.clone()).await,
        about(
            "kms/key-deletion-schedule",
            &id,
            json!({"deletion_date": date})
        )
    );
    assert_eq!(
        wrote(&bench, &format!("keys/{id}/cancel-deletion"), json!({})).await,
        about("kms/key-deletion-cancel", &id, json!({}))
    );
    bench.write(&path, seven).await.unwrap();
    told(&bench);
    bench.advance(7 * DAY);
    bench.tick().await.unwrap();
    let mut gone = alias("kms/alias-delete", &id);
    let mut deleted = about("kms/key-delete", &id, json!({}));
    for event in [&mut gone, &mut deleted] {
        event.as_object_mut().unwrap().remove("data_path");
    }
    assert_eq!(told(&bench), [gone, deleted]);
}

#[tokio::test]
async fn aliases_that_move_are_told() {
    let bench = Bench::<Kms>::new().await;
    let (one, two) = (key(&bench, json!({})).await, key(&bench, json!({})).await);
    told(&bench);
    for (id, kind) in [(&one, "kms/alias-create"), (&two, "kms/alias-update")] {
        let body = json!({"target_key_id": id});
        assert_eq!(
            wrote(&bench, "aliases/team:app", body).await,
            alias(kind, id)
        );
    }
    silent(
        &bench,
        "aliases/team:app",
        json!({"target_key_id": one, "create_only": true}),
    )
    .await;
    silent(&bench, "aliases/team:app", json!({"target_key_id": MARK})).await;
    bench.delete("aliases/team:app").await.unwrap();
    assert_eq!(only(&bench)["kind"], "kms/alias-delete");
    assert!(bench.delete("aliases/team:app").await.is_err());
    silent(&bench, &format!("keys/{one}/cancel-deletion"), json!({})).await;
    silent(
        &bench,
        &format!("keys/{one}/rotation"),
        json!({"enabled": true, "rotation_period_in_days": 1}),
    )
    .await;
    silent(&bench, "keys", json!({"key_spec": MARK})).await;
}

#[tokio::test]
async fn brought_material_is_told_and_not_shown() {
    let mut bench = Bench::<Kms>::new().await;
    let id = key(&bench, json!({"origin": "EXTERNAL"})).await;
    told(&bench);
    let wish = json!({"wrapping_algorithm": "RSAES_OAEP_SHA_256", "wrapping_key_spec": "RSA_2048"});
    let path = format!("keys/{id}/import-parameters");
    let given = bench.write(&path, wish).await.unwrap().data;
    // That something may come is no change of the key.
    assert!(told(&bench).is_empty());
    let public = STANDARD
        .decode(given["public_key"].as_str().unwrap())
        .unwrap();
    let public = PublicKey::from_spki(&public).unwrap();
    let material = b"s3cr3t material of thirty-two by";
    let oaep = Oaep::new(OaepHash::Sha256);
    let wrapped = public.encrypt(oaep, &Random::system(), material).unwrap();
    let body = json!({
        "import_token": given["import_token"], "encrypted_key_material": STANDARD.encode(wrapped),
        "valid_to": bench.now.plus(DAY).to_string(), "key_material_description": MARK,
    });
    let path = format!("keys/{id}/material");
    assert_eq!(
        wrote(&bench, &path, body.clone()).await,
        about("kms/key-material-import", &id, json!({}))
    );
    bench.advance(DAY);
    bench.tick().await.unwrap();
    assert_eq!(
        only(&bench),
        about("kms/key-material-expire", &id, json!({}))
    );
    silent(&bench, &path, body).await;
    bench.delete(&path).await.unwrap();
    assert_eq!(
        only(&bench),
        about("kms/key-material-delete", &id, json!({}))
    );
}

#[tokio::test]
async fn what_keys_are_used_for_is_nobodys_business() {
    let bench = Bench::<Kms>::new().await;
    let id = key(&bench, json!({})).await;
    told(&bench);
    let plaintext = json!({"plaintext": STANDARD.encode(MARK)});
    let made = bench
        .write(&format!("encrypt/{id}"), plaintext)
        .await
        .unwrap();
    let blob = json!({"ciphertext_blob": made.data["ciphertext_blob"]});
    bench.write(&format!("decrypt/{id}"), blob).await.unwrap();
    bench
        .write(&format!("data-key/{id}"), json!({"key_spec": "AES_256"}))
        .await
        .unwrap();
    assert!(told(&bench).is_empty());
}
