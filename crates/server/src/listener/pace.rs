//! Time limits of a connection, below HTTP: how long it may be idle, how long a request's head may take, how long
//! the client may leave an answer unread.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use super::lengths::Lengths;
use crate::config::Timeouts;

/// How long a client may leave a stream of events unread, where nothing shorter is set for all answers.
const STREAM_UNREAD: Duration = Duration::from_secs(10);

/// How many requests of a connection are running and were answered.
#[derive(Debug, Default)]
pub(super) struct Pace {
    begun: AtomicU64,
    ended: AtomicU64,
    is_ambiguous: AtomicBool,
    streams: Arc<AtomicUsize>,
}

/// A request at work; the connection is not idle while it lives.
pub(super) struct Working(Arc<Pace>);

impl Pace {
    /// Of a connection that so many streams go over.
    pub(super) fn of(streams: &Arc<AtomicUsize>) -> Self {
        Self {
            streams: Arc::clone(streams),
            ..Self::default()
        }
    }

    /// How long the client may leave unread what is written.
    fn unread(&self, limit: Option<Duration>) -> Option<Duration> {
        match self.streams.load(Ordering::Relaxed) {
            0 => limit,
            _ => Some(limit.map_or(STREAM_UNREAD, |limit| limit.min(STREAM_UNREAD))),
        }
    }

    /// Notes that a request has begun.
    pub(super) fn work(self: &Arc<Self>) -> Working {
        self.begun.fetch_add(1, Ordering::Relaxed);
        Working(Arc::clone(self))
    }

    /// Whether a head with two lengths arrived; nothing on this connection is to be trusted then.
    pub(super) fn is_ambiguous(&self) -> bool {
        self.is_ambiguous.load(Ordering::Relaxed)
    }

    /// Requests that ended so far, if none is running.
    fn at_rest(&self) -> Option<u64> {
        let ended = self.ended.load(Ordering::Relaxed);
        (self.begun.load(Ordering::Relaxed) == ended).then_some(ended)
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        self.0.ended.fetch_add(1, Ordering::Relaxed);
    }
}

/// A stream that ends with [`io::ErrorKind::TimedOut`] when the client is too slow.
pub(super) struct Paced<S> {
    stream: S,
    pace: Arc<Pace>,
    timeouts: Timeouts,
    /// Whether what arrives between requests is the next one's head; HTTP/2 has other frames, too.
    heads: bool,
    lengths: Lengths,
    waits_for: Waits,
    read_timer: Timer,
    write_timer: Timer,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Waits {
    /// For the first byte after this many requests.
    Request(u64),
    /// For the rest of a head.
    Head(u64),
    /// For nothing: a request is at work.
    Nothing,
}

impl<S> Paced<S> {
    /// Paces a stream; `heads` for HTTP/1.
    pub(super) fn new(stream: S, pace: Arc<Pace>, timeouts: Timeouts, heads: bool) -> Self {
        // A new connection shall say something at once: its first wait is one for a head.
        let mut read_timer = Timer::default();
        read_timer.start(timeouts.read_header);
        Self {
            stream,
            pace,
            timeouts,
            heads,
            lengths: Lengths::default(),
            waits_for: Waits::Head(0),
            read_timer,
            write_timer: Timer::default(),
        }
    }

    /// Sets the read timer for what is waited for now.
    fn update(&mut self) {
        let next = match (self.pace.at_rest(), self.waits_for) {
            (None, _) => Waits::Nothing,
            (Some(count), Waits::Request(before) | Waits::Head(before)) if before == count => {
                return;
            }
            (Some(count), _) => Waits::Request(count),
        };
        if next == self.waits_for {
            return;
        }
        self.waits_for = next;
        match next {
            Waits::Nothing => self.read_timer.stop(),
            _ => self.read_timer.start(self.timeouts.idle),
        }
    }

