//! Lists of items in one request.

use coffer_engine::Fault;

/// After how many bytes of input a batch lets others have a turn.
const TURN_BYTES: usize = 256 * 1024;

/// Refuses a batch without items.
pub(super) fn refuse_empty<T>(batch: &[T]) -> Result<(), Fault> {
    match batch.is_empty() {
        true => Err(Fault::invalid("missing batch input to process")),
        false => Ok(()),
    }
}

/// Lets other requests of this thread have their turn, now and then.
#[derive(Default)]
pub(super) struct Turns {
    bytes: usize,
}

impl Turns {
    /// After an item of so many bytes.
    pub(super) async fn took(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_add(bytes).saturating_add(64);
        if self.bytes > TURN_BYTES {
            self.bytes = 0;
            tokio::task::yield_now().await;
        }
    }
}
