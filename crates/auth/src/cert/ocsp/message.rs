//! The messages of OCSP (RFC 6960), written and read.

use std::time::Duration;

use der::asn1::{AnyRef, BitStringRef, GeneralizedTime, Int, Null, ObjectIdentifier, OctetString};
use der::{Choice, Decode, Encode, Enumerated, Sequence};
use x509_cert::ext::{Extension, Extensions};

use crate::cert::certificate::{Certificate, Signed, Unreadable, whole_bytes};

/// How long an answer may be, in bytes.
pub(super) const ANSWER_BYTES_MAX: usize = 64 * 1024;

const SHA1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.14.3.2.26");
const NONCE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1.2");
const BASIC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1.1");

/// Which certificate is meant.
///
/// By SHA-1 of the issuer's name and key: every responder knows that hash. It names the issuer, it protects nothing.
#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
pub(super) struct CertId {
    hash: Algorithm,
    issuer_name_hash: OctetString,
    issuer_key_hash: OctetString,
    serial: Int,
}

#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
struct Algorithm {
    oid: ObjectIdentifier,
    #[asn1(optional = "true")]
    parameters: Option<Null>,
}

#[derive(Sequence)]
struct Request {
    body: RequestBody,
}

#[derive(Sequence)]
struct RequestBody {
    list: Vec<RequestFor>,
    #[asn1(context_specific = "2", tag_mode = "EXPLICIT", optional = "true")]
    extensions: Option<Extensions>,
}

#[derive(Sequence)]
struct RequestFor {
    id: CertId,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Enumerated)]
#[repr(u8)]
enum Status {
    Successful = 0,
    MalformedRequest = 1,
    InternalError = 2,
    TryLater = 3,
    SigRequired = 5,
    Unauthorized = 6,
}

#[derive(Sequence)]
struct Response<'a> {
    status: Status,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    bytes: Option<ResponseBytes<'a>>,
}

#[derive(Sequence)]
struct ResponseBytes<'a> {
    kind: ObjectIdentifier,
    #[asn1(type = "OCTET STRING")]
    response: &'a [u8],
}

#[derive(Sequence)]
struct Basic<'a> {
    body: Body<'a>,
    algorithm: AnyRef<'a>,
    signature: BitStringRef<'a>,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    certificates: Option<Vec<AnyRef<'a>>>,
}

/// What all of `Basic` has before its certificates is what is signed elsewhere.
#[derive(Sequence)]
struct Body<'a> {
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    version: Option<u8>,
    responder: AnyRef<'a>,
    produced_at: GeneralizedTime,
    answers: Vec<Single>,
    #[asn1(context_specific = "1", tag_mode = "EXPLICIT", optional = "true")]
    extensions: Option<Extensions>,
}

#[derive(Sequence)]
struct Single {
    id: CertId,
    standing: RawStanding,
    this_update: GeneralizedTime,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    next_update: Option<GeneralizedTime>,
    #[asn1(context_specific = "1", tag_mode = "EXPLICIT", optional = "true")]
    extensions: Option<Extensions>,
}

#[derive(Choice)]
enum RawStanding {
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT")]
    Good(Null),
    #[asn1(context_specific = "1", tag_mode = "IMPLICIT", constructed = "true")]
    Revoked(RevokedInfo),
    #[asn1(context_specific = "2", tag_mode = "IMPLICIT")]
    Unknown(Null),
}

#[derive(Sequence)]
struct RevokedInfo {
    at: GeneralizedTime,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    reason: Option<Reason>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Enumerated)]
#[repr(u8)]
enum Reason {
    Unspecified = 0,
    KeyCompromise = 1,
    CaCompromise = 2,
    AffiliationChanged = 3,
    Superseded = 4,
    CessationOfOperation = 5,
    CertificateHold = 6,
    RemoveFromCrl = 8,
    PrivilegeWithdrawn = 9,
    AaCompromise = 10,
}

/// What a responder says of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Good,
    Revoked,
    Unknown,
}

