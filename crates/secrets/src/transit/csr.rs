//! `keys/NAME/csr`: a request for a certificate of a key (RFC 2986).

use coffer_crypto::pair::{Input, PairKind, PublicKey, RsaPadding, Scheme, SignHash};
use coffer_crypto::{Hash, pem};
use coffer_engine::{Ctx, Fault, Handle, Routes, path};
use coffer_wire::{Int, Text};
use der::asn1::{Any, BitString, Null, ObjectIdentifier};
use der::{Decode as _, Encode as _};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use x509_cert::name::Name;
use x509_cert::request::{CertReq, CertReqInfo, Version};
use x509_cert::spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};

use super::Transit;
use super::kind::KeyKind;
use super::ready::{Material, Ready};
use super::signatures::{SIGNING, no_private_half};

pub(super) fn routes() -> Routes<Transit> {
    Routes::new([
        path("keys/{name}/csr", "A request for a certificate of a key.").write::<MakeRequest>(),
    ])
}

/// Makes a request for a certificate, signed by the key itself.
#[derive(Deserialize, JsonSchema)]
struct MakeRequest {
    /// Name of the key.
    name: String,
    /// A request in PEM whose subject and attributes the new one has; a bare one if not given.
    #[serde(default)]
    csr: Text,
    /// The version that it is for; the latest if not given.
    #[serde(default)]
    version: Option<Int>,
}

/// A request for a certificate.
#[derive(Serialize, JsonSchema)]
struct Request {
    /// In PEM.
    csr: String,
    /// Name of the key.
    name: String,
    /// What the key is.
    #[serde(rename = "type")]
    kind: KeyKind,
}

impl Handle<Transit> for MakeRequest {
    type Reply = Request;

    async fn handle(self, engine: &Transit, cx: &Ctx) -> Result<Request, Fault> {
        let ready = engine.signing_key(cx, &self.name).await?;
        if ready.key.derived {
            return Err(Fault::invalid(
                "operation not supported for keys with derivation enabled",
            ));
        }
        let template = template(&self.csr.0)?;
        let absent = || Fault::invalid("could not create the csr: no such key version");
        let number = match &self.version {
            None => i64::from(ready.key.latest_version),
            Some(version) => version.0,
        };
        let number = u32::try_from(number).map_err(|_| absent())?;
        let number = Some(number).filter(|number| ready.key.working().contains(number));
        let found = ready.version(cx, number.ok_or_else(absent)?).await?;
        let material = found.ok_or_else(absent)?;
        // Slow for RSA and ML-DSA.
        let turn = SIGNING.acquire().await.map_err(Fault::internal)?;
        let made = tokio::task::spawn_blocking(move || {
            let _turn = turn; // Until it is made, even where nobody waits for it any more.
            request(&material, template)
        });
        let csr = made.await.map_err(Fault::internal)??;
        let (name, kind) = (self.name, ready.key.kind);
        Ok(Request { csr, name, kind })
    }
}

impl Transit {
    /// A key of that name, which signs.
    pub(super) async fn signing_key(
        &self,
        cx: &Ctx,
        name: &str,
    ) -> Result<std::sync::Arc<Ready>, Fault> {
        let found = self.find(cx, name).await?;
        let ready = found
            .ok_or_else(|| Fault::Invalid(format!("key with provided name '{name}' not found")))?;
        let kind = ready.key.kind;
        if !kind.signs() {
            return Err(Fault::Invalid(format!(
                "key type '{}' does not support signing",
                kind.name()
            )));
        }
        ready.key.refuse_deleted()?;
        Ok(ready)
    }
}

/// What a request begins with.
fn template(text: &str) -> Result<CertReqInfo, Fault> {
    // The key is another in any case.
    if text.is_empty() {
        let public_key = SubjectPublicKeyInfoOwned {
            algorithm: AlgorithmIdentifierOwned {
                oid: ED25519,
                parameters: None,
            },
            subject_public_key: BitString::from_bytes(&[]).map_err(Fault::internal)?,
        };
        return Ok(CertReqInfo {
            version: Version::V1,
            subject: Name::default(),
            public_key,
            attributes: Default::default(),
        });
    }
    let Some((pem::CERTIFICATE_REQUEST, document)) = pem::read(text) else {
        return Err(Fault::invalid("could not decode PEM CSR"));
    };
    let request = CertReq::from_der(&document);
    let request = request.map_err(|_| Fault::invalid("could not parse the CSR"))?;
    Ok(request.info)
}

fn request(material: &Material, mut info: CertReqInfo) -> Result<String, Fault> {
    let pair = material.pair().ok_or_else(no_private_half)?;
    let spki = pair.public().to_spki();
    info.public_key = SubjectPublicKeyInfoOwned::from_der(&spki).map_err(Fault::internal)?;
    let signed = info.to_der().map_err(Fault::internal)?;
    let (algorithm, scheme) = signing(pair.public())?;
    let signature = pair.sign(&scheme, Input::Message(&signed))?;
    let request = CertReq {
        info,
        algorithm,
        signature: BitString::from_bytes(&signature).map_err(Fault::internal)?,
    };
    let document = request.to_der().map_err(Fault::internal)?;
    Ok(pem::write(pem::CERTIFICATE_REQUEST, &document).to_string())
}

const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
const ECDSA_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");
const ECDSA_SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.3");
const ECDSA_SHA512: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.4");
const RSA_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.11");
const ML_DSA_44: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.3.17");
const ML_DSA_65: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.3.18");
const ML_DSA_87: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.3.19");

/// How a key of this kind signs certificates and requests (RFC 5758, RFC 4055, RFC 8410, RFC 9881).
fn signing(key: &PublicKey) -> Result<(AlgorithmIdentifierOwned, Scheme), Fault> {
    let (oid, hash) = match key.kind() {
        PairKind::Ed25519 => (ED25519, Hash::Sha512),
        PairKind::EcdsaP256 => (ECDSA_SHA256, Hash::Sha256),
        PairKind::EcdsaP384 => (ECDSA_SHA384, Hash::Sha384),
        PairKind::EcdsaP521 => (ECDSA_SHA512, Hash::Sha512),
        PairKind::Rsa2048 | PairKind::Rsa3072 | PairKind::Rsa4096 => (RSA_SHA256, Hash::Sha256),
        PairKind::MlDsa44 => (ML_DSA_44, Hash::Sha512),
        PairKind::MlDsa65 => (ML_DSA_65, Hash::Sha512),
        PairKind::MlDsa87 => (ML_DSA_87, Hash::Sha512),
    };
    let parameters = match key.kind().is_rsa() {
        true => Some(Any::encode_from(&Null).map_err(Fault::internal)?),
        false => None,
    };
    let scheme = Scheme {
        hash: SignHash::Of(hash),
        padding: RsaPadding::Pkcs1v15,
    };
    Ok((AlgorithmIdentifierOwned { oid, parameters }, scheme))
}
