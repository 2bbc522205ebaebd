//! Who follows lines that have no end: the log's, an audit device's.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use coffer_crypto::Secret;
use coffer_engine::{Ctx, Fault, Feed};

use crate::authority::Authority;
use crate::open::Open;
use crate::tokens;

/// How often it is looked whether the reader may still read.
const BETWEEN_LOOKS: Duration = Duration::from_secs(5);

/// Somebody who was let in once, and stays for as long as they would be let in again.
pub(super) struct Reader {
    open: Open,
    token: Arc<Secret<String>>,
    client: Option<IpAddr>,
    path: String,
    needs: &'static [&'static str],
}

/// Lines that come as they are written.
pub(super) trait Endless: Send {
    /// The next line; none after the last.
    fn next(&mut self) -> impl Future<Output = Option<Vec<u8>>> + Send;
}

impl Reader {
    /// Who asks. `path` is what they follow, as policies name it, and `needs` are the capabilities that it takes.
    pub fn of(
        open: &Open,
        cx: &Ctx,
        path: String,
        needs: &'static [&'static str],
    ) -> Result<Self, Fault> {
        Ok(Self {
            open: open.clone(),
            token: cx.token.clone().ok_or(Fault::Denied)?,
            client: cx.request.client,
            path,
            needs,
        })
    }

    /// Sends lines until there are none, nobody reads them, or the reader may not read them any more.
    pub async fn follow(&self, lines: &mut impl Endless, feed: &Feed) {
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
        Ok(held.contains(&"root") || self.needs.iter().all(|needed| held.contains(needed)))
    }
}
