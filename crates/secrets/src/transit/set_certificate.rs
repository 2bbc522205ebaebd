//! `keys/NAME/set-certificate`: certificates of a key.

use coffer_crypto::pem;
use coffer_engine::{Ctx, Fault, Handle, Routes, path};
use coffer_wire::{Int, Text};
use der::{Decode as _, Encode as _};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use x509_cert::Certificate;
use x509_cert::ext::pkix::BasicConstraints;

use super::Transit;
use super::draft::{Draft, settled};
use super::events::Happened;
use super::key::{Bytes, Version, version_place};
use super::kind::KeyKind;
use super::shown::chain;

/// How many certificates a chain has at most.
const CHAIN_MAX: usize = 32;

pub(super) fn routes() -> Routes<Transit> {
    Routes::new([path("keys/{name}/set-certificate", "Certificates of a key.").write::<SetChain>()])
}

/// Keeps certificates with a version of a key, which shows and exports them.
#[derive(Deserialize, JsonSchema)]
struct SetChain {
    /// Name of the key.
    name: String,
    /// Certificates in PEM: that of the key first, each signed by the next.
    #[serde(default)]
    certificate_chain: Text,
    /// The version that they are for; the latest if not given.
    #[serde(default)]
    version: Option<Int>,
}

/// Certificates of a key.
#[derive(Serialize, JsonSchema)]
struct Chain {
    /// In PEM.
    certificate_chain: String,
    /// Name of the key.
    name: String,
    /// What the key is.
    #[serde(rename = "type")]
    kind: KeyKind,
}

impl Handle<Transit> for SetChain {
    type Reply = Chain;

    async fn handle(self, engine: &Transit, cx: &Ctx) -> Result<Chain, Fault> {
        let kind = engine.signing_key(cx, &self.name).await?.key.kind;
        let certificates = read(&self.certificate_chain.0)?;
        check(&certificates)?;
        let ders = ders(&certificates)?;
        let key = settled(|| async {
            let draft = Draft::open(cx, &self.name).await?;
            let draft = draft.ok_or_else(|| refused("the key was deleted meanwhile"))?;
            let number = match &self.version {
                None => i64::from(draft.key.latest_version),
                Some(version) => version.0,
            };
            let absent = || refused("no such key version");
            let number = u32::try_from(number).map_err(|_| absent())?;
            if !draft.key.working().contains(&number) {
                return Err(absent());
            }
            let place = version_place(&draft.key.id, number);
            let version: Option<Version> = cx.view.get(&place).await?;
            let version = version.ok_or_else(absent)?;
            if draft.key.derived || certified(&certificates)? != version.public.expose() {
                return Err(refused(
                    "the first certificate is for another key than this version",
                ));
            }
            let version = Version {
                certificates: ders.clone(),
                ..version
            };
            draft.with(number, version).save(engine, cx).await
        })
        .await?;
        cx.emit(key.event(Happened::Certified, &self.name));
        Ok(Chain {
            certificate_chain: chain(&ders),
            name: self.name,
            kind,
        })
    }
}

/// The certificates in a text.
fn read(text: &str) -> Result<Vec<Certificate>, Fault> {
    let garbled = || Fault::invalid("could not decode a PEM block in the certificate chain");
    let mut certificates = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        const END: &str = "-----END CERTIFICATE-----";
        let end = rest.find(END).ok_or_else(garbled)? + END.len();
        let (block, more) = rest.split_at_checked(end).ok_or_else(garbled)?;
        let Some((pem::CERTIFICATE, document)) = pem::read(block) else {
            return Err(garbled());
        };
        let certificate = Certificate::from_der(&document);
        let certificate = certificate
            .map_err(|_| Fault::invalid("failed to parse a certificate of the chain"))?;
        certificates.push(certificate);
        if certificates.len() > CHAIN_MAX {
            return Err(Fault::Invalid(format!(
                "the chain has more than {CHAIN_MAX} certificates"
            )));
        }
        rest = more.trim_start();
    }
    match certificates.is_empty() {
        true => Err(Fault::invalid(
            "provided certificate chain did not contain any valid PEM encoded certificate",
        )),
        false => Ok(certificates),
    }
}

/// Refuses chains that do not begin with a leaf, or end with none of an authority.
fn check(certificates: &[Certificate]) -> Result<(), Fault> {
    let (first, rest) = certificates.split_first().unzip();
    if first.is_some_and(is_authority) {
        return Err(refused(
            "certificate in the first element is not a valid leaf certificate",
        ));
    }
    if rest
        .and_then(<[_]>::last)
        .is_some_and(|last| !is_authority(last))
    {
        return Err(refused(
            "certificate in the last element is not a valid CA certificate",
        ));
    }
    Ok(())
}

fn is_authority(certificate: &Certificate) -> bool {
    let found = certificate
        .tbs_certificate()
        .get_extension::<BasicConstraints>();
    matches!(found, Ok(Some((_, constraints))) if constraints.ca)
}

/// The public key that the first one is for.
fn certified(certificates: &[Certificate]) -> Result<Vec<u8>, Fault> {
    let first = certificates.first().map(Certificate::tbs_certificate);
    let spki = first.map(|first| first.subject_public_key_info().to_der());
    spki.transpose()
        .map(Option::unwrap_or_default)
        .map_err(Fault::internal)
}

fn ders(certificates: &[Certificate]) -> Result<Vec<Bytes>, Fault> {
    let each = certificates.iter().map(|certificate| certificate.to_der());
    let each = each.map(|document| document.map(Bytes::new).map_err(Fault::internal));
    each.collect()
}

fn refused(why: &str) -> Fault {
    Fault::Invalid(format!("failed to persist certificate chain: {why}"))
}
