//! Accepting connections and serving them.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::bind::Bound;
use super::pace::{Pace, Paced};
use super::sending::Sending;
use super::tls::Certificates;
use crate::config::Timeouts;
use crate::http::{Connection as Shared, Edge, Peer};

/// Most bytes of a request's head.
const MAX_HEAD_BYTES: usize = 64 * 1024;
/// Most header lines of a request.
const MAX_HEADERS: usize = 128;
/// Most requests that one HTTP/2 connection has under way.
const MAX_STREAMS: u32 = 256;
/// Most HTTP/2 streams that a client opened and reset before we saw them.
const MAX_RESET_STREAMS: usize = 32;
/// How long to wait when the system has no descriptors left.
const PAUSE_WHEN_FULL: Duration = Duration::from_millis(100);

/// What all listeners share.
#[derive(Clone)]
pub(crate) struct Limits {
    /// One permit a connection.
    pub(crate) connections: Arc<Semaphore>,
    /// Every connection's task.
    pub(crate) tasks: TaskTracker,
    /// Ends accepting, and connections once they are idle.
    pub(crate) stop: CancellationToken,
}

/// An open listener and what serves it.
pub(crate) struct Listening {
    /// The socket.
    pub(crate) bound: Bound,
    /// What answers.
    pub(crate) edge: Arc<Edge>,
    /// How long clients may take.
    pub(crate) timeouts: Timeouts,
}

/// Accepts connections until it is stopped.
pub(crate) async fn run(listening: Listening, limits: Limits) {
    let Listening {
        bound,
        edge,
        timeouts,
    } = listening;
    loop {
        let room = Arc::clone(&limits.connections).acquire_owned();
        let accepted = async {
            // The semaphore is never closed.
            let permit = room.await.ok();
            accept(&bound).await.map(|connection| (permit, connection))
        };
        let accepted = tokio::select! {
            () = limits.stop.cancelled() => return,
            accepted = accepted => accepted,
        };
        let Ok((permit, connection)) = accepted else {
            // Out of descriptors, or the client is gone already.
            tokio::time::sleep(PAUSE_WHEN_FULL).await;
            continue;
        };
        let served = Served {
            edge: Arc::clone(&edge),
            timeouts,
            shared: Shared {
                _permit: Arc::new(permit),
                streams: Arc::default(),
                tasks: limits.tasks.clone(),
                stop: limits.stop.clone(),
            },
        };
        limits.tasks.spawn(async move {
            if let Err(error) = served.connection(connection).await {
                tracing::debug!(%error, "a connection ended early");
            }
        });
    }
}

enum Connection {
    Plain(TcpStream, SocketAddr),
    Tls(TcpStream, SocketAddr, Arc<Certificates>),
    Unix(tokio::net::UnixStream),
}

async fn accept(bound: &Bound) -> io::Result<Connection> {
    match bound {
        Bound::Unix { listener, .. } => Ok(Connection::Unix(listener.accept().await?.0)),
        Bound::Tcp { listener, tls, .. } => {
            let (stream, peer) = listener.accept().await?;
            // Answers are written whole, so waiting to fill a packet only costs time.
            let _ = stream.set_nodelay(true);
            let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
            Ok(match tls {
                None => Connection::Plain(stream, peer),
                Some(certificates) => Connection::Tls(stream, peer, Arc::clone(certificates)),
            })
        }
    }
}

fn plain(address: SocketAddr) -> Peer {
    Peer {
        address: Some(address),
        ..Peer::default()
    }
}

/// One connection's server.
struct Served {
    edge: Arc<Edge>,
    timeouts: Timeouts,
    /// What outlives it where it becomes a WebSocket.
    shared: Shared,
}

impl Served {
    async fn connection(
        self,
        connection: Connection,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        match connection {
            Connection::Plain(stream, address) => self.http1(stream, plain(address)).await,
            Connection::Unix(stream) => self.http1(stream, Peer::default()).await,
            Connection::Tls(stream, address, certificates) => {
                let handshake = certificates.acceptor().accept(stream);
                let stream = tokio::time::timeout(self.timeouts.read_header, handshake).await??;
                let session = stream.get_ref().1;
                let shown = session.peer_certificates().unwrap_or_default();
                let peer = Peer {
                    certificates: shown.iter().map(|shown| shown.to_vec()).collect(),
                    trusted_serial: certificates.trusted_serial(shown),
                    ..plain(address)
                };
                match session.alpn_protocol() {
                    Some(b"h2") => self.http2(stream, peer).await,
                    _ => self.http1(stream, peer).await,
                }
            }
        }
    }

    async fn http1<S>(
        self,
        stream: S,
        peer: Peer,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Self {
            edge,
            timeouts,
            shared,
        } = self;
        let pace = Arc::new(Pace::of(&shared.streams));
        let stream = TokioIo::new(Paced::new(stream, Arc::clone(&pace), timeouts, true));
        let service = service_fn(|mut request: Request<Incoming>| {
            let (edge, stop, peer) = (Arc::clone(&edge), shared.stop.clone(), peer.clone());
            let working = pace.work();
            request.extensions_mut().insert(shared.of(pace.work()));
            let is_ambiguous = pace.is_ambiguous();
            async move {
                let answer = match is_ambiguous {
                    true => edge.refuse_two_lengths(),
                    false => edge.serve(peer, request).await,
                };
                Ok::<_, Infallible>(answer.map(|body| Sending::new(body, working, stop)))
            }
        });
        let connection = http1::Builder::new()
            .max_buf_size(MAX_HEAD_BYTES)
            .max_headers(MAX_HEADERS)
            .half_close(false)
            .header_read_timeout(None)
            .serve_connection(stream, service)
            .with_upgrades();
        let mut connection = std::pin::pin!(connection);
        tokio::select! {
            ended = connection.as_mut() => return Ok(ended?),
            () = shared.stop.cancelled() => connection.as_mut().graceful_shutdown(),
        }
        Ok(connection.await?)
    }

    async fn http2<S>(
        self,
        stream: S,
        peer: Peer,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Self {
            edge,
            timeouts,
            shared,
        } = self;
        let pace = Arc::new(Pace::of(&shared.streams));
        let stream = TokioIo::new(Paced::new(stream, Arc::clone(&pace), timeouts, false));
        let service = service_fn(|mut request: Request<Incoming>| {
            let (edge, stop, peer) = (Arc::clone(&edge), shared.stop.clone(), peer.clone());
            let working = pace.work();
            request.extensions_mut().insert(shared.of(pace.work()));
            async move {
                let answer = edge.serve(peer, request).await;
                Ok::<_, Infallible>(answer.map(|body| Sending::new(body, working, stop)))
            }
        });
        let connection = http2::Builder::new(TokioExecutor::new())
            .max_concurrent_streams(MAX_STREAMS)
            .max_pending_accept_reset_streams(MAX_RESET_STREAMS)
            .max_header_list_size(u32::try_from(MAX_HEAD_BYTES)?)
            .serve_connection(stream, service);
        let mut connection = std::pin::pin!(connection);
        tokio::select! {
            ended = connection.as_mut() => return Ok(ended?),
            () = shared.stop.cancelled() => connection.as_mut().graceful_shutdown(),
        }
        Ok(connection.await?)
    }
}
