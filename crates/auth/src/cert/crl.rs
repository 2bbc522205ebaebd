//! Lists of revoked certificates, read and kept in memory.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use coffer_crypto::sha256;
use der::asn1::{AnyRef, ObjectIdentifier};
use der::{Decode, Encode, Sequence};
use parking_lot::Mutex;
use x509_cert::ext::pkix::crl::dp::IssuingDistributionPoint;
use x509_cert::ext::{Extension, Extensions};
use x509_cert::time::Time;

use super::certificate::{self, Certificate, Signed, Unreadable};
use super::signature;
use super::trust::{Chain, Refusal};

/// How long a list may be, in bytes.
pub(super) const LIST_BYTES_MAX: usize = 8 << 20;
/// How many keys are remembered that signed a list.
const SIGNERS_MAX: usize = 16;

const REASON: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.21");
const DISTRIBUTION_POINT: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.28");
/// The reason "not revoked any more", an ENUMERATED in DER.
const REMOVED: &[u8] = &[10, 1, 8];

/// A list of revoked certificates.
#[derive(Debug)]
pub(super) struct List {
    /// Whose certificates it is about, in DER; none where it is about those of several.
    issuer: Option<Vec<u8>>,
    /// The numbers of the revoked ones.
    serials: HashSet<Vec<u8>>,
    /// When it was made, since 1970.
    this_update: Duration,
    /// When the next one is to be expected, since 1970.
    pub(super) next_update: Option<Duration>,
    signed: Signed,
    /// The keys of which it is known that they signed it.
    signers: Mutex<Vec<Vec<u8>>>,
}

#[derive(Sequence)]
struct Outer<'a> {
    body: Body<'a>,
    algorithm: AnyRef<'a>,
    signature: AnyRef<'a>,
}

#[derive(Sequence)]
struct Body<'a> {
    #[asn1(optional = "true")]
    version: Option<u8>,
    algorithm: AnyRef<'a>,
    issuer: AnyRef<'a>,
    this_update: Time,
    #[asn1(optional = "true")]
    next_update: Option<Time>,
    #[asn1(optional = "true")]
    revoked: Option<Vec<Entry<'a>>>,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    extensions: Option<Extensions>,
}

#[derive(Sequence)]
struct Entry<'a> {
    serial: AnyRef<'a>,
    revoked_at: Time,
    #[asn1(optional = "true")]
    extensions: Option<Vec<Extension>>,
}

impl List {
    /// Reads one in DER.
    pub(super) fn read(der: &[u8]) -> Result<Self, Unreadable> {
        if der.len() > LIST_BYTES_MAX {
            return Err(Unreadable(format!(
                "it is longer than {LIST_BYTES_MAX} bytes"
            )));
        }
        let body = Outer::from_der(der)?.body;
        let mut serials = HashSet::new();
        for entry in body.revoked.unwrap_or_default() {
            if !entry.is_taken_back() {
                serials.insert(certificate::serial(entry.serial.value())?);
            }
        }
        let is_indirect = is_indirect(body.extensions.as_deref().unwrap_or_default())?;
        Ok(Self {
            issuer: Some(body.issuer.to_der()?).filter(|_| !is_indirect),
            serials,
            this_update: body.this_update.to_unix_duration(),
            next_update: body.next_update.map(|time| time.to_unix_duration()),
            signed: Signed::read(der)?,
            signers: Mutex::default(),
        })
    }

    /// Whether it may take the place of another: it is about the same issuer's certificates, and not from before.
    pub(super) fn may_follow(&self, old: &Self) -> bool {
        self.issuer == old.issuer && self.this_update >= old.this_update
    }

    /// The numbers of the revoked certificates.
    pub(super) fn serials(&self) -> impl Iterator<Item = &Vec<u8>> {
        self.serials.iter()
    }

    fn is_about(&self, issuer: &[u8]) -> bool {
        self.issuer.as_ref().is_none_or(|own| own == issuer)
    }

    fn is_by(&self, signer: &Certificate) -> bool {
        if self.signers.lock().contains(&signer.key.bits) {
            return true;
        }
        let is_by = signature::is_by(&self.signed, &signer.key);
        let mut signers = self.signers.lock();
        if is_by && signers.len() < SIGNERS_MAX {
            signers.push(signer.key.bits.clone());
        }
        is_by
    }
}

impl Entry<'_> {
    /// Whether it says that a certificate is not revoked any more.
    fn is_taken_back(&self) -> bool {
        let mut extensions = self.extensions.iter().flatten();
        extensions.any(|it| it.extn_id == REASON && it.extn_value.as_bytes() == REMOVED)
    }
}

fn is_indirect(extensions: &[Extension]) -> Result<bool, Unreadable> {
    let point = extensions
        .iter()
        .find(|it| it.extn_id == DISTRIBUTION_POINT);
    let point = point.map(|it| IssuingDistributionPoint::from_der(it.extn_value.as_bytes()));
    Ok(point.transpose()?.is_some_and(|point| point.indirect_crl))
}

/// A list that counts at a login.
#[derive(Clone)]
pub(super) struct InForce {
    pub(super) list: Arc<List>,
    /// Whether it came from an address, by whatever way, and not from an operator.
    pub(super) is_fetched: bool,
}

/// What the lists have against a chain.
///
/// A list is about its own issuer's certificates: numbers of others mean nothing. One that was fetched could have been
/// exchanged on its way; it has to be signed by the issuer whose certificates it is about, or that issuer's certificates are
/// of no use until the right one is there.
pub(super) fn against(lists: &[InForce], chain: &Chain) -> Option<Refusal> {
    for (at, one) in chain.iter().enumerate() {
        let own = Some(one).filter(|one| one.subject == one.issuer);
        let issuer = chain.get(at + 1).or(own);
        let about: Vec<_> = lists
            .iter()
            .filter(|it| it.list.is_about(&one.issuer))
            .collect();
        if about.iter().any(|it| it.list.serials.contains(&one.serial)) {
            return Some(Refusal::Revoked);
        }
        let is_fetched = |it: &&&InForce| it.is_fetched && it.list.issuer.is_some();
        let mut fetched = about.iter().filter(is_fetched).peekable();
        let is_forged = issuer.is_some_and(|issuer| {
            fetched.peek().is_some() && !fetched.any(|it| it.list.is_by(issuer))
        });
        if is_forged {
            return Some(Refusal::Unfit(
                "the fetched list of revoked certificates is not signed by its issuer",
            ));
        }
    }
    None
}

/// Lists that were read, by what they are made of.
#[derive(Default)]
pub(super) struct Cache(Mutex<HashMap<String, Arc<List>>>);

impl Cache {
    /// The list of that digest, if it was read.
    pub(super) fn get(&self, digest: &str) -> Option<Arc<List>> {
        self.0.lock().get(digest).cloned()
    }

    /// Keeps a list.
    pub(super) fn put(&self, digest: String, list: Arc<List>) {
        self.0.lock().insert(digest, list);
    }

    /// Forgets those that are not among these.
    pub(super) fn keep_only(&self, digests: &[String]) {
        let mut lists = self.0.lock();
        if lists.len() > digests.len() {
            lists.retain(|digest, _| digests.contains(digest));
        }
    }
}

/// What tells a list from others.
pub(super) fn digest(der: &[u8]) -> String {
    hex::encode(sha256(der))
}
