//! Names with `*` for anything.

/// Whether a pattern stands for a name. `*` is any text, slashes included.
pub(super) fn matches(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else {
        return false;
    };
    let Some(last) = parts.next_back() else {
        return rest.is_empty();
    };
    for part in parts {
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = rest.get(at + part.len()..).unwrap_or_default();
    }
    rest.ends_with(last)
}

/// The folder in which all names lie that a pattern can stand for.
pub(super) fn folder(pattern: &str) -> &str {
    let fixed = pattern.split('*').next().unwrap_or_default();
    let end = fixed.rfind('/').map_or(0, |at| at + 1);
    fixed.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_are_any_text() {
        for (pattern, name, expected) in [
            ("a", "a", true),
            ("a", "ab", false),
            ("*", "anything/at all", true),
            ("app-*", "app-", true),
            ("app-*", "application", false),
            ("a*c", "abc", true),
            ("a*c", "ac", true),
            ("a*c", "ab", false),
            ("a*b*c", "a-b-c", true),
            ("a*a", "a", false),
            ("*x*", "x", true),
            ("database/roles/*", "database/roles/r", true),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
        assert_eq!(folder("database/roles/app-*"), "database/roles/");
        assert_eq!(folder("app-*"), "");
    }
}
