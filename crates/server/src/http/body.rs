//! Reading a request's body, within bounds of size and time.

use std::sync::Arc;
use std::time::Duration;

use bytes::Buf;
use coffer_crypto::{WipingBuffer, Zeroizing};
use coffer_engine::{Fault, Feed};
use http::StatusCode;
use http_body_util::BodyExt;
use hyper::body::Body;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::response::Answer;

/// The most that bodies of one listener hold in memory together, in bytes, the first part of each aside.
const MAX_BODIES_BYTES: usize = 512 * 1024 * 1024;
/// How much of a body is free, in bytes, and in what steps more is asked for.
const STEP_BYTES: usize = 64 * 1024;

/// How long a body that is passed on may pause.
const MAX_PAUSE: Duration = Duration::from_secs(60);
/// How much is taken of a body that nobody wants, in bytes.
const MAX_UNWANTED_BYTES: usize = 32 * 1024 * 1024;
/// How long that may take.
const MAX_UNWANTED_TIME: Duration = Duration::from_secs(2);

/// What is reserved on the word of a Content-Length alone, in bytes; the rest follows as it arrives.
const TRUSTED_LENGTH_BYTES: u64 = 64 * 1024;

/// Room in memory for the bodies of one listener. Small bodies need none, so that strangers who send large
/// ones can not keep others out.
#[derive(Clone)]
pub(super) struct Room(Arc<Semaphore>);

/// A body in a buffer that is wiped, and the room that it takes.
#[derive(Debug, Default)]
pub(super) struct Received {
    pub(super) bytes: Zeroizing<Vec<u8>>,
    pub(super) room: Option<OwnedSemaphorePermit>,
}

impl Room {
    /// For a listener that takes bodies of this length: one of those fits in any case.
    pub(super) fn new(max_body_bytes: u64) -> Self {
        Self::of(
            usize::try_from(max_body_bytes).map_or(usize::MAX, |one| one.max(MAX_BODIES_BYTES)),
        )
    }

    /// Room for `max_bytes` together.
    fn of(max_bytes: usize) -> Self {
        Self(Arc::new(Semaphore::new(max_bytes / STEP_BYTES)))
    }

    /// Waits for as much as a body of that length needs beside what it has.
    async fn grow(&self, taken: &mut Option<OwnedSemaphorePermit>, length: usize) {
        let has = taken.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let more = (length / STEP_BYTES).saturating_sub(has);
        let Some(more) = u32::try_from(more).ok().filter(|more| *more > 0) else {
            return;
        };
        // The semaphore is never closed.
        let Ok(new) = Arc::clone(&self.0).acquire_many_owned(more).await else {
            return;
        };
        match taken {
            Some(taken) => taken.merge(new),
            None => *taken = Some(new),
        }
    }
}

/// The whole body.
pub(super) async fn read<B>(
    body: B,
    max_bytes: u64,
    time: Option<Duration>,
    room: &Room,
) -> Result<Received, Answer>
where
    B: Body + Unpin,
    B::Data: Buf,
{
    let announced = body.size_hint();
    if body.is_end_stream() {
        return Ok(Received::default());
    }
    if announced.lower() > max_bytes {
        return Err(too_large());
    }
    let capacity = announced.lower().min(TRUSTED_LENGTH_BYTES);
    let collected = collect(
        body,
        max_bytes,
        usize::try_from(capacity).unwrap_or_default(),
        room,
    );
    match time {
        None => collected.await,
        Some(time) => tokio::time::timeout(time, collected)
            .await
            .unwrap_or_else(|_| {
                Err(Answer::error(
                    StatusCode::REQUEST_TIMEOUT,
                    "the request's body did not arrive in time",
                ))
            }),
    }
}

/// Passes a body on as it arrives, until nobody wants more of it. One that stops in the middle breaks the feed off.
pub(super) async fn pass_on<B>(mut body: B, feed: Feed)
where
    B: Body + Unpin,
    B::Data: Buf,
{
    // That nobody reads any more is the reader's decision.
    let _ = loop {
        match next_piece(&mut body).await {
            Ok(None) => break feed.end().await,
            Err(fault) => break feed.fail(fault).await,
            Ok(Some(bytes)) => {
                if feed.send(bytes).await.is_err() {
                    return give_back(body).await;
                }
            }
        }
    };
}

