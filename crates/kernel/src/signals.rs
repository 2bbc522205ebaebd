//! What handlers ask of the server as a whole.

use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;

use crate::snapshot::Prepared;

/// A flag per wish; the pipeline looks at them after each request.
#[derive(Default)]
pub struct Signals {
    seal: AtomicBool,
    events_missed: AtomicBool,
    /// What takes the place of the storage, with the id of the request that brought it.
    replacement: Mutex<Option<(String, Prepared)>>,
}

impl Signals {
    /// Asks the server to replace its storage once the answer to this request is recorded.
    pub(crate) fn ask_to_replace(&self, request_id: &str, prepared: Prepared) {
        *self.replacement.lock() = Some((request_id.to_owned(), prepared));
    }

    /// What this request asked to take the place of the storage.
    pub(crate) fn take_replacement(&self, request_id: &str) -> Option<Prepared> {
        let mut asked = self.replacement.lock();
        let asked = asked.take_if(|(id, _)| id == request_id);
        asked.map(|(_, prepared)| prepared)
    }

    /// Asks the server to seal once the answer is recorded and before the client gets it.
    pub fn ask_to_seal(&self) {
        self.seal.store(true, Ordering::SeqCst);
    }

    /// Whether somebody asked to seal.
    pub fn seal_is_asked(&self) -> bool {
        self.seal.load(Ordering::SeqCst)
    }

    /// Whether something has happened that subscribers will never be told, between the last that was stored and sealing.
    pub(crate) fn set_events_missed(&self, missed: bool) {
        self.events_missed.store(missed, Ordering::SeqCst);
    }

    /// What [`Signals::set_events_missed`] said, once.
    pub(crate) fn take_events_missed(&self) -> bool {
        self.events_missed.swap(false, Ordering::SeqCst)
    }

    /// The server is sealed now.
    pub fn sealed(&self) {
        self.seal.store(false, Ordering::SeqCst);
    }
}
