use serde_json::{Value, json};

use coffer_barrier::{WrapError, Wrapped};
use coffer_engine::outbound::Request;

use crate::testing::{World, body, header, survives};

const ARN: &str = "arn:aws:kms:eu-west-1:123456789012:key/1234-abcd";
const STANZA: [(&str, &str); 4] = [
    ("kms_key_id", "alias/coffer"),
    ("region", "eu-west-1"),
    ("access_key", "AKEXAMPLE"),
    ("secret_key", "hunter2"),
];

/// A KMS with one key, whose ciphertexts are the plaintexts.
fn kms(request: &Request) -> (u16, Value) {
    let asked = body(request);
    let is_known = asked["KeyId"] == ARN || asked["KeyId"] == "alias/coffer";
    let refused = |code: &str| (400, json!({ "__type": code, "message": "hunter2" }));
    match header(request, "x-amz-target").as_str() {
        _ if !is_known => refused("NotFoundException"),
        "TrentService.DescribeKey" => (200, json!({ "KeyMetadata": { "Arn": ARN } })),
        _ if asked["EncryptionContext"] != json!({ "coffer": "root-key" }) => {
            refused("InvalidCiphertextException")
        }
        "TrentService.Encrypt" => (
            200,
            json!({ "CiphertextBlob": asked["Plaintext"], "KeyId": ARN }),
        ),
        _ => (
            200,
            json!({ "Plaintext": asked["CiphertextBlob"], "KeyId": ARN }),
        ),
    }
}

#[tokio::test]
async fn it_wraps_and_unwraps_by_signed_requests() {
    let world = World::new(kms);
    let keeper = world.keeper("awskms", &STANZA, &[]).unwrap();
    let wrapped = keeper.wrap(b"root key").await.unwrap();
    assert_eq!(
        (wrapped.key_id.as_str(), wrapped.ciphertext.as_slice()),
        (ARN, &b"root key"[..])
    );
    assert_eq!(*keeper.unwrap(&wrapped).await.unwrap(), b"root key");
    let asked = world.asked();
    assert_eq!(asked[0].url, "https://kms.eu-west-1.amazonaws.com/");
    let seal = header(&asked[0], "authorization");
    assert!(seal.contains("Credential=AKEXAMPLE/") && seal.contains("/eu-west-1/kms/aws4_request"));
    assert!(seal.contains("SignedHeaders=content-type;host;x-amz-date;x-amz-target,"));
    assert_eq!(body(&asked[2])["KeyId"], ARN);
}

#[tokio::test]
async fn parameters_and_variables_are_those_of_the_documents() {
    let world = World::new(kms);
    let environment = [
        ("VAULT_AWSKMS_SEAL_KEY_ID", ARN),
        ("AWS_KMS_ENDPOINT", "https://vpce.example:8443/"),
        ("AWS_DEFAULT_REGION", "eu-north-1"),
        ("AWS_ACCESS_KEY_ID", "AKENV"),
        ("AWS_SECRET_ACCESS_KEY", "s"),
        ("AWS_SESSION_TOKEN", "session"),
    ];
    let keeper = world.keeper("awskms", &[], &environment).unwrap();
    keeper.wrap(b"x").await.unwrap();
    let asked = &world.asked()[0];
    assert_eq!(asked.url, "https://vpce.example:8443/");
    assert_eq!(header(asked, "x-amz-security-token"), "session");
    assert!(header(asked, "authorization").contains("Credential=AKENV/"));
    assert!(header(asked, "authorization").contains("/eu-north-1/kms/"));
    // An ARN says where its key is.
    let keeper = world.keeper(
        "awskms",
        &[],
        &[environment[0], environment[3], environment[4]],
    );
    keeper.unwrap().wrap(b"x").await.unwrap();
    assert!(world.asked()[1].url.contains("//kms.eu-west-1."));
}

#[tokio::test]
async fn another_coffer_s_kms_has_a_path() {
    let world = World::new(kms);
    let stanza = [
        &STANZA[..],
        &[("endpoint", "https://keys.example:8200/v1/kms/aws/")],
    ]
    .concat();
    let keeper = world.keeper("awskms", &stanza, &[]).unwrap();
    let wrapped = keeper.wrap(b"root key").await.unwrap();
    assert_eq!(*keeper.unwrap(&wrapped).await.unwrap(), b"root key");
    let asked = &world.asked()[0];
    assert_eq!(asked.url, "https://keys.example:8200/v1/kms/aws");
    assert_eq!(header(asked, "host"), "keys.example:8200");
}

