//! Answers in the protocol's form.

use bytes::Bytes;
use coffer_crypto::Zeroizing;
use coffer_engine::{Body, Fault};
use coffer_kernel::{Refusal, Response};
use coffer_wire::{Wiped, parse_object};
use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::{Map, Value};

use super::super::outgoing::Outgoing;
use super::super::response::Answer;
use super::exception::refused;
use super::members::members;
use super::name::{ACCOUNT, alias_arn, key_arn};
use super::operation::{Operation, Shape};

/// The media type of requests and answers.
pub(super) const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/x-amz-json-1.1");
/// Names the request in the server's log and audit.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
/// Fields at the top of an answer that name a key; clients expect ARNs there.
const KEYS: [&str; 2] = ["key_id", "source_key_id"];

/// What the kernel answered, as an answer.
pub(in crate::http) fn answered(
    signed: &'static Operation,
    answer: Result<Response, Refusal>,
) -> Answer {
    let mut response = match answer {
        Ok(response) => response,
        Err(refusal) => return refused(refusal),
    };
    let id = response.request_id.clone();
    match body(signed.shape, std::mem::take(&mut response.body)) {
        Ok(body) => Answer {
            media_type: Some(MEDIA_TYPE),
            more: request_id(&id),
            body: Outgoing::Whole(body),
            ..Answer::empty(StatusCode::OK)
        },
        Err(fault) => refused(Refusal::new(id, fault)),
    }
}

/// The field that names the request.
pub(super) fn request_id(id: &str) -> Vec<(HeaderName, HeaderValue)> {
    let value = HeaderValue::from_str(id).ok();
    value.map(|value| (REQUEST_ID, value)).into_iter().collect()
}

fn body(shape: Shape, body: Body) -> Result<Bytes, Fault> {
    if shape == Shape::Nothing {
        return Ok(Bytes::new());
    }
    let mut fields = match body {
        Body::Empty => Wiped::default(),
        Body::Json(text) | Body::JsonAlsoAtTop(text) | Body::JsonBare(text) => {
            parse_object(&text).map_err(Fault::internal)?
        }
        Body::Raw { .. } | Body::Stream(_) => {
            return Err(Fault::internal("an answer of the kms engine is no JSON"));
        }
    };
    let told = Wiped(shaped(shape, fields.take()));
    let mut text = Zeroizing::new(Vec::new());
    serde_json::to_writer(&mut *text, &told.0).map_err(Fault::internal)?;
    Ok(Bytes::from_owner(text))
}

fn shaped(shape: Shape, mut fields: Map<String, Value>) -> Map<String, Value> {
    match shape {
        Shape::Nothing => Map::new(),
        Shape::Members => {
            for name in KEYS {
                if let Some(Value::String(key)) = fields.get_mut(name)
                    && !key.starts_with("arn:")
                {
                    *key = key_arn(key);
                }
            }
            members(fields)
        }
        Shape::Metadata => {
            let id = text(&fields, "key_id");
            fields.insert("arn".to_owned(), key_arn(&id).into());
            fields.insert("aws_account_id".to_owned(), ACCOUNT.into());
            let metadata = Value::Object(members(fields));
            Map::from_iter([("KeyMetadata".to_owned(), metadata)])
        }
        Shape::KeyList => {
            fields.remove("key_info");
            listed(fields, "keys", "Keys", |id| {
                let id = id.as_str()?;
                Some(Map::from_iter([
                    ("KeyId".to_owned(), id.into()),
                    ("KeyArn".to_owned(), key_arn(id).into()),
                ]))
            })
        }
        Shape::AliasList => {
            fields.remove("keys");
            listed(fields, "aliases", "Aliases", |entry| {
                let Value::Object(mut entry) = entry else {
                    return None;
                };
                let arn = alias_arn(&text(&entry, "alias_name"));
                entry.insert("alias_arn".to_owned(), arn.into());
                Some(members(entry))
            })
        }
    }
}

/// A page: the entries of a field under the name that they have in the protocol, and where it goes on.
fn listed(
    mut fields: Map<String, Value>,
    of: &str,
    under: &str,
    one: impl Fn(Value) -> Option<Map<String, Value>>,
) -> Map<String, Value> {
    let entries = match fields.remove(of) {
        Some(Value::Array(entries)) => entries,
        _ => Vec::new(),
    };
    let told = entries.into_iter().filter_map(one).map(Value::Object);
    let all: Vec<Value> = told.collect();
    let mut page = members(fields);
    page.entry("Truncated").or_insert(Value::Bool(false));
    page.insert(under.to_owned(), Value::Array(all));
    page
}

fn text(fields: &Map<String, Value>, name: &str) -> String {
    let text = fields.get(name).and_then(Value::as_str);
    text.unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(shape: Shape, fields: &Value) -> Value {
        let text = Zeroizing::new(fields.to_string().into_bytes());
        serde_json::from_slice(&body(shape, Body::Json(text)).unwrap()).unwrap()
    }

    #[test]
    fn answers_have_their_shape() {
        assert!(body(Shape::Nothing, Body::Empty).unwrap().is_empty());
        assert_eq!(
            told(
                Shape::Members,
                &json!({ "key_id": "a-b", "ciphertext_blob": "AA==", "source_key_id": "c" })
            ),
            json!({
                "KeyId": "arn:aws:kms:us-east-1:000000000000:key/a-b", "CiphertextBlob": "AA==",
                "SourceKeyId": "arn:aws:kms:us-east-1:000000000000:key/c",
            })
        );
        assert_eq!(
            told(Shape::Metadata, &json!({ "key_id": "a", "enabled": true })),
            json!({ "KeyMetadata": {
                "KeyId": "a", "Arn": "arn:aws:kms:us-east-1:000000000000:key/a", "AWSAccountId": "000000000000", "Enabled": true,
            }})
        );
        assert_eq!(
            told(
                Shape::KeyList,
                &json!({ "keys": ["a"], "key_info": { "a": {} }, "truncated": true, "next_marker": "a" })
            ),
            json!({
                "Keys": [{ "KeyId": "a", "KeyArn": "arn:aws:kms:us-east-1:000000000000:key/a" }],
                "Truncated": true, "NextMarker": "a",
            })
        );
        assert_eq!(
            told(
                Shape::AliasList,
                &json!({ "keys": ["t:a"], "aliases": [{ "alias_name": "alias/t/a", "target_key_id": "k" }] })
            ),
            json!({
                "Aliases": [{
                    "AliasName": "alias/t/a", "AliasArn": "arn:aws:kms:us-east-1:000000000000:alias/t/a", "TargetKeyId": "k",
                }],
                "Truncated": false,
            })
        );
    }
}