    /// Something arrived.
    fn received(&mut self, bytes: &[u8]) {
        if !self.heads {
            return;
        }
        if self.lengths.see(bytes) {
            self.pace.is_ambiguous.store(true, Ordering::Relaxed);
        }
        if let Waits::Request(count) = self.waits_for {
            self.waits_for = Waits::Head(count);
            self.read_timer.start(self.timeouts.read_header);
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Paced<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        this.update();
        let before = buf.filled().len();
        match Pin::new(&mut this.stream).poll_read(cx, buf) {
            Poll::Ready(result) => {
                if let Some(bytes) = buf.filled().get(before..).filter(|new| !new.is_empty()) {
                    this.received(bytes);
                }
                Poll::Ready(result)
            }
            Poll::Pending => {
                ready!(this.read_timer.poll(cx));
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> Paced<S> {
    /// What a write came to, or the end of the client's time.
    fn paced<T>(
        &mut self,
        cx: &mut Context<'_>,
        result: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        let Some(limit) = self.pace.unread(self.timeouts.write) else {
            return result;
        };
        if result.is_ready() {
            self.write_timer.stop();
            return result;
        }
        self.write_timer.keep(limit);
        ready!(self.write_timer.poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Paced<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.paced(cx, result)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_flush(cx);
        self.paced(cx, result)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.paced(cx, result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.paced(cx, result)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

/// A timer that is allocated once and set again and again.
#[derive(Default)]
struct Timer {
    sleep: Option<Pin<Box<Sleep>>>,
    deadline: Option<Instant>,
}

impl Timer {
    fn start(&mut self, limit: Duration) {
        self.deadline = Instant::now().checked_add(limit);
    }

    fn stop(&mut self) {
        self.deadline = None;
    }

    /// Starts unless it is running.
    fn keep(&mut self, limit: Duration) {
        if self.deadline.is_none() {
            self.start(limit);
        }
    }

    /// Ready at the deadline; never without one.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(deadline) = self.deadline else {
            return Poll::Pending;
        };
        let sleep = self
            .sleep
            .get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        if sleep.deadline() != deadline {
            sleep.as_mut().reset(deadline);
        }
        sleep.as_mut().poll(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    const TIMEOUTS: Timeouts = Timeouts {
        read_header: Duration::from_secs(10),
        read: None,
        write: Some(Duration::from_secs(5)),
        idle: Duration::from_secs(300),
    };

    /// Seconds until the stream gives up.
    async fn patience<S: AsyncRead + Unpin>(stream: &mut Paced<S>) -> u64 {
        let started = Instant::now();
        let mut buffer = [0; 16];
        loop {
            match stream.read(&mut buffer).await {
                Ok(0) => return 0,
                Ok(_) => {}
                Err(error) => {
                    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
                    return started.elapsed().as_secs();
                }
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn heads_have_little_time_and_idle_connections_much() {
        let (client, server) = duplex(64);
        let pace = Arc::new(Pace::default());
        let mut stream = Paced::new(server, Arc::clone(&pace), TIMEOUTS, true);
        assert_eq!(
            patience(&mut stream).await,
            10,
            "a new connection that says nothing"
        );
        drop(pace.work());
        assert_eq!(patience(&mut stream).await, 300, "between requests");
        drop(client);
    }

    #[tokio::test(start_paused = true)]
    async fn half_a_head_ends_soon() {
        let (mut client, server) = duplex(64);
        let pace = Arc::new(Pace::default());
        let mut stream = Paced::new(server, Arc::clone(&pace), TIMEOUTS, true);
        drop(pace.work());
        client.write_all(b"GET /v1").await.unwrap();
        assert_eq!(patience(&mut stream).await, 10);
    }

    #[tokio::test(start_paused = true)]
    async fn work_has_no_limit_here() {
        let (mut client, server) = duplex(64);
        let pace = Arc::new(Pace::default());
        let mut stream = Paced::new(server, Arc::clone(&pace), TIMEOUTS, true);
        let work = pace.work();
        let mut buffer = [0; 4];
        let late = async {
            tokio::time::sleep(Duration::from_secs(3600)).await;
            client.write_all(b"body").await.unwrap();
        };
        let (read, ()) = tokio::join!(stream.read_exact(&mut buffer), late);
        assert_eq!(read.unwrap(), 4);
        drop(work);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_left_unread_is_given_up() {
        let (_client, server) = duplex(4);
        let mut stream = Paced::new(server, Arc::default(), TIMEOUTS, true);
        let error = stream.write_all(b"more than fits").await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
