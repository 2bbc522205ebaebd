//! Opening what the configuration lists.

use std::net::{SocketAddr, ToSocketAddrs};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::net::{TcpListener, TcpSocket, UnixListener};

use super::tls::Certificates;
use super::unix;
use crate::config::{Binding, Listener};
use crate::error::Error;

/// Connections that the system holds until they are accepted.
const BACKLOG_CONNECTIONS: u32 = 1024;

/// An open socket.
pub(crate) enum Bound {
    /// TCP, with TLS or without.
    Tcp {
        /// The socket.
        listener: TcpListener,
        /// Where it is, with the port that the system chose.
        address: SocketAddr,
        /// Set if it speaks TLS.
        tls: Option<Arc<Certificates>>,
    },
    /// A socket of the file system.
    Unix {
        /// The socket.
        listener: UnixListener,
        /// Its file, removed when it closes.
        file: SocketFile,
    },
}

/// The file of a socket; removed with this, unless another server has put its own there.
pub(crate) struct SocketFile {
    path: PathBuf,
    inode: u64,
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if std::fs::metadata(&self.path).is_ok_and(|found| found.ino() == self.inode) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

impl Bound {
    /// The URL by which clients reach it; none for sockets of the file system.
    pub(crate) fn url(&self) -> Option<String> {
        match self {
            Self::Tcp { address, tls, .. } => {
                let scheme = if tls.is_some() { "https" } else { "http" };
                Some(format!("{scheme}://{address}"))
            }
            Self::Unix { .. } => None,
        }
    }

    /// Where it is, for people.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Tcp { address, tls, .. } => {
                let tls = if tls.is_some() { "enabled" } else { "disabled" };
                format!("tcp (addr: \"{address}\", tls: \"{tls}\"")
            }
            Self::Unix { file, .. } => format!("unix (addr: \"{}\"", file.path.display()),
        }
    }
}

/// Opens a listener's socket and reads its certificates.
pub(crate) fn bind(listener: &Listener) -> Result<Bound, Error> {
    match &listener.binding {
        Binding::Unix(socket) => {
            let bound = unix::bind(socket)?;
            let inode = std::fs::metadata(&socket.path)
                .map(|found| found.ino())
                .unwrap_or_default();
            Ok(Bound::Unix {
                listener: bound,
                file: SocketFile {
                    path: socket.path.clone(),
                    inode,
                },
            })
        }
        Binding::Tcp { address, tls, .. } => {
            let tls = tls
                .as_ref()
                .map(Certificates::load)
                .transpose()?
                .map(Arc::new);
            let (listener, address) = tcp(address)?;
            Ok(Bound::Tcp {
                listener,
                address,
                tls,
            })
        }
    }
}

fn tcp(address: &str) -> Result<(TcpListener, SocketAddr), Error> {
    let failed = |what: String| Error::Listen {
        address: address.to_owned(),
        what,
    };
    let resolved = address
        .to_socket_addrs()
        .map_err(|error| failed(format!("the host has no address: {error}")))?;
    let mut last = None;
    for candidate in resolved {
        match open(candidate) {
            Ok(bound) => return Ok(bound),
            Err(error) => last = Some(error),
        }
    }
    Err(failed(match last {
        Some(error) => format!("{error}; choose another address or stop what listens there"),
        None => "the host has no address".to_owned(),
    }))
}

fn open(address: SocketAddr) -> std::io::Result<(TcpListener, SocketAddr)> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // A server that was killed leaves connections waiting; a new one shall start at once.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    let listener = socket.listen(BACKLOG_CONNECTIONS)?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}
