//! `keys/{key}/material`: material that was made elsewhere.
//!
//! A key remembers by a code which material it had, so that after it was deleted, or has expired, only the same can be
//! imported again: what was encrypted with it stays readable, and nothing else ever answers for it.

use std::time::Duration;

use coffer_crypto::pair::{KeyPair, Oaep};
use coffer_crypto::{HmacKey, key_wrap};
use coffer_engine::{Ctx, Fault, Handle, Routes, path};
use coffer_wire::{Moment, Text, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::Kms;
use super::book::{named, read};
use super::bytes::Bytes;
use super::events::{MATERIAL_DELETE, MATERIAL_IMPORT};
use super::exception::Exception;
use super::import_parameters::wrapping_of;
use super::name::KeyId;
use super::record::{DAY, Key, Version, Wrapping};
use super::spec::{KeySpec, Make};
use super::state::KeyState;

/// Bytes of a symmetric key.
pub(super) const SYMMETRIC_BYTES: usize = 32;
/// How long imported material lives at most, where it expires.
const MAX_LIFETIME: Duration = DAY.saturating_mul(365);
/// Characters of a note about material at most.
const MAX_NOTE: usize = 256;

const EXPIRES: &str = "KEY_MATERIAL_EXPIRES";
const STAYS: &str = "KEY_MATERIAL_DOES_NOT_EXPIRE";

pub(super) fn routes() -> Routes<Kms> {
    Routes::new([
        path("keys/{key}/material", "The imported material of a key.")
            .write::<Import>()
            .delete::<DeleteMaterial>(),
    ])
}

/// The word for whether material expires.
pub(super) fn model(valid_to: Option<Timestamp>) -> &'static str {
    match valid_to {
        Some(_) => EXPIRES,
        None => STAYS,
    }
}

/// Names material of a key: a code made with the material, which tells nothing about it.
pub(super) fn material_id(id: KeyId, material: &[u8]) -> String {
    let parts: [&[u8]; 2] = [b"coffer kms key material id", id.as_bytes()];
    hex::encode(HmacKey::new(material).sign_parts(&parts))
}

/// Imports material: the first, the same again, or, for a symmetric key, the next.
#[derive(Deserialize, JsonSchema)]
struct Import {
    /// The key: its id, or `alias:NAME` with `:` for each `/` of the name. Its origin is `EXTERNAL`.
    key: String,
    /// The token that came with the public key, in base64.
    import_token: Bytes,
    /// The material, wrapped for the public key, in base64.
    encrypted_key_material: Bytes,
    /// `KEY_MATERIAL_EXPIRES` (if nothing is said) or `KEY_MATERIAL_DOES_NOT_EXPIRE`.
    #[serde(default)]
    expiration_model: Text,
    /// When it expires, within 365 days.
    #[serde(default)]
    valid_to: Option<Moment>,
    /// `NEW_KEY_MATERIAL`, or `EXISTING_KEY_MATERIAL` (if nothing is said, after the first). Symmetric keys only.
    #[serde(default)]
    import_type: Text,
    /// A note about the material. Symmetric keys only.
    #[serde(default)]
    key_material_description: Option<Text>,
    /// The material that it is to be. Symmetric keys only.
    #[serde(default)]
    key_material_id: Text,
}

/// What was imported, or deleted.
#[derive(Serialize, JsonSchema)]
struct Done {
    key_id: String,
    /// Names the material, of symmetric keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    key_material_id: Option<String>,
}

/// What an import says about the material, checked.
struct Said {
    new: Option<bool>,
    note: Option<String>,
    wanted: Option<String>,
    valid_to: Option<Timestamp>,
}

impl Handle<Kms> for Import {
    type Reply = Done;

    async fn handle(self, engine: &Kms, cx: &Ctx) -> Result<Done, Fault> {
        let said = self.said(cx.now)?;
        let id = named(cx, &self.key).await?;
        let key = read(cx, id).await?;
        refuse_state(id, &key)?;
        said.refuse_unfit(key.spec)?;
        let token = self.import_token.ciphertext("import_token")?;
        let wrapping = wrapping_of(cx, id, &key, token)?;
        let wrapped = self
            .encrypted_key_material
            .ciphertext("encrypted_key_material")?;
        let (wrapped, spec) = (wrapped.to_vec(), key.spec);
        let unwrap = move || material(spec, &wrapping, &wrapped);
        let material = engine.turns.using(true, unwrap).await??;
        let edit = |id, key: &mut Key| {
            refuse_state(id, key)?;
            said.put(id, key, &material)
        };
        let material_id = engine
            .change(cx, &id.to_string(), MATERIAL_IMPORT, edit)
            .await?;
        Ok(Done {
            key_id: id.to_string(),
            key_material_id: (spec == KeySpec::Symmetric).then_some(material_id),
        })
    }
}

