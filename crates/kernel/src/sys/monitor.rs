//! `sys/monitor`: the log, line by line as it is written.

use coffer_engine::{Ctx, Fault, Feed, Handle, Pieces, Routes, Streamed, path};
use coffer_wire::Text;
use schemars::JsonSchema;
use serde::Deserialize;

use super::reader::{Endless, Reader};
use crate::observe::{Level, Lines, LogFormat};
use crate::open::Open;

pub(super) fn routes() -> Routes<Open> {
    Routes::new([path("monitor", "The server's log as it is written.").read::<Monitor>()])
}

/// Sends the lines of the log from now on, until the client goes, its token ends or loses the right, or the server is sealed.
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
        let reader = Reader::of(open, cx, "sys/monitor".to_owned(), &["read"])?;
        let lines = open.settings.logs.subscribe(level, format)?;
        let (feed, pieces) = Pieces::new();
        tokio::spawn(follow(reader, lines, feed));
        Ok(Streamed {
            media_type: None, // As the reference has it: clients read lines whatever they are called.
            attachment: false,
            pieces: pieces.endless(),
        })
    }
}

async fn follow(reader: Reader, mut lines: Lines, feed: Feed) {
    reader.follow(&mut lines, &feed).await;
    drop(lines);
    // Who does not read any more does not wait for the end either.
    let _ = feed.end().await;
}

impl Endless for Lines {
    async fn next(&mut self) -> Option<Vec<u8>> {
        self.next().await
    }
}
