//! The cryptography of Coffer, and the only crate that names a cipher.
//!
//! What it promises:
//!
//! - **One library underneath.** Ciphers, hashes and randomness are those of AWS-LC; the few things that it lacks are named where
//!   they are used (XChaCha20-Poly1305, SHA3-224, schemes of RSA). What is written here is how they are put
//!   together, and the arithmetic of secret sharing, which the library lacks.
//! - **Secrets are a type.** Key bytes live in [`Secret`], plaintext under way in [`WipingBuffer`] or
//!   [`zeroize::Zeroizing`]. All three wipe what they held; `Secret` is redacted in `Debug` and is read only where somebody
//!   wrote `expose`.
//! - **A ciphertext belongs to its place.** What a [`KeyRing`] encrypts is bound to its path, its term and its format version
//!   and decrypts nowhere else. Nonces are random, uses are counted, and a key refuses to go on before its nonces could repeat.
//! - **Time tells nothing.** Codes and secrets are compared by [`constant_time_eq`]; the field arithmetic of [`shamir`] has
//!   neither branches nor tables. (Lengths are not hidden.)
//! - **Errors tell an attacker nothing.** A decryption fails in one way, whatever was wrong. No text holds a secret.
//! - **Randomness and time are arguments**, so that tests can repeat: [`Random`] and a `now` in seconds since the Unix epoch.
//!
//! - **A key has one algorithm**, and a [`pair`] one kind. What comes with a message never chooses how it is verified.
//!
//! It knows nothing of storage, of requests or of threads, and encodes nothing as text: base64 and hex are the callers'. Signed
//! tokens and requests are the exception ([`jose`], [`sigv4`]): there the text is what is signed; and [`pem`], which keys are told in.
//!
//! | module | what it holds |
//! |---|---|
//! | [`secret`], [`buffer`] | values and buffers that are wiped |
//! | [`random`] | the source of randomness and what is drawn from it |
//! | [`aead`] | AES-256-GCM under one key |
//! | [`cipher`] | authenticated ciphers by name, for keys that people manage |
//! | [`keyring`] | numbered keys, rotation, the format of stored values |
//! | [`shamir`] | splitting a key into shares and putting it together |
//! | [`mac`], [`hash`] | HMAC, HKDF and plain hashes |
//! | [`sign`], [`jose`] | signatures, and signed tokens with their keys as JSON |
//! | [`pair`] | asymmetric keys that people manage, with all their schemes |
//! | [`key_wrap`], [`pem`] | keys under way: wrapped, and as text |
//! | [`sigv4`] | requests signed as AWS has it: to it, and to us |
//! | [`otp`] | one-time passwords |
//! | [`password`] | hashes of passwords |
//! | [`compare`] | equality in constant time |
//! | [`pgp`] | encrypting a secret to somebody's OpenPGP key |

pub mod aead;
pub mod buffer;
pub mod cipher;
pub mod compare;
mod der;
mod error;
pub mod hash;
pub mod jose;
pub mod key_wrap;
pub mod keyring;
pub mod mac;
pub mod otp;
pub mod pair;
pub mod password;
pub mod pem;
pub mod pgp;
pub mod random;
pub mod secret;
pub mod shamir;
pub mod sign;
pub mod sigv4;

pub use aead::Aes256Key;
pub use buffer::WipingBuffer;
pub use compare::constant_time_eq;
pub use error::Error;
pub use hash::{Hash, Sha256, sha1, sha256, sha512};
pub use keyring::{KeyRing, ROTATE_AFTER_ENCRYPTIONS, TermInfo};
pub use mac::{HmacKey, MacKey, hkdf_sha256, hmac_sha1, hmac_sha256};
pub use random::Random;
pub use secret::Secret;
pub use zeroize::{self, Zeroize, Zeroizing};
