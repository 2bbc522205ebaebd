//! `sys/audit-tail`: the lines of an audit device, as they are recorded.

use coffer_engine::{Ctx, Fault, Feed, Handle, Pieces, Routes, Streamed, path};
use schemars::JsonSchema;
use serde::Deserialize;

use super::reader::{Endless, Reader};
use crate::audit::Followed;
use crate::open::Open;

/// One line after the other, each JSON unless the device has a prefix.
const MEDIA_TYPE: &str = "application/x-ndjson";

pub(super) fn routes() -> Routes<Open> {
    Routes::new([path(
        "audit-tail/{path*}",
        "The lines of an audit device as they are recorded.",
    )
    .sudo()
    .read::<FollowAudit>()])
}

/// Sends the lines of an audit device from now on, byte for byte as they are recorded: hashed by the device's key.
///
/// It ends when the client goes, its token ends or loses the right, the device is disabled or the server is sealed. A reader that
/// is too slow is cut off, in the middle, so that it does not believe to have all.
#[derive(Deserialize, JsonSchema)]
struct FollowAudit {
    /// Where the device is enabled.
    path: String,
}

impl Handle<Open> for FollowAudit {
    type Reply = Streamed;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Streamed, Fault> {
        let path = format!("sys/audit-tail/{}", self.path);
        let reader = Reader::of(open, cx, path, &["read", "sudo"])?;
        let lines = open.audit.follow(&self.path)?;
        let (feed, pieces) = Pieces::new();
        tokio::spawn(follow(reader, lines, feed));
        Ok(Streamed {
            media_type: Some(MEDIA_TYPE),
            attachment: false,
            pieces: pieces.endless(),
        })
    }
}

async fn follow(reader: Reader, mut lines: Followed, feed: Feed) {
    reader.follow(&mut lines, &feed).await;
    // Who does not read any more does not wait for the end either.
    let _ = match lines.was_cut() {
        false => feed.end().await,
        true => {
            let why = "lines are missing behind this: the reader is too slow; follow again";
            feed.fail(Fault::Unavailable(why.to_owned())).await
        }
    };
}

impl Endless for Followed {
    async fn next(&mut self) -> Option<Vec<u8>> {
        self.next().await
    }
}
