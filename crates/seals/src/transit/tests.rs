use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use coffer_barrier::{WrapError, Wrapped};
use coffer_engine::outbound::Request;

use crate::testing::{World, body, header, survives};

const STANZA: [(&str, &str); 4] = [
    ("address", "https://transit.example:8200/"),
    ("token", "hunter2"),
    ("key_name", "coffer"),
    ("mount_path", "/kms/transit/"),
];

/// A server whose ciphertexts are the plaintexts with a version before them.
fn transit(request: &Request) -> (u16, Value) {
    let asked = body(request);
    let text = |name: &str| asked[name].as_str().unwrap_or_default().to_owned();
    match request.url.rsplit_once("/v1/").unwrap().1 {
        "kms/transit/encrypt/coffer" => {
            let ciphertext = format!("vault:v3:{}", text("plaintext"));
            (200, json!({ "data": { "ciphertext": ciphertext } }))
        }
        "kms/transit/decrypt/coffer" => {
            let plaintext = text("ciphertext")["vault:v3:".len()..].to_owned();
            (200, json!({ "data": { "plaintext": plaintext } }))
        }
        "auth/token/lookup-self" => (200, json!({ "data": { "ttl": 1000, "renewable": true } })),
        "auth/token/renew-self" => (
            200,
            json!({ "auth": { "lease_duration": 1000, "renewable": true } }),
        ),
        _ => (404, json!({ "errors": [] })),
    }
}

fn with<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    [&STANZA, more].concat()
}

#[tokio::test]
async fn it_wraps_and_unwraps_by_the_documented_exchange() {
    let world = World::new(transit);
    let more = [
        ("namespace", "ns1/"),
        ("key_id_prefix", "a/"),
        ("disable_renewal", "true"),
    ];
    let keeper = world.keeper("transit", &with(&more), &[]).unwrap();
    let wrapped = keeper.wrap(b"root key").await.unwrap();
    assert_eq!(wrapped.key_id, "a/coffer:v3");
    assert_eq!(wrapped.ciphertext, b"vault:v3:cm9vdCBrZXk=");
    assert_eq!(*keeper.unwrap(&wrapped).await.unwrap(), b"root key");
    let asked = world.asked();
    assert_eq!(asked.len(), 2);
    assert_eq!(
        asked[0].url,
        "https://transit.example:8200/v1/kms/transit/encrypt/coffer"
    );
    assert_eq!(header(&asked[0], "x-vault-token"), "hunter2");
    assert_eq!(header(&asked[0], "x-vault-namespace"), "ns1/");
}

#[tokio::test]
async fn variables_are_those_of_the_documents() {
    let world = World::new(transit);
    let environment = [
        ("VAULT_ADDR", "https://other.example"),
        ("VAULT_TOKEN", "env-token"),
        ("VAULT_TRANSIT_SEAL_KEY_NAME", "coffer"),
        ("BAO_TRANSIT_SEAL_MOUNT_PATH", "kms/transit"),
        ("VAULT_TRANSIT_SEAL_DISABLE_RENEWAL", "true"),
        ("VAULT_NAMESPACE", "n"),
        ("VAULT_TLS_SERVER_NAME", "name.example"),
        ("COFFER_ADDR", "https://this.example"),
    ];
    let keeper = world.keeper("transit", &STANZA, &environment).unwrap();
    keeper.wrap(b"x").await.unwrap();
    let asked = world.asked();
    assert_eq!(
        asked[0].url,
        "https://other.example/v1/kms/transit/encrypt/coffer"
    );
    assert_eq!(header(&asked[0], "x-vault-token"), "env-token");
    assert_eq!(asked[0].server_name, "name.example");
}

#[tokio::test]
async fn a_token_in_a_file_is_read_each_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    std::fs::write(&path, "one\n").unwrap();
    let world = World::new(transit);
    let source = format!("file://{}", path.display());
    let stanza = [
        STANZA[0],
        ("token", &*source),
        STANZA[2],
        STANZA[3],
        ("disable_renewal", "1"),
    ];
    let keeper = world.keeper("transit", &stanza, &[]).unwrap();
    keeper.wrap(b"x").await.unwrap();
    std::fs::write(&path, "two").unwrap();
    keeper.wrap(b"x").await.unwrap();
    std::fs::remove_file(&path).unwrap();
    assert!(matches!(
        keeper.wrap(b"x").await,
        Err(WrapError::Refused(_))
    ));
    let tokens: Vec<String> = world
        .asked()
        .iter()
        .map(|asked| header(asked, "x-vault-token"))
        .collect();
    assert_eq!(tokens, ["one", "two"]);
}

#[tokio::test]
async fn refusals_are_told_apart() {
    let world = World::new(transit);
    let keeper = world
        .keeper("transit", &with(&[("disable_renewal", "true")]), &[])
        .unwrap();
    let wrapped = keeper.wrap(b"root key").await.unwrap();
    let old =
        json!({ "errors": ["ciphertext or signature version is disallowed by policy (too old)"] });
    for (status, answer, word) in [
        (400, old, "min_decryption_version"),
        (
            400,
            json!({ "errors": ["cipher: message authentication failed"] }),
            "another key wrapped it",
        ),
        (
            403,
            json!({ "errors": ["permission denied"] }),
            "the token is unknown, expired, revoked",
        ),
        (404, json!({ "errors": [] }), "no such mount"),
    ] {
        world.change(move |_| (status, answer.clone()));
        let Err(WrapError::Refused(why)) = keeper.unwrap(&wrapped).await else {
            panic!("{status} is a refusal");
        };
        assert!(why.contains(word), "{why}");
    }
    world.change(|request| match request.url.contains("lookup-self") {
        true => transit(request),
        false => (403, json!({})),
    });
    let why = keeper.wrap(b"x").await.unwrap_err().to_string();
    assert!(why.contains("may not encrypt by this key"), "{why}");
    for status in [503, 307, 429] {
        world.change(move |_| (status, json!({})));
        assert!(matches!(
            keeper.unwrap(&wrapped).await,
            Err(WrapError::Unreachable(_))
        ));
    }
}

