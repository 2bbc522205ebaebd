//! Any bytes: an answer, never a panic; what is accepted survives formatting unchanged.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic
)]

use coffer_hcl::{Body, Value, format, is_json, parse};
use proptest::prelude::*;

const DOCUMENT: &str = r#"# lead
ui = true // trail
listener "tcp" { address = "127.0.0.1:8200", tls_disable = 1 /* x */ n = -0x1F }
storage "file" {
  path = "/a${b "c"}\n"
  list = [1.5, [ "x", # c
    {a = 1}, <<EOF
 heredoc
EOF
  ], ]
}
"#;

/// The document without its positions, which formatting changes.
fn shape(body: &Body) -> String {
    fn value_shape(value: &Value) -> String {
        match value {
            Value::List(values) => {
                format!("{:?}", values.iter().map(value_shape).collect::<Vec<_>>())
            }
            Value::Object(body) => shape(body),
            scalar => format!("{}:{:?}", scalar.kind(), scalar.as_text()),
        }
    }
    let items = body.items.iter().map(|item| {
        format!(
            "{:?} {:?} {}",
            item.key,
            item.labels,
            value_shape(&item.value)
        )
    });
    format!("{{{}}}", items.collect::<Vec<_>>().join(";"))
}

fn check(text: &str) {
    let parsed = parse(text);
    if is_json(text) {
        return;
    }
    match (parsed, format(text)) {
        (Ok(body), Ok(once)) => {
            let again =
                parse(&once).unwrap_or_else(|error| panic!("{text:?} became {once:?}: {error}"));
            assert_eq!(shape(&body), shape(&again), "{text:?} became {once:?}");
            assert_eq!(format(&once).unwrap(), once, "not stable: {text:?}");
            let comments = |text: &str| text.matches("COMMENT").count();
            assert_eq!(comments(text), comments(&once), "{text:?} became {once:?}");
        }
        (Err(_), Err(_)) => {}
        (parsed, formatted) => panic!("{text:?}: {parsed:?} but {formatted:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn random_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        check(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn random_tokens(tokens in proptest::collection::vec(prop::sample::select(vec![
        "a", "b", "\"s\"", "\"${x}\"", "1", "-0x2", "true", "{", "}", "[", "]", ",", "=", "=", "\n", "\n", " ", "{", "}",
        "# COMMENT\n", "/* COMMENT */", "/* COMMENT\n */", "<<E\nx\nE\n", "<<-E\n  x\n  E\n", "a = 1\n", "b {\n}\n",
        "\r\n", "// COMMENT\r\n", "a = [1, 2]", "é = \"é\"",
    ]), 0..24)) {
        check(&tokens.join(" "));
        check(&tokens.concat());
    }

    #[test]
    fn mutated_documents(edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3_u8), 0..6)) {
        let mut bytes = DOCUMENT.as_bytes().to_vec();
        for (index, byte, kind) in edits {
            let at = index.index(bytes.len());
            match kind {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ => { bytes.remove(at); }
            }
        }
        check(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn mutated_json(edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4)) {
        let mut bytes = br#"{"listener": [{"tcp": {"address": "a\u0041", "n": [1, -2.5e3, null, true]}}], "x": {}}"#.to_vec();
        for (index, byte) in edits {
            let at = index.index(bytes.len());
            bytes[at] = byte;
        }
        check(&String::from_utf8_lossy(&bytes));
    }
}
