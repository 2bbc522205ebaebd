//! Security identifiers of Active Directory, as `tokenGroups` holds them.

/// The text form of one in bytes (`S-1-5-21-…`); none if it is not one.
pub(super) fn text(bytes: &[u8]) -> Option<String> {
    let (&[revision, count, a, b, c, d, e, f], rest) = bytes.split_first_chunk::<8>()?;
    if revision != 1 || count > 15 || rest.len() != usize::from(count) * 4 {
        return None;
    }
    let authority = u64::from_be_bytes([0, 0, a, b, c, d, e, f]);
    let mut text = format!("S-{revision}-{authority}");
    for part in rest.as_chunks::<4>().0 {
        text.push_str(&format!("-{}", u32::from_le_bytes(*part)));
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers() {
        let administrators = [1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 32, 2, 0, 0];
        assert_eq!(text(&administrators).unwrap(), "S-1-5-32-544");
        for wrong in [
            &administrators[..15],
            &[2, 0, 0, 0, 0, 0, 0, 5],
            &[],
            &[1, 16, 0, 0, 0, 0, 0, 5],
        ] {
            assert_eq!(text(wrong), None);
        }
    }
}
