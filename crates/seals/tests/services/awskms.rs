//! With moto in the place of AWS. It knows keys, aliases, contexts and roles. Signatures it does not look at, nor whether a key
//! is disabled; those are tried elsewhere.

use std::sync::Arc;

use coffer_barrier::{WrapError, Wrapped, Wrapper};
use coffer_engine::outbound::Request;
use serde_json::{Value, json};

use super::process::Process;
use super::{KEY, ask, keeper, refusal};

struct Moto {
    process: Process,
}

impl Moto {
    fn start() -> Self {
        let arguments = |port: u16| {
            ["-H", "127.0.0.1", "-p", &port.to_string()]
                .map(str::to_owned)
                .to_vec()
        };
        Self {
            process: Process::start("moto_server", arguments),
        }
    }

    async fn kms(&self, operation: &str, body: Value) -> Value {
        let url = self.process.url();
        let scope = "AWS4-HMAC-SHA256 Credential=AKADMIN/20260101/eu-west-1/kms/aws4_request, SignedHeaders=host, Signature=0";
        let request = Request::post(
            url,
            "application/x-amz-json-1.1",
            body.to_string().into_bytes(),
        )
        .with("x-amz-target", format!("TrentService.{operation}"))
        .with("authorization", scope);
        let answer = ask(request).await;
        assert_eq!(
            answer.status,
            200,
            "{operation}: {}",
            String::from_utf8_lossy(&answer.body)
        );
        serde_json::from_slice(&answer.body).unwrap_or(Value::Null)
    }

    /// The ARN of a new key.
    async fn key(&self) -> String {
        let made = self.kms("CreateKey", json!({})).await;
        made["KeyMetadata"]["Arn"].as_str().unwrap().to_owned()
    }

    fn keeper(&self, key: &str) -> Arc<dyn Wrapper> {
        let url = self.process.url();
        let stanza = [
            ("kms_key_id", key),
            ("endpoint", &url),
            ("region", "eu-west-1"),
        ];
        let environment = [
            ("AWS_ACCESS_KEY_ID", "AK"),
            ("AWS_SECRET_ACCESS_KEY", "hunter2"),
        ];
        keeper("awskms", &stanza, &environment)
    }
}

#[tokio::test]
async fn a_key_is_named_in_each_of_its_ways() {
    let moto = Moto::start();
    let arn = moto.key().await;
    let id = arn.rsplit('/').next().unwrap();
    moto.kms(
        "CreateAlias",
        json!({ "AliasName": "alias/coffer", "TargetKeyId": id }),
    )
    .await;
    let wrapped = moto.keeper(&arn).wrap(KEY).await.unwrap();
    assert_eq!(wrapped.key_id, arn);
    for name in [&*arn, id, "alias/coffer"] {
        let keeper = moto.keeper(name);
        assert_eq!(*keeper.unwrap(&wrapped).await.unwrap(), KEY, "{name}");
        let again = keeper.wrap(KEY).await.unwrap();
        assert_eq!(again.key_id, arn);
        assert_eq!(*keeper.unwrap(&again).await.unwrap(), KEY);
    }
}

#[tokio::test]
async fn a_key_is_changed_behind_an_alias_or_in_the_stanza() {
    let moto = Moto::start();
    let (old, new) = (moto.key().await, moto.key().await);
    moto.kms(
        "CreateAlias",
        json!({ "AliasName": "alias/coffer", "TargetKeyId": old }),
    )
    .await;
    let by_alias = moto.keeper("alias/coffer");
    let wrapped = by_alias.wrap(KEY).await.unwrap();
    moto.kms(
        "UpdateAlias",
        json!({ "AliasName": "alias/coffer", "TargetKeyId": new }),
    )
    .await;
    for keeper in [by_alias, moto.keeper(&new)] {
        assert_eq!(*keeper.unwrap(&wrapped).await.unwrap(), KEY);
        assert_eq!(keeper.wrap(KEY).await.unwrap().key_id, new);
    }
}

#[tokio::test]
async fn keys_that_are_unknown_or_wrong_are_refused() {
    let moto = Moto::start();
    let keeper = moto.keeper(&moto.key().await);
    let wrapped = keeper.wrap(KEY).await.unwrap();
    let key_id = moto.key().await;
    refusal(
        keeper
            .unwrap(&Wrapped {
                key_id,
                ..wrapped.clone()
            })
            .await,
    );
    let unknown = moto.keeper("11111111-2222-3333-4444-555555555555");
    assert!(refusal(unknown.wrap(KEY).await).contains("no such key"));
}

#[tokio::test]
async fn what_was_changed_or_wrapped_for_another_purpose_is_refused() {
    let moto = Moto::start();
    let arn = moto.key().await;
    let keeper = moto.keeper(&arn);
    let wrapped = keeper.wrap(KEY).await.unwrap();
    let mut altered = wrapped.clone();
    *altered.ciphertext.last_mut().unwrap() ^= 1;
    refusal(keeper.unwrap(&altered).await);
    let foreign = moto
        .kms("Encrypt", json!({ "KeyId": arn, "Plaintext": "AAAA" }))
        .await;
    let blob = foreign["CiphertextBlob"].as_str().unwrap();
    let ciphertext =
        base64::Engine::decode(&base64::engine::general_purpose::STANDARD, blob).unwrap();
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
async fn a_web_identity_gets_its_credentials_of_sts() {
    let moto = Moto::start();
    let arn = moto.key().await;
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    std::fs::write(&token, "header.payload.signature").unwrap();
    let url = moto.process.url();
    let environment = [
        ("AWS_WEB_IDENTITY_TOKEN_FILE", token.to_str().unwrap()),
        ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/coffer"),
        ("AWS_ENDPOINT_URL_STS", &url),
    ];
    let stanza = [("kms_key_id", &*arn), ("endpoint", &url)];
    let keeper = keeper("awskms", &stanza, &environment);
    let wrapped = keeper.wrap(KEY).await.unwrap();
    assert_eq!(*keeper.unwrap(&wrapped).await.unwrap(), KEY);
    drop(moto);
    let gone = keeper.unwrap(&wrapped).await;
    assert!(matches!(gone, Err(WrapError::Unreachable(_))), "{gone:?}");
}
