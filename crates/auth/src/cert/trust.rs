//! Whether what a role trusts vouches for a certificate.
//!
//! Paths of signatures are built and checked by `webpki`: names, validity, key usage for clients, name constraints, path
//! length, critical extensions, and a bound on the work. It checks no property of the authority that is trusted, so that is
//! done here. Two kinds of certificates it refuses by their form are judged here as well: the very certificate that a role
//! holds (who signs themselves is their own authority), and those of version 1, which can say nothing about themselves.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use rustls_pki_types::{CertificateDer, TrustAnchor, UnixTime};
use webpki::{
    EndEntityCert, Error, ExtendedKeyUsageValidator, KeyPurposeIdIter, KeyUsage,
    RequiredEkuNotFoundContext, VerifiedPath,
};

use super::certificate::Certificate;
use super::signature;

/// How many signatures are checked to see which of what is shown belong together.
const CHECKS_MAX: usize = 64;
/// How many authorities of one name may have signed the same.
const NAMESAKES_MAX: usize = 4;
const TOO_MUCH_WORK: Refusal = Refusal::Unfit("it takes too much work to check what was shown");

/// A certificate, who signed it, who signed that, up to what is trusted.
pub(super) type Chain = Vec<Arc<Certificate>>;

/// Why a certificate is of no use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Nothing that is trusted vouches for it.
    NotTrusted,
    /// Something that is trusted would vouch for it, if it were otherwise.
    Unfit(&'static str),
    /// It, or one that vouches for it, is revoked.
    Revoked,
}

/// What a client showed.
pub(super) struct Shown {
    /// The certificate whose key it holds.
    pub(super) leaf: Arc<Certificate>,
    /// Whatever it showed beside that.
    pub(super) others: Vec<Arc<Certificate>>,
}

impl Shown {
    /// Without what signed nothing of it.
    ///
    /// Paths are looked for by names first, and strangers choose those: a hundred authorities of one name, each of which
    /// could have signed each other, are more paths than anybody can look at. So only those stay that did sign, few of one
    /// name, and after a while nobody looks any further.
    pub(super) fn narrowed(&self) -> Result<Self, Refusal> {
        let (mut kept, mut next) = (Vec::new(), Some(Arc::clone(&self.leaf)));
        let (mut at, mut checks) = (0, 0);
        while let Some(child) = next {
            for other in self.others.iter().filter(|it| it.subject == child.issuer) {
                let namesakes = kept
                    .iter()
                    .filter(|it: &&Arc<Certificate>| it.subject == other.subject);
                let is_known =
                    kept.iter().any(|it| it.der == other.der) || other.der == self.leaf.der;
                if is_known || namesakes.count() >= NAMESAKES_MAX {
                    continue;
                }
                checks += 1;
                if checks > CHECKS_MAX {
                    return Err(TOO_MUCH_WORK);
                }
                if signature::is_by(&child.signed, &other.key) {
                    kept.push(Arc::clone(other));
                }
            }
            next = kept.get(at).cloned();
            at += 1;
        }
        Ok(Self {
            leaf: Arc::clone(&self.leaf),
            others: kept,
        })
    }
}

/// The first chain from what is shown to what is trusted that nobody has anything against.
pub(super) fn chain(
    shown: &Shown,
    trusted: &[Arc<Certificate>],
    now: Duration,
    against: &dyn Fn(&Chain) -> Option<Refusal>,
) -> Result<Chain, Refusal> {
    if trusted.iter().any(|one| one.der == shown.leaf.der) {
        return pinned(shown, trusted, now, against);
    }
    let (anchors, expired): (Vec<_>, Vec<_>) = trusted
        .iter()
        .filter(|one| one.may_sign_certificates() && one.is_for_clients())
        .cloned()
        .partition(|one| one.is_valid_at(now));
    let found = match shown.leaf.has_extensions {
        true => path(shown, &anchors, now, against),
        false => direct(shown, &anchors, now, against),
    };
    let is_late = || expired.iter().any(|one| one.subject == shown.leaf.issuer);
    match found {
        Err(Refusal::NotTrusted) if is_late() => {
            Err(Refusal::Unfit("the authority of the role is not valid now"))
        }
        other => other,
    }
}

