//! Patterns with `*`, which stands for any text, and nothing else that is special.

/// Whether the whole of `text` is as `pattern` says. The time is bounded by the product of their lengths.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(mut text) = text.strip_prefix(first) else {
        return false;
    };
    let (inner, last) = rest.rsplit_once('*').unwrap_or(("", rest));
    for part in inner.split('*') {
        let Some(at) = text.find(part) else {
            return false;
        };
        text = text.get(at + part.len()..).unwrap_or_default();
    }
    text.ends_with(last)
}

/// Whether one of the patterns fits one of the texts.
pub(crate) fn any<'a>(patterns: &[String], texts: impl IntoIterator<Item = &'a String>) -> bool {
    let fits = |text: &String| patterns.iter().any(|pattern| matches(pattern, text));
    texts.into_iter().any(fits)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::matches;

    #[test]
    fn stars_stand_for_any_text_and_nothing_else_is_special() {
        for (pattern, text) in [
            ("app", "app"),
            ("*", ""),
            ("*", "app"),
            ("a*", "app"),
            ("*pp", "app"),
            ("a*p", "app"),
            ("a*p", "ap"),
            ("*p*", "app"),
            ("a**p", "app"),
            ("a*p*p", "app"),
            ("[a]", "[a]"),
            ("*", "a.b/c"),
            ("", ""),
            ("a*", "a"),
            ("*.example.com", "x.y.example.com"),
            ("w*b*", "web.a.b.c"),
            ("spiffe://*/b", "spiffe://h/a/b"),
            ("**a", "aa"),
        ] {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("", "app"),
            ("app", "App"),
            ("a?p", "app"),
            ("[a]pp", "app"),
            ("a*a", "a"),
            ("a*p*p", "ap"),
            ("ab*ba", "aba"),
            ("*x*", "app"),
            ("a*", "ba"),
            ("app", "app\n"),
            ("a", ""),
            ("*.example.com", "example.com"),
            ("*.example.com", "a.example.com.evil"),
            ("a*b", "a"),
        ] {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }

    /// Tries every way to spend a star.
    fn slowly(pattern: &[u8], text: &[u8]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some((b'*', rest)) => (0..=text.len()).any(|at| slowly(rest, &text[at..])),
            Some((one, rest)) => text.first() == Some(one) && slowly(rest, &text[1..]),
        }
    }

    proptest! {
        #[test]
        fn as_every_way_to_spend_a_star_has_it(pattern in "[ab*]{0,8}", text in "[ab]{0,10}") {
            prop_assert_eq!(matches(&pattern, &text), slowly(pattern.as_bytes(), text.as_bytes()));
        }
    }
}
