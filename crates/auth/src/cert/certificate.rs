//! One certificate, read: its names, its keys' ids, and what it may be used for.

use std::sync::Arc;
use std::time::Duration;

use der::asn1::{AnyRef, BitStringRef, ObjectIdentifier};
use der::{Decode, Encode, Reader, Sequence, SliceReader, Tag, TagNumber, Tagged};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use x509_cert::certificate::{CertificateInner, Raw, TbsCertificateInner, Version};
use x509_cert::ext::pkix::{
    AuthorityInfoAccessSyntax, AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage,
    KeyUsage, NameConstraints, SubjectKeyIdentifier, name::GeneralName,
};
use x509_cert::name::Name;

/// How long one certificate may be, in bytes.
pub(super) const CERTIFICATE_BYTES_MAX: usize = 64 * 1024;

const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");
const ORGANIZATIONAL_UNIT: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.11");
const SUBJECT_ALT_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.17");
const CLIENT_AUTH: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.2");
const ANY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37.0");
const OCSP_SIGNING: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.9");
const OCSP: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1");

/// A certificate. Who signed it, nobody has looked at.
#[derive(Debug)]
pub(super) struct Certificate {
    /// As it came.
    pub(super) der: CertificateDer<'static>,
    /// What the signature is over, and the signature.
    pub(super) signed: Signed,
    /// Who it is about, in DER.
    pub(super) subject: Vec<u8>,
    /// Who says so, in DER.
    pub(super) issuer: Vec<u8>,
    /// Its number, big-endian, without zeros in front.
    pub(super) serial: Vec<u8>,
    /// The last common name; empty without one.
    pub(super) common_name: String,
    pub(super) units: Vec<String>,
    pub(super) dns_names: Vec<String>,
    pub(super) emails: Vec<String>,
    pub(super) uris: Vec<String>,
    /// All extensions, by object identifier in dots.
    pub(super) extensions: Vec<(String, Vec<u8>)>,
    pub(super) subject_key_id: Vec<u8>,
    pub(super) authority_key_id: Vec<u8>,
    /// Whether it may sign others.
    pub(super) is_ca: bool,
    /// How many authorities may stand between it and what somebody shows.
    pub(super) path_length_max: Option<u8>,
    /// The addresses of those who know whether it is revoked.
    pub(super) ocsp_servers: Vec<String>,
    /// Its key, in DER.
    pub(super) key: Key,
    pub(super) has_extensions: bool,
    pub(super) has_name_constraints: bool,
    may_sign_certificates: bool,
    usages: Option<Vec<ObjectIdentifier>>,
    not_before: Duration,
    not_after: Duration,
}

/// What is signed in the way that all of X.509 is.
#[derive(Debug)]
pub(super) struct Signed {
    /// What the signature is over.
    pub(super) message: Vec<u8>,
    /// The contents of the algorithm's identifier.
    pub(super) algorithm: Vec<u8>,
    pub(super) signature: Vec<u8>,
}

/// A public key.
#[derive(Debug)]
pub(super) struct Key {
    /// The contents of the algorithm's identifier.
    pub(super) algorithm: Vec<u8>,
    /// The bits.
    pub(super) bits: Vec<u8>,
}

/// Why a certificate is not read.
#[derive(Debug)]
pub(super) struct Unreadable(pub(super) String);

impl From<der::Error> for Unreadable {
    fn from(error: der::Error) -> Self {
        Self(error.to_string())
    }
}

#[derive(Sequence)]
struct Outer<'a> {
    message: AnyRef<'a>,
    algorithm: AnyRef<'a>,
    signature: BitStringRef<'a>,
}

impl Signed {
    /// Reads what is signed; the message is not looked into.
    pub(super) fn read(der: &[u8]) -> Result<Self, Unreadable> {
        let outer = Outer::from_der(der)?;
        Ok(Self {
            message: outer.message.to_der()?,
            algorithm: outer.algorithm.value().to_vec(),
            signature: whole_bytes(outer.signature)?,
        })
    }
}