async fn next_piece<B>(body: &mut B) -> Result<Option<Vec<u8>>, Fault>
where
    B: Body + Unpin,
    B::Data: Buf,
{
    loop {
        let frame = tokio::time::timeout(MAX_PAUSE, body.frame()).await;
        let frame = frame.map_err(|_| {
            let pause = MAX_PAUSE.as_secs();
            Fault::invalid(format!("the request's body paused for {pause} seconds"))
        })?;
        let Some(frame) = frame else { return Ok(None) };
        let frame = frame.map_err(|_| Fault::invalid("the request's body ended too early"))?;
        if let Ok(mut data) = frame.into_data() {
            return Ok(Some(data.copy_to_bytes(data.remaining()).to_vec()));
        }
    }
}

/// Takes the rest of a body that nobody wants, if it is short: a client that is still sending might not
/// see its answer otherwise.
pub(super) async fn give_back<B>(mut body: B)
where
    B: Body + Unpin,
    B::Data: Buf,
{
    let mut taken = 0;
    let rest = async {
        while let Some(Ok(frame)) = body.frame().await {
            taken += frame.data_ref().map_or(0, Buf::remaining);
            if taken > MAX_UNWANTED_BYTES {
                return;
            }
        }
    };
    drop(tokio::time::timeout(MAX_UNWANTED_TIME, rest).await);
}

async fn collect<B>(
    mut body: B,
    max_bytes: u64,
    capacity: usize,
    room: &Room,
) -> Result<Received, Answer>
where
    B: Body + Unpin,
    B::Data: Buf,
{
    let mut buffer = WipingBuffer::with_capacity(capacity);
    let mut taken = None;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| {
            Answer::error(
                StatusCode::BAD_REQUEST,
                "the request's body ended too early",
            )
        })?;
        let Ok(mut data) = frame.into_data() else {
            continue;
        };
        let length = buffer.len().saturating_add(data.remaining());
        if u64::try_from(length).unwrap_or(u64::MAX) > max_bytes {
            return Err(too_large());
        }
        room.grow(&mut taken, length).await;
        while data.has_remaining() {
            let chunk = data.chunk();
            let taken = chunk.len();
            buffer.extend(chunk);
            data.advance(taken);
        }
    }
    Ok(Received {
        bytes: buffer.into_inner(),
        room: taken,
    })
}

fn too_large() -> Answer {
    Answer::error(
        StatusCode::PAYLOAD_TOO_LARGE,
        "http: request body too large",
    )
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use futures_util::stream;
    use http_body_util::{Full, StreamBody};
    use hyper::body::Frame;

    use super::*;

    #[tokio::test]
    async fn bodies_are_read_whole() {
        let body = read(
            Full::new(Bytes::from_static(b"{\"a\":1}")),
            7,
            None,
            &Room::new(0),
        )
        .await
        .unwrap();
        assert_eq!(body.bytes.as_slice(), b"{\"a\":1}");
        assert!(
            read(Full::new(Bytes::new()), 0, None, &Room::new(0))
                .await
                .unwrap()
                .bytes
                .is_empty()
        );
    }

    #[tokio::test]
    async fn the_limit_holds_with_and_without_a_length() {
        let answer = read(
            Full::new(Bytes::from_static(b"12345678")),
            7,
            None,
            &Room::new(0),
        )
        .await
        .unwrap_err();
        assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
        let chunks =
            (0..4).map(|_| Ok::<_, std::io::Error>(Frame::data(Bytes::from_static(b"12"))));
        let answer = read(
            StreamBody::new(stream::iter(chunks)),
            7,
            None,
            &Room::new(0),
        )
        .await
        .unwrap_err();
        assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_never_ends_is_given_up() {
        let never = StreamBody::new(stream::pending::<Result<Frame<Bytes>, std::io::Error>>());
        let answer = read(never, 7, Some(Duration::from_secs(30)), &Room::new(0))
            .await
            .unwrap_err();
        assert_eq!(answer.status, StatusCode::REQUEST_TIMEOUT);
    }

    #[tokio::test(start_paused = true)]
    async fn large_bodies_wait_for_room_and_small_ones_do_not() {
        let room = Room::of(4 * STEP_BYTES);
        let body = |length: usize| Full::new(Bytes::from(vec![b'a'; length]));
        let time = Some(Duration::from_secs(30));
        let first = read(body(3 * STEP_BYTES), 1 << 20, time, &room)
            .await
            .unwrap();
        let second = read(body(2 * STEP_BYTES), 1 << 20, time, &room).await;
        assert_eq!(second.unwrap_err().status, StatusCode::REQUEST_TIMEOUT);
        let small = read(body(STEP_BYTES - 1), 1 << 20, time, &room).await;
        assert_eq!(small.unwrap().bytes.len(), STEP_BYTES - 1);
        drop(first);
        assert!(
            read(body(2 * STEP_BYTES), 1 << 20, time, &room)
                .await
                .is_ok()
        );
    }
}
