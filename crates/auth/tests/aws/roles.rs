//! Roles, and what logins by them are like.

use coffer_engine::Fault;
use serde_json::{Value, json};

use crate::cloud::{ANN, APP, SESSION, by_name, everybody, login, role, text, usual};

#[tokio::test]
async fn a_login_is_what_the_role_says() {
    let (bench, _) = everybody(ANN, "AIDAANN").await;
    let mut wish = by_name(ANN);
    wish["token_policies"] = json!("b,A");
    wish["token_ttl"] = json!("30m");
    wish["token_num_uses"] = json!(3);
    wish["alias_metadata"] = json!({ "team": "red" });
    role(&bench, "Dev", wish).await;
    let made = login(&bench, "DEV", usual()).await.unwrap();
    assert_eq!(
        (made.policies.clone(), made.ttl.as_secs(), made.num_uses),
        (vec!["a".into(), "b".into()], 1800, 3)
    );
    assert_eq!(made.display_name, "ann");
    let id = bench.read("role/dev").await.unwrap().data["role_id"].clone();
    let alias = made.alias.unwrap();
    assert_eq!(json!(alias.name), id);
    assert_eq!(
        json!(made.metadata),
        json!({ "account_id": "123456789012", "auth_type": "iam", "role_id": id })
    );
    assert_eq!(
        json!(alias.metadata),
        json!({ "account_id": "123456789012", "auth_type": "iam", "team": "red" })
    );
    assert_eq!(bench.list("roles").await.unwrap(), ["dev"]);
    assert_eq!(bench.list("role").await.unwrap(), ["dev"]);
}

#[tokio::test]
async fn aliases_are_called_as_configured() {
    let (bench, _) = everybody(SESSION, "AROAAPP:one").await;
    role(&bench, "dev", by_name(APP)).await;
    for (by, name) in [
        ("unique_id", "AROAAPP"),
        ("canonical_arn", APP),
        ("full_arn", SESSION),
    ] {
        let wish =
            json!({ "iam_alias": by, "iam_metadata": "client_arn,canonical_arn,client_user_id" });
        bench.write("config/identity", wish).await.unwrap();
        let made = login(&bench, "dev", usual()).await.unwrap();
        assert_eq!(made.alias.unwrap().name, name, "{by}");
        assert_eq!(made.metadata["client_arn"], SESSION);
        assert_eq!(made.metadata["client_user_id"], "AROAAPP");
        assert!(!made.metadata.contains_key("account_id"));
    }
    bench
        .write("config/identity", json!({ "iam_metadata": [] }))
        .await
        .unwrap();
    let made = login(&bench, "dev", usual()).await.unwrap();
    assert_eq!(made.metadata.into_keys().collect::<Vec<_>>(), ["role_id"]);
    bench
        .write("config/identity", json!({ "iam_metadata": "default" }))
        .await
        .unwrap();
    let shown = bench.read("config/identity").await.unwrap().data;
    assert_eq!(shown["iam_metadata"], json!(["account_id", "auth_type"]));
    assert_eq!(
        (&shown["iam_alias"], &shown["ec2_alias"]),
        (&json!("full_arn"), &json!("role_id"))
    );
    for wrong in [
        json!({ "iam_alias": "name" }),
        json!({ "iam_metadata": "nosuch" }),
        json!({ "iam_metadata": "default,client_arn" }),
        json!({ "ec2_alias": "instance_id" }),
        json!({ "ec2_metadata": "ami_id" }),
    ] {
        text(bench.write("config/identity", wrong).await.unwrap_err());
    }
    let terraform = json!({ "ec2_alias": "role_id", "ec2_metadata": ["auth_type", "account_id"] });
    bench.write("config/identity", terraform).await.unwrap();
}

#[tokio::test]
async fn who_is_not_meant_and_what_is_not_there_are_answered_alike() {
    let (bench, _) = everybody(ANN, "AIDAANN").await;
    role(&bench, "other", by_name(APP)).await;
    role(
        &bench,
        "elsewhere",
        by_name("arn:aws:iam::210987654321:user/ann"),
    )
    .await;
    role(
        &bench,
        "china",
        by_name("arn:aws-cn:iam::123456789012:user/ann"),
    )
    .await;
    let mut told = Vec::new();
    for name in ["other", "elsewhere", "china", "nosuch", "", "a/b", " "] {
        told.push(text(login(&bench, name, usual()).await.unwrap_err()));
    }
    told.dedup();
    assert_eq!(told.len(), 1, "{told:?}");
}

#[tokio::test]
async fn a_bound_address_holds_for_the_login() {
    let (mut bench, _) = everybody(ANN, "AIDAANN").await;
    let mut wish = by_name(ANN);
    wish["token_bound_cidrs"] = json!("10.0.0.0/8");
    role(&bench, "dev", wish).await;
    for (client, fine) in [("11.0.0.1", false), ("10.0.0.1", true)] {
        bench.client = Some(client.parse().unwrap());
        assert_eq!(login(&bench, "dev", usual()).await.is_ok(), fine);
    }
}

