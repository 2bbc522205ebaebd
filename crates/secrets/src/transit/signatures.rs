//! Making and checking one signature: the same for single requests and for items of a batch.

use std::sync::{Arc, LazyLock};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use coffer_crypto::pair::{KeyPair, PairKind, PublicKey, fixed_from_asn1, fixed_to_asn1};
use coffer_crypto::{Error, Zeroizing, hkdf_sha256};
use coffer_engine::{Ctx, Fault};
use tokio::sync::Semaphore;

use super::ciphertext::{Misshapen, Versioned};
use super::encoded::Encoded;
use super::key::Version;
use super::ready::{Material, Ready};
use super::signing_options::{Form, Signing};
use super::work::needed;

/// How many slow signatures are made at once: each takes a core for milliseconds.
pub(super) static SIGNING: LazyLock<Semaphore> = LazyLock::new(|| {
    Semaphore::new(std::thread::available_parallelism().map_or(4, std::num::NonZero::get))
});

/// A signature, as clients get it.
pub(super) struct Signed {
    /// With the version that made it.
    pub(super) text: String,
    /// That version.
    pub(super) version: u32,
    /// Of keys of contexts: the public half of the one that signed.
    pub(super) public: Option<String>,
}

/// What is signed, and in which context.
pub(super) struct Signable<'a> {
    pub(super) input: Option<&'a Encoded>,
    /// Whether it is one of many: then it has to have an input, which else may be missing and is empty.
    pub(super) in_batch: bool,
    pub(super) context: &'a Encoded,
}

impl Signable<'_> {
    fn input(&self) -> Result<&[u8], Fault> {
        let decoded = match self.input {
            Some(input) => input.bytes(),
            None if self.in_batch => return Err(Fault::invalid("missing input")),
            None => Ok(&[][..]),
        };
        decoded.map_err(|why| Fault::Invalid(format!("unable to decode input as base64: {why}")))
    }

    fn context(&self) -> Result<&[u8], Fault> {
        let decoded = self.context.bytes();
        decoded.map_err(|_| Fault::invalid("failed to base64-decode context"))
    }
}

impl Ready {
    /// What its pairs are made of.
    pub(super) fn pair_kind(&self, what: &str) -> Result<PairKind, Fault> {
        self.key.kind.pair().ok_or_else(|| {
            let name = self.key.kind.name();
            Fault::Invalid(format!("key type {name} does not support {what}"))
        })
    }

    /// Signs.
    pub(super) async fn sign(
        &self,
        cx: &Ctx,
        version: i64,
        signing: &Signing,
        item: &Signable<'_>,
    ) -> Result<Signed, Fault> {
        self.key.refuse_deleted()?;
        let kind = self.pair_kind("signing")?;
        let input = item.input()?;
        let context = item.context()?;
        self.check_signing_version(version)?;
        let material = self.asked(cx, version).await?;
        let number = material.number;
        let (made, public) = if self.key.derived {
            let pair = derived(&material, context)?;
            let public = STANDARD.encode(pair.public().bits());
            (signature(&pair, kind, signing, input)?, Some(public))
        } else {
            (sign_with(material, kind, signing, input).await?, None)
        };
        let text = match signing.form {
            Form::Asn1 => STANDARD.encode(made),
            Form::Jws if kind.is_ecdsa() => URL_SAFE_NO_PAD.encode(fixed_from_asn1(kind, &made)?),
            Form::Jws => URL_SAFE_NO_PAD.encode(made),
        };
        Ok(Signed {
            text: format!("vault:v{number}:{text}"),
            version: number,
            public,
        })
    }

    /// Whether a signature is right.
    pub(super) async fn verify_signature(
        &self,
        cx: &Ctx,
        signing: &Signing,
        item: &Signable<'_>,
        signature: &str,
    ) -> Result<bool, Fault> {
        self.key.refuse_deleted()?;
        let kind = self.pair_kind("verification")?;
        let input = item.input()?;
        let context = item.context()?;
        let refused = |misshapen: Misshapen| Fault::invalid(misshapen.of_signature());
        let made = Versioned::parse_code(signature, &self.key).map_err(refused)?;
        let found = self.version(cx, made.version).await?;
        let material = found.ok_or_else(|| refused(Misshapen::Old))?;
        let decoded = match signing.form {
            Form::Asn1 => made.decode().map(|bytes| bytes.to_vec()).ok(),
            Form::Jws => URL_SAFE_NO_PAD.decode(made.encoded).ok(),
        };
        let decoded = decoded.ok_or_else(|| Fault::invalid("invalid base64 signature value"))?;
        let (scheme, input) = signing.scheme(kind, input)?;
        let decoded = match signing.form {
            Form::Jws if kind.is_ecdsa() => match fixed_to_asn1(kind, &decoded) {
                Ok(decoded) => decoded,
                Err(_) => return Ok(false),
            },
            _ => decoded,
        };
        if self.key.derived {
            let pair = derived(&material, context)?;
            return Ok(pair.public().verify(&scheme, input, &decoded));
        }
        let public = material.public().ok_or(Error::Scheme)?;
        Ok(public.verify(&scheme, input, &decoded))
    }

