//! How a value lies in the file: its bytes, then a checksum over path and value.
//!
//! The engine checks its pages when it recovers, not when it reads, so that a flipped bit would
//! come back as data. The checksum turns it into a named error. It is no defence against people:
//! that is the encryption above the store.

use crate::Error;

use super::reader::damaged;

/// Bytes of the checksum behind each value: CRC-32 (IEEE), little-endian.
pub(super) const CHECKSUM_BYTES: usize = 4;

/// The value in `stored`, if it is what was written at `path`.
pub(super) fn value(path: &[u8], stored: &[u8]) -> Result<Vec<u8>, Error> {
    split(path, stored).map(<[u8]>::to_vec)
}

/// Like [`value`], without a copy.
pub(super) fn split<'a>(path: &[u8], stored: &'a [u8]) -> Result<&'a [u8], Error> {
    match stored.split_last_chunk::<CHECKSUM_BYTES>() {
        Some((value, found)) if *found == checksum(path, value) => Ok(value),
        _ => Err(damaged("a value and its checksum differ")),
    }
}

/// Fills `room`, which is [`CHECKSUM_BYTES`] longer than `value`, with what is stored for it.
pub(super) fn fill(room: &mut [u8], path: &[u8], value: &[u8]) {
    if let Some((body, tail)) = room.split_last_chunk_mut::<CHECKSUM_BYTES>() {
        body.copy_from_slice(value);
        *tail = checksum(path, value);
    }
}

fn checksum(path: &[u8], value: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(path);
    hasher.update(value);
    hasher.finalize().to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flipped_bit_is_noticed() {
        let mut stored = vec![0; 3 + CHECKSUM_BYTES];
        fill(&mut stored, b"path", b"abc");
        assert_eq!(value(b"path", &stored).unwrap(), b"abc");
        assert!(value(b"other", &stored).is_err());
        assert!(value(b"path", b"abc").is_err());
        for bit in 0..stored.len() * 8 {
            stored[bit / 8] ^= 1 << (bit % 8);
            assert!(value(b"path", &stored).is_err(), "bit {bit}");
            stored[bit / 8] ^= 1 << (bit % 8);
        }
    }
}
