//! The one form in which names are compared, and how it becomes a part of a path.

use std::fmt::Write as _;

use coffer_engine::Fault;

/// Longest name of an entity, a group or an alias, in bytes.
pub const MAX_NAME_BYTES: usize = 512;

/// The form in which names are compared: lower case, without blanks around it.
pub fn normal(name: &str) -> String {
    name.trim().to_lowercase()
}

/// Whether a text is an id as they are made here: a UUID, in a namespace with a dot and the namespace's id behind it.
/// Others are never looked for.
pub(super) fn is_id(text: &str) -> bool {
    let (uuid, namespace) = match text.split_once('.') {
        Some((uuid, namespace)) => (uuid, Some(namespace)),
        None => (text, None),
    };
    uuid.len() == 36
        && uuid
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b'-'))
        && namespace.is_none_or(crate::namespaces::is_id)
}

/// The normal form as one segment of a storage path. Different forms have different keys.
pub(crate) fn key(name: &str) -> String {
    escaped(&normal(name))
}

/// A text as one segment of a storage path.
pub(crate) fn escaped(text: &str) -> String {
    let mut key = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '%' | '/') || c.is_control() {
            let mut bytes = [0; 4];
            for byte in c.encode_utf8(&mut bytes).bytes() {
                let _ = write!(key, "%{byte:02x}");
            }
        } else {
            key.push(c);
        }
    }
    key
}

/// Refuses a name that nothing can have; `what` is what is to be named so.
pub(crate) fn check(what: &str, name: &str) -> Result<(), Fault> {
    let wrong = if normal(name).is_empty() {
        "it is blank"
    } else if name.len() > MAX_NAME_BYTES {
        "it is longer than 512 bytes"
    } else if name.chars().any(char::is_control) {
        "it holds control characters"
    } else {
        return Ok(());
    };
    let shown: String = name.chars().take(64).collect();
    Err(Fault::Invalid(format!(
        "{shown:?} can not be the name of {what}: {wrong}"
    )))
}

/// As [`check`], for an entity: none is called like the policy that may do everything.
pub(super) fn check_entity(name: &str) -> Result<(), Fault> {
    if normal(name) == crate::policy::builtin::ROOT {
        return Err(Fault::invalid("an entity can not be called root"));
    }
    check("an entity", name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_name_have_one_key() {
        for name in ["bob", "Bob", " BOB ", "\tbob"] {
            assert_eq!(key(name), "bob", "{name:?}");
        }
        assert_eq!(key("ÄÖ"), key("äö"));
        assert_eq!(key("a/b%c"), "a%2fb%25c");
        assert_ne!(key("a/b"), key("a%2fb"));
    }

    #[test]
    fn ids_are_uuids_that_may_tell_their_namespace() {
        let uuid = "0f5a88c5-ccea-3530-4364-0dd1d41ad028";
        assert!(is_id(uuid));
        assert!(is_id(&format!("{uuid}.gijYNb")));
        assert!(!is_id("x") && !is_id(&uuid.replace('0', "g")));
        for odd in ["", ".", ".gijYNb", "../sys", "a b"] {
            assert!(!is_id(odd), "{odd:?}");
            assert!(!is_id(&format!("{uuid}.{odd}")), "{odd:?}");
        }
    }

    #[test]
    fn names_that_nothing_has() {
        for name in ["", "  ", "a\nb", "a\0", &"x".repeat(MAX_NAME_BYTES + 1)] {
            assert!(check("a group", name).is_err(), "{name:?}");
        }
        for name in ["root", "ROOT ", "Root"] {
            assert!(check_entity(name).is_err(), "{name:?}");
        }
        assert!(check("a group", "root").is_ok());
        assert!(check_entity("a/b c.ä").is_ok());
    }
}
