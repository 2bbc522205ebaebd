//! What a line must not show, and what its options make it show.

use coffer_crypto::Zeroizing;
use coffer_engine::{Body, Fault};
use coffer_wire::Auth;
use serde_json::{Value, json};

use super::lines::{KV2, World, body, format, hash, line_of, object};
use crate::audit::entry::{MountFacts, RequestFacts, ResponseFacts};
use crate::audit::line::Format;

#[test]
fn nothing_secret_is_readable_without_log_raw() {
    let world = World::new();
    let data = object(r#"{"data":{"pin":4711,"on":true,"pw":"s3cret"},"note":"hello"}"#);
    let plain = ["note".to_owned(), "data".to_owned()];
    let facts = RequestFacts {
        operation: "create",
        path: "kv2/data/a",
        mount: Some(MountFacts {
            plain_request_keys: &plain,
            ..KV2
        }),
        data: Some(&data),
        ..world.root("id-1", 1)
    };
    let auth = Auth {
        client_token: "s.token2".into(),
        accessor: "accessor2".into(),
        token_type: "service".into(),
        ..Auth::default()
    };
    let found = body(r#"{"pw":"s3cret","n":4711}"#);
    let answer = ResponseFacts {
        body: Some(&found),
        auth: Some(&auth),
        ..ResponseFacts::default()
    };
    let text = line_of(&format(false), &facts, Some(&answer));
    for secret in [
        "s.token",
        "accessor1",
        "accessor2",
        "s3cret",
        "4711",
        ":true,\"pw",
    ] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    let line: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(line["auth"]["client_token"], hash("s.token1"));
    assert_eq!(line["request"]["client_token"], hash("s.token1"));
    assert_eq!(line["request"]["client_token_accessor"], hash("accessor1"));
    let expected = json!({"data": {"pin": hash("4711"), "on": hash("true"), "pw": hash("s3cret")}, "note": "hello"});
    assert_eq!(line["request"]["data"], expected);
    assert_eq!(line["response"]["auth"]["accessor"], hash("accessor2"));
    assert_eq!(line["response"]["data"]["n"], hash("4711"));
}

#[test]
fn readable_accessors_prefix_and_elided_lists() {
    let world = World::new();
    let careless = Format {
        hmac_accessor: false,
        elide_list_responses: true,
        prefix: "@cee: ".into(),
        ..format(false)
    };
    let list = RequestFacts {
        operation: "list",
        path: "kv2/metadata/",
        ..world.root("id-1", 1)
    };
    let found = body(r#"{"keys":["a","b"],"key_info":{"a":{},"b":{}}}"#);
    let answer = ResponseFacts {
        body: Some(&found),
        ..ResponseFacts::default()
    };
    let text = line_of(&careless, &list, Some(&answer));
    let line: Value = serde_json::from_str(text.strip_prefix("@cee: ").unwrap()).unwrap();
    assert_eq!(line["auth"]["accessor"], "accessor1");
    assert_eq!(line["auth"]["client_token"], hash("s.token1"));
    assert_eq!(line["response"]["data"], json!({"keys": 2, "key_info": 2}));
    let read = RequestFacts {
        operation: "read",
        ..list
    };
    let text = line_of(&careless, &read, Some(&answer));
    assert!(text.contains(&hash("a")), "only lists are elided");
}

#[test]
fn bodies_that_are_no_objects() {
    let raw = Body::Raw {
        media_type: "application/pkix-cert".into(),
        bytes: Zeroizing::new(vec![0xff, 0]),
    };
    let deep = body(&"[".repeat(100_000));
    let list = Body::JsonBare(Zeroizing::new(b"[1]".to_vec()));
    let shown = |body: &Body| {
        let answer = ResponseFacts {
            body: Some(body),
            status: 200,
            ..ResponseFacts::default()
        };
        let text = line_of(&format(false), &RequestFacts::default(), Some(&answer));
        serde_json::from_str::<Value>(&text).unwrap()["response"]["data"].take()
    };
    let expected = json!({"http_content_type": hash("application/pkix-cert"), "http_raw_body": hash("/wA="), "http_status_code": hash("200")});
    assert_eq!(shown(&raw), expected);
    assert_eq!(shown(&deep), json!({"value": hash(&"[".repeat(100_000))}));
    assert_eq!(shown(&list), json!({"value": [hash("1")]}));
}

#[test]
fn the_text_of_a_fault_is_hashed_and_its_class_readable() {
    let fault = Fault::invalid("the password \"hunter2\" is too short");
    let answer = ResponseFacts {
        fault: Some(&fault),
        ..ResponseFacts::default()
    };
    let text = line_of(&format(false), &RequestFacts::default(), Some(&answer));
    assert!(!text.contains("hunter2"), "{text}");
    let line: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(line["error"], "invalid request");
    assert_eq!(line["response"]["data"]["error"], hash(&fault.to_string()));
    let absent = ResponseFacts {
        fault: Some(&Fault::NotFound),
        ..ResponseFacts::default()
    };
    let text = line_of(&format(false), &RequestFacts::default(), Some(&absent));
    assert!(!text.contains("error") && !text.contains("data"), "{text}");
}