#[tokio::test]
async fn what_a_role_can_not_be_is_refused_by_name() {
    let (bench, asked) = everybody(ANN, "AIDAANN").await;
    let inferring = |more: Value| {
        let mut wish =
            json!({ "inferred_entity_type": "ec2_instance", "inferred_aws_region": "us-east-1" });
        for (name, value) in more.as_object().unwrap() {
            wish[name] = value.clone();
        }
        wish
    };
    for (wish, word) in [
        (json!({}), "at least one bound"),
        (
            json!({ "auth_type": "ec2", "bound_ami_id": "ami-1" }),
            "ec2",
        ),
        (json!({ "auth_type": "odd" }), "auth_type"),
        (json!({ "role_tag": "x" }), "role_tag"),
        (
            json!({ "allow_instance_migration": true }),
            "allow_instance_migration",
        ),
        (
            json!({ "disallow_reauthentication": true }),
            "disallow_reauthentication",
        ),
        (json!({ "bound_ami_id": "ami-1" }), "inferred_entity_type"),
        (inferring(json!({})), "at least one bound"),
        (inferring(json!({ "bound_ami_id": "a b" })), "bound_ami_id"),
        (
            inferring(json!({ "bound_account_id": "1" })),
            "bound_account_id",
        ),
        (
            inferring(json!({ "bound_iam_role_arn": ANN })),
            "bound_iam_role_arn",
        ),
        (
            inferring(json!({ "bound_iam_instance_profile_arn": APP })),
            "bound_iam_instance_profile_arn",
        ),
        (
            inferring(json!({ "inferred_aws_region": "moon", "bound_ami_id": "ami-1" })),
            "moon",
        ),
        (
            json!({ "inferred_entity_type": "ec2_instance" }),
            "inferred_aws_region",
        ),
        (
            json!({ "inferred_entity_type": "lambda" }),
            "inferred_entity_type",
        ),
        (
            json!({ "bound_iam_principal_arn": ANN, "resolve_aws_unique_ids": false, "inferred_aws_region": "us-east-1" }),
            "inferred_entity_type",
        ),
        (
            by_name("arn:aws:iam::123456789012:role/team/app"),
            "role/app",
        ),
        (
            by_name("arn:aws:iam::123456789012:instance-profile/app"),
            "instance-profile",
        ),
        (by_name(SESSION), "bind the role"),
        (by_name("arn:aws:iam::*"), "partition and account"),
        (
            json!({ "bound_iam_principal_arn": "arn:aws:sts::123456789012:federated-user/bob" }),
            "resolve_aws_unique_ids",
        ),
        (
            json!({ "bound_iam_principal_arn": vec![ANN; 200] }),
            "at most 128",
        ),
        (
            json!({ "bound_iam_principal_arn": ANN, "token_type": "odd" }),
            "token_type",
        ),
    ] {
        let said = text(bench.write("role/dev", wish.clone()).await.unwrap_err());
        assert!(said.contains(word), "{wish}: {said}");
    }
    assert!(asked.lock().unwrap().is_empty());
    assert!(matches!(bench.read("role/dev").await, Err(Fault::NotFound)));
    assert!(matches!(
        bench.write("role/-dev", by_name(ANN)).await,
        Err(Fault::UnsupportedPath)
    ));
    role(
        &bench,
        "fed",
        by_name("arn:aws:sts::123456789012:federated-user/bob"),
    )
    .await;
    bench.delete("role/nosuch").await.unwrap();
}

#[tokio::test]
async fn a_renewal_looks_at_the_role_again() {
    let (bench, _) = everybody(ANN, "AIDAANN").await;
    let mut wish = by_name(ANN);
    wish["token_ttl"] = json!(60);
    role(&bench, "dev", wish.clone()).await;
    let made = login(&bench, "dev", usual()).await.unwrap();
    role(&bench, "dev", json!({ "token_ttl": 30 })).await;
    let again = bench.stay(made.payload.clone()).await.unwrap().unwrap();
    assert_eq!(again.ttl.unwrap().as_secs(), 30);
    role(&bench, "dev", json!({ "bound_iam_principal_arn": APP })).await;
    text(bench.stay(made.payload.clone()).await.unwrap().unwrap_err());
    role(&bench, "dev", json!({ "bound_iam_principal_arn": ANN })).await;
    bench.stay(made.payload.clone()).await.unwrap().unwrap();
    let inferring =
        json!({ "inferred_entity_type": "ec2_instance", "inferred_aws_region": "us-east-1" });
    role(&bench, "dev", inferring).await;
    text(bench.stay(made.payload.clone()).await.unwrap().unwrap_err());
    bench.delete("role/dev").await.unwrap();
    text(bench.stay(made.payload.clone()).await.unwrap().unwrap_err());
    role(&bench, "dev", wish).await;
    text(bench.stay(made.payload).await.unwrap().unwrap_err());
}
