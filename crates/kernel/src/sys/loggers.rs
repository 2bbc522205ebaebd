//! `sys/loggers`: what is logged, changed while the server runs.

use std::collections::BTreeMap;

use coffer_engine::{Ctx, Empty, Fault, Handle, Reply, Routes, path};
use coffer_wire::Text;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::observe::Level;
use crate::open::Open;

pub(super) fn routes() -> Routes<Open> {
    Routes::new([
        path("loggers", "What all areas of the server log.")
            .read::<ReadLoggers>()
            .write::<WriteLoggers>()
            .delete::<ResetLoggers>(),
        path("loggers/{name}", "What one area of the server logs.")
            .read::<ReadLogger>()
            .write::<WriteLogger>()
            .delete::<ResetLogger>(),
    ])
}

/// Shows the least severe level that each area logs.
#[derive(Deserialize, JsonSchema)]
struct ReadLoggers {}

impl Handle<Open> for ReadLoggers {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        let levels = open.settings.logs.loggers();
        Reply::data(&words(levels.into_iter()))
    }
}

/// Sets the level of all areas until the server ends, or its configuration is read again.
#[derive(Deserialize, JsonSchema)]
struct WriteLoggers {
    /// `trace`, `debug`, `info`, `warn` or `error`.
    #[serde(default)]
    level: Option<Text>,
}

impl Handle<Open> for WriteLoggers {
    type Reply = Empty;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Empty, Fault> {
        let level = level(self.level)?;
        open.settings.logs.set(None, Some(level)).map(|()| Empty)
    }
}

/// Sets all areas to the configured level.
#[derive(Deserialize, JsonSchema)]
struct ResetLoggers {}

impl Handle<Open> for ResetLoggers {
    type Reply = Empty;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Empty, Fault> {
        open.settings.logs.set(None, None).map(|()| Empty)
    }
}

/// Shows the least severe level that one area logs; nothing for an area that there is not.
#[derive(Deserialize, JsonSchema)]
struct ReadLogger {
    /// The area.
    name: String,
}

impl Handle<Open> for ReadLogger {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        let levels = open.settings.logs.loggers().into_iter();
        Reply::data(&words(levels.filter(|(name, _)| *name == self.name)))
    }
}

/// Sets the level of one area until the server ends, or its configuration is read again.
#[derive(Deserialize, JsonSchema)]
struct WriteLogger {
    /// The area.
    name: String,
    /// `trace`, `debug`, `info`, `warn` or `error`.
    #[serde(default)]
    level: Option<Text>,
}

impl Handle<Open> for WriteLogger {
    type Reply = Empty;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Empty, Fault> {
        let level = level(self.level)?;
        let known = open.settings.logs.set(Some(&self.name), Some(level));
        known.map(|()| Empty)
    }
}

/// Sets one area to the configured level.
#[derive(Deserialize, JsonSchema)]
struct ResetLogger {
    /// The area.
    name: String,
}

impl Handle<Open> for ResetLogger {
    type Reply = Empty;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Empty, Fault> {
        open.settings
            .logs
            .set(Some(&self.name), None)
            .map(|()| Empty)
    }
}

fn words(levels: impl Iterator<Item = (String, Level)>) -> BTreeMap<String, &'static str> {
    levels.map(|(name, level)| (name, level.word())).collect()
}

fn level(given: Option<Text>) -> Result<Level, Fault> {
    let text = given.map(|text| text.0).unwrap_or_default();
    if text.is_empty() {
        return Err(Fault::invalid("level is required"));
    }
    text.parse().map_err(|()| {
        Fault::invalid(format_args!(
            "invalid level provided: unknown log level: {text}; use trace, debug, info, warn or error"
        ))
    })
}
