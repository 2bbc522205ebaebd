//! The format, from outside: what comes back, and what never does.

#![expect(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::BTreeMap;
use std::io::{self, Cursor, Read, Seek, SeekFrom, Write};

use coffer_crypto::{Random, Secret};
use coffer_envelope::{
    CHUNK_BYTES, Context, DataKey, Durable, Envelope, Error, Keys, Opener, Recipient, Sealer,
    replace_keys,
};
use proptest::prelude::*;

fn key(byte: u8) -> DataKey {
    Secret::new([byte; 32])
}

fn keys(wrapped: &str) -> Keys {
    let pairs = BTreeMap::from([("app".to_owned(), "shop".to_owned())]);
    Keys {
        context: Context::new(pairs).unwrap(),
        recipients: vec![Recipient {
            keeper: "kms".into(),
            mount: "kms".into(),
            key: "0b5d3c1e-1111-4222-8333-444455556666".into(),
            wrapped: wrapped.into(),
            ..Recipient::default()
        }],
    }
}

fn sealed(plaintext: &[u8]) -> Vec<u8> {
    sealed_with(&key(1), &keys("first"), plaintext, 7)
}

fn sealed_with(key: &DataKey, keys: &Keys, plaintext: &[u8], seed: u64) -> Vec<u8> {
    let random = Random::seeded_for_tests(seed);
    let mut sealer = Sealer::new(Vec::new(), key, keys, &random).unwrap();
    sealer.take(&mut &*plaintext, |_| {}).unwrap();
    sealer.finish().unwrap()
}

fn opened(envelope: &[u8]) -> Result<Vec<u8>, Error> {
    let mut input = envelope;
    let front = Envelope::read(&mut input)?;
    let mut out = Vec::new();
    Opener::new(input, &front, &key(1))?.give(&mut out, |_| {})?;
    Ok(out)
}

fn sample(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at * 31 % 251) as u8).collect()
}

#[test]
fn every_length_comes_back() {
    for around in [0, CHUNK_BYTES, 2 * CHUNK_BYTES, 5 * CHUNK_BYTES] {
        for length in around.saturating_sub(2)..=around + 2 {
            let envelope = sealed(&sample(length));
            assert_eq!(opened(&envelope).unwrap(), sample(length), "{length}");
            let head = Envelope::read(&mut &*envelope).unwrap().head;
            assert_eq!(head.length_of(length as u64), envelope.len() as u64);
            assert_eq!(
                head.plaintext_of(envelope.len() as u64),
                Some(length as u64)
            );
        }
    }
}

#[test]
fn progress_tells_every_byte_once() {
    let plaintext = sample(3 * CHUNK_BYTES + 5);
    let random = Random::seeded_for_tests(1);
    let mut sealer = Sealer::new(Vec::new(), &key(1), &keys("x"), &random).unwrap();
    let mut told = 0;
    sealer.take(&mut &*plaintext, |more| told += more).unwrap();
    assert_eq!(told, plaintext.len() as u64);
    let envelope = sealer.finish().unwrap();
    let mut input = &*envelope;
    let front = Envelope::read(&mut input).unwrap();
    let opener = Opener::new(input, &front, &key(1)).unwrap();
    let mut told = 0;
    opener.give(&mut io::sink(), |more| told += more).unwrap();
    assert_eq!(told, plaintext.len() as u64);
}

#[test]
fn an_altered_byte_anywhere_but_in_a_spare_copy_is_found() {
    let envelope = sealed(&sample(100));
    let head = Envelope::read(&mut &*envelope).unwrap().head;
    let (room, payload) = (head.slot_bytes(), head.payload_at() as usize);
    for at in (0..envelope.len()).filter(|at| !(12..16).contains(at)) {
        let mut altered = envelope.clone();
        altered[at] ^= 1;
        let read = opened(&altered);
        if (80..80 + 2 * room).contains(&at) {
            // One copy is damaged, the other says the same.
            assert_eq!(read.unwrap(), sample(100), "byte {at}");
        } else {
            assert!(read.is_err(), "byte {at} of {payload}");
        }
    }
    for at in 12..16 {
        let mut altered = envelope.clone();
        altered[at] ^= 4;
        assert!(opened(&altered).is_err(), "byte {at}");
    }
}

#[test]
fn a_cut_anywhere_is_found() {
    let envelope = sealed(&sample(3 * CHUNK_BYTES));
    let payload = Envelope::read(&mut &*envelope).unwrap().head.payload_at() as usize;
    let chunk = CHUNK_BYTES + 16;
    let mut cuts: Vec<usize> = (0..200).collect();
    for border in 0..=3 {
        let at = payload + border * chunk;
        cuts.extend(at.saturating_sub(20)..(at + 20).min(envelope.len()));
    }
    for cut in cuts {
        assert!(opened(&envelope[..cut]).is_err(), "cut at {cut}");
    }
    let mut longer = envelope.clone();
    longer.push(0);
    assert!(opened(&longer).is_err());
    let empty = sealed(b"");
    assert!(matches!(
        opened(&empty[..empty.len() - 16]),
        Err(Error::Truncated(0))
    ));
}