    fn check_signing_version(&self, version: i64) -> Result<(), Fault> {
        let refused = |why| {
            Err(Fault::Invalid(format!(
                "requested version for signing is {why}"
            )))
        };
        match version {
            0 => Ok(()),
            ..0 => refused("negative"),
            _ if version > i64::from(self.key.latest_version) => {
                refused("higher than the latest key version")
            }
            _ if version < i64::from(self.key.min_encryption_version) => {
                refused("less than the minimum encryption key version")
            }
            _ => Ok(()),
        }
    }
}

impl Misshapen {
    /// In words about a signature.
    pub(super) fn of_signature(self) -> &'static str {
        match self {
            Self::Prefix => "invalid signature: no prefix",
            Self::Fields => "invalid signature: wrong number of fields",
            Self::Number => "invalid signature: version number could not be decoded",
            Self::New => "invalid signature: version is too new",
            Self::Old => "ciphertext or signature version is disallowed by policy (too old)",
        }
    }
}

/// The pair of a context: Ed25519 whose seed is HKDF-SHA-256 of the version's pair, seed and public half in a row.
fn derived(material: &Material, context: &[u8]) -> Result<KeyPair, Fault> {
    let own = material.pair().ok_or_else(no_private_half)?;
    let context = needed(context);
    let context = context.map_err(|why| Fault::Invalid(format!("error deriving key: {why}")))?;
    derived_from(own, context)
}

/// The public half of a version that belongs to a context, in base64; none where there is no context.
pub(super) fn derived_public(version: &Version, context: &[u8]) -> Result<String, Fault> {
    if context.is_empty() || version.key.is_empty() {
        return Ok(String::new());
    }
    let own = KeyPair::from_pkcs8(PairKind::Ed25519, version.key.expose())?;
    Ok(derived_from(&own, context)?.public().shown())
}

fn derived_from(own: &KeyPair, context: &[u8]) -> Result<KeyPair, Fault> {
    let whole = ed25519_whole(own).ok_or(Error::Scheme)?;
    let mut seed = Zeroizing::new([0; 32]);
    hkdf_sha256(&whole, &[], context, seed.as_mut_slice())?;
    Ok(KeyPair::from_seed(PairKind::Ed25519, &seed)?)
}

/// Seed and public half in a row: what others call the private key of Ed25519.
pub(super) fn ed25519_whole(pair: &KeyPair) -> Option<Zeroizing<Vec<u8>>> {
    if pair.kind() != PairKind::Ed25519 {
        return None;
    }
    let seed = pair.seed()?;
    let mut whole = Zeroizing::new(Vec::with_capacity(64));
    whole.extend_from_slice(seed.expose());
    whole.extend_from_slice(&pair.public().bits());
    Some(whole)
}

/// Signs with a version; what is slow, where waiting harms nobody.
async fn sign_with(
    material: Arc<Material>,
    kind: PairKind,
    signing: &Signing,
    input: &[u8],
) -> Result<Vec<u8>, Fault> {
    let pair = material.pair().ok_or_else(no_private_half)?;
    if kind.is_ecdsa() || kind == PairKind::Ed25519 {
        return signature(pair, kind, signing, input);
    }
    let turn = SIGNING.acquire().await.map_err(Fault::internal)?;
    let (signing, input) = (signing.clone(), input.to_vec());
    let made = tokio::task::spawn_blocking(move || {
        let _turn = turn; // Until it is made, even where nobody waits for it any more.
        let pair = material.pair().ok_or_else(no_private_half)?;
        signature(pair, kind, &signing, &input)
    });
    made.await.map_err(Fault::internal)?
}

fn signature(
    pair: &KeyPair,
    kind: PairKind,
    signing: &Signing,
    input: &[u8],
) -> Result<Vec<u8>, Fault> {
    let (scheme, input) = signing.scheme(kind, input)?;
    pair.sign(&scheme, input).map_err(|error| match error {
        Error::DigestLength => Fault::invalid(
            "the input has another length than a digest of hash_algorithm, or than the key can sign",
        ),
        Error::Scheme => Fault::invalid(
            "the key has no signatures with this hash_algorithm, signature_algorithm and salt_length",
        ),
        Error::KeyUnfit => Fault::invalid(
            "the key's numbers are of a form that this hash_algorithm and signature_algorithm can not be computed with",
        ),
        other => other.into(),
    })
}

/// What a version can not do of which only the public half is known.
pub(super) fn no_private_half() -> Fault {
    Fault::invalid("requested version for signing does not contain a private part")
}

impl PublicHalf for PublicKey {
    fn shown(&self) -> String {
        match self.kind().has_seed() {
            true => STANDARD.encode(self.bits()),
            false => self.to_pem(),
        }
    }
}

/// A public half as others write it.
pub(super) trait PublicHalf {
    /// Of Ed25519 and ML-DSA the bare key in base64, else PEM.
    fn shown(&self) -> String;
}
