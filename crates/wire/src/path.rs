//! Request paths, made canonical once and typed ever after.

use std::fmt;

/// The longest path after decoding, in bytes.
const MAX_PATH_BYTES: usize = 4096;

/// A canonical path below `/v1/`: decoded, without leading slash, without empty or dot segments.
///
/// A trailing slash is kept, because listing asks with one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ApiPath(String);

/// What is wrong with a raw path.
#[derive(Debug, PartialEq, Eq)]
pub enum PathFault {
    /// It has empty or literal dot segments; the client is sent to this clean form instead.
    Redirect(String),
    /// It can not be made safe; the text says why.
    Refused(&'static str),
}

impl ApiPath {
    /// Reads the raw path of a request target, after `/v1/` and without the query.
    ///
    /// Segments are split *before* they are decoded, so an encoded slash or dot segment can never
    /// reach another path than policy was asked about: it is refused.
    pub fn parse(raw: &str) -> Result<Self, PathFault> {
        if let Some(clean) = cleaned(raw) {
            return Err(PathFault::Redirect(clean));
        }
        let segments = raw.split('/').map(decode).collect::<Result<Vec<_>, _>>()?;
        let path = segments.join("/");
        if path.len() > MAX_PATH_BYTES {
            return Err(PathFault::Refused(
                "the path is too long (the limit is 4096 bytes)",
            ));
        }
        Ok(Self(path))
    }

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its last so many bytes, which must begin where a segment does; the whole of it where they do not.
    pub fn tail(&self, bytes: usize) -> Self {
        let at = self.0.len().saturating_sub(bytes);
        let whole = at == 0 || self.0.get(..at).is_some_and(|head| head.ends_with('/'));
        let tail = self.0.get(at..).filter(|_| whole || bytes == 0);
        Self(tail.unwrap_or(&self.0).to_owned())
    }
}

impl fmt::Display for ApiPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The path without empty and dot segments, if it has any.
fn cleaned(raw: &str) -> Option<String> {
    let body = raw.strip_suffix('/').unwrap_or(raw);
    let odd = |segment: &str| matches!(segment, "" | "." | "..");
    if raw.is_empty() || !body.split('/').any(odd) {
        return None;
    }
    let mut clean: Vec<&str> = Vec::new();
    for segment in body.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(clean.pop()),
            other => clean.push(other),
        }
    }
    let slash = if raw.ends_with('/') && !clean.is_empty() {
        "/"
    } else {
        ""
    };
    Some(format!("{}{slash}", clean.join("/")))
}

fn decode(segment: &str) -> Result<String, PathFault> {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let pair = (rest.next().and_then(hex), rest.next().and_then(hex));
        let (Some(high), Some(low)) = pair else {
            return Err(PathFault::Refused("the path has a broken percent escape"));
        };
        bytes.push(high << 4 | low);
    }
    let text = String::from_utf8(bytes).map_err(|_| PathFault::Refused("the path is not UTF-8"))?;
    if text.contains('/') {
        return Err(PathFault::Refused(
            "encoded slashes are not supported in a path",
        ));
    }
    if matches!(text.as_str(), "." | "..") {
        return Err(PathFault::Refused("relative paths not supported"));
    }
    if text.chars().any(char::is_control) {
        return Err(PathFault::Refused(
            "control characters are not supported in a path",
        ));
    }
    Ok(text)
}

fn hex(byte: u8) -> Option<u8> {
    char::from(byte)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clean_paths_pass_decoded() {
        for (raw, path) in [
            ("sys/health", "sys/health"),
            ("secret/data/a%20b", "secret/data/a b"),
            ("secret/metadata/", "secret/metadata/"),
            ("", ""),
        ] {
            assert_eq!(ApiPath::parse(raw).unwrap().as_str(), path);
        }
    }

    #[test]
    fn odd_segments_are_redirected() {
        for (raw, clean) in [
            ("/secret/a", "secret/a"),
            ("secret//a", "secret/a"),
            ("secret/./a", "secret/a"),
            ("secret/../sys/a/", "sys/a/"),
            ("a//", "a/"),
        ] {
            assert_eq!(
                ApiPath::parse(raw),
                Err(PathFault::Redirect(clean.into())),
                "{raw}"
            );
        }
    }

    #[test]
    fn encoded_tricks_are_refused() {
        for raw in [
            "secret/%2e%2e/sys",
            "secret/%2E",
            "a%2fb",
            "a%00b",
            "a%ff",
            "a%4",
            "a%zz",
            "a%0d%0ab",
        ] {
            assert!(
                matches!(ApiPath::parse(raw), Err(PathFault::Refused(_))),
                "{raw}"
            );
        }
    }
}
