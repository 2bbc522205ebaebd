//! A request that arrived, in the one form in which both sides hash it.

use std::fmt::Write as _;

use crate::sha256;

/// A request as it arrived.
#[derive(Clone, Copy, Debug)]
pub struct Received<'a> {
    /// Its method.
    pub method: &'a str,
    /// The path, encoded as it came.
    pub path: &'a str,
    /// What follows the question mark, as it came; else empty.
    pub query: &'a str,
    /// The header fields with their names in lower case, in the order in which they came; the host is among them.
    pub headers: &'a [(&'a str, &'a [u8])],
    /// The body.
    pub body: &'a [u8],
}

impl<'a> Received<'a> {
    /// The values of a header field.
    pub(super) fn values(&self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        let named = move |(is, _): &&(&str, &[u8])| *is == name;
        self.headers.iter().filter(named).map(|(_, value)| *value)
    }

    /// The only value of a header field, where it is text; none where there are several.
    pub(super) fn only(&self, name: &str) -> Option<&'a str> {
        let mut values = self.values(name);
        let value = values.next()?;
        let text = std::str::from_utf8(value).ok()?.trim();
        values.next().is_none().then_some(text)
    }

    /// The hash of the request in its normal form, by the header fields that are signed.
    pub(super) fn hash(&self, signed: &[&str]) -> [u8; 32] {
        let mut text = format!(
            "{}\n{}\n{}\n",
            self.method,
            path(self.path),
            query(self.query)
        )
        .into_bytes();
        for name in signed {
            text.extend_from_slice(name.as_bytes());
            text.push(b':');
            for (at, value) in self.values(name).enumerate() {
                if at > 0 {
                    text.push(b',');
                }
                text.extend(plain(value));
            }
            text.push(b'\n');
        }
        let body = super::hex(&sha256(self.body));
        text.extend_from_slice(format!("\n{}\n{body}", signed.join(";")).as_bytes());
        sha256(&text)
    }
}

/// The path without dots and doubled slashes, encoded once more: what is encoded already is so twice then, as every service
/// but S3 has it.
fn path(raw: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for segment in raw.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(kept.pop()),
            other => kept.push(other),
        }
    }
    let mut text = String::with_capacity(raw.len() + 1);
    for segment in &kept {
        text.push('/');
        encode(segment.as_bytes(), &mut text);
    }
    if kept.is_empty() || raw.ends_with('/') {
        text.push('/');
    }
    text
}

/// The parameters in order of their encoded names and values.
fn query(raw: &str) -> String {
    let encoded = |part: &str| {
        let mut text = String::new();
        encode(&decoded(part), &mut text);
        text
    };
    let pairs = raw.split('&').filter(|pair| !pair.is_empty());
    let mut pairs: Vec<_> = pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (encoded(name), encoded(value)))
        .collect();
    pairs.sort();
    let texts = pairs.iter().map(|(name, value)| format!("{name}={value}"));
    texts.collect::<Vec<_>>().join("&")
}

/// A value without blanks around it, and with one for each run of them inside.
fn plain(value: &[u8]) -> Vec<u8> {
    let words = value.split(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'));
    let words: Vec<&[u8]> = words.filter(|word| !word.is_empty()).collect();
    words.join(&b' ')
}

fn encode(bytes: &[u8], text: &mut String) {
    for byte in bytes {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                text.push(char::from(*byte));
            }
            other => {
                let _ = write!(text, "%{other:02X}");
            }
        }
    }
}

/// What an encoded text stands for; what is no code stands for itself.
pub(super) fn decoded(text: &str) -> Vec<u8> {
    let digit = |byte: Option<&u8>| {
        let digit = char::from(*byte?).to_digit(16)?;
        u8::try_from(digit).ok()
    };
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code = match first {
            b'%' => digit(after.first()).zip(digit(after.get(1))),
            _ => None,
        };
        match code {
            Some((high, low)) => {
                bytes.push(high * 16 + low);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    bytes
}
