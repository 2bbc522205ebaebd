use std::io::{Read, Write};

use coffer_crypto::Zeroizing;
use coffer_crypto::cipher::TAG_BYTES;

use crate::chunk::Chunks;
use crate::head::fill;
use crate::{DataKey, Error, Head, Keys, slots};

/// What stands in front of the ciphertext.
#[derive(Clone, Debug)]
pub struct Envelope {
    /// What never changes.
    pub head: Head,
    /// Who can unwrap the data key.
    pub keys: Keys,
    /// How often the wrapped keys were exchanged, and one.
    pub generation: u64,
}

impl Envelope {
    /// Reads it; the input then stands at the first chunk.
    ///
    /// # Errors
    /// [`Error::NoEnvelope`], [`Error::Version`], [`Error::Head`], [`Error::Keys`], [`Error::Io`].
    pub fn read(input: &mut impl Read) -> Result<Self, Error> {
        let head = Head::read(input)?;
        let slot = slots::newest(slots::read(&head, input)?)?;
        Ok(Self {
            head,
            keys: slot.keys,
            generation: slot.generation,
        })
    }

    /// Whether this is the object's data key. Whoever wraps it for more recipients asks first.
    #[must_use]
    pub fn is_opened_by(&self, key: &DataKey) -> bool {
        self.head.payload_key(key, &self.keys.context).is_ok()
    }

    /// Writes what stands in front anew, with these wrapped keys and room for them: the chunks after it stay as they are.
    ///
    /// # Errors
    /// [`Error::TooMuch`], [`Error::NoRoom`], [`Error::Io`].
    pub fn write_with(&self, keys: &Keys, out: &mut impl Write) -> Result<(), Error> {
        let head = self.head.with_room(slots::room_for(keys)?)?;
        head.write(out)?;
        slots::write_new(&head, keys, out)
    }
}

/// Reads an envelope, from its first chunk on.
pub struct Opener<R> {
    input: R,
    chunks: Chunks,
    /// A sealed chunk and one byte of the next, which tells that there is a next.
    buffer: Zeroizing<Vec<u8>>,
    /// Whether the first byte of the buffer was read with the chunk before.
    carried: bool,
    ended: bool,
}

impl<R: Read> Opener<R> {
    /// With the data key that one of the recipients has unwrapped. Nothing is read yet.
    ///
    /// # Errors
    /// [`Error::WrongKey`] where the key or the context is not this envelope's.
    pub fn new(input: R, envelope: &Envelope, key: &DataKey) -> Result<Self, Error> {
        let head = &envelope.head;
        Ok(Self {
            input,
            chunks: Chunks::new(&head.payload_key(key, &envelope.keys.context)?)?,
            buffer: Zeroizing::new(vec![0; head.chunk_bytes() + TAG_BYTES + 1]),
            carried: false,
            ended: false,
        })
    }

    /// Gives all of the plaintext to `out`; `progress` is told how many bytes it has written since it was told last. Every
    /// byte that is written was proved to be at its place, but only success says that nothing is missing after it.
    ///
    /// # Errors
    /// [`Error::Altered`], [`Error::Truncated`], [`Error::Io`].
    pub fn give(
        mut self,
        out: &mut impl Write,
        mut progress: impl FnMut(u64),
    ) -> Result<(), Error> {
        while let Some(chunk) = self.next_chunk()? {
            out.write_all(chunk)?;
            progress(chunk.len() as u64);
        }
        out.flush()?;
        Ok(())
    }

    /// The next piece of the plaintext; none after the last.
    ///
    /// # Errors
    /// [`Error::Altered`], [`Error::Truncated`], [`Error::Io`].
    pub fn next_chunk(&mut self) -> Result<Option<&[u8]>, Error> {
        if self.ended {
            return Ok(None);
        }
        let at = self.chunks.next();
        let before = usize::from(self.carried);
        if let (true, [first, .., last]) = (self.carried, self.buffer.as_mut_slice()) {
            *first = *last;
        }
        let room = self.buffer.get_mut(before..).unwrap_or_default();
        let filled = before + fill(&mut self.input, room)?;
        let last = filled < self.buffer.len();
        let sealed = filled - usize::from(!last);
        // Only an object without any content has a chunk without any.
        if sealed < TAG_BYTES || (sealed == TAG_BYTES && at > 0) {
            return Err(Error::Truncated(at));
        }
        let chunk = self.buffer.get_mut(..sealed).unwrap_or_default();
        let length = match self.chunks.open(chunk, last) {
            Ok(length) => length,
            // A cut between chunks leaves whole ones, none of which is the last.
            Err(_) if last => return Err(Error::Truncated(at)),
            Err(error) => return Err(error),
        };
        (self.carried, self.ended) = (!last, last);
        Ok(self.buffer.get(..length))
    }
}
