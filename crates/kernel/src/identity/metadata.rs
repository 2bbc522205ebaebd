//! Notes that clients keep beside entities, groups and aliases.

use std::collections::BTreeMap;

use coffer_engine::Fault;

/// Pairs of texts.
pub type Metadata = BTreeMap<String, String>;

/// The most pairs.
pub const MAX_PAIRS: usize = 64;
/// The longest key, in bytes.
pub const MAX_KEY_BYTES: usize = 128;
/// The longest value, in bytes.
pub const MAX_VALUE_BYTES: usize = 512;

/// Refuses too much of it; `field` is where it was given.
pub(super) fn check(field: &str, metadata: &Metadata) -> Result<(), Fault> {
    if metadata.len() > MAX_PAIRS {
        return Err(Fault::Invalid(format!(
            "{field} can not hold more than {MAX_PAIRS} pairs"
        )));
    }
    for (key, value) in metadata {
        let shown: String = key.chars().take(64).collect();
        if key.is_empty() {
            return Err(Fault::Invalid(format!("{field} holds a blank key")));
        }
        if key.len() > MAX_KEY_BYTES {
            return Err(Fault::Invalid(format!(
                "the key {shown:?} of {field} is longer than {MAX_KEY_BYTES} bytes"
            )));
        }
        if value.len() > MAX_VALUE_BYTES {
            return Err(Fault::Invalid(format!(
                "the value of {shown:?} in {field} is longer than {MAX_VALUE_BYTES} bytes"
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(key: &str, value: &str) -> Metadata {
        Metadata::from([(key.to_owned(), value.to_owned())])
    }

    #[test]
    fn limits() {
        assert!(check("metadata", &one("k", "")).is_ok());
        assert!(
            check(
                "metadata",
                &one(&"k".repeat(MAX_KEY_BYTES), &"v".repeat(MAX_VALUE_BYTES))
            )
            .is_ok()
        );
        assert!(check("metadata", &one("", "v")).is_err());
        assert!(check("metadata", &one(&"k".repeat(MAX_KEY_BYTES + 1), "v")).is_err());
        assert!(check("metadata", &one("k", &"v".repeat(MAX_VALUE_BYTES + 1))).is_err());
        let many = (0..=MAX_PAIRS).map(|n| (n.to_string(), String::new()));
        assert!(check("metadata", &many.collect()).is_err());
    }
}
