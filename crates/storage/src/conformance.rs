//! What every backend must do, as plain functions over a [`Store`].
//!
//! A backend's tests call [`all`] with a way to make empty stores. The functions panic with a
//! message when the store does something else: they are tests that live in the library only so
//! that other crates' backends can run them too.

#![expect(
    clippy::panic,
    reason = "these functions are tests and fail by panicking"
)]

mod whole;

use std::sync::Arc;

use futures_util::future::join_all;

pub use whole::{freezing, generations, replacement_limits, replacing};

use crate::{
    Batch, Error, MAX_BATCH_WRITES, MAX_PAGE, MAX_PAGE_BYTES, MAX_PATH_BYTES, MAX_VALUE_BYTES,
    Store,
};

/// Runs everything, each time on an empty store from `fresh`.
pub async fn all<S: Store>(mut fresh: impl FnMut() -> S) {
    values(&fresh()).await;
    paths(&fresh()).await;
    folders(&fresh()).await;
    list_pages(&fresh()).await;
    scans(&fresh()).await;
    scan_pages(&fresh()).await;
    batches(&fresh()).await;
    checks(&fresh()).await;
    counting(Arc::new(fresh())).await;
    own_writes_are_seen(Arc::new(fresh())).await;
    large_values(&fresh()).await;
    limits(&fresh()).await;
    freezing(&fresh()).await;
    replacing(&fresh()).await;
    generations(&fresh()).await;
    replacement_limits(&fresh()).await;
    closing(&fresh()).await;
}

/// Values are kept byte for byte, replaced and removed.
pub async fn values(store: &dyn Store) {
    assert_eq!(ok(store.get("a").await), None);
    ok(store.delete("a").await);
    for value in [&b"one"[..], b"", b"\0\xff/", b"two"] {
        ok(store.put("a", value.to_vec()).await);
        assert_eq!(ok(store.get("a").await).as_deref(), Some(value));
    }
    ok(store.put("a/b", b"below".to_vec()).await);
    ok(store.delete("a").await);
    assert_eq!(ok(store.get("a").await), None);
    assert_eq!(ok(store.get("a/b").await).as_deref(), Some(&b"below"[..]));
    ok(store.delete("a").await);
}

/// Paths are exact: no folding of case, dots or forms of one character.
pub async fn paths(store: &dyn Store) {
    let paths = [
        "a",
        "A",
        "ä",
        "a\u{308}",
        "a/./b",
        "a/../b",
        "a/b",
        " ",
        "%",
        "_",
        "\\",
        "a'b\"c",
        "日/本/語",
        "emoji/🗝",
        "a/b/c/d/e/f/g/h/i/j/k",
        "\u{1}",
        "\u{10ffff}",
    ];
    for path in paths {
        ok(store.put(path, path.as_bytes().to_vec()).await);
    }
    for path in paths {
        assert_eq!(ok(store.get(path).await).as_deref(), Some(path.as_bytes()));
    }
    let mut sorted = paths.map(str::to_owned).to_vec();
    sorted.sort_unstable();
    assert_eq!(names(ok(store.scan("", None, 100).await)), sorted);

    for path in ["", "/", "/a", "a/", "a//b", "a\0b"] {
        assert!(
            matches!(store.get(path).await, Err(Error::Invalid { .. })),
            "get {path:?}"
        );
        let put = store.put(path, Vec::new()).await;
        assert!(matches!(put, Err(Error::Invalid { .. })), "put {path:?}");
        let check = store.commit(Batch::new().expect(path, None)).await;
        assert!(
            matches!(check, Err(Error::Invalid { .. })),
            "check {path:?}"
        );
    }
}

