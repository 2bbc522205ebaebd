//! Which algorithms keys of a spec have.

use coffer_crypto::Hash;
use coffer_crypto::pair::{OaepHash, RsaPadding, Salt, Scheme, SignHash};
use coffer_engine::Fault;

use super::exception::Exception;
use super::spec::KeySpec;

/// How a key encrypts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encryption {
    /// The server's own format.
    Symmetric,
    /// RSAES-OAEP.
    Oaep(OaepHash),
}

/// A signing algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Signing {
    pub(super) name: &'static str,
    pub(super) scheme: Scheme,
    /// Whether digests can be signed, too.
    pub(super) digests: bool,
}

const SYMMETRIC: &str = "SYMMETRIC_DEFAULT";
const OAEP: [(&str, OaepHash); 2] = [
    ("RSAES_OAEP_SHA_1", OaepHash::Sha1),
    ("RSAES_OAEP_SHA_256", OaepHash::Sha256),
];

const RSA: [Signing; 6] = [
    pkcs1("RSASSA_PKCS1_V1_5_SHA_256", Hash::Sha256),
    pkcs1("RSASSA_PKCS1_V1_5_SHA_384", Hash::Sha384),
    pkcs1("RSASSA_PKCS1_V1_5_SHA_512", Hash::Sha512),
    pss("RSASSA_PSS_SHA_256", Hash::Sha256),
    pss("RSASSA_PSS_SHA_384", Hash::Sha384),
    pss("RSASSA_PSS_SHA_512", Hash::Sha512),
];
const P256: [Signing; 1] = [pkcs1("ECDSA_SHA_256", Hash::Sha256)];
const P384: [Signing; 1] = [pkcs1("ECDSA_SHA_384", Hash::Sha384)];
const P521: [Signing; 1] = [pkcs1("ECDSA_SHA_512", Hash::Sha512)];
const ED25519: [Signing; 1] = [messages_only("ED25519_SHA_512")];
const ML_DSA: [Signing; 1] = [messages_only("ML_DSA_SHAKE_256")];

/// The padding is looked at by RSA alone.
const fn pkcs1(name: &'static str, hash: Hash) -> Signing {
    let (hash, padding) = (SignHash::Of(hash), RsaPadding::Pkcs1v15);
    Signing {
        name,
        scheme: Scheme { hash, padding },
        digests: true,
    }
}

const fn pss(name: &'static str, hash: Hash) -> Signing {
    let (hash, padding) = (SignHash::Of(hash), RsaPadding::Pss(Salt::Hash));
    Signing {
        name,
        scheme: Scheme { hash, padding },
        digests: true,
    }
}

const fn messages_only(name: &'static str) -> Signing {
    let (hash, padding) = (SignHash::None, RsaPadding::Pkcs1v15);
    Signing {
        name,
        scheme: Scheme { hash, padding },
        digests: false,
    }
}

fn signings(spec: KeySpec) -> &'static [Signing] {
    match spec {
        KeySpec::Rsa2048 | KeySpec::Rsa3072 | KeySpec::Rsa4096 => &RSA,
        KeySpec::P256 => &P256,
        KeySpec::P384 => &P384,
        KeySpec::P521 => &P521,
        KeySpec::Ed25519 => &ED25519,
        KeySpec::MlDsa44 | KeySpec::MlDsa65 | KeySpec::MlDsa87 => &ML_DSA,
        KeySpec::Symmetric
        | KeySpec::Hmac224
        | KeySpec::Hmac256
        | KeySpec::Hmac384
        | KeySpec::Hmac512 => &[],
    }
}

/// The names of how keys of a spec encrypt.
pub(super) fn encryption(spec: KeySpec) -> Vec<&'static str> {
    match spec {
        KeySpec::Symmetric => vec![SYMMETRIC],
        spec if spec.is_rsa() => OAEP.map(|(name, _)| name).to_vec(),
        _ => Vec::new(),
    }
}

/// The names of how keys of a spec sign.
pub(super) fn signing(spec: KeySpec) -> Vec<&'static str> {
    signings(spec).iter().map(|signing| signing.name).collect()
}

/// The name of how keys of a spec authenticate.
pub(super) fn mac(spec: KeySpec) -> Option<&'static str> {
    match spec {
        KeySpec::Hmac224 => Some("HMAC_SHA_224"),
        KeySpec::Hmac256 => Some("HMAC_SHA_256"),
        KeySpec::Hmac384 => Some("HMAC_SHA_384"),
        KeySpec::Hmac512 => Some("HMAC_SHA_512"),
        _ => None,
    }
}

/// The encryption algorithm of that name for a key of this spec; none named means the symmetric one.
pub(super) fn encryption_named(
    spec: KeySpec,
    name: &str,
) -> Result<(&'static str, Encryption), Fault> {
    let name = if name.is_empty() { SYMMETRIC } else { name };
    let found = match name {
        SYMMETRIC => (SYMMETRIC, Encryption::Symmetric),
        "SM2PKE" => return Err(unsupported(name)),
        _ => OAEP
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(known, hash)| (*known, Encryption::Oaep(*hash)))
            .ok_or_else(|| unknown("encryption"))?,
    };
    let fits = match found.1 {
        Encryption::Symmetric => spec == KeySpec::Symmetric,
        Encryption::Oaep(_) => spec.is_rsa(),
    };
    match fits {
        true => Ok(found),
        false => Err(unfit(spec, name)),
    }
}

/// The signing algorithm of that name for a key of this spec.
pub(super) fn signing_named(spec: KeySpec, name: &str) -> Result<&'static Signing, Fault> {
    if let Some(found) = signings(spec).iter().find(|signing| signing.name == name) {
        return Ok(found);
    }
    let all: [&[Signing]; 6] = [&RSA, &P256, &P384, &P521, &ED25519, &ML_DSA];
    let known = all
        .iter()
        .any(|some| some.iter().any(|signing| signing.name == name));
    Err(match name {
        "SM2DSA" | "ED25519_PH_SHA_512" => unsupported(name),
        _ if known => unfit(spec, name),
        _ => unknown("signing"),
    })
}

/// Refuses another MAC algorithm than that of the spec.
pub(super) fn mac_named(spec: KeySpec, name: &str) -> Result<&'static str, Fault> {
    const ALL: [KeySpec; 4] = [
        KeySpec::Hmac224,
        KeySpec::Hmac256,
        KeySpec::Hmac384,
        KeySpec::Hmac512,
    ];
    match (mac(spec), ALL.iter().any(|spec| mac(*spec) == Some(name))) {
        (Some(own), _) if own == name => Ok(own),
        (_, true) => Err(unfit(spec, name)),
        (_, false) => Err(unknown("MAC")),
    }
}

fn unfit(spec: KeySpec, name: &str) -> Fault {
    Exception::InvalidKeyUsage.because(format!(
        "the algorithm {name} is incompatible with the key spec {}",
        spec.name()
    ))
}

fn unsupported(name: &str) -> Fault {
    Exception::UnsupportedOperation.because(format!(
        "the algorithm {name} is not supported by this server"
    ))
}

fn unknown(kind: &str) -> Fault {
    Exception::Validation.because(format!("there is no such {kind} algorithm"))
}