/// A responder's answer. Who signed it, nobody has looked at.
pub(super) struct Answer {
    pub(super) signed: Signed,
    /// What came with it, in DER.
    pub(super) certificates: Vec<Vec<u8>>,
    /// What was said of the certificate that was asked about.
    pub(super) standing: Standing,
    /// When that was known, since 1970.
    pub(super) this_update: Duration,
    /// Until when it holds, since 1970.
    pub(super) next_update: Option<Duration>,
    /// What shows that the answer is to this question, if the responder does that.
    pub(super) nonce: Option<Vec<u8>>,
}

impl CertId {
    /// The name of a certificate of this issuer.
    pub(super) fn of(leaf: &Certificate, issuer: &Certificate) -> Result<Self, Unreadable> {
        // A number is positive: one that begins with a high bit has a zero in front.
        let zero = leaf.serial.first().is_none_or(|byte| byte & 0x80 != 0);
        let serial = std::iter::repeat_n(0, usize::from(zero)).chain(leaf.serial.iter().copied());
        Ok(Self {
            hash: Algorithm {
                oid: SHA1,
                parameters: Some(Null),
            },
            issuer_name_hash: OctetString::new(coffer_crypto::sha1(&issuer.subject))?,
            issuer_key_hash: OctetString::new(coffer_crypto::sha1(&issuer.key.bits))?,
            serial: Int::new(&serial.collect::<Vec<_>>())?,
        })
    }

    /// Whether both name one certificate, whether or not the hash says that it takes no parameters.
    fn is(&self, other: &Self) -> bool {
        self.hash.oid == other.hash.oid
            && self.issuer_name_hash == other.issuer_name_hash
            && self.issuer_key_hash == other.issuer_key_hash
            && self.serial == other.serial
    }
}

/// The question about one certificate.
pub(super) fn request(id: &CertId, nonce: &[u8]) -> Result<Vec<u8>, Unreadable> {
    let nonce = OctetString::new(nonce)?.to_der()?;
    let nonce = Extension {
        extn_id: NONCE,
        critical: false,
        extn_value: OctetString::new(nonce)?,
    };
    let body = RequestBody {
        list: vec![RequestFor { id: id.clone() }],
        extensions: Some(vec![nonce]),
    };
    Ok(Request { body }.to_der()?)
}

impl Answer {
    /// Reads what was said of one certificate.
    pub(super) fn read(der: &[u8], about: &CertId) -> Result<Self, Unreadable> {
        if der.len() > ANSWER_BYTES_MAX {
            return Err(Unreadable(format!(
                "it is longer than {ANSWER_BYTES_MAX} bytes"
            )));
        }
        let response = Response::from_der(der)?;
        if response.status != Status::Successful {
            return Err(Unreadable(format!(
                "the responder says {:?}",
                response.status
            )));
        }
        let bytes = response.bytes.filter(|bytes| bytes.kind == BASIC);
        let bytes =
            bytes.ok_or_else(|| Unreadable("it is of a kind that is not understood".into()))?;
        let basic = Basic::from_der(bytes.response)?;
        let signed = Signed {
            message: message_of(bytes.response)?,
            algorithm: basic.algorithm.value().to_vec(),
            signature: whole_bytes(basic.signature)?,
        };
        let extensions = basic.body.extensions.unwrap_or_default();
        if extensions.iter().any(|it| it.critical) {
            return Err(Unreadable("it has a critical extension".to_owned()));
        }
        let mut answers = basic.body.answers.into_iter();
        let single = answers.find(|single| single.id.is(about));
        let single = single.ok_or_else(|| Unreadable("it is about other certificates".into()))?;
        let certificates = basic.certificates.unwrap_or_default();
        let certificates = certificates.iter().map(AnyRef::to_der);
        Ok(Self {
            signed,
            certificates: certificates.collect::<Result<_, _>>()?,
            standing: single.standing.into(),
            this_update: single.this_update.to_unix_duration(),
            next_update: single.next_update.map(|time| time.to_unix_duration()),
            nonce: nonce(&extensions)?,
        })
    }
}

