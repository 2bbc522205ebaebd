//! The embedded store on a disk that is full, fails, or loses its power.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::join_all;
use tempfile::TempDir;

use super::*;

fn open() -> (TempDir, Embedded) {
    let dir = tempfile::tempdir().unwrap();
    let store = Embedded::open(dir.path()).unwrap();
    (dir, store)
}

fn faults(store: &Embedded) -> &super::faults::Faults {
    &store.published.health().faults
}

fn old(n: usize) -> String {
    format!("old/{n:04}")
}

async fn names(store: &Embedded) -> Vec<String> {
    let all = store.scan("", None, 10_000).await.unwrap();
    all.into_iter().map(|(path, _)| path).collect()
}

/// Fills the store until the disk, with room for `bytes` more, takes no more.
async fn fill_up(store: &Embedded, bytes: u64) -> usize {
    faults(store).leave(Some(bytes));
    fill_up_with(store, "old").await
}

async fn fill_up_with(store: &Embedded, folder: &str) -> usize {
    let mut written = 0;
    loop {
        let path = format!("{folder}/{written:04}");
        match store.put(&path, vec![7; 10_000]).await {
            Ok(()) => written += 1,
            Err(Error::Full) => return written,
            Err(other) => panic!("a full disk gave {other}"),
        }
    }
}

#[tokio::test]
async fn a_full_disk_refuses_writes_but_not_reads_and_deletions() {
    let (_dir, store) = open();
    let written = fill_up(&store, 512 * 1024).await;
    assert!(written > 10);
    // Again and again: refusals use nothing up.
    for _ in 0..20 {
        assert!(matches!(
            store.put("new", vec![1; 10_000]).await,
            Err(Error::Full)
        ));
        assert_eq!(store.get(&old(0)).await.unwrap(), Some(vec![7; 10_000]));
    }
    assert_eq!(
        store.scan("old/", None, 10_000).await.unwrap().len(),
        written
    );
    for n in 0..written {
        store.delete(&old(n)).await.unwrap();
    }
    assert_eq!(
        store.list("", None, 10).await.unwrap(),
        Vec::<String>::new()
    );
}

#[tokio::test]
async fn what_deletions_gave_back_may_be_written_again() {
    // Little and much: either way the file is shortened, or its free pages are used.
    for bytes in [512 * 1024, 6 << 20] {
        let (_dir, store) = open();
        let written = fill_up(&store, bytes).await;
        for n in 0..written {
            store.delete(&old(n)).await.unwrap();
        }
        let again = fill_up_with(&store, "again").await;
        assert!(again > written / 4, "{again} after {written}");
        assert_eq!(names(&store).await.len(), again);
    }
}

#[tokio::test]
async fn writing_goes_on_once_the_disk_has_room() {
    let (dir, store) = open();
    let written = fill_up(&store, 512 * 1024).await;
    store.delete(&old(0)).await.unwrap();
    faults(&store).leave(None);
    store.put("new", vec![1; 100_000]).await.unwrap();
    assert!(
        dir.path().join("SPARE").exists(),
        "the spare space was not taken again"
    );
    drop(store);
    let store = Embedded::open(dir.path()).unwrap();
    assert_eq!(store.scan("", None, 10_000).await.unwrap().len(), written);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_too_large_write_does_not_refuse_the_others_of_its_group() {
    let (_dir, store) = open();
    let store = Arc::new(store);
    store.put("a", b"1".to_vec()).await.unwrap();
    faults(&store).leave(Some(600 * 1024));
    let mut answers = join_all((0..40).map(|n| {
        let store = Arc::clone(&store);
        let size = if n == 20 { 8 << 20 } else { 100 };
        async move { (n, store.put(&format!("k/{n}"), vec![1; size]).await) }
    }))
    .await;
    let large = answers.remove(20);
    assert!(matches!(large, (20, Err(Error::Full))), "{large:?}");
    for (n, answer) in answers {
        answer.unwrap();
        assert!(store.get(&format!("k/{n}")).await.unwrap().is_some());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_do_not_notice_a_full_disk() {
    let (_dir, store) = open();
    let store = Arc::new(store);
    let written = fill_up(&store, 512 * 1024).await;
    let readers = (0..4).map(|reader| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            for n in 0..400 {
                let path = old((n * 7 + reader) % written);
                assert_eq!(store.get(&path).await.unwrap(), Some(vec![7; 10_000]));
            }
        })
    });
    let readers: Vec<_> = readers.collect();
    for _ in 0..40 {
        assert!(matches!(
            store.put("new", vec![1; 50_000]).await,
            Err(Error::Full)
        ));
    }
    for reader in readers {
        reader.await.unwrap();
    }
}

