//! Server-Sent Events (<https://html.spec.whatwg.org/multipage/server-sent-events.html>).

use std::time::Duration;

use coffer_engine::{Fault, Feed, Pieces, Unread};
use futures_util::FutureExt;
use http::{HeaderName, HeaderValue, StatusCode};
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::ending::Ending;
use super::position::Position;
use super::{Granted, LAST_WORD, STALLED, WRITE_BYTES};
use crate::http::outgoing::Outgoing;
use crate::http::response::Answer;

/// Between two signs of life.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How long a browser waits before it comes back.
const RETRY: &str = "retry: 2000\n\n";
/// Tells proxies to pass on what comes when it comes.
const NOT_GATHERED: HeaderName = HeaderName::from_static("x-accel-buffering");
/// Most writes that wait for the client.
const WAITING: usize = 2;

/// The answer that begins the stream.
pub(super) fn answer(granted: Granted) -> Answer {
    let (feed, body) = Pieces::with_room(WAITING);
    let mut answer = Answer::empty(StatusCode::OK);
    answer.media_type = Some(HeaderValue::from_static("text/event-stream"));
    answer
        .more
        .push((NOT_GATHERED, HeaderValue::from_static("no")));
    answer.body = Outgoing::Stream(body);
    let connected = granted.connected.clone();
    connected.spawn(follow(granted, feed));
    answer
}

/// Sends events until there are no more, or nobody reads.
async fn follow(granted: Granted, feed: Feed) {
    let Granted { pieces, connected } = granted;
    let streaming = connected.clone().stream();
    let mut stream = Stream {
        pieces,
        feed,
        last: None,
    };
    let ending = tokio::select! {
        ending = stream.run() => ending,
        () = connected.stopped() => Some(Ending::stopped()),
    };
    if let Some(ending) = ending {
        // Who does not read any more does not wait for the end either.
        let _ = timeout(LAST_WORD, stream.end(&ending)).await;
    }
    drop(streaming);
}

struct Stream {
    pieces: Pieces,
    feed: Feed,
    /// The event that was sent last.
    last: Option<String>,
}

impl Stream {
    /// Why the stream ended; nothing where nobody reads it any more.
    async fn run(&mut self) -> Option<Ending> {
        self.send(RETRY.as_bytes().to_vec()).await?;
        let mut heartbeat = interval(HEARTBEAT);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        heartbeat.reset();
        loop {
            let piece = tokio::select! {
                piece = self.pieces.next() => piece,
                () = self.feed.unread() => return None,
                _ = heartbeat.tick() => {
                    self.send(b":\n\n".to_vec()).await?;
                    continue;
                }
            };
            let mut text = Vec::new();
            let ended = self.gather(piece, &mut text);
            if !text.is_empty() {
                self.send(text).await?;
                heartbeat.reset();
            }
            if let Err(fault) = ended {
                return Some(Ending::of(fault));
            }
        }
    }

    /// Writes a piece, and all that wait behind it, as far as there is room.
    fn gather(
        &mut self,
        mut piece: Option<Result<Vec<u8>, Fault>>,
        text: &mut Vec<u8>,
    ) -> Result<(), Option<Fault>> {
        loop {
            match piece {
                Some(Ok(event)) => self.write(&event, text),
                Some(Err(fault)) => return Err(Some(fault)),
                None => return Err(None),
            }
            if text.len() >= WRITE_BYTES {
                return Ok(());
            }
            match self.pieces.next().now_or_never() {
                Some(next) => piece = next,
                None => return Ok(()),
            }
        }
    }

    fn write(&mut self, event: &[u8], text: &mut Vec<u8>) {
        if let Some(id) = Position::bare(event) {
            // An id without data is no event, but what a browser comes back with.
            line(text, "id", id.as_bytes());
            text.push(b'\n');
            self.last = Some(id.to_owned());
            return;
        }
        let position = Position::of(event);
        line(text, "id", position.id.as_bytes());
        line(text, "event", position.kind().as_bytes());
        for data in event.split(|byte| matches!(byte, b'\n' | b'\r')) {
            line(text, "data", data);
        }
        text.push(b'\n');
        self.last = Some(position.id);
    }

    /// Nothing where nobody took it in time.
    async fn send(&self, text: Vec<u8>) -> Option<()> {
        timeout(STALLED, self.feed.send(text)).await.ok()?.ok()
    }

    async fn end(self, ending: &Ending) -> Result<(), Unread> {
        let ending = ending.clone().after(self.last.as_deref());
        let mut text = Vec::new();
        line(&mut text, "event", b"end");
        line(
            &mut text,
            "data",
            &serde_json::to_vec(&ending).unwrap_or_default(),
        );
        text.push(b'\n');
        self.feed.send(text).await?;
        self.feed.end().await
    }
}

/// A field; a line end in it would begin another one.
fn line(text: &mut Vec<u8>, name: &str, value: &[u8]) {
    text.extend_from_slice(name.as_bytes());
    text.extend_from_slice(b": ");
    text.extend(
        value
            .iter()
            .filter(|byte| !matches!(byte, b'\n' | b'\r' | 0)),
    );
    text.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream() -> (Feed, Stream, Pieces) {
        let (events, pieces) = Pieces::new();
        let (feed, body) = Pieces::with_room(WAITING);
        let stream = Stream {
            pieces,
            feed,
            last: None,
        };
        (events, stream, body)
    }

    async fn text(body: &mut Pieces) -> String {
        String::from_utf8(body.next().await.unwrap().unwrap()).unwrap()
    }

    #[tokio::test]
    async fn events_have_their_id_and_kind() {
        let (events, mut stream, mut body) = stream();
        let event = |id| format!(r#"{{"id":"{id}","data":{{"event_type":"a/b"}}}}"#);
        events.send(b"i0".to_vec()).await.unwrap();
        events.send(event("i1").into_bytes()).await.unwrap();
        events.send(event("i2").into_bytes()).await.unwrap();
        events
            .fail(Fault::Forbidden("the token has ended".into()))
            .await
            .unwrap();
        let run = tokio::spawn(async move {
            let ending = stream.run().await.unwrap();
            stream.end(&ending).await.unwrap();
        });
        assert_eq!(text(&mut body).await, "retry: 2000\n\n");
        let wanted = format!(
            "id: i0\n\nid: i1\nevent: a/b\ndata: {}\n\nid: i2\nevent: a/b\ndata: {}\n\n",
            event("i1"),
            event("i2")
        );
        assert_eq!(text(&mut body).await, wanted);
        let end = "event: end\ndata: {\"code\":1008,\"reason\":\"the token has ended\",\"since\":\"i2\"}\n\n";
        assert_eq!(text(&mut body).await, end);
        assert!(body.next().await.is_none());
        run.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn silence_is_filled_and_a_reader_who_takes_nothing_is_left() {
        let (events, mut stream, mut body) = stream();
        let run = tokio::spawn(async move { stream.run().await });
        assert!(text(&mut body).await.starts_with("retry"));
        assert_eq!(text(&mut body).await, ":\n\n");
        for number in 0..40 {
            let large = format!(r#"{{"id":"{number}","pad":"{}"}}"#, "x".repeat(WRITE_BYTES));
            if events.send(large.into_bytes()).await.is_err() {
                break;
            }
        }
        assert_eq!(run.await.unwrap(), None);
    }
}
