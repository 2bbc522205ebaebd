//! What scripts can say.

use serde_json::json;

use super::convert::Kind;
use super::parse::Script;

#[test]
fn values_become_what_they_mean_or_nothing() {
    assert_eq!(Kind::Whole.of(json!("5")), Some(json!(5)));
    assert_eq!(Kind::Whole.of(json!("five")), None);
    assert_eq!(Kind::Text.of(json!(true)), Some(json!("true")));
    assert_eq!(Kind::Text.of(json!({})), None);
    assert_eq!(Kind::Text.of(json!(null)), Some(json!("")));
    assert_eq!(Kind::Texts.of(json!("a,b")), Some(json!(["a,b"])));
    assert_eq!(Kind::Fraction.of(json!("1.5")), Some(json!(1.5)));
    assert_eq!(Kind::Fraction.of(json!("NaN")), None);
    assert_eq!(Kind::Flag.of(json!("T")), Some(json!(true)));
    assert_eq!(Kind::Fields.of(json!("x")), None);
    assert_eq!(Kind::Any.of(json!(null)), Some(json!(null)));
}

#[test]
fn json_says_the_same_as_hcl() {
    let hcl =
        r#"flow "a" { request "b" { operation = "read" path = "x" data = { n = 1 l = ["y"] } } }"#;
    let json = r#"{"flow":[{"a":{"request":[{"b":{"operation":"read","path":"x","data":{"n":1,"l":["y"]}}}]}}]}"#;
    let (hcl, json) = (
        Script::workflow(hcl).unwrap(),
        Script::workflow(json).unwrap(),
    );
    assert_eq!(hcl.requests(), 1);
    assert_eq!(hcl.blocks[0].steps[0].data, json.blocks[0].steps[0].data);
    assert_eq!(hcl.blocks[0].steps[0].path, json.blocks[0].steps[0].path);
}

#[test]
fn errors_name_the_line_and_no_value() {
    let text = "flow \"a\" {\n request \"b\" {\n  operation = \"read\"\n  path = \"x\"\n  tokn = \"s.secret\"\n }\n}";
    let error = Script::workflow(text).unwrap_err().to_string();
    assert!(error.starts_with("line 5, column 3: "), "{error}");
    assert!(
        error.contains("tokn") && error.contains("`token`"),
        "{error}"
    );
    assert!(!error.contains("s.secret"), "{error}");
}

#[test]
fn debug_shows_no_value() {
    let text = r#"flow "a" { request "b" { operation = "read" path = "hidden" data = { n = ["hidden"] } } }"#;
    let shown = format!("{:?}", Script::workflow(text).unwrap());
    assert!(
        !shown.contains("hidden") && shown.contains("<value>"),
        "{shown}"
    );
}