#[test]
fn chunks_keep_their_order_and_their_object() {
    let envelope = sealed(&sample(4 * CHUNK_BYTES));
    let payload = Envelope::read(&mut &*envelope).unwrap().head.payload_at() as usize;
    let chunk = CHUNK_BYTES + 16;
    let (head, chunks) = envelope.split_at(payload);
    let pieces: Vec<&[u8]> = chunks.chunks(chunk).collect();
    for order in [
        [1, 0, 2, 3],
        [0, 2, 1, 3],
        [0, 1, 1, 3],
        [0, 1, 3, 2],
        [3, 1, 2, 0],
    ] {
        let moved = order.map(|at| pieces[at]).concat();
        let refused = opened(&[head, &moved].concat());
        assert!(refused.is_err(), "{order:?}");
    }
    for dropped in 0..4 {
        let kept: Vec<_> = (0..4)
            .filter(|at| *at != dropped)
            .map(|at| pieces[at])
            .collect();
        assert!(opened(&[head, &kept.concat()].concat()).is_err());
    }
    // The same data key, the same plaintext, another object.
    let other = sealed_with(&key(1), &keys("first"), &sample(4 * CHUNK_BYTES), 8);
    let stranger = &other[payload..payload + chunk];
    let mixed = [head, stranger, &chunks[chunk..]].concat();
    assert!(matches!(opened(&mixed), Err(Error::Altered(0))));
}

#[test]
fn a_wrong_key_and_another_context_are_refused_before_the_first_chunk() {
    let envelope = sealed(b"secret");
    let front = Envelope::read(&mut &*envelope).unwrap();
    let refused = Opener::new(io::empty(), &front, &key(2)).err();
    assert!(matches!(refused, Some(Error::WrongKey)));
    assert!(front.is_opened_by(&key(1)) && !front.is_opened_by(&key(2)));
    let mut moved = front.clone();
    moved.keys.context = Context::default();
    let refused = Opener::new(io::empty(), &moved, &key(1)).err();
    assert!(matches!(refused, Some(Error::WrongKey)));
    // Names and values do not run into each other.
    let pair = |name: &str, value: &str| {
        Context::new(BTreeMap::from([(name.to_owned(), value.to_owned())])).unwrap()
    };
    let one = Keys {
        context: pair("ab", "c"),
        ..keys("x")
    };
    let envelope = sealed_with(&key(1), &one, b"x", 1);
    let mut front = Envelope::read(&mut &*envelope).unwrap();
    front.keys.context = pair("a", "bc");
    assert!(Opener::new(io::empty(), &front, &key(1)).is_err());
}

#[test]
fn what_is_no_envelope_is_told_in_words() {
    let told = |bytes: &[u8]| opened(bytes).unwrap_err().to_string();
    assert!(told(b"").contains("not an envelope"));
    assert!(told(&[7; 500]).contains("not an envelope"));
    let mut later = sealed(b"x");
    later[7] = 2;
    assert!(told(&later).contains("version 2"));
    let mut suite = sealed(b"x");
    suite[8] = 9;
    assert!(told(&suite).contains("suite"));
    let mut room = sealed(b"x");
    room[12] = 0xff;
    assert!(told(&room).contains("out of bounds"));
}

#[test]
fn keys_are_exchanged_in_place_and_nothing_of_the_old_stays() {
    let before = sealed(&sample(CHUNK_BYTES + 1));
    let mut file = Disk::new(before.clone());
    for round in 0..5 {
        replace_keys(&mut file, &keys(&format!("round-{round}"))).unwrap();
        let front = Envelope::read(&mut file.content()).unwrap();
        assert_eq!(front.keys.recipients[0].wrapped, format!("round-{round}"));
    }
    let after = file.content().to_vec();
    let front = Envelope::read(&mut &*after).unwrap();
    let payload = front.head.payload_at() as usize;
    assert_eq!(before[payload..], after[payload..]);
    assert_eq!(opened(&after).unwrap(), sample(CHUNK_BYTES + 1));
    for old in ["first", "round-3"] {
        assert!(
            !after.windows(old.len()).any(|part| part == old.as_bytes()),
            "{old}"
        );
    }
}