/// Listing folds what lies deeper into folders, in byte order.
pub async fn folders(store: &dyn Store) {
    fill(
        store,
        [
            "a", "a-b", "a/x", "a/y/1", "a/y/2", "a0", "b/1/2/3", "ä/ö", "z",
        ],
    )
    .await;
    let cases: [(&str, Option<&str>, usize, &[&str]); 12] = [
        ("", None, 100, &["a", "a-b", "a/", "a0", "b/", "z", "ä/"]),
        ("", Some("a"), 100, &["a-b", "a/", "a0", "b/", "z", "ä/"]),
        ("", Some("a-b"), 2, &["a/", "a0"]),
        ("", Some("a/"), 100, &["a0", "b/", "z", "ä/"]),
        ("", Some("a/x"), 1, &["a0"]),
        ("", Some("ä/"), 100, &[]),
        ("a/", None, 100, &["x", "y/"]),
        ("a/y/", None, 100, &["1", "2"]),
        ("b/", None, 100, &["1/"]),
        ("b/1/", Some("2/"), 100, &[]),
        ("c/", None, 100, &[]),
        ("", None, 0, &[]),
    ];
    for (prefix, after, limit, wanted) in cases {
        let found = ok(store.list(prefix, after, limit).await);
        assert_eq!(
            found, wanted,
            "list {prefix:?} after {after:?} limit {limit}"
        );
    }
    for prefix in ["a", "/", "a//"] {
        let found = store.list(prefix, None, 10).await;
        assert!(
            matches!(found, Err(Error::Invalid { .. })),
            "list {prefix:?}"
        );
    }
}

/// Pages of every size put together are the whole list, also where folders are large.
pub async fn list_pages(store: &dyn Store) {
    let paths: Vec<String> = (0..1500)
        .map(|n| format!("top/{:02}/{n:04}", n / 100))
        .chain((0..700).map(|n| format!("top/leaf-{n:03}")))
        .collect();
    fill(store, paths.iter().map(String::as_str)).await;
    let mut wanted: Vec<String> = (0..15).map(|n| format!("{n:02}/")).collect();
    wanted.extend((0..700).map(|n| format!("leaf-{n:03}")));
    for limit in [1, 7, 100, 714, 715, 716, MAX_PAGE] {
        let mut found: Vec<String> = Vec::new();
        loop {
            let after = found.last().map(String::as_str);
            let page = ok(store.list("top/", after, limit).await);
            let last = page.len() < limit;
            assert!(page.len() <= limit);
            found.extend(page);
            if last {
                break;
            }
        }
        assert_eq!(found, wanted, "pages of {limit}");
    }
}

/// Scanning gives everything that starts with a prefix, in byte order, with its value.
pub async fn scans(store: &dyn Store) {
    fill(store, ["a", "a-b", "a/x", "a/y/1", "ab", "b", "ä"]).await;
    let cases: [(&str, Option<&str>, usize, &[&str]); 9] = [
        ("", None, 100, &["a", "a-b", "a/x", "a/y/1", "ab", "b", "ä"]),
        ("a", None, 100, &["a", "a-b", "a/x", "a/y/1", "ab"]),
        ("a/", None, 100, &["a/x", "a/y/1"]),
        ("a/", Some("a/x"), 100, &["a/y/1"]),
        ("a/", Some("a"), 1, &["a/x"]),
        ("a/", Some("b"), 100, &[]),
        ("a", Some("a/xx"), 1, &["a/y/1"]),
        ("c", None, 100, &[]),
        ("", None, 0, &[]),
    ];
    for (prefix, after, limit, wanted) in cases {
        let found = ok(store.scan(prefix, after, limit).await);
        for (path, value) in &found {
            assert_eq!(value, path.as_bytes());
        }
        assert_eq!(
            names(found),
            wanted,
            "scan {prefix:?} after {after:?} limit {limit}"
        );
    }
}

/// Pages of a scan put together are everything, and a page of large values ends early.
pub async fn scan_pages(store: &dyn Store) {
    let paths: Vec<String> = (0..1200).map(|n| format!("s/{n:04}")).collect();
    fill(store, paths.iter().map(String::as_str)).await;
    for limit in [1, 500, 512, 1199, 1200, 1201] {
        assert_eq!(
            scan_all(store, "s/", limit).await,
            paths,
            "pages of {limit}"
        );
    }
    let large: Vec<String> = (0..6).map(|n| format!("large/{n}")).collect();
    for path in &large {
        ok(store.put(path, vec![7; MAX_PAGE_BYTES / 4]).await);
    }
    let page = ok(store.scan("large/", None, 100).await);
    assert!(
        page.len() < 6,
        "a page holds {} values of 4 MiB",
        page.len()
    );
    assert_eq!(scan_all(store, "large/", 100).await, large);
}