fn refuse_state(id: KeyId, key: &Key) -> Result<(), Fault> {
    key.refuse_unless_external(id)?;
    match key.state() {
        KeyState::Enabled | KeyState::PendingImport => Ok(()),
        KeyState::Disabled => Err(Exception::InvalidState.because(format!("key {id} is disabled"))),
        KeyState::PendingDeletion => key.refuse_pending_deletion(id),
    }
}

impl Import {
    fn said(&self, now: Timestamp) -> Result<Said, Fault> {
        let new = match self.import_type.0.as_str() {
            "" => None,
            "NEW_KEY_MATERIAL" => Some(true),
            "EXISTING_KEY_MATERIAL" => Some(false),
            _ => {
                return Err(Exception::Validation
                    .because("import_type is neither NEW_KEY_MATERIAL nor EXISTING_KEY_MATERIAL"));
            }
        };
        let wanted = Some(self.key_material_id.0.clone()).filter(|id| !id.is_empty());
        if new == Some(true) && wanted.is_some() {
            return Err(
                Exception::Validation.because("key_material_id is not for NEW_KEY_MATERIAL")
            );
        }
        let note = self
            .key_material_description
            .as_ref()
            .map(|note| note.0.clone());
        if note.as_ref().is_some_and(|note| !is_note(note)) {
            return Err(Exception::Validation.because(
                "key_material_description has letters, digits, blanks and :/_.-, 256 at most",
            ));
        }
        Ok(Said {
            new,
            note,
            wanted,
            valid_to: self.expiry(now)?,
        })
    }

    fn expiry(&self, now: Timestamp) -> Result<Option<Timestamp>, Fault> {
        let valid_to = self.valid_to.map(|moment| moment.0);
        let wrong = |text: &str| Err(Exception::Validation.because(text));
        match (self.expiration_model.0.as_str(), valid_to) {
            (STAYS, None) => Ok(None),
            (STAYS, Some(_)) => wrong("valid_to is not for KEY_MATERIAL_DOES_NOT_EXPIRE"),
            ("" | EXPIRES, None) => wrong("valid_to is missing: when does the material expire?"),
            ("" | EXPIRES, Some(at)) if at <= now => wrong("valid_to is in the past"),
            ("" | EXPIRES, Some(at)) if at > now.plus(MAX_LIFETIME) => {
                wrong("valid_to must be within 365 days")
            }
            ("" | EXPIRES, at) => Ok(at),
            _ => wrong(
                "expiration_model is neither KEY_MATERIAL_EXPIRES nor KEY_MATERIAL_DOES_NOT_EXPIRE",
            ),
        }
    }
}

fn is_note(text: &str) -> bool {
    let known =
        |c: char| c.is_ascii_alphanumeric() || c.is_ascii_whitespace() || ":/_.-".contains(c);
    text.chars().count() <= MAX_NOTE && text.chars().all(known)
}

impl Said {
    fn refuse_unfit(&self, spec: KeySpec) -> Result<(), Fault> {
        let said = self.new.is_some() || self.note.is_some() || self.wanted.is_some();
        match said && spec != KeySpec::Symmetric {
            true => Err(Exception::Validation.because(
                "import_type, key_material_description and key_material_id are for symmetric encryption keys alone",
            )),
            false => Ok(()),
        }
    }

    /// Puts the material where it belongs; answers its id.
    fn put(&self, id: KeyId, key: &mut Key, material: &Bytes) -> Result<String, Fault> {
        let made = Version::made(id, material.clone());
        let name = made.id.clone();
        if self.wanted.as_ref().is_some_and(|wanted| *wanted != name) {
            return Err(Exception::IncorrectKeyMaterial
                .because("the material is not that of key_material_id"));
        }
        let known = key.versions.iter().find(|(_, version)| version.id == name);
        let known = known.map(|(number, _)| *number);
        let new = self.new.unwrap_or(key.last == 0);
        match (new, known) {
            (true, Some(_)) => Err(Exception::IncorrectKeyMaterial
                .because("the key has this material already; NEW_KEY_MATERIAL must be other")),
            (true, None) => self.add(id, key, made),
            (false, None) => Err(Exception::IncorrectKeyMaterial
                .because("the material is none that the key had before")),
            (false, Some(number)) => {
                if let Some(version) = key.versions.get_mut(&number) {
                    version.material = made.material;
                    version.valid_to = self.valid_to;
                    if let Some(note) = &self.note {
                        version.description.clone_from(note);
                    }
                }
                Ok(())
            }
        }?;
        key.disabled = false;
        Ok(name)
    }

