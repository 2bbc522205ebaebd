use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use coffer_barrier::{WrapError, Wrapped, Wrapper};
use coffer_crypto::jose::Compact;
use coffer_crypto::sign::{Algorithm, SigningKey};
use coffer_engine::outbound::Request;

use super::checksum::crc32c;
use crate::testing::{World, body, header, survives};

const KEY: &str = "projects/p/locations/global/keyRings/r/cryptoKeys/k";
const STANZA: [(&str, &str); 4] = [
    ("project", "p"),
    ("region", "global"),
    ("key_ring", "r"),
    ("crypto_key", "k"),
];
/// `coffer: root key`, as it travels.
const ABOUT: &str = "Y29mZmVyOiByb290IGtleQ==";

/// The documented exchange: the metadata server, and a key whose ciphertexts are the plaintexts.
fn google(request: &Request) -> (u16, Value) {
    let asked = body(request);
    if request.url.contains("/computeMetadata/") {
        return match header(request, "metadata-flavor") == "Google" {
            true => (
                200,
                json!({ "access_token": "t-machine", "expires_in": 3599, "token_type": "Bearer" }),
            ),
            false => (403, json!("")),
        };
    }
    let failed = |code: u16, status: &str| {
        (
            code,
            json!({ "error": { "code": code, "status": status, "message": "hunter2" } }),
        )
    };
    let sum = |name: &str| {
        crc32c(
            &STANDARD
                .decode(asked[name].as_str().unwrap_or_default())
                .unwrap(),
        )
        .to_string()
    };
    if !header(request, "authorization").starts_with("Bearer t-") {
        return failed(401, "UNAUTHENTICATED");
    }
    if asked["additionalAuthenticatedData"] != ABOUT {
        return failed(400, "INVALID_ARGUMENT");
    }
    match request
        .url
        .strip_prefix("https://cloudkms.googleapis.com/v1/")
    {
        Some("projects/p/locations/global/keyRings/r/cryptoKeys/k:encrypt") => {
            let is_whole = asked["plaintextCrc32c"] == sum("plaintext");
            let answer = json!({
                "name": format!("{KEY}/cryptoKeyVersions/3"), "ciphertext": asked["plaintext"],
                "ciphertextCrc32c": sum("plaintext"), "verifiedPlaintextCrc32c": is_whole,
                "verifiedAdditionalAuthenticatedDataCrc32c": true, "protectionLevel": "SOFTWARE",
            });
            (200, answer)
        }
        Some("projects/p/locations/global/keyRings/r/cryptoKeys/k:decrypt") => (
            200,
            json!({ "plaintext": asked["ciphertext"], "plaintextCrc32c": sum("ciphertext"), "usedPrimary": true }),
        ),
        _ => failed(404, "NOT_FOUND"),
    }
}

fn keeper(world: &Arc<World>) -> Arc<dyn Wrapper> {
    world.keeper("gcpckms", &STANZA, &[]).unwrap()
}

#[tokio::test]
async fn it_wraps_and_unwraps_by_the_documented_exchange() {
    let world = World::new(google);
    let keeper = keeper(&world);
    let wrapped = keeper.wrap(b"root key").await.unwrap();
    assert_eq!(wrapped.key_id, format!("{KEY}/cryptoKeyVersions/3"));
    assert_eq!(wrapped.ciphertext, b"root key");
    assert_eq!(*keeper.unwrap(&wrapped).await.unwrap(), b"root key");
    assert_eq!(world.count("/computeMetadata/"), 1);
    assert!(
        world.asked()[0]
            .url
            .starts_with("http://metadata.google.internal/computeMetadata/v1/")
    );
}

#[tokio::test]
async fn a_service_account_signs_for_its_token() {
    let pair = SigningKey::generate(Algorithm::Rs256).unwrap();
    let pem = STANDARD.encode(pair.to_pkcs8().unwrap().expose());
    let file = json!({
        "type": "service_account", "client_email": "coffer@p.iam.gserviceaccount.com", "private_key_id": "kid-1",
        "private_key": format!("-----BEGIN PRIVATE KEY-----\n{pem}\n-----END PRIVATE KEY-----\n"),
        "token_uri": "https://issuer.example/token",
    });
    let world = World::new(
        |request| match request.url == "https://issuer.example/token" {
            true => (
                200,
                json!({ "access_token": "t-account", "expires_in": 3600 }),
            ),
            false => google(request),
        },
    );
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key.json");
    std::fs::write(&path, file.to_string()).unwrap();
    let by_path = [("GOOGLE_APPLICATION_CREDENTIALS", path.to_str().unwrap())];
    let text = file.to_string();
    for environment in [by_path, [("GOOGLE_CREDENTIALS", &text)]] {
        let keeper = world.keeper("gcpckms", &STANZA, &environment).unwrap();
        keeper.wrap(b"x").await.unwrap();
    }
    let asked = &world.asked()[0];
    let form = String::from_utf8(asked.body.to_vec()).unwrap();
    let assertion = form.split("&assertion=").nth(1).unwrap();
    assert!(form.starts_with("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&"));
    let read = Compact::parse(assertion).unwrap();
    assert_eq!(read.header().key_id.as_deref(), Some("kid-1"));
    let claims: Value = serde_json::from_slice(read.verify(pair.verifying_key()).unwrap()).unwrap();
    assert_eq!(claims["iss"], "coffer@p.iam.gserviceaccount.com");
    assert_eq!(claims["aud"], "https://issuer.example/token");
    assert_eq!(claims["scope"], "https://www.googleapis.com/auth/cloudkms");
    assert_eq!(
        claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(),
        600
    );
    for (text, word) in [
        (
            json!({ "type": "authorized_user", "refresh_token": "hunter2" }).to_string(),
            "authorized_user, which is not supported",
        ),
        (json!({ "type": "hunter2" }).to_string(), "no known type"),
        (
            file.to_string().replace("BEGIN", "hunter2"),
            "no RSA key in PEM",
        ),
        ("{hunter2".to_owned(), "not the JSON"),
    ] {
        let built = world.keeper("gcpckms", &STANZA, &[("GOOGLE_CREDENTIALS", &text)]);
        let why = built.err().unwrap().to_string();
        assert!(why.contains(word) && !why.contains("hunter2"), "{why}");
    }
}

