//! Instances that sessions are named after.

use serde_json::{Value, json};

use crate::cloud::{
    APP, SESSION, bench, by_name, configure, everybody, identity, login, role, text, usual,
};

const INSTANCE: &str = "i-0123456789abcdef0";

const ITS_SESSION: &str = "arn:aws:sts::123456789012:assumed-role/app/i-0123456789abcdef0";

/// What EC2 says about the instance.
fn described(owner: &str, id: &str, state: &str) -> String {
    format!(
        "<DescribeInstancesResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><reservationSet><item><ownerId>{owner}</ownerId><instancesSet><item><instanceId>{id}</instanceId><imageId>ami-1</imageId><instanceState><code>16</code><name>{state}</name></instanceState><vpcId>vpc-1</vpcId><subnetId>subnet-1</subnetId><iamInstanceProfile><arn>arn:aws:iam::123456789012:instance-profile/web</arn></iamInstanceProfile></item></instancesSet></item></reservationSet></DescribeInstancesResponse>"
    )
}

fn inferring() -> Value {
    json!({ "inferred_entity_type": "ec2_instance", "inferred_aws_region": "eu-west-1", "bound_ami_id": "ami-0,ami-1", "bound_vpc_id": "vpc-1" })
}

#[tokio::test]
async fn an_instance_runs_in_the_account_of_its_session() {
    let ours = "123456789012";
    let missing = "<Response><Errors><Error><Code>InvalidInstanceID.NotFound</Code><Message>m</Message></Error></Errors><RequestID>1</RequestID></Response>";
    for (status, answer, fine) in [
        (200, described(ours, INSTANCE, "running"), true),
        (200, described(ours, INSTANCE, "terminated"), false),
        (200, described("210987654321", INSTANCE, "running"), false),
        (
            200,
            described(ours, "i-0123456789abcdef1", "running"),
            false,
        ),
        (
            200,
            described(ours, INSTANCE, "running").replace("ami-1", "ami-2"),
            false,
        ),
        (
            200,
            described(ours, INSTANCE, "running").replace("vpc-1", "vpc-2"),
            false,
        ),
        (400, missing.to_owned(), false),
    ] {
        let (bench, asked) = bench(move |action, _| match action {
            "DescribeInstances" => (status, answer.clone()),
            _ => (200, identity(ITS_SESSION, &format!("AROAAPP:{INSTANCE}"))),
        })
        .await;
        configure(
            &bench,
            json!({ "access_key": "AKIAOURS", "secret_key": "s" }),
        )
        .await;
        role(&bench, "dev", inferring()).await;
        let made = login(&bench, "dev", usual()).await;
        assert_eq!(made.is_ok(), fine, "{made:?}");
        assert_eq!(
            asked.lock().unwrap()[1].url,
            "https://ec2.eu-west-1.amazonaws.com/"
        );
    }
}

#[tokio::test]
async fn what_is_no_instance_is_not_looked_up() {
    let (first, asked) = everybody(SESSION, "AROAAPP:one").await;
    configure(
        &first,
        json!({ "access_key": "AKIAOURS", "secret_key": "s" }),
    )
    .await;
    role(&first, "dev", inferring()).await;
    text(login(&first, "dev", usual()).await.unwrap_err());
    assert_eq!(asked.lock().unwrap().len(), 1);
    let (bench, asked) =
        bench(|_, _| (200, identity(ITS_SESSION, &format!("AROAAPP:{INSTANCE}")))).await;
    configure(
        &bench,
        json!({ "access_key": "AKIAOURS", "secret_key": "s" }),
    )
    .await;
    let mut wish = inferring();
    wish["bound_account_id"] = json!("210987654321");
    role(&bench, "dev", wish).await;
    text(login(&bench, "dev", usual()).await.unwrap_err());
    assert_eq!(
        asked.lock().unwrap().len(),
        1,
        "what can be said without asking is said first"
    );
}

#[tokio::test]
async fn whoever_came_as_no_instance_does_not_become_one() {
    let (bench, _) = bench(|action, _| match action {
        "DescribeInstances" => (200, described("123456789012", INSTANCE, "running")),
        _ => (200, identity(ITS_SESSION, &format!("AROAAPP:{INSTANCE}"))),
    })
    .await;
    let ours = json!({ "access_key": "AKIAOURS", "secret_key": "s" });
    configure(&bench, ours).await;
    role(&bench, "dev", by_name(APP)).await;
    let plain = login(&bench, "dev", usual()).await.unwrap();
    role(&bench, "dev", inferring()).await;
    text(bench.stay(plain.payload).await.unwrap().unwrap_err());
    let inferred = login(&bench, "dev", usual()).await.unwrap();
    bench.stay(inferred.payload).await.unwrap().unwrap();
}