/// Everything in a batch happens together, in its order.
pub async fn batches(store: &dyn Store) {
    ok(store.commit(Batch::new()).await);
    ok(store.put("gone", b"x".to_vec()).await);
    let batch = Batch::new()
        .put("a", b"1".to_vec())
        .put("b", b"2".to_vec())
        .delete("gone")
        .put("twice", b"first".to_vec())
        .put("twice", b"second".to_vec())
        .put("back", b"x".to_vec())
        .delete("back");
    ok(store.commit(batch).await);
    assert_eq!(
        names(ok(store.scan("", None, 10).await)),
        ["a", "b", "twice"]
    );
    assert_eq!(
        ok(store.get("twice").await).as_deref(),
        Some(&b"second"[..])
    );
}

/// A batch with a check that does not hold leaves no trace and names the path.
pub async fn checks(store: &dyn Store) {
    ok(store.put("a", b"1".to_vec()).await);
    ok(store.put("empty", Vec::new()).await);
    let refused = [
        ("a", Some(b"2".to_vec())),
        ("a", None),
        ("a", Some(Vec::new())),
        ("empty", None),
        ("none", Some(Vec::new())),
        ("none", Some(b"1".to_vec())),
    ];
    for (path, value) in refused {
        let batch = Batch::new()
            .put("a", b"changed".to_vec())
            .delete("empty")
            .expect("a", Some(b"1".to_vec()))
            .expect(path, value.clone());
        match store.commit(batch).await {
            Err(Error::Conflict { path: named }) => assert_eq!(named, path),
            other => panic!("expecting {value:?} at {path:?} gave {other:?}"),
        }
    }
    assert_eq!(names(ok(store.scan("", None, 10).await)), ["a", "empty"]);
    let batch = Batch::new()
        .expect("a", Some(b"1".to_vec()))
        .expect("empty", Some(Vec::new()))
        .expect("none", None)
        .put("none", b"now".to_vec());
    ok(store.commit(batch.clone()).await);
    assert!(matches!(
        store.commit(batch).await,
        Err(Error::Conflict { .. })
    ));
    // Checks alone are a question about one moment.
    ok(store
        .commit(Batch::new().expect("none", Some(b"now".to_vec())))
        .await);
}

/// Concurrent compare-and-set increments lose nothing, whoever wins.
pub async fn counting<S: Store>(store: Arc<S>) {
    const TASKS: u64 = 12;
    const INCREMENTS: u64 = 15;
    let tasks = (0..TASKS).map(|task| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            for n in 0..INCREMENTS {
                increment(store.as_ref(), &format!("log/{task}/{n}")).await;
            }
        })
    });
    for done in join_all(tasks).await {
        ok(done);
    }
    let counter = ok(store.get("counter").await);
    assert_eq!(counter, Some((TASKS * INCREMENTS).to_string().into_bytes()));
    let log = ok(store.scan("log/", None, MAX_PAGE).await);
    assert_eq!(log.len() as u64, TASKS * INCREMENTS);
    // Each increment saw a number of its own.
    let mut seen: Vec<Vec<u8>> = log.into_iter().map(|(_, value)| value).collect();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len() as u64, TASKS * INCREMENTS);
}

async fn increment(store: &dyn Store, log: &str) {
    loop {
        let old = ok(store.get("counter").await);
        let count: u64 = old
            .as_ref()
            .map_or(0, |text| ok(String::from_utf8_lossy(text).parse()));
        let new = (count + 1).to_string().into_bytes();
        let batch = Batch::new()
            .expect("counter", old)
            .put("counter", new.clone())
            .put(log, new);
        match store.commit(batch).await {
            Ok(()) => return,
            Err(Error::Conflict { path }) => assert_eq!(path, "counter"),
            Err(other) => panic!("an increment failed: {other}"),
        }
    }
}

/// A read after an acknowledged write sees it, whatever else is being written.
pub async fn own_writes_are_seen<S: Store>(store: Arc<S>) {
    let tasks = (0..16).map(|task| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            for n in 0..20 {
                let (path, value) = (format!("t{task:02}/{n:02}"), format!("{task}-{n}"));
                ok(store.put(&path, value.clone().into_bytes()).await);
                assert_eq!(ok(store.get(&path).await), Some(value.into_bytes()));
                let listed = ok(store.list(&format!("t{task:02}/"), None, 100).await);
                assert_eq!(listed.len(), n + 1);
            }
        })
    });
    for done in join_all(tasks).await {
        ok(done);
    }
}

