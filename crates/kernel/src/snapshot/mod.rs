//! Snapshots of the storage: everything in it, as ciphertext, in one file that comes and goes as a
//! stream. The file is described in [`coffer_snapshot`], and byte by byte in `docs/storage-format.md`.

mod remarks;
mod replace;
mod restore;
mod save;

pub(crate) use replace::Prepared;
pub(crate) use restore::{Trust, receive};
pub(crate) use save::save;

use coffer_engine::Fault;

/// How large a piece of a stream is, in bytes.
const PIECE_BYTES: usize = 64 * 1024;

/// Runs what reads and writes disks on a thread that may wait for them.
async fn on_a_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Fault> + Send + 'static,
) -> Result<T, Fault> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(Fault::internal)?
}
