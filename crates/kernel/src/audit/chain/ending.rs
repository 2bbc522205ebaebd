//! Where a log ends that is opened again.

use std::io::{self, BufReader, Read, Seek, SeekFrom};

use super::lines::{self, Line};
use super::{Chain, Mark};

/// How far from the end the last line of the chain is looked for, in bytes. A longer line is not found, and the chain goes
/// on from what is kept in storage.
const LOOK_BACK_BYTES_MAX: u64 = 64 << 20;
/// How much is looked at first; most files end in a line that is shorter.
const LOOK_BACK_BYTES_FIRST: u64 = 64 << 10;

/// The end of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::audit) struct Ending {
    /// Nothing is in it.
    pub empty: bool,
    /// The last line has no line break: whoever wrote it was interrupted.
    pub torn: bool,
    /// The last line that this chain's key proves.
    pub last: Option<Mark>,
}

impl Ending {
    /// Of a file of this length. Without a chain only whether it is torn.
    pub fn of(
        file: &mut (impl Read + Seek),
        length: u64,
        chain: Option<&Chain>,
    ) -> io::Result<Self> {
        if length == 0 {
            return Ok(Self {
                empty: true,
                ..Self::default()
            });
        }
        file.seek(SeekFrom::Start(length - 1))?;
        let mut last = [0];
        file.read_exact(&mut last)?;
        let torn = last != *b"\n";
        // A chain that has not begun is in no file, however long that is.
        let last = match chain.filter(|chain| chain.head().is_some()) {
            Some(chain) => last_of(file, length, chain)?,
            None => None,
        };
        Ok(Self {
            empty: false,
            torn,
            last,
        })
    }
}

/// Looks at more and more of the end, until a line is found.
fn last_of(file: &mut (impl Read + Seek), length: u64, chain: &Chain) -> io::Result<Option<Mark>> {
    let mut back = LOOK_BACK_BYTES_FIRST;
    loop {
        let from = length.saturating_sub(back);
        file.seek(SeekFrom::Start(from))?;
        let mut reader = BufReader::new(&mut *file).take(length - from);
        let mut last = None;
        // What is before the first line break may be the rest of a line, and then proves nothing: its code does not fit.
        while let Some(line) = lines::next(&mut reader)? {
            last = proved(&line, chain).or(last);
        }
        if last.is_some() || from == 0 || back >= LOOK_BACK_BYTES_MAX {
            return Ok(last);
        }
        back = back.saturating_mul(32);
    }
}

fn proved(line: &Line, chain: &Chain) -> Option<Mark> {
    let linked = line.linked.as_ref().filter(|_| line.ended)?;
    let key = chain.key();
    let ours = linked.link.chain == key.chain() && key.code(&linked.before) == linked.mac;
    ours.then_some(Mark {
        place: linked.link.place,
        hash: linked.hash,
    })
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use coffer_crypto::WipingBuffer;
    use coffer_wire::Timestamp;

    use super::super::ChainKey;
    use super::*;

    fn chain(key: u8) -> Chain {
        let key = ChainKey::derive("0000002a-0000-4000-8000-000000000000", &[key; 32]);
        Chain::new(key, None)
    }

    fn ending(text: &[u8], chain: &Chain) -> Ending {
        let length = text.len() as u64;
        Ending::of(&mut Cursor::new(text), length, Some(chain)).unwrap()
    }

    #[test]
    fn the_last_line_of_this_chain_is_found() {
        let mut ours = chain(1);
        let mut theirs = chain(2);
        assert!(ending(b"", &ours).empty);
        let mut out = WipingBuffer::new();
        let long = format!("{{\"a\":\"{}\"}}\n", "x".repeat(100_000));
        ours.link(b"{\"a\":1}\n", Timestamp::EPOCH, &mut out);
        let mark = ours.link(long.as_bytes(), Timestamp::EPOCH, &mut out);
        assert_eq!(ending(out.as_slice(), &ours).last, None, "it has not begun");
        ours.tried(&[mark], 1, false);
        let elsewhere = theirs.link(b"{}\n", Timestamp::EPOCH, &mut WipingBuffer::new());
        theirs.tried(&[elsewhere], 1, false);
        let mut text = out.as_slice().to_vec();
        let expected = Ending {
            empty: false,
            torn: false,
            last: Some(mark),
        };
        assert_eq!(ending(&text, &ours), expected);
        text.extend(b"{\"old\":1}\n{\"a\":");
        let torn = Ending {
            torn: true,
            ..expected
        };
        assert_eq!(ending(&text, &ours), torn);
        let foreign = ending(&text, &theirs);
        assert_eq!((foreign.torn, foreign.last), (true, None));
        // A line without its line break may not be whole; what comes after says so.
        let unended = ending(out.as_slice().strip_suffix(b"\n").unwrap(), &ours);
        assert!(unended.torn && unended.last.unwrap().place.seq == 1);
    }
}
