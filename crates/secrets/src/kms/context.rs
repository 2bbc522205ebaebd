//! The encryption context: pairs of texts that a ciphertext is bound to, and that are no secret.

use coffer_engine::Fault;
use coffer_wire::KvPairs;

use super::exception::Exception;

/// The most bytes of a context in its canonical form.
const MAX_BYTES: usize = 8 * 1_024;

/// The one form of a context in which it is authenticated: how many pairs there are, then each name and value in the
/// order of the names' bytes. In front of everything stands its length in four bytes, so no two contexts share a form.
pub(super) fn canonical(context: &KvPairs) -> Result<Vec<u8>, Fault> {
    let texts = context.0.iter().flat_map(|(name, value)| [name, value]);
    let bytes: usize = texts.clone().map(|text| 4 + text.len()).sum();
    if 4 + bytes > MAX_BYTES {
        return Err(Exception::Validation.because(format!(
            "the encryption context is too large; the limit is {MAX_BYTES} bytes"
        )));
    }
    let mut form = Vec::with_capacity(4 + bytes);
    form.extend_from_slice(&length(context.0.len()));
    for text in texts {
        form.extend_from_slice(&length(text.len()));
        form.extend_from_slice(text.as_bytes());
    }
    Ok(form)
}

/// Lossless: the whole has 8 KiB at most.
fn length(of: usize) -> [u8; 4] {
    u32::try_from(of).unwrap_or(u32::MAX).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn pairs(of: &[(&str, &str)]) -> KvPairs {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        KvPairs(of.iter().map(own).collect())
    }

    #[test]
    fn borders_between_texts_count() {
        let of = |of: &[(&str, &str)]| canonical(&pairs(of)).unwrap();
        assert_ne!(of(&[("a", "bc")]), of(&[("ab", "c")]));
        assert_ne!(of(&[("a", "")]), of(&[("", "a")]));
        assert_ne!(of(&[]), of(&[("", "")]));
        assert_ne!(of(&[("a", "b"), ("c", "d")]), of(&[("a", "bcd")]));
        assert_eq!(of(&[("a", "1"), ("b", "2")]), of(&[("b", "2"), ("a", "1")]));
        assert_eq!(of(&[]), [0; 4]);
        assert_eq!(
            of(&[("k", "é")]),
            b"\0\0\0\x01\0\0\0\x01k\0\0\0\x02\xc3\xa9"
        );
        assert!(canonical(&pairs(&[("a", &"x".repeat(MAX_BYTES - 13))])).is_ok());
        assert!(canonical(&pairs(&[("a", &"x".repeat(MAX_BYTES - 12))])).is_err());
    }

    proptest! {
        #[test]
        fn no_two_contexts_share_a_form(
            one in prop::collection::btree_map("[ab]{0,2}", "[ab\\x00]{0,2}", 0..4),
            other in prop::collection::btree_map("[ab]{0,2}", "[ab\\x00]{0,2}", 0..4),
        ) {
            let (one, other): (BTreeMap<_, _>, BTreeMap<_, _>) = (one, other);
            let same = one == other;
            let forms = [KvPairs(one), KvPairs(other)].map(|pairs| canonical(&pairs).unwrap());
            prop_assert_eq!(same, forms[0] == forms[1]);
        }
    }
}
