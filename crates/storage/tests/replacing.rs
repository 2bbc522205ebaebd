//! Kills a process that replaces everything in its store again and again, and proves that each opening
//! finds one replacement as a whole, no older one than was acknowledged, and nothing left over.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use coffer_storage::{Embedded, Entries, Error, MAX_PAGE, Store};

const ROUNDS: u64 = 20;
const ENTRIES: usize = 300;

/// Where the child finds its directory.
const DIR: &str = "COFFER_REPLACING_DIR";

#[test]
fn a_crash_leaves_the_old_entries_or_the_new_ones() {
    let dir = tempfile::tempdir().unwrap();
    let mut acknowledged = 0;
    for round in 0..ROUNDS {
        acknowledged = killed_round(dir.path(), round).max(acknowledged);
        let store = Embedded::open(dir.path()).unwrap();
        let found = block_on(number(&store));
        assert!(
            found >= acknowledged,
            "{found} was found after {acknowledged} was acknowledged"
        );
        let left: Vec<_> = std::fs::read_dir(dir.path())
            .unwrap()
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.ends_with("replacement"))
            .collect();
        assert!(left.is_empty(), "left over: {left:?}");
    }
}

/// Lets a child replace for a while, kills it, and returns the last number it acknowledged.
fn killed_round(dir: &Path, round: u64) -> u64 {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture"])
        .env(DIR, dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut last = 0;
    let mut steps = 0;
    // Another step of a replacement in each round.
    while last == 0 || steps < round {
        let line = lines.next().expect("the child ended by itself").unwrap();
        steps += u64::from(line.starts_with("step"));
        if let Some(number) = line.strip_prefix("step ack ") {
            last = number.parse().unwrap();
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    last
}

/// The process that is killed. As an ordinary test it has nothing to do.
#[test]
fn child() {
    let Ok(dir) = std::env::var(DIR) else { return };
    let store = Embedded::open(dir).unwrap();
    block_on(async {
        let mut number = number(&store).await;
        loop {
            number += 1;
            let mut replacement = store.replace().await.unwrap();
            step("begun");
            replacement.add(entries(number)).unwrap();
            step("added");
            replacement.complete().unwrap();
            step("complete");
            replacement.take_place().await.unwrap();
            step(&format!("ack {number}"));
        }
    });
}

fn step(name: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "\nstep {name}").unwrap();
    out.flush().unwrap();
}

#[tokio::test]
async fn one_replacement_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let store = Embedded::open(dir.path()).unwrap();
    let first = store.replace().await.unwrap();
    assert!(matches!(store.replace().await, Err(Error::Busy)));
    drop(first);
    let mut second = store.replace().await.unwrap();
    second.add(entries(1)).unwrap();
    second.complete().unwrap();
    second.take_place().await.unwrap();
    assert!(store.replace().await.is_ok());
    drop(store);
    let store = Embedded::open(dir.path()).unwrap();
    assert_eq!(number(&store).await, 1);
}

#[tokio::test]
async fn writers_go_on_while_a_store_is_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let store = std::sync::Arc::new(Embedded::open(dir.path()).unwrap());
    let writer = {
        let store = std::sync::Arc::clone(&store);
        tokio::spawn(async move {
            for n in 0..200_u32 {
                store
                    .put("counter", n.to_be_bytes().to_vec())
                    .await
                    .unwrap();
            }
        })
    };
    for number in 1..=5 {
        let mut replacement = store.replace().await.unwrap();
        replacement.add(entries(number)).unwrap();
        replacement.complete().unwrap();
        replacement.take_place().await.unwrap();
    }
    writer.await.unwrap();
    assert_eq!(store.generation(), 5);
}

/// What the store holds: one number at every path, or nothing at all.
async fn number(store: &Embedded) -> u64 {
    let page = store.scan("", None, MAX_PAGE).await.unwrap();
    let Some((_, value)) = page.first() else {
        return 0;
    };
    let number = u64::from_be_bytes(value[..8].try_into().unwrap());
    assert_eq!(page, entries(number));
    number
}

fn entries(number: u64) -> Entries {
    (0..ENTRIES)
        .map(|n| {
            let size = if n % 50 == 0 { 40_000 } else { 100 };
            (format!("entry/{n:04}"), number.to_be_bytes().repeat(size))
        })
        .collect()
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future)
}
