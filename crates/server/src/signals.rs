//! What the operating system tells the process.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::error::Error;

/// The signals that a server listens to.
pub(crate) struct Signals {
    hangup: Signal,
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// Takes the signals over from their defaults.
    pub(crate) fn new() -> Result<Self, Error> {
        let take = |kind| {
            signal(kind).map_err(|source| Error::System {
                what: "cannot listen to signals",
                source,
            })
        };
        Ok(Self {
            hangup: take(SignalKind::hangup())?,
            interrupt: take(SignalKind::interrupt())?,
            terminate: take(SignalKind::terminate())?,
        })
    }

    /// Waits for the next signal: true for reloading, false for stopping.
    pub(crate) async fn next_is_reload(&mut self) -> bool {
        tokio::select! {
            _ = self.hangup.recv() => true,
            _ = self.interrupt.recv() => false,
            _ = self.terminate.recv() => false,
        }
    }

    /// Waits for one that stops.
    pub(crate) async fn stop(&mut self) {
        while self.next_is_reload().await {}
    }
}
