//! What handlers ask of the server as a whole.

use std::sync::atomic::{AtomicBool, Ordering};

/// A flag per wish; the pipeline looks at them after each request.
#[derive(Default)]
pub struct Signals {
    seal: AtomicBool,
}

impl Signals {
    /// Asks the server to seal once the answer is recorded and before the client gets it.
    pub fn ask_to_seal(&self) {
        self.seal.store(true, Ordering::SeqCst);
    }

    /// Whether somebody asked to seal.
    pub fn seal_is_asked(&self) -> bool {
        self.seal.load(Ordering::SeqCst)
    }

    /// The server is sealed now.
    pub fn sealed(&self) {
        self.seal.store(false, Ordering::SeqCst);
    }
}
