use std::path::Path;

use serde_json::{Value, json};

use coffer_barrier::WrapError;
use coffer_engine::outbound::{Method, Request};

use crate::testing::{World, header};

const ARN: &str = "arn:aws:kms:eu-west-1:123456789012:key/1234-abcd";
const LATER: &str = "2099-01-01T00:00:00Z";

fn kms() -> (u16, Value) {
    (200, json!({ "CiphertextBlob": "AAAA", "KeyId": ARN }))
}

/// Who signed, of what was asked of the KMS.
fn signers(world: &World) -> Vec<String> {
    let kms = |asked: &&Request| !header(asked, "x-amz-target").is_empty();
    let seals: Vec<String> = world
        .asked()
        .iter()
        .filter(kms)
        .map(|asked| header(asked, "authorization"))
        .collect();
    let named = |seal: String| {
        let rest = seal.split("Credential=").nth(1).unwrap_or_default();
        rest.split('/').next().unwrap_or_default().to_owned()
    };
    seals.into_iter().map(named).collect()
}

async fn signer(
    world: &std::sync::Arc<World>,
    environment: &[(&str, &str)],
) -> Result<String, WrapError> {
    let keeper = world
        .keeper("awskms", &[("kms_key_id", ARN)], environment)
        .unwrap();
    keeper.wrap(b"x").await?;
    Ok(signers(world).pop().unwrap_or_default())
}

fn write(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[tokio::test]
async fn shared_files_are_read_by_profile() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().to_str().unwrap();
    write(
        folder.path(),
        ".aws/credentials",
        "[default]\naws_access_key_id=AKD\naws_secret_access_key=s\n\
        [work]\naws_access_key_id=AKW\naws_secret_access_key=s\naws_session_token=t\n",
    );
    write(
        folder.path(),
        ".aws/config",
        "[default]\nregion=eu-south-1\n[profile work]\nregion=eu-north-1\n\
        [profile odd]\ncredential_process=/bin/hunter2\n",
    );
    let world = World::new(|_| kms());
    assert_eq!(signer(&world, &[("HOME", home)]).await.unwrap(), "AKD");
    let named = [("HOME", home), ("AWS_PROFILE", "work")];
    assert_eq!(signer(&world, &named).await.unwrap(), "AKW");
    let by_id = world
        .keeper("awskms", &[("kms_key_id", "alias/a")], &named)
        .unwrap();
    by_id.wrap(b"x").await.unwrap();
    assert!(
        world
            .asked()
            .last()
            .unwrap()
            .url
            .contains("//kms.eu-north-1.")
    );
    for (profile, word) in [
        ("odd", "`credential_process`, which is not supported"),
        ("none", "has no credentials"),
    ] {
        let refused = signer(&world, &[("HOME", home), ("AWS_PROFILE", profile)]).await;
        let Err(WrapError::Refused(why)) = refused else {
            panic!("{profile} gives nobody's credentials");
        };
        assert!(why.contains(word) && !why.contains("hunter2"), "{why}");
    }
}

#[tokio::test]
async fn a_machine_is_asked_by_the_second_version_of_its_service() {
    let world = World::new(|request| match request.url.as_str() {
        "http://169.254.169.254/latest/api/token" => match request.method {
            Method::Put => (200, json!("session-1")),
            _ => (405, json!("")),
        },
        _ if header(request, "x-amz-target").starts_with("Trent") => kms(),
        _ if header(request, "x-aws-ec2-metadata-token") != "session-1" => (401, json!("")),
        url if url.ends_with("/iam/security-credentials/") => (200, json!("my-role\n")),
        url if url.ends_with("/placement/region") => (200, json!("ap-south-1")),
        url if url.ends_with("/iam/security-credentials/my-role") => (
            200,
            json!({ "Code": "Success", "AccessKeyId": "AKM", "SecretAccessKey": "s", "Token": "t", "Expiration": LATER }),
        ),
        _ => (404, json!("")),
    });
    assert_eq!(signer(&world, &[]).await.unwrap(), "AKM");
    let by_id = world
        .keeper("awskms", &[("kms_key_id", "alias/a")], &[])
        .unwrap();
    by_id.wrap(b"x").await.unwrap();
    let asked = world.count("/my-role");
    by_id.wrap(b"x").await.unwrap();
    assert_eq!(world.count("/my-role"), asked);
    assert!(
        world
            .asked()
            .last()
            .unwrap()
            .url
            .contains("//kms.ap-south-1.")
    );
    let refused = signer(&world, &[("AWS_EC2_METADATA_DISABLED", "true")]).await;
    assert!(matches!(refused, Err(WrapError::Refused(_))));
}

