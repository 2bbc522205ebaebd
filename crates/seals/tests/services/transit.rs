//! With OpenBao's transit.

use coffer_barrier::{WrapError, Wrapped};
use coffer_engine::outbound::Request;
use serde_json::{Value, json};

use super::process::Process;
use super::{KEY, ask, keeper, refusal};

/// Between two looks at whether something has come about.
const POLL: std::time::Duration = std::time::Duration::from_millis(50);
const ROOT: &str = "root-of-the-test";
const POLICY: &str = "path \"transit/encrypt/coffer\" { capabilities = [\"update\"] }\n\
                      path \"transit/decrypt/coffer\" { capabilities = [\"update\"] }";

struct Bao {
    process: Process,
}

impl Bao {
    async fn start() -> Self {
        let process = Process::start("bao", |port| {
            let listen = format!("-dev-listen-address=127.0.0.1:{port}");
            let token = format!("-dev-root-token-id={ROOT}");
            ["server", "-dev", "-dev-no-store-token", &listen, &token]
                .map(str::to_owned)
                .to_vec()
        });
        let bao = Self { process };
        // It listens before it is unsealed.
        while ask(Request::get(format!("{}/v1/sys/health", bao.process.url())))
            .await
            .status
            != 200
        {
            tokio::time::sleep(POLL).await;
        }
        bao.write("sys/mounts/transit", json!({ "type": "transit" }))
            .await;
        bao.write("transit/keys/coffer", json!({})).await;
        bao.write("sys/policies/acl/seal", json!({ "policy": POLICY }))
            .await;
        bao
    }

    async fn write(&self, path: &str, body: Value) -> Value {
        let url = format!("{}/v1/{path}", self.process.url());
        let request = Request::post(url, "application/json", body.to_string().into_bytes());
        let answer = ask(request.with("x-vault-token", ROOT)).await;
        assert!(
            matches!(answer.status, 200 | 204),
            "{path}: {}",
            answer.status
        );
        serde_json::from_slice(&answer.body).unwrap_or(Value::Null)
    }

    /// A token as the documents want it: an orphan, periodic, with the rights on the key.
    async fn token(&self, policies: &[&str], ttl: &str) -> String {
        let wish = json!({ "policies": policies, "period": ttl, "no_parent": true });
        let made = self.write("auth/token/create", wish).await;
        made["auth"]["client_token"].as_str().unwrap().to_owned()
    }

    fn keeper(&self, token: &str) -> std::sync::Arc<dyn coffer_barrier::Wrapper> {
        let url = self.process.url();
        let stanza = [
            ("address", &*url),
            ("token", token),
            ("key_name", "coffer"),
            ("mount_path", "transit/"),
        ];
        keeper("transit", &stanza, &[])
    }
}

#[tokio::test]
async fn old_versions_unwrap_until_they_may_not() {
    let bao = Bao::start().await;
    let keeper = bao.keeper(&bao.token(&["seal"], "1h").await);
    let first = keeper.wrap(KEY).await.unwrap();
    assert_eq!(first.key_id, "coffer:v1");
    assert_eq!(*keeper.unwrap(&first).await.unwrap(), KEY);
    bao.write("transit/keys/coffer/rotate", json!({})).await;
    assert_eq!(*keeper.unwrap(&first).await.unwrap(), KEY);
    let second = keeper.wrap(KEY).await.unwrap();
    assert_eq!(second.key_id, "coffer:v2");
    bao.write(
        "transit/keys/coffer/config",
        json!({ "min_decryption_version": 2 }),
    )
    .await;
    assert_eq!(*keeper.unwrap(&second).await.unwrap(), KEY);
    let why = refusal(keeper.unwrap(&first).await);
    assert!(why.contains("min_decryption_version"), "{why}");
}

