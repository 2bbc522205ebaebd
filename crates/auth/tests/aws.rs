//! The aws method by path. AWS is a function here; what it is asked is written down.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::sync::{Arc, Mutex};

use coffer_auth::aws::Aws;
use coffer_crypto::Zeroizing;
use coffer_crypto::sigv4::{self, Credentials, Scope};
use coffer_engine::outbound::{Outbound, Request, Response};
use coffer_engine::testing::Bench;
use coffer_engine::{Answer, Fault, Login};
use proptest::prelude::*;
use serde_json::{Value, json};

const BODY: &str = "Action=GetCallerIdentity&Version=2011-06-15";
const ANN: &str = "arn:aws:iam::123456789012:user/ann";
const APP: &str = "arn:aws:iam::123456789012:role/app";
const SESSION: &str = "arn:aws:sts::123456789012:assumed-role/app/one";

type Asked = Arc<Mutex<Vec<Request>>>;

/// AWS, as a function of what it is asked.
struct Cloud<F> {
    asked: Asked,
    answer: F,
}

impl<F: Fn(&str, &str) -> (u16, String) + Send + Sync> Outbound for Cloud<F> {
    fn fetch<'a>(&'a self, _: &'a str, request: Request) -> Answer<'a, Response> {
        let body = String::from_utf8(request.body.to_vec()).unwrap();
        let action = body
            .split('&')
            .find_map(|part| part.strip_prefix("Action="));
        let (status, text) = (self.answer)(action.unwrap(), &body);
        self.asked.lock().unwrap().push(request);
        let response = Response {
            status,
            media_type: "text/xml".into(),
            body: Zeroizing::new(text.into_bytes()),
        };
        Box::pin(std::future::ready(match status {
            0 => Err(Fault::upstream("no answer in time")),
            _ => Ok(response),
        }))
    }
}

/// A bench whose AWS answers so.
async fn bench(
    answer: impl Fn(&str, &str) -> (u16, String) + Send + Sync + 'static,
) -> (Bench<Aws>, Asked) {
    let (bench, asked) = (Bench::<Aws>::new().await, Asked::default());
    bench.reach(Cloud {
        asked: Arc::clone(&asked),
        answer,
    });
    (bench, asked)
}

/// A bench whose STS says that everybody is this.
async fn everybody(arn: &'static str, user_id: &'static str) -> (Bench<Aws>, Asked) {
    bench(move |_, _| (200, identity(arn, user_id))).await
}

fn identity(arn: &str, user_id: &str) -> String {
    let account = arn.split(':').nth(4).unwrap();
    let inner = format!("<Arn>{arn}</Arn><UserId>{user_id}</UserId><Account>{account}</Account>");
    answer(
        "GetCallerIdentity",
        "https://sts.amazonaws.com/doc/2011-06-15/",
        &inner,
    )
}

fn answer(action: &str, namespace: &str, inner: &str) -> String {
    format!(
        "<{action}Response xmlns=\"{namespace}\"><{action}Result>{inner}</{action}Result></{action}Response>"
    )
}

fn iam_role(arn: &str, id: &str) -> String {
    let role = format!("<Role><RoleId>{id}</RoleId><Arn>{arn}</Arn></Role>");
    answer(
        "GetRole",
        "https://iam.amazonaws.com/doc/2010-05-08/",
        &role,
    )
}

fn encoded(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}

fn header(request: &Request, name: &str) -> Option<String> {
    let mut found = request.headers.iter().filter(|(field, _)| field == name);
    let value = found.next().map(|(_, value)| value.to_string());
    assert!(found.next().is_none(), "{name} twice");
    value
}

/// What a client brings who signs for this host and region, with more header fields.
fn signed(host: &str, region: &str, more: &[(&str, &str)]) -> Value {
    let credentials = Credentials {
        access_key: "AKIATEST".into(),
        secret_key: "secret".into(),
        session_token: None,
    };
    let mut headers = vec![("content-type", "application/x-www-form-urlencoded")];
    headers.extend(more);
    let request = sigv4::Request {
        method: "POST",
        host,
        headers: &headers,
        body: BODY.as_bytes(),
    };
    let scope = Scope {
        time: "20270115T080000Z",
        region,
        service: "sts",
    };
    let mut all = json!({ "host": host });
    for (name, value) in &headers {
        all[name] = json!(value);
    }
    for (name, value) in credentials.sign(&request, scope) {
        all[name] = json!([value]);
    }
    json!({
        "iam_http_request_method": "POST",
        "iam_request_url": encoded(&format!("https://{host}/")),
        "iam_request_body": encoded(BODY),
        "iam_request_headers": all,
    })
}

