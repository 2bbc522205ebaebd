//! Looking at a request that somebody signed.

use std::fmt;

use super::canonical::{Received, decoded};
use super::{ALGORITHM, Credentials, Scope, hex, moment};
use crate::{Secret, constant_time_eq, hmac_sha256};

/// Longest name of a key, region or service, in bytes.
const MAX_NAME_BYTES: usize = 128;
/// The most header fields that a signature may name.
const MAX_SIGNED_HEADERS: usize = 100;
/// The last word of every scope.
const ENDING: &str = "aws4_request";
/// Header fields that carry the time, the first one that is there.
const TIMES: [&str; 2] = ["x-amz-date", "date"];
/// What begins the names of the fields that must be signed where they are there.
const AMAZON: &str = "x-amz-";
/// A signature in the query says its algorithm by this parameter.
const IN_QUERY: &str = "x-amz-algorithm";

/// What a signed request says of itself, taken apart and put into its normal form. It proves nothing before
/// [`Presented::is_by`].
#[derive(Clone, PartialEq, Eq)]
pub struct Presented {
    access_key: String,
    date: String,
    region: String,
    service: String,
    signed: String,
    time: u64,
    text: String,
    signature: String,
}

/// Why a request is none that is signed as it has to be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsigned {
    /// There is no signature.
    #[error("the request is not signed")]
    Missing,
    /// The signature is in the query.
    #[error(
        "a signature in the query (a presigned URL) is not supported; send it in the header Authorization"
    )]
    InQuery,
    /// Something is missing, or can not be read.
    #[error("{0}")]
    Incomplete(String),
    /// Everything can be read, and does not fit together.
    #[error("{0}")]
    Wrong(String),
}

impl Presented {
    /// Takes a request apart.
    ///
    /// # Errors
    /// Where it has no signature, one that can not be read, or one that leaves out what must be signed: the host, the time
    /// and every field `x-amz-…`.
    pub fn read(received: &Received<'_>) -> Result<Self, Unsigned> {
        let authorization = authorization(received)?;
        let named = Named::read(authorization)?;
        let scope = named.scope()?;
        let signed = named.signed_headers(received)?;
        let (field, text) = time_of(received)?;
        if !signed.contains(&field) {
            return Err(not_signed(field));
        }
        let time = moment::read(text).ok_or_else(|| {
            Unsigned::Incomplete(format!("{field} is no time in the form 20150830T123600Z"))
        })?;
        let stamp = moment::write(time);
        if !stamp.starts_with(scope.date) {
            return Err(Unsigned::Wrong(format!(
                "Date in Credential scope does not match YYYYMMDD from {field}: {:?} is not of {stamp}",
                scope.date
            )));
        }
        let hash = hex(&received.hash(&signed));
        let Scoped {
            access_key,
            date,
            region,
            service,
        } = scope;
        Ok(Self {
            text: format!("{ALGORITHM}\n{stamp}\n{date}/{region}/{service}/{ENDING}\n{hash}"),
            access_key: access_key.to_owned(),
            date: date.to_owned(),
            region: region.to_owned(),
            service: service.to_owned(),
            signed: named.signed_headers.to_owned(),
            time,
            signature: named.signature.to_owned(),
        })
    }

    /// The name of the key that it claims to be signed with.
    #[must_use]
    pub fn access_key(&self) -> &str {
        &self.access_key
    }

    /// The region it is for.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.region
    }

    /// The service it is for.
    #[must_use]
    pub fn service(&self) -> &str {
        &self.service
    }

    /// Whether it signs the header field of that name, in lower case.
    #[must_use]
    pub fn signs(&self, name: &str) -> bool {
        self.signed.split(';').any(|signed| signed == name)
    }

    /// When it was signed, in seconds since the Unix epoch.
    #[must_use]
    pub fn time(&self) -> u64 {
        self.time
    }

    /// When it was signed, as it says.
    #[must_use]
    pub fn stamp(&self) -> String {
        moment::write(self.time)
    }

    /// Whether it is signed with this key, in constant time.
    #[must_use]
    pub fn is_by(&self, secret_key: &Secret<String>) -> bool {
        let credentials = Credentials {
            access_key: String::new(),
            secret_key: secret_key.clone(),
            session_token: None,
        };
        let scope = Scope {
            time: "",
            region: &self.region,
            service: &self.service,
        };
        let key = credentials.key(&self.date, scope);
        let right = hex(&hmac_sha256(key.expose(), self.text.as_bytes()));
        constant_time_eq(right.as_bytes(), self.signature.as_bytes())
    }
}

impl fmt::Debug for Presented {
    /// Without the signature: who has it can send the request again for some minutes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Presented")
            .field("access_key", &self.access_key)
            .field("region", &self.region)
            .field("service", &self.service)
            .field("time", &self.time)
            .finish_non_exhaustive()
    }
}

/// The parts of the header field, as they came.
struct Named<'a> {
    credential: &'a str,
    signed_headers: &'a str,
    signature: &'a str,
}

/// The parts of a credential.
struct Scoped<'a> {
    access_key: &'a str,
    date: &'a str,
    region: &'a str,
    service: &'a str,
}

