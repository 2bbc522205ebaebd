use std::sync::Arc;

use serde_json::{Value, json};

use coffer_barrier::{WrapError, Wrapped, Wrapper};
use coffer_engine::outbound::{Method, Request};

use crate::testing::{World, body, header, survives};

const KID: &str = "https://my-vault.vault.azure.net/keys/my-key/0123abcd";
const STANZA: [(&str, &str); 2] = [("vault_name", "my-vault"), ("key_name", "my-key")];
const APPLICATION: [(&str, &str); 3] = [
    ("tenant_id", "tenant-1"),
    ("client_id", "client-1"),
    ("client_secret", "hunter2 &"),
];

/// The documented exchange: the machine's identity service, and a key whose ciphertexts are the plaintexts.
fn azure(request: &Request) -> (u16, Value) {
    let failed = |code: u16, name: &str| {
        (
            code,
            json!({ "error": { "code": name, "message": "hunter2" } }),
        )
    };
    if request.url.contains("/metadata/identity/") {
        return match header(request, "metadata") == "true" {
            true => (
                200,
                json!({ "access_token": "t-machine", "expires_in": "86399", "token_type": "Bearer" }),
            ),
            false => (400, json!("")),
        };
    }
    if !header(request, "authorization").starts_with("Bearer t-") {
        return failed(401, "Unauthorized");
    }
    let operate = format!("{KID}/");
    match (request.method, request.url.as_str()) {
        (Method::Get, "https://my-vault.vault.azure.net/keys/my-key?api-version=7.4") => (
            200,
            json!({ "key": { "kid": KID, "kty": "RSA", "key_ops": ["wrapKey", "unwrapKey"], "n": "x", "e": "AQAB" } }),
        ),
        (Method::Post, url)
            if url.starts_with(&operate) && body(request)["alg"] == "RSA-OAEP-256" =>
        {
            (200, json!({ "kid": KID, "value": body(request)["value"] }))
        }
        _ => failed(404, "KeyNotFound"),
    }
}

fn keeper(world: &Arc<World>) -> Arc<dyn Wrapper> {
    world.keeper("azurekeyvault", &STANZA, &[]).unwrap()
}

#[tokio::test]
async fn it_wraps_and_unwraps_by_the_documented_exchange() {
    let world = World::new(azure);
    let keeper = keeper(&world);
    let wrapped = keeper.wrap(b"root key").await.unwrap();
    assert_eq!(
        (wrapped.key_id.as_str(), wrapped.ciphertext.as_slice()),
        (KID, &b"root key"[..])
    );
    assert_eq!(*keeper.unwrap(&wrapped).await.unwrap(), b"root key");
    let urls: Vec<String> = world.asked().into_iter().map(|asked| asked.url).collect();
    let identity = "http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fvault.azure.net";
    assert_eq!(urls[0], identity);
    assert_eq!(urls[2], format!("{KID}/wrapkey?api-version=7.4"));
    assert_eq!(urls[3], format!("{KID}/unwrapkey?api-version=7.4"));
}

#[tokio::test]
async fn an_application_gets_its_token_by_a_secret_or_by_one_of_its_cluster() {
    let world = World::new(|request| match request.url.contains("/oauth2/v2.0/token") {
        true => (200, json!({ "access_token": "t-app", "expires_in": 3599 })),
        false => azure(request),
    });
    let stanza = [&STANZA[..], &APPLICATION].concat();
    world
        .keeper("azurekeyvault", &stanza, &[])
        .unwrap()
        .wrap(b"x")
        .await
        .unwrap();
    let asked = world.asked();
    let form = String::from_utf8(asked[0].body.to_vec()).unwrap();
    assert_eq!(
        asked[0].url,
        "https://login.microsoftonline.com/tenant-1/oauth2/v2.0/token"
    );
    assert!(
        form.contains("scope=https%3A%2F%2Fvault.azure.net%2F.default&client_secret=hunter2+%26"),
        "{form}"
    );
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    std::fs::write(&token, "pod-jwt\n").unwrap();
    let environment = [
        ("AZURE_TENANT_ID", "tenant-1"),
        ("AZURE_CLIENT_ID", "client-1"),
        ("AZURE_FEDERATED_TOKEN_FILE", token.to_str().unwrap()),
        ("AZURE_AUTHORITY_HOST", "https://login.example/"),
    ];
    world
        .keeper("azurekeyvault", &STANZA, &environment)
        .unwrap()
        .wrap(b"x")
        .await
        .unwrap();
    let asked = world.asked();
    let asked = asked
        .iter()
        .find(|asked| asked.url.starts_with("https://login.example/tenant-1/"))
        .unwrap();
    assert!(String::from_utf8_lossy(&asked.body).ends_with("client_assertion=pod-jwt"));
}

