//! `static`: a key that stands beside the configuration, in a file or in the environment.

use std::future::ready;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use coffer_barrier::{Kept, WrapError, Wrapped, Wrapper};
use coffer_crypto::cipher::{Cipher, CipherKey};
use coffer_crypto::{Random, Zeroizing};

use crate::build::BuildError;
use crate::source::Source;
use crate::stanza::Stanza;

const KIND: &str = "static";
/// Bytes of a key for AES-256.
const KEY_BYTES: usize = 32;
/// How long a key's name may be, in bytes.
const NAME_BYTES_MAX: usize = 256;
/// What is authenticated besides, so that nothing else that is encrypted by the same key passes for a root key.
const ABOUT: &[u8] = b"coffer: root key, static seal, version 1";

/// The present key, and the one before it while keys change.
pub(crate) struct StaticKey {
    current: Named,
    previous: Option<Named>,
    random: Random,
}

struct Named {
    id: String,
    key: CipherKey,
}

impl StaticKey {
    pub(crate) fn build(mut stanza: Stanza<'_>) -> Result<Self, BuildError> {
        let current_id = stanza.required("current_key_id", &[])?;
        let current = stanza.secret("current_key", &[])?;
        let previous_id = stanza.own("previous_key_id");
        let previous = stanza.secret("previous_key", &[])?;
        stanza.finish()?;
        let current = current.ok_or_else(|| stanza.missing("current_key", &[]))?;
        let current = named(
            &stanza,
            ("current_key_id", current_id),
            ("current_key", &current),
        )?;
        let previous = match (previous_id, previous) {
            (Some(id), _) if id == current.id => {
                let why = "is also `current_key_id`: each key needs a name of its own";
                return Err(stanza.unfit("previous_key_id", why));
            }
            (Some(id), Some(key)) => Some(named(
                &stanza,
                ("previous_key_id", id),
                ("previous_key", &key),
            )?),
            (None, None) => None,
            (None, Some(_)) => return Err(stanza.missing("previous_key_id", &[])),
            (Some(_), None) => return Err(stanza.missing("previous_key", &[])),
        };
        Ok(Self {
            current,
            previous,
            random: Random::system(),
        })
    }

    fn encrypt(&self, plaintext: &[u8]) -> Result<Wrapped, WrapError> {
        let key = &self.current.key;
        let ciphertext = key
            .seal(&self.random, ABOUT, plaintext)
            .map_err(|_| WrapError::Refused("the plaintext is too long".to_owned()))?;
        Ok(Wrapped {
            key_id: self.current.id.clone(),
            ciphertext,
        })
    }

    fn decrypt(&self, wrapped: &Wrapped) -> Result<Zeroizing<Vec<u8>>, WrapError> {
        let keys = [Some(&self.current), self.previous.as_ref()];
        let key = keys
            .into_iter()
            .flatten()
            .find(|key| key.id == wrapped.key_id);
        let Some(key) = key else {
            return Err(WrapError::Refused(format!(
                "wrapped by the static key {:?}, which is neither `current_key_id` nor `previous_key_id`",
                wrapped.key_id
            )));
        };
        key.key.open(ABOUT, &wrapped.ciphertext).map_err(|_| {
            WrapError::Refused(format!(
                "the static key {:?} is not the one that wrapped, or what it wrapped was changed",
                key.id
            ))
        })
    }
}

impl Wrapper for StaticKey {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn wrap<'a>(&'a self, plaintext: &'a [u8]) -> Kept<'a, Wrapped> {
        Box::pin(ready(self.encrypt(plaintext)))
    }

    fn unwrap<'a>(&'a self, wrapped: &'a Wrapped) -> Kept<'a, Zeroizing<Vec<u8>>> {
        Box::pin(ready(self.decrypt(wrapped)))
    }
}

fn named(
    stanza: &Stanza<'_>,
    (id_name, id): (&str, String),
    (key_name, source): (&str, &Source),
) -> Result<Named, BuildError> {
    if id.len() > NAME_BYTES_MAX {
        return Err(stanza.unfit(id_name, format!("is longer than {NAME_BYTES_MAX} bytes")));
    }
    let given = source
        .bytes()
        .map_err(|problem| stanza.unfit(key_name, problem))?;
    let bytes = key_bytes(&given).ok_or_else(|| {
        let why =
            "is no key of 32 bytes, raw, in hex or in base64; make one: openssl rand -out FILE 32";
        stanza.unfit(key_name, why)
    })?;
    if bytes.iter().all(u8::is_ascii_graphic) {
        tracing::warn!(
            parameter = key_name,
            "the static key is made of printable characters: it is no random key, and may be guessed"
        );
    }
    let key = CipherKey::new(Cipher::Aes256Gcm, &bytes)
        .map_err(|_| stanza.unfit(key_name, "is no key for AES-256"))?;
    Ok(Named { id, key })
}