    fn add(&self, id: KeyId, key: &mut Key, made: Version) -> Result<(), Fault> {
        if key.pending().is_some() {
            return Err(Exception::InvalidState.because(format!(
                "key {id} has material that waits for its rotation already; rotate, or delete it"
            )));
        }
        let number = key.add(Version {
            valid_to: self.valid_to,
            description: self.note.clone().unwrap_or_default(),
            ..made
        });
        if key.current == 0 {
            key.current = number;
        }
        Ok(())
    }
}

/// The material in what was wrapped, where it is of this spec.
fn material(spec: KeySpec, wrapping: &Wrapping, wrapped: &[u8]) -> Result<Bytes, Fault> {
    let garbled = |_| {
        Exception::InvalidCiphertext.because(
            "the material could not be unwrapped: is it wrapped for the right key, and so?",
        )
    };
    let kind = wrapping.kind.kind();
    let private = KeyPair::from_pkcs8(kind, wrapping.private.as_slice())?;
    let oaep = Oaep::new(wrapping.algorithm.hash());
    let bytes = match wrapping.algorithm.by_aes() {
        false => private.decrypt(oaep, wrapped).map_err(garbled)?,
        true => {
            let border = kind.rsa_bits().unwrap_or_default() / 8;
            let (aes, inner) = wrapped.split_at_checked(border).unwrap_or((wrapped, &[]));
            let aes = private.decrypt(oaep, aes).map_err(garbled)?;
            key_wrap::unwrap_kwp(&aes, inner).map_err(garbled)?
        }
    };
    fit(spec, bytes)
}

fn fit(spec: KeySpec, bytes: Zeroizing<Vec<u8>>) -> Result<Bytes, Fault> {
    let wanted = match spec.make() {
        Make::Symmetric => SYMMETRIC_BYTES,
        Make::Hmac(length) => length,
        Make::Pair(kind) => {
            // Written anew, so that one key has one form, whatever else the document held.
            let pair = KeyPair::from_foreign_pkcs8(kind, &bytes);
            let pair = pair.map_err(|_| unfit(spec, "a private key in PKCS #8"))?;
            return Ok(pair.to_pkcs8()?.expose().clone().into());
        }
    };
    match bytes.len() == wanted {
        true => Ok(bytes.into()),
        false => Err(unfit(spec, &format!("{wanted} bytes"))),
    }
}

fn unfit(spec: KeySpec, what: &str) -> Fault {
    Exception::IncorrectKeyMaterial.because(format!(
        "material of the key spec {} is {what}, and this is not",
        spec.name()
    ))
}

/// Deletes imported material. The key can not be used until the same is imported again.
#[derive(Deserialize, JsonSchema)]
struct DeleteMaterial {
    /// The key: its id, or `alias:NAME` with `:` for each `/` of the name. Its origin is `EXTERNAL`.
    key: String,
    /// Which material; the current one if nothing is said.
    #[serde(default)]
    key_material_id: Text,
}

impl Handle<Kms> for DeleteMaterial {
    type Reply = Done;

    async fn handle(self, engine: &Kms, cx: &Ctx) -> Result<Done, Fault> {
        let edit = |id, key: &mut Key| {
            key.refuse_unless_external(id)?;
            let number = self.number(key)?;
            let name = key.versions.get(&number).map(|version| version.id.clone());
            if number > key.current {
                // It never encrypted anything.
                key.versions.remove(&number);
            } else if let Some(version) = key.versions.get_mut(&number) {
                version.material = None;
                version.valid_to = None;
            }
            let symmetric = key.spec == KeySpec::Symmetric;
            Ok(Done {
                key_id: id.to_string(),
                key_material_id: name.filter(|_| symmetric),
            })
        };
        engine.change(cx, &self.key, MATERIAL_DELETE, edit).await
    }
}

impl DeleteMaterial {
    fn number(&self, key: &Key) -> Result<u32, Fault> {
        let wanted = &self.key_material_id.0;
        if wanted.is_empty() {
            return Ok(key.current);
        }
        let found = key
            .versions
            .iter()
            .find(|(_, version)| version.id == *wanted);
        found
            .map(|(number, _)| *number)
            .ok_or_else(|| Exception::NotFound.because("the key has no such key material"))
    }
}
