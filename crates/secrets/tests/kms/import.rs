use coffer_crypto::Random;
use coffer_crypto::key_wrap::wrap_kwp;
use coffer_crypto::pair::{KeyPair, Oaep, OaepHash, PairKind, PublicKey};

use super::*;

/// What `import-parameters` gives, and how to wrap for it.
struct Parameters {
    token: Value,
    public: PublicKey,
    algorithm: String,
}

async fn parameters(bench: &Bench<Kms>, id: &str, algorithm: &str) -> Parameters {
    let fields = json!({"wrapping_algorithm": algorithm, "wrapping_key_spec": "RSA_2048"});
    let path = format!("keys/{id}/import-parameters");
    let given = bench.write(&path, fields).await.unwrap().data;
    assert_eq!(given["parameters_valid_to"], json!(bench.now.plus(DAY)));
    Parameters {
        token: given["import_token"].clone(),
        public: PublicKey::from_spki(&unb64(&given["public_key"])).unwrap(),
        algorithm: algorithm.to_owned(),
    }
}

impl Parameters {
    fn fields(&self, material: &[u8], more: Value) -> Value {
        let hash = match self.algorithm.ends_with("SHA_1") {
            true => OaepHash::Sha1,
            false => OaepHash::Sha256,
        };
        let random = Random::system();
        let wrapped = match self.algorithm.starts_with("RSA_AES") {
            false => self
                .public
                .encrypt(Oaep::new(hash), &random, material)
                .unwrap(),
            true => {
                let aes: [u8; 32] = random.bytes();
                let mut wrapped = self.public.encrypt(Oaep::new(hash), &random, &aes).unwrap();
                wrapped.extend(wrap_kwp(&aes, material).unwrap());
                wrapped
            }
        };
        let mut fields = json!({
            "import_token": self.token,
            "encrypted_key_material": b64(wrapped),
            "expiration_model": "KEY_MATERIAL_DOES_NOT_EXPIRE",
        });
        fields
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        fields
    }
}

/// Imports material with parameters of its own.
pub async fn given(
    bench: &Bench<Kms>,
    id: &str,
    material: impl AsRef<[u8]>,
    more: Value,
) -> Result<Value, Fault> {
    let parameters = parameters(bench, id, "RSAES_OAEP_SHA_256").await;
    let fields = parameters.fields(material.as_ref(), more);
    Ok(bench
        .write(&format!("keys/{id}/material"), fields)
        .await?
        .data)
}

async fn external(bench: &Bench<Kms>) -> String {
    key(bench, json!({"origin": "EXTERNAL"})).await
}

#[tokio::test]
async fn material_is_imported_deleted_and_imported_again() {
    let bench = Bench::<Kms>::new().await;
    let id = external(&bench).await;
    assert_eq!(state(&bench, &id).await, "PendingImport");
    let used = refused(
        &bench,
        &format!("encrypt/{id}"),
        json!({"plaintext": b64("x")}),
    )
    .await;
    assert_eq!(used, "KMSInvalidStateException");
    for path in ["enable", "disable", "rotate"] {
        let path = format!("keys/{id}/{path}");
        assert_eq!(
            refused(&bench, &path, json!({})).await,
            "KMSInvalidStateException"
        );
    }
    let done = given(&bench, &id, [1; 32], json!({})).await.unwrap();
    let material = done["key_material_id"].as_str().unwrap().to_owned();
    assert_eq!(state(&bench, &id).await, "Enabled");
    let described = bench.read(&format!("keys/{id}")).await.unwrap().data;
    assert_eq!(described["current_key_material_id"], material.as_str());
    assert_eq!(
        described["expiration_model"],
        "KEY_MATERIAL_DOES_NOT_EXPIRE"
    );
    let blob = encrypt(&bench, &id, "text").await;

    let deleted = bench
        .delete(&format!("keys/{id}/material"))
        .await
        .unwrap()
        .data;
    assert_eq!(deleted["key_material_id"], material.as_str());
    assert_eq!(state(&bench, &id).await, "PendingImport");
    assert_eq!(
        exception(decrypt(&bench, &id, &blob).await),
        "KMSInvalidStateException"
    );
    let other = given(&bench, &id, [2; 32], json!({})).await;
    assert_eq!(exception(other), "IncorrectKeyMaterialException");
    assert_eq!(
        exception(decrypt(&bench, &id, &blob).await),
        "KMSInvalidStateException"
    );
    let again = given(&bench, &id, [1; 32], json!({"key_material_id": material}))
        .await
        .unwrap();
    assert_eq!(again["key_material_id"], material.as_str());
    assert_eq!(decrypt(&bench, &id, &blob).await.unwrap(), "text");

    // The same bytes in another key have another name, and open nothing of the first.
    let second = external(&bench).await;
    let done = given(&bench, &second, [1; 32], json!({})).await.unwrap();
    assert_ne!(done["key_material_id"], material.as_str());
    let mut moved = unb64(&json!(blob));
    moved[1..17].copy_from_slice(&hex::decode(second.replace('-', "")).unwrap());
    let moved = decrypt(&bench, &second, &b64(moved)).await;
    assert_eq!(exception(moved), "InvalidCiphertextException");
}

