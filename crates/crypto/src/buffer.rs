//! A growing buffer for plaintext that leaves no copies behind.

use std::fmt;
use std::io;

use zeroize::Zeroizing;

/// A growing byte buffer for plaintext: whatever it leaves behind is wiped, both the old allocation when it grows and the
/// last one when it is dropped.
///
/// A plain `Vec` frees its old allocation as it is when it grows, so serialising a secret into one scatters copies over the
/// heap. Writing never fails.
#[derive(Default)]
pub struct WipingBuffer {
    bytes: Zeroizing<Vec<u8>>,
}

impl WipingBuffer {
    /// An empty buffer without an allocation.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty buffer that takes `capacity` bytes before it has to move.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self {
            bytes: Zeroizing::new(Vec::with_capacity(capacity)),
        }
    }

    /// Appends bytes, moving to a larger allocation and wiping the old one where they do not fit.
    pub fn extend(&mut self, more: &[u8]) {
        self.reserve(more.len());
        self.bytes.extend_from_slice(more);
    }

    /// Appends `more` zeros, to be written over.
    pub fn grow(&mut self, more: usize) -> &mut [u8] {
        self.reserve(more);
        let before = self.bytes.len();
        self.bytes.resize(before.saturating_add(more), 0);
        self.bytes.get_mut(before..).unwrap_or_default()
    }

    /// What was written so far.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        &self.bytes
    }

    /// Number of bytes written so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether nothing was written yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The bytes, still wiped when dropped.
    #[must_use]
    pub fn into_inner(self) -> Zeroizing<Vec<u8>> {
        self.bytes
    }

    /// Makes room, moving to a larger allocation where there is none.
    fn reserve(&mut self, more: usize) {
        let needed = self.bytes.len().saturating_add(more);
        if needed > self.bytes.capacity() {
            let doubled = self.bytes.capacity().saturating_mul(2);
            self.move_to(needed.max(doubled).max(CAPACITY_BYTES_MIN));
        }
    }

    fn move_to(&mut self, capacity: usize) {
        let mut larger = Zeroizing::new(Vec::with_capacity(capacity));
        larger.extend_from_slice(&self.bytes);
        // The assignment drops the old `Zeroizing`, which wipes its whole capacity.
        self.bytes = larger;
    }
}

impl io::Write for WipingBuffer {
    fn write(&mut self, more: &[u8]) -> io::Result<usize> {
        self.extend(more);
        Ok(more.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl fmt::Debug for WipingBuffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WipingBuffer(redacted)")
    }
}

/// The first allocation: small answers fit without moving.
const CAPACITY_BYTES_MIN: usize = 256;

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn keeps_everything_over_many_moves() {
        let mut buffer = WipingBuffer::new();
        let mut expected = Vec::new();
        for n in 0..5_000u32 {
            buffer.write_all(&n.to_be_bytes()).unwrap();
            expected.extend_from_slice(&n.to_be_bytes());
        }
        assert_eq!(buffer.len(), expected.len());
        assert_eq!(buffer.as_slice(), expected);
        assert_eq!(*buffer.into_inner(), expected);
    }

    #[test]
    fn never_grows_within_the_vec_itself() {
        let mut buffer = WipingBuffer::with_capacity(8);
        buffer.extend(&[1; 8]);
        let before = buffer.bytes.as_ptr();
        buffer.extend(&[2; 1]);
        // A growth inside `Vec` may stay in place; ours always moves, because only so is the old allocation wiped.
        assert_ne!(before, buffer.bytes.as_ptr());
        assert_eq!(buffer.as_slice(), [1, 1, 1, 1, 1, 1, 1, 1, 2]);
    }

    #[test]
    fn grows_by_zeros_that_can_be_written_over() {
        let mut buffer = WipingBuffer::with_capacity(2);
        buffer.extend(&[7; 2]);
        let before = buffer.bytes.as_ptr();
        buffer.grow(3).copy_from_slice(&[1, 2, 3]);
        assert_ne!(before, buffer.bytes.as_ptr());
        assert!(buffer.grow(0).is_empty());
        assert_eq!(buffer.as_slice(), [7, 7, 1, 2, 3]);
    }

    #[test]
    fn debug_shows_nothing() {
        let mut buffer = WipingBuffer::new();
        buffer.extend(b"hunter2");
        assert_eq!(format!("{buffer:?}"), "WipingBuffer(redacted)");
    }
}
