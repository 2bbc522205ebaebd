//! A session with a token, and what is done in it.

use std::path::PathBuf;

use coffer_barrier::{WrapError, Wrapped};
use coffer_crypto::{Random, Secret, Zeroizing};
use cryptoki::context::Pkcs11;
use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::Mechanism as Cryptoki;
use cryptoki::mechanism::aead::GcmParams;
use cryptoki::object::{Attribute, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::Slot;
use cryptoki::types::AuthPin;

use super::mechanism::{Mechanism, OaepHash};
use super::refused;
use crate::source::Source;

/// What GCM authenticates besides, so that nothing else that the key encrypts passes for a root key.
const ABOUT: &[u8] = b"coffer: root key, pkcs11 seal, version 1";
/// The first byte of what is stored.
const FORM: u8 = 1;
/// The second: the mechanism.
const GCM: u8 = 1;
const OAEP: u8 = 2;
const NONCE_BYTES: usize = 12;
const TAG_BYTES: usize = 16;
/// How long a label and an identifier may be, in bytes.
const NAME_BYTES_MAX: usize = 256;
/// Between a label and an identifier in the name of a key.
const ID: &str = ";id=0x";
/// How long what was unwrapped may be, in bytes.
const PLAINTEXT_BYTES_MAX: usize = 4 << 10;

/// What the stanza says.
pub(super) struct Settings {
    pub(super) library: PathBuf,
    pub(super) place: Place,
    pub(super) pin: Source,
    pub(super) key: KeyName,
    pub(super) mechanism: Option<Mechanism>,
    pub(super) hash: OaepHash,
    pub(super) is_read_write: bool,
}

/// Which token: all that is said has to be so.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) slot: Option<u64>,
    pub(super) serial: Option<String>,
    pub(super) token_label: Option<String>,
}

/// Which key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KeyName {
    pub(super) label: String,
    pub(super) id: Vec<u8>,
}

/// A session in which somebody is logged in.
pub(super) struct Token {
    session: Session,
}

impl Token {
    /// Opens a session and logs in.
    pub(super) fn open(
        library: &Pkcs11,
        settings: &Settings,
        pin: &Secret<String>,
    ) -> Result<Self, Error> {
        let slot = settings.place.find(library)?;
        let session = match settings.is_read_write {
            true => library.open_rw_session(slot)?,
            false => library.open_ro_session(slot)?,
        };
        let pin = AuthPin::from(pin.expose().clone());
        match session.login(UserType::User, Some(&pin)) {
            // Another session of this process with this token is logged in, and so are all.
            Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(Self { session }),
            Err(error) => Err(error),
        }
    }

