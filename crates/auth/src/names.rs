//! Names of users and roles: ASCII alone, so that no two of them look alike, and one in all letters.

/// The one form in which names are compared.
pub(crate) fn normal(name: &str) -> String {
    name.to_lowercase()
}

/// Letters, digits, `_`, and inside also the signs that `inner` has; at most 256 bytes.
pub(crate) fn is_name(name: &str, inner: &[char]) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let known = name.chars().all(|c| word(c) || inner.contains(&c));
    known && name.starts_with(word) && name.ends_with(word) && name.len() <= 256
}
