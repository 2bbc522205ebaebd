//! What keeps a root key outside of the store: a cloud's KMS, an HSM, another server's transit.

use std::future::Future;
use std::pin::Pin;

use coffer_crypto::Zeroizing;

/// Something outside that wraps a few bytes, and that nobody can unwrap without.
///
/// Whoever may unwrap with it and has a copy of the store has everything in the store.
pub trait Wrapper: Send + Sync {
    /// The word for its kind in the configuration, for example `awskms`.
    fn kind(&self) -> &'static str;

    /// Wraps `plaintext`, of at most some hundred bytes, with the keeper's present key.
    fn wrap<'a>(&'a self, plaintext: &'a [u8]) -> Kept<'a, Wrapped>;

    /// Undoes [`Wrapper::wrap`], also what older versions of the key have wrapped.
    fn unwrap<'a>(&'a self, wrapped: &'a Wrapped) -> Kept<'a, Zeroizing<Vec<u8>>>;
}

/// What a keeper answers, some time later.
pub type Kept<'a, T> = Pin<Box<dyn Future<Output = Result<T, WrapError>> + Send + 'a>>;

/// What a keeper made of a few bytes. It is stored, and is no secret to whom the keeper does not obey.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrapped {
    /// Which key, and version of it, wrapped them, in the keeper's own words; for people, and to see whether the key was changed.
    pub key_id: String,
    /// The wrapped bytes, in the keeper's own form.
    pub ciphertext: Vec<u8>,
}

/// Why a keeper did not answer as it should. Texts are for operators: without secrets and without what a stranger's server said.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WrapError {
    /// It was not reached, or not in time, or says that it is overloaded: worth another try.
    #[error("{0}")]
    Unreachable(String),
    /// It refuses: no right, no such key, key disabled, or the ciphertext is not its own.
    #[error("{0}")]
    Refused(String),
    /// It answered what makes no sense.
    #[error("{0}")]
    Garbled(String),
}
