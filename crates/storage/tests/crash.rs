//! Kills a writing process with SIGKILL at random moments, many times, and proves that every
//! acknowledged batch is there, no batch is half there, and the store opens quickly.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use coffer_storage::{Batch, Embedded, MAX_PAGE, Store};

const ROUNDS: usize = 25;
const WRITERS: usize = 24;
const KEYS_IN_A_BATCH: usize = 5;

/// Where the child finds its directory and its round.
const DIR: &str = "COFFER_CRASH_DIR";
const ROUND: &str = "COFFER_CRASH_ROUND";

#[test]
fn no_acknowledged_batch_is_lost_and_none_is_half_there() {
    let dir = tempfile::tempdir().unwrap();
    let mut acknowledged = BTreeSet::new();
    for round in 0..ROUNDS {
        acknowledged.extend(killed_round(dir.path(), round));
        let begun = Instant::now();
        let store = Embedded::open(dir.path()).unwrap();
        let took = begun.elapsed();
        // Far above what it takes (some milliseconds) so that a busy machine does not fail this.
        assert!(took < Duration::from_secs(2), "opening took {took:?}");
        verify(&store, &acknowledged);
    }
    assert!(
        acknowledged.len() > ROUNDS,
        "only {} batches",
        acknowledged.len()
    );
}

/// Lets a child write until some acknowledgements came, kills it, and returns all that came.
fn killed_round(dir: &std::path::Path, round: usize) -> Vec<String> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture"])
        .env(DIR, dir)
        .env(ROUND, round.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut acknowledged = Vec::new();
    // Not a multiple of anything the writer does, and another moment in each round.
    let enough = 1 + round * 37 % 211;
    while acknowledged.len() < enough {
        let line = lines.next().expect("the child ended by itself").unwrap();
        acknowledged.extend(batch_of(&line));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    // What it had printed before it died counts; a torn last line was not received.
    for line in lines.map_while(Result::ok) {
        acknowledged.extend(batch_of(&line));
    }
    acknowledged
}

/// The batch that a line acknowledges: the test harness prints lines of its own.
fn batch_of(line: &str) -> Option<String> {
    let (_, rest) = line.split_once("ack ")?;
    rest.strip_suffix('.').map(str::to_owned)
}

fn verify(store: &Embedded, acknowledged: &BTreeSet<String>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let present = runtime.block_on(batches(store));
    for batch in acknowledged {
        assert!(
            present.contains(batch),
            "acknowledged batch {batch} is lost"
        );
    }
}

/// The names of all batches in the store, each checked to be whole.
async fn batches(store: &Embedded) -> BTreeSet<String> {
    let mut parts = std::collections::BTreeMap::<String, usize>::new();
    let mut after: Option<String> = None;
    loop {
        let page = store.scan("", after.as_deref(), MAX_PAGE).await.unwrap();
        let Some((last, _)) = page.last() else { break };
        after = Some(last.clone());
        for (path, value) in page {
            let (_, batch) = path.split_once('/').unwrap();
            assert_eq!(value, contents(batch, &path));
            *parts.entry(batch.to_owned()).or_default() += 1;
        }
    }
    for (batch, found) in &parts {
        assert_eq!(*found, KEYS_IN_A_BATCH, "batch {batch} is half there");
    }
    parts.into_keys().collect()
}

/// The process that is killed. As an ordinary test it has nothing to do.
#[test]
fn child() {
    let (Ok(dir), Ok(round)) = (std::env::var(DIR), std::env::var(ROUND)) else {
        return;
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .build()
        .unwrap();
    let store = Arc::new(Embedded::open(dir).unwrap());
    runtime.block_on(async {
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                tokio::spawn(write_forever(
                    Arc::clone(&store),
                    format!("{round}-{writer}"),
                ))
            })
            .collect();
        for writer in writers {
            writer.await.unwrap();
        }
    });
}

async fn write_forever(store: Arc<Embedded>, name: String) {
    for n in 0_u64.. {
        let batch = format!("{name}-{n}");
        // The keys of a batch lie far apart, in different pages of the tree.
        let writes = (0..KEYS_IN_A_BATCH).fold(Batch::new(), |writes, part| {
            let path = format!("{part}/{batch}");
            let value = contents(&batch, &path);
            writes.put(path, value)
        });
        store.commit(writes).await.unwrap();
        let mut out = std::io::stdout().lock();
        writeln!(out, "ack {batch}.").unwrap();
        out.flush().unwrap();
    }
}

/// Bytes that belong to one path only, a few hundred of them, sometimes over several pages.
fn contents(batch: &str, path: &str) -> Vec<u8> {
    let times = if batch.ends_with('7') { 900 } else { 12 };
    path.as_bytes().repeat(times)
}
