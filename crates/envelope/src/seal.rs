use std::io::{self, Read, Write};

use coffer_crypto::{Random, Secret, Zeroizing};

use crate::chunk::Chunks;
use crate::head::fill;
use crate::{Error, Head, Keys, slots};

/// The key of one object. It encrypts nothing itself: the key of the chunks is derived from it.
pub type DataKey = Secret<[u8; 32]>;

/// Writes an envelope. What is not finished is cut off, and whoever opens it will be told so.
pub struct Sealer<W> {
    out: W,
    chunks: Chunks,
    buffer: Zeroizing<Vec<u8>>,
    filled: usize,
}

impl<W: Write> Sealer<W> {
    /// Begins an envelope: writes its head and its wrapped keys. The data key is to be fresh, and `keys` to hold it wrapped.
    ///
    /// # Errors
    /// [`Error::TooMuch`], [`Error::NoRoom`] for keys beyond the bounds; [`Error::Io`].
    pub fn new(mut out: W, key: &DataKey, keys: &Keys, random: &Random) -> Result<Self, Error> {
        let head = Head::new(key, &keys.context, slots::room_for(keys)?, random)?;
        head.write(&mut out)?;
        slots::write_new(&head, keys, &mut out)?;
        Ok(Self {
            out,
            chunks: Chunks::new(&head.payload_key(key, &keys.context)?)?,
            buffer: Zeroizing::new(vec![0; head.chunk_bytes()]),
            filled: 0,
        })
    }

    /// Takes everything that `input` has; `progress` is told how many bytes it has taken since it was told last.
    ///
    /// # Errors
    /// [`Error::Io`], of either side.
    pub fn take(
        &mut self,
        input: &mut impl Read,
        mut progress: impl FnMut(u64),
    ) -> Result<(), Error> {
        loop {
            if self.filled == self.buffer.len() {
                self.flush_chunk(false)?;
            }
            // A full chunk stays here until it is known whether more comes.
            let room = self.buffer.get_mut(self.filled..).unwrap_or_default();
            let more = fill(input, room)?;
            self.filled += more;
            progress(more as u64);
            if self.filled < self.buffer.len() || !self.has_more(input, &mut progress)? {
                return Ok(());
            }
        }
    }

    /// Ends the envelope.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn finish(mut self) -> Result<W, Error> {
        self.flush_chunk(true)?;
        self.out.flush()?;
        Ok(self.out)
    }

    /// Whether a byte comes after a full chunk; if so, the chunk is written and the byte begins the next.
    fn has_more(
        &mut self,
        input: &mut impl Read,
        progress: &mut impl FnMut(u64),
    ) -> Result<bool, Error> {
        let mut byte = Zeroizing::new([0]);
        if fill(input, byte.as_mut_slice())? == 0 {
            return Ok(false);
        }
        self.flush_chunk(false)?;
        if let Some(first) = self.buffer.first_mut() {
            *first = byte.first().copied().unwrap_or_default();
        }
        self.filled = 1;
        progress(1);
        Ok(true)
    }

    fn flush_chunk(&mut self, last: bool) -> Result<(), Error> {
        let chunk = self.buffer.get_mut(..self.filled).unwrap_or_default();
        let tag = self.chunks.seal(chunk, last)?;
        self.out.write_all(chunk)?;
        self.out.write_all(&tag)?;
        self.filled = 0;
        Ok(())
    }
}

impl<W: Write> Write for Sealer<W> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        if self.filled == self.buffer.len() && !data.is_empty() {
            self.flush_chunk(false).map_err(io::Error::other)?;
        }
        let room = self.buffer.get_mut(self.filled..).unwrap_or_default();
        let taken = data.len().min(room.len());
        if let (Some(room), Some(data)) = (room.get_mut(..taken), data.get(..taken)) {
            room.copy_from_slice(data);
        }
        self.filled += taken;
        Ok(taken)
    }

    /// Passes on what is written; a chunk that is not full stays, because it may not be the last.
    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
