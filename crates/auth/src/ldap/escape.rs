//! Values inside of filters and distinguished names. What is neither a letter nor a digit goes as its hexadecimal bytes, so
//! that no value can be anything but a value, wherever a template puts it.

use std::fmt::Write as _;

/// A value for a filter (RFC 4515 section 3).
pub(super) fn for_filter(value: &str) -> String {
    bytes_for_filter(value.as_bytes())
}

/// Bytes for a filter.
pub(super) fn bytes_for_filter(value: &[u8]) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric();
    escaped(value, plain)
}

/// The value of an attribute in a distinguished name (RFC 4514 section 2.4).
pub(super) fn for_dn(value: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || !byte.is_ascii();
    escaped(value.as_bytes(), plain)
}

fn escaped(value: &[u8], plain: impl Fn(u8) -> bool) -> String {
    let mut text = Vec::with_capacity(value.len());
    for &byte in value {
        match plain(byte) {
            true => text.push(byte),
            false => {
                let mut code = String::with_capacity(3);
                let _ = write!(code, "\\{byte:02x}");
                text.extend_from_slice(code.as_bytes());
            }
        }
    }
    // Escapes are ASCII, and what stays as it is stays whole: bytes over ASCII are kept in texts alone.
    String::from_utf8_lossy(&text).into_owned()
}

#[cfg(test)]
mod tests {
    use ldap3::asn1::{ASNTag, OctetString, Tag};
    use ldap3::parse_filter;
    use proptest::prelude::*;

    use super::*;
    use crate::ldap::dn;

    #[test]
    fn what_means_something_is_escaped() {
        assert_eq!(for_filter("a*)(uid=\0\\"), "a\\2a\\29\\28uid\\3d\\00\\5c");
        assert_eq!(
            for_dn(" #a,b+c\"\\<>;=ä "),
            "\\20\\23a\\2cb\\2bc\\22\\5c\\3c\\3e\\3b\\3dä\\20"
        );
    }

    proptest! {
        /// One comparison with exactly this value, whatever it is.
        #[test]
        fn a_filter_compares_with_the_value(value in ".*") {
            let filter = parse_filter(format!("(uid={})", for_filter(&value))).unwrap();
            let compared = parse_filter("(uid=x)").unwrap();
            let Tag::Sequence(mut compared) = compared else { panic!("no comparison") };
            compared.inner[1] = Tag::OctetString(OctetString { inner: value.into_bytes(), ..OctetString::default() });
            let (filter, expected) = (filter.into_structure(), Tag::Sequence(compared).into_structure());
            prop_assert_eq!(filter, expected);
        }

        /// A name of one part more, whose value is this, whatever it is.
        #[test]
        fn a_name_has_the_value(value in ".+") {
            let name = format!("uid={},ou=people,dc=example", for_dn(&value));
            let parts = dn::parse(&name).unwrap();
            prop_assert_eq!(parts.len(), 3);
            prop_assert_eq!(&parts[0], &vec![("uid".to_owned(), value)]);
        }
    }
}
