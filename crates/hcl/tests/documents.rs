//! What is read, what is refused, and where. The cases were checked against OpenBao 2.7.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic
)]

use coffer_hcl::{Body, MAX_DEPTH_LEVELS, MAX_INPUT_BYTES, Position, Value, nearest, parse};

fn value(text: &str) -> Value {
    parse(&format!("x = {text}")).unwrap().items.remove(0).value
}

fn text(text: &str) -> Value {
    Value::String(text.to_owned())
}

/// The capabilities of each path.
fn paths(document: &str) -> Vec<(String, Vec<String>)> {
    let mut body = parse(document).unwrap_or_else(|error| panic!("{document}: {error}"));
    let blocks = body.take_blocks("path", 1).unwrap();
    assert!(body.items.is_empty(), "{document}");
    let read = |mut body: Body| {
        body.take_strings("capabilities")
            .unwrap()
            .unwrap_or_default()
    };
    blocks
        .into_iter()
        .map(|block| (block.labels[0].to_string(), read(block.body)))
        .collect()
}

#[test]
fn one_policy_in_many_spellings() {
    let expected = vec![("a".to_owned(), vec!["read".to_owned(), "list".to_owned()])];
    for document in [
        r#"path "a" { capabilities = ["read", "list"] }"#,
        r#"path "a" { capabilities = ["read", "list",], }"#,
        r#"path "a" { capabilities = [,"read",, "list"] }"#,
        r#"path a { "capabilities" = ["read", "list"] }"#,
        r#""path" "a" { capabilities = ["read"] capabilities = ["list"] }"#,
        "path \"a\"\n{\ncapabilities\n=\n[ # c\n\"read\" // d\n, /* e */ \"list\"\n] } # end",
        "path \"a\" {\r\n  capabilities = [\"read\", \"list\"]\r\n}\r\n",
        "\u{feff}path \"a\" { capabilities = [\"read\", \"list\"] }",
        r#"path /* x */ "a" { capabilities = /* y */ ["read", "list"] }"#,
        r#"path = { "a" = { capabilities = ["read", "list"] } }"#,
        r#"path = [{ "a" = { capabilities = ["read", "list"] } }]"#,
        r#"{"path": {"a": {"capabilities": ["read", "list"]}}}"#,
        " \n\t{\"path\": [{\"a\": {\"capabilities\": [\"read\", \"list\"], \"policy\": null}}]}",
    ] {
        assert_eq!(paths(document), expected, "{document}");
    }
}

