//! One WebSocket from its upgrade to its close frame.

use std::time::Duration;

use coffer_engine::{Fault, Pieces};
use futures_util::{FutureExt, SinkExt, StreamExt};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Bytes, Error, Message, Utf8Bytes};

use super::connected::Connected;
use super::ending::Ending;
use super::position::Position;
use super::{LAST_WORD, STALLED, WRITE_BYTES};

/// Between two pings.
const HEARTBEAT: Duration = Duration::from_secs(25);
/// Who was not heard of for so long is gone: two pings were not answered.
const GONE: Duration = Duration::from_secs(60);
/// Most bytes of a message from a client. None is read.
const MAX_INCOMING_BYTES: usize = 4 * 1024;
/// Most messages from a client between two pings; a pong is one.
const MAX_INCOMING: u32 = 64;
/// How long the connection may take to become a WebSocket.
const UPGRADE: Duration = Duration::from_secs(10);

/// Sends events until there are no more, the client goes, or the server stops.
pub(super) async fn run(upgrade: OnUpgrade, pieces: Pieces, connected: Connected) {
    let Ok(Ok(upgraded)) = timeout(UPGRADE, upgrade).await else {
        return;
    };
    let config = WebSocketConfig::default()
        .read_buffer_size(MAX_INCOMING_BYTES)
        .write_buffer_size(WRITE_BYTES)
        .max_message_size(Some(MAX_INCOMING_BYTES))
        .max_frame_size(Some(MAX_INCOMING_BYTES));
    let stream = TokioIo::new(upgraded);
    let socket = WebSocketStream::from_raw_socket(stream, Role::Server, Some(config)).await;
    let streaming = connected.clone().stream();
    let mut follower = Follower::new(socket, pieces);
    let end = tokio::select! {
        end = follower.run() => end.unwrap_or(End::Gone),
        () = connected.stopped() => End::Ours(Ending::stopped()),
    };
    let _ = timeout(LAST_WORD, follower.end(end)).await;
    drop(streaming);
}

struct Follower<S> {
    socket: WebSocketStream<S>,
    pieces: Pieces,
    /// The piece that came last.
    last: Vec<u8>,
    /// When the client was heard of last.
    heard: Instant,
    /// Messages of the client since the last ping.
    incoming: u32,
}

/// How it ends.
enum End {
    /// By us: the client is told why.
    Ours(Ending),
    /// By the client, who is waiting for an answer (RFC 6455, section 5.5.1).
    Theirs,
    /// Nobody is there any more.
    Gone,
}

