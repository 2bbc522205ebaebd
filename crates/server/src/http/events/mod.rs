//! The event stream's way out: WebSocket (RFC 6455) as the reference has it, and Server-Sent Events for browsers and
//! curl. Both are made of the one endless answer of `sys/events/subscribe/PATTERN`, a piece of which is an event as JSON.

mod asked;
mod connected;
mod ending;
mod handshake;
mod origin;
mod position;
mod sse;
mod websocket;

use std::time::Duration;

use coffer_engine::{Pieces, Streamed};
use http::StatusCode;
use http::request::Parts;

use super::response::Answer;
use super::watch::Watched;

pub(super) use asked::Asked;
pub(crate) use connected::{Connected, Connection};
pub(super) use origin::is_own;

/// How long a subscriber may take nothing of what waits for it. Systems tell late that a slow reader has made room again: one
/// that takes 50 kB a second was quiet for half a minute.
const STALLED: Duration = Duration::from_secs(60);
/// How long the last word may take.
const LAST_WORD: Duration = Duration::from_secs(2);
/// Most bytes that are gathered into one write.
const WRITE_BYTES: usize = 16 * 1024;

/// A subscription that the kernel has granted. A piece of it is an event as JSON, or the bare id of an event: the position
/// that was reached although there was nothing to tell.
pub(super) struct Granted {
    pieces: Pieces,
    connected: Connected,
}

impl Granted {
    pub(super) fn new(streamed: Streamed, connected: Connected) -> Self {
        Self {
            pieces: streamed.pieces,
            connected,
        }
    }

    /// The answer that begins the stream.
    pub(super) fn answer(self, asked: &Asked, head: &Parts, watched: &Watched) -> Answer {
        match asked {
            Asked::WebSocket(handshake) => match head.extensions.get().cloned() {
                Some(upgrade) => {
                    let answer = handshake.accepted();
                    let socket = websocket::run(upgrade, self.pieces, self.connected.clone());
                    let running = watched.running();
                    self.connected.spawn(async move {
                        socket.await;
                        drop(running);
                    });
                    answer
                }
                None => Answer::error(
                    StatusCode::BAD_REQUEST,
                    "this connection can not become a WebSocket; ask over HTTP/1.1",
                ),
            },
            Asked::Sse { .. } => sse::answer(self),
        }
    }
}
