//! Bytes that come piece by piece, where holding them all would take too much memory or too long.
//!
//! Whoever makes them holds the [`Feed`], whoever uses them the [`Pieces`]; a slow reader makes the
//! feed wait. A feed that is dropped before [`Feed::end`] has *broken off*: the reader gets a fault,
//! so that what a crash or a panic cut short is never taken for the whole.

use std::any::Any;
use std::fmt;
use std::task::{Context, Poll};

use tokio::sync::mpsc::{self, error::TrySendError};

use crate::Fault;

/// How many pieces wait for their reader before the feed does.
const WAITING_PIECES: usize = 4;

/// The end into which bytes go.
#[derive(Debug)]
pub struct Feed(mpsc::Sender<Piece>);

/// The end from which they are taken.
pub struct Pieces {
    received: mpsc::Receiver<Piece>,
    ended: bool,
    endless: bool,
    held: Option<Box<dyn Any + Send + Sync>>,
}

/// Nobody reads any more (the client hung up): there is no use in going on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("nobody reads what is sent")]
pub struct Unread;

#[derive(Debug)]
enum Piece {
    Bytes(Vec<u8>),
    End,
    Fault(Fault),
}

impl Pieces {
    /// Both ends of a new flow, in which a few pieces wait for their reader.
    pub fn new() -> (Feed, Self) {
        Self::with_room(WAITING_PIECES)
    }

    /// Both ends of a new flow, in which so many pieces may wait for their reader; not 0.
    pub fn with_room(max_pieces: usize) -> (Feed, Self) {
        let (sent, received) = mpsc::channel(max_pieces);
        let pieces = Self {
            received,
            ended: false,
            endless: false,
            held: None,
        };
        (Feed(sent), pieces)
    }

    /// For what has no end of its own (a log that is followed): a server that stops ends it, instead
    /// of waiting for it.
    pub fn endless(mut self) -> Self {
        self.endless = true;
        self
    }

    /// Keeps something as long as somebody may read.
    pub fn holding(mut self, held: impl Any + Send + Sync) -> Self {
        self.held = Some(Box::new(held));
        self
    }

    /// Whether it has no end of its own.
    pub fn is_endless(&self) -> bool {
        self.endless
    }

    /// The next piece, none at the end, a fault where the feed failed or broke off.
    pub async fn next(&mut self) -> Option<Result<Vec<u8>, Fault>> {
        std::future::poll_fn(|cx| self.poll_next(cx)).await
    }

    /// As [`Pieces::next`], for threads that may block.
    pub fn blocking_next(&mut self) -> Option<Result<Vec<u8>, Fault>> {
        if self.ended {
            return None;
        }
        let piece = self.received.blocking_recv();
        self.taken(piece)
    }

    /// As [`Pieces::next`], for those who poll.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Vec<u8>, Fault>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        self.received.poll_recv(cx).map(|piece| self.taken(piece))
    }

    fn taken(&mut self, piece: Option<Piece>) -> Option<Result<Vec<u8>, Fault>> {
        let fault = match piece {
            Some(Piece::Bytes(bytes)) => return Some(Ok(bytes)),
            Some(Piece::End) => None,
            Some(Piece::Fault(fault)) => Some(fault),
            None => Some(Fault::internal("a flow of bytes broke off")),
        };
        self.ended = true;
        fault.map(Err)
    }
}

impl Feed {
    /// Sends a piece as soon as there is room for it.
    pub async fn send(&self, bytes: Vec<u8>) -> Result<(), Unread> {
        self.put(Piece::Bytes(bytes)).await
    }

    /// As [`Feed::send`], for threads that may block.
    pub fn blocking_send(&self, bytes: Vec<u8>) -> Result<(), Unread> {
        self.0
            .blocking_send(Piece::Bytes(bytes))
            .map_err(|_| Unread)
    }

    /// Sends a piece if there is room for it now, and says whether there was.
    pub fn offer(&self, bytes: Vec<u8>) -> Result<bool, Unread> {
        match self.0.try_send(Piece::Bytes(bytes)) {
            Ok(()) => Ok(true),
            Err(TrySendError::Full(_)) => Ok(false),
            Err(TrySendError::Closed(_)) => Err(Unread),
        }
    }

    /// Says that this was all.
    pub async fn end(self) -> Result<(), Unread> {
        self.put(Piece::End).await
    }

    /// As [`Feed::end`], for threads that may block.
    pub fn blocking_end(self) -> Result<(), Unread> {
        self.0.blocking_send(Piece::End).map_err(|_| Unread)
    }

    /// Says that the rest can not be had, and why.
    pub async fn fail(self, fault: Fault) -> Result<(), Unread> {
        self.put(Piece::Fault(fault)).await
    }

    /// As [`Feed::fail`], for threads that may block.
    pub fn blocking_fail(self, fault: Fault) -> Result<(), Unread> {
        self.0
            .blocking_send(Piece::Fault(fault))
            .map_err(|_| Unread)
    }

    /// Waits until nobody reads any more.
    pub async fn unread(&self) {
        self.0.closed().await;
    }

    async fn put(&self, piece: Piece) -> Result<(), Unread> {
        self.0.send(piece).await.map_err(|_| Unread)
    }
}

impl fmt::Debug for Pieces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pieces")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn pieces_come_in_order_up_to_the_end() {
        let (feed, mut pieces) = Pieces::new();
        let fed = tokio::spawn(async move {
            for number in 0..20_u8 {
                feed.send(vec![number]).await.unwrap();
            }
            feed.end().await
        });
        for number in 0..20_u8 {
            assert_eq!(pieces.next().await.unwrap().unwrap(), [number]);
        }
        assert!(pieces.next().await.is_none() && pieces.next().await.is_none());
        fed.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn what_breaks_off_is_not_the_whole() {
        let (feed, mut pieces) = Pieces::new();
        feed.send(b"half".to_vec()).await.unwrap();
        drop(feed);
        assert!(pieces.next().await.unwrap().is_ok());
        assert!(pieces.next().await.unwrap().is_err());
        assert!(pieces.next().await.is_none());
    }

    #[tokio::test]
    async fn who_must_not_wait_offers() {
        let (feed, mut pieces) = Pieces::with_room(1);
        assert_eq!(feed.offer(vec![1]), Ok(true));
        assert_eq!(feed.offer(vec![2]), Ok(false));
        assert_eq!(pieces.next().await.unwrap().unwrap(), [1]);
        drop(pieces);
        assert_eq!(feed.offer(vec![3]), Err(Unread));
    }

    #[tokio::test]
    async fn a_feed_learns_that_nobody_reads() {
        let (feed, pieces) = Pieces::new();
        drop(pieces);
        feed.unread().await;
        assert_eq!(feed.send(vec![1]).await, Err(Unread));
        assert_eq!(feed.fail(Fault::NotFound).await, Err(Unread));
    }
}
