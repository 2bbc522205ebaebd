//! Measures the embedded store: durable single-put commits with many concurrent writers, reads,
//! and how long the file takes to open after a crash.
//!
//! `cargo run --release -p coffer-storage --example writers [-- DIRECTORY [KEYS]]`
//! prints one line per number of writers. The directory is removed afterwards.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use coffer_storage::{Batch, Embedded, Error, Store};

/// Keys loaded before the measurement unless told otherwise, of about 45 bytes with 220-byte values.
const KEYS: usize = 200_000;

const VALUE_BYTES: usize = 220;

const MEASURED: Duration = Duration::from_secs(4);

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<(), Error> {
    let dir = std::env::args_os().nth(1).map_or_else(
        || std::env::temp_dir().join("coffer-writers"),
        PathBuf::from,
    );
    let keys = std::env::args()
        .nth(2)
        .and_then(|keys| keys.parse().ok())
        .unwrap_or(KEYS);
    let _ = std::fs::remove_dir_all(&dir);
    let store = Arc::new(Embedded::open(&dir)?);
    load(store.as_ref(), keys).await?;
    println!("loaded {keys} keys, file of {} MiB", file_mib(&dir));
    for writers in [1, 16, 64, 256] {
        write(&store, writers, keys).await?;
    }
    read(store.as_ref(), keys).await?;
    println!("resident memory: {} KiB", resident_kib());
    reopen(&dir)?;
    store.close().await?;
    let _ = std::fs::remove_dir_all(&dir);
    Ok(())
}

async fn load(store: &Embedded, keys: usize) -> Result<(), Error> {
    for from in (0..keys).step_by(4000) {
        let batch = (from..(from + 4000).min(keys))
            .fold(Batch::new(), |batch, n| batch.put(key(n), value(n)));
        store.commit(batch).await?;
    }
    Ok(())
}

async fn write(store: &Arc<Embedded>, writers: usize, keys: usize) -> Result<(), Error> {
    let (started, spent) = (Instant::now(), cpu());
    let mut tasks = Vec::new();
    for writer in 0..writers {
        let store = Arc::clone(store);
        tasks.push(tokio::spawn(async move {
            let mut took = Vec::new();
            let mut n = writer * 7919;
            while started.elapsed() < MEASURED {
                let begun = Instant::now();
                n = next(n, keys);
                store.put(&key(n), value(n + 1)).await?;
                took.push(begun.elapsed());
            }
            Ok::<_, Error>(took)
        }));
    }
    let mut took = Vec::new();
    for task in tasks {
        took.extend(task.await.map_err(|_| Error::Closed)??);
    }
    let elapsed = started.elapsed();
    took.sort_unstable();
    let at = |part: usize| {
        took.get(took.len() * part / 1000)
            .copied()
            .unwrap_or_default()
    };
    println!(
        "{writers:>4} writers: {:>7.0} commits/s, p50 {:?}, p99 {:?}, CPU {:.1} µs each",
        took.len() as f64 / elapsed.as_secs_f64(),
        at(500),
        at(990),
        (cpu() - spent).as_secs_f64() * 1e6 / took.len() as f64,
    );
    Ok(())
}

async fn read(store: &Embedded, keys: usize) -> Result<(), Error> {
    let (spent, count) = (cpu(), 300_000);
    let mut n = 1;
    for _ in 0..count {
        n = next(n, keys);
        store.get(&key(n)).await?;
    }
    println!(
        "reads: CPU {:.2} µs each",
        (cpu() - spent).as_secs_f64() * 1e6 / f64::from(count)
    );
    Ok(())
}

/// Copies the file as it is under the open store, as a crash would leave it, and opens the copy.
fn reopen(dir: &Path) -> Result<(), Error> {
    let copy = dir.join("copy");
    let copied = std::fs::create_dir_all(&copy)
        .and_then(|()| std::fs::copy(dir.join("coffer.redb"), copy.join("coffer.redb")))
        .and_then(|_| std::fs::copy(dir.join("FORMAT"), copy.join("FORMAT")))
        // Else the first flush after opening would be the one to write the copy to the disk.
        .and_then(|_| std::fs::File::open(copy.join("coffer.redb"))?.sync_all());
    if copied.is_err() {
        println!("could not copy the file");
        return Ok(());
    }
    let begun = Instant::now();
    let store = Embedded::open(&copy)?;
    println!(
        "opened after a crash in {:?}, file of {} MiB",
        begun.elapsed(),
        file_mib(&copy)
    );
    drop(store);
    let begun = Instant::now();
    let store = Embedded::open(&copy)?;
    println!("opened after a clean close in {:?}", begun.elapsed());
    drop(store);
    Ok(())
}

/// Visits the keys in no order, each once for a number of keys that is a power of ten.
fn next(n: usize, keys: usize) -> usize {
    (n * 78_141 + 61) % keys
}

fn key(n: usize) -> String {
    format!("logical/8a7d3c1e/data/team-{:03}/secret-{n:08}", n % 512)
}

fn value(n: usize) -> Vec<u8> {
    (0..VALUE_BYTES)
        .map(|i| (n.wrapping_mul(2_654_435_761) >> (i % 24)) as u8)
        .collect()
}

fn file_mib(dir: &Path) -> u64 {
    std::fs::metadata(dir.join("coffer.redb")).map_or(0, |found| found.len() >> 20)
}

fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .and_then(|rest| rest.split_whitespace().next()?.parse().ok())
        .unwrap_or_default()
}

/// CPU time of this process so far, user and system, from /proc (clock ticks of 10 ms).
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let ticks: u64 = stat
        .rsplit(')')
        .next()
        .map(|rest| {
            rest.split_whitespace()
                .skip(11)
                .take(2)
                .filter_map(|field| field.parse::<u64>().ok())
                .sum()
        })
        .unwrap_or_default();
    Duration::from_millis(ticks * 10)
}