impl Certificate {
    /// Reads one in DER.
    pub(super) fn read(der: &[u8]) -> Result<Arc<Self>, Unreadable> {
        if der.len() > CERTIFICATE_BYTES_MAX {
            return Err(Unreadable(format!(
                "it is longer than {CERTIFICATE_BYTES_MAX} bytes"
            )));
        }
        let inner = CertificateInner::<Raw>::from_der(der)?;
        let body = inner.tbs_certificate();
        if body.signature() != inner.signature_algorithm() {
            return Err(Unreadable("it names two signature algorithms".to_owned()));
        }
        let subject_names = names_of(body.subject())?;
        let alternative = AlternativeNames::of(body)?;
        let constraints = body.get_extension::<BasicConstraints>()?;
        let constraints = constraints.map(|(_, it)| it);
        let usage = body.get_extension::<KeyUsage>()?.map(|(_, it)| it);
        let key = body.subject_public_key_info();
        let is_ca = constraints.as_ref().is_some_and(|it| it.ca);
        Ok(Arc::new(Self {
            der: CertificateDer::from(der.to_vec()),
            signed: Signed::read(der)?,
            subject: body.subject().to_der()?,
            issuer: body.issuer().to_der()?,
            serial: serial(body.serial_number().as_bytes())?,
            common_name: subject_names.common_name,
            units: subject_names.units,
            dns_names: alternative.dns,
            emails: alternative.emails,
            uris: alternative.uris,
            extensions: extensions_of(body),
            subject_key_id: body
                .get_extension::<SubjectKeyIdentifier>()?
                .map_or_else(Vec::new, |(_, it)| it.0.into_bytes().into_vec()),
            authority_key_id: body
                .get_extension::<AuthorityKeyIdentifier>()?
                .and_then(|(_, it)| it.key_identifier)
                .map_or_else(Vec::new, |it| it.into_bytes().into_vec()),
            is_ca,
            path_length_max: constraints.and_then(|it| it.path_len_constraint),
            ocsp_servers: ocsp_servers(body)?,
            key: Key {
                algorithm: AnyRef::from_der(&key.algorithm.to_der()?)?.value().to_vec(),
                bits: whole_bytes((&key.subject_public_key).into())?,
            },
            has_extensions: body.version() == Version::V3,
            has_name_constraints: body.get_extension::<NameConstraints>()?.is_some(),
            may_sign_certificates: is_ca && usage.is_none_or(|usage| usage.key_cert_sign()),
            usages: body
                .get_extension::<ExtendedKeyUsage>()?
                .map(|(_, it)| it.0),
            not_before: body.validity().not_before.to_unix_duration(),
            not_after: body.validity().not_after.to_unix_duration(),
        }))
    }

    /// Whether the time is within its validity.
    pub(super) fn is_valid_at(&self, now: Duration) -> bool {
        self.not_before <= now && now <= self.not_after
    }

    /// Whether it may sign other certificates.
    pub(super) fn may_sign_certificates(&self) -> bool {
        self.may_sign_certificates
    }

    /// Whether clients may show it, or those that it signed.
    pub(super) fn is_for_clients(&self) -> bool {
        self.usages
            .as_ref()
            .is_none_or(|usages| names_client(usages))
    }

    /// Whether it says that it signs answers of OCSP.
    pub(super) fn signs_ocsp(&self) -> bool {
        let usages = self.usages.as_deref().unwrap_or_default();
        usages.contains(&OCSP_SIGNING)
    }

    /// Its number as people write it.
    pub(super) fn serial_number(&self) -> String {
        coffer_wire::digits(&self.serial)
    }

    /// What an extension holds, by its identifier in dots.
    pub(super) fn extension(&self, oid: &str) -> Option<&[u8]> {
        let found = self.extensions.iter().find(|(name, _)| name == oid);
        found.map(|(_, value)| value.as_slice())
    }

    /// Whether a name in it holds what no name holds: signs that end a text elsewhere, or steer a terminal.
    pub(super) fn has_strange_names(&self) -> bool {
        let lists = [&self.units, &self.dns_names, &self.emails, &self.uris];
        let names = lists.into_iter().flatten().chain([&self.common_name]);
        names.flat_map(|name| name.chars()).any(char::is_control)
    }
}

/// The certificates of a text in PEM; what else it holds is passed over, as is what follows the last.
pub(super) fn from_pem(text: &str) -> Result<Vec<Arc<Certificate>>, Unreadable> {
    let mut found = Vec::new();
    for der in CertificateDer::pem_slice_iter(text.as_bytes()) {
        let der = der.map_err(|error| Unreadable(error.to_string()))?;
        found.push(Certificate::read(&der)?);
    }
    Ok(found)
}

