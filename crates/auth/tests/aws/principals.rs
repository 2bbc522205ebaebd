//! Whom a role means: unique ids, paths, other accounts.

use coffer_engine::Fault;
use serde_json::json;

use crate::cloud::{ANN, APP, header, login, role, text, usual, with_role};

#[tokio::test]
async fn unique_ids_bind() {
    let (bench, asked) = with_role(APP, "AROAAPP").await;
    role(&bench, "dev", json!({ "bound_iam_principal_arn": APP })).await;
    let request = asked.lock().unwrap().remove(0);
    assert_eq!(request.url, "https://iam.amazonaws.com/");
    let seal = header(&request, "authorization").unwrap();
    assert!(
        seal.contains("Credential=AKIAOURS/20270115/us-east-1/iam/aws4_request"),
        "{seal}"
    );
    assert!(!format!("{request:?}").contains("hunter2"));
    assert_eq!(
        bench.read("role/dev").await.unwrap().data["bound_iam_principal_id"],
        json!(["AROAAPP"])
    );
    let made = login(&bench, "dev", usual()).await.unwrap();
    assert!(bench.stay(made.payload.clone()).await.unwrap().is_ok());
    let refused = bench
        .write("role/dev", json!({ "resolve_aws_unique_ids": false }))
        .await;
    assert!(text(refused.unwrap_err()).contains("resolve_aws_unique_ids"));
    role(&bench, "dev", json!({ "token_ttl": 60 })).await;
    assert_eq!(
        asked.lock().unwrap().len(),
        1,
        "what is known is not asked again"
    );
    assert_eq!(
        bench.read("role/dev").await.unwrap().data["bound_iam_principal_id"],
        json!(["AROAAPP"])
    );
}

#[tokio::test]
async fn another_role_of_the_name_is_not_meant() {
    let (bench, _) = with_role(APP, "AROALATER").await;
    role(&bench, "dev", json!({ "bound_iam_principal_arn": APP })).await;
    text(login(&bench, "dev", usual()).await.unwrap_err());
    // What our key sees under the name is in another account, or has another path.
    for other in [
        "arn:aws:iam::210987654321:role/app",
        "arn:aws:iam::123456789012:role/x/app",
        "arn:aws:iam::123456789012:role/other",
    ] {
        let (bench, _) = with_role(other, "AROAAPP").await;
        let refused = bench
            .write("role/dev", json!({ "bound_iam_principal_arn": APP }))
            .await;
        assert!(
            text(refused.unwrap_err()).contains("unable to resolve ARN"),
            "{other}"
        );
    }
}

#[tokio::test]
async fn a_path_is_believed_only_for_the_very_role() {
    let bound = json!({ "bound_iam_principal_arn": "arn:aws:iam::123456789012:role/team/*" });
    for (arn, id, fine) in [
        ("arn:aws:iam::123456789012:role/team/app", "AROAAPP", true),
        ("arn:aws:iam::123456789012:role/app", "AROAAPP", false),
        ("arn:aws:iam::123456789012:role/teams/app", "AROAAPP", false),
        (
            "arn:aws:iam::123456789012:role/team/app",
            "AROALATER",
            false,
        ),
        ("arn:aws:iam::210987654321:role/team/app", "AROAAPP", false),
        (
            "arn:aws:iam::123456789012:role/team/other",
            "AROAAPP",
            false,
        ),
    ] {
        let (bench, asked) = with_role(arn, id).await;
        role(&bench, "dev", bound.clone()).await;
        let made = login(&bench, "dev", usual()).await;
        assert_eq!(made.is_ok(), fine, "{arn} {id}");
        assert_eq!(asked.lock().unwrap().len(), 2);
        if let Ok(made) = made {
            assert!(bench.stay(made.payload).await.unwrap().is_ok());
            assert_eq!(asked.lock().unwrap().len(), 2, "a renewal knows the path");
        }
    }
}

#[tokio::test]
async fn another_account_is_asked_by_its_role() {
    let (bench, asked) = with_role(APP, "AROAAPP").await;
    let wish =
        json!({ "sts_role": "arn:aws:iam::123456789012:role/reader", "external_id": "one/two" });
    bench
        .write("config/sts/123456789012", wish.clone())
        .await
        .unwrap();
    assert_eq!(
        bench.read("config/sts/123456789012").await.unwrap().data,
        wish
    );
    bench
        .write("config/sts/123456789012", json!({ "external_id": "three" }))
        .await
        .unwrap();
    assert_eq!(bench.list("config/sts").await.unwrap(), ["123456789012"]);
    role(&bench, "dev", json!({ "bound_iam_principal_arn": APP })).await;
    {
        let asked = asked.lock().unwrap();
        let body = String::from_utf8(asked[0].body.to_vec()).unwrap();
        assert_eq!(asked[0].url, "https://sts.amazonaws.com/");
        assert!(
            body.contains("RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Freader")
                && body.ends_with("&ExternalId=three"),
            "{body}"
        );
        assert!(
            header(&asked[1], "authorization")
                .unwrap()
                .contains("Credential=ASIAOTHER/")
        );
        assert_eq!(header(&asked[1], "x-amz-security-token").unwrap(), "t");
    }
    for (account, wrong) in [
        ("1", json!({ "sts_role": APP })),
        ("210987654321", json!({})),
        ("210987654321", json!({ "sts_role": ANN })),
        (
            "210987654321",
            json!({ "sts_role": APP, "external_id": "a b" }),
        ),
    ] {
        text(
            bench
                .write(&format!("config/sts/{account}"), wrong)
                .await
                .unwrap_err(),
        );
    }
    bench.delete("config/sts/123456789012").await.unwrap();
    assert!(matches!(
        bench.read("config/sts/123456789012").await,
        Err(Fault::NotFound)
    ));
}
