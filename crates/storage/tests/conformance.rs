//! The conformance suite, run for the backends of this crate.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use coffer_storage::{Embedded, Memory, conformance};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory() {
    conformance::all(Memory::new).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn embedded() {
    let dir = tempfile::tempdir().unwrap();
    let mut stores = 0;
    conformance::all(|| {
        stores += 1;
        Embedded::open(dir.path().join(stores.to_string())).unwrap()
    })
    .await;
}
