use std::path::PathBuf;

use super::Error;
use super::stanza::Stanza;

/// What is logged, how and where. `None` leaves it to the command line, the environment and then the default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Log {
    /// The least severe that is logged.
    pub level: Option<LogLevel>,
    /// Lines for people or for machines.
    pub format: Option<LogFormat>,
    /// A file, beside the standard error output.
    pub file: Option<PathBuf>,
    /// The level at which each answered request is logged; `None` for not at all (but for debugging).
    pub requests_level: Option<LogLevel>,
}

/// Severity, from everything to little.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
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

/// The shape of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Standard,
    /// One JSON object a line.
    Json,
}

pub(super) fn read(root: &mut Stanza) -> Result<Log, Error> {
    let levels = "\"trace\", \"debug\", \"info\", \"warn\" or \"error\"";
    let level = root.value("log_level", levels, |value| level(value.as_text()?))?;
    let format = root.value("log_format", "\"standard\" or \"json\"", |value| {
        format(value.as_text()?)
    })?;
    Ok(Log {
        level: level.flatten(),
        format: format.flatten(),
        file: root.path("log_file")?,
        requests_level: requests_level(root)?,
    })
}

/// The level of the lines about requests; `off` and nothing say the same.
fn requests_level(root: &mut Stanza) -> Result<Option<LogLevel>, Error> {
    let levels = "\"trace\", \"debug\", \"info\", \"warn\", \"error\" or \"off\"";
    let read = root.value("log_requests_level", levels, |value| {
        match value.as_text()? {
            "off" => Some(None),
            text => level(text),
        }
    })?;
    Ok(read.flatten())
}

fn level(text: &str) -> Option<Option<LogLevel>> {
    Some(Some(match text.trim().to_ascii_lowercase().as_str() {
        "" => return Some(None),
        "trace" => LogLevel::Trace,
        "debug" => LogLevel::Debug,
        "info" | "notice" => LogLevel::Info,
        "warn" | "warning" => LogLevel::Warn,
        "err" | "error" => LogLevel::Error,
        _ => return None,
    }))
}

fn format(text: &str) -> Option<Option<LogFormat>> {
    Some(Some(match text.trim().to_ascii_lowercase().as_str() {
        "" => return Some(None),
        "standard" => LogFormat::Standard,
        "json" => LogFormat::Json,
        _ => return None,
    }))
}
