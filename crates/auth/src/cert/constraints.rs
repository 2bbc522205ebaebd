//! What a certificate must have in it, and what of it is noted.

use std::collections::BTreeMap;

use der::Decode;
use der::asn1::AnyRef;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::certificate::{Certificate, text_of};
use crate::glob;

/// What a certificate must have in it. A list without entries asks for nothing.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct Constraints {
    /// Patterns for the common name, DNS names and mail addresses together.
    pub(super) allowed_names: Option<Vec<String>>,
    /// Patterns for the common name.
    pub(super) allowed_common_names: Option<Vec<String>>,
    /// Patterns for DNS names.
    pub(super) allowed_dns_sans: Option<Vec<String>>,
    /// Patterns for mail addresses.
    pub(super) allowed_email_sans: Option<Vec<String>>,
    /// Patterns for URIs.
    pub(super) allowed_uri_sans: Option<Vec<String>>,
    /// Patterns for organizational units.
    pub(super) allowed_organizational_units: Option<Vec<String>>,
    /// What extensions must hold.
    pub(super) required_extensions: Option<Vec<String>>,
}

impl Constraints {
    /// Whether a certificate has all of it.
    pub(super) fn hold(&self, leaf: &Certificate) -> bool {
        let common_name = [&leaf.common_name];
        let names = common_name
            .into_iter()
            .chain(&leaf.dns_names)
            .chain(&leaf.emails);
        fits(&self.allowed_names, names)
            && fits(&self.allowed_common_names, common_name)
            && fits(&self.allowed_dns_sans, &leaf.dns_names)
            && fits(&self.allowed_email_sans, &leaf.emails)
            && fits(&self.allowed_uri_sans, &leaf.uris)
            && fits(&self.allowed_organizational_units, &leaf.units)
            && self.extensions_hold(leaf)
    }

    fn extensions_hold(&self, leaf: &Certificate) -> bool {
        let required = self.required_extensions.iter().flatten();
        let mut required = required.map(|entry| Required::read(entry));
        required.all(|entry| entry.is_some_and(|entry| entry.holds(leaf)))
    }
}

fn fits<'a>(patterns: &Option<Vec<String>>, names: impl IntoIterator<Item = &'a String>) -> bool {
    let patterns = patterns.as_deref().unwrap_or_default();
    patterns.is_empty() || glob::any(patterns, names)
}

/// What one extension must hold.
struct Required<'a> {
    oid: &'a str,
    pattern: &'a str,
    is_hex: bool,
}

impl<'a> Required<'a> {
    fn read(entry: &'a str) -> Option<Self> {
        let (is_hex, entry) = match entry.strip_prefix("hex:") {
            Some(rest) => (true, rest),
            None => (false, entry),
        };
        let (oid, pattern) = entry.split_once(':')?;
        Some(Self {
            oid,
            pattern,
            is_hex,
        })
    }

    fn holds(&self, leaf: &Certificate) -> bool {
        let Some(value) = leaf.extension(self.oid) else {
            return false;
        };
        match self.is_hex {
            true => glob::matches(&self.pattern.to_ascii_lowercase(), &hex::encode(value)),
            false => glob::matches(self.pattern, &text_in(value)),
        }
    }
}

/// What is noted about a login with a certificate, by a role that lets these extensions be seen.
pub(super) fn metadata(
    leaf: &Certificate,
    role_name: &str,
    extensions: &[String],
) -> BTreeMap<String, String> {
    let noted = |oid: &String| {
        let value = leaf.extension(oid)?;
        Some((oid.replace('.', "-"), text_in(value)))
    };
    let mut metadata: BTreeMap<String, String> = extensions.iter().filter_map(noted).collect();
    metadata.extend([
        ("cert_name".to_owned(), role_name.to_owned()),
        ("common_name".to_owned(), leaf.common_name.clone()),
        ("serial_number".to_owned(), leaf.serial_number()),
        ("subject_key_id".to_owned(), colons(&leaf.subject_key_id)),
        (
            "authority_key_id".to_owned(),
            colons(&leaf.authority_key_id),
        ),
    ]);
    metadata
}

/// The text of an extension; empty where it is none, or where it holds signs that are no text.
fn text_in(value: &[u8]) -> String {
    let text = AnyRef::from_der(value).ok().and_then(text_of);
    text.filter(|text| !text.chars().any(char::is_control))
        .unwrap_or_default()
}

fn colons(bytes: &[u8]) -> String {
    let pairs: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    pairs.join(":")
}