/// Whether a role that trusts these could vouch for what is shown, by names alone.
pub(super) fn may_vouch(shown: &Shown, trusted: &[Arc<Certificate>]) -> bool {
    let all = || std::iter::once(&shown.leaf).chain(&shown.others);
    trusted
        .iter()
        .any(|one| one.der == shown.leaf.der || all().any(|it| it.issuer == one.subject))
}

/// The very certificate that a role holds. Another one with its names, its number or its key is another one.
fn pinned(
    shown: &Shown,
    trusted: &[Arc<Certificate>],
    now: Duration,
    against: &dyn Fn(&Chain) -> Option<Refusal>,
) -> Result<Chain, Refusal> {
    let leaf = &shown.leaf;
    fit(leaf, now)?;
    let signed_it = |one: &&Arc<Certificate>| {
        one.subject == leaf.issuer && one.is_ca && signature::is_by(&leaf.signed, &one.key)
    };
    let issuer = trusted.iter().chain(&shown.others).find(signed_it);
    let issuer = issuer.filter(|issuer| issuer.der != leaf.der).cloned();
    let chain = std::iter::once(Arc::clone(leaf)).chain(issuer).collect();
    against(&chain).map_or(Ok(chain), Err)
}

fn fit(leaf: &Certificate, now: Duration) -> Result<(), Refusal> {
    if !leaf.is_valid_at(now) {
        return Err(Refusal::Unfit("it has expired or is not yet valid"));
    }
    match leaf.is_for_clients() {
        true => Ok(()),
        false => Err(Refusal::Unfit("its key usage is not for clients")),
    }
}

/// A certificate of version 1, straight from an authority of the role. Whether names in it are within an authority's
/// bounds nobody could tell.
fn direct(
    shown: &Shown,
    anchors: &[Arc<Certificate>],
    now: Duration,
    against: &dyn Fn(&Chain) -> Option<Refusal>,
) -> Result<Chain, Refusal> {
    let leaf = &shown.leaf;
    let signed_it = |one: &&Arc<Certificate>| {
        one.subject == leaf.issuer
            && !one.has_name_constraints
            && signature::is_by(&leaf.signed, &one.key)
    };
    let anchor = anchors.iter().find(signed_it).ok_or(Refusal::NotTrusted)?;
    fit(leaf, now)?;
    let chain = vec![Arc::clone(leaf), Arc::clone(anchor)];
    against(&chain).map_or(Ok(chain), Err)
}

fn path(
    shown: &Shown,
    anchors: &[Arc<Certificate>],
    now: Duration,
    against: &dyn Fn(&Chain) -> Option<Refusal>,
) -> Result<Chain, Refusal> {
    let leaf = EndEntityCert::try_from(&shown.leaf.der).map_err(refusal)?;
    let roots: Vec<TrustAnchor<'_>> = anchors
        .iter()
        .map(|anchor| webpki::anchor_from_trusted_cert(&anchor.der))
        .collect::<Result<_, _>>()
        .map_err(refusal)?;
    let others: Vec<CertificateDer<'_>> = shown
        .others
        .iter()
        .map(|one| CertificateDer::from(one.der.as_ref()))
        .collect();
    let found: RefCell<Option<Result<Chain, Refusal>>> = RefCell::new(None);
    let judge = |path: &VerifiedPath<'_>| {
        let judged = walked(path, shown, &roots, anchors).and_then(|chain| match against(&chain) {
            Some(refusal) => Err(refusal),
            None => Ok(chain),
        });
        let fine = judged.is_ok();
        *found.borrow_mut() = Some(judged);
        match fine {
            true => Ok(()),
            false => Err(Error::CertRevoked),
        }
    };
    let verified = leaf.verify_for_usage(
        webpki::ALL_VERIFICATION_ALGS,
        &roots,
        &others,
        UnixTime::since_unix_epoch(now),
        ForClients,
        None,
        Some(&judge),
    );
    match (verified, found.take()) {
        (Ok(_), Some(chain)) | (Err(Error::CertRevoked), Some(chain)) => chain,
        (Ok(_), None) => Err(Refusal::NotTrusted),
        (Err(error), _) => Err(refusal(error)),
    }
}

