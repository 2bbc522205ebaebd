//! Finding a claim.

use serde_json::{Map, Value};

/// The claim of that name, or, where the name begins with a slash, the value that the JSON pointer (RFC 6901) leads to.
/// Null is as good as missing.
pub(super) fn claim<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    match name.starts_with('/') {
        true => pointed(claims, name),
        false => plain(claims, name),
    }
}

/// The claim of exactly that name.
pub(super) fn plain<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    claims.get(name).filter(|value| !value.is_null())
}

fn pointed<'a>(claims: &'a Map<String, Value>, pointer: &str) -> Option<&'a Value> {
    let mut parts = pointer.strip_prefix('/')?.splitn(2, '/');
    let first = parts.next()?.replace("~1", "/").replace("~0", "~");
    let found = claims.get(&first)?;
    let found = match parts.next() {
        Some(rest) => found.pointer(&format!("/{rest}"))?,
        None => found,
    };
    Some(found).filter(|value| !value.is_null())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_and_pointers() {
        let claims = json!({
            "a": 1, "n": null, "/x": 2, "d": { "e": { "f": "deep" }, "": "empty" }, "l": ["p", { "q": "r" }],
            "s/l": { "t~e": "escaped" }, "a.b": "dotted", "": "nameless",
        });
        let claims = claims.as_object().unwrap();
        for (name, found) in [
            ("a", Some(json!(1))),
            ("n", None),
            ("/n", None),
            ("/x", None),
            ("/a", Some(json!(1))),
            ("/d/e/f", Some(json!("deep"))),
            ("d/e/f", None),
            ("/d/", Some(json!("empty"))),
            ("/l/1/q", Some(json!("r"))),
            ("/l/2", None),
            ("/l/-1", None),
            ("/l/01", None),
            ("/s~1l/t~0e", Some(json!("escaped"))),
            ("a.b", Some(json!("dotted"))),
            ("/", Some(json!("nameless"))),
            ("/a/b", None),
        ] {
            assert_eq!(claim(claims, name), found.as_ref(), "{name}");
        }
        assert_eq!(plain(claims, "/x"), Some(&json!(2)));
    }
}
