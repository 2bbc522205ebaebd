//! AWS as a function, and a client that signs.

use std::sync::{Arc, Mutex};

use coffer_auth::aws::Aws;
use coffer_crypto::Zeroizing;
use coffer_crypto::sigv4::{self, Credentials, Scope};
use coffer_engine::outbound::{Outbound, Request, Response};
use coffer_engine::testing::Bench;
use coffer_engine::{Answer, Fault, Login};
use serde_json::{Value, json};

pub(crate) const BODY: &str = "Action=GetCallerIdentity&Version=2011-06-15";

pub(crate) const ANN: &str = "arn:aws:iam::123456789012:user/ann";

pub(crate) const APP: &str = "arn:aws:iam::123456789012:role/app";

pub(crate) const SESSION: &str = "arn:aws:sts::123456789012:assumed-role/app/one";

pub(crate) type Asked = Arc<Mutex<Vec<Request>>>;

/// AWS, as a function of what it is asked.
pub(crate) struct Cloud<F> {
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
pub(crate) async fn bench(
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
pub(crate) async fn everybody(arn: &'static str, user_id: &'static str) -> (Bench<Aws>, Asked) {
    bench(move |_, _| (200, identity(arn, user_id))).await
}

pub(crate) fn identity(arn: &str, user_id: &str) -> String {
    let account = arn.split(':').nth(4).unwrap();
    let inner = format!("<Arn>{arn}</Arn><UserId>{user_id}</UserId><Account>{account}</Account>");
    answer(
        "GetCallerIdentity",
        "https://sts.amazonaws.com/doc/2011-06-15/",
        &inner,
    )
}

pub(crate) fn answer(action: &str, namespace: &str, inner: &str) -> String {
    format!(
        "<{action}Response xmlns=\"{namespace}\"><{action}Result>{inner}</{action}Result></{action}Response>"
    )
}

pub(crate) fn iam_role(arn: &str, id: &str) -> String {
    let role = format!("<Role><RoleId>{id}</RoleId><Arn>{arn}</Arn></Role>");
    answer(
        "GetRole",
        "https://iam.amazonaws.com/doc/2010-05-08/",
        &role,
    )
}

pub(crate) fn encoded(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}

pub(crate) fn header(request: &Request, name: &str) -> Option<String> {
    let mut found = request.headers.iter().filter(|(field, _)| field == name);
    let value = found.next().map(|(_, value)| value.to_string());
    assert!(found.next().is_none(), "{name} twice");
    value
}

/// What a client brings who signs for this host and region, with more header fields.
pub(crate) fn signed(host: &str, region: &str, more: &[(&str, &str)]) -> Value {
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

pub(crate) fn usual() -> Value {
    signed("sts.amazonaws.com", "us-east-1", &[])
}

pub(crate) async fn login(
    bench: &Bench<Aws>,
    role: &str,
    mut brought: Value,
) -> Result<Box<Login>, Fault> {
    brought["role"] = json!(role);
    Ok(bench.write("login", brought).await?.reply.login.unwrap())
}

pub(crate) async fn configure(bench: &Bench<Aws>, wish: Value) {
    bench.write("config/client", wish).await.unwrap();
}

pub(crate) async fn role(bench: &Bench<Aws>, name: &str, wish: Value) {
    bench.write(&format!("role/{name}"), wish).await.unwrap();
}

pub(crate) fn by_name(arn: &str) -> Value {
    json!({ "bound_iam_principal_arn": arn, "resolve_aws_unique_ids": false })
}

pub(crate) fn text(fault: Fault) -> String {
    match fault {
        Fault::Invalid(text) => text,
        other => panic!("{other:?}"),
    }
}

/// An IAM that has one role of the name, and an STS that knows its session.
pub(crate) async fn with_role(arn: &'static str, id: &'static str) -> (Bench<Aws>, Asked) {
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
