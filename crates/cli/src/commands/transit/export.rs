use clap::{Args, ValueEnum};
use coffer_client::Secret;
use serde_json::{Map, Value};

use super::asking::read;
use super::place::{Place, Target};
use super::printing::{OutputFlags, is_for_programs, unpacked};
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::field::Field;
use crate::output::{cell, print_field, print_secret, title};

/// Take a key out of the server; public keys and certificates can always be
///
/// Whoever has the key itself decrypts and signs without the server, and no policy stops it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  The public key of the latest version:
      coffer transit export -type=public-key -version=latest release > release.pem
  The bytes of a key that may leave, into a file that only you can read:
      coffer transit export -type=encryption-key -version=latest -output=orders.key orders
  All versions, for a program:
      coffer transit export -type=hmac-key -format=json people
  Encrypted for another server, whose public wrapping key was imported here as the key \"other\":
      coffer transit export -to=other orders")]
pub(crate) struct Export {
    #[command(flatten)]
    target: Target,
    /// What of the key
    #[arg(long, value_name = "TYPE", required_unless_present = "to")]
    r#type: Option<Part>,
    /// Only this version, by its number, or latest
    #[arg(long, value_name = "VERSION")]
    version: Option<String>,
    /// Encrypted for this key of the same mount, so that nobody on the way can read it
    #[arg(long, value_name = "NAME", conflicts_with = "type")]
    to: Option<String>,
    #[command(flatten)]
    output: OutputFlags,
    #[command(flatten)]
    field: Field,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Part {
    /// What encrypts and decrypts
    EncryptionKey,
    /// What signs
    SigningKey,
    /// What makes HMACs
    HmacKey,
    /// What checks signatures and encrypts; no secret
    PublicKey,
    /// The certificates that were set on it; no secret
    CertificateChain,
}

impl Part {
    fn word(self) -> &'static str {
        match self {
            Self::EncryptionKey => "encryption-key",
            Self::SigningKey => "signing-key",
            Self::HmacKey => "hmac-key",
            Self::PublicKey => "public-key",
            Self::CertificateChain => "certificate-chain",
        }
    }
}

impl Export {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let place = self.target.place()?;
        let doing = format!("exporting {}", place.key());
        let answer = read(cx, &self.path(&place), &[], &doing).await?;
        if answer.wrap_info.is_some() {
            return print_secret(cx, &answer, self.field.name());
        }
        let versions = versions(&answer);
        if let Some(version) = self.field.name().and_then(|name| versions.get(name)) {
            return print_field(cx, version);
        }
        if !self.output.is_given() && is_for_programs(cx, &answer, self.field.name()) {
            return print_secret(cx, &answer, self.field.name());
        }
        cx.ui.warnings(&answer.warnings);
        if self.output.is_given() {
            self.output.write(cx, &single(&versions)?)?;
            self.output.tell(cx);
            return Ok(());
        }
        cx.ui.line(&sections(&versions));
        Ok(())
    }

    fn path(&self, place: &Place) -> String {
        let path = match (&self.to, self.r#type) {
            (Some(to), _) => place.path(&format!("byok-export/{to}")),
            (None, part) => {
                let part = part.unwrap_or(Part::PublicKey);
                place.path(&format!("export/{}", part.word()))
            }
        };
        match &self.version {
            Some(version) => format!("{path}/{version}"),
            None => path,
        }
    }
}

/// The versions in the answer, as texts of numbers.
fn versions(answer: &Secret) -> Map<String, Value> {
    let keys = answer.data.as_ref().and_then(|data| data.get("keys"));
    keys.and_then(Value::as_object).cloned().unwrap_or_default()
}

/// The one version, as a file has it: PEM as it is, bytes for what is base64.
fn single(versions: &Map<String, Value>) -> Result<zeroize::Zeroizing<Vec<u8>>, Failure> {
    let mut texts = versions.values().map(cell);
    let (Some(text), None) = (texts.next(), texts.next()) else {
        return Err(Failure::local(format!(
            "a file holds one version, and the key has {}; choose it with -version, like -version=latest",
            versions.len()
        )));
    };
    match unpacked(text.trim()) {
        Some(bytes) => Ok(bytes),
        None => Ok(format!("{}\n", text.trim_end()).into_bytes().into()),
    }
}

/// One version bare, several below titles, the oldest first.
fn sections(versions: &Map<String, Value>) -> String {
    let mut versions: Vec<(u64, String)> = versions
        .iter()
        .map(|(number, key)| (number.parse().unwrap_or(0), cell(key)))
        .collect();
    versions.sort();
    if let [(_, key)] = versions.as_slice() {
        return key.clone();
    }
    let sections = versions.iter().map(|(number, key)| {
        let heading = format!("Version {number}");
        format!("{}\n{}\n", title(&heading, heading.len()), key.trim_end())
    });
    sections.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn several_versions_have_titles_in_order() {
        let of = |value: Value| value.as_object().unwrap().clone();
        let several = of(json!({"10": "b\n", "2": "a"}));
        assert_eq!(
            sections(&several),
            "== Version 2 ==\na\n\n== Version 10 ==\nb\n"
        );
        assert_eq!(sections(&of(json!({"1": "a"}))), "a");
        assert!(single(&several).unwrap_err().text.contains("-version"));
        assert_eq!(
            single(&of(json!({"1": "AP8="}))).unwrap().as_slice(),
            [0, 255]
        );
        let pem = single(&of(json!({"1": "-----BEGIN X-----\nAA\n-----END X-----"}))).unwrap();
        assert!(pem.ends_with(b"X-----\n"));
    }
}
