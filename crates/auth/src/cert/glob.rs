//! Patterns in which `*` stands for any text, dots and slashes included.

/// Whether the whole text is as the pattern says. Letters count as they are written.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    let (mut pattern_at, mut text_at) = (0, 0);
    // Where to go on when it does not fit: after the last star, with one more byte of the text behind that.
    let mut again: Option<(usize, usize)> = None;
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    while text_at < text.len() {
        match pattern.get(pattern_at) {
            Some(b'*') => {
                pattern_at += 1;
                again = Some((pattern_at, text_at));
            }
            Some(byte) if text.get(text_at) == Some(byte) => {
                pattern_at += 1;
                text_at += 1;
            }
            _ => {
                let Some((star, from)) = again else {
                    return false;
                };
                again = Some((star, from + 1));
                pattern_at = star;
                text_at = from + 1;
            }
        }
    }
    let rest = pattern.get(pattern_at..).unwrap_or_default();
    rest.iter().all(|byte| *byte == b'*')
}

/// Whether one of the patterns fits one of the texts.
pub(super) fn any<'a>(patterns: &[String], texts: impl IntoIterator<Item = &'a String>) -> bool {
    let fits = |text: &String| patterns.iter().any(|pattern| matches(pattern, text));
    texts.into_iter().any(fits)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::matches;

    #[test]
    fn stars() {
        for (pattern, text) in [
            ("*", ""),
            ("*", "a.b/c"),
            ("a", "a"),
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
            ("", "a"),
            ("a", ""),
            ("A", "a"),
            ("a?c", "abc"),
            ("*.example.com", "example.com"),
            ("*.example.com", "a.example.com.evil"),
            ("[a]", "a"),
            ("a*b", "a"),
        ] {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }

    /// The same by taking the pattern apart, in time that nobody should spend.
    fn slowly(pattern: &[u8], text: &[u8]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some((b'*', rest)) => (0..=text.len()).any(|at| slowly(rest, &text[at..])),
            Some((byte, rest)) => text.first() == Some(byte) && slowly(rest, &text[1..]),
        }
    }

    proptest! {
        #[test]
        fn as_the_simple_way(pattern in "[ab*]{0,6}", text in "[ab]{0,8}") {
            prop_assert_eq!(matches(&pattern, &text), slowly(pattern.as_bytes(), text.as_bytes()));
        }
    }
}
