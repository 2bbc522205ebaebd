//! The other end of a connection.

use std::net::SocketAddr;
use std::sync::Arc;

/// Who sends requests.
#[derive(Clone, Debug, Default)]
pub(crate) struct Peer {
    /// Its address; none of a Unix socket.
    pub(crate) address: Option<SocketAddr>,
    /// What it showed in the TLS handshake, in DER, its own certificate first.
    pub(crate) certificates: Arc<[Vec<u8>]>,
    /// The number of its own certificate, where the listener has verified that.
    pub(crate) trusted_serial: Option<Arc<str>>,
}
