//! The bodies of answers.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use coffer_engine::{Fault, Pieces};
use hyper::body::{Body, Frame, SizeHint};

/// An answer's body: most are there as a whole, some come piece by piece.
#[derive(Debug)]
pub(crate) enum Outgoing {
    /// All of it.
    Whole(Bytes),
    /// As it is made.
    Stream(Pieces),
}

/// The rest of an answer could not be had. The connection ends, so that nobody takes what arrived for
/// the whole.
#[derive(Debug, thiserror::Error)]
#[error("an answer broke off: {0}")]
pub(crate) struct BrokeOff(Fault);

impl Outgoing {
    /// Without a byte.
    pub(super) const EMPTY: Self = Self::Whole(Bytes::new());

    /// How many bytes it has; none where nobody knows yet.
    pub(super) fn length(&self) -> Option<usize> {
        match self {
            Self::Whole(bytes) => Some(bytes.len()),
            Self::Stream(_) => None,
        }
    }

    /// The bytes of one that is there as a whole.
    #[cfg(test)]
    pub(super) fn whole(&self) -> &[u8] {
        match self {
            Self::Whole(bytes) => bytes,
            Self::Stream(_) => panic!("it comes piece by piece"),
        }
    }

    /// Whether it has no end of its own.
    pub(crate) fn is_endless(&self) -> bool {
        matches!(self, Self::Stream(pieces) if pieces.is_endless())
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = BrokeOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokeOff>>> {
        match &mut *self {
            Self::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            Self::Whole(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Self::Stream(pieces) => loop {
                return match std::task::ready!(pieces.poll_next(cx)) {
                    Some(Ok(bytes)) if bytes.is_empty() => continue,
                    Some(Ok(bytes)) => Poll::Ready(Some(Ok(Frame::data(bytes.into())))),
                    Some(Err(fault)) => {
                        tracing::error!(%fault, "an answer broke off");
                        Poll::Ready(Some(Err(BrokeOff(fault))))
                    }
                    None => Poll::Ready(None),
                };
            },
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(bytes) if bytes.is_empty())
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Self::Stream(_) => SizeHint::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    #[tokio::test]
    async fn pieces_are_sent_and_a_broken_flow_is_an_error() {
        let (feed, pieces) = Pieces::new();
        feed.send(b"one ".to_vec()).await.unwrap();
        feed.send(Vec::new()).await.unwrap();
        feed.send(b"two".to_vec()).await.unwrap();
        feed.end().await.unwrap();
        let body = Outgoing::Stream(pieces).collect().await.unwrap();
        assert_eq!(body.to_bytes(), "one two");

        let (feed, pieces) = Pieces::new();
        feed.send(b"one ".to_vec()).await.unwrap();
        drop(feed);
        assert!(Outgoing::Stream(pieces).collect().await.is_err());
    }
}
