//! What the operator sees first. Test suites wait for the words "server configuration" and "server started".

use std::fmt::Write;

/// The configuration, keys aligned and in order, followed by the notice that the server runs.
pub(crate) fn text(mut facts: Vec<(String, String)>) -> String {
    facts.sort();
    let width = facts
        .iter()
        .map(|(key, _)| key.len())
        .max()
        .unwrap_or_default()
        .max(18);
    let mut text = String::from("==> Coffer server configuration:\n\n");
    for (key, value) in &facts {
        // Writing to a string never fails.
        let _ = writeln!(text, "{key:>width$}: {value}");
    }
    text.push_str("\n==> Coffer server started! Log data will stream in below:\n\n");
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn keys_are_aligned() {
        let facts = vec![
            ("Version".to_owned(), "1".to_owned()),
            ("Api Address".to_owned(), "http://x".to_owned()),
        ];
        let text = super::text(facts);
        assert!(
            text.contains("       Api Address: http://x\n           Version: 1\n\n"),
            "{text}"
        );
        assert!(text.ends_with("==> Coffer server started! Log data will stream in below:\n\n"));
    }
}
