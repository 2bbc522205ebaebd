//! What handlers ask of the server as a whole.

use tokio::sync::Notify;

/// A bell per wish; the server listens.
#[derive(Default)]
pub struct Signals {
    seal: Notify,
}

impl Signals {
    /// Asks the server to seal once the request is answered.
    pub fn ask_to_seal(&self) {
        self.seal.notify_one();
    }

    /// Waits until somebody asks to seal.
    pub async fn seal_asked(&self) {
        self.seal.notified().await;
    }
}
