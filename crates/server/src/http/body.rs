//! Reading a request's body, within bounds of size and time.

use std::time::Duration;

use bytes::Buf;
use coffer_crypto::{WipingBuffer, Zeroizing};
use http::StatusCode;
use http_body_util::BodyExt;
use hyper::body::Body;

use super::response::Answer;

/// What is reserved on the word of a Content-Length alone, in bytes; the rest follows as it arrives.
const TRUSTED_LENGTH_BYTES: u64 = 64 * 1024;

/// The whole body in a buffer that is wiped.
pub(super) async fn read<B>(
    body: B,
    max_bytes: u64,
    time: Option<Duration>,
) -> Result<Zeroizing<Vec<u8>>, Answer>
where
    B: Body + Unpin,
    B::Data: Buf,
{
    let announced = body.size_hint();
    if body.is_end_stream() {
        return Ok(Zeroizing::default());
    }
    if announced.lower() > max_bytes {
        return Err(too_large());
    }
    let capacity = announced.lower().min(TRUSTED_LENGTH_BYTES);
    let collected = collect(
        body,
        max_bytes,
        usize::try_from(capacity).unwrap_or_default(),
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

async fn collect<B>(
    mut body: B,
    max_bytes: u64,
    capacity: usize,
) -> Result<Zeroizing<Vec<u8>>, Answer>
where
    B: Body + Unpin,
    B::Data: Buf,
{
    let mut buffer = WipingBuffer::with_capacity(capacity);
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
        while data.has_remaining() {
            let chunk = data.chunk();
            let taken = chunk.len();
            buffer.extend(chunk);
            data.advance(taken);
        }
    }
    Ok(buffer.into_inner())
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
        let body = read(Full::new(Bytes::from_static(b"{\"a\":1}")), 7, None)
            .await
            .unwrap();
        assert_eq!(body.as_slice(), b"{\"a\":1}");
        assert!(
            read(Full::new(Bytes::new()), 0, None)
                .await
                .unwrap()
                .is_empty()
        );
    }

    #[tokio::test]
    async fn the_limit_holds_with_and_without_a_length() {
        let answer = read(Full::new(Bytes::from_static(b"12345678")), 7, None)
            .await
            .unwrap_err();
        assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
        let chunks =
            (0..4).map(|_| Ok::<_, std::io::Error>(Frame::data(Bytes::from_static(b"12"))));
        let answer = read(StreamBody::new(stream::iter(chunks)), 7, None)
            .await
            .unwrap_err();
        assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_never_ends_is_given_up() {
        let never = StreamBody::new(stream::pending::<Result<Frame<Bytes>, std::io::Error>>());
        let answer = read(never, 7, Some(Duration::from_secs(30)))
            .await
            .unwrap_err();
        assert_eq!(answer.status, StatusCode::REQUEST_TIMEOUT);
    }
}
