//! One chunk: its place and whether it is the last are in its nonce.

use coffer_crypto::Secret;
use coffer_crypto::cipher::{Cipher, CipherKey, TAG_BYTES};

use crate::Error;

/// The key of all chunks of one envelope, and which of them is next.
pub(crate) struct Chunks {
    key: CipherKey,
    next: u64,
}

impl Chunks {
    pub(crate) fn new(key: &Secret<[u8; 32]>) -> Result<Self, Error> {
        let key = CipherKey::new(Cipher::Aes256Gcm, key.expose()).map_err(|_| Error::WrongKey)?;
        Ok(Self { key, next: 0 })
    }

    /// The number of the next chunk.
    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    pub(crate) fn seal(&mut self, data: &mut [u8], last: bool) -> Result<[u8; TAG_BYTES], Error> {
        let tag = self.key.seal_in_place(&self.nonce(last), &[], data);
        self.step();
        // Only a chunk of 64 GiB would be refused.
        tag.map_err(|_| Error::Head("no chunk has that length"))
    }

    /// Answers how much of `sealed` is plaintext now.
    pub(crate) fn open(&mut self, sealed: &mut [u8], last: bool) -> Result<usize, Error> {
        let opened = self.key.open_in_place(&self.nonce(last), &[], sealed);
        let at = self.next;
        self.step();
        opened.map_err(|_| Error::Altered(at))
    }

    /// Three zeros, the number, and one for the last. The key is this envelope's alone, so no nonce comes twice.
    fn nonce(&self, last: bool) -> [u8; 12] {
        let [a, b, c, d, e, f, g, h] = self.next.to_be_bytes();
        [0, 0, 0, a, b, c, d, e, f, g, h, u8::from(last)]
    }

    /// At 4 KiB a chunk, the number would be used up after 2^76 bytes.
    fn step(&mut self) {
        self.next = self.next.wrapping_add(1);
    }
}
