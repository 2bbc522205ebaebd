//! Snapshots that were changed on their way are refused, or hold what they held.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::convert::Infallible;
use std::io::{Cursor, Write};

use coffer_snapshot::{Damage, Entries, Error, FORMAT, Meta, Read, Tally, Writer, read};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

fn entries() -> Entries {
    let value = |n: usize| (0..n * 37 % 900).map(|at| (at * n) as u8).collect();
    (0..40).map(|n| (format!("a/{n:03}"), value(n))).collect()
}

fn meta() -> Meta {
    Meta {
        created: "2026-11-26T12:00:00Z".into(),
        cluster_id: "id".into(),
        cluster_name: "name".into(),
        version: "1".into(),
        ..Meta::default()
    }
}

fn snapshot_of(entries: &Entries) -> Vec<u8> {
    let mut tally = Tally::default();
    for (path, value) in entries {
        tally.add(path, value);
    }
    let mut writer = Writer::begin(Vec::new(), meta(), tally, 1_800_000_000).unwrap();
    for (path, value) in entries {
        writer.entry(path, value).unwrap();
    }
    let sums = writer.sums().unwrap();
    writer
        .finish(&[b"sealed ", sums.as_slice()].concat())
        .unwrap()
}

fn read_back(bytes: &[u8]) -> Result<(Entries, Read), Error<Infallible>> {
    let mut found = Entries::new();
    let read = read(bytes, |page| {
        found.extend(page);
        Ok(())
    })?;
    Ok((found, read))
}

/// The archive inside the compression.
fn unpacked(snapshot: &[u8]) -> Vec<u8> {
    let mut tar = Vec::new();
    std::io::copy(&mut GzDecoder::new(snapshot), &mut tar).unwrap();
    tar
}

fn packed(tar: &[u8]) -> Vec<u8> {
    let mut out = GzEncoder::new(Vec::new(), Compression::none());
    out.write_all(tar).unwrap();
    out.finish().unwrap()
}

#[test]
fn what_was_written_comes_back() {
    for entries in [Entries::new(), entries()] {
        let snapshot = snapshot_of(&entries);
        let (found, read) = read_back(&snapshot).unwrap();
        assert_eq!(found, entries);
        assert_eq!(read.meta.entries, entries.len() as u64);
        assert_eq!(
            (read.meta.format, read.meta.cluster_id.as_str()),
            (FORMAT, "id")
        );
        assert_eq!(read.sealed, [b"sealed ", read.sums.as_slice()].concat());
        assert!(read.sums.ends_with(b"  state.bin\n"));
    }
}

#[test]
fn no_flipped_bit_is_taken_for_the_truth() {
    let entries = entries();
    let snapshot = snapshot_of(&entries);
    let mut refused = 0;
    for at in 0..snapshot.len() {
        let mut changed = snapshot.clone();
        changed[at] ^= 1 << (at % 8);
        match read_back(&changed) {
            Ok((found, read)) => {
                // The compression says some things twice, and a time and a system that nobody needs.
                assert_eq!(
                    (found, read.meta.entries),
                    (entries.clone(), 40),
                    "byte {at}"
                );
            }
            Err(_) => refused += 1,
        }
    }
    assert!(
        refused > snapshot.len() - 30,
        "{refused} of {}",
        snapshot.len()
    );
}

/// The compression has a checksum of its own; without it, the digests have to do.
#[test]
fn no_flipped_bit_inside_the_compression_either() {
    let entries = entries().split_off(37);
    let tar = unpacked(&snapshot_of(&entries));
    let mut refused = 0;
    for at in 0..tar.len() {
        let mut changed = tar.clone();
        changed[at] ^= 1 << (at % 8);
        match read_back(&packed(&changed)) {
            // A header's blank for a zero; or the seal, which is for who has the root key.
            Ok((found, _)) => assert_eq!(found, entries, "byte {at}"),
            Err(_) => refused += 1,
        }
    }
    assert!(refused > tar.len() - 300, "{refused} of {}", tar.len());
}

