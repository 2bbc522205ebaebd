//! The status as server-sent events.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use hyper::{Response, StatusCode};
use tokio::sync::watch;

use super::{Body, body};

/// One event for each change, until the service stops. A reader who is slow misses what was in between, not what is.
pub fn stream(status: watch::Receiver<Arc<str>>, stopped: watch::Receiver<bool>) -> Response<Body> {
    let frames = stream::unfold((status, stopped), |(mut status, mut stopped)| async {
        tokio::select! {
            _ = stopped.wait_for(|stopped| *stopped) => return None,
            changed = status.changed() => changed.ok()?,
        }
        let event = format!("data: {}\n\n", *status.borrow_and_update());
        let frame = Ok::<_, Infallible>(Frame::data(Bytes::from(event)));
        Some((frame, (status, stopped)))
    });
    let frames = StreamBody::new(frames).boxed_unsync();
    body(StatusCode::OK, "text/event-stream", frames)
}
