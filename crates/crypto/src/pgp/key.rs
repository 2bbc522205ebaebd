//! Public keys: what they are made of, what they are called, whose signatures they verify.

use aws_lc_rs::agreement::{self, ECDH_P256, ECDH_P384, ECDH_P521, X25519};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA384_ASN1, ECDSA_P256_SHA512_ASN1, ECDSA_P384_SHA256_ASN1,
    ECDSA_P384_SHA384_ASN1, ECDSA_P384_SHA512_ASN1, ECDSA_P521_SHA256_ASN1, ECDSA_P521_SHA384_ASN1,
    ECDSA_P521_SHA512_ASN1, ED25519, EcdsaVerificationAlgorithm, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RsaPublicKeyComponents,
    UnparsedPublicKey,
};

use super::Error;
use super::packet::Reader;
use crate::hash::{Hash, sha1};

/// A public key packet, of a primary key or of a subkey.
#[derive(Clone, Debug)]
pub(super) struct PublicKey {
    /// The packet's body, which fingerprints and signatures are made of.
    body: Vec<u8>,
    /// When it was made, in seconds since 1970.
    pub(super) created: u32,
    pub(super) material: Material,
}

/// The numbers of a key.
#[derive(Clone, Debug)]
pub(super) enum Material {
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
        encrypts: bool,
    },
    EdDsa {
        point: Vec<u8>,
    },
    EcDsa {
        curve: Curve,
        point: Vec<u8>,
    },
    Ecdh(Ecdh),
    /// Of a kind that is not supported.
    Other,
}

/// A key to agree upon secrets with (RFC 6637, section 9).
#[derive(Clone, Debug)]
pub(super) struct Ecdh {
    pub(super) curve: Curve,
    pub(super) point: Vec<u8>,
    pub(super) hash: Hash,
    /// The length of the AES key that wraps the session key.
    pub(super) wrapping_key_bytes: usize,
    /// The parameters as they stand in the key.
    pub(super) parameters: [u8; 4],
}

/// A curve that is supported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Curve {
    P256,
    P384,
    P521,
    Curve25519,
    Ed25519,
}

const CURVES: [(Curve, &[u8]); 5] = [
    (
        Curve::P256,
        &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07],
    ),
    (Curve::P384, &[0x2B, 0x81, 0x04, 0x00, 0x22]),
    (Curve::P521, &[0x2B, 0x81, 0x04, 0x00, 0x23]),
    (
        Curve::Curve25519,
        &[0x2B, 0x06, 0x01, 0x04, 0x01, 0x97, 0x55, 0x01, 0x05, 0x01],
    ),
    (
        Curve::Ed25519,
        &[0x2B, 0x06, 0x01, 0x04, 0x01, 0xDA, 0x47, 0x0F, 0x01],
    ),
];

impl PublicKey {
    /// Reads the packet's body (RFC 4880, section 5.5.2).
    pub(super) fn read(body: &[u8]) -> Result<Self, Error> {
        let mut bytes = Reader::of(body);
        match bytes.byte()? {
            4 => {}
            version => return Err(Error::Version(version)),
        }
        let created = bytes.u32()?;
        let algorithm = bytes.byte()?;
        Ok(Self {
            body: body.to_vec(),
            created,
            material: Material::read(algorithm, bytes)?,
        })
    }

    /// Section 12.2.
    pub(super) fn fingerprint(&self) -> [u8; 20] {
        sha1(&self.framed())
    }

    /// The last bytes of the fingerprint.
    pub(super) fn id(&self) -> [u8; 8] {
        let fingerprint = self.fingerprint();
        fingerprint.last_chunk().copied().unwrap_or_default()
    }

    /// The key as it goes into fingerprints and signatures (section 5.2.4).
    pub(super) fn framed(&self) -> Vec<u8> {
        let length = u16::try_from(self.body.len()).unwrap_or(u16::MAX);
        let mut framed = vec![0x99];
        framed.extend(length.to_be_bytes());
        framed.extend(&self.body);
        framed
    }

