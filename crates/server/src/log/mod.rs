//! Where log lines go. No line holds a secret: requests are logged by path and status only, at debug level.

mod areas;
mod control;
mod line;
mod tap;

use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use coffer_kernel::observe::{Level, Logs, NoLogs};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry, reload};

use self::control::{Apply, Control};
use self::tap::{Tap, Tapping};
use crate::args::ServerArgs;
use crate::config::{Log, LogFormat, LogLevel};
use crate::environment;
use crate::error::Error;

/// The log of this process.
pub(crate) struct Logging {
    control: Option<Arc<Control>>,
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
        let tap = Arc::<Tap>::default();
        let ((shown_lines, log), (read_lines, readers)) = (filter(), filter());
        let lines = tracing_subscriber::fmt::layer()
            .with_writer(output.clone())
            .with_ansi(output.is_terminal());
        let lines = match format {
            LogFormat::Standard => lines.with_filter(shown_lines).boxed(),
            LogFormat::Json => lines
                .json()
                .flatten_event(true)
                .with_filter(shown_lines)
                .boxed(),
        };
        let tapping = Tapping(Arc::clone(&tap)).with_filter(read_lines).boxed();
        let started = tracing_subscriber::registry()
            .with(vec![lines, tapping])
            .try_init();
        let control = started.is_ok().then(|| {
            let control = Control::new(level_of(shown), log, tap, readers);
            control.configure(level_of(shown));
            Arc::new(control)
        });
        std::panic::set_hook(Box::new(|panic| {
            // The panic's text is left out: nobody knows what it quotes.
            let place = panic
                .location()
                .map(ToString::to_string)
                .unwrap_or_default();
            tracing::error!(place, "a task panicked; please report this");
        }));
        Ok(Self {
            control,
            fixed,
            output,
            shown,
        })
    }

    /// The log as the kernel's paths reach it; none where something else in this process logs.
    pub(crate) fn logs(&self) -> Arc<dyn Logs> {
        match &self.control {
            Some(control) => Arc::clone(control) as Arc<dyn Logs>,
            None => Arc::new(NoLogs),
        }
    }

    /// Takes over a changed level and opens the log file anew, for rotation from outside.
    pub(crate) fn reload(&self, log: &Log) {
        let level = self.fixed.or(log.level).unwrap_or(LogLevel::Info);
        if let Some(control) = &self.control {
            control.configure(level_of(level));
        }
        if let Err(error) = self.output.reopen() {
            tracing::error!(%error, "the log file stays as it is");
        }
    }
}

/// A filter that lets nothing through, and what puts another in its place.
fn filter() -> (reload::Layer<Targets, Registry>, Apply) {
    let (filter, handle) = reload::Layer::new(Targets::new());
    let apply = move |targets| handle.reload(targets).map_err(|error| error.to_string());
    (filter, Box::new(apply))
}

fn level_of(level: LogLevel) -> Level {
    match level {
        LogLevel::Trace => Level::Trace,
        LogLevel::Debug => Level::Debug,
        LogLevel::Info => Level::Info,
        LogLevel::Warn => Level::Warn,
        LogLevel::Error => Level::Error,
    }
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
