//! What the method `aws` wants: a request for GetCallerIdentity, signed by a key of AWS. The key itself stays here.

use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use coffer_crypto::Secret;
use coffer_crypto::sigv4::{Credentials, Request, Scope};
use coffer_wire::Timestamp;
use serde_json::{Map, Value, json};

use crate::failure::Failure;

const BODY: &str = "Action=GetCallerIdentity&Version=2011-06-15";
const FORM: &str = "application/x-www-form-urlencoded; charset=utf-8";

/// The fields of a key, which never leave this machine.
const KEYS: [&str; 3] = [
    "aws_access_key_id",
    "aws_secret_access_key",
    "aws_security_token",
];

/// Puts a signed request in the place of what says how to sign it.
pub(super) fn sign(fields: &mut Map<String, Value>) -> Result<(), Failure> {
    if fields.contains_key("iam_request_headers") {
        // Signed already; keys that are named besides are not for the server.
        KEYS.into_iter().for_each(|name| drop(fields.remove(name)));
        return Ok(());
    }
    let credentials = credentials(fields)?;
    let region = taken(fields, "region")?;
    let server = taken(fields, "header_value")?;
    let host = host(region.as_deref())?;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let now = Timestamp::from_secs(now.unwrap_or_default().as_secs());
    let time = now.to_string().replace(['-', ':'], "");
    let mut headers = vec![("Content-Type", FORM)];
    if let Some(server) = &server {
        headers.push(("X-Vault-AWS-IAM-Server-ID", server));
    }
    let request = Request {
        method: "POST",
        host: &host,
        headers: &headers,
        body: BODY.as_bytes(),
    };
    let scope = Scope {
        time: &time,
        region: region.as_deref().unwrap_or("us-east-1"),
        service: "sts",
    };
    let mut all = Map::from_iter([("Host".to_owned(), json!(host))]);
    let given = headers.iter();
    all.extend(given.map(|(name, value)| ((*name).to_owned(), json!(value))));
    let added = credentials.sign(&request, scope).into_iter();
    all.extend(added.map(|(name, value)| (name, json!(value))));
    for (name, text) in [
        ("iam_request_url", format!("https://{host}/")),
        ("iam_request_body", BODY.to_owned()),
        ("iam_request_headers", Value::Object(all).to_string()),
    ] {
        fields.insert(name.to_owned(), STANDARD.encode(text).into());
    }
    fields.insert("iam_http_request_method".to_owned(), "POST".into());
    Ok(())
}

/// The key that is given, else that of the environment.
fn credentials(fields: &mut Map<String, Value>) -> Result<Credentials, Failure> {
    let access_key = taken(fields, "aws_access_key_id")?;
    let secret_key = taken(fields, "aws_secret_access_key")?;
    let token = taken(fields, "aws_security_token")?;
    let (access_key, secret_key, token) = match (access_key, secret_key) {
        (None, None) => (
            variable("AWS_ACCESS_KEY_ID"),
            variable("AWS_SECRET_ACCESS_KEY"),
            token.or_else(|| variable("AWS_SESSION_TOKEN")),
        ),
        (access_key, secret_key) => (access_key, secret_key, token),
    };
    match (access_key, secret_key) {
        (Some(access_key), Some(secret_key)) => Ok(Credentials {
            access_key,
            secret_key: Secret::new(secret_key),
            session_token: token.map(Secret::new),
        }),
        _ => Err(Failure::local(
            "there is no key of AWS to sign with; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN for keys that end), or give aws_access_key_id=ID aws_secret_access_key=@FILE",
        )),
    }
}

/// Where STS is in a region.
fn host(region: Option<&str>) -> Result<String, Failure> {
    let Some(region) = region else {
        return Ok("sts.amazonaws.com".to_owned());
    };
    let sign = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if region.is_empty() || !region.chars().all(sign) {
        return Err(Failure::local("the region is to be like region=eu-west-1"));
    }
    let domain = match region.starts_with("cn-") {
        true => "amazonaws.com.cn",
        false => "amazonaws.com",
    };
    Ok(format!("sts.{region}.{domain}"))
}

fn taken(fields: &mut Map<String, Value>, name: &str) -> Result<Option<String>, Failure> {
    match fields.remove(name) {
        None => Ok(None),
        Some(Value::String(text)) => {
            Ok(Some(text.trim().to_owned()).filter(|text| !text.is_empty()))
        }
        Some(_) => Err(Failure::local(format!("{name} is to be a text"))),
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
