//! `sys/monitor`: the log, line by line as it is written.

use std::sync::Arc;
use std::time::Duration;

use coffer_crypto::Secret;
use coffer_engine::{Ctx, Fault, Feed, Handle, Pieces, Routes, Streamed, path};
use coffer_wire::Text;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::core::Core;
use crate::observe::{Level, Lines, LogFormat};
use crate::open::Open;

/// How often it is looked whether the reader's token still lives.
const BETWEEN_LOOKS: Duration = Duration::from_secs(5);

pub(super) fn routes() -> Routes<Open> {
    Routes::new([path("monitor", "The server's log as it is written.").read::<Monitor>()])
}

/// Sends the lines of the log from now on, until the client goes, its token ends or the server is sealed.
#[derive(Deserialize, JsonSchema)]
struct Monitor {
    /// The least severe level: `trace`, `debug`, `info` (the default), `warn` or `error`.
    #[serde(default)]
    log_level: Option<Text>,
    /// `standard` (the default) or `json`.
    #[serde(default)]
    log_format: Option<Text>,
}

impl Handle<Open> for Monitor {
    type Reply = Streamed;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Streamed, Fault> {
        let given = |text: Option<Text>| text.map(|text| text.0).filter(|text| !text.is_empty());
        let level = given(self.log_level).map_or(Ok(Level::Info), |text| text.parse());
        let level = level.map_err(|()| {
            Fault::invalid("unknown log level; use trace, debug, info, warn or error")
        })?;
        let format = given(self.log_format).map_or(Ok(LogFormat::Standard), |text| text.parse());
        let format =
            format.map_err(|()| Fault::invalid("unknown log format; use standard or json"))?;
        let token = cx.token.clone().ok_or(Fault::Denied)?;
        let lines = open.settings.logs.subscribe(level, format)?;
        let (feed, pieces) = Pieces::new();
        tokio::spawn(follow(Arc::clone(open), token, lines, feed));
        Ok(Streamed {
            media_type: None, // As the reference has it: clients read lines whatever they are called.
            attachment: false,
            pieces: pieces.endless(),
        })
    }
}

/// Sends lines until nobody reads them, or may read them, any more.
async fn follow(core: Arc<Core>, token: Arc<Secret<String>>, mut lines: Lines, feed: Feed) {
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
        () = until_not_to_be_read(core, token) => {}
    }
    drop(lines);
    // Who does not read any more does not wait for the end either.
    let _ = feed.end().await;
}

/// Waits until the server is sealed or the token ends.
async fn until_not_to_be_read(core: Arc<Core>, token: Arc<Secret<String>>) {
    let stopped = core.stopped();
    let ended = async {
        loop {
            tokio::time::sleep(BETWEEN_LOOKS).await;
            let record = core.tokens.by_token(token.expose()).await;
            let now = core.clock.now();
            if !matches!(record, Ok(Some(record)) if record.is_alive(now)) {
                return;
            }
        }
    };
    tokio::select! {
        () = stopped => {}
        () = ended => {}
    }
}
