//! Sending lines to the machine's own syslog, each as a message of RFC 3164 in the form that local daemons take:
//! `<38>Jan  2 15:04:05 vault[4711]: {…}`.

use std::path::PathBuf;
use std::time::Duration;

use coffer_wire::Timestamp;

use super::chain::{Chain, Ending};
use super::connection::{Connection, Line, told};
use super::writer::{Batch, Put, Sink};

/// Where daemons listen; the first that answers is taken.
pub(super) const PATHS: [&str; 3] = ["/dev/log", "/var/run/syslog", "/var/run/log"];
/// How long a daemon may leave a message untaken.
const WRITE_TIMEOUT: Duration = Duration::from_secs(2);
/// `info`, as every message of the reference.
const SEVERITY: u8 = 6;

/// Facilities of RFC 3164 by their usual names, in the order of their numbers; unnamed ones are empty.
const FACILITIES: [&str; 24] = [
    "KERN", "USER", "MAIL", "DAEMON", "AUTH", "SYSLOG", "LPR", "NEWS", "UUCP", "CRON", "AUTHPRIV",
    "FTP", "", "", "", "", "LOCAL0", "LOCAL1", "LOCAL2", "LOCAL3", "LOCAL4", "LOCAL5", "LOCAL6",
    "LOCAL7",
];

/// What stands before each message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// Facility and severity in one number.
    pub priority: u8,
    /// Who speaks.
    pub tag: String,
}

/// The daemon of this machine.
pub(super) struct SyslogSink {
    header: Header,
    paths: Vec<PathBuf>,
    line: Line,
}

impl Header {
    /// For a facility by its name, in any case; none if there is no such facility.
    pub fn of(facility: &str, tag: &str) -> Option<Self> {
        let facility = facility.to_ascii_uppercase();
        let number = FACILITIES
            .iter()
            .position(|name| *name == facility && !name.is_empty())?;
        Some(Self {
            priority: u8::try_from(number).ok()? * 8 + SEVERITY,
            tag: tag.to_owned(),
        })
    }

    /// In local time, as daemons expect it.
    fn text(&self, time: Timestamp) -> String {
        let seconds = i64::try_from(time.secs()).unwrap_or(i64::MAX);
        let time = jiff::Timestamp::from_second(seconds).unwrap_or_default();
        let local = time.to_zoned_datetime(jiff::tz::TimeZone::system());
        let Self { priority, tag } = self;
        let pid = std::process::id();
        format!(
            "<{priority}>{} {tag}[{pid}]: ",
            local.strftime("%b %e %H:%M:%S")
        )
    }
}

impl SyslogSink {
    /// A daemon that listens at one of these paths.
    pub fn new(header: Header, paths: Vec<PathBuf>) -> Self {
        Self {
            header,
            paths,
            line: Line::default(),
        }
    }
}

impl Sink for SyslogSink {
    fn ready(&mut self, _: Option<&Chain>) -> Result<Option<Ending>, String> {
        self.line.ready(|| connect(&self.paths)).map(|_| None)
    }

    fn put(&mut self, batch: &Batch) -> Put {
        let messages = batch.prefixed(|time| self.header.text(time));
        self.line.put(&messages, "syslog", || connect(&self.paths))
    }

    fn close(&mut self) {
        self.line.close();
    }
}

/// Daemons take datagrams, some of them a stream.
fn connect(paths: &[PathBuf]) -> Result<Connection, String> {
    let mut tried = Vec::new();
    for path in paths {
        let datagrams = Connection::unix_datagram(path, WRITE_TIMEOUT);
        match datagrams.or_else(|_| Connection::unix(path, WRITE_TIMEOUT)) {
            Ok(connection) => return Ok(connection),
            Err(error) => tried.push(format!("{}: {}", path.display(), told(&error))),
        }
    }
    Err(format!("no syslog daemon answers ({})", tried.join("; ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_those_of_local_daemons() {
        let header = Header::of("local7", "x y").unwrap();
        let text = header.text(Timestamp::from_secs(1_704_207_845));
        let pid = std::process::id();
        assert!(text.starts_with("<190>Jan  "), "{text}");
        assert!(text.ends_with(&format!(" x y[{pid}]: ")), "{text}");
        let numbers = [("AUTH", 38), ("kern", 6), ("Local0", 134), ("authpriv", 86)];
        for (facility, number) in numbers {
            assert_eq!(Header::of(facility, "t").unwrap().priority, number);
        }
        assert!(Header::of("", "t").is_none() && Header::of("NOPE", "t").is_none());
    }
}