#[tokio::test]
async fn garbage_is_survived() {
    let world = World::new(transit);
    let keeper = world
        .keeper("transit", &with(&[("disable_renewal", "true")]), &[])
        .unwrap();
    let wrapped = keeper.wrap(b"root key").await.unwrap();
    survives(&world, &*keeper, &wrapped).await;
    world.change(transit);
    let asked = world.asked().len();
    for ciphertext in [
        "",
        "vault:v1:",
        "vault:vx:AAAA",
        "vault:v99999999999:AA",
        "x",
        "vault:v1",
    ] {
        let foreign = Wrapped {
            ciphertext: ciphertext.into(),
            ..wrapped.clone()
        };
        assert!(
            matches!(keeper.unwrap(&foreign).await, Err(WrapError::Refused(_))),
            "{ciphertext}"
        );
    }
    assert_eq!(world.asked().len(), asked);
}

#[tokio::test(start_paused = true)]
async fn the_token_is_renewed_while_the_keeper_is_there() {
    let world = World::new(transit);
    let keeper = world.keeper("transit", &STANZA, &[]).unwrap();
    let _ = keeper.wrap(b"x").await.unwrap();
    let _ = keeper.wrap(b"x").await.unwrap();
    tokio::time::sleep(Duration::from_secs(590)).await;
    assert_eq!(
        (world.count("lookup-self"), world.count("renew-self")),
        (1, 0)
    );
    tokio::time::sleep(Duration::from_secs(111)).await;
    assert_eq!(world.count("renew-self"), 1);
    world.change(|_| (503, json!({})));
    tokio::time::sleep(Duration::from_secs(730)).await;
    let tried = world.count("renew-self");
    assert!((4..12).contains(&tried), "{tried}");
    world.change(transit);
    tokio::time::sleep(Duration::from_secs(301)).await;
    let tried = world.count("renew-self");
    drop(keeper);
    tokio::time::sleep(Duration::from_secs(100_000)).await;
    assert_eq!(world.count("renew-self"), tried);
}

#[tokio::test(start_paused = true)]
async fn a_token_without_end_or_that_can_not_be_renewed_is_let_alone() {
    for state in [
        json!({ "ttl": 0 }),
        json!({ "ttl": 60, "renewable": false }),
    ] {
        let world = World::new(move |request| match request.url.contains("lookup-self") {
            true => (200, json!({ "data": state })),
            false => transit(request),
        });
        let keeper = world.keeper("transit", &STANZA, &[]).unwrap();
        keeper.wrap(b"x").await.unwrap();
        tokio::time::sleep(Duration::from_secs(100_000)).await;
        assert_eq!(
            (world.count("lookup-self"), world.count("renew-self")),
            (1, 0)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_better_token_that_is_put_into_the_file_is_renewed() {
    for state in [
        json!({ "ttl": 0 }),
        json!({ "ttl": 60, "renewable": false }),
    ] {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "poor").unwrap();
        let world = World::new(move |request| {
            let is_poor = header(request, "x-vault-token") == "poor";
            match is_poor && request.url.contains("lookup-self") {
                true => (200, json!({ "data": state })),
                false => transit(request),
            }
        });
        let source = format!("file://{}", file.path().display());
        let stanza = [STANZA[0], ("token", &*source), STANZA[2], STANZA[3]];
        let keeper = world.keeper("transit", &stanza, &[]).unwrap();
        keeper.wrap(b"x").await.unwrap();
        tokio::time::sleep(Duration::from_secs(10_000)).await;
        assert_eq!(world.count("renew-self"), 0);
        std::fs::write(file.path(), "better").unwrap();
        tokio::time::sleep(Duration::from_secs(301 + 701)).await;
        assert_eq!(world.count("renew-self"), 1);
    }
}

#[test]
fn mistakes_are_named_without_the_token() {
    let world = World::new(transit);
    let pem = tempfile::NamedTempFile::new().unwrap();
    let not_pem = pem.path().to_str().unwrap();
    for (more, word) in [
        (("address", "transit.example"), "`address` is no address"),
        (
            ("address", "ftp://transit.example"),
            "`address` is no address",
        ),
        (
            ("address", "https://u:hunter2@transit.example"),
            "`address` is no address",
        ),
        (("mount_path", "a/../b"), "`mount_path` is no path"),
        (("key_name", "a/b"), "`key_name` is no name"),
        (("key_name", ".."), "`key_name` is no name"),
        (
            ("tls_skip_verify", "true"),
            "`tls_skip_verify` is not supported: whoever stands between",
        ),
        (("tls_client_cert", not_pem), "`tls_client_key` is missing"),
        (
            ("tls_ca_cert", "/none/such"),
            "`tls_ca_cert` names /none/such, which is not readable",
        ),
        (("tls_ca_cert", not_pem), "which is no PEM"),
        (
            ("disable_renewal", "maybe"),
            "`disable_renewal` is neither true nor false",
        ),
        (("tls_ca_crt", "x"), "did you mean `tls_ca_cert`?"),
    ] {
        let built = world.keeper("transit", &with(&[more]), &[]);
        let why = built.err().unwrap().to_string();
        assert!(why.contains(word) && !why.contains("hunter2"), "{why}");
    }
    let with_false = with(&[("tls_skip_verify", "false")]);
    assert!(world.keeper("transit", &with_false, &[]).is_ok());
    assert_eq!(Arc::strong_count(&world), 1);
}