/// The text of a value, where it is one of the kinds of text of ASN.1.
pub(super) fn text_of(value: AnyRef<'_>) -> Option<String> {
    let bytes = value.value();
    match value.tag() {
        Tag::Utf8String | Tag::PrintableString | Tag::Ia5String | Tag::NumericString => {
            String::from_utf8(bytes.to_vec()).ok()
        }
        // In use it is Latin-1, whatever the standard says.
        Tag::TeletexString => Some(bytes.iter().map(|byte| char::from(*byte)).collect()),
        Tag::BmpString => {
            let pairs = bytes.chunks_exact(2);
            if !pairs.remainder().is_empty() {
                return None;
            }
            let units = pairs.map(|pair| u16::from_be_bytes([first(pair), last(pair)]));
            String::from_utf16(&units.collect::<Vec<_>>()).ok()
        }
        _ => None,
    }
}

fn first(pair: &[u8]) -> u8 {
    pair.first().copied().unwrap_or_default()
}

fn last(pair: &[u8]) -> u8 {
    pair.last().copied().unwrap_or_default()
}

fn names_client(usages: &[ObjectIdentifier]) -> bool {
    usages.contains(&CLIENT_AUTH) || usages.contains(&ANY_USAGE)
}

#[derive(Default)]
struct SubjectNames {
    common_name: String,
    units: Vec<String>,
}

fn names_of(name: &Name) -> Result<SubjectNames, Unreadable> {
    let mut names = SubjectNames::default();
    for attribute in name.iter() {
        let text = || {
            let text = text_of((&attribute.value).into());
            text.ok_or_else(|| Unreadable("a name in it is no text".to_owned()))
        };
        match attribute.oid {
            COMMON_NAME => names.common_name = text()?,
            ORGANIZATIONAL_UNIT => names.units.push(text()?),
            _ => {}
        }
    }
    Ok(names)
}

#[derive(Default)]
struct AlternativeNames {
    dns: Vec<String>,
    emails: Vec<String>,
    uris: Vec<String>,
}

impl AlternativeNames {
    /// Kinds of names that nobody asks for are passed over, however they are made.
    fn of(body: &TbsCertificateInner<Raw>) -> Result<Self, Unreadable> {
        let mut names = Self::default();
        let all = body.extensions().map_or(&[][..], Vec::as_slice);
        let Some(found) = all.iter().find(|it| it.extn_id == SUBJECT_ALT_NAME) else {
            return Ok(names);
        };
        let sequence = AnyRef::from_der(found.extn_value.as_bytes())?;
        sequence.tag().assert_eq(Tag::Sequence)?;
        let mut reader = SliceReader::new(sequence.value())?;
        while !reader.is_finished() {
            let name = AnyRef::decode(&mut reader)?;
            let Tag::ContextSpecific { number, .. } = name.tag() else {
                return Err(Unreadable("an alternative name has no kind".to_owned()));
            };
            let list = match number {
                TagNumber(1) => &mut names.emails,
                TagNumber(2) => &mut names.dns,
                TagNumber(6) => &mut names.uris,
                _ => continue,
            };
            let text = std::str::from_utf8(name.value()).ok();
            let text = text.filter(|text| text.is_ascii());
            let text = text.ok_or_else(|| Unreadable("an alternative name is not ASCII".into()))?;
            list.push(text.to_owned());
        }
        Ok(names)
    }
}

fn extensions_of(body: &TbsCertificateInner<Raw>) -> Vec<(String, Vec<u8>)> {
    let all = body.extensions().into_iter().flatten();
    all.map(|it| (it.extn_id.to_string(), it.extn_value.as_bytes().to_vec()))
        .collect()
}

fn ocsp_servers(body: &TbsCertificateInner<Raw>) -> Result<Vec<String>, Unreadable> {
    let Some((_, access)) = body.get_extension::<AuthorityInfoAccessSyntax>()? else {
        return Ok(Vec::new());
    };
    let ocsp = access.0.into_iter().filter(|it| it.access_method == OCSP);
    let uri = |name| match name {
        GeneralName::UniformResourceIdentifier(uri) => Some(uri.to_string()),
        _ => None,
    };
    Ok(ocsp.filter_map(|it| uri(it.access_location)).collect())
}

/// A number without the zero that keeps it positive.
pub(super) fn serial(bytes: &[u8]) -> Result<Vec<u8>, Unreadable> {
    if bytes.first().is_some_and(|byte| byte & 0x80 != 0) {
        return Err(Unreadable("its serial number is negative".to_owned()));
    }
    let digits = bytes.iter().copied().skip_while(|byte| *byte == 0);
    Ok(digits.collect())
}

pub(super) fn whole_bytes(bits: BitStringRef<'_>) -> Result<Vec<u8>, Unreadable> {
    let bytes = bits.as_bytes();
    let bytes = bytes.ok_or_else(|| Unreadable("a bit string is not of whole bytes".to_owned()))?;
    Ok(bytes.to_vec())
}
