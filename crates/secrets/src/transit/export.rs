//! `export/TYPE/NAME`: keys that may leave.

use std::collections::BTreeMap;

use coffer_crypto::{Error, Zeroizing};
use coffer_engine::{Ctx, Fault, Handle, Routes, path};
use coffer_wire::Text;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Transit;
use super::export_format::{Format, trimmed};
use super::kind::KeyKind;
use super::ready::{Material, Ready};
use super::secret_text::SecretText;
use super::shown::chain;

/// How many versions are exported at once. More are asked for one by one.
pub(super) const VERSIONS_MAX: usize = 1_000;

pub(super) fn routes() -> Routes<Transit> {
    Routes::new([
        path("export/{type}/{name}", "All versions of a key.").read::<Export>(),
        path("export/{type}/{name}/{version}", "One version of a key.").read::<Export>(),
    ])
}

/// Reads a key's material.
#[derive(Deserialize, JsonSchema)]
struct Export {
    /// `encryption-key`, `signing-key`, `hmac-key`, `public-key` or `certificate-chain`.
    #[serde(rename = "type")]
    part: Text,
    /// Name of the key.
    name: String,
    /// A version, or `latest`; all that may be used if not given.
    #[serde(default)]
    version: Text,
    /// `der`: pairs as PKCS #8 or `SubjectPublicKeyInfo`, in base64; `pem`: the same in PEM; `raw`: of ciphers, HMACs, Ed25519 and
    /// ML-DSA their bytes, in base64. If not given, what fits the kind.
    #[serde(default)]
    format: Text,
}

/// Versions of a key.
#[derive(Serialize, JsonSchema)]
pub(super) struct Exported {
    /// The material of each version.
    pub(super) keys: BTreeMap<String, SecretText>,
    /// Name of the key.
    pub(super) name: String,
    /// What the key is.
    #[serde(rename = "type")]
    pub(super) kind: KeyKind,
}

impl Handle<Transit> for Export {
    type Reply = Exported;

    async fn handle(self, engine: &Transit, cx: &Ctx) -> Result<Exported, Fault> {
        let part = Part::named(&self.part.0)?;
        let format = Format::named(&self.format.0)?;
        let found = engine.find(cx, &self.name).await?;
        let ready = found.ok_or(Fault::NotFound)?;
        if part.is_private() && !ready.key.exportable {
            return Err(Fault::invalid("private key material is not exportable"));
        }
        part.check(ready.key.kind)?;
        ready.key.refuse_deleted()?;
        let mut keys = BTreeMap::new();
        for number in ready.exported_versions(&self.version.0)? {
            if let Some(material) = ready.version_once(cx, number).await? {
                keys.insert(number.to_string(), part.of(&material, format)?.into());
            }
        }
        let (name, kind) = (self.name, ready.key.kind);
        Ok(Exported { keys, name, kind })
    }
}

impl Ready {
    /// The versions that a client asks for: one, `latest`, or all.
    pub(super) fn exported_versions(&self, asked: &str) -> Result<Vec<u32>, Fault> {
        let working = self.key.working();
        let number = match asked {
            "" if working.clone().count() > VERSIONS_MAX => {
                return Err(Fault::Invalid(format!(
                    "the key has more than {VERSIONS_MAX} versions: export them one by one, or raise min_decryption_version"
                )));
            }
            "" => return Ok(working.collect()),
            "latest" => i64::from(self.key.latest_version),
            number => number
                .parse()
                .map_err(|_| Fault::invalid("invalid key version"))?,
        };
        if number < i64::from(*working.start()) {
            return Err(Fault::invalid(
                "version for export is below minimum decryption version",
            ));
        }
        match u32::try_from(number) {
            Ok(number) if working.contains(&number) => Ok(vec![number]),
            _ => Err(Fault::invalid("version does not exist or cannot be found")),
        }
    }
}

/// What of a key is exported.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Encryption,
    Signing,
    Hmac,
    Public,
    Certificates,
}

impl Part {
    fn named(name: &str) -> Result<Self, Fault> {
        match name {
            "encryption-key" => Ok(Self::Encryption),
            "signing-key" => Ok(Self::Signing),
            "hmac-key" => Ok(Self::Hmac),
            "public-key" => Ok(Self::Public),
            "certificate-chain" => Ok(Self::Certificates),
            other => Err(Fault::Invalid(format!("invalid export type: {other}"))),
        }
    }

    fn is_private(self) -> bool {
        matches!(self, Self::Encryption | Self::Signing | Self::Hmac)
    }

    /// Refuses keys that have no such part.
    fn check(self, kind: KeyKind) -> Result<(), Fault> {
        let refused = match self {
            Self::Encryption if !kind.encrypts() => "encryption not supported for the key".into(),
            Self::Signing if !kind.signs() => "signing not supported for the key".into(),
            Self::Public if !kind.is_pair() => {
                format!(
                    "unknown key type {} for export type public-key",
                    kind.name()
                )
            }
            Self::Certificates if !kind.signs() => {
                "certificate chain not supported for keys that do not support signing".into()
            }
            _ => return Ok(()),
        };
        Err(Fault::Invalid(refused))
    }

    /// The part of one version.
    fn of(self, material: &Material, format: Format) -> Result<Zeroizing<String>, Fault> {
        let version = &material.version;
        Ok(match self {
            Self::Hmac => format.bytes(material.mac())?,
            Self::Public => format.public(material.public().ok_or(Error::Scheme)?)?,
            Self::Certificates if version.certificates.is_empty() => {
                return Err(Fault::invalid(
                    "selected key version does not have a certificate chain imported",
                ));
            }
            Self::Certificates => trimmed(Zeroizing::new(chain(&version.certificates))),
            Self::Encryption | Self::Signing => match material.pair() {
                Some(pair) => format.private(pair)?,
                // Only the public half is known.
                None if !version.public.is_empty() => Zeroizing::default(),
                None => format.bytes(version.key.expose())?,
            },
        })
    }
}
