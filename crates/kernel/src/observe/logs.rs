//! The log, as the kernel's paths below `sys/` reach it.

use std::any::Any;
use std::collections::BTreeMap;
use std::str::FromStr;

use coffer_engine::Fault;
use tokio::sync::mpsc;

/// The process's log. The server fills this in; a kernel of its own has none.
pub trait Logs: Send + Sync {
    /// The areas that can be told apart, with the least severe level that each logs.
    fn loggers(&self) -> BTreeMap<String, Level>;

    /// Sets the level of an area, of all where none is named; no level puts back what is configured.
    fn set(&self, logger: Option<&str>, level: Option<Level>) -> Result<(), Fault>;

    /// Lines from now on, also such as the log itself leaves out.
    fn subscribe(&self, level: Level, format: LogFormat) -> Result<Lines, Fault>;
}

/// Lines of the log, each with its line feed, until this is dropped. A reader that is too slow loses some and is told
/// how many.
pub struct Lines {
    received: mpsc::Receiver<Vec<u8>>,
    _subscribed: Box<dyn Any + Send>,
}

/// Severity, from everything to little.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Everything.
    Trace,
    /// What helps to find a fault.
    Debug,
    /// What an operator wants to know.
    Info,
    /// What may need attention.
    Warn,
    /// What failed.
    Error,
}

/// The shape of lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Standard,
    /// One JSON object a line.
    Json,
}

impl Lines {
    /// Lines as they are received, and what ends the subscription when it is dropped.
    pub fn new(received: mpsc::Receiver<Vec<u8>>, subscribed: impl Any + Send) -> Self {
        Self {
            received,
            _subscribed: Box::new(subscribed),
        }
    }

    /// The next line.
    pub async fn next(&mut self) -> Option<Vec<u8>> {
        self.received.recv().await
    }
}

impl Level {
    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

impl FromStr for Level {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Ok(match text.trim().to_ascii_lowercase().as_str() {
            "trace" => Self::Trace,
            "debug" => Self::Debug,
            "info" | "notice" => Self::Info,
            "warn" | "warning" => Self::Warn,
            "err" | "error" => Self::Error,
            _ => return Err(()),
        })
    }
}

impl FromStr for LogFormat {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Ok(match text.trim().to_ascii_lowercase().as_str() {
            "standard" => Self::Standard,
            "json" => Self::Json,
            _ => return Err(()),
        })
    }
}

/// No log.
pub struct NoLogs;

impl Logs for NoLogs {
    fn loggers(&self) -> BTreeMap<String, Level> {
        BTreeMap::new()
    }

    fn set(&self, _: Option<&str>, _: Option<Level>) -> Result<(), Fault> {
        Err(none())
    }

    fn subscribe(&self, _: Level, _: LogFormat) -> Result<Lines, Fault> {
        Err(none())
    }
}

fn none() -> Fault {
    Fault::Unavailable(
        "something else in this process logs, which this server can not steer".into(),
    )
}