#[test]
fn more_keys_than_there_is_room_for_go_into_a_new_front() {
    let envelope = sealed(b"secret");
    let mut many = keys("first");
    many.recipients = vec![many.recipients[0].clone(); 30];
    let mut file = Disk::new(envelope.clone());
    let refused = replace_keys(&mut file, &many);
    assert!(matches!(refused, Err(Error::NoRoom { .. })));
    assert_eq!(file.content(), envelope);
    let mut rest = &*envelope;
    let front = Envelope::read(&mut rest).unwrap();
    let mut anew = Vec::new();
    front.write_with(&many, &mut anew).unwrap();
    anew.extend_from_slice(rest);
    assert_eq!(opened(&anew).unwrap(), b"secret");
    many.recipients = vec![many.recipients[0].clone(); 65];
    assert!(matches!(
        front.write_with(&many, &mut Vec::new()),
        Err(Error::TooMuch { .. })
    ));
}

/// Whatever is written when the power fails: the keys are the old or the new.
#[test]
fn a_crash_while_keys_are_exchanged_loses_none() {
    let envelope = sealed(b"secret");
    let mut whole = Disk::new(envelope.clone());
    replace_keys(&mut whole, &keys("second")).unwrap();
    for failing in 0..whole.written {
        let mut file = Disk::new(envelope.clone());
        file.power = Some(failing);
        assert!(replace_keys(&mut file, &keys("second")).is_err());
        let front = Envelope::read(&mut file.content()).unwrap();
        let wrapped = &front.keys.recipients[0].wrapped;
        assert!(wrapped == "first" || wrapped == "second", "{failing}");
        assert_eq!(opened(file.content()).unwrap(), b"secret");
        file.power = None;
        replace_keys(&mut file, &keys("third")).unwrap();
        let front = Envelope::read(&mut file.content()).unwrap();
        assert_eq!(front.keys.recipients[0].wrapped, "third");
    }
}

/// A file whose power fails after some bytes more.
struct Disk {
    file: Cursor<Vec<u8>>,
    written: usize,
    power: Option<usize>,
}

impl Disk {
    fn new(bytes: Vec<u8>) -> Self {
        Self {
            file: Cursor::new(bytes),
            written: 0,
            power: None,
        }
    }

    fn content(&self) -> &[u8] {
        self.file.get_ref()
    }
}

impl Read for Disk {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.file.read(out)
    }
}

impl Seek for Disk {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

impl Write for Disk {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let left = self
            .power
            .map_or(data.len(), |power| power.saturating_sub(self.written));
        let taken = self.file.write(&data[..data.len().min(left)])?;
        self.written += taken;
        match taken {
            0 if !data.is_empty() => Err(io::Error::other("the power failed")),
            taken => Ok(taken),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Durable for Disk {
    fn make_durable(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Gives what it has in pieces of the sizes that a pipe may have.
struct Pipe<'a> {
    rest: &'a [u8],
    sizes: Vec<usize>,
}

impl Read for Pipe<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.sizes.rotate_left(1);
        let size = self.sizes[0].min(out.len()).min(self.rest.len());
        let (now, rest) = self.rest.split_at(size);
        out[..size].copy_from_slice(now);
        self.rest = rest;
        Ok(size)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn pieces_do_not_matter(
        length in 0..3 * CHUNK_BYTES,
        sizes in prop::collection::vec(1..100_000usize, 1..8),
        writes in prop::bool::ANY,
    ) {
        let plaintext = sample(length);
        let random = Random::seeded_for_tests(3);
        let mut sealer = Sealer::new(Vec::new(), &key(1), &keys("x"), &random).unwrap();
        let mut pipe = Pipe { rest: &plaintext, sizes: sizes.clone() };
        match writes {
            true => drop(io::copy(&mut pipe, &mut sealer).unwrap()),
            false => sealer.take(&mut pipe, |_| {}).unwrap(),
        }
        let envelope = sealer.finish().unwrap();
        let mut pipe = Pipe { rest: &envelope, sizes };
        let front = Envelope::read(&mut pipe).unwrap();
        let mut out = Vec::new();
        Opener::new(pipe, &front, &key(1)).unwrap().give(&mut out, |_| {}).unwrap();
        prop_assert_eq!(out, plaintext);
    }

    #[test]
    fn nothing_that_is_read_brings_it_down(mut bytes in prop::collection::vec(any::<u8>(), 0..4096), known in prop::bool::ANY) {
        if known {
            let front = sealed(b"x");
            let length = bytes.len().min(front.len()).min(80);
            bytes.splice(..length, front[..length].iter().copied());
        }
        let _ = opened(&bytes);
    }
}

/// What today's release wrote is read by tomorrow's.
#[test]
fn version_1_is_as_it_was() {
    let golden = include_str!("version-1.hex");
    let envelope = hex::decode(golden.replace(char::is_whitespace, "")).unwrap();
    assert_eq!(opened(&envelope).unwrap(), b"version 1");
    assert_eq!(sealed(b"version 1"), envelope);
}