#[test]
fn no_shorter_or_longer_snapshot_is_taken() {
    let snapshot = snapshot_of(&entries());
    for length in 0..snapshot.len() {
        let refused = read_back(&snapshot[..length]);
        assert!(
            matches!(refused, Err(Error::Damaged(_))),
            "{length} bytes: {refused:?}"
        );
    }
    let longer = [snapshot.as_slice(), b"x"].concat();
    assert!(matches!(
        read_back(&longer),
        Err(Error::Damaged(Damage::Trailing))
    ));
    let twice = [snapshot.as_slice(), &snapshot].concat();
    assert!(matches!(
        read_back(&twice),
        Err(Error::Damaged(Damage::Trailing))
    ));
    let tar = unpacked(&snapshot);
    let with_more = packed(&[tar.as_slice(), b"more"].concat());
    assert!(matches!(
        read_back(&with_more),
        Err(Error::Damaged(Damage::Trailing))
    ));
    // As other programs pad archives.
    let filled = packed(&[tar.as_slice(), &[0; 7 * 512]].concat());
    assert!(read_back(&filled).is_ok());
    for length in (0..tar.len()).step_by(61) {
        assert!(
            read_back(&packed(&tar[..length])).is_err(),
            "{length} bytes inside"
        );
    }
}

#[test]
fn entries_that_are_missing_double_or_out_of_order_are_refused() {
    let mut count = Tally::default();
    (0..3).for_each(|_| count.add("aa", b"x"));
    for paths in [["aa", "aa", "bb"], ["bb", "aa", "cc"]] {
        let mut writer = Writer::begin(Vec::new(), meta(), count, 0).unwrap();
        for path in paths {
            writer.entry(path, b"x").unwrap();
        }
        let sums = writer.sums();
        let snapshot = match sums {
            Ok(sums) => writer.finish(&sums).unwrap(),
            Err(error) => panic!("{error}"),
        };
        let refused = read_back(&snapshot);
        assert!(
            matches!(refused, Err(Error::Damaged(Damage::Entry { number: 2 }))),
            "{refused:?}"
        );
    }
    let mut writer = Writer::begin(Vec::new(), meta(), count, 0).unwrap();
    writer.entry("aa", b"x").unwrap();
    assert!(writer.sums().is_err());
}

#[test]
fn snapshots_of_others_and_of_the_future_are_named() {
    let snapshot = snapshot_of(&entries());
    let tar = unpacked(&snapshot);
    let with = |from: &str, to: &str| {
        let at = tar
            .windows(from.len())
            .position(|part| part == from.as_bytes())
            .unwrap();
        let mut changed = tar.clone();
        changed[at..at + from.len()].copy_from_slice(to.as_bytes());
        packed(&changed)
    };
    assert!(matches!(
        read_back(&with("\"Coffer\"", "\"Casket\"")),
        Err(Error::Foreign)
    ));
    let newer = read_back(&with("\"format\":1", "\"format\":7"));
    assert!(matches!(
        newer,
        Err(Error::Newer {
            found: 7,
            newest: 1
        })
    ));
    for garbage in [&b"garbage"[..], b"", &[0; 2000]] {
        assert!(matches!(read_back(garbage), Err(Error::Damaged(_))));
    }
}

#[test]
fn a_taker_may_refuse_and_a_source_may_fail() {
    let snapshot = snapshot_of(&entries());
    let refused = read(Cursor::new(&snapshot), |_| Err("no room"));
    assert!(matches!(refused, Err(Error::Taker("no room"))));
    struct Failing;
    impl std::io::Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("the line is dead"))
        }
    }
    let failed = read(std::io::Read::chain(&snapshot[..300], Failing), |_| {
        Ok::<_, Infallible>(())
    });
    assert!(matches!(failed, Err(Error::Io(_))), "{failed:?}");
}
