//! The lines of a log, read once from front to back, without keeping more of one than its end.

use std::io::{self, BufRead};

use coffer_crypto::Sha256;

use super::link::{Found, LINK_BYTES_MAX, Link, MAC_TAIL_BYTES};

/// How much of a line's end is kept back before it is hashed.
const HELD_BYTES_MAX: usize = 16 * LINK_BYTES_MAX;

/// A line that was read.
#[derive(Debug)]
pub(super) struct Line {
    /// Its length without the line break, in bytes.
    pub bytes: u64,
    /// Whether a line break ended it.
    pub ended: bool,
    /// Its link, if it has one.
    pub linked: Option<Linked>,
}

/// A line with its link.
#[derive(Debug)]
pub(super) struct Linked {
    pub link: Link,
    /// The code that it bears.
    pub mac: [u8; 16],
    /// The hash of what stands before the code.
    pub before: [u8; 32],
    /// The hash of the whole line.
    pub hash: [u8; 32],
}

/// Reads the next line; none at the end.
pub(super) fn next(from: &mut impl BufRead) -> io::Result<Option<Line>> {
    let mut line = Reading::default();
    loop {
        let here = match from.fill_buf() {
            Ok(here) => here,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if here.is_empty() {
            return Ok((line.bytes > 0).then(|| line.end(false)));
        }
        match here.iter().position(|byte| *byte == b'\n') {
            Some(at) => {
                line.take(here.get(..at).unwrap_or_default());
                from.consume(at + 1);
                return Ok(Some(line.end(true)));
            }
            None => {
                let length = here.len();
                line.take(here);
                from.consume(length);
            }
        }
    }
}

#[derive(Default)]
struct Reading {
    bytes: u64,
    hash: Sha256,
    held: Vec<u8>,
}

impl Reading {
    fn take(&mut self, more: &[u8]) {
        self.bytes += u64::try_from(more.len()).unwrap_or_default();
        if self.held.len() + more.len() <= HELD_BYTES_MAX {
            self.held.extend_from_slice(more);
            return;
        }
        // All but the last bytes of `held` and `more` together can be hashed.
        let surplus = (self.held.len() + more.len()).saturating_sub(LINK_BYTES_MAX);
        let of_held = surplus.min(self.held.len());
        let of_more = surplus - of_held;
        self.hash
            .update(self.held.get(..of_held).unwrap_or_default());
        self.held.drain(..of_held);
        let (hashed, kept) = more.split_at_checked(of_more).unwrap_or((&[], more));
        self.hash.update(hashed);
        self.held.extend_from_slice(kept);
    }

    fn end(mut self, ended: bool) -> Line {
        let linked = Link::at_end(&self.held).map(|Found { link, mac }| {
            let mac_at = self.held.len().saturating_sub(MAC_TAIL_BYTES);
            let (before, after) = self.held.split_at_checked(mac_at).unwrap_or_default();
            self.hash.update(before);
            let before = self.hash.clone().finish();
            self.hash.update(after);
            Linked {
                link,
                mac,
                before,
                hash: std::mem::take(&mut self.hash).finish(),
            }
        });
        Line {
            bytes: self.bytes,
            ended,
            linked,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufReader, Cursor};

    use coffer_crypto::{WipingBuffer, sha256};
    use coffer_wire::Timestamp;
    use proptest::prelude::*;

    use super::super::{Chain, ChainKey};
    use super::*;

    fn linked(bodies: &[String]) -> Vec<u8> {
        let key = ChainKey::derive("0000002a-0000-4000-8000-000000000000", &[7; 32]);
        let mut chain = Chain::new(key, None);
        let mut out = WipingBuffer::new();
        for body in bodies {
            let line = format!("{{\"b\":\"{body}\"}}\n");
            chain.link(line.as_bytes(), Timestamp::EPOCH, &mut out);
        }
        out.as_slice().to_vec()
    }

    proptest! {
        #[test]
        fn pieces_of_any_size_hash_as_the_whole(lengths in proptest::collection::vec(0_usize..30_000, 1..4), piece in 1_usize..9_000) {
            let bodies: Vec<String> = lengths.iter().map(|length| "x".repeat(*length)).collect();
            let text = linked(&bodies);
            let mut reader = BufReader::with_capacity(piece, Cursor::new(&text));
            for line in text.split(|byte| *byte == b'\n').take(bodies.len()) {
                let read = next(&mut reader).unwrap().unwrap();
                let link = read.linked.unwrap();
                prop_assert_eq!(link.hash, sha256(line));
                prop_assert_eq!(link.before, sha256(&line[..line.len() - MAC_TAIL_BYTES]));
                prop_assert!(read.ended && read.bytes == line.len() as u64);
            }
            prop_assert!(next(&mut reader).unwrap().is_none());
        }

        #[test]
        fn any_bytes_are_lines(bytes in proptest::collection::vec(any::<u8>(), 0..2_000)) {
            let mut reader = Cursor::new(&bytes);
            let mut seen = 0;
            while let Some(line) = next(&mut reader).unwrap() {
                seen += line.bytes + u64::from(line.ended);
            }
            prop_assert_eq!(seen, bytes.len() as u64);
        }
    }
}