/// What happened next.
enum Next {
    Piece(Option<Result<Vec<u8>, Fault>>),
    Incoming(Option<Result<Message, Error>>),
    Beat,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Follower<S> {
    fn new(socket: WebSocketStream<S>, pieces: Pieces) -> Self {
        Self {
            socket,
            pieces,
            last: Vec::new(),
            heard: Instant::now(),
            incoming: 0,
        }
    }

    /// How the stream ended; nothing where nobody is there any more.
    async fn run(&mut self) -> Option<End> {
        let mut heartbeat = interval(HEARTBEAT);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        heartbeat.reset();
        loop {
            match self.next(&mut heartbeat).await {
                Next::Piece(piece) => {
                    if let Err(fault) = self.pass_on(piece).await? {
                        return Some(End::Ours(Ending::of(fault)));
                    }
                }
                Next::Incoming(message) => {
                    if let Err(end) = self.receive(message) {
                        return Some(end);
                    }
                }
                Next::Beat if self.heard.elapsed() > GONE => return None,
                Next::Beat => {
                    self.incoming = 0;
                    let ping = self.socket.send(Message::Ping(Bytes::new()));
                    timeout(STALLED, ping).await.ok()?.ok()?;
                }
            }
        }
    }

    async fn next(&mut self, heartbeat: &mut Interval) -> Next {
        tokio::select! {
            // First what the client sends, so that one who floods us is found out.
            biased;
            message = self.socket.next() => Next::Incoming(message),
            _ = heartbeat.tick() => Next::Beat,
            piece = self.pieces.next() => Next::Piece(piece),
        }
    }

    /// Sends a piece and all that wait behind it. The inner error is the end of the stream; nothing: the client is gone,
    /// or took nothing in time.
    async fn pass_on(
        &mut self,
        mut piece: Option<Result<Vec<u8>, Fault>>,
    ) -> Option<Result<(), Option<Fault>>> {
        let mut bytes = 0;
        let mut ended = Ok(());
        loop {
            match piece {
                Some(Ok(event)) => {
                    bytes += event.len();
                    self.feed(event).await?;
                }
                Some(Err(fault)) => ended = Err(Some(fault)),
                None => ended = Err(None),
            }
            if ended.is_err() || bytes >= WRITE_BYTES {
                break;
            }
            match self.pieces.next().now_or_never() {
                Some(next) => piece = next,
                None => break,
            }
        }
        timeout(STALLED, self.socket.flush()).await.ok()?.ok()?;
        Some(ended)
    }

    async fn feed(&mut self, event: Vec<u8>) -> Option<()> {
        self.last.clone_from(&event);
        if Position::bare(&event).is_some() {
            return Some(());
        }
        let text = Utf8Bytes::try_from(event).ok()?;
        timeout(STALLED, self.socket.feed(Message::Text(text)))
            .await
            .ok()?
            .ok()
    }

    /// Looks at what the client sent, and no further than whether it is in order and not too much.
    fn receive(&mut self, message: Option<Result<Message, Error>>) -> Result<(), End> {
        self.heard = Instant::now();
        match message {
            Some(Ok(Message::Close(_))) => Err(End::Theirs),
            Some(Ok(_)) => {
                self.incoming += 1;
                match self.incoming <= MAX_INCOMING {
                    true => Ok(()),
                    false => Err(End::Ours(Ending::flooded())),
                }
            }
            Some(Err(Error::Capacity(_))) => Err(End::Ours(Ending::flooded())),
            Some(Err(Error::Protocol(fault))) => Err(End::Ours(Ending::broken(&fault))),
            Some(Err(Error::Utf8(_))) => Err(End::Ours(Ending::garbled())),
            Some(Err(error)) => {
                tracing::debug!(%error, "a subscriber's connection broke");
                Err(End::Gone)
            }
            None => Err(End::Gone),
        }
    }

    async fn end(self, end: End) {
        match end {
            End::Ours(ending) => self.close(ending).await,
            End::Theirs => self.hear_out().await,
            End::Gone => {}
        }
    }

    /// Tells the client why, and waits a moment for its answer.
    async fn close(mut self, ending: Ending) {
        let last = match Position::bare(&self.last) {
            Some(id) => id.to_owned(),
            None => Position::of(&self.last).id,
        };
        let ending = ending.after(Some(&last));
        let frame = CloseFrame {
            code: ending.code.into(),
            reason: ending.line().into(),
        };
        if self.socket.send(Message::Close(Some(frame))).await.is_ok() {
            self.hear_out().await;
        }
    }

    /// Reads until the end, which is how what waits to be sent is sent.
    async fn hear_out(mut self) {
        let mut more = MAX_INCOMING;
        while let Some(Ok(_)) = self.socket.next().await {
            more -= 1;
            if more == 0 {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use coffer_engine::Feed;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

    use super::*;

    /// The two ends of a socket with room for so many bytes, and what feeds it.
    async fn pair(bytes: usize) -> (Feed, Follower<DuplexStream>, WebSocketStream<DuplexStream>) {
        let (ours, theirs) = tokio::io::duplex(bytes);
        let ours = WebSocketStream::from_raw_socket(ours, Role::Server, None).await;
        let theirs = WebSocketStream::from_raw_socket(theirs, Role::Client, None).await;
        let (feed, pieces) = Pieces::new();
        (feed, Follower::new(ours, pieces), theirs)
    }

    #[tokio::test]
    async fn events_are_text_and_the_end_names_the_last_one() {
        let (feed, mut follower, mut client) = pair(64 * 1024).await;
        for id in ["i1", "i2"] {
            feed.send(format!(r#"{{"id":"{id}"}}"#).into_bytes())
                .await
                .unwrap();
        }
        feed.fail(Fault::Forbidden("the token has ended".into()))
            .await
            .unwrap();
        let run = tokio::spawn(async move {
            let end = follower.run().await.unwrap();
            follower.end(end).await;
        });
        for id in ["i1", "i2"] {
            let message = client.next().await.unwrap().unwrap();
            assert_eq!(
                message.into_text().unwrap().as_str(),
                format!(r#"{{"id":"{id}"}}"#)
            );
        }
        let Message::Close(Some(frame)) = client.next().await.unwrap().unwrap() else {
            panic!("a close frame comes last");
        };
        assert_eq!(u16::from(frame.code), 1008);
        assert_eq!(
            frame.reason.as_str(),
            "the token has ended; go on with since=i2"
        );
        while client.next().await.is_some() {}
        run.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn who_does_not_read_is_left() {
        let (feed, mut follower, client) = pair(64 * 1024).await;
        let run = tokio::spawn(async move { follower.run().await });
        let begun = Instant::now();
        while feed.send(vec![b'{'; 4096]).await.is_ok() {}
        assert!(run.await.unwrap().is_none());
        assert!(begun.elapsed() < 2 * STALLED);
        drop(client);
    }

    #[tokio::test(start_paused = true)]
    async fn who_answers_no_ping_is_gone() {
        let (feed, mut follower, client) = pair(64 * 1024).await;
        let begun = Instant::now();
        assert!(follower.run().await.is_none());
        assert!((GONE..GONE + 2 * HEARTBEAT).contains(&begun.elapsed()));
        drop((feed, client));
    }

    #[tokio::test]
    async fn who_floods_is_cut_off() {
        for message in [Message::text("x"), Message::Ping(Bytes::new())] {
            let (_feed, mut follower, mut client) = pair(1024 * 1024).await;
            for _ in 0..=MAX_INCOMING {
                client.send(message.clone()).await.unwrap();
            }
            let end = follower.run().await;
            assert!(matches!(end, Some(End::Ours(ending)) if ending == Ending::flooded()));
        }
    }

    #[tokio::test]
    async fn who_says_goodbye_is_answered() {
        let (_feed, mut follower, mut client) = pair(64 * 1024).await;
        let run = tokio::spawn(async move {
            let end = follower.run().await.unwrap();
            follower.end(end).await;
        });
        client.close(None).await.unwrap();
        let answer = client.next().await.unwrap().unwrap();
        assert!(matches!(answer, Message::Close(_)), "{answer:?}");
        assert!(client.next().await.is_none(), "and then it is over");
        run.await.unwrap();
    }

    #[tokio::test]
    async fn who_breaks_the_rules_is_told() {
        // A client's frame must be masked; text must be UTF-8.
        let unmasked: &[u8] = b"\x81\x01x";
        let garbled: &[u8] = b"\x81\x81\0\0\0\0\xff";
        for (frame, code) in [(unmasked, 1002), (garbled, 1007)] {
            let (ours, mut theirs) = tokio::io::duplex(64 * 1024);
            let ours = WebSocketStream::from_raw_socket(ours, Role::Server, None).await;
            let (_feed, pieces) = Pieces::new();
            let mut follower = Follower::new(ours, pieces);
            theirs.write_all(frame).await.unwrap();
            let end = follower.run().await.unwrap();
            tokio::spawn(follower.end(end));
            let mut head = [0; 4];
            theirs.read_exact(&mut head).await.unwrap();
            assert_eq!(head[0], 0x88, "a close frame");
            assert_eq!(u16::from_be_bytes([head[2], head[3]]), code);
        }
    }
}
