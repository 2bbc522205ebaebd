//! `keys/{key}/import-parameters`: a public key to wrap material for, and the token that goes with it.

use std::time::Duration;

use coffer_crypto::pair::{OaepHash, PairKind};
use coffer_crypto::sha256;
use coffer_engine::{Ctx, Fault, Handle, Routes, path};
use coffer_wire::{Text, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Kms;
use super::book::{named, read};
use super::bytes::Bytes;
use super::exception::Exception;
use super::name::KeyId;
use super::record::{Key, Wrapping, WrappingSpec};
use super::spec::{KeySpec, Make};

/// How long parameters can be used.
const LIFETIME: Duration = Duration::from_secs(24 * 3_600);
/// How many sets of parameters a key has at once; a further one takes the place of the oldest.
const MAX_SETS: usize = 3;
/// A token: the id of the key, when it ends, and random bytes.
const TOKEN_BYTES: usize = 16 + 8 + 32;

pub(super) fn routes() -> Routes<Kms> {
    Routes::new([path(
        "keys/{key}/import-parameters",
        "What is needed to import material.",
    )
    .write::<GetParameters>()])
}

/// How material is wrapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum WrappingAlgorithm {
    /// The material itself is encrypted with RSA.
    #[serde(rename = "RSAES_OAEP_SHA_1")]
    OaepSha1,
    #[serde(rename = "RSAES_OAEP_SHA_256")]
    OaepSha256,
    /// The material is wrapped with an AES key, and that with RSA.
    #[serde(rename = "RSA_AES_KEY_WRAP_SHA_1")]
    AesSha1,
    #[serde(rename = "RSA_AES_KEY_WRAP_SHA_256")]
    AesSha256,
}

impl WrappingAlgorithm {
    /// The hash of its RSA part.
    pub(super) fn hash(self) -> OaepHash {
        match self {
            Self::OaepSha1 | Self::AesSha1 => OaepHash::Sha1,
            Self::OaepSha256 | Self::AesSha256 => OaepHash::Sha256,
        }
    }

    /// Whether an AES key lies in between.
    pub(super) fn by_aes(self) -> bool {
        matches!(self, Self::AesSha1 | Self::AesSha256)
    }

    fn parse(name: &str) -> Result<Self, Fault> {
        Ok(match name {
            "RSAES_OAEP_SHA_1" => Self::OaepSha1,
            "RSAES_OAEP_SHA_256" => Self::OaepSha256,
            "RSA_AES_KEY_WRAP_SHA_1" => Self::AesSha1,
            "RSA_AES_KEY_WRAP_SHA_256" => Self::AesSha256,
            "RSAES_PKCS1_V1_5" | "SM2PKE" => {
                return Err(Exception::UnsupportedOperation
                    .because(format!("the wrapping algorithm {name} is not supported")));
            }
            _ => {
                return Err(Exception::Validation.because(
                    "wrapping_algorithm is none of RSAES_OAEP_SHA_1, RSAES_OAEP_SHA_256, RSA_AES_KEY_WRAP_SHA_1, RSA_AES_KEY_WRAP_SHA_256",
                ));
            }
        })
    }

    /// Whether material of the spec fits into what is wrapped so.
    fn refuse_unfit(self, spec: KeySpec, wrapping: WrappingSpec) -> Result<(), Fault> {
        let pair = spec.is_pair();
        let fits = match (self.by_aes(), spec.make()) {
            (true, _) => pair,
            (false, Make::Symmetric | Make::Hmac(_)) => true,
            (false, Make::Pair(_)) if spec.is_rsa() => false,
            // More than 2,048 bits have room for.
            (false, Make::Pair(_)) => spec != KeySpec::P521 || wrapping != WrappingSpec::Rsa2048,
        };
        match fits {
            true => Ok(()),
            false => Err(Exception::UnsupportedOperation.because(format!(
                "material of the key spec {} can not be wrapped by this algorithm and wrapping key",
                spec.name()
            ))),
        }
    }
}

impl WrappingSpec {
    /// What to generate, and to read.
    pub(super) fn kind(self) -> PairKind {
        match self {
            Self::Rsa2048 => PairKind::Rsa2048,
            Self::Rsa3072 => PairKind::Rsa3072,
            Self::Rsa4096 => PairKind::Rsa4096,
        }
    }

