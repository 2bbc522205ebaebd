//! `sys/audit-tail`: the lines of an audit device, as they are recorded.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use coffer_crypto::Secret;
use coffer_engine::{Ctx, Fault, Feed, Handle, Pieces, Routes, Streamed, path};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::audit::Followed;
use crate::authority::Authority;
use crate::open::Open;
use crate::tokens;

/// How often it is looked whether the reader may still read.
const BETWEEN_LOOKS: Duration = Duration::from_secs(5);
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
        let reader = Reader {
            open: open.clone(),
            token: cx.token.clone().ok_or(Fault::Denied)?,
            client: cx.request.client,
            path: format!("sys/audit-tail/{}", self.path),
        };
        let lines = open.audit.follow(&self.path)?;
        let (feed, pieces) = Pieces::new();
        tokio::spawn(reader.follow(lines, feed));
        Ok(Streamed {
            media_type: Some(MEDIA_TYPE),
            attachment: false,
            pieces: pieces.endless(),
        })
    }
}

/// Who follows.
struct Reader {
    open: Open,
    token: Arc<Secret<String>>,
    client: Option<IpAddr>,
    /// What they asked for, as policies name it.
    path: String,
}

impl Reader {
    /// Sends lines until nobody reads them, or may read them, any more.
    async fn follow(self, mut lines: Followed, feed: Feed) {
        let sent = async {
            while let Some(line) = lines.next().await {
                if feed.send(line).await.is_err() {
                    return;
                }
            }
        };
        tokio::select! {
            () = sent => {}
            () = feed.unread() => {}
            () = self.until_not_to_be_read() => {}
        }
        // Who does not read any more does not wait for the end either.
        let _ = match lines.was_cut() {
            false => feed.end().await,
            true => {
                let why = "lines are missing behind this: the reader is too slow; follow again";
                feed.fail(Fault::Unavailable(why.to_owned())).await
            }
        };
    }

    /// Waits until the server is sealed, the token ends, or it may not read this any more.
    async fn until_not_to_be_read(&self) {
        let ended = async {
            loop {
                tokio::time::sleep(BETWEEN_LOOKS).await;
                if !self.may_read().await.unwrap_or_default() {
                    return;
                }
            }
        };
        tokio::select! {
            () = self.open.stopped() => {}
            () = ended => {}
        }
    }

    async fn may_read(&self) -> Result<bool, Fault> {
        let open = &self.open;
        let now = open.clock.now();
        let usable = open.tokens.usable(self.token.expose(), self.client, now);
        let Some(record) = usable.await? else {
            return Ok(false);
        };
        let standing = open
            .standing_of(&record.namespace, &record.entity_id)
            .await?;
        let caller = tokens::caller(&record, standing.as_deref());
        let authority = Authority::of(open, &caller, now).await?;
        let held = authority.capabilities(&self.path);
        Ok(held.contains(&"root") || ["read", "sudo"].iter().all(|needed| held.contains(needed)))
    }
}
