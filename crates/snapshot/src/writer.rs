//! Writing a snapshot.

use std::io::{self, Write};

use coffer_crypto::Sha256;
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::meta::Written;
use crate::tar::{self, BLOCK_BYTES};
use crate::{FORMAT, Meta, entry, sums};

/// Counts what will be written: an archive says how long a member is before it begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many entries there are.
    pub entries: u64,
    /// How long all of them together are, in bytes.
    pub bytes: u64,
}

/// Writes a snapshot entry by entry.
pub struct Writer<W: Write> {
    out: GzEncoder<W>,
    modified_secs: u64,
    meta_digest: [u8; 32],
    digest: Sha256,
    announced: Tally,
    written: Tally,
}

impl Tally {
    /// Counts one entry.
    pub fn add(&mut self, path: &str, value: &[u8]) {
        self.entries += 1;
        self.bytes += (entry::head(path, value.len()).len() + value.len()) as u64;
    }
}

impl<W: Write> Writer<W> {
    /// Begins a snapshot of as many entries as were counted; `meta` gets its counts and its format here.
    pub fn begin(out: W, meta: Meta, tally: Tally, modified_secs: u64) -> io::Result<Self> {
        let meta = Meta {
            format: FORMAT,
            entries: tally.entries,
            ..meta
        };
        let text = serde_json::to_vec(&Written::new(meta, tally.bytes))?;
        // Values are ciphertext, which nothing makes smaller; their paths are worth a little.
        let mut writer = Self {
            out: GzEncoder::new(out, Compression::fast()),
            modified_secs,
            meta_digest: coffer_crypto::sha256(&text),
            digest: Sha256::new(),
            announced: tally,
            written: Tally::default(),
        };
        writer.member(tar::META, &text)?;
        writer.header(tar::STATE, tally.bytes)?;
        Ok(writer)
    }

    /// Writes one entry. They come in byte order of their paths.
    pub fn entry(&mut self, path: &str, value: &[u8]) -> io::Result<()> {
        self.written.add(path, value);
        self.state(&entry::head(path, value.len()))?;
        self.state(value)
    }

    /// Writes the digests and returns them, to be sealed. An error if the entries were not those that
    /// had been counted.
    pub fn sums(&mut self) -> io::Result<Vec<u8>> {
        if self.written != self.announced {
            return Err(io::Error::other(
                "the entries of a snapshot changed while it was written",
            ));
        }
        self.pad(self.announced.bytes)?;
        let state = std::mem::take(&mut self.digest).finish();
        let text = sums::text(self.meta_digest, state).into_bytes();
        self.member(tar::SUMS, &text)?;
        Ok(text)
    }

    /// Ends the snapshot with the sealed digests.
    pub fn finish(mut self, sealed: &[u8]) -> io::Result<W> {
        self.member(tar::SEALED, sealed)?;
        self.out.write_all(&[0; 2 * BLOCK_BYTES])?;
        self.out.finish()
    }

    fn state(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.digest.update(bytes);
        self.out.write_all(bytes)
    }

    fn member(&mut self, name: &str, content: &[u8]) -> io::Result<()> {
        let size = content.len() as u64;
        self.header(name, size)?;
        self.out.write_all(content)?;
        self.pad(size)
    }

    fn header(&mut self, name: &str, size: u64) -> io::Result<()> {
        self.out
            .write_all(&tar::header(name, size, self.modified_secs))
    }

    fn pad(&mut self, size: u64) -> io::Result<()> {
        let zeros = [0; BLOCK_BYTES];
        let padding = zeros.get(..tar::padding(size)).unwrap_or_default();
        self.out.write_all(padding)
    }
}
