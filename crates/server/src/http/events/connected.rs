//! What a stream knows of the connection it goes over.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// A connection that requests come over, as one of them sees it; it is among the request's extensions.
#[derive(Clone)]
pub(crate) struct Connected {
    connection: Connection,
    /// The request at work: as long as it is held, the connection is not idle.
    _working: Arc<dyn Any + Send + Sync>,
}

/// What all requests of a connection have in common.
#[derive(Clone)]
pub(crate) struct Connection {
    /// Room among the listener's connections.
    pub(crate) _permit: Arc<dyn Any + Send + Sync>,
    /// Streams that go over it now.
    pub(crate) streams: Arc<AtomicUsize>,
    /// What the server waits for when it stops.
    pub(crate) tasks: TaskTracker,
    /// Says that the server stops.
    pub(crate) stop: CancellationToken,
}

/// A stream under way: what is not taken of it in time ends its connection.
pub(super) struct Streaming(Connected);

impl Connection {
    /// As seen by a request at work.
    pub(crate) fn of(&self, working: impl Any + Send + Sync) -> Connected {
        Connected {
            connection: self.clone(),
            _working: Arc::new(working),
        }
    }
}

impl Connected {
    /// Runs something that the server waits for when it stops.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.connection.tasks.spawn(task);
    }

    /// Waits until the server stops.
    pub(super) async fn stopped(&self) {
        self.connection.stop.cancelled().await;
    }

    /// Begins a stream.
    pub(super) fn stream(self) -> Streaming {
        self.connection.streams.fetch_add(1, Ordering::Relaxed);
        Streaming(self)
    }
}

impl Drop for Streaming {
    fn drop(&mut self) {
        let streams = &self.0.connection.streams;
        streams.fetch_sub(1, Ordering::Relaxed);
    }
}