#[tokio::test]
async fn clouds_and_managed_hsms_have_other_addresses() {
    let world = World::new(|request| match request.url.contains("/token") {
        true => (200, json!({ "access_token": "t", "expires_in": 3599 })),
        false => (404, json!({})),
    });
    for (more, token, vault) in [
        (
            ("environment", "AzureChinaCloud"),
            "https://login.chinacloudapi.cn/",
            "https://my-vault.vault.azure.cn/",
        ),
        (
            ("environment", "AZUREUSGOVERNMENTCLOUD"),
            "https://login.microsoftonline.us/",
            "https://my-vault.vault.usgovcloudapi.net/",
        ),
        (
            ("resource", "managedhsm.azure.net"),
            "https://login.microsoftonline.com/",
            "https://my-vault.managedhsm.azure.net/",
        ),
        (
            ("endpoint", "https://private.example/"),
            "https://login.microsoftonline.com/",
            "https://private.example/",
        ),
    ] {
        let from = world.asked().len();
        let stanza = [&STANZA[..], &APPLICATION, &[more]].concat();
        let keeper = world.keeper("azurekeyvault", &stanza, &[]).unwrap();
        assert!(keeper.wrap(b"x").await.is_err());
        let asked = world.asked();
        assert!(
            asked[from].url.starts_with(token) && asked[from + 1].url.starts_with(vault),
            "{more:?}"
        );
    }
}

#[tokio::test]
async fn nobody_but_the_vault_is_sent_a_token() {
    let world = World::new(azure);
    let keeper = keeper(&world);
    let wrapped = keeper.wrap(b"root key").await.unwrap();
    let asked = world.asked().len();
    for stored in [
        "https://evil.example/keys/my-key/0123abcd",
        "https://my-vault.vault.azure.net.evil.example/keys/my-key/0123abcd",
        "https://my-vault.vault.azure.net/secrets/my-key/0123abcd",
        "https://my-vault.vault.azure.net/keys/../0123abcd",
        "https://u@my-vault.vault.azure.net/keys/my-key/0123abcd",
        "https://my-vault.vault.azure.net/keys/my-key/0123abcd?x",
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
    // Nor if the vault itself says so.
    world.change(|request| match request.method {
        Method::Get if !request.url.contains("/metadata/") => (
            200,
            json!({ "key": { "kid": "https://evil.example/keys/k/1" } }),
        ),
        _ => azure(request),
    });
    assert!(matches!(
        keeper.wrap(b"x").await,
        Err(WrapError::Garbled(_))
    ));
    assert_eq!(world.count("evil"), 0);
}

#[tokio::test]
async fn faults_are_told_apart_and_a_dead_token_is_got_anew() {
    let world = World::new(azure);
    let keeper = keeper(&world);
    let wrapped = keeper.wrap(b"root key").await.unwrap();
    for (code, name, inner, is_worth_it) in [
        (403, "Forbidden", "KeyDisabled", false),
        (403, "Forbidden", "ForbiddenByRbac", false),
        (404, "KeyNotFound", "", false),
        (400, "BadParameter", "", false),
        (429, "Throttled", "", true),
        (503, "hunter2", "hunter2", true),
    ] {
        world.change(move |_| (code, json!({ "error": { "code": name, "message": "hunter2", "innererror": { "code": inner } } })));
        let error = keeper.unwrap(&wrapped).await.unwrap_err();
        assert_eq!(
            matches!(error, WrapError::Unreachable(_)),
            is_worth_it,
            "{error}"
        );
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
    world.change(|request| match request.url.contains("/metadata/") {
        true => (
            200,
            json!({ "access_token": "t-second", "expires_in": 3599 }),
        ),
        false if header(request, "authorization") == "Bearer t-machine" => (401, json!({})),
        false => azure(request),
    });
    assert_eq!(*keeper.unwrap(&wrapped).await.unwrap(), b"root key");
}

#[tokio::test]
async fn garbage_is_survived() {
    let world = World::new(azure);
    let keeper = keeper(&world);
    let wrapped = keeper.wrap(b"root key").await.unwrap();
    survives(&world, &*keeper, &wrapped).await;
}

#[test]
fn mistakes_are_named_without_the_secret() {
    let world = World::new(azure);
    for (stanza, word) in [
        (
            vec![STANZA[1]],
            "`vault_name` is missing; write it into the stanza, or set VAULT_AZUREKEYVAULT_VAULT_NAME",
        ),
        (vec![STANZA[0]], "`key_name` is missing"),
        (
            vec![STANZA[0], STANZA[1], APPLICATION[2]],
            "`tenant_id` is missing",
        ),
        (
            vec![STANZA[0], STANZA[1], APPLICATION[0], APPLICATION[2]],
            "`client_id` is missing",
        ),
        (
            vec![("vault_name", "evil.example/"), STANZA[1]],
            "`vault_name` is no name",
        ),
        (
            vec![STANZA[0], STANZA[1], ("environment", "moon")],
            "`environment` is none of",
        ),
        (
            vec![STANZA[0], STANZA[1], ("resource", "a/b")],
            "`resource` is no suffix",
        ),
        (
            vec![STANZA[0], STANZA[1], ("client_secrt", "hunter2")],
            "did you mean `client_secret`?",
        ),
    ] {
        let why = world
            .keeper("azurekeyvault", &stanza, &[])
            .err()
            .unwrap()
            .to_string();
        assert!(why.contains(word) && !why.contains("hunter2"), "{why}");
    }
}
