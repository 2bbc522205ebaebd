//! Sending lines to a socket: TCP, UDP, or a Unix socket of either kind.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::chain::{Chain, Ending};
use super::connection::{Connection, Line, told};
use super::place::Allow;
use super::writer::{Batch, Put, Sink};

/// Where to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Address {
    /// `host:port`, a stream.
    Tcp(String),
    /// `host:port`, a datagram for each line.
    Udp(String),
    /// The path of a socket, a stream.
    Unix(PathBuf),
    /// The path of a socket, a datagram for each line.
    UnixDatagram(PathBuf),
}

/// A receiver behind a socket.
pub(super) struct SocketSink {
    address: Address,
    /// How long connecting and each write may take.
    timeout: Duration,
    allow: Allow,
    line: Line,
}

impl SocketSink {
    pub fn new(address: Address, timeout: Duration, allow: Allow) -> Self {
        Self {
            address,
            timeout,
            allow,
            line: Line::default(),
        }
    }
}

impl Sink for SocketSink {
    fn ready(&mut self, _: Option<&Chain>) -> Result<Option<Ending>, String> {
        let connect = || self.address.connect(self.timeout, &self.allow);
        self.line.ready(connect).map(|_| None)
    }

    fn put(&mut self, batch: &Batch) -> Put {
        let connect = || self.address.connect(self.timeout, &self.allow);
        self.line.put(batch, &self.address.to_string(), connect)
    }

    fn close(&mut self) {
        self.line.close();
    }
}

impl Address {
    fn connect(&self, timeout: Duration, allow: &Allow) -> Result<Connection, String> {
        let connected = match self {
            Self::Tcp(address) => Connection::tcp(address, timeout),
            Self::Udp(address) => Connection::udp(address, timeout),
            Self::Unix(path) => {
                allow.socket(path)?;
                Connection::unix(path, timeout)
            }
            Self::UnixDatagram(path) => {
                allow.socket(path)?;
                Connection::unix_datagram(path, timeout)
            }
        };
        connected.map_err(|error| format!("can not connect to {self}: {}", told(&error)))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => write!(f, "tcp {address}"),
            Self::Udp(address) => write!(f, "udp {address}"),
            Self::Unix(path) => write!(f, "unix {}", path.display()),
            Self::UnixDatagram(path) => write!(f, "unixgram {}", path.display()),
        }
    }
}