impl<'a> Named<'a> {
    fn read(authorization: &'a str) -> Result<Self, Unsigned> {
        let rest = authorization.strip_prefix(ALGORITHM).ok_or_else(|| {
            Unsigned::Incomplete(format!(
                "Unsupported AWS 'algorithm'; only {ALGORITHM} is supported"
            ))
        })?;
        let mut found = [None; 3];
        for part in rest.split(',') {
            let Some((name, value)) = part.trim().split_once('=') else {
                return Err(Unsigned::Incomplete(
                    "Invalid key=value pair (missing equal-sign) in Authorization header"
                        .to_owned(),
                ));
            };
            let at = PARTS.iter().position(|known| *known == name);
            let place = at.and_then(|at| found.get_mut(at));
            let place = place.ok_or_else(|| {
                Unsigned::Incomplete("Authorization header has an unknown parameter".to_owned())
            })?;
            if place.replace(value).is_some() {
                let text = format!("Authorization header has '{name}' twice");
                return Err(Unsigned::Incomplete(text));
            }
        }
        let [credential, signed_headers, signature] = found;
        let part = |at: usize, value: Option<&'a str>| {
            let name = PARTS.get(at).copied().unwrap_or_default();
            value.filter(|value| !value.is_empty()).ok_or_else(|| {
                Unsigned::Incomplete(format!("Authorization header requires '{name}' parameter"))
            })
        };
        let signature = part(2, signature)?;
        if signature.len() != 64 || !signature.bytes().all(is_hex) {
            let text =
                "Authorization header's 'Signature' is not 64 hexadecimal digits in lower case";
            return Err(Unsigned::Incomplete(text.to_owned()));
        }
        Ok(Self {
            credential: part(0, credential)?,
            signed_headers: part(1, signed_headers)?,
            signature,
        })
    }

    fn scope(&self) -> Result<Scoped<'a>, Unsigned> {
        let mut parts = self.credential.split('/');
        let mut next = || parts.next().filter(|part| is_name(part));
        let scope = (|| {
            let scoped = Scoped {
                access_key: next()?,
                date: next()?,
                region: next()?,
                service: next()?,
            };
            let ending = next()?;
            (ending == ENDING && scoped.date.len() == 8).then_some(scoped)
        })();
        scope.filter(|_| parts.next().is_none()).ok_or_else(|| {
            Unsigned::Incomplete(format!(
                "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/{ENDING}"
            ))
        })
    }

    /// The names of what is signed: in order, each once, and with all that must be among them.
    fn signed_headers(&self, received: &Received<'_>) -> Result<Vec<&'a str>, Unsigned> {
        let names: Vec<&str> = self.signed_headers.split(';').collect();
        let in_order = names.windows(2).all(|pair| pair.first() < pair.last());
        let lower = |name: &&str| !name.is_empty() && !name.bytes().any(|b| b.is_ascii_uppercase());
        if !in_order || names.len() > MAX_SIGNED_HEADERS || !names.iter().all(lower) {
            return Err(Unsigned::Incomplete(
                "'SignedHeaders' must be names in lower case and in order, each once".to_owned(),
            ));
        }
        if let Some(absent) = names
            .iter()
            .find(|name| received.values(name).next().is_none())
        {
            let text = format!("'SignedHeaders' names '{absent}', which the request does not have");
            return Err(Unsigned::Wrong(text));
        }
        let mut must = received.headers.iter().map(|(name, _)| *name);
        let must = must.find(|name| name.starts_with(AMAZON) && !names.contains(name));
        match must.or((!names.contains(&"host")).then_some("host")) {
            Some(left_out) => Err(not_signed(left_out)),
            None => Ok(names),
        }
    }
}

/// The names of the parts of the header field.
const PARTS: [&str; 3] = ["Credential", "SignedHeaders", "Signature"];

/// The one header field that carries the signature.
fn authorization<'a>(received: &Received<'a>) -> Result<&'a str, Unsigned> {
    let mut parameters = received.query.split('&');
    let in_query = parameters.any(|pair| {
        let name = pair.split('=').next().unwrap_or_default();
        decoded(name).eq_ignore_ascii_case(IN_QUERY.as_bytes())
    });
    if in_query {
        return Err(Unsigned::InQuery);
    }
    match received.values("authorization").count() {
        0 => Err(Unsigned::Missing),
        _ => received.only("authorization").ok_or_else(|| {
            Unsigned::Incomplete("there must be one Authorization header, of plain text".to_owned())
        }),
    }
}

/// The field that carries the time, and its value.
fn time_of<'a>(received: &Received<'a>) -> Result<(&'static str, &'a str), Unsigned> {
    let present = TIMES
        .iter()
        .find(|name| received.values(name).next().is_some());
    let field = present.copied().ok_or_else(|| {
        Unsigned::Incomplete(
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header"
                .to_owned(),
        )
    })?;
    match received.only(field) {
        Some(text) => Ok((field, text)),
        None => Err(Unsigned::Incomplete(format!(
            "there must be one '{field}' header"
        ))),
    }
}

fn not_signed(name: &str) -> Unsigned {
    Unsigned::Wrong(format!(
        "'{name}' must be a 'SignedHeader' in the AWS Authorization"
    ))
}

fn is_hex(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

/// Whether a part of a credential is one that we repeat in answers and look up.
fn is_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    !text.is_empty() && text.len() <= MAX_NAME_BYTES && text.bytes().all(plain)
}
