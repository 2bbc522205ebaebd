//! Asymmetric keys that people manage: they sign and verify, encrypt and decrypt in the ways that a caller names.
//!
//! [`sign`](crate::sign) is for tokens, where a key has one algorithm and nothing chooses. Here a key has a kind
//! ([`PairKind`]), and hash and padding come with each call ([`Scheme`], [`Oaep`]), because services that keep keys for
//! others are asked for any of them. What a kind does not take is refused ([`Error::Scheme`](crate::Error::Scheme)), never
//! silently done otherwise.
//!
//! All of it is done by the one library, except what it lacks: RSA with SHA-1, SHA-224 and SHA-3, with salts of other
//! lengths than the hash's or the greatest, and with input that was not hashed (`other_rsa`).

mod agreement;
mod ecdsa;
mod kind;
mod numbers;
mod oaep;
mod other_rsa;
mod private;
mod public;
mod rsa_signature;
mod scheme;
mod seed;

pub use ecdsa::{fixed_from_asn1, fixed_to_asn1};
pub use kind::PairKind;
pub use numbers::RsaNumbers;
pub use oaep::{Oaep, OaepHash};
pub use private::KeyPair;
pub use public::PublicKey;
pub use scheme::{Input, RsaPadding, Salt, Scheme, SignHash};
