//! An answer on its way through a connection.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use super::pace::Working;
use crate::http::{BrokeOff, Outgoing};

/// A body that is being sent: until it is, the connection is not idle. A server that stops does not
/// wait for what has no end.
pub(super) struct Sending {
    body: Outgoing,
    stopped: Option<Pin<Box<WaitForCancellationFutureOwned>>>,
    _working: Working,
}

impl Sending {
    pub(super) fn new(body: Outgoing, working: Working, stop: CancellationToken) -> Self {
        let endless = body.is_endless();
        Self {
            body,
            stopped: endless.then(|| Box::pin(stop.cancelled_owned())),
            _working: working,
        }
    }
}

impl Body for Sending {
    type Data = Bytes;
    type Error = BrokeOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokeOff>>> {
        let stopped = self.stopped.as_mut();
        if stopped.is_some_and(|stopped| stopped.as_mut().poll(cx).is_ready()) {
            return Poll::Ready(None);
        }
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use coffer_engine::Pieces;
    use http_body_util::BodyExt;

    use super::super::pace::Pace;
    use super::*;

    #[tokio::test]
    async fn what_has_no_end_ends_with_the_server() {
        let (feed, pieces) = Pieces::new();
        let stop = CancellationToken::new();
        let pace = Arc::new(Pace::default());
        let body = Outgoing::Stream(pieces.endless());
        let body = tokio::spawn(Sending::new(body, pace.work(), stop.clone()).collect());
        feed.send(b"a line".to_vec()).await.unwrap();
        stop.cancel();
        assert!(body.await.unwrap().is_ok());
        assert!(feed.send(b"another".to_vec()).await.is_err());
    }
}