/// The certificates of a path; refused where `webpki` has no eye on it: authorities that may sign no certificates, and
/// what the trusted one says about the length.
fn walked(
    path: &VerifiedPath<'_>,
    shown: &Shown,
    roots: &[TrustAnchor<'_>],
    anchors: &[Arc<Certificate>],
) -> Result<Chain, Refusal> {
    let mut chain = vec![Arc::clone(&shown.leaf)];
    for intermediate in path.intermediate_certificates() {
        let der = intermediate.der();
        let one = shown.others.iter().find(|one| one.der == der);
        let one = one.ok_or(Refusal::NotTrusted)?;
        if !one.may_sign_certificates() {
            return Err(Refusal::Unfit(
                "one that signed it may sign no certificates",
            ));
        }
        chain.push(Arc::clone(one));
    }
    let root = roots
        .iter()
        .position(|root| std::ptr::eq(root, path.anchor()));
    let anchor = root.and_then(|at| anchors.get(at));
    let anchor = anchor.ok_or(Refusal::NotTrusted)?;
    let between = chain.len() - 1;
    if anchor
        .path_length_max
        .is_some_and(|most| between > usize::from(most))
    {
        return Err(Refusal::Unfit(
            "the path to it is longer than its authority allows",
        ));
    }
    chain.push(Arc::clone(anchor));
    Ok(chain)
}

/// What says nothing about its use is for clients, too.
#[derive(Clone, Copy)]
struct ForClients;

impl ExtendedKeyUsageValidator for ForClients {
    fn validate(&self, usages: KeyPurposeIdIter<'_, '_>) -> Result<(), Error> {
        const CLIENT_AUTH: &[usize] = &[1, 3, 6, 1, 5, 5, 7, 3, 2];
        const ANY: &[usize] = &[2, 5, 29, 37, 0];
        let mut present = Vec::new();
        for usage in usages {
            let usage = usage?.to_decoded_oid();
            if usage == CLIENT_AUTH || usage == ANY {
                return Ok(());
            }
            present.push(usage);
        }
        if present.is_empty() {
            return Ok(());
        }
        let required = KeyUsage::client_auth();
        let missing = RequiredEkuNotFoundContext { required, present };
        Err(Error::RequiredEkuNotFoundContext(missing))
    }
}

fn refusal(error: Error) -> Refusal {
    match error {
        Error::CertExpired { .. } | Error::CertNotValidYet { .. } => {
            Refusal::Unfit("it, or one that signed it, has expired or is not yet valid")
        }
        Error::EmptyEkuExtension | Error::RequiredEkuNotFoundContext(_) => {
            Refusal::Unfit("its key usage, or that of one that signed it, is not for clients")
        }
        Error::NameConstraintViolation => {
            Refusal::Unfit("an authority may not vouch for a name in it")
        }
        Error::PathLenConstraintViolated | Error::MaximumPathDepthExceeded => {
            Refusal::Unfit("the path to it is too long")
        }
        Error::CaUsedAsEndEntity => {
            Refusal::Unfit("it is an authority's own, and not the one that the role holds")
        }
        Error::UnsupportedCriticalExtension => {
            Refusal::Unfit("it holds a critical extension that is not understood")
        }
        Error::MaximumSignatureChecksExceeded
        | Error::MaximumPathBuildCallsExceeded
        | Error::MaximumNameConstraintComparisonsExceeded => TOO_MUCH_WORK,
        _ => Refusal::NotTrusted,
    }
}
