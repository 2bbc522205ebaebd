//! One enabled device.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use coffer_crypto::Zeroizing;

use super::entry::{RequestFacts, ResponseFacts};
use super::file::{WRITE_DEADLINE, Writer};
use super::hash::Hasher;
use super::line::{Data, Format};
use super::options::{Options, Target};
use super::place::Allow;

/// A device that is ready to record.
pub(super) struct Device {
    path: String,
    pub id: String,
    format: Format,
    sink: Sink,
    failing: AtomicBool,
}

enum Sink {
    Writer(Writer),
    Discard,
    /// Never records, and why; so that a device that became unusable refuses instead of vanishing.
    Unusable(String),
}

/// A line on its way to a device.
pub(super) struct Addressed<'a> {
    device: &'a Device,
    line: Result<Zeroizing<Vec<u8>>, String>,
}

impl Device {
    /// A device at `path`; its thread starts, its file is not opened yet.
    pub fn new(
        path: &str,
        id: &str,
        hasher: Hasher,
        options: Result<Options, String>,
        allow: &Allow,
    ) -> Self {
        let usable = options.and_then(|options| {
            let allowed = options.prefix.is_empty() || allow.prefixes();
            allowed.then_some(options).ok_or_else(no_prefix)
        });
        let (format, sink) = match usable {
            Ok(options) => (
                Format::new(hasher, &options),
                Sink::of(options, allow.clone()),
            ),
            Err(why) => (Format::hashing(hasher), Sink::Unusable(why)),
        };
        Self {
            path: path.to_owned(),
            id: id.to_owned(),
            format,
            sink,
            failing: AtomicBool::new(false),
        }
    }

    pub fn hasher(&self) -> &Hasher {
        &self.format.hasher
    }

    /// Whether lines go anywhere at all.
    pub fn discards(&self) -> bool {
        matches!(self.sink, Sink::Discard)
    }

    /// The line of a request, for this device.
    pub fn request(&self, facts: &RequestFacts<'_>) -> Addressed<'_> {
        let line = match self.discards() {
            true => Ok(Zeroizing::default()),
            false => self.format.request(facts),
        };
        Addressed {
            device: self,
            line: line.map_err(|error| error.to_string()),
        }
    }

    /// The line of an answer, for this device.
    pub fn response(
        &self,
        facts: &RequestFacts<'_>,
        answer: &ResponseFacts<'_>,
        data: &Data,
    ) -> Addressed<'_> {
        let line = match self.discards() {
            true => Ok(Zeroizing::default()),
            false => self.format.response(facts, answer, data),
        };
        Addressed {
            device: self,
            line: line.map_err(|error| error.to_string()),
        }
    }

    /// Opens the file anew.
    pub async fn reopen(&self) -> Result<(), String> {
        let outcome = match &self.sink {
            Sink::Writer(writer) => writer.reopen().await,
            Sink::Discard => Ok(()),
            Sink::Unusable(why) => Err(why.clone()),
        };
        self.noted(outcome)
    }

    /// Failure and recovery are worth a line in the server's log; each failed line is not.
    fn noted(&self, outcome: Result<(), String>) -> Result<(), String> {
        let failed = outcome.is_err();
        if self.failing.swap(failed, Ordering::Relaxed) != failed {
            match &outcome {
                Ok(()) => tracing::info!(device = self.path, "the audit device records again"),
                Err(why) => tracing::error!(device = self.path, why, "the audit device fails"),
            }
        }
        outcome.map_err(|why| format!("{}: {why}", self.path))
    }
}

impl Addressed<'_> {
    /// Delivers the line; the error names the device and what is wrong.
    pub async fn deliver(self) -> Result<(), String> {
        let outcome = match (self.line, &self.device.sink) {
            (Err(why), _) => Err(why),
            (Ok(line), Sink::Writer(writer)) => writer.append(line).await,
            (Ok(_), Sink::Discard) => Ok(()),
            (Ok(_), Sink::Unusable(why)) => Err(why.clone()),
        };
        self.device.noted(outcome)
    }
}

impl Sink {
    fn of(options: Options, allow: Allow) -> Self {
        if options.target == Target::Discard {
            return Self::Discard;
        }
        match Writer::start(options.target, options.mode, allow, WRITE_DEADLINE) {
            Ok(writer) => Self::Writer(writer),
            Err(error) => Self::Unusable(format!("its thread can not start: {error}")),
        }
    }
}

impl fmt::Debug for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Device({})", self.path)
    }
}

fn no_prefix() -> String {
    "prefixes are not allowed; leave \"prefix\" out, or set allow_audit_log_prefixing in the server's configuration".into()
}
