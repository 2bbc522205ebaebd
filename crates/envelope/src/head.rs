use std::io::{self, Read, Write};

use coffer_crypto::{Random, Secret, constant_time_eq, hkdf_sha256};

use crate::{Context, DataKey, Error};

/// What envelopes begin with.
pub const MAGIC: [u8; 7] = *b"coffenv";
/// How much plaintext a chunk holds where nothing else is said, in bytes.
pub const CHUNK_BYTES: usize = 1 << 16;

/// The version of the format.
const VERSION: u8 = 1;
/// AES-256-GCM for the chunks, HKDF-SHA-256 for their key.
const SUITE: u8 = 1;
/// How long the head is.
pub(crate) const HEAD_BYTES: usize = 80;
/// How much of it stands for the format and is bound to the keys: magic, version, suite, chunk length, two zeros.
const FORMAT_BYTES: usize = 12;
/// Bounds of the chunk length, as powers of two: 4 KiB to 16 MiB.
const CHUNK_LOGS: std::ops::RangeInclusive<u8> = 12..=24;
/// Bounds of the room of one copy of the wrapped keys, in bytes. More than all that [`crate::Keys`] may hold is never needed.
pub(crate) const SLOT_BYTES: std::ops::RangeInclusive<u32> = 512..=(2 << 20);

/// What is the same for ever about one envelope: its first 80 bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    chunk_log: u8,
    slot_bytes: u32,
    salt: [u8; 32],
    commitment: [u8; 32],
}

impl Head {
    /// For a new object with this data key.
    pub(crate) fn new(
        key: &DataKey,
        context: &Context,
        slot_bytes: usize,
        random: &Random,
    ) -> Result<Self, Error> {
        let mut head = Self {
            chunk_log: CHUNK_BYTES.trailing_zeros() as u8,
            slot_bytes: u32::try_from(slot_bytes).map_err(|_| Error::Keys)?,
            salt: random.bytes(),
            commitment: [0; 32],
        };
        head.commitment = *head.derived(key, context, b"commitment")?.expose();
        Ok(head)
    }

    /// The same with another room for wrapped keys, to which nothing is bound.
    pub(crate) fn with_room(&self, slot_bytes: usize) -> Result<Self, Error> {
        let slot_bytes = u32::try_from(slot_bytes).map_err(|_| Error::Keys)?;
        Ok(Self {
            slot_bytes,
            ..self.clone()
        })
    }

    /// How much plaintext a chunk holds, in bytes.
    #[must_use]
    pub fn chunk_bytes(&self) -> usize {
        1 << self.chunk_log
    }

    /// The room for one copy of the wrapped keys, in bytes.
    #[must_use]
    pub fn slot_bytes(&self) -> usize {
        self.slot_bytes as usize
    }

    /// Where the first chunk begins.
    #[must_use]
    pub fn payload_at(&self) -> u64 {
        HEAD_BYTES as u64 + 2 * u64::from(self.slot_bytes)
    }

    /// How long an envelope of this many bytes of plaintext is, from its first byte to its last.
    #[must_use]
    pub fn length_of(&self, plaintext: u64) -> u64 {
        let chunks = plaintext.div_ceil(self.chunk_bytes() as u64).max(1);
        self.payload_at() + plaintext + 16 * chunks
    }

    /// How much plaintext an envelope of this length holds; none where no envelope is that long.
    #[must_use]
    pub fn plaintext_of(&self, length: u64) -> Option<u64> {
        let sealed = length.checked_sub(self.payload_at())?;
        let chunks = sealed.div_ceil(self.chunk_bytes() as u64 + 16).max(1);
        let plaintext = sealed.checked_sub(16 * chunks)?;
        (self.length_of(plaintext) == length).then_some(plaintext)
    }

    /// The key of the chunks.
    ///
    /// # Errors
    /// [`Error::WrongKey`] where the data key or the context is not this envelope's.
    pub(crate) fn payload_key(
        &self,
        key: &DataKey,
        context: &Context,
    ) -> Result<Secret<[u8; 32]>, Error> {
        let commitment = self.derived(key, context, b"commitment")?;
        if !constant_time_eq(commitment.expose(), &self.commitment) {
            return Err(Error::WrongKey);
        }
        self.derived(key, context, b"payload")
    }

    fn derived(
        &self,
        key: &DataKey,
        context: &Context,
        purpose: &[u8],
    ) -> Result<Secret<[u8; 32]>, Error> {
        let info = [
            b"coffer envelope ",
            purpose,
            b"\0",
            &self.format(),
            &context.digest(),
        ]
        .concat();
        let mut out = Secret::new([0; 32]);
        hkdf_sha256(key.expose(), &self.salt, &info, out.expose_mut())
            .map_err(|_| Error::WrongKey)?;
        Ok(out)
    }

    fn format(&self) -> [u8; FORMAT_BYTES] {
        let [a, b, c, d, e, f, g] = MAGIC;
        [a, b, c, d, e, f, g, VERSION, SUITE, self.chunk_log, 0, 0]
    }

    pub(crate) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        out.write_all(&self.format())?;
        out.write_all(&self.slot_bytes.to_be_bytes())?;
        out.write_all(&self.salt)?;
        out.write_all(&self.commitment)
    }

    pub(crate) fn read(input: &mut impl Read) -> Result<Self, Error> {
        let mut bytes = [0; HEAD_BYTES];
        // Something short is first of all no envelope.
        let filled = fill(input, &mut bytes)?;
        let [magic @ .., version] = first::<8>(&bytes, 0);
        if filled < 8 || magic != MAGIC {
            return Err(Error::NoEnvelope);
        }
        if version != VERSION {
            return Err(Error::Version(version));
        }
        if filled < HEAD_BYTES {
            return Err(Error::Head("it is cut off"));
        }
        let [suite, chunk_log, zeros @ ..] = first::<4>(&bytes, 8);
        let head = Self {
            chunk_log,
            slot_bytes: u32::from_be_bytes(first(&bytes, 12)),
            salt: first(&bytes, 16),
            commitment: first(&bytes, 48),
        };
        match head {
            _ if suite != SUITE => Err(Error::Head("it names a suite that does not exist")),
            _ if !CHUNK_LOGS.contains(&chunk_log) => Err(Error::Head("no chunk has that length")),
            _ if zeros != [0, 0] => Err(Error::Head("bytes that are to be zero are not")),
            _ if !SLOT_BYTES.contains(&head.slot_bytes) => {
                Err(Error::Head("the room for wrapped keys is out of bounds"))
            }
            head => Ok(head),
        }
    }
}

/// Reads until `out` is full or the input ends; answers how much that was.
pub(crate) fn fill(input: &mut impl Read, out: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = out.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match input.read(rest) {
            Ok(0) => break,
            Ok(more) => filled += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// `N` bytes from `at` on; zeros where there are fewer, which callers rule out.
pub(crate) fn first<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let found = bytes.get(at..).and_then(|rest| rest.first_chunk::<N>());
    found.copied().unwrap_or([0; N])
}