#[test]
fn two_blocks_and_two_attributes_on_one_line() {
    let read = paths(
        r#"path "a" { capabilities = ["read"] } path "{{identity.entity.id}}/*" { capabilities = [] }"#,
    );
    assert_eq!(
        read.iter()
            .map(|(path, _)| path.as_str())
            .collect::<Vec<_>>(),
        ["a", "{{identity.entity.id}}/*"]
    );

    let mut body =
        parse(r#"listener "tcp" { address = "127.0.0.1:1" tls_disable = "true" }"#).unwrap();
    let mut listener = body.take_blocks("listener", 1).unwrap().remove(0);
    assert_eq!(
        listener.body.take_str("address").unwrap().unwrap(),
        "127.0.0.1:1"
    );
    assert_eq!(listener.body.take_bool("TLS_disable").unwrap(), Some(true));

    let Value::Object(parameters) = value(r#"{ "bar" = ["zip"]  "*" = [] }"#) else {
        panic!("not an object")
    };
    assert_eq!(
        parameters
            .items
            .iter()
            .map(|item| item.key.as_str())
            .collect::<Vec<_>>(),
        ["bar", "*"]
    );
}

#[test]
fn scalars() {
    for number in ["0", "-1", "1.50", "-1.5e3", "0x1F", "0660", ".5", "1e-3"] {
        assert_eq!(value(number), Value::Number(number.to_owned()));
    }
    assert_eq!(value("0x1F").as_i64(), Some(31));
    assert_eq!(value("0660").as_i64(), Some(0o660));
    assert_eq!(value("-9223372036854775808").as_i64(), Some(i64::MIN));
    assert_eq!(value("9223372036854775808").as_i64(), None);
    assert_eq!(value("\"12\"").as_i64(), Some(12));
    assert_eq!(value("1.5").as_i64(), None);
    assert_eq!(value("true"), Value::Bool(true));
    assert_eq!(value("1").as_bool(), Some(true));
    assert_eq!(value("\"off\"").as_bool(), None);
    assert_eq!(
        (
            value("2").as_bool(),
            value("\"\"").as_bool(),
            value("1.5").as_bool()
        ),
        (Some(true), Some(false), None)
    );
    assert_eq!(value(r#""a\n\"é\u00e9\"""#), text("a\n\"éé\""));
    assert_eq!(value(r#""${a "q" {b} \n}c""#), text(r#"${a "q" {b} \n}c"#));
    assert_eq!(value("\"${a\nb}\""), text("${a\nb}"));
    assert_eq!(value("<<EOF\n a \"\n\nEOF"), text(" a \"\n\n"));
    assert_eq!(
        value("<<-EOF\r\n    a\r\n  b\r\n  EOF\r\n"),
        text("  a\r\nb\r\n")
    );
    assert_eq!(value("[[1], {a = 2}]"), {
        let inner = parse("           a = 2").unwrap();
        Value::List(vec![
            Value::List(vec![Value::Number("1".into())]),
            Value::Object(inner),
        ])
    });
}

#[test]
fn refusals_name_the_place_and_what_to_do() {
    let nested = format!("x = {}", "[".repeat(MAX_DEPTH_LEVELS + 1));
    for (document, line, column, part) in [
        ("path \"a\" = { }", 1, 10, "`{` after a block's labels"),
        ("5 = 3", 1, 1, "name of an attribute"),
        ("true = 3", 1, 1, "name of an attribute"),
        ("x = [1 2]", 1, 8, "`,` or `]`"),
        ("x = secret", 1, 5, "double quotes"),
        ("x = }", 1, 5, "found `}`"),
        ("a {\n  b = 1\n", 3, 1, "opened at line 1, column 3"),
        ("x = [1,", 1, 8, "opened at line 1, column 5"),
        ("a { } }", 1, 7, "no block is open"),
        ("path", 1, 5, "`=` or `{`"),
        ("a { x y }", 1, 9, "`=` or `{`"),
        ("x = \"é\\q\"", 1, 7, "unknown escape"),
        ("x = \"a\nb\"", 1, 5, "without an end"),
        ("x = \"${a\"", 1, 5, "close the interpolation"),
        ("x = <<EOF\nfoo EOF\n", 1, 5, "heredoc without an end"),
        ("x = << EOF\nEOF\n", 1, 5, "marker"),
        ("/* foo", 1, 1, "without an end"),
        ("/ foo", 1, 1, "lone `/`"),
        ("a = 1;b = 2", 1, 6, "no meaning"),
        ("x = 08", 1, 5, "number"),
        ("x = 1h", 1, 5, "double quotes"),
        ("x = - 1", 1, 5, "number"),
        ("x = 1e", 1, 5, "number"),
        ("x = 1.5e+", 1, 5, "number"),
        ("x = .", 1, 5, "number"),
        ("x = 0x", 1, 5, "number"),
        ("x = 0xg", 1, 5, "number"),
        ("x = --1", 1, 5, "number"),
        ("\0", 1, 1, "no meaning"),
        (nested.as_str(), 1, 69, "at most 64 levels"),
        ("{\"a\": 1,\n \"b\": }", 2, 7, "JSON"),
        ("{\"a\": 1} x", 1, 10, "JSON"),
        ("{\"a\": ", 1, 6, "ends too early"),
    ] {
        let error = parse(document).unwrap_err();
        assert_eq!(
            error.position,
            Position { line, column },
            "{document}: {error}"
        );
        assert!(error.to_string().contains(part), "{document}: {error}");
        assert!(
            !error.to_string().contains("secret"),
            "a value leaks: {error}"
        );
    }
}

#[test]
fn deep_and_large_documents_are_refused_not_crashed_on() {
    for opening in ["[", "{\"a\":", "{a="] {
        let depth = MAX_INPUT_BYTES / opening.len() - 10;
        assert!(parse(&format!("x = {}", opening.repeat(depth))).is_err());
        assert!(parse(&format!("{{\"x\": {}", opening.repeat(depth))).is_err());
    }
    let deep = format!("{{\"x\": {}{}}}", "[".repeat(100), "]".repeat(100));
    assert!(parse(&deep).unwrap_err().to_string().contains("64 levels"));
    let large = "# ".repeat(MAX_INPUT_BYTES);
    assert!(
        parse(&large)
            .unwrap_err()
            .to_string()
            .contains("at most 1048576 bytes")
    );
}

#[test]
fn many_items_are_read_in_linear_time() {
    let json: String = (0..50_000).map(|n| format!("\"k{n}\":[{n}],")).collect();
    let body = parse(&format!("{{{}\"end\":1}}", json)).unwrap();
    assert_eq!(body.items.len(), 50_001);
    let hcl: String = (0..50_000).map(|n| format!("k{n} = [{n}] ")).collect();
    assert_eq!(parse(&hcl).unwrap().items.len(), 50_000);
}

#[test]
fn positions_are_those_of_the_keys() {
    let hcl = parse("a = 1\n  é { bé = 2, c = 3 }").unwrap();
    assert_eq!(hcl.items[1].position, Position { line: 2, column: 3 });
    let Value::Object(inner) = &hcl.items[1].value else {
        panic!("not a block")
    };
    assert_eq!(
        inner.items[1].position,
        Position {
            line: 2,
            column: 15
        }
    );

    let json = parse("{\"a\": 1,\n  \"b \\\" q\" : {\"é\": 1, \"c\" :\n[]}}").unwrap();
    assert_eq!(json.items[1].position, Position { line: 2, column: 3 });
    let Value::Object(inner) = &json.items[1].value else {
        panic!("not an object")
    };
    assert_eq!(
        inner.items[0].position,
        Position {
            line: 2,
            column: 15
        }
    );
    assert_eq!(
        inner.items[1].position,
        Position {
            line: 2,
            column: 23
        }
    );
}

#[test]
fn blocks_are_found_however_they_are_written() {
    for document in [
        "listener \"tcp\" { a = 1 }\nlistener \"unix\" { a = 2 }",
        "listener { tcp { a = 1 } unix = { a = 2 } }",
        "listener = [ { tcp = { a = 1 } }, { unix = { a = 2 } } ]",
        r#"{"listener": {"tcp": {"a": 1}, "unix": [{"a": 2}]}}"#,
        r#"{"listener": [{"tcp": {"a": 1}}, {"unix": {"a": 2}}]}"#,
        r#"{"listener": {"tcp": {"a": 1}}, "listener": {"unix": {"a": 2}}}"#,
    ] {
        let blocks = parse(document).unwrap().take_blocks("listener", 1).unwrap();
        let labels: Vec<&str> = blocks.iter().map(|block| &*block.labels[0]).collect();
        assert_eq!(labels, ["tcp", "unix"], "{document}");
    }
    let mut body =
        parse("audit \"file\" \"x\" { }\naudit { \"file\" \"y\" { } }\ntelemetry { }").unwrap();
    assert_eq!(body.take_blocks("audit", 2).unwrap().len(), 2);
    assert_eq!(body.take_blocks("telemetry", 0).unwrap().len(), 1);
    assert_eq!(body.take_blocks("absent", 0).unwrap(), []);
}

#[test]
fn wrong_types_are_named_and_values_never_shown() {
    let mut body =
        parse("a = [\"hunter2\"]\nb = \"hunter2\"\nc \"x\" \"y\" { }\nd = [[\"hunter2\"]]\n")
            .unwrap();
    let shown = format!("{body:?}");
    let errors = [
        body.take_str("a").unwrap_err(),
        body.take_bool("b").unwrap_err(),
        body.take_blocks("c", 1).unwrap_err(),
        body.take_strings("d").unwrap_err(),
    ];
    for (error, line) in errors.iter().zip(1..) {
        assert_eq!(error.position.line, line, "{error}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
    assert!(!shown.contains("hunter2"), "{shown}");
    assert_eq!(nearest("lisener", ["listener"]), Some("listener"));
}
