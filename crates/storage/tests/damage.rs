//! A damaged, shortened, emptied or vanished store is a named error, never wrong data and never a
//! new store; a second opener is told so.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::fs;
use std::path::Path;

use coffer_storage::{Batch, Embedded, Error, Store};

const KEYS: usize = 400;

#[tokio::test]
async fn a_vanished_or_emptied_file_is_not_a_new_store() {
    let dir = filled().await;
    let file = dir.path().join("coffer.redb");
    let whole = fs::read(&file).unwrap();

    fs::write(&file, b"").unwrap();
    assert_damaged(Embedded::open(dir.path()), "is empty");
    // Refusing must not have made it look new.
    assert_eq!(fs::read(&file).unwrap(), b"");

    fs::remove_file(&file).unwrap();
    assert_damaged(Embedded::open(dir.path()), "is missing");
    assert!(!file.exists());

    fs::write(&file, whole).unwrap();
    assert_eq!(read_all(dir.path()).await.unwrap(), KEYS);
}

#[tokio::test]
async fn a_lost_marker_is_written_again() {
    let dir = filled().await;
    fs::remove_file(dir.path().join("FORMAT")).unwrap();
    assert_eq!(read_all(dir.path()).await.unwrap(), KEYS);
    assert!(dir.path().join("FORMAT").exists());
}

#[tokio::test]
async fn a_creation_that_was_interrupted_starts_again() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("coffer.redb.new"), b"half a header").unwrap();
    let store = Embedded::open(dir.path()).unwrap();
    assert_eq!(store.list("", None, 1).await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn a_shortened_file_is_damaged() {
    let dir = filled().await;
    let file = dir.path().join("coffer.redb");
    let whole = fs::read(&file).unwrap();
    for length in [
        1,
        100,
        511,
        512,
        4095,
        4096,
        8192,
        whole.len() / 2,
        whole.len() - 4096,
    ] {
        fs::write(&file, &whole[..length]).unwrap();
        assert_damaged(Embedded::open(dir.path()), "coffer.redb");
    }
}

#[tokio::test]
async fn a_foreign_or_zeroed_file_is_damaged() {
    let dir = filled().await;
    let file = dir.path().join("coffer.redb");
    let length = fs::metadata(&file).unwrap().len() as usize;
    for byte in [0, b'x', 0xff] {
        fs::write(&file, vec![byte; length]).unwrap();
        assert_damaged(Embedded::open(dir.path()), "coffer.redb");
    }
}

/// Every part of the file, a few flipped bytes at a time: whatever still opens and answers must
/// answer with what was written.
#[tokio::test]
async fn flipped_bytes_are_never_wrong_data() {
    let dir = filled().await;
    let file = dir.path().join("coffer.redb");
    let whole = fs::read(&file).unwrap();
    let mut refused = 0;
    for place in (0..whole.len()).step_by(2039) {
        let mut flipped = whole.clone();
        for byte in flipped.iter_mut().skip(place).take(3) {
            *byte ^= 0x5a;
        }
        fs::write(&file, &flipped).unwrap();
        match read_all(dir.path()).await {
            // The place was free, or something that opening repairs.
            Ok(found) => assert_eq!(found, KEYS, "a flip at {place} changed the store"),
            Err(Error::Damaged { .. }) => refused += 1,
            Err(other) => panic!("a flip at {place} gave: {other}"),
        }
    }
    assert!(refused > 20, "only {refused} flips were noticed");
}

#[tokio::test]
async fn a_newer_format_is_named() {
    let dir = filled().await;
    let meta = redb::TableDefinition::<&[u8], &[u8]>::new("meta");
    let database = redb::Database::open(dir.path().join("coffer.redb")).unwrap();
    let change = database.begin_write().unwrap();
    change
        .open_table(meta)
        .unwrap()
        .insert(b"format".as_slice(), 9_u64.to_be_bytes().as_slice())
        .unwrap();
    change.commit().unwrap();
    drop(database);
    let refused = Embedded::open(dir.path()).map(|_| ());
    assert!(
        matches!(
            refused,
            Err(Error::Newer {
                found: 9,
                newest: 1
            })
        ),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_second_opener_is_refused_until_the_first_closes() {
    let dir = tempfile::tempdir().unwrap();
    let store = Embedded::open(dir.path()).unwrap();
    let second = Embedded::open(dir.path()).map(|_| ());
    assert!(matches!(second, Err(Error::Locked { .. })), "{second:?}");
    store.put("a", b"1".to_vec()).await.unwrap();
    store.close().await.unwrap();
    // Closed, though the handle still lives.
    let next = Embedded::open(dir.path()).unwrap();
    assert_eq!(next.get("a").await.unwrap().as_deref(), Some(&b"1"[..]));
}

async fn filled() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let store = Embedded::open(dir.path()).unwrap();
    let batch = (0..KEYS).fold(Batch::new(), |batch, n| batch.put(path(n), value(n)));
    store.commit(batch).await.unwrap();
    store.close().await.unwrap();
    dir
}

/// Opens the store and compares everything with what `filled` wrote. How many keys there were.
async fn read_all(dir: &Path) -> Result<usize, Error> {
    let store = Embedded::open(dir)?;
    let all = store.scan("", None, 10_000).await?;
    for (n, (found_path, found)) in all.iter().enumerate() {
        assert_eq!(*found_path, path(n), "a path changed");
        assert_eq!(*found, value(n), "a value changed");
    }
    for n in 0..KEYS {
        assert_eq!(
            store.get(&path(n)).await?,
            Some(value(n)),
            "{} changed",
            path(n)
        );
    }
    Ok(all.len())
}

fn path(n: usize) -> String {
    format!("folder-{:02}/key-{n:04}", n / 40)
}

fn value(n: usize) -> Vec<u8> {
    vec![n as u8; 100 + n * 3]
}

#[track_caller]
fn assert_damaged(result: Result<Embedded, Error>, wanted: &str) {
    match result.map(|_| ()) {
        Err(error @ Error::Damaged { .. }) => {
            let text = error.to_string();
            assert!(
                text.contains(wanted) && text.contains("restore it"),
                "{text}"
            );
        }
        other => panic!("not taken for damaged: {other:?}"),
    }
}

#[tokio::test]
async fn the_files_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let store = coffer_storage::Embedded::open(dir.path()).unwrap();
    for entry in std::fs::read_dir(dir.path()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", entry.path().display());
    }
    drop(store);
}