#[tokio::test]
async fn a_role_whose_name_is_a_path_is_not_asked_for() {
    for role in ["../../x", "a b", "", "a/b"] {
        let world =
            World::new(
                move |request| match request.url.ends_with("security-credentials/") {
                    true => (200, json!(role)),
                    false => (200, json!("x")),
                },
            );
        assert!(
            matches!(signer(&world, &[]).await, Err(WrapError::Refused(_))),
            "{role}"
        );
    }
}

#[tokio::test]
async fn a_container_has_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let token = write(folder.path(), "token", "pod-token\n");
    let world = World::new(|request| match request.url.contains("170.2") {
        true => (
            200,
            json!({ "AccessKeyId": "AKC", "SecretAccessKey": "s", "Token": "t", "Expiration": LATER }),
        ),
        false => kms(),
    });
    let relative = [(
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "/v2/credentials/1",
    )];
    assert_eq!(signer(&world, &relative).await.unwrap(), "AKC");
    assert_eq!(
        world.asked()[0].url,
        "http://169.254.170.2/v2/credentials/1"
    );
    let full = [
        (
            "AWS_CONTAINER_CREDENTIALS_FULL_URI",
            "http://169.254.170.23/v1/credentials",
        ),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", &token),
    ];
    assert_eq!(signer(&world, &full).await.unwrap(), "AKC");
    let asked = world.asked();
    let asked = asked
        .iter()
        .find(|asked| asked.url.contains("170.23"))
        .unwrap();
    assert_eq!(header(asked, "authorization"), "pod-token");
}

#[tokio::test]
async fn a_web_identity_assumes_its_role_with_the_token_of_the_moment() {
    let folder = tempfile::tempdir().unwrap();
    let token = write(folder.path(), "token", "jwt-1");
    let answer = |key: &str| {
        json!(format!(
            "<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
             <AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>{key}</AccessKeyId><SecretAccessKey>s</SecretAccessKey>\
             <SessionToken>t</SessionToken><Expiration>{LATER}</Expiration></Credentials></AssumeRoleWithWebIdentityResult>\
             </AssumeRoleWithWebIdentityResponse>"
        ))
    };
    let world = World::new(move |request| {
        let form = String::from_utf8_lossy(&request.body);
        match request.url.as_str() {
            "https://sts.eu-west-1.amazonaws.com/" if form.contains("jwt-1") => {
                (200, answer("AKONE"))
            }
            "https://sts.eu-west-1.amazonaws.com/" => (200, answer("AKTWO")),
            _ if header(request, "authorization").contains("AKONE") => {
                (400, json!({ "__type": "ExpiredTokenException" }))
            }
            _ => kms(),
        }
    });
    std::fs::write(&token, "jwt-1").unwrap();
    let environment = [
        ("AWS_WEB_IDENTITY_TOKEN_FILE", token.as_str()),
        ("AWS_ROLE_ARN", "arn:aws:iam::1:role/r"),
    ];
    assert!(matches!(
        signer(&world, &environment).await,
        Err(WrapError::Refused(_))
    ));
    assert_eq!(signers(&world), ["AKONE", "AKONE"]);
    let keeper = world
        .keeper("awskms", &[("kms_key_id", ARN)], &environment)
        .unwrap();
    std::fs::write(&token, "jwt-2").unwrap();
    keeper.wrap(b"x").await.unwrap();
    assert_eq!(signers(&world).last().unwrap(), "AKTWO");
    std::fs::remove_file(&token).unwrap();
    keeper.wrap(b"x").await.unwrap();
}
