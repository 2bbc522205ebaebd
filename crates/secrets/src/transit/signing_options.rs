//! How clients ask for signatures.

use coffer_crypto::Hash;
use coffer_crypto::pair::{Input, PairKind, RsaPadding, Salt, Scheme, SignHash};
use coffer_engine::Fault;
use coffer_wire::{Flag, Text};
use schemars::JsonSchema;
use serde::Deserialize;

/// Says that the input is what ML-DSA computes of key and message (FIPS 204 section 6.2), computed elsewhere.
const EXTERNAL_MU: &str = "mldsa-mu";

/// What is hashed with where nothing is said.
const HASH: SignHash = SignHash::Of(Hash::Sha256);

/// How a signature is made. Ed25519 and ML-DSA hash in their own way and look at none of it but the form.
#[derive(Deserialize, JsonSchema)]
pub(super) struct SigningOptions {
    /// `sha2-256` (the default), `sha2-224`, `sha2-384`, `sha2-512`, `sha3-224`, `sha3-256`, `sha3-384`, `sha3-512`, `sha1`
    /// or, with `prehashed` and `pkcs1v15`, `none`. Not supported: `mldsa-mu`.
    #[serde(default)]
    hash_algorithm: Text,
    /// An old name of `hash_algorithm`, which wins.
    #[serde(default)]
    algorithm: Text,
    /// Says that inputs are digests already.
    #[serde(default)]
    prehashed: Flag,
    /// Of RSA: `pss` (the default) or `pkcs1v15`.
    #[serde(default)]
    signature_algorithm: Text,
    /// `asn1` (the default), with signatures in base64, or `jws`: two numbers in a row for ECDSA, and base64url.
    #[serde(default)]
    marshaling_algorithm: Text,
    /// Of RSA with `pss`: `auto` (the default: the longest for signing, any for verifying), `hash` or a number of bytes.
    #[serde(default)]
    salt_length: Option<Text>,
}

/// The same without its form of a request; nothing is an empty text.
pub(super) struct Asked<'a> {
    pub(super) hash: &'a str,
    pub(super) prehashed: bool,
    pub(super) padding: &'a str,
    pub(super) form: &'a str,
    /// Nothing said is not the same as an empty text.
    pub(super) salt: Option<&'a str>,
}

/// The same, understood.
#[derive(Clone)]
pub(super) struct Signing {
    hash: SignHash,
    /// Or the name of what RSA has not.
    padding: Result<RsaPadding, String>,
    prehashed: bool,
    pub(super) form: Form,
}

/// In which form a signature is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Asn1,
    Jws,
}

impl SigningOptions {
    /// What they ask for; a hash in the path is looked at first.
    pub(super) fn asked<'a>(&'a self, path: &'a str) -> Asked<'a> {
        let mut names = [path, &self.hash_algorithm.0, &self.algorithm.0].into_iter();
        Asked {
            hash: names.find(|name| !name.is_empty()).unwrap_or_default(),
            prehashed: self.prehashed.0,
            padding: &self.signature_algorithm.0,
            form: &self.marshaling_algorithm.0,
            salt: self.salt_length.as_ref().map(|text| text.0.as_str()),
        }
    }
}

impl Asked<'_> {
    /// Understands it, for keys of this kind.
    pub(super) fn read(&self, kind: PairKind) -> Result<Signing, Fault> {
        let hash = hash_named(self.hash)?;
        let pkcs1 = self.padding == "pkcs1v15";
        if hash == SignHash::None && takes_digests(kind) && !(self.prehashed && pkcs1) {
            return Err(Fault::invalid(
                "hash_algorithm=none requires both prehashed=true and signature_algorithm=pkcs1v15",
            ));
        }
        let salt = self.salt()?;
        Ok(Signing {
            hash,
            padding: match self.padding {
                "" | "pss" => Ok(RsaPadding::Pss(salt)),
                "pkcs1v15" => Ok(RsaPadding::Pkcs1v15),
                other => Err(format!("unsupported rsa signature algorithm {other}")),
            },
            prehashed: self.prehashed,
            form: match self.form {
                "" | "asn1" => Form::Asn1,
                "jws" => Form::Jws,
                other => {
                    return Err(Fault::Invalid(format!("invalid marshaling type {other:?}")));
                }
            },
        })
    }

    fn salt(&self) -> Result<Salt, Fault> {
        let Some(asked) = self.salt else {
            return Ok(Salt::Auto);
        };
        match (asked, asked.parse::<i64>()) {
            ("auto", _) | (_, Ok(0)) => Ok(Salt::Auto),
            ("hash", _) | (_, Ok(-1)) => Ok(Salt::Hash),
            (_, Ok(length)) => match usize::try_from(length) {
                Ok(length) => Ok(Salt::Length(length)),
                Err(_) => Err(Fault::Invalid(format!("salt length is invalid: {asked}"))),
            },
            _ => Err(Fault::Invalid(format!(
                "salt length neither 'auto', 'hash', nor an int: {asked}"
            ))),
        }
    }
}

impl Signing {
    /// The scheme for one input, and the input as it takes it.
    pub(super) fn scheme<'a>(
        &self,
        kind: PairKind,
        bytes: &'a [u8],
    ) -> Result<(Scheme, Input<'a>), Fault> {
        let padding = match (&self.padding, kind.is_rsa()) {
            (Ok(padding), true) => *padding,
            (Err(unknown), true) => return Err(Fault::Invalid(unknown.clone())),
            (_, false) => RsaPadding::Pkcs1v15,
        };
        let hash = self.hash;
        if !self.prehashed || !takes_digests(kind) {
            return Ok((Scheme { hash, padding }, Input::Message(bytes)));
        }
        // What ECDSA signs does not name its hash, so clients leave out to say which one made a digest.
        let hash = match (kind.is_ecdsa(), hash) {
            (true, SignHash::Of(_) | SignHash::Sha1) => hash_of_length(bytes.len())?,
            (_, hash) => hash,
        };
        Ok((Scheme { hash, padding }, Input::Digest(bytes)))
    }
}

/// Whether there is a hash to choose, and inputs can be digests.
fn takes_digests(kind: PairKind) -> bool {
    kind.is_rsa() || kind.is_ecdsa()
}

fn hash_named(name: &str) -> Result<SignHash, Fault> {
    Ok(SignHash::Of(match name {
        "" => return Ok(HASH),
        "none" => return Ok(SignHash::None),
        "sha1" => return Ok(SignHash::Sha1),
        "sha2-224" => Hash::Sha224,
        "sha2-256" => Hash::Sha256,
        "sha2-384" => Hash::Sha384,
        "sha2-512" => Hash::Sha512,
        "sha3-224" => Hash::Sha3_224,
        "sha3-256" => Hash::Sha3_256,
        "sha3-384" => Hash::Sha3_384,
        "sha3-512" => Hash::Sha3_512,
        EXTERNAL_MU => {
            return Err(Fault::invalid(
                "hash_algorithm=mldsa-mu is not supported: ML-DSA keys sign whole messages here, and take no mu that was computed elsewhere",
            ));
        }
        other => return Err(Fault::Invalid(format!("invalid hash algorithm {other:?}"))),
    }))
}

fn hash_of_length(length: usize) -> Result<SignHash, Fault> {
    let all = Hash::ALL.into_iter().map(SignHash::Of);
    let mut all = all.chain([SignHash::Sha1]);
    all.find(|hash| hash.bytes() == Some(length))
        .ok_or_else(|| {
            Fault::Invalid(format!(
                "with prehashed the input is a digest, but no hash gives {length} bytes"
            ))
        })
}