    fn parse(name: &str) -> Result<Self, Fault> {
        Ok(match name {
            "RSA_2048" => Self::Rsa2048,
            "RSA_3072" => Self::Rsa3072,
            "RSA_4096" => Self::Rsa4096,
            "SM2" => {
                return Err(Exception::UnsupportedOperation
                    .because("the wrapping key spec SM2 is not supported"));
            }
            _ => {
                return Err(Exception::Validation
                    .because("wrapping_key_spec is none of RSA_2048, RSA_3072, RSA_4096"));
            }
        })
    }
}

/// Gives a public key to wrap material for, and the token that goes with it. Both can be used for 24 hours.
#[derive(Deserialize, JsonSchema)]
struct GetParameters {
    /// The key: its id, or `alias:NAME` with `:` for each `/` of the name. Its origin is `EXTERNAL`.
    key: String,
    /// `RSAES_OAEP_SHA_256` or `RSAES_OAEP_SHA_1`; for private keys of RSA `RSA_AES_KEY_WRAP_SHA_256` or `RSA_AES_KEY_WRAP_SHA_1`.
    wrapping_algorithm: Text,
    /// `RSA_2048`, `RSA_3072` or `RSA_4096`.
    wrapping_key_spec: Text,
}

/// What is needed to import material.
#[derive(Serialize, JsonSchema)]
struct Parameters {
    key_id: String,
    /// Goes with the wrapped material, in base64.
    import_token: Bytes,
    /// The public key (`SubjectPublicKeyInfo`) to wrap for, in base64.
    public_key: Bytes,
    /// How long both can be used.
    parameters_valid_to: Timestamp,
}

impl Handle<Kms> for GetParameters {
    type Reply = Parameters;

    async fn handle(self, engine: &Kms, cx: &Ctx) -> Result<Parameters, Fault> {
        let algorithm = WrappingAlgorithm::parse(&self.wrapping_algorithm.0)?;
        let kind = WrappingSpec::parse(&self.wrapping_key_spec.0)?;
        let allowed = |id, key: &Key| {
            key.refuse_unless_external(id)?;
            key.refuse_pending_deletion(id)?;
            algorithm.refuse_unfit(key.spec, kind)
        };
        let id = named(cx, &self.key).await?;
        allowed(id, &read(cx, id).await?)?;
        let pair = engine.turns.generate(kind.kind()).await?;
        let valid_to = cx.now.plus(LIFETIME).whole_seconds();
        let token = token(cx, id, valid_to);
        let wrapping = Wrapping {
            token: fingerprint(&token),
            algorithm,
            private: pair.to_pkcs8()?.expose().clone().into(),
            kind,
            valid_to,
        };
        let edit = |id, key: &mut Key| {
            allowed(id, key)?;
            key.wrappings.push(wrapping.clone());
            let over = key.wrappings.len().saturating_sub(MAX_SETS);
            key.wrappings.drain(..over);
            Ok(())
        };
        engine.change_untold(cx, &id.to_string(), edit).await?;
        Ok(Parameters {
            key_id: id.to_string(),
            import_token: token.into(),
            public_key: pair.public().to_spki().into(),
            parameters_valid_to: valid_to,
        })
    }
}

fn token(cx: &Ctx, id: KeyId, valid_to: Timestamp) -> Vec<u8> {
    let random: [u8; 32] = cx.random.bytes();
    let mut token = id.as_bytes().to_vec();
    token.extend_from_slice(&valid_to.secs().to_be_bytes());
    token.extend_from_slice(&random);
    token
}

/// By what a token is known.
fn fingerprint(token: &[u8]) -> String {
    hex::encode(sha256(token))
}

/// The private key that goes with a token.
pub(super) fn wrapping_of(cx: &Ctx, id: KeyId, key: &Key, token: &[u8]) -> Result<Wrapping, Fault> {
    let known = fingerprint(token);
    if let Some(found) = key
        .wrappings
        .iter()
        .find(|wrapping| wrapping.token == known)
    {
        return Ok(found.clone());
    }
    let ended = token.len() == TOKEN_BYTES
        && token.starts_with(id.as_bytes())
        && token
            .get(16..24)
            .and_then(|secs| <[u8; 8]>::try_from(secs).ok())
            .is_some_and(|secs| Timestamp::from_secs(u64::from_be_bytes(secs)) <= cx.now);
    Err(match ended {
        true => {
            Exception::ExpiredImportToken.because("the import token has expired; get a new one")
        }
        false => Exception::InvalidImportToken
            .because("the import token is not one of this key, or newer ones took its place"),
    })
}
