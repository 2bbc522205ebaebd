//! Where log lines go. No line holds a secret: requests are logged by path and status only, at debug level.

use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Registry, reload};

use crate::args::ServerArgs;
use crate::config::{Log, LogFormat, LogLevel};
use crate::environment;
use crate::error::Error;

/// The log of this process.
pub(crate) struct Logging {
    level: Option<reload::Handle<Targets, Registry>>,
    /// From command line or environment, which the configuration can not change.
    fixed: Option<LogLevel>,
    output: Output,
    /// The level in force.
    pub(crate) shown: LogLevel,
}

impl Logging {
    /// Starts logging. If something else in this process logs already, that stays.
    pub(crate) fn start(args: &ServerArgs, log: &Log) -> Result<Self, Error> {
        let fixed = args
            .log_level
            .clone()
            .or_else(|| environment::variable("LOG_LEVEL"));
        let fixed = fixed.as_deref().map(level).transpose()?;
        let format = args
            .log_format
            .clone()
            .or_else(|| environment::variable("LOG_FORMAT"));
        let format = format
            .as_deref()
            .map(form)
            .transpose()?
            .or(log.format)
            .unwrap_or(LogFormat::Standard);
        let shown = fixed.or(log.level).unwrap_or(LogLevel::Info);
        let output = Output::open(log.file.as_deref())?;
        let (filter, handle) = reload::Layer::new(targets(shown));
        let lines = tracing_subscriber::fmt::layer()
            .with_writer(output.clone())
            .with_ansi(output.is_terminal());
        let registry = tracing_subscriber::registry().with(filter);
        let started = match format {
            LogFormat::Standard => registry.with(lines).try_init(),
            LogFormat::Json => registry.with(lines.json().flatten_event(true)).try_init(),
        };
        std::panic::set_hook(Box::new(|panic| {
            // The panic's text is left out: nobody knows what it quotes.
            let place = panic
                .location()
                .map(ToString::to_string)
                .unwrap_or_default();
            tracing::error!(place, "a task panicked; please report this");
        }));
        Ok(Self {
            level: started.is_ok().then_some(handle),
            fixed,
            output,
            shown,
        })
    }

    /// Takes over a changed level and opens the log file anew, for rotation from outside.
    pub(crate) fn reload(&self, log: &Log) {
        let level = self.fixed.or(log.level).unwrap_or(LogLevel::Info);
        if let Some(handle) = &self.level
            && let Err(error) = handle.reload(targets(level))
        {
            tracing::warn!(%error, "the log level could not be changed");
        }
        if let Err(error) = self.output.reopen() {
            tracing::error!(%error, "the log file stays as it is");
        }
    }
}

/// Our own lines from `level` on, those of the libraries only where they warn.
fn targets(level: LogLevel) -> Targets {
    let level = match level {
        LogLevel::Trace => LevelFilter::TRACE,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Error => LevelFilter::ERROR,
    };
    Targets::new()
        .with_default(level.min(LevelFilter::WARN))
        .with_target("coffer", level)
}

fn level(text: &str) -> Result<LogLevel, Error> {
    Ok(match text.trim().to_ascii_lowercase().as_str() {
        "trace" => LogLevel::Trace,
        "debug" => LogLevel::Debug,
        "" | "info" | "notice" => LogLevel::Info,
        "warn" | "warning" => LogLevel::Warn,
        "err" | "error" => LogLevel::Error,
        _ => {
            return Err(Error::Log(format!(
                "{text:?} is no log level; use trace, debug, info, warn or error"
            )));
        }
    })
}

fn form(text: &str) -> Result<LogFormat, Error> {
    match text.trim().to_ascii_lowercase().as_str() {
        "" | "standard" => Ok(LogFormat::Standard),
        "json" => Ok(LogFormat::Json),
        _ => Err(Error::Log(format!(
            "{text:?} is no log format; use standard or json"
        ))),
    }
}

/// The standard error output and, if there is one, the file.
#[derive(Clone)]
struct Output {
    path: Option<PathBuf>,
    file: Arc<ArcSwapOption<File>>,
}

impl Output {
    fn open(path: Option<&Path>) -> Result<Self, Error> {
        let output = Self {
            path: path.map(Path::to_owned),
            file: Arc::default(),
        };
        output.reopen()?;
        Ok(output)
    }

    fn reopen(&self) -> Result<(), Error> {
        let Some(path) = &self.path else {
            return Ok(());
        };
        let mut options = OpenOptions::new();
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.append(true).create(true).open(path);
        let file = file.map_err(|source| Error::Unwritable {
            path: path.clone(),
            source,
        })?;
        self.file.store(Some(Arc::new(file)));
        Ok(())
    }

    fn is_terminal(&self) -> bool {
        self.path.is_none() && io::stderr().is_terminal()
    }
}

impl Write for Output {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if let Some(file) = &*self.file.load() {
            (&**file).write_all(line)?;
        }
        io::stderr().write_all(line)?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Output {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moved_file_is_made_anew() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let mut output = Output::open(Some(&path)).unwrap();
        output.write_all(b"one\n").unwrap();
        std::fs::rename(&path, dir.path().join("log.1")).unwrap();
        output.reopen().unwrap();
        output.write_all(b"two\n").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"two\n");
        assert!(Output::open(Some(Path::new("/nowhere/log"))).is_err());
    }

    #[test]
    fn levels_have_their_words() {
        assert_eq!(level("WARN").unwrap(), LogLevel::Warn);
        assert!(level("loud").is_err() && form("xml").is_err());
    }
}