#[tokio::test]
async fn material_expires_at_its_time() {
    let mut bench = Bench::<Kms>::new().await;
    let id = external(&bench).await;
    let at = bench.now.plus(days(3));
    let until = json!({"expiration_model": "KEY_MATERIAL_EXPIRES", "valid_to": at});
    given(&bench, &id, [1; 32], until).await.unwrap();
    let described = bench.read(&format!("keys/{id}")).await.unwrap().data;
    assert_eq!(described["valid_to"], json!(at));
    assert_eq!(described["expiration_model"], "KEY_MATERIAL_EXPIRES");
    let blob = encrypt(&bench, &id, "text").await;
    bench.advance(days(3) - Duration::from_secs(1));
    assert_eq!(decrypt(&bench, &id, &blob).await.unwrap(), "text");
    bench.advance(Duration::from_secs(1));
    // At its time, before the tick, although the key is held ready.
    assert_eq!(
        exception(decrypt(&bench, &id, &blob).await),
        "KMSInvalidStateException"
    );
    bench.tick().await.unwrap();
    let stored = bench
        .view()
        .get::<golden::Raw>(&format!("key/{id}"))
        .await
        .unwrap()
        .unwrap()
        .0;
    assert_eq!(
        stored["versions"]["1"]["material"],
        Value::Null,
        "it is wiped"
    );
    assert_eq!(stored["wrappings"], json!([]));
    given(&bench, &id, [1; 32], json!({})).await.unwrap();
    assert_eq!(decrypt(&bench, &id, &blob).await.unwrap(), "text");

    for (more, wanted) in [
        (
            json!({"expiration_model": "KEY_MATERIAL_EXPIRES"}),
            "ValidationException",
        ),
        (json!({"expiration_model": ""}), "ValidationException"),
        (
            json!({"expiration_model": "SOMETIMES"}),
            "ValidationException",
        ),
        (
            json!({"valid_to": bench.now.plus(DAY)}),
            "ValidationException",
        ),
        (
            json!({"expiration_model": "KEY_MATERIAL_EXPIRES", "valid_to": bench.now}),
            "ValidationException",
        ),
        (
            json!({"expiration_model": "KEY_MATERIAL_EXPIRES", "valid_to": bench.now.plus(days(366))}),
            "ValidationException",
        ),
        (json!({"import_type": "OTHER"}), "ValidationException"),
        (
            json!({"import_type": "NEW_KEY_MATERIAL", "key_material_id": "x"}),
            "ValidationException",
        ),
        (
            json!({"key_material_id": "0".repeat(64)}),
            "IncorrectKeyMaterialException",
        ),
        (
            json!({"key_material_description": "§"}),
            "ValidationException",
        ),
        (
            json!({"import_type": "NEW_KEY_MATERIAL"}),
            "IncorrectKeyMaterialException",
        ),
    ] {
        let result = given(&bench, &id, [1; 32], more.clone()).await;
        assert_eq!(exception(result), wanted, "{more}");
    }
}

