//! Names, paths and ids of namespaces.

use coffer_engine::Fault;

/// How deep namespaces may lie within each other.
const MAX_LEVELS: usize = 32;
/// Longest name, in bytes.
const MAX_NAME_BYTES: usize = 256;
/// How long the id of a namespace is, or the part of it that tells it from others in the same sealed one: from 62
/// characters, so that collisions are rare; one that happens is tried again.
pub(super) const ID_CHARS: usize = 6;
/// Longest id, in bytes: shorter than the random part of a token. An id begins with that of the namespace with a seal of
/// its own that it lies in, so this bounds how many seals may lie within each other.
pub(super) const MAX_ID_BYTES: usize = 3 * ID_CHARS;
/// First segments that mean something else.
const RESERVED: [&str; 6] = ["root", "sys", "audit", "auth", "cubbyhole", "identity"];

/// Where a namespace is: segments, each followed by a slash; empty for the root.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct NamespacePath(String);

impl NamespacePath {
    /// Reads what clients send: with or without slashes around it; `root` and nothing are the root. None for what
    /// can be no namespace, dot segments included.
    pub fn parse(text: &str) -> Option<Self> {
        let segments: Vec<_> = text.split('/').filter(|part| !part.is_empty()).collect();
        let odd = |part: &&str| matches!(*part, "." | "..") || part.chars().any(char::is_control);
        if segments.iter().any(odd) || segments.len() > MAX_LEVELS {
            return None;
        }
        Some(match segments.as_slice() {
            ["root"] => Self::default(),
            _ => Self(segments.iter().map(|part| format!("{part}/")).collect()),
        })
    }

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its segments.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.0.split_terminator('/')
    }
}

/// The path of a new namespace of that name below `parent`.
///
/// # Errors
/// If the name can not be a namespace's.
pub(super) fn below(parent: &str, name: &str) -> Result<String, Fault> {
    let name = name.strip_suffix('/').unwrap_or(name);
    let levels = parent.matches('/').count();
    let lower = name.to_lowercase();
    if RESERVED.contains(&lower.as_str()) {
        return Err(Fault::Invalid(format!(
            "{:?} is a reserved path and cannot be used as a namespace name",
            format!("{name}/")
        )));
    }
    let odd = |c: char| c.is_control() || c.is_whitespace() || matches!(c, '*' | '+' | '\\');
    let wrong = if name.is_empty() || matches!(name, "." | "..") {
        "is empty or a dot segment"
    } else if name.contains('/') {
        return Err(Fault::invalid("namespace name cannot contain /"));
    } else if name.contains(odd) {
        "contains blanks, wildcards, backslashes or control characters"
    } else if name.len() > MAX_NAME_BYTES {
        "is longer than 256 bytes"
    } else if levels >= MAX_LEVELS {
        "would lie more than 32 levels deep"
    } else {
        return Ok(format!("{parent}{name}/"));
    };
    Err(Fault::Invalid(format!(
        "{:?} cannot be used as a namespace name: it {wrong}",
        name.chars().take(64).collect::<String>()
    )))
}

/// The id of the namespace that a token, an accessor or a lease id belongs to; empty for the root.
///
/// The last segment ends in a dot and the id. It is looked up, never believed: one that no namespace has is none.
pub fn id_of(name: &str) -> &str {
    let last = name.rsplit('/').next().unwrap_or_default();
    match last.rsplit_once('.') {
        Some((_, id)) if is_id(id) => id,
        _ => "",
    }
}

/// Whether a text has the form of a namespace's id.
pub(crate) fn is_id(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= MAX_ID_BYTES
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_have_one_form() {
        for (text, path) in [
            ("", ""),
            ("root", ""),
            ("//root//", ""),
            ("a", "a/"),
            ("/a/b/", "a/b/"),
            ("a//b", "a/b/"),
            ("root/a", "root/a/"),
        ] {
            assert_eq!(NamespacePath::parse(text).unwrap().as_str(), path, "{text}");
        }
        for text in ["..", "a/../b", "a/./b", "a/\u{7}"] {
            assert_eq!(NamespacePath::parse(text), None, "{text}");
        }
    }

    #[test]
    fn names_that_mean_something_else_are_refused() {
        for name in [
            "sys", "SYS", "root", "auth", "a/b", "", "..", "a b", "a*", "+", "a\\b",
        ] {
            assert!(below("", name).is_err(), "{name}");
        }
        assert_eq!(below("a/", "b.c/").unwrap(), "a/b.c/");
        assert!(below(&"a/".repeat(MAX_LEVELS), "b").is_err());
    }

    #[test]
    fn ids_end_names() {
        for (name, id) in [
            ("abc", ""),
            ("abc.x1", "x1"),
            ("db/creds/a.b/xyz", ""),
            ("db/creds/a.b/xyz.q9", "q9"),
            ("abc.", ""),
            ("abc.x/", ""),
            ("abc.ä", ""),
        ] {
            assert_eq!(id_of(name), id, "{name}");
        }
    }
}
