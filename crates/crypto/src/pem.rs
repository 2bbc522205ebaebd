//! Texts in PEM (RFC 7468): one block, which has a label and bytes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

/// A `SubjectPublicKeyInfo`.
pub const PUBLIC_KEY: &str = "PUBLIC KEY";
/// A `PrivateKeyInfo`, PKCS #8.
pub const PRIVATE_KEY: &str = "PRIVATE KEY";
/// An `RSAPrivateKey`, PKCS #1.
pub const RSA_PRIVATE_KEY: &str = "RSA PRIVATE KEY";
/// An `ECPrivateKey`, RFC 5915.
pub const EC_PRIVATE_KEY: &str = "EC PRIVATE KEY";
/// A certificate.
pub const CERTIFICATE: &str = "CERTIFICATE";
/// A request for a certificate, PKCS #10.
pub const CERTIFICATE_REQUEST: &str = "CERTIFICATE REQUEST";

/// The longest text that is read, in bytes.
pub(crate) const MAX_BYTES: usize = 64 * 1024;
/// Characters of a line.
const LINE: usize = 64;

/// The label and the bytes of the one block that a text is. Lines for people may stand before it, nothing after it.
#[must_use]
pub fn read(text: &str) -> Option<(&str, Zeroizing<Vec<u8>>)> {
    let text = Some(text.trim()).filter(|text| text.len() <= MAX_BYTES)?;
    let text = match text.find("\n-----BEGIN ") {
        Some(at) if !text.starts_with("-----BEGIN ") => text.get(at + 1..)?,
        _ => text,
    };
    let (label, rest) = text.strip_prefix("-----BEGIN ")?.split_once("-----")?;
    let body = rest.strip_suffix(&format!("-----END {label}-----"))?;
    // Made once and large enough, so that no copy of a secret is left behind.
    let mut plain = Zeroizing::new(String::with_capacity(body.len()));
    plain.extend(body.chars().filter(|c| !c.is_ascii_whitespace()));
    let document = STANDARD.decode(plain.as_bytes()).ok()?;
    Some((label, Zeroizing::new(document)))
}

/// A block of this label with these bytes, and a line break at its end.
#[must_use]
pub fn write(label: &str, document: &[u8]) -> Zeroizing<String> {
    let body = Zeroizing::new(STANDARD.encode(document));
    let lines = body.len().div_ceil(LINE);
    let mut text = Zeroizing::new(String::with_capacity(
        body.len() + lines + 2 * (label.len() + 20),
    ));
    text.push_str("-----BEGIN ");
    text.push_str(label);
    text.push_str("-----\n");
    let mut rest = body.as_str();
    while !rest.is_empty() {
        let (line, more) = rest.split_at(rest.len().min(LINE));
        text.push_str(line);
        text.push('\n');
        rest = more;
    }
    text.push_str("-----END ");
    text.push_str(label);
    text.push_str("-----\n");
    text
}