/// Values of many sizes around the pages of engines come back as they were.
pub async fn large_values(store: &dyn Store) {
    let sizes = [1, 4000, 4095, 4096, 4097, 65_536, 1 << 20, (5 << 20) + 1];
    for (n, size) in sizes.into_iter().enumerate() {
        let value: Vec<u8> = (0..size).map(|i| (i * 31 + n) as u8).collect();
        let path = format!("size/{size:010}");
        ok(store.put(&path, value.clone()).await);
        assert!(
            ok(store.get(&path).await) == Some(value),
            "{size} bytes changed"
        );
    }
    for size in sizes {
        ok(store.delete(&format!("size/{size:010}")).await);
    }
    assert_eq!(ok(store.list("", None, 10).await), Vec::<String>::new());
}

/// What is over a limit is refused by name, what is at it is taken.
pub async fn limits(store: &dyn Store) {
    let longest = "p".repeat(MAX_PATH_BYTES);
    ok(store.put(&longest, b"x".to_vec()).await);
    assert_eq!(ok(store.list("", None, 10).await), [longest.as_str()]);
    let full = (0..MAX_BATCH_WRITES).fold(Batch::new(), |batch, n| {
        batch.put(format!("n/{n}"), Vec::new())
    });
    ok(store.commit(full.clone()).await);
    ok(store.put("largest", vec![1; MAX_VALUE_BYTES]).await);
    assert_eq!(
        ok(store.get("largest").await).map(|v| v.len()),
        Some(MAX_VALUE_BYTES)
    );

    too_large(store.put(&format!("{longest}p"), Vec::new()).await);
    too_large(store.get(&format!("{longest}p")).await);
    too_large(store.put("over", vec![1; MAX_VALUE_BYTES + 1]).await);
    too_large(store.commit(full.put("one more", Vec::new())).await);
    let sum = (0..4).fold(Batch::new(), |batch, n| {
        batch.put(format!("sum/{n}"), vec![1; 50 << 20])
    });
    too_large(store.commit(sum).await);
    too_large(store.list("", None, MAX_PAGE + 1).await);
    too_large(store.scan("", None, MAX_PAGE + 1).await);
    assert_eq!(ok(store.get("over").await), None);
}

/// Closing finishes what was accepted, and a closed store says so.
pub async fn closing(store: &dyn Store) {
    ok(store.put("a", b"1".to_vec()).await);
    ok(store.close().await);
    ok(store.close().await);
    assert!(matches!(store.get("a").await, Err(Error::Closed)));
    assert!(matches!(store.list("", None, 1).await, Err(Error::Closed)));
    assert!(matches!(store.scan("", None, 1).await, Err(Error::Closed)));
    assert!(matches!(
        store.put("a", Vec::new()).await,
        Err(Error::Closed)
    ));
}

/// Stores each path under itself.
async fn fill<'a>(store: &dyn Store, paths: impl IntoIterator<Item = &'a str>) {
    let batch = paths
        .into_iter()
        .fold(Batch::new(), |batch, path| batch.put(path, path.as_bytes()));
    ok(store.commit(batch).await);
}

async fn scan_all(store: &dyn Store, prefix: &str, limit: usize) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    loop {
        let page = ok(store
            .scan(prefix, found.last().map(String::as_str), limit)
            .await);
        if page.is_empty() {
            return found;
        }
        assert!(page.len() <= limit);
        found.extend(names(page));
    }
}

fn names(page: Vec<(String, Vec<u8>)>) -> Vec<String> {
    page.into_iter().map(|(path, _)| path).collect()
}

#[track_caller]
fn ok<T, E: std::fmt::Display>(result: Result<T, E>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("the store failed: {error}"),
    }
}

#[track_caller]
fn too_large<T: std::fmt::Debug>(result: Result<T, Error>) {
    assert!(
        matches!(result, Err(Error::TooLarge { .. })),
        "not refused: {result:?}"
    );
}