    pub(super) fn wrap(
        &self,
        settings: &Settings,
        plaintext: &[u8],
        random: &Random,
    ) -> Result<Result<Wrapped, WrapError>, Error> {
        let name = &settings.key;
        let (mechanism, key) = match self.encrypting(settings)? {
            Ok(found) => found,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let (code, body) = match mechanism {
            Mechanism::AesGcm => ([FORM, GCM, 0], self.seal(key, plaintext, random)?),
            Mechanism::RsaOaep => {
                let how = Cryptoki::RsaPkcsOaep(settings.hash.parameters());
                let body = self.session.encrypt(&how, key, plaintext)?;
                ([FORM, OAEP, settings.hash.code()], body)
            }
        };
        Ok(Ok(Wrapped {
            key_id: name.shown(),
            ciphertext: [code.as_slice(), &body].concat(),
        }))
    }

    pub(super) fn unwrap(
        &self,
        wrapped: &Wrapped,
    ) -> Result<Result<Zeroizing<Vec<u8>>, WrapError>, Error> {
        let unknown = || Ok(Err(refused("what was stored is none of its ciphertexts")));
        let Some(name) = KeyName::parse(&wrapped.key_id) else {
            return unknown();
        };
        let plaintext = match wrapped.ciphertext.as_slice() {
            [FORM, GCM, 0, body @ ..] if body.len() > NONCE_BYTES + TAG_BYTES => {
                match self.find(&name, ObjectClass::SECRET_KEY, KeyType::AES)? {
                    Ok(key) => self.unseal(key, body)?,
                    Err(absence) => return Ok(Err(absence.told())),
                }
            }
            [FORM, OAEP, hash, body @ ..] if !body.is_empty() => {
                let Some(hash) = OaepHash::of(*hash) else {
                    return unknown();
                };
                match self.find(&name, ObjectClass::PRIVATE_KEY, KeyType::RSA)? {
                    Ok(key) => {
                        let how = Cryptoki::RsaPkcsOaep(hash.parameters());
                        self.session.decrypt(&how, key, body)?
                    }
                    Err(absence) => return Ok(Err(absence.told())),
                }
            }
            _ => return unknown(),
        };
        let plaintext = Zeroizing::new(plaintext);
        Ok(match plaintext.len() {
            1..=PLAINTEXT_BYTES_MAX => Ok(plaintext),
            length => Err(WrapError::Garbled(format!(
                "the HSM: a plaintext of {length} bytes is none of ours"
            ))),
        })
    }

    /// The mechanism and its key: what is configured, or AES-GCM where there is a key for it, or OAEP.
    fn encrypting(
        &self,
        settings: &Settings,
    ) -> Result<Result<(Mechanism, ObjectHandle), WrapError>, Error> {
        let name = &settings.key;
        if settings.mechanism != Some(Mechanism::RsaOaep) {
            let found = self.find(name, ObjectClass::SECRET_KEY, KeyType::AES)?;
            if !matches!(found, Err(Absence::None(_))) || settings.mechanism.is_some() {
                return Ok(found
                    .map(|key| (Mechanism::AesGcm, key))
                    .map_err(Absence::told));
            }
        }
        let found = self.find(name, ObjectClass::PUBLIC_KEY, KeyType::RSA)?;
        Ok(found
            .map(|key| (Mechanism::RsaOaep, key))
            .map_err(Absence::told))
    }

    /// The one key of this name and kind.
    fn find(
        &self,
        name: &KeyName,
        class: ObjectClass,
        kind: KeyType,
    ) -> Result<Result<ObjectHandle, Absence>, Error> {
        let mut wanted = vec![Attribute::Class(class), Attribute::KeyType(kind)];
        if !name.label.is_empty() {
            wanted.push(Attribute::Label(name.label.clone().into_bytes()));
        }
        if !name.id.is_empty() {
            wanted.push(Attribute::Id(name.id.clone()));
        }
        let found = self.session.find_objects(&wanted)?;
        Ok(match found.as_slice() {
            [key] => Ok(*key),
            [] => Err(Absence::None(name.shown())),
            _ => Err(Absence::Several(name.shown())),
        })
    }

    fn seal(&self, key: ObjectHandle, plaintext: &[u8], random: &Random) -> Result<Vec<u8>, Error> {
        let mut nonce = random.bytes::<NONCE_BYTES>();
        let bits = u64::try_from(TAG_BYTES * 8).unwrap_or(128);
        let how = Cryptoki::AesGcm(GcmParams::new(&mut nonce, ABOUT, bits.into())?);
        let body = self.session.encrypt(&how, key, plaintext)?;
        // Some HSMs take a nonce of their own, and write it in place of ours.
        Ok([nonce.as_slice(), &body].concat())
    }

    fn unseal(&self, key: ObjectHandle, body: &[u8]) -> Result<Vec<u8>, Error> {
        let (nonce, body) = body.split_at_checked(NONCE_BYTES).unwrap_or_default();
        let mut nonce = nonce.to_vec();
        let bits = u64::try_from(TAG_BYTES * 8).unwrap_or(128);
        let how = Cryptoki::AesGcm(GcmParams::new(&mut nonce, ABOUT, bits.into())?);
        self.session.decrypt(&how, key, body)
    }
}

/// Why there is not the one key.
enum Absence {
    None(String),
    Several(String),
}

impl Absence {
    fn told(self) -> WrapError {
        refused(match self {
            Self::None(name) => {
                format!("there is no key {name:?} of the kind that is needed on the token")
            }
            Self::Several(name) => {
                format!("several keys are called {name:?}; name one by `key_id`")
            }
        })
    }
}

impl Place {
    fn find(&self, library: &Pkcs11) -> Result<Slot, Error> {
        for slot in library.get_slots_with_token()? {
            let is_number = self.slot.is_none_or(|number| number == slot.id());
            if !is_number {
                continue;
            }
            let token = library.get_token_info(slot)?;
            let is = |wanted: &Option<String>, given: &str| {
                wanted
                    .as_ref()
                    .is_none_or(|wanted| wanted == given.trim_end())
            };
            if is(&self.token_label, token.label()) && is(&self.serial, token.serial_number()) {
                return Ok(slot);
            }
        }
        Err(Error::Pkcs11(
            RvError::TokenNotPresent,
            cryptoki::context::Function::GetSlotList,
        ))
    }
}

impl KeyName {
    pub(super) fn is_none(&self) -> bool {
        self.label.is_empty() && self.id.is_empty()
    }

    pub(super) fn is_too_long(&self) -> bool {
        self.label.len() > NAME_BYTES_MAX
            || self.id.len() > NAME_BYTES_MAX
            || self.label.contains(ID)
    }

    /// As it is stored and shown: `LABEL`, `LABEL;id=0x01`, `;id=0x01`.
    pub(super) fn shown(&self) -> String {
        match self.id.is_empty() {
            true => self.label.clone(),
            false => format!("{}{ID}{}", self.label, hex::encode(&self.id)),
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        let (label, id) = text.split_once(ID).unwrap_or((text, ""));
        let name = Self {
            label: label.to_owned(),
            id: hex::decode(id).ok()?,
        };
        (!name.is_none() && !name.is_too_long()).then_some(name)
    }
}
