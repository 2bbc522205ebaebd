//! What this release has stored, the next ones have to read.
//!
//! `golden/v1.json` holds the records of a mount and what was made with its keys. After a change of the format it stays, and
//! another file is made beside it: `WRITE_GOLDEN=v2 cargo nextest run -p coffer-secrets --test kms golden`.

use coffer_engine::Stored;
use serde::{Deserialize, Serialize};

use super::*;

const VERSIONS: [(&str, &str); 1] = [("v1", include_str!("golden/v1.json"))];

/// A record as it is stored, whatever it is.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
pub struct Raw(pub Value);

impl Stored for Raw {}

#[tokio::test]
async fn what_earlier_releases_stored_is_read() {
    for (version, text) in VERSIONS {
        let golden: Value = serde_json::from_str(text).unwrap();
        let bench = Bench::<Kms>::new().await;
        for (path, record) in golden["records"].as_object().unwrap() {
            bench.view().put(path, &Raw(record.clone())).await.unwrap();
        }
        for exchange in golden["exchanges"].as_array().unwrap() {
            let path = exchange["path"].as_str().unwrap();
            let answer = bench
                .write(path, exchange["fields"].clone())
                .await
                .unwrap()
                .data;
            for (name, wanted) in exchange["answer"].as_object().unwrap() {
                assert_eq!(&answer[name], wanted, "{version}: {path}: {name}");
            }
        }
        let keys = list(&bench, "keys", json!({})).await.data;
        assert_eq!(keys["keys"].as_array().unwrap().len(), 4, "{version}");
        for (_, info) in keys["key_info"].as_object().unwrap() {
            let state = info["key_state"].as_str().unwrap();
            assert!(
                state == "Enabled" || state == "PendingImport",
                "{version}: {state}"
            );
        }
    }
}

#[tokio::test]
async fn golden_files_are_made_on_demand() {
    let Ok(version) = std::env::var("WRITE_GOLDEN") else {
        return;
    };
    let bench = Bench::<Kms>::new().await;
    let tags = json!([{"tag_key": "team", "tag_value": "a"}]);
    let id = key(&bench, json!({"description": "golden", "tags": tags})).await;
    bench
        .write("aliases/team:golden", json!({"target_key_id": id}))
        .await
        .unwrap();
    let mut exchanges = Vec::new();
    for text in ["first", "second"] {
        let context = json!({"version": text});
        let fields = json!({"plaintext": b64(text), "encryption_context": context});
        let made = bench
            .write(&format!("encrypt/{id}"), fields)
            .await
            .unwrap()
            .data;
        exchanges.push(json!({
            "path": "decrypt/alias:team:golden",
            "fields": {"ciphertext_blob": made["ciphertext_blob"], "encryption_context": context},
            "answer": {"plaintext": b64(text), "key_id": id},
        }));
        bench
            .write(&format!("keys/{id}/rotate"), json!({}))
            .await
            .unwrap();
    }
    let on = json!({"enabled": true, "rotation_period_in_days": 2_560});
    bench
        .write(&format!("keys/{id}/rotation"), on)
        .await
        .unwrap();
    let mac = key(
        &bench,
        json!({"key_spec": "HMAC_384", "key_usage": "GENERATE_VERIFY_MAC"}),
    )
    .await;
    let mut fields = json!({"message": b64("m"), "mac_algorithm": "HMAC_SHA_384"});
    let made = bench
        .write(&format!("mac/{mac}"), fields.clone())
        .await
        .unwrap()
        .data;
    fields["mac"] = made["mac"].clone();
    exchanges.push(json!({"path": format!("verify-mac/{mac}"), "fields": fields, "answer": {"mac_valid": true}}));
    let pair = key(
        &bench,
        json!({"key_spec": "ECC_NIST_P256", "key_usage": "SIGN_VERIFY"}),
    )
    .await;
    let mut fields = json!({"message": b64("m"), "signing_algorithm": "ECDSA_SHA_256"});
    let made = bench
        .write(&format!("sign/{pair}"), fields.clone())
        .await
        .unwrap()
        .data;
    fields["signature"] = made["signature"].clone();
    exchanges.push(json!({"path": format!("verify/{pair}"), "fields": fields, "answer": {"signature_valid": true}}));
    let external = key(&bench, json!({"origin": "EXTERNAL"})).await;
    import::given(&bench, &external, [7; 32], json!({}))
        .await
        .unwrap();
    let blob = encrypt(&bench, &external, "imported").await;
    exchanges.push(json!({
        "path": format!("decrypt/{external}"),
        "fields": {"ciphertext_blob": blob},
        "answer": {"plaintext": b64("imported")},
    }));
    let records = bench.view().scan::<Raw>("", None, 1_000).await.unwrap();
    let records: serde_json::Map<_, _> = records
        .into_iter()
        .map(|(path, raw)| (path, raw.0))
        .collect();
    let golden = json!({"records": records, "exchanges": exchanges});
    let file = format!(
        "{}/tests/kms/golden/{version}.json",
        env!("CARGO_MANIFEST_DIR")
    );
    std::fs::write(file, serde_json::to_string_pretty(&golden).unwrap() + "\n").unwrap();
}
