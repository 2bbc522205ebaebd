//! Distinguished names, as far as somebody has to look into one (RFC 4514).

/// Longest name that is looked into, in bytes.
const BYTES_MAX: usize = 8 * 1024;

/// The types and values of one part of a name.
pub(super) type Part = Vec<(String, String)>;

/// The parts of a name, its own first; none if it is not a name.
pub(super) fn parse(text: &str) -> Option<Vec<Part>> {
    if text.len() > BYTES_MAX {
        return None;
    }
    let mut parts = Vec::new();
    let mut part = Vec::new();
    let mut rest = text;
    loop {
        let (kind, after) = rest.split_once('=')?;
        let kind = kind.trim();
        if kind.is_empty()
            || !kind
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte))
        {
            return None;
        }
        let (value, ended, after) = value(after)?;
        part.push((kind.to_owned(), value));
        if ended != Some('+') {
            parts.push(std::mem::take(&mut part));
        }
        if ended.is_none() {
            return Some(parts);
        }
        rest = after;
    }
}

/// The value of the first part of this type.
pub(super) fn first_of<'a>(parts: &'a [Part], kind: &str) -> Option<&'a str> {
    let pairs = parts.iter().flatten();
    let mut found = pairs.filter(|(known, _)| known.eq_ignore_ascii_case(kind));
    found.next().map(|(_, value)| value.as_str())
}

/// A value, the sign that ends it, and what comes behind.
fn value(text: &str) -> Option<(String, Option<char>, &str)> {
    let text = text.trim_start_matches(' ');
    let mut bytes = Vec::new();
    // Where blanks at the end begin to be part of the value: behind an escape.
    let mut kept = 0;
    let mut chars = text.char_indices();
    while let Some((at, sign)) = chars.next() {
        match sign {
            ',' | ';' | '+' => {
                let after = text.get(at + 1..)?;
                return Some((
                    trimmed(bytes, kept)?,
                    Some(if sign == '+' { '+' } else { ',' }),
                    after,
                ));
            }
            '\\' => {
                let (_, next) = chars.next()?;
                match next.to_digit(16) {
                    Some(_) => {
                        chars.next()?;
                        let code = text.get(at + 1..at + 3)?;
                        bytes.push(u8::from_str_radix(code, 16).ok()?);
                    }
                    None => bytes.extend(next.encode_utf8(&mut [0; 4]).bytes()),
                }
                kept = bytes.len();
            }
            plain => bytes.extend(plain.encode_utf8(&mut [0; 4]).bytes()),
        }
    }
    Some((trimmed(bytes, kept)?, None, ""))
}

fn trimmed(mut bytes: Vec<u8>, kept: usize) -> Option<String> {
    while bytes.len() > kept && bytes.last() == Some(&b' ') {
        bytes.pop();
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_taken_apart() {
        let parts = parse("CN=Ann\\2C Lee + uid=ann , ou=a\\\\b;dc=x").unwrap();
        let expected = [
            vec![
                ("CN".to_owned(), "Ann, Lee".to_owned()),
                ("uid".to_owned(), "ann".to_owned()),
            ],
            vec![("ou".to_owned(), "a\\b".to_owned())],
            vec![("dc".to_owned(), "x".to_owned())],
        ];
        assert_eq!(parts, expected);
        assert_eq!(first_of(&parts, "cn"), Some("Ann, Lee"));
        assert_eq!(first_of(&parts, "OU"), Some("a\\b"));
        assert_eq!(first_of(&parts, "l"), None);
    }

    #[test]
    fn other_texts_are_none() {
        for text in [
            "", "ann", "cn", "=x", "cn=a,b", "cn=a\\", "cn=a\\2", "c n=a", "cn=\\ff",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_is_too_odd(text in ".{0,80}") {
            let _ = parse(&text);
        }
    }
}