#[tokio::test]
async fn a_key_in_a_namespace_and_one_of_rsa_do_as_well() {
    let bao = Bao::start().await;
    let url = bao.process.url();
    bao.write("sys/namespaces/ns1", json!({})).await;
    bao.write("ns1/sys/mounts/deep/transit", json!({ "type": "transit" }))
        .await;
    bao.write("ns1/deep/transit/keys/pair", json!({ "type": "rsa-2048" }))
        .await;
    let stanza = [
        ("address", &*url),
        ("token", ROOT),
        ("key_name", "pair"),
        ("mount_path", "deep/transit"),
    ];
    let keeper = keeper(
        "transit",
        &[&stanza[..], &[("namespace", "ns1/")]].concat(),
        &[],
    );
    let wrapped = keeper.wrap(KEY).await.unwrap();
    assert_eq!(wrapped.key_id, "pair:v1");
    assert_eq!(*keeper.unwrap(&wrapped).await.unwrap(), KEY);
    let elsewhere = super::keeper("transit", &stanza, &[]);
    refusal(elsewhere.unwrap(&wrapped).await);
}

#[tokio::test]
async fn what_was_changed_or_is_another_keys_is_refused() {
    let bao = Bao::start().await;
    let keeper = bao.keeper(ROOT);
    let wrapped = keeper.wrap(KEY).await.unwrap();
    let mut altered = wrapped.clone();
    let last = altered.ciphertext.len() - 5;
    altered.ciphertext[last] = if altered.ciphertext[last] == b'A' {
        b'B'
    } else {
        b'A'
    };
    refusal(keeper.unwrap(&altered).await);
    bao.write("transit/keys/other", json!({})).await;
    let made = bao
        .write("transit/encrypt/other", json!({ "plaintext": "AAAA" }))
        .await;
    let ciphertext = made["data"]["ciphertext"].as_str().unwrap().into();
    refusal(
        keeper
            .unwrap(&Wrapped {
                ciphertext,
                ..wrapped
            })
            .await,
    );
}

#[tokio::test]
async fn a_token_that_is_revoked_and_one_without_rights_are_told_apart() {
    let bao = Bao::start().await;
    let token = bao.token(&["seal"], "1h").await;
    let keeper = bao.keeper(&token);
    let wrapped = keeper.wrap(KEY).await.unwrap();
    bao.write("auth/token/revoke", json!({ "token": token }))
        .await;
    let why = refusal(keeper.unwrap(&wrapped).await);
    assert!(
        why.contains("unknown, expired, revoked") && !why.contains(&token),
        "{why}"
    );
    let powerless = bao.keeper(&bao.token(&["default"], "1h").await);
    let why = refusal(powerless.unwrap(&wrapped).await);
    assert!(why.contains("may not decrypt by this key"), "{why}");
}

#[tokio::test]
async fn a_token_is_renewed_beyond_its_life() {
    let bao = Bao::start().await;
    let token = bao.token(&["seal"], "5s").await;
    let keeper = bao.keeper(&token);
    let wrapped = keeper.wrap(KEY).await.unwrap();
    let lookup = || async {
        let body = json!({ "token": token });
        let url = format!("{}/v1/auth/token/lookup", bao.process.url());
        let request = Request::post(url, "application/json", body.to_string().into_bytes());
        let answer = ask(request.with("x-vault-token", ROOT)).await;
        serde_json::from_slice::<Value>(&answer.body).unwrap_or_default()
    };
    let made = lookup().await["data"]["creation_time"].as_u64().unwrap();
    loop {
        let found = lookup().await;
        let renewed = found["data"]["last_renewal_time"]
            .as_u64()
            .unwrap_or_default();
        assert!(found["data"].is_object(), "the token ended");
        // Twice its life, and still there.
        if renewed > made + 10 {
            break;
        }
        tokio::time::sleep(POLL).await;
    }
    assert_eq!(*keeper.unwrap(&wrapped).await.unwrap(), KEY);
}

#[tokio::test]
async fn a_server_that_is_sealed_or_gone_is_unreachable() {
    let bao = Bao::start().await;
    let keeper = bao.keeper(ROOT);
    let wrapped = keeper.wrap(KEY).await.unwrap();
    bao.write("sys/seal", json!({})).await;
    let sealed = keeper.unwrap(&wrapped).await;
    assert!(
        matches!(sealed, Err(WrapError::Unreachable(_))),
        "{sealed:?}"
    );
    drop(bao);
    let gone = keeper.unwrap(&wrapped).await;
    assert!(matches!(gone, Err(WrapError::Unreachable(_))), "{gone:?}");
}