    /// Whether its kind can be encrypted to, whatever its owner says.
    pub(super) fn can_encrypt(&self) -> bool {
        match &self.material {
            Material::Rsa { n, encrypts, .. } => *encrypts && (256..=1024).contains(&n.len()),
            Material::Ecdh(_) => true,
            Material::EdDsa { .. } | Material::EcDsa { .. } | Material::Other => false,
        }
    }

    /// Whether a signature of a message verifies; `numbers` are those at the signature's end.
    pub(super) fn verifies(&self, hash: Hash, message: &[u8], mut numbers: Reader<'_>) -> bool {
        let verified =
            match &self.material {
                Material::Rsa { n, e, .. } => numbers
                    .number()
                    .map(|signature| rsa_verifies(n, e, hash, message, signature)),
                Material::EdDsa { point } => pair(&mut numbers)
                    .map(|[r, s]| ed25519_verifies(point, &hash.of(message), r, s)),
                Material::EcDsa { curve, point } => pair(&mut numbers)
                    .map(|[r, s]| ecdsa_verifies(*curve, point, hash, message, r, s)),
                Material::Ecdh(_) | Material::Other => Ok(false),
            };
        verified.unwrap_or(false)
    }
}

impl Material {
    /// RFC 4880 sections 5.5.2 and 9.1, RFC 6637 section 9, and the EdDSA of GnuPG (RFC 9580, section 9.1).
    fn read(algorithm: u8, mut bytes: Reader<'_>) -> Result<Self, Error> {
        Ok(match algorithm {
            1..=3 => Self::Rsa {
                n: bytes.number()?.to_vec(),
                e: bytes.number()?.to_vec(),
                encrypts: algorithm != 3,
            },
            18 => {
                let curve = Curve::read(bytes.counted()?);
                let point = bytes.number()?;
                let parameters = bytes.counted()?;
                curve
                    .and_then(|curve| Ecdh::of(curve, point, parameters))
                    .map_or(Self::Other, Self::Ecdh)
            }
            19 | 22 => {
                let curve = Curve::read(bytes.counted()?);
                let point = bytes.number()?;
                match (algorithm, curve, point) {
                    (22, Some(Curve::Ed25519), [0x40, point @ ..]) => Self::EdDsa {
                        point: point.to_vec(),
                    },
                    (19, Some(curve), _) => Self::EcDsa {
                        curve,
                        point: point.to_vec(),
                    },
                    _ => Self::Other,
                }
            }
            _ => Self::Other,
        })
    }
}

impl Ecdh {
    fn of(curve: Curve, point: &[u8], parameters: &[u8]) -> Option<Self> {
        let [1, hash, cipher] = *parameters else {
            return None;
        };
        let point = match (curve, point) {
            (Curve::Curve25519, [0x40, point @ ..]) if point.len() == 32 => point,
            (Curve::P256 | Curve::P384 | Curve::P521, [0x04, ..]) => point,
            _ => return None,
        };
        Some(Self {
            curve,
            point: point.to_vec(),
            hash: openpgp_hash(hash)?,
            wrapping_key_bytes: match cipher {
                7 => 16,
                8 => 24,
                9 => 32,
                _ => return None,
            },
            parameters: [3, 1, hash, cipher],
        })
    }

    pub(super) fn agreement(&self) -> Option<&'static agreement::Algorithm> {
        Some(match self.curve {
            Curve::P256 => &ECDH_P256,
            Curve::P384 => &ECDH_P384,
            Curve::P521 => &ECDH_P521,
            Curve::Curve25519 => &X25519,
            Curve::Ed25519 => return None,
        })
    }
}

impl Curve {
    fn read(identifier: &[u8]) -> Option<Self> {
        let found = CURVES.iter().find(|(_, known)| *known == identifier);
        found.map(|(curve, _)| *curve)
    }

    /// Its object identifier, without tag and length.
    pub(super) fn identifier(self) -> &'static [u8] {
        let found = CURVES.iter().find(|(curve, _)| *curve == self);
        found.map(|(_, identifier)| *identifier).unwrap_or_default()
    }
}

