//! Signatures of RSA: which of them the one library makes.

use aws_lc_rs::digest::{self, Digest};
use aws_lc_rs::signature::{
    self, RsaParameters, RsaPssSaltLength, RsaSignatureEncoding, UnparsedPublicKey,
};

use super::scheme::{RsaPadding, Salt, Scheme, SignHash};
use crate::Hash;

static PSS_256_MAX: RsaSignatureEncoding =
    signature::RSA_PSS_SHA256.with_pss_salt_length(RsaPssSaltLength::Max);
static PSS_384_MAX: RsaSignatureEncoding =
    signature::RSA_PSS_SHA384.with_pss_salt_length(RsaPssSaltLength::Max);
static PSS_512_MAX: RsaSignatureEncoding =
    signature::RSA_PSS_SHA512.with_pss_salt_length(RsaPssSaltLength::Max);
static VERIFY_PSS_256_MAX: RsaParameters =
    signature::RSA_PSS_2048_8192_SHA256.with_pss_salt_length(RsaPssSaltLength::Max);
static VERIFY_PSS_384_MAX: RsaParameters =
    signature::RSA_PSS_2048_8192_SHA384.with_pss_salt_length(RsaPssSaltLength::Max);
static VERIFY_PSS_512_MAX: RsaParameters =
    signature::RSA_PSS_2048_8192_SHA512.with_pss_salt_length(RsaPssSaltLength::Max);

/// The padding that makes a signature by this scheme, where the library has it.
pub(super) fn signing(scheme: &Scheme) -> Option<&'static RsaSignatureEncoding> {
    let SignHash::Of(hash) = scheme.hash else {
        return None;
    };
    Some(match (hash, padding(hash, scheme.padding)?) {
        (Hash::Sha256, Padding::Pkcs1) => &signature::RSA_PKCS1_SHA256,
        (Hash::Sha384, Padding::Pkcs1) => &signature::RSA_PKCS1_SHA384,
        (Hash::Sha512, Padding::Pkcs1) => &signature::RSA_PKCS1_SHA512,
        (Hash::Sha256, Padding::HashSalt) => &signature::RSA_PSS_SHA256,
        (Hash::Sha384, Padding::HashSalt) => &signature::RSA_PSS_SHA384,
        (Hash::Sha512, Padding::HashSalt) => &signature::RSA_PSS_SHA512,
        (Hash::Sha256, Padding::GreatestSalt) => &PSS_256_MAX,
        (Hash::Sha384, Padding::GreatestSalt) => &PSS_384_MAX,
        (Hash::Sha512, Padding::GreatestSalt) => &PSS_512_MAX,
        _ => return None,
    })
}

/// A digest in the library's own type, where it signs digests of this hash.
pub(super) fn imported(hash: SignHash, bytes: &[u8]) -> Option<Digest> {
    let algorithm = match hash {
        SignHash::Of(Hash::Sha256) => &digest::SHA256,
        SignHash::Of(Hash::Sha384) => &digest::SHA384,
        SignHash::Of(Hash::Sha512) => &digest::SHA512,
        _ => return None,
    };
    Digest::import_less_safe(bytes, algorithm).ok()
}

/// Whether the library verifies the signature. Where it does not know the scheme, it does not; with any salt allowed it
/// knows the two lengths that are common.
pub(super) fn verifies(spki: &[u8], scheme: &Scheme, digest: &[u8], signature: &[u8]) -> bool {
    let Some(digest) = imported(scheme.hash, digest) else {
        return false;
    };
    let mut known = verifying(scheme).into_iter().flatten();
    known.any(|parameters| {
        let key = UnparsedPublicKey::new(parameters, spki);
        key.verify_digest(&digest, signature).is_ok()
    })
}

/// Whether the library alone decides about this scheme.
pub(super) fn knows(scheme: &Scheme) -> bool {
    scheme.padding != RsaPadding::Pss(Salt::Auto) && signing(scheme).is_some()
}

fn verifying(scheme: &Scheme) -> Option<Vec<&'static RsaParameters>> {
    let SignHash::Of(hash) = scheme.hash else {
        return None;
    };
    let [pkcs1, equal, greatest] = match hash {
        Hash::Sha256 => [
            &signature::RSA_PKCS1_2048_8192_SHA256,
            &signature::RSA_PSS_2048_8192_SHA256,
            &VERIFY_PSS_256_MAX,
        ],
        Hash::Sha384 => [
            &signature::RSA_PKCS1_2048_8192_SHA384,
            &signature::RSA_PSS_2048_8192_SHA384,
            &VERIFY_PSS_384_MAX,
        ],
        Hash::Sha512 => [
            &signature::RSA_PKCS1_2048_8192_SHA512,
            &signature::RSA_PSS_2048_8192_SHA512,
            &VERIFY_PSS_512_MAX,
        ],
        _ => return None,
    };
    Some(match padding(hash, scheme.padding)? {
        Padding::Pkcs1 => vec![pkcs1],
        Padding::HashSalt => vec![equal],
        Padding::GreatestSalt => vec![greatest, equal],
    })
}

/// The paddings that the library has.
enum Padding {
    Pkcs1,
    HashSalt,
    GreatestSalt,
}

fn padding(hash: Hash, padding: RsaPadding) -> Option<Padding> {
    match padding {
        RsaPadding::Pkcs1v15 => Some(Padding::Pkcs1),
        RsaPadding::Pss(Salt::Auto) => Some(Padding::GreatestSalt),
        RsaPadding::Pss(Salt::Hash) => Some(Padding::HashSalt),
        RsaPadding::Pss(Salt::Length(length)) => {
            (length == hash.bytes()).then_some(Padding::HashSalt)
        }
    }
}