fn usual() -> Value {
    signed("sts.amazonaws.com", "us-east-1", &[])
}

async fn login(bench: &Bench<Aws>, role: &str, mut brought: Value) -> Result<Box<Login>, Fault> {
    brought["role"] = json!(role);
    Ok(bench.write("login", brought).await?.reply.login.unwrap())
}

async fn configure(bench: &Bench<Aws>, wish: Value) {
    bench.write("config/client", wish).await.unwrap();
}

async fn role(bench: &Bench<Aws>, name: &str, wish: Value) {
    bench.write(&format!("role/{name}"), wish).await.unwrap();
}

fn by_name(arn: &str) -> Value {
    json!({ "bound_iam_principal_arn": arn, "resolve_aws_unique_ids": false })
}

fn text(fault: Fault) -> String {
    match fault {
        Fault::Invalid(text) => text,
        other => panic!("{other:?}"),
    }
}

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
async fn sts_is_asked_where_it_is_configured_and_nowhere_else() {
    let own = json!({ "sts_endpoint": "https://sts.internal:8443", "sts_region": "eu-west-1" });
    let region = json!({ "sts_endpoint": "", "sts_region": "eu-central-1" });
    let client =
        json!({ "use_sts_region_from_client": true, "sts_endpoint": "https://sts.internal" });
    let global = ("sts.amazonaws.com", "us-east-1");
    let regional = ("sts.cn-north-1.amazonaws.com.cn", "cn-north-1");
    let internal = ("sts.internal:8443", "eu-west-1");
    for (config, (host, of), url) in [
        (json!({}), global, "https://sts.amazonaws.com/"),
        (
            json!({}),
            regional,
            "https://sts.cn-north-1.amazonaws.com.cn/",
        ),
        (own.clone(), global, "https://sts.internal:8443/"),
        (own.clone(), internal, "https://sts.internal:8443/"),
        (
            region.clone(),
            global,
            "https://sts.eu-central-1.amazonaws.com/",
        ),
        (
            client.clone(),
            regional,
            "https://sts.cn-north-1.amazonaws.com.cn/",
        ),
        (
            client,
            ("sts.amazonaws.com", "eu-west-1"),
            "https://sts.eu-west-1.amazonaws.com/",
        ),
    ] {
        let (bench, asked) = everybody(ANN, "AIDAANN").await;
        configure(&bench, config.clone()).await;
        role(&bench, "dev", by_name(ANN)).await;
        login(&bench, "dev", signed(host, of, &[])).await.unwrap();
        let asked = asked.lock().unwrap();
        assert_eq!(asked.len(), 1);
        assert_eq!(asked[0].url, url, "{config}");
        assert_eq!(header(&asked[0], "host").unwrap(), host);
        assert_eq!(asked[0].body.as_slice(), BODY.as_bytes());
        let names: Vec<_> = asked[0]
            .headers
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        assert_eq!(
            names,
            ["host", "content-type", "x-amz-date", "authorization"]
        );
    }
    for (config, host, of) in [
        (json!({}), "sts.internal:8443", "us-east-1"),
        (own, "sts.internal", "us-east-1"),
        (region, "sts.evil.example", "us-east-1"),
        (
            json!({ "use_sts_region_from_client": true }),
            "sts.amazonaws.com",
            "evil-example-1",
        ),
    ] {
        let (bench, asked) = everybody(ANN, "AIDAANN").await;
        configure(&bench, config.clone()).await;
        text(
            login(&bench, "dev", signed(host, of, &[]))
                .await
                .unwrap_err(),
        );
        assert!(asked.lock().unwrap().is_empty(), "{config} {host}");
    }
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
async fn the_configuration_is_kept_without_showing_the_secret() {
    let (bench, _) = everybody(ANN, "AIDAANN").await;
    assert!(matches!(
        bench.read("config/client").await,
        Err(Fault::NotFound)
    ));
    assert_eq!(bench.exists("config/client").await, Some(false));
    configure(&bench, json!({ "access_key": "AKIA", "secret_key": "hunter2", "allowed_sts_header_values": "x-b,X-a", "max_retries": 2 })).await;
    configure(
        &bench,
        json!({ "iam_server_id_header_value": "vault.example" }),
    )
    .await;
    let shown = bench.read("config/client").await.unwrap().data;
    assert!(!shown.to_string().contains("hunter2"));
    assert_eq!(shown["access_key"], "AKIA");
    assert_eq!(shown["allowed_sts_header_values"], json!(["X-A", "X-B"]));
    assert_eq!(
        (&shown["max_retries"], &shown["iam_server_id_header_value"]),
        (&json!(2), &json!("vault.example"))
    );
    for (wrong, word) in [
        (json!({ "secret_key": "" }), "access_key"),
        (json!({ "sts_endpoint": "https://h/p" }), "sts_endpoint"),
        (json!({ "iam_endpoint": "ftp://h" }), "iam_endpoint"),
        (json!({ "endpoint": "h" }), "endpoint"),
        (json!({ "sts_region": "moon" }), "sts_region"),
        (json!({ "role_arn": APP }), "role_arn"),
        (
            json!({ "identity_token_audience": "a" }),
            "identity_token_audience",
        ),
        (json!({ "identity_token_ttl": 60 }), "identity_token_ttl"),
        (
            json!({ "iam_server_id_header_value": "a\nb" }),
            "iam_server_id_header_value",
        ),
        (
            json!({ "allowed_sts_header_values": "Transfer-Encoding" }),
            "allowed_sts_header_values",
        ),
        (json!({ "max_retries": "many" }), "max_retries"),
    ] {
        let said = text(bench.write("config/client", wrong).await.unwrap_err());
        assert!(said.contains(word) && !said.contains("hunter2"), "{said}");
    }
    let open = bench
        .write(
            "config/client",
            json!({ "sts_endpoint": "http://sts.example" }),
        )
        .await
        .unwrap();
    assert!(open.reply.warnings[0].contains("without TLS"));
    bench.delete("config/client").await.unwrap();
    assert!(matches!(
        bench.read("config/client").await,
        Err(Fault::NotFound)
    ));
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

/// An IAM that has one role of the name, and an STS that knows its session.
async fn with_role(arn: &'static str, id: &'static str) -> (Bench<Aws>, Asked) {
    let (bench, asked) = bench(move |action, _| match action {
        "GetRole" => (200, iam_role(arn, id)),
        "AssumeRole" => (
            200,
            answer("AssumeRole", "https://sts.amazonaws.com/doc/2011-06-15/", "<Credentials><AccessKeyId>ASIAOTHER</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken></Credentials>"),
        ),
        _ => (200, identity(SESSION, "AROAAPP:one")),
    })
    .await;
    configure(
        &bench,
        json!({ "access_key": "AKIAOURS", "secret_key": "hunter2" }),
    )
    .await;
    (bench, asked)
}

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

#[tokio::test]
async fn what_may_pass_is_tried_again_and_no_more_than_configured() {
    for (status, retries, times) in [
        (500, -1, 2),
        (0, -1, 2),
        (429, 0, 1),
        (503, 2, 3),
        (500, 99, 4),
        (403, 3, 1),
        (200, 3, 1),
    ] {
        let (bench, asked) = bench(move |_, _| (status, String::new())).await;
        configure(&bench, json!({ "max_retries": retries })).await;
        let fault = login(&bench, "dev", usual()).await.unwrap_err();
        assert_eq!(
            matches!(fault, Fault::Invalid(_)),
            status == 403,
            "{fault:?}"
        );
        assert_eq!(asked.lock().unwrap().len(), times, "{status} {retries}");
    }
}

#[tokio::test]
async fn a_key_is_made_once_and_kept_before_the_old_one_goes() {
    let made = "<AccessKey><AccessKeyId>AKIANEW</AccessKeyId><SecretAccessKey>new</SecretAccessKey></AccessKey>";
    let namespace = "https://iam.amazonaws.com/doc/2010-05-08/";
    let (bench, asked) = bench(move |action, _| match action {
        "CreateAccessKey" => (200, answer(action, namespace, made)),
        _ => (500, String::new()),
    })
    .await;
    configure(
        &bench,
        json!({ "access_key": "AKIAOLD", "secret_key": "old", "max_retries": 0 }),
    )
    .await;
    let answered = bench.write("config/rotate-root", json!({})).await.unwrap();
    assert_eq!(answered.data, json!({ "access_key": "AKIANEW" }));
    assert!(
        answered.reply.warnings[0].contains("AKIAOLD"),
        "it could not be removed"
    );
    assert_eq!(
        bench.read("config/client").await.unwrap().data["access_key"],
        "AKIANEW"
    );
    let last = asked.lock().unwrap().pop().unwrap();
    assert!(
        String::from_utf8(last.body.to_vec())
            .unwrap()
            .ends_with("AccessKeyId=AKIAOLD")
    );
}

#[tokio::test]
async fn a_failed_rotation_is_not_tried_again() {
    let (bench, asked) = bench(|_, _| (500, String::new())).await;
    configure(
        &bench,
        json!({ "access_key": "AKIAOLD", "secret_key": "old", "max_retries": 3 }),
    )
    .await;
    assert!(matches!(
        bench.write("config/rotate-root", json!({})).await,
        Err(Fault::Upstream(_))
    ));
    assert_eq!(
        asked.lock().unwrap().len(),
        1,
        "whose answer is lost may have been obeyed"
    );
    assert_eq!(
        bench.read("config/client").await.unwrap().data["access_key"],
        "AKIAOLD"
    );
}

#[tokio::test]
async fn documents_of_instances_are_refused_by_name() {
    let (bench, asked) = everybody(ANN, "AIDAANN").await;
    for brought in [
        json!({ "pkcs7": "x" }),
        json!({ "identity": "x", "signature": "y" }),
    ] {
        let said = text(login(&bench, "dev", brought).await.unwrap_err());
        assert!(said.contains("not supported"), "{said}");
    }
    assert!(asked.lock().unwrap().is_empty());
}

fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(work)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever a client brings, nothing but this one question is sent, and to nobody but STS.
    #[test]
    fn nothing_else_is_ever_sent(
        url in prop_oneof![
            "https://sts\\.amazonaws\\.com[/?#:@a-z]{0,4}",
            "https?://[a-z.@:/]{0,12}amazonaws\\.com/?",
            "\\PC{0,30}",
        ],
        body in prop_oneof![
            "(&?(Action|Version)=(GetCallerIdentity|AssumeRole|2011-06-15)){1,3}",
            "\\PC{0,30}",
        ],
        method in "POST|GET|post|",
        name in "[A-Za-z-]{1,20}",
        value in "\\PC{0,20}",
    ) {
        run(async {
            let (bench, asked) = everybody(ANN, "AIDAANN").await;
            let mut brought = usual();
            brought["iam_request_url"] = json!(encoded(&url));
            brought["iam_request_body"] = json!(encoded(&body));
            brought["iam_http_request_method"] = json!(method);
            brought["iam_request_headers"][&name] = json!(value);
            let _ = login(&bench, "dev", brought).await;
            for request in asked.lock().unwrap().iter() {
                assert_eq!(request.url, "https://sts.amazonaws.com/");
                assert_eq!(request.body.as_slice(), BODY.as_bytes());
                assert_eq!(header(request, "host").unwrap(), "sts.amazonaws.com");
                assert_eq!(request.headers.len(), 4);
            }
        });
    }
}

/// The usual request with one header field changed after signing.
fn with_header(name: &str, value: Value) -> Value {
    let mut brought = usual();
    brought["iam_request_headers"][name] = value;
    brought
}

#[tokio::test]
async fn no_odd_header_field_is_sent() {
    let seal = usual()["iam_request_headers"]["authorization"][0].clone();
    let seal = seal.as_str().unwrap().to_owned();
    let sealed = |from: &str, to: &str| with_header("authorization", json!(seal.replace(from, to)));
    let host = "sts.amazonaws.com";
    let (bench, asked) = everybody(ANN, "AIDAANN").await;
    role(&bench, "dev", by_name(ANN)).await;
    for (brought, word) in [
        (
            with_header("host", json!("sts.eu-west-1.amazonaws.com")),
            "Host",
        ),
        (with_header("x-amz-target", json!("a")), "not allowed"),
        (
            with_header("x-amz-security-token", json!("a")),
            "not signed",
        ),
        (
            with_header("x-amz-date", json!("20270116T080000Z")),
            "X-Amz-Date",
        ),
        (
            with_header("x-amz-date", json!("20270115 080000Z")),
            "X-Amz-Date",
        ),
        (with_header("content-length", json!(42)), "Content-Length"),
        (
            with_header("content-type", json!("text/plain")),
            "Content-Type",
        ),
        (
            with_header("authorization", json!("Basic x")),
            "Authorization",
        ),
        (
            signed(host, "us-east-1", &[("accept", "application/json")]),
            "accept is not allowed",
        ),
        (
            signed(host, "us-east-1", &[("x-forwarded-for", "1")]),
            "not allowed",
        ),
        (sealed("content-type;", ""), "x"),
        (sealed("host;", ""), "Host"),
        (
            sealed("content-type;host", "host;content-type"),
            "Authorization",
        ),
        (sealed("host;", "host;host;"), "Authorization"),
        (
            sealed("host;", "host;x-vault-aws-iam-server-id;"),
            "Authorization",
        ),
        (
            sealed("x-amz-date", "x-amz-date;x-vault-aws-iam-server-id"),
            "missing",
        ),
        (
            sealed("content-type;", "authorization;content-type;"),
            "authorization",
        ),
        (sealed("/sts/", "/iam/"), "Authorization"),
        (sealed("SHA256", "SHA1"), "Authorization"),
        (
            sealed(", Signature", ", Signature=0, Signature"),
            "Authorization",
        ),
    ] {
        let made = login(&bench, "dev", brought.clone()).await;
        if word == "x" {
            // One field less is signed, so AWS would refuse it; the field is then left out and ours stands there.
            made.unwrap();
            let sent = asked.lock().unwrap().remove(0);
            assert_eq!(
                header(&sent, "content-type").unwrap(),
                "application/x-www-form-urlencoded"
            );
            continue;
        }
        let said = text(made.unwrap_err());
        assert!(said.contains(word), "{word}: {said}");
        assert!(asked.lock().unwrap().is_empty(), "{brought}");
    }
}

#[tokio::test]
async fn more_fields_can_be_allowed() {
    let (bench, asked) = everybody(ANN, "AIDAANN").await;
    role(&bench, "dev", by_name(ANN)).await;
    let brought = signed("sts.amazonaws.com", "us-east-1", &[("x-custom", "a b")]);
    text(login(&bench, "dev", brought.clone()).await.unwrap_err());
    configure(&bench, json!({ "allowed_sts_header_values": ["X-Custom"] })).await;
    login(&bench, "dev", brought).await.unwrap();
    let sent = asked.lock().unwrap().remove(0);
    assert_eq!(header(&sent, "x-custom").unwrap(), "a b");
}

#[tokio::test]
async fn the_server_that_is_meant_has_to_be_signed() {
    let (bench, asked) = everybody(ANN, "AIDAANN").await;
    role(&bench, "dev", by_name(ANN)).await;
    configure(
        &bench,
        json!({ "iam_server_id_header_value": "vault.example" }),
    )
    .await;
    let name = "x-vault-aws-iam-server-id";
    for (brought, word) in [
        (usual(), "missing"),
        (with_header(name, json!("vault.example")), "wasn't signed"),
        (
            signed("sts.amazonaws.com", "us-east-1", &[(name, "other.example")]),
            "another server",
        ),
        (
            signed("sts.amazonaws.com", "us-east-1", &[(name, "VAULT.example")]),
            "another server",
        ),
    ] {
        let said = text(login(&bench, "dev", brought).await.unwrap_err());
        assert!(said.contains(word), "{said}");
    }
    assert!(asked.lock().unwrap().is_empty());
    let right = signed("sts.amazonaws.com", "us-east-1", &[(name, "vault.example")]);
    login(&bench, "dev", right).await.unwrap();
}

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
async fn an_account_itself_logs_in_nowhere() {
    let (bench, _) = everybody("arn:aws:iam::123456789012:root", "123456789012").await;
    role(
        &bench,
        "dev",
        json!({ "bound_iam_principal_arn": "arn:aws:iam::123456789012:*" }),
    )
    .await;
    text(login(&bench, "dev", usual()).await.unwrap_err());
}