impl From<RawStanding> for Standing {
    fn from(raw: RawStanding) -> Self {
        match raw {
            RawStanding::Good(_) => Self::Good,
            RawStanding::Revoked(_) => Self::Revoked,
            RawStanding::Unknown(_) => Self::Unknown,
        }
    }
}

/// The bytes that the signature is over: the first part, as it came.
fn message_of(basic: &[u8]) -> Result<Vec<u8>, Unreadable> {
    #[derive(Sequence)]
    struct Parts<'a> {
        body: AnyRef<'a>,
        algorithm: AnyRef<'a>,
        signature: AnyRef<'a>,
        #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
        certificates: Option<AnyRef<'a>>,
    }
    Ok(Parts::from_der(basic)?.body.to_der()?)
}

/// What proves that an answer is fresh. Some responders leave out the inner wrapping.
fn nonce(extensions: &[Extension]) -> Result<Option<Vec<u8>>, Unreadable> {
    let found = extensions.iter().find(|it| it.extn_id == NONCE);
    let Some(found) = found else { return Ok(None) };
    let outer = found.extn_value.as_bytes();
    let inner = OctetString::from_der(outer).map(OctetString::into_bytes);
    Ok(Some(
        inner.map_or_else(|_| outer.to_vec(), |inner| inner.to_vec()),
    ))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::cert::signature;

    const ANSWER: &[u8] = include_bytes!("testdata/answer.der");

    fn pair() -> (Arc<Certificate>, Arc<Certificate>) {
        let leaf = Certificate::read(include_bytes!("testdata/leaf.der")).unwrap();
        let issuer = Certificate::read(include_bytes!("testdata/authority.der")).unwrap();
        (leaf, issuer)
    }

    #[test]
    fn a_question_is_as_others_ask_it() {
        let (leaf, issuer) = pair();
        let id = CertId::of(&leaf, &issuer).unwrap();
        let asked = request(&id, b"the nonce").unwrap();
        assert_eq!(asked, include_bytes!("testdata/request.der"));
    }

    #[test]
    fn an_answer_is_read() {
        let (leaf, issuer) = pair();
        let id = CertId::of(&leaf, &issuer).unwrap();
        let answer = Answer::read(ANSWER, &id).unwrap();
        assert!(signature::is_by(&answer.signed, &issuer.key));
        assert!(!signature::is_by(&answer.signed, &leaf.key));
        assert_eq!(answer.standing, Standing::Good);
        assert_eq!(answer.nonce.unwrap(), b"the nonce");
        assert_eq!(answer.certificates, [issuer.der.as_ref()]);
        assert!(answer.this_update < answer.next_update.unwrap());
        let other = CertId::of(&issuer, &issuer).unwrap();
        assert!(Answer::read(ANSWER, &other).is_err());
    }

    /// Whatever is changed on the way is not read, not signed, or beside the point.
    #[test]
    fn no_changed_byte_changes_what_is_believed() {
        let (leaf, issuer) = pair();
        let id = CertId::of(&leaf, &issuer).unwrap();
        let right = Answer::read(ANSWER, &id).unwrap();
        for at in 0..ANSWER.len() {
            for bit in 0..8 {
                let mut changed = ANSWER.to_vec();
                changed[at] ^= 1 << bit;
                let Ok(answer) = Answer::read(&changed, &id) else {
                    continue;
                };
                if signature::is_by(&answer.signed, &issuer.key) {
                    assert_eq!(answer.signed.message, right.signed.message, "byte {at}");
                    assert_eq!(answer.standing, Standing::Good);
                    assert_eq!(answer.next_update, right.next_update);
                }
            }
        }
    }

    proptest! {
        #[test]
        fn no_bytes_bring_it_down(bytes in proptest::collection::vec(any::<u8>(), 0..200), at in 0..649_usize) {
            let (leaf, issuer) = pair();
            let id = CertId::of(&leaf, &issuer).unwrap();
            let _ = Answer::read(&bytes, &id);
            let cut = [&ANSWER[..at.min(ANSWER.len())], bytes.as_slice()].concat();
            let _ = Answer::read(&cut, &id);
            let _ = Certificate::read(&bytes);
            let _ = crate::cert::crl::List::read(&bytes);
        }
    }
}
