//! Patterns with `*`, for kinds of events and for namespaces.

/// The longest pattern, in bytes.
pub(crate) const PATTERN_BYTES_MAX: usize = 256;

/// A text in which each `*` stands for any text, slashes and nothing included. Everything else stands for itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern(String);

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// What is wrong with it, in words that follow its name.
    pub fn read(text: &str) -> Result<Self, &'static str> {
        if text.is_empty() {
            return Err("is empty; write `*` for all");
        }
        if text.len() > PATTERN_BYTES_MAX {
            return Err("is longer than 256 bytes; shorten it with `*`");
        }
        if text.chars().any(char::is_control) {
            return Err("holds control characters");
        }
        Ok(Self(text.to_owned()))
    }

    /// Whether a text is one of those that are meant.
    pub fn matches(&self, text: &str) -> bool {
        matches(&self.0, text)
    }
}

/// Whether `pattern`, in which `*` stands for any text, means `text`. Where both are long this takes as long as their lengths
/// multiplied, which is why patterns are short.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let mut pieces = pattern.split('*');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let Some(last) = pieces.next_back() else {
        return rest.is_empty(); // No `*` at all.
    };
    for piece in pieces {
        let Some(at) = rest.find(piece) else {
            return false;
        };
        rest = rest.get(at + piece.len()..).unwrap_or_default();
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn stars_stand_for_any_text() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("*", "kv-v2/data-write", true),
            ("kv*", "kv-v2/data-write", true),
            ("kv*", "database/rotate", false),
            ("kv-v2/data-write", "kv-v2/data-write", true),
            ("kv-v2/data-write", "kv-v2/data-writes", false),
            ("kv-v2/data-*", "kv-v2/data-write", true),
            ("*/data-write", "kv-v2/data-write", true),
            ("*data*write", "kv-v2/data-write", true),
            ("*a*a*", "a", false),
            ("a*a", "a", false),
            ("**", "x", true),
            ("", "", true),
            ("", "x", false),
            ("ä*", "äö", true),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn what_can_not_be_a_pattern_is_refused() {
        assert!(Pattern::read("").is_err());
        assert!(Pattern::read(&"x".repeat(257)).is_err());
        assert!(Pattern::read("a\nb").is_err());
        assert!(Pattern::read(&"*".repeat(256)).unwrap().matches("anything"));
    }

    /// As slow as it is plain.
    fn plainly(pattern: &[char], text: &[char]) -> bool {
        match (pattern.split_first(), text.split_first()) {
            (None, rest) => rest.is_none(),
            (Some(('*', pattern_rest)), None) => plainly(pattern_rest, text),
            (Some(('*', pattern_rest)), Some((_, text_rest))) => {
                plainly(pattern_rest, text) || plainly(pattern, text_rest)
            }
            (Some((want, pattern_rest)), Some((have, text_rest))) => {
                want == have && plainly(pattern_rest, text_rest)
            }
            (Some(_), None) => false,
        }
    }

    proptest! {
        #[test]
        fn it_means_what_it_says(pattern in "[ab*]{0,7}", text in "[ab]{0,9}") {
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            prop_assert_eq!(matches(&pattern, &text), plainly(&chars(&pattern), &chars(&text)));
        }
    }
}