#[tokio::test]
async fn imported_material_rotates_when_the_next_is_there() {
    let bench = Bench::<Kms>::new().await;
    let id = external(&bench).await;
    given(&bench, &id, [1; 32], json!({})).await.unwrap();
    let first = encrypt(&bench, &id, "first").await;
    let new = json!({"import_type": "NEW_KEY_MATERIAL", "key_material_description": "second"});
    let done = given(&bench, &id, [2; 32], new).await.unwrap();
    let third = json!({"import_type": "NEW_KEY_MATERIAL"});
    let waiting = given(&bench, &id, [3; 32], third.clone()).await;
    assert_eq!(exception(waiting), "KMSInvalidStateException");
    let path = format!("keys/{id}/rotations");
    let all = json!({"include_key_material": "ALL_KEY_MATERIAL"});
    let shown = bench
        .request(Verb::Read, &path, all.clone())
        .await
        .unwrap()
        .data;
    assert_eq!(shown["rotations"][0]["key_material_state"], "CURRENT");
    assert_eq!(
        shown["rotations"][1]["key_material_state"],
        "PENDING_ROTATION"
    );
    assert_eq!(shown["rotations"][1]["import_state"], "IMPORTED");
    assert_eq!(shown["rotations"][1]["key_material_description"], "second");
    // What waits does not encrypt yet, and a blob can not claim it.
    let mut early = unb64(&json!(encrypt(&bench, &id, "x").await));
    assert_eq!(early[17..21], [0, 0, 0, 1]);
    early[20] = 2;
    assert_eq!(
        exception(decrypt(&bench, &id, &b64(early)).await),
        "InvalidCiphertextException"
    );

    bench
        .write(&format!("keys/{id}/rotate"), json!({}))
        .await
        .unwrap();
    let second = encrypt(&bench, &id, "second").await;
    assert_eq!(unb64(&json!(second))[17..21], [0, 0, 0, 2]);
    assert_eq!(decrypt(&bench, &id, &first).await.unwrap(), "first");
    assert_eq!(decrypt(&bench, &id, &second).await.unwrap(), "second");
    let nothing = refused(&bench, &format!("keys/{id}/rotate"), json!({})).await;
    assert_eq!(nothing, "KMSInvalidStateException");

    // Without all of its material the key is pending import, and each version comes back by itself.
    let current = done["key_material_id"].as_str().unwrap();
    let path = format!("keys/{id}/material");
    bench.delete(&path).await.unwrap();
    let wrong = bench
        .request(Verb::Delete, &path, json!({"key_material_id": "x"}))
        .await;
    assert_eq!(exception(wrong), "NotFoundException");
    assert_eq!(
        exception(decrypt(&bench, &id, &first).await),
        "KMSInvalidStateException"
    );
    let fields = json!({"key_material_id": current});
    given(&bench, &id, [2; 32], fields).await.unwrap();
    assert_eq!(decrypt(&bench, &id, &second).await.unwrap(), "second");

    // What waits can be deleted, and then was never there.
    let done = given(&bench, &id, [3; 32], third).await.unwrap();
    let fields = json!({"key_material_id": done["key_material_id"]});
    bench.request(Verb::Delete, &path, fields).await.unwrap();
    assert_eq!(state(&bench, &id).await, "Enabled");
    let shown = bench
        .request(Verb::Read, &format!("keys/{id}/rotations"), all)
        .await
        .unwrap()
        .data;
    assert_eq!(shown["rotations"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn tokens_belong_to_their_key_and_end() {
    let mut bench = Bench::<Kms>::new().await;
    let (one, other) = (external(&bench).await, external(&bench).await);
    let of_one = parameters(&bench, &one, "RSAES_OAEP_SHA_256").await;
    let of_other = parameters(&bench, &other, "RSAES_OAEP_SHA_256").await;
    let path = format!("keys/{one}/material");
    let crossed = of_other.fields(&[1; 32], json!({}));
    assert_eq!(
        refused(&bench, &path, crossed).await,
        "InvalidImportTokenException"
    );
    let mixed = of_other.fields(&[1; 32], json!({"import_token": of_one.token}));
    assert_eq!(
        refused(&bench, &path, mixed).await,
        "InvalidCiphertextException"
    );
    let invented = of_one.fields(&[1; 32], json!({"import_token": b64([7; 56])}));
    assert_eq!(
        refused(&bench, &path, invented).await,
        "InvalidImportTokenException"
    );
    for wrong in [[1; 31].as_slice(), &[1; 33], &[1; 16]] {
        let fields = of_one.fields(wrong, json!({}));
        assert_eq!(
            refused(&bench, &path, fields).await,
            "IncorrectKeyMaterialException"
        );
    }
    let garbled = of_one.fields(&[1; 32], json!({"encrypted_key_material": b64([9; 256])}));
    assert_eq!(
        refused(&bench, &path, garbled).await,
        "InvalidCiphertextException"
    );
    let short = of_one.fields(&[1; 32], json!({"encrypted_key_material": b64([9; 5])}));
    assert_eq!(
        refused(&bench, &path, short).await,
        "InvalidCiphertextException"
    );
    let fields = of_one.fields(&[1; 32], json!({}));
    bench.write(&path, fields.clone()).await.unwrap();
    bench.write(&path, fields.clone()).await.unwrap();
    for _ in 0..3 {
        parameters(&bench, &one, "RSAES_OAEP_SHA_256").await;
    }
    assert_eq!(
        refused(&bench, &path, fields.clone()).await,
        "InvalidImportTokenException"
    );
    bench.advance(DAY);
    assert_eq!(
        refused(&bench, &path, fields).await,
        "ExpiredImportTokenException"
    );

    let made_here = symmetric(&bench).await;
    let parameters =
        json!({"wrapping_algorithm": "RSAES_OAEP_SHA_256", "wrapping_key_spec": "RSA_2048"});
    let path = format!("keys/{made_here}/import-parameters");
    assert_eq!(
        refused(&bench, &path, parameters).await,
        "UnsupportedOperationException"
    );
    let deleted = bench.delete(&format!("keys/{made_here}/material")).await;
    assert_eq!(exception(deleted), "UnsupportedOperationException");
    for (algorithm, spec, wanted) in [
        (
            "RSAES_PKCS1_V1_5",
            "RSA_2048",
            "UnsupportedOperationException",
        ),
        ("SM2PKE", "SM2", "UnsupportedOperationException"),
        ("RSAES_OAEP_SHA_256", "SM2", "UnsupportedOperationException"),
        ("RSAES_OAEP_SHA_256", "RSA_1024", "ValidationException"),
        ("ROT13", "RSA_2048", "ValidationException"),
        (
            "RSA_AES_KEY_WRAP_SHA_256",
            "RSA_2048",
            "UnsupportedOperationException",
        ),
    ] {
        let fields = json!({"wrapping_algorithm": algorithm, "wrapping_key_spec": spec});
        let path = format!("keys/{one}/import-parameters");
        assert_eq!(
            refused(&bench, &path, fields).await,
            wanted,
            "{algorithm} {spec}"
        );
    }
}

#[tokio::test]
async fn pairs_and_hmac_keys_are_imported_too() {
    let bench = Bench::<Kms>::new().await;
    for (spec, kind, algorithm) in [
        ("RSA_2048", PairKind::Rsa2048, "RSA_AES_KEY_WRAP_SHA_256"),
        ("RSA_2048", PairKind::Rsa2048, "RSA_AES_KEY_WRAP_SHA_1"),
        ("ECC_NIST_P256", PairKind::EcdsaP256, "RSAES_OAEP_SHA_1"),
        (
            "ECC_NIST_P521",
            PairKind::EcdsaP521,
            "RSA_AES_KEY_WRAP_SHA_256",
        ),
    ] {
        let pair = KeyPair::generate(kind).unwrap();
        let private = pair.to_pkcs8().unwrap();
        let id = key(
            &bench,
            json!({"origin": "EXTERNAL", "key_spec": spec, "key_usage": "SIGN_VERIFY"}),
        )
        .await;
        let parameters = parameters(&bench, &id, algorithm).await;
        let path = format!("keys/{id}/material");
        let other_kind = KeyPair::generate(PairKind::EcdsaP384)
            .unwrap()
            .to_pkcs8()
            .unwrap();
        if algorithm.starts_with("RSA_AES") {
            let fields = parameters.fields(other_kind.expose(), json!({}));
            assert_eq!(
                refused(&bench, &path, fields).await,
                "IncorrectKeyMaterialException"
            );
        }
        let said = parameters.fields(private.expose(), json!({"import_type": "NEW_KEY_MATERIAL"}));
        assert_eq!(refused(&bench, &path, said).await, "ValidationException");
        let done = bench
            .write(&path, parameters.fields(private.expose(), json!({})))
            .await
            .unwrap()
            .data;
        assert_eq!(done, json!({"key_id": id}));
        let public = bench
            .read(&format!("keys/{id}/public-key"))
            .await
            .unwrap()
            .data;
        assert_eq!(unb64(&public["public_key"]), pair.public().to_spki());
        bench.delete(&path).await.unwrap();
        assert_eq!(state(&bench, &id).await, "PendingImport");
        let public = bench.read(&format!("keys/{id}/public-key")).await;
        assert_eq!(exception(public), "KMSInvalidStateException");
        let another = KeyPair::generate(kind).unwrap().to_pkcs8().unwrap();
        let fields = parameters.fields(another.expose(), json!({}));
        assert_eq!(
            refused(&bench, &path, fields).await,
            "IncorrectKeyMaterialException"
        );
        bench
            .write(&path, parameters.fields(private.expose(), json!({})))
            .await
            .unwrap();
        assert_eq!(state(&bench, &id).await, "Enabled");
    }
    for (spec, usage) in [
        ("RSA_2048", "SIGN_VERIFY"),
        ("ECC_NIST_P521", "SIGN_VERIFY"),
    ] {
        let id = key(
            &bench,
            json!({"origin": "EXTERNAL", "key_spec": spec, "key_usage": usage}),
        )
        .await;
        let fields =
            json!({"wrapping_algorithm": "RSAES_OAEP_SHA_256", "wrapping_key_spec": "RSA_2048"});
        let path = format!("keys/{id}/import-parameters");
        assert_eq!(
            refused(&bench, &path, fields).await,
            "UnsupportedOperationException"
        );
    }
    let fields =
        json!({"origin": "EXTERNAL", "key_spec": "HMAC_512", "key_usage": "GENERATE_VERIFY_MAC"});
    let id = key(&bench, fields).await;
    assert_eq!(
        exception(given(&bench, &id, [1; 32], json!({})).await),
        "IncorrectKeyMaterialException"
    );
    given(&bench, &id, [1; 64], json!({})).await.unwrap();
    let fields = json!({"message": b64("m"), "mac_algorithm": "HMAC_SHA_512"});
    let made = bench
        .write(&format!("mac/{id}"), fields)
        .await
        .unwrap()
        .data;
    let own = coffer_crypto::MacKey::new(coffer_crypto::Hash::Sha512, &[1; 64]).sign(b"m");
    assert_eq!(unb64(&made["mac"]), own);
}

#[tokio::test]
async fn states_and_imports() {
    let bench = Bench::<Kms>::new().await;
    let id = external(&bench).await;
    given(&bench, &id, [1; 32], json!({})).await.unwrap();
    bench
        .write(&format!("keys/{id}/disable"), json!({}))
        .await
        .unwrap();
    let disabled = given(&bench, &id, [1; 32], json!({})).await;
    assert_eq!(exception(disabled), "KMSInvalidStateException");
    bench
        .write(&format!("keys/{id}/schedule-deletion"), json!({}))
        .await
        .unwrap();
    let fields =
        json!({"wrapping_algorithm": "RSAES_OAEP_SHA_256", "wrapping_key_spec": "RSA_2048"});
    let path = format!("keys/{id}/import-parameters");
    assert_eq!(
        refused(&bench, &path, fields).await,
        "KMSInvalidStateException"
    );
    bench.delete(&format!("keys/{id}/material")).await.unwrap();
    assert_eq!(state(&bench, &id).await, "PendingDeletion");
    bench
        .write(&format!("keys/{id}/cancel-deletion"), json!({}))
        .await
        .unwrap();
    assert_eq!(state(&bench, &id).await, "PendingImport");
    given(&bench, &id, [1; 32], json!({})).await.unwrap();
    assert_eq!(state(&bench, &id).await, "Enabled");
}