/// The hashes that signatures and keys may name (RFC 4880, section 9.4): those that nobody has broken.
pub(super) fn openpgp_hash(number: u8) -> Option<Hash> {
    Some(match number {
        8 => Hash::Sha256,
        9 => Hash::Sha384,
        10 => Hash::Sha512,
        _ => return None,
    })
}

fn pair<'a>(numbers: &mut Reader<'a>) -> Result<[&'a [u8]; 2], Error> {
    Ok([numbers.number()?, numbers.number()?])
}

fn rsa_verifies(n: &[u8], e: &[u8], hash: Hash, message: &[u8], signature: &[u8]) -> bool {
    let algorithm = match hash {
        Hash::Sha256 => &RSA_PKCS1_2048_8192_SHA256,
        Hash::Sha384 => &RSA_PKCS1_2048_8192_SHA384,
        Hash::Sha512 => &RSA_PKCS1_2048_8192_SHA512,
        _ => return false,
    };
    let key = RsaPublicKeyComponents { n, e };
    let Some(signature) = padded(signature, n.len()) else {
        return false;
    };
    key.verify(algorithm, message, &signature).is_ok()
}

/// EdDSA in OpenPGP signs the hash, not the message.
fn ed25519_verifies(point: &[u8], digest: &[u8], r: &[u8], s: &[u8]) -> bool {
    let (Some(mut signature), Some(s)) = (padded(r, 32), padded(s, 32)) else {
        return false;
    };
    signature.extend(s);
    let key = UnparsedPublicKey::new(&ED25519, point);
    key.verify(digest, &signature).is_ok()
}

fn ecdsa_verifies(
    curve: Curve,
    point: &[u8],
    hash: Hash,
    message: &[u8],
    r: &[u8],
    s: &[u8],
) -> bool {
    let algorithm: &'static EcdsaVerificationAlgorithm = match (curve, hash) {
        (Curve::P256, Hash::Sha256) => &ECDSA_P256_SHA256_ASN1,
        (Curve::P256, Hash::Sha384) => &ECDSA_P256_SHA384_ASN1,
        (Curve::P256, Hash::Sha512) => &ECDSA_P256_SHA512_ASN1,
        (Curve::P384, Hash::Sha256) => &ECDSA_P384_SHA256_ASN1,
        (Curve::P384, Hash::Sha384) => &ECDSA_P384_SHA384_ASN1,
        (Curve::P384, Hash::Sha512) => &ECDSA_P384_SHA512_ASN1,
        (Curve::P521, Hash::Sha256) => &ECDSA_P521_SHA256_ASN1,
        (Curve::P521, Hash::Sha384) => &ECDSA_P521_SHA384_ASN1,
        (Curve::P521, Hash::Sha512) => &ECDSA_P521_SHA512_ASN1,
        _ => return false,
    };
    let Some(signature) = der_of(r, s) else {
        return false;
    };
    let key = UnparsedPublicKey::new(algorithm, point);
    key.verify(message, &signature).is_ok()
}

/// A number with zeros in front, in exactly that many bytes.
fn padded(number: &[u8], length: usize) -> Option<Vec<u8>> {
    let zeros = length.checked_sub(number.len())?;
    let mut padded = vec![0; zeros];
    padded.extend(number);
    Some(padded)
}

/// Two numbers as a sequence of integers (X.690), which is how ECDSA signatures travel elsewhere.
fn der_of(r: &[u8], s: &[u8]) -> Option<Vec<u8>> {
    let mut inner = Vec::new();
    for number in [r, s] {
        let sign = number.first().is_none_or(|byte| *byte >= 0x80);
        inner.extend([2, u8::try_from(number.len() + usize::from(sign)).ok()?]);
        inner.extend(sign.then_some(0));
        inner.extend(number);
    }
    let mut out = vec![0x30];
    match u8::try_from(inner.len()).ok()? {
        short @ 0..=127 => out.push(short),
        long => out.extend([0x81, long]),
    }
    out.extend(inner);
    Some(out)
}
