//! Reading and verifying a snapshot.

use std::io::{self, BufRead, BufReader, ErrorKind, Read as _};

use coffer_crypto::{Sha256, constant_time_eq};
use flate2::bufread::GzDecoder;

use crate::meta::{Kind, Written};
use crate::tar::{self, BLOCK_BYTES};
use crate::{Damage, Error, FORMAT, Meta, entry, sums};

/// Entries, full paths with their values.
pub type Entries = Vec<(String, Vec<u8>)>;

/// How many bytes of values are handed over at once (or one entry).
const PAGE_BYTES: usize = 1024 * 1024;
/// The most entries that are handed over at once.
const PAGE_ENTRIES: usize = 4 * 1024;
/// Longest description, in bytes.
const MAX_META_BYTES: u64 = 64 * 1024;
/// Longest text of digests, sealed or not, in bytes.
const MAX_SUMS_BYTES: u64 = 4 * 1024;

/// A snapshot that was read to its end and found whole.
#[derive(Debug)]
pub struct Read {
    /// What it says about itself.
    pub meta: Meta,
    /// How long its entries are, in bytes.
    pub state_bytes: u64,
    /// The digests, which are right.
    pub sums: Vec<u8>,
    /// The digests as the cluster that made it sealed them; who has its root key can prove them.
    pub sealed: Vec<u8>,
}

/// Reads a snapshot, hands its entries over, in byte order of their paths and some at a time, and
/// verifies it. Until this returns nothing that was handed over is proven.
pub fn read<R: io::Read, E>(
    input: R,
    take: impl FnMut(Entries) -> Result<(), E>,
) -> Result<Read, Error<E>> {
    let mut archive = Archive(BufReader::new(GzDecoder::new(BufReader::new(input))));
    match archive.read(take) {
        Err(Error::Io(error)) => Err(of_stream(error)),
        other => other,
    }
}

/// What the decompression says, told from what the source of its input says.
fn of_stream<E>(error: io::Error) -> Error<E> {
    match error.kind() {
        ErrorKind::UnexpectedEof => Damage::Short.into(),
        ErrorKind::InvalidInput | ErrorKind::InvalidData => Damage::Compression.into(),
        _ => Error::Io(error),
    }
}

struct Archive<R: BufRead>(BufReader<GzDecoder<R>>);

impl<R: BufRead> Archive<R> {
    fn read<E>(&mut self, take: impl FnMut(Entries) -> Result<(), E>) -> Result<Read, Error<E>> {
        let meta_text = self.member(tar::META, MAX_META_BYTES)?;
        let Written {
            meta, state_bytes, ..
        } = parsed(&meta_text)?;
        let state = self.state(&meta, state_bytes, take)?;
        let found = self.member(tar::SUMS, MAX_SUMS_BYTES)?;
        let right = sums::text(coffer_crypto::sha256(&meta_text), state);
        if !constant_time_eq(&found, right.as_bytes()) {
            return Err(Damage::Sums.into());
        }
        let sealed = self.member(tar::SEALED, MAX_SUMS_BYTES)?;
        self.end()?;
        Ok(Read {
            meta,
            state_bytes,
            sums: found,
            sealed,
        })
    }

    /// Hands the entries over; the digest of their bytes.
    fn state<E>(
        &mut self,
        meta: &Meta,
        announced_bytes: u64,
        mut take: impl FnMut(Entries) -> Result<(), E>,
    ) -> Result<[u8; 32], Error<E>> {
        let size = self.header(tar::STATE)?;
        if size != announced_bytes {
            return Err(Damage::Header.into());
        }
        let mut state = Hashed {
            input: self.0.by_ref().take(size),
            digest: Sha256::new(),
        };
        let (mut page, mut bytes) = (Entries::new(), 0);
        let (mut last, mut count) = (String::new(), 0);
        while let Some((path, value)) = entry::read(&mut state, count + 1)? {
            count += 1;
            if path <= last || count > meta.entries {
                return Err(Damage::Entry { number: count }.into());
            }
            last.clone_from(&path);
            bytes += value.len();
            page.push((path, value));
            if bytes >= PAGE_BYTES || page.len() == PAGE_ENTRIES {
                take(std::mem::take(&mut page)).map_err(Error::Taker)?;
                bytes = 0;
            }
        }
        if !page.is_empty() {
            take(page).map_err(Error::Taker)?;
        }
        if state.input.limit() > 0 {
            return Err(Damage::Short.into());
        }
        if count != meta.entries {
            let expected = meta.entries;
            return Err(Damage::Count {
                found: count,
                expected,
            }
            .into());
        }
        let digest = state.digest.finish();
        self.skip_padding(size)?;
        Ok(digest)
    }

    fn member<E>(&mut self, name: &'static str, max_bytes: u64) -> Result<Vec<u8>, Error<E>> {
        let size = self.header(name)?;
        if size > max_bytes {
            return Err(Damage::Large { member: name }.into());
        }
        let mut content = Vec::new();
        let read = self.0.by_ref().take(size).read_to_end(&mut content);
        if read.map_err(Error::Io)? as u64 != size {
            return Err(Damage::Short.into());
        }
        self.skip_padding(size)?;
        Ok(content)
    }

    fn header<E>(&mut self, name: &'static str) -> Result<u64, Error<E>> {
        let mut block = [0; BLOCK_BYTES];
        self.0.read_exact(&mut block).map_err(Error::Io)?;
        Ok(tar::size_of(&block, name)?)
    }

    fn skip_padding<E>(&mut self, size: u64) -> Result<(), Error<E>> {
        let mut padding = [0; BLOCK_BYTES];
        let padding = padding.get_mut(..tar::padding(size)).unwrap_or_default();
        self.zeros(padding)
    }

    fn zeros<E>(&mut self, room: &mut [u8]) -> Result<(), Error<E>> {
        self.0.read_exact(room).map_err(Error::Io)?;
        match room.iter().all(|byte| *byte == 0) {
            true => Ok(()),
            false => Err(Damage::Header.into()),
        }
    }

    /// Two empty blocks end the archive; other programs fill them up to a record. Then the compressed
    /// stream proves its own length and checksum, and nothing follows.
    fn end<E>(&mut self) -> Result<(), Error<E>> {
        self.zeros(&mut [0; 2 * BLOCK_BYTES])?;
        let mut more = [0; BLOCK_BYTES];
        loop {
            let count = self.0.read(&mut more).map_err(Error::Io)?;
            let filled = more.get(..count).unwrap_or_default();
            match filled {
                [] => break,
                filled if filled.iter().all(|byte| *byte == 0) => {}
                _ => return Err(Damage::Trailing.into()),
            }
        }
        match self.0.get_mut().get_mut().fill_buf().map_err(Error::Io)? {
            [] => Ok(()),
            _ => Err(Damage::Trailing.into()),
        }
    }
}

/// What passes through is hashed.
struct Hashed<R> {
    input: R,
    digest: Sha256,
}

impl<R: io::Read> io::Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(buffer)?;
        self.digest.update(buffer.get(..count).unwrap_or_default());
        Ok(count)
    }
}

fn parsed<E>(text: &[u8]) -> Result<Written, Error<E>> {
    let kind: Kind = serde_json::from_slice(text).map_err(|_| Damage::Meta)?;
    match kind.ours {
        None => Err(Error::Foreign),
        Some(ours) if ours.format > FORMAT => Err(Error::Newer {
            found: ours.format,
            newest: FORMAT,
        }),
        Some(_) => Ok(serde_json::from_slice(text).map_err(|_| Damage::Meta)?),
    }
}
