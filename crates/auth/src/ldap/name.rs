//! Names of people and groups: what a directory takes for the same name is one name here.

use std::fmt::Write as _;

use unicode_normalization::UnicodeNormalization;

/// Longest name, in bytes.
const BYTES_MAX: usize = 512;
/// In lower case it is the letter k, so that somebody else's name could become yours.
const KELVIN: char = '\u{212a}';

/// The one form of all spellings that directories compare as equal (RFC 4518): compatible characters, case, and blanks make no
/// difference, and signs that nobody sees are left out. Attempts are counted under it, so no spelling has a count of its own.
pub(super) fn folded(name: &str) -> String {
    let lower = name.nfkc().collect::<String>().to_lowercase();
    let seen: String = lower.nfkc().filter(|c| !is_invisible(*c)).collect();
    seen.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A name as a mount compares it, with its case where that counts. Not folded: two names that look alike may be those of two people.
pub(super) fn normal(name: &str, by_case: bool) -> String {
    match by_case {
        true => name.trim().to_owned(),
        false => name.trim().to_lowercase(),
    }
}

/// Whether a name has no other spelling but by case.
pub(super) fn is_plain(name: &str) -> bool {
    folded(name) == name.trim().to_lowercase()
}

/// Whether a name can be one: not empty, not too long, no control characters, and not the one sign that is another letter in lower case.
pub(super) fn is_possible(name: &str) -> bool {
    let is_odd = |c: char| c.is_control() || c == KELVIN;
    !name.chars().any(is_odd) && name.len() <= BYTES_MAX && !folded(name).is_empty()
}

/// A name as one segment of a storage path; different names have different keys.
pub(super) fn key(name: &str) -> String {
    let mut key = String::with_capacity(name.len());
    for c in name.chars() {
        match c {
            '%' | '/' | '.' => {
                let _ = write!(key, "%{:02x}", u32::from(c));
            }
            plain => key.push(plain),
        }
    }
    key
}

/// The name of a key.
pub(super) fn of_key(key: &str) -> String {
    key.replace("%2f", "/")
        .replace("%2e", ".")
        .replace("%25", "%")
}

/// Signs that RFC 4518 maps to nothing, and those that change nothing but the direction of text.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{34f}' | '\u{180b}'..='\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff9}'..='\u{fffc}' | '\u{e0000}'..='\u{e0fff}')
        || (c.is_control() && !c.is_whitespace())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn spellings_are_one_name() {
        let same = [
            "ann lee",
            "ANN LEE",
            " ann  lee ",
            "ann\u{a0}lee",
            "\u{ff41}nn lee",
            "an\u{ad}n lee",
            "ann\u{200b} lee",
        ];
        for spelling in same {
            assert_eq!(folded(spelling), "ann lee", "{spelling:?}");
        }
        assert_eq!(folded("\u{212a}im"), "kim");
        assert_eq!(folded("jo\u{308}rg"), folded("J\u{d6}RG"));
        assert_ne!(folded("ann"), folded("anne"));
    }

    #[test]
    fn names_that_look_alike_are_two() {
        assert_eq!(normal(" Ann ", false), "ann");
        assert_eq!(normal(" Ann ", true), "Ann");
        assert!(is_plain("Ann Lee ") && is_plain("J\u{f6}rg"));
        for other in ["\u{ff41}nn", "ann\u{200b}", "a\u{ad}nn"] {
            assert_ne!(normal(other, false), "ann", "{other:?}");
            assert!(!is_plain(other), "{other:?}");
        }
    }

    #[test]
    fn possible_names() {
        for name in ["ann", "Ann Lee", "ann@example.org", "a/b", "a*", "jörg"] {
            assert!(is_possible(name), "{name}");
        }
        for name in [
            "",
            " ",
            "\u{212a}im",
            "a\0",
            "a\nb",
            "\u{200b}",
            &"x".repeat(513),
        ] {
            assert!(!is_possible(name), "{name:?}");
        }
    }

    proptest! {
        #[test]
        fn folding_is_done_once(name in ".*") {
            prop_assert_eq!(folded(&folded(&name)), folded(&name));
        }

        #[test]
        fn keys_are_names(name in ".*") {
            let key = key(&name);
            prop_assert!(!key.contains('/') && key != "." && key != "..");
            prop_assert_eq!(of_key(&key), name);
        }
    }
}
