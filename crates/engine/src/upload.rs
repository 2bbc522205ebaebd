//! A request's body that nobody has taken yet.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::{Feed, Pieces};

/// The body of a request for a path that takes it as it comes ([`crate::Path::streamed`]). Not a byte of
/// it is read before the handler opens it, and that is after policy and audit.
#[derive(Clone, Debug, Default)]
pub struct Upload(Arc<Mutex<Option<oneshot::Sender<Feed>>>>);

/// The edge's end of an [`Upload`].
#[derive(Debug)]
pub struct Wanted(oneshot::Receiver<Feed>);

impl Upload {
    /// A body that waits, and who will send it.
    pub fn new() -> (Self, Wanted) {
        let (wanted, told) = oneshot::channel();
        (Self(Arc::new(Mutex::new(Some(wanted)))), Wanted(told))
    }

    /// Asks for the body. None where the request has none, or somebody took it.
    pub fn open(&self) -> Option<Pieces> {
        let wanted = self.0.lock().take()?;
        let (feed, pieces) = Pieces::new();
        wanted.send(feed).ok()?;
        Some(pieces)
    }
}

impl Wanted {
    /// Waits until the body is asked for; none where it will not be.
    pub async fn feed(self) -> Option<Feed> {
        self.0.await.ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_body_is_taken_once_or_never() {
        let (upload, wanted) = Upload::new();
        let mut pieces = upload.clone().open().unwrap();
        assert!(upload.open().is_none());
        let feed = wanted.feed().await.unwrap();
        feed.send(vec![1]).await.unwrap();
        assert_eq!(pieces.next().await.unwrap().unwrap(), [1]);

        let (upload, wanted) = Upload::new();
        drop(upload);
        assert!(wanted.feed().await.is_none());
        assert!(Upload::default().open().is_none());
    }
}
