//! Connections to sockets that lines are sent to: made when there is something to send, and again when they were lost.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs, UdpSocket};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::Path;
use std::time::Duration;

use super::writer::{Batch, Put, Stop};

/// How much a receiver may say before it is no longer listened to, in bytes. Nothing of it is of interest.
const HEARD_BYTES_MAX: usize = 64 << 10;
/// A datagram that the system will not take at any time (`EMSGSIZE`).
const TOO_LONG: i32 = if cfg!(target_os = "linux") { 90 } else { 40 };

/// A connection that may have to be made.
#[derive(Default)]
pub(super) struct Line {
    open: Option<Connection>,
}

/// What is connected.
pub(super) enum Connection {
    Tcp(TcpStream),
    Unix(UnixStream),
    Udp(UdpSocket),
    UnixDatagram(UnixDatagram),
}

impl Line {
    /// Connects, unless it is connected.
    pub fn ready(
        &mut self,
        connect: impl FnOnce() -> Result<Connection, String>,
    ) -> Result<&mut Connection, String> {
        if self.open.as_mut().is_some_and(Connection::has_ended) {
            self.open = None;
        }
        match &mut self.open {
            Some(connection) => Ok(connection),
            none => Ok(none.insert(connect()?)),
        }
    }

    /// Sends a batch to `whom`. A connection that was lost is made again, once; what it had taken whole is not sent a second
    /// time.
    pub fn put(
        &mut self,
        batch: &Batch,
        whom: &str,
        connect: impl Fn() -> Result<Connection, String>,
    ) -> Put {
        let mut recorded = 0;
        let mut why = String::new();
        for _ in 0..2 {
            let connection = match self.ready(&connect) {
                Ok(connection) => connection,
                Err(error) => {
                    why = error;
                    continue;
                }
            };
            let (sent, error) = connection.send(batch, recorded);
            recorded += sent;
            match error {
                None => return Put::all(batch),
                Some(error) if error.raw_os_error() == Some(TOO_LONG) => {
                    let why = format!("the line is too long for one message to {whom}");
                    return Put {
                        recorded,
                        stop: Some(Stop::Line(why)),
                        torn: false,
                    };
                }
                Some(error) => {
                    why = format!("can not write to {whom}: {}", told(&error));
                    self.open = None;
                }
            }
        }
        Put {
            recorded,
            stop: Some(Stop::Sink(why)),
            torn: false,
        }
    }

    pub fn close(&mut self) {
        self.open = None;
    }
}

impl Connection {
    /// A TCP stream to one of the addresses of a name, each of which may take `timeout` to answer.
    pub fn tcp(address: &str, timeout: Duration) -> io::Result<Self> {
        let stream = any_of(address, |address| {
            TcpStream::connect_timeout(&address, timeout)
        })?;
        // Lines are written whole; waiting to fill packets helps nobody.
        stream.set_nodelay(true)?;
        stream.set_write_timeout(Some(timeout))?;
        Ok(Self::Tcp(stream))
    }

    /// Datagrams to one of the addresses of a name.
    pub fn udp(address: &str, timeout: Duration) -> io::Result<Self> {
        let socket = any_of(address, |address| {
            let any = if address.is_ipv4() {
                "0.0.0.0:0"
            } else {
                "[::]:0"
            };
            let socket = UdpSocket::bind(any)?;
            socket.connect(address)?;
            Ok(socket)
        })?;
        socket.set_write_timeout(Some(timeout))?;
        Ok(Self::Udp(socket))
    }

    /// A stream to a Unix socket.
    pub fn unix(path: &Path, timeout: Duration) -> io::Result<Self> {
        let stream = UnixStream::connect(path)?;
        stream.set_write_timeout(Some(timeout))?;
        Ok(Self::Unix(stream))
    }

    /// Datagrams to a Unix socket.
    pub fn unix_datagram(path: &Path, timeout: Duration) -> io::Result<Self> {
        let socket = UnixDatagram::unbound()?;
        socket.connect(path)?;
        socket.set_write_timeout(Some(timeout))?;
        Ok(Self::UnixDatagram(socket))
    }

    /// Sends the lines after the first `skip`; how many got away whole, and what stopped it.
    fn send(&mut self, batch: &Batch, skip: usize) -> (usize, Option<io::Error>) {
        match self {
            Self::Tcp(stream) => write_lines(stream, batch, skip),
            Self::Unix(stream) => write_lines(stream, batch, skip),
            Self::Udp(socket) => send_lines(batch, skip, |line| socket.send(line)),
            Self::UnixDatagram(socket) => send_lines(batch, skip, |line| socket.send(line)),
        }
    }

    /// Whether the receiver has closed a stream. Without this look, the first write after that would vanish.
    fn has_ended(&mut self) -> bool {
        match self {
            Self::Tcp(stream) => {
                let asked = stream.set_nonblocking(true);
                let ended = ended(stream);
                asked.is_err() || stream.set_nonblocking(false).is_err() || ended
            }
            Self::Unix(stream) => {
                let asked = stream.set_nonblocking(true);
                let ended = ended(stream);
                asked.is_err() || stream.set_nonblocking(false).is_err() || ended
            }
            Self::Udp(_) | Self::UnixDatagram(_) => false,
        }
    }
}

/// What an error says. Timeouts of sockets call themselves "resource temporarily unavailable".
pub(super) fn told(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => "it does not answer in time".to_owned(),
        _ => error.to_string(),
    }
}

/// The first address of a name that works.
fn any_of<T>(name: &str, connect: impl Fn(std::net::SocketAddr) -> io::Result<T>) -> io::Result<T> {
    let mut last = io::Error::from(ErrorKind::AddrNotAvailable);
    for address in name.to_socket_addrs()? {
        match connect(address) {
            Ok(connected) => return Ok(connected),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn write_lines(stream: &mut impl Write, batch: &Batch, skip: usize) -> (usize, Option<io::Error>) {
    let mut written: usize = batch.lines().take(skip).map(<[u8]>::len).sum();
    let mut stopped = None;
    while let Some(rest) = batch.text().get(written..).filter(|rest| !rest.is_empty()) {
        match stream.write(rest) {
            Ok(0) => {
                stopped = Some(ErrorKind::WriteZero.into());
                break;
            }
            Ok(count) => written += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => {
                stopped = Some(error);
                break;
            }
        }
    }
    let (lines, _) = batch.whole(written);
    (lines.saturating_sub(skip), stopped)
}

fn send_lines(
    batch: &Batch,
    skip: usize,
    send: impl Fn(&[u8]) -> io::Result<usize>,
) -> (usize, Option<io::Error>) {
    let mut sent = 0;
    for line in batch.lines().skip(skip) {
        match send(line) {
            Ok(_) => sent += 1,
            Err(error) => return (sent, Some(error)),
        }
    }
    (sent, None)
}

/// Reads away what the receiver says; whether it said its last.
fn ended(stream: &mut impl Read) -> bool {
    let mut heard = 0;
    let mut bytes = [0; 4_096];
    while heard < HEARD_BYTES_MAX {
        match stream.read(&mut bytes) {
            Ok(0) => return true,
            Ok(count) => heard += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return error.kind() != ErrorKind::WouldBlock,
        }
    }
    false
}