#[tokio::test]
async fn keys_of_strangers_unwrap_nothing() {
    let world = World::new(kms);
    let keeper = world.keeper("awskms", &STANZA, &[]).unwrap();
    let wrapped = keeper.wrap(b"root key").await.unwrap();
    for stored in [
        "arn:aws:kms:eu-west-1:999999999999:key/1234-abcd",
        "arn:aws-cn:kms:eu-west-1:123456789012:key/1234-abcd",
        "arn:aws:kms:us-east-1:123456789012:key/1234-abcd",
        "arn:aws:kms:eu-west-1:123456789012:alias/evil",
        "1234-abcd",
        "",
    ] {
        let foreign = Wrapped {
            key_id: stored.into(),
            ..wrapped.clone()
        };
        let refused = keeper.unwrap(&foreign).await;
        assert!(matches!(refused, Err(WrapError::Refused(_))), "{stored}");
    }
    let decrypted = |asked: &Request| header(asked, "x-amz-target").ends_with("Decrypt");
    assert!(!world.asked().iter().any(decrypted));
    // Nor does it help that the service answers for another key.
    world.change(move |request| match decrypted(request) {
        true => (
            200,
            json!({ "Plaintext": "AAAA", "KeyId": "arn:aws:kms:eu-west-1:1:key/2" }),
        ),
        false => kms(request),
    });
    assert!(matches!(
        keeper.unwrap(&wrapped).await,
        Err(WrapError::Garbled(_))
    ));
}

#[tokio::test]
async fn a_replica_unwraps_what_its_twin_wrapped() {
    let world = World::new(|request| {
        let asked = body(request);
        (
            200,
            json!({ "Plaintext": asked["CiphertextBlob"], "KeyId": asked["KeyId"] }),
        )
    });
    let here = "arn:aws:kms:eu-west-1:123456789012:key/mrk-1";
    let stanza = [("kms_key_id", here), STANZA[2], STANZA[3]];
    let keeper = world.keeper("awskms", &stanza, &[]).unwrap();
    let key_id = here.replace("eu-west-1", "us-east-1");
    let wrapped = Wrapped {
        key_id,
        ciphertext: b"root key".to_vec(),
    };
    assert_eq!(*keeper.unwrap(&wrapped).await.unwrap(), b"root key");
    assert_eq!(body(&world.asked()[0])["KeyId"], here);
}

#[tokio::test]
async fn faults_are_told_apart_by_their_code_alone() {
    let world = World::new(kms);
    let keeper = world.keeper("awskms", &STANZA, &[]).unwrap();
    let faults = [
        ("ThrottlingException", 400, true),
        ("KMSInternalException", 500, true),
        ("com.amazonaws.kms#KeyUnavailableException", 500, true),
        ("AccessDeniedException", 400, false),
        ("DisabledException", 400, false),
        ("KMSInvalidStateException", 400, false),
        ("NotFoundException:http://x", 400, false),
        ("InvalidCiphertextException", 400, false),
        ("ExpiredTokenException", 400, false),
        ("InvalidSignatureException", 403, false),
        ("hunter2!", 400, false),
    ];
    for (code, status, is_worth_it) in faults {
        world.change(move |_| (status, json!({ "__type": code, "message": "hunter2" })));
        let error = keeper.wrap(b"x").await.unwrap_err();
        assert_eq!(
            matches!(error, WrapError::Unreachable(_)),
            is_worth_it,
            "{error}"
        );
        assert_eq!(
            matches!(error, WrapError::Refused(_)),
            !is_worth_it,
            "{error}"
        );
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}

#[tokio::test]
async fn garbage_is_survived() {
    let world = World::new(kms);
    let stanza = [("kms_key_id", ARN), STANZA[2], STANZA[3]];
    let keeper = world.keeper("awskms", &stanza, &[]).unwrap();
    let wrapped = keeper.wrap(b"root key").await.unwrap();
    survives(&world, &*keeper, &wrapped).await;
}

#[test]
fn mistakes_are_named_without_the_secret_key() {
    let world = World::new(kms);
    for (stanza, word) in [
        (
            vec![],
            "`kms_key_id` is missing; write it into the stanza, or set VAULT_AWSKMS_SEAL_KEY_ID",
        ),
        (vec![STANZA[0], STANZA[2]], "`secret_key` is missing"),
        (vec![STANZA[0], STANZA[3]], "`access_key` is missing"),
        (
            vec![STANZA[0], ("endpoint", "kms.example")],
            "`endpoint` is no address",
        ),
        (
            vec![STANZA[0], ("endpoint", "https://kms.example/pa%74h")],
            "`endpoint` is no address",
        ),
        (
            vec![STANZA[0], ("region", "eu west")],
            "`region` is no name",
        ),
        (vec![("kms_key_id", "a b")], "`kms_key_id` is neither"),
        (
            vec![STANZA[0], ("secret_kye", "hunter2")],
            "did you mean `secret_key`?",
        ),
    ] {
        let why = world
            .keeper("awskms", &stanza, &[])
            .err()
            .unwrap()
            .to_string();
        assert!(why.contains(word) && !why.contains("hunter2"), "{why}");
    }
}
