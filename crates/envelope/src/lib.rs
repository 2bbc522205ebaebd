//! Envelope encryption of files and streams.
//!
//! Each object has a data key of its own, which encrypts it in chunks with AES-256-GCM. The data key is wrapped by master
//! keys elsewhere (Coffer's KMS or transit, a cloud's KMS) and kept, wrapped, in front of the ciphertext. So a master key is
//! rotated by exchanging a few bytes, however large the object is.
//!
//! What a reader can rely on: a chunk that was altered, left out, moved or taken from another object is an error, and so is a
//! stream that ends early or goes on after its end. Memory is one chunk, whatever the length.
//!
//! This crate is the format, byte by byte as in `docs/envelope-format.md`. It knows nothing of networks and of who wraps data
//! keys: [`Recipient`] is a note that somebody else understands.
//!
//! | module | what it holds |
//! |---|---|
//! | [`Head`] | what never changes: suite, length of chunks, salt, commitment |
//! | [`Keys`], [`Recipient`] | what rotation changes: who can unwrap the data key |
//! | [`Sealer`] | plaintext in, envelope out |
//! | [`Envelope`], [`Opener`] | envelope in, plaintext out |
//! | [`replace_keys`] | rotation, in place |

mod chunk;
mod context;
mod error;
mod head;
mod keys;
mod open;
mod recipient;
mod rewrap;
mod seal;
mod slots;

pub use context::Context;
pub use error::Error;
pub use head::{CHUNK_BYTES, Head, MAGIC};
pub use keys::Keys;
pub use open::{Envelope, Opener};
pub use recipient::Recipient;
pub use rewrap::{Durable, replace_keys};
pub use seal::{DataKey, Sealer};