/// The key of what is raw, hex or base64; of a text, blanks at its ends do not count.
fn key_bytes(given: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    if given.len() == KEY_BYTES {
        return Some(Zeroizing::new(given.to_vec()));
    }
    let text = given.trim_ascii();
    let forms = [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD];
    let read = hex::decode(text)
        .ok()
        .or_else(|| forms.iter().find_map(|form| form.decode(text).ok()));
    read.map(Zeroizing::new)
        .filter(|key| key.len() == KEY_BYTES)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const HEX: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    const BASE64: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    const OTHER: &str = "ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

    fn keeper(options: &[(&str, &str)]) -> Result<StaticKey, BuildError> {
        let options: BTreeMap<String, String> = options
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let environment = |name: &str| (name == "KEY").then(|| HEX.to_owned());
        StaticKey::build(Stanza::new(KIND, &options, &environment))
    }

    fn refused(options: &[(&str, &str)]) -> String {
        keeper(options).err().unwrap().to_string()
    }

    #[test]
    fn a_key_is_read_in_each_of_its_forms() {
        let folder = tempfile::tempdir().unwrap();
        let raw = folder.path().join("raw");
        std::fs::write(&raw, hex::decode(HEX).unwrap()).unwrap();
        let text = folder.path().join("text");
        std::fs::write(&text, format!("{BASE64}\n")).unwrap();
        let first = keeper(&[("current_key_id", "a"), ("current_key", HEX)]).unwrap();
        let wrapped = first.encrypt(b"root key").unwrap();
        assert_eq!(wrapped.key_id, "a");
        for form in [
            HEX,
            BASE64,
            BASE64.trim_end_matches('='),
            "env://KEY",
            &format!("file://{}", raw.display()),
            &format!("file://{}", text.display()),
        ] {
            let other = keeper(&[("current_key_id", "a"), ("current_key", form)]).unwrap();
            assert_eq!(*other.decrypt(&wrapped).unwrap(), b"root key", "{form}");
        }
    }

    #[test]
    fn a_key_is_changed_by_naming_the_one_before() {
        let old = keeper(&[("current_key_id", "a"), ("current_key", HEX)]).unwrap();
        let wrapped = old.encrypt(b"root key").unwrap();
        let both = [
            ("current_key_id", "b"),
            ("current_key", OTHER),
            ("previous_key_id", "a"),
            ("previous_key", HEX),
        ];
        let both = keeper(&both).unwrap();
        assert_eq!(*both.decrypt(&wrapped).unwrap(), b"root key");
        assert_eq!(both.encrypt(b"root key").unwrap().key_id, "b");
        let new = keeper(&[("current_key_id", "b"), ("current_key", OTHER)]).unwrap();
        let Err(WrapError::Refused(why)) = new.decrypt(&wrapped) else {
            panic!("a key that is gone unwraps nothing");
        };
        assert!(why.contains("\"a\"") && why.contains("previous_key_id"));
    }

    #[test]
    fn another_key_of_the_same_name_and_any_altered_bit_are_refused() {
        let keeper_of = |key| keeper(&[("current_key_id", "a"), ("current_key", key)]).unwrap();
        let wrapped = keeper_of(HEX).encrypt(b"root key").unwrap();
        assert!(matches!(
            keeper_of(OTHER).decrypt(&wrapped),
            Err(WrapError::Refused(_))
        ));
        for bit in 0..wrapped.ciphertext.len() * 8 {
            let mut altered = wrapped.clone();
            altered.ciphertext[bit / 8] ^= 1 << (bit % 8);
            assert!(keeper_of(HEX).decrypt(&altered).is_err());
        }
        let empty = Wrapped {
            ciphertext: Vec::new(),
            ..wrapped
        };
        assert!(keeper_of(HEX).decrypt(&empty).is_err());
    }

    #[test]
    fn mistakes_are_named_without_the_key() {
        let id = ("current_key_id", "a");
        for (options, word) in [
            (vec![id], "`current_key` is missing"),
            (vec![("current_key", HEX)], "`current_key_id` is missing"),
            (vec![id, ("current_key", &HEX[2..])], "no key of 32 bytes"),
            (
                vec![id, ("current_key", "env://NONE")],
                "NONE, which is not set",
            ),
            (
                vec![id, ("current_key", "file:///none/such")],
                "/none/such, which is not readable",
            ),
            (
                vec![id, ("current_key", HEX), ("previous_key", HEX)],
                "`previous_key_id` is missing",
            ),
            (
                vec![id, ("current_key", HEX), ("previous_key_id", "b")],
                "`previous_key` is missing",
            ),
            (
                vec![
                    id,
                    ("current_key", HEX),
                    ("previous_key_id", "a"),
                    ("previous_key", OTHER),
                ],
                "a name of its own",
            ),
            (
                vec![id, ("current_key", HEX), ("curent_key", HEX)],
                "did you mean `current_key`?",
            ),
        ] {
            let why = refused(&options);
            assert!(why.contains(word), "{why}");
            assert!(!why.contains(&HEX[2..]), "{why}");
        }
    }
}
