//! `pkcs11`: a key in an HSM, or whatever has a PKCS #11 library.
//!
//! The library is foreign code that may block for as long as it likes: it runs on a thread of its own with a bounded queue.
//! Only what authenticates is used: AES-GCM, and RSA with OAEP. A wrong PIN is tried once, because tokens lock themselves.

mod library;
mod mechanism;
mod token;
mod worker;

use coffer_barrier::{Kept, WrapError, Wrapped, Wrapper};
use coffer_crypto::Zeroizing;

use crate::build::BuildError;
use crate::stanza::Stanza;
use mechanism::{Mechanism, OaepHash};
use token::{KeyName, Place, Settings};
use worker::Worker;

const KIND: &str = "pkcs11";
const NOT_GENERATED: &str = "keys are not made here; make one in the HSM, for example: pkcs11-tool --keygen --key-type aes:32";
const NO_HMAC: &str = "a cipher with an HMAC beside it is not used; take a key for AES-GCM (0x1087) or RSA with OAEP (0x0009)";

/// A key in an HSM.
pub(crate) struct Pkcs11 {
    worker: Worker,
}

impl Pkcs11 {
    pub(crate) fn build(mut stanza: Stanza<'_>) -> Result<Self, BuildError> {
        let library = stanza.required("lib", &["*_HSM_LIB"])?;
        let slot = stanza.text("slot", &["*_HSM_SLOT"]);
        let serial = stanza.text("serial", &["*_HSM_SERIAL"]);
        let token_label = stanza.text("token_label", &["*_HSM_TOKEN_LABEL"]);
        let pin = stanza.secret("pin", &["*_HSM_PIN"])?;
        let key_label = stanza.text("key_label", &["*_HSM_KEY_LABEL"]);
        let key_id = stanza.text("key_id", &["*_HSM_KEY_ID"]);
        let mechanism = stanza.text("mechanism", &["*_HSM_MECHANISM"]);
        let hash = stanza.text("rsa_oaep_hash", &["*_HSM_RSA_OAEP_HASH"]);
        let is_read_write = stanza.flag("force_rw_session", &["*_HSM_FORCE_RW_SESSION"])?;
        unused(&mut stanza)?;
        stanza.finish()?;
        if library.contains('/') && !std::path::Path::new(&library).exists() {
            return Err(stanza.unfit("lib", format!("names {library}, which is not there")));
        }
        let slot = slot.map(|text| {
            let wrong = "is no number of a slot, decimal or 0x…";
            mechanism::number(&text).ok_or_else(|| stanza.unfit("slot", wrong))
        });
        let place = Place {
            slot: slot.transpose()?,
            serial,
            token_label,
        };
        if place == Place::default() {
            return Err(stanza.missing("token_label", &["VAULT_HSM_TOKEN_LABEL", "VAULT_HSM_SLOT"]));
        }
        let settings = Settings {
            library: library.into(),
            place,
            pin: pin.ok_or_else(|| stanza.missing("pin", &["VAULT_HSM_PIN"]))?,
            key: key(&stanza, key_label, key_id)?,
            mechanism: mechanism
                .map(|text| Mechanism::parse(&text).map_err(|why| stanza.unfit("mechanism", why)))
                .transpose()?,
            hash: match hash {
                None => OaepHash::Sha256,
                Some(text) => OaepHash::parse(&text).ok_or_else(|| {
                    stanza.unfit(
                        "rsa_oaep_hash",
                        "is none of sha1, sha224, sha256, sha384, sha512",
                    )
                })?,
            },
            is_read_write,
        };
        Ok(Self {
            worker: Worker::new(settings),
        })
    }
}

impl Wrapper for Pkcs11 {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn wrap<'a>(&'a self, plaintext: &'a [u8]) -> Kept<'a, Wrapped> {
        let plaintext = Zeroizing::new(plaintext.to_vec());
        Box::pin(self.worker.wrap(plaintext))
    }

    fn unwrap<'a>(&'a self, wrapped: &'a Wrapped) -> Kept<'a, Zeroizing<Vec<u8>>> {
        Box::pin(self.worker.unwrap(wrapped.clone()))
    }
}

/// What others know: refused, or without effect because it is always so.
fn unused(stanza: &mut Stanza<'_>) -> Result<(), BuildError> {
    stanza.refused("generate_key", &["*_HSM_GENERATE_KEY"], NOT_GENERATED)?;
    for (name, variable) in [
        ("hmac_key_label", "*_HSM_HMAC_KEY_LABEL"),
        ("hmac_key_id", "*_HSM_HMAC_KEY_ID"),
        ("hmac_mechanism", "*_HSM_HMAC_MECHANISM"),
        ("default_hmac_key_label", "*_HSM_HMAC_DEFAULT_KEY_LABEL"),
    ] {
        stanza.refused(name, &[variable], NO_HMAC)?;
    }
    let local = "the HSM itself encrypts";
    stanza.refused("rsa_encrypt_local", &["*_HSM_RSA_ENCRYPT_LOCAL"], local)?;
    stanza.flag("disable_software_encryption", &[])?;
    if stanza
        .text("default_key_label", &["*_HSM_DEFAULT_KEY_LABEL"])
        .is_some()
    {
        tracing::warn!(
            "seal \"pkcs11\": `default_key_label` has no effect: what is wrapped names its key"
        );
    }
    Ok(())
}

fn key(
    stanza: &Stanza<'_>,
    label: Option<String>,
    id: Option<String>,
) -> Result<KeyName, BuildError> {
    let id = id.map(|text| {
        let wrong = "is no identifier in hex, as in 0x0102";
        let digits = text.trim_start_matches("0x");
        hex::decode(digits).map_err(|_| stanza.unfit("key_id", wrong))
    });
    let name = KeyName {
        label: label.unwrap_or_default(),
        id: id.transpose()?.unwrap_or_default(),
    };
    match name.is_none() {
        true => Err(stanza.missing("key_label", &["VAULT_HSM_KEY_LABEL"])),
        false if name.is_too_long() => {
            Err(stanza.unfit("key_label", "is too long for the name of a key"))
        }
        false => Ok(name),
    }
}

/// What is refused without asking the HSM.
fn refused(why: impl Into<String>) -> WrapError {
    WrapError::Refused(format!("the HSM: {}", why.into()))
}

#[cfg(test)]
mod tests;