#[tokio::test]
async fn damage_on_the_way_is_noticed() {
    let world = World::new(google);
    let keeper = keeper(&world);
    let wrapped = keeper.wrap(b"root key").await.unwrap();
    for (member, value) in [
        ("ciphertext", json!("AAAA")),
        ("ciphertextCrc32c", json!("1")),
        ("verifiedPlaintextCrc32c", json!(false)),
        (
            "name",
            json!("projects/p/locations/global/keyRings/r/cryptoKeys/other/cryptoKeyVersions/1"),
        ),
        ("plaintext", json!("AAAA")),
        ("plaintextCrc32c", json!("x")),
    ] {
        world.change(move |request| {
            let (status, mut answer) = google(request);
            if answer.get(member).is_some() {
                answer[member] = value.clone();
            }
            (status, answer)
        });
        let (wrap, unwrap) = (
            keeper.wrap(b"root key").await,
            keeper.unwrap(&wrapped).await,
        );
        let is_garbled = |error: Option<WrapError>| matches!(error, Some(WrapError::Garbled(_)));
        assert!(
            is_garbled(wrap.err()) || is_garbled(unwrap.err()),
            "{member}"
        );
    }
}

#[tokio::test]
async fn keys_of_other_projects_unwrap_nothing() {
    let world = World::new(google);
    let keeper = keeper(&world);
    let wrapped = keeper.wrap(b"root key").await.unwrap();
    let asked = world.asked().len();
    for stored in [
        "projects/evil/locations/global/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1",
        "projects/p/locations/global/keyRings/r/cryptoKeys/../cryptoKeyVersions/1",
        "projects/p/locations/global/keyRings/r/cryptoKeys/k",
        "",
    ] {
        let foreign = Wrapped {
            key_id: stored.into(),
            ..wrapped.clone()
        };
        assert!(
            matches!(keeper.unwrap(&foreign).await, Err(WrapError::Refused(_))),
            "{stored}"
        );
    }
    assert_eq!(world.asked().len(), asked);
}

#[tokio::test]
async fn faults_are_told_apart_and_a_dead_token_is_got_anew() {
    let world = World::new(google);
    let keeper = keeper(&world);
    let wrapped = keeper.wrap(b"root key").await.unwrap();
    for (code, status, is_worth_it) in [
        (403, "PERMISSION_DENIED", false),
        (404, "NOT_FOUND", false),
        (400, "FAILED_PRECONDITION", false),
        (400, "INVALID_ARGUMENT", false),
        (429, "RESOURCE_EXHAUSTED", true),
        (503, "UNAVAILABLE", true),
        (400, "hunter2", false),
    ] {
        world.change(move |_| {
            (
                code,
                json!({ "error": { "status": status, "message": "hunter2" } }),
            )
        });
        let error = keeper.unwrap(&wrapped).await.unwrap_err();
        assert_eq!(
            matches!(error, WrapError::Unreachable(_)),
            is_worth_it,
            "{error}"
        );
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
    world.change(|request| match request.url.contains("/computeMetadata/") {
        true => (
            200,
            json!({ "access_token": "t-second", "expires_in": "3599" }),
        ),
        false if header(request, "authorization") == "Bearer t-machine" => (401, json!("")),
        false => google(request),
    });
    assert_eq!(*keeper.unwrap(&wrapped).await.unwrap(), b"root key");
}

#[tokio::test]
async fn garbage_is_survived() {
    let world = World::new(google);
    let keeper = keeper(&world);
    let wrapped = keeper.wrap(b"root key").await.unwrap();
    survives(&world, &*keeper, &wrapped).await;
}

#[test]
fn parameters_and_variables_are_those_of_the_documents() {
    let world = World::new(google);
    let environment = [
        ("GOOGLE_PROJECT", "p"),
        ("GOOGLE_REGION", "global"),
        ("VAULT_GCPCKMS_SEAL_KEY_RING", "r"),
        ("VAULT_GCPCKMS_SEAL_CRYPTO_KEY", "k"),
    ];
    assert!(world.keeper("gcpckms", &[], &environment).is_ok());
    for (stanza, word) in [
        (
            vec![],
            "`project` is missing; write it into the stanza, or set GOOGLE_PROJECT",
        ),
        (
            vec![STANZA[0], STANZA[1], STANZA[2]],
            "`crypto_key` is missing",
        ),
        (
            [&STANZA[..3], &[("crypto_key", "../x")]].concat(),
            "`crypto_key` has signs",
        ),
        (
            [&STANZA[..], &[("credentials", "/none/such")]].concat(),
            "`credentials` names /none/such",
        ),
        (
            [&STANZA[..], &[("endpoint", "ftp://x")]].concat(),
            "`endpoint` is no address",
        ),
        (
            [&STANZA[..], &[("keyring", "x")]].concat(),
            "did you mean `key_ring`?",
        ),
    ] {
        let why = world
            .keeper("gcpckms", &stanza, &[])
            .err()
            .unwrap()
            .to_string();
        assert!(why.contains(word), "{why}");
    }
}