/// What tells a commit that landed from one that did not, however the engine flushes.
#[tokio::test]
async fn a_commit_is_seen_to_land() {
    let (_dir, store) = open();
    let health = store.published.health();
    store.put("a", b"1".to_vec()).await.unwrap();
    assert!(health.has_landed(false));
    // Above this size commits have two phases.
    for n in 0..20 {
        store.put(&old(n), vec![1; 2 << 20]).await.unwrap();
    }
    store.put("a", b"2".to_vec()).await.unwrap();
    assert!(health.has_landed(true));
    health.begin();
    assert!(!health.has_landed(false));
}

#[tokio::test]
async fn after_an_unconfirmed_flush_nothing_is_acknowledged() {
    let (dir, store) = open();
    store.put("a", b"1".to_vec()).await.unwrap();
    faults(&store).sync_fails.store(true, Ordering::SeqCst);
    for _ in 0..3 {
        let refused = store.put("b", b"2".to_vec()).await;
        assert!(matches!(refused, Err(Error::Io { .. })), "{refused:?}");
    }
    // A later flush that succeeds proves nothing about the pages of the one before.
    faults(&store).sync_fails.store(false, Ordering::SeqCst);
    assert!(store.put("b", b"2".to_vec()).await.is_err());
    assert_eq!(store.get("a").await.unwrap().as_deref(), Some(&b"1"[..]));
    drop(store);
    let store = Embedded::open(dir.path()).unwrap();
    assert_eq!(store.get("a").await.unwrap().as_deref(), Some(&b"1"[..]));
    store.put("b", b"2".to_vec()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_power_failure_loses_nothing_acknowledged_and_halves_nothing() {
    for two_phase in [false, true] {
        let (dir, store) = open();
        let faults = faults(&store);
        faults.two_phase.store(two_phase, Ordering::SeqCst);
        faults.watch_power(std::fs::read(dir.path().join("coffer.redb")).unwrap());
        let acknowledged = Mutex::new(Vec::new());
        let done = AtomicBool::new(false);
        let writers = join_all((0..8).map(|n| write_batches(&store, n, &acknowledged, &done)));
        let crashes = async {
            let mut dice = Dice(42);
            for _ in 0..60 {
                yield_now().await;
                let before = acknowledged.lock().clone();
                let image = faults.image_after_power_failure(|| dice.roll());
                check_image(&image, &before).await;
            }
            done.store(true, Ordering::SeqCst);
        };
        tokio::join!(writers, crashes);
        assert!(acknowledged.lock().len() > 60);
    }
}

/// Writes batches of four keys that lie far apart, until told to stop.
async fn write_batches(
    store: &Embedded,
    writer: usize,
    acknowledged: &Mutex<Vec<String>>,
    done: &AtomicBool,
) {
    for n in 0.. {
        if done.load(Ordering::SeqCst) {
            return;
        }
        let batch = format!("{writer}-{n}");
        let writes = (0..4).fold(Batch::new(), |writes, part| {
            writes.put(format!("{part}/{batch}"), batch.repeat(1 + n * 3 % 500))
        });
        store.commit(writes).await.unwrap();
        acknowledged.lock().push(batch);
    }
}

/// Opens a copy of the store with `image` as its database and looks for whole batches.
async fn check_image(image: &[u8], acknowledged: &[String]) {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("coffer.redb"), image).unwrap();
    std::fs::write(dir.path().join("FORMAT"), "").unwrap();
    let store = Embedded::open(dir.path()).unwrap();
    let all = store.scan("", None, 10_000).await.unwrap();
    let mut parts = std::collections::BTreeMap::<&str, usize>::new();
    for (path, _) in &all {
        *parts.entry(path.split_once('/').unwrap().1).or_default() += 1;
    }
    assert!(
        parts.values().all(|found| *found == 4),
        "half a batch: {parts:?}"
    );
    for batch in acknowledged {
        assert!(parts.contains_key(batch.as_str()), "{batch} is lost");
    }
}

/// A small random source (xorshift) so that a failure can be repeated.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> bool {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        !self.0.is_multiple_of(3)
    }
}
